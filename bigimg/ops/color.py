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

__all__ = ["channel", "hematoxylin", "nuclear_stain", "rgb2gray", "to_gray"]

COLOURED = 0.02
"""Difference of the channels of a pixel, as a part of the dtype's range, from which it is coloured and not grey."""


def _gray_dtype(dtype: np.dtype[Any], _: object) -> np.dtype[Any]:
    return np.dtype(np.float64 if dtype == np.float64 or (dtype.kind in "iu" and dtype.itemsize > 2) else np.float32)


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
    (..., M, N) array of float32 (float64 for float64 and wide integers)
        ``0.2125 R + 0.7154 G + 0.0721 B``, as scikit-image weighs them.

    Examples
    --------
    >>> import numpy as np
    >>> rgb2gray(np.full((3, 1, 2), 100, "uint8"))
    array([[100., 100.]], dtype=float32)
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


@tilewise(dtype="float32", drops_channels=True, scratch=32, accepts="uif")
def hematoxylin(image: Pixels, *, valid: Valid | None = None) -> Pixels:  # noqa: ARG001 - pixels stand alone
    """Measure how much haematoxylin, the blue stain of nuclei, each pixel of stained tissue holds.

    Parameters
    ----------
    image : (..., C, M, N) array
        Red, green, blue: integers over the range of their dtype, or floats from 0 to 1; alpha is ignored.

    Returns
    -------
    (..., M, N) array of float32
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
    array([[0.  , 0.08]], dtype=float32)
    """
    if image.shape[-3] < 3:
        raise ImageError(f"stains are told apart by red, green and blue (got {image.shape[-3]} channels)")
    return stain.hematoxylin(image)


@composed(takes="image", gives="image")
def nuclear_stain(image: Any) -> Any:
    """Make nuclei bright, whatever the microscopy: haematoxylin of stained tissue, grey values of fluorescence.

    Parameters
    ----------
    image : (M, N) or (C, M, N) array of any kind
        An image of colours is taken for stained tissue where a tenth of its pixels is coloured (channels differ by 2 %
        of the range), else for a grey image saved as colours.

    Returns
    -------
    (M, N) array of the same kind
        float32 (float64 for grey images of float64 and wide integers).

    Examples
    --------
    >>> import numpy as np
    >>> gray = np.full((3, 4, 4), 80, "uint8")
    >>> nuclear_stain(gray)[0, 0]
    np.float32(80.0)
    """
    if not _has_channels(image):
        return image
    return _nuclear_stain(image, coloured=reduce(IsColoured(), image))


@tilewise(dtype=_gray_dtype, drops_channels=True, scratch=32, accepts="uif")
def _nuclear_stain(image: Pixels, *, coloured: bool, valid: Valid | None = None) -> Pixels:  # noqa: ARG001
    """Measure haematoxylin or grey values."""
    if coloured:
        return stain.hematoxylin(image).astype(_gray_dtype(image.dtype, None))
    return colour.rgb_to_gray(image)


@dataclass(frozen=True)
class IsColoured(Reduction[tuple[int, int], bool]):
    """Whether the channels of an image differ."""

    name: ClassVar[str] = "coloured"

    def partial(self, tile: Tile, *images: Pixels, valid: Valid | None = None) -> tuple[int, int]:  # noqa: ARG002
        """Return how many pixels of a tile are coloured, and how many there are."""
        pixels = images[0]
        if pixels.shape[-3] < 3:
            return 0, pixels[..., 0, :, :].size
        spread = stain.channel_spread(pixels)
        full = np.iinfo(pixels.dtype).max if pixels.dtype.kind in "iu" else 1.0
        count = spread.size
        if valid is not None:
            use = np.broadcast_to(valid, pixels.shape).all(axis=-3)
            spread, count = spread[use], int(use.sum())
        # Counted, not summed: whole numbers are the same in any order.
        return int((spread > COLOURED * full).sum()), count

    def merge(self, first: tuple[int, int], second: tuple[int, int]) -> tuple[int, int]:
        """Return the counts of both."""
        return first[0] + second[0], first[1] + second[1]

    def finish(self, state: tuple[int, int]) -> bool:
        """Say whether a tenth of the pixels is coloured."""
        return state[0] * 10 > state[1]


def _has_channels(image: Any) -> bool:
    pixels = opened(image).pixels
    return "c" in image.dims if isinstance(image, xr.DataArray) else pixels.ndim > 2
