"""Thresholds by an average of the neighbourhood of each pixel."""

from __future__ import annotations

from bigimg.core.isotropic import Window
from bigimg.core.operation import Pixels, Valid
from bigimg.core.parameters import Dims
from bigimg.engine.faces import tilewise
from bigimg.kernels import local, local_averages


def _gaussian_halo(window_size: int) -> int:
    return int(local_averages.TRUNCATE * local_averages.gaussian_sigma(window_size) + 0.5)


@tilewise(halo=lambda window_size: window_size // 2, dtype="bool", gives="mask", scratch=1, grey_values=("offset",))
def local_mean(
    image: Pixels, *, window_size: Window, offset: float = 0.0, dims: Dims = "yx", valid: Valid | None = None
) -> Pixels:
    """Say which pixels are brighter than the mean of their neighbourhood.

    Parameters
    ----------
    image : (..., M, N) array of booleans, integers or floats
    window_size : int or length
        Side of the square (cubic) neighbourhood: an odd number of pixels, or a length such as ``"9 um"``.
    offset : float
        Subtracted from the mean; in grey values.
    dims : {"yx", "zyx"}
        Look at each plane by itself, or at the volume.

    Returns
    -------
    (..., M, N) boolean array
        ``image > mean - offset``. Pixels beyond the border are reflected (``d c b a | a b c d``), and pixels that are
        not valid take no part.

    Notes
    -----
    Equal to ``image > skimage.filters.threshold_local(image, window_size, "mean", offset)``; integer images are summed
    exactly, where scikit-image rounds. For float32, scikit-image rounds the mean to float32; here it stays float64.

    Examples
    --------
    >>> import numpy as np
    >>> local_mean(np.array([[1, 1, 1], [1, 9, 1], [1, 1, 1]], "uint8"), window_size=3).sum()
    np.int64(1)
    """
    return local.local_mean_mask(image, window_size, offset, len(dims), valid=valid)


@tilewise(halo=_gaussian_halo, dtype="bool", gives="mask", scratch=32, grey_values=("offset",))
def local_gaussian(
    image: Pixels, *, window_size: Window, offset: float = 0.0, dims: Dims = "yx", valid: Valid | None = None
) -> Pixels:
    """Say which pixels are brighter than the Gaussian mean of their neighbourhood.

    Parameters
    ----------
    image : (..., M, N) array of booleans, integers or floats
    window_size : int or length
        Side of the square (cubic) neighbourhood: an odd number of pixels, or a length such as ``"9 um"``. The standard
        deviation is a sixth of ``window_size - 1`` pixels, and the Gaussian ends at four standard deviations.
    offset : float
        Subtracted from the mean; in grey values.
    dims : {"yx", "zyx"}
        Look at each plane by itself, or at the volume.

    Returns
    -------
    (..., M, N) boolean array
        ``image > mean - offset``; a pixel that equals its threshold but for rounding is not brighter. Pixels beyond the
        border are reflected (``d c b a | a b c d``), and pixels that are not valid take no part.

    Notes
    -----
    Equal to ``image > skimage.filters.threshold_local(image, window_size, "gaussian", offset)``. Where a pixel equals
    its threshold, as in even regions with an offset of 0, scikit-image leaves the answer to rounding. For float32,
    scikit-image rounds the mean to float32; here it stays float64.

    Examples
    --------
    >>> import numpy as np
    >>> local_gaussian(np.array([[1, 1, 1], [1, 9, 1], [1, 1, 1]], "uint8"), window_size=3).sum()
    np.int64(1)
    """
    return local_averages.local_gaussian_mask(image, window_size, offset, len(dims), valid=valid)


@tilewise(halo=lambda window_size: window_size // 2, dtype="bool", gives="mask", scratch=16)
def local_median(
    image: Pixels, *, window_size: Window, offset: float = 0.0, dims: Dims = "yx", valid: Valid | None = None
) -> Pixels:
    """Say which pixels are brighter than the median of their neighbourhood.

    Parameters
    ----------
    image : (..., M, N) array of booleans, integers or floats
    window_size : int or length
        Side of the square (cubic) neighbourhood: an odd number of pixels, or a length such as ``"9 um"``.
    offset : float
        Subtracted from the median; in grey values.
    dims : {"yx", "zyx"}
        Look at each plane by itself, or at the volume.

    Returns
    -------
    (..., M, N) boolean array
        ``image > median - offset``. Pixels beyond the border are reflected (``d c b a | a b c d``), and pixels that are
        not valid take no part; of an even number of values the upper of the middle two is taken.

    Notes
    -----
    Equal to ``image > skimage.filters.threshold_local(image, window_size, "median", offset)``; for float32,
    scikit-image rounds the threshold to float32.

    Examples
    --------
    >>> import numpy as np
    >>> local_median(np.array([[1, 1, 1], [1, 9, 1], [1, 1, 1]], "uint8"), window_size=3).sum()
    np.int64(1)
    """
    return local_averages.local_median_mask(image, window_size, offset, len(dims), valid=valid)
