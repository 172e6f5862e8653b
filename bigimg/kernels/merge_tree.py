"""The border of a tile as a small tree: how well each two of its face pixels are connected inside.

What may flow from one face pixel to another is the best over all paths of the lowest mask on the path: it is kept by a
maximum spanning tree, of which only the edges that join sets with a face pixel matter. So a tile sends at most one edge
a face pixel. Pixels that have reached their mask already let nothing new through and are left out.

The tree is built as components are in a max-tree: pixels in descending order of the mask, united with their neighbours
(P. Salembier, A. Oliveras and L. Garrido, IEEE Trans. Image Process. 7 (1998)).
"""

from __future__ import annotations

from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from bigimg.kernels.padded import Indices
from bigimg.kernels.reconstruction import Keys


@dataclass(frozen=True, eq=False)
class Edges:
    """What may flow between numbered pixels."""

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    level: Keys
    """The highest value that gets through."""


def border_tree(values: Keys, mask: Keys, steps: Indices, faces: Indices) -> Edges:
    """Return the edges between the face pixels of a tile that is reconstructed by itself.

    Parameters
    ----------
    values, mask : flat arrays of unsigned integers
        The reconstructed tile and its mask, with a border of zeros.
    steps : array of int
        See :func:`bigimg.kernels.padded.offsets`.
    faces : array of int
        Places of the face pixels in the padded tile; edges name them by their number here.

    Examples
    --------
    >>> from bigimg.kernels.padded import offsets, padded
    >>> mask = padded(np.array([[9, 4, 7]], np.uint8))
    >>> tree = border_tree(np.zeros_like(mask), mask, offsets((1, 3), 1), np.array([6, 8]))
    >>> tree.first, tree.second, tree.level
    (array([0]), array([1]), array([4], dtype=uint8))
    """
    slot = np.full(values.size, -1, np.int32 if values.size < 2**31 else np.int64)
    open_pixels = _open_pixels(values, mask, steps, faces, slot)
    order = np.argsort(~mask[open_pixels], kind="stable")
    ranked = open_pixels[order]
    slot[ranked] = np.arange(ranked.size)
    number = np.full(ranked.size, -1, np.int64)
    own: Indices = slot[faces].astype(np.int64)
    number[own[own >= 0]] = np.flatnonzero(own >= 0)
    first, second, level = _join(mask, steps, ranked, slot, number)
    return Edges(first, second, level)


def spread(values: Keys, edges: Edges) -> Keys:
    """Return ``values`` of numbered pixels raised by what flows along the edges.

    Examples
    --------
    >>> edges = Edges(np.array([0, 1]), np.array([1, 2]), np.array([5, 3], np.uint8))
    >>> spread(np.array([7, 0, 1], np.uint8), edges)
    array([7, 5, 3], dtype=uint8)
    """
    sources = np.concatenate([edges.first, edges.second])
    order = np.argsort(sources, kind="stable")
    start = np.searchsorted(sources[order], np.arange(values.size + 1))
    target = np.concatenate([edges.second, edges.first])[order]
    level = np.concatenate([edges.level, edges.level])[order]
    raised = values.copy()
    giving = np.minimum(values[sources[order]], level) > values[target]
    _spread(raised, start, target, level, np.unique(sources[order][giving]))
    return raised


@njit(nogil=True, cache=True)
def _open_pixels(values: Keys, mask: Keys, steps: Indices, faces: Indices, slot: NDArray[Any]) -> Indices:
    """Return the pixels below their mask that face pixels below theirs are connected to."""
    found = np.empty(max(1024, 2 * faces.size), np.int64)
    count = 0
    for place in faces:
        if values[place] < mask[place] and slot[place] < 0:
            slot[place] = 0
            found[count] = place
            count += 1
    done = 0
    while done < count:
        place = found[done]
        done += 1
        if count + steps.size > found.size:
            longer = np.empty(2 * found.size, np.int64)
            longer[:count] = found[:count]
            found = longer
        for step in steps:
            near = place + step
            if slot[near] < 0 and values[near] < mask[near]:
                slot[near] = 0
                found[count] = near
                count += 1
    return found[:count]


@njit(nogil=True, cache=True)
def _root(parent: NDArray[Any], item: int) -> int:
    while parent[item] != item:
        parent[item] = parent[parent[item]]
        item = parent[item]
    return item


@njit(nogil=True, cache=True)
def _join(
    mask: Keys, steps: Indices, ranked: Indices, slot: NDArray[Any], number: Indices
) -> tuple[Indices, Indices, Keys]:
    """Unite pixels in descending order of the mask; ``number`` has the face pixel that stands for each set, or -1."""
    parent = np.arange(ranked.size).astype(slot.dtype)
    most = max(0, (number >= 0).sum() - 1)
    first, second = np.empty(most, np.int64), np.empty(most, np.int64)
    level = np.empty(most, mask.dtype)
    count = 0
    for item in range(ranked.size):
        place = ranked[item]
        own = item
        for step in steps:
            other = slot[place + step]
            if other < 0 or other > item:
                continue
            root = _root(parent, other)
            if root == own:
                continue
            if number[own] >= 0 and number[root] >= 0:
                first[count], second[count], level[count] = number[own], number[root], mask[place]
                count += 1
            if number[root] < 0:
                number[root] = number[own]
            parent[own] = root
            own = root
    return first[:count], second[:count], level[:count]


@njit(nogil=True, cache=True)
def _spread(values: Keys, start: Indices, target: Indices, level: Keys, sources: Indices) -> None:
    """Take the highest value first: what it reaches is final."""
    heap = [(~np.uint64(values[source]), source) for source in sources]
    heapify(heap)
    while heap:
        key, source = heappop(heap)
        value = values[source]
        if ~key != np.uint64(value):
            continue
        for edge in range(start[source], start[source + 1]):
            raised = min(value, level[edge])
            near = target[edge]
            if values[near] < raised:
                values[near] = raised
                heappush(heap, (~np.uint64(raised), near))
