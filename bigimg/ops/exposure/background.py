"""Uneven light and what lies behind the objects: found, and taken away."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy as np

from bigimg.core.isotropic import Radius
from bigimg.core.lengths import Sigma, per_axis
from bigimg.core.operation import Pixels, Valid
from bigimg.core.parameters import Dims, ImageInput, Positive
from bigimg.engine.faces import composed, tilewise
from bigimg.engine.kinds import combine_images, opened, reduce
from bigimg.errors import ImageError
from bigimg.kernels import rolling_ball as ball
from bigimg.kernels import smooth
from bigimg.kernels.moments import Moments
from bigimg.kernels.planes import smoothed_dtype
from bigimg.ops.statistics import SumPowers, derive


def _narrow(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Return ``dtype``, which must not be an integer of 64 bits: the ball would round it."""
    if dtype.kind in "iu" and dtype.itemsize > 4:
        raise ImageError(
            f"a ball rolls under integers of at most 32 bits (got {dtype}); convert the image to float64, or to int32"
        )
    return dtype


def _unsigned(dtype: np.dtype[Any]) -> np.dtype[Any]:
    dtype = _narrow(dtype)
    return np.dtype(f"u{dtype.itemsize}") if dtype.kind == "i" else dtype


def _ball_halo(radius: float) -> int:
    return math.ceil(radius)


@tilewise(halo=_ball_halo, dtype=_narrow, scratch=16)
def rolling_ball(image: Pixels, *, radius: Radius = 100.0, dims: Dims = "yx", valid: Valid | None = None) -> Pixels:
    """Find the background: how far a ball, rolled under the landscape of grey values, reaches up (Sternberg 1983).

    Parameters
    ----------
    image : (..., M, N) array of booleans, integers of at most 32 bits, or floats
        Bright objects on a dark background; :func:`invert` turns others over.
    radius : float or length
        Of the ball, in pixels and in grey values: larger than the objects. A length such as ``"20 um"`` becomes pixels,
        and as many grey values.
    dims : {"yx", "zyx"}
        Roll a ball under each plane, or one of four dimensions under the volume.

    Returns
    -------
    (..., M, N) array of the dtype of the image
        Nowhere above the image; fractions of integers are cut off. Pixels outside the image, and those that are not
        valid, do not hold the ball up.

    Notes
    -----
    Equal to ``skimage.restoration.rolling_ball``, to the bit. A radius is in grey values too: 100 is a gentle hill for
    uint16, and flat ground for floats from 0 to 1.

    References
    ----------
    S. R. Sternberg, Biomedical image processing, Computer 16 (1983).

    Examples
    --------
    >>> import numpy as np
    >>> rolling_ball(np.array([[5, 9, 90, 9, 9]], "uint8"), radius=3)
    array([[5, 5, 5, 8, 9]], dtype=uint8)
    """
    return ball.rolling_ball(image, radius, len(dims), valid)


@tilewise(halo=_ball_halo, dtype=_unsigned, scratch=20)
def subtract_background(
    image: Pixels, *, radius: Radius = 100.0, dims: Dims = "yx", valid: Valid | None = None
) -> Pixels:
    """Take away the background that a rolling ball finds.

    Parameters
    ----------
    image : (..., M, N) array of booleans, integers of at most 32 bits, or floats
        Bright objects on a dark background.
    radius : float or length
        Of the ball, in pixels and in grey values, or a length: larger than the objects; see :func:`rolling_ball`.
    dims : {"yx", "zyx"}
        Roll a ball under each plane, or one of four dimensions under the volume.

    Returns
    -------
    (..., M, N) array
        ``image - rolling_ball(image)``, nowhere negative: of the dtype of the image, but unsigned for signed integers,
        whose differences need not fit into their own dtype.

    Notes
    -----
    Equal to ``image - skimage.restoration.rolling_ball(image)``.

    References
    ----------
    S. R. Sternberg, Biomedical image processing, Computer 16 (1983).

    Examples
    --------
    >>> import numpy as np
    >>> subtract_background(np.array([[5, 9, 90, 9, 9]], "uint8"), radius=3)
    array([[ 0,  4, 85,  1,  0]], dtype=uint8)
    """
    background = ball.rolling_ball(image, radius, len(dims), valid)
    if image.dtype.kind == "f":
        return np.asarray(image - background)
    if image.dtype.kind == "b":
        return np.asarray(image & ~background)
    # Modulo the range of the dtype, as unsigned integers are subtracted, the difference is right.
    dtype = _unsigned(image.dtype)
    return np.asarray(image.astype(dtype) - background.astype(dtype))


