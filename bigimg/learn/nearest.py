"""Which centre a row is nearest to, by differences in float64 taken column after column.

Every row is computed by itself and in one order, so that its label and distance depend on nothing but the row and the
centres: not on the block it came in, the threads of a BLAS, or the vector width of the machine. There is no matrix
product here for that reason, and none is missed: 64 rows are worked on side by side, which the compiler turns into
vector instructions, at the speed of a matrix product for the numbers of clusters and columns met in practice.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from bigimg.learn.exact import Floats, Grid

_LANES = 64


def nearest(rows: Floats, centres: Floats) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """Return for each of ``rows`` (n, columns) the nearest of ``centres`` (k, columns) and the squared distance to it.

    Of equally near centres it is the first.

    Examples
    --------
    >>> labels, squared = nearest(np.array([[0.0], [4.0]]), np.array([[1.0], [6.0]]))
    >>> labels.tolist(), squared.tolist()
    ([0, 1], [1.0, 4.0])
    """
    labels = np.zeros(len(rows), np.int32)
    squared = np.zeros(len(rows), np.float64)
    _nearest(np.ascontiguousarray(rows), np.ascontiguousarray(centres, np.float64), labels, squared)
    return labels, squared


def squared_distances(rows: Floats, centres: Floats) -> NDArray[np.float64]:
    """Return the squared distances (n, k) of ``rows`` (n, columns) to ``centres`` (k, columns)."""
    result = np.empty((len(rows), len(centres)), np.float64)
    _distances(np.ascontiguousarray(rows), np.ascontiguousarray(centres, np.float64), result)
    return result


def cluster_sums(rows: Floats, labels: NDArray[np.int32], n_clusters: int, grid: Grid) -> NDArray[np.int64]:
    """Return the sums (n_clusters, columns) of the rows of every cluster, in whole numbers of ``grid``."""
    sums = np.zeros((n_clusters, rows.shape[1]), np.int64)
    _sum(np.ascontiguousarray(rows), labels, grid.shift, grid.scale, sums)
    return sums


def whitened_lengths(
    rows: Floats, location: NDArray[np.float64], whitening: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the squared length of ``whitening`` (rank, columns) times the difference of each row to ``location``."""
    result = np.empty(len(rows), np.float64)
    _lengths(np.ascontiguousarray(rows), location, np.ascontiguousarray(whitening), result)
    return result


@numba.njit(nogil=True, cache=True)
def _load(rows: Any, first: int, count: int, lanes: Any) -> None:
    for row in range(count):
        for column in range(rows.shape[1]):
            lanes[column, row] = rows[first + row, column]


@numba.njit(nogil=True, cache=True)
def _measure(lanes: Any, centre: Any, squared: Any) -> None:
    for lane in range(_LANES):
        squared[lane] = 0.0
    for column in range(lanes.shape[0]):
        value = centre[column]
        for lane in range(_LANES):
            difference = lanes[column, lane] - value
            squared[lane] += difference * difference


@numba.njit(nogil=True, cache=True)
def _nearest(rows: Any, centres: Any, labels: Any, distances: Any) -> None:
    lanes = np.zeros((rows.shape[1], _LANES))
    squared = np.empty(_LANES)
    best = np.empty(_LANES)
    label = np.empty(_LANES, np.int32)
    for first in range(0, rows.shape[0], _LANES):
        count = min(_LANES, rows.shape[0] - first)
        _load(rows, first, count, lanes)
        best[:] = np.inf
        label[:] = 0
        for centre in range(centres.shape[0]):
            _measure(lanes, centres[centre], squared)
            for lane in range(_LANES):
                if squared[lane] < best[lane]:
                    best[lane] = squared[lane]
                    label[lane] = centre
        for row in range(count):
            labels[first + row] = label[row]
            distances[first + row] = best[row]


@numba.njit(nogil=True, cache=True)
def _distances(rows: Any, centres: Any, result: Any) -> None:
    lanes = np.zeros((rows.shape[1], _LANES))
    squared = np.empty(_LANES)
    for first in range(0, rows.shape[0], _LANES):
        count = min(_LANES, rows.shape[0] - first)
        _load(rows, first, count, lanes)
        for centre in range(centres.shape[0]):
            _measure(lanes, centres[centre], squared)
            for row in range(count):
                result[first + row, centre] = squared[row]


@numba.njit(nogil=True, cache=True)
def _sum(rows: Any, labels: Any, shift: Any, scale: Any, sums: Any) -> None:
    for row in range(rows.shape[0]):
        own = sums[labels[row]]
        for column in range(rows.shape[1]):
            own[column] += np.int64(np.rint((rows[row, column] - shift[column]) * scale[column]))


@numba.njit(nogil=True, cache=True)
def _lengths(rows: Any, location: Any, whitening: Any, result: Any) -> None:
    lanes = np.zeros((rows.shape[1], _LANES))
    projected = np.empty(_LANES)
    squared = np.empty(_LANES)
    for first in range(0, rows.shape[0], _LANES):
        count = min(_LANES, rows.shape[0] - first)
        _load(rows, first, count, lanes)
        for column in range(lanes.shape[0]):
            lanes[column] -= location[column]
        squared[:] = 0.0
        for direction in range(whitening.shape[0]):
            projected[:] = 0.0
            for column in range(lanes.shape[0]):
                weight = whitening[direction, column]
                for lane in range(_LANES):
                    projected[lane] += lanes[column, lane] * weight
            for lane in range(_LANES):
                squared[lane] += projected[lane] * projected[lane]
        for row in range(count):
            result[first + row] = squared[row]
