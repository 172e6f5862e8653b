"""Lengths of outlines and Euler numbers: counts of small patterns, each at a pixel of the object itself.

scikit-image looks at the whole mask of one object at a time. The same patterns are counted here for all objects of a
tile at once: a pixel of an object sees its neighbours in the tile or its halo, and what has another label is outside.
A window of 2 x 2 (x 2) pixels belongs to the first pixel of the object in it, so that two tiles never both count it.
"""

from __future__ import annotations

import math
from itertools import product
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from bigimg.kernels.label_runs import LabelRuns

Counts = NDArray[np.int64]
Labels = NDArray[Any]

# Which of the three lengths a border pixel adds, by 1 + 2 * (neighbours across edges) + 10 * (across corners); K.
# Benkrid and D. Crookes, Design and FPGA Implementation of a Perimeter Estimator.
_KIND = np.full(64, -1, dtype=np.int64)
_KIND[[5, 7, 15, 17, 25, 27]] = 0
_KIND[[21, 33]] = 1
_KIND[[13, 23]] = 2
_EULER_PLANE = np.array([0, 0, 0, 0, 0, 0, -1, 0, 1, 0, 0, 0, 0, 0, -1, 0])
_STEP, _ROOT = np.pi / 4, np.sqrt(2)
_CROFTON = ((1, 5), (2, 7, 10, 11), (3,), (8, 12), (9, 13))
_CROFTON_WEIGHTS = (_STEP * (1 + 1 / _ROOT), _STEP / _ROOT, 2 * _STEP / _ROOT, _STEP, 2 * _STEP)
# The voxels of a window in raster order, and the bit of each in its code.
_VOXELS = tuple(product((0, 1), repeat=3))
_BITS = np.array([7, 5, 6, 4, 3, 1, 2, 0])


def _euler_weights() -> Counts:
    """Return eight times what each window adds to vertices - edges + faces - voxels: an edge lies in 2, a face in 4."""
    weights = np.zeros(256, dtype=np.int64)
    for code in range(256):
        held = [voxel for voxel, bit in zip(_VOXELS, _BITS.tolist()) if code >> bit & 1]
        for fixed in range(4):
            parts = {tuple((axis, voxel[axis]) for axis in axes) for voxel in held for axes in _AXES[fixed]}
            weights[code] += (-1) ** fixed * 2 ** (3 - fixed) * len(parts)
    return weights


_AXES = [[axes for axes in product(range(3), repeat=fixed) if list(axes) == sorted(set(axes))] for fixed in range(4)]
_EULER_VOLUME = _euler_weights()


def perimeters(runs: LabelRuns, seen: Labels, margin: int) -> Counts:
    """Return how many border pixels of each object, (labels, 3), count 1, sqrt(2) and (1 + sqrt(2)) / 2.

    ``seen`` are the labels, (rows, columns), with ``margin`` pixels, at least 2, around those of ``runs``.
    """
    counts = np.zeros((runs.label.size, 3), dtype=np.int64)
    _count_borders(*runs.arrays, seen, margin, _KIND, counts)
    return counts


def windows(runs: LabelRuns, seen: Labels, margin: int) -> Counts:
    """Return how many windows of each of 16 patterns every object has; of volumes the sum of their Euler weights.

    ``seen`` are the labels with ``margin`` pixels, at least 1, around those of ``runs``.
    """
    if seen.ndim == 2:
        counts = np.zeros((runs.label.size, 16), dtype=np.int64)
        _count_windows(*runs.arrays, seen, margin, counts)
        return counts
    weights = np.zeros((runs.label.size, 1), dtype=np.int64)
    _weigh_windows(*runs.arrays, seen, margin, _EULER_VOLUME, _BITS, weights)
    return weights


def perimeter_length(counts: Counts) -> NDArray[np.float64]:
    """Return the perimeters behind the counts of :func:`perimeters`."""
    straight, corner, mixed = counts.T
    return straight + corner * math.sqrt(2) + mixed * ((1 + math.sqrt(2)) / 2)


def crofton_length(counts: Counts) -> NDArray[np.float64]:
    """Return the perimeters by Crofton's formula behind the counts of :func:`windows`."""
    total = np.zeros(len(counts))
    for codes, weight in zip(_CROFTON, _CROFTON_WEIGHTS):
        total += counts[:, codes].sum(axis=1) * weight
    return total


def euler_numbers(counts: Counts) -> Counts:
    """Return the Euler numbers behind the counts of :func:`windows`."""
    if counts.shape[1] == 1:
        return np.fix(counts[:, 0] / 8).astype(np.int64)
    return counts @ _EULER_PLANE


