"""Which objects lie near each other: within a distance of pixels, and closest by their centres."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from bigimg.kernels.object_pixels import Columns

Index = NDArray[np.int64]
Floats = NDArray[np.float64]

_ASKED = 8
"""How many centres are looked at around each at first; only where more are equally far, all of them."""


def ball(ndim: int, distance: int) -> tuple[Index, NDArray[np.bool_]]:
    """Return steps to the pixels within ``distance + 0.5``, (steps, 3), nearest first, and which are within distance.

    Examples
    --------
    >>> ball(2, 1)[0][:, 1:].tolist()
    [[-1, 0], [0, -1], [0, 1], [1, 0], [-1, -1], [-1, 1], [1, -1], [1, 1]]
    """
    reach = range(-distance, distance + 1)
    steps = np.array([(0,) * (3 - ndim) + step for step in product(reach, repeat=ndim)], np.int64)
    square = (steps**2).sum(axis=1)
    kept = np.flatnonzero((square > 0) & (square <= (distance + 0.5) ** 2))
    kept = kept[np.argsort(square[kept], kind="stable")]
    return steps[kept], square[kept] <= distance**2


def meetings(
    numbers: NDArray[np.int32],
    own: tuple[slice, ...],
    origin: Index,
    shape: Index,
    ndim: int,
    distance: int,
    count: int,
) -> tuple[Index, Index, Index]:
    """Return which objects lie within ``distance`` of each other, and how much of their outlines touches others.

    Parameters
    ----------
    numbers : (planes, rows, columns) array
        The number of each pixel's object, from 0; negative for the background.
    own : tuple of slice
        The pixels whose objects are looked at; the others are only seen.
    origin : (3,) array
        Image coordinates of the first pixel of ``numbers``.
    shape : (3,) array
        Planes, rows and columns of the image.
    ndim : int
        Whether planes count.
    distance : int
        How far is near.
    count : int
        How many objects there are.

    Returns
    -------
    pairs : (2, N) array
        Objects and what is near them, each pair once for each order.
    outline, touching : (count,) arrays
        Pixels of each object that have one of another or of none beside or diagonally to them, or lie at the border of
        the image; and those of them within ``distance + 0.5`` of another object.
    """
    steps, within = ball(ndim, distance)
    around = np.array([(0,) * (3 - ndim) + s for s in product((-1, 0, 1), repeat=ndim) if any(s)], np.int64)
    box = np.array([(side.start, side.stop) for side in own], np.int64)
    outline, touching = np.zeros((2, count), np.int64)
    where = np.stack([origin, shape])
    met = np.sort(_meetings(numbers, box, where, around, steps, within, outline, touching))
    return np.stack([met // max(count, 1), met % max(count, 1)]), outline, touching


@njit(nogil=True, cache=True)
def _meetings(
    numbers: NDArray[np.int32],
    own: Index,
    where: Index,
    around: Index,
    steps: Index,
    within: NDArray[np.bool_],
    outline: Index,
    touching: Index,
) -> Index:
    planes, rows, columns = numbers.shape
    pairs = np.empty(512, np.int64)
    slots = np.full(1024, -1, np.int64)
    count = 0
    flat = numbers.ravel()
    reach = (steps[:, 0] * rows + steps[:, 1]) * columns + steps[:, 2]
    most = np.zeros(3, np.int64)
    for axis in range(3):
        if steps.size:
            most[axis] = steps[:, axis].max()
    for z in range(own[0, 0], own[0, 1]):
        for y in range(own[1, 0], own[1, 1]):
            for x in range(own[2, 0], own[2, 1]):
                number = numbers[z, y, x]
                if number < 0 or not _on_outline(numbers, z, y, x, where, around):
                    continue
                outline[number] += 1
                touched = False
                at = (z * rows + y) * columns + x
                inside = (
                    (most[0] <= z < planes - most[0])
                    and (most[1] <= y < rows - most[1])
                    and (most[2] <= x < columns - most[2])
                )
                last = number
                for i in range(len(steps)):
                    if not inside:
                        zz, yy, xx = z + steps[i, 0], y + steps[i, 1], x + steps[i, 2]
                        if not (0 <= zz < planes and 0 <= yy < rows and 0 <= xx < columns):
                            continue
                    other = flat[at + reach[i]]
                    if other < 0 or other == number:
                        continue
                    touched = True
                    if within[i] and other != last:
                        last = other
                        pair = np.int64(number) * outline.size + other
                        slot = _slot(pair, pairs, slots)
                        if slots[slot] >= 0:
                            continue
                        if count == pairs.size:
                            pairs = np.concatenate((pairs, np.empty_like(pairs)))
                            slots = np.full(2 * slots.size, -1, np.int64)
                            for known in range(count):
                                slots[_slot(pairs[known], pairs, slots)] = known
                            slot = _slot(pair, pairs, slots)
                        slots[slot] = count
                        pairs[count] = pair
                        count += 1
                touching[number] += touched
    return pairs[:count].copy()


@njit(nogil=True, cache=True)
def _slot(pair: Any, pairs: Index, slots: Index) -> Any:
    """Return where ``pair`` is in a table of open addresses, or the free place where it belongs."""
    mixed = np.uint64(pair) * np.uint64(11400714819323198485)  # D. E. Knuth's golden ratio
    slot = np.int64(mixed >> np.uint64(32)) & (slots.size - 1)
    while slots[slot] >= 0 and pairs[slots[slot]] != pair:
        slot = (slot + 1) & (slots.size - 1)
    return slot


@njit(nogil=True, cache=True)
def _on_outline(numbers: NDArray[np.int32], z: int, y: int, x: int, where: Index, around: Index) -> bool:
    number = numbers[z, y, x]
    for i in range(len(around)):
        zz, yy, xx = z + around[i, 0], y + around[i, 1], x + around[i, 2]
        for axis, place in enumerate((zz, yy, xx)):
            in_image = place + where[0, axis]
            if in_image < 0 or in_image >= where[1, axis]:
                return True
        if numbers[zz, yy, xx] != number:
            return True
    return False


def closest(label: Index, centre: Floats) -> Columns:
    """Return the labels of the first and second closest centres, how far these are, and the angle between them.

    Parameters
    ----------
    label : (K,) array
        Sorted.
    centre : (K, ndim) array
        Where each object is. Of objects that are equally far the one of the lower label is closer.

    Returns
    -------
    dict of str to (K,) array
        ``first_label``, ``first_distance``, ``second_label``, ``second_distance`` and ``angle`` in degrees. Where there
        is no such object the label is 0 and the numbers are NaN.
    """
    size = len(label)
    nearest = np.full((size, 2), -1, np.int64)
    if size > 1:
        _find_closest(centre, nearest)
    known = nearest >= 0
    step = centre[nearest] - centre[:, None]
    length = np.where(known, np.sqrt((step**2).sum(axis=2)), np.nan)
    with np.errstate(invalid="ignore", divide="ignore"):
        cosine = (step[:, 0] * step[:, 1]).sum(axis=1) / (length[:, 0] * length[:, 1])
    angle = np.degrees(np.arccos(np.clip(cosine, -1, 1)))
    found = np.where(known, label[nearest] if size else nearest, 0)
    return {
        "first_label": found[:, 0],
        "first_distance": length[:, 0],
        "second_label": found[:, 1],
        "second_distance": length[:, 1],
        "angle": angle,
    }


def _find_closest(centre: Floats, nearest: Index) -> None:
    """Write the two closest others of each, in the order of distance and then of number; -1 where there is none."""
    tree = cKDTree(centre)
    asked = min(_ASKED, len(centre))
    wanted = min(2, len(centre) - 1)
    distance, other = tree.query(centre, asked)
    exact = _squares(centre, other)
    order = np.lexsort((other, exact, other == np.arange(len(centre))[:, None]), axis=1)
    nearest[:, :wanted] = np.take_along_axis(other, order, axis=1)[:, :wanted]
    if asked == len(centre):
        return
    # The second is known where those not looked at are surely farther; elsewhere all that may be as near are.
    second = np.sqrt(_squares(centre, nearest[:, wanted - 1 : wanted]))[:, 0]
    for i in np.flatnonzero(distance[:, -1] <= second * (1 + 1e-9)):
        near = np.array(tree.query_ball_point(centre[i], second[i] * (1 + 1e-9) + 1e-300))
        near = np.sort(near[near != i])
        square = ((centre[near] - centre[i]) ** 2).sum(axis=1)
        nearest[i, :wanted] = near[np.argsort(square, kind="stable")[:wanted]]


def _squares(centre: Floats, other: NDArray[Any]) -> Floats:
    squares: Floats = ((centre[other] - centre[:, None]) ** 2).sum(axis=2)
    return squares
