"""What the rank kernels share: pixels as unsigned integers of the same order, and which rank is asked for."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bigimg.core.operation import Pixels
from bigimg.kernels.steps import chords
from bigimg.kernels.windows import reflect

Keys = NDArray[Any]
"""Pixels as integers of one of the four unsigned dtypes."""

Mask = NDArray[np.bool_]
Counts = NDArray[np.int64]


def keys_of(pixels: Pixels) -> Keys:
    """Return unsigned integers in the order of the pixels.

    Examples
    --------
    >>> keys_of(np.array([-2, -1, 0, 1], np.int8))
    array([126, 127, 128, 129], dtype=uint8)
    """
    dtype = np.dtype(f"u{pixels.dtype.itemsize}")
    keys = pixels.view(dtype)
    top = dtype.type(1 << (8 * dtype.itemsize - 1))
    if pixels.dtype.kind == "i":
        return keys ^ top
    if pixels.dtype.kind == "f":
        return np.where(keys & top, ~keys, keys | top)
    return keys


def pixels_of(keys: Keys, dtype: np.dtype[Any]) -> Pixels:
    """Return the pixels whose keys these are."""
    top = keys.dtype.type(1 << (8 * keys.dtype.itemsize - 1))
    if dtype.kind == "i":
        keys = keys ^ top
    elif dtype.kind == "f":
        keys = np.where(keys & top, keys ^ top, ~keys)
    return keys.view(dtype)


def continued(plane: NDArray[Any], reach: tuple[int, ...]) -> NDArray[Any]:
    """Return a plane or volume continued by reflection (d c b a | a b c d), as often as need be.

    Examples
    --------
    >>> continued(np.array([[1, 2, 3]]), (0, 2))
    array([[2, 1, 1, 2, 3, 3, 2]])
    """
    where = [[reflect(i - far, n, False) for i in range(n + 2 * far)] for n, far in zip(plane.shape, reach)]
    for axis, indices in enumerate(where):
        if reach[axis]:
            plane = plane.take(indices, axis)
    return np.ascontiguousarray(plane)


def rank_of(count: int | Counts, percentile: float) -> Any:
    """Return which of ``count`` values in ascending order is asked for, by SciPy's rule; 0 is the least.

    Examples
    --------
    >>> rank_of(9, 50.0), rank_of(4, 50.0), rank_of(9, 100.0)
    (np.int64(4), np.int64(2), np.int64(8))
    """
    wanted = np.floor(np.asarray(count, np.float64) * percentile / 100.0).astype(np.int64)
    return np.clip(wanted, 0, np.maximum(np.asarray(count) - 1, 0))[()]


def count_under(valid: Mask, footprint: Mask) -> Counts:
    """Return how many pixels are True under the footprint, for each place where it fits.

    Examples
    --------
    >>> count_under(np.array([[True, False, True, True]]), np.ones((1, 3), bool))
    array([[2, 2]])
    """
    shape = tuple(n - f + 1 for n, f in zip(valid.shape, footprint.shape))
    if footprint.all():
        total = valid.astype(np.int64)
        for axis, size in enumerate(footprint.shape):
            sums = np.cumsum(total, axis)
            sums = np.concatenate([np.zeros_like(sums.take([0], axis)), sums], axis)
            total = np.take(sums, range(size, sums.shape[axis]), axis)
            total -= np.take(sums, range(sums.shape[axis] - size), axis)
        return total
    along = np.cumsum(valid.reshape((1, *valid.shape)[-3:]), -1, dtype=np.int64)
    along = np.concatenate([np.zeros_like(along[..., :1]), along], -1)
    total = np.zeros((1, *shape)[-3:], np.int64)
    depth, height, width = total.shape
    for z, y, first, last in placed(footprint).tolist():
        rows = along[z : z + depth, y : y + height]
        total += rows[..., last + 1 : last + 1 + width] - rows[..., first : first + width]
    return total.reshape(shape)


def placed(footprint: Mask) -> Counts:
    """Return the horizontal runs of a footprint, counted from its first corner: plane, row, first and last column."""
    half = [size // 2 for size in (1, *footprint.shape)[-3:]]
    return chords(footprint) + np.array([half[0], half[1], half[2], half[2]])
