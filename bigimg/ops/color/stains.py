"""Stains of tissue told apart by colour."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from bigimg.core.operation import Pixels, Valid
from bigimg.core.reduction import Reduction
from bigimg.core.tile import Tile
from bigimg.engine.faces import composed, tilewise
from bigimg.engine.kinds import reduce
from bigimg.errors import ImageError
from bigimg.kernels import colour, stain
from bigimg.ops.color.gray import gray_dtype, has_channels

COLOURED = 0.02
"""Difference of the channels of a pixel, as a part of the dtype's range, from which it is coloured and not grey."""


@tilewise(dtype=gray_dtype, drops_channels=True, scratch=32, accepts="uif")
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
    if not has_channels(image):
        return _upright(image, look=reduce(Look(channels=False), image))
    return _nuclear_stain(image, look=reduce(Look(channels=True), image))


@tilewise(dtype=gray_dtype, scratch=8)
def _upright(image: Pixels, *, look: Any, valid: Valid | None = None) -> Pixels:  # noqa: ARG001
    """Turn dark on bright into bright on dark."""
    grey = image.astype(gray_dtype(image.dtype))
    return grey.dtype.type(_full(image.dtype)) - grey if look == "bright field" else grey


@tilewise(dtype=gray_dtype, drops_channels=True, scratch=32)
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
