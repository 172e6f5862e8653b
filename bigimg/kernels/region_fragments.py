"""Columns of measured labels: taking, joining and adding them, and the values that medians are made of.

Every function here sorts by label first, so that what it returns depends on what it was given and not on its order.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bigimg.kernels import region_loops
from bigimg.kernels.label_runs import LabelRuns
from bigimg.kernels.region_properties import Columns
from bigimg.kernels.sort_keys import from_keys, sort_keys

_LOWEST = {"lower", "min"}
_HIGHEST = {"upper", "max"}


def taken(part: Columns, which: NDArray[Any]) -> Columns:
    """Return the entries that ``which``, a mask or indices, names."""
    return {name: column[which] for name, column in part.items()}


def joined(first: Columns, second: Columns) -> Columns:
    """Return the entries of both."""
    return {name: np.concatenate([column, second[name]]) for name, column in first.items()}


def by_label(part: Columns) -> Columns:
    """Return the entries sorted by label."""
    return taken(part, np.argsort(part["label"], kind="stable"))


def added(fragments: Columns) -> Columns:
    """Return one fragment for each label: exact sums added, bounds and extremes widened."""
    fragments = by_label(fragments)
    starts = _starts(fragments["label"])
    if len(starts) == len(fragments["label"]):
        return fragments
    return {name: _how(name).reduceat(column, starts, axis=0) for name, column in fragments.items()} | {
        "label": fragments["label"][starts]
    }


def _how(name: str) -> np.ufunc:
    if name in _LOWEST:
        return np.minimum
    return np.maximum if name in _HIGHEST else np.add


def _starts(*keys: NDArray[Any]) -> NDArray[np.int64]:
    """Return where a new combination of sorted ``keys`` begins."""
    changed = np.ones(len(keys[0]), dtype=np.bool_)
    changed[1:] = np.any([key[1:] != key[:-1] for key in keys], axis=0)
    return np.flatnonzero(changed)


def no_values(dtype: np.dtype[Any]) -> Columns:
    """Return the values, as sort keys, of no fragment."""
    empty = np.zeros(0, dtype=np.int64)
    return {"label": empty, "channel": empty, "value": np.zeros(0, dtype=f"u{dtype.itemsize}"), "count": empty}


def counted(values: Columns) -> Columns:
    """Return values sorted by label, channel and value, equal ones counted together."""
    values = taken(values, np.lexsort((values["value"], values["channel"], values["label"])))
    starts = _starts(values["label"], values["channel"], values["value"])
    if len(starts) == len(values["label"]):
        return values
    return taken(values, starts) | {"count": np.add.reduceat(values["count"], starts)}


def medians_and_values(
    runs: LabelRuns, area: NDArray[np.int64], pixels: NDArray[Any], alone: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], Columns]:
    """Return the medians, (labels, channels), of the labels that are ``alone``, and the values of the others."""
    offset = np.concatenate([[0], np.cumsum(area)])
    medians = np.empty((np.count_nonzero(alone), len(pixels)), dtype=np.float64)
    values = no_values(pixels.dtype)
    keys = sort_keys(pixels)
    for channel, plane in enumerate(keys):
        grouped = region_loops.gather(*runs.arrays, plane, offset)
        lower, upper = from_keys(region_loops.middles(grouped, offset, np.flatnonzero(alone)), pixels.dtype)
        medians[:, channel] = _between(lower, upper)
        if not alone.all():
            owner = np.repeat(runs.label[~alone], area[~alone])
            one = np.ones(len(owner), dtype=np.int64)
            kept = {"label": owner, "channel": channel * one, "value": grouped[np.repeat(~alone, area)], "count": one}
            values = joined(values, counted(kept))
    return medians, counted(values)


def medians_of(label: NDArray[np.int64], values: Columns, channels: int, dtype: np.dtype[Any]) -> NDArray[np.float64]:
    """Return the medians, (labels, channels), of ``values`` of ``dtype``, as :func:`counted` returns them."""
    group = np.searchsorted(label, values["label"]) * channels + values["channel"]
    behind = np.cumsum(values["count"])
    ends = np.searchsorted(group, np.arange(len(label) * channels), side="right") - 1
    total = np.diff(behind[ends], prepend=0)
    first = behind[ends] - total
    middle = [np.searchsorted(behind, first + half, side="right") for half in ((total - 1) // 2, total // 2)]
    lower, upper = (from_keys(values["value"][at], dtype) for at in middle)
    return (_between(lower, upper)).reshape(len(label), channels)


def _between(lower: NDArray[Any], upper: NDArray[Any]) -> NDArray[Any]:
    """Return the middle of two numbers, whose sum may be beyond the largest float."""
    with np.errstate(over="ignore"):
        total = lower + upper
    return np.where(np.isfinite(total), total / 2, lower / 2 + upper / 2)
