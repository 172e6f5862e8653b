"""Where the pixels of one object lie to each other: who is whose neighbour, and how far the edge is.

An object is a list of pixels in the order of rows. No box around it is ever filled in, so that memory goes with its
pixels however far apart they lie: an object that winds through the whole image costs what it has.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Index = NDArray[np.int64]

FAR = np.int64(1) << np.int64(62)
"""The square of a distance to an edge that is not there."""


@njit(nogil=True, cache=True)
def keys_of(place: Index) -> tuple[Index, int, int]:
    """Return a number for each pixel that grows with its place, and what a row and a plane further add to it.

    A spare row and column behind the last keep neighbours across the end of a row apart.
    """
    width = place[2].max() - place[2].min() + 2
    height = place[1].max() - place[1].min() + 2
    low_z, low_y, low_x = place[0].min(), place[1].min(), place[2].min()
    keys = np.empty(place.shape[1], np.int64)
    for i in range(keys.size):
        keys[i] = ((place[0, i] - low_z) * height + place[1, i] - low_y) * width + place[2, i] - low_x
    return keys, width, width * height


@njit(nogil=True, cache=True)
def neighbours(keys: Index, step: int, found: Index) -> None:
    """Write which pixel lies ``step`` further than each, or -1."""
    other = 0
    for i in range(keys.size):
        wanted = keys[i] + step
        while other < keys.size and keys[other] < wanted:
            other += 1
        found[i] = other if other < keys.size and keys[other] == wanted else -1


@njit(nogil=True, cache=True)
def squared_distances(place: Index, shape: tuple[int, int, int], volume: bool, bounded: bool) -> Index:
    """Return the squared distance of each pixel of one object to the nearest pixel that is not of it.

    Parameters
    ----------
    place
        Plane, row and column of the pixels, in the order of rows.
    shape
        Planes, rows and columns of the image.
    volume
        Whether planes count.
    bounded
        Whether the pixels beyond the border of the image are not of the object; otherwise they do not take part, unless
        the object fills the image, which has no other edge.
    """
    squares = _squared_distances(place, shape, volume, bounded)
    return squares if squares[0] < FAR else _squared_distances(place, shape, volume, True)


@njit(nogil=True, cache=True)
def _squared_distances(place: Index, shape: tuple[int, int, int], volume: bool, bounded: bool) -> Index:
    keys, row, plane = keys_of(place)
    size = keys.size
    squares = np.empty(size, np.int64)
    first = 0
    for i in range(size):
        if i + 1 == size or keys[i + 1] != keys[i] + 1:
            left = bounded or place[2, first] > 0
            right = bounded or place[2, i] < shape[2] - 1
            for j in range(first, i + 1):
                near = FAR
                if left:
                    near = min(near, np.int64(j - first + 1))
                if right:
                    near = min(near, np.int64(i - j + 1))
                squares[j] = near * near if near < FAR else FAR
            first = i + 1
    _along(place[1], shape[1], keys, row, bounded, squares)
    if volume:
        _along(place[0], shape[0], keys, plane, bounded, squares)
    return squares


@njit(nogil=True, cache=True)
def _along(along: Index, length: int, keys: Index, step: int, bounded: bool, squares: Index) -> None:
    """Bring in what lies further along one axis: the lower envelope of parabolas over each stretch of pixels.

    A. Meijster, J. B. T. M. Roerdink and W. H. Hesselink, 2000; all in integers. What ends a stretch is not of the
    object, and so no parabola beyond it counts.
    """
    size = keys.size
    after = np.empty(size, np.int64)
    before = np.empty(size, np.int64)
    neighbours(keys, step, after)
    neighbours(keys, -step, before)
    line = np.empty(size, np.int64)
    at = np.empty(size + 2, np.int64)
    height = np.empty(size + 2, np.int64)
    begins = np.empty(size + 2, np.int64)
    for start in range(size):
        if before[start] >= 0:
            continue
        count = 0
        i = start
        while i >= 0:
            line[count] = i
            count += 1
            i = after[i]
        parts = 0
        for position in range(-1, count + 1):
            if position == -1:
                if not bounded and along[start] == 0:
                    continue
                value = np.int64(0)
            elif position == count:
                if not bounded and along[line[count - 1]] == length - 1:
                    continue
                value = np.int64(0)
            else:
                value = squares[line[position]]
                if value >= FAR:
                    continue
            begin = np.int64(-1)
            while parts:
                u = at[parts - 1]
                meets = (position * position - u * u + value - height[parts - 1]) // (2 * (position - u)) + 1
                if meets > begins[parts - 1]:
                    begin = meets
                    break
                parts -= 1
            at[parts], height[parts], begins[parts] = position, value, begin
            parts += 1
        part = 0
        for position in range(count):
            if not parts:
                break
            while part + 1 < parts and begins[part + 1] <= position:
                part += 1
            off = position - at[part]
            squares[line[position]] = off * off + height[part]
