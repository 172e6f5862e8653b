"""Plateaus of a tile that no neighbour rises above: its regional maxima, as far as it can tell by itself."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from bigimg.kernels.components import RunLabels
from bigimg.kernels.padded import Indices, offsets, padded, rows, unpadded
from bigimg.kernels.reconstruction import Keys

SLOPE, PEAK, OUTSIDE = 0, 1, 2
"""Marks of pixels: outside are those that do not count; the lowest of values, they neither rise above nor take away."""


def peaks(keys: Keys, connectivity: int, valid: NDArray[np.bool_] | None = None) -> NDArray[np.bool_]:
    """Return the pixels of plateaus of which none has a higher neighbour.

    Parameters
    ----------
    keys : (M, N) or (P, M, N) array of unsigned integers
        See :mod:`bigimg.kernels.sort_keys`.
    connectivity : int
        How many axes a step between neighbours may change.
    valid : array of bool, optional
        Of the shape of ``keys``; other pixels are neighbours of none, and no peaks.

    Examples
    --------
    >>> peaks(np.array([[1, 1, 0, 2, 2, 3]], np.uint8), connectivity=1).astype(int)
    array([[1, 1, 0, 0, 0, 1]])
    """
    values = padded(keys if valid is None else np.where(valid, keys, 0).astype(keys.dtype))
    marks = padded(np.full(keys.shape, PEAK, np.uint8), fill=OUTSIDE)
    steps = offsets(keys.shape, connectivity)
    _mark(values, marks, rows(keys.shape), keys.shape[-1], steps)
    found = unpadded(marks, keys.shape)
    if valid is not None:
        found[~valid] = OUTSIDE
    _take(values, marks, steps, np.flatnonzero(marks == PEAK))
    return np.asarray(found == PEAK)


def falling(
    runs: RunLabels, keys: Keys, connectivity: int, valid: NDArray[np.bool_] | None = None
) -> NDArray[np.bool_]:
    """Return which of the labelled plateaus have a lower neighbour; index 0, the background, has none.

    A plateau that is all there is has none, and is no maximum of anything.

    Examples
    --------
    >>> from bigimg.kernels.components import label_runs
    >>> keys = np.array([[1, 1, 0, 2]], np.uint8)
    >>> falling(label_runs(keys > 0, 1), keys, connectivity=1)
    array([False,  True,  True])
    """
    inside = padded(np.ones(keys.shape, np.uint8) if valid is None else valid.view(np.uint8))
    found = np.zeros(runs.count + 1, np.bool_)
    steps = offsets(keys.shape, connectivity)
    _falling(runs.row_start, runs.start, runs.stop, runs.label, padded(keys), inside, steps, rows(keys.shape), found)
    return found


@njit(nogil=True, cache=True)
def _mark_row(values: Keys, marks: NDArray[np.uint8], start: int, width: int, step: int) -> None:
    row = values[start : start + width]
    near = values[start + step : start + step + width]
    marked = marks[start : start + width]
    for x in range(width):
        marked[x] &= np.uint8(near[x] <= row[x])


@njit(nogil=True, cache=True)
def _mark(values: Keys, marks: NDArray[np.uint8], starts: Indices, width: int, steps: Indices) -> None:
    """Leave the marks of pixels without a higher neighbour."""
    for start in starts:
        for step in steps:
            _mark_row(values, marks, start, width, step)


@njit(nogil=True, cache=True)
def _take(values: Keys, marks: NDArray[np.uint8], steps: Indices, peaks: Indices) -> None:
    """Take the marks of whole plateaus of which one pixel has a higher neighbour."""
    stack = np.empty(1024, np.int64)
    for place in peaks:
        count = 0
        if marks[place] == PEAK:
            for step in steps:
                if marks[place + step] == SLOPE and values[place + step] == values[place]:
                    stack[0] = place
                    count = 1
                    marks[place] = SLOPE
                    break
        while count:
            count -= 1
            here = stack[count]
            if count + steps.size > stack.size:
                longer = np.empty(2 * stack.size, np.int64)
                longer[:count] = stack[:count]
                stack = longer
            for step in steps:
                near = here + step
                if marks[near] == PEAK and values[near] == values[here]:
                    marks[near] = SLOPE
                    stack[count] = near
                    count += 1


@njit(nogil=True, cache=True)
def _falling(
    row_start: NDArray[np.int64],
    first: NDArray[np.int32],
    stop: NDArray[np.int32],
    label: NDArray[np.int32],
    values: Keys,
    inside: NDArray[np.uint8],
    steps: Indices,
    starts: Indices,
    found: NDArray[Any],
) -> None:
    for row in range(starts.size):
        for run in range(row_start[row], row_start[row + 1]):
            if found[label[run]]:
                continue
            for place in range(starts[row] + first[run], starts[row] + stop[run]):
                for step in steps:
                    if inside[place + step] and values[place + step] < values[place]:
                        found[label[run]] = True
