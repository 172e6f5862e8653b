"""What a workflow on a collection will do, before a pixel is read: stages, tiles, tasks, bytes, memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod
from pathlib import Path
from typing import Any

import psutil
import xarray as xr

from bigimg.engine.plan import Stage, stages
from bigimg.engine.store import stored_from
from bigimg.errors import BigimgError, ParameterError, PlanError
from bigimg.io.inputs import Inputs, open_inputs
from bigimg.io.notes import notes_of
from bigimg.io.publish import check_absent, check_writable
from bigimg.io.sources import Source
from bigimg.io.validity import validity
from bigimg.run.evaluate import evaluate, lazy_image
from bigimg.run.profile import ClusterProfile, memory_bytes
from bigimg.run.workflow import Workflow

TILES = (2048, 1024, 512, 256, 128)
"""Edges of a tile in pixels, from the largest: large tiles have little halo, small ones need little memory."""

PROCESS_BYTES = 450 * 2**20
"""What a worker process takes beside its tiles: its libraries and compiled kernels (336 MiB after one small image),
chunks it keeps decoded, and what the allocator has not given back."""

SHARE = 0.7
"""How much of a worker's memory a plan may use: above it Dask spills to disk and pauses."""


@dataclass(frozen=True)
class Plan:
    """What a run will do. Printing it shows it as a table.

    Attributes
    ----------
    workflow
        Name of the workflow.
    items
        How many images.
    tile
        Edge of a tile in pixels.
    stages
        One pass over tiles each, summed over all images, in the order they run.
    bytes_written
        Before compression.
    bytes_per_worker
        Projected peak memory of a worker.
    memory
        What a worker may use.
    fitting_tile
        The largest tile that would fit, where this one does not; None if none does.
    """

    workflow: str
    items: int
    skipped: int
    tile: int
    workers: int
    stages: tuple[Stage, ...]
    bytes_written: int
    bytes_per_worker: int
    memory: int
    fitting_tile: int | None = None
    notes: tuple[str, ...] = ()
    """What looks wrong with the images, and is for the user to decide."""

    @property
    def tiles(self) -> int:
        """Tiles of the largest stage."""
        return max((stage.tiles for stage in self.stages), default=0)

    @property
    def tasks(self) -> int:
        """Tasks of all stages."""
        return sum(stage.tasks for stage in self.stages)

    @property
    def bytes_read(self) -> int:
        """Bytes read from storage by all stages, halos counted."""
        return sum(stage.bytes_read for stage in self.stages)

    @property
    def fits(self) -> bool:
        """Whether the projected memory is within what a worker may use."""
        return self.bytes_per_worker <= SHARE * self.memory

    def check(self) -> None:
        """Refuse a plan that does not fit.

        Raises
        ------
        PlanError
            Says how much memory it needs, how much there is, and which tile would fit.
        """
        if self.fits:
            return
        fitting = self.fitting_tile
        cure = (
            f"tiles of {fitting} pixels fit: give --tile {fitting}, or tile: {fitting} in the workflow"
            if fitting
            else "no smaller tile fits either: give workers more memory, or use fewer of them"
        )
        raise PlanError(
            f"tiles of {self.tile} pixels need {human(self.bytes_per_worker)} on each worker, and {SHARE:.0%} of its "
            f"{human(self.memory)} may be used; {cure}"
        )

    def __str__(self) -> str:
        skipped = f", {self.skipped} skipped" if self.skipped else ""
        head = f"{self.workflow}: {self.items} images{skipped}, tiles of {self.tile} pixels, {self.workers} workers"
        rows = [("stage", "tiles", "tasks", "reads", "does")]
        rows += [(s.name, f"{s.tiles:,}", f"{s.tasks:,}", human(s.bytes_read), s.does) for s in self.stages]
        widths = [max(len(row[column]) for row in rows) for column in range(4)]
        lines = [
            "  ".join([f"{row[0]:<{widths[0]}}", *(f"{row[k]:>{widths[k]}}" for k in (1, 2, 3)), row[4]])
            for row in rows
        ]
        return "\n".join(
            [
                head,
                *lines,
                (
                    f"{self.tasks:,} tasks; reads {human(self.bytes_read)}, "
                    f"writes up to {human(self.bytes_written)} before compression"
                ),
                f"memory of a worker: {human(self.bytes_per_worker)} projected, {human(self.memory)} allowed"
                + ("" if self.fits else "  DOES NOT FIT"),
                *(f"note: {note}" for note in self.notes),
            ]
        )


