"""Thresholds whose value the histogram of the whole image suggests."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

from bigimg.engine.faces import composed
from bigimg.kernels import thresholds as kernel
from bigimg.ops.statistics import BINS, Histogram, derive, histogram
from bigimg.ops.threshold.values import fixed

LI_BINS = 65536
"""Bins of a floating point image for methods that are defined by the pixels themselves, as Li's in scikit-image."""


def value_of(method: Callable[[Any, Any], Any], image: Any, *, bins: int = BINS, empty: Any = math.inf) -> Any:
    """Return what ``method`` finds in the counts and centres of an image's histogram, lazily where it is lazy.

    ``empty`` is returned where no pixel is valid; no pixel is brighter than ``inf``.
    """
    return derive(partial(_find, method, empty), histogram(image, bins=bins))


def _find(method: Callable[[Any, Any], Any], empty: Any, found: Histogram) -> Any:
    return method(found.counts, found.centers) if found.counts.size else empty


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
    return value_of(kernel.otsu, image)


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
    return value_of(kernel.li, image, bins=LI_BINS)


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
    Equal to ``skimage.filters.threshold_triangle`` of the whole image: each grey value of integers, 256 bins of floats.

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
    return value_of(kernel.triangle, image)


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
