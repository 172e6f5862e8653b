"""Colours converted from one space to another; each pixel by itself, all channels at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Annotated, Any

import numpy as np
import xarray as xr
from annotated_types import Ge, Le
from pydantic import Strict

from bigimg.core.operation import Pixels
from bigimg.engine.channels import mix_channels
from bigimg.engine.faces import composed
from bigimg.engine.kinds import opened
from bigimg.errors import ImageError
from bigimg.kernels import colour_spaces as kernel
from bigimg.kernels.planes import smoothed_dtype

_Part = Annotated[float, Ge(0), Le(1)]
Rgb = Annotated[tuple[_Part, _Part, _Part], Strict(False)]


@composed(takes="image", gives="image")
def rgb2hsv(image: Any) -> Any:
    """Convert red, green and blue to hue, saturation and value.

    Parameters
    ----------
    image : (..., 3, M, N) array of any kind
        Integers over the range of their dtype, or floats from 0 to 1. An ``xarray.DataArray`` has its channels in the
        dimension ``c``.

    Returns
    -------
    (..., 3, M, N) array of float32 for float32 images, else of float64
        Each in 0..1. The hue of grey is 0.

    Notes
    -----
    Equal to ``skimage.color.rgb2hsv``.

    Examples
    --------
    >>> import numpy as np
    >>> rgb2hsv(np.array([[[0]], [[255]], [[0]]], "uint8")).ravel().round(2)
    array([0.33, 1.  , 1.  ])
    """
    return _convert(kernel.rgb2hsv, image, 3, "color.rgb2hsv", ("hue", "saturation", "value"))


@composed(takes="image", gives="image")
def hsv2rgb(image: Any) -> Any:
    """Convert hue, saturation and value to red, green and blue.

    Parameters
    ----------
    image : (..., 3, M, N) array of any kind
        Floats from 0 to 1, or integers over the range of their dtype.

    Returns
    -------
    (..., 3, M, N) array of float32 for float32 images, else of float64
        Each in 0..1.

    Notes
    -----
    Equal to ``skimage.color.hsv2rgb``.

    Examples
    --------
    >>> import numpy as np
    >>> hsv2rgb(np.array([[[0.5]], [[1.0]], [[1.0]]])).ravel()
    array([0., 1., 1.])
    """
    return _convert(kernel.hsv2rgb, image, 3, "color.hsv2rgb", ("red", "green", "blue"))


@composed(takes="image", gives="image")
def rgb2lab(image: Any) -> Any:
    """Convert red, green and blue to CIE L*a*b*, in which distances are differences that people see.

    Parameters
    ----------
    image : (..., 3, M, N) array of any kind
        sRGB: integers over the range of their dtype, or floats from 0 to 1.

    Returns
    -------
    (..., 3, M, N) array of float32 for float32 images, else of float64
        L* from 0 to 100; a* and b* of both signs, 0 for grey.

    Notes
    -----
    Equal to ``skimage.color.rgb2lab`` (D65, observer of 2 degrees) within rounding.

    References
    ----------
    CIE 15: Colorimetry, 4th edition (2018).

    Examples
    --------
    >>> import numpy as np
    >>> rgb2lab(np.full((3, 1, 1), 255, "uint8")).ravel().round(1)[0]
    np.float64(100.0)
    """
    return _convert(kernel.rgb2lab, image, 3, "color.rgb2lab", ("L*", "a*", "b*"))


@composed(takes="image", gives="image")
def lab2rgb(image: Any) -> Any:
    """Convert CIE L*a*b* to red, green and blue.

    Parameters
    ----------
    image : (..., 3, M, N) array of any kind
        L* from 0 to 100, a* and b*; integers are the numbers they are.

    Returns
    -------
    (..., 3, M, N) array of float32 for float32 images, else of float64
        sRGB in 0..1; colours that it does not hold are clipped.

    Notes
    -----
    Equal to ``skimage.color.lab2rgb`` (D65, observer of 2 degrees) within rounding.

    Examples
    --------
    >>> import numpy as np
    >>> lab2rgb(np.array([[[100.0]], [[0.0]], [[0.0]]])).ravel().round(2)
    array([1., 1., 1.])
    """
    return _convert(kernel.lab2rgb, image, 3, "color.lab2rgb", ("red", "green", "blue"))


@composed(takes="image", gives="image")
def rgb2hed(image: Any) -> Any:
    """Separate the stains of tissue: haematoxylin, eosin and DAB.

    Parameters
    ----------
    image : (..., 3, M, N) array of any kind
        Integers over the range of their dtype, or floats from 0 to 1.

    Returns
    -------
    (..., 3, M, N) array of float32 for float32 images, else of float64
        How much of each; 0 where there is none.

    Notes
    -----
    Equal to ``skimage.color.rgb2hed``. :func:`hematoxylin` gives the first alone.

    References
    ----------
    A. C. Ruifrok and D. A. Johnston, Quantification of histochemical staining by color deconvolution, Analytical and
    Quantitative Cytology and Histology 23 (2001).

    Examples
    --------
    >>> import numpy as np
    >>> rgb2hed(np.full((3, 1, 1), 255, "uint8")).ravel()
    array([0., 0., 0.])
    """
    return _convert(kernel.rgb2hed, image, 3, "color.rgb2hed", ("hematoxylin", "eosin", "DAB"))


@composed(takes="image", gives="image")
def hed2rgb(image: Any) -> Any:
    """Paint tissue with its stains: haematoxylin, eosin and DAB to red, green and blue.

    Parameters
    ----------
    image : (..., 3, M, N) array of any kind
        How much of each stain, as :func:`rgb2hed` gives it.

    Returns
    -------
    (..., 3, M, N) array of float32 for float32 images, else of float64
        Each in 0..1.

    Notes
    -----
    Equal to ``skimage.color.hed2rgb``.

    Examples
    --------
    >>> import numpy as np
    >>> hed2rgb(np.zeros((3, 1, 1))).ravel()
    array([1., 1., 1.])
    """
    return _convert(kernel.hed2rgb, image, 3, "color.hed2rgb", ("red", "green", "blue"))


@composed(takes="image", gives="image")
def rgb2cmyk(image: Any) -> Any:
    """Convert red, green and blue to cyan, magenta, yellow and black, as simple printers do.

    Parameters
    ----------
    image : (..., 3, M, N) array of any kind
        Integers over the range of their dtype, or floats from 0 to 1.

    Returns
    -------
    (..., 4, M, N) array of float32 for float32 images, else of float64
        Each in 0..1: ``k = 1 - max(r, g, b)`` and ``c = (1 - r - k) / (1 - k)``; black has no colour.

    Notes
    -----
    A formula without a colour profile: what a press prints looks otherwise. scikit-image has no such conversion.

    Examples
    --------
    >>> import numpy as np
    >>> rgb2cmyk(np.array([[[255]], [[0]], [[0]]], "uint8")).ravel()
    array([0., 1., 1., 0.])
    """
    return _convert(kernel.rgb2cmyk, image, 3, "color.rgb2cmyk", ("cyan", "magenta", "yellow", "black"))


@composed(takes="image", gives="image")
def cmyk2rgb(image: Any) -> Any:
    """Convert cyan, magenta, yellow and black to red, green and blue.

    Parameters
    ----------
    image : (..., 4, M, N) array of any kind
        Integers over the range of their dtype, or floats from 0 to 1.

    Returns
    -------
    (..., 3, M, N) array of float32 for float32 images, else of float64
        Each in 0..1: ``r = (1 - c) (1 - k)``.

    Notes
    -----
    The inverse of :func:`rgb2cmyk`. scikit-image has no such conversion.

    Examples
    --------
    >>> import numpy as np
    >>> cmyk2rgb(np.array([[[0.0]], [[1.0]], [[1.0]], [[0.0]]])).ravel()
    array([1., 0., 0.])
    """
    return _convert(kernel.cmyk2rgb, image, 4, "color.cmyk2rgb", ("red", "green", "blue"))


@composed(takes="image", gives="image")
def rgba2rgb(image: Any, *, background: Rgb = (1.0, 1.0, 1.0)) -> Any:
    """Blend colours that have an alpha onto a background.

    Parameters
    ----------
    image : (..., 4, M, N) array of any kind
        Red, green, blue and alpha: integers over the range of their dtype, or floats from 0 to 1.
    background : (float, float, float)
        Red, green and blue in 0..1; white by default.

    Returns
    -------
    (..., 3, M, N) array of float32 for float32 images, else of float64
        Each in 0..1.

    Notes
    -----
    Equal to ``skimage.color.rgba2rgb``.

    Examples
    --------
    >>> import numpy as np
    >>> rgba2rgb(np.array([[[0.0]], [[0.0]], [[0.0]], [[0.25]]])).ravel()
    array([0.75, 0.75, 0.75])
    """
    blend = partial(kernel.rgba2rgb, background=background)
    return _convert(blend, image, 4, "color.rgba2rgb", ("red", "green", "blue"))


def _convert(
    function: Callable[[Pixels], Pixels], image: Any, takes: int, name: str, channel_names: Sequence[str]
) -> Any:
    pixels = opened(image).pixels
    if isinstance(image, xr.DataArray):
        channels = image.sizes.get("c", 0)
    else:
        channels = pixels.shape[-3] if pixels.ndim > 2 else 0
    if channels != takes:
        more = "; color.rgba2rgb blends an alpha onto a background" if (takes, channels) == (3, 4) else ""
        raise ImageError(
            f"{name} needs {takes} channels, on the axis before the plane or in a dimension named 'c' (got shape "
            f"{image.shape}); where the channels stand last, numpy.moveaxis(image, -1, -3) brings them there{more}"
        )
    dtype = smoothed_dtype(np.dtype(pixels.dtype))
    return mix_channels(function, image, len(channel_names), dtype, name=name, channel_names=channel_names)
