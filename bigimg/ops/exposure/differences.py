"""Images compared with another, pixel by pixel."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from bigimg.core.operation import Pixels
from bigimg.core.parameters import ImageInput
from bigimg.engine.faces import composed
from bigimg.engine.kinds import combine_images, opened
from bigimg.errors import ImageError
from bigimg.kernels.planes import smoothed_dtype

_OWNER = "exposure.absolute_difference"


@composed(takes="image", gives="image")
def absolute_difference(image: Any, *, other: ImageInput) -> Any:
    """Say how much every pixel differs from that of another image, such as the background of a video.

    Parameters
    ----------
    image : array of booleans, integers of at most 32 bits, or floats
    other : image of the same shape, or of its last axes
        One background serves all frames.

    Returns
    -------
    array of the kind and shape of ``image``
        ``abs(image - other)``: of unsigned integers wide enough where both are of integers or booleans; else of float32
        for float32 images and of float64 for others. A pixel is valid where it is in both.

    Raises
    ------
    ImageError
        If the shapes do not fit, or a difference leaves the range of its dtype.

    Notes
    -----
    Equal to ``cv2.absdiff`` where that takes the images, and to the result of ``skimage.util.compare_images(image,
    other, method="diff")`` but for its scaling of integers to 0..1.

    Examples
    --------
    >>> import numpy as np
    >>> absolute_difference(np.array([[5, 9, 90]], "uint8"), other=np.array([[7, 9, 10]], "uint8"))
    array([[ 2,  0, 80]], dtype=uint8)
    """
    dtype = _dtype(*(np.dtype(opened(each).pixels.dtype) for each in (image, other)))
    return combine_images(partial(_distance, dtype=dtype), image, other, dtype=dtype)


def _dtype(first: np.dtype[Any], second: np.dtype[Any]) -> np.dtype[Any]:
    if any(each.kind in "iu" and each.itemsize > 4 for each in (first, second)):
        raise ImageError(f"{_OWNER} takes integers of at most 32 bits (got {first} and {second}); convert to float64")
    if "f" in (first.kind, second.kind):
        return smoothed_dtype(first)
    wide = np.promote_types(first, second)
    return np.dtype(np.uint8) if wide.kind == "b" else np.dtype(f"u{min(wide.itemsize, 4)}")


def _distance(image: Pixels, other: Pixels, *, dtype: np.dtype[Any]) -> Pixels:
    if dtype == np.uint8 and image.dtype == other.dtype == np.uint8:
        return np.maximum(image, other) - np.minimum(image, other)
    exact = np.float64 if dtype.kind == "f" else np.int64
    with np.errstate(over="ignore"):
        found = np.abs(image.astype(exact) - other.astype(exact)).astype(dtype)
    if dtype.kind == "f" and np.isinf(found).any() and np.isfinite(image).all() and np.isfinite(other).all():
        raise ImageError(
            f"{_OWNER}: two pixels differ by more than {dtype} holds; divide both images by a number first"
        )
    return found
