"""Sums without rounding, so that neither the order nor the grouping of the terms can change them.

A sum is held as signed *digits* of 32 bits, each in an int64 of its own::

    value = (digits[0] + digits[1] * 2**32 + digits[2] * 2**64 + ...) * 2**unit

The 32 spare bits of each digit take the carries of 2**30 terms, so adding never carries, and two sums are added digit
by digit. An integer has ``unit`` 0; a float32 is an integer times 2**-149, a float64 an integer times 2**-1074 (their
smallest subnormals), so every finite float has its exact place too. This is the long accumulator of U. Kulisch, cut to
the range of exponents that occurs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

MAX_TERMS = 2**30
"""How many terms a digit can take without carrying."""

_DIGIT = 32
_LOW = np.uint64(2**32 - 1)
_HALF = np.uint64(32)


@dataclass(frozen=True)
class NumberFormat:
    """How the bits of a pixel spell an integer times a power of two."""

    mantissa_bits: int
    """Stored bits of the mantissa of a float; 0 for integers."""
    signed: bool
    """Whether an integer is in two's complement."""
    unit: int
    """The power of two that one counts for."""

    @classmethod
    def of(cls, dtype: np.dtype[Any]) -> NumberFormat:
        """Return the format of integers, float32 or float64."""
        if dtype.kind == "f":
            return cls(23, True, -149) if dtype.itemsize == 4 else cls(52, True, -1074)
        return cls(0, dtype.kind == "i", 0)


def digits_for(position: int) -> int:
    """Return how many digits take 64-bit terms at positions up to ``position``."""
    return position // _DIGIT + 3


def as_int64(digits: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the sums modulo 2**64, as int64: exact where they fit, and exact again after a difference that fits."""
    if digits.shape[-1] == 1:
        return digits[..., 0]
    return digits[..., 0] + (digits[..., 1] << _DIGIT)


def as_integers(digits: NDArray[np.int64]) -> NDArray[np.object_]:
    """Return the sums as Python integers.

    Examples
    --------
    >>> as_integers(np.array([[5, 1]]))
    array([4294967301], dtype=object)
    """
    total = digits[..., -1].astype(object)
    for place in range(digits.shape[-1] - 2, -1, -1):
        total = (total << _DIGIT) + digits[..., place].astype(object)
    return total


def to_float(values: NDArray[Any], unit: int) -> NDArray[np.float64]:
    """Return ``values * 2**unit`` rounded once to float64, whether ``values`` are int64 or Python integers.

    Examples
    --------
    >>> to_float(np.array([3 * 2**200], dtype=object), -201)
    array([1.5])
    """
    if unit == 0 and values.dtype == np.int64:
        return values.astype(np.float64)
    exact = values.astype(object) << max(unit, 0)
    return np.asarray(_quotient(exact, 1 << max(-unit, 0)), dtype=np.float64)


def _divide(numerator: int, denominator: int) -> float:
    """Return the quotient rounded once, as Python divides integers; infinity where it is too large."""
    try:
        return numerator / denominator
    except OverflowError:
        return float("inf") if numerator > 0 else float("-inf")


_quotient = np.frompyfunc(_divide, 2, 1)


@njit(nogil=True, cache=True)
def add_product(digits: NDArray[np.int64], a: np.uint64, b: np.uint64) -> None:
    """Add ``a * b`` to four digits: all 128 bits of the product."""
    low_a, high_a = a & _LOW, a >> _HALF
    low_b, high_b = b & _LOW, b >> _HALF
    low = low_a * low_b
    middle = high_a * low_b
    other = low_a * high_b
    high = high_a * high_b
    digits[0] += np.int64(low & _LOW)
    digits[1] += np.int64(low >> _HALF) + np.int64(middle & _LOW) + np.int64(other & _LOW)
    digits[2] += np.int64(middle >> _HALF) + np.int64(other >> _HALF) + np.int64(high & _LOW)
    digits[3] += np.int64(high >> _HALF)


@njit(nogil=True, cache=True)
def add_shifted(digits: NDArray[np.int64], magnitude: np.uint64, position: int, sign: int) -> None:
    """Add ``sign * magnitude * 2**position``; 96 bits of three digits."""
    place = position >> 5
    offset = np.uint64(position & 31)
    low = (magnitude & _LOW) << offset
    high = (magnitude >> _HALF) << offset
    digits[place] += sign * np.int64(low & _LOW)
    digits[place + 1] += sign * (np.int64(low >> _HALF) + np.int64(high & _LOW))
    digits[place + 2] += sign * np.int64(high >> _HALF)


@njit(nogil=True, cache=True)
def add_square(digits: NDArray[np.int64], magnitude: np.uint64, position: int) -> None:
    """Add ``(magnitude * 2**position)**2``."""
    low, high = magnitude & _LOW, magnitude >> _HALF
    add_shifted(digits, low * low, 2 * position, 1)
    if high:
        add_shifted(digits, low * high, 2 * position + 33, 1)
        add_shifted(digits, high * high, 2 * position + 64, 1)


@njit(nogil=True, cache=True)
def decode(bits: np.uint64, mantissa_bits: int, signed: bool, width: int) -> tuple[np.uint64, Any, int]:
    """Return magnitude, position and sign of a number of ``width`` bits; position -1 for NaN and infinities."""
    one = np.uint64(1)
    sign = -1 if signed and (bits >> np.uint64(width - 1)) & one else 1
    if mantissa_bits == 0:
        if sign > 0:
            return bits, 0, sign
        mask = ~np.uint64(0) >> np.uint64(64 - width)
        return (~bits + one) & mask, 0, sign
    mantissa = bits & ((one << np.uint64(mantissa_bits)) - one)
    exponents = (one << np.uint64(width - 1 - mantissa_bits)) - one
    exponent = (bits >> np.uint64(mantissa_bits)) & exponents
    if exponent == exponents:
        return mantissa, -1, sign
    if exponent == 0:
        return mantissa, 0, sign
    return mantissa | (one << np.uint64(mantissa_bits)), np.int64(exponent) - 1, sign
