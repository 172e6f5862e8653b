"""Thresholds by the contrast of the neighbourhood of each pixel."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from annotated_types import Ge

from bigimg.core.footprint import Footprint, Mask, reach
from bigimg.core.operation import Pixels, Valid
from bigimg.core.parameters import Dims
from bigimg.engine.faces import tilewise
from bigimg.errors import ParameterError
from bigimg.kernels import contrast


def _reach(footprint: Mask, dims: Dims) -> tuple[int, ...]:
    if footprint.ndim != len(dims):
        raise ParameterError(
            f"dims={dims!r} needs a footprint of {len(dims)} axes (got one of {footprint.ndim}); "
            "for a volume give dims='zyx' and a footprint such as ball(15)"
        )
    return reach(footprint)


@tilewise(halo=_reach, dtype="bool", gives="mask", scratch=16)
def bernsen(
    image: Pixels,
    footprint: Footprint,
    *,
    contrast_threshold: Annotated[float, Ge(0)] | None = None,
    level: float | None = None,
    dims: Dims = "yx",
    valid: Valid | None = None,
) -> Pixels:
    """Say which pixels are brighter than half way between the darkest and the brightest of their neighbourhood.

    Parameters
    ----------
    image : (..., M, N) array of booleans, integers or floats
    footprint : array of 0 and 1
        Which neighbours take part: a shape such as ``disk(15)`` or ``square(31)``, or any array. In a workflow:
        ``{disk: 15}``.
    contrast_threshold : float, optional
        Where the brightest neighbour is less than this above the darkest, there is nothing to divide: the pixel is
        foreground if the middle of both is above ``level``. By default 15 of 255 parts of the range of the dtype, and
        of 0..1 for floats.
    level : float, optional
        In grey values; by default the middle of the range of the dtype, and 0.5 for floats.
    dims : {"yx", "zyx"}
        Look at each plane by itself, or at the volume with a 3-D footprint.

    Returns
    -------
    (..., M, N) boolean array
        Pixels beyond the border of the image, and pixels that are not valid, take no part.

    Notes
    -----
    Equal to ``2 * image > darkest + brightest`` with scikit-image's ``erosion`` and ``dilation`` (or ``rank.minimum``
    and ``rank.maximum``) by ``footprint``, where there is contrast. The rule and its default values are those of
    ImageJ's Auto Local Threshold, for which a pixel that equals the middle, rounded down, is foreground.

    References
    ----------
    J. Bernsen, Dynamic thresholding of grey-level images, Proc. 8th International Conference on Pattern Recognition
    (1986).

    Examples
    --------
    >>> import numpy as np
    >>> bernsen(np.array([[10, 12, 90, 95, 91, 90, 92]], "uint8"), np.ones((1, 3), bool)).astype(int)
    array([[0, 0, 1, 0, 0, 0, 0]])
    """
    low, high = _range(image.dtype)
    least = 15 / 255 * (high - low) if contrast_threshold is None else contrast_threshold
    middle = (low + high) / 2 if level is None else level
    return contrast.bernsen_mask(image, footprint, least, middle, len(dims), valid=valid)


def _range(dtype: np.dtype[Any]) -> tuple[float, float]:
    if dtype.kind in "iu":
        info = np.iinfo(dtype)
        return float(info.min), float(info.max)
    return 0.0, 1.0
