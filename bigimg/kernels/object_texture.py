"""The texture of objects: how often grey levels lie beside each other, and R. M. Haralick's features of that.

Pairs of pixels of one object at a given step are counted, each pair once and without order. Counts of an object add up
over tiles, as integers; features are computed from counts in the order of their grey levels, and so have the same bits
however an object was cut.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from bigimg.kernels.object_pixels import Columns, ObjectPixels

Index = NDArray[np.int64]
Floats = NDArray[np.float64]

FEATURES = (
    "angular_second_moment",
    "contrast",
    "correlation",
    "variance",
    "inverse_difference_moment",
    "sum_average",
    "sum_variance",
    "sum_entropy",
    "entropy",
    "difference_variance",
    "difference_entropy",
    "info_measure_1",
    "info_measure_2",
)
"""Haralick's features 1 to 13."""

MOST_LEVELS = 256

_PLANE = ((0, 1), (1, 1), (1, 0), (1, -1))
_VOLUME = (
    *((1, 0, 0), (1, 1, 0), (0, 1, 0), (1, -1, 0), (0, 0, 1), (1, 0, 1), (0, 1, 1), (1, 1, 1), (1, -1, 1)),
    *((1, 0, -1), (0, 1, -1), (1, 1, -1), (1, -1, -1)),
)


def steps_of(ndim: int, distance: int) -> Index:
    """Return the steps between the pixels of a pair, (directions, 3), in the order of mahotas and CellProfiler."""
    steps = [(0, *step) for step in _PLANE] if ndim == 2 else list(_VOLUME)
    return np.array(steps, np.int64) * distance


def quantize(values: NDArray[Any], low: float, high: float, levels: int) -> NDArray[np.uint8]:
    """Return grey levels 0 to ``levels - 1`` of values, ``low`` and less being 0, ``high`` and more the last.

    In two steps as in CellProfiler: to 8 bits, rounded, and of these to ``levels``, cut off.

    Examples
    --------
    >>> quantize(np.array([0, 100, 254, 255], np.uint8), 0, 255, 8)
    array([0, 2, 6, 7], dtype=uint8)
    """
    level = (np.arange(256) / 255 * (levels - 1)).astype(np.uint8)
    if values.dtype == np.uint8 and (low, high) == (0, 255):
        return level[values]
    share = (values.astype(np.float64) - low) / (high - low)
    return level[np.rint(np.clip(share, 0, 1) * 255).astype(np.uint8)]


def features_of_objects(
    pixels: ObjectPixels, numbers: NDArray[np.int32], grey: NDArray[np.uint8], steps: Index, levels: int
) -> Floats:
    """Return the features of objects that lie in one tile, (objects, channels, directions, features).

    Parameters
    ----------
    pixels : ObjectPixels
        With places in the arrays that follow, not in the image.
    numbers : (planes, rows, columns) array
        A number for the label of each pixel, negative for none.
    grey : (channels, planes, rows, columns) array
        Grey levels; 0 takes no part.
    steps : (directions, 3) array
        Of :func:`steps_of`.
    levels : int
        Number of grey levels.
    """
    found = np.empty((len(pixels.label), len(grey), len(steps), len(FEATURES)))
    _features_of_objects(pixels.offset, pixels.place, numbers, grey, steps, levels, found)
    return found


def count_pairs(
    pixels: ObjectPixels, numbers: NDArray[np.int32], grey: NDArray[np.uint8], steps: Index, levels: int
) -> Columns:
    """Return how often grey levels meet in objects: ``label``, ``cell`` and ``count``, sorted.

    The parameters are those of :func:`features_of_objects`. Pairs that begin at ``pixels`` are counted, wherever they
    end. A cell is ``((channel * directions + direction) * levels + lower) * levels + higher``.
    """
    parts = []
    for channel, plane in enumerate(grey):
        for direction, step in enumerate(steps):
            item, cell, count = _cells(pixels.offset, pixels.place, numbers, plane, step, levels)
            first = (channel * len(steps) + direction) * levels * levels
            parts.append({"label": pixels.label[item], "cell": cell + first, "count": count})
    return added([_NO_PAIRS, *parts])


_NO_PAIRS = {name: np.zeros(0, np.int64) for name in ("label", "cell", "count")}


def added(parts: list[Columns]) -> Columns:
    """Return the counts of all ``parts``, equal cells of a label added, sorted by label and cell."""
    label, cell, count = (np.concatenate([part[name] for part in parts]) for name in ("label", "cell", "count"))
    order = np.lexsort((cell, label))
    label, cell, count = label[order], cell[order], count[order]
    new = np.ones(len(label), np.bool_)
    new[1:] = (label[1:] != label[:-1]) | (cell[1:] != cell[:-1])
    starts = np.flatnonzero(new)
    total = np.add.reduceat(count, starts) if len(starts) else count
    return {"label": label[starts], "cell": cell[starts], "count": total}


def features_of_counts(labels: Index, top: NDArray[np.uint8], counts: Columns, directions: int, levels: int) -> Floats:
    """Return the features of ``labels``, sorted, from :func:`added` counts, as :func:`features_of_objects` does.

    ``top`` is the highest grey level of each label and channel.
    """
    channels = top.shape[1]
    square = levels * levels
    group = np.searchsorted(labels, counts["label"]) * (channels * directions) + counts["cell"] // square
    offset = np.searchsorted(group, np.arange(len(labels) * channels * directions + 1))
    found = np.empty((len(labels), channels, directions, len(FEATURES)))
    tops = np.repeat(top.ravel(), directions)
    _features_of_counts(
        offset, counts["cell"] % square, counts["count"], tops, levels, found.reshape(-1, len(FEATURES))
    )
    return found


