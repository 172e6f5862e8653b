"""Grey values replaced by their rank in the histogram of the image."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from bigimg.core.operation import Pixels
from bigimg.kernels.histogram import Counts
from bigimg.kernels.intensity import mapped
from bigimg.kernels.planes import read_only, smoothed_dtype


def cumulative(counts: Counts, dtype: np.dtype[Any]) -> Pixels:
    """Return which part of all pixels lies in each bin or below, for an image of ``dtype``.

    Examples
    --------
    >>> cumulative(np.array([2, 0, 6]), np.dtype(np.uint8))
    array([0.25, 0.25, 1.  ])
    """
    below = np.cumsum(counts)
    return np.asarray((below / float(below[-1])).astype(smoothed_dtype(dtype)))


def equalize(pixels: Pixels, centers: Pixels, share: Pixels) -> Pixels:
    """Return ``share`` at the value of each pixel, between the centres of bins by interpolation.

    Parameters
    ----------
    pixels
        An image of any real dtype and shape.
    centers
        The centres of bins at equal distances, rising; every value from the first to the last for integers.
    share
        What becomes of a pixel at each of them; values beyond the first and the last take theirs.

    Returns
    -------
    ndarray of the shape of ``pixels``, float32 for float32, else float64
        ``numpy.interp(pixels, centers, share)``, to the bit.

    Examples
    --------
    >>> equalize(np.array([0.0, 0.5, 9.0]), np.array([0.0, 1.0]), np.array([0.2, 1.0]))
    array([0.2, 0.6, 1. ])
    """
    dtype = smoothed_dtype(pixels.dtype)
    if pixels.dtype.kind == "f":
        out = np.empty(pixels.shape, dtype)
        line = read_only(np.require(pixels, pixels.dtype.newbyteorder("="), ("C", "A")).reshape(-1))
        knots = read_only(np.asarray(centers, np.float64)), read_only(np.asarray(share, np.float64))
        _interpolate(out.reshape(-1), line.astype(dtype, copy=False), *knots)
        return out
    first, last = int(centers[0]), int(centers[-1])
    table = share.astype(dtype)

    def looked_up(source: Pixels) -> Pixels:
        place = np.clip(source.astype(np.int64), first, last) - first
        return np.asarray(table[place])

    return mapped(pixels, looked_up, dtype)


@njit(nogil=True, cache=True)
def _interpolate(
    out: NDArray[Any], values: NDArray[Any], centers: NDArray[np.float64], share: NDArray[np.float64]
) -> None:
    last = centers.shape[0] - 1
    low, high = centers[0], centers[last]
    steps = last / (high - low) if high > low else 0.0
    for i in range(values.shape[0]):
        value = np.float64(values[i])
        if value >= high:
            out[i] = share[last]
        elif value <= low:
            out[i] = share[0]
        else:
            # The centres decide; the product only says where to look.
            place = min(int((value - low) * steps), last - 1)
            while place > 0 and value < centers[place]:
                place -= 1
            while place < last - 1 and value >= centers[place + 1]:
                place += 1
            slope = (share[place + 1] - share[place]) / (centers[place + 1] - centers[place])
            out[i] = slope * (value - centers[place]) + share[place]
