"""Compiled kernels made ready before the first tile: the workflow is run on a few pixels where it is going to run.

Kernels are compiled for the processor they run on when they are first called, and kept on disk. Without this, every
worker of a new machine would compile the same kernels while the clock of the first tiles runs.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import dask
import dask.array as da
import numpy as np
import xarray as xr

from bigimg.errors import BigimgError
from bigimg.run.evaluate import evaluate
from bigimg.run.workflow import Workflow

EDGE = 40
"""Pixels of an example along y, x and z: a few objects, and next to no work."""


@dataclass(frozen=True)
class Example:
    """What decides which kernels an image needs: its axes, its channels and its dtype."""

    dims: tuple[str, ...]
    channels: int
    dtype: str
    attrs: tuple[tuple[str, Any], ...] = ()

    def image(self) -> xr.DataArray:
        """Return a small lazy image of noise."""
        sizes = {"y": EDGE, "x": EDGE, "z": 3, "c": self.channels}
        shape = [sizes.get(dim, 1) for dim in self.dims]
        noise = np.random.default_rng(0).random(shape)
        dtype = np.dtype(self.dtype)
        pixels = noise > 0.5 if dtype.kind == "b" else (noise if dtype.kind == "f" else 100 * noise).astype(dtype)
        attrs = {name: dict(value) for name, value in self.attrs}
        return xr.DataArray(da.from_array(pixels, chunks=pixels.shape), dims=self.dims, name="example", attrs=attrs)


def examples(sources: Iterable[Any]) -> list[Example]:
    """Return an example of each kind of image there is among ``sources``."""
    found: dict[Example, None] = {}
    for source in sources:
        sizes = dict(zip(source.dims, source.shape))
        lengths = tuple((name, tuple(sorted(source.attrs.get(name, {}).items()))) for name in ("scale", "units"))
        dtype = np.dtype(source.dtype).newbyteorder("=").name
        found.setdefault(Example(tuple(source.dims), sizes.get("c", 0), dtype, lengths))
    kinds: dict[tuple[Any, ...], Example] = {}
    for example in found:
        kinds.setdefault((example.dims, example.channels, example.dtype), example)
    return list(kinds.values())


def warm(workflow: Workflow, kinds: Iterable[Example]) -> None:
    """Run ``workflow`` on an example of each kind, in this thread.

    What an example does not survive, such as a threshold of noise that has no two peaks, is left to the images: they
    have the better right to an error.
    """
    for kind in kinds:
        with suppress(BigimgError):
            found = evaluate(workflow, kind.image())
            thresholds = [value for pair in found.thresholds.values() for value in pair]
            dask.compute(*found.results.values(), *thresholds, scheduler="sync")


def worker_plugin(workflow: Workflow, kinds: tuple[Example, ...]) -> Any:
    """Return what warms every worker when it starts, and those that take the place of dead ones."""
    from distributed import WorkerPlugin  # noqa: PLC0415 - slow to import

    class WarmWorker(WorkerPlugin):
        name = "bigimg-warm"

        def setup(self, worker: Any) -> None:
            del worker
            warm(workflow, kinds)

    return WarmWorker()
