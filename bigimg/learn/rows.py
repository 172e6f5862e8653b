"""The rows of a feature matrix, whatever it came in: NumPy, pandas, Dask or xarray.

An estimator sees blocks of rows that know their place in the whole, and asks two things of them: reduce all of them to
one state, or map a function over them. What comes out is of the kind that went in: NumPy for NumPy and pandas, lazy for
Dask, a ``DataArray`` with the dimension and the coordinates of the rows for a ``DataArray``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, Protocol, TypeVar

import dask
import dask.array as da
import numpy as np
import pandas as pd
import xarray as xr
from dask.base import tokenize
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.validation import validate_data

from bigimg.engine.tree import tree_reduce
from bigimg.learn.exact import Floats

State = TypeVar("State")
State_co = TypeVar("State_co", covariant=True)

Names = tuple[str, ...] | None


class Partial(Protocol[State_co]):
    """Turns a block of rows (n, columns), the first of which is row ``first`` of all, into a state."""

    def __call__(self, block: Floats, first: int, /) -> State_co:
        """Return the state of one block."""
        ...


@dataclass(frozen=True)
class Rows:
    """A feature matrix (rows, columns) of finite floating point numbers."""

    data: Any
    """A NumPy array, or a lazy Dask array with one block of columns."""
    names: Names
    """Names of the columns where they are known."""
    like: xr.DataArray | None
    """The ``DataArray`` that the rows came in."""

    @property
    def lazy(self) -> bool:
        """Whether the rows are computed only on demand."""
        return not isinstance(self.data, np.ndarray)

    @property
    def n_columns(self) -> int:
        """How many columns there are."""
        return int(self.data.shape[1])

    def counted(self) -> tuple[Rows, int]:
        """Return the rows with known block sizes, and how many rows there are.

        A lazy array of unknown length, such as one filtered by a condition, is computed once to count its rows.
        """
        if self.lazy and np.isnan(self.data.shape[0]):
            counted = self.data.copy().compute_chunk_sizes()
            return Rows(counted, self.names, self.like), int(counted.shape[0])
        return self, int(self.data.shape[0])

    def reduce(self, partial: Partial[State], merge: Callable[[State, State], State]) -> State:
        """Compute ``partial`` on every block and ``merge`` the states, now: one pass over the rows."""
        if not self.lazy:
            return partial(finite_floats(self.data, self.names), 0)
        firsts = accumulate(self.data.chunks[0], initial=0)
        blocks = self.data.to_delayed().ravel()
        name = f"{_word(partial)}-{tokenize(self.data.name, partial)}"
        partial = _once(partial)
        on_block = dask.delayed(_on_block)
        states = [
            on_block(block, first, partial, self.names, dask_key_name=(name, number))
            for number, (block, first) in enumerate(zip(blocks, firsts))
        ]
        return dask.compute(tree_reduce(states, merge))[0]

    def map(self, function: Callable[[Floats], NDArray[Any]], dtype: Any, n_columns: int | None = None) -> Any:
        """Return ``function`` of the rows: one value a row, or ``n_columns`` of them; lazy where the rows are lazy."""
        if not self.lazy:
            return self._dressed(_mapped(self.data, function, self.names))
        meta = np.empty((0,) if n_columns is None else (0, 0), dtype)
        axes: dict[str, Any] = {"drop_axis": 1}
        if n_columns is not None:
            axes = {"chunks": (self.data.chunks[0], (n_columns,))}
        name = f"{_word(function)}-{tokenize(self.data.name, function)}"
        options = {"name": name, "dtype": dtype, "meta": meta}
        result = self.data.map_blocks(_mapped, function=_once(function), names=self.names, **options, **axes)
        return self._dressed(result)

    def like_before(self, values: Any) -> Any:
        """Return new ``values`` of the same columns, as :meth:`map` gave them, with the columns' names as well."""
        return values if self.like is None else self.like.copy(data=values.data)

    def _dressed(self, values: Any) -> Any:
        if self.like is None:
            return values
        rows = self.like.dims[0]
        coords = {name: coord for name, coord in self.like.coords.items() if set(coord.dims) <= {rows}}
        return xr.DataArray(values, dims=(rows, "component")[: values.ndim], coords=coords)


