"""Thresholds by the mean and the standard deviation of the neighbourhood of each pixel."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from annotated_types import Gt

from bigimg.core.isotropic import Window
from bigimg.core.operation import Pixels, Valid
from bigimg.core.parameters import Dims, Positive
from bigimg.engine.faces import tilewise
from bigimg.kernels import local


@tilewise(halo=lambda window_size: window_size // 2, dtype="bool", gives="mask", scratch=1)
def niblack(
    image: Pixels, *, window_size: Window = 15, k: float = 0.2, dims: Dims = "yx", valid: Valid | None = None
) -> Pixels:
    """Say which pixels are brighter than Niblack's threshold of their neighbourhood.

    The threshold is ``mean - k * std``.

    Parameters
    ----------
    image : (..., M, N) array of booleans, integers or floats
    window_size : int or length
        Side of the square (cubic) neighbourhood: an odd number of pixels, or a length such as ``"9 um"``.
    k : float
        How many standard deviations the threshold lies below the mean; negative for above.
    dims : {"yx", "zyx"}
        Look at each plane by itself, or at the volume.

    Returns
    -------
    (..., M, N) boolean array
        Pixels beyond the border are mirrored (``d c b | a b c d``, as scikit-image does here), and pixels that are not
        valid take no part.

    Notes
    -----
    Equal to ``image > skimage.filters.threshold_niblack(image, window_size, k)``. For float32, scikit-image rounds the
    mean of squares to float32, which leaves little of a small deviation; here it stays float64. In an even region every
    pixel equals its threshold, and is not brighter; of floats that are even but for rounding, rounding decides.

    References
    ----------
    W. Niblack, An Introduction to Digital Image Processing, Prentice-Hall (1986).

    Examples
    --------
    >>> import numpy as np
    >>> niblack(np.array([[1, 1, 1], [1, 9, 1], [1, 1, 1]], "uint8"), window_size=3, k=-0.2).astype(int)
    array([[0, 0, 0],
           [0, 1, 0],
           [0, 0, 0]])
    """
    return local.niblack_mask(image, window_size, k, len(dims), valid=valid)


@tilewise(halo=lambda window_size: window_size // 2, dtype="bool", gives="mask", scratch=1)
def sauvola(
    image: Pixels,
    *,
    window_size: Window = 15,
    k: float = 0.2,
    r: Annotated[float, Gt(0)] | None = None,
    dims: Dims = "yx",
    valid: Valid | None = None,
) -> Pixels:
    """Say which pixels are brighter than Sauvola's threshold of their neighbourhood.

    The threshold is ``mean * (1 + k * (std / r - 1))``.

    Parameters
    ----------
    image : (..., M, N) array of booleans, integers or floats
    window_size : int or length
        Side of the square (cubic) neighbourhood: an odd number of pixels, or a length such as ``"9 um"``.
    k : float
        Weight of the deviation.
    r : float, optional
        Dynamic range of the standard deviation; by default half of the range of the dtype: 32767.5 for uint16, and 1
        for floats, which scikit-image takes to lie in -1..1. Give it for floats of another range.
    dims : {"yx", "zyx"}
        Look at each plane by itself, or at the volume.

    Returns
    -------
    (..., M, N) boolean array
        Pixels beyond the border are mirrored (``d c b | a b c d``, as scikit-image does here), and pixels that are not
        valid take no part.

    Notes
    -----
    Equal to ``image > skimage.filters.threshold_sauvola(image, window_size, k, r)``. For float32, scikit-image rounds
    the mean of squares to float32, which leaves little of a small deviation; here it stays float64.

    References
    ----------
    J. Sauvola and M. Pietikainen, Adaptive document image binarization, Pattern Recognition 33 (2000).

    Examples
    --------
    >>> import numpy as np
    >>> sauvola(np.array([[1, 1, 1], [1, 9, 1], [1, 1, 1]], "uint8"), window_size=3)[1, 1]
    np.True_
    """
    return local.sauvola_mask(
        image, window_size, k, _dynamic_range(image.dtype) if r is None else r, len(dims), valid=valid
    )


@tilewise(halo=lambda window_size: window_size // 2, dtype="bool", gives="mask", scratch=1)
def phansalkar(
    image: Pixels,
    *,
    window_size: Window = 15,
    k: float = 0.25,
    r: Positive = 0.5,
    p: float = 2.0,
    q: float = 10.0,
    scale: Positive | None = None,
    dims: Dims = "yx",
    valid: Valid | None = None,
) -> Pixels:
    """Say which pixels are brighter than Phansalkar's threshold of their neighbourhood, made for dim images.

    The threshold is ``mean * (1 + p * exp(-q * mean) + k * (std / r - 1))`` of grey values between 0 and 1.

    Parameters
    ----------
    image : (..., M, N) array of booleans, integers or floats
    window_size : int or length
        Side of the square (cubic) neighbourhood: an odd number of pixels, or a length such as ``"9 um"``.
    k : float
        Weight of the deviation.
    r : float
        Dynamic range of the standard deviation, of grey values between 0 and 1.
    p, q : float
        By how much the threshold is raised in the dark, and how fast that fades as the mean grows.
    scale : float, optional
        The grey value that counts as 1; by default the greatest of the dtype, and 1 for floats. Give it for floats of
        another range, such as 65535 for a smoothed uint16 image.
    dims : {"yx", "zyx"}
        Look at each plane by itself, or at the volume.

    Returns
    -------
    (..., M, N) boolean array
        Pixels beyond the border are mirrored (``d c b | a b c d``, as in :func:`sauvola`), and pixels that are not
        valid take no part.

    Notes
    -----
    scikit-image has no such threshold. Mean and deviation are those of ``skimage.filters.threshold_niblack``, and the
    rule and its default values are those of ImageJ's Auto Local Threshold. ImageJ first stretches the image from its
    least to its greatest grey value, and takes a disk as the neighbourhood: rescale the image first for the former.

    References
    ----------
    N. Phansalkar, S. More, A. Sabale and M. Joshi, Adaptive local thresholding for detection of nuclei in diversity
    stained cytology images, ICCSP (2011).

    Examples
    --------
    >>> import numpy as np
    >>> phansalkar(np.array([[10, 10, 10], [10, 90, 10], [10, 10, 10]], "uint8"), window_size=3).astype(int)
    array([[0, 0, 0],
           [0, 1, 0],
           [0, 0, 0]])
    """
    one = _greatest(image.dtype) if scale is None else scale
    return local.phansalkar_mask(image, window_size, k, r * one, p, q / one, len(dims), valid=valid)


def _dynamic_range(dtype: np.dtype[Any]) -> float:
    if dtype.kind in "iu":
        info = np.iinfo(dtype)
        return 0.5 * (int(info.max) - int(info.min))
    return 0.5 if dtype.kind == "b" else 1.0


def _greatest(dtype: np.dtype[Any]) -> float:
    return float(np.iinfo(dtype).max) if dtype.kind in "iu" else 1.0
