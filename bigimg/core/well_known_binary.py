"""Polygons as bytes: the well-known binary (WKB) of OGC simple features, which GeoParquet and GIS libraries read."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from bigimg.errors import ReadError

Integers = NDArray[np.int64]
Bytes = NDArray[np.uint8]

POLYGON, MULTIPOLYGON = 3, 6
NAMES = {POLYGON: "Polygon", MULTIPOLYGON: "MultiPolygon"}


def encode(points: NDArray[np.float64], ends: Integers, part: Integers, label: Integers) -> list[bytes]:
    """Return one geometry for each run of equal labels: a polygon, or several where it has more than one part.

    Parameters
    ----------
    points : (K, 2) array
        x and y of the points of all rings, the first of each ring not repeated.
    ends : (R + 1,) array
        Ring ``i`` has the points ``ends[i]`` to ``ends[i + 1]``.
    part, label : (R,) arrays
        Rings of a part follow one another, its outline first; parts of a label do.

    Examples
    --------
    >>> square = np.array([[0.0, 0], [1, 0], [1, 1], [0, 1]])
    >>> encode(square, np.array([0, 4]), np.array([0]), np.array([5]))[0][:9].hex(" ")
    '01 03 00 00 00 01 00 00 00'
    """
    if not len(label):
        return []
    new_label = np.flatnonzero(np.diff(label, prepend=label[0] - 1))
    new_part = np.flatnonzero((np.diff(part, prepend=part[0] - 1) != 0) | (np.diff(label, prepend=label[0]) != 0))
    rings = np.diff(np.append(new_part, len(label)))
    first_part = np.searchsorted(new_part, new_label)
    parts = np.diff(np.append(first_part, len(new_part)))
    sizes = 16 * (np.diff(ends) + 1) + 4
    ring_bytes = np.add.reduceat(sizes, new_label)
    stops = np.cumsum(ring_bytes + 9 * (parts + (parts > 1)))
    buffer = np.zeros(int(stops[-1]), np.uint8)
    coordinates = np.ascontiguousarray(points, "<f8").view(np.uint8).reshape(len(points), 16)
    _write(buffer, coordinates, ends, rings, parts)
    view = buffer.tobytes()
    return [view[start:stop] for start, stop in zip([0, *stops[:-1].tolist()], stops.tolist())]


@njit(nogil=True, cache=True)
def _number(buffer: Bytes, at: int, value: int) -> int:
    for byte in range(4):
        buffer[at + byte] = (value >> (8 * byte)) & 255
    return at + 4


@njit(nogil=True, cache=True)
def _write(buffer: Bytes, points: Bytes, ends: Integers, rings: Integers, parts: Integers) -> None:
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


def decode(geometry: bytes) -> tuple[str, list[list[NDArray[np.float64]]]]:
    """Return the name of a geometry and its parts, each a list of closed rings of x and y.

    Raises
    ------
    ReadError
        If it is no polygon and no multipolygon, of two dimensions, in bytes of little endian.
    """
    try:
        kind, count = _head(geometry, 0)
        if kind == POLYGON:
            parts = [_rings(geometry, 9, count)[0]]
        else:
            parts, at = [], 9
            for _ in range(count):
                inner, rings = _head(geometry, at)
                if inner != POLYGON:
                    raise ReadError(f"a multipolygon holds polygons (got a geometry of type {inner})")
                polygon, at = _rings(geometry, at + 9, rings)
                parts.append(polygon)
    except (struct.error, ValueError) as error:
        raise ReadError(f"the geometry is cut short: {error}") from error
    return NAMES[kind], parts


def _head(geometry: bytes, at: int) -> tuple[int, int]:
    order, kind, count = struct.unpack_from("<BII", geometry, at)
    if order != 1 or kind not in NAMES:
        raise ReadError(f"a polygon or multipolygon of little endian is expected (got byte order {order}, type {kind})")
    return kind, count


def _rings(geometry: bytes, at: int, count: int) -> tuple[list[NDArray[Any]], int]:
    rings = []
    for _ in range(count):
        (points,) = struct.unpack_from("<I", geometry, at)
        rings.append(np.frombuffer(geometry, "<f8", 2 * points, at + 4).reshape(points, 2))
        at += 4 + 16 * points
    return rings, at


def bounds(geometries: list[bytes]) -> NDArray[np.float64]:
    """Return the least and the largest x and y of each geometry: xmin, ymin, xmax, ymax.

    Raises
    ------
    ReadError
        If one is no polygon and no multipolygon as :func:`encode` writes them.
    """
    found = np.empty((len(geometries), 4))
    if geometries:
        stops = np.cumsum([len(each) for each in geometries])
        wrong = _bound(np.frombuffer(b"".join(geometries), np.uint8), stops, found)
        if wrong >= 0:
            decode(geometries[wrong])  # says what is wrong
            raise ReadError(f"geometry {wrong} is cut short, or longer than its rings")
    return found


@njit(nogil=True, cache=True)
def _count(buffer: Bytes, at: int) -> int:
    return np.int64(buffer[at]) | buffer[at + 1] << 8 | buffer[at + 2] << 16 | np.int64(buffer[at + 3]) << 24


@njit(nogil=True, cache=True)
def _bound(buffer: Bytes, stops: Integers, found: NDArray[np.float64]) -> int:
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
