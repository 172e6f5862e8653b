"""Convex hulls of objects from the ends of their rows: area of the hull in pixels, and the longest distance across it.

A *chord* is the first and the last pixel of an object in one row, whatever lies between: two numbers a row are all that
a hull needs, and chords of tiles merge by taking the outermost. As in scikit-image, the hull is that of the points half
a pixel beyond each pixel along each axis (a diamond), its area counts the pixels whose centres lie in it or on its
border, and the diameter is that of the diamonds of these pixels. In planes all is done in integers, twice the
coordinates; in volumes facets come from Qhull, whose errors are far smaller than the distance of a voxel to a facet it
does not lie on.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.spatial import ConvexHull, QhullError

from bigimg.kernels.label_runs import LabelRuns
from bigimg.kernels.region_properties import Columns

Index = NDArray[np.int64]
Floats = NDArray[np.float64]

_TOLERANCE = 1e-10


def chords_of(runs: LabelRuns, shape: Sequence[int], origin: Sequence[int]) -> Columns:
    """Return the chords of a tile in image coordinates, sorted by label, plane and row; of images plane 0."""
    count = np.zeros(runs.label.size, dtype=np.int64)
    last = np.full(runs.label.size, -1, dtype=np.int64)
    _count_chords(runs.row_start, runs.item, count, last)
    offset = np.concatenate([[0], np.cumsum(count)])
    row, left, right = np.empty((3, offset[-1]), dtype=np.int64)
    _find_chords(*runs.arrays, offset[:-1].copy(), row, left, right)
    plane, row = np.divmod(row, shape[-2])
    first = (0, *origin)[-3:]
    return {
        "label": np.repeat(runs.label, count),
        "plane": plane + first[0],
        "row": row + first[1],
        "left": left + first[2],
        "right": right + first[2],
    }


def no_chords() -> Columns:
    """Return the chords of no object."""
    return {name: np.zeros(0, dtype=np.int64) for name in ("label", "plane", "row", "left", "right")}


def outermost(chords: Columns) -> Columns:
    """Return chords sorted by label, plane and row, one for each."""
    order = np.lexsort((chords["row"], chords["plane"], chords["label"]))
    chords = {name: column[order] for name, column in chords.items()}
    changed = np.ones(len(order), dtype=np.bool_)
    keys = [chords[name] for name in ("label", "plane", "row")]
    changed[1:] = np.any([key[1:] != key[:-1] for key in keys], axis=0)
    starts = np.flatnonzero(changed)
    if len(starts) == len(order):
        return chords
    kept = {name: chords[name][starts] for name in ("label", "plane", "row")}
    return kept | {
        "left": np.minimum.reduceat(chords["left"], starts),
        "right": np.maximum.reduceat(chords["right"], starts),
    }


def hulls(chords: Columns, label: Index, spacing: Sequence[float]) -> Columns:
    """Return ``convex``, the pixels in the hull, and ``feret``, the longest distance, of each of ``label``.

    ``chords`` are those of at least these labels, as :func:`outermost` sorts them; ``label`` is sorted too.
    """
    start = np.searchsorted(chords["label"], label)
    stop = np.searchsorted(chords["label"], label, side="right")
    convex, feret = np.zeros(len(label), dtype=np.int64), np.zeros(len(label))
    steps = np.array(spacing, dtype=np.float64)
    if len(spacing) == 2:
        _plane_hulls(start, stop, chords["row"], chords["left"], chords["right"], steps, convex, feret)
    else:
        for i, (first, behind) in enumerate(zip(start, stop)):
            part = {name: chords[name][first:behind] for name in ("plane", "row", "left", "right")}
            convex[i], feret[i] = _volume_hull(part, steps)
    return {"convex": convex, "feret": feret}


@njit(nogil=True, cache=True)
def _count_chords(row_start: Index, item: Index, count: Index, last: Index) -> None:
    for row in range(row_start.size - 1):
        for run in range(row_start[row], row_start[row + 1]):
            k = item[run]
            count[k] += last[k] != row
            last[k] = row


@njit(nogil=True, cache=True)
def _find_chords(
    row_start: Index,
    start: NDArray[np.int32],
    stop: NDArray[np.int32],
    item: Index,
    filled: Index,
    row: Index,
    left: Index,
    right: Index,
) -> None:
    begin = filled.copy()
    for line in range(row_start.size - 1):
        for run in range(row_start[line], row_start[line + 1]):
            k = item[run]
            at = filled[k] - 1
            if filled[k] == begin[k] or row[at] != line:
                at = filled[k]
                row[at] = line
                left[at] = start[run]
                filled[k] += 1
            right[at] = stop[run] - 1


@njit(nogil=True, cache=True)
def _append(chain: Index, size: int, y: int, x: int, side: int) -> int:
    """Add a point to a convex chain of rising ``y``: the lower one for ``side`` 1, the upper one for -1."""
    if size and chain[size - 1, 0] == y:
        if side * (x - chain[size - 1, 1]) >= 0:
            return size
        size -= 1
    while size >= 2:
        ay, ax = chain[size - 2, 0], chain[size - 2, 1]
        by, bx = chain[size - 1, 0], chain[size - 1, 1]
        if side * ((bx - ax) * (y - ay) - (x - ax) * (by - ay)) < 0:
            break
        size -= 1
    chain[size, 0], chain[size, 1] = y, x
    return size + 1


@njit(nogil=True, cache=True)
def _diamonds(row: Index, end: Index, side: int, chain: Index) -> int:
    """Fill ``chain`` with the hull of the diamonds of the pixels at one end of each row; return its length."""
    size = 0
    for i in range(row.size):
        y, x = 2 * row[i], 2 * end[i]
        size = _append(chain, size, y - 1, x, side)
        size = _append(chain, size, y, x - side, side)
        size = _append(chain, size, y + 1, x, side)
    return size


@njit(nogil=True, cache=True)
def _fill(chain: Index, size: int, end: Index, side: int) -> None:
    """Find the outermost pixel in each row within a chain."""
    at = 0
    for i in range(end.size):
        y = 2 * i
        while at + 2 < size and chain[at + 1, 0] < y:
            at += 1
        ay, ax, by, bx = chain[at, 0], chain[at, 1], chain[at + 1, 0], chain[at + 1, 1]
        numerator, denominator = ax * (by - ay) + (bx - ax) * (y - ay), 2 * (by - ay)
        end[i] = -((-numerator) // denominator) if side > 0 else numerator // denominator


@njit(nogil=True, cache=True)
def _plane_hulls(
    start: Index, stop: Index, row: Index, left: Index, right: Index, steps: Floats, convex: Index, feret: Floats
) -> None:
    for i in range(start.size):
        rows = row[start[i] : stop[i]] - row[start[i]]
        lowest = left[start[i] : stop[i]].min()
        height = rows[-1] + 1
        chains = np.empty((2, 3 * height, 2), np.int64)
        ends = np.empty((2, height), np.int64)
        own = (left[start[i] : stop[i]] - lowest, right[start[i] : stop[i]] - lowest)
        every = np.arange(height)
        sizes = np.zeros(2, np.int64)
        for k in range(2):
            side = 1 - 2 * k
            size = _diamonds(rows, own[k], side, chains[k])
            _fill(chains[k], size, ends[k], side)
        some = ends[0] <= ends[1]  # between pieces a row of a thin hull may hold no pixel
        convex[i] = (ends[1] - ends[0] + 1).sum()
        for k in range(2):
            sizes[k] = _diamonds(every[some], ends[k][some], 1 - 2 * k, chains[k])
        longest = 0.0
        for a in range(sizes[0] + sizes[1]):
            ay, ax = _vertex(chains, sizes[0], a)
            for b in range(a):
                by, bx = _vertex(chains, sizes[0], b)
                y, x = (ay - by) / 2 * steps[0], (ax - bx) / 2 * steps[1]
                longest = max(longest, y * y + x * x)
        feret[i] = np.sqrt(longest)


@njit(nogil=True, cache=True)
def _vertex(chains: Index, first: int, number: int) -> tuple[int, int]:
    if number < first:
        return chains[0, number, 0], chains[0, number, 1]
    return chains[1, number - first, 0], chains[1, number - first, 1]


def _volume_hull(chords: Columns, steps: Floats) -> tuple[int, float]:
    """Return the voxels in the hull of one object, and the longest distance across it."""
    corner = np.array([chords["plane"].min(), chords["row"].min(), chords["left"].min()])
    above = np.array([chords["plane"].max(), chords["row"].max(), chords["right"].max()]) - corner
    ends = np.concatenate(
        [np.stack([chords["plane"], chords["row"], chords[end]], axis=1) - corner for end in ("left", "right")]
    )
    hull = ConvexHull(_with_diamonds(_corners(ends)))
    count, inside = 0, []
    for box, equations in _boxes(above, hull.equations):
        first, last = _rows_inside(equations, box, above[2])
        some = last >= first
        count += int((last - first + 1)[some].sum())
        inside += [np.column_stack([box[some], end[some]]) for end in (first, last)]
    outline = _with_diamonds(_corners(np.concatenate(inside)))
    scaled = _corners(outline) * steps
    longest = 0.0
    for point in scaled:
        longest = max(longest, float(((scaled - point) ** 2).sum(axis=1).max()))
    return count, float(np.sqrt(longest))


def _corners(points: NDArray[Any]) -> NDArray[Any]:
    """Return the points that can be corners of the hull: all of them where they lie in one plane."""
    points = np.unique(points, axis=0)
    try:
        return points[np.sort(ConvexHull(points).vertices)]
    except QhullError:
        return points


def _with_diamonds(points: NDArray[Any]) -> Floats:
    offsets = np.concatenate([np.eye(3), -np.eye(3)]) / 2
    return np.unique((points[:, None] + offsets).reshape(-1, 3), axis=0)


def _boxes(above: Index, equations: Floats) -> Iterator[tuple[Index, Floats]]:
    """Yield the rows of a box, (n, 2), some at a time."""
    step = max(1, 2**20 // len(equations))
    for first in range(0, (above[0] + 1) * (above[1] + 1), step):
        number = np.arange(first, min(first + step, (above[0] + 1) * (above[1] + 1)))
        yield np.stack(np.divmod(number, above[1] + 1), axis=1), equations


def _rows_inside(equations: Floats, rows: Index, most: int) -> tuple[Index, Index]:
    """Return the first and the last voxel of each row inside all facets; none where the last is before the first."""
    slope = equations[:, 2]
    rest = rows @ equations[:, :2].T + equations[:, 3] - _TOLERANCE
    first, last = np.zeros(len(rows)), np.full(len(rows), float(most))
    flat = np.abs(slope) < _TOLERANCE
    last[(rest[:, flat] >= 0).any(axis=1)] = -1
    for sign, bound in ((1, last), (-1, first)):
        facets = sign * slope >= _TOLERANCE
        limit = -rest[:, facets] / slope[facets]
        if sign > 0:
            np.minimum(bound, np.floor(limit.min(axis=1)), out=bound)
        else:
            np.maximum(bound, np.ceil(limit.max(axis=1)), out=bound)
    return first.astype(np.int64), last.astype(np.int64)
