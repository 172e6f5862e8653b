"""Compiled loops over polygons as bytes: :mod:`bigimg.core.well_known_binary` imports them when it has any."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from bigimg.core.well_known_binary import MULTIPOLYGON, POLYGON

Integers = NDArray[np.int64]
Bytes = NDArray[np.uint8]


@njit(nogil=True, cache=True)
def _number(buffer: Bytes, at: int, value: int) -> int:
    for byte in range(4):
        buffer[at + byte] = (value >> (8 * byte)) & 255
    return at + 4


@njit(nogil=True, cache=True)
def write(buffer: Bytes, points: Bytes, ends: Integers, rings: Integers, parts: Integers) -> None:
    """Fill ``buffer`` with geometries; see :func:`bigimg.core.well_known_binary.encode`."""
    at, part, ring = 0, 0, 0
    for geometry in range(parts.size):
        if parts[geometry] > 1:
            buffer[at] = 1
            at = _number(buffer, at + 1, MULTIPOLYGON)
            at = _number(buffer, at, parts[geometry])
        for _ in range(parts[geometry]):
            buffer[at] = 1
            at = _number(buffer, at + 1, POLYGON)
            at = _number(buffer, at, rings[part])
            for _ in range(rings[part]):
                at = _number(buffer, at, ends[ring + 1] - ends[ring] + 1)
                for point in range(ends[ring], ends[ring + 1] + 1):
                    source = point if point < ends[ring + 1] else ends[ring]
                    for byte in range(16):
                        buffer[at + byte] = points[source, byte]
                    at += 16
                ring += 1
            part += 1


@njit(nogil=True, cache=True)
def _count(buffer: Bytes, at: int) -> int:
    return np.int64(buffer[at]) | buffer[at + 1] << 8 | buffer[at + 2] << 16 | np.int64(buffer[at + 3]) << 24


@njit(nogil=True, cache=True)
def bound(buffer: Bytes, stops: Integers, found: NDArray[np.float64]) -> int:
    """Fill ``found``; return the first geometry that is none, or -1."""
    eight = np.empty(8, np.uint8)
    number = eight.view(np.float64)
    for geometry in range(stops.size):
        at = stops[geometry - 1] if geometry else 0
        stop = stops[geometry]
        found[geometry, :2], found[geometry, 2:] = np.inf, -np.inf
        polygons = 1
        if at + 9 <= stop and buffer[at] == 1 and _count(buffer, at + 1) == MULTIPOLYGON:
            polygons = _count(buffer, at + 5)
            at += 9
        for _ in range(polygons):
            at = _bound_polygon(buffer, at, stop, eight, number, found[geometry])
            if at < 0:
                return geometry
        if at != stop:
            return geometry
    return -1


@njit(nogil=True, cache=True)
def _bound_polygon(
    buffer: Bytes, at: int, stop: int, eight: Bytes, number: NDArray[np.float64], box: NDArray[np.float64]
) -> int:
    """Widen the box by a polygon; return where it ends, or -1 where there is none."""
    if at + 9 > stop or buffer[at] != 1 or _count(buffer, at + 1) != POLYGON:
        return -1
    rings = _count(buffer, at + 5)
    at += 9
    for _ in range(rings):
        if at + 4 > stop:
            return -1
        points = _count(buffer, at)
        at += 4
        if at + 16 * points > stop:
            return -1
        for each in range(2 * points):
            for byte in range(8):
                eight[byte] = buffer[at + byte]
            axis = each & 1
            box[axis] = min(box[axis], number[0])
            box[2 + axis] = max(box[2 + axis], number[0])
            at += 8
    return at
