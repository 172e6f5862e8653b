"""Lazy images with an axis taken away: each tile of the result is a tree over the tiles behind one another.

::

    z = 0..3  ──partial──┐
    z = 4..7  ──partial──┼─merge─┬──finish──> tile of the result
    z = 8..11 ──partial──┘       │
    ...                   ─merge─┘

No task holds more than a few planes, however long the axis is. Where one tile holds the whole axis, or all planes must
come at once, the tile is made in one task, and what follows fuses with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product
from math import prod
from typing import Any

import dask.array as da
import numpy as np
from dask._task_spec import Task, TaskRef
from dask.base import tokenize
from dask.highlevelgraph import HighLevelGraph

from bigimg.core.finite import all_finite
from bigimg.core.operation import Chain, Pixels, Valid
from bigimg.core.projection import Projection
from bigimg.core.tile import Box, Chunks, Tile, TileGrid
from bigimg.engine.layer import TaskLayer
from bigimg.engine.lazy import LazyImage, TileInput, as_image, checked, distinct, image_inputs, lazy_array, native
from bigimg.engine.source import Piece
from bigimg.engine.tree import FAN_IN, Fold, merge_tasks, tree_tasks
from bigimg.errors import ImageError


@dataclass(frozen=True)
class ProjectPiece:
    """Get all planes of a box and project them."""

    work: Projection[Any]
    axis: int
    images: tuple[TileInput, ...]
    """Runs of planes, one after the other."""

    @property
    def needs(self) -> int:
        """As many values as all planes need."""
        return sum(part.needs for part in self.images)

    def __call__(self, values: Sequence[Any]) -> Pixels:
        """Return the projected pixels."""
        runs: list[Pixels] = []
        masks: list[Valid | None] = []
        for part in self.images:
            pixels, valid = part(values[: part.needs])
            values = values[part.needs :]
            runs.append(pixels)
            masks.append(valid)
        known = [mask for mask in masks if mask is not None]
        pixels = runs[0] if len(runs) == 1 else np.concatenate(runs, self.axis)
        valid = np.concatenate(known, self.axis) if known else None
        return project_whole(self.work, pixels, self.axis, valid)


@dataclass(frozen=True)
class ProjectedSource:
    """The pixels of a lazy image, projected along an axis at once."""

    work: Projection[Any]
    image: LazyImage
    axis: int
    """Of the image."""
    planes: tuple[int, ...]
    """Which planes take part, in their order."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the image without the axis."""
        return _without(self.image.shape, self.axis)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Dtype of the result."""
        return self.work.dtype(self.image.dtype)

    @property
    def parents(self) -> tuple[Any, ...]:
        """The collections whose keys the pieces need."""
        return self.image.parents

    @cached_property
    def token(self) -> str:
        """A name for these pixels: the same for the same projection of the same image."""
        return tokenize(self.work, self.image.name, self.axis, self.planes)

    @property
    def label(self) -> str:
        """What an error message calls the image."""
        return self.image.source.label

    @property
    def does(self) -> str:
        """What is done to the pixels, for the plan."""
        made = f"{self.work.name}({len(self.planes)} planes)"
        return made if self.image.does == "read" else f"{self.image.does} -> {made}"

    def seen(self, halo: tuple[int, ...]) -> ProjectedSource:
        """Return the source with an image made for ``halo`` pixels more."""
        return replace(self, image=self.image.seen((*halo[: self.axis], 0, *halo[self.axis :])))

    def piece(self, box: Box) -> tuple[Piece, list[Any]]:
        """Return how to get the planes of ``box`` and project them, and the values for it."""
        inputs: list[TileInput] = []
        values: list[Any] = []
        for start, stop in runs(self.planes):
            part = (*box[: self.axis], slice(start, stop), *box[self.axis :])
            found, more = image_inputs((self.image,), Tile((0,) * len(part), part, part, self.image.shape))
            inputs += found
            values += more
        return ProjectPiece(self.work, self.axis, tuple(inputs)), values

    def bytes_read(self, grid: TileGrid) -> int:
        """Return how many bytes all tiles of ``grid`` read from storage, all planes of each."""
        return self.image.bytes_read(self._full(grid))

    def bytes_per_task(self, grid: TileGrid) -> int:
        """Return the planes of the largest tile, a copy of them, and what the chain before takes."""
        full = self._full(grid)
        largest = [min(size, max(sizes) + 2 * halo) for size, sizes, halo in zip(full.shape, full.chunks, full.halo)]
        image = replace(self.image, chunks=tuple((size,) for size in largest))
        given = self.image.dtype
        masked = 1 if self.image.valid is not None else 0
        state = self.work.state_bytes(given, len(self.planes)) // len(self.planes)
        return image.bytes_per_task() + prod(largest) * (2 * given.itemsize + masked + state)

    def _full(self, grid: TileGrid) -> TileGrid:
        cut = self.axis
        chunks = (*grid.chunks[:cut], (len(self.planes),), *grid.chunks[cut:])
        return TileGrid(chunks, (*grid.halo[:cut], 0, *grid.halo[cut:]))


class ProjectLayer(TaskLayer):
    """The tasks of a projection over tiles behind one another."""

    def __init__(self, work: Projection[Any], image: LazyImage, axis: int) -> None:
        super().__init__()
        self.work, self.image, self.axis = work, image, axis
        self.chunks: Chunks = tuple(_without(image.chunks, axis))
        self.token = tokenize(work, image.name, axis)
        self.name = f"{work.name}-{self.token}"

    def make_tasks(self) -> dict[Any, Task]:
        """Return the partial of each tile, and for each tile of the result the merges and the last task."""
        tasks: dict[Any, Task] = {}
        fold = Fold(self.work.merge)
        behind: dict[tuple[int, ...], list[TaskRef]] = {}
        for tile in TileGrid(self.image.chunks, (0,) * len(self.image.chunks)):
            (part,), values = image_inputs((self.image,), tile)
            key = (f"{self.work.name}.planes-{self.token}", *tile.index)
            tasks[key] = Task(key, run_planes, self.work, self.axis, tile.origin[self.axis], part, *values)
            behind.setdefault(_without(tile.index, self.axis), []).append(TaskRef(key))
        grid = TileGrid(self.chunks, (0,) * len(self.chunks))
        for index, parts in behind.items():
            merges, last = merge_tasks(f"{self.work.name}.merge-{tokenize(self.token, index)}", parts, fold)
            tasks |= merges
            key = (self.name, *index)
            tasks[key] = Task(key, finish_planes, self.work, fold, grid[index].shape, *last)
        return tasks

    def get_output_keys(self) -> set[Any]:
        """Return the keys of the tiles of the result."""
        return {(self.name, *index) for index in product(*map(range, map(len, self.chunks)))}

    @property
    def count(self) -> int:
        """How many tasks there are."""
        tiles = prod(map(len, self.image.chunks))
        behind = len(self.image.chunks[self.axis])
        return tiles + tiles // behind * tree_tasks(behind)

    def bytes_per_task(self) -> int:
        """Return the most memory a task needs: a tile of the image with its state, or the states that are merged."""
        shape = [max(sizes) for sizes in self.image.chunks]
        planes = shape[self.axis]
        pixels = prod(shape) // planes
        given = self.image.dtype
        state = self.work.state_bytes(given, planes)
        merged = (FAN_IN + 1) * self.work.state_bytes(given, self.image.shape[self.axis])
        return max(self.image.bytes_per_task() + pixels * state, pixels * (merged + self.work.dtype(given).itemsize))


def run_planes(work: Projection[Any], axis: int, first: int, part: TileInput, *values: Any) -> Any:
    """Return the state of the planes of one tile."""
    pixels, valid = part(values)
    with np.errstate(over="ignore", invalid="ignore"):
        return work.partial(*_as_planes(pixels, axis, valid), first)


def finish_planes(work: Projection[Any], fold: Fold, shape: tuple[int, ...], *states: Any) -> Pixels:
    """Merge the last states and finish a tile."""
    return _finished(work, fold(*states)).reshape(shape)


def project_whole(work: Projection[Any], pixels: Pixels, axis: int, valid: Valid | None) -> Pixels:
    """Return the projection of pixels in memory, at once; those that are not valid are 0."""
    with np.errstate(over="ignore", invalid="ignore"):
        state = work.partial(*_as_planes(pixels, axis, valid), 0)
    return _finished(work, state).reshape(_without(pixels.shape, axis))


def _finished(work: Projection[Any], state: Any) -> Pixels:
    with np.errstate(over="ignore", invalid="ignore"):
        result = work.finish(state)
    if not all_finite(result):
        raise ImageError(
            f"the {work.name} of {int((~np.isfinite(result)).sum())} pixels leaves {result.dtype} on the way; divide "
            "the image by a number first, or convert it to float64"
        )
    return result


def project_checked(work: Projection[Any], pixels: Pixels, axis: int, valid: Valid | None) -> Pixels:
    """Return the projection of an image in memory that a user gave."""
    return project_whole(work, checked(native(pixels), valid, "image"), axis, valid)


def project_array(
    work: Projection[Any], array: da.Array, axis: int, valid: da.Array | None, planes: Sequence[int] | None = None
) -> da.Array:
    """Return the projection of a lazy array along ``axis``, lazily; of all its ``planes``, or of some."""
    image = as_image(array, valid)
    if planes is not None or work.at_once or len(image.chunks[axis]) == 1:
        chosen = tuple(range(image.shape[axis])) if planes is None else tuple(planes)
        source = ProjectedSource(work, image, axis, chosen)
        return lazy_array(LazyImage(source, Chain(), tuple(_without(image.chunks, axis))))
    layer = ProjectLayer(work, image.seen(), axis)
    graph = HighLevelGraph.from_collections(layer.name, layer, dependencies=distinct(layer.image.parents))
    meta = np.empty((0,) * len(layer.chunks), work.dtype(image.dtype))
    return da.Array(graph, layer.name, layer.chunks, meta=meta)


def runs(planes: Sequence[int]) -> list[tuple[int, int]]:
    """Return rising numbers as runs without gaps.

    Examples
    --------
    >>> runs([0, 1, 2, 5, 7, 8])
    [(0, 3), (5, 6), (7, 9)]
    """
    found: list[tuple[int, int]] = []
    for plane in planes:
        if found and found[-1][1] == plane:
            found[-1] = (found[-1][0], plane + 1)
        else:
            found.append((plane, plane + 1))
    return found


def _as_planes(pixels: Pixels, axis: int, valid: Valid | None) -> tuple[Pixels, Valid | None]:
    """Return the planes along ``axis`` with their pixels in one row each, and which of these count."""
    flat = [
        None if each is None else np.moveaxis(each, axis, 0).reshape(pixels.shape[axis], -1) for each in (pixels, valid)
    ]
    assert flat[0] is not None
    return flat[0], flat[1]


def _without(values: Sequence[Any], axis: int) -> tuple[Any, ...]:
    return (*values[:axis], *values[axis + 1 :])
