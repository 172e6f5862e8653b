"""Thresholds by the neighbourhood of each pixel."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from annotated_types import Gt

from bigimg.core.operation import Pixels, Valid
from bigimg.core.parameters import Dims, Odd
from bigimg.engine.faces import tilewise
from bigimg.kernels import local


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
