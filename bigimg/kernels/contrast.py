"""Bernsen's threshold: half way between the darkest and the brightest neighbour, where there is any contrast."""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from bigimg.core.operation import Pixels, Valid
from bigimg.kernels.morphology import dilate, erode
from bigimg.kernels.planes import read_only

Mask = NDArray[np.bool_]


def bernsen_mask(
    pixels: Pixels, footprint: Mask, contrast_threshold: float, level: float, ndim: int, valid: Valid | None = None
) -> Mask:
    """Return where ``pixels`` are greater than the middle between the least and the greatest of their neighbours.

    Parameters
    ----------
    pixels
        (..., M, N) or (..., L, M, N); the last ``ndim`` axes are spatial.
    footprint
        Boolean array with ``ndim`` axes of odd size: which neighbours take part.
    contrast_threshold
        Where the greatest is less than this above the least, all is one: foreground if the middle is above ``level``.
    level
        In grey values.
    valid
        Which pixels take part.

    Returns
    -------
    ndarray of bool, the shape of ``pixels``.

    References
    ----------
    J. Bernsen: Dynamic thresholding of grey-level images, Proc. 8th Int. Conf. on Pattern Recognition (1986)
    1251-1255.

    Examples
    --------
    >>> bernsen_mask(np.array([[1, 1, 9, 9]], np.uint8), np.ones((1, 3), bool), 5, 127.5, 2)
    array([[False, False,  True, False]])
    """
    if pixels.dtype.kind == "b":
        pixels = pixels.view(np.uint8)
    dtype = np.dtype(np.float32) if pixels.dtype == np.float16 else pixels.dtype.newbyteorder("=")
    pixels = np.require(pixels, dtype, ("C", "A"))
    darkest, brightest = erode(pixels, footprint, ndim, valid), dilate(pixels, footprint, ndim, valid)
    out = np.empty(pixels.shape, bool)
    grey, low, high = (read_only(each).reshape(-1) for each in (pixels, darkest, brightest))
    if pixels.dtype.kind == "f":
        _compare_floats(out.reshape(-1), grey, low, high, contrast_threshold, level)
    else:
        least = np.uint64(min(max(math.ceil(min(contrast_threshold, 2.0**64)), 0), 2**64 - 1))
        _compare_integers(out.reshape(-1), grey, low, high, least, level)
    return out


@njit(nogil=True, cache=True)
def _compare_integers(
    out: Mask, grey: Pixels, darkest: Pixels, brightest: Pixels, contrast: np.uint64, level: float
) -> None:
    for x in range(out.shape[0]):
        low, high, pixel = darkest[x], brightest[x], grey[x]
        # Differences of 64 bits without a sign hold those of every dtype; a sum would not.
        below, above = np.uint64(pixel) - np.uint64(low), np.uint64(high) - np.uint64(pixel)
        bright = (pixel > low) & ((pixel >= high) | (below > above))
        flat = np.uint64(high) - np.uint64(low) < contrast
        out[x] = (np.float64(low) * 0.5 + np.float64(high) * 0.5 > level) if flat else bright


@njit(nogil=True, cache=True)
def _compare_floats(out: Mask, grey: Pixels, darkest: Pixels, brightest: Pixels, contrast: float, level: float) -> None:
    for x in range(out.shape[0]):
        low, high = np.float64(darkest[x]), np.float64(brightest[x])
        middle = low * 0.5 + high * 0.5
        out[x] = middle > level if high - low < contrast else grey[x] > middle
