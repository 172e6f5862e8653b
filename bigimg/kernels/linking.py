"""Which object of one frame is which of the next: the pairs that may be linked, and the cheapest choice among them.

Pairs stand row by row, as in a sparse matrix: ``targets[starts[i] : starts[i + 1]]`` are the candidates of source
``i``. A choice gives every source one target or none, and every target at most one source; a link costs what its pair
costs, no link costs ``unlinked``. The cheapest choice is found by shortest augmenting paths over the pairs alone, so
that it is settled inside each connected group of sources and targets, however many there are, and a group of any size
is solved in polynomial time.

R. Jonker and A. Volgenant, A shortest augmenting path algorithm for dense and sparse linear assignment problems,
Computing 38 (1987).
"""

from __future__ import annotations

from dataclasses import dataclass
from heapq import heappop, heappush
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from bigimg.errors import ParameterError

MOST_PAIRS = 50_000_000
"""Pairs of two frames that are held at once: 800 MB."""

Floats = NDArray[np.float64]
Numbers = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Pairs:
    """Which sources and targets may be linked, and what it costs."""

    starts: Numbers
    """Where the pairs of each source begin, and where the last end."""
    targets: Numbers
    """In the order of their number for each source."""
    cost: Floats

    @property
    def sources(self) -> Numbers:
        """The source of each pair."""
        return np.repeat(np.arange(len(self.starts) - 1), np.diff(self.starts))

    def only(self, keep: Mask) -> Pairs:
        """Return the pairs where ``keep``."""
        counts = np.concatenate([np.zeros(1, np.int64), np.cumsum(keep)])
        return Pairs(counts[self.starts], self.targets[keep], self.cost[keep])

    @classmethod
    def of(cls, sources: Numbers, targets: Numbers, cost: Floats, count: int) -> Pairs:
        """Return pairs given one by one, in any order, of ``count`` sources."""
        order = np.lexsort((targets, sources))
        starts = np.searchsorted(sources[order], np.arange(count + 1))
        return cls(starts.astype(np.int64), targets[order].astype(np.int64), cost[order].astype(np.float64))


def pairs_within(sources: Floats, targets: Floats, radius: float) -> Pairs:
    """Return the pairs of points at most ``radius`` apart; they cost their squared distance.

    Parameters
    ----------
    sources, targets : (N, D) and (M, D) arrays of float64
        Finite positions.
    radius : float
        Above 0.

    Raises
    ------
    ParameterError
        If there are more than fifty million.

    Examples
    --------
    >>> pairs = pairs_within(np.array([[0.0, 0.0]]), np.array([[3.0, 4.0], [9.0, 9.0], [1.0, 0.0]]), 5.0)
    >>> pairs.targets, pairs.cost
    (array([0, 2]), array([25.,  1.]))
    """
    if not len(sources) or not len(targets):
        return Pairs(np.zeros(len(sources) + 1, np.int64), np.zeros(0, np.int64), np.zeros(0))
    axis = int(np.argmax(np.ptp(targets, axis=0)))
    order = np.argsort(targets[:, axis], kind="stable")
    across, points = np.ascontiguousarray(sources), np.ascontiguousarray(targets[order])
    starts = _count_within(across, points, axis, radius)
    if starts[-1] > MOST_PAIRS:
        raise ParameterError(
            f"search_range {radius:g} makes {starts[-1]:,} pairs of {len(sources):,} and {len(targets):,} objects of "
            f"two frames (at most {MOST_PAIRS:,}); choose a smaller one"
        )
    found, cost = _list_within(across, points, order, axis, radius, starts)
    return Pairs(starts, found, cost)


@njit(nogil=True, cache=True)
def _window(points: Floats, axis: int, centre: float, radius: float) -> tuple[Any, Any]:
    """Return the range of the sorted ``points`` that may lie within ``radius``, a little wider than rounding."""
    column = points[:, axis]
    wide = radius + 1e-9 * (radius + abs(centre))
    return np.searchsorted(column, centre - wide), np.searchsorted(column, centre + wide, "right")


@njit(nogil=True, cache=True)
def _squared(first: Floats, second: Floats) -> float:
    total = 0.0
    for axis in range(first.size):
        step = first[axis] - second[axis]
        total += step * step
    return total


@njit(nogil=True, cache=True)
def _count_within(sources: Floats, points: Floats, axis: int, radius: float) -> Numbers:
    starts = np.zeros(len(sources) + 1, np.int64)
    most = radius * radius
    for i in range(len(sources)):
        low, high = _window(points, axis, sources[i, axis], radius)
        count = 0
        for k in range(low, high):
            if _squared(sources[i], points[k]) <= most:
                count += 1
        starts[i + 1] = starts[i] + count
    return starts


