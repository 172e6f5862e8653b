"""Handing the tiles of a lazy array to whoever stores them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import dask.array as da
from dask._task_spec import Task, TaskRef
from dask.base import tokenize
from dask.delayed import Delayed
from dask.highlevelgraph import HighLevelGraph, MaterializedLayer

from bigimg.core.operation import Pixels
from bigimg.core.tile import Box, TileGrid
from bigimg.engine.layer import TaskLayer
from bigimg.engine.source import ArraySource, Piece
from bigimg.engine.tree import merge_tasks

WRITE_FIRST = 1
"""Priority of writing over all other work: a tile that is stored need not be kept for it."""


def store_array(array: da.Array, write: Callable[[Box, Pixels], object]) -> Delayed:
    """Return a lazy count of the pixels stored, that hands each tile to ``write(box, pixels)`` in a task of its own.

    The caller has made sure that tiles are whole units of the store (chunks or shards): tiles are written at once and
    in any order, and a task may run twice.
    """
    token = tokenize(array.name, write)
    source = _source(array)
    tasks: dict[Any, Task] = {}
    for tile in TileGrid(array.chunks, (0,) * array.ndim):
        key = (f"write-{token}", *tile.index)
        piece, values = source.piece(tile.write)
        tasks[key] = Task(key, run_write, write, tile.write, piece, *values)
    writes = MaterializedLayer(dict(tasks), annotations={"priority": WRITE_FIRST})
    merges, last = merge_tasks(f"write.merge-{token}", [TaskRef(key) for key in tasks], _total)
    name = f"written-{token}"
    before = HighLevelGraph.from_collections(f"write-{token}", writes, dependencies=source.parents)
    layers = {
        **before.layers,
        name: MaterializedLayer({**merges, name: Task(name, _total, *last)}),
    }
    waits = {**before.dependencies, name: {f"write-{token}"}}
    return Delayed(name, HighLevelGraph(layers, waits))


def stored_from(array: da.Array) -> tuple[Any, ...]:
    """Return the collections that storing ``array`` computes before it writes."""
    return _source(array).parents


def _source(array: da.Array) -> ArraySource:
    layer = array.dask.layers.get(array.name)
    return (layer.source(array) if isinstance(layer, TaskLayer) else None) or ArraySource(array)


def run_write(write: Callable[[Box, Pixels], object], box: Box, piece: Piece, *values: Any) -> int:
    """Store one tile."""
    pixels = piece(values)
    write(box, pixels)
    return pixels.size


def _total(*counts: int) -> int:
    return sum(counts)
