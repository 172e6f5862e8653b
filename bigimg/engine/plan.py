"""What lazy work will do, counted from its layers; nothing is read and no task is made."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import prod
from typing import Any

from bigimg.core.tile import TileGrid
from bigimg.engine.gather import FinishLayer, GatherLayer
from bigimg.engine.lazy import TileLayer
from bigimg.engine.project import ProjectLayer
from bigimg.engine.reduce import ReduceLayer, halo_along
from bigimg.engine.source import FrameLayer
from bigimg.engine.tree import block_tasks, tree_tasks


@dataclass(frozen=True)
class Stage:
    """One pass over tiles."""

    name: str
    """The first word of its tasks on the dashboard."""
    does: str
    """The operations that each task runs."""
    tiles: int
    tasks: int
    bytes_read: int
    """From storage, halos counted."""
    bytes_per_task: int
    """The most memory a task needs at once."""


def stages(collections: Iterable[Any]) -> list[Stage]:
    """Return the stages of lazy arrays and values, in the order they run."""
    layers: dict[str, Any] = {}
    order: list[str] = []
    for collection in collections:
        graph = collection.__dask_graph__()
        for name in graph._toposort_layers():  # noqa: SLF001 - Dask has no public name for it
            if name not in layers:
                layers[name] = graph.layers[name]
                order.append(name)
    return [stage for name in order for stage in _stages_of(layers[name])]


def _stages_of(layer: Any) -> list[Stage]:
    if isinstance(layer, TileLayer):
        image = layer.image
        tiles = len(image.grid())
        name = image.name.rpartition("-")[0]
        return [Stage(name, image.does, tiles, tiles, image.bytes_read(), image.bytes_per_task())]
    if isinstance(layer, ReduceLayer):
        tiles = len(layer.grid)
        does = " + ".join(image.does for image in layer.images if image.does != "read")
        halos = [halo_along(layer.reduction, len(image.chunks)) for image in layer.images]
        return [
            Stage(
                layer.reduction.name,
                f"{does} -> {layer.reduction.name}" if does else layer.reduction.name,
                tiles,
                tiles + tree_tasks(tiles),
                sum(image.bytes_read(TileGrid(image.chunks, halo)) for image, halo in zip(layer.images, halos)),
                sum(image.bytes_per_task(halo) for image, halo in zip(layer.images, halos)),
            )
        ]
    if isinstance(layer, GatherLayer):
        lead = len(layer.chunks) - layer.ndim
        planes, tiles = prod(map(len, layer.chunks[:lead])), prod(map(len, layer.chunks))
        blocks = planes * block_tasks(tuple(map(len, layer.chunks[lead:])))
        largest = prod(max(sizes) for sizes in layer.chunks)
        work = layer.work
        kept = work.keeps * largest
        does = " + ".join(image.does for image in layer.images)
        return [
            Stage(
                f"{work.name}.split",
                f"{does} -> {work.name}",
                tiles,
                tiles + 2 * blocks - planes,
                sum(image.bytes_read() for image in layer.images),
                sum(image.bytes_per_task() for image in layer.images) + kept,
            ),
        ]
    if isinstance(layer, FinishLayer):
        work, chunks = layer.gather.work, layer.gather.chunks
        tiles, largest = prod(map(len, chunks)), prod(max(sizes) for sizes in chunks)
        memory = (work.keeps + work.dtype().itemsize) * largest
        return [Stage(work.name, f"{work.name} -> finish", tiles, tiles, 0, memory)]
    if isinstance(layer, FrameLayer):
        tiles = prod(layer.grid)
        return [Stage("halo", "cut what neighbours need", tiles, tiles, 0, 0)]
    if isinstance(layer, ProjectLayer):
        tiles, done = prod(map(len, layer.image.chunks)), prod(map(len, layer.chunks))
        name, does, read = layer.work.name, layer.image.does, layer.image.bytes_read()
        first = Stage(f"{name}.planes", f"{does} -> {name}", tiles, layer.count - done, read, layer.bytes_per_task())
        return [first, Stage(name, f"{name} -> finish", done, done, 0, layer.bytes_per_task())]
    return []
