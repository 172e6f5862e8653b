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
    return {node: _node(_moment_node, planes, valid, start, node, 3) for node in nodes(start, start + len(planes))}


def _node(function: Any, planes: Pixels, valid: Valid | None, start: int, node: Node, rows: int) -> Floats:
    level, number = node
    first = (number << level) - start
    out = np.empty((rows, planes.shape[1]))
    part = slice(first, first + 2**level)
    function(out, planes[part], np.ones((1, 1), bool) if valid is None else valid[part], valid is not None, level)
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
def _sum_node(out: Floats, planes: Pixels, valid: Valid, masked: bool, level: int) -> None:  # noqa: ARG001
    pixels = planes.shape[1]
    waiting = np.empty((level + 1, min(pixels, _STRIP)))
    for left in range(0, pixels, _STRIP):
        width = min(_STRIP, pixels - left)
        for number in range(planes.shape[0]):
            place = 0
            while (number >> place) & 1:
                place += 1
            # The plane, and below it the branches that wait for it, from the leaf upwards.
            row = waiting[place]
            plane = planes[number, left : left + width]
            if place == 0:
                for x in range(width):
                    row[x] = plane[x]
            else:
                leaf = waiting[0]
                for x in range(width):
                    row[x] = leaf[x] + plane[x]
                for below in range(1, place):
                    branch = waiting[below]
                    for x in range(width):
                        row[x] = branch[x] + row[x]
        out[0, left : left + width] = waiting[level, :width]


@njit(nogil=True, cache=True)
def _moment_node(out: Moments, planes: Pixels, valid: Valid, masked: bool, level: int) -> None:
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
                counts = not masked or valid[number, left + x]
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
