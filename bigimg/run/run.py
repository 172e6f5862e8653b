"""A run: a plan carried out on a cluster, and what it leaves."""

from __future__ import annotations

import json
import platform
import shutil
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from time import perf_counter
from typing import Any, Literal

import pandas as pd

from bigimg.errors import ParameterError, RunError
from bigimg.io.collection import Collection
from bigimg.io.inputs import Inputs, open_inputs
from bigimg.io.publish import building, check_absent
from bigimg.io.references import create_results
from bigimg.io.scan import Skipped
from bigimg.io.tables import write_table
from bigimg.io.vectors import GEOMETRY, write_geoparquet
from bigimg.run.evaluate import final_tables, learn
from bigimg.run.execute import ItemResult, Work, changed, execute
from bigimg.run.inputs import open as open_collection
from bigimg.run.plan import Plan, budget, plan_inputs
from bigimg.run.profile import ClusterProfile
from bigimg.run.progress import Show, finished_tasks, watched
from bigimg.run.reporting import Outcome, write_run_report
from bigimg.run.warm import examples, warm, worker_plugin
from bigimg.run.workflow import Workflow

PACKAGES = (
    "bigimg",
    "dask",
    "distributed",
    "numpy",
    "opencv-python-headless",
    "scikit-learn",
    "scipy",
    "xarray",
    "zarr",
)
"""Their versions stand in ``run.json``: they are what could change a result."""


@dataclass(frozen=True)
class Run:
    """A run that is done.

    Attributes
    ----------
    output
        The collection of results.
    items
        How many images are in it.
    skipped
        What was left out, and why.
    plan
        What it set out to do.
    seconds
        How long it took, the start of the cluster included.
    """

    output: Path
    items: int
    skipped: tuple[Skipped, ...]
    plan: Plan
    seconds: float
    rows: Mapping[str, int] = field(default_factory=dict)
    """Rows of each table."""

    @property
    def report(self) -> Path:
        """The report, one self-contained page."""
        return self.output / "report.html"

    @property
    def collection(self) -> Collection:
        """The results as a collection."""
        return open_collection(self.output)

    def summary(self) -> str:
        """Return the run in a few lines."""
        tables = "".join(f", {rows:,} rows in {name}" for name, rows in self.rows.items())
        lines = [f"{self.items:,} images done{tables}, {len(self.skipped):,} skipped, in {self.seconds:.1f} s"]
        lines += [f"skipped {each.name}: {each.reason}" for each in self.skipped[:10]]
        lines += [f"... and {len(self.skipped) - 10} more"] if len(self.skipped) > 10 else []
        lines += [f"report: {self.report}", f"what the dashboard showed: {self.output / 'performance.html'}"]
        return "\n".join(lines)


