"""Thresholds from the shape of the histogram of the whole image: its correlation, its means, its lowest point."""

from __future__ import annotations

from typing import Any

from bigimg.engine.faces import composed
from bigimg.kernels import thresholds as kernel
from bigimg.ops.threshold.histograms import value_of
from bigimg.ops.threshold.values import fixed


@composed(takes="image", gives="value")
def yen_value(image: Any) -> Any:
    """Find the grey value of maximum correlation of two classes (Yen 1995).

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
    Equal to ``skimage.filters.threshold_yen`` of the whole image: each grey value of integers, 256 bins of floats.

    References
    ----------
    J. C. Yen, F. J. Chang and S. Chang, A new criterion for automatic multilevel thresholding, IEEE Trans. Image
    Processing 4 (1995).

    Examples
    --------
    >>> import numpy as np
    >>> int(yen_value(np.array([[1, 2, 9], [1, 8, 9]], "uint8")))
    2
    """
    return value_of(kernel.yen, image)


@composed(takes="image", gives="value")
def isodata_value(image: Any) -> Any:
    """Find the least grey value half way between the means below and above it (Ridler and Calvard 1978).

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
    Equal to ``skimage.filters.threshold_isodata`` of the whole image: each grey value of integers, 256 bins of floats.
    scikit-image counts in float32, which is exact up to 2**24 pixels; here counts of any number are exact.

    References
    ----------
    T. W. Ridler and S. Calvard, Picture thresholding using an iterative selection method, IEEE Trans. SMC 8 (1978).

    Examples
    --------
    >>> import numpy as np
    >>> int(isodata_value(np.array([[1, 2, 9], [1, 8, 9]], "uint8")))
    5
    """
    return value_of(kernel.isodata, image)


@composed(takes="image", gives="value")
def minimum_value(image: Any) -> Any:
    """Find the lowest point between the two peaks of the smoothed histogram (Prewitt and Mendelsohn 1966).

    Parameters
    ----------
    image : array of any kind
        One value for all of it.

    Returns
    -------
    number
        Lazily where the image is lazy. ``inf`` where no pixel is valid.

    Raises
    ------
    ImageError
        If the histogram, smoothed again and again, never has two peaks, where scikit-image raises ``RuntimeError``.
        Take :func:`otsu_value` or :func:`triangle_value` then, or smooth the image first. Thousands of grey values are
        often too many to become two peaks: as floats they are counted in 256 bins.

    Notes
    -----
    Equal to ``skimage.filters.threshold_minimum`` of the whole image: each grey value of integers, 256 bins of floats.
    Of an image of two values, which scikit-image refuses, it is the lower one; of one value it is this value.

    References
    ----------
    J. M. S. Prewitt and M. L. Mendelsohn, The analysis of cell images, Annals of the New York Academy of Sciences 128
    (1966).

    Examples
    --------
    >>> import numpy as np
    >>> image = np.repeat(np.arange(9, dtype="uint8"), [1, 5, 9, 5, 1, 2, 4, 2, 1]).reshape(5, 6)
    >>> int(minimum_value(image))
    5
    """
    return value_of(kernel.minimum, image)


@composed(takes="image", gives="mask")
def yen(image: Any) -> Any:
    """Say which pixels are brighter than Yen's value of the whole image.

    :func:`yen_value` finds the value.

    Parameters
    ----------
    image : array of any kind

    Returns
    -------
    boolean array of the same kind and shape

    Examples
    --------
    >>> import numpy as np
    >>> yen(np.array([[1, 2, 9], [1, 8, 9]], "uint8")).astype(int)
    array([[0, 0, 1],
           [0, 1, 1]])
    """
    return fixed(image, value=yen_value(image))


@composed(takes="image", gives="mask")
def isodata(image: Any) -> Any:
    """Say which pixels are brighter than the isodata value of the whole image.

    :func:`isodata_value` finds the value.

    Parameters
    ----------
    image : array of any kind

    Returns
    -------
    boolean array of the same kind and shape

    Examples
    --------
    >>> import numpy as np
    >>> isodata(np.array([[1, 2, 9], [1, 8, 9]], "uint8")).astype(int)
    array([[0, 0, 1],
           [0, 1, 1]])
    """
    return fixed(image, value=isodata_value(image))


@composed(takes="image", gives="mask")
def minimum(image: Any) -> Any:
    """Say which pixels are brighter than the minimum between the two peaks of the histogram of the whole image.

    :func:`minimum_value` finds the value.

    Parameters
    ----------
    image : array of any kind

    Returns
    -------
    boolean array of the same kind and shape

    Examples
    --------
    >>> import numpy as np
    >>> image = np.repeat(np.arange(9, dtype="uint8"), [1, 5, 9, 5, 1, 2, 4, 2, 1]).reshape(5, 6)
    >>> int(minimum(image).sum())
    7
    """
    return fixed(image, value=minimum_value(image))
