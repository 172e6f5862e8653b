"""Means and covariances as exact integers: matrix products of whole numbers, the same on any BLAS and in any order.

The rows are put on a grid (:class:`bigimg.learn.exact.Grid`) and each whole number is split into two limbs of at most
21 bits. A product of two limbs has 42 bits, and 2048 of them add up to less than 2^53: a float64 matrix product of
limbs is exact in whatever order a BLAS takes it (the idea of Ozaki et al., Numerical Algorithms 59, 2012). Sums over
blocks are int64, what they are put together to is a Python integer, and centring happens there, where nothing
cancels.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from bigimg.learn.exact import UNIT, Floats, Grid, total
from bigimg.learn.nearest import squared_distances

LIMB_BITS = 21
"""2 * 21 bits and 2^11 rows are 2^53."""
_ROWS = 2048

Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class Gram:
    """Sums of whole numbers and of their limbs' products over some rows."""

    sums: NDArray[np.int64]
    """(columns,)"""
    products: NDArray[np.int64]
    """(3, columns, columns): high x high, high x low, low x low."""

    @staticmethod
    def merge(first: Gram, second: Gram) -> Gram:
        """Return the sums over the rows of both."""
        return Gram(first.sums + second.sums, first.products + second.products)


@dataclass(frozen=True)
class GramOf:
    """The :class:`Gram` of a block."""

    grid: Grid

    def __call__(self, block: Floats, first: int) -> Gram:  # noqa: ARG002
        """Sum one block."""
        columns = block.shape[1]
        sums = np.zeros(columns, np.int64)
        products = np.zeros((3, columns, columns), np.int64)
        half = self.grid.bits // 2
        for start in range(0, len(block), _ROWS):
            whole = self.grid.whole(block[start : start + _ROWS])
            upper = (whole + (1 << (half - 1))) >> half
            high, low = upper.astype(np.float64), (whole - (upper << half)).astype(np.float64)
            sums += whole.sum(axis=0)
            products += np.stack([high.T @ high, high.T @ low, low.T @ low]).astype(np.int64)
        return Gram(sums, products)


def mean_and_covariance(gram: Gram, grid: Grid, n_rows: int) -> tuple[NDArray[np.float64], Matrix]:
    """Return the mean (columns,) and the covariance (columns, columns; divided by the number of rows).

    A column of one value has a variance of exactly 0.
    """
    half = grid.bits // 2
    high, mixed, low = gram.products.astype(object)
    squares = (high << 2 * half) + ((mixed + mixed.T) << half) + low
    sums = gram.sums.astype(object)
    centred = n_rows * squares - np.outer(sums, sums)
    # Dividing Python integers rounds once, and correctly, however long they are.
    covariance = (centred / n_rows**2).astype(np.float64)
    covariance = np.ldexp(covariance, -(grid.exponent[:, None] + grid.exponent[None, :]))
    return grid.mean(gram.sums[None], np.array([n_rows]))[0], covariance


@dataclass(frozen=True)
class FourthPower:
    """Sum of the fourth powers of the distances to the mean, exactly."""

    mean: NDArray[np.float64]

    def __call__(self, block: Floats, first: int) -> int:  # noqa: ARG002
        """Sum one block."""
        return total(squared_distances(block, self.mean[None])[:, 0] ** 2)


def ledoit_wolf(covariance: Matrix, fourth: int, n_rows: int) -> float:
    """Return the best share of shrinkage by Ledoit and Wolf (2004), as ``sklearn.covariance.ledoit_wolf_shrinkage``.

    Parameters
    ----------
    covariance
        Divided by the number of rows.
    fourth
        Sum of the fourth powers of the distances to the mean, in ``UNIT``.
    """
    columns = len(covariance)
    if columns == 1:
        return 0.0
    exact = [[Fraction(value) for value in row] for row in covariance.tolist()]
    trace = sum((exact[i][i] for i in range(columns)), Fraction(0))
    squared = sum((value * value for row in exact for value in row), Fraction(0))
    beta = (fourth * UNIT / n_rows - squared) / (columns * n_rows)
    delta = (squared - trace * trace / columns) / columns
    return float(max(Fraction(0), min(beta, delta)) / delta) if delta > 0 else 0.0


def shrunk(covariance: Matrix, shrinkage: float) -> Matrix:
    """Return ``(1 - shrinkage) * covariance + shrinkage * (mean variance) * identity``."""
    result = (1.0 - shrinkage) * covariance
    diagonal = np.arange(len(covariance))
    result[diagonal, diagonal] += shrinkage * np.cumsum(np.diag(covariance))[-1] / len(covariance)
    return result


def whitening(covariance: Matrix) -> Matrix:
    """Return the matrix (rank, columns) that gives rows with this covariance unit variances and no correlation.

    Columns without variance, and combinations of columns without any (up to rounding), are left out: the pseudo-inverse
    of the correlation matrix. Correlations, not covariances, because a column of range 1e-3 beside one of 1e6 is small
    but not empty.
    """
    spread = np.sqrt(np.diag(covariance))
    used = np.flatnonzero(spread > 0)
    if not len(used):
        return np.zeros((0, len(covariance)))
    correlation = covariance[np.ix_(used, used)] / np.outer(spread[used], spread[used])
    values, vectors = _eigenvectors(correlation)
    kept = values > values[-1] * len(used) * 8 * np.finfo(np.float64).eps
    result = np.zeros((int(kept.sum()), len(covariance)))
    result[:, used] = vectors[:, kept].T / np.sqrt(values[kept])[:, None] / spread[used]
    return result


def _eigenvectors(symmetric: Matrix) -> tuple[Any, Any]:
    # LAPACK's last bits depend on the number of BLAS threads.
    with threadpool_limits(1, user_api="blas"):
        return np.linalg.eigh(symmetric)
