"""The difference of two Gaussians."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from bigimg.core.operation import Pixels, Valid
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
    # The Gaussians reflect; they do not see as far as the end of an image that goes on with its outermost pixels.
    reach = [int(truncate * max(pair) + 0.5) for pair in zip(low, high)]
    margin = [(0, 0)] * (pixels.ndim - ndim) + [(size, size) for size in reach]
    wide = np.pad(pixels, margin, mode="edge")
    known = None if valid is None else np.pad(valid, margin, mode="edge")
    inside: Any = (..., *[slice(size, size + length) for size, length in zip(reach, pixels.shape[-ndim:])])
    result = gaussian(wide, low, truncate, ndim, known)[inside]
    return np.asarray(result - gaussian(wide, high, truncate, ndim, known)[inside])
