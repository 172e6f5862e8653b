"""Objects of a mask: connected pixels, found tile by tile and joined across the faces of tiles.

A tile keeps its pixels as labelled runs and sends the size, first pixel and border contact of each component with the
labels on its faces. What touches across faces is one object. Filters judge whole objects, and labels are ranks of first
pixels, so that neither can tell how the image was cut.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product
from typing import Any, ClassVar, Literal

import dask.array as da
import numpy as np
from numpy.typing import NDArray

from bigimg.core.operation import Pixels, Valid
from bigimg.core.parameters import Dims
from bigimg.core.reduction import Gather
from bigimg.core.tile import Tile
from bigimg.engine.gather import finish_again, gathered
from bigimg.engine.kinds import gather, opened
from bigimg.errors import ImageError, ParameterError
from bigimg.kernels.components import (
    RunLabels,
    component_sizes,
    face,
    first_pixels,
    label_runs,
    paint,
    paint_mask,
    union,
)

Ids = NDArray[np.int64]


@dataclass(frozen=True)
class TileObjects:
    """What a tile sends of its components; index 0 is the background."""

    sizes: Ids
    first: Ids
    """Index of the first pixel of each component in the whole image, in raster order."""
    at_border: NDArray[np.bool_]
    """Whether the component touches the border of the image."""
    faces: Mapping[tuple[int, int], NDArray[np.int32]]
    """Labels on each face, by axis and side, where the image goes on beyond it."""


Sent = dict[tuple[int, ...], TileObjects]


@dataclass(frozen=True)
class Objects(Gather[RunLabels, Sent, dict[tuple[int, ...], NDArray[Any]]]):
    """Find the objects of a mask, keep those wanted, and give their mask or their labels."""

    ndim: int
    connectivity: int
    output: Literal["mask", "labels"]
    wide: bool
    """Whether labels need 64 bits."""
    min_size: int = 0
    max_size: int | None = None
    clear_border: bool = False
    name: ClassVar[str] = "objects"
    keeps: ClassVar[int] = 6  # the runs of a checkerboard, the worst there is

    def split_key(self) -> object:
        """Tiles are labelled the same whatever is kept of them later."""
        return self.ndim, self.connectivity

    def dtype(self) -> np.dtype[Any]:
        """Return bool for a mask, and for labels the unsigned dtype that can number every object there could be."""
        if self.output == "mask":
            return np.dtype(bool)
        return np.dtype(np.uint64 if self.wide else np.uint32)

    def split(self, tile: Tile, *images: Pixels, valid: Valid | None = None) -> tuple[RunLabels, Sent]:
        """Label the tile by itself."""
        (pixels,) = images
        runs = label_runs(np.ascontiguousarray(pixels if valid is None else pixels & valid), self.connectivity)
        first = np.array(np.unravel_index(np.maximum(first_pixels(runs), 0), tile.shape), np.int64)
        first += np.array(tile.origin, np.int64)[:, None]
        at_border = np.zeros(runs.count + 1, bool)
        faces: dict[tuple[int, int], NDArray[np.int32]] = {}
        sides: tuple[Literal[0, 1], ...] = (0, 1)
        for axis, side in product(range(self.ndim), sides):
            line = face(runs, axis, side)
            if tile.at_border(axis)[side]:
                at_border[line] = True
            else:
                faces[axis, side] = line
        index = np.ravel_multi_index(tuple(first), tile.image_shape)
        return runs, {tile.index: TileObjects(component_sizes(runs), np.asarray(index, np.int64), at_border, faces)}

    def merge(self, first: Sent, second: Sent) -> Sent:
        """Return what all tiles have sent."""
        return {**first, **second}

    def solve(self, state: Sent) -> dict[tuple[int, ...], NDArray[Any]]:
        """Join components across faces, choose objects, and number them; return the new labels of each tile's own."""
        indices = sorted(state)
        counts = [len(state[index].sizes) - 1 for index in indices]
        offsets = dict(zip(indices, np.concatenate([[0], np.cumsum(counts)[:-1]]).astype(np.int64)))
        total = sum(counts)
        pairs = [pair for pair in self._touching(state, offsets) if pair.size]
        touching = np.unique(np.concatenate(pairs, axis=1), axis=1) if pairs else np.zeros((2, 0), np.int64)
        root = union(total, touching[0], touching[1])
        sizes, first, border = (
            np.zeros(total + 1, np.int64),
            np.full(total + 1, np.iinfo(np.int64).max),
            np.zeros(total + 1, bool),
        )
        for index in indices:
            own = root[1 + offsets[index] : 1 + offsets[index] + len(state[index].sizes) - 1]
            np.add.at(sizes, own, state[index].sizes[1:])
            np.minimum.at(first, own, state[index].first[1:])
            np.logical_or.at(border, own, state[index].at_border[1:])
        keep = sizes >= max(1, self.min_size)
        if self.max_size is not None:
            keep &= sizes <= self.max_size
        if self.clear_border:
            keep &= ~border
        kept = np.flatnonzero(keep)
        number = np.zeros(total + 1, np.uint64 if self.wide else np.uint32)
        number[kept[np.argsort(first[kept])]] = np.arange(1, len(kept) + 1)
        return {
            index: np.concatenate([number[:1] * 0, number[root[1 + offsets[index] : 1 + offsets[index] + count]]])
            for index, count in zip(indices, counts)
        }

    def _touching(self, state: Sent, offsets: Mapping[tuple[int, ...], np.int64]) -> Iterator[Ids]:
        """Yield pairs of components that touch across the planes between tiles; corners are met as shifts of planes."""
        grid = tuple(max(index[axis] for index in state) + 1 for axis in range(self.ndim))
        for axis in range(self.ndim):
            for layer in range(grid[axis] - 1):
                before = self._plane(state, offsets, grid, axis, layer, 1)
                after = self._plane(state, offsets, grid, axis, layer + 1, 0)
                for shift in product((-1, 0, 1), repeat=self.ndim - 1):
                    if sum(map(abs, shift)) < self.connectivity:
                        yield _meeting(before, after, shift)

    def _plane(
        self,
        state: Sent,
        offsets: Mapping[tuple[int, ...], np.int64],
        grid: tuple[int, ...],
        axis: int,
        layer: int,
        side: int,
    ) -> Ids:
        others = [range(count) for k, count in enumerate(grid) if k != axis]
        blocks = np.empty([len(other) for other in others], object)
        for place in np.ndindex(blocks.shape):
            index = (*place[:axis], layer, *place[axis:])
            labels = state[index].faces[axis, side].astype(np.int64)
            blocks[place] = np.where(labels > 0, labels + offsets[index], 0)
        return np.asarray(np.block(blocks.tolist()))

    def finish(self, tile: Tile, kept: RunLabels, value: dict[tuple[int, ...], NDArray[Any]]) -> Pixels:
        """Paint the runs of the tile."""
        numbers = value[tile.index]
        return paint_mask(kept, numbers > 0) if self.output == "mask" else paint(kept, numbers)


