"""Thresholds whose value is given."""

from __future__ import annotations

from bigimg.core.operation import Pixels, Valid
from bigimg.engine.faces import tilewise
from bigimg.errors import ParameterError
from bigimg.kernels import comparison


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
        ``image > value``, compared as the numbers they are: NumPy rounds ``value`` to float32 beside a float32 image.

    Examples
    --------
    >>> import numpy as np
    >>> fixed(np.array([[1, 2], [3, 4]]), value=2)
    array([[False, False],
           [ True,  True]])
    """
    return comparison.brighter(image, float(value))


@tilewise(dtype="bool", gives="mask", scratch=2)
def between(image: Pixels, *, low: float, high: float, valid: Valid | None = None) -> Pixels:  # noqa: ARG001 - as above
    """Say which pixels lie in a range of grey values, its ends included.

    Parameters
    ----------
    image : (..., M, N) array of booleans, integers or floats
    low, high : float
        The least and the greatest grey value that counts; lazy values are taken when they are known. ``-inf`` and
        ``inf`` leave an end open.

    Returns
    -------
    (..., M, N) boolean array
        ``(low <= image) & (image <= high)``, compared as the numbers they are.

    Raises
    ------
    ParameterError
        If ``low`` is above ``high``: no pixel could lie between them.

    Notes
    -----
    Both ends count, as in ``pandas.Series.between`` and ``cv2.inRange``, while a pixel that equals the value of
    :func:`fixed` does not.

    Examples
    --------
    >>> import numpy as np
    >>> between(np.array([[1, 2], [3, 4]]), low=2, high=3)
    array([[False,  True],
           [ True, False]])
    """
    low, high = float(low), float(high)
    if not low <= high:
        raise ParameterError(
            f"threshold.between: low must not be above high (got {low:g} and {high:g}); exchange them, or negate the "
            "mask of the range between them"
        )
    return comparison.between(image, low, high)
