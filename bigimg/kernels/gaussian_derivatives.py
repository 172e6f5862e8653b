"""Derivatives of an image smoothed by a Gaussian: its Laplace, and the matrix of its second derivatives (Hessian).

Pixels beyond the border are reflected (``d c b a | a b c d``). A pixel that is not valid counts as the one in the
middle, so that the edge of a mask makes no edge.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from math import sqrt
from typing import Any

import numpy as np

from bigimg.core.operation import Pixels, Valid
from bigimg.kernels.convolution import COMPILED, add_middle
from bigimg.kernels.planes import as_planes, as_valid_planes, read_only, smoothed_dtype
from bigimg.kernels.separable import Terms, correlate_axis, correlate_terms
from bigimg.kernels.taps import Weights

_FARTHEST = 9.0
"""Standard deviations beyond which the weight of a Gaussian is less than the rounding of float64 can show."""


def gaussian_laplace(
    pixels: Pixels, sigma: Sequence[float], truncate: float, ndim: int, valid: Valid | None = None
) -> Pixels:
    """Return the Laplace of the image smoothed by a Gaussian.

    Parameters
    ----------
    pixels
        (..., M, N) or (..., L, M, N), of any real dtype; the last ``ndim`` axes are spatial.
    sigma
        Standard deviation in pixels along each of the spatial axes, above 0.
    truncate
        Where the Gaussian ends, in standard deviations.
    valid
        Which pixels count.

    Returns
    -------
    ndarray of the shape of ``pixels`` and its range of grey values, of float32 for float32 and float16, else of
    float64.

    Notes
    -----
    As ``scipy.ndimage.gaussian_laplace(pixels.astype(float), sigma, mode="reflect", truncate=truncate)``.

    Examples
    --------
    >>> gaussian_laplace(np.array([[0, 0, 8, 0, 0]], np.uint8), (1.0, 1.0), 4.0, 2).round(2)
    array([[ 1.58,  0.02, -3.19,  0.02,  1.58]])
    """
    smooth = [gaussian_weights(each, 0, int(truncate * each + 0.5)) for each in sigma]
    curve = [gaussian_weights(each, 2, int(truncate * each + 0.5)) for each in sigma]
    within: Terms = [(curve[-2], smooth[-1]), (smooth[-2], curve[-1])]

    def linear(out: Pixels, planes: Pixels) -> None:
        if ndim == 2:
            correlate_terms(out, planes, within)
            return
        for target, source in zip(out, planes):
            flat = correlate_axis(source, smooth[0], 0, out.dtype)
            deep = correlate_axis(source, curve[0], 0, out.dtype)
            correlate_terms(target, flat, within)
            correlate_terms(target, deep, [(smooth[1], smooth[2])], add=True)

    return _applied(linear, pixels, ndim, valid)


def hessian_radius(sigma: float) -> int:
    """Return how far the second derivatives by :func:`hessian` see: twice the reach of one Gaussian."""
    return 2 * _hessian_reach(sigma)


def hessian(pixels: Pixels, sigma: float, ndim: int, valid: Valid | None = None) -> Pixels:
    """Return the second derivatives of the image smoothed by a Gaussian.

    Two first derivatives follow one another, each of a Gaussian of ``sigma / sqrt(2)``.

    Parameters
    ----------
    pixels
        (..., M, N) or (..., L, M, N), of any real dtype; the last ``ndim`` axes are spatial.
    sigma
        Standard deviation in pixels.
    valid
        Which pixels count.

    Returns
    -------
    (3, ...) or (6, ...) ndarray
        The upper triangle by its rows: ``rr``, ``rc``, ``cc`` of planes. Each of the shape of ``pixels``, of float32
        for float32 and float16, else of float64.

    Notes
    -----
    As ``skimage.feature.hessian_matrix(pixels.astype(float), sigma, mode="reflect", use_gaussian_derivatives=True)``.
    The weights that it sums beyond 9 standard deviations (for a sigma of at most 1 it goes to 100) are left out: they
    are below the rounding of what is summed.

    Examples
    --------
    >>> hessian(np.eye(5), 1.0, 2)[:, 2, 2].round(2)
    array([-0.13,  0.14, -0.13])
    """
    reach = _hessian_reach(sigma)
    smooth = gaussian_weights(sigma * sqrt(0.5), 0, reach)
    slope = gaussian_weights(sigma * sqrt(0.5), 1, reach)

    elements = ndim * (ndim + 1) // 2

    def linear(out: Pixels, planes: Pixels) -> None:
        for index, source in enumerate(planes):
            element = 0
            for first, gradient in enumerate(_slopes(source, slope, smooth, range(ndim), out.dtype)):
                for part in _slopes(gradient, slope, smooth, range(first, ndim), out.dtype):
                    out[element, index] = part
                    element += 1

    return _applied(linear, pixels, ndim, valid, (elements,))


def gaussian_weights(sigma: float, order: int, radius: int) -> Weights:
    """Return the weights of a Gaussian or of its first or second derivative, as SciPy correlates with them.

    Examples
    --------
    >>> gaussian_weights(1.0, 1, 1).round(2)
    array([-0.27,  0.  ,  0.27])
    """
    offset = np.arange(-radius, radius + 1)
    weights = np.exp(-0.5 / (sigma * sigma) * offset**2)
    weights /= weights.sum()
    if order == 1:
        weights *= offset / (sigma * sigma)
    elif order == 2:
        weights *= offset**2 / sigma**4 - 1 / (sigma * sigma)
    return np.asarray(weights)


def _hessian_reach(sigma: float) -> int:
    each = sigma * sqrt(0.5)
    return int(min(8 if sigma > 1 else 100, _FARTHEST) * each + 0.5)


def _slopes(
    source: Pixels, slope: Weights, smooth: Weights, axes: Iterable[int], dtype: np.dtype[Any]
) -> Iterator[Pixels]:
    """Yield a plane or volume with ``slope`` along each of ``axes`` in turn, and ``smooth`` along the others."""
    deep = None
    for axis in axes:
        within = source
        if source.ndim == 3 and axis == 0:
            within = correlate_axis(source, slope, 0, dtype)
        elif source.ndim == 3:
            deep = correlate_axis(source, smooth, 0, dtype) if deep is None else deep
            within = deep
        out = np.empty(source.shape, dtype)
        weights = [slope if axis == each - 2 + source.ndim else smooth for each in (0, 1)]
        correlate_terms(out, within, [(weights[0], weights[1])])
        yield read_only(out)


def _applied(
    linear: Callable[[Pixels, Pixels], None],
    pixels: Pixels,
    ndim: int,
    valid: Valid | None,
    elements: tuple[int, ...] = (),
) -> Pixels:
    planes = as_planes(pixels, ndim, COMPILED)
    out = np.empty((*elements, *planes.shape), smoothed_dtype(pixels.dtype))
    if valid is None:
        linear(out, planes)
    else:
        add_middle(out, planes, as_valid_planes(valid, pixels, ndim), linear)
    return out.reshape(*elements, *pixels.shape)
