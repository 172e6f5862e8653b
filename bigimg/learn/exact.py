"""Sums of floating point numbers that are the same in every order, because they are sums of integers.

Two ways, for two needs:

* :func:`total` - every finite float64 is a whole number of ``UNIT = 2**-1074``, so a sum of them is a Python integer,
  and merging two sums is ``+``. No bound has to be known, nothing is rounded until :func:`to_float`.
* :class:`Grid` - where millions of values are summed for every cluster or every pair of columns, they are first
  rounded to a grid, one for each column, fine enough that the rounding is far below the noise of any measurement, and
  coarse enough that no sum of all rows leaves int64. A column of range 10^6 beside one of range 10^-3 keeps its own
  grid.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import frexp
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

UNIT = Fraction(1, 2**1074)
"""What :func:`total` counts: the smallest float64 above zero."""

Floats = NDArray[Any]
"""float32 or float64."""


def total(values: Floats) -> int:
    """Return the exact sum of finite ``values`` (any shape) as a number of ``UNIT``.

    Examples
    --------
    >>> numbers = np.array([1e100, 1.0, -1e100, 1e-300])
    >>> to_float(total(numbers))
    1.0
    >>> total(numbers) == total(numbers[:2]) + total(numbers[2:])
    True
    """
    return power_totals(values, 1)[0]


def power_totals(values: Floats, powers: int) -> tuple[int, ...]:
    """Return the exact sums of ``values``, of their squares, ... up to ``powers`` (1 to 4), each a number of ``UNIT``.

    Powers are split into the terms of an error-free product (Dekker 1971), so that they are exact as long as neither
    they nor the parts below them leave the range of float64: magnitudes from about 1e-60 to 1e76 for fourth powers.

    Raises
    ------
    OverflowError
        If a value or one of its powers is not finite.
    """
    bins = np.zeros((powers, 2, 2048), np.int64)
    flat = np.ascontiguousarray(values, np.float64).reshape(-1)
    _collect(flat, bins)
    if bins[:, :, 2047].any():
        largest = float(np.abs(flat).max())
        raise OverflowError(f"values whose power {powers} is beyond the range of float64 (largest magnitude {largest})")
    return tuple(_carry(levels) for levels in bins)


def whole_power_totals(values: NDArray[np.integer]) -> tuple[int, ...]:
    """Return the exact sums of integers of at most 16 bits, of their squares, cubes and fourth powers.

    Examples
    --------
    >>> whole_power_totals(np.array([-1, 2, 300], np.int16))
    (301, 90005, 27000007, 8100000017)
    """
    limbs = np.zeros((4, 2), np.int64)
    _collect_whole(np.ascontiguousarray(values).reshape(-1), limbs)
    return tuple((int(high) << 32) + int(low) for high, low in limbs)


def to_float(amount: int) -> float:
    """Return the float64 nearest to ``amount`` of ``UNIT``."""
    return float(amount * UNIT)


def _carry(levels: NDArray[np.int64]) -> int:
    """Return the integer that the two limbs of every exponent add up to."""
    used = np.flatnonzero(levels.any(axis=0)).tolist()
    return sum(((int(levels[0, e]) << 26) + int(levels[1, e])) << (e - 1) for e in used)


@numba.njit(nogil=True, cache=True)
def _add(bins: Any, value: float) -> None:
    bits: Any = np.float64(value).view(np.int64)
    exponent = (bits >> 52) & 0x7FF
    mantissa = bits & 0xFFFFFFFFFFFFF
    if exponent == 2047:
        bins[0, 2047] = 1
        return
    if exponent == 0:
        exponent = 1
    else:
        mantissa |= 1 << 52
    if bits < 0:
        mantissa = -mantissa
    # Two limbs of 26 bits: 2^36 values fit before an int64 can overflow.
    bins[0, exponent] += mantissa >> 26
    bins[1, exponent] += mantissa & 0x3FFFFFF


@numba.njit(nogil=True, cache=True)
def _product(first: float, second: float) -> tuple[float, float]:
    """Return the rounded product and what the rounding lost."""
    product = first * second
    high = first * 134217729.0
    high = high - (high - first)
    low = first - high
    second_high = second * 134217729.0
    second_high = second_high - (second_high - second)
    second_low = second - second_high
    return product, ((high * second_high - product) + high * second_low + low * second_high) + low * second_low


@numba.njit(nogil=True, cache=True)
def _add_product(bins: Any, first: float, second: float) -> None:
    if first == 0.0 or second == 0.0:
        return
    product, lost = _product(first, second)
    _add(bins, product)
    if lost != 0.0:
        _add(bins, lost)


@numba.njit(nogil=True, cache=True)
def _collect(values: Any, bins: Any) -> None:
    powers = bins.shape[0]
    for value in values:
        _add(bins[0], value)
        if powers == 1:
            continue
        square, lost = _product(value, value)
        _add(bins[1], square)
        _add(bins[1], lost)
        if powers > 2:
            _add_product(bins[2], value, square)
            _add_product(bins[2], value, lost)
        if powers > 3:
            _add_product(bins[3], square, square)
            _add_product(bins[3], 2.0 * square, lost)
            _add_product(bins[3], lost, lost)


@numba.njit(nogil=True, cache=True)
def _collect_whole(values: Any, limbs: Any) -> None:
    for item in values:
        value = np.int64(item)
        square = value * value
        limbs[0, 1] += value
        limbs[1, 1] += square
        # Third and fourth powers of 16 bits would overflow int64 after 2^15 pixels or at once: two limbs of 32 bits.
        cube = square * value
        limbs[2, 0] += cube >> 32
        limbs[2, 1] += cube & 0xFFFFFFFF
        fourth = np.uint64(square) * np.uint64(square)
        limbs[3, 0] += np.int64(fourth >> np.uint64(32))
        limbs[3, 1] += np.int64(fourth & np.uint64(0xFFFFFFFF))


@dataclass(frozen=True)
class Grid:
    """An integer grid for each column: ``x`` is the whole number nearest to ``(x - shift) * 2**exponent``."""

    shift: NDArray[np.float64]
    """Middle of the range of each column."""
    exponent: NDArray[np.int64]
    """Power of two for each column."""
    bits: int
    """No whole number of a row within the ranges is larger than ``2**bits``."""

    @classmethod
    def spanning(cls, low: Floats, high: Floats, n_rows: int, *, limb_bits: int | None = None) -> Grid:
        """Return the finest grid on which ``n_rows`` rows between ``low`` and ``high`` add up within int64.

        Parameters
        ----------
        low, high
            Smallest and largest value of each column.
        n_rows
            How many rows there are in all.
        limb_bits
            Where products are to be summed as well: the most bits of each of the two limbs a number is split into.

        Examples
        --------
        >>> grid = Grid.spanning(np.array([0.0, 5.0]), np.array([1.0, 5.0]), n_rows=1000)
        >>> grid.bits
        52
        >>> grid.whole(np.array([[0.25, 5.0]])).tolist()
        [[-1125899906842624, 0]]
        """
        spare = 62 - max(0, n_rows - 1).bit_length()
        bits = min(52, spare) if limb_bits is None else 2 * min(limb_bits, spare // 2)
        low, high = low.astype(np.float64), high.astype(np.float64)
        shift = low / 2 + high / 2
        reach = np.maximum(high - shift, shift - low)
        exponents = [min(bits - frexp(value)[1], 1000) if value > 0 else 0 for value in reach.tolist()]
        return cls(shift, np.array(exponents, np.int64), bits)

    @property
    def scale(self) -> NDArray[np.float64]:
        """Steps of the grid in one unit of each column."""
        return np.ldexp(1.0, self.exponent)

    def whole(self, rows: Floats) -> NDArray[np.int64]:
        """Return ``rows`` as whole numbers of their grids."""
        return np.rint((rows.astype(np.float64) - self.shift) * self.scale).astype(np.int64)

    def mean(self, sums: NDArray[np.int64], counts: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the means that belong to ``sums`` (clusters, columns) of whole numbers over ``counts`` rows each."""
        return self.shift + sums / np.maximum(counts, 1)[:, None] / self.scale
