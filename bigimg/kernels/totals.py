"""The exact sum of pixels, at the speed of a rounded one.

Integers are summed in int64, those of 64 bits in two halves. Floating point numbers are cut in two on a grid, which the
greatest of a block of them sets::

    value   101101.11010011...                 bits of a number
            |  high   ||   low   |rest         in units of the grid, and of the grid 2**50 times finer

Both parts are integers below 2**51, and as many as a block has can be added without overflow, in any order. What is
left over is nothing, but for blocks whose numbers are of very different sizes; these are added with
:mod:`bigimg.kernels.exact_sums`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from bigimg.core.operation import Pixels, Valid
from bigimg.errors import ImageError
from bigimg.kernels.exact_sums import add_shifted, as_integers, decode, digits_for
from bigimg.kernels.planes import read_only

UNIT = -1074
"""The power of two that a sum of floats counts in: the smallest float64."""

_BLOCK = 4096
"""So many integers below 2**51 have a sum below 2**63."""
_BITS = 50
_FINER = 2.0**_BITS
_ROUND = 1.5 * 2.0**52
"""Added to a number below 2**51, it leaves the nearest integer in the last bits."""
_MAGNITUDE = 2**63 - 1
"""All bits of a float64 but its sign."""
_LEAST, _GREATEST = 2.0**-900, 2.0**900
"""Blocks of these magnitudes can be scaled without leaving the range of float64."""


def total(pixels: Pixels, valid: Valid | None = None) -> int:
    """Return the sum of the valid pixels: of integers as it is, of floats in units of ``2**UNIT``.

    Parameters
    ----------
    pixels
        Booleans, integers or finite floats, of any shape.
    valid
        Which pixels count.

    Raises
    ------
    ImageError
        If a valid pixel is not finite.

    Examples
    --------
    >>> total(np.array([250, 250], np.uint8))
    500
    >>> total(np.array([1e300, 1.0, -1e300])) == 2**1074
    True
    """
    values = (pixels if valid is None else pixels[valid]).reshape(-1)
    if values.dtype.kind != "f":
        if values.dtype.itemsize < 8:
            return int(values.sum(dtype=np.int64))
        return (int((values >> 32).sum(dtype=np.int64)) << 32) + int((values & 0xFFFFFFFF).sum(dtype=np.int64))
    values = np.require(values, values.dtype.newbyteorder("="), ("C", "A"))
    if values.dtype == np.float16:
        values = values.astype(np.float32)
    digits = np.zeros(digits_for(2046), np.int64)
    for start in range(0, values.size, 2**28):  # a digit takes 2**30 terms
        if not _add_floats(digits, read_only(values[start : start + 2**28])):
            raise ImageError("the image has pixels that are not finite; mark them as invalid with a mask")
        _carry(digits)
    return int(as_integers(digits))


def mean(total: int, count: int, *, floats: bool) -> float:
    """Return the quotient of a sum and a count, rounded once; NaN where nothing was counted."""
    if not count:
        return math.nan
    return total / (count << -UNIT if floats else count)


def _carry(digits: NDArray[np.int64]) -> None:
    for place in range(len(digits) - 1):
        digits[place + 1] += digits[place] >> 32
        digits[place] &= 0xFFFFFFFF


@njit(nogil=True, cache=True)
def _add_floats(digits: NDArray[np.int64], values: NDArray[Any]) -> bool:
    """Add ``values`` to ``digits``, and say whether all were finite."""
    for start in range(0, values.shape[0], _BLOCK):
        block = values[start : start + _BLOCK]
        bits = np.int64(0)  # positive floats order as their bits do, and a maximum of integers vectorises
        for i in range(block.shape[0]):
            bits = max(bits, np.float64(block[i]).view(np.int64) & _MAGNITUDE)
        greatest = np.int64(bits).view(np.float64)
        if not np.isfinite(greatest):
            return False
        if greatest == 0:
            continue
        if _LEAST < greatest < _GREATEST:
            exponent = math.frexp(greatest)[1]
            high, low, rest = _cut(block, math.ldexp(1.0, _BITS - exponent))
            if not rest:
                _add(digits, high, exponent - _BITS)
                _add(digits, low, exponent - 2 * _BITS)
                continue
        for i in range(block.shape[0]):
            magnitude, position, sign = decode(np.float64(block[i]).view(np.uint64), 52, True, 64)
            add_shifted(digits, magnitude, position, sign)
    return True


@njit(nogil=True, cache=True)
def _cut(block: NDArray[Any], scale: float) -> tuple[Any, Any, bool]:
    """Return the sums of the high and of the low parts of ``block * scale``, and whether anything is left over."""
    zero = np.float64(_ROUND).view(np.int64)
    high = low = np.int64(0)
    rest = False
    for i in range(block.shape[0]):
        scaled = np.float64(block[i]) * scale
        near = scaled + _ROUND
        high += np.float64(near).view(np.int64) - zero
        finer = (scaled - (near - _ROUND)) * _FINER
        near = finer + _ROUND
        low += np.float64(near).view(np.int64) - zero
        rest |= (finer != near - _ROUND) | ((scaled == 0) & (block[i] != 0))  # the scale may lose the least numbers
    return high, low, rest


@njit(nogil=True, cache=True)
def _add(digits: NDArray[np.int64], value: int, exponent: int) -> None:
    if exponent < UNIT:  # a multiple of the unit all the same, as every float is
        value >>= UNIT - exponent
        exponent = UNIT
    add_shifted(digits, np.uint64(abs(value)), exponent - UNIT, 1 if value >= 0 else -1)
