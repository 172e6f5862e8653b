"""Means of square windows of small integers, whose sums fit into 32 bits: exact, in whatever order they are added.

Each column has the sum of the rows of the window, which gains one row and loses one from row to row; these sums are
then added along the row by the steps of `bigimg.kernels.windows`. Floating point sums could not slide: what is added
and taken away again leaves its rounding behind, and the result would tell where the tile began.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from bigimg.core.operation import Pixels
from bigimg.kernels.windows import Steps, reflect, steps, sum_along

Sums = NDArray[np.int32]

_STRIP = 2000
"""Columns worked on at once: sums of columns and the working memory of their sums then stay in the cache."""


_MOST = 2**19
"""Pixels of a window up to which `_parts` are exact enough."""


def fits(dtype: np.dtype[np.generic], count: int) -> bool:
    """Whether the sum of ``count`` pixels of ``dtype`` fits into 32 bits.

    Examples
    --------
    >>> fits(np.dtype("uint16"), 51 * 51), fits(np.dtype("float32"), 9)
    (True, False)
    """
    return dtype.kind in "bui" and dtype.itemsize <= 2 and count <= _MOST and count << (8 * dtype.itemsize) < 2**31


def mean_of_integers(out: Pixels, pixels: Pixels, size: int) -> None:
    """Fill ``out`` with the means of windows of ``size`` about each pixel of a plane or volume that `fits` allows.

    Examples
    --------
    >>> out = np.empty((1, 4))
    >>> mean_of_integers(out, np.array([[0, 3, 6, 9]], np.uint8), 3)
    >>> out
    array([[1., 3., 6., 8.]])
    """
    plan = steps(size)
    if pixels.ndim == 2:
        _mean(out, pixels, plan, _parts(size * size), _STRIP)
        return
    depth = len(pixels)
    layers = np.zeros(pixels.shape[1:], np.int32)
    for z in range(-(size // 2), size - size // 2 - 1):
        layers += pixels[reflect(z, depth, False)]
    for z in range(depth):
        layers += pixels[reflect(z + size - size // 2 - 1, depth, False)]
        _mean(out[z], layers, plan, _parts(size**3), _STRIP)
        layers -= pixels[reflect(z - size // 2, depth, False)]


def _parts(number: int) -> tuple[float, float]:
    """Return two floats whose sum is ``1 / number``, with which two products replace a division, rounded as it is.

    The first has 22 bits, so its product with a sum of 31 bits is exact; the second brings the error below 2**-74 of
    the quotient. The rounding could only be another one if the quotient were that near to the middle between two
    floats, but a quotient of integers that is not in the middle is at least ``2**-54 / number`` of it away.
    """
    fraction, exponent = np.frexp(1 / number)
    high = float(np.ldexp(np.floor(np.ldexp(fraction, 22)), exponent - 22))
    return high, (1 - high * number) / number


@njit(nogil=True, cache=True)
def _mean(out: Pixels, pixels: Pixels, plan: Steps, parts: tuple[float, float], strip: int) -> None:
    height, width = pixels.shape
    size = plan[-1, 0]
    above, below = size // 2, size - size // 2 - 1
    for left in range(0, width, strip):
        count = min(strip, width - left)
        span = count + size - 1
        memory = np.zeros((plan.shape[0] + 1) * span, np.int32)  # sums of columns, of the steps, and of the windows
        columns, sums = memory[:span], memory[plan.shape[0] * span : plan.shape[0] * span + count]
        for y in range(-above, below):
            _gain(columns, pixels[reflect(y, height, False)], left - above)
        for y in range(height):
            enters = pixels[reflect(y + below, height, False)]
            if y == 0:
                _gain(columns, enters, left - above)
            else:
                _exchange(columns, enters, pixels[reflect(y - 1 - above, height, False)], left - above)
            sum_along(memory, 0, span, plan, plan.shape[0] * span)
            _divide(out[y, left : left + count], sums, parts[0], parts[1])


@njit(nogil=True, cache=True)
def _divide(out: Pixels, sums: Sums, high: float, low: float) -> None:
    for x in range(out.size):
        out[x] = sums[x] * high + sums[x] * low


@njit(nogil=True, cache=True)
def _gain(columns: Sums, row: Pixels, first: int) -> None:
    for x in range(columns.size):
        columns[x] += row[reflect(first + x, row.size, False)]


@njit(nogil=True, cache=True)
def _exchange(columns: Sums, enters: Pixels, leaves: Pixels, first: int) -> None:
    """Add one row to the sums of columns from ``first`` on and take one away, continued by reflection at both ends."""
    inside = min(max(-first, 0), columns.size)
    outside = max(min(enters.size - first, columns.size), inside)
    for x in range(inside):
        at = reflect(first + x, enters.size, False)
        columns[x] += np.int32(enters[at]) - np.int32(leaves[at])
    target = columns[inside:outside]
    new, old = enters[first + inside : first + outside], leaves[first + inside : first + outside]
    for x in range(target.size):
        target[x] += np.int32(new[x]) - np.int32(old[x])
    for x in range(outside, columns.size):
        at = reflect(first + x, enters.size, False)
        columns[x] += np.int32(enters[at]) - np.int32(leaves[at])
