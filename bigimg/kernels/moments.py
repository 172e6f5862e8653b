"""Exact sums of pixels and of their squares, as Python integers, so that no order of adding shows in a mean.

Floating point numbers are whole numbers of 2**-1074, the smallest float64 above zero. A block of them is cut into three
limbs on a grid that its greatest number sets::

    value   10110.11001.01100...               bits of a number
            |high |mid  |low  |rest            25 bits each, so that their products are exact and their sums integers

What is left over is nothing, but for blocks whose numbers are of very different sizes; there, mantissas are summed for
each exponent apart.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from bigimg.core.operation import Pixels, Valid
from bigimg.errors import ImageError
from bigimg.kernels.planes import read_only

_TERMS = 1 << 30
"""How many pixels are summed before the digits are read out."""

_FLOAT_UNIT = 1074
_BLOCK = 1024
"""So many products below 2**52 have a sum below 2**62."""
_LIMB = 25
_FINER = 2.0**_LIMB
_PLACES = (2 * _LIMB, _LIMB, 0, 4 * _LIMB, 3 * _LIMB + 1, 2 * _LIMB, _LIMB + 1, 0)
"""The power of two of each sum: of the limbs, and of their products; those of different limbs occur twice."""
_ROUND = 1.5 * 2.0**52
"""Added to a number below 2**51, it leaves the nearest integer in the last bits."""
_MAGNITUDE = 2**63 - 1
"""All bits of a float64 but its sign."""
_LEAST, _GREATEST = 2.0**-900, 2.0**900
"""Blocks of these magnitudes can be scaled without leaving the range of float64."""
_EXPONENTS = 2048
_LOW = np.uint64(2**32 - 1)
_HALF = np.uint64(32)


@dataclass(frozen=True)
class Moments:
    """How many numbers there are, their sum, and the sum of their squares, without any rounding.

    Attributes
    ----------
    count
        How many.
    total, squares
        In units of ``2**-unit`` and ``2**(-2 * unit)``.
    unit
        0 for integers, 1074 for floats.

    Examples
    --------
    >>> both = moments(np.array([1, 2, 3])) + moments(np.array([6]))
    >>> both.mean, both.variance
    (3.0, 3.5)
    """

    count: int
    total: int
    squares: int
    unit: int

    def __add__(self, other: Moments) -> Moments:
        return Moments(self.count + other.count, self.total + other.total, self.squares + other.squares, self.unit)

    @property
    def mean(self) -> float:
        """The mean, rounded once; NaN of no numbers."""
        return self.total / (self.count << self.unit) if self.count else math.nan

    @property
    def variance(self) -> float:
        """The mean of the squared differences from the mean, rounded once; NaN of no numbers."""
        try:
            return self._spread() / (self.count**2 << (2 * self.unit)) if self.count else math.nan
        except OverflowError:
            return math.inf

    @property
    def std(self) -> float:
        """The square root of the variance, also where that is too large or too small for a float."""
        if not self.count:
            return math.nan
        spread, parts = self._spread(), self.count**2 << (2 * self.unit)
        if spread == 0:
            return 0.0
        even = (spread.bit_length() - parts.bit_length()) // 2 * 2
        ratio = (spread << max(0, -even)) / (parts << max(0, even))
        return math.ldexp(math.sqrt(ratio), even // 2)

    def _spread(self) -> int:
        return self.count * self.squares - self.total**2


def moments(pixels: Pixels, valid: Valid | None = None) -> Moments:
    """Return the exact moments of the valid pixels.

    Parameters
    ----------
    pixels
        Booleans, integers or floats of at most 64 bits, of any shape.
    valid
        Which pixels count.

    Raises
    ------
    ImageError
        If a valid pixel is not finite.
    """
    values = pixels if valid is None else pixels[np.broadcast_to(valid, pixels.shape)]
    values = np.require(values, values.dtype.newbyteorder("="), ("C", "A")).reshape(-1)
    if values.dtype == bool:
        values = values.view(np.uint8)
    if values.dtype.itemsize > 8:
        raise ImageError(
            f"numbers of at most 64 bits have exact sums here (got {pixels.dtype}); convert them to float64"
        )
    floating = values.dtype.kind == "f"
    one = _of_floats if floating else _of_integers
    found = Moments(0, 0, 0, _FLOAT_UNIT if floating else 0)
    for start in range(0, values.size, _TERMS):
        found += one(values[start : start + _TERMS])
    return found


def _of_integers(values: Pixels) -> Moments:
    if values.dtype.itemsize <= 4:
        whole, low, high = _sum_narrow(read_only(values))
        return Moments(values.size, int(whole), int(low) + (int(high) << 32), 0)
    digits = [int(digit) for digit in _sum_wide(read_only(values))]
    total = digits[0] + (digits[1] << 32)
    squares = digits[2] + ((digits[3] + 2 * digits[4]) << 32) + ((2 * digits[5] + digits[6]) << 64) + (digits[7] << 96)
    return Moments(values.size, total, squares, 0)


def _of_floats(values: Pixels) -> Moments:
    if values.dtype == np.float16:
        values = values.astype(np.float32)
    blocks = np.zeros((_EXPONENTS, 2, len(_PLACES)), np.int64)
    digits = np.zeros((2048, 8), np.int64)
    _sum_floats(blocks, digits, read_only(values))
    if digits[2047].any():
        raise ImageError("the image has pixels that are not finite; mark them as invalid with a mask")
    total = squares = 0
    for exponent in np.flatnonzero(blocks.any(axis=(1, 2))).tolist():
        low, high = blocks[exponent].tolist()
        sums = [(below + (above << 32)) << place for below, above, place in zip(low, high, _PLACES)]
        unit = exponent - _EXPONENTS // 2 - 3 * _LIMB + _FLOAT_UNIT
        total += sum(sums[:3]) << unit
        squares += sum(sums[3:]) << (2 * unit)
    for exponent in np.flatnonzero(digits.any(axis=1)).tolist():
        low, high, *parts = digits[exponent].tolist()
        place = max(exponent - 1, 0)
        total += (low + (high << 26)) << place
        # Squares of mantissas of two limbs: low, twice the mixed, high; each in two halves.
        lows, mixed, highs = (below + (above << 32) for below, above in zip(parts[::2], parts[1::2]))
        squares += (lows + (mixed << 27) + (highs << 52)) << (2 * place)
    return Moments(values.size, total, squares, _FLOAT_UNIT)


@njit(nogil=True, cache=True)
def _sum_narrow(values: Pixels) -> tuple[np.int64, np.uint64, np.uint64]:
    total, low, high = np.int64(0), np.uint64(0), np.uint64(0)
    for i in range(values.shape[0]):
        value = np.int64(values[i])
        total += value
        size = np.uint64(abs(value))
        square = size * size
        low += square & _LOW
        high += square >> _HALF
    return total, low, high


@njit(nogil=True, cache=True)
def _sum_wide(values: Pixels) -> NDArray[np.int64]:
    digits = np.zeros(8, np.int64)
    half, mask = values.dtype.type(32), values.dtype.type(2**32 - 1)
    for i in range(values.shape[0]):
        high, low = values[i] >> half, values[i] & mask
        digits[0] += np.int64(low)
        digits[1] += np.int64(high)
        square = np.uint64(low) * np.uint64(low)
        digits[2] += np.int64(square & _LOW)
        digits[3] += np.int64(square >> _HALF)
        mixed = high * low
        digits[4] += np.int64(mixed & mask)
        digits[5] += np.int64(mixed >> half)
        square = np.uint64(high * high)
        digits[6] += np.int64(square & _LOW)
        digits[7] += np.int64(square >> _HALF)
    return digits


@njit(nogil=True, cache=True)
def _sum_floats(blocks: NDArray[np.int64], digits: NDArray[np.int64], values: NDArray[Any]) -> None:
    sums = np.empty(blocks.shape[2], np.int64)
    for start in range(0, values.shape[0], _BLOCK):
        block = values[start : start + _BLOCK]
        bits = np.int64(0)  # positive floats order as their bits do, and a maximum of integers vectorises
        for i in range(block.shape[0]):
            bits = max(bits, np.float64(block[i]).view(np.int64) & _MAGNITUDE)
        greatest = np.int64(bits).view(np.float64)
        if greatest == 0:
            continue
        if _LEAST < greatest < _GREATEST:
            exponent = math.frexp(greatest)[1]
            if _cut(sums, block, math.ldexp(1.0, _LIMB - exponent)):
                row = blocks[exponent + _EXPONENTS // 2]
                for k in range(sums.shape[0]):
                    row[0, k] += sums[k] & 0xFFFFFFFF
                    row[1, k] += sums[k] >> 32
                continue
        _sum_mantissas(digits, block)


@njit(nogil=True, cache=True)
def _cut(sums: NDArray[np.int64], block: NDArray[Any], scale: float) -> bool:
    """Put the sums of the limbs of ``block * scale``, and of their products, into ``sums``; return if that was all."""
    zero = np.float64(_ROUND).view(np.int64)
    a = b = c = aa = ab = ac = bc = cc = np.int64(0)
    rest = False
    for i in range(block.shape[0]):
        scaled = np.float64(block[i]) * scale
        near = scaled + _ROUND
        high = near - _ROUND
        a += np.float64(near).view(np.int64) - zero
        finer = (scaled - high) * _FINER
        near = finer + _ROUND
        mid = near - _ROUND
        b += np.float64(near).view(np.int64) - zero
        finest = (finer - mid) * _FINER
        near = finest + _ROUND
        low = near - _ROUND
        c += np.float64(near).view(np.int64) - zero
        rest |= (finest != low) | ((scaled == 0) & (block[i] != 0))  # the scale may lose the least numbers
        aa += np.float64(high * high + _ROUND).view(np.int64) - zero
        ab += np.float64(high * mid + _ROUND).view(np.int64) - zero
        ac += np.float64((2 * (high * low) + mid * mid) + _ROUND).view(np.int64) - zero
        bc += np.float64(mid * low + _ROUND).view(np.int64) - zero
        cc += np.float64(low * low + _ROUND).view(np.int64) - zero
    sums[0], sums[1], sums[2] = a, b, c
    sums[3], sums[4], sums[5], sums[6], sums[7] = aa, ab, ac, bc, cc
    return not rest


@njit(nogil=True, cache=True)
def _sum_mantissas(digits: NDArray[np.int64], values: NDArray[Any]) -> None:
    limb = np.uint64(2**26 - 1)
    for i in range(values.shape[0]):
        bits = np.float64(values[i]).view(np.uint64)
        exponent = np.int64((bits >> np.uint64(52)) & np.uint64(0x7FF))
        mantissa = bits & np.uint64(0xFFFFFFFFFFFFF)
        if exponent == 2047:
            digits[2047, 0] = 1
            continue
        if exponent > 0:
            mantissa |= np.uint64(1 << 52)
        low, high = mantissa & limb, mantissa >> np.uint64(26)
        row = digits[exponent]
        if bits >> np.uint64(63):
            row[0] -= np.int64(low)
            row[1] -= np.int64(high)
        else:
            row[0] += np.int64(low)
            row[1] += np.int64(high)
        product = low * low
        row[2] += np.int64(product & _LOW)
        row[3] += np.int64(product >> _HALF)
        product = low * high
        row[4] += np.int64(product & _LOW)
        row[5] += np.int64(product >> _HALF)
        product = high * high
        row[6] += np.int64(product & _LOW)
        row[7] += np.int64(product >> _HALF)