def _gaussian_halo(sigma: Any, truncate: float, dims: Dims) -> tuple[int, ...]:
    return tuple(int(truncate * each + 0.5) for each in per_axis(sigma, len(dims), "sigma"))


@tilewise(halo=_gaussian_halo, dtype=smoothed_dtype, scratch=12, grey_values=())
def subtract_gaussian(
    image: Pixels,
    *,
    sigma: Sigma = 50.0,
    truncate: Positive = 4.0,
    dims: Dims = "yx",
    valid: Valid | None = None,
) -> Pixels:
    """Take away the slow changes of light: the image smoothed by a wide Gaussian.

    Parameters
    ----------
    image : (..., M, N) array of booleans, integers or floats
    sigma : float, sequence of float, or length
        Standard deviation in pixels, several times the size of the objects; as for ``filters.gaussian``.
    truncate : float
        Where the kernel ends, in standard deviations.
    dims : {"yx", "zyx"}
        Smooth each plane by itself, or the volume.

    Returns
    -------
    (..., M, N) array of float32 for float32 images, else of float64
        ``image - gaussian(image)``: positive where a pixel is brighter than its surroundings, negative where it is
        darker. Pixels beyond the border of the image are reflected; those that are not valid take no part.

    Notes
    -----
    Equal to ``image - scipy.ndimage.gaussian_filter(image.astype(float), sigma, mode="reflect")`` up to rounding.

    Examples
    --------
    >>> import numpy as np
    >>> subtract_gaussian(np.array([[1.0, 1, 5, 1, 1]]), sigma=2).round(1)
    array([[-0.7, -0.8,  3.1, -0.8, -0.7]])
    """
    smoothed = smooth.gaussian(image, per_axis(sigma, len(dims), "sigma"), truncate, len(dims), valid=valid)
    return np.asarray(image.astype(smoothed.dtype) - smoothed)


@composed(takes="image", gives="image")
def flat_field(image: Any, *, flat: ImageInput, dark: ImageInput | None = None) -> Any:
    """Even out the light of a microscope or a camera, by an image of an empty field.

    Parameters
    ----------
    image : array of any kind
    flat : image of the same shape, or of its last axes
        The empty field under the same light, best an average of many.
    dark : image of the shape of the image, of ``flat``, or of its last axes, optional
        What the camera gives without any light.

    Returns
    -------
    array of the kind and shape of ``image``, float32 for float32 images, else float64
        ``(image - dark) * mean(flat - dark) / (flat - dark)``; 0 where ``flat`` is not brighter than ``dark``, as at a
        dead pixel. A pixel is valid where it is in all images; the mean is of the valid pixels of ``flat``.

    Raises
    ------
    ImageError
        If the shapes do not fit.

    Notes
    -----
    The mean is exact, and rounded once.

    Examples
    --------
    >>> import numpy as np
    >>> flat_field(np.array([[20, 40, 60]], "uint8"), flat=np.array([[1, 2, 3]], "uint8"))
    array([[40., 40., 40.]])
    """
    dtype = smoothed_dtype(opened(image).pixels.dtype)
    light = flat if dark is None else combine_images(_difference, flat, dark, dtype=np.float64)
    mean = derive(_mean, reduce(SumPowers(), light))
    others = (flat,) if dark is None else (flat, dark)
    return _times(combine_images(partial(_ratio, dtype=dtype), image, *others, dtype=dtype), factor=mean)


def _difference(first: Pixels, second: Pixels) -> Pixels:
    return np.asarray(first.astype(np.float64) - second.astype(np.float64))


def _ratio(image: Pixels, flat: Pixels, dark: Pixels | None = None, *, dtype: np.dtype[Any]) -> Pixels:
    """Return the image in units of the light that falls on each pixel; 0 where there is none."""
    light = flat.astype(np.float64) if dark is None else _difference(flat, dark)
    seen = image.astype(np.float64) if dark is None else _difference(image, dark)
    shape = np.broadcast_shapes(seen.shape, light.shape)
    ratio = np.divide(seen, light, out=np.zeros(shape), where=np.broadcast_to(light > 0, shape))
    return ratio.astype(dtype, copy=False)


@tilewise(scratch=0, accepts="f")
def _times(image: Pixels, *, factor: Any, valid: Valid | None = None) -> Pixels:  # noqa: ARG001
    """Multiply by a number."""
    return np.asarray(image * image.dtype.type(factor))


def _mean(found: Moments) -> float:
    return found.mean