def _meeting(before: Ids, after: Ids, shift: tuple[int, ...]) -> Ids:
    ahead = tuple(slice(max(0, -step), size - max(0, step)) for step, size in zip(shift, before.shape))
    behind = tuple(slice(max(0, step), size - max(0, -step)) for step, size in zip(shift, before.shape))
    first, second = before[ahead].ravel(), after[behind].ravel()
    both = (first > 0) & (second > 0)
    return np.stack([first[both], second[both]])


def select_objects(
    mask: Any,
    connectivity: int | None,
    dims: Dims,
    *,
    min_size: int = 0,
    max_size: int | None = None,
    clear_border: bool = False,
) -> Any:
    """Return the mask of the objects wanted."""
    work = objects_of(mask, connectivity, dims, "mask")
    largest = [size for size in (work.max_size, max_size) if size is not None]
    wanted = replace(
        work,
        min_size=max(work.min_size, min_size),
        max_size=min(largest, default=None),
        clear_border=work.clear_border or clear_border,
    )
    return finished(mask, wanted)


def objects_of(mask: Any, connectivity: int | None, dims: Dims, output: Literal["mask", "labels"]) -> Objects:
    """Return the work on the objects of ``mask``, with the filters that have made it of the same objects."""
    ndim = len(dims)
    given = opened(mask, ndim)
    if given.pixels.dtype != bool:
        raise ImageError(
            f"objects are found in boolean masks (got {given.pixels.dtype}); compare first, as in image > 0"
        )
    if connectivity is not None and connectivity > ndim:
        raise ParameterError(f"connectivity must be at most {ndim} for dims={dims!r} (got {connectivity})")
    connectivity = connectivity or ndim
    # At most every second pixel (along a line) can be an object of its own.
    wide = int(np.prod(given.pixels.shape[given.pixels.ndim - ndim :], dtype=object)) // 2 >= 2**32
    before = gathered(given.pixels) if isinstance(given.pixels, da.Array) else None
    if (
        isinstance(before, Objects)
        and (before.ndim, before.connectivity) == (ndim, connectivity)
        and before.output == "mask"
    ):
        return replace(before, output=output)
    return Objects(ndim, connectivity, output, wide)


def finished(mask: Any, work: Objects) -> Any:
    """Return ``work`` on ``mask``, from the tiles that an earlier filter has labelled where there was one."""
    given = opened(mask, work.ndim)
    before = gathered(given.pixels) if isinstance(given.pixels, da.Array) else None
    if isinstance(before, Objects) and before.output == "mask" and before.split_key() == work.split_key():
        return given.close(finish_again(given.pixels, work))
    return gather(work, mask, ndim=work.ndim)
