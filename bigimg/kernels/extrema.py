"""Plateaus of a tile that no neighbour rises above: its regional maxima, as far as it can tell by itself."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from bigimg.kernels.components import RunLabels
from bigimg.kernels.padded import Indices, offsets, padded, rows, unpadded

SLOPE, PEAK, OUTSIDE = 0, 1, 2
"""Marks of pixels: outside are those that do not count; the lowest of values, they neither rise above nor take away."""


def bordered(pixels: NDArray[Any], valid: NDArray[np.bool_] | None = None) -> tuple[NDArray[Any], NDArray[np.uint8]]:
    """Return ``pixels`` with a border, flat, and a mark for each: a peak until it is found to be none.

    Examples
    --------
    >>> values, marks = bordered(np.array([[3, 4]], np.uint8))
    >>> unpadded(marks, (1, 2)), marks[:4]
    (array([[1, 1]], dtype=uint8), array([2, 2, 2, 2], dtype=uint8))
    """
    lowest = -np.inf if pixels.dtype.kind == "f" else np.iinfo(pixels.dtype).min
    values = padded(pixels, lowest)
    marks = padded(np.full(pixels.shape, PEAK, np.uint8), OUTSIDE)
    if valid is not None:
        unpadded(values, pixels.shape)[~valid] = lowest
        unpadded(marks, pixels.shape)[~valid] = OUTSIDE
    return values, marks


def peaks(
    values: NDArray[Any], marks: NDArray[np.uint8], shape: tuple[int, ...], connectivity: int
) -> NDArray[np.bool_]:
    """Return the pixels of plateaus of which none has a higher neighbour; ``marks`` are left with them.

    Parameters
    ----------
    values, marks : flat arrays
        Of a tile of ``shape``, see :func:`bordered`.
    shape : tuple of int
        Of the tile without its border.
    connectivity : int
        How many axes a step between neighbours may change.

    Examples
    --------
    >>> peaks(*bordered(np.array([[1, 1, 0, 2, 2, 3]], np.uint8)), (1, 6), connectivity=1).astype(int)
    array([[1, 1, 0, 0, 0, 1]])
    """
    steps, starts = offsets(shape, connectivity), rows(shape)
    _mark(values, marks, starts, shape[-1], steps)
    # Where most pixels are on plateaus, sweeps leave little to the stack; elsewhere they would take longer than it.
    if np.count_nonzero(marks == PEAK) > marks.size // 4:
        _take_sweeping(values, marks, starts, shape[-1], steps)
    _take(values, marks, starts, shape[-1], steps)
    return np.asarray(unpadded(marks, shape) == PEAK)


def falling(runs: RunLabels, values: NDArray[Any], marks: NDArray[np.uint8], connectivity: int) -> NDArray[np.bool_]:
    """Return which of the labelled plateaus have a lower neighbour; index 0, the background, has none.

    A plateau that is all there is has none, and is no maximum of anything.

    Examples
    --------
    >>> from bigimg.kernels.components import label_runs
    >>> pixels = np.array([[1, 1, 0, 2]], np.uint8)
    >>> falling(label_runs(pixels > 0, 1), *bordered(pixels), connectivity=1)
    array([False,  True,  True])
    """
    found = np.zeros(runs.count + 1, np.bool_)
    steps, starts = offsets(runs.shape, connectivity), rows(runs.shape)
    _falling(runs.row_start, runs.start, runs.stop, runs.label, values, marks, steps, starts, found)
    return found


@njit(nogil=True, cache=True)
def _mark_row(values: NDArray[Any], marks: NDArray[np.uint8], start: int, width: int, step: int) -> None:
    row = values[start : start + width]
    near = values[start + step : start + step + width]
    marked = marks[start : start + width]
    for x in range(width):
        marked[x] &= np.uint8(near[x] <= row[x]) | np.uint8(OUTSIDE)


@njit(nogil=True, cache=True)
def _mark(values: NDArray[Any], marks: NDArray[np.uint8], starts: Indices, width: int, steps: Indices) -> None:
    """Leave the marks of pixels without a higher neighbour."""
    for start in starts:
        for step in steps:
            _mark_row(values, marks, start, width, step)


@njit(nogil=True, cache=True)
def _shore_row(
    values: NDArray[Any], marks: NDArray[np.uint8], start: int, width: int, step: int, shore: NDArray[np.uint8]
) -> None:
    """Note the peaks whose neighbour at ``step`` is of their plateau and is none."""
    row, near = values[start : start + width], values[start + step : start + step + width]
    marked, other = marks[start : start + width], marks[start + step : start + step + width]
    for x in range(width):
        shore[x] |= np.uint8(near[x] == row[x]) & np.uint8(marked[x] == PEAK) & np.uint8(other[x] == SLOPE)


@njit(nogil=True, cache=True)
def _take_row(values: NDArray[Any], marks: NDArray[np.uint8], start: int, width: int, steps: Indices) -> None:
    """Take marks of one row from the rows at ``steps``, and then along the row to and fro."""
    row, marked = values[start : start + width], marks[start : start + width]
    for step in steps:
        near, other = values[start + step : start + step + width], marks[start + step : start + step + width]
        for x in range(width):
            taken = np.uint8(near[x] == row[x]) & np.uint8(marked[x] == PEAK) & np.uint8(other[x] == SLOPE)
            marked[x] ^= taken
    for x in range(1, width):
        if marked[x] == PEAK and marked[x - 1] == SLOPE and row[x] == row[x - 1]:
            marked[x] = SLOPE
    for x in range(width - 2, -1, -1):
        if marked[x] == PEAK and marked[x + 1] == SLOPE and row[x] == row[x + 1]:
            marked[x] = SLOPE


@njit(nogil=True, cache=True)
def _take_sweeping(values: NDArray[Any], marks: NDArray[np.uint8], starts: Indices, width: int, steps: Indices) -> None:
    """Take most marks of wide plateaus, down the tile and up again."""
    before, after = steps[steps < -1], steps[steps > 1]
    for start in starts:
        _take_row(values, marks, start, width, before)
    for start in starts[::-1]:
        _take_row(values, marks, start, width, after)


@njit(nogil=True, cache=True)
def _take(values: NDArray[Any], marks: NDArray[np.uint8], starts: Indices, width: int, steps: Indices) -> None:
    """Take the marks of whole plateaus of which one pixel has a higher neighbour."""
    stack = np.empty(max(1024, width + steps.size), np.int64)
    shore = np.empty(width, np.uint8)
    for start in starts:
        shore[:] = 0
        for step in steps:
            _shore_row(values, marks, start, width, step, shore)
        for x in range(width):
            place = start + x
            if not shore[x] or marks[place] != PEAK:
                continue
            marks[place] = SLOPE
            stack[0] = place
            count = 1
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
def _any_lower(values: NDArray[Any], marks: NDArray[np.uint8], start: int, width: int, step: int) -> bool:
    row, near = values[start : start + width], values[start + step : start + step + width]
    marked = marks[start + step : start + step + width]
    found = np.uint8(0)
    for x in range(width):
        found |= np.uint8(near[x] < row[x]) & np.uint8(marked[x] != OUTSIDE)
    return found != 0


@njit(nogil=True, cache=True)
def _falling(
    row_start: NDArray[np.int64],
    first: NDArray[np.int32],
    stop: NDArray[np.int32],
    label: NDArray[np.int32],
    values: NDArray[Any],
    marks: NDArray[np.uint8],
    steps: Indices,
    starts: Indices,
    found: NDArray[np.bool_],
) -> None:
    for row in range(starts.size):
        for run in range(row_start[row], row_start[row + 1]):
            for step in steps:
                if found[label[run]]:
                    break
                found[label[run]] = _any_lower(values, marks, starts[row] + first[run], stop[run] - first[run], step)
