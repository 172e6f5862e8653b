"""Reductions over the tiles of one or several images: ``partial`` a tile, a tree of ``merge``, one ``finish``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import dask.array as da
from dask._task_spec import Task, TaskRef
from dask.base import tokenize
from dask.delayed import Delayed
from dask.highlevelgraph import HighLevelGraph

from bigimg.core.operation import Valid
from bigimg.core.reduction import Reduction, deferred_fields, with_values
from bigimg.core.tile import Tile, TileGrid, whole
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
from bigimg.engine.tree import Fold, FoldAndFinish, merge_tasks


def reduce_arrays(
    reduction: Reduction[Any, Any], arrays: Sequence[da.Array], valid: Sequence[da.Array | None]
) -> Delayed:
    """Return the value of ``reduction`` over lazy arrays, lazily.

    Parameters
    ----------
    reduction
        Its parameters may themselves be lazy values.
    arrays
        The first gives the tiles; the others have its last axes, and may have more before them.
    valid
        Which pixels of each array count, None for all; a pixel counts where it does in all of them.
    """
    images = tuple(
        as_image(array, mask).seen(halo_along(reduction, array.ndim)) for array, mask in zip(same_shape(arrays), valid)
    )
    layer = ReduceLayer(reduction, images)
    parents = [parent for image in images for parent in image.parents] + list(layer.waits.values())
    return Delayed(
        layer.value_key, HighLevelGraph.from_collections(layer.value_key, layer, dependencies=distinct(parents))
    )


def halo_along(reduction: Reduction[Any, Any], ndim: int) -> tuple[int, ...]:
    """Return the halo of ``reduction`` along each of the ``ndim`` axes of an image."""
    halo = reduction.halo
    known = (halo, halo) if isinstance(halo, int) else halo
    return (0,) * (ndim - len(known)) + known


class ReduceLayer(TaskLayer):
    """The tasks of one reduction: one a tile, the few of the tree, and the value."""

    def __init__(self, reduction: Reduction[Any, Any], images: tuple[LazyImage, ...]) -> None:
        super().__init__()
        self.reduction, self.images = reduction, images
        self.waits = deferred_fields(reduction)
        self.bare = with_values(reduction, dict.fromkeys(self.waits))
        waiting = [deferred_ref(value).key for value in self.waits.values()]
        self.token = tokenize(self.bare, [image.name for image in images], waiting)
        self.value_key = f"{reduction.name}.value-{self.token}"

    @property
    def grid(self) -> TileGrid:
        """The tiles of the first image, with the halo of the reduction."""
        chunks = self.images[0].chunks
        return TileGrid(chunks, halo_along(self.reduction, len(chunks)))

    def partial_tasks(self) -> dict[Any, Task]:
        """Return the partial of each tile."""
        names = tuple(self.waits)
        refs = [deferred_ref(value) for value in self.waits.values()]
        tasks: dict[Any, Task] = {}
        for tile in self.grid:
            key = (f"{self.reduction.name}-{self.token}", *tile.index)
            inputs, values = image_inputs(self.images, tile)
            tasks[key] = Task(key, run_partial, self.bare, names, tile, inputs, *refs, *values)
        return tasks

    def make_tasks(self) -> dict[Any, Task]:
        """Return the partial of each tile, the merges, and the last task with the value."""
        names = tuple(self.waits)
        refs = [deferred_ref(value) for value in self.waits.values()]
        tasks = self.partial_tasks()
        fold = Fold(self.bare.merge)
        merges, last = merge_tasks(f"{self.reduction.name}.merge-{self.token}", [TaskRef(key) for key in tasks], fold)
        tasks |= merges
        value = Task(self.value_key, finish_reduction, self.bare, names, len(refs), fold, *refs, *last)
        return {**tasks, self.value_key: value}

    def get_output_keys(self) -> set[Any]:
        """Return the key of the value."""
        return {self.value_key}


def run_partial(
    reduction: Reduction[Any, Any], waits: tuple[str, ...], tile: Tile, inputs: tuple[TileInput, ...], *values: Any
) -> Any:
    """Return the state of one tile."""
    reduction = with_values(reduction, dict(zip(waits, values)))
    images, valid = read_inputs(inputs, values[len(waits) :])
    return reduction.partial(tile, *images, valid=valid)


def finish_reduction(
    reduction: Reduction[Any, Any], waits: tuple[str, ...], count: int, fold: Fold, *values: Any
) -> Any:
    """Merge the last states and finish."""
    reduction = with_values(reduction, dict(zip(waits, values[:count])))
    return FoldAndFinish(fold, reduction.finish)(*values[count:])


def reduce_whole(reduction: Reduction[Any, Any], images: Sequence[Any], valid: Sequence[Valid | None]) -> Any:
    """Return the value of ``reduction`` over arrays in memory, at once."""
    first = same_shape(images)[0]
    pixels = [checked(native(image), mask, "image") for image, mask in zip(images, valid)]
    return reduction.finish(reduction.partial(whole(first.shape), *pixels, valid=meeting(valid, first.ndim)))
