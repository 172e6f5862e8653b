"""The loops of contrast limited adaptive histogram equalisation: count regions, clip counts, look between curves.

Images come as volumes (planes, rows, columns); an image of one plane has one region along the planes.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

Levels = NDArray[np.uint16]
Integers = NDArray[np.int64]


@njit(nogil=True, cache=True)
def count(
    counts: Integers,
    levels: Levels,
    valid: NDArray[np.bool_],
    masked: bool,
    planes: Integers,
    rows: Integers,
    columns: Integers,
    more_planes: Integers,
    more_rows: Integers,
    more_columns: Integers,
) -> None:
    """Count the levels of a tile in its regions, and mirrored pixels in the last ones as often as they appear there."""
    # Four histograms a row: an equal level right after the last one would have to wait for its count to be stored.
    bins = counts.shape[3]
    banks = np.zeros((4, counts.shape[2] * bins), np.uint32)
    starts = (columns * bins).astype(np.uint32)
    mirrored = np.flatnonzero(more_columns)
    for z in range(levels.shape[0]):
        for y in range(levels.shape[1]):
            line = levels[z, y]
            for x in range(line.shape[0]):
                if not masked or valid[z, y, x]:
                    banks[x & 3, starts[x] + line[x]] += np.uint32(1)
            if more_planes[z] + more_rows[y] > 0:
                for x in range(line.shape[0]):
                    if not masked or valid[z, y, x]:
                        weights = more_planes[z], more_rows[y], more_columns[x]
                        _count_mirrored(counts, line[x], (planes[z], rows[y], columns[x]), weights)
            else:
                for again in mirrored:
                    if not masked or valid[z, y, again]:
                        region = planes[z], rows[y], columns[again]
                        _count_mirrored(counts, line[again], region, (0, 0, more_columns[again]))
            if y + 1 == levels.shape[1] or rows[y + 1] != rows[y]:
                found = counts[planes[z], rows[y]].reshape(-1)
                for bank in range(4):
                    for place in range(found.shape[0]):
                        found[place] += banks[bank, place]
                banks[:] = 0


@njit(nogil=True, cache=True)
def _count_mirrored(counts: Integers, level: int, region: tuple[int, int, int], weights: tuple[int, int, int]) -> None:
    """Count a pixel in the last regions along the axes where it appears mirrored, and along several at once."""
    for corner in range(1, 8):
        a, b, c = region
        weight = 1
        if corner & 4:
            a, weight = counts.shape[0] - 1, weight * weights[0]
        if corner & 2:
            b, weight = counts.shape[1] - 1, weight * weights[1]
        if corner & 1:
            c, weight = counts.shape[2] - 1, weight * weights[2]
        if weight:
            counts[a, b, c, level] += weight


@njit(nogil=True, cache=True)
def clip(counts: Integers, limit: int) -> None:
    """Give what bins hold above ``limit`` to the others, in the order of scikit-image."""
    bins = counts.shape[0]
    excess = 0
    for i in range(bins):
        if counts[i] > limit:
            excess += counts[i] - limit
            counts[i] = limit
    each = excess // bins
    upper = limit - each
    for i in range(bins):
        if counts[i] < upper:
            counts[i] += each
            excess -= each
    for i in range(bins):
        if upper <= counts[i] < limit:
            excess += counts[i] - limit
            counts[i] = limit
    while excess > 0:
        excess = _give_often(counts, limit, excess)
        before = excess
        for start in range(bins):
            below = 0
            for i in range(bins):
                below += counts[i] < limit
            given = 0
            for i in range(start, bins, max(1, below // excess)):
                if counts[i] < limit:
                    counts[i] += 1
                    given += 1
            excess -= given
            if excess <= 0:
                break
        if excess == before:
            break


@njit(nogil=True, cache=True)
def _give_often(counts: Integers, limit: int, excess: int) -> int:
    """Give as many rounds at once as fill no bin and leave enough for one more; return what is left.

    A round starts at each bin in turn and gives one to all from there on: to the first bin one, to the second two.
    """
    each = 0
    for i in range(counts.shape[0]):
        each += i + 1 if counts[i] < limit else 0
    if each == 0:
        return excess
    rounds = excess // each - 1
    for i in range(counts.shape[0]):
        if counts[i] < limit:
            rounds = min(rounds, (limit - counts[i]) // (i + 1))
    if rounds <= 0:
        return excess
    for i in range(counts.shape[0]):
        if counts[i] < limit:
            counts[i] += rounds * (i + 1)
    return excess - rounds * each


@njit(nogil=True, cache=True)
def interpolate(
    out: Levels,
    levels: Levels,
    curves: Levels,
    filled: NDArray[np.bool_],
    whole: bool,
    plane_before: Integers,
    plane_after: Integers,
    plane_share: NDArray[np.float64],
    row_before: Integers,
    row_after: Integers,
    row_share: NDArray[np.float64],
    column_before: Integers,
    column_after: Integers,
    column_share: NDArray[np.float64],
) -> None:
    """Put each pixel between the curves of the regions before and after it along each axis."""
    bins = curves.shape[3]
    left, right = (column_before * bins).astype(np.uint64), (column_after * bins).astype(np.uint64)
    deep = 2 if plane_share.any() else 1
    total = np.empty(levels.shape[2], np.float32)
    for z in range(levels.shape[0]):
        for y in range(levels.shape[1]):
            line = levels[z, y]
            if not whole:
                for x in range(line.shape[0]):
                    planes, rows = (plane_before[z], plane_after[z]), (row_before[y], row_after[y])
                    shares = plane_share[z], row_share[y], column_share[x]
                    columns = column_before[x], column_after[x]
                    out[z, y, x] = _between_some(line[x], curves, filled, planes, rows, columns, shares)
                continue
            total[:] = 0
            for front in range(deep):
                plane = plane_after[z] if front else plane_before[z]
                depth = plane_share[z] if front else 1 - plane_share[z]
                for below in range(2):
                    row = row_after[y] if below else row_before[y]
                    height = row_share[y] if below else 1 - row_share[y]
                    found = curves[plane, row].reshape(-1)
                    for x in range(line.shape[0]):
                        # The order of products and the rounding of each term are scikit-image's.
                        share = column_share[x]
                        level = np.uint64(line[x])
                        first = np.float64(found[left[x] + level]) * ((1 - share) * height * depth)
                        second = np.float64(found[right[x] + level]) * (share * height * depth)
                        total[x] = (total[x] + np.float32(first)) + np.float32(second)
            for x in range(line.shape[0]):
                out[z, y, x] = np.uint16(total[x])


@njit(nogil=True, cache=True)
def _between_some(
    level: int,
    curves: Levels,
    filled: NDArray[np.bool_],
    planes: tuple[int, int],
    rows: tuple[int, int],
    columns: tuple[int, int],
    shares: tuple[float, float, float],
) -> Any:
    """Return the grey level between those curves around a pixel that there are."""
    total, weights, weighted, complete = np.float32(0), 0.0, 0.0, True
    for corner in range(8):
        front, below, right = corner >> 2, corner >> 1 & 1, corner & 1
        depth = shares[0] if front else 1 - shares[0]
        height = shares[1] if below else 1 - shares[1]
        width = shares[2] if right else 1 - shares[2]
        weight = width * height * depth
        if weight > 0:
            plane, row, column = planes[front], rows[below], columns[right]
            if filled[plane, row, column]:
                term = np.float64(curves[plane, row, column, level]) * weight
                total += np.float32(term)
                weights += weight
                weighted += term
            else:
                complete = False
    if complete:
        return np.uint16(total)
    return np.uint16(np.float32(weighted / weights)) if weights > 0 else np.uint16(0)  # else the pixel is not valid
