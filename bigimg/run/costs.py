"""What an operation costs, found by planning it on an image that is never read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import xarray as xr

from bigimg.engine.gather import GatherLayer
from bigimg.engine.lazy import from_store
from bigimg.engine.plan import stages
from bigimg.engine.project import ProjectedSource, ProjectLayer
from bigimg.engine.reduce import ReduceLayer
from bigimg.engine.warp import WarpedSource
from bigimg.errors import BigimgError
from bigimg.run.catalog import Entry
from bigimg.testing import example_parameters

TILE = 128
TILES = 16

CostClass = Literal["pixel", "window", "whole image", "across tiles", "geometry", "stack", "table"]
"""What has to be seen for one pixel of the result: itself; its neighbourhood; what the whole image says first; whatever
it is connected to; another place; all frames or planes at its own. Or it works on rows of a table."""


@dataclass(frozen=True)
class Cost:
    """What an operation costs, whatever the size of the image."""

    kind: CostClass
    halo: int | None
    """Pixels beyond a tile that are read, with the parameters in ``given``; None where it is no matter of a halo."""
    given: str
    """The parameters that the figures are for: those that need a value have an example."""
    reads: int
    """How often the image is read."""
    tasks: float
    """Tasks a tile."""

    def __str__(self) -> str:
        if self.kind == "table":
            return "rows of a table"
        words = {1: "once", 2: "twice"}
        read = f"reads the image {words.get(self.reads, f'{self.reads} times')}"
        tasks = f"{self.tasks:.2g} task{'s' if self.tasks > 1 else ''} a tile"
        halo = "" if not self.halo else f"halo {self.halo}" + (f" at {self.given}" if self.given else "") + "; "
        return f"{self.kind}; {halo}{read}, {tasks}"


class _Unread:
    """An image that is planned and never read."""

    name = "image"

    def __init__(self, shape: tuple[int, ...], dtype: str) -> None:
        self.shape, self.dtype = shape, np.dtype(dtype)

    def __getitem__(self, box: Any) -> Any:
        raise AssertionError("a plan reads nothing")

    def __dask_tokenize__(self) -> object:
        return "unread", self.shape, str(self.dtype)


def cost(entry: Entry) -> Cost:
    """Return what an operation costs; its parameters have their defaults, or an example where there is none."""
    if entry.takes in {"table", "value"}:
        return Cost("table", None, "", 0, 0)
    params = example_parameters(entry.parameters)
    given = ", ".join(
        f"{name}={entry.parameters[name].dump(value)}"
        for name, value in params.items()
        if not entry.parameters[name].is_image
    )
    dtype = {"mask": "bool", "labels": "uint32"}.get(entry.takes, "uint16")
    operation: Any = entry
    second = [name for name, parameter in entry.parameters.items() if parameter.is_image and parameter.required]
    for axis, size in (("", 1), ("c", 3), ("c", 4), ("t", 3)):
        edge = TILE * int(TILES**0.5)
        lead = (size,) if axis else ()
        tiles = from_store(_Unread((*lead, edge, edge), dtype), (*lead, TILE, TILE))
        image = xr.DataArray(tiles, dims=[*axis, "y", "x"])
        try:
            return _counted(operation(image, **{**params, **dict.fromkeys(second, image)}), given)
        except BigimgError:
            continue  # an operation on colours, or on frames
    raise AssertionError(f"no example image fits {entry.name}")


def _counted(result: Any, given: str) -> Cost:
    lazy = result.data if isinstance(result, xr.DataArray) else result
    layers = lazy.__dask_graph__().layers.values()
    found = stages([lazy])
    images = [image for layer in layers for image in getattr(layer, "images", ())]
    images += [layer.image for layer in layers if hasattr(layer, "image")]
    halo = max((max(image.grid().halo) for image in images), default=0)
    kind: CostClass = "window" if halo else "pixel"
    if any(isinstance(layer, GatherLayer) for layer in layers):
        kind = "across tiles"
    elif any(isinstance(layer, ReduceLayer) for layer in layers):
        kind = "whole image"
    elif any(isinstance(layer, ProjectLayer) for layer in layers) or _from(ProjectedSource, images):
        kind = "stack"
    elif _from(WarpedSource, images):
        kind = "geometry"
    reads = sum(stage.bytes_read > 0 for stage in found)
    tasks = sum(stage.tasks for stage in found) / TILES
    return Cost(kind, halo, given if halo else "", reads, tasks)


def _from(source: type, images: list[Any]) -> bool:
    return any(isinstance(image.source, source) for image in images)
