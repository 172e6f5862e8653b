"""Equalisation of the histogram of a whole image."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

import numpy as np
from annotated_types import Ge, Le

from bigimg.core.operation import Pixels, Valid
from bigimg.engine.faces import composed, tilewise
from bigimg.engine.kinds import opened
from bigimg.kernels import equalize as kernel
from bigimg.kernels.planes import smoothed_dtype
from bigimg.ops.statistics import BINS, Histogram, derive, histogram

Bins = Annotated[int, Ge(1), Le(2**20)]


@composed(takes="image", gives="image")
def equalize_hist(image: Any, *, nbins: Bins = BINS) -> Any:
    """Replace each grey value by the part of the pixels that is not brighter, so that all become equally frequent.

    Parameters
    ----------
    image : array of any kind
        One histogram for all of it.
    nbins : int
        Bins of floating point images; each grey value of integers is counted by itself.

    Returns
    -------
    array of the same kind and shape, float32 for float32 images, else float64
        From 0 to 1. Pixels that are not valid are not counted (the ``mask`` of scikit-image).

    Raises
    ------
    ImageError
        If integers span more than 16,777,216 grey values.

    Notes
    -----
    Equal to ``skimage.exposure.equalize_hist``, to the bit; but a floating point image of one grey value becomes 1, as
    one of integers does, and not 0.5.

    Examples
    --------
    >>> import numpy as np
    >>> equalize_hist(np.array([[7, 7, 8, 200]], "uint8"))
    array([[0.5 , 0.5 , 0.75, 1.  ]])
    """
    dtype = opened(image).pixels.dtype
    return _equalize(image, curve=derive(partial(_curve, dtype=dtype), histogram(image, bins=nbins)))


@tilewise(dtype=smoothed_dtype, scratch=8)
def _equalize(image: Pixels, *, curve: Any, valid: Valid | None = None) -> Pixels:  # noqa: ARG001 - a pixel stands alone
    """Look grey values up in a curve."""
    if curve is None:
        return np.zeros(image.shape, smoothed_dtype(image.dtype))
    return kernel.equalize(image, *curve)


def _curve(found: Histogram, dtype: np.dtype[Any]) -> tuple[Pixels, Pixels] | None:
    if not found.counts.size:
        return None
    return found.centers, kernel.cumulative(found.counts, dtype)
