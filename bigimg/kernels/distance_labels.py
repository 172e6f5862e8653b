"""Labels that grow into the background, each pixel to the nearest label within a distance.

Axis by axis, as distances are: along the first axis the nearest label of each line by counting steps, along each
further one the smallest sum among the neighbours that are near enough. With the smallest sum goes its label. Where two
are equal the label at the smaller place along the axis is taken, last axis first: that is what SciPy's feature
transform comes to, and so what scikit-image does.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from bigimg.kernels.distance_loops import FAR, NEAR, push
from bigimg.kernels.planes import read_only

Labels = NDArray[Any]

MOST_PACKED = 512
"""The reach in pixels up to which squared distance and place fit into 32 bits together."""
MOST_TRIED = 6
"""The reach in pixels up to which all sums are tried; then their lower envelope costs less."""
BLOCK = 512
"""Pixels of a line that are done together: those that are near their labels need not wait for others."""


def reach(distance: float, step: float) -> int:
    """Return how many pixels of size ``step`` lie within ``distance``.

    Examples
    --------
    >>> reach(2.5, 1.0), reach(0.3, 0.1), reach(1.0, 3.0)
    (2, 2, 0)
    """
    count = int(distance / step)
    while count * step > distance:
        count -= 1
    while (count + 1) * step <= distance:
        count += 1
    return count


def expand(labels: Labels, distance: float, spacing: tuple[float, ...]) -> Labels:
    """Return ``labels`` grown by ``distance``.

    Parameters
    ----------
    labels : array of integers
        The last axes, as many as ``spacing`` has, are spatial; each plane or volume before them grows by itself.
    distance : float
        How far a label grows, in units of ``spacing``.
    spacing : tuple of float
        Size of a pixel along each axis.

    Examples
    --------
    >>> expand(np.array([[0, 1, 0, 2, 0]]), 1.0, (1.0, 1.0))
    array([[1, 1, 1, 2, 2]])
    """
    ndim = len(spacing)
    whole = all(step == 1 for step in spacing) and reach(distance, 1.0) <= MOST_PACKED
    # Only whether a label is 0 is asked: loops are compiled once for each size of integers.
    bits = labels.view(f"u{labels.dtype.itemsize}")
    result = np.empty(labels.shape, bits.dtype)
    for index in np.ndindex(labels.shape[: labels.ndim - ndim]):
        plane = np.ascontiguousarray(bits[index])
        sums, nearest = _along_first(plane, distance, spacing[0], whole=whole)
        for axis in range(1, ndim):
            turned = axis < ndim - 1
            if turned:
                sums, nearest = _turn(sums, axis), _turn(nearest, axis)
            sums, nearest = _along_rows(sums, nearest, distance, spacing[axis], whole=whole)
            if turned:
                sums, nearest = _turn(sums, axis), _turn(nearest, axis)
        result[index] = nearest
    return result.view(labels.dtype)


def _turn(pixels: NDArray[Any], axis: int) -> NDArray[Any]:
    return np.ascontiguousarray(np.swapaxes(pixels, axis, -1))


def _along_first(plane: Labels, distance: float, step: float, *, whole: bool) -> tuple[NDArray[Any], Labels]:
    """Return the squared distance to the nearest label along the first axis, and the label."""
    steps, nearest = _nearest_in_columns(read_only(plane.reshape(len(plane), -1)), reach(distance, step))
    squares = np.empty(steps.shape, np.int32 if whole else np.float64)
    _square_steps(steps, np.int32(1) if whole else step, np.int32(2**31 - 1) if whole else math.inf, squares)
    return squares.reshape(plane.shape), nearest.reshape(plane.shape)


def _along_rows(
    sums: NDArray[Any], nearest: Labels, distance: float, step: float, *, whole: bool
) -> tuple[NDArray[Any], Labels]:
    """Return the smallest sums of ``sums`` and a squared distance along the last axis, and their labels."""
    most = reach(distance, step)
    lines = sums.reshape(-1, sums.shape[-1]), nearest.reshape(-1, nearest.shape[-1])
    if whole:
        largest = int(distance * distance) + 1
        while math.sqrt(largest) > distance:
            largest -= 1
        bits = (2 * most + 1).bit_length()
        smallest: NDArray[Any]
        smallest, found = _smallest_packed(*lines, np.int32(most), np.int32(bits), np.int32(largest))
    else:
        smallest, found = (_smallest_near if most <= MOST_TRIED else _smallest_far)(*lines, most, step, distance)
    return smallest.reshape(sums.shape), found.reshape(sums.shape)


@njit(nogil=True, cache=True)
def _nearest_in_columns(labels: Labels, most: int) -> tuple[NDArray[np.int32], Labels]:
    """Return the steps to the nearest label of each column, the upper one of two, and that label; ``FAR`` and 0."""
    rows, columns = labels.shape
    most_32, one, zero = np.int32(most), np.int32(1), np.zeros(1, labels.dtype)[0]
    steps = np.empty((rows, columns), np.int32)
    nearest = np.empty((rows, columns), labels.dtype)
    for column in range(columns):
        steps[0, column] = 0 if labels[0, column] != 0 else FAR
        nearest[0, column] = labels[0, column]
    for row in range(1, rows):
        for column in range(columns):
            own = labels[row, column]
            here = own != 0
            steps[row, column] = np.int32(0) if here else np.int32(steps[row - 1, column] + one)
            nearest[row, column] = own if here else nearest[row - 1, column]
    below = steps[rows - 1].copy()
    label = nearest[rows - 1].copy()
    for row in range(rows - 1, -1, -1):
        for column in range(columns):
            count = steps[row, column]
            from_below = np.int32(0) if count == 0 else np.int32(below[column] + one)
            own = nearest[row, column]
            other = own if count == 0 else label[column]
            nearer = from_below < count
            total = from_below if nearer else count
            found = other if nearer else own
            below[column] = from_below
            label[column] = other
            steps[row, column] = total if total <= most_32 else np.int32(FAR)
            nearest[row, column] = found if total <= most_32 else zero
    return steps, nearest


@njit(nogil=True, cache=True)
def _square_steps(steps: NDArray[np.int32], step: Any, nothing: Any, out: NDArray[Any]) -> None:
    """Write the squared lengths of steps, and ``nothing`` where they are ``FAR``."""
    for row in range(steps.shape[0]):
        for column in range(steps.shape[1]):
            length = steps[row, column] * step
            out[row, column] = nothing if steps[row, column] == FAR else length * length


@njit(nogil=True, cache=True)
def _largest(values: NDArray[np.int32]) -> np.int32:
    largest = values[0]
    for value in values:
        largest = max(largest, value)
    return largest


@njit(nogil=True, cache=True)
def _take_smaller(
    best: NDArray[np.int32], left: NDArray[np.int32], right: NDArray[np.int32], more: np.int32, after: np.int32
) -> None:
    """Take the sums with neighbours on both sides where they are smaller; slices, so that it is one vector loop."""
    for x in range(best.size):
        best[x] = min(best[x], np.int32(left[x] + more), np.int32(right[x] + more + after))


@njit(nogil=True, cache=True)
def _smallest_packed(
    sums: NDArray[np.int32], nearest: Labels, most: np.int32, bits: np.int32, largest: np.int32
) -> tuple[NDArray[np.int32], Labels]:
    """Return the smallest sums of each row up to ``largest``, and their labels.

    A sum and the place it comes from are one integer, the place in the lower ``bits``: the smaller integer is the
    smaller sum, and of equal sums the one from further left.
    """
    lines, columns = sums.shape
    out_sums = np.empty((lines, columns), np.int32)
    out = np.empty((lines, columns), nearest.dtype)
    nothing = np.int32(np.iinfo(np.int32).max - (((most + 1) * (most + 1)) << bits))
    packed = np.full(columns + 2 * most, nothing, np.int32)
    best = np.empty(BLOCK, np.int32)
    mask = np.int32((1 << bits) - 1)
    for line in range(lines):
        for x in range(columns):
            here = sums[line, x]
            packed[most + x] = nothing if here > largest else np.int32(here << bits)
        for begin in range(0, columns, BLOCK):
            size = min(BLOCK, columns - begin)
            middle = begin + most
            for x in range(size):
                best[x] = np.int32(packed[middle + x] + most)
            checked = 1
            for k in range(1, most + 1):
                if k == checked:
                    if _largest(best[:size]) >> bits < k * k:
                        break
                    checked = min(2 * checked, checked + 8)
                left, right = packed[middle - k : middle - k + size], packed[middle + k : middle + k + size]
                _take_smaller(best[:size], left, right, np.int32((k * k << bits) + most - k), np.int32(2 * k))
            for x in range(size):
                total = best[x] >> bits
                if total > largest:
                    out_sums[line, begin + x] = np.iinfo(np.int32).max
                    out[line, begin + x] = 0
                else:
                    out_sums[line, begin + x] = total
                    out[line, begin + x] = nearest[line, begin + x + (best[x] & mask) - most]
    return out_sums, out


@njit(nogil=True, cache=True)
def _smallest_near(
    sums: NDArray[np.float64], nearest: Labels, most: int, step: float, distance: float
) -> tuple[NDArray[np.float64], Labels]:
    """Return the smallest sums of each row whose root is at most ``distance``, and their labels."""
    lines, columns = sums.shape
    out_sums = np.empty((lines, columns))
    out = np.empty((lines, columns), nearest.dtype)
    padded = np.full(columns + 2 * most, np.inf)
    best, place = np.empty(columns), np.empty(columns, np.int64)
    for line in range(lines):
        padded[most : most + columns] = sums[line]
        best[:] = np.inf
        place[:] = 0
        for k in range(-most, most + 1):
            length = k * step
            square = length * length
            start = np.uintp(most + k)
            for x in range(np.uintp(columns)):
                total = padded[start + x] + square
                nearer = total < best[x]
                best[x] = total if nearer else best[x]
                place[x] = k if nearer else place[x]
        for x in range(columns):
            within = np.sqrt(best[x]) <= distance
            out_sums[line, x] = best[x] if within else np.inf
            out[line, x] = nearest[line, x + place[x]] if within else 0
    return out_sums, out


@njit(nogil=True, cache=True)
def _smallest_far(
    sums: NDArray[np.float64],
    nearest: Labels,
    most: int,  # noqa: ARG001 - the distance says it
    step: float,
    distance: float,
) -> tuple[NDArray[np.float64], Labels]:
    """Return the same as :func:`_smallest_near` by the lower envelope of each row."""
    lines, columns = sums.shape
    weight = step * step
    out_sums = np.empty((lines, columns))
    out = np.empty((lines, columns), nearest.dtype)
    place = np.empty(columns, np.int64)
    height, cross, start = np.empty(columns), np.empty(columns), np.empty(columns)
    for line in range(lines):
        size = 0
        for x in range(columns):
            if np.sqrt(sums[line, x]) <= distance:
                size = push(place, height, cross, start, size, x, sums[line, x], weight)
        first = 0
        for x in range(columns):
            while first + 1 < size and start[first + 1] <= x - NEAR:
                first += 1
            best, at = np.inf, 0
            other = first
            while other < size and (other == first or start[other] <= x + NEAR):
                length = (x - place[other]) * step
                total = height[other] + length * length
                if total < best:
                    best, at = total, place[other]
                other += 1
            within = np.sqrt(best) <= distance
            out_sums[line, x] = best if within else np.inf
            out[line, x] = nearest[line, at] if within else 0
    return out_sums, out
