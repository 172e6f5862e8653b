"""Several thresholds at once: the classes of grey values that the histogram of the whole image suggests."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

import numpy as np
from annotated_types import Ge, Le

from bigimg.core.operation import Pixels, Valid
from bigimg.engine.faces import composed, tilewise
from bigimg.kernels import classes as kernel
from bigimg.kernels.comparison import brighter
from bigimg.ops.threshold.histograms import value_of

Classes = Annotated[int, Ge(2), Le(255)]


@composed(takes="image", gives="value")
def multi_otsu_values(image: Any, *, classes: Classes = 3) -> Any:
    """Find the grey values that separate several classes best (Otsu's criterion, for any number of classes).

    Parameters
    ----------
    image : array of any kind
        One set of values for all of it.
    classes : int
        How many classes, at least 2.

    Returns
    -------
    (classes - 1,) array of float64, ascending
        Lazily where the image is lazy. ``inf`` where no pixel is valid. If fewer grey values occur than there are
        classes, which scikit-image refuses, each is a class of its own and the classes above stay empty.

    Notes
    -----
    Equal to ``skimage.filters.threshold_multiotsu(image, classes)`` of the whole image: each grey value of integers,
    256 bins of floats. scikit-image adds up shares of all pixels in float32; in about one histogram of a hundred it
    takes a neighbouring value, which separates the classes equally well or a little worse. Here the best values are
    found, in ``n log n`` steps for each class, so that 65,536 grey values and many classes take milliseconds.

    References
    ----------
    P. S. Liao, T. S. Chen and P. C. Chung, A fast algorithm for multilevel thresholding, Journal of Information Science
    and Engineering 17 (2001).

    Examples
    --------
    >>> import numpy as np
    >>> multi_otsu_values(np.array([[1, 2, 9], [1, 8, 30]], "uint8"))
    array([2., 9.])
    """
    return value_of(partial(kernel.multi_otsu, classes=classes), image, empty=np.full(classes - 1, np.inf))


@composed(takes="image", gives="labels")
def multi_otsu(image: Any, *, classes: Classes = 3) -> Any:
    """Divide an image into classes of grey values by Otsu's criterion.

    :func:`multi_otsu_values` finds the values between them.

    Parameters
    ----------
    image : array of any kind
    classes : int
        How many classes, at least 2.

    Returns
    -------
    uint8 array of the same kind and shape
        The class of each pixel, from 0 for the darkest to ``classes - 1``: how many of the values it is brighter than,
        so that two classes are those of :func:`otsu`. 0 where a pixel is not valid.

    Notes
    -----
    Equal to ``numpy.digitize(image, skimage.filters.threshold_multiotsu(image, classes), right=True)`` of the whole
    image. Without ``right=True`` pixels that equal a value would join the class above, for which it was not found.

    Examples
    --------
    >>> import numpy as np
    >>> multi_otsu(np.array([[1, 2, 9], [1, 8, 30]], "uint8"))
    array([[0, 0, 1],
           [0, 1, 2]], dtype=uint8)
    """
    return _classes(image, values=multi_otsu_values(image, classes=classes))


@tilewise(dtype="uint8", gives="labels", scratch=1)
def _classes(image: Pixels, *, values: Any, valid: Valid | None = None) -> Pixels:  # noqa: ARG001 - a mask changes nothing
    """Say how many of ``values`` each pixel is brighter than."""
    result = np.zeros(image.shape, np.uint8)
    for value in values:
        result += brighter(image, float(value))
    return result
