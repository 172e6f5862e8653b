"""Smoothing filters: averages of the neighbourhood."""

from __future__ import annotations

from typing import Any

import numpy as np

from bigimg.core.isotropic import Window
from bigimg.core.lengths import Sigma, per_axis
from bigimg.core.operation import Pixels, Valid
from bigimg.core.parameters import Dims, Positive
from bigimg.engine.faces import tilewise
from bigimg.kernels import smooth
from bigimg.kernels.planes import smoothed_dtype


def smooth_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Return the dtype of an average: float32 of float32, else float64, as in scikit-image."""
    return smoothed_dtype(dtype)


def _gaussian_halo(sigma: Any, truncate: float, dims: Dims) -> tuple[int, ...]:
    return tuple(int(truncate * each + 0.5) for each in per_axis(sigma, len(dims), "sigma"))


@tilewise(halo=_gaussian_halo, dtype=smooth_dtype, scratch=4, grey_values=())
def gaussian(
    image: Pixels,
    *,
    sigma: Sigma,
    truncate: Positive = 4.0,
    dims: Dims = "yx",
    valid: Valid | None = None,
) -> Pixels:
    """Smooth an image with a Gaussian.

    Parameters
    ----------
    image : (..., M, N) array of booleans, integers or floats
        The grey values keep their range: they are not scaled to 0..1.
    sigma : float, sequence of float, or length
        Standard deviation in pixels, the same along each axis or one an axis; or a length such as ``"0.8 um"``, for an
        image that says how large its pixels are (``attrs["scale"]`` and ``attrs["units"]``).
    truncate : float
        Where the kernel ends, in standard deviations.
    dims : {"yx", "zyx"}
        Smooth each plane by itself, or the volume.

    Returns
    -------
    (..., M, N) array of float32 for float32 images, else of float64
        Pixels beyond the border of the image are reflected (``d c b a | a b c d``). Pixels that are not valid take no
        part: the weights of the others are scaled to a sum of 1.

    Notes
    -----
    Equal to ``scipy.ndimage.gaussian_filter(image.astype(float), sigma, mode="reflect", truncate=truncate)`` up to the
    rounding of the dtype, and to the bit the same however the image is cut. Of integers SciPy makes integers.

    Examples
    --------
    >>> import numpy as np
    >>> gaussian(np.eye(3), sigma=0.5).round(2)
    array([[0.81, 0.18, 0.01],
           [0.18, 0.64, 0.18],
           [0.01, 0.18, 0.81]])
    """
    return smooth.gaussian(image, per_axis(sigma, len(dims), "sigma"), truncate, len(dims), valid=valid)


@tilewise(halo=lambda size: size // 2, dtype=smooth_dtype, scratch=8, grey_values=())
def uniform(image: Pixels, *, size: Window, dims: Dims = "yx", valid: Valid | None = None) -> Pixels:
    """Replace each pixel by the mean of its neighbourhood.

    Parameters
    ----------
    image : (..., M, N) array of booleans, integers or floats
    size : int or length
        Side of the square (cubic) neighbourhood: an odd number of pixels, or a length such as ``"9 um"``.
    dims : {"yx", "zyx"}
        Filter each plane by itself, or the volume.

    Returns
    -------
    (..., M, N) array of float32 for float32 images, else of float64
        Pixels beyond the border of the image are reflected (``d c b a | a b c d``). Pixels that are not valid take no
        part.

    Notes
    -----
    Equal to ``scipy.ndimage.uniform_filter(image.astype(float), size, mode="reflect")`` up to rounding; integer images
    are summed exactly and divided once.

    Examples
    --------
    >>> import numpy as np
    >>> uniform(np.array([[0, 0, 0], [0, 9, 0], [0, 0, 0]], "uint8"), size=3)[1, 1]
    np.float64(1.0)
    """
    return smooth.uniform(image, size, len(dims), valid=valid)
