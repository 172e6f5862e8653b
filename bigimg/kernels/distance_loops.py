r"""Loops along lines of pixels, for :mod:`bigimg.kernels.distance`.

A background pixel at ``place`` gives every pixel ``x`` of its line the squared distance ``((x - place) * step) ** 2``;
one beside the line, ``height`` more. The smallest of these parabolas at every ``x`` is what the transform asks for::

    \      \     /    /            a stack holds the parabolas that are smallest somewhere, from left to right,
     \     .\.../    /              with the ``cross`` of each with the one before it and, never decreasing,
      '...'  |  '...'               the ``start`` of the stretch where it is smallest
             cross

P. F. Felzenszwalb and D. P. Huttenlocher, "Distance transforms of sampled functions", Theory of Computing 8 (2012).

They add terms in floating point as SciPy does, and there the smallest sum can be that of a parabola that is hidden by
less than rounding. So that the result is the smallest *sum*, whatever is met first, a parabola is dropped only where it
is hidden by more than ``HIDDEN`` of a pixel, and all that start within ``NEAR`` of a pixel are added up there.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

FAR = 2**30
"""Steps to a background pixel where there is none."""
HIDDEN = 2.0**-16
NEAR = 2.0**-8

BLOCK = 128
"""Pixels of a line in which neighbours are tried together."""
TRIED = 16
"""How many neighbours on each side."""
PATIENCE = 32
"""In how many lines a block is not tried after it was in vain."""

Floats = NDArray[np.float64]
Places = NDArray[np.int64]


@njit(nogil=True, cache=True)
def ends(background: NDArray[np.bool_]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Return the first and the last row that is True in each column, -1 where there is none."""
    rows, columns = background.shape
    first = np.full(columns, -1, np.int32)
    last = np.full(columns, -1, np.int32)
    for row in range(rows):
        for column in range(columns):
            last[column] = row if background[row, column] else last[column]
    for row in range(rows - 1, -1, -1):
        for column in range(columns):
            first[column] = row if background[row, column] else first[column]
    return first, last


@njit(nogil=True, cache=True)
def steps(background: NDArray[np.bool_], before: NDArray[np.int32], after: NDArray[np.int32]) -> NDArray[np.int32]:
    """Return the steps along the column to the nearest True; ``before`` and ``after`` are those of the rows beyond."""
    rows, columns = background.shape
    result = np.empty((rows, columns), np.int32)
    count = before.copy()
    for row in range(rows):
        for column in range(columns):
            count[column] = np.int32(0) if background[row, column] else count[column] + np.int32(1)
            result[row, column] = count[column]
    count[:] = after
    for row in range(rows - 1, -1, -1):
        for column in range(columns):
            count[column] = np.int32(0) if background[row, column] else count[column] + np.int32(1)
            result[row, column] = min(result[row, column], count[column], np.int32(FAR))
    return result


@njit(nogil=True, cache=True)
def _heights(line: NDArray[Any], unit: float, height: Floats) -> None:
    """Square the steps of a line in units of length; lines that are squares already have the unit 0."""
    for x in range(line.size):
        if unit == 0:
            height[x] = line[x]
        else:
            length = line[x] * unit
            height[x] = np.inf if line[x] >= FAR else length * length


@njit(nogil=True, cache=True)
def push(
    place: Places, height: Floats, cross: Floats, start: Floats, size: int, new: int, high: float, weight: float
) -> int:
    """Put a parabola to the right of those on the stack; return how many are there then."""
    at = -np.inf
    while size > 0:
        top = size - 1
        at = 0.5 * (new + place[top]) + (high - height[top]) / (2 * weight * (new - place[top]))
        if at >= cross[top] - HIDDEN:
            break
        size -= 1
    place[size] = new
    height[size] = high
    cross[size] = at
    start[size] = at if size == 0 else max(at, start[size - 1])
    return size + 1


