"""Thresholds with hysteresis: dim pixels count where they hang together with bright ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bigimg.core.operation import Pixels, Valid
from bigimg.core.parameters import Dims, is_deferred
from bigimg.engine.faces import composed
from bigimg.engine.kinds import gather, opened
from bigimg.kernels.comparison import brighter
from bigimg.kernels.neighbours import steps_of
from bigimg.ops.object_filters import Seeded
from bigimg.ops.objects import Objects, needs_64_bits


@dataclass(frozen=True)
class BrightObjects(Objects):
    """Objects of the pixels brighter than ``low``; a pixel brighter than ``high`` is a seed. Both may be lazy."""

    low: Any = 0.0
    high: Any = 0.0

    def split_key(self) -> object:
        """Tiles are labelled the same whatever is kept of them later."""
        return super().split_key(), self.low, self.high

    def members(self, pixels: Pixels, valid: Valid | None) -> NDArray[np.bool_]:
        """Return the pixels brighter than both thresholds, or the lower one."""
        return super().members(brighter(pixels, min(self.low, self.high)), valid)

    def seeds(self, pixels: Pixels) -> NDArray[np.bool_]:
        """Return the pixels brighter than the upper threshold."""
        return brighter(pixels, self.high)


@composed(takes="image", gives="mask")
def hysteresis(image: Any, *, low: float, high: float, dims: Dims = "yx") -> Any:
    """Say which pixels are brighter than ``low`` and connected, through such pixels, to one brighter than ``high``.

    Parameters
    ----------
    image : (..., M, N) array of booleans, integers or floats
    low, high : float
        In grey values of the image; lazy values, such as of :func:`otsu_value`, are taken when they are known. Where
        ``low`` is above ``high`` it is taken as ``high``.
    dims : {"yx", "zyx"}
        Connected in each plane, or in the volume.

    Returns
    -------
    (..., M, N) boolean array
        Pixels are neighbours across edges (faces). What is connected is found however far it leads through the image;
        pixels that are not valid connect nothing.

    Notes
    -----
    Equal to ``skimage.filters.apply_hysteresis_threshold`` of the whole image with ``numpy.float64`` thresholds: pixels
    and thresholds are compared as the numbers they are, while NumPy rounds a Python number to float32 first. Labels of
    the result with ``connectivity=1`` take the tiles that are labelled already.

    References
    ----------
    J. Canny, A computational approach to edge detection, IEEE Trans. Pattern Analysis and Machine Intelligence 8
    (1986).

    Examples
    --------
    >>> import numpy as np
    >>> hysteresis(np.array([[1, 2, 3, 2, 1, 2, 1]]), low=1.5, high=2.5).astype(int)
    array([[0, 1, 1, 1, 0, 0, 0]])
    """
    given = opened(image, len(dims))
    if not given.lazy:
        low, high = _known(low), _known(high)
    steps = steps_of(len(dims), 1)
    wide = needs_64_bits(given.pixels.shape, len(dims), steps)
    return gather(BrightObjects(len(dims), steps, "mask", wide, (Seeded(),), low=low, high=high), image, ndim=len(dims))


def _known(value: Any) -> float:
    return float(value.compute() if is_deferred(value) else value)
