"""Grey values bent by a curve, over the range of the dtype."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Ge, Gt

from bigimg.core.operation import Pixels, Valid
from bigimg.core.parameters import Moderate
from bigimg.engine.faces import tilewise
from bigimg.errors import ImageError
from bigimg.kernels import intensity

Gain = Annotated[Moderate, Gt(0)]
"""What results are multiplied by, or how steep a curve is: a number whose products with pixels do not overflow."""


@tilewise(scratch=16)
def adjust_gamma(
    image: Pixels,
    *,
    gamma: Annotated[Moderate, Ge(0)] = 1.0,
    gain: Gain = 1.0,
    valid: Valid | None = None,  # noqa: ARG001 - a pixel stands alone
) -> Pixels:
    """Raise the grey values, as parts of the range of their dtype, to a power.

    Parameters
    ----------
    image : (..., M, N) array of booleans, integers or floats
        Without negative values. Integers are parts of the largest value of their dtype; floats are taken as they are.
    gamma : float
        The power: greater than 1 darkens, less than 1 brightens.
    gain : float
        What the result is multiplied by.

    Returns
    -------
    (..., M, N) array of the dtype of the image
        uint8 is rounded, of other integers the fractions are cut off. What exceeds an integer dtype becomes its end.

    Raises
    ------
    ImageError
        If a valid pixel is negative.

    Notes
    -----
    Equal to ``skimage.exposure.adjust_gamma``, except where a gain above 1 leaves an integer dtype of more than 8 bits:
    scikit-image's values wrap around there.

    Examples
    --------
    >>> import numpy as np
    >>> adjust_gamma(np.array([[0, 64, 255]], "uint8"), gamma=0.5)
    array([[  0, 128, 255]], dtype=uint8)
    """
    return intensity.gamma(_not_negative(image, "adjust_gamma"), gamma, gain)


@tilewise(scratch=16)
def adjust_log(
    image: Pixels,
    *,
    gain: Gain = 1.0,
    inv: bool = False,
    valid: Valid | None = None,  # noqa: ARG001
) -> Pixels:
    """Take the logarithm of the grey values, as parts of the range of their dtype.

    Parameters
    ----------
    image : (..., M, N) array of booleans, integers or floats
        Without negative values. Integers are parts of the largest value of their dtype; floats are taken as they are.
    gain : float
        What the result is multiplied by.
    inv : bool
        Whether to take the inverse instead: ``2**image - 1``.

    Returns
    -------
    (..., M, N) array of the dtype of the image
        ``gain * log2(1 + image)``. Fractions of integers are cut off; what exceeds an integer dtype becomes its end.

    Raises
    ------
    ImageError
        If a valid pixel is negative.

    Notes
    -----
    Equal to ``skimage.exposure.adjust_log``, except where a gain above 1 leaves an integer dtype: scikit-image's values
    wrap around there.

    Examples
    --------
    >>> import numpy as np
    >>> adjust_log(np.array([[0.0, 0.5, 1.0]])).round(2)
    array([[0.  , 0.58, 1.  ]])
    """
    return intensity.logarithm(_not_negative(image, "adjust_log"), gain, inv=inv)


@tilewise(scratch=16)
def adjust_sigmoid(
    image: Pixels,
    *,
    cutoff: Moderate = 0.5,
    gain: Gain = 10.0,
    inv: bool = False,
    valid: Valid | None = None,  # noqa: ARG001
) -> Pixels:
    """Steepen the contrast around one grey value by an S-shaped curve.

    Parameters
    ----------
    image : (..., M, N) array of booleans, integers or floats
        Without negative values. Integers are parts of the largest value of their dtype; floats are taken as they are.
    cutoff : float
        The grey value, as a part of the range, that becomes the middle of the range.
    gain : float
        How steep the curve is.
    inv : bool
        Whether to turn the curve over: bright becomes dark.

    Returns
    -------
    (..., M, N) array of the dtype of the image
        ``1 / (1 + exp(gain * (cutoff - image)))``. Fractions of integers are cut off.

    Raises
    ------
    ImageError
        If a valid pixel is negative.

    Notes
    -----
    Equal to ``skimage.exposure.adjust_sigmoid``.

    Examples
    --------
    >>> import numpy as np
    >>> adjust_sigmoid(np.array([[0.3, 0.5, 0.7]])).round(2)
    array([[0.12, 0.5 , 0.88]])
    """
    return intensity.sigmoid(_not_negative(image, "adjust_sigmoid"), cutoff, gain, inv=inv)


def _not_negative(image: Pixels, name: str) -> Pixels:
    if image.dtype.kind in "if" and image.size and image.min() < 0:
        raise ImageError(
            f"exposure.{name} takes images without negative values (got {image.min()}); bring them to 0..1 with "
            "exposure.normalize first"
        )
    return image
