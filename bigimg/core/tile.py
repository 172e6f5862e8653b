"""Tile geometry as frozen values: nobody else recomputes a slice.

A tile *writes* its own pixels and *reads* a halo more. At the border of the image the halo ends with the image: the
operation's own border rule takes over there, and the border of a tile never shows.

::

    |<------------------------- image -------------------------->|
    |wwwwwwwwwwwwwww|hhhh|                                         tile 0: reads w and h, writes w
               |hhhh|wwwwwwwwwwwwwww|hhhh|                         tile 1
                               |hhhh|wwwwwwwwwwwwwww|hh|           tile 2: the halo reaches through tile 3 ...
                                               |hhhh|ww|           tile 3: ... thinner than the halo, and still whole

A halo may reach over several tiles, so that tiles thinner than the halo need no rule of their own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, pairwise, product
from math import prod

from bigimg.errors import ImageError

Box = tuple[slice, ...]
"""One slice an axis, with start and stop, step 1."""

Chunks = tuple[tuple[int, ...], ...]
"""The sizes of the tiles along each axis, as Dask writes them."""


@dataclass(frozen=True)
class Tile:
    """One tile of an image."""

    index: tuple[int, ...]
    """Position in the grid of tiles."""
    write: Box
    """The pixels this tile gives, in image coordinates."""
    read: Box
    """The pixels it must see: ``write`` and the halo, cut at the border of the image."""
    image_shape: tuple[int, ...]
    """Shape of the whole image."""

    @property
    def crop(self) -> Box:
        """``write`` in the coordinates of the pixels that were read."""
        return tuple(slice(w.start - r.start, w.stop - r.start) for w, r in zip(self.write, self.read))

    @property
    def origin(self) -> tuple[int, ...]:
        """Image coordinates of the first pixel written."""
        return tuple(w.start for w in self.write)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the pixels written."""
        return box_shape(self.write)

    @property
    def read_shape(self) -> tuple[int, ...]:
        """Shape of the pixels read."""
        return box_shape(self.read)

    def at_border(self, axis: int) -> tuple[bool, bool]:
        """Whether the written pixels touch the first and the last pixel of the image along ``axis``."""
        return self.write[axis].start == 0, self.write[axis].stop == self.image_shape[axis]


@dataclass(frozen=True)
class TileGrid:
    """How an image is cut into tiles.

    Parameters
    ----------
    chunks
        Sizes of the tiles along each axis, every one at least 1.
    halo
        How many pixels beyond its own a tile must see along each axis.

    Examples
    --------
    >>> grid = TileGrid(chunks=((4, 4, 2), (5,)), halo=(3, 0))
    >>> grid.shape, len(grid)
    ((10, 5), 3)
    >>> grid[2, 0].read
    (slice(5, 10, None), slice(0, 5, None))
    """

    chunks: Chunks
    halo: tuple[int, ...]

    def __post_init__(self) -> None:
        if len(self.halo) != len(self.chunks):
            raise ValueError(f"a halo an axis is needed: {len(self.chunks)} axes, halo {self.halo}")
        if any(size < 1 for sizes in self.chunks for size in sizes) or not all(self.chunks):
            raise ImageError(f"an image needs at least one pixel along each axis (chunks {self.chunks})")

    @classmethod
    def regular(cls, shape: Sequence[int], tile: Sequence[int], halo: Sequence[int] | None = None) -> TileGrid:
        """Cut ``shape`` into tiles of shape ``tile``; the last along each axis is what is left."""
        return cls(regular_chunks(shape, tile), tuple(halo) if halo is not None else (0,) * len(shape))

    @cached_property
    def bounds(self) -> tuple[tuple[int, ...], ...]:
        """Where tiles start along each axis, and where the last one ends."""
        return tuple(tuple(accumulate(sizes, initial=0)) for sizes in self.chunks)

    @cached_property
    def shape(self) -> tuple[int, ...]:
        """Shape of the image."""
        return tuple(bound[-1] for bound in self.bounds)

    @property
    def numblocks(self) -> tuple[int, ...]:
        """How many tiles there are along each axis."""
        return tuple(len(sizes) for sizes in self.chunks)

    def __len__(self) -> int:
        return prod(self.numblocks)

    def __iter__(self) -> Iterator[Tile]:
        return (self[index] for index in product(*map(range, self.numblocks)))

    def __getitem__(self, index: tuple[int, ...]) -> Tile:
        sides = [axis[i] for axis, i in zip(self._sides, index)]
        return Tile(tuple(index), tuple([w for w, _ in sides]), tuple([r for _, r in sides]), self.shape)

    @cached_property
    def _sides(self) -> tuple[tuple[tuple[slice, slice], ...], ...]:
        # What a tile writes and reads along each axis: 10^5 tiles share a few hundred slices.
        return tuple(
            tuple(
                (slice(start, stop), slice(max(0, start - halo), min(bound[-1], stop + halo)))
                for start, stop in pairwise(bound)
            )
            for bound, halo in zip(self.bounds, self.halo)
        )

    def largest_read(self) -> int:
        """Pixels of the largest box that a tile can read."""
        return prod(
            min(bound[-1], max(sizes) + 2 * halo) for sizes, halo, bound in zip(self.chunks, self.halo, self.bounds)
        )


def whole(shape: Sequence[int]) -> Tile:
    """Return the one tile that is the whole image."""
    box = tuple(slice(0, size) for size in shape)
    return Tile((0,) * len(box), box, box, tuple(shape))


def box_shape(box: Box) -> tuple[int, ...]:
    """Return the shape of the pixels in ``box``."""
    return tuple(side.stop - side.start for side in box)


def regular_chunks(shape: Sequence[int], tile: Sequence[int]) -> Chunks:
    """Return the sizes of regular tiles; the last one along each axis is what is left.

    Examples
    --------
    >>> regular_chunks((10, 5), (4, 8))
    ((4, 4, 2), (5,))
    """
    return tuple(
        tuple(min(step, size - start) for start in range(0, size, step)) or (0,) for size, step in zip(shape, tile)
    )
