"""Zones of a labelled tile, what lies around them, and what only they enclose.

A *zone* is a set of pixels of one label, or of none, that are connected across corners too. Zones that touch are
neighbours, and those at the border neighbours of the outside; so a tile is a graph. A zone encloses what cannot be
reached from outside without crossing it: the zones it *dominates* in this graph (E. S. Lowry and C. W. Medlock, 1969),
and as neighbours are mutual these are found with the lowest points of one depth-first search (J. Hopcroft and R.
Tarjan, 1973).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from bigimg.errors import ImageError
from bigimg.kernels.label_runs import LabelRuns

Index = NDArray[np.int64]

NOTHING = -1
"""The item of pixels without a label."""


@dataclass(frozen=True, eq=False)
class Zones:
    """The zones of a tile."""

    item: Index
    """Which label of the runs each zone has, or :data:`NOTHING`."""
    size: Index
    """Pixels of each zone."""
    pairs: Index
    """Zones that touch, (2, pairs), each pair once, the smaller number first."""
    row_start: Index
    """Row ``i`` has the stretches ``row_start[i]`` to ``row_start[i + 1]``."""
    start: NDArray[np.int32]
    """First column of each stretch; it ends where the next begins."""
    zone: Index
    """The zone of each stretch."""

    @classmethod
    def of(cls, runs: LabelRuns, shape: tuple[int, ...]) -> Zones:
        """Return the zones of a tile of ``shape``."""
        width = shape[-1]
        row_start, start, item = _stretches(*runs.arrays, width)
        before = np.array([[0, -1]] if len(shape) == 2 else [[0, -1], [-1, -1], [-1, 0], [-1, 1]])
        zone = np.arange(len(start))
        _meet(row_start, start, item, width, shape[-2], before, zone, zone[:0])
        roots = _roots(zone)
        zone = (np.cumsum(roots == np.arange(len(roots))) - 1)[roots]
        last = np.full(int(zone.max(initial=-1)) + 1, NOTHING)
        pairs = _meet(row_start, start, item, width, shape[-2], before, zone, last)
        stop = np.append(start[1:], 0)
        stop[row_start[1:] - 1] = width
        size = np.bincount(zone, weights=stop - start).astype(np.int64)
        of_zone = np.full(len(size), NOTHING)
        of_zone[zone] = item
        return cls(of_zone, size, unique_pairs(*pairs), row_start, start, zone)

    def of_pixels(self, row: Index, column: Index) -> Index:
        """Return the zones of pixels, by row and column of the tile flattened to rows."""
        return _zones_of(self.row_start, self.start, self.zone, row, column)


def unique_pairs(first: Index, second: Index) -> Index:
    """Return pairs of different numbers, (2, pairs), sorted, each once, the smaller number first."""
    differ = first != second
    low, high = np.minimum(first, second)[differ], np.maximum(first, second)[differ]
    count = int(high.max(initial=0)) + 1
    if count >= 2**31:
        msg = f"cannot tell {count} zones of one tile apart (limit 2**31); cut the image into smaller tiles"
        raise ImageError(msg)
    key = np.sort(low * count + high)  # one number sorts many times faster than two
    new = np.ones(len(key), dtype=np.bool_)
    new[1:] = key[1:] != key[:-1]
    return np.stack(np.divmod(key[new], count))


def filled_areas(item: Index, size: Index, pairs: Index, outside: Index, items: int) -> Index:
    """Return for each of ``items`` labels the pixels of its zones and of all that each of them encloses.

    Parameters
    ----------
    item, size : (zones,) integer arrays
        The label of each zone, or -1, and its pixels.
    pairs : (2, pairs) integer array
        Zones that touch.
    outside : (n,) integer array
        Zones that touch the outside; every zone must be reachable from one of them.
    items : int
        The number of labels.
    """
    root = len(size)
    ends = np.concatenate([pairs, np.stack([np.full(len(outside), root), outside])], axis=1)
    both = np.concatenate([ends, ends[::-1]], axis=1)
    begin = np.concatenate([[0], np.cumsum(np.bincount(both[0], minlength=root + 1))])
    above, found = _dominators(begin, _neighbours(begin, both[0], both[1]), root)
    total = np.zeros(items, dtype=np.int64)
    _add_filled(above, found, item, np.append(size, 0), np.bincount(item[item >= 0], minlength=items), total)
    return total


@njit(nogil=True, cache=True)
def _stretches(
    row_start: Index, start: NDArray[np.int32], stop: NDArray[np.int32], item: Index, width: int
) -> tuple[Index, NDArray[np.int32], Index]:
    """Return the runs and what lies between them."""
    most = 2 * start.size + row_start.size
    begins = np.empty(most, np.int32)
    items = np.empty(most, np.int64)
    rows = np.zeros(row_start.size, np.int64)
    count = 0
    for row in range(row_start.size - 1):
        reached = 0
        for run in range(row_start[row], row_start[row + 1]):
            if start[run] > reached:
                begins[count], items[count] = reached, NOTHING
                count += 1
            begins[count], items[count] = start[run], item[run]
            count += 1
            reached = stop[run]
        if reached < width:
            begins[count], items[count] = reached, NOTHING
            count += 1
        rows[row + 1] = count
    return rows, begins[:count].copy(), items[:count].copy()


@njit(nogil=True, cache=True)
def _root(parent: Index, number: int) -> int:
    while parent[number] != number:
        parent[number] = parent[parent[number]]
        number = parent[number]
    return number


@njit(nogil=True, cache=True)
def _roots(parent: Index) -> Index:
    roots = np.empty_like(parent)
    for number in range(parent.size):
        roots[number] = _root(parent, number)
    return roots


@njit(nogil=True, cache=True)
def _meet(
    row_start: Index,
    start: NDArray[np.int32],
    item: Index,
    width: int,
    height: int,
    before: Index,
    zone: Index,
    last: Index,
) -> tuple[Index, Index]:
    """Look at stretches that touch across edges or corners: unite those of one label, or return pairs of zones.

    ``zone`` holds parents of trees, which are united where ``last`` is empty; else the zones of all stretches. Then
    ``last`` is the neighbour of each zone that was found last, so that few pairs come twice.
    """
    pairs = last.size > 0
    first = np.empty(1024 if pairs else 0, np.int64)
    second = np.empty_like(first)
    count = 0
    for row in range(row_start.size - 1):
        if pairs:
            for this in range(row_start[row], row_start[row + 1] - 1):
                first, second, count = _note(zone[this], zone[this + 1], last, first, second, count)
        for planes, lines in before:
            if row // height + planes < 0 or not 0 <= row % height + lines < height:
                continue
            other = row + planes * height + lines
            near = row_start[other]
            for this in range(row_start[row], row_start[row + 1]):
                begin = start[this]
                behind = start[this + 1] if this + 1 < row_start[row + 1] else width
                while near + 1 < row_start[other + 1] and start[near + 1] < begin:
                    near += 1
                at = near
                while at < row_start[other + 1] and start[at] <= behind:
                    if pairs:
                        if zone[at] != zone[this]:
                            first, second, count = _note(zone[at], zone[this], last, first, second, count)
                    elif item[at] == item[this]:
                        one, two = _root(zone, at), _root(zone, this)
                        zone[max(one, two)] = min(one, two)
                    at += 1
    return first[:count], second[:count]


@njit(nogil=True, cache=True)
def _note(one: int, two: int, last: Index, first: Index, second: Index, count: int) -> tuple[Index, Index, int]:
    if last[one] == two or last[two] == one:
        return first, second, count
    if count == first.size:
        first = np.concatenate((first, np.empty_like(first)))
        second = np.concatenate((second, np.empty_like(second)))
    first[count], second[count] = one, two
    last[one], last[two] = two, one
    return first, second, count + 1


@njit(nogil=True, cache=True)
def _zones_of(row_start: Index, start: NDArray[np.int32], zone: Index, row: Index, column: Index) -> Index:
    found = np.empty(row.size, np.int64)
    for i in range(row.size):
        begins = start[row_start[row[i]] : row_start[row[i] + 1]]
        found[i] = zone[row_start[row[i]] + np.searchsorted(begins, column[i], side="right") - 1]
    return found


@njit(nogil=True, cache=True)
def _neighbours(begin: Index, node: Index, other: Index) -> Index:
    """Return the ``other`` of each node, those of node ``i`` from ``begin[i]`` to ``begin[i + 1]``."""
    found = np.empty_like(other)
    filled = begin.copy()
    for i in range(node.size):
        found[filled[node[i]]] = other[i]
        filled[node[i]] += 1
    return found


@njit(nogil=True, cache=True)
def _dominators(begin: Index, end: Index, root: int) -> tuple[Index, Index]:
    """Return the immediate dominator of each node, and the nodes as a depth-first search from ``root`` finds them."""
    number = np.full(root + 1, -1, np.int64)
    lowest = np.empty(root + 1, np.int64)
    above = np.full(root + 1, -1, np.int64)
    parent = np.full(root + 1, -1, np.int64)
    upcoming = begin[:-1].copy()
    found = np.empty(root + 1, np.int64)
    waiting = np.empty(root + 1, np.int64)  # nodes of which no dominator is known yet
    waits = 0
    number[root] = lowest[root] = 0
    found[0] = root
    count = 1
    node = root
    while True:
        if upcoming[node] < begin[node + 1]:
            other = end[upcoming[node]]
            upcoming[node] += 1
            if number[other] < 0:
                parent[other] = node
                number[other] = lowest[other] = count
                found[count] = other
                count += 1
                waiting[waits] = other
                waits += 1
                node = other
            elif other != parent[node]:
                lowest[node] = min(lowest[node], number[other])
            continue
        over = parent[node]
        if over < 0:
            return above, found[:count].copy()
        lowest[over] = min(lowest[over], lowest[node])
        if lowest[node] >= number[over]:  # nothing from here on reaches beyond what is over it
            while True:
                waits -= 1
                above[waiting[waits]] = over
                if waiting[waits] == node:
                    break
        node = over


@njit(nogil=True, cache=True)
def _add_filled(above: Index, found: Index, item: Index, size: Index, zones: Index, total: Index) -> None:
    for i in range(found.size - 1, 0, -1):
        size[above[found[i]]] += size[found[i]]
    root = found[0]
    for i in range(1, found.size):
        node = found[i]
        if item[node] < 0:
            continue
        over = above[node]
        if zones[item[node]] > 1:  # a piece within a hole of another piece is counted with it
            while over != root and item[over] != item[node]:
                over = above[over]
            if over != root:
                continue
        total[item[node]] += size[node]
