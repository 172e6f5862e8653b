"""Local thresholds from running totals of integers: two additions a pixel and direction, whatever the window.

What slides must be added and taken away without rounding, or a pixel would depend on where its tile began. Integers of
up to 16 bits do so. Floating point pixels are rounded to a grid of integers that is fine enough for nearly every pixel;
rows with a pixel for which it is not are reported, and computed again by :mod:`bigimg.kernels.local_trees`::

    row that enters the window --+--> totals of columns --> running totals along the row --> difference: window
    row that leaves it ---------- -
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from bigimg.core.operation import Pixels
from bigimg.kernels.local_rules import (
    MEAN,
    PHANSALKAR,
    Grid,
    Mask,
    Rule,
    Totals,
    again,
    mean_row,
    near_mean_row,
    phansalkar_row,
    spread_row,
)
from bigimg.kernels.windows import reflect

Integers = NDArray[np.int64]

STRIP = 2048
"""Columns worked on at once."""

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
    channels = 1 + (rule.method != MEAN) + (valid.size > 0)
    doubt = np.zeros((depth, height), np.bool_)
    volume = np.zeros((channels, height if deep else 0, width), np.int64)
    for z in range(depth):
        if deep:
            for step in range(size if z == 0 else 1):
                after = reflect(z + radius if z else step - radius, depth, rule.method != MEAN)
                before = reflect(z - radius - 1, depth, rule.method != MEAN) if z else -1
                for y in range(height):
                    _enter(volume[:, y], pixels, valid, rule, grid, bump, after, y, before, y, 0, width)
        for left in range(0, width, STRIP):
            _strip(out, doubt, pixels, valid, volume, rule, grid, size, bump, z, left, min(STRIP, width - left))
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
    masked = valid.size > 0
    deep = volume.shape[1] > 0
    low, high = max(left - radius, 0), min(left + count + radius, width)
    columns = np.zeros((volume.shape[0], high - low), np.int64)
    totals = np.zeros((volume.shape[0], count + size), np.int64)
    weights = np.full(count, float(size) ** (3 if deep else 2))
    inverses = 1.0 / weights
    for y in range(height):
        for step in range(size if y == 0 else 1):
            after = reflect(y + radius if y else step - radius, height, mirror)
            before = reflect(y - radius - 1, height, mirror) if y else -1
            if deep:
                for channel in range(columns.shape[0]):
                    _move(columns[channel], volume[channel], after, before, low)
            else:
                _enter(columns, pixels, valid, rule, grid, bump, z, after, z if y else -1, before, low, high)
        for channel in range(columns.shape[0]):
            _run(totals[channel], columns[channel], left - radius, low, width, mirror)
        if masked:
            counted = totals[totals.shape[0] - 1]
            for x in range(count):
                weights[x] = max(counted[x + size] - counted[x], 1)
                inverses[x] = 1.0 / weights[x]
        here, grey = out[z, y, left : left + count], pixels[z, y, left : left + count]
        doubt[z, y] |= _decide(here, grey, totals, weights, inverses, size, rule, grid)


@njit(nogil=True, cache=True)
def _decide(
    out: Mask, grey: Pixels, totals: Integers, weights: Totals, inverses: Totals, size: int, rule: Rule, grid: Grid
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


@njit(nogil=True, cache=True)
def _enter(
    columns: Integers,
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
    """Let row ``(z, y)`` enter the totals of columns, and row ``(old_z, old_y)`` leave them; ``old_z`` -1 for none."""
    new = pixels[z, y, low:high]
    old = pixels[old_z, old_y, low:high] if old_z >= 0 else np.zeros(high - low, pixels.dtype)
    if valid.size > 0:
        counted = columns[columns.shape[0] - 1]
        new = new.copy()
        _blank(new, valid[z, y, low:high], counted, 1)
        if old_z >= 0:
            old = old.copy()
            _blank(old, valid[old_z, old_y, low:high], counted, -1)
    if grid.off == 0:
        if rule.method == MEAN:
            _add(columns[0], new, old)
        else:
            _add_squares(columns[0], columns[1], new, old)
    elif rule.method == MEAN:
        _add_rounded(columns[0], new, old, 1.0 / grid.unit, bump)
    else:
        _add_squares_rounded(columns[0], columns[1], new, old, 1.0 / grid.unit, 1.0 / grid.unit_of_squares)


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
def _move(column: Integers, plane: Integers, after: int, before: int, low: int) -> None:
    new = plane[after, low : low + column.shape[0]]
    if before < 0:
        for x in range(column.shape[0]):
            column[x] += new[x]
        return
    old = plane[before, low : low + column.shape[0]]
    for x in range(column.shape[0]):
        column[x] += new[x] - old[x]


@njit(nogil=True, cache=True)
def _run(totals: Integers, columns: Integers, first: int, low: int, width: int, mirror: bool) -> None:
    """Add up columns ``first``, ``first + 1`` ..., continued by reflection; they may overflow, differences do not."""
    span = totals.shape[0] - 1
    inside = min(max(-first, 0), span)
    outside = max(min(width - first, span), inside)
    total = np.int64(0)
    totals[0] = 0
    for x in range(inside):
        total += columns[reflect(first + x, width, mirror) - low]
        totals[x + 1] = total
    source = columns[first + inside - low :]
    target = totals[inside + 1 : outside + 1]
    for x in range(target.shape[0]):
        total += source[x]
        target[x] = total
    for x in range(outside, span):
        total += columns[reflect(first + x, width, mirror) - low]
        totals[x + 1] = total
