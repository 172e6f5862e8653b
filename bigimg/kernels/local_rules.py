"""The rules of local thresholds: what makes a pixel brighter than its neighbourhood, from the window's mean and spread.

``pixel > threshold`` is decided for a row at once, without roots and divisions, from running totals along it; a row in
which rounding could decide is looked at again. With

    above = pixel - level * mean        and        slope = constant + gain * mean

every rule but the mean's reads ``above > slope * spread``, and ``t * abs(t)`` keeps the order::

    rule          threshold                                                        level              constant  gain
    Niblack       mean - k * spread                                                1                  -k        0
    Sauvola       mean * (1 + k * (spread / r - 1))                                1 - k              0         k / r
    Phansalkar    mean * (1 + p * exp(-q * mean) + k * (spread / r - 1))           1 - k + p * exp    0         k / r
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from bigimg.core.operation import Pixels

Mask = NDArray[np.bool_]
Totals = NDArray[np.int64]
"""Running totals of the columns of a row of windows: the sum of a window is a difference of two of them."""
Floats = NDArray[np.float64]

MEAN, NIBLACK, SAUVOLA, PHANSALKAR = range(4)

CLOSE = 2.0**-44
"""What may be lost to rounding, relative to the terms compared: 64 times the worst case."""


class Rule(NamedTuple):
    """A local threshold with its parameters; those a rule does not have are 0."""

    method: int
    offset: float = 0.0
    k: float = 0.0
    r: float = 1.0
    p: float = 0.0
    q: float = 0.0

    @property
    def mirror(self) -> bool:
        """Whether the image is continued by mirroring (d c b | a b c d), as in scikit-image, or by reflection."""
        return self.method != MEAN


class Grid(NamedTuple):
    """What a sum counts in, and how far a mean may be off for it.

    Of integers sums are exact: units of 1, off by 0. Floats are rounded to a grid, and the exact answer is that of
    :mod:`bigimg.kernels.local_trees`.
    """

    unit: float
    unit_of_squares: float
    off: float
    off_of_squares: float
    close: float
    """How far the two sides of the comparison of squares may be off for it, anywhere in the image."""


EXACT = Grid(1.0, 1.0, 0.0, 0.0, 0.0)


@njit(nogil=True, cache=True)
def threshold(rule: Rule, mean: float, spread: float) -> float:
    """Return the threshold of a window as scikit-image computes it."""
    if rule.method == MEAN:
        return mean - rule.offset
    if rule.method == NIBLACK:
        return mean - rule.k * spread
    if rule.method == SAUVOLA:
        return mean * (1 + rule.k * ((spread / rule.r) - 1))
    return mean * (1 + rule.p * math.exp(-rule.q * mean) + rule.k * ((spread / rule.r) - 1))


@njit(nogil=True, cache=True)
def spread_of(mean: float, mean_square: float) -> float:
    """Return the standard deviation."""
    return math.sqrt(max(mean_square - mean * mean, 0.0))


@njit(nogil=True, cache=True, error_model="numpy")  # weights are at least 1; a check of each would not vectorise
def mean_row(out: Mask, grey: Pixels, totals: Totals, weights: Floats, size: int, offset: float) -> None:
    """Compare a row with exact means."""
    ahead = totals[size:]
    for x in range(out.shape[0]):
        out[x] = grey[x] > np.float64(ahead[x] - totals[x]) / weights[x] - offset


@njit(nogil=True, cache=True)
def near_mean_row(
    out: Mask, grey: Pixels, totals: Totals, inverses: Floats, size: int, offset: float, grid: Grid
) -> bool:
    """Compare a row with means that are a little off, and return whether that could matter for a pixel."""
    ahead = totals[size:]
    unsure = False
    for x in range(out.shape[0]):
        pixel = np.float64(grey[x])
        mean = np.float64(ahead[x] - totals[x]) * grid.unit * inverses[x]
        margin = pixel - mean + offset
        out[x] = margin > 0
        close = CLOSE * (abs(pixel) + abs(mean) + abs(offset)) + grid.off
        # A window of zeros has a sum of exactly 0.
        unsure |= (not (abs(margin) > close)) & ((pixel != 0) | (ahead[x] != totals[x]))
    return unsure


@njit(nogil=True, cache=True)
def spread_row(
    out: Mask, grey: Pixels, totals: Totals, squares: Totals, inverses: Floats, size: int, rule: Rule, grid: Grid
) -> bool:
    """Compare a row by Niblack's or Sauvola's rule, and return whether rounding could matter for a pixel."""
    constant = -rule.k if rule.method == NIBLACK else 0.0
    gain = 0.0 if rule.method == NIBLACK else rule.k / rule.r
    level = 1.0 if rule.method == NIBLACK else 1.0 - rule.k
    terms = 1.0 + abs(rule.k)
    ahead, squares_ahead = totals[size:], squares[size:]
    unsure = False
    for x in range(out.shape[0]):
        pixel = np.float64(grey[x])
        mean = np.float64(ahead[x] - totals[x]) * grid.unit * inverses[x]
        mean_square = np.float64(squares_ahead[x] - squares[x]) * grid.unit_of_squares * inverses[x]
        above = pixel - mean * level
        slope = constant + mean * gain
        left = above * abs(above)
        right = slope * abs(slope) * (mean_square - mean * mean)
        close = CLOSE * (abs(above) * (abs(pixel) + terms * abs(mean)) + slope * slope * mean_square) + grid.close
        out[x] = left > right
        # A window of zeros is sure: 0 is not greater than 0. The negation also catches NaN.
        unsure |= (not (abs(left - right) > close)) & ((pixel != 0) | (squares_ahead[x] != squares[x]))
    return unsure


@njit(nogil=True, cache=True)
def phansalkar_row(
    out: Mask, grey: Pixels, totals: Totals, squares: Totals, inverses: Floats, size: int, rule: Rule, grid: Grid
) -> bool:
    """Compare a row by Phansalkar's rule, and return whether rounding could matter for a pixel."""
    gain = rule.k / rule.r
    terms = 1.0 + abs(rule.k)
    ahead, squares_ahead = totals[size:], squares[size:]
    unsure = False
    for x in range(out.shape[0]):
        pixel = np.float64(grey[x])
        mean = np.float64(ahead[x] - totals[x]) * grid.unit * inverses[x]
        mean_square = np.float64(squares_ahead[x] - squares[x]) * grid.unit_of_squares * inverses[x]
        lift = rule.p * _exponential(-rule.q * mean)
        above = pixel - mean * (1.0 - rule.k + lift)
        slope = mean * gain
        left = above * abs(above)
        right = slope * abs(slope) * (mean_square - mean * mean)
        close = abs(above) * (abs(pixel) + (terms + abs(lift)) * abs(mean)) + slope * slope * mean_square
        out[x] = left > right
        unsure |= (not (abs(left - right) > CLOSE * close + grid.close)) & (
            (pixel != 0) | (squares_ahead[x] != squares[x])
        )
    return unsure


