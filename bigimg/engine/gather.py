"""Work whose value goes back into every tile, as labelling: split a tile, join what was sent, finish each tile.

::

    tile ──split──> kept ─────────────────────────────────────────────> finish ──> pixels
              └───> sent ──join──> kept ──────────────────> share ──> part ┘
                             └───> sent ──join──> solve ──> part ┘

Two tasks a tile, and two for each block of the tree. No task gets more than a few parts, nor gives more: what a tile
needs to know comes to it alone. A finished image remembers its gather: work that only finishes otherwise (labels after
a size filter) takes the same kept tiles, because the names of the first tasks say only what they depend on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import dask.array as da
import numpy as np
from dask._task_spec import Task, TaskRef
from dask.base import tokenize
from dask.highlevelgraph import HighLevelGraph

from bigimg.core.operation import Pixels, Valid
from bigimg.core.reduction import Gather, Index, deferred_fields, with_values
from bigimg.core.tile import Box, Chunks, Tile, TileGrid, whole
from bigimg.engine.layer import TaskLayer
from bigimg.engine.lazy import (
    LazyImage,
    TileInput,
    as_image,
    checked,
    deferred_ref,
    distinct,
    image_inputs,
    meeting,
    native,
    read_inputs,
    same_shape,
)
from bigimg.engine.source import ArraySource, Piece
from bigimg.engine.tree import blocks_of


class GatherLayer(TaskLayer):
    """The tasks of one gather over images of one shape, finishing left out; each plane of a stack is one by itself."""

    def __init__(self, work: Gather[Any, Any, Any], images: Sequence[LazyImage], ndim: int) -> None:
        super().__init__()
        self.work, self.images, self.ndim = work, tuple(images), ndim
        self.waits = deferred_fields(work)
        self.bare = with_values(work, dict.fromkeys(self.waits))
        waiting = [deferred_ref(value).key for value in self.waits.values()]
        self.chunks = plane_chunks(self.images[0].chunks, ndim)
        self.token = tokenize(self.bare.split_key(), waiting, [image.name for image in self.images], self.chunks)
        made = tokenize(self.bare, self.token)
        self.name, self.finished = f"{work.name}.gather-{made}", f"{work.name}-{made}"
        self._finishing: dict[Index, tuple[FinishPiece, list[Any]]] = {}

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "_finishing": {}}

    def finishing(self, index: Index) -> tuple[FinishPiece, list[Any]]:
        """Return how to finish the tile of ``index``, and the values for it."""
        self._mapping()
        return self._finishing[index]

    @property
    def parents(self) -> list[Any]:
        """The collections whose keys the tasks need."""
        return distinct([parent for image in self.images for parent in image.parents] + list(self.waits.values()))

    def make_tasks(self) -> dict[Any, Task]:
        """Return the tasks of every plane."""
        tasks: dict[Any, Task] = {}
        lead = len(self.chunks) - self.ndim
        planes: dict[tuple[int, ...], list[Tile]] = {}
        for tile in TileGrid(self.chunks, (0,) * len(self.chunks)):
            planes.setdefault(tile.index[:lead], []).append(tile)
        for plane, tiles in planes.items():
            self._add_plane(plane, tiles, tasks)
        return tasks

    def _add_plane(self, plane: tuple[int, ...], tiles: list[Tile], tasks: dict[Any, Task]) -> None:
        work, split = self.bare, f"{self.work.name}.split-{self.token}"
        names, waiting = tuple(self.waits), [deferred_ref(value) for value in self.waits.values()]
        refs = {}
        for tile in tiles:
            parts, values = image_inputs(self.images, tile)
            key = (split, *tile.index)
            tasks[key] = Task(key, run_split, work, names, plane_tile(tile, self.ndim), parts, *waiting, *values)
            refs[plane_tile(tile, self.ndim).index] = TaskRef(key)
        shared = self._add_blocks(plane, refs, tasks)
        for tile in tiles:
            own = plane_tile(tile, self.ndim)
            task, place = shared[own.index]
            piece, values = FinishPiece(work, names, own, tile.shape, place), [refs[own.index], task, *waiting]
            self._finishing[tile.index] = piece, values

    def _add_blocks(
        self, plane: Index, tiles: Mapping[Index, TaskRef], tasks: dict[Any, Task]
    ) -> dict[Index, tuple[TaskRef, int]]:
        """Add the tasks of all blocks of a plane; return which task gives the part of each tile, and which it is."""
        work, names = self.bare, tuple(self.waits)
        waiting = [deferred_ref(value) for value in self.waits.values()]
        join, share, solve = (
            (f"{work.name}.{step}-{tokenize(self.name)}", *plane) for step in ("join", "share", "solve")
        )
        levels = list(blocks_of(tuple(map(len, self.chunks[len(plane) :]))))
        sent = [dict(tiles)]
        for level, blocks in enumerate(levels):
            sent.append({})
            for block, parts in blocks.items():
                last = level == len(levels) - 1
                key = solve if last else (*join, level, *block)
                refs = [sent[level][part] for part in parts]
                tasks[key] = Task(key, run_solve if last else run_join, work, names, len(waiting), *waiting, *refs)
                sent[level + 1][block] = TaskRef(key)
        ((whole_plane, parts),) = levels[-1].items()
        shared = {part: (sent[-1][whole_plane], place) for place, part in enumerate(parts)}
        for level in range(len(levels) - 2, -1, -1):
            following: dict[Index, tuple[TaskRef, int]] = {}
            for block, parts in levels[level].items():
                key = (*share, level, *block)
                tasks[key] = Task(key, run_share, work, names, sent[level + 1][block], *shared[block], *waiting)
                following |= {part: (TaskRef(key), place) for place, part in enumerate(parts)}
            shared = following
        return shared

    def get_output_keys(self) -> set[Any]:
        """Return the keys of all tasks: tiles are finished from several of them."""
        return set(self._mapping())


class FinishLayer(TaskLayer):
    """The tasks that finish the tiles of a gather."""

    def __init__(self, gather: GatherLayer) -> None:
        super().__init__()
        self.gather = gather
        self.name = gather.finished

    def source(self, array: da.Array) -> GatheredSource | None:
        """Return the source of its tiles, where finishing one is quick."""
        return GatheredSource(self.gather, array) if self.gather.work.quick else None

    def make_tasks(self) -> dict[Any, Task]:
        """Return one task a tile."""
        tasks = {}
        for index in product(*map(range, map(len, self.gather.chunks))):
            piece, values = self.gather.finishing(index)
            tasks[self.name, *index] = Task((self.name, *index), run_finish, piece, *values)
        return tasks

    def get_output_keys(self) -> set[Any]:
        """Return the keys of the finished tiles."""
        return {(self.name, *index) for index in product(*map(range, map(len, self.gather.chunks)))}


class Split:
    """What a tile, or a block, keeps and sends."""

    __slots__ = ("kept", "sent")

    def __init__(self, kept: Any, sent: Any) -> None:
        self.kept = kept
        self.sent = sent


def run_split(
    work: Gather[Any, Any, Any], waits: tuple[str, ...], tile: Tile, parts: tuple[TileInput, ...], *values: Any
) -> Split:
    """Split one tile."""
    work = with_values(work, dict(zip(waits, values)))
    images, valid = read_inputs(parts, values[len(waits) :])
    mask = None if valid is None else valid.reshape(tile.shape)
    return Split(*work.split(tile, *(pixels.reshape(tile.shape) for pixels in images), valid=mask))


def run_join(work: Gather[Any, Any, Any], waits: tuple[str, ...], waiting: int, *values: Any) -> Split:
    """Join what the parts of a block have sent."""
    work = with_values(work, dict(zip(waits, values)))
    return Split(*work.join([part.sent for part in values[waiting:]]))


def run_solve(work: Gather[Any, Any, Any], waits: tuple[str, ...], waiting: int, *values: Any) -> Sequence[Any]:
    """Join what the parts of the whole image have sent and solve it; return what each part needs to know."""
    work = with_values(work, dict(zip(waits, values)))
    joined, state = work.join([part.sent for part in values[waiting:]])
    return work.share(joined, work.solve(state))


def run_share(
    work: Gather[Any, Any, Any], waits: tuple[str, ...], block: Split, shared: Sequence[Any], part: int, *values: Any
) -> Sequence[Any]:
    """Return what each part of a block needs to know; the block itself is one ``part`` of a larger one."""
    work = with_values(work, dict(zip(waits, values)))
    return work.share(block.kept, shared[part])


@dataclass(frozen=True)
class FinishPiece:
    """How a task finishes one tile, of what the tile kept and what it needs to know."""

    work: Gather[Any, Any, Any]
    waits: tuple[str, ...]
    tile: Tile
    shape: tuple[int, ...]
    part: int
    """Which of the parts that a task of the tree gives is for this tile."""

    @property
    def needs(self) -> int:
        """How many values it takes: the split, the parts, and the parameters that were waited for."""
        return 2 + len(self.waits)

    def __call__(self, values: Sequence[Any]) -> Pixels:
        """Finish the tile."""
        split, shared, *waited = values
        work = with_values(self.work, dict(zip(self.waits, waited)))
        return work.finish(self.tile, split.kept, shared[self.part]).reshape(self.shape)


def run_finish(piece: FinishPiece, *values: Any) -> Pixels:
    """Finish one tile."""
    return piece(values)


@dataclass(frozen=True)
class FinishedPiece:
    """How a task finishes some tiles, and puts a box together from them."""

    tiles: tuple[FinishPiece, ...]
    paste: Piece

    @property
    def needs(self) -> int:
        """How many values the tiles take."""
        return sum(tile.needs for tile in self.tiles)

    def __call__(self, values: Sequence[Any]) -> Pixels:
        """Put the box together."""
        finished = []
        for tile in self.tiles:
            finished.append(tile(values[: tile.needs]))
            values = values[tile.needs :]
        return self.paste(finished)


class GatheredSource(ArraySource):
    """The tiles of a gather, finished by each task that wants them."""

    def __init__(self, gather: GatherLayer, array: da.Array) -> None:
        super().__init__(array)
        self._gather = gather

    @property
    def parents(self) -> tuple[Any, ...]:
        """What the tasks need: the gather without its finished tiles."""
        # Not an array in truth: a collection of kept tiles under one name, so that Dask merges and culls its graph.
        gather = self._gather
        graph = HighLevelGraph.from_collections(gather.name, gather, dependencies=gather.parents)
        return (da.Array(graph, gather.name, self.array.chunks, meta=self.array._meta),)  # noqa: SLF001

    def seen(self, halo: tuple[int, ...]) -> ArraySource:
        """Return the source itself where tiles are seen alone; for a halo each is finished once, for its neighbours."""
        return ArraySource(self.array, halo) if any(halo) else self

    def piece(self, box: Box) -> tuple[Piece, list[Any]]:
        """Return how to finish the tiles of ``box`` and put it together."""
        paste, refs = super().piece(box)
        found = [self._gather.finishing(ref.key[1:]) for ref in refs]
        return FinishedPiece(tuple(tile for tile, _ in found), paste), [value for _, some in found for value in some]


def gather_arrays(
    work: Gather[Any, Any, Any], arrays: Sequence[da.Array], ndim: int, valid: Sequence[da.Array | None]
) -> da.Array:
    """Return the pixels of ``work`` on lazy arrays of one shape, lazily; the first gives the tiles.

    Each of ``valid`` says which pixels of its array count, None for all; a pixel counts where it does in all of them.
    """
    images = [as_image(array, mask).seen() for array, mask in zip(same_shape(arrays), valid)]
    return _finished(GatherLayer(work, images, ndim))


def gathered(array: da.Array) -> Gather[Any, Any, Any] | None:
    """Return the work that finished ``array``, or None."""
    layer = array.dask.layers.get(array.name)
    return layer.gather.work if isinstance(layer, FinishLayer) else None


def finish_again(array: da.Array, work: Gather[Any, Any, Any]) -> da.Array:
    """Return the kept tiles of a gathered ``array`` finished by ``work``, which must split as the first work did."""
    layer = array.dask.layers[array.name].gather
    assert layer.work.split_key() == work.split_key()
    return _finished(GatherLayer(work, layer.images, layer.ndim))


def _finished(gather: GatherLayer) -> da.Array:
    finish = FinishLayer(gather)
    before = HighLevelGraph.from_collections(gather.name, gather, dependencies=gather.parents)
    layers = {**before.layers, finish.name: finish}
    graph = HighLevelGraph(layers, {**before.dependencies, finish.name: {gather.name}})
    meta = np.empty((0,) * len(gather.chunks), gather.work.dtype())
    return da.Array(graph, finish.name, gather.chunks, meta=meta)


def gather_whole(
    work: Gather[Any, Any, Any], images: Sequence[Pixels], ndim: int, valid: Sequence[Valid | None]
) -> Pixels:
    """Return the pixels of ``work`` on arrays of one shape in memory, at once; a pixel counts where it does in all."""
    first = same_shape(images)[0]
    pixels = [checked(native(image), mask, "image") for image, mask in zip(images, valid)]
    lead, plane = first.shape[: first.ndim - ndim], first.shape[first.ndim - ndim :]
    tile = whole(plane)
    mask = meeting(valid, first.ndim)
    mask = None if mask is None else np.broadcast_to(mask, first.shape)
    if not lead:
        return _plane(work, tile, pixels, mask)
    result = np.empty(first.shape, work.dtype())
    for index in np.ndindex(lead):
        result[index] = _plane(work, tile, [each[index] for each in pixels], None if mask is None else mask[index])
    return result


def _plane(work: Gather[Any, Any, Any], tile: Tile, images: Sequence[Pixels], valid: Any) -> Pixels:
    kept, sent = work.split(tile, *images, valid=valid)
    joined, state = work.join([sent])
    (value,) = work.share(joined, work.solve(state))
    return work.finish(tile, kept, value)


def plane_chunks(chunks: Chunks, ndim: int) -> Chunks:
    """Return the chunks with one plane (or volume) a tile."""
    lead = len(chunks) - ndim
    return tuple((1,) * sum(sizes) for sizes in chunks[:lead]) + chunks[lead:]


def plane_tile(tile: Tile, ndim: int) -> Tile:
    """Return the tile as one of its own plane (or volume)."""
    cut = len(tile.index) - ndim
    return Tile(tile.index[cut:], tile.write[cut:], tile.write[cut:], tile.image_shape[cut:])
