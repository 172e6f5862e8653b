"""Local thresholds from running totals of integers: two additions a pixel and direction, whatever the window.

What slides must be added and taken away without rounding, or a pixel would depend on where its tile began. Integers of
up to 16 bits do so. Floating point pixels are rounded to a grid of integers that is fine enough for nearly every pixel;
rows with a pixel for which it is not are reported, and computed again by :mod:`bigimg.kernels.local_trees`::

    row that enters the window  --- + --+--> sums of columns --> totals along the row --> differences: sums of windows
    row that leaves the window  --- - --+
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from bigimg.core.operation import Pixels
from bigimg.kernels.local_rules import (
    MEAN,
    PHANSALKAR,
    Floats,
    Grid,
    Mask,
    Rule,
    again,
    mean_row,
    near_mean_row,
    phansalkar_row,
    spread_row,
)
from bigimg.kernels.windows import reflect

Integers = NDArray[np.int64]

STRIP = 2304
"""Columns worked on at once, at most: what a row needs beside the window then fits a second-level cache. A strip pays
for the columns of its window beside it, and a tile of 2048 with its halo is one."""

ROUND = 1.5 * 2.0**52
"""Added to a number below 2**51, it leaves the nearest integer in the last bits."""


@njit(nogil=True, cache=True)
def fill(
    out: Mask, pixels: Pixels, valid: Mask, rule: Rule, grid: Grid, size: int, deep: bool, bump: int
) -> NDArray[np.bool_]:
    """Fill ``out`` with what ``rule`` says of each pixel, and return the rows that are in doubt.

    Parameters
    ----------
    out, pixels
        (planes, rows, columns).
    valid
        As ``pixels``, or empty where all are valid.
    size
        Width of the window, odd.
    deep
        Whether it reaches as far across planes.
    bump
        1 to count every pixel that is not 0 as a unit more: a total of 0 then means that all pixels are 0. Only for
        pixels none of which is negative.
    """
    depth, height, width = pixels.shape
    radius = size // 2
    mirror = rule.method != MEAN
    channels = 1 + int(mirror) + int(valid.size > 0)
    doubt = np.zeros((depth, height), np.bool_)
    volume = np.zeros((height if deep else 0, channels, width), np.int64)
    for z in range(depth):
        if deep:
            for step in range(size if z == 0 else 1):
                after = reflect(z + radius if z else step - radius, depth, mirror)
                before = reflect(z - radius - 1, depth, mirror) if z else -1
                for y in range(height):
                    _enter(volume[y], 0, pixels, valid, rule, grid, bump, after, y, before, y, 0, width)
        strips = (width + STRIP - 1) // STRIP
        for strip in range(strips):
            left, right = strip * width // strips, (strip + 1) * width // strips
            _strip(out, doubt, pixels, valid, volume, rule, grid, size, bump, z, left, right - left)
    return doubt


@njit(nogil=True, cache=True)
def _strip(
    out: Mask,
    doubt: Mask,
    pixels: Pixels,
    valid: Mask,
    volume: Integers,
    rule: Rule,
    grid: Grid,
    size: int,
    bump: int,
    z: int,
    left: int,
    count: int,
) -> None:
    height, width = pixels.shape[1:]
    radius = size // 2
    mirror = rule.method != MEAN
    deep = volume.shape[0] > 0
    channels = volume.shape[1]
    low, high = max(left - radius, 0), min(left + count + radius, width)
    start = low - left + radius
    columns = np.zeros((channels, count + 2 * radius), np.int64)
    totals = np.zeros((channels, count + size), np.int64)
    weights = np.full(count, float(size) ** (3 if deep else 2))
    inverses = 1.0 / weights
    for y in range(height):
        for step in range(size if y == 0 else 1):
            after = reflect(y + radius if y else step - radius, height, mirror)
            before = reflect(y - radius - 1, height, mirror) if y else -1
            if deep:
                for channel in range(channels):
                    _move(columns[channel, start:], volume, channel, after, before, low, high)
            else:
                _enter(columns, start, pixels, valid, rule, grid, bump, z, after, z if y else -1, before, low, high)
        for channel in range(channels):
            _continue(columns[channel], left - radius, low, high, width, mirror)
            _add_up(totals[channel], columns[channel])
        if valid.size > 0:
            _weigh(weights, inverses, totals[channels - 1], size)
        here, grey = out[z, y, left : left + count], pixels[z, y, left : left + count]
        doubt[z, y] |= _decide(here, grey, totals, weights, inverses, size, rule, grid)


@njit(nogil=True, cache=True)
def _decide(
    out: Mask, grey: Pixels, totals: Integers, weights: Floats, inverses: Floats, size: int, rule: Rule, grid: Grid
) -> bool:
    if rule.method == MEAN:
        if grid.off == 0:
            mean_row(out, grey, totals[0], weights, size, rule.offset)
            return False
        return near_mean_row(out, grey, totals[0], inverses, size, rule.offset, grid)
    if rule.method == PHANSALKAR:
        unsure = phansalkar_row(out, grey, totals[0], totals[1], inverses, size, rule, grid)
    else:
        unsure = spread_row(out, grey, totals[0], totals[1], inverses, size, rule, grid)
    return unsure and again(out, grey, totals[0], totals[1], weights, size, rule, grid)


@njit(nogil=True, cache=True, error_model="numpy")  # a check for divisors of 0 would not vectorise
def _weigh(weights: Floats, inverses: Floats, totals: Integers, size: int) -> None:
    ahead = totals[size:]
    for x in range(weights.shape[0]):
        weights[x] = max(ahead[x] - totals[x], 1)
        inverses[x] = 1.0 / weights[x]


@njit(nogil=True, cache=True)
def _enter(
    columns: Integers,
    start: int,
    pixels: Pixels,
    valid: Mask,
    rule: Rule,
    grid: Grid,
    bump: int,
    z: int,
    y: int,
    old_z: int,
    old_y: int,
    low: int,
    high: int,
) -> None:
    """Let row ``(z, y)`` enter the sums of columns, and row ``(old_z, old_y)`` leave them; ``old_z`` -1 for none."""
    end = start + high - low
    new = pixels[z, y, low:high]
    old = pixels[old_z, old_y, low:high] if old_z >= 0 else np.zeros(high - low, pixels.dtype)
    if valid.size > 0:
        counted = columns[columns.shape[0] - 1, start:end]
        new = new.copy()
        _blank(new, valid[z, y, low:high], counted, 1)
        if old_z >= 0:
            old = old.copy()
            _blank(old, valid[old_z, old_y, low:high], counted, -1)
    column = columns[0, start:end]
    if rule.method == MEAN:
        if grid.off == 0:
            _add(column, new, old)
        else:
            _add_rounded(column, new, old, 1.0 / grid.unit, bump)
    elif grid.off == 0:
        _add_squares(column, columns[1, start:end], new, old)
    else:
        scale, square_scale = 1.0 / grid.unit, 1.0 / grid.unit_of_squares
        _add_squares_rounded(column, columns[1, start:end], new, old, scale, square_scale)


@njit(nogil=True, cache=True)
def _blank(row: Pixels, valid: Mask, counted: Integers, sign: int) -> None:
    for x in range(row.shape[0]):
        counted[x] += sign * np.int64(valid[x])
        if not valid[x]:
            row[x] = 0


@njit(nogil=True, cache=True)
def _add(column: Integers, new: Pixels, old: Pixels) -> None:
    for x in range(column.shape[0]):
        column[x] += np.int64(new[x]) - np.int64(old[x])


@njit(nogil=True, cache=True)
def _add_squares(column: Integers, squares: Integers, new: Pixels, old: Pixels) -> None:
    for x in range(column.shape[0]):
        one, other = np.int64(new[x]), np.int64(old[x])
        column[x] += one - other
        squares[x] += one * one - other * other


@njit(nogil=True, cache=True)
def _add_rounded(column: Integers, new: Pixels, old: Pixels, scale: float, bump: int) -> None:
    for x in range(column.shape[0]):
        one, other = np.float64(new[x]), np.float64(old[x])
        column[x] += np.float64(one * scale + ROUND).view(np.int64) - np.float64(other * scale + ROUND).view(np.int64)
        column[x] += bump * (np.int64(one != 0) - np.int64(other != 0))


@njit(nogil=True, cache=True)
def _add_squares_rounded(
    column: Integers, squares: Integers, new: Pixels, old: Pixels, scale: float, square_scale: float
) -> None:
    for x in range(column.shape[0]):
        one, other = np.float64(new[x]), np.float64(old[x])
        column[x] += np.float64(one * scale + ROUND).view(np.int64) - np.float64(other * scale + ROUND).view(np.int64)
        came = np.float64(one * one * square_scale + ROUND).view(np.int64) + np.int64(one != 0)
        left = np.float64(other * other * square_scale + ROUND).view(np.int64) + np.int64(other != 0)
        squares[x] += came - left


@njit(nogil=True, cache=True)
def _move(column: Integers, volume: Integers, channel: int, after: int, before: int, low: int, high: int) -> None:
    new = volume[after, channel, low:high]
    if before < 0:
        for x in range(new.shape[0]):
            column[x] += new[x]
        return
    old = volume[before, channel, low:high]
    for x in range(new.shape[0]):
        column[x] += new[x] - old[x]


@njit(nogil=True, cache=True)
def _continue(columns: Integers, first: int, low: int, high: int, width: int, mirror: bool) -> None:
    """Continue the columns ``low`` to ``high`` of an image by reflection; ``columns`` begins with column ``first``."""
    for x in range(first, low):
        columns[x - first] = columns[reflect(x, width, mirror) - first]
    for x in range(high, first + columns.shape[0]):
        columns[x - first] = columns[reflect(x, width, mirror) - first]


@njit(nogil=True, cache=True)
def _add_up(totals: Integers, columns: Integers) -> None:
    """Add up columns along the row; the totals may overflow, their differences do not."""
    total = np.int64(0)
    after = totals[1:]
    for x in range(columns.shape[0]):
        total += columns[x]
        after[x] = total
