r"""Sums and deviations of floating point planes, added in the order of one fixed binary tree.

The planes of a stack are the leaves of a tree whose nodes are planes ``2**k * i`` to ``2**k * (i + 1)``. Whoever has
some of the planes adds those nodes that lie within, and whoever joins two such parts goes on where both halves of a
node are there. The tree does not ask who has what, so the result has the same bits for every way to share the planes.

::

    plane    0   1   2   3   4   5   6
             \_0_/   \_1_/   \_2_/              level 1
                 \__0__/                        level 2
    parts   |----------|-----------|            (2, 0) is joined from (1, 0) and (0, 2) + (0, 3)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from bigimg.core.operation import Pixels, Valid

Node = tuple[int, int]
"""Level and number."""
Floats = NDArray[np.float64]
Moments = Floats
"""(3, pixels): how many values, their mean, and the sum of their squared deviations from it."""

_STRIP = 2048
"""Pixels worked on at once, so that the branches of the tree stay in the cache."""


def nodes(start: int, stop: int) -> list[Node]:
    """Return the largest nodes that planes ``start`` to ``stop`` are made of.

    Examples
    --------
    >>> nodes(3, 8)
    [(0, 3), (2, 1)]
    """
    found = []
    while start < stop:
        level = 0
        while start % 2 ** (level + 1) == 0 and start + 2 ** (level + 1) <= stop:
            level += 1
        found.append((level, start >> level))
        start += 2**level
    return found


def sums_of(planes: Pixels, start: int) -> dict[Node, Floats]:
    """Return the sum over each of the :func:`nodes` of ``planes`` (K, N), the first of which is number ``start``."""
    return {node: _node(_sum_node, planes, None, start, node, 1)[0] for node in nodes(start, start + len(planes))}


def moments_of(planes: Pixels, valid: Valid | None, start: int) -> dict[Node, Moments]:
    """Return count, mean and squared deviations over each of the :func:`nodes` of ``planes`` (K, N)."""
    function = _full_moment_node if valid is None else _moment_node
    return {node: _node(function, planes, valid, start, node, 3) for node in nodes(start, start + len(planes))}


def _node(function: Any, planes: Pixels, valid: Valid | None, start: int, node: Node, rows: int) -> Floats:
    level, number = node
    first = (number << level) - start
    out = np.empty((rows, planes.shape[1]))
    part = slice(first, first + 2**level)
    function(out, planes[part], np.ones((1, 1), bool) if valid is None else valid[part], level)
    return out


def join_sums(first: Mapping[Node, Floats], second: Mapping[Node, Floats]) -> dict[Node, Floats]:
    """Return the sums of two parts together."""
    return _joined(first, second, np.add)


def join_moments(first: Mapping[Node, Moments], second: Mapping[Node, Moments]) -> dict[Node, Moments]:
    """Return the moments of two parts together."""
    return _joined(first, second, _both)


def total_sum(parts: Mapping[Node, Floats]) -> Floats:
    """Return the sum of all planes."""
    return _total(parts, np.add)


def total_moments(parts: Mapping[Node, Moments]) -> Moments:
    """Return the moments of all planes."""
    return _total(parts, _both)


def _joined(first: Mapping[Node, Any], second: Mapping[Node, Any], join: Any) -> dict[Node, Any]:
    found = {**first, **second}
    for node in sorted(found):
        level, number = node
        while (level, number ^ 1) in found:
            left, right = found.pop((level, number & ~1)), found.pop((level, number | 1))
            level, number = level + 1, number >> 1
            found[level, number] = join(left, right)
    return found


def _total(parts: Mapping[Node, Any], join: Any) -> Any:
    # From the last planes, the smallest node, to the first.
    ordered = sorted(parts, key=lambda node: node[1] << node[0], reverse=True)
    total = parts[ordered[0]]
    for node in ordered[1:]:
        total = join(parts[node], total)
    return total


def _both(left: Moments, right: Moments) -> Moments:
    out = np.empty_like(left)
    _join_moments(out, left, right)
    return out


@njit(nogil=True, cache=True)
def _sum_node(out: Floats, planes: Pixels, valid: Valid, level: int) -> None:  # noqa: ARG001
    pixels = planes.shape[1]
    # Eight planes, or as many as there are, are added in one go: nothing of them is stored between.
    leaf = min(level, 3)
    waiting = np.empty((level - leaf + 1, min(pixels, _STRIP)))
    for left in range(0, pixels, _STRIP):
        width = min(_STRIP, pixels - left)
        for number in range(planes.shape[0] >> leaf):
            place = 0
            while (number >> place) & 1:
                place += 1
            # The planes, and below them the branches that wait for them, from the leaf upwards.
            row = waiting[place, :width]
            first = number << leaf
            _sum_few(row, planes[first : first + (1 << leaf), left : left + width])
            for below in range(place):
                branch = waiting[below]
                for x in range(width):
                    row[x] = branch[x] + row[x]
        out[0, left : left + width] = waiting[level - leaf, :width]


@njit(nogil=True, cache=True)
def _sum_few(row: Floats, planes: Pixels) -> None:
    one = planes[0]
    if planes.shape[0] == 1:
        for x in range(row.shape[0]):
            row[x] = one[x]
        return
    two = planes[1]
    if planes.shape[0] == 2:
        for x in range(row.shape[0]):
            row[x] = np.float64(one[x]) + np.float64(two[x])
        return
    three, four = planes[2], planes[3]
    if planes.shape[0] == 4:
        for x in range(row.shape[0]):
            row[x] = (np.float64(one[x]) + np.float64(two[x])) + (np.float64(three[x]) + np.float64(four[x]))
        return
    five, six, seven, eight = planes[4], planes[5], planes[6], planes[7]
    for x in range(row.shape[0]):
        first = (np.float64(one[x]) + np.float64(two[x])) + (np.float64(three[x]) + np.float64(four[x]))
        last = (np.float64(five[x]) + np.float64(six[x])) + (np.float64(seven[x]) + np.float64(eight[x]))
        row[x] = first + last


@njit(nogil=True, cache=True)
def _full_moment_node(out: Moments, planes: Pixels, valid: Valid, level: int) -> None:  # noqa: ARG001
    """As the other, where all values count: the halves of a node are equally many, and nothing is divided."""
    pixels = planes.shape[1]
    leaf = min(level, 2)
    waiting = np.empty((level - leaf + 1, 2, min(pixels, _STRIP)))
    for left in range(0, pixels, _STRIP):
        width = min(_STRIP, pixels - left)
        for number in range(planes.shape[0] >> leaf):
            place = 0
            while (number >> place) & 1:
                place += 1
            mean, squares = waiting[place, 0, :width], waiting[place, 1, :width]
            first = number << leaf
            _moments_of_few(mean, squares, planes[first : first + (1 << leaf), left : left + width])
            for below in range(place):
                half = 0.5 * (1 << (below + leaf))
                before, squared = waiting[below, 0], waiting[below, 1]
                for x in range(width):
                    step = mean[x] - before[x]
                    squares[x] = (squared[x] + squares[x]) + step * step * half
                    mean[x] = before[x] + step * 0.5
        out[0, left : left + width] = planes.shape[0]
        out[1:, left : left + width] = waiting[level - leaf, :, :width]


@njit(nogil=True, cache=True)
def _moments_of_few(mean: Floats, squares: Floats, planes: Pixels) -> None:
    one = planes[0]
    if planes.shape[0] == 1:
        for x in range(mean.shape[0]):
            mean[x] = one[x]
            squares[x] = 0.0
        return
    two = planes[1]
    if planes.shape[0] == 2:
        for x in range(mean.shape[0]):
            step = np.float64(two[x]) - np.float64(one[x])
            squares[x] = step * step * 0.5
            mean[x] = np.float64(one[x]) + step * 0.5
        return
    three, four = planes[2], planes[3]
    for x in range(mean.shape[0]):
        a, b = np.float64(one[x]), np.float64(three[x])
        first, last = np.float64(two[x]) - a, np.float64(four[x]) - b
        middle, other = a + first * 0.5, b + last * 0.5
        step = other - middle
        squares[x] = (first * first * 0.5 + last * last * 0.5) + step * step
        mean[x] = middle + step * 0.5


@njit(nogil=True, cache=True)
def _moment_node(out: Moments, planes: Pixels, valid: Valid, level: int) -> None:
    pixels = planes.shape[1]
    waiting = np.empty((level + 1, 3, min(pixels, _STRIP)))
    for left in range(0, pixels, _STRIP):
        width = min(_STRIP, pixels - left)
        for number in range(planes.shape[0]):
            place = 0
            while (number >> place) & 1:
                place += 1
            row = waiting[place]
            for x in range(width):
                counts = valid[number, left + x]
                row[0, x] = 1.0 if counts else 0.0
                row[1, x] = planes[number, left + x] if counts else 0.0
                row[2, x] = 0.0
            for below in range(place):
                _join_moments(row[:, :width], waiting[below][:, :width], row[:, :width])
        out[:, left : left + width] = waiting[level][:, :width]


@njit(nogil=True, cache=True)
def _join_moments(out: Moments, left: Moments, right: Moments) -> None:
    """Join two sets of values, by T. F. Chan, G. H. Golub and R. J. LeVeque (1979)."""
    for x in range(out.shape[1]):
        many, few = left[0, x], right[0, x]
        total = many + few
        share = few / total if total > 0 else 0.0
        step = right[1, x] - left[1, x]
        out[0, x] = total
        out[2, x] = (left[2, x] + right[2, x]) + step * step * (many * share)
        # Of no values the mean is 0, and must not be stepped from.
        out[1, x] = (left[1, x] + step * share) if many > 0 else right[1, x]
