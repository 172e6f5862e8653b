"""Grey-level co-occurrence: how often two grey levels lie side by side; exact counts, so tiles add up to the image.

A pair belongs to the tile that writes its first pixel, and its second pixel may lie in the halo of one pixel: every
pair of the image is counted once, however the image is cut. Directions and properties are those of
:func:`skimage.feature.graycomatrix` and :func:`skimage.feature.graycoprops`.

::

    direction   0        1        2        3
                * o      *        *          *      * first pixel, o second pixel
                           o      o        o
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from bigimg.core.operation import Pixels, Valid
from bigimg.core.tile import Box

Levels = NDArray[np.uint8]

DIRECTIONS = ((0, 1), (1, 1), (1, 0), (1, -1))
"""(rows, columns) from the first to the second pixel: angles 0, 45, 90 and 135 degrees, distance 1."""

PROPERTIES = ("contrast", "dissimilarity", "homogeneity", "ASM", "energy", "correlation")
"""What :func:`texture_properties` gives, in scikit-image's words."""


def grey_levels(pixels: Pixels, n_levels: int, low: float, high: float) -> Levels:
    """Return ``pixels`` as grey levels 0 ... ``n_levels - 1``: the bins of ``numpy.histogram`` over ``(low, high)``.

    Parameters
    ----------
    pixels
        Any shape, boolean or any real dtype. Values beyond the ends, and NaN, count as the nearest (NaN: the first)
        level.
    n_levels
        At most 256.
    low, high
        Ends of the range, ``low < high``; every level is an interval with its lower end, the last one with both.

    Examples
    --------
    >>> grey_levels(np.array([0, 63, 64, 255], np.uint8), 4, 0, 256).tolist()
    [0, 0, 1, 3]
    """
    edges = np.linspace(low, high, n_levels + 1)
    pixels = np.ascontiguousarray(pixels)
    pixels = pixels.view(np.uint8) if pixels.dtype == np.bool_ else pixels
    bits = 8 * pixels.dtype.itemsize
    if pixels.dtype.kind == "f" or bits > 16 or pixels.size < 2**bits:
        return _levels(pixels, edges)
    # So few different values that a table of all of them is quicker than the arithmetic.
    unsigned = np.dtype(f"u{pixels.dtype.itemsize}")
    table = _levels(np.arange(2**bits).astype(unsigned).view(pixels.dtype), edges)
    return np.take(table, pixels.view(unsigned))


def pair_counts(levels: Levels, n_levels: int, core: Box, valid: Valid | None = None) -> NDArray[np.int64]:
    """Count the pairs of levels whose first pixel lies in ``core``.

    Parameters
    ----------
    levels
        Levels (M, N) below ``n_levels`` of all that was read: the core and a halo of one pixel inside the image.
    core
        Rows and columns of ``levels`` that are this tile's own.
    valid
        (M, N): pairs with an invalid pixel do not count.

    Returns
    -------
    ndarray
        int64 (4, n_levels, n_levels): direction, first level, second level.

    Examples
    --------
    >>> levels = np.array([[0, 1], [1, 1]], np.uint8)
    >>> pair_counts(levels, 2, (slice(0, 2), slice(0, 2)))[0].tolist()
    [[0, 1], [0, 1]]
    """
    counts = np.zeros((len(DIRECTIONS), n_levels, n_levels), np.int64)
    rows, columns = core
    box = (rows.start, rows.stop, columns.start, columns.stop)
    usable = np.ones((1, 1), np.bool_) if valid is None else np.ascontiguousarray(valid)
    _count_pairs(np.ascontiguousarray(levels), usable, valid is not None, box, np.array(DIRECTIONS), counts)
    return counts


def texture_properties(counts: NDArray[np.int64]) -> dict[str, float]:
    """Return contrast, dissimilarity, homogeneity, ASM, energy and correlation, each the mean over the directions.

    Parameters
    ----------
    counts
        As :func:`pair_counts` gives them; made symmetric and divided by their sum here. Directions without a pair (an
        image of one row has three) are left out; without any pair everything is NaN.
    """
    used = [_properties(direction) for direction in counts if direction.any()]
    return {name: sum(each[name] for each in used) / len(used) if used else float("nan") for name in PROPERTIES}


def _properties(counts: NDArray[np.int64]) -> dict[str, float]:
    symmetric = counts + counts.T
    share = symmetric / symmetric.sum()
    second = np.arange(len(counts))
    first = second[:, None]
    apart = first - second
    squares = float((share**2).sum())
    return {
        "contrast": float((share * apart**2).sum()),
        "dissimilarity": float((share * np.abs(apart)).sum()),
        "homogeneity": float((share / (1.0 + apart**2)).sum()),
        "ASM": squares,
        "energy": float(np.sqrt(squares)),
        "correlation": _correlation(share, first, second),
    }


def _correlation(share: NDArray[np.float64], first: NDArray[Any], second: NDArray[Any]) -> float:
    # The matrix is symmetric: both levels have one mean and one variance.
    mean = (share * first).sum()
    variance = (share * (first - mean) ** 2).sum()
    if np.sqrt(variance) < 1e-15:
        return 1.0
    return float((share * (first - mean) * (second - mean)).sum() / variance)


def _levels(pixels: Pixels, edges: NDArray[np.float64]) -> Levels:
    result = np.empty(pixels.shape, np.uint8)
    _quantise(pixels.reshape(-1), edges, result.reshape(-1))
    return result


@numba.njit(nogil=True, cache=True)
def _quantise(values: Any, edges: Any, result: Any) -> None:
    last = edges.size - 2
    low = edges[0]
    factor = edges.size - 1
    width = edges[factor] - low
    for place in range(values.size):
        value = np.float64(values[place])
        position = (value - low) / width * factor
        if not position > 0.0:
            result[place] = 0
            continue
        level = last if position >= factor else int(position)
        # The division may land on the wrong side of an edge; the edges decide, as in numpy.histogram.
        if value < edges[level]:
            level -= 1
        elif level < last and value >= edges[level + 1]:
            level += 1
        result[place] = level


@numba.njit(nogil=True, cache=True)
def _count_pairs(levels: Any, valid: Any, masked: bool, box: Any, directions: Any, counts: Any) -> None:
    height, width = levels.shape
    for row in range(box[0], box[1]):
        for direction in range(directions.shape[0]):
            below, beside = directions[direction]
            if row + below >= height:
                continue
            table = counts[direction]
            for column in range(max(box[2], -beside), min(box[3], width - beside)):
                if not masked or (valid[row, column] and valid[row + below, column + beside]):
                    table[levels[row, column], levels[row + below, column + beside]] += 1
