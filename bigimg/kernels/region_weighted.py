"""Moments of intensity over the labels of a tile, without rounding.

The moments of an object are about the corner of its bounding box in the tile, so that those of small objects in integer
images fit into int64. Where they do not, and for floats, whose bits are integers too, they are added digit by digit:
each run in pieces short enough that a digit of a pixel times the third power of its place fits into int64, each piece
moved by the binomial theorem.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from bigimg.kernels.exact_sums import NumberFormat, add_product, as_integers, decode, digits_for
from bigimg.kernels.label_runs import LabelRuns

Pixels = NDArray[Any]
Index = NDArray[np.int64]

_FITS = 2.0**62
_PIECE = 128
_BATCH = 2**22
"""How many digits are summed at once: the large objects of a tile go through it in groups."""


def weighted_moments(
    runs: LabelRuns, shape: tuple[int, ...], pixels: Pixels, bounds: tuple[Index, Index], lowest: int, reach: int,
    powers: list[tuple[int, ...]],
) -> tuple[NDArray[Any], NDArray[np.bool_]]:  # fmt: skip
    """Return the moments of intensity, (labels, channels, powers), and for which labels they fit into int64.

    Parameters
    ----------
    runs : LabelRuns
        The labelled pixels.
    shape : tuple of int
        Shape of the tile.
    pixels : (C, rows, columns) array
        Intensities.
    bounds : two (labels, 3) arrays
        Bounding boxes in the tile.
    lowest, reach : int
        The lowest exponent of a float, and how far the highest is above it; 0 for integers.
    powers : list of tuple of int
        The powers along each axis.

    Returns
    -------
    sums : int64 array, or array of Python integers where some do not fit
        Sums of ``intensity * z**a * y**b * x**c`` from the corner of each box, in units of ``2**lowest``.
    fits : boolean array
        Whether those of a label, and its central moments, are surely below 2**62.
    """
    full = np.zeros((len(powers), 3), dtype=np.int64)
    full[:, 3 - len(shape) :] = powers
    lower, upper = bounds
    fits = _fit(pixels, upper - lower, int(full.max()))
    size = (runs.label.size, pixels.shape[0], len(powers))
    sums: NDArray[Any] = np.zeros(size, dtype=np.int64)
    if fits.any():
        _narrow(*runs.arrays, shape[-2], lower, fits, pixels.astype(np.int64, copy=False), full, sums)
    if fits.all():
        return sums, fits
    sums = sums.astype(object)
    number = NumberFormat.of(pixels.dtype)
    bits = pixels.view(f"u{pixels.dtype.itemsize}")
    places = digits_for(reach)
    wide = np.flatnonzero(~fits)
    step = max(1, _BATCH // (size[1] * size[2] * (places + 6)))
    for first in range(0, len(wide), step):
        group = wide[first : first + step]
        slot = np.full(runs.label.size, -1, dtype=np.int64)
        slot[group] = np.arange(len(group))
        digits = np.zeros((len(group), *size[1:], places + 6), dtype=np.int64)
        form = number.mantissa_bits, number.signed
        _wide(*runs.arrays, shape[-2], lower, slot, bits, *form, lowest, places, full, digits)
        sums[group] = as_integers(digits)
    return sums, fits


def _fit(pixels: Pixels, sides: Index, order: int) -> NDArray[np.bool_]:
    """Return which labels have moments that surely fit: of integers of one sign, whose centroid is in their box."""
    if pixels.dtype.kind == "f" or pixels.size == 0:
        return np.full(len(sides), pixels.size == 0)
    least, most = int(pixels.min()), int(pixels.max())
    if least < 0:
        return np.zeros(len(sides), dtype=np.bool_)
    sides = sides.astype(np.float64)
    box = sides.prod(axis=1) * np.maximum(sides, 1).prod(axis=1) ** order
    if order > 1:  # sums of powers are less than the largest times their number
        box = np.minimum(box, np.maximum((sides + 1) ** (order + 1) / (order + 1), sides).prod(axis=1))
    return np.asarray(box * max(1, most) < _FITS)


@njit(nogil=True, cache=True)
def _narrow(
    row_start: Index,
    start: NDArray[np.int32],
    stop: NDArray[np.int32],
    item: Index,
    height: int,
    lower: Index,
    wanted: NDArray[np.bool_],
    pixels: Index,
    powers: Index,
    sums: Index,
) -> None:
    highest = powers[:, 2].max()
    along = np.empty(4, np.int64)
    lead = np.empty(len(powers), np.int64)
    for channel in range(pixels.shape[0]):
        for row in range(row_start.size - 1):
            for run in range(row_start[row], row_start[row + 1]):
                k = item[run]
                if not wanted[k]:
                    continue
                z, y = row // height - lower[k, 0], row % height - lower[k, 1]
                s0 = s1 = s2 = s3 = np.int64(0)
                left = lower[k, 2]
                for column in range(start[run], stop[run]):
                    value = pixels[channel, row, column]
                    x = column - left
                    s0 += value
                    s1 += value * x
                    if highest > 1:
                        s2 += value * x * x
                        s3 += value * x * x * x
                along[0], along[1], along[2], along[3] = s0, s1, s2, s3
                totals = sums[k, channel]
                for p in range(len(powers)):
                    lead[p] = z ** powers[p, 0] * y ** powers[p, 1]
                    totals[p] += lead[p] * along[powers[p, 2]]


@njit(nogil=True, cache=True)
def _wide(
    row_start: Index,
    start: NDArray[np.int32],
    stop: NDArray[np.int32],
    item: Index,
    height: int,
    lower: Index,
    slot: Index,
    bits: Pixels,
    mantissa_bits: int,
    signed: bool,
    lowest: int,
    places: int,
    powers: Index,
    digits: Index,
) -> None:
    width = bits.itemsize * 8
    highest = powers[:, 2].max()
    choose = np.array([[1, 0, 0, 0], [1, 1, 0, 0], [1, 2, 1, 0], [1, 3, 3, 1]], np.uint64)
    piece = np.zeros((places, 4), np.int64)
    moved = np.zeros((4, 5), np.int64)
    low_half = np.uint64(2**32 - 1)
    for channel in range(bits.shape[0]):
        for row in range(row_start.size - 1):
            for run in range(row_start[row], row_start[row + 1]):
                k = item[run]
                if slot[k] < 0:
                    continue
                z, y = row // height - lower[k, 0], row % height - lower[k, 1]
                totals = digits[slot[k], channel]
                for first in range(start[run], stop[run], _PIECE):
                    piece[:] = 0
                    used_from, used_to = places, 0
                    for column in range(first, min(first + _PIECE, stop[run])):
                        word = np.uint64(bits[channel, row, column])
                        magnitude, position, sign = decode(word, mantissa_bits, signed, width)
                        if magnitude == 0:
                            continue
                        place = (position - lowest) >> 5
                        offset = np.uint64((position - lowest) & 31)
                        low = (magnitude & low_half) << offset
                        high = (magnitude >> np.uint64(32)) << offset
                        used_from, used_to = min(used_from, place), max(used_to, place + 3)
                        x = np.int64(column - first)
                        for part in range(3):
                            if part == 0:
                                digit = np.int64(low & low_half)
                            elif part == 1:
                                digit = np.int64(low >> np.uint64(32)) + np.int64(high & low_half)
                            else:
                                digit = np.int64(high >> np.uint64(32))
                            digit *= sign
                            piece[place + part, 0] += digit
                            piece[place + part, 1] += digit * x
                            if highest > 1:
                                piece[place + part, 2] += digit * x * x
                                piece[place + part, 3] += digit * x * x * x
                    base = np.uint64(first - lower[k, 2])
                    for place in range(used_from, used_to):
                        moved[:] = 0
                        for power in range(highest + 1):
                            for part in range(power + 1):
                                add_signed(
                                    moved[power], piece[place, part], choose[power, part] * base ** (power - part)
                                )
                            carry(moved[power])
                        for p in range(len(powers)):
                            lead = np.uint64(z ** powers[p, 0] * y ** powers[p, 1])
                            if lead:
                                add_scaled(totals[p, place:], moved[powers[p, 2]], lead)


@njit(nogil=True, cache=True)
def add_signed(digits: Index, value: np.int64, factor: np.uint64) -> None:
    """Add ``value * factor`` to digits."""
    if value >= 0:
        add_product(digits, np.uint64(value), factor)
    else:
        negative = np.zeros(4, np.int64)
        add_product(negative, np.uint64(-value), factor)
        for place in range(4):
            digits[place] -= negative[place]


@njit(nogil=True, cache=True)
def carry(digits: Index) -> None:
    """Make all digits but the last 0 to 2**32 - 1."""
    for place in range(digits.size - 1):
        digits[place + 1] += digits[place] >> 32
        digits[place] &= 2**32 - 1


@njit(nogil=True, cache=True)
def add_scaled(digits: Index, source: Index, factor: np.uint64) -> None:
    """Add ``source * factor``, where :func:`carry` was called on ``source``."""
    low_half = np.uint64(2**32 - 1)
    low, high = factor & low_half, factor >> np.uint64(32)
    for place in range(source.size):
        value = source[place]
        if value == 0:
            continue
        sign = 1 if value > 0 else -1
        size = np.uint64(value * sign)
        first = size * low
        digits[place] += sign * np.int64(first & low_half)
        digits[place + 1] += sign * np.int64(first >> np.uint64(32))
        if high:
            second = size * high
            digits[place + 1] += sign * np.int64(second & low_half)
            digits[place + 2] += sign * np.int64(second >> np.uint64(32))
