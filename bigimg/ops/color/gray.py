"""Colours to grey values."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from bigimg.core.operation import Pixels, Valid
from bigimg.engine.faces import composed, tilewise
from bigimg.engine.kinds import opened
from bigimg.errors import ImageError
from bigimg.kernels import colour
from bigimg.kernels.planes import smoothed_dtype


def gray_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Return the dtype of grey values: float32 of float32, else float64, as in scikit-image."""
    return smoothed_dtype(dtype)


@tilewise(dtype=gray_dtype, drops_channels=True, scratch=8, grey_values=())
def rgb2gray(image: Pixels, *, valid: Valid | None = None) -> Pixels:  # noqa: ARG001 - pixels stand alone
    """Convert colours to grey values.

    Parameters
    ----------
    image : (..., C, M, N) array of booleans, integers or floats
        Red, green, blue, and perhaps alpha; the values keep their range. An image of one channel, or of grey and alpha,
        gives the grey.

    Returns
    -------
    (..., M, N) array of float32 for float32 images, else of float64
        ``0.2125 R + 0.7154 G + 0.0721 B``, as scikit-image weighs them.

    Notes
    -----
    Equal to ``skimage.color.rgb2gray`` up to rounding, times the largest value of the dtype for integers: scikit-image
    scales these to 0..1.

    Examples
    --------
    >>> import numpy as np
    >>> rgb2gray(np.full((3, 1, 2), 100, "uint8"))
    array([[100., 100.]])
    """
    if image.shape[-3] > 4:
        raise ImageError(
            f"colours have 1 to 4 channels, on the axis before the plane (got shape {image.shape}); where the channels "
            "stand last, numpy.moveaxis(image, -1, -3) brings them there"
        )
    return colour.rgb_to_gray(image)


@composed(takes="image", gives="image")
def to_gray(image: Any) -> Any:
    """Convert colours to grey values, and return images without channels as they are.

    Parameters
    ----------
    image : (M, N) or (C, M, N) array of any kind
        An ``xarray.DataArray`` has channels where a dimension is named ``c``.

    Returns
    -------
    (M, N) array of the same kind

    Notes
    -----
    Colours become grey as by :func:`rgb2gray`.

    Examples
    --------
    >>> import numpy as np
    >>> to_gray(np.zeros((4, 5))).shape, to_gray(np.zeros((3, 4, 5))).shape
    ((4, 5), (4, 5))
    """
    return rgb2gray(image) if has_channels(image) else image


def has_channels(image: Any) -> bool:
    """Whether ``image`` has an axis of channels: one named c, or for arrays without names one before the plane."""
    pixels = opened(image).pixels
    return "c" in image.dims if isinstance(image, xr.DataArray) else pixels.ndim > 2