@njit(nogil=True, cache=True)
def _list_within(
    sources: Floats, points: Floats, order: Numbers, axis: int, radius: float, starts: Numbers
) -> tuple[Numbers, Floats]:
    found = np.empty(starts[-1], np.int64)
    cost = np.empty(starts[-1], np.float64)
    most = radius * radius
    for i in range(len(sources)):
        low, high = _window(points, axis, sources[i, axis], radius)
        at = starts[i]
        for k in range(low, high):
            squared = _squared(sources[i], points[k])
            if squared <= most:
                found[at] = order[k]
                cost[at] = squared
                at += 1
        by_number = np.argsort(found[starts[i] : at])
        found[starts[i] : at] = found[starts[i] : at][by_number]
        cost[starts[i] : at] = cost[starts[i] : at][by_number]
    return found, cost


def assign(pairs: Pairs, count: int, unlinked: float) -> Numbers:
    """Return the target of each source in the cheapest choice, -1 for none.

    Parameters
    ----------
    pairs
        With costs of 0 or more; those above ``unlinked`` are never chosen.
    count
        How many targets there are.
    unlinked
        What a source without a target costs.

    Notes
    -----
    Where several choices are as cheap, a link goes before none, and sources and targets of lower number before others:
    the same pairs always give the same choice.

    Examples
    --------
    >>> assign(pairs_within(np.array([[0.0], [1.0]]), np.array([[1.0], [2.5]]), 3.0), 2, 9.0)
    array([0, 1])
    """
    return _augment(pairs.starts, pairs.targets, pairs.cost, count, float(unlinked))


@njit(nogil=True, cache=True)
def _augment(starts: Numbers, targets: Numbers, cost: Floats, count: int, unlinked: float) -> Numbers:
    """Solve by successive shortest paths; prices ``u`` of sources and ``v`` of targets keep reduced costs at 0 or more.

    No link is a private target of each source, which no other wants: a source that has gone there stays there.
    """
    size = len(starts) - 1
    target_of = np.full(size, -1, np.int64)
    source_of = np.full(count, -1, np.int64)
    u = np.zeros(size)
    v = np.zeros(count)
    waiting = np.zeros(size, np.bool_)
    for i in range(size):
        best, least = -1, unlinked
        for k in range(starts[i], starts[i + 1]):
            if cost[k] < least or (best < 0 and cost[k] <= unlinked):
                best, least = targets[k], cost[k]
        u[i] = least
        if best >= 0 and source_of[best] < 0:
            target_of[i], source_of[best] = best, i
        elif best >= 0:
            waiting[i] = True

    reach = np.full(count, np.inf)
    came = np.full(count, -1, np.int64)
    done = np.zeros(count, np.bool_)
    for first in range(size):
        if not waiting[first]:
            continue
        heap = [(0.0, 0) for _ in range(0)]
        touched = [0 for _ in range(0)]
        source, base = first, 0.0
        alone, alone_at, end = np.inf, -1, -1
        while True:
            if base + (unlinked - u[source]) < alone:
                alone, alone_at = base + (unlinked - u[source]), source
            for k in range(starts[source], starts[source + 1]):
                j = int(targets[k])
                if done[j] or cost[k] > unlinked:
                    continue
                far = base + (cost[k] - u[source] - v[j])
                if far < reach[j] and far <= alone:
                    if reach[j] == np.inf:
                        touched.append(j)
                    reach[j], came[j] = far, source
                    heappush(heap, (far, j))
            end = -1
            while len(heap) > 0:
                far, j = heappop(heap)
                if not done[j] and far == reach[j]:
                    end = j
                    break
            if end < 0 or reach[end] > alone:
                end, length = -1, alone
                break
            if source_of[end] < 0:
                length = reach[end]
                break
            done[end] = True
            source, base = int(source_of[end]), reach[end]

        u[first] += length
        for j in touched:
            if done[j]:
                u[source_of[j]] += length - reach[j]
                v[j] -= length - reach[j]
        # Along the path every source takes the target it was reached for, and gives its own to the one before.
        source = alone_at if end < 0 else int(came[end])
        given = end
        while True:
            before = int(target_of[source])
            target_of[source] = given
            if given >= 0:
                source_of[given] = source
            if source == first:
                break
            given, source = before, int(came[before])
        for j in touched:
            reach[j], came[j], done[j] = np.inf, -1, False
    return target_of
