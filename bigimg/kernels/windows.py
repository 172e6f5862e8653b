"""Sums over square windows, of any size, with the same bits for a pixel wherever its tile begins.

A sliding sum (add the pixel that enters, subtract the one that leaves) costs two additions a pixel, but in floating
point its rounding depends on where the sliding began: on the tile. Here every window is summed by the same tree of
additions instead, and neighbours share its branches. A window of 51 = 3 * (4 * 4 + 1) takes 9 additions, not 50::

    s4[x]  = s1[x]  + s1[x + 1]   + s1[x + 2]  + s1[x + 3]
    s17[x] = s4[x]  + s4[x + 4]   + s4[x + 8]  + s4[x + 12] + s1[x + 16]
    s51[x] = s17[x] + s17[x + 17] + s17[x + 34]

Each line is one loop over a row, which vectorises and keeps its order. Sums of integers below 2**53 are exact.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise

import numpy as np
from numba import njit
from numpy.typing import NDArray

from bigimg.core.operation import Pixels

Floats = NDArray[np.float64]
Steps = NDArray[np.int64]
"""How the sum over a window is put together, one row for each line of the picture above.

Columns: how many values the sum covers; how many times it takes the sum before; how many single values after these;
how many rows of this step a ring keeps, because the next step or, for single values, any step looks back at them; and
where these rows begin in the ring. Row 0 is the single value.
"""
_LENGTH, _TIMES, _SINGLES, _DEPTH, _START = range(5)

_STRIP = 1100
"""Columns worked on at once; not a power of two, or all rows of a ring would compete for the same few cache lines."""

_TERMS = 5
"""At most this many rows are added at once: a loop with more operands no longer vectorises."""


@lru_cache(maxsize=256)
def steps(size: int) -> Steps:
    """Return how windows of ``size`` are summed.

    Examples
    --------
    >>> steps(51)[:, :3]
    array([[ 1,  1,  0],
           [ 4,  4,  0],
           [17,  4,  1],
           [51,  3,  0]])
    """
    lengths = [1]
    table = [[1, 1, 0, 1, 0]]
    for times, singles in _cheapest(size)[1]:
        before = lengths[-1]
        lengths.append(times * before + singles)
        table.append([lengths[-1], times, singles, 1, 0])
        table[-2][_DEPTH] = max(table[-2][_DEPTH], (times - 1) * before + 1)
        if singles:
            table[0][_DEPTH] = max(table[0][_DEPTH], lengths[-1])
    for here, after in pairwise(table):
        after[_START] = here[_START] + here[_DEPTH]
    result = np.array(table, np.int64)
    result.flags.writeable = False
    return result


@lru_cache(maxsize=4096)
def _cheapest(size: int) -> tuple[int, tuple[tuple[int, int], ...]]:
    """Return the cost and the (times, singles) of the steps to ``size``; a step costs its reads and twice its write."""
    if size == 1:
        return 0, ()
    options = []
    for times in range(2, _TERMS + 1):
        for singles in range(_TERMS + 1 - times):
            before, rest = divmod(size - singles, times)
            if rest == 0 and before >= 1:
                cost, earlier = _cheapest(before)
                options.append((cost + times + singles + 2, (*earlier, (times, singles))))
    return min(options, key=lambda option: (option[0], sum(singles for _, singles in option[1])))


def sum_windows(values: Floats, size: int, axes: tuple[int, ...], *, mirror: bool) -> Floats:
    """Return the sums over windows of ``size`` along every one of ``axes``, continued by reflection at their ends.

    This is the plain form, for any number of axes; it equals the compiled one to the last bit along one axis.

    Examples
    --------
    >>> sum_windows(np.arange(4.0), 3, (0,), mirror=False)
    array([1., 3., 6., 8.])
    """
    for axis in axes:
        count = values.shape[axis]
        where = [reflect(index - size // 2, count, mirror) for index in range(count + size - 1)]
        single = np.moveaxis(values, axis, 0)[where]
        total = single
        for length, times, singles in steps(size)[1:, :3].tolist():
            before, here = total, len(single) - length + 1
            span = (length - singles) // times
            total = before[:here] + before[span : span + here]
            for term in range(2, times):
                total += before[term * span : term * span + here]
            for term in range(singles):
                total += single[length - singles + term :][:here]
        values = np.moveaxis(total, 0, axis)
    return values


def sum_boxes(values: Floats, size: int, *, mirror: bool) -> Floats:
    """Return the sums over squares of a plane, or over cubes of a volume, as `sum_windows` does, and faster.

    Examples
    --------
    >>> sum_boxes(np.arange(4.0)[np.newaxis], 3, mirror=False)
    array([[ 3.,  9., 18., 24.]])
    """
    layers = sum_windows(values, size, (0,), mirror=mirror) if values.ndim == 3 else values[np.newaxis]
    out = np.empty(layers.shape)
    for plane, target in zip(layers, out):
        _sum_squares(target, plane, mirror, steps(size))
    return out.reshape(values.shape)


@njit(nogil=True, cache=True)
def reflect(index: int, length: int, mirror: bool) -> int:
    """Return where ``index`` falls in an axis of ``length`` that is continued by reflection, as often as need be.

    ``mirror`` turns about the outermost pixel (d c b | a b c d), else about its edge (c b a | a b c d).
    """
    while index < 0 or index >= length:
        if mirror:
            if length == 1:
                return 0
            index = -index if index < 0 else 2 * length - 2 - index
        else:
            index = -index - 1 if index < 0 else 2 * length - 1 - index
    return index


@njit(nogil=True, cache=True)
def load(line: Pixels, row: Pixels, first: int, mirror: bool) -> None:
    """Fill ``line`` with ``row[first]``, ``row[first + 1]`` ..., continued by reflection at both ends of ``row``."""
    width = row.shape[0]
    inside = min(max(-first, 0), line.shape[0])
    outside = max(min(width - first, line.shape[0]), inside)
    for x in range(inside):
        line[x] = row[reflect(first + x, width, mirror)]
    target = line[inside:outside]
    source = row[first + inside : first + outside]
    for x in range(target.shape[0]):
        target[x] = source[x]
    for x in range(outside, line.shape[0]):
        line[x] = row[reflect(first + x, width, mirror)]


@njit(nogil=True, cache=True)
def _add(memory: Floats, count: int, terms: int, out: int, a: int, b: int, c: int, d: int, e: int) -> None:
    """Add two to five stretches of ``count`` values, from left to right; all are given by where they begin."""
    sums = memory[out : out + count]
    one = memory[a : a + count]
    two = memory[b : b + count]
    if terms == 2:
        for x in range(count):
            sums[x] = one[x] + two[x]
        return
    three = memory[c : c + count]
    if terms == 3:
        for x in range(count):
            sums[x] = one[x] + two[x] + three[x]
        return
    four = memory[d : d + count]
    if terms == 4:
        for x in range(count):
            sums[x] = one[x] + two[x] + three[x] + four[x]
        return
    five = memory[e : e + count]
    for x in range(count):
        sums[x] = one[x] + two[x] + three[x] + four[x] + five[x]


@njit(nogil=True, cache=True)
def _right(plan: Steps, step: int, line: int, span: int, term: int) -> int:
    times, before = plan[step, _TIMES], plan[step - 1, _LENGTH]
    if term < times:
        return line + (step - 1) * span + term * before
    return line + times * before + term - times


@njit(nogil=True, cache=True)
def sum_along(memory: Floats, line: int, span: int, plan: Steps, out: int) -> None:
    """Sum along the ``span`` values from ``line`` on, to ``out``: value x is the sum of the window that begins at x.

    ``span`` values after the line are working memory for each step but the last.
    """
    last = plan.shape[0] - 1
    if last == 0:
        memory[out : out + span] = memory[line : line + span]
    for step in range(1, last + 1):
        _add(
            memory,
            span - plan[step, _LENGTH] + 1,
            plan[step, _TIMES] + plan[step, _SINGLES],
            out if step == last else line + step * span,
            _right(plan, step, line, span, 0),
            _right(plan, step, line, span, 1),
            _right(plan, step, line, span, 2),
            _right(plan, step, line, span, 3),
            _right(plan, step, line, span, 4),
        )


@njit(nogil=True, cache=True)
def ring_rows(plan: Steps) -> int:
    """Return how many rows a ring has that keeps all that `sum_down` looks back at."""
    return plan[-1, _START] + plan[-1, _DEPTH]


@njit(nogil=True, cache=True)
def slot(plan: Steps, head: Steps, step: int, back: int) -> int:
    """Return which row of the ring holds the sums of ``step`` that ended ``back`` rows ago."""
    row = head[step] - back
    return plan[step, _START] + (row if row >= 0 else row + plan[step, _DEPTH])


@njit(nogil=True, cache=True)
def _above(plan: Steps, head: Steps, step: int, term: int) -> int:
    times, before = plan[step, _TIMES], plan[step - 1, _LENGTH]
    if term < times:
        return slot(plan, head, step - 1, term * before)
    return slot(plan, head, 0, times * before + term - times)


@njit(nogil=True, cache=True)
def advance(plan: Steps, head: Steps) -> None:
    """Make room in the ring for one more row."""
    for step in range(plan.shape[0]):
        head[step] = head[step] + 1 if head[step] + 1 < plan[step, _DEPTH] else 0


@njit(nogil=True, cache=True)
def sum_down(ring: Floats, width: int, plan: Steps, head: Steps) -> None:
    """Sum over the newest rows of the window in a ring of rows of ``width``, to the slot of the last step.

    Until as many rows as the window has have come in, what stands there means nothing.
    """
    for step in range(1, plan.shape[0]):
        _add(
            ring,
            width,
            plan[step, _TIMES] + plan[step, _SINGLES],
            slot(plan, head, step, 0) * width,
            _above(plan, head, step, 0) * width,
            _above(plan, head, step, 1) * width,
            _above(plan, head, step, 2) * width,
            _above(plan, head, step, 3) * width,
            _above(plan, head, step, 4) * width,
        )


@njit(nogil=True, cache=True)
def feed(
    memory: Floats,
    pixels: Pixels,
    valid: NDArray[np.bool_],
    masked: bool,
    squared: bool,
    row: int,
    first: int,
    count: int,
    mirror: bool,
    plan: Steps,
    head: Steps,
) -> None:
    """Bring ``row`` of a plane into the rings of a strip of ``count`` windows, the leftmost beginning at ``first``.

    ``memory`` has one row for each channel: the pixels, their squares if ``squared``, the weights if ``masked``; it
    holds the channel's ring, and behind it the working memory for the sums along the row.
    """
    span = count + plan[-1, _LENGTH] - 1
    line = ring_rows(plan) * count
    source = reflect(row, pixels.shape[0], mirror)
    values = memory[0, line : line + span]
    load(values, pixels[source], first, mirror)
    if masked:
        weights = memory[memory.shape[0] - 1, line : line + span]
        load(weights, valid[source], first, mirror)
        for x in range(span):
            values[x] = values[x] if weights[x] != 0 else 0.0  # not a product: an invalid NaN must vanish
    if squared:
        squares = memory[1, line : line + span]
        for x in range(span):
            squares[x] = values[x] * values[x]
    advance(plan, head)
    for channel in range(memory.shape[0]):
        sum_along(memory[channel], line, span, plan, slot(plan, head, 0, 0) * count)
        sum_down(memory[channel], count, plan, head)


@njit(nogil=True, cache=True)
def _sum_squares(out: Floats, pixels: Floats, mirror: bool, plan: Steps) -> None:
    height, width = out.shape
    size = plan[-1, _LENGTH]
    strip = max(_STRIP, 2 * size)
    head = np.zeros(plan.shape[0], np.int64)
    every = np.ones((1, 1), np.bool_)
    for left in range(0, width, strip):
        count = min(strip, width - left)
        memory = np.zeros((1, ring_rows(plan) * count + plan.shape[0] * (count + size - 1)))
        for row in range(height + size - 1):
            feed(memory, pixels, every, False, False, row - size // 2, left - size // 2, count, mirror, plan, head)
            if row >= size - 1:
                found = slot(plan, head, plan.shape[0] - 1, 0) * count
                out[row - size + 1, left : left + count] = memory[0, found : found + count]
