"""Counting numbers by the digits of their rank: what exact percentiles of an image of any size are found with.

A number is turned into an unsigned key of the same order (see `bigimg.kernels.sort_keys`) and the key is read as digits
of 16 bits. Counts of the first digit say which digit a wanted rank begins with; counts of the second digit, among the
numbers that begin so, say how it goes on. Numbers of 16 bits take one pass over the image, of 32 bits two, of 64 bits
four; counts add up over tiles.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from bigimg.core.operation import Pixels, Valid
from bigimg.errors import ImageError
from bigimg.kernels.histogram import count_integers
from bigimg.kernels.planes import read_only

DIGIT = 16
"""Bits of a digit."""

_BLOCK = 1 << 30
"""So many pixels do not overflow a count of 32 bits."""
_UNSIGNED, _SIGNED, _FLOAT = 0, 1, 2
_NO_MASK = np.ones(1, bool)


def key_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Return the dtype whose keys count numbers of ``dtype``: booleans as uint8, half floats as float32.

    Raises
    ------
    ImageError
        For floating point numbers of more than 64 bits.
    """
    if dtype.kind == "b":
        return np.dtype(np.uint8)
    if dtype.kind == "f" and dtype.itemsize == 2:
        return np.dtype(np.float32)
    if dtype.itemsize > 8:
        raise ImageError(f"numbers of at most 64 bits have an exact order here (got {dtype}); convert them to float64")
    return dtype.newbyteorder("=")


def digits(dtype: np.dtype[Any]) -> int:
    """Return how many passes the numbers of ``dtype`` take."""
    return max(1, 8 * key_dtype(dtype).itemsize // DIGIT)


def count_digits(
    pixels: Pixels, prefixes: NDArray[np.uint64], level: int, valid: Valid | None = None
) -> NDArray[np.int64]:
    """Return how often each digit follows each of the beginnings ``prefixes``.

    Parameters
    ----------
    pixels
        Numbers of any shape, none of them NaN.
    prefixes
        (N,), rising: the first ``level`` digits of keys. Zero alone for the first level.
    level
        Which digit is counted, from 0 for the first.
    valid
        Which pixels count.

    Returns
    -------
    ndarray of int64, shape (N, 65536), or (N, 256) for numbers of 8 bits

    Raises
    ------
    ImageError
        If a valid pixel is infinite.

    Examples
    --------
    >>> counts = count_digits(np.array([0.0, 1.0, 1.5], np.float32), np.zeros(1, np.uint64), 0)
    >>> [hex(digit) for digit in np.flatnonzero(counts[0])]
    ['0x8000', '0xbf80', '0xbfc0']
    """
    dtype = key_dtype(pixels.dtype)
    if dtype.itemsize <= 2:
        ends = np.iinfo(dtype)
        return count_integers(pixels, int(ends.min), int(ends.max), valid)[np.newaxis]
    bits = f"u{dtype.itemsize}"
    values = read_only(np.require(pixels, dtype, ("C", "A")).reshape(-1).view(bits))
    mask = _NO_MASK if valid is None else np.require(np.broadcast_to(valid, pixels.shape), bool, ("C", "A")).reshape(-1)
    kind = {"u": _UNSIGNED, "i": _SIGNED, "f": _FLOAT}[dtype.kind]
    counts = np.zeros((len(prefixes), 1 << DIGIT), np.int64)
    width, key = 8 * dtype.itemsize, values.dtype.type
    top, sign, ones = key(width - DIGIT), key(1 << (width - 1)), key((1 << width) - 1)
    down, above = key(width - DIGIT * (level + 1)), key(max(0, width - DIGIT * level) % width)
    wanted = read_only(prefixes.astype(values.dtype))
    # Which of the beginnings is the first that begins with this digit.
    places = np.full(1 << DIGIT, -1, np.int32)
    if level:
        begins = (prefixes >> np.uint64(DIGIT * (level - 1))).astype(np.int64)
        places[begins[::-1]] = np.arange(len(begins))[::-1]
    for start in range(0, values.size, _BLOCK):
        block = values[start : start + _BLOCK]
        covered = read_only(mask[start : start + _BLOCK] if valid is not None else mask)
        if level == 0:
            _count_first(counts[0], block, covered, valid is not None, top, sign, ones, kind)
        else:
            masks = covered, valid is not None
            _count_next(counts, block, *masks, wanted, read_only(places), top, down, above, sign, ones, kind)
    if level == 0 and kind == _FLOAT:
        # The largest exponent belongs to the infinities alone.
        edge = 0x80 if dtype.itemsize == 4 else 0x10
        if counts[0, :edge].any() or counts[0, -edge:].any():
            raise ImageError("the image has pixels that are not finite; mark them as invalid with a mask")
    return counts


def values_of(keys: NDArray[np.uint64], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Return the numbers, of ``key_dtype(dtype)``, behind whole keys.

    Examples
    --------
    >>> values_of(np.array([0, 128, 255], np.uint64), np.dtype("int8"))
    array([-128,    0,  127], dtype=int8)
    """
    dtype = key_dtype(dtype)
    narrow = keys.astype(f"u{dtype.itemsize}")
    sign = narrow.dtype.type(1 << (8 * dtype.itemsize - 1))
    if dtype.kind == "i":
        narrow = narrow ^ sign
    elif dtype.kind == "f":
        narrow = np.where(narrow & sign, narrow ^ sign, ~narrow)
    return narrow.view(dtype)


@njit(nogil=True, cache=True)
def _key(bits: Any, sign: Any, ones: Any, kind: int) -> Any:
    if kind == _FLOAT:
        if bits == sign:  # -0.0
            return sign
        return bits ^ (ones if bits & sign else sign)
    return bits ^ sign if kind == _SIGNED else bits


@njit(nogil=True, cache=True)
def _count_first(
    counts: NDArray[np.int64],
    values: NDArray[Any],
    valid: NDArray[np.bool_],
    masked: bool,
    top: Any,
    sign: Any,
    ones: Any,
    kind: int,
) -> None:
    # Four histograms: an equal digit right after the last one would have to wait for its count to be stored.
    banks = np.zeros((4, counts.shape[0]), np.uint32)
    for i in range(values.shape[0]):
        if not masked or valid[i]:
            banks[i & 3, _key(values[i], sign, ones, kind) >> top] += np.uint32(1)
    for bank in range(4):
        for digit in range(counts.shape[0]):
            counts[digit] += banks[bank, digit]


@njit(nogil=True, cache=True)
def _count_next(
    counts: NDArray[np.int64],
    values: NDArray[Any],
    valid: NDArray[np.bool_],
    masked: bool,
    prefixes: NDArray[Any],
    places: NDArray[np.int32],
    top: Any,
    down: Any,
    above: Any,
    sign: Any,
    ones: Any,
    kind: int,
) -> None:
    digit = ones >> top
    for i in range(values.shape[0]):
        if masked and not valid[i]:
            continue
        key = _key(values[i], sign, ones, kind)
        place = places[key >> top]
        if place < 0:
            continue
        begins = key >> above
        while place < prefixes.shape[0] and prefixes[place] < begins:
            place += 1
        if place < prefixes.shape[0] and prefixes[place] == begins:
            counts[place, (key >> down) & digit] += 1