def run(
    workflow: str | Path | Workflow,
    input: str | Path,  # noqa: A002 - the word of the command line
    output: str | Path,
    *,
    cluster: str | Path = "local",
    workers: int | None = None,
    on_error: Literal["fail", "skip"] | None = None,
    tile: int | None = None,
    nodata: float | None = None,
    announce: Callable[[str], None] | None = None,
    progress: Show | None = None,
) -> Run:
    """Carry out a workflow on every image of a collection or folder.

    The results are built aside and get the name ``output`` when they are complete: a run that failed leaves none.

    Parameters
    ----------
    workflow
        A name, a file, or a :class:`Workflow`.
    input
        A collection, or a folder, pattern or file of images, which stay where they are.
    output
        Where the results go; must not exist. A collection: labels and tables beside references to their images, with
        ``run.json`` and ``report.html``.
    cluster
        Name or file of a cluster profile.
    workers
        How many workers, in the place of what the profile says.
    on_error
        ``"fail"`` or ``"skip"`` bad images, in the place of what the workflow says.
    tile
        Edge of a tile in pixels, which changes no result; by default the workflow's, else the largest that fits.
    nodata
        The value of pixels that are none, in the place of what images and the workflow say: 0 for the collar of a
        scene.
    announce
        Called with lines to show: the plan, the link of the dashboard.
    progress
        Called now and then with the tiles done and in all, of each stage.

    Returns
    -------
    Run

    Raises
    ------
    BigimgError
        Whatever is wrong with the workflow, the input, the output, the plan, or (under ``on_error="fail"``) an image.

    Examples
    --------
    >>> done = bigimg.run("nuclei", "my_images/", "results/")  # doctest: +SKIP
    >>> done.collection.read_table("objects")  # doctest: +SKIP
    """
    started, clock = datetime.now(UTC), perf_counter()
    say = announce or (lambda _: None)
    flow = workflow if isinstance(workflow, Workflow) else Workflow.load(workflow)
    if on_error not in (None, "fail", "skip"):
        raise ParameterError(f"on_error must be 'fail' or 'skip' (got {on_error!r})")
    flow = flow if on_error is None else replace(flow, on_error=on_error)
    dest = Path(output).expanduser()
    _check_apart(input, dest)
    check_absent(dest)
    inputs = open_inputs(input, flow.on_error, nodata, flow.nodata)
    planned = plan_inputs(flow, inputs, budget(cluster, workers, None), tile)
    say(str(planned))
    planned.check()
    unreported: Exception | None = None
    with building(dest) as folder:
        kinds = tuple(examples(inputs.sources.values()))
        warm(flow, kinds)  # once here, so that the workers of this machine find every kernel compiled
        with ClusterProfile.load(cluster).open(workers) as client:
            say(f"dashboard: {client.dashboard_link}")
            client.register_plugin(worker_plugin(flow, kinds))
            work = Work(flow, folder, dest, planned.tile)
            outcome = _carry_out(client, work, inputs, planned, progress, (started, clock, str(input)))
            try:
                write_run_report(client, folder, outcome)
            except Exception as error:  # noqa: BLE001 - hours of results must not be lost for a picture
                unreported = error
        _sweep_skipped(folder, outcome.done)
    if unreported is not None:
        raise RunError(
            f"the results in {dest} are complete, but their report could not be made: "
            f"{type(unreported).__name__}: {unreported}"
        ) from unreported
    rows = {name: len(table) for name, table in outcome.tables.items()}
    return Run(dest, len(outcome.done), outcome.skipped, planned, perf_counter() - clock, rows)


def _carry_out(
    client: Any, work: Work, inputs: Inputs, planned: Plan, progress: Show | None, begun: tuple[datetime, float, str]
) -> Outcome:
    """Work on every image, learn from their tables, and write all but the report; ``begun`` is when, and on what."""
    totals: dict[str, int] = {}
    for stage in planned.stages:
        totals[stage.name] = totals.get(stage.name, 0) + stage.tiles
    with _performance_report(work.folder / "performance.html"), watched(client, totals, progress):
        found = _collect(client, work, inputs)
    timings = client.run_on_scheduler(finished_tasks)
    flow = work.workflow
    tables = learn(flow, found.tables)
    kept = final_tables(flow, tables)
    for name, table in kept.items():
        path = work.folder / "tables" / f"{name}.parquet"
        if GEOMETRY in table.columns:
            write_geoparquet(path, table)
        else:
            write_table(path, table, {"workflow": flow.name, "step": name})
    sources = {name: inputs.sources[name] for name in found.done}
    marks = {"workflow": flow.name, "workflow_sha256": flow.sha256}
    create_results(work.folder, work.dest, sources, marks, found.skipped)
    (work.folder / "workflow.yaml").write_text(flow.dump(), encoding="utf-8")
    started, clock, source = begun
    outcome = Outcome(
        flow, source, work.dest, started, perf_counter() - clock, found.done, found.skipped, kept, found.thresholds,
        {name: timings[name] for name in totals if name in timings}, sources, _versions(),
        f"{platform.system()} {platform.machine()}",
    )  # fmt: skip
    _write_record(work.folder, outcome, planned)
    return outcome


@dataclass(frozen=True)
class _Found:
    done: tuple[str, ...]
    skipped: tuple[Skipped, ...]
    tables: dict[str, pd.DataFrame]
    thresholds: dict[str, dict[str, Any]]
    """By step and image: histogram and value."""


