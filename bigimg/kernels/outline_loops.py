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

# By direction: right along the top, down the right side, left along the bottom, up the left side.
_AHEAD = np.array([[0, 1], [1, 0], [0, -1], [-1, 0]], np.int64)
_OUTSIDE = np.array([[-1, 0], [0, 1], [1, 0], [0, -1]], np.int64)
_STARTS = np.array([[0, 0], [0, 1], [1, 1], [1, 0]], np.int64)
UP, DOWN = 3, 1


@njit(nogil=True, cache=True)
def _successor(labels: Small, row: int, column: int, side: int) -> tuple[int, int, int, bool]:
    """Return pixel and side of the edge that follows, and whether the pixel touches one of its label at that corner."""
    label = labels[row, column]
    q_row, q_column = row + _AHEAD[side, 0], column + _AHEAD[side, 1]
    s_row, s_column = q_row + _OUTSIDE[side, 0], q_column + _OUTSIDE[side, 1]
    beyond = labels[s_row, s_column] == label
    if labels[q_row, q_column] != label:
        return row, column, (side + 1) & 3, beyond
    if not beyond:
        return q_row, q_column, side, False
    return s_row, s_column, (side + 3) & 3, False


@njit(nogil=True, cache=True)
def _predecessor(labels: Small, row: int, column: int, side: int) -> tuple[int, int]:
    """Return the pixel of the edge that leads to this one."""
    label = labels[row, column]
    q_row, q_column = row - _AHEAD[side, 0], column - _AHEAD[side, 1]
    if labels[q_row, q_column] != label:
        return row, column
    s_row, s_column = q_row + _OUTSIDE[side, 0], q_column + _OUTSIDE[side, 1]
    if labels[s_row, s_column] != label:
        return q_row, q_column
    return s_row, s_column


@njit(nogil=True, cache=True)
def _key(row: int, column: int, side: int, top: int, left: int, width: int) -> int:
    """Return the number of an edge in the image: there are four for each corner, where they begin."""
    corner = (np.int64(row) - 1 + top + _STARTS[side, 0]) * (np.int64(width) + 1) + column - 1 + left + _STARTS[side, 1]
    return corner * 4 + side


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
        the first and the last direction; -1 for a closed walk.
    walk_left, walk_right : (M, N) arrays
        The number from 1 of the walk along the left and right side of each pixel that has an edge there.
    """
    rows, columns = labels.shape[0] - 2, labels.shape[1] - 2
    points = np.empty((1024, 2), np.int32)
    touching = np.empty(1024, np.bool_)
    ends = np.zeros(257, np.int64)
    owner = np.empty(256, np.int32)
    links = np.empty((256, 4), np.int64)
    walk_left = np.zeros((rows, columns), np.int32)
    walk_right = np.zeros((rows, columns), np.int32)
    count, total = 0, 0
    for closed in (False, True):
        for row in range(1, rows + 1):
            inside = not closed and 1 < row < rows
            column = 0
            while column < columns:
                # First the pixels on faces, where walks from face to face begin; then whatever is not walked yet.
                column = columns if inside and column == 1 else column + 1
                label = labels[row, column]
                if label == 0 or (closed and (labels[row, column - 1] == label or walk_left[row - 1, column - 1])):
                    continue
                for side in range(UP if closed else 0, 4):
                    if labels[row + _OUTSIDE[side, 0], column + _OUTSIDE[side, 1]] == label:
                        continue
                    if not closed:
                        from_row, from_column = _predecessor(labels, row, column, side)
                        if 1 <= from_row <= rows and 1 <= from_column <= columns:
                            continue
                    at_row, at_column, at_side = row, column, side
                    turns, touches, last = not closed, False, side
                    while True:
                        if turns:
                            if total == touching.size:
                                points = np.concatenate((points, np.empty_like(points)))
                                touching = np.concatenate((touching, np.empty_like(touching)))
                            points[total, 0] = at_row - 1 + _STARTS[at_side, 0] + top
                            points[total, 1] = at_column - 1 + _STARTS[at_side, 1] + left
                            touching[total] = touches
                            total += 1
                        if at_side == UP:
                            if walk_left[at_row - 1, at_column - 1]:
                                break  # a closed walk is where it began
                            walk_left[at_row - 1, at_column - 1] = count + 1
                        elif at_side == DOWN:
                            walk_right[at_row - 1, at_column - 1] = count + 1
                        last = at_side
                        at_row, at_column, at_side, touches = _successor(labels, at_row, at_column, at_side)
                        if not (1 <= at_row <= rows and 1 <= at_column <= columns):
                            break
                        turns = at_side != last
                    if count == owner.size:
                        ends = np.concatenate((ends, np.empty_like(ends)))
                        owner = np.concatenate((owner, np.empty_like(owner)))
                        links = np.concatenate((links, np.empty_like(links)))
                    owner[count] = label
                    if closed:
                        links[count] = -1
                    else:
                        links[count, 0] = _key(row, column, side, top, left, width)
                        links[count, 1] = _key(at_row, at_column, at_side, top, left, width)
                        links[count, 2] = side
                        links[count, 3] = last
                    count += 1
                    ends[count] = total
    return (
        points[:total].copy(),
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
    rows, columns = walk_left.shape
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
            before, after = walk_left[row, start - 1], walk_right[row, column - 1]
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
