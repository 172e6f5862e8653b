"""The objects of a table: which frame each is of, where it lies, and when that was."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bigimg.core.parameters import is_deferred
from bigimg.engine.tree import combine
from bigimg.errors import ParameterError, UnknownNameError

ITEM, FRAME, TIME, LABEL, TRACK, PARENT, OTHER = "item", "t", "time", "label", "track_id", "parent", "other_parent"
AXES = ("z", "y", "x")
FARTHEST = 1e100
"""Squares of such positions, and their sums, are far from the ends of float64."""

Floats = NDArray[np.float64]
Numbers = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Objects:
    """Objects sorted by frame, then label."""

    table: pd.DataFrame
    """The rows in that order."""
    t: Numbers
    time: Floats
    """Seconds where the table has times, else frames."""
    label: Numbers
    position: Floats
    """(objects, axes)."""

    @property
    def axes(self) -> tuple[str, ...]:
        """Names of the axes."""
        return AXES[3 - self.position.shape[1] :]

    def frames(self) -> Iterator[slice]:
        """Yield the rows of each frame that has an object."""
        cuts = np.flatnonzero(np.diff(self.t)) + 1
        bounds = [0, *cuts.tolist(), len(self.t)] if len(self.t) else [0]
        return (slice(start, stop) for start, stop in pairwise(bounds))


def read_objects(
    table: pd.DataFrame, owner: str, spacing: float | Sequence[float] | None = None, key: str = LABEL
) -> Objects:
    """Return the objects of a table, checked.

    Parameters
    ----------
    table
        With a column ``t``, positions in ``y`` and ``x`` (``z``), or ``centroid-0`` and so on, and mostly ``label``.
    owner
        Who asks, for error messages.
    spacing
        The length of a pixel along each axis; positions are multiplied by it.
    key
        The column that tells the objects of a frame apart; where there is none, their order does.

    Raises
    ------
    ParameterError
        If a column is missing or of a wrong kind, a position is missing, or two objects of a frame have one label.
    """
    names = position_columns(table, owner)
    t = whole_numbers(table, FRAME, owner)
    label: Numbers = _counted(t)
    if key in table:
        label = whole_numbers(table, key, owner)
    position = np.ascontiguousarray(table[list(names)].to_numpy(dtype=np.float64, na_value=np.nan))
    bad = ~np.isfinite(position) | (np.abs(position) > FARTHEST)
    if bad.any():
        row, column = np.argwhere(bad)[0]
        raise ParameterError(
            f"{owner}: column {names[column]!r} must hold finite positions (got {position[row, column]} at t={t[row]}, "
            f"{key}={label[row]}, and {int(bad.any(axis=1).sum())} rows like it in all); drop these rows"
        )
    order = np.lexsort((label, t))
    t, label, position = t[order], label[order], position[order]
    twice = np.flatnonzero((t[1:] == t[:-1]) & (label[1:] == label[:-1]))
    if twice.size:
        raise ParameterError(
            f"{owner}: an object must have one row a frame (got {key}={label[twice[0]]} more than once at "
            f"t={t[twice[0]]}); several images are told apart by a column 'item'"
        )
    rows = table.iloc[order].reset_index(drop=True)
    scale = np.ones(len(names)) if spacing is None else np.asarray(_per_axis(spacing, len(names), owner))
    return Objects(rows, t, _times(rows, t, owner), label, position * scale)


def position_columns(table: pd.DataFrame, owner: str) -> tuple[str, ...]:
    """Return the columns that hold positions, in the order of the axes."""
    names = tuple(name for name in AXES if name in table)
    if names not in {("y", "x"), AXES}:
        centroids = tuple(f"centroid-{axis}" for axis in range(3) if f"centroid-{axis}" in table)
        names = centroids if len(centroids) >= 2 else ("y", "x")
    for name in (FRAME, *names):
        if name not in table:
            unknown = UnknownNameError.of("column", name, map(str, table))
            raise ParameterError(
                f"{owner} needs a table of objects with the columns t, label, and y, x or centroid-0, centroid-1: "
                f"{unknown}"
            )
        if not pd.api.types.is_numeric_dtype(table[name]):
            raise ParameterError(f"{owner}: column {name!r} must hold numbers (got {table[name].dtype})")
    return names


def whole_numbers(table: pd.DataFrame, name: str, owner: str) -> Numbers:
    """Return a column of whole numbers.

    Raises
    ------
    ParameterError
        If it holds anything else.
    """
    column = table[name]
    if not pd.api.types.is_numeric_dtype(column):
        raise ParameterError(f"{owner}: column {name!r} must hold whole numbers (got {column.dtype})")
    if column.dtype.kind in "iu" and not column.isna().any():
        return column.to_numpy().astype(np.int64)
    values = column.to_numpy(dtype=np.float64, na_value=np.nan)
    bad = ~(np.abs(values) < 2**53) | (np.floor(values) != values)
    if bad.any():
        raise ParameterError(f"{owner}: column {name!r} must hold whole numbers (got {values[bad][0]})")
    return values.astype(np.int64)


def _counted(t: Numbers) -> Numbers:
    """Return the number of each row among those of its frame, from 1."""
    return np.asarray(pd.Series(t).groupby(t).cumcount().to_numpy(), np.int64) + 1


def _times(rows: pd.DataFrame, t: Numbers, owner: str) -> Floats:
    if TIME not in rows or rows[TIME].isna().all():
        return t.astype(np.float64)
    given = rows[TIME]
    if pd.api.types.is_datetime64_any_dtype(given) or pd.api.types.is_timedelta64_dtype(given):
        seconds = ((given - given.min()) / pd.Timedelta(seconds=1)).to_numpy(dtype=np.float64)
    elif pd.api.types.is_numeric_dtype(given):
        seconds = given.to_numpy(dtype=np.float64, na_value=np.nan)
    else:
        raise ParameterError(f"{owner}: column 'time' must hold seconds or dates (got {given.dtype})")
    later = t[1:] > t[:-1]
    wrong = ~np.isfinite(seconds)
    wrong[1:] |= np.where(later, seconds[1:] <= seconds[:-1], seconds[1:] != seconds[:-1])
    if wrong.any():
        at = int(np.flatnonzero(wrong)[0])
        raise ParameterError(
            f"{owner}: column 'time' must be one time a frame, later for later frames (got {given.iloc[at]} at "
            f"t={t[at]})"
        )
    return seconds


def _per_axis(spacing: float | Sequence[float], count: int, owner: str) -> tuple[float, ...]:
    numbers = (spacing,) * count if isinstance(spacing, (int, float)) else tuple(spacing)
    if len(numbers) != count:
        raise ParameterError(f"{owner}: spacing must be one number, or {count}: one an axis (got {spacing})")
    return numbers


def per_item(
    function: Callable[..., pd.DataFrame], table: Any, others: Sequence[Any] = (), *, owner: str
) -> pd.DataFrame | Any:
    """Return ``function(table, *others)`` of each image of a collection by itself: the rows of one ``item``.

    Lazily where a table is lazy. ``others`` are cut by item too, where they have that column; None stays None.
    """
    if any(is_deferred(each) for each in (table, *others)):
        lazy = [each for each in (table, *others) if is_deferred(each)]
        known = tuple(None if is_deferred(each) else each for each in (table, *others))
        waits = tuple(is_deferred(each) for each in (table, *others))
        return combine(owner.rpartition(".")[2], partial(_computed, function, owner, known, waits), *lazy)
    for each in (table, *others):
        if each is not None and not isinstance(each, pd.DataFrame):
            raise ParameterError(f"{owner} takes a pandas.DataFrame (got {type(each).__name__})")
    if ITEM not in table:
        return function(table, *others)
    if not len(table):
        parts = [(None, table)]
    else:
        parts = list(table.groupby(ITEM, sort=False, dropna=False))
    further = [_items(each) for each in others]
    found = []
    for item, rows in parts:
        part = function(rows.drop(columns=ITEM), *(each(item) for each in further))
        part.insert(0, ITEM, pd.Series([item] * len(part), index=part.index, dtype=table[ITEM].dtype))
        found.append(part)
    full = [part for part in found if len(part)] or found[:1]
    return pd.concat(full, ignore_index=True)


def _items(table: pd.DataFrame | None) -> Callable[[Any], pd.DataFrame | None]:
    """Return what gives the rows of an item."""
    if table is None or ITEM not in table:
        return lambda _: table
    rows = dict(list(table.groupby(ITEM, sort=False, dropna=False)))
    none = table.head(0)
    return lambda item: rows.get(item, none).drop(columns=ITEM)


def _computed(
    function: Callable[..., pd.DataFrame], owner: str, known: tuple[Any, ...], waits: tuple[bool, ...], *values: Any
) -> pd.DataFrame:
    come = iter(values)
    table, *others = (next(come) if wait else value for wait, value in zip(waits, known))
    return per_item(function, table, others, owner=owner)
