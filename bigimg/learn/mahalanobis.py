"""Odd rows by their Mahalanobis distance from all the others."""

from __future__ import annotations

from math import ceil
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2
from sklearn.base import BaseEstimator, OutlierMixin
from sklearn.utils.validation import check_is_fitted

from bigimg.errors import ParameterError
from bigimg.learn.covariance import (
    LIMB_BITS,
    FourthPower,
    Gram,
    GramOf,
    Matrix,
    ledoit_wolf,
    mean_and_covariance,
    shrunk,
    whitening,
)
from bigimg.learn.exact import Floats, Grid
from bigimg.learn.nearest import whitened_lengths
from bigimg.learn.rows import Rows, read_rows
from bigimg.learn.sampling import Scan

_AUTO = 0.975
"""Share of normal rows within the threshold where no contamination is given."""


class Mahalanobis(OutlierMixin, BaseEstimator):
    """Outliers by their squared Mahalanobis distance from the mean of all rows.

    Mean and covariance are computed from exact sums in two passes (ranges, then sums of products): bit-identical for
    any chunks, workers and order of arrival. A row's score depends on that row alone. The distance does not change
    with the units of the columns; ``shrinkage`` does, so standardise before it.

    Parameters
    ----------
    shrinkage
        None for the covariance as it is; a number from 0 to 1, or ``"ledoit_wolf"``, to draw it towards the mean
        variance times the identity (one more pass), which steadies it where rows are not many times the columns.
    contamination
        The share of outliers, up to 0.5: the threshold is that percentile of the scores of the fitted rows (one more
        pass, which keeps that share of all scores in memory), as in :class:`sklearn.covariance.EllipticEnvelope`.
        ``"auto"``: the threshold is the 0.975 quantile of the chi-squared distribution that the squared distances of
        Gaussian rows follow; no more pass, and no outliers where there are none.

    Attributes
    ----------
    location_ : ndarray of shape (n_features,)
        The mean.
    covariance_ : ndarray of shape (n_features, n_features)
        The (shrunk) covariance, divided by the number of rows.
    shrinkage_ : float
        The share of shrinkage used.
    rank_ : int
        Number of directions with any variance.
    threshold_ : float
        The largest squared distance of a normal row.
    offset_ : float
        ``-threshold_``: ``decision_function = score_samples - offset_``.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of str
        Names of the columns, if they had names.

    Notes
    -----
    A singular covariance (constant columns, columns that are combinations of others, fewer rows than columns) is used
    by its pseudo-inverse: directions in which the fitted rows do not vary at all say nothing, and no score is NaN.
    With any ``shrinkage`` above 0 they count by the shrunk variance.

    Examples
    --------
    >>> rows = np.array([[0.0, 0.0], [1.0, 1.1], [2.0, 1.9], [3.0, 3.1], [4.0, 3.9], [5.0, 0.0]])
    >>> model = Mahalanobis(contamination=0.2).fit(rows)
    >>> model.predict(rows).tolist()
    [1, 1, 1, 1, 1, -1]
    >>> int(model.score_samples(rows).argmin())
    5
    """

    location_: NDArray[np.float64]
    covariance_: Matrix
    shrinkage_: float
    rank_: int
    threshold_: float
    offset_: float
    n_features_in_: int

    def __init__(
        self,
        *,
        shrinkage: float | Literal["ledoit_wolf"] | None = None,
        contamination: float | Literal["auto"] = 0.1,
    ) -> None:
        self.shrinkage = shrinkage
        self.contamination = contamination

    def fit(self, X: Any, y: Any = None) -> Self:  # noqa: ARG002 - scikit-learn's contract
        """Learn what is normal from ``X``; computes at once.

        Parameters
        ----------
        X
            Rows (n_rows, n_features), at least two: ndarray, ``DataFrame``, Dask array or ``DataArray``.
        y
            Ignored.

        Raises
        ------
        ParameterError
            If a parameter is out of bounds.
        ValueError
            If there are fewer than two rows, or values that are not finite (the error names the column).
        """
        self._check_parameters()
        rows, n_rows = read_rows(self, X, reset=True, min_rows=2).counted()
        scanned = rows.reduce(Scan(n_rows, 0, 0), Scan.merge)
        grid = Grid.spanning(scanned.low, scanned.high, n_rows, limb_bits=LIMB_BITS)
        gram = rows.reduce(GramOf(grid), Gram.merge)
        self.location_, covariance = mean_and_covariance(gram, grid, n_rows)
        self.shrinkage_ = self._shrinkage(rows, covariance, n_rows)
        self.covariance_ = shrunk(covariance, self.shrinkage_) if self.shrinkage_ else covariance
        self._whitening = whitening(self.covariance_)
        self.rank_ = len(self._whitening)
        self.threshold_ = self._threshold(rows, n_rows)
        self.offset_ = -self.threshold_
        return self

    def score_samples(self, X: Any) -> Any:
        """Return minus the squared Mahalanobis distance of every row of ``X``, float64: higher is more normal."""
        check_is_fitted(self)
        return read_rows(self, X, reset=False).map(self._score, np.float64)

    def decision_function(self, X: Any) -> Any:
        """Return ``score_samples(X) - offset_``: below 0 for outliers."""
        return self.score_samples(X) - self.offset_

    def predict(self, X: Any) -> Any:
        """Return for every row of ``X`` 1 if it is normal and -1 if it is an outlier."""
        check_is_fitted(self)
        return read_rows(self, X, reset=False).map(_Verdict(self._score, self.offset_), np.int64)

    @property
    def _score(self) -> _Score:
        return _Score(self.location_, self._whitening)

    def _shrinkage(self, rows: Rows, covariance: Matrix, n_rows: int) -> float:
        if self.shrinkage == "ledoit_wolf":
            fourth = rows.reduce(FourthPower(self.location_), int.__add__)
            return ledoit_wolf(covariance, fourth, n_rows)
        return float(self.shrinkage or 0.0)

    def _threshold(self, rows: Rows, n_rows: int) -> float:
        if self.contamination == "auto":
            return float(chi2.ppf(_AUTO, self.rank_)) if self.rank_ else 0.0
        place = self.contamination * (n_rows - 1)
        count = ceil(place) + 1
        lowest = rows.reduce(_Lowest(self._score, count), _MergeLowest(count))
        below, above = lowest[int(place)], lowest[min(ceil(place), len(lowest) - 1)]
        return -float(below + (above - below) * (place - int(place)))

    def _check_parameters(self) -> None:
        if self.shrinkage != "ledoit_wolf" and self.shrinkage is not None and not _between(self.shrinkage, 0, 1):
            raise ParameterError(
                f"Mahalanobis: shrinkage must be None, 'ledoit_wolf' or a number from 0 to 1 (got {self.shrinkage!r})"
            )
        if self.contamination != "auto" and not (_between(self.contamination, 0, 0.5) and self.contamination > 0):
            raise ParameterError(
                f"Mahalanobis: contamination must be 'auto' or a number above 0, up to 0.5 (got {self.contamination!r})"
            )


def _between(value: Any, low: float, high: float) -> bool:
    return isinstance(value, int | float | np.number) and not isinstance(value, bool) and bool(low <= value <= high)


class _Score:
    """Minus the squared length of whitened rows, every row by itself and column after column."""

    def __init__(self, location: NDArray[np.float64], whitening_matrix: Matrix) -> None:
        self.location = location
        self.whitening = whitening_matrix

    def __call__(self, block: Floats) -> NDArray[np.float64]:
        return -whitened_lengths(block, self.location, self.whitening)


class _Verdict:
    def __init__(self, score: _Score, offset: float) -> None:
        self.score = score
        self.offset = offset

    def __call__(self, block: Floats) -> NDArray[np.int64]:
        return np.where(self.score(block) - self.offset < 0, -1, 1)


class _Lowest:
    """The ``count`` lowest scores of a block, in order."""

    def __init__(self, score: _Score, count: int) -> None:
        self.score = score
        self.count = count

    def __call__(self, block: Floats, first: int) -> NDArray[np.float64]:  # noqa: ARG002
        return np.sort(self.score(block))[: self.count]


class _MergeLowest:
    def __init__(self, count: int) -> None:
        self.count = count

    def __call__(self, first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.sort(np.concatenate([first, second]))[: self.count]
