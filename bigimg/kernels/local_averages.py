"""Local thresholds by an average that a filter finds: the Gaussian and the median of the neighbourhood."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from bigimg.core.operation import Pixels, Valid
from bigimg.kernels.planes import read_only
from bigimg.kernels.rank import median
from bigimg.kernels.smooth import gaussian

Mask = NDArray[np.bool_]

TRUNCATE = 4.0
"""Where the Gaussian ends, in standard deviations, as in scikit-image."""

_CLOSE = 2.0**-45
"""What a weighted mean of equal pixels may be off, relative to them: the weights are a few hundred at most."""


def gaussian_sigma(window_size: int) -> float:
    """Return the standard deviation of the Gaussian that has nearly all of its weight within a window."""
    return (window_size - 1) / 6.0


def local_gaussian_mask(pixels: Pixels, window_size: int, offset: float, ndim: int, valid: Valid | None = None) -> Mask:
    """Return where ``pixels`` are greater than the Gaussian mean of the window about them, less ``offset``.

    Parameters
    ----------
    pixels
        (..., M, N) or (..., L, M, N), of any real dtype; the last ``ndim`` axes are spatial.
    window_size
        Six standard deviations of the Gaussian and one pixel, odd.
    offset
        Subtracted from the mean, in grey values.
    valid
        Which pixels count; the mean is over these alone.

    Returns
    -------
    ndarray of bool, the shape of ``pixels``. A pixel that equals its threshold, but for rounding, is not greater.

    Examples
    --------
    >>> local_gaussian_mask(np.array([[1, 1, 1], [1, 5, 1], [1, 1, 1]]), 3, 0, 2).astype(int)
    array([[0, 0, 0],
           [0, 1, 0],
           [0, 0, 0]])
    """
    numbers = pixels.astype(np.float64) if pixels.dtype.kind == "f" else pixels
    smooth = gaussian(numbers, gaussian_sigma(window_size), TRUNCATE, ndim, valid)
    return _greater(numbers, smooth, offset, _CLOSE)


def local_median_mask(pixels: Pixels, window_size: int, offset: float, ndim: int, valid: Valid | None = None) -> Mask:
    """Return where ``pixels`` are greater than the median of the window about them, less ``offset``.

    Parameters
    ----------
    pixels, offset
        As for `local_gaussian_mask`.
    window_size
        Width of the square or cube in pixels, odd.
    valid
        Which pixels count; the median is of these alone.

    Returns
    -------
    ndarray of bool, the shape of ``pixels``.

    Examples
    --------
    >>> local_median_mask(np.array([[1, 1, 1], [1, 5, 1], [1, 1, 1]]), 3, 0, 2).astype(int)
    array([[0, 0, 0],
           [0, 1, 0],
           [0, 0, 0]])
    """
    return _greater(pixels, median(pixels, window_size, ndim, valid), offset, 0.0)


def _greater(pixels: Pixels, average: Pixels, offset: float, close: float) -> Mask:
    out = np.empty(pixels.shape, bool)
    given = [np.require(each, each.dtype.newbyteorder("="), ("C", "A")) for each in (pixels, average)]
    first, second = (read_only(each.view(np.uint8) if each.dtype == bool else each).reshape(-1) for each in given)
    _compare(out.reshape(-1), first, second, float(offset), close)
    return out


@njit(nogil=True, cache=True)
def _compare(out: Mask, grey: Pixels, average: Pixels, offset: float, close: float) -> None:
    for x in range(out.shape[0]):
        pixel, mean = np.float64(grey[x]), np.float64(average[x])
        out[x] = pixel - mean + offset > close * (abs(pixel) + abs(offset))
