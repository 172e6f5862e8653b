"""Stains of tissue: how much dye absorbs the light that is missing from a colour."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bigimg.kernels.planes import smoothed_dtype

# Absorption of red, green and blue by haematoxylin, eosin and DAB (Ruifrok and Johnston 2001), as in
# scikit-image.
RGB_FROM_HED = np.array([[0.65, 0.70, 0.29], [0.07, 0.99, 0.11], [0.27, 0.57, 0.78]])
HED_FROM_RGB = np.linalg.inv(RGB_FROM_HED)
_DARKEST = 1e-6


def hematoxylin(pixels: NDArray[Any]) -> NDArray[Any]:
    """Return how much haematoxylin each pixel holds.

    Parameters
    ----------
    pixels : (..., C, M, N) array
        Red, green and blue, of integers over the range of their dtype or floats from 0 to 1; further channels are
        ignored.

    Returns
    -------
    (..., M, N) array of float32 for float32 images, else of float64
        As the first channel of ``skimage.color.rgb2hed``; 0 where there is none.
    """
    total = np.zeros((*pixels.shape[:-3], *pixels.shape[-2:]), np.float64)
    for channel, weight in enumerate(HED_FROM_RGB[:, 0]):
        total += weight * _absorbed(np.ascontiguousarray(pixels[..., channel, :, :]))
    return np.maximum(total, 0).astype(smoothed_dtype(pixels.dtype))


def _absorbed(channel: NDArray[Any]) -> NDArray[np.float64]:
    if channel.dtype.kind == "u" and channel.dtype.itemsize <= 2:
        # One logarithm a grey value, not one a pixel.
        return _absorption(np.arange(np.iinfo(channel.dtype).max + 1) / np.iinfo(channel.dtype).max)[channel]
    scale = np.iinfo(channel.dtype).max if channel.dtype.kind in "iu" else 1
    return _absorption(channel / scale)


def _absorption(light: NDArray[Any]) -> NDArray[np.float64]:
    return np.asarray(np.log(np.maximum(light.astype(np.float64), _DARKEST)) / np.log(_DARKEST))


def channel_spread(pixels: NDArray[Any]) -> NDArray[Any]:
    """Return the difference of the largest and the smallest of the first three channels, (..., M, N): 0 where grey."""
    colours = pixels[..., :3, :, :]
    with np.errstate(over="ignore"):  # what is more than the largest float is a difference all the same
        return np.asarray(colours.max(axis=-3) - colours.min(axis=-3))