@njit(nogil=True, cache=True)
def again(
    out: Mask, grey: Pixels, totals: Totals, squares: Totals, weights: Floats, size: int, rule: Rule, grid: Grid
) -> bool:
    """Compare a row with the thresholds themselves, and return whether the grid leaves a pixel in doubt."""
    ahead, squares_ahead = totals[size:], squares[size:]
    doubt = False
    for x in range(out.shape[0]):
        pixel = np.float64(grey[x])
        mean = np.float64(ahead[x] - totals[x]) * grid.unit / weights[x]
        mean_square = np.float64(squares_ahead[x] - squares[x]) * grid.unit_of_squares / weights[x]
        if grid.off == 0:
            out[x] = pixel > threshold(rule, mean, spread_of(mean, mean_square))
            continue
        if squares_ahead[x] == squares[x]:
            out[x] = pixel > threshold(rule, 0.0, 0.0)
            continue
        off_of_variance = 2 * abs(mean) * grid.off + grid.off * grid.off + grid.off_of_squares
        low = high = threshold(rule, mean, spread_of(mean, mean_square + off_of_variance))
        scale = abs(pixel)
        for corner in range(4):
            moved = mean + (grid.off if corner & 1 else -grid.off)
            spread = spread_of(mean, mean_square + (off_of_variance if corner & 2 else -off_of_variance))
            value = threshold(rule, moved, spread)
            low, high = min(low, value), max(high, value)
            scale += abs(value)
        close = CLOSE * (scale + (1 + abs(rule.k)) * abs(mean)) + grid.off
        out[x] = pixel > high
        doubt |= not (pixel > high + close or pixel < low - close)
    return doubt


_ROUND = 1.5 * 2.0**52
_LOG2_E = 1.4426950408889634
_SERIES = tuple(1.0 / math.factorial(power) for power in range(10, -1, -1))
_LAST = 1.0 / math.factorial(11)
_LN2_HIGH, _LN2_LOW = 6.93145751953125e-1, 1.42860682030941723212e-6


@njit(nogil=True, cache=True)
def _exponential(value: float) -> float:
    """Return ``exp(value)`` to about 2**-47, by operations that vectorise and round alike everywhere."""
    bounded = min(max(value, -700.0), 700.0)
    near = bounded * _LOG2_E + _ROUND
    whole = near - _ROUND
    rest = bounded - whole * _LN2_HIGH - whole * _LN2_LOW
    series = _LAST
    for place in range(len(_SERIES)):
        series = series * rest + _SERIES[place]
    exponent = np.float64(near).view(np.int64) - np.float64(_ROUND).view(np.int64)
    return series * np.int64((exponent + 1023) << 52).view(np.float64)
