"""The inner loops of separable smoothing with weights that are the same on both sides of the middle.

Every value is the result of the same expression, the taps added one after the other from the centre outwards; so its
bits do not depend on where a tile begins. The loops run along the row, where the compiler may do many pixels at once
but may not reorder anything. (OpenCV's separable filters round the last few pixels of a row in another way than the
rest.)

A strip of columns is worked on from top to bottom, so that what is between the two directions stays in the cache::

    row of the image -> line, continued at its ends -> smoothed along the row -> window of rows -> smoothed down

Several pairs of taps are added in one go, so that the sums are loaded and stored less often. What is weighed together
lies at distances that the compiler knows, or it would have to prove for each operand that it is not being written to.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from bigimg.core.operation import Pixels
from bigimg.kernels.windows import load, reflect

Weights = NDArray[Any]

_STRIP = 1000
"""Columns worked on at once: the window of float64 rows for a sigma of 15 then fits a second-level cache of 1 MB. Not
a power of two, or all rows of a window would compete for the same few lines of the first-level cache."""

_ADVANCE = 16
"""At least so many rows are added to a window before it moves back to the beginning of its memory."""


def _weigher(step: int) -> Callable[[Any, Any, int, Weights], None]:
    """Return the loop that weighs neighbours at multiples of ``step`` in memory."""

    @njit(nogil=True, cache=True)
    def eight(sums: Any, memory: Any, centre: int, w: Weights, tap: int) -> None:
        count = sums.shape[0]
        a = memory[centre - (tap + 7) * step :]
        b = memory[centre + tap * step :]
        c = memory[centre:]
        m, n, p, q = w[tap], w[tap + 1], w[tap + 2], w[tap + 3]
        r, s, t, u = w[tap + 4], w[tap + 5], w[tap + 6], w[tap + 7]
        if tap == 1:
            middle = w[0]
            for x in range(count):
                total = middle * c[x] + m * (a[x + 7 * step] + b[x]) + n * (a[x + 6 * step] + b[x + step])
                total = total + p * (a[x + 5 * step] + b[x + 2 * step]) + q * (a[x + 4 * step] + b[x + 3 * step])
                total = total + r * (a[x + 3 * step] + b[x + 4 * step]) + s * (a[x + 2 * step] + b[x + 5 * step])
                sums[x] = total + t * (a[x + step] + b[x + 6 * step]) + u * (a[x] + b[x + 7 * step])
        else:
            for x in range(count):
                total = sums[x] + m * (a[x + 7 * step] + b[x]) + n * (a[x + 6 * step] + b[x + step])
                total = total + p * (a[x + 5 * step] + b[x + 2 * step]) + q * (a[x + 4 * step] + b[x + 3 * step])
                total = total + r * (a[x + 3 * step] + b[x + 4 * step]) + s * (a[x + 2 * step] + b[x + 5 * step])
                sums[x] = total + t * (a[x + step] + b[x + 6 * step]) + u * (a[x] + b[x + 7 * step])

    @njit(nogil=True, cache=True)
    def four(sums: Any, memory: Any, centre: int, w: Weights, tap: int) -> None:
        count = sums.shape[0]
        a = memory[centre - (tap + 3) * step :]
        b = memory[centre + tap * step :]
        c = memory[centre:]
        m, n, p, q = w[tap], w[tap + 1], w[tap + 2], w[tap + 3]
        if tap == 1:
            middle = w[0]
            for x in range(count):
                total = middle * c[x] + m * (a[x + 3 * step] + b[x]) + n * (a[x + 2 * step] + b[x + step])
                sums[x] = total + p * (a[x + step] + b[x + 2 * step]) + q * (a[x] + b[x + 3 * step])
        else:
            for x in range(count):
                total = sums[x] + m * (a[x + 3 * step] + b[x]) + n * (a[x + 2 * step] + b[x + step])
                sums[x] = total + p * (a[x + step] + b[x + 2 * step]) + q * (a[x] + b[x + 3 * step])

    @njit(nogil=True, cache=True)
    def one(sums: Any, memory: Any, centre: int, w: Weights, tap: int) -> None:
        count = sums.shape[0]
        a = memory[centre - tap * step :]
        b = memory[centre + tap * step :]
        c = memory[centre:]
        m = w[tap]
        if tap == 1:
            middle = w[0]
            for x in range(count):
                sums[x] = middle * c[x] + m * (a[x] + b[x])
        else:
            for x in range(count):
                sums[x] += m * (a[x] + b[x])

    @njit(nogil=True, cache=True)
    def weigh(sums: Any, memory: Any, centre: int, w: Weights) -> None:
        taps = w.shape[0]
        tap = 1
        if taps == 1:
            only = w[0]
            c = memory[centre:]
            for x in range(sums.shape[0]):
                sums[x] = only * c[x]
        while tap + 8 <= taps:
            eight(sums, memory, centre, w, tap)
            tap += 8
        if tap + 4 <= taps:
            four(sums, memory, centre, w, tap)
            tap += 4
        while tap < taps:
            one(sums, memory, centre, w, tap)
            tap += 1

    weigher: Callable[[Any, Any, int, Weights], None] = weigh
    return weigher


_weigh_along = _weigher(1)
_weigh_down = _weigher(_STRIP)


@njit(nogil=True, cache=True)
def smooth(out: Pixels, pixels: Pixels, down: Weights, along: Weights) -> None:
    """Fill ``out`` with a plane smoothed along its rows and down its columns, continued by reflection (c b a | a b c).

    ``down`` and ``along`` are the weights from the middle outwards, of the dtype of ``out``.
    """
    height, width = pixels.shape
    radius, reach = along.shape[0] - 1, down.shape[0] - 1
    rows = 2 * reach + max(reach, _ADVANCE)
    memory = np.empty(rows * _STRIP, down.dtype)
    line = np.empty(_STRIP + 2 * radius, down.dtype)
    for left in range(0, width, _STRIP):
        count = min(_STRIP, width - left)
        place = 0
        for row in range(-reach, height + reach):
            if place == rows:
                memory[: 2 * reach * _STRIP] = memory[(rows - 2 * reach) * _STRIP :]
                place = 2 * reach
            load(line[: count + 2 * radius], pixels[reflect(row, height, False)], left - radius, False)
            _weigh_along(memory[place * _STRIP : place * _STRIP + count], line, radius, along)
            if row >= reach:
                _weigh_down(out[row - reach, left : left + count], memory, (place - reach) * _STRIP, down)
            place += 1
