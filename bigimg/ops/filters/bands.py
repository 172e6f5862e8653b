"""Filters that keep details of some sizes: of the Gaussian's Laplace, of the difference of two Gaussians, sharpened."""

from __future__ import annotations

from typing import Any

import numpy as np

from bigimg.core.lengths import Sigma, per_axis
from bigimg.core.operation import Pixels, Valid
from bigimg.core.parameters import Dims, Positive
from bigimg.engine.faces import tilewise
from bigimg.errors import ParameterError
from bigimg.kernels import bands, gaussian_derivatives, smooth
from bigimg.kernels.planes import smoothed_dtype

_RATIO = 1.6
"""Of the standard deviations of two Gaussians whose difference is closest to the Laplace of one (Marr and Hildreth)."""

_LEAST_SIGMA = 1e-9
"""Of a Laplace, in pixels: what is divided by its square still fits into float32."""


def _reach(sigma: Any, truncate: float, ndim: int, name: str) -> tuple[int, ...]:
    return tuple(int(truncate * each + 0.5) for each in per_axis(sigma, ndim, name))


def _laplace_halo(sigma: Any, truncate: float, dims: Dims) -> tuple[int, ...]:
    return _reach(sigma, truncate, len(dims), "sigma")


def _laplace_dtype(dtype: np.dtype[Any], sigma: Any, dims: Dims) -> np.dtype[Any]:
    if not all(per_axis(sigma, len(dims), "sigma")):
        raise ParameterError(f"sigma must be greater than 0 along each axis (got {sigma})")
    if min(per_axis(sigma, len(dims), "sigma")) < _LEAST_SIGMA:
        raise ParameterError(f"sigma must be at least {_LEAST_SIGMA:g} pixels along each axis (got {sigma})")
    return smoothed_dtype(dtype)


@tilewise(halo=_laplace_halo, dtype=_laplace_dtype, scratch=24, grey_values=())
def gaussian_laplace(
    image: Pixels, *, sigma: Sigma, truncate: Positive = 4.0, dims: Dims = "yx", valid: Valid | None = None
) -> Pixels:
    """Smooth an image with a Gaussian and take its Laplace (LoG): bright spots become negative.

    Spots of a radius of ``sigma * sqrt(2)`` (of ``sigma * sqrt(3)`` in a volume) answer most.

    Parameters
    ----------
    image : (..., M, N) array of booleans, integers or floats
        The grey values keep their range: they are not scaled to 0..1.
    sigma : float, sequence of float, or length
        Standard deviation in pixels, the same along each axis or one an axis; or a length such as ``"0.8 um"``, for an
        image that says how large its pixels are. Above 0 along each axis.
    truncate : float
        Where the Gaussian ends, in standard deviations.
    dims : {"yx", "zyx"}
        Filter each plane by itself, or the volume.

    Returns
    -------
    (..., M, N) array of float32 for float32 images, else of float64
        Pixels beyond the border of the image are reflected (``d c b a | a b c d``). A pixel that is not valid counts as
        the pixel in the middle of the filter: the edge of a mask makes no edge.

    Notes
    -----
    Equal to ``scipy.ndimage.gaussian_laplace(image.astype(float), sigma, mode="reflect", truncate=truncate)`` up to
    rounding, and to the bit the same however the image is cut.

    References
    ----------
    D. Marr and E. Hildreth, Theory of edge detection, Proc. R. Soc. Lond. B 207 (1980).

    Examples
    --------
    >>> import numpy as np
    >>> gaussian_laplace(np.array([[0, 0, 8, 0, 0]], "uint8"), sigma=1).round(1)
    array([[ 1.6,  0. , -3.2,  0. ,  1.6]])
    """
    return gaussian_derivatives.gaussian_laplace(
        image, per_axis(sigma, len(dims), "sigma"), truncate, len(dims), valid=valid
    )


def _sigmas(low_sigma: Any, high_sigma: Any, dims: Dims) -> tuple[tuple[float, ...], tuple[float, ...]]:
    low = per_axis(low_sigma, len(dims), "low_sigma")
    if high_sigma is None:
        return low, tuple(_RATIO * each for each in low)
    high = per_axis(high_sigma, len(dims), "high_sigma")
    if any(most < least for least, most in zip(low, high)):
        raise ParameterError(
            f"high_sigma must be at least low_sigma along each axis (got {high_sigma} and {low_sigma})"
        )
    return low, high


def _difference_halo(low_sigma: Any, high_sigma: Any, truncate: float, dims: Dims) -> tuple[int, ...]:
    return _reach(_sigmas(low_sigma, high_sigma, dims)[1], truncate, len(dims), "high_sigma")


