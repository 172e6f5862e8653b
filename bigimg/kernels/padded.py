"""Tiles with a border of one pixel, flat: a neighbour is then an index away, and no loop asks whether it exists."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.int64]


def padded(pixels: NDArray[Any], fill: float = 0) -> NDArray[Any]:
    """Return a flat copy of ``pixels`` with a border of ``fill``.

    Examples
    --------
    >>> padded(np.array([[1, 2]])).reshape(3, 4)
    array([[0, 0, 0, 0],
           [0, 1, 2, 0],
           [0, 0, 0, 0]])
    """
    out = np.full([size + 2 for size in pixels.shape], fill, pixels.dtype)
    out[(slice(1, -1),) * pixels.ndim] = pixels
    return out.ravel()


def unpadded(flat: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    """Return the pixels of ``shape`` within the border, a view.

    Examples
    --------
    >>> unpadded(padded(np.array([[1, 2]])), (1, 2))
    array([[1, 2]])
    """
    return flat.reshape([size + 2 for size in shape])[(slice(1, -1),) * len(shape)]


def offsets(shape: tuple[int, ...], connectivity: int) -> Indices:
    """Return how far the neighbours of a pixel lie in the padded tile, the nearest first, else in raster order.

    Parameters
    ----------
    shape : tuple of int
        Of the tile without its border.
    connectivity : int
        How many axes a step between neighbours may change.

    Examples
    --------
    >>> offsets((8, 8), connectivity=2)
    array([-10,  -1,   1,  10, -11,  -9,   9,  11])
    """
    steps = [step for step in product((-1, 0, 1), repeat=len(shape)) if 0 < sum(map(abs, step)) <= connectivity]
    steps.sort(key=lambda step: sum(map(abs, step)))
    return np.array(steps, np.int64) @ strides(shape)


def strides(shape: tuple[int, ...]) -> Indices:
    """Return how far one step along each axis is in the padded tile.

    Examples
    --------
    >>> strides((3, 8, 8))
    array([100,  10,   1])
    """
    sizes = [*(size + 2 for size in shape[1:]), 1]
    return np.cumprod(np.array(sizes[::-1], np.int64))[::-1].copy()


def rows(shape: tuple[int, ...]) -> Indices:
    """Return where each row of the tile starts in the padded tile.

    Examples
    --------
    >>> rows((3, 8))
    array([11, 21, 31])
    """
    steps = strides(shape)
    starts = np.zeros((), np.int64) + 1
    for size, step in zip(shape[:-1], steps):
        starts = starts[..., None] + np.arange(1, size + 1, dtype=np.int64) * step
    return np.asarray(starts.ravel())


def places(positions: NDArray[np.integer[Any]], shape: tuple[int, ...]) -> Indices:
    """Return where the pixels at flat ``positions`` of the tile lie in the padded tile.

    Examples
    --------
    >>> places(np.array([0, 7, 8]), (3, 8))
    array([11, 18, 21])
    """
    lines = positions // shape[-1]
    return np.asarray(rows(shape)[lines] + positions % shape[-1])
