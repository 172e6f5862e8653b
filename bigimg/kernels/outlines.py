"""Outlines of labelled pixels that can be merged: the same rings however the image was cut.

A tile sees one pixel beyond its own and walks along the edges of its pixels. Walks that close are rings; one that
leaves the tile is an open chain, which knows by number the edge that follows it. Each edge of the image belongs to one
tile, so that joining chains end to end gives the rings of the whole image, without cracks::

    tile A  │ tile B               chain A: from edge 17, goes on at edge 80
      ┌─────┼──┐                   chain B: from edge 80, goes on at edge 17
      │  ┌─┐│  │    hole: a ring of A
      │  └─┘│  │    (which part is it in? its rows say: each joins the walks on its left and right)
      └─────┼──┘

A ring meets itself nowhere: pixels of a label that touch at a corner only are two parts, and holes that touch at a
corner are two holes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from bigimg.errors import ImageError
from bigimg.kernels import outline_loops
from bigimg.kernels.components import union
from bigimg.kernels.label_runs import LabelRuns

Integers = NDArray[np.int64]
Index = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Rings:
    """Closed lines along the edges of pixels, each from its uppermost, leftmost corner on."""

    points: NDArray[np.int32]
    """Row and column of the corners of pixels where rings turn, of all rings; the first corner is not repeated."""
    ends: Integers
    """Ring ``i`` has the points ``ends[i]`` to ``ends[i + 1]``."""
    label: Integers
    part: Integers
    """A number for the connected pixels that each ring is around."""
    area: Integers
    """In pixels, negative for holes."""

    @classmethod
    def of(
        cls,
        points: NDArray[np.int32],
        touching: NDArray[np.bool_],
        ends: Integers,
        label: Integers,
        part: Integers,
    ) -> Rings:
        """Return the rings that closed walks consist of: a walk that comes to one corner twice is cut there."""
        after = np.arange(1, len(points) + 1)
        after[ends[1:] - 1] = ends[:-1]
        twice = np.flatnonzero(touching)
        walk = np.searchsorted(ends, twice, side="right") - 1
        order = np.lexsort((points[twice, 1], points[twice, 0], walk))
        twice, walk = twice[order], walk[order]
        same = (walk[1:] == walk[:-1]) & (points[twice[1:]] == points[twice[:-1]]).all(axis=1)
        one, other = twice[:-1][same], twice[1:][same]
        after[one], after[other] = after[other], after[one]
        ordered, bounds, source, area = outline_loops.unwind(points, after)
        walk = np.searchsorted(ends, source, side="right") - 1
        return cls(ordered, bounds, label[walk], part[walk], area)

    @classmethod
    def joined(cls, several: Sequence[Rings]) -> Rings:
        """Return the rings of all."""
        return cls(
            np.concatenate([each.points for each in several]),
            joined_ends([each.ends for each in several]),
            np.concatenate([each.label for each in several]),
            np.concatenate([each.part for each in several]),
            np.concatenate([each.area for each in several]),
        )

    def sorted(self, width: int) -> Rings:
        """Return the rings by label; of a label by part, in raster order of their first corners; outlines first."""
        corner = self.points[self.ends[:-1]].astype(np.int64) @ [width + 1, 1]
        outer = self.area > 0
        first = np.zeros(int(self.part.max(initial=-1)) + 1, np.int64)
        first[self.part[outer]] = corner[outer]
        order = np.lexsort((corner, ~outer, first[self.part], self.label))
        points, ends = taken_lines(self.points, self.ends, order)
        return Rings(points, ends, self.label[order], self.part[order], self.area[order])


@dataclass(frozen=True, eq=False)
class TileOutlines:
    """What one tile knows of the outlines of its labels."""

    rings: Rings
    points: NDArray[np.int32]
    """Of the chains, with ``touching`` and ``ends`` as :func:`bigimg.kernels.outline_loops.trace` returns them."""
    touching: NDArray[np.bool_]
    ends: Integers
    label: Integers
    part: Integers
    links: Integers
    parts: int
    """How many parts the tile has."""
    left: tuple[Integers, Integers]
    """Places of pixels that go on beyond the left face, and their parts."""
    right: tuple[Integers, Integers]


def trace(
    labels: NDArray[Any],
    origin: Sequence[int],
    margins: Sequence[tuple[int, int]],
    width: int,
    valid: NDArray[np.bool_] | None = None,
) -> TileOutlines:
    """Find the outlines of the labels of one tile.

    Parameters
    ----------
    labels : (M, N) integer array
        The tile with the pixels around it.
    origin : sequence of int
        Where the first pixel of the tile itself is in the image.
    margins : pairs of int
        For each axis how many pixels there are before the tile and behind it: 1, or 0 at the border of the image.
    width : int
        Of the image.
    valid : (M, N) bool array, optional
        Pixels that count; others are as if they had no label.

    Raises
    ------
    ImageError
        If the labels are no integers, negative, or beyond 63 bits.
    """
    runs = _runs(labels, valid)
    rows, columns = (size - sum(margin) for size, margin in zip(labels.shape, margins))
    dense = np.zeros((rows + 2, columns + 2), np.int32)
    _paint(runs.row_start, runs.start, runs.stop, runs.item, 1 - margins[0][0], 1 - margins[1][0], dense)
    top, left = origin
    points, touching, ends, owner, links, walk_left, walk_right = outline_loops.trace(dense, top, left, width)
    part, first, last = outline_loops.parts(dense, walk_left, walk_right, len(owner))
    label = runs.label[owner - 1]
    begins = int(np.count_nonzero(links[:, 0] >= 0))  # chains come first
    cut = ends[begins]
    around = part[: len(owner)].astype(np.int64)
    place = np.arange(top, top + rows) * (width + 1)
    return TileOutlines(
        Rings.of(points[cut:], touching[cut:], ends[begins:] - cut, label[begins:], around[begins:]),
        points[:cut].copy(),
        touching[:cut].copy(),
        ends[: begins + 1].copy(),
        label[:begins].copy(),
        around[:begins].copy(),
        links[:begins].copy(),
        int(part.max(initial=-1)) + 1,
        _face(place + left, first),
        _face(place + left + columns, last),
    )


def _runs(labels: NDArray[Any], valid: NDArray[np.bool_] | None) -> LabelRuns:
    if labels.dtype.kind not in "iu":
        raise ImageError(f"labels are integers (got {labels.dtype}); number the objects first, with measure.label")
    if valid is not None:
        labels = np.where(valid, labels, np.zeros((), labels.dtype))
    dtype = np.int64 if labels.dtype.kind == "i" else np.uint32 if labels.dtype.itemsize <= 4 else np.uint64
    runs = LabelRuns.of(np.ascontiguousarray(labels, dtype))
    if runs.label.size and runs.label[0] < 0:
        raise ImageError(
            f"labels must be 1 to 2**63 - 1, with 0 for background (got {runs.label[0]} as a 64-bit integer)"
        )
    return runs


def _face(place: Integers, part: NDArray[np.int32]) -> tuple[Integers, Integers]:
    goes_on = np.flatnonzero(part)
    return place[goes_on], part[goes_on].astype(np.int64) - 1


@njit(nogil=True, cache=True)
def _paint(
    row_start: Integers,
    start: NDArray[np.int32],
    stop: NDArray[np.int32],
    item: Integers,
    down: int,
    right: int,
    dense: NDArray[np.int32],
) -> None:
    for row in range(row_start.size - 1):
        for run in range(row_start[row], row_start[row + 1]):
            dense[row + down, start[run] + right : stop[run] + right] = item[run] + 1


def assemble(tiles: Mapping[Index, TileOutlines], width: int) -> Rings:
    """Join the chains of all tiles of an image, and return all rings sorted; see :meth:`Rings.sorted`."""
    several = [tiles[index] for index in sorted(tiles)]
    before = np.concatenate([[0], np.cumsum([each.parts for each in several])])
    offset = before[:-1]
    label, links = (np.concatenate([getattr(each, name) for each in several]) for name in ("label", "links"))
    part = np.concatenate([each.part + start for each, start in zip(several, offset)])
    order = np.argsort(links[:, 0])
    following = order[np.searchsorted(links[order, 0], links[:, 1])]
    lines = [
        np.stack([np.concatenate([getattr(each, side)[0] for each in several]), _parts(several, offset, side)])
        for side in ("left", "right")
    ]
    _, one, other = np.intersect1d(lines[0][0], lines[1][0], assume_unique=True, return_indices=True)
    pairs = np.stack([lines[0][1][one], lines[1][1][other]])
    pairs = np.unique(np.concatenate([pairs, np.stack([part, part[following]])], axis=1), axis=1) + 1
    root = union(int(before[-1]), pairs[0], pairs[1])[1:] - 1
    turns = np.ones(len(links), np.bool_)
    turns[following] = links[following, 2] != links[:, 3]
    points, touching, ends, source = outline_loops.chain(
        np.concatenate([each.points for each in several]),
        np.concatenate([each.touching for each in several]),
        joined_ends([each.ends for each in several]),
        turns,
        following,
    )
    rings = [Rings.of(points, touching, ends, label[source], part[source])]
    rings += [
        Rings(each.rings.points, each.rings.ends, each.rings.label, each.rings.part + start, each.rings.area)
        for each, start in zip(several, offset)
    ]
    found = Rings.joined(rings)
    return Rings(found.points, found.ends, found.label, root[found.part], found.area).sorted(width)


def _parts(several: Sequence[TileOutlines], offset: Integers, side: str) -> Integers:
    return np.concatenate([getattr(each, side)[1] + start for each, start in zip(several, offset)])


def joined_ends(several: Sequence[Integers]) -> Integers:
    """Return where lists end when they stand one behind the other, from where each group of them ends.

    Examples
    --------
    >>> joined_ends([np.array([0, 2, 5]), np.array([0, 4])])
    array([0, 2, 5, 9])
    """
    return np.concatenate([[0], np.cumsum(np.concatenate([np.diff(each) for each in several]))]).astype(np.int64)


def taken_lines(points: NDArray[Any], ends: Integers, order: Integers) -> tuple[NDArray[Any], Integers]:
    """Return the lists of points in another order, and where each ends.

    Examples
    --------
    >>> taken_lines(np.array([7, 8, 9]), np.array([0, 1, 3]), np.array([1, 0]))
    (array([8, 9, 7]), array([0, 2, 3]))
    """
    sizes = np.diff(ends)[order]
    bounds = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    where = np.arange(bounds[-1]) + np.repeat(ends[:-1][order] - bounds[:-1], sizes)
    return points[where], bounds
