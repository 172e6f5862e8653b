"""Areas with filled holes, where neither an object nor its hole need lie in one tile.

Of a tile there travels a small graph: the zones of the labels that may go on in another tile, and everything else in as
few nodes as can be, since it is never taken away. Its pixels at the faces of the tile say where it goes on. Merging two
tiles unites nodes of one label that touch across their faces; pixels all of whose neighbours are known are dropped. In
the end what still has unknown neighbours touches the outside.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from bigimg.errors import ImageError
from bigimg.kernels.label_runs import LabelRuns
from bigimg.kernels.region_zones import NOTHING, Zones, filled_areas, unique_pairs

Index = NDArray[np.int64]

_FREE = 0
"""The label of a node that is no object's: background, and objects of one tile only."""


@dataclass(frozen=True, eq=False)
class HoleGraph:
    """What tiles have to tell one another about holes."""

    ndim: int
    node: Index
    """Numbers of the nodes, sorted: the key of one of their pixels."""
    label: Index
    """The label of each node, 0 for what is never taken away."""
    size: Index
    """Pixels of each node."""
    pairs: Index
    """Numbers of nodes that touch, (2, pairs)."""
    key: Index
    """Pixels of which not all neighbours are known, sorted: their coordinates in one number."""
    owner: Index
    """The node of each."""
    unknown: NDArray[np.int8]
    """How many neighbours are not known."""

    @property
    def nbytes(self) -> int:
        """Size in memory."""
        arrays = (self.node, self.label, self.size, self.pairs, self.key, self.owner, self.unknown)
        return sum(array.nbytes for array in arrays)


def tile_holes(
    runs: LabelRuns, shape: tuple[int, ...], origin: Sequence[int], alone: NDArray[np.bool_]
) -> tuple[Index, HoleGraph]:
    """Return the filled area of each label, right for those that are ``alone``, and the graph for the others."""
    ndim = len(shape)
    if 0 in shape:
        return np.zeros(0, dtype=np.int64), no_holes(ndim)
    zones = Zones.of(runs, shape)
    at, unknown = _faces(shape)
    owner = zones.of_pixels(np.ravel_multi_index(tuple(at[:-1]), shape[:-1]), at[-1])
    outside = np.unique(owner)
    filled = filled_areas(zones.item, zones.size, zones.pairs, outside, runs.label.size)
    label = np.where(zones.item == NOTHING, _FREE, runs.label[zones.item] if runs.label.size else _FREE)
    label[(zones.item != NOTHING) & np.append(alone, True)[zones.item]] = _FREE
    key = pixel_keys(at + np.array(origin, dtype=np.int64)[:, None])
    nodes = _united(label, zones.size, zones.pairs, zones.pairs[:, (label[zones.pairs] == _FREE).all(axis=0)])
    # A node inside the tile with one neighbour is enclosed by it for good.
    inside = ~np.isin(np.arange(len(nodes.label)), nodes.group[outside])
    touching = np.bincount(nodes.pairs.ravel(), minlength=len(nodes.label))
    leaf = inside & (touching == 1) & (nodes.label == _FREE)
    one, two = nodes.pairs
    np.add.at(nodes.size, two[leaf[one]], nodes.size[one[leaf[one]]])
    np.add.at(nodes.size, one[leaf[two]], nodes.size[two[leaf[two]]])
    number = _node_keys(zones, nodes.group, len(nodes.label), shape, origin)
    pairs = number[nodes.pairs[:, ~leaf[nodes.pairs].any(axis=0)]]
    order, faces = np.argsort(number[~leaf]), np.argsort(key)
    return filled, HoleGraph(
        ndim,
        number[~leaf][order],
        nodes.label[~leaf][order],
        nodes.size[~leaf][order],
        pairs,
        key[faces],
        number[nodes.group[owner]][faces],
        unknown[faces],
    )


def no_holes(ndim: int) -> HoleGraph:
    """Return the graph of no tile."""
    empty = np.zeros(0, dtype=np.int64)
    return HoleGraph(ndim, empty, empty, empty, np.zeros((2, 0), dtype=np.int64), empty, empty, empty.astype(np.int8))


def merge_holes(first: HoleGraph, second: HoleGraph) -> HoleGraph:
    """Return the graph of both."""
    if not len(first.node) or not len(second.node):
        return second if not len(first.node) else first
    node = np.concatenate([first.node, second.node])
    label = np.concatenate([first.label, second.label])
    size = np.concatenate([first.size, second.size])
    one, two = _touching(first, second)
    unknown = np.concatenate([_known(first.unknown, one), _known(second.unknown, two)])
    order = np.argsort(node)
    met = np.stack([first.owner[one], second.owner[two]])
    pairs = np.searchsorted(node[order], np.concatenate([first.pairs, second.pairs, met], axis=1))
    label, size, node = label[order], size[order], node[order]
    same = label[pairs[0]] == label[pairs[1]]
    united = _united(label, size, pairs, pairs[:, same])
    number = np.zeros(len(united.label), dtype=np.int64)
    number[united.group[::-1]] = node[::-1]  # the smallest number of each group
    open_ends = unknown > 0
    key = np.concatenate([first.key, second.key])[open_ends]
    owner = np.concatenate([first.owner, second.owner])[open_ends]
    owner = number[united.group[np.searchsorted(node, owner)]]
    sort, nodes = np.argsort(key), np.argsort(number)
    return HoleGraph(
        first.ndim,
        number[nodes],
        united.label[nodes],
        united.size[nodes],
        number[united.pairs],
        key[sort],
        owner[sort],
        unknown[open_ends][sort],
    )


