"""Order statistics of large squares in a time that hardly grows with them, for pixels of any dtype.

The pixels that the windows of one tile see are sorted once, and cut into 256 classes of equally many, so that a class
is one byte whatever the pixels are. A histogram of classes slides over the tile: each column of the window has its own,
which a row further down gains one pixel and loses one, and a step to the right adds one column and takes one away.
16 coarse counts say in which 16 classes the rank asked for lies, 16 fine ones in which class; the fine counts of a
coarse class are brought up to date only when they are asked for. What is left is a short list in ascending order,
searched for pixels that are in the window::

    coarse  [ 9 | 14 | 31 | ...          rank 40: after 9 + 14, in the third
    fine            [ 2 | 7 | 5 | ...    rank 17: after 2 + 7 + 5, in the class that follows
    class   [ p17  p3  p44  p21 ...      rank 3: the fourth of these that is in the window

After S. Perreault and P. Hebert, Median filtering in constant time, IEEE Transactions on Image Processing 16 (2007);
sorted as in B. Weiss, Fast median and bilateral filtering, ACM Transactions on Graphics 25 (2006).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from bigimg.kernels.rank_keys import Keys, Mask

Words = NDArray[np.uint64]
"""Four counts of 16 bits in each: sixteen are added by four additions."""

LARGEST = 255
"""Width of a window whose pixels 16 bits can count."""

_CLASSES = 256
_CHUNK = 32
"""Pixels of a class that are looked at together."""

_LANES = np.uint64(0x0001000100010001)
_LANE = np.uint64(0xFFFF)
_TOP = np.uint64(48)
_UNMASKED = np.ones((1, 1), bool)
_NONE = np.zeros(_CLASSES // 4, np.uint64)


def count_windows(keys: Keys, size: int, percentile: float, valid: Mask | None) -> tuple[Keys, NDArray[np.bool_]]:
    """Return the key of a percentile in each square of ``size`` that fits, and where there is none.

    Parameters
    ----------
    keys
        (M, N) unsigned integers.
    size
        At most `LARGEST`.
    percentile
        Of ``n`` keys that count, the one of rank ``int(n * percentile / 100)`` is taken, at most ``n - 1``.
    valid
        Which keys count, of their shape.

    Examples
    --------
    >>> count_windows(np.array([[9, 4, 7], [5, 5, 5], [1, 2, 3]], np.uint16), 3, 50.0, None)[0]
    array([[5]], dtype=uint16)
    """
    shape = (keys.shape[0] - size + 1, keys.shape[1] - size + 1)
    out, empty = np.zeros(shape, keys.dtype), np.zeros(shape, bool)
    known = _UNMASKED if valid is None else valid
    _tiles(out, empty, keys, known, valid is not None, size, percentile, min(256, max(64, 2 * size)))
    return out, empty


@njit(nogil=True, cache=True)
def _tiles(
    out: Keys, empty: Mask, keys: Keys, valid: Mask, masked: bool, size: int, percentile: float, side: int
) -> None:
    height, width = out.shape
    most = (min(side, height) + size - 1) * (min(side, width) + size - 1)
    values, spare = np.empty(most, keys.dtype), np.empty(most, keys.dtype)
    places, other = np.empty(most, np.uint32), np.empty(most, np.uint32)
    rows, columns = np.full(most + _CHUNK, 0xFFFF, np.uint16), np.full(most + _CHUNK, 0xFFFF, np.uint16)
    for top in range(0, height, side):
        for left in range(0, width, side):
            bottom, right = min(top + side, height), min(left + side, width)
            seen = keys[top : bottom + size - 1, left : right + size - 1]
            known = valid[top : bottom + size - 1, left : right + size - 1] if masked else valid
            number = 0
            for y in range(seen.shape[0]):
                for x in range(seen.shape[1]):
                    if not masked or known[y, x]:
                        values[number] = seen[y, x]
                        places[number] = y * seen.shape[1] + x
                        number += 1
            _sort(values, places, spare, other, number)
            classes = np.full(seen.shape, -1, np.int16)
            each = max(1, (number + _CLASSES - 1) // _CLASSES)
            for i in range(number):
                y, x = places[i] // seen.shape[1], places[i] % seen.shape[1]
                rows[i], columns[i] = y, x
                classes[y, x] = i // each
            rows[number : number + _CHUNK] = 0xFFFF  # outside of every window
            _slide(
                out[top:bottom, left:right],
                empty[top:bottom, left:right],
                classes,
                values,
                rows,
                columns,
                each,
                size,
                percentile,
            )


@njit(nogil=True, cache=True)
def _sort(values: Keys, places: Any, spare: Keys, other: Any, number: int) -> None:
    """Sort values and their places, digit by digit."""
    bits = 8 if values.itemsize <= 2 else 11
    counts = np.empty(1 << bits, np.int64)
    low = values.dtype.type((1 << bits) - 1)
    moved = False
    for shift in range(0, 8 * values.itemsize, bits):
        by = values.dtype.type(shift)
        counts[:] = 0
        for i in range(number):
            counts[(values[i] >> by) & low] += 1
        if number and counts[(values[0] >> by) & low] == number:
            continue
        total = 0
        for digit in range(counts.size):
            count = counts[digit]
            counts[digit] = total
            total += count
        for i in range(number):
            digit = (values[i] >> by) & low
            spare[counts[digit]] = values[i]
            other[counts[digit]] = places[i]
            counts[digit] += 1
        values, spare = spare, values
        places, other = other, places
        moved = not moved
    if moved:
        spare[:number] = values[:number]
        other[:number] = places[:number]


@njit(nogil=True, cache=True)
def _slide(
    out: Keys, empty: Mask, classes: Any, values: Keys, rows: Any, columns: Any, each: int, size: int, percentile: float
) -> None:
    height, width = out.shape
    coarse, fine = np.zeros((classes.shape[1], 16), np.uint16), np.zeros((classes.shape[1], _CLASSES), np.uint16)
    groups, every = coarse.view(np.uint64), fine.view(np.uint64)
    window = np.empty(_CLASSES // 4, np.uint64)
    for y in range(size - 1):
        _enter(coarse, fine, classes[y], 1)
    for y in range(height):
        _enter(coarse, fine, classes[y + size - 1], 1)
        a, b, c, d = np.uint64(0), np.uint64(0), np.uint64(0), np.uint64(0)
        window[:] = 0
        for x in range(size - 1):
            new = groups[x]
            a, b, c, d = a + new[0], b + new[1], c + new[2], d + new[3]
            _gain(window, every[x])
        for x in range(width):
            new = groups[x + size - 1]
            a, b, c, d = a + new[0], b + new[1], c + new[2], d + new[3]
            _exchange(window, every[x + size - 1], every[x - 1] if x else _NONE)
            number = np.int64(((a + b + c + d) * _LANES) >> _TOP)
            if number:
                rank = min(np.int64(number * percentile / 100.0), number - 1)
                group, rank = _find(a, b, c, d, rank)
                here = window[4 * group : 4 * group + 4]
                place, rank = _find(here[0], here[1], here[2], here[3], rank)
                out[y, x] = values[_search(rows, columns, (group * 16 + place) * each, rank, y, x, size)]
            else:
                empty[y, x] = True
            old = groups[x]
            a, b, c, d = a - old[0], b - old[1], c - old[2], d - old[3]
        _enter(coarse, fine, classes[y], -1)


@njit(nogil=True, cache=True)
def _enter(coarse: Any, fine: Any, row: Any, number: int) -> None:
    """Add a row of pixels to the histograms of their columns, or take it away."""
    for x in range(row.size):
        if row[x] >= 0:
            coarse[x, row[x] >> 4] += number
            fine[x, row[x]] += number


@njit(nogil=True, cache=True)
def _gain(window: Words, new: Words) -> None:
    for i in range(_CLASSES // 4):
        window[i] += new[i]


@njit(nogil=True, cache=True)
def _exchange(window: Words, new: Words, old: Words) -> None:
    for i in range(_CLASSES // 4):
        window[i] += new[i] - old[i]


@njit(nogil=True, cache=True)
def _find(a: Any, b: Any, c: Any, d: Any, rank: Any) -> tuple[Any, Any]:
    """Return which of sixteen counts holds a rank, and the rank within it. Without branches: nobody can foretell it."""
    one = np.int64((a * _LANES) >> _TOP)
    two = one + np.int64((b * _LANES) >> _TOP)
    three = two + np.int64((c * _LANES) >> _TOP)
    place = 4 * (np.int64(rank >= one) + np.int64(rank >= two) + np.int64(rank >= three))
    word = (a if rank < one else b) if rank < two else (c if rank < three else d)
    rank -= (0 if rank < one else one) if rank < two else (two if rank < three else three)
    sums = word * _LANES  # each count and those before it
    one, two = np.int64(sums & _LANE), np.int64((sums >> np.uint64(16)) & _LANE)
    three = np.int64((sums >> np.uint64(32)) & _LANE)
    place += np.int64(rank >= one) + np.int64(rank >= two) + np.int64(rank >= three)
    rank -= (0 if rank < one else one) if rank < two else (two if rank < three else three)
    return place, rank


@njit(nogil=True, cache=True)
def _search(rows: Any, columns: Any, start: Any, rank: Any, y: int, x: int, size: int) -> Any:
    """Return the place in the list of the pixel of a rank among those from ``start`` on that are in the window."""
    top, left, side = np.uint16(y), np.uint16(x), np.uint16(size)
    while True:
        some_rows, some_columns = rows[start : start + _CHUNK], columns[start : start + _CHUNK]
        inside = np.uint32(0)  # one bit each
        for i in range(_CHUNK):
            is_in = (np.uint16(some_rows[i] - top) < side) & (np.uint16(some_columns[i] - left) < side)
            inside |= np.uint32(is_in) << np.uint32(i)
        number = _ones(inside)
        if number > rank:
            break
        rank -= number
        start += _CHUNK
    for _ in range(rank):
        inside &= inside - np.uint32(1)  # without its lowest bit
    return start + _ones((inside & (~inside + np.uint32(1))) - np.uint32(1))


@njit(nogil=True, cache=True)
def _ones(bits: Any) -> Any:
    """Return how many bits are set; compilers know this as one instruction."""
    bits = np.uint32(bits)
    bits = np.uint32(bits - ((bits >> np.uint32(1)) & np.uint32(0x55555555)))
    bits = np.uint32((bits & np.uint32(0x33333333)) + ((bits >> np.uint32(2)) & np.uint32(0x33333333)))
    bits = np.uint32((bits + (bits >> np.uint32(4))) & np.uint32(0x0F0F0F0F))
    return np.int64(np.uint32(bits * np.uint32(0x01010101)) >> np.uint32(24))
