"""Colours and channels. The axis of channels is the one named ``c``, or the one before the plane."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import numpy as np
import xarray as xr
from annotated_types import Ge

from bigimg.core.operation import Pixels, Valid
from bigimg.core.reduction import Reduction
from bigimg.core.tile import Tile
from bigimg.engine.faces import composed, tilewise
from bigimg.engine.kinds import opened, reduce
from bigimg.errors import ImageError, ParameterError
from bigimg.kernels import colour, stain
from bigimg.kernels.planes import smoothed_dtype

__all__ = ["channel", "hematoxylin", "nuclear_stain", "rgb2gray", "to_gray"]

COLOURED = 0.02
"""Difference of the channels of a pixel, as a part of the dtype's range, from which it is coloured and not grey."""


def _gray_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    return smoothed_dtype(dtype)


@tilewise(dtype=_gray_dtype, drops_channels=True, scratch=8)
def rgb2gray(image: Pixels, *, valid: Valid | None = None) -> Pixels:  # noqa: ARG001 - pixels stand alone
    """Convert colours to grey values.

    Parameters
    ----------
    image : (..., C, M, N) array of integers or floats
        Red, green, blue, and perhaps alpha; the values keep their range. An image of one channel, or of grey and alpha,
        gives the grey.

    Returns
    -------
    (..., M, N) array of float32 for float32 images, else of float64
        ``0.2125 R + 0.7154 G + 0.0721 B``, as scikit-image weighs them.

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

    Examples
    --------
    >>> import numpy as np
    >>> to_gray(np.zeros((4, 5))).shape, to_gray(np.zeros((3, 4, 5))).shape
    ((4, 5), (4, 5))
    """
    return rgb2gray(image) if _has_channels(image) else image


@tilewise(drops_channels=True, scratch=0)
def channel(image: Pixels, *, index: Annotated[int, Ge(0)], valid: Valid | None = None) -> Pixels:  # noqa: ARG001
    """Select one channel.

    Parameters
    ----------
    image : (..., C, M, N) array
    index : int
        Which one, from 0.

    Returns
    -------
    (..., M, N) array of the dtype of the image

    Examples
    --------
    >>> import numpy as np
    >>> channel(np.arange(6).reshape(2, 1, 3), index=1)
    array([[3, 4, 5]])
    """
    if index >= image.shape[-3]:
        raise ParameterError(f"color.channel: index must be less than the {image.shape[-3]} channels (got {index})")
    return image[..., index, :, :]


@tilewise(dtype=_gray_dtype, drops_channels=True, scratch=32, accepts="uif")
def hematoxylin(image: Pixels, *, valid: Valid | None = None) -> Pixels:  # noqa: ARG001 - pixels stand alone
    """Measure how much haematoxylin, the blue stain of nuclei, each pixel of stained tissue holds.

    Parameters
    ----------
    image : (..., C, M, N) array
        Red, green, blue: integers over the range of their dtype, or floats from 0 to 1; alpha is ignored.

    Returns
    -------
    (..., M, N) array of float32 for float32 images, else of float64
        0 where there is none; the more, the darker the stain.

    Notes
    -----
    Equal to the first channel of ``skimage.color.rgb2hed``.

    References
    ----------
    A. C. Ruifrok and D. A. Johnston, Quantification of histochemical staining by color deconvolution, Analytical and
    Quantitative Cytology and Histology 23 (2001).

    Examples
    --------
    >>> import numpy as np
    >>> white, blue = [255, 255, 255], [90, 90, 200]
    >>> hematoxylin(np.array([[white, blue]], "uint8").transpose(2, 0, 1)).round(2)
    array([[0.  , 0.13]])
    """
    if image.shape[-3] < 3:
        raise ImageError(f"stains are told apart by red, green and blue (got {image.shape[-3]} channels)")
    return stain.hematoxylin(image)


@composed(takes="image", gives="image")
def nuclear_stain(image: Any) -> Any:
    """Make nuclei bright, whatever the microscopy: stained tissue, bright field, fluorescence.

    Parameters
    ----------
    image : (M, N) or (C, M, N) array of any kind
        Integers over the range of their dtype, or floats from 0 to 1. Taken for stained tissue where a tenth of its
        pixels is coloured (channels differ by 2 % of the range), else for grey; a grey image for bright field where
        more than half of its pixels lie in the upper half of the range, else for fluorescence.

    Returns
    -------
    (M, N) array of the same kind
        Haematoxylin of stained tissue, darkness of bright field (the largest value of the dtype less the grey value),
        grey values of fluorescence. float32 for float32 images, else float64.

    Examples
    --------
    >>> import numpy as np
    >>> nuclear_stain(np.array([[250, 250, 10]], "uint8"))
    array([[  5.,   5., 245.]])
    """
    if not _has_channels(image):
        return _upright(image, look=reduce(Look(channels=False), image))
    return _nuclear_stain(image, look=reduce(Look(channels=True), image))


@tilewise(dtype=_gray_dtype, scratch=8)
def _upright(image: Pixels, *, look: Any, valid: Valid | None = None) -> Pixels:  # noqa: ARG001
    """Turn dark on bright into bright on dark."""
    grey = image.astype(_gray_dtype(image.dtype))
    return grey.dtype.type(_full(image.dtype)) - grey if look == "bright field" else grey


@tilewise(dtype=_gray_dtype, drops_channels=True, scratch=32)
def _nuclear_stain(image: Pixels, *, look: Any, valid: Valid | None = None) -> Pixels:  # noqa: ARG001
    """Measure haematoxylin, darkness or grey values."""
    if look == "stained":
        return stain.hematoxylin(image)
    grey = colour.rgb_to_gray(image)
    return grey.dtype.type(_full(image.dtype)) - grey if look == "bright field" else grey


@dataclass(frozen=True)
class Look(Reduction[tuple[int, int, int], str]):
    """Which microscopy an image looks like; whole numbers of pixels are counted, so that no order matters."""

    channels: bool
    name: ClassVar[str] = "look"

    def partial(self, tile: Tile, *images: Pixels, valid: Valid | None = None) -> tuple[int, int, int]:  # noqa: ARG002
        """Return how many pixels of a tile are coloured, how many bright, and how many there are."""
        pixels = images[0]
        full = _full(pixels.dtype)
        first = pixels[..., 0, :, :] if self.channels else pixels
        coloured = np.zeros(first.shape, bool)
        if self.channels and pixels.shape[-3] >= 3:
            coloured = stain.channel_spread(pixels) > COLOURED * full
        use: Valid = np.ones(first.shape, bool)
        if valid is not None:
            full_mask = np.broadcast_to(valid, pixels.shape)
            use = np.asarray(full_mask.all(axis=-3)) if self.channels else full_mask
        return int((coloured & use).sum()), int(((first > full / 2) & use).sum()), int(use.sum())

    def merge(self, first: tuple[int, int, int], second: tuple[int, int, int]) -> tuple[int, int, int]:
        """Return the counts of both."""
        return first[0] + second[0], first[1] + second[1], first[2] + second[2]

    def finish(self, state: tuple[int, int, int]) -> str:
        """Say what the image looks like."""
        coloured, bright, count = state
        if coloured * 10 > count:
            return "stained"
        return "bright field" if bright * 2 > count else "fluorescence"


def _full(dtype: np.dtype[Any]) -> float:
    return float(np.iinfo(dtype).max) if dtype.kind in "iu" else 1.0


def _has_channels(image: Any) -> bool:
    pixels = opened(image).pixels
    return "c" in image.dims if isinstance(image, xr.DataArray) else pixels.ndim > 2
