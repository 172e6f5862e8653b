"""Intensities on the inner boundary of objects."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from bigimg.kernels.object_pixels import Columns, ObjectPixels

Index = NDArray[np.int64]
Floats = NDArray[np.float64]

STATISTICS = (
    "intensity_sum_edge",
    "intensity_mean_edge",
    "intensity_std_edge",
    "intensity_min_edge",
    "intensity_max_edge",
)


def inner_boundaries(labels: NDArray[Any]) -> NDArray[np.bool_]:
    """Return the pixels of labels beside which, along an axis, another label or the background lies.

    Beyond the border of the image nothing lies.

    Examples
    --------
    >>> inner_boundaries(np.array([[1, 1, 1, 2], [1, 1, 1, 0]])).astype(int)
    array([[0, 0, 1, 1],
           [0, 0, 1, 0]])
    """
    edges = np.zeros(labels.shape, np.bool_)
    for axis in range(labels.ndim):
        low: list[slice] = [slice(None)] * labels.ndim
        high = low.copy()
        low[axis], high[axis] = slice(None, -1), slice(1, None)
        differ = labels[tuple(low)] != labels[tuple(high)]
        edges[tuple(low)] |= differ
        edges[tuple(high)] |= differ
    return edges & (labels != 0)


def edge_intensities(pixels: ObjectPixels) -> Columns:
    """Return the number of pixels of each object, and the :data:`STATISTICS` of their values by channel."""
    shape = (len(STATISTICS), len(pixels.label), len(pixels.values))
    found = np.empty(shape)
    _summarize(pixels.offset, pixels.values.astype(np.float64), found)
    return {"label": pixels.label, "num_pixels_edge": np.diff(pixels.offset), **dict(zip(STATISTICS, found))}


@njit(nogil=True, cache=True)
def _summarize(offset: Index, values: Floats, found: Floats) -> None:
    for k in range(offset.size - 1):
        count = offset[k + 1] - offset[k]
        for channel in range(values.shape[0]):
            part = values[channel, offset[k] : offset[k + 1]]
            found[0, k, channel] = compensated_sum(part)
            found[1:, k, channel] = np.nan
            if count:
                mean = found[0, k, channel] / count
                found[1, k, channel] = mean
                found[2, k, channel] = math.sqrt(compensated_sum((part - mean) ** 2) / count)
                found[3, k, channel] = part.min()
                found[4, k, channel] = part.max()


@njit(nogil=True, cache=True)
def compensated_sum(values: Floats) -> float:
    """Return the sum, what was rounded off each step added in the end (A. Neumaier, 1974)."""
    total, rest = 0.0, 0.0
    for value in values:
        after = total + value
        rest += (total - after) + value if abs(total) >= abs(value) else (value - after) + total
        total = after
    return total + rest if math.isfinite(rest) else total
