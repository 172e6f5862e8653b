"""Denoising that keeps edges: averages over what is alike."""

from __future__ import annotations

from math import ceil
from typing import Annotated, Any

import numpy as np
from annotated_types import Ge, Le

from bigimg.core.isotropic import RoundSigma, Window
from bigimg.core.operation import Pixels, Valid
from bigimg.core.parameters import Count, Dims, Odd, Positive
from bigimg.engine.faces import composed, tilewise
from bigimg.engine.kinds import reduce, resolved
from bigimg.kernels import bilateral as bilateral_kernel
from bigimg.kernels import nl_means as nl_means_kernel
from bigimg.kernels.planes import smoothed_dtype
from bigimg.ops.exposure.values import std_value
from bigimg.ops.statistics import Extrema


def _float_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    return smoothed_dtype(dtype)


@composed(takes="image", gives="image")
def bilateral(
    image: Any,
    *,
    win_size: Window | None = None,
    sigma_color: Positive | None = None,
    sigma_spatial: RoundSigma = 1.0,
    bins: Annotated[int, Ge(1), Le(2**20)] = 10000,
    dims: Dims = "yx",
) -> Any:
    """Average over neighbours that are near and of a similar grey value: noise goes, edges stay.

    Parameters
    ----------
    image : array of any kind
        The grey values keep their range: they are not scaled to 0..1.
    win_size : int or length, optional
        Side of the window: an odd number of pixels, or a length such as ``"9 um"``. By default 3 of ``sigma_spatial``
        to each side, and at least 5 pixels.
    sigma_color : float, optional
        Standard deviation of the difference of grey values, in grey values. By default that of the grey values of the
        whole image, found by a reduction; one for all planes.
    sigma_spatial : float or length
        Standard deviation of the distance in pixels; or a length such as ``"2 um"``.
    bins : int
        How finely differences of grey values are told apart, between 0 and the range of the whole image (another
        reduction): their weights come from a table.
    dims : {"yx", "zyx"}
        Denoise each plane by itself, or the volume.

    Returns
    -------
    array of the same kind and shape, of float32 for float32 images, else of float64
        Pixels beyond the border of the image are reflected (``d c b a | a b c d``). Pixels that are not valid take no
        part.

    Notes
    -----
    What ``skimage.restoration.denoise_bilateral(image.astype(float), win_size, sigma_color, sigma_spatial, bins,
    mode="symmetric")`` of the whole image is meant to give. scikit-image 0.26 itself reads the weights of distance from
    the wrong places: its table for a window of 5 has 6 x 6 entries and is read as one of 5 x 5, so that the pixel in
    the middle has not the largest weight. With the right table its own loop gives these results to the bit (in
    float64). Of images with negative grey values it also makes the table of colours for another range than it reads it
    for. It takes planes only.

    References
    ----------
    C. Tomasi and R. Manduchi, Bilateral filtering for gray and color images, ICCV (1998).

    Examples
    --------
    >>> import numpy as np
    >>> bilateral(np.array([[0, 1, 8, 9]], "uint8"), win_size=3, sigma_color=2).round(1)
    array([[0.2, 0.7, 8.3, 8.8]])
    """
    sizes = {"win_size": win_size, "sigma_spatial": sigma_spatial}
    sizes |= resolved(sizes, image, len(dims), "filters.bilateral")
    spread = sizes["sigma_spatial"]
    return _bilateral(
        image,
        win_size=sizes["win_size"] or max(5, 2 * ceil(3 * spread) + 1),
        sigma_color=std_value(image) if sigma_color is None else sigma_color,
        sigma_spatial=spread,
        bins=bins,
        extrema=reduce(Extrema(), image, ndim=len(dims)),
        dims=dims,
    )


@tilewise(halo=lambda win_size: win_size // 2, dtype=_float_dtype, scratch=24)
def _bilateral(
    image: Pixels,
    *,
    win_size: int,
    sigma_color: Any,
    sigma_spatial: float,
    bins: int,
    extrema: Any,
    dims: Dims,
    valid: Valid | None = None,
) -> Pixels:
    low, high = (float(each) for each in extrema or (0, 0))
    return bilateral_kernel.bilateral(
        image, win_size, sigma_color, sigma_spatial, bins, low, high, len(dims), valid=valid
    )


@tilewise(
    halo=lambda patch_size, patch_distance: patch_size // 2 + patch_distance,
    dtype=_float_dtype,
    scratch=24,
    grey_values=("h", "sigma"),
)
def nl_means(
    image: Pixels,
    *,
    h: Positive,
    patch_size: Odd = 7,
    patch_distance: Count = 11,
    sigma: Annotated[float, Ge(0)] = 0.0,
    dims: Dims = "yx",
    valid: Valid | None = None,
) -> Pixels:
    """Average over pixels whose surroundings look alike (non-local means): noise goes, texture stays.

    Parameters
    ----------
    image : (..., M, N) array of booleans, integers or floats
        The grey values keep their range: they are not scaled to 0..1.
    h : float
        How different patches may be, in grey values; about the standard deviation of the noise.
    patch_size : int
        Side of the patches that are compared, in pixels; odd.
    patch_distance : int
        How far away along each axis patches are looked for, in pixels. This is the limit of the method here: not the
        whole image is searched, but a window of ``2 * patch_distance + 1``, as in scikit-image. A tile reads
        ``patch_size // 2 + patch_distance`` pixels more.
    sigma : float
        Standard deviation of the noise in grey values; patches differ by it in any case. With it, a smaller ``h``.
    dims : {"yx", "zyx"}
        Denoise each plane by itself, or the volume.

    Returns
    -------
    (..., M, N) array of float32 for float32 images, else of float64
        Patches are mirrored at the border of the image (``d c b | a b c d``), where the search ends. Pixels that are
        not valid are not averaged, and patches are compared by the pixels that are valid in both.

    Notes
    -----
    Equal to ``skimage.restoration.denoise_nl_means(image.astype(float), patch_size, patch_distance, h,
    fast_mode=False, sigma=sigma, preserve_range=True)`` up to rounding, its approximate exponential included, except
    that a patch more than 700 times too different weighs nothing here, where scikit-image's exponential leaves its
    range. Its ``fast_mode=True`` compares patches without the Gaussian, and is slower than this.

    References
    ----------
    A. Buades, B. Coll and J.-M. Morel, A non-local algorithm for image denoising, CVPR (2005).

    Examples
    --------
    >>> import numpy as np
    >>> nl_means(np.array([[0, 1, 0, 9, 8, 9]], "uint8"), h=3, patch_size=3).round(1)
    array([[0.4, 0.4, 0.2, 8.8, 8.6, 8.6]])
    """
    return nl_means_kernel.nl_means(image, patch_size, patch_distance, h, sigma, len(dims), valid=valid)