def read_rows(estimator: BaseEstimator, X: Any, *, reset: bool, min_rows: int = 1) -> Rows:
    """Return the rows of ``X`` for ``estimator``, and note (``reset``) or check its columns.

    Parameters
    ----------
    X
        ndarray, pandas ``DataFrame``, ``dask.array.Array`` or 2-D ``xarray.DataArray`` (rows, columns). float32 stays
        float32, other numbers become float64. A coordinate of words along the second dimension of a ``DataArray``
        names the columns, as those of a ``DataFrame`` do.
    reset
        True in ``fit``: sets ``n_features_in_`` and ``feature_names_in_``. False elsewhere: compares with them.
    min_rows
        The fewest rows that are enough.

    Raises
    ------
    ValueError
        If ``X`` is not a matrix of real numbers, has too few rows or columns, or other columns than in ``fit``. That
        all its values are finite is checked when they are read.
    """
    if isinstance(X, xr.DataArray):
        return _read_labelled(estimator, X, reset=reset, min_rows=min_rows)
    if isinstance(X, da.Array):
        return _read_lazy(estimator, X, None, reset=reset, min_rows=min_rows)
    if isinstance(X, pd.DataFrame):
        X = _without_missing(X)
    data = validate_data(
        estimator, X, reset=reset, dtype=[np.float64, np.float32], ensure_all_finite=False, ensure_min_samples=min_rows
    )
    names = getattr(estimator, "feature_names_in_", None)
    return Rows(data, None if names is None else tuple(map(str, names)), None)


def _read_labelled(estimator: BaseEstimator, X: xr.DataArray, *, reset: bool, min_rows: int) -> Rows:
    if X.ndim != 2:
        raise ValueError(f"Expected 2D array, got {X.ndim}D array instead: a DataArray of (rows, columns) is needed")
    names = _column_names(X)
    if isinstance(X.data, da.Array):
        rows = _read_lazy(estimator, X.data, names, reset=reset, min_rows=min_rows)
    else:
        frame = X.values if names is None else pd.DataFrame(X.values, columns=list(names))
        rows = read_rows(estimator, frame, reset=reset, min_rows=min_rows)
    return Rows(rows.data, rows.names, X)


def _read_lazy(estimator: BaseEstimator, X: da.Array, names: Names, *, reset: bool, min_rows: int) -> Rows:
    if X.ndim != 2:
        raise ValueError(f"Expected 2D array, got {X.ndim}D array instead: reshape lazily to (rows, columns)")
    if X.dtype.kind not in "biuf":
        raise ValueError(f"Expected real numbers, got dtype {X.dtype}")
    if X.shape[0] < min_rows:
        raise ValueError(f"Found array with {X.shape[0]} sample(s) while a minimum of {min_rows} is required")
    if X.shape[1] < 1:
        raise ValueError(f"Found array with 0 feature(s) (shape={X.shape}) while a minimum of 1 is required")
    stand_in = np.empty((0, X.shape[1])) if names is None else pd.DataFrame(columns=list(names), dtype=float)
    validate_data(estimator, stand_in, reset=reset, skip_check_array=True)
    return Rows(X.rechunk({1: -1}), names, None)


def _column_names(X: xr.DataArray) -> Names:
    columns = X.coords.get(X.dims[1])
    if columns is None or not all(isinstance(name, str) for name in columns.values.tolist()):
        return None
    return tuple(columns.values.tolist())


def _without_missing(X: pd.DataFrame) -> pd.DataFrame:
    """Return the frame with nullable numbers as NumPy's, so that a missing one is found as NaN and named."""
    nullable = [name for name in X if isinstance(X[name].dtype, pd.api.extensions.ExtensionDtype)]
    numbers = [name for name in nullable if pd.api.types.is_numeric_dtype(X[name].dtype)]
    return X.astype(dict.fromkeys(numbers, "float64")) if numbers else X


def _once(function: Any) -> Any:
    """Return ``function`` as one key of the graph: many centres of many columns are not for every task to carry."""
    return dask.delayed(function, name=f"{_word(function)}-itself-{tokenize(function)}", traverse=False)


def _word(function: object) -> str:
    """Return what a task of ``function`` is called on the dashboard."""
    return getattr(function, "__name__", type(function).__name__).strip("_").lower()


def _on_block(block: NDArray[Any], first: int, partial: Partial[State], names: Names) -> State:
    return partial(finite_floats(block, names, first), first)


def _mapped(block: NDArray[Any], function: Callable[[Floats], NDArray[Any]], names: Names) -> NDArray[Any]:
    return function(finite_floats(block, names, None))


def finite_floats(block: NDArray[Any], names: Names, first: int | None = 0) -> Floats:
    """Return ``block`` as contiguous float32 or float64, or say which value of it is not a finite number.

    Raises
    ------
    ValueError
        If a value is NaN or infinite; it names the column where that is known.
    """
    kept = block.dtype in (np.float32, np.float64)
    block = np.ascontiguousarray(block, None if kept else np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        suspicious = not np.isfinite(block.sum())
    if not suspicious:
        return block
    bad = np.argwhere(~np.isfinite(block))
    if not len(bad):
        return block
    row, column = bad[0].tolist()
    kind = "NaN" if np.isnan(block[row, column]) else f"infinity or a value too large for {block.dtype!r}"
    place = f"column {names[column]!r}" if names else f"column {column}"
    where = place if first is None else f"{place}, row {first + row}"
    raise ValueError(
        f"Input X contains {kind} ({where}). Remove such rows or fill them in before fitting or predicting."
    )
