"""Rank filters: an order statistic of the neighbourhood."""

from __future__ import annotations

from bigimg.core.operation import Pixels, Valid
from bigimg.core.parameters import Dims, Odd
from bigimg.engine.faces import tilewise
from bigimg.kernels import rank


@tilewise(halo=lambda size: size // 2, scratch=4)
def median(image: Pixels, *, size: Odd, dims: Dims = "yx", valid: Valid | None = None) -> Pixels:
    """Replace each pixel by the median of its neighbourhood.

    Parameters
    ----------
    image : (..., M, N) array of booleans, integers or floats
    size : int
        Side of the square (cubic) neighbourhood in pixels; odd.
    dims : {"yx", "zyx"}
        Filter each plane by itself, or the volume.

    Returns
    -------
    (..., M, N) array of the dtype of the image
        Pixels beyond the border of the image are reflected (``d c b a | a b c d``). Pixels that are not valid take no
        part; of an even number of values the lower of the middle two is taken.

    Notes
    -----
    Equal to ``scipy.ndimage.median_filter(image, size, mode="reflect")``.

    Examples
    --------
    >>> import numpy as np
    >>> median(np.array([[1, 1, 1], [1, 9, 1], [1, 1, 1]]), size=3)[1, 1]
    np.int64(1)
    """
    return rank.median(image, size, len(dims), valid=valid)