def plan(
    workflow: str | Path | Workflow,
    input: str | Path,  # noqa: A002 - the word of the command line
    output: str | Path,
    *,
    cluster: str | Path = "local",
    workers: int | None = None,
    memory: str | int | None = None,
    tile: int | None = None,
    nodata: float | None = None,
) -> Plan:
    """Return what :func:`bigimg.run` would do. Nothing is written, and no pixel read but those on the edges of scenes.

    Parameters
    ----------
    workflow
        A name, a file, or a :class:`Workflow`.
    input
        A collection, or a folder, pattern or file of images.
    output
        Where the results would be; it must not exist.
    cluster
        Name or file of a cluster profile.
    workers
        How many workers, in the place of what the profile says.
    memory
        What a worker may use: bytes, or text such as ``"2 GiB"``.
    tile
        Edge of a tile in pixels; by default the workflow's, else the largest that fits.
    nodata
        The value of pixels that are none, in the place of what images and the workflow say.

    Raises
    ------
    WorkflowError, MissingInputError, ReadError, OutputExistsError, OutputError
        What would keep the run from starting.

    Examples
    --------
    >>> print(bigimg.plan("nuclei", "my_images/", "results/"))  # doctest: +SKIP
    """
    flow = workflow if isinstance(workflow, Workflow) else Workflow.load(workflow)
    check_absent(output)
    check_writable(output)
    return plan_inputs(
        flow, open_inputs(input, flow.on_error, nodata, flow.nodata), budget(cluster, workers, memory), tile
    )


@dataclass(frozen=True)
class Budget:
    """What there is to run on."""

    workers: int
    threads: int
    """Tasks that a worker runs at once."""
    memory: int
    """Bytes that a worker may use."""


def budget(cluster: str | Path, workers: int | None, memory: str | int | None) -> Budget:
    """Return what a cluster profile offers, with ``workers`` and ``memory`` in the place of what it says."""
    profile = ClusterProfile.load(cluster)
    if workers is not None and (not isinstance(workers, int) or workers < 1):
        raise ParameterError(f"workers must be a whole number of at least 1 (got {workers!r})")
    count = workers or (_cores() if profile.workers == "auto" else profile.workers)
    share = psutil.virtual_memory().total // max(count, 1)
    limit = share if profile.memory_limit == "auto" else min(share, profile.memory_limit)
    return Budget(count, profile.threads_per_worker, memory_bytes(memory) if memory is not None else limit)


def plan_inputs(workflow: Workflow, inputs: Inputs, given: Budget, tile: int | None = None) -> Plan:
    """Return the plan for inputs that are open."""
    if tile is not None and tile < 1:
        raise ParameterError(f"tile must be at least 1 pixel (got {tile})")
    made = _chosen(workflow, inputs, given, workflow.tile if tile is None else tile)
    return replace(made, notes=notes_of(inputs.sources.values()))


def _chosen(workflow: Workflow, inputs: Inputs, given: Budget, chosen: int | None) -> Plan:
    """Return the plan for tiles of the edge that was ``chosen``, else for the largest that fit."""
    if chosen is not None:
        made = _plan(workflow, inputs, given, chosen)
        if made.fits:
            return made
        smaller = [size for size in TILES if size < chosen]
        fitting = next((size for size in smaller if _plan(workflow, inputs, given, size).fits), None)
        return replace(made, fitting_tile=fitting)
    plans = (_plan(workflow, inputs, given, size) for size in TILES)
    made = next(plans)
    while not made.fits:
        following = next(plans, None)
        if following is None:
            break
        made = following
    return made


