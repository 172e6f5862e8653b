"""The difference of two Gaussians."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from bigimg.core.operation import Pixels, Valid
from bigimg.kernels.planes import smoothed_dtype
from bigimg.kernels.smooth import gaussian


def difference_of_gaussians(
    pixels: Pixels,
    low: Sequence[float],
    high: Sequence[float],
    truncate: float,
    ndim: int,
    valid: Valid | None = None,
) -> Pixels:
    """Return the image smoothed by a Gaussian, less the image smoothed by another.

    Parameters
    ----------
    pixels
        (..., M, N) or (..., L, M, N), of any real dtype; the last ``ndim`` axes are spatial.
    low, high
        Standard deviations in pixels along each of the spatial axes.
    truncate
        Where the Gaussians end, in standard deviations.
    valid
        Which pixels count; see :func:`bigimg.kernels.smooth.gaussian`.

    Returns
    -------
    ndarray of the shape of ``pixels`` and its range of grey values, of float32 for float32 and float16, else of
    float64. Pixels beyond the border count as the nearest one within (``a a a a | a b c d``).

    Notes
    -----
    As ``skimage.filters.difference_of_gaussians(pixels.astype(float), low, high, truncate=truncate)``.

    Examples
    --------
    >>> difference_of_gaussians(np.array([[0, 0, 8, 0, 0]], np.uint8), (0.5, 0.5), (1, 1), 4.0, 2).round(1)
    array([[-0.4, -1.1,  3.1, -1.1, -0.4]])
    """
    if not pixels.size:
        return gaussian(pixels, low, truncate, ndim, valid)
    return np.asarray(_smooth(pixels, low, truncate, ndim, valid) - _smooth(pixels, high, truncate, ndim, valid))


def _smooth(pixels: Pixels, sigma: Sequence[float], truncate: float, ndim: int, valid: Valid | None) -> Pixels:
    """Smooth an image that goes on with its outermost pixels."""
    if valid is None:
        return _along_each(pixels, sigma, truncate, ndim)
    dtype = smoothed_dtype(pixels.dtype)
    total = _along_each(np.where(valid, pixels, pixels.dtype.type(0)), sigma, truncate, ndim)
    weight = _along_each(valid.astype(dtype), sigma, truncate, ndim)
    return np.divide(total, weight, out=np.zeros_like(total), where=weight > 0)


def _along_each(pixels: Pixels, sigma: Sequence[float], truncate: float, ndim: int) -> Pixels:
    # The Gaussian reflects; it does not see as far as the end of an image that goes on. One axis is widened at a time,
    # so that a Gaussian much wider than the image is a matter of its lines, and not of a square of its own size.
    deep, (down, along) = range(-ndim, -2), (-2, -1)
    for axis in (*deep, along, down):
        reach = int(truncate * sigma[axis] + 0.5)
        margin = [(0, 0)] * pixels.ndim
        margin[axis] = (reach, reach)
        alone = [each if place - ndim == axis else 0.0 for place, each in enumerate(sigma)]
        inside: list[Any] = [slice(None)] * pixels.ndim
        inside[axis] = slice(reach, reach + pixels.shape[axis])
        pixels = gaussian(np.pad(pixels, margin, mode="edge"), alone, truncate, ndim)[tuple(inside)]
    return pixels
