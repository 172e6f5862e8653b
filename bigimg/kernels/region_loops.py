"""Passes over the runs of a labelled tile: numba loops that only add, compare and collect.

Every loop begins with the arrays of :class:`~bigimg.kernels.label_runs.LabelRuns`. The coordinates of a run are summed
by formula, so the cost of shape is by run and not by pixel; only intensities are looked at pixel by pixel.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from bigimg.kernels.exact_sums import add_product, add_shifted, add_square, decode

Pixels = NDArray[Any]
Index = NDArray[np.int64]


@njit(nogil=True, cache=True)
def extents(
    row_start: Index,
    start: NDArray[np.int32],
    stop: NDArray[np.int32],
    item: Index,
    height: int,
    area: Index,
    lower: Index,
    upper: Index,
) -> None:
    """Count pixels and find the bounding box, (plane, row, column), of each label."""
    for row in range(row_start.size - 1):
        z, y = row // height, row % height
        for run in range(row_start[row], row_start[row + 1]):
            k = item[run]
            area[k] += stop[run] - start[run]
            lower[k, 0] = min(lower[k, 0], z)
            lower[k, 1] = min(lower[k, 1], y)
            lower[k, 2] = min(lower[k, 2], start[run])
            upper[k, 0] = max(upper[k, 0], z + 1)
            upper[k, 1] = max(upper[k, 1], y + 1)
            upper[k, 2] = max(upper[k, 2], stop[run])


@njit(nogil=True, cache=True)
def _power_sum(below: np.uint64, power: int) -> np.uint64:
    """Return the sum of ``x**power`` for x from 0 to ``below - 1``, power 0 to 3 (Faulhaber's formulas)."""
    one, two = np.uint64(1), np.uint64(2)
    if power == 0 or below == 0:
        return below
    triangle = below * (below - one) // two
    if power == 1:
        return triangle
    if power == 2:
        return triangle * (two * below - one) // np.uint64(3)
    return triangle * triangle


@njit(nogil=True, cache=True)
def moment_sums(
    row_start: Index,
    start: NDArray[np.int32],
    stop: NDArray[np.int32],
    item: Index,
    height: int,
    powers: Index,
    digits: NDArray[np.int64],
) -> None:
    """Add ``z**a * y**b * x**c`` over the pixels of each label about the first pixel of the tile.

    ``digits`` has shape (labels, powers, 1) where every sum of this tile fits into 63 bits, else (labels, powers, 4).
    """
    lead = np.empty(len(powers), np.uint64)
    sums = np.empty(4, np.uint64)
    narrow = digits.shape[2] == 1
    highest = powers[:, 2].max()
    for row in range(row_start.size - 1):
        if row_start[row] == row_start[row + 1]:
            continue
        for p in range(len(powers)):
            lead[p] = np.uint64((row // height) ** powers[p, 0] * (row % height) ** powers[p, 1])
        for run in range(row_start[row], row_start[row + 1]):
            for power in range(highest + 1):
                sums[power] = _power_sum(np.uint64(stop[run]), power) - _power_sum(np.uint64(start[run]), power)
            totals = digits[item[run]]
            for p in range(len(powers)):
                if narrow:
                    totals[p, 0] += np.int64(lead[p] * sums[powers[p, 2]])
                else:
                    add_product(totals[p], lead[p], sums[powers[p, 2]])


@njit(nogil=True, cache=True)
def narrow_sums(
    row_start: Index,
    start: NDArray[np.int32],
    stop: NDArray[np.int32],
    item: Index,
    pixels: Pixels,
    sums: NDArray[np.int64],
    squares: NDArray[np.int64],
) -> None:
    """Add values and their squares, of integers of at most 16 bits, in int64; ``pixels`` (channels, rows, columns)."""
    for channel in range(pixels.shape[0]):
        for row in range(row_start.size - 1):
            for run in range(row_start[row], row_start[row + 1]):
                total = np.int64(0)
                square = np.int64(0)
                for column in range(np.uintp(start[run]), np.uintp(stop[run])):
                    value = np.int64(pixels[channel, row, column])
                    total += value
                    square += value * value
                sums[item[run], channel, 0] += total
                squares[item[run], channel, 0] += square


@njit(nogil=True, cache=True)
def position_range(
    row_start: Index,
    start: NDArray[np.int32],
    stop: NDArray[np.int32],
    bits: Pixels,
    mantissa_bits: int,
) -> tuple[int, int, int]:
    """Return the lowest and the highest position of a float that is not 0, and how many are NaN or infinite."""
    lowest, highest, bad = 1 << 30, 0, 0
    width = bits.itemsize * 8
    for channel in range(bits.shape[0]):
        for row in range(row_start.size - 1):
            for run in range(row_start[row], row_start[row + 1]):
                for column in range(start[run], stop[run]):
                    word = np.uint64(bits[channel, row, column])
                    magnitude, position, _ = decode(word, mantissa_bits, True, width)
                    if position < 0:
                        bad += 1
                    elif magnitude:
                        lowest = min(lowest, position)
                        highest = max(highest, position)
    return min(lowest, highest), highest, bad


@njit(nogil=True, cache=True)
def wide_sums(
    row_start: Index,
    start: NDArray[np.int32],
    stop: NDArray[np.int32],
    item: Index,
    bits: Pixels,
    mantissa_bits: int,
    signed: bool,
    lowest: int,
    sums: NDArray[np.int64],
    squares: NDArray[np.int64],
) -> None:
    """Add values and their squares, of any number format, digit by digit; ``squares`` may have no digits."""
    width = bits.itemsize * 8
    squared = squares.shape[2] > 0
    for channel in range(bits.shape[0]):
        for row in range(row_start.size - 1):
            for run in range(row_start[row], row_start[row + 1]):
                total = sums[item[run], channel]
                square = squares[item[run], channel]
                for column in range(start[run], stop[run]):
                    word = np.uint64(bits[channel, row, column])
                    magnitude, position, sign = decode(word, mantissa_bits, signed, width)
                    if magnitude:
                        add_shifted(total, magnitude, position - lowest, sign)
                        if squared:
                            add_square(square, magnitude, position - lowest)


@njit(nogil=True, cache=True)
def extremes(
    row_start: Index,
    start: NDArray[np.int32],
    stop: NDArray[np.int32],
    item: Index,
    pixels: Pixels,
    lowest: Pixels,
    highest: Pixels,
) -> None:
    """Lower ``lowest`` and raise ``highest``, both (labels, channels), to the extremes of each label."""
    for channel in range(pixels.shape[0]):
        for row in range(row_start.size - 1):
            for run in range(row_start[row], row_start[row + 1]):
                low = lowest[item[run], channel]
                high = highest[item[run], channel]
                for column in range(np.uintp(start[run]), np.uintp(stop[run])):
                    value = pixels[channel, row, column]
                    low = min(low, value)
                    high = max(high, value)
                lowest[item[run], channel] = low
                highest[item[run], channel] = high


@njit(nogil=True, cache=True)
def gather(
    row_start: Index,
    start: NDArray[np.int32],
    stop: NDArray[np.int32],
    item: Index,
    pixels: Pixels,
    offset: Index,
) -> Pixels:
    """Return the values of one channel, (rows, columns), grouped: label ``k`` from ``offset[k]`` to ``offset[k + 1]``.

    It is compiled for each dtype: give it sort keys, of which there are four.
    """
    values = np.empty(offset[-1], pixels.dtype)
    filled = offset.copy()
    for row in range(row_start.size - 1):
        for run in range(row_start[row], row_start[row + 1]):
            k = item[run]
            for column in range(start[run], stop[run]):
                values[filled[k]] = pixels[row, column]
                filled[k] += 1
    return values


@njit(nogil=True, cache=True)
def _select(group: Pixels, rank: int) -> Any:
    """Return the value of ``rank`` in order, and leave no larger one before it (C. A. R. Hoare's FIND, 1961)."""
    low, high = 0, group.size - 1
    state = np.uint64(high)
    while low < high:
        # Not the middle: over the rows of a bright round object the values go up and down, which would cost n**2.
        state = state * np.uint64(6364136223846793005) + np.uint64(1442695040888963407)
        pivot = group[low + np.int64((state >> np.uint64(33)) % np.uint64(high - low + 1))]
        i, j = low, high
        while i <= j:
            while group[i] < pivot:
                i += 1
            while group[j] > pivot:
                j -= 1
            if i <= j:
                group[i], group[j] = group[j], group[i]
                i += 1
                j -= 1
        if rank <= j:
            high = j
        elif rank >= i:
            low = i
        else:
            break
    return group[rank]


@njit(nogil=True, cache=True)
def middles(values: Pixels, offset: Index, which: Index) -> Pixels:
    """Return the middle two values, (2, groups), of the groups named in ``which``; of an odd number one of them twice.

    The values of a group are put into another order.
    """
    out = np.empty((2, which.size), values.dtype)
    for i in range(which.size):
        group = values[offset[which[i]] : offset[which[i] + 1]]
        middle = group.size // 2
        out[1, i] = _select(group, middle)
        out[0, i] = out[1, i] if group.size % 2 else group[:middle].max()
    return out