def _plan(workflow: Workflow, inputs: Inputs, given: Budget, tile: int) -> Plan:
    # Images of one shape and dtype are planned once.
    alike = Counter(map(_signature, inputs.sources.values()))
    firsts: dict[Any, Any] = {}
    for source in inputs.sources.values():
        firsts.setdefault(_signature(source), source)
    found: dict[tuple[str, str, int], Stage] = {}
    written = refused = 0
    for signature, count in alike.items():
        try:
            work = evaluate(workflow, lazy_image(firsts[signature], tile))
        except BigimgError:
            # One image of a hundred that the workflow does not take is left out by the run, as one that is damaged.
            refused += count
            if workflow.on_error == "fail" or refused == len(inputs.sources):
                raise
            continue
        kept = kept_images(workflow, work.results)
        passes: Counter[tuple[str, str]] = Counter()
        for stage in stages([*_stored(kept.values()), *_values(work.tables.values())]):
            _add(found, stage, count, passes[stage.name, stage.does])
            passes[stage.name, stage.does] += 1
        for image in kept.values():
            blocks = prod(map(len, image.chunks or ()))
            _add(found, Stage("write", "write", blocks, blocks, 0, image.dtype.itemsize * blocks), count, 0)
            written += count * image.dtype.itemsize * image.size * 4 // 3
    peak = max((stage.bytes_per_task for stage in found.values()), default=0)
    return Plan(
        workflow=workflow.name,
        items=len(inputs.sources) - refused,
        skipped=len(inputs.skipped) + refused,
        tile=tile,
        workers=given.workers,
        stages=tuple(found.values()),
        bytes_written=written,
        bytes_per_worker=PROCESS_BYTES + given.threads * peak,
        memory=given.memory,
    )


def _stored(images: Iterable[xr.DataArray]) -> list[Any]:
    """Return what is computed before ``images`` are written."""
    return [collection for image in images for collection in stored_from(image.data)]


def _signature(source: Source) -> Any:
    """Return what decides how an image is worked on."""
    return source.shape, source.dtype, source.dims, validity(source) is not None


def kept_images(workflow: Workflow, results: Mapping[str, Any]) -> dict[str, xr.DataArray]:
    """Return the images, masks and labels that a workflow keeps."""
    kept = {step.name for step in workflow.steps if step.keep}
    return {name: result for name, result in results.items() if name in kept and isinstance(result, xr.DataArray)}


def _add(found: dict[tuple[str, str, int], Stage], stage: Stage, count: int, again: int) -> None:
    """Add the stage of ``count`` images to that of others; ``again``: how often the same was done to them before."""
    key = (stage.name, stage.does, again)
    before = found.get(key, replace(stage, tiles=0, tasks=0, bytes_read=0))
    found[key] = replace(
        before,
        tiles=before.tiles + count * stage.tiles,
        tasks=before.tasks + count * stage.tasks,
        bytes_read=before.bytes_read + count * stage.bytes_read,
        bytes_per_task=max(before.bytes_per_task, stage.bytes_per_task),
    )


def _values(values: Any) -> Sequence[Any]:
    return [value for value in values if hasattr(value, "__dask_graph__")]


def _cores() -> int:
    from dask.system import CPU_COUNT  # noqa: PLC0415 - the cores this process may use, not those of the machine

    return int(CPU_COUNT)


def human(size: float) -> str:
    """Return a number of bytes as a person writes it.

    Examples
    --------
    >>> human(1536), human(0)
    ('1.5 KiB', '0 B')
    """
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if size < 1024 or unit == "TiB":
            return f"{size:.3g} {unit}" if unit != "B" else f"{size:.0f} B"
        size /= 1024
    raise AssertionError
