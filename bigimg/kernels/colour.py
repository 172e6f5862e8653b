"""Colour to grey, pixel by pixel."""

from __future__ import annotations

import numpy as np
from numba import njit

from bigimg.core.operation import Pixels, Valid
from bigimg.errors import ImageError
from bigimg.kernels.planes import as_planes, smoothed_dtype

_RED, _GREEN, _BLUE = 0.2125, 0.7154, 0.0721


def rgb_to_gray(pixels: Pixels, channel_axis: int = -3, valid: Valid | None = None) -> Pixels:  # noqa: ARG001
    """Return the luminance of a colour image, in the range of its colours.

    Parameters
    ----------
    pixels
        An image with 3 channels (red, green, blue), 4 (and alpha), 1 (grey) or 2 (grey and alpha).
    channel_axis
        Which axis is the channels.
    valid
        Not looked at: a pixel depends on no other.

    Returns
    -------
    ndarray without the channel axis, of float32 for float32 and float16, else of float64.

    Raises
    ------
    ImageError
        If there are no such channels.

    Notes
    -----
    ``0.2125 R + 0.7154 G + 0.0721 B``, the weights of ``skimage.color.rgb2gray``, but the range is kept: white is 255
    for uint8. Colours with an alpha are blended onto white, as ``skimage.color.rgba2rgb`` does; opaque and white are
    the greatest value of an integer dtype, and 1 for floating point. The alpha of a grey image is ignored.

    Examples
    --------
    >>> rgb_to_gray(np.full((3, 1, 2), 255, np.uint8))
    array([[255., 255.]])
    """
    if pixels.ndim < 3 or not -pixels.ndim <= channel_axis < pixels.ndim:
        raise ImageError(f"needs an image with a channel axis and two more (got shape {pixels.shape})")
    channels = np.moveaxis(pixels, channel_axis, 0)
    shape = channels.shape[1:]
    if len(channels) in {1, 2}:
        return channels[0].astype(smoothed_dtype(pixels.dtype))
    if len(channels) not in {3, 4}:
        raise ImageError(f"needs 1 to 4 channels: grey or red, green, blue, and perhaps alpha (got {len(channels)})")
    white = float(np.iinfo(pixels.dtype).max) if pixels.dtype.kind in "iu" else 1.0
    out = np.empty(int(np.prod(shape, dtype=np.int64)), smoothed_dtype(pixels.dtype))
    flat = [as_planes(channel.reshape(1, -1), 2, "u1 u2 f4 f8")[0][0] for channel in channels]
    _luminance(out, flat[0], flat[1], flat[2])
    if len(channels) == 4:
        _blend(out, flat[3], white)
    return out.reshape(shape)


# In float64, and rounded once: in float32, the weights of white would be further from white.
@njit(nogil=True, cache=True)
def _luminance(out: Pixels, red: Pixels, green: Pixels, blue: Pixels) -> None:
    for x in range(out.shape[0]):
        out[x] = _RED * red[x] + _GREEN * green[x] + _BLUE * blue[x]


@njit(nogil=True, cache=True, error_model="numpy")
def _blend(out: Pixels, alpha: Pixels, white: float) -> None:
    for x in range(out.shape[0]):
        opacity = alpha[x] / white
        out[x] = (1 - opacity) * white + opacity * out[x]
