"""The shape of whole objects: how thick and how wide they are, and how long their outline is."""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from bigimg.kernels.object_pixels import Columns, ObjectPixels
from bigimg.kernels.object_places import keys_of, neighbours, squared_distances

Index = NDArray[np.int64]
Floats = NDArray[np.float64]

_STRAIGHT = (5, 7, 15, 17, 25, 27)
_DIAGONAL = (21, 33)
_BETWEEN = (13, 23)


def radii(pixels: ObjectPixels, *, volume: bool) -> Columns:
    """Return the largest, the mean and the median distance of each object's pixels to its edge."""
    found = np.empty((3, len(pixels.label)))
    _radii(pixels.offset, pixels.place, pixels.image_shape, volume, found)
    return {"label": pixels.label, **dict(zip(("radius_max", "radius_mean", "radius_median"), found))}


def outlines(pixels: ObjectPixels) -> Columns:
    """Return Feret diameters, form factor and compactness of each object of a plane."""
    found = np.empty((2, len(pixels.label)))
    steps = np.empty((3, len(pixels.label)), np.int64)
    _outlines(pixels.offset, pixels.place, found, steps)
    area = np.diff(pixels.offset).astype(np.float64)
    perimeter = steps[0] + steps[1] * math.sqrt(2) + steps[2] * ((1 + math.sqrt(2)) / 2)
    with np.errstate(divide="ignore"):
        form = 4 * math.pi * area / (perimeter * perimeter)
    compact = perimeter * perimeter / (4 * math.pi * area)
    return {"feret_centers_min": found[0], "feret_centers_max": found[1], "form_factor": form, "compactness": compact}


@njit(nogil=True, cache=True)
def _radii(offset: Index, place: Index, shape: tuple[int, int, int], volume: bool, found: Floats) -> None:
    for k in range(offset.size - 1):
        own = place[:, offset[k] : offset[k + 1]]
        squares = np.sort(squared_distances(own, shape, volume, True))
        total = 0.0
        for square in squares:
            total += math.sqrt(square)
        half = squares.size // 2
        middle = math.sqrt(squares[half])
        found[0, k] = math.sqrt(squares[-1])
        found[1, k] = total / squares.size
        found[2, k] = middle if squares.size % 2 else (math.sqrt(squares[half - 1]) + middle) / 2


@njit(nogil=True, cache=True)
def _outlines(offset: Index, place: Index, found: Floats, steps: Index) -> None:
    for k in range(offset.size - 1):
        own = place[:, offset[k] : offset[k + 1]]
        steps[:, k] = _perimeter(own)
        hull = _hull(own)
        found[0, k], found[1, k] = _widths(hull)


@njit(nogil=True, cache=True)
def _perimeter(place: Index) -> Index:
    """Return how many boundary pixels add a step of 1, of the square root of 2, and the mean of both.

    By the neighbours of each on the boundary (K. Benkrid and D. Crookes, 2000), as scikit-image's perimeter.
    """
    keys, row, _ = keys_of(place)
    near = np.empty((8, keys.size), np.int64)
    for way, step in enumerate((1, -1, row, -row, row + 1, row - 1, -row + 1, -row - 1)):
        neighbours(keys, step, near[way])
    edge = np.zeros(keys.size, np.bool_)
    for i in range(keys.size):
        edge[i] = min(near[0, i], near[1, i], near[2, i], near[3, i]) < 0
    steps = np.zeros(3, np.int64)
    for i in range(keys.size):
        if edge[i]:
            code = 1
            for way in range(8):
                if near[way, i] >= 0 and edge[near[way, i]]:
                    code += 2 if way < 4 else 10
            if code in _STRAIGHT:
                steps[0] += 1
            elif code in _DIAGONAL:
                steps[1] += 1
            elif code in _BETWEEN:
                steps[2] += 1
    return steps


@njit(nogil=True, cache=True)
def _hull(place: Index) -> Index:
    """Return the corners of the convex hull of the centres of the pixels, (2, corners) (A. M. Andrew, 1979)."""
    size = place.shape[1]
    hull = np.empty((2, 2 * size + 2), np.int64)
    count = 0
    for side in range(2):
        least = count + 1
        for number in range(size):
            i = number if side == 0 else size - 1 - number
            y, x = place[1, i], place[2, i]
            while count > least:
                turn = (hull[0, count - 1] - hull[0, count - 2]) * (x - hull[1, count - 2]) - (
                    hull[1, count - 1] - hull[1, count - 2]
                ) * (y - hull[0, count - 2])
                if turn > 0:
                    break
                count -= 1
            hull[0, count], hull[1, count] = y, x
            count += 1
        count -= 1  # the last corner of a side is the first of the other
    return hull[:, : max(count, 1)].copy()


@njit(nogil=True, cache=True)
def _widths(hull: Index) -> tuple[float, float]:
    """Return the least distance of two parallel lines that hold the corners between them, and of corners the most."""
    size = hull.shape[1]
    most = 0
    for i in range(size):
        for j in range(i):
            most = max(most, (hull[0, i] - hull[0, j]) ** 2 + (hull[1, i] - hull[1, j]) ** 2)
    if size < 3:
        return 0.0, math.sqrt(most)
    least = math.inf
    for i in range(size):
        j = (i + 1) % size
        dy, dx = hull[0, j] - hull[0, i], hull[1, j] - hull[1, i]
        far = 0
        for other in range(size):
            far = max(far, abs(dy * (hull[1, other] - hull[1, i]) - dx * (hull[0, other] - hull[0, i])))
        least = min(least, far / math.sqrt(dy * dy + dx * dx))
    return least, math.sqrt(most)
