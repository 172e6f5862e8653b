"""Standardising columns with exact means and variances."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from bigimg.learn.exact import UNIT, Floats, power_totals
from bigimg.learn.rows import read_rows


class StandardScaler(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Give every column mean 0 and standard deviation 1, as :class:`sklearn.preprocessing.StandardScaler`.

    One pass over the rows; sums of values and of squares are exact, so that mean and variance are the correctly
    rounded ones of the rows, bit-identical for any chunks, workers and order, and without cancellation however far a
    column is from zero. A constant column becomes 0.

    Attributes
    ----------
    mean_, var_, scale_ : ndarray of shape (n_features,)
        float64. ``var_`` divides by the number of rows; ``scale_`` is its square root, 1 for a constant column.
    n_samples_seen_ : int
        Number of rows.

    Examples
    --------
    >>> scaler = StandardScaler().fit(np.array([[1e9, 5.0], [1e9 + 2, 5.0]]))
    >>> scaler.mean_.tolist(), scaler.scale_.tolist()
    ([1000000001.0, 5.0], [1.0, 1.0])
    >>> scaler.transform(np.array([[1e9 + 4, 6.0]])).tolist()
    [[3.0, 1.0]]
    """

    mean_: NDArray[np.float64]
    var_: NDArray[np.float64]
    scale_: NDArray[np.float64]
    n_samples_seen_: int
    n_features_in_: int

    def fit(self, X: Any, y: Any = None) -> Self:  # noqa: ARG002 - scikit-learn's contract
        """Learn the mean and the standard deviation of every column of ``X``; computes at once, in one pass."""
        rows, n_rows = read_rows(self, X, reset=True).counted()
        totals = rows.reduce(_column_totals, _add)
        means, variances = zip(*(mean_and_variance(first, second, n_rows) for first, second in totals))
        self.mean_ = np.array(means)
        self.var_ = np.array(variances)
        self.scale_ = np.where(self.var_ > 0, np.sqrt(self.var_), 1.0)
        self.n_samples_seen_ = n_rows
        return self

    def transform(self, X: Any) -> Any:
        """Return ``X`` standardised, float64 (float32 for float32); of the kind that came in, lazy for lazy rows."""
        check_is_fitted(self)
        rows = read_rows(self, X, reset=False)
        dtype = rows.data.dtype if rows.data.dtype in (np.float32, np.float64) else np.dtype(np.float64)
        return rows.like_before(rows.map(_Standardise(self.mean_, self.scale_, dtype), dtype, rows.n_columns))


def mean_and_variance(values: int, squares: int, count: int) -> tuple[float, float]:
    """Return the correctly rounded mean and variance (divided by ``count``) from exact sums in ``UNIT``."""
    mean = values * UNIT / count
    return float(mean), float(squares * UNIT / count - mean * mean)


class _Standardise:
    def __init__(self, mean: NDArray[np.float64], scale: NDArray[np.float64], dtype: np.dtype[Any]) -> None:
        self.mean = mean
        self.scale = scale
        self.dtype = dtype

    def __call__(self, block: Floats) -> Floats:
        return ((block - self.mean) / self.scale).astype(self.dtype)


Totals = list[tuple[int, int]]


def _column_totals(block: Floats, first: int) -> Totals:  # noqa: ARG001
    sums = (power_totals(block[:, column], 2) for column in range(block.shape[1]))
    return [(values, squares) for values, squares in sums]


def _add(first: Totals, second: Totals) -> Totals:
    return [(a + c, b + d) for (a, b), (c, d) in zip(first, second)]