@njit(nogil=True, cache=True)
def _lowest(
    place: Places, height: Floats, start: Floats, size: int, step: float, begin: int, end: int, out: Floats
) -> None:
    """Write the smallest sum at each x of a stretch."""
    if size == 0:
        out[begin:end] = np.inf
        return
    first = 0
    for x in range(begin, end):
        while first + 1 < size and start[first + 1] <= x - NEAR:
            first += 1
        length = (x - place[first]) * step
        lowest = height[first] + length * length
        other = first + 1
        while other < size and start[other] <= x + NEAR:
            length = (x - place[other]) * step
            lowest = min(lowest, height[other] + length * length)
            other += 1
        out[x] = lowest


@njit(nogil=True, cache=True)
def _take_smaller(best: Floats, left: Floats, right: Floats, square: float) -> None:
    """Take the sums with neighbours on both sides where they are smaller; slices, so that it is one vector loop."""
    for x in range(best.size):
        best[x] = min(best[x], min(left[x], right[x]) + square)


@njit(nogil=True, cache=True)
def _try_near(padded: Floats, step: float, best: Floats) -> bool:
    """Write the smallest sums of neighbours up to ``TRIED`` steps away; return whether none further can be smaller."""
    size = best.size
    best[:] = padded[TRIED : TRIED + size]
    for k in range(1, TRIED + 2):
        length = k * step
        if (k % 2 == 1 or k > TRIED) and best.max() <= length * length:
            return True
        if k <= TRIED:
            _take_smaller(best, padded[TRIED - k :][:size], padded[TRIED + k :][:size], length * length)
    return False