@njit(nogil=True, cache=True, inline="always")
def _is_border(seen: Labels, row: int, column: int, label: Any) -> bool:
    return (
        seen[row - 1, column] != label
        or seen[row + 1, column] != label
        or seen[row, column - 1] != label
        or seen[row, column + 1] != label
    )


@njit(nogil=True, cache=True)
def _count_borders(
    row_start: Counts,
    start: NDArray[np.int32],
    stop: NDArray[np.int32],
    item: Counts,
    seen: Labels,
    margin: int,
    kind: Counts,
    counts: Counts,
) -> None:
    for line in range(row_start.size - 1):
        row = line + margin
        for run in range(row_start[line], row_start[line + 1]):
            label = seen[row, start[run] + margin]
            for column in range(start[run] + margin, stop[run] + margin):
                if not _is_border(seen, row, column, label):
                    continue
                code = 1
                for y in range(-1, 2):
                    for x in range(-1, 2):
                        near = seen[row + y, column + x] == label and (x != 0 or y != 0)
                        if near and _is_border(seen, row + y, column + x, label):
                            code += 10 if x != 0 and y != 0 else 2
                if kind[code] >= 0:
                    counts[item[run], kind[code]] += 1


@njit(nogil=True, cache=True)
def _count_windows(
    row_start: Counts,
    start: NDArray[np.int32],
    stop: NDArray[np.int32],
    item: Counts,
    seen: Labels,
    margin: int,
    counts: Counts,
) -> None:
    """Count windows by code: 8 above left, 2 above right, 4 below left, 1 below right."""
    for line in range(row_start.size - 1):
        row = line + margin
        for run in range(row_start[line], row_start[line + 1]):
            first, behind = start[run] + margin, stop[run] + margin
            label = seen[row, first]
            totals = counts[item[run]]
            left = seen[row, first - 1] == label
            left_below = seen[row + 1, first - 1] == label
            left_above = seen[row - 1, first - 1] == label
            above = seen[row - 1, first] == label
            for column in range(first, behind):
                below = seen[row + 1, column] == label
                right_above = seen[row - 1, column + 1] == label
                right = seen[row, column + 1] == label
                right_below = seen[row + 1, column + 1] == label
                # This pixel is the first of the window in which it is ...
                totals[8 + 2 * right + 4 * below + right_below] += 1  # ... above left: always
                if not left:  # ... above right
                    totals[2 + 4 * left_below + below] += 1
                if not above and not right_above:  # ... below left
                    totals[4 + right] += 1
                if not left and not above and not left_above:  # ... below right
                    totals[1] += 1
                left, left_below, left_above, above = True, below, above, right_above


@njit(nogil=True, cache=True, inline="always")
def _column_is(seen: Labels, plane: int, row: int, column: int, label: Any) -> bool:
    """Whether the 3 x 3 voxels around this one, of one column, have the label."""
    for z in range(plane - 1, plane + 2):
        for y in range(row - 1, row + 2):
            if seen[z, y, column] != label:
                return False
    return True


@njit(nogil=True, cache=True)
def _weigh_windows(
    row_start: Counts,
    start: NDArray[np.int32],
    stop: NDArray[np.int32],
    item: Counts,
    seen: Labels,
    margin: int,
    weight: Counts,
    bits: Counts,
    sums: Counts,
) -> None:
    """Add the weights of windows of 2 x 2 x 2 voxels."""
    height = seen.shape[1] - 2 * margin
    for line in range(row_start.size - 1):
        plane, row = line // height + margin, line % height + margin
        for run in range(row_start[line], row_start[line + 1]):
            first = start[run] + margin
            label = seen[plane, row, first]
            left = _column_is(seen, plane, row, first - 1, label)
            here = _column_is(seen, plane, row, first, label)
            for column in range(first, stop[run] + margin):
                right = _column_is(seen, plane, row, column + 1, label)
                inside, left, here = left and here and right, here, right
                if inside:  # every window is full, and counts nothing
                    continue
                for own in range(8):  # the place of this voxel in the window
                    code = 0
                    foremost = True
                    for place in range(8):
                        z = plane + (place >> 2) - (own >> 2)
                        y = row + (place >> 1 & 1) - (own >> 1 & 1)
                        x = column + (place & 1) - (own & 1)
                        if seen[z, y, x] == label:
                            foremost = foremost and place >= own
                            code |= 1 << bits[place]
                    if foremost:
                        sums[item[run], 0] += weight[code]