def filled_of(graph: HoleGraph, label: Index) -> Index:
    """Return the filled area of each of ``label``, sorted, once every tile is in the graph."""
    if not len(label):
        return np.zeros(0, dtype=np.int64)
    at = np.searchsorted(label, graph.label).clip(max=len(label) - 1)
    item = np.where(label[at] == graph.label, at, NOTHING)
    outside = np.searchsorted(graph.node, np.unique(graph.owner))
    return filled_areas(item, graph.size, np.searchsorted(graph.node, graph.pairs), outside, len(label))


def pixel_keys(at: Index) -> Index:
    """Return coordinates, (ndim, n), as one number each, in raster order; those of neighbours differ by a constant."""
    bits = 63 // len(at)
    if at.size and at.max() >= 2**bits - 2:
        msg = f"area_filled needs coordinates below 2**{bits} - 2 (got {at.max()})"
        raise ImageError(msg)
    key = np.zeros(at.shape[1], dtype=np.int64)
    for line in at:
        key = (key << bits) + line + 1
    return key


@dataclass(frozen=True)
class _United:
    group: Index
    label: Index
    size: Index
    pairs: Index


def _united(label: Index, size: Index, pairs: Index, joined: Index) -> _United:
    """Return the nodes with those ``joined``, (2, n), made one."""
    count = len(label)
    graph = coo_array((np.ones(joined.shape[1], dtype=np.int8), (joined[0], joined[1])), shape=(count, count))
    groups, group = connected_components(graph, directed=False)
    group = group.astype(np.int64)
    of_group = np.zeros(groups, dtype=np.int64)
    of_group[group] = label
    total = np.zeros(groups, dtype=np.int64)
    np.add.at(total, group, size)
    return _United(group, of_group, total, unique_pairs(group[pairs[0]], group[pairs[1]]))


def _node_keys(zones: Zones, group: Index, groups: int, shape: tuple[int, ...], origin: Sequence[int]) -> Index:
    """Return a number for each group: the key of its first pixel, which no other tile has."""
    row = np.repeat(np.arange(len(zones.row_start) - 1), np.diff(zones.row_start))
    lines = np.array(np.unravel_index(row, shape[:-1])) if len(shape) > 2 else row[None]
    at = np.concatenate([lines, zones.start[None]]).astype(np.int64)
    number = np.full(groups, np.iinfo(np.int64).max)
    np.minimum.at(number, group[zones.zone], pixel_keys(at + np.array(origin, dtype=np.int64)[:, None]))
    return number


def _faces(shape: tuple[int, ...]) -> tuple[Index, NDArray[np.int8]]:
    """Return the pixels of a tile that have neighbours beyond it, (ndim, n), and how many."""
    sides = [np.unique(np.minimum([0, size - 1], size - 1)) for size in shape]
    lines = []
    for axis, ends in enumerate(sides):
        # Each pixel once: those of the faces of earlier axes are left out.
        ranges = [
            np.setdiff1d(np.arange(size), sides[k]) if k < axis else ends if k == axis else np.arange(size)
            for k, size in enumerate(shape)
        ]
        lines.append(np.stack([grid.ravel() for grid in np.meshgrid(*ranges, indexing="ij")]))
    at = np.concatenate(lines, axis=1)
    inside = np.ones(at.shape[1], dtype=np.int64)
    for line, size in zip(at, shape):
        inside *= 1 + (line > 0) + (line < size - 1)
    return at, (3 ** len(shape) - inside).astype(np.int8)


def _touching(first: HoleGraph, second: HoleGraph) -> tuple[Index, Index]:
    """Return which pixels of the first graph touch which of the second, as indices."""
    bits = 63 // first.ndim
    found: list[tuple[Index, Index]] = []
    for step in product((-1, 0, 1), repeat=first.ndim):
        wanted = first.key + sum(size << bits * place for place, size in enumerate(reversed(step)))
        at = np.searchsorted(second.key, wanted)
        hit = np.zeros(len(wanted), dtype=np.bool_)
        near = at < len(second.key)
        hit[near] = second.key[at[near]] == wanted[near]
        found.append((np.flatnonzero(hit), at[hit]))
    return np.concatenate([one for one, _ in found]), np.concatenate([two for _, two in found])


def _known(unknown: NDArray[np.int8], which: Index) -> NDArray[Any]:
    """Return the numbers of unknown neighbours, less those that were met."""
    return (unknown - np.bincount(which, minlength=len(unknown))).astype(np.int8)
