"""Objects of a mask: connected pixels, found tile by tile and joined across the faces of tiles.

A tile keeps its pixels as labelled runs and sends the size, first pixel and border contact of each component with the
labels on its faces. What touches across faces is one object. Filters judge whole objects, and labels are ranks of first
pixels, so that neither can tell how the image was cut. The holes of a mask are the objects of its background.
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
    Components,
    RunLabels,
    component_sizes,
    face,
    first_pixels,
    holds_any,
    join_components,
    label_runs,
    paint,
    paint_mask,
)
from bigimg.ops.object_filters import Filter

Ids = NDArray[np.int64]
Index = tuple[int, ...]


@dataclass(frozen=True)
class TileObjects:
    """What a tile sends of its components."""

    components: Components
    faces: Mapping[tuple[int, int], NDArray[np.int32]]
    """Labels on each face, by axis and side, where the image goes on beyond it."""


@dataclass(frozen=True)
class TileRuns:
    """What a tile keeps."""

    runs: RunLabels
    invalid: NDArray[np.uint8] | None
    """Bits of the pixels that are neither mask nor hole, where there are any to tell from the mask."""


Sent = dict[Index, TileObjects]


@dataclass(frozen=True)
class Objects(Gather[TileRuns, Sent, dict[Index, NDArray[Any]]]):
    """Find the objects of a mask, keep those wanted, and give their mask or their labels."""

    ndim: int
    connectivity: int
    output: Literal["mask", "labels"]
    wide: bool
    """Whether labels need 64 bits."""
    filters: tuple[Filter, ...] = ()
    """What objects must pass, one after the other."""
    holes: bool = False
    """Whether the objects are those of the background; the mask is then what they leave."""
    open_ends: bool = False
    """Whether holes go on where pixels are not valid, and beyond: as at the border of the image."""
    name: ClassVar[str] = "objects"
    keeps: ClassVar[int] = 6  # the runs of a checkerboard, the worst there is

    def split_key(self) -> object:
        """Tiles are labelled the same whatever is kept of them later."""
        return self.ndim, self.connectivity, self.holes, self.open_ends

    def dtype(self) -> np.dtype[Any]:
        """Return bool for a mask, and for labels the unsigned dtype that can number every object there could be."""
        if self.output == "mask":
            return np.dtype(bool)
        return np.dtype(np.uint64 if self.wide else np.uint32)

    def split(self, tile: Tile, *images: Pixels, valid: Valid | None = None) -> tuple[TileRuns, Sent]:
        """Label the tile by itself."""
        (pixels,) = images
        runs = label_runs(self.members(pixels, valid), self.connectivity)
        first = np.array(np.unravel_index(first_pixels(runs)[1:], tile.shape), np.int64)
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
        if self.open_ends and valid is not None:
            at_border |= holds_any(runs, ~valid)
        seeds = self.seeds(pixels)
        seeded = np.zeros(runs.count + 1, bool) if seeds is None else holds_any(runs, seeds)
        index = np.asarray(np.ravel_multi_index(tuple(first), tile.image_shape), np.int64)
        components = Components(component_sizes(runs)[1:], index, at_border[1:], seeded[1:])
        invalid = None if valid is None or self.open_ends or not self.holes else np.packbits(~valid)
        return TileRuns(runs, invalid), {tile.index: TileObjects(components, faces)}

    def members(self, pixels: Pixels, valid: Valid | None) -> NDArray[np.bool_]:
        """Return the pixels that objects are made of."""
        if self.holes and self.open_ends:
            return ~pixels if valid is None else ~(pixels & valid)
        members = ~pixels if self.holes else pixels
        return members if valid is None else members & valid

    def seeds(self, pixels: Pixels) -> NDArray[np.bool_] | None:  # noqa: ARG002 - a mask has none
        """Return the pixels one of which an object must hold to be seeded."""
        return None

    def merge(self, first: Sent, second: Sent) -> Sent:
        """Return what all tiles have sent."""
        return {**first, **second}

    def solve(self, state: Sent) -> dict[Index, NDArray[Any]]:
        """Join components across faces, choose objects, and number them; return the new labels of each tile's own."""
        indices = sorted(state)
        parts = [state[index].components for index in indices]
        ends = np.cumsum([0, *(len(part.sizes) for part in parts)])
        offsets = dict(zip(indices, ends))
        pairs = list(self._touching(state, offsets))
        touching = np.concatenate(pairs, axis=1) if pairs else np.zeros((2, 0), np.int64)
        root, found = join_components(parts, touching[0], touching[1])
        keep = found.sizes > 0
        for wanted in self.filters:
            keep = wanted(found, keep)
        kept = np.flatnonzero(keep)
        number = np.zeros(ends[-1] + 1, np.uint64 if self.wide else np.uint32)
        number[kept[np.argsort(found.first[kept])]] = np.arange(1, len(kept) + 1)
        number = number[root]
        return {
            index: np.concatenate([number[:1], number[1 + start : 1 + stop]])
            for index, start, stop in zip(indices, ends[:-1], ends[1:])
        }

    def _touching(self, state: Sent, offsets: Mapping[Index, np.int64]) -> Iterator[Ids]:
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
        self, state: Sent, offsets: Mapping[Index, np.int64], grid: Index, axis: int, layer: int, side: int
    ) -> Ids:
        others = [range(count) for k, count in enumerate(grid) if k != axis]
        blocks = np.empty([len(other) for other in others], object)
        for place in np.ndindex(blocks.shape):
            index = (*place[:axis], layer, *place[axis:])
            labels = state[index].faces[axis, side].astype(np.int64)
            blocks[place] = np.where(labels > 0, labels + offsets[index], 0)
        return np.asarray(np.block(blocks.tolist()))

    def finish(self, tile: Tile, kept: TileRuns, value: dict[Index, NDArray[Any]]) -> Pixels:
        """Paint the runs of the tile."""
        numbers = value[tile.index]
        if self.output == "labels":
            return paint(kept.runs, numbers)
        if not self.holes:
            return paint_mask(kept.runs, numbers > 0)
        mask = paint_mask(kept.runs, numbers == 0)
        if kept.invalid is not None:
            mask &= ~np.unpackbits(kept.invalid, count=mask.size).view(bool).reshape(mask.shape)
        return mask

    def goes_on(self, before: Objects) -> bool:
        """Return whether this work is ``before`` and further filters, or another output, of the same objects."""
        return (
            type(self) is type(before)
            and before.output == "mask"
            and self.split_key() == before.split_key()
            and self.filters[: len(before.filters)] == before.filters
        )


