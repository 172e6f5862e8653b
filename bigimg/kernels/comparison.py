"""Comparisons of pixels with a number, exact for every dtype.

NumPy rounds the number to float32 beside float32 pixels, and copies integers to float64 beside a float. Here the number
is moved to the next one that pixels can have, which changes no comparison, and pixels stay as they are.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bigimg.core.operation import Pixels

Mask = NDArray[np.bool_]


def brighter(pixels: Pixels, value: float) -> Mask:
    """Return where ``pixels`` are greater than ``value``.

    Examples
    --------
    >>> brighter(np.array([1, 2, 3], np.uint8), 1.5)
    array([False,  True,  True])
    """
    pixels = _numbers(pixels)
    if pixels.dtype.kind == "f":
        return np.asarray(pixels > _at_most(value, pixels.dtype))
    return np.asarray(pixels > (math.floor(value) if math.isfinite(value) else value))


def between(pixels: Pixels, low: float, high: float) -> Mask:
    """Return where ``pixels`` are neither less than ``low`` nor greater than ``high``.

    Examples
    --------
    >>> between(np.array([1, 2, 3, 4], np.uint8), 1.5, 3)
    array([False,  True,  True, False])
    """
    pixels = _numbers(pixels)
    if pixels.dtype.kind == "f":
        least, most = -_at_most(-low, pixels.dtype), _at_most(high, pixels.dtype)
    else:
        least = math.ceil(low) if math.isfinite(low) else low
        most = math.floor(high) if math.isfinite(high) else high
    inside = np.asarray(pixels >= least)
    inside &= pixels <= most
    return inside


def _numbers(pixels: Pixels) -> Pixels:
    return pixels.view(np.uint8) if pixels.dtype.kind == "b" else pixels


def _at_most(value: float, dtype: np.dtype[Any]) -> Any:
    """Return the greatest number of ``dtype`` that is not above ``value``."""
    with np.errstate(over="ignore"):
        near = dtype.type(value)
    return np.nextafter(near, dtype.type(-math.inf)) if float(near) > value else near
