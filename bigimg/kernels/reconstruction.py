"""Grey reconstruction by dilation on keys: the highest values flow from a seed as far as a mask lets them.

Two sweeps over the rows carry values down and up the image; what they leave is raised from a queue, the hybrid
algorithm of L. Vincent, "Morphological grayscale reconstruction in image analysis", IEEE Trans. Image Process. 2
(1993). Erosion is the same on keys whose bits are turned over. The result is made of values that are there, by
comparing them only, so it is the same whatever the order.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from bigimg.kernels.padded import Indices, offsets, rows

Keys = NDArray[Any]
"""Unsigned integers in the order of the pixels, see :mod:`bigimg.kernels.sort_keys`; the border of a tile is 0."""


def reconstruct(seed: Keys, mask: Keys, shape: tuple[int, ...], connectivity: int) -> None:
    """Raise ``seed``, nowhere above ``mask``, to its reconstruction by dilation, in place.

    Parameters
    ----------
    seed, mask : flat arrays of unsigned integers
        Tiles of ``shape`` with a border of zeros, see :func:`bigimg.kernels.padded.padded`.
    shape : tuple of int
        Of the tile without its border.
    connectivity : int
        How many axes a step between neighbours may change.

    Examples
    --------
    >>> from bigimg.kernels.padded import padded, unpadded
    >>> seed = padded(np.array([[0, 5, 0, 0, 0]], np.uint8))
    >>> reconstruct(seed, padded(np.array([[3, 7, 4, 1, 6]], np.uint8)), (1, 5), connectivity=1)
    >>> unpadded(seed, (1, 5))
    array([[3, 5, 4, 1, 1]], dtype=uint8)
    """
    steps = offsets(shape, connectivity)
    queue = _sweep(seed, mask, rows(shape), shape[-1], steps[steps < -1], steps[steps > 1])
    _flow(seed, mask, steps, queue)


def raise_from(values: Keys, mask: Keys, shape: tuple[int, ...], connectivity: int, sources: Indices) -> None:
    """Let the values at ``sources``, places in the padded tile, flow where they are higher, in place.

    Examples
    --------
    >>> from bigimg.kernels.padded import padded, unpadded
    >>> values = padded(np.array([[6, 0, 0, 0]], np.uint8))
    >>> raise_from(values, padded(np.array([[7, 7, 2, 9]], np.uint8)), (1, 4), 1, np.array([7]))
    >>> unpadded(values, (1, 4))
    array([[6, 6, 2, 2]], dtype=uint8)
    """
    highest = np.argsort(~values[sources], kind="stable")  # what flows first is then seldom raised again
    _flow(values, mask, offsets(shape, connectivity), sources[highest])


@njit(nogil=True, cache=True)
def _raise_row(values: Keys, start: int, width: int, step: int) -> None:
    row = values[start : start + width]
    near = values[start + step : start + step + width]
    for x in range(width):
        row[x] = max(row[x], near[x])


@njit(nogil=True, cache=True)
def _mark_row(values: Keys, mask: Keys, start: int, width: int, step: int, marks: NDArray[np.uint8]) -> None:
    """Mark the pixels that could raise the neighbour at ``step``."""
    row = values[start : start + width]
    near = values[start + step : start + step + width]
    limit = mask[start + step : start + step + width]
    for x in range(width):
        marks[x] |= np.uint8(near[x] < min(row[x], limit[x]))


@njit(nogil=True, cache=True)
def _sweep(values: Keys, mask: Keys, starts: Indices, width: int, before: Indices, after: Indices) -> Indices:
    """Sweep down and up; return the places from which something could still flow."""
    for start in starts:
        for step in before:
            _raise_row(values, start, width, step)
        value = values[start - 1]
        for place in range(start, start + width):
            value = min(max(values[place], value), mask[place])
            values[place] = value
    marks = np.empty(width, np.uint8)
    queue = np.empty(1024, np.int64)
    count = 0
    for start in starts[::-1]:
        for step in after:
            _raise_row(values, start, width, step)
        value = values[start + width]
        for place in range(start + width - 1, start - 1, -1):
            value = min(max(values[place], value), mask[place])
            values[place] = value
        marks[:] = 0
        _mark_row(values, mask, start, width, 1, marks)
        for step in after:
            _mark_row(values, mask, start, width, step, marks)
        if count + width > queue.size:
            longer = np.empty(2 * (count + width), np.int64)
            longer[:count] = queue[:count]
            queue = longer
        for x in range(width):
            queue[count] = start + x
            count += marks[x]
    return queue[:count]


@njit(nogil=True, cache=True)
def _flow(values: Keys, mask: Keys, steps: Indices, wave: Indices) -> None:
    """Raise neighbours wave by wave."""
    count = wave.size
    after = np.empty(max(1024, count), np.int64)
    while count:
        found = 0
        for number in range(count):
            place = wave[number]
            value = values[place]
            if found + steps.size > after.size:
                longer = np.empty(2 * (found + steps.size), np.int64)
                longer[:found] = after[:found]
                after = longer
            for step in steps:
                near = place + step
                raised = min(value, mask[near])
                if values[near] < raised:
                    values[near] = raised
                    after[found] = near
                    found += 1
        wave, after = after, wave
        count = found
