"""Linear filters by their weights: given ones, and Gabor's."""

from __future__ import annotations

from typing import Any

import numpy as np

from bigimg.core.operation import Pixels, Valid
from bigimg.core.parameters import Dims, Positive
from bigimg.core.weights import Weights
from bigimg.engine.faces import tilewise
from bigimg.errors import ParameterError
from bigimg.kernels import convolution
from bigimg.kernels import gabor as kernel
from bigimg.kernels.planes import smoothed_dtype


def _reach(weights: Any, dims: Dims) -> tuple[int, ...]:
    _check(weights, dims)
    return tuple(size // 2 for size in weights.shape)


def _check(weights: Any, dims: Dims) -> None:
    if weights.ndim != len(dims):
        raise ParameterError(
            f"dims={dims!r} needs weights of {len(dims)} axes (got {weights.ndim}); "
            "for a volume give dims='zyx' and weights of 3 axes"
        )


def _linear_dtype(dtype: np.dtype[Any], weights: Any, dims: Dims) -> np.dtype[Any]:
    _check(weights, dims)
    return smoothed_dtype(dtype)


@tilewise(halo=_reach, dtype=_linear_dtype, scratch=16, grey_values=())
def correlate(image: Pixels, *, weights: Weights, dims: Dims = "yx", valid: Valid | None = None) -> Pixels:
    """Replace each pixel by the weighted sum of those around it.

    Parameters
    ----------
    image : (..., M, N) array of booleans, integers or floats
    weights : array, or nested lists of numbers
        2 axes for planes, 3 for volumes. What weighs the pixel itself is at ``size // 2`` along each axis.
    dims : {"yx", "zyx"}
        Filter each plane by itself, or the volume.

    Returns
    -------
    (..., M, N) array of float32 for float32 images, else of float64
        Never of the integers of the image: no sum is cut off. Pixels beyond the border of the image are reflected
        (``d c b a | a b c d``), as often as large weights need. A pixel that is not valid counts as the pixel in the
        middle of the filter: the edge of a mask makes no edge, and weights with a sum of 1 keep a constant image.

    Notes
    -----
    Equal to ``scipy.ndimage.correlate(image.astype(float), weights, mode="reflect")`` up to rounding, and to the bit
    for integer images and weights. SciPy 1.17 reads beyond its memory where the weights reach further than the image is
    wide; here reflection goes on. Weights that are a product of a filter down and one along, or the sum of few of them,
    are applied as such: a Gaussian of 31 x 31 takes 62 steps, not 961. Others of more than about 11 x 11 are slower
    than a Fourier transform would be, whose rounding depends on how the image is cut.

    Examples
    --------
    >>> import numpy as np
    >>> correlate(np.array([[0, 0, 4, 4]], "uint8"), weights=[[-1, 0, 2]])
    array([[0., 8., 8., 4.]])
    """
    return convolution.correlate(image, weights, len(dims), valid=valid)


@tilewise(halo=_reach, dtype=_linear_dtype, scratch=16, grey_values=())
def convolve(image: Pixels, *, weights: Weights, dims: Dims = "yx", valid: Valid | None = None) -> Pixels:
    """Convolve an image with weights: :func:`correlate` with the weights turned round.

    Parameters
    ----------
    image : (..., M, N) array of booleans, integers or floats
    weights : array, or nested lists of numbers
        2 axes for planes, 3 for volumes. What weighs the pixel itself is at ``size // 2`` along each axis.
    dims : {"yx", "zyx"}
        Filter each plane by itself, or the volume.

    Returns
    -------
    (..., M, N) array of float32 for float32 images, else of float64
        Never of the integers of the image: no sum is cut off. Pixels beyond the border of the image are reflected
        (``d c b a | a b c d``), as often as large weights need. A pixel that is not valid counts as the pixel in the
        middle of the filter: the edge of a mask makes no edge, and weights with a sum of 1 keep a constant image.

    Notes
    -----
    Equal to ``scipy.ndimage.convolve(image.astype(float), weights, mode="reflect")`` up to rounding, and to the bit for
    integer images and weights.

    Examples
    --------
    >>> import numpy as np
    >>> convolve(np.array([[0, 0, 4, 4]], "uint8"), weights=[[-1, 0, 2]])
    array([[ 0., -4., -4.,  4.]])
    """
    return convolution.convolve(image, weights, len(dims), valid=valid)


def _widths(frequency: float, bandwidth: float, sigma_x: float | None, sigma_y: float | None) -> tuple[float, float]:
    sigma = kernel.gabor_sigma(frequency, bandwidth)
    return sigma_x or sigma, sigma_y or sigma


def _gabor_halo(
    frequency: float, theta: float, bandwidth: float, sigma_x: float | None, sigma_y: float | None, n_stds: float
) -> tuple[int, ...]:
    return kernel.gabor_radius(theta, *_widths(frequency, bandwidth, sigma_x, sigma_y), n_stds)


def _gabor_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    return smoothed_dtype(dtype)


@tilewise(halo=_gabor_halo, dtype=_gabor_dtype, scratch=24, grey_values=())
def gabor(
    image: Pixels,
    *,
    frequency: Positive,
    theta: float = 0.0,
    bandwidth: Positive = 1.0,
    sigma_x: Positive | None = None,
    sigma_y: Positive | None = None,
    n_stds: Positive = 3.0,
    offset: float = 0.0,
    part: kernel.Part = "real",
    valid: Valid | None = None,
) -> Pixels:
    """Find waves of one frequency and direction by a Gabor filter: a wave under a Gaussian.

    Parameters
    ----------
    image : (..., M, N) array of booleans, integers or floats
        Each plane is filtered by itself: the filter has 2 axes.
    frequency : float
        Of the wave, in cycles a pixel.
    theta : float
        Direction of the wave in radians: at 0 it goes along x, from column to column; at pi / 2 along y.
    bandwidth : float
        What the filter lets pass, in octaves; it gives the standard deviations that are not given.
    sigma_x, sigma_y : float, optional
        Standard deviations along the wave and across it, in pixels.
    n_stds : float
        Where the Gaussian ends, in standard deviations.
    offset : float
        Phase of the wave in radians.
    part : {"real", "imaginary", "magnitude"}
        The response to the cosine, to the sine, or the root of the sum of their squares.

    Returns
    -------
    (..., M, N) array of float32 for float32 images, else of float64
        Pixels beyond the border of the image are reflected (``d c b a | a b c d``). A pixel that is not valid counts as
        the pixel in the middle of the filter: the edge of a mask makes no edge.

    Notes
    -----
    Equal to ``skimage.filters.gabor(image.astype(float), frequency, ...)`` up to rounding: to its first, its second
    result, and ``numpy.hypot`` of both. Of integer images scikit-image rounds the response to integers.

    References
    ----------
    J. G. Daugman, Uncertainty relation for resolution in space, spatial frequency, and orientation optimized by
    two-dimensional visual cortical filters, J. Opt. Soc. Am. A 2 (1985).

    Examples
    --------
    >>> import numpy as np
    >>> stripes = np.tile([0, 8, 0, -8], (9, 8)).astype("int8")
    >>> gabor(stripes, frequency=0.25, part="magnitude")[4, 16].round(1)
    np.float64(4.0)
    """
    sigma = _widths(frequency, bandwidth, sigma_x, sigma_y)
    real, imaginary = kernel.gabor_weights(frequency, theta, *sigma, n_stds, offset)
    return kernel.gabor(image, real, imaginary, part, valid)
