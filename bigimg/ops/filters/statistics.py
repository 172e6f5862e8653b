"""What the grey values of the neighbourhood are like: how far they spread, how many bits they hold."""

from __future__ import annotations

from typing import Any

import numpy as np

from bigimg.core.footprint import Footprint, reach
from bigimg.core.isotropic import Window
from bigimg.core.operation import Pixels, Valid
from bigimg.core.parameters import Dims
from bigimg.engine.faces import tilewise
from bigimg.errors import ParameterError
from bigimg.kernels import deviation
from bigimg.kernels import entropy as kernel
from bigimg.kernels.planes import smoothed_dtype


def _deviation_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    return smoothed_dtype(dtype)


@tilewise(halo=lambda size: size // 2, dtype=_deviation_dtype, scratch=48, grey_values=())
def standard_deviation(image: Pixels, *, size: Window, dims: Dims = "yx", valid: Valid | None = None) -> Pixels:
    """Replace each pixel by the standard deviation of its neighbourhood.

    Parameters
    ----------
    image : (..., M, N) array of booleans, integers of at most 32 bits, or floats
    size : int or length
        Side of the square (cubic) neighbourhood: an odd number of pixels, or a length such as ``"9 um"``.
    dims : {"yx", "zyx"}
        Look at each plane by itself, or at the volume.

    Returns
    -------
    (..., M, N) array of float32 for float32 images, else of float64
        Of all ``n`` neighbours (divided by ``n``, not ``n - 1``). Pixels beyond the border of the image are reflected
        (``d c b a | a b c d``). Pixels that are not valid take no part; where there are no others the result is 0.

    Notes
    -----
    Equal to ``scipy.ndimage.generic_filter(image.astype(float), numpy.std, size, mode="reflect")``, and to the bit the
    same however the image is cut. Of integers all sums are exact and the result is rounded once; of floats the squares
    are summed in float64, in which a deviation below 1e-8 of the mean is lost.

    Examples
    --------
    >>> import numpy as np
    >>> from bigimg import filters
    >>> filters.standard_deviation(np.array([[0, 3, 6, 9]], "uint8"), size=3).round(2)
    array([[1.41, 2.45, 2.45, 1.41]])
    """
    return deviation.standard_deviation(image, size, len(dims), valid=valid)


def _reach(footprint: Any, dims: Dims) -> tuple[int, ...]:
    if footprint.ndim != len(dims):
        raise ParameterError(
            f"dims={dims!r} needs a footprint of {len(dims)} axes (got one of {footprint.ndim}); "
            "for a volume give dims='zyx' and a footprint such as ball(3)"
        )
    return reach(footprint)


@tilewise(halo=_reach, dtype="float64", accepts="bui", scratch=32)
def entropy(image: Pixels, *, footprint: Footprint, dims: Dims = "yx", valid: Valid | None = None) -> Pixels:
    """Replace each pixel by the entropy of the grey values of its neighbourhood, in bits.

    Parameters
    ----------
    image : (..., M, N) array of booleans or integers
        Every grey value is a class of its own. Make noisy images of many grey values coarser before, for example by
        scaling them to uint8.
    footprint : array of 0 and 1
        Which neighbours take part: ``disk(radius)``, ``ball(radius)``, or any array; its centre is at ``size // 2``
        along each axis.
    dims : {"yx", "zyx"}
        Look at each plane by itself, or at the volume with a 3-D footprint.

    Returns
    -------
    (..., M, N) array of float64
        Shannon's entropy with the logarithm of base 2, ``-sum(p * log2(p))`` over the shares ``p`` of the grey values:
        0 where all are equal, at most the logarithm of the number of neighbours. Pixels beyond the border of the image,
        and pixels that are not valid, take no part.

    Notes
    -----
    Equal to ``skimage.filters.rank.entropy(image, footprint)`` within 1e-9, for every integer dtype, and to the bit the
    same however the image is cut. scikit-image scales floating point images to uint8 without being asked; here they are
    refused.

    References
    ----------
    C. E. Shannon: A mathematical theory of communication, Bell System Technical Journal 27 (1948) 379-423.

    Examples
    --------
    >>> import numpy as np
    >>> from bigimg import filters, morphology
    >>> filters.entropy(np.array([[0, 0, 7, 9]], "uint8"), footprint=morphology.square(3)).round(2)
    array([[0.  , 0.92, 1.58, 1.  ]])
    """
    return kernel.entropy(image, footprint, len(dims), valid=valid)