@njit(nogil=True, cache=True)
def finish_lines(
    lines: NDArray[Any],
    unit: float,
    step: float,
    root: bool,
    origin: int,
    left: tuple[NDArray[np.int64], Places, Floats],
    right: tuple[NDArray[np.int64], Places, Floats],
    out: Floats,
) -> None:
    """Write the smallest sums of each line, with the parabolas of other tiles on both sides.

    ``left`` and ``right`` are where those of each line begin and end, (lines, 2), their places in the image and their
    heights; those on the right come mirrored, from far to near at negative places.

    Where the background is near, trying every neighbour is several times faster than the envelope. A block in which it
    was too far is not tried in the next lines. Both ways find the smallest sum.
    """
    count, columns = lines.shape
    weight = step * step
    blocks = -(-columns // BLOCK)
    padded = np.full(columns + 2 * TRIED, np.inf)
    here = padded[TRIED : TRIED + columns]
    far = np.zeros(blocks, np.int64)
    most = columns + 2
    for line in range(count):
        beside = left[0][line, 1] - left[0][line, 0] + right[0][line, 1] - right[0][line, 0]
        most = max(most, columns + beside)
    place, height, cross, start = np.empty(most, np.int64), np.empty(most), np.empty(most), np.empty(most)
    for line in range(count):
        _heights(lines[line], unit, here)
        for block in range(blocks):
            begin, end = block * BLOCK, min(columns, (block + 1) * BLOCK)
            if far[block] > 0:
                far[block] -= 1
            if far[block] == 0 and not _try_near(padded[begin : end + 2 * TRIED], step, out[line, begin:end]):
                far[block] = PATIENCE
        first, last = left[0][line]
        first_right, last_right = right[0][line]
        if far.max() > 0 or first < last or first_right < last_right:
            begin = 0
            while begin < columns:
                # Nothing beyond a background pixel is nearer than it: stretches between them are done by themselves.
                if here[begin] == 0:
                    out[line, begin] = 0
                    begin += 1
                    continue
                end = begin
                while end < columns and here[end] > 0:
                    end += 1
                beside = (begin == 0 and first < last) or (end == columns and first_right < last_right)
                if beside or far[begin // BLOCK : end // BLOCK + 1].max() > 0:
                    size = 0
                    for item in range(first, last if begin == 0 else first):
                        size = push(place, height, cross, start, size, left[1][item] - origin, left[2][item], weight)
                    for x in range(max(begin - 1, 0), min(end + 1, columns)):
                        if here[x] < np.inf:
                            size = push(place, height, cross, start, size, x, here[x], weight)
                    for item in range((last_right if end == columns else first_right) - 1, first_right - 1, -1):
                        size = push(place, height, cross, start, size, -right[1][item] - origin, right[2][item], weight)
                    _lowest(place, height, start, size, step, begin, end, out[line])
                begin = end
        if root:
            for x in range(columns):
                out[line, x] = np.sqrt(out[line, x])


@njit(nogil=True, cache=True)
def seen_beyond(
    lines: NDArray[Any], unit: float, step: float, turned: bool, room: int
) -> tuple[NDArray[np.int32], NDArray[np.int32], Floats]:
    """Return which parabolas of each line can be the smallest in the ``room`` pixels behind its end.

    How many of each line, how far before the first pixel behind the end each is, from far to near, and their heights.
    ``turned`` looks from the other end, in mirrored lines.
    """
    count, columns = lines.shape
    weight = step * step
    numbers = np.zeros(count, np.int32)
    far, high = np.empty(count + 64, np.int32), np.empty(count + 64)
    here = np.empty(columns)
    kept = np.empty(columns, np.int64)
    place, height, cross, start = np.empty(columns, np.int64), np.empty(columns), np.empty(columns), np.empty(columns)
    total = 0
    for line in range(count):
        _heights(lines[line], unit, here)
        # From the end inwards: one further in must be smaller right behind the end, where its lead is largest.
        found = 0
        lowest = np.inf
        for back in range(1, columns + 1):
            length = back * step
            if length * length > lowest:
                break
            behind = here[back - 1 if turned else columns - back] + length * length
            if behind < lowest:
                kept[found] = back
                found += 1
                lowest = behind
        size = 0
        for item in range(found - 1, -1, -1):
            back = kept[item]
            high_here = here[back - 1 if turned else columns - back]
            size = push(place, height, cross, start, size, -back, high_here, weight)
        while total + size > far.size:
            far = np.concatenate((far, np.empty(far.size, np.int32)))
            high = np.concatenate((high, np.empty(high.size)))
        for item in range(size):
            if (item + 1 == size or start[item + 1] > -NEAR) and start[item] < room + NEAR:
                far[total] = -place[item]
                high[total] = height[item]
                numbers[line] += 1
                total += 1
    return numbers, far[:total].copy(), high[:total].copy()


@njit(nogil=True, cache=True)
def hand_on(
    bounds: Places, begin: NDArray[np.int64], places: Places, heights: Floats, step: float
) -> tuple[NDArray[np.int64], Places, Floats]:
    """Sweep along lines that several tiles share; return what each tile gets of those before it.

    Parameters
    ----------
    bounds : (tiles + 1,) array
        Where tiles begin, and where the last one ends.
    begin : (tiles, lines + 1) array
        Where the parabolas that a tile has sent of a line begin in ``places`` and ``heights``; in rising order.

    Returns
    -------
    stretches : (tiles, lines, 2) array
        Where the parabolas that a tile gets for a line begin and end.
    places, heights
        Of these.
    """
    tiles, count = begin.shape[0], begin.shape[1] - 1
    weight = step * step
    stretches = np.zeros((tiles, count, 2), np.int64)
    most = places.size
    place, height, cross, start = np.empty(most, np.int64), np.empty(most), np.empty(most), np.empty(most)
    given_place, given_height = np.empty(most + 64, np.int64), np.empty(most + 64)
    total = 0
    for line in range(count):
        size = bottom = 0
        for tile in range(tiles):
            while bottom + 1 < size and start[bottom + 1] <= bounds[tile] - NEAR:
                bottom += 1
            stretches[tile, line, 0] = total
            item = bottom
            while item < size and start[item] <= bounds[tile + 1] - 1 + NEAR:
                if total == given_place.size:
                    given_place = np.concatenate((given_place, np.empty(total, np.int64)))
                    given_height = np.concatenate((given_height, np.empty(total)))
                given_place[total] = place[item]
                given_height[total] = height[item]
                total += 1
                item += 1
            stretches[tile, line, 1] = total
            for item in range(begin[tile, line], begin[tile, line + 1]):
                size = push(place, height, cross, start, size, places[item], heights[item], weight)
                # What takes away the lowest of those in use is that itself, also when others come to lie on it.
                bottom = min(bottom, size - 1)
    return stretches, given_place[:total].copy(), given_height[:total].copy()
