"""Local thresholds from window sums in float64 that do not depend on the tile (see :mod:`bigimg.kernels.windows`).

This is what a local threshold of floating point pixels is; :mod:`bigimg.kernels.window_moments` finds the same faster,
and leaves here the few rows in which a pixel comes too close to its threshold. A strip of columns is worked on from top
to bottom::

    row of the image -> line: x          -> sums along the row -> ring of rows -> sums over the window --+
                        line: x * x      -> sums along the row -> ring of rows -> sums over the window --+-> a row of
                        line: valid, 1/0 -> sums along the row -> ring of rows -> sums over the window --+   the mask
"""

from __future__ import annotations

import numpy as np
from numba import njit

from bigimg.core.operation import Pixels
from bigimg.kernels.local_rules import MEAN, Mask, Rule, spread_of, threshold
from bigimg.kernels.windows import Floats, Steps, feed, ring_rows, slot, steps, sum_windows

_STRIP = 632
"""Columns worked on at once: the rings of a window of 51 then fit a second-level cache of 1 MB. Not a power of two,
or all rows of a ring would compete for the same few lines of the first-level cache."""


def fill_rows(out: Mask, pixels: Pixels, valid: Mask | None, rule: Rule, size: int, rows: Mask) -> None:
    """Fill the rows of a plane that ``rows`` marks."""
    weights = np.zeros((0, 0), bool) if valid is None else valid
    marked = np.flatnonzero(rows)
    # A row costs the rows of its window too: runs of rows no further apart than these are one.
    for run in np.split(marked, np.flatnonzero(np.diff(marked) > size) + 1):
        if len(run):
            _fill(out, pixels, weights, rule, steps(size), int(run[0]), int(run[-1]) + 1)


def fill_volume(out: Mask, voxels: Pixels, valid: Mask | None, rule: Rule, size: int) -> None:
    """Do for three dimensions, in plain NumPy, what `fill_rows` does for two."""
    values = voxels.astype(np.float64)
    axes = tuple(range(values.ndim))
    weight: Floats | float = float(size**values.ndim)
    if valid is not None:
        values[~valid] = 0
        weight = np.maximum(sum_windows(valid.astype(np.float64), size, axes, mirror=rule.mirror), 1)
    mean = np.broadcast_to(sum_windows(values, size, axes, mirror=rule.mirror) / weight, values.shape)
    square = mean if rule.method == MEAN else sum_windows(values * values, size, axes, mirror=rule.mirror) / weight
    _compare(out.reshape(-1), voxels.reshape(-1), mean.reshape(-1), square.reshape(-1), rule)


@njit(nogil=True, cache=True)
def _compare(out: Mask, grey: Pixels, means: Floats, squares: Floats, rule: Rule) -> None:
    for x in range(out.shape[0]):
        out[x] = np.float64(grey[x]) > threshold(rule, means[x], spread_of(means[x], squares[x]))


@njit(nogil=True, cache=True)
def _fill(out: Mask, pixels: Pixels, valid: Mask, rule: Rule, plan: Steps, first: int, end: int) -> None:
    width = pixels.shape[1]
    size = plan[-1, 0]
    radius = size // 2
    masked = valid.size > 0
    mirror = rule.method != MEAN
    channels = 1 + int(mirror) + int(masked)
    strip = max(_STRIP, 2 * size)
    head = np.zeros(plan.shape[0], np.int64)
    for left in range(0, width, strip):
        count = min(strip, width - left)
        memory = np.zeros((channels, ring_rows(plan) * count + plan.shape[0] * (count + size - 1)))
        weights = np.full(count, float(size * size))
        for row in range(first - radius, end + radius):
            feed(memory, pixels, valid, masked, mirror, row, left - radius, count, mirror, plan, head)
            y = row - radius
            if y < first:
                continue
            found = slot(plan, head, plan.shape[0] - 1, 0) * count
            sums = memory[0, found : found + count]
            squares = memory[int(mirror), found : found + count]
            if masked:
                weights[:] = np.maximum(memory[channels - 1, found : found + count], 1.0)
            for x in range(count):
                mean = sums[x] / weights[x]
                limit = threshold(rule, mean, spread_of(mean, squares[x] / weights[x]))
                out[y, left + x] = np.float64(pixels[y, left + x]) > limit
