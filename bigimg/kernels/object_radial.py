"""How the intensity of an object is spread from its centre to its edge.

The centre is the pixel farthest from the edge. Rings lie between it and the edge: a pixel's place is its distance from
the centre, along paths within the object, as a share of that and of its distance to the edge::

    . 1 1 1 1 1 .
    1 1 3 3 3 1 1        rings 1 to 4 of an object in two dimensions,
    1 3 4 4 4 3 1        counted here from its edge
    1 1 3 3 3 1 1
    . 1 1 1 1 1 .
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from bigimg.kernels.object_pixels import Columns, ObjectPixels
from bigimg.kernels.object_places import keys_of, neighbours, squared_distances

Index = NDArray[np.int64]
Floats = NDArray[np.float64]

_WEDGES = 8
_TINY = 0.001
"""What keeps the share of a pixel at the edge below 1, as CellProfiler has it."""
_DIAGONAL = math.sqrt(2.0)


def radial_distribution(pixels: ObjectPixels, bins: int, maximum_radius: float | None) -> Columns:
    """Return fraction, mean fraction and variation of each ring of each object of a plane.

    Parameters
    ----------
    pixels : ObjectPixels
        Of two dimensions.
    bins : int
        Number of rings.
    maximum_radius : float, optional
        Distance from the centre, in pixels, at which the last ring ends; what lies beyond is one more ring. By default
        rings divide the way from the centre to the edge.

    Returns
    -------
    dict of str to array
        ``label``, and ``fraction``, ``mean_fraction`` and ``cv`` of shape (objects, channels, rings).
    """
    rings = bins + 1
    shape = (len(pixels.label), len(pixels.values), rings)
    out = tuple(np.empty(shape) for _ in range(3))
    values = pixels.values.astype(np.float64)
    reach = 0.0 if maximum_radius is None else float(maximum_radius)
    _measure(pixels.offset, pixels.place, values, pixels.image_shape, bins, reach, *out)
    kept = slice(None, bins if maximum_radius is None else rings)
    names = ("fraction", "mean_fraction", "cv")
    return {"label": pixels.label, **{name: part[..., kept] for name, part in zip(names, out)}}


@njit(nogil=True, cache=True)
def _measure(
    offset: Index,
    place: Index,
    values: Floats,
    shape: tuple[int, int, int],
    bins: int,
    reach: float,
    fraction: Floats,
    mean_fraction: Floats,
    cv: Floats,
) -> None:
    for k in range(offset.size - 1):
        if offset[k] == offset[k + 1]:
            fraction[k], mean_fraction[k], cv[k] = np.nan, np.nan, 0.0
            continue
        own = place[:, offset[k] : offset[k + 1]]
        squares = squared_distances(own, shape, False, False)
        centre = int(np.argmax(squares))
        from_centre = _distances_within(own, centre)
        ring = np.empty(squares.size, np.int64)
        wedge = np.empty(squares.size, np.int64)
        for i in range(squares.size):
            far = from_centre[i]
            if far < 0:
                ring[i] = -1  # not connected with the centre
                continue
            share = far / reach if reach > 0 else far / (far + math.sqrt(squares[i]) + _TINY)
            ring[i] = bins if share >= 1.0 else np.int64(share * bins)
            down, right = own[1, i] - own[1, centre], own[2, i] - own[2, centre]
            wedge[i] = (down > 0) + 2 * (right > 0) + 4 * (abs(down) > abs(right))
        for channel in range(values.shape[0]):
            _rings(
                values[channel, offset[k] : offset[k + 1]],
                ring,
                wedge,
                fraction[k, channel],
                mean_fraction[k, channel],
                cv[k, channel],
            )


@njit(nogil=True, cache=True)
def _rings(values: Floats, ring: Index, wedge: Index, fraction: Floats, mean_fraction: Floats, cv: Floats) -> None:
    sums = np.zeros((fraction.size, _WEDGES))
    whole = np.zeros(fraction.size)
    counts = np.zeros((fraction.size, _WEDGES))
    for i in range(values.size):
        if ring[i] >= 0:
            sums[ring[i], wedge[i]] += values[i]
            whole[ring[i]] += values[i]
            counts[ring[i], wedge[i]] += 1.0
    total, pixels = 0.0, 0.0
    for r in range(fraction.size):
        total += whole[r]
        pixels += counts[r].sum()
    for r in range(fraction.size):
        fraction[r] = whole[r] / total if total != 0 else np.nan
        mean_fraction[r] = fraction[r] / (counts[r].sum() / pixels + np.finfo(np.float64).eps)
        cv[r] = _variation(sums[r], counts[r])


@njit(nogil=True, cache=True)
def _variation(sums: Floats, counts: Floats) -> float:
    """Return standard deviation by mean of the means of the wedges that have pixels; 0 where none has."""
    mean, known = 0.0, 0
    for w in range(sums.size):
        if counts[w] > 0:
            mean += sums[w] / counts[w]
            known += 1
    if known == 0:
        return 0.0
    mean /= known
    if mean == 0:
        return np.nan
    square = 0.0
    for w in range(sums.size):
        if counts[w] > 0:
            square += (sums[w] / counts[w] - mean) ** 2
    return math.sqrt(square / known) / mean


@njit(nogil=True, cache=True)
def _distances_within(place: Index, centre: int) -> Floats:
    """Return the length of the shortest path to ``centre``, by steps of 1 and sqrt(2); -1 where there is none.

    No step is shorter than 1, so that pixels whose distances have the same whole part cannot shorten each other's: they
    are taken in any order (R. Dial, 1969). Steps of both kinds are counted, and a length rounded but twice.
    """
    keys, row, _ = keys_of(place)
    size = keys.size
    near = np.empty((8, size), np.int64)
    for way, step in enumerate((1, -1, row, -row, row + 1, row - 1, -row + 1, -row - 1)):
        neighbours(keys, step, near[way])
    straight = np.zeros(size, np.int64)
    diagonal = np.zeros(size, np.int64)
    length = np.full(size, np.inf)
    queued = np.full(size, -1, np.int64)
    done = np.zeros(size, np.bool_)
    lists = np.empty((3, size), np.int64)
    filled = np.zeros(3, np.int64)
    length[centre], lists[0, 0], filled[0] = 0.0, centre, 1
    whole = 0
    while filled.sum():
        here = whole % 3
        for entry in range(filled[here]):
            i = lists[here, entry]
            if done[i] or np.int64(length[i]) != whole:
                continue
            done[i] = True
            for way in range(8):
                j = near[way, i]
                if j < 0 or done[j]:
                    continue
                a = straight[i] + (way < 4)
                b = diagonal[i] + (way >= 4)
                other = a + b * _DIAGONAL
                if other < length[j]:
                    straight[j], diagonal[j], length[j] = a, b, other
                    if queued[j] != np.int64(other):
                        queued[j] = np.int64(other)
                        to = queued[j] % 3
                        lists[to, filled[to]] = j
                        filled[to] += 1
        filled[here] = 0
        whole += 1
    for i in range(size):
        if not done[i]:
            length[i] = -1.0
    return length
