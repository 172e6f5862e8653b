"""A workflow on one image: every step called on lazy results, so that nothing is computed before the plan is seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from bigimg.errors import BigimgError, RunError
from bigimg.io import collection
from bigimg.ops.statistics import BINS, derive, histogram
from bigimg.ops.threshold.histograms import LI_BINS
from bigimg.run import catalog
from bigimg.run.inputs import lazy_array
from bigimg.run.places import Moves, check_labels, check_together, moves_of
from bigimg.run.steps import INPUT, Step, image_parameters, table_parameters
from bigimg.run.workflow import Workflow

BINS_OF = {"threshold.li": LI_BINS, "threshold.robust_background": LI_BINS}
"""Bins that a global threshold counts floats in, where it is not the usual number."""

ROWS = ("table", "value")
"""Kinds of results that become rows of a table: one value an image is a row, too."""


@dataclass(frozen=True)
class Evaluated:
    """The lazy results of the steps that work on one image."""

    steps: tuple[Step, ...]
    results: Mapping[str, Any]
    """By step: an ``xarray.DataArray``, a lazy table, or a lazy value."""
    thresholds: Mapping[str, tuple[Any, Any]]
    """By threshold step: its lazy histogram and value."""

    @property
    def tables(self) -> dict[str, Any]:
        """The lazy tables, and the lazy values, which become tables of one row an image."""
        return {step.name: self.results[step.name] for step in self.steps if step.kind in ROWS}


def lazy_image(source: Any, tile: int) -> xr.DataArray:
    """Return a source as a lazy image cut into tiles of ``tile`` rows and columns; colours stay together."""
    return collection.lazy_image(source, partial(lazy_array, tile=tile), source.name)


def evaluate(workflow: Workflow, image: xr.DataArray) -> Evaluated:
    """Return every step of ``workflow`` that works on one image, lazily.

    Raises
    ------
    BigimgError
        As the operation does, naming the step and the image.
    """
    known = catalog.operations()
    results: dict[str, Any] = {INPUT: image}
    moves: dict[str, Moves] = {INPUT: ()}
    thresholds = {}
    steps = tuple(step for step in workflow.steps if known[step.op].takes != "table")
    for step in steps:
        entry: Any = known[step.op]
        others = image_parameters(step, known[step.op])
        images = {name: results[source] for name, source in others.items()}
        try:
            check_together(step, others, moves)
            results[step.name] = entry(results[step.source], **{**step.params, **images})
            if step.kind == "table" and "time" in image.coords:
                results[step.name] = derive(partial(_timed, image.coords["time"].to_numpy()), results[step.name])
            value: Any = known.get(f"{step.op}_value")
            if value is not None:
                # A threshold of the whole image: its value, and the histogram it lies in, belong in the report.
                found = histogram(results[step.source], bins=BINS_OF.get(step.op, BINS))
                known_to_it = {name: given for name, given in step.params.items() if name in value.parameters}
                thresholds[step.name] = found, value(results[step.source], **known_to_it)
            moves[step.name] = moves_of(step, moves)
            if step.kind == "labels" and step.keep:
                check_labels(results[step.name], image, moves[step.name])
        except BigimgError as error:
            raise type(error)(f"{image.name}: step {step.name!r}: {error}") from error
    del results[INPUT]
    return Evaluated(steps, results, thresholds)


def _timed(seconds: NDArray[np.float64], table: pd.DataFrame) -> pd.DataFrame:
    """Return a table of objects with the time of its frames, where it has frames and no time yet."""
    if "t" not in table.columns or "time" in table.columns:
        return table
    timed = table.copy()
    timed.insert(list(table.columns).index("t") + 1, "time", seconds[table["t"].to_numpy(np.intp)])
    return timed


def learn(workflow: Workflow, tables: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Return every step of ``workflow`` that works on a table of all images, from the tables of the steps before."""
    known = catalog.operations()
    results = dict(tables)
    for step in table_steps(workflow):
        entry: Any = known[step.op]
        try:
            further = {name: results[source] for name, source in table_parameters(step, entry).items()}
            results[step.name] = entry(results[step.source], **{**step.params, **further})
        except BigimgError as error:
            raise RunError(f"step {step.name!r} ({step.op}): {error}") from error
    return results


def table_steps(workflow: Workflow) -> list[Step]:
    """Return the steps that work on a table of all images."""
    known = catalog.operations()
    return [step for step in workflow.steps if known[step.op].takes == "table"]


def final_tables(workflow: Workflow, tables: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Return the tables to keep: those that no later step has added columns to; one of other rows is another table."""
    after = [(step.source, tables[step.name]) for step in table_steps(workflow) if step.name in tables]
    return {
        step.name: tables[step.name]
        for step in workflow.steps
        if step.kind in ROWS
        and step.keep
        and step.name in tables
        and not any(source == step.name and _same_rows(tables[step.name], later) for source, later in after)
    }


def _same_rows(before: pd.DataFrame, after: pd.DataFrame) -> bool:
    """Whether the rows are of the same things: objects have labels, and what is summed up of many has none."""
    return len(before) == len(after) and ("label" in before.columns) == ("label" in after.columns)
