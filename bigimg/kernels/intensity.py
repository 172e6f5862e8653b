"""Stretching grey values from one range to another, pixel by pixel."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from bigimg.core.operation import Pixels
from bigimg.errors import ParameterError

_BLOCK = 1 << 16
"""Pixels worked on at once, so that what is between the steps stays in the second-level cache."""


def rescale(pixels: Pixels, in_low: float, in_high: float, out_low: float, out_high: float, dtype: DTypeLike) -> Pixels:
    """Return ``pixels`` with the range ``in_low`` ... ``in_high`` stretched to ``out_low`` ... ``out_high``.

    Parameters
    ----------
    pixels
        An image of any real dtype and shape.
    in_low, in_high
        Values outside are clipped to these.
    out_low, out_high
        What they become.
    dtype
        The dtype of the result. Fractions are cut off, as by a cast, where it is an integer.

    Returns
    -------
    ndarray of the shape of ``pixels`` and of ``dtype``.

    Raises
    ------
    ParameterError
        If ``in_low`` is greater than ``in_high``, or an end of a range is not finite.

    Notes
    -----
    As ``skimage.exposure.rescale_intensity(pixels, (in_low, in_high), (out_low, out_high)).astype(dtype)``, computed
    in float32 for float32, else in float64. Where ``in_low`` equals ``in_high``, there is nothing to stretch: the
    pixels become that value, clipped to the range of the result. NaN becomes 0 in an integer dtype.

    Examples
    --------
    >>> rescale(np.array([51, 102, 153], np.uint8), 51, 153, 0, 255, np.uint8)
    array([  0, 127, 255], dtype=uint8)
    """
    low, high, bottom, top = map(float, (in_low, in_high, out_low, out_high))
    if not (np.isfinite([low, high, bottom, top]).all() and low <= high):
        raise ParameterError(f"needs finite ranges with in_low <= in_high (got {low} ... {high} to {bottom} ... {top})")
    out = np.empty(pixels.shape, np.dtype(dtype))
    if pixels.dtype.kind in "bu" and pixels.dtype.itemsize <= 2 and pixels.size > _BLOCK:
        # every value there is, once
        values = np.arange(1 << (8 * pixels.dtype.itemsize)).astype(pixels.dtype)
        table = np.empty(values.shape, out.dtype)
        _stretch(table, values, low, high, bottom, top)
        np.take(table, pixels, out=out, mode="clip")
        return out
    source = np.ascontiguousarray(pixels).reshape(-1)
    target = out.reshape(-1)
    for start in range(0, source.size, _BLOCK):
        block = slice(start, start + _BLOCK)
        _stretch(target[block], source[block], low, high, bottom, top)
    return out


def _stretch(target: Pixels, source: Pixels, low: float, high: float, bottom: float, top: float) -> None:
    work: Any = np.float32 if source.dtype in {np.dtype(np.float16), np.dtype(np.float32)} else np.float64
    values = np.clip(source.astype(work), work(low), work(high))
    if low < high:
        values -= work(low)
        values /= work(high - low)
        values *= work(top - bottom)
        values += work(bottom)
    else:
        np.clip(values, bottom, top, out=values)
    if target.dtype.kind != "f":
        np.nan_to_num(values, copy=False)
    target[...] = values
