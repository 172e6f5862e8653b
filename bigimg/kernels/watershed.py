"""Watershed from markers, as scikit-image floods: label for label, also where pixels are equal.

Pixels leave a heap in the order of their values; of equal ones the first that came. All marker pixels count as the
first, and among equal ones of these the layout of the heap decides, so this is the very heap of scikit-image 0.26,
only in less memory: an entry is two words side by side, the value, and the age with the place.

Objects that do not touch are flooded each with a heap of its own. That is what makes an object the same wherever it is
cut from; scikit-image has one heap for all, in which one object can turn a tie in another.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from bigimg.kernels.padded import Indices, offsets, padded, unpadded
from bigimg.kernels.reconstruction import Keys

_AGE = np.uint64(1 << 32)
_PLACE = np.uint64((1 << 32) - 1)
_SHIFT = np.uint64(32)


def flood(keys: Keys, markers: NDArray[Any], objects: NDArray[np.int32], count: int, connectivity: int) -> NDArray[Any]:
    """Return the labels of each pixel of some objects, flooded from the markers inside them.

    Parameters
    ----------
    keys : (M, N) or (P, M, N) array of unsigned integers
        The image, see :mod:`bigimg.kernels.sort_keys`.
    markers : integer array of the same shape
        0 where there is no marker.
    objects : int32 array of the same shape
        1 to ``count`` for the pixels of each object, no two of which touch; 0 elsewhere, where the labels are 0 too.
    count : int
        How many objects there are.
    connectivity : int
        How many axes a step between neighbours may change.

    Examples
    --------
    >>> keys = np.array([[1, 2, 9, 2, 1, 0]], np.uint8)
    >>> markers = np.array([[1, 0, 0, 0, 2, 0]])
    >>> flood(keys, markers, np.ones((1, 6), np.int32), 1, connectivity=1)
    array([[1, 1, 1, 2, 2, 2]])
    """
    labels = padded(np.where(objects > 0, markers, 0).astype(markers.dtype))
    owner = padded(objects)
    seeds = np.flatnonzero(labels)
    order = np.argsort(owner[seeds], kind="stable")
    free = (owner > 0) & (labels == 0)
    start = np.searchsorted(owner[seeds[order]], np.arange(1, count + 2))
    _flood_all(padded(keys), free, labels, offsets(keys.shape, connectivity), seeds[order], start)
    return np.ascontiguousarray(unpadded(labels, keys.shape))


def flood_runs(
    keys: Keys,
    labels: NDArray[Any],
    starts: Indices,
    places: Indices,
    lengths: Indices,
    objects: Indices,
    shape: tuple[int, ...],
    connectivity: int,
) -> None:
    """Flood objects that are given as runs of pixels, in place of their markers in ``labels``.

    Parameters
    ----------
    keys : (K,) array of unsigned integers
        The pixels of all runs.
    labels : (K,) integer array
        Their markers, 0 where there is none.
    starts, places, lengths : (R,) int64 arrays
        Where each run is in ``keys``, where it goes in a padded canvas of ``shape``, and how long it is; the runs of an
        object after each other, in raster order, and no two objects touch in the canvas.
    objects : (N + 1,) int64 array
        The first run of each object, and the number of runs.
    shape : tuple of int
        Of the canvas without its border.
    connectivity : int
        How many axes a step between neighbours may change.

    Examples
    --------
    >>> labels = np.array([0, 7, 8, 0])
    >>> runs = np.array([0, 2]), np.array([6, 9]), np.array([2, 2])
    >>> flood_runs(np.array([3, 1, 2, 2], np.uint8), labels, *runs, np.array([0, 1, 2]), (1, 5), 1)
    >>> labels
    array([7, 7, 8, 8])
    """
    size = int(np.prod([side + 2 for side in shape]))
    canvas, free, flooded = np.zeros(size, keys.dtype), np.zeros(size, np.bool_), np.zeros(size, labels.dtype)
    seeds, start = _paste(keys, labels, starts, places, lengths, objects, canvas, free, flooded)
    _flood_all(canvas, free, flooded, offsets(shape, connectivity), seeds, start)
    _lift(flooded, starts, places, lengths, labels)


@njit(nogil=True, cache=True)
def _paste(
    keys: Keys,
    labels: NDArray[Any],
    starts: Indices,
    places: Indices,
    lengths: Indices,
    objects: Indices,
    canvas: Keys,
    free: NDArray[np.bool_],
    flooded: NDArray[Any],
) -> tuple[Indices, Indices]:
    """Return the places of the markers, and the first of each object."""
    count = 0
    for run in range(starts.size):
        for offset in range(lengths[run]):
            count += labels[starts[run] + offset] != 0
    seeds = np.empty(count, np.int64)
    first = np.empty(objects.size, np.int64)
    count = 0
    for number in range(objects.size - 1):
        first[number] = count
        for run in range(objects[number], objects[number + 1]):
            for offset in range(lengths[run]):
                source, place = starts[run] + offset, places[run] + offset
                canvas[place] = keys[source]
                label = labels[source]
                flooded[place] = label
                free[place] = label == 0
                if label != 0:
                    seeds[count] = place
                    count += 1
    first[objects.size - 1] = count
    return seeds, first


@njit(nogil=True, cache=True)
def _lift(flooded: NDArray[Any], starts: Indices, places: Indices, lengths: Indices, labels: NDArray[Any]) -> None:
    for run in range(starts.size):
        for offset in range(lengths[run]):
            labels[starts[run] + offset] = flooded[places[run] + offset]


@njit(nogil=True, cache=True)
def _flood_all(
    keys: Keys, free: NDArray[np.bool_], labels: NDArray[Any], steps: Indices, seeds: Indices, start: Indices
) -> None:
    heap = np.empty((1024, 2), np.uint64)
    for number in range(start.size - 1):
        if start[number] < start[number + 1]:
            heap = _flood(keys, free, labels, steps, seeds[start[number] : start[number + 1]], heap)


@njit(nogil=True, cache=True)
def _push(heap: NDArray[np.uint64], count: int, key: np.uint64, entry: np.uint64) -> None:
    """Add what is no older than anything in the heap."""
    child = count
    while child > 0:
        parent = (child - 1) >> 1
        if key >= heap[parent, 0]:
            break
        heap[child, 0], heap[child, 1] = heap[parent, 0], heap[parent, 1]
        child = parent
    heap[child, 0], heap[child, 1] = key, entry


@njit(nogil=True, cache=True)
def _sink(heap: NDArray[np.uint64], count: int) -> None:
    """Put the entry behind the last in the place of the first: down the least children, then up to where it stops.

    It ends where it would by sinking step by step, as scikit-image does it, with half the comparisons.
    """
    key, entry = heap[count, 0], heap[count, 1]
    place, child = 0, 1
    while child < count:
        if child + 1 < count:
            left, right = heap[child, 0], heap[child + 1, 0]
            # Both tests in one line: the processor then guesses the way down, and does not wait for each entry.
            if right < left or (right == left and (heap[child + 1, 1] >> _SHIFT) < (heap[child, 1] >> _SHIFT)):
                child += 1
        heap[place, 0], heap[place, 1] = heap[child, 0], heap[child, 1]
        place = child
        child = 2 * place + 1
    age = entry >> _SHIFT
    while place > 0:
        parent = (place - 1) >> 1
        above = heap[parent, 0]
        if above < key or (above == key and (heap[parent, 1] >> _SHIFT) < age):
            break
        heap[place, 0], heap[place, 1] = above, heap[parent, 1]
        place = parent
    heap[place, 0], heap[place, 1] = key, entry


@njit(nogil=True, cache=True)
def _flood(
    keys: Keys,
    free: NDArray[np.bool_],
    labels: NDArray[Any],
    steps: Indices,
    seeds: Indices,
    heap: NDArray[np.uint64],
) -> NDArray[np.uint64]:
    """Flood one object from its seeds, in raster order; return the heap, which may have grown."""
    if heap.shape[0] < seeds.size + 1:
        heap = np.empty((2 * seeds.size, 2), np.uint64)
    count = 0
    for seed in seeds:
        _push(heap, count, np.uint64(keys[seed]), np.uint64(seed))
        count += 1
    age = np.uint64(0)
    while count > 0:
        level = heap[0, 0]
        place = np.int64(heap[0, 1] & _PLACE)
        count -= 1
        _sink(heap, count)
        for step in steps:
            near = place + step
            if not free[near]:
                continue
            free[near] = False
            labels[near] = labels[place]
            age += _AGE
            if count == heap.shape[0]:
                more = np.empty((2 * count, 2), np.uint64)
                more[:count] = heap
                heap = more
            _push(heap, count, max(np.uint64(keys[near]), level), age | np.uint64(near))
            count += 1
    return heap
