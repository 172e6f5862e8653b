"""Polygons as bytes: the well-known binary (WKB) of OGC simple features, which GeoParquet and GIS libraries read."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bigimg.errors import ReadError

Integers = NDArray[np.int64]

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
    from bigimg.core import well_known_loops  # noqa: PLC0415 - loads numba, which reading a table does not need

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
    well_known_loops.write(buffer, coordinates, ends, rings, parts)
    view = buffer.tobytes()
    return [view[start:stop] for start, stop in zip([0, *stops[:-1].tolist()], stops.tolist())]


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
    from bigimg.core import well_known_loops  # noqa: PLC0415 - as above

    found = np.empty((len(geometries), 4))
    if geometries:
        stops = np.cumsum([len(each) for each in geometries])
        wrong = well_known_loops.bound(np.frombuffer(b"".join(geometries), np.uint8), stops, found)
        if wrong >= 0:
            decode(geometries[wrong])  # says what is wrong
            raise ReadError(f"geometry {wrong} is cut short, or longer than its rings")
    return found