@njit(nogil=True, cache=True)
def _count(
    place: Index,
    numbers: NDArray[np.int32],
    grey: NDArray[np.uint8],
    step: Index,
    levels: int,
    table: Index,
    cells: Index,
    counts: Index,
) -> int:
    """Write which cells the pairs of one object have, sorted, and how often; return how many cells.

    ``table`` has zeros for all cells, before and after.
    """
    planes, rows, columns = numbers.shape
    filled = 0
    for i in range(place.shape[1]):
        z, y, x = place[0, i], place[1, i], place[2, i]
        other_z, other_y, other_x = z + step[0], y + step[1], x + step[2]
        if not (0 <= other_z < planes and 0 <= other_y < rows and 0 <= other_x < columns):
            continue
        if numbers[other_z, other_y, other_x] != numbers[z, y, x]:
            continue
        a, b = np.int64(grey[z, y, x]), np.int64(grey[other_z, other_y, other_x])
        if a and b:
            cell = min(a, b) * levels + max(a, b)
            if table[cell] == 0:
                cells[filled] = cell
                filled += 1
            table[cell] += 1
    cells[:filled].sort()
    for i in range(filled):
        counts[i] = table[cells[i]]
        table[cells[i]] = 0
    return filled


@njit(nogil=True, cache=True)
def _cells(
    offset: Index, place: Index, numbers: NDArray[np.int32], grey: NDArray[np.uint8], step: Index, levels: int
) -> tuple[Index, Index, Index]:
    table = np.zeros(levels * levels, np.int64)
    item, cells, counts = np.empty((3, place.shape[1]), np.int64)  # a pixel begins one pair at most
    filled = 0
    for k in range(offset.size - 1):
        own = place[:, offset[k] : offset[k + 1]]
        more = _count(own, numbers, grey, step, levels, table, cells[filled:], counts[filled:])
        item[filled : filled + more] = k
        filled += more
    return item[:filled].copy(), cells[:filled].copy(), counts[:filled].copy()


@njit(nogil=True, cache=True)
def _features_of_objects(
    offset: Index,
    place: Index,
    numbers: NDArray[np.int32],
    grey: NDArray[np.uint8],
    steps: Index,
    levels: int,
    found: Floats,
) -> None:
    table, cells, counts = np.zeros((3, levels * levels), np.int64)
    for k in range(offset.size - 1):
        own = place[:, offset[k] : offset[k + 1]]
        for channel in range(grey.shape[0]):
            top = np.int64(0)
            for i in range(own.shape[1]):
                top = max(top, np.int64(grey[channel, own[0, i], own[1, i], own[2, i]]))
            for direction in range(len(steps)):
                filled = _count(own, numbers, grey[channel], steps[direction], levels, table, cells, counts)
                _features(cells[:filled], counts[:filled], top, levels, found[k, channel, direction])


@njit(nogil=True, cache=True)
def _features_of_counts(
    offset: Index, cells: Index, counts: Index, tops: NDArray[np.uint8], levels: int, found: Floats
) -> None:
    for group in range(offset.size - 1):
        part = slice(offset[group], offset[group + 1])
        _features(cells[part], counts[part], np.int64(tops[group]), levels, found[group])


@njit(nogil=True, cache=True)
def _features(cells: Index, counts: Index, top: Any, levels: int, found: Floats) -> None:
    """Write the features of pairs of lower and higher grey level, sorted; each stands for both orders.

    The matrix is symmetric, so that Haralick's HXY1 and HXY2 are both twice the entropy of its margin.
    """
    found[:] = np.nan
    if cells.size == 0:
        return
    total = 0.0
    for count in counts:
        total += count
    margin = np.zeros(levels)
    sums = np.zeros(2 * levels)
    differences = np.zeros(levels)
    square, entropy = 0.0, 0.0
    for i in range(cells.size):
        low, high = cells[i] // levels, cells[i] % levels
        share = counts[i] / total
        margin[low] += share / 2
        margin[high] += share / 2
        sums[low + high] += share
        differences[high - low] += share
        if low == high:
            square += share * share
            entropy -= share * math.log2(share)
        else:
            square += share * share / 2
            entropy -= share * math.log2(share / 2)
    mean, mean_sum = 0.0, 0.0
    for k in range(levels):
        mean += k * margin[k]
    for k in range(2 * levels):
        mean_sum += k * sums[k]
    variance, variance_sum, covariance = 0.0, 0.0, 0.0
    for k in range(levels):
        variance += (k - mean) ** 2 * margin[k]
    for k in range(2 * levels):
        variance_sum += (k - mean_sum) ** 2 * sums[k]
    for i in range(cells.size):
        covariance += (cells[i] // levels - mean) * (cells[i] % levels - mean) * (counts[i] / total)
    contrast, homogeneity, variance_difference = 0.0, 0.0, 0.0
    for k in range(levels):
        contrast += k * k * differences[k]
        homogeneity += differences[k] / (1 + k * k)
        if k <= top:
            variance_difference += (differences[k] - 1 / (top + 1)) ** 2
    own = _entropy(margin)
    found[0] = square
    found[1] = contrast
    found[2] = covariance / variance if variance > 0 else 1.0
    found[3] = variance
    found[4] = homogeneity
    found[5] = mean_sum
    found[6] = variance_sum
    found[7] = _entropy(sums)
    found[8] = entropy
    found[9] = variance_difference / (top + 1)
    found[10] = _entropy(differences)
    found[11] = (entropy - 2 * own) / own if own > 0 else 0.0
    found[12] = math.sqrt(max(0.0, 1 - math.exp(-2 * (2 * own - entropy))))


@njit(nogil=True, cache=True)
def _entropy(shares: Floats) -> float:
    total = 0.0
    for share in shares:
        if share > 0:
            total -= share * math.log2(share)
    return total