def _meeting(before: Ids, after: Ids, shift: Index) -> Ids:
    ahead = tuple(slice(max(0, -step), size - max(0, step)) for step, size in zip(shift, before.shape))
    behind = tuple(slice(max(0, step), size - max(0, -step)) for step, size in zip(shift, before.shape))
    first, second = before[ahead].ravel(), after[behind].ravel()
    both = (first > 0) & (second > 0)
    return np.stack([first[both], second[both]])


def select_objects(mask: Any, connectivity: int | None, dims: Dims, *wanted: Filter) -> Any:
    """Return the mask of the objects that pass."""
    work = objects_of(mask, connectivity, dims, "mask")
    return finished(mask, replace(work, filters=work.filters + wanted))


def select_holes(mask: Any, connectivity: int, dims: Dims, *wanted: Filter, open_ends: bool) -> Any:
    """Return the mask with all of its background filled but the holes that pass."""
    work = objects_of(mask, connectivity, dims, "mask", holes=True, open_ends=open_ends)
    return finished(mask, replace(work, filters=work.filters + wanted))


def objects_of(
    mask: Any,
    connectivity: int | None,
    dims: Dims,
    output: Literal["mask", "labels"],
    *,
    holes: bool = False,
    open_ends: bool = False,
) -> Objects:
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
    before = _before(given.pixels)
    if (
        before is not None
        and before.output == "mask"
        and (before.ndim, before.connectivity) == (ndim, connectivity)
        and (before.holes, before.open_ends) == (holes, open_ends)
    ):
        return replace(before, output=output)
    return Objects(ndim, connectivity, output, needs_64_bits(given.pixels.shape, ndim), (), holes, open_ends)


def needs_64_bits(shape: tuple[int, ...], ndim: int) -> bool:
    """Return whether there can be more objects than 32 bits number: at most every second pixel along a line is one."""
    return int(np.prod(shape[len(shape) - ndim :], dtype=object)) // 2 >= 2**32


def finished(mask: Any, work: Objects) -> Any:
    """Return ``work`` on ``mask``, from the tiles that an earlier filter has labelled where there was one."""
    given = opened(mask, work.ndim)
    before = _before(given.pixels)
    if before is not None and work.goes_on(before):
        return given.close(finish_again(given.pixels, work))
    return gather(work, mask, ndim=work.ndim)


def _before(pixels: Any) -> Objects | None:
    before = gathered(pixels) if isinstance(pixels, da.Array) else None
    return before if isinstance(before, Objects) else None
