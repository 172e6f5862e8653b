"""Compiled loops along the edges of labelled pixels.

An edge of a pixel is directed: along its top to the right, down its right side, along its bottom to the left, up its
left side, so that the pixel lies on the right hand where y points down. It is there where the neighbour beyond has
another label. Where it ends, another edge of the same label begins::

    before it      p q      turn right, along the next side of p, if q is another label
    ─────>         ─ ─      straight on, along q, if q is the same and s is another
    p is below     p q      turn left, along s, if both are the same
                     s
                   p q

Where two pixels of a label touch at a corner only, each edge turns right: walks part the pixels that no edge joins.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Integers = NDArray[np.int64]
Small = NDArray[np.int32]

UP, DOWN = 3, 1
"""Directions are right (0) along the top, down along the right side, left along the bottom, up along the left side."""

_FACE = -1


@njit(nogil=True, cache=True)
def _predecessor(labels: Small, at: int, behind: int, beyond: int) -> int:
    """Return the pixel of the edge that leads to one of the pixel ``at``."""
    if labels[at + behind] != labels[at]:
        return at
    return at + behind + beyond if labels[at + behind + beyond] == labels[at] else at + behind


@njit(nogil=True, cache=True)
def _entrances(pixels: Small, rows: int, columns: int) -> Integers:
    """Return the edges that follow edges of other tiles: four times the pixel, and the direction."""
    row_step = columns + 2
    ahead, outside = (1, row_step, -1, -row_step), (-row_step, 1, row_step, -1)
    found = np.empty(8 * (rows + columns), np.int64)
    count = 0
    for row in range(1, rows + 1):
        step = 1 if row in (1, rows) else max(columns - 1, 1)
        for column in range(1, columns + 1, step):
            at = row * row_step + column
            if pixels[at] == 0:
                continue
            for side in range(4):
                if pixels[at + outside[side]] != pixels[at]:
                    before = _predecessor(pixels, at, -ahead[side], outside[side])
                    if not (0 < before // row_step <= rows and 0 < before % row_step <= columns):
                        found[count] = 4 * at + side
                        count += 1
    return found[:count].copy()


@njit(nogil=True, cache=True)
def _unwalked(pixels: Small, lefts: Small, at: int) -> int:
    """Return the first pixel from ``at`` on whose left side is an edge that nobody has walked, or the last pixel."""
    while at < pixels.size - 1 and (pixels[at] == 0 or pixels[at - 1] == pixels[at] or lefts[at] != 0):
        at += 1
    return at


@njit(nogil=True, cache=True)
def trace(
    labels: Small, top: int, left: int, width: int
) -> tuple[Small, NDArray[np.bool_], Integers, Small, Integers, Small, Small]:
    """Walk along all edges of the pixels of a tile.

    Parameters
    ----------
    labels : (M + 2, N + 2) array
        The tile and the pixels around it; 0 for no label.
    top, left : int
        Where the first pixel of the tile is in the image.
    width : int
        Of the image.

    Returns
    -------
    points : (K, 2) array
        Row and column of the corners where walks turn, and of the first corner of walks that begin at a face.
    touching : (K,) array
        Whether two pixels of the label touch there at the corner only.
    ends : (W + 1,) array
        Walk ``i`` has the points ``ends[i]`` to ``ends[i + 1]``.
    owner : (W,) array
        The label of each walk.
    links : (W, 4) array
        For a walk from face to face the key of its first edge, that of the edge of another tile which follows, and
        the first and the last direction; -1 for a closed walk. The former come first.
    walk_left, walk_right : (M + 2, N + 2) arrays
        The number from 1 of the walk along the left and right side of each pixel that has an edge there.
    """
    rows, columns = labels.shape[0] - 2, labels.shape[1] - 2
    row_step = columns + 2
    # Steps from a pixel to others, and from its first corner to that where its edge begins, by direction.
    ahead = (1, row_step, -1, -row_step)
    outside = (-row_step, 1, row_step, -1)
    begins = (0, 1, row_step + 1, row_step)
    pixels = labels.reshape(-1)
    corner = np.empty(1024, np.int64)
    touching = np.empty(1024, np.bool_)
    ends = np.zeros(257, np.int64)
    owner = np.empty(256, np.int32)
    links = np.empty((256, 4), np.int64)
    walk_left = np.zeros(labels.shape, np.int32)
    walk_left[0], walk_left[-1], walk_left[:, 0], walk_left[:, -1] = _FACE, _FACE, _FACE, _FACE
    walk_right = np.zeros(labels.shape, np.int32)
    lefts, rights = walk_left.reshape(-1), walk_right.reshape(-1)
    entrances = _entrances(pixels, rows, columns)
    count, total, start = 0, 0, row_step
    while True:
        # First the walks from face to face, then whatever is not walked yet.
        opens = count < entrances.size
        if opens:
            start, first = entrances[count] >> 2, entrances[count] & 3
        else:
            start, first = _unwalked(pixels, lefts, row_step if count == entrances.size else start), UP
            if start == pixels.size - 1:
                break
        label = pixels[start]
        at, side, last = start, first, first
        turns, touches = opens, False
        while True:
            if turns:
                if total == touching.size:
                    corner = np.concatenate((corner, np.empty_like(corner)))
                    touching = np.concatenate((touching, np.empty_like(touching)))
                corner[total] = at + begins[side]
                touching[total] = touches
                total += 1
            if side == UP:
                if lefts[at]:
                    break  # a closed walk is where it began
                lefts[at] = count + 1
            elif side == DOWN:
                rights[at] = count + 1
            last = side
            following = at + ahead[side]
            diagonal = following + outside[side]
            touches = False
            if pixels[following] != label:
                touches = pixels[diagonal] == label
                side = (side + 1) & 3
            elif pixels[diagonal] != label:
                at = following
            else:
                at = diagonal
                side = (side + 3) & 3
            if lefts[at] == _FACE:
                break
            turns = side != last
        if count == owner.size:
            ends = np.concatenate((ends, np.empty_like(ends)))
            owner = np.concatenate((owner, np.empty_like(owner)))
            links = np.concatenate((links, np.empty_like(links)))
        owner[count] = label
        links[count] = -1
        if opens:
            links[count, 0] = 4 * (start + begins[first]) + first
            links[count, 1] = 4 * (at + begins[side]) + side
            links[count, 2], links[count, 3] = first, last
        count += 1
        ends[count] = total
    points = np.empty((total, 2), np.int32)
    for point in range(total):
        down = corner[point] // row_step
        points[point, 0] = down - 1 + top
        points[point, 1] = corner[point] - down * row_step - 1 + left
    for walk in range(count):
        for end in range(2):
            if links[walk, end] >= 0:
                place = links[walk, end] >> 2
                down = place // row_step
                right = place - down * row_step - 1 + left
                links[walk, end] = 4 * ((down - 1 + top) * (width + 1) + right) + (links[walk, end] & 3)
    return (
        points,
        touching[:total].copy(),
        ends[: count + 1].copy(),
        owner[:count].copy(),
        links[:count].copy(),
        walk_left,
        walk_right,
    )


@njit(nogil=True, cache=True)
def _root(parent: Small, one: int) -> int:
    while parent[one] != one:
        parent[one] = parent[parent[one]]
        one = parent[one]
    return one


@njit(nogil=True, cache=True)
def parts(labels: Small, walk_left: Small, walk_right: Small, walks: int) -> tuple[Small, Small, Small]:
    """Find which walks are around the same connected pixels.

    A run of pixels joins the walk on its left to the walk on its right. From any hole a run leads to a walk that lies
    further left, and so at last to the outline.

    Returns
    -------
    part : array
        A number from 0 for each walk, then for each stretch of runs that goes from face to face.
    first, last : (M,) arrays
        The part, from 1, of the run of each row that goes on beyond the left and the right face; 0 for none.
    """
    rows, columns = labels.shape[0] - 2, labels.shape[1] - 2
    parent = np.arange(walks + rows).astype(np.int32)
    first, last = np.zeros(rows, np.int32), np.zeros(rows, np.int32)
    through = walks
    for row in range(rows):
        column = 1
        while column <= columns:
            label = labels[row + 1, column]
            if label == 0:
                column += 1
                continue
            start = column
            while column < columns and labels[row + 1, column + 1] == label:
                column += 1
            before, after = walk_left[row + 1, start], walk_right[row + 1, column]
            if before and after:
                one, other = _root(parent, before - 1), _root(parent, after - 1)
                parent[max(one, other)] = min(one, other)
            elif after:
                first[row] = after
            elif before:
                last[row] = before
            else:
                if not (row > 0 and labels[row, 1] == label and first[row - 1] > walks and last[row - 1] > walks):
                    through += 1
                first[row] = last[row] = through
            column += 1
    part = np.empty(through, np.int32)
    count = 0
    for walk in range(through):
        root = _root(parent, walk)
        if root == walk:
            part[walk] = count
            count += 1
        else:
            part[walk] = part[root]
    for row in range(rows):
        if first[row]:
            first[row] = part[first[row] - 1] + 1
        if last[row]:
            last[row] = part[last[row] - 1] + 1
    return part, first, last


@njit(nogil=True, cache=True)
def chain(
    points: Small, touching: NDArray[np.bool_], ends: Integers, turns: NDArray[np.bool_], following: Integers
) -> tuple[Small, NDArray[np.bool_], Integers, Integers]:
    """Join walks from face to face into closed ones.

    Parameters
    ----------
    turns : (W,) array
        Whether the way turns where each walk begins; else its first point is none.
    following : (W,) array
        The walk that goes on where each ends.

    Returns
    -------
    points, touching, ends
        Of the closed walks.
    source : array
        One of the walks that each is made of.
    """
    walks = following.size
    joined = np.empty_like(points)
    touch = np.empty_like(touching)
    closed = np.zeros(walks + 1, np.int64)
    source = np.empty(walks, np.int64)
    done = np.zeros(walks, np.bool_)
    total, count = 0, 0
    for start in range(walks):
        if done[start]:
            continue
        source[count] = start
        walk = start
        while not done[walk]:
            done[walk] = True
            for point in range(ends[walk] + (0 if turns[walk] else 1), ends[walk + 1]):
                joined[total] = points[point]
                touch[total] = touching[point]
                total += 1
            walk = following[walk]
        count += 1
        closed[count] = total
    return joined[:total], touch[:total], closed[: count + 1].copy(), source[:count].copy()


@njit(nogil=True, cache=True)
def unwind(points: Small, after: Integers) -> tuple[Small, Integers, Integers, Integers]:
    """Follow points to rings, each from its uppermost, leftmost point on.

    Parameters
    ----------
    after : (K,) array
        The point that follows each.

    Returns
    -------
    points : (K, 2) array
    ends : (R + 1,) array
    source : (R,) array
        An index into the points that were given, of a point of each ring.
    area : (R,) array
        In pixels; negative for holes.
    """
    size = after.size
    ordered = np.empty_like(points)
    ends = np.zeros(size // 4 + 1, np.int64)
    source = np.empty(size // 4, np.int64)
    area = np.empty(size // 4, np.int64)
    done = np.zeros(size, np.bool_)
    total, count = 0, 0
    for start in range(size):
        if done[start]:
            continue
        first, point, above = start, start, np.int64(0)
        while not done[point]:
            done[point] = True
            if points[point, 0] < points[first, 0] or (
                points[point, 0] == points[first, 0] and points[point, 1] < points[first, 1]
            ):
                first = point
            behind = after[point]
            above += (np.int64(points[behind, 1]) - points[point, 1]) * (points[point, 0] - np.int64(points[start, 0]))
            point = behind
        point = first
        while True:
            ordered[total] = points[point]
            total += 1
            point = after[point]
            if point == first:
                break
        source[count], area[count] = start, -above
        count += 1
        ends[count] = total
    return ordered, ends[: count + 1].copy(), source[:count].copy(), area[:count].copy()
