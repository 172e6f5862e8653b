"""Channels and bands by number or name, and the indices made of two of them."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
import xarray as xr
from annotated_types import Ge, Len
from pydantic import Strict

from bigimg.core.operation import Pixels, Valid
from bigimg.core.parameters import Moderate
from bigimg.engine.channels import mix_channels
from bigimg.engine.faces import composed, tilewise
from bigimg.engine.kinds import opened
from bigimg.errors import ImageError, ParameterError, UnknownNameError
from bigimg.kernels.planes import smoothed_dtype

Band = Annotated[int, Ge(0)] | str
"""Which channel: its number from 0, or its name."""

Factor = Moderate
"""Of a reflectance: so large that no sensor needs more, and no product of a number of float32 overflows."""

_LARGE, _SMALLER = 2.0**600, 2.0**-700
"""Products of numbers below the first do not overflow; the second makes such of all others."""

Bands = Annotated[tuple[Band, ...], Strict(False), Len(1)]


@composed(takes="image", gives="image")
def channel(image: Any, *, index: Band) -> Any:
    """Select one channel.

    Parameters
    ----------
    image : (..., C, M, N) array of any kind
    index : int or str
        Which one: from 0, or its name in ``attrs["channel_names"]`` or in the coordinate ``c`` of an
        ``xarray.DataArray``.

    Returns
    -------
    (..., M, N) array of the dtype of the image

    Examples
    --------
    >>> import numpy as np
    >>> channel(np.arange(6).reshape(2, 1, 3), index=1)
    array([[3, 4, 5]])
    """
    return _channel(image, index=_number(image, index, "color.channel"))


@composed(takes="image", gives="image")
def channels(image: Any, *, indices: Bands) -> Any:
    """Select some channels, in the order given.

    Parameters
    ----------
    image : (..., C, M, N) array of any kind
    indices : sequence of int or str
        Which ones: from 0, or by name as in :func:`channel`.

    Returns
    -------
    (..., len(indices), M, N) array of the dtype of the image

    Examples
    --------
    >>> import numpy as np
    >>> channels(np.arange(6).reshape(3, 1, 2), indices=[2, 0])
    array([[[4, 5]],
    <BLANKLINE>
           [[0, 1]]])
    """
    numbers = tuple(_number(image, index, "color.channels") for index in indices)
    known = _names(image)
    names = [known[number] for number in numbers] if known else None
    dtype = opened(image).pixels.dtype
    return mix_channels(_Take(numbers), image, len(numbers), dtype, name="color.channels", channel_names=names)


@composed(takes="image", gives="image")
def normalized_difference(image: Any, *, first: Band, second: Band, scale: Factor = 1.0, offset: Factor = 0.0) -> Any:
    """Compare two bands: ``(first - second) / (first + second)``.

    Parameters
    ----------
    image : (..., C, M, N) array of any kind
    first, second : int or str
        The bands: from 0, or by name as in :func:`channel`.
    scale, offset : float
        What makes reflectances of stored values, ``scale * value + offset``: such as 2.75e-5 and -0.2 for Landsat's
        collection 2. A scale alone changes nothing.

    Returns
    -------
    (..., M, N) array of float32 for float32 images, else of float64
        From -1 to 1 where neither band is negative; 0 where both are 0.

    Notes
    -----
    NDVI is the near infrared and red, NDWI (McFeeters) green and near infrared, NBR near and short-wave infrared.

    Examples
    --------
    >>> import numpy as np
    >>> normalized_difference(np.array([[[30, 0]], [[10, 0]]], "uint8"), first=0, second=1)
    array([[0.5, 0. ]])
    """
    bands = [_number(image, band, "color.normalized_difference") for band in (first, second)]
    return _normalized_difference(image, first=bands[0], second=bands[1], scale=scale, offset=offset)


@composed(takes="image", gives="image")
def band_difference(image: Any, *, first: Band, second: Band, scale: Factor = 1.0) -> Any:
    """Subtract one band from another: ``scale * (first - second)``.

    Parameters
    ----------
    image : (..., C, M, N) array of any kind
    first, second : int or str
        The bands: from 0, or by name as in :func:`channel`.
    scale : float
        What makes reflectances of stored values, such as 2.75e-5 for Landsat's collection 2; an offset goes with the
        difference.

    Returns
    -------
    (..., M, N) array of float32 for float32 images, else of float64
        May be negative.

    Examples
    --------
    >>> import numpy as np
    >>> band_difference(np.array([[[30, 0]], [[10, 5]]], "uint8"), first=0, second=1)
    array([[20., -5.]])
    """
    bands = [_number(image, band, "color.band_difference") for band in (first, second)]
    return _band_difference(image, first=bands[0], second=bands[1], scale=scale)


@composed(takes="image", gives="image")
def ndvi(image: Any, *, nir: Band, red: Band, scale: Factor = 1.0, offset: Factor = 0.0) -> Any:
    """Measure vegetation: the normalized difference of the near infrared and red (Rouse 1974).

    Parameters
    ----------
    image : (..., C, M, N) array of any kind
    nir, red : int or str
        The bands: from 0, or by name as in :func:`channel`.
    scale, offset : float
        What makes reflectances of stored values; see :func:`normalized_difference`.

    Returns
    -------
    (..., M, N) array of float32 for float32 images, else of float64
        From -1 to 1: plants are well above 0. 0 where both bands are 0.

    Examples
    --------
    >>> import numpy as np
    >>> ndvi(np.array([[[10]], [[30]]], "uint16"), nir=1, red=0)
    array([[0.5]])
    """
    return normalized_difference(image, first=nir, second=red, scale=scale, offset=offset)


@composed(takes="image", gives="image")
def ndwi(image: Any, *, green: Band, nir: Band, scale: Factor = 1.0, offset: Factor = 0.0) -> Any:
    """Measure open water: the normalized difference of green and the near infrared (McFeeters 1996).

    Parameters
    ----------
    image : (..., C, M, N) array of any kind
    green, nir : int or str
        The bands: from 0, or by name as in :func:`channel`.
    scale, offset : float
        What makes reflectances of stored values; see :func:`normalized_difference`.

    Returns
    -------
    (..., M, N) array of float32 for float32 images, else of float64
        From -1 to 1: water is above 0. 0 where both bands are 0.

    Examples
    --------
    >>> import numpy as np
    >>> ndwi(np.array([[[30]], [[10]]], "uint16"), green=0, nir=1)
    array([[0.5]])
    """
    return normalized_difference(image, first=green, second=nir, scale=scale, offset=offset)


@tilewise(drops_channels=True, dtype=smoothed_dtype, scratch=24)
def _band_difference(
    image: Pixels,
    *,
    first: int,
    second: int,
    scale: float,
    valid: Valid | None = None,  # noqa: ARG001 - pixels stand alone
) -> Pixels:
    one, other = (image[..., band, :, :].astype(np.float64) for band in (first, second))
    with np.errstate(over="ignore"):
        return np.asarray((one * scale - other * scale).astype(smoothed_dtype(image.dtype)))


@tilewise(drops_channels=True, scratch=0)
def _channel(image: Pixels, *, index: int, valid: Valid | None = None) -> Pixels:  # noqa: ARG001 - pixels stand alone
    return image[..., index, :, :]


@tilewise(dtype=smoothed_dtype, drops_channels=True, scratch=32)
def _normalized_difference(
    image: Pixels,
    *,
    first: int,
    second: int,
    scale: float,
    offset: float,
    valid: Valid | None = None,  # noqa: ARG001
) -> Pixels:
    bands = [image[..., band, :, :].astype(np.float64) for band in (first, second)]
    difference = _ratio(bands[0], bands[1], scale, offset)
    if image.dtype.kind == "f" and image.dtype.itemsize > 4:
        # Where a sum leaves the range of float64, both bands are made smaller, which leaves their ratio as it is.
        large = (np.abs(bands[0]) > _LARGE) | (np.abs(bands[1]) > _LARGE)
        if large.any():
            small = [band[large] * _SMALLER for band in bands]
            difference[large] = _ratio(small[0], small[1], scale, offset * _SMALLER)
    return difference.astype(smoothed_dtype(image.dtype))


def _ratio(first: Pixels, second: Pixels, scale: float, offset: float) -> Pixels:
    with np.errstate(over="ignore", invalid="ignore"):
        one, other = first * scale + offset, second * scale + offset
        total = one + other
        return np.divide(one - other, total, out=np.zeros(total.shape), where=total != 0)


class _Take:
    """Takes some of the channels."""

    def __init__(self, numbers: tuple[int, ...]) -> None:
        self.numbers = numbers

    def __call__(self, pixels: Pixels) -> Pixels:
        return pixels[..., list(self.numbers), :, :]

    def __dask_tokenize__(self) -> object:
        return "channels", self.numbers


def _number(image: Any, band: int | str, owner: str) -> int:
    """Return the number of a channel given by number or name."""
    pixels = opened(image).pixels
    if isinstance(image, xr.DataArray):
        count = image.sizes.get("c", 0)
    else:
        count = pixels.shape[-3] if pixels.ndim > 2 else 0
    if not count:
        raise ImageError(
            f"{owner} needs an image with channels, on the axis before the plane or in a dimension named 'c'"
        )
    if isinstance(band, int):
        if band >= count:
            raise ParameterError(f"{owner}: a channel must be less than the {count} there are (got {band})")
        return band
    names = _names(image)
    if not names:
        raise ParameterError(f"{owner}: the image does not name its channels; give a number from 0 to {count - 1}")
    if band not in names:
        raise UnknownNameError.of("channel", band, names)
    return names.index(band)


def _names(image: Any) -> list[str]:
    """Return the names of the channels, where the image knows them."""
    if not isinstance(image, xr.DataArray):
        return []
    named = image.attrs.get("channel_names") or image.coords.get("c", xr.DataArray([])).values.tolist()
    return [str(name) for name in named]
