"""Thresholds: which pixels are brighter than a value, their neighbourhood, or what the whole image suggests."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Annotated, Any

import numpy as np
from annotated_types import Gt

from bigimg.core.operation import Pixels, Valid
from bigimg.core.parameters import Dims, Odd
from bigimg.engine.faces import composed, tilewise
from bigimg.kernels import histogram as kernel
from bigimg.kernels import local
from bigimg.ops.statistics import Histogram, derive, histogram

__all__ = ["fixed", "li", "li_value", "local_mean", "otsu", "otsu_value", "sauvola", "triangle", "triangle_value"]

LI_BINS = 65536
"""Bins of a floating point image for Li's method, which scikit-image runs on the pixels themselves."""


@tilewise(dtype="bool", gives="mask", scratch=1)
def fixed(image: Pixels, *, value: float, valid: Valid | None = None) -> Pixels:  # noqa: ARG001 - a mask changes nothing
    """Say which pixels are brighter than a value.

    Parameters
    ----------
    image : (..., M, N) array of booleans, integers or floats
    value : float
        In grey values of the image; a lazy value is taken when it is known.

    Returns
    -------
    (..., M, N) boolean array
        ``image > value``.

    Examples
    --------
    >>> import numpy as np
    >>> fixed(np.array([[1, 2], [3, 4]]), value=2)
    array([[False, False],
           [ True,  True]])
    """
    return image > value


@composed(takes="image", gives="value")
def otsu_value(image: Any) -> Any:
    """Find the grey value that separates two classes best (Otsu 1979).

    Parameters
    ----------
    image : array of any kind
        One value for all of it.

    Returns
    -------
    number
        Lazily where the image is lazy. ``inf`` where no pixel is valid.

    Notes
    -----
    Equal to ``skimage.filters.threshold_otsu`` of the whole image: each grey value of integers, 256 bins of floats.

    References
    ----------
    N. Otsu, A threshold selection method from gray-level histograms, IEEE Trans. SMC 9 (1979).

    Examples
    --------
    >>> import numpy as np
    >>> int(otsu_value(np.array([[1, 2, 9], [1, 8, 9]], "uint8")))
    2
    """
    return derive(partial(_find, kernel.otsu), histogram(image))


@composed(takes="image", gives="value")
def li_value(image: Any) -> Any:
    """Find the grey value of minimum cross entropy by Li's iteration (Li and Tam 1998).

    Parameters
    ----------
    image : array of any kind
        One value for all of it.

    Returns
    -------
    number
        Lazily where the image is lazy. ``inf`` where no pixel is valid.

    Notes
    -----
    Equal to ``skimage.filters.threshold_li`` of the whole image for integers. Floats are counted in 65,536 bins between
    their extrema, and the value differs from scikit-image's by about the width of one.

    References
    ----------
    C. H. Li and P. K. S. Tam, An iterative algorithm for minimum cross entropy thresholding, Pattern Recognition
    Letters 18 (1998).

    Examples
    --------
    >>> import numpy as np
    >>> 2 < li_value(np.array([[1, 2, 9], [1, 8, 9]], "uint8")) < 8
    True
    """
    return derive(partial(_find, kernel.li), histogram(image, bins=LI_BINS))


@composed(takes="image", gives="value")
def triangle_value(image: Any) -> Any:
    """Find the grey value farthest below the line from the peak of the histogram to its far end (Zack 1977).

    Parameters
    ----------
    image : array of any kind
        One value for all of it.

    Returns
    -------
    number
        Lazily where the image is lazy. ``inf`` where no pixel is valid.

    Notes
    -----
    Equal to ``skimage.filters.threshold_triangle`` of the whole image.

    References
    ----------
    G. W. Zack, W. E. Rogers and S. A. Latt, Automatic measurement of sister chromatid exchange frequency, J. Histochem.
    Cytochem. 25 (1977).

    Examples
    --------
    >>> import numpy as np
    >>> image = np.repeat(np.arange(6, dtype="uint8"), [50, 20, 4, 1, 1, 2]).reshape(6, 13)
    >>> int(triangle_value(image))
    2
    """
    return derive(partial(_find, kernel.triangle), histogram(image))


@composed(takes="image", gives="mask")
def otsu(image: Any) -> Any:
    """Say which pixels are brighter than Otsu's value of the whole image.

    :func:`otsu_value` finds the value.

    Parameters
    ----------
    image : array of any kind

    Returns
    -------
    boolean array of the same kind and shape

    Examples
    --------
    >>> import numpy as np
    >>> otsu(np.array([[1, 2, 9], [1, 8, 9]], "uint8")).astype(int)
    array([[0, 0, 1],
           [0, 1, 1]])
    """
    return fixed(image, value=otsu_value(image))


@composed(takes="image", gives="mask")
def li(image: Any) -> Any:
    """Say which pixels are brighter than Li's value of the whole image.

    :func:`li_value` finds the value.

    Parameters
    ----------
    image : array of any kind

    Returns
    -------
    boolean array of the same kind and shape

    Examples
    --------
    >>> import numpy as np
    >>> li(np.array([[1, 2, 9], [1, 8, 9]], "uint8")).astype(int)
    array([[0, 0, 1],
           [0, 1, 1]])
    """
    return fixed(image, value=li_value(image))


@composed(takes="image", gives="mask")
def triangle(image: Any) -> Any:
    """Say which pixels are brighter than the triangle value of the whole image.

    :func:`triangle_value` finds the value.

    Parameters
    ----------
    image : array of any kind

    Returns
    -------
    boolean array of the same kind and shape

    Examples
    --------
    >>> import numpy as np
    >>> image = np.repeat(np.arange(6, dtype="uint8"), [50, 20, 4, 1, 1, 2]).reshape(6, 13)
    >>> int(triangle(image).sum())
    4
    """
    return fixed(image, value=triangle_value(image))


@tilewise(halo=lambda window_size: window_size // 2, dtype="bool", gives="mask", scratch=24)
def local_mean(
    image: Pixels, *, window_size: Odd, offset: float = 0.0, dims: Dims = "yx", valid: Valid | None = None
) -> Pixels:
    """Say which pixels are brighter than the mean of their neighbourhood.

    Parameters
    ----------
    image : (..., M, N) array of booleans, integers or floats
    window_size : int
        Side of the square (cubic) neighbourhood in pixels; odd.
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
    exactly, where scikit-image rounds.

    Examples
    --------
    >>> import numpy as np
    >>> local_mean(np.array([[1, 1, 1], [1, 9, 1], [1, 1, 1]], "uint8"), window_size=3).sum()
    np.int64(1)
    """
    return local.local_mean_mask(image, window_size, offset, len(dims), valid=valid)


@tilewise(halo=lambda window_size: window_size // 2, dtype="bool", gives="mask", scratch=32)
def sauvola(
    image: Pixels,
    *,
    window_size: Odd = 15,
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
    window_size : int
        Side of the square (cubic) neighbourhood in pixels; odd.
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
    Equal to ``image > skimage.filters.threshold_sauvola(image, window_size, k, r)``.

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


def _dynamic_range(dtype: np.dtype[Any]) -> float:
    if dtype.kind in "iu":
        info = np.iinfo(dtype)
        return 0.5 * (int(info.max) - int(info.min))
    return 0.5 if dtype.kind == "b" else 1.0


def _find(method: Callable[[Any, Any], float], found: Histogram) -> float:
    return method(found.counts, found.centers) if found.counts.size else float("inf")