def _collect(client: Any, work: Work, inputs: Inputs) -> _Found:
    """Carry out the work on every image; results in the order of the input, whatever the order of their arrival."""
    results: dict[str, ItemResult] = {}
    bad: dict[str, Skipped | None] = {}
    for name, result in execute(client, work, inputs.sources):
        if isinstance(result, Skipped):
            bad[name] = result
        else:
            results[name] = result
    for name in results:
        bad[name] = changed(work, name, inputs.sources[name])
    skipped = [*inputs.skipped, *(why for name in inputs.sources if (why := bad[name]))]
    done = tuple(name for name in inputs.sources if not bad[name])
    if not done:
        raise RunError(f"no image could be processed; the first of {len(skipped)}: {skipped[0].reason}")
    steps = list(results[done[0]].tables)
    tables = {step: _stacked({name: results[name].tables[step] for name in done}) for step in steps}
    thresholds = {step: {name: results[name].thresholds[step] for name in done} for step in results[done[0]].thresholds}
    return _Found(done, tuple(skipped), tables, thresholds)


def _sweep_skipped(folder: Path, done: tuple[str, ...]) -> None:
    """Remove what tasks of a skipped image have written after its folder was; no worker is left to do it again."""
    for item in (folder / "images").iterdir():
        if item.is_dir() and item.name not in done:
            shutil.rmtree(item)


def _stacked(tables: Mapping[str, Any]) -> pd.DataFrame:
    """Return the tables of all images as one, with the image of each row in its first column; a value is one row."""
    parts = []
    for name, table in tables.items():
        part = table.copy() if isinstance(table, pd.DataFrame) else pd.DataFrame({"value": [table]})
        part.insert(0, "item", name)
        parts.append(part)
    full = [part for part in parts if len(part)] or parts[:1]
    # The copy is in one piece: grey and coloured images together give a frame of many, and pandas warns of it later.
    whole = pd.concat(full, ignore_index=True).copy()
    systems = {part.attrs.get("crs") for part in parts}
    whole.attrs = {"crs": systems.pop()} if len(systems) == 1 and None not in systems else {}
    return whole


def _write_record(folder: Path, outcome: Outcome, planned: Plan) -> None:
    record = {
        "workflow": outcome.workflow.name,
        "workflow_sha256": outcome.workflow.sha256,
        "steps": [
            {"name": step.name, "op": step.op, "from": step.source, "parameters": dict(step.params)}
            for step in outcome.workflow.steps
        ],
        "input": outcome.input,
        "started": outcome.started.isoformat(timespec="seconds"),
        "seconds": round(outcome.seconds, 2),
        "machine": outcome.machine,
        "python": platform.python_version(),
        "versions": dict(outcome.versions),
        "tile": planned.tile,
        "workers": planned.workers,
        "items": [
            {"id": name, "source": str(getattr(source, "path", name)), "digest": source.fingerprint()}
            for name, source in outcome.sources.items()
        ],
        "skipped": [{"name": each.name, "path": each.path, "reason": each.reason} for each in outcome.skipped],
        "tables": {name: len(table) for name, table in outcome.tables.items()},
    }
    (folder / "run.json").write_text(json.dumps(record, indent=1), encoding="utf-8")


def _versions() -> dict[str, str]:
    found = {}
    for package in PACKAGES:
        # OpenCV goes by other names, too; a run that is done must not fail for that.
        with suppress(PackageNotFoundError):
            found[package] = version(package)
    return found


def _performance_report(path: Path) -> AbstractContextManager[Any]:
    from distributed import performance_report  # noqa: PLC0415 - slow to import

    return performance_report(filename=str(path), mode="inline")


def _check_apart(input: str | Path, dest: Path) -> None:  # noqa: A002
    # Results within their own input would be read as input the next time, and a run would change what it reads.
    source = Path(input).expanduser().resolve()
    if source.is_dir() and dest.resolve().is_relative_to(source):
        raise RunError(f"the output {dest} lies within the input {input}; choose a place beside it")
