"""Erosion and dilation of planes by OpenCV, which is the fastest for small footprints."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bigimg.kernels._opencv import cv2
from bigimg.kernels.steps import Mask, Step


def transform(pixels: NDArray[Any], steps: Sequence[Step], valid: Mask | None = None) -> NDArray[Any]:
    """Apply erosions and dilations one after the other to (rows, columns).

    Parameters and result are those of `chords.transform`, of booleans, 8- and 16-bit unsigned, 16-bit signed integers
    and floats of 32 and 64 bits; there can be no mask.

    Examples
    --------
    >>> transform(np.array([[3, 1, 2, 5]], np.uint8), [Step(True, np.ones((1, 3), bool))])
    array([[3, 3, 5, 5]], dtype=uint8)
    """
    assert valid is None
    numbers: Any = pixels.view(np.uint8) if pixels.dtype.kind == "b" else pixels
    for step in steps:
        operation = cv2.dilate if step.dilates else cv2.erode
        # OpenCV's own default border is the largest float, not infinity.
        outside = (_neutral(pixels.dtype, step.dilates),) * 4
        kernel = step.footprint.view(np.uint8)
        numbers = operation(numbers, kernel, borderType=cv2.BORDER_CONSTANT, borderValue=outside)
    if pixels.dtype.kind == "f":
        # Which of -0.0 and 0.0 OpenCV returns depends on where the tile was cut; the sum of -0.0 and 0.0 is 0.0.
        numbers += 0.0
    return numbers.view(pixels.dtype)


def _neutral(dtype: np.dtype[Any], dilates: bool) -> float:
    """Return the value that changes no maximum, or no minimum."""
    if dtype.kind == "f":
        return -np.inf if dilates else np.inf
    if dtype.kind == "b":
        return 0 if dilates else 1
    limits = np.iinfo(dtype)
    return limits.min if dilates else limits.max
