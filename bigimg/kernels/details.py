"""What erosion and dilation leave out: top-hats, gradients, and patterns in masks."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bigimg.core.footprint import reach_beyond
from bigimg.kernels.morphology import closing, dilate, erode, opening
from bigimg.kernels.steps import Mask

Pixels = NDArray[Any]


def white_tophat(pixels: Pixels, footprint: Mask, ndim: int, valid: Mask | None = None) -> Pixels:
    """Return what an opening takes away, ``pixels - opening``, as ``skimage.morphology.white_tophat``.

    Parameters, shapes and errors are those of `morphology.erode`. Of booleans: ``pixels & ~opening``. Differences that
    do not fit into a signed integer dtype wrap around, as NumPy's do.

    Examples
    --------
    >>> white_tophat(np.array([[1, 9, 1, 8, 8, 8, 1]], np.uint8), np.ones((1, 3), bool), ndim=2)
    array([[0, 8, 0, 0, 0, 0, 0]], dtype=uint8)
    """
    return _difference(pixels, opening(pixels, footprint, ndim, valid))


def black_tophat(pixels: Pixels, footprint: Mask, ndim: int, valid: Mask | None = None) -> Pixels:
    """Return what a closing adds, ``closing - pixels``, as ``skimage.morphology.black_tophat``.

    Parameters, shapes and errors are those of `morphology.erode`. Of booleans: ``closing & ~pixels``. Differences that
    do not fit into a signed integer dtype wrap around, as NumPy's do.

    Examples
    --------
    >>> black_tophat(np.array([[9, 1, 9, 2, 2, 2, 9]], np.uint8), np.ones((1, 3), bool), ndim=2)
    array([[0, 8, 0, 0, 0, 0, 0]], dtype=uint8)
    """
    return _difference(closing(pixels, footprint, ndim, valid), pixels)


def gradient(pixels: Pixels, footprint: Mask, ndim: int, valid: Mask | None = None) -> Pixels:
    """Return the range of the neighbours of each pixel: dilation - erosion; of booleans, where they differ.

    Parameters, shapes and errors are those of `morphology.erode`. The range of signed integers comes as unsigned
    integers of as many bytes, which hold it. Where no neighbour takes part it is 0.

    Examples
    --------
    >>> gradient(np.array([[-100, 100, 100, 100]], np.int8), np.ones((1, 3), bool), ndim=2)
    array([[200, 200,   0,   0]], dtype=uint8)
    """
    low, high = erode(pixels, footprint, ndim, valid), dilate(pixels, footprint, ndim, valid)
    if pixels.dtype.kind == "b":
        return high & ~low
    whole = gradient_dtype(pixels.dtype)
    if pixels.dtype.kind == "f":  # infinity less infinity is no number
        with np.errstate(over="ignore"):
            return np.subtract(high, low, out=np.zeros_like(high), where=high > low)
    # Of a difference modulo 2^n the unsigned reading is right, whatever the signs were.
    result = np.subtract(high.view(whole), low.view(whole))
    if not np.asarray(footprint)[tuple((size - 1) // 2 for size in np.shape(footprint))]:
        result[high < low] = 0  # nothing but its own centre is sure to lie in the image
    return result


def gradient_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Return the dtype of a `gradient`: that of the image, and unsigned for signed integers."""
    return np.dtype(dtype.str.replace("i", "u")) if dtype.kind == "i" else dtype


def hit_or_miss(pixels: Mask, hit: Mask, miss: Mask | None, ndim: int) -> Mask:
    """Return where all pixels of ``hit`` are True and all of ``miss`` False, as ``scipy.ndimage.binary_hit_or_miss``.

    Parameters
    ----------
    pixels
        Boolean, (..., M, N) or, with ``ndim=3``, (..., P, M, N); what lies outside is False.
    hit, miss
        Footprints; without ``miss`` no pixel has to be False.
    ndim
        2 or 3: how many of the last axes are space.

    Examples
    --------
    >>> hit_or_miss(np.array([[1, 1, 0, 1]], bool), np.array([[1]], bool), np.array([[0, 0, 1]], bool), ndim=2)
    array([[False,  True, False,  True]])
    """
    found = erode(pixels, hit, ndim)
    # Erosion leaves out what lies outside the image, as if it were True: there nothing can be hit.
    for axis, (before, behind) in zip(range(-ndim, 0), reach_beyond(np.asarray(hit, bool))):
        along = np.moveaxis(found, axis, 0)
        along[:before] = False
        along[max(0, len(along) - behind) :] = False
    return found if miss is None else found & erode(~pixels, miss, ndim)


def _difference(upper: Pixels, lower: Pixels) -> Pixels:
    if upper.dtype.kind == "b":
        return upper & ~lower
    # inf - inf is NaN in scikit-image too; at invalid pixels nobody looks.
    with np.errstate(invalid="ignore", over="ignore"):
        return (upper - lower).astype(upper.dtype, copy=False)