def _difference_dtype(dtype: np.dtype[Any], low_sigma: Any, high_sigma: Any, dims: Dims) -> np.dtype[Any]:
    _sigmas(low_sigma, high_sigma, dims)
    return smoothed_dtype(dtype)


@tilewise(halo=_difference_halo, dtype=_difference_dtype, scratch=40, grey_values=())
def difference_of_gaussians(
    image: Pixels,
    *,
    low_sigma: Sigma,
    high_sigma: Sigma | None = None,
    truncate: Positive = 4.0,
    dims: Dims = "yx",
    valid: Valid | None = None,
) -> Pixels:
    """Keep the details between two sizes: the image smoothed a little, less the image smoothed more.

    Parameters
    ----------
    image : (..., M, N) array of booleans, integers or floats
        The grey values keep their range: they are not scaled to 0..1.
    low_sigma : float, sequence of float, or length
        Standard deviation of the smaller Gaussian in pixels, the same along each axis or one an axis; or a length such
        as ``"0.8 um"``, for an image that says how large its pixels are.
    high_sigma : float, sequence of float, or length, optional
        The same for the larger Gaussian; by default 1.6 times ``low_sigma``.
    truncate : float
        Where the Gaussians end, in standard deviations.
    dims : {"yx", "zyx"}
        Filter each plane by itself, or the volume.

    Returns
    -------
    (..., M, N) array of float32 for float32 images, else of float64
        Pixels beyond the border of the image count as the nearest one within (``a a a a | a b c d``, as scikit-image
        does here). Pixels that are not valid take no part: in each Gaussian the weights of the others are scaled to a
        sum of 1.

    Notes
    -----
    Equal to ``skimage.filters.difference_of_gaussians(image.astype(float), low_sigma, high_sigma, truncate=truncate)``
    up to rounding, and to the bit the same however the image is cut.

    References
    ----------
    D. Marr and E. Hildreth, Theory of edge detection, Proc. R. Soc. Lond. B 207 (1980).

    Examples
    --------
    >>> import numpy as np
    >>> difference_of_gaussians(np.array([[0, 0, 8, 0, 0]], "uint8"), low_sigma=0.5).round(1)
    array([[-0.2, -1. ,  2.3, -1. , -0.2]])
    """
    low, high = _sigmas(low_sigma, high_sigma, dims)
    return bands.difference_of_gaussians(image, low, high, truncate, len(dims), valid=valid)


def _unsharp_halo(radius: Any, dims: Dims) -> tuple[int, ...]:
    return _reach(radius, 4.0, len(dims), "radius")


def _unsharp_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    return smoothed_dtype(dtype)


@tilewise(halo=_unsharp_halo, dtype=_unsharp_dtype, scratch=24, grey_values=())
def unsharp_mask(
    image: Pixels, *, radius: Sigma = 1.0, amount: float = 1.0, dims: Dims = "yx", valid: Valid | None = None
) -> Pixels:
    """Sharpen an image: add what a Gaussian takes away.

    Parameters
    ----------
    image : (..., M, N) array of booleans, integers or floats
        The grey values keep their range: they are not scaled to 0..1.
    radius : float, sequence of float, or length
        Standard deviation of the Gaussian in pixels, the same along each axis or one an axis; or a length such as
        ``"0.8 um"``, for an image that says how large its pixels are. The Gaussian ends at 4 of them.
    amount : float
        How many times the details are added; negative to smooth.
    dims : {"yx", "zyx"}
        Sharpen each plane by itself, or the volume.

    Returns
    -------
    (..., M, N) array of float32 for float32 images, else of float64
        ``image + amount * (image - smoothed)``, not clipped: it may leave the range of the image's dtype. Pixels beyond
        the border of the image are reflected (``d c b a | a b c d``). Pixels that are not valid take no part: the
        weights of the others are scaled to a sum of 1.

    Notes
    -----
    Equal to ``skimage.filters.unsharp_mask(image, radius, amount, preserve_range=True)`` up to rounding, which does not
    clip either.

    References
    ----------
    M. Petrou and C. Petrou, Image Processing: The Fundamentals, 2nd edition (2010), page 357.

    Examples
    --------
    >>> import numpy as np
    >>> unsharp_mask(np.array([[1, 1, 5, 5]], "uint8"), radius=1, amount=0.5).round(1)
    array([[0.9, 0.4, 5.6, 5.1]])
    """
    result = smooth.gaussian(image, per_axis(radius, len(dims), "radius"), 4.0, len(dims), valid=valid)
    np.subtract(image, result, out=result)
    result *= result.dtype.type(amount)
    result += image
    return result
