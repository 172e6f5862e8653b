"""Thresholds whose value is given."""

from __future__ import annotations

from bigimg.core.operation import Pixels, Valid
from bigimg.engine.faces import tilewise


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
