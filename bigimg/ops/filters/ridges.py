"""Ridge filters: lines such as vessels, neurites, roads and rivers, of several widths."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from bigimg.core.isotropic import Sigmas
from bigimg.core.operation import Pixels, Valid
from bigimg.core.parameters import Dims, Scale, is_deferred
from bigimg.engine.faces import composed, tilewise
from bigimg.engine.kinds import reduce, resolved
from bigimg.engine.tree import combine
from bigimg.kernels import ridges as kernel
from bigimg.kernels.gaussian_derivatives import hessian_radius
from bigimg.kernels.planes import smoothed_dtype
from bigimg.ops.statistics import Extrema, derive

_SIGMAS = (1.0, 3.0, 5.0, 7.0, 9.0)


def _halo(sigmas: Sequence[float]) -> int:
    return max(map(hessian_radius, sigmas))


def _float_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    return smoothed_dtype(dtype)


@tilewise(halo=_halo, dtype=_float_dtype, scratch=136, grey_values=())
def sato(
    image: Pixels,
    *,
    sigmas: Sigmas = _SIGMAS,
    black_ridges: bool = True,
    dims: Dims = "yx",
    valid: Valid | None = None,
) -> Pixels:
    """Find ridges by Sato's tubeness: how strongly the grey values curve across a line.

    Parameters
    ----------
    image : (..., M, N) array of booleans, integers or floats
        The grey values keep their range: they are not scaled to 0..1.
    sigmas : sequence of float or length
        Standard deviations of the Gaussians in pixels, about half the widths of the ridges, or lengths such as
        ``"2 um"``; the largest answer remains.
    black_ridges : bool
        Whether ridges are darker than what is about them, else brighter.
    dims : {"yx", "zyx"}
        Filter each plane by itself, or the volume.

    Returns
    -------
    (..., M, N) array of float32 for float32 images, else of float64
        0 where there is no ridge. Pixels beyond the border of the image are reflected (``d c b a | a b c d``). A pixel
        that is not valid counts as the pixel in the middle of the filter: the edge of a mask is no ridge.

    Notes
    -----
    Equal to ``skimage.filters.sato(image, sigmas, black_ridges)`` up to rounding.

    References
    ----------
    Y. Sato et al., Three-dimensional multi-scale line filter for segmentation and visualization of curvilinear
    structures in medical images, Medical Image Analysis 2 (1998).

    Examples
    --------
    >>> import numpy as np
    >>> line = np.where(np.arange(9) == 4, 0, 8) * np.ones((9, 1))
    >>> sato(line, sigmas=[1])[4].round(1)
    array([0. , 0. , 0. , 0.3, 2.8, 0.3, 0. , 0. , 0. ])
    """
    return kernel.sato(image, sigmas, black_ridges, len(dims), valid)


@composed(takes="image", gives="image")
def frangi(
    image: Any,
    *,
    sigmas: Sigmas = _SIGMAS,
    alpha: Scale = 0.5,
    beta: Scale = 0.5,
    gamma: Scale | None = None,
    black_ridges: bool = True,
    dims: Dims = "yx",
) -> Any:
    """Find ridges by Frangi's vesselness: whether the grey values curve across a line, and not along it.

    Parameters
    ----------
    image : array of any kind
    sigmas : sequence of float or length
        Standard deviations of the Gaussians in pixels, about half the widths of the ridges, or lengths such as
        ``"2 um"``; the largest answer remains.
    alpha : float
        Of volumes: how readily plates are taken for lines; small values take more of them.
    beta : float
        How readily spots are taken for lines; large values take more of them.
    gamma : float, optional
        How strong the curvature must be, in grey values. By default half of the largest in the whole image for the
        first of the sigmas (the root of the sum of the squares of the second derivatives), found by a reduction; one
        for all planes.
    black_ridges : bool
        Whether ridges are darker than what is about them, else brighter.
    dims : {"yx", "zyx"}
        Filter each plane by itself, or the volume.

    Returns
    -------
    array of the same kind and shape, of float32 for float32 images, else of float64
        From 0 to 1. Pixels beyond the border of the image are reflected (``d c b a | a b c d``). A pixel that is not
        valid counts as the pixel in the middle of the filter: the edge of a mask is no ridge.

    Notes
    -----
    Equal to ``skimage.filters.frangi(image, sigmas, alpha=alpha, beta=beta, gamma=gamma, black_ridges=black_ridges)``
    of the whole image up to rounding.

    References
    ----------
    A. F. Frangi et al., Multiscale vessel enhancement filtering, MICCAI (1998).

    Examples
    --------
    >>> import numpy as np
    >>> line = np.where(np.arange(9) == 4, 0, 8) * np.ones((9, 1))
    >>> frangi(line, sigmas=[1])[4].round(1)
    array([0. , 0. , 0.4, 0. , 0.9, 0. , 0.4, 0. , 0. ])
    """
    sigmas = resolved({"sigmas": sigmas}, image, len(dims), "filters.frangi").get("sigmas", sigmas)
    strength: Any = gamma
    if gamma is None:
        curved = _hessian_norm(image, sigma=sigmas[0], dims=dims)
        strength = derive(_half_of_the_largest, reduce(Extrema(), curved, ndim=len(dims)))
    return _frangi(image, sigmas=sigmas, alpha=alpha, beta=beta, gamma=strength, black_ridges=black_ridges, dims=dims)


@composed(takes="image", gives="image")
def meijering(
    image: Any,
    *,
    sigmas: Sigmas = _SIGMAS,
    alpha: float | None = None,
    black_ridges: bool = True,
    dims: Dims = "yx",
) -> Any:
    """Find ridges by Meijering's neuriteness: how strongly the grey values curve, relative to the whole image.

    Parameters
    ----------
    image : array of any kind
    sigmas : sequence of float or length
        Standard deviations of the Gaussians in pixels, about half the widths of the ridges, or lengths such as
        ``"2 um"``; the largest answer remains.
    alpha : float, optional
        How much the curvature along the line counts; by default what makes the filter flattest along it, 1/3 in planes
        and 1/4 in volumes.
    black_ridges : bool
        Whether ridges are darker than what is about them, else brighter.
    dims : {"yx", "zyx"}
        Filter each plane by itself, or the volume.

    Returns
    -------
    array of the same kind and shape, of float32 for float32 images, else of float64
        From 0 to 1: for each of the sigmas the largest answer of the whole image, of all planes, found by a reduction,
        is 1. Pixels beyond the border of the image are reflected (``d c b a | a b c d``). A pixel that is not valid
        counts as the pixel in the middle of the filter: the edge of a mask is no ridge.

    Notes
    -----
    Equal to ``skimage.filters.meijering(image, sigmas, alpha, black_ridges)`` of the whole image up to rounding.

    References
    ----------
    E. Meijering et al., Design and validation of a tool for neurite tracing and analysis in fluorescence microscopy
    images, Cytometry A 58 (2004).

    Examples
    --------
    >>> import numpy as np
    >>> line = np.where(np.arange(9) == 4, 0, 8) * np.ones((9, 1))
    >>> meijering(line, sigmas=[1])[4].round(1)
    array([0. , 0. , 0. , 0.1, 1. , 0.1, 0. , 0. , 0. ])
    """
    sigmas = resolved({"sigmas": sigmas}, image, len(dims), "filters.meijering").get("sigmas", sigmas)
    weight = 1 / (len(dims) + 1) if alpha is None else alpha

    def answers(widths: Sequence[float], largest: Any) -> Any:
        return _meijering(image, sigmas=widths, alpha=weight, largest=largest, black_ridges=black_ridges, dims=dims)

    found = [reduce(Extrema(), answers((sigma,), (1.0,)), ndim=len(dims)) for sigma in sigmas]
    return answers(sigmas, combine("value", _largest, *found) if any(map(is_deferred, found)) else _largest(*found))


@tilewise(halo=hessian_radius, dtype=_float_dtype, scratch=136, grey_values=())
def _hessian_norm(image: Pixels, *, sigma: float, dims: Dims = "yx", valid: Valid | None = None) -> Pixels:
    return kernel.hessian_norm(image, sigma, len(dims), valid)


@tilewise(halo=_halo, dtype=_float_dtype, scratch=136, grey_values=("gamma",), gives_grey=False)
def _frangi(
    image: Pixels,
    *,
    sigmas: Sigmas,
    alpha: float,
    beta: float,
    gamma: Any,
    black_ridges: bool,
    dims: Dims,
    valid: Valid | None = None,
) -> Pixels:
    return kernel.frangi(image, sigmas, alpha, beta, gamma, black_ridges, len(dims), valid)


@tilewise(halo=_halo, dtype=_float_dtype, scratch=136, grey_values=("largest",), gives_grey=False)
def _meijering(
    image: Pixels,
    *,
    sigmas: Sigmas,
    alpha: float,
    largest: Any,
    black_ridges: bool,
    dims: Dims,
    valid: Valid | None = None,
) -> Pixels:
    return kernel.meijering(image, sigmas, alpha, largest, black_ridges, len(dims), valid)


def _half_of_the_largest(extrema: tuple[Any, Any] | None) -> float:
    # Where nothing curves, or no pixel is valid, any value will do.
    return max(float(extrema[1]) / 2, 1e-100) if extrema and extrema[1] > 0 else 1.0


def _largest(*extrema: tuple[Any, Any] | None) -> tuple[float, ...]:
    return tuple(float(each[1]) if each and each[1] > 0 else 1.0 for each in extrema)
