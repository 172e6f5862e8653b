"""Grey values changed pixel by pixel: stretched from one range to another, bent by a curve.

The function of an image of at most 16 bits is computed once for each value there is; of any other, in blocks that stay
in the cache.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import DTypeLike

from bigimg.core.operation import Pixels
from bigimg.errors import ParameterError
from bigimg.kernels.planes import read_only

_BLOCK = 1 << 16
"""Pixels worked on at once, so that what is between the steps stays in the second-level cache."""

_HUGE = 2.0**1000
"""Differences of numbers below this are far from the end of float64, whatever the other number."""


def mapped(pixels: Pixels, function: Callable[[Pixels], Pixels], dtype: DTypeLike) -> Pixels:
    """Return ``function`` of each pixel, as ``dtype``.

    Parameters
    ----------
    pixels
        An image of any real dtype and shape.
    function
        Takes a line of pixels; each result depends on its own pixel alone.
    dtype
        The dtype of the result; what ``function`` returns is cast to it.

    Returns
    -------
    ndarray of the shape of ``pixels`` and of ``dtype``.

    Examples
    --------
    >>> mapped(np.array([[1, 2]], np.uint8), lambda values: values / 4, np.float32)
    array([[0.25, 0.5 ]], dtype=float32)
    """
    out = np.empty(pixels.shape, np.dtype(dtype))
    pixels = pixels.astype(pixels.dtype.newbyteorder("="), copy=False)
    if pixels.dtype.kind in "biu" and pixels.dtype.itemsize <= 2 and pixels.size > 1 << (8 * pixels.dtype.itemsize):
        # Every value there is, in the order of its bits.
        bits = np.dtype(f"u{pixels.dtype.itemsize}")
        values = np.arange(1 << (8 * bits.itemsize)).astype(bits)
        values = values.astype(bool) if pixels.dtype == bool else values.view(pixels.dtype)
        table = function(values).astype(out.dtype)
        # Bits are copied, whatever they mean: two widths of places and four of values are all there is to compile.
        width = np.dtype(f"u{out.dtype.itemsize}")
        places = read_only(np.require(pixels, None, ("C", "A")).reshape(-1).view(bits))
        _look_up(out.reshape(-1).view(width), places, read_only(table.view(width)))
        return out
    source, target = np.ascontiguousarray(pixels).reshape(-1), out.reshape(-1)
    for start in range(0, source.size, _BLOCK):
        target[start : start + _BLOCK] = function(source[start : start + _BLOCK])
    return out


def rescale(
    pixels: Pixels,
    in_low: float,
    in_high: float,
    out_low: float,
    out_high: float,
    dtype: DTypeLike,
    *,
    clip: bool = True,
    wide: bool = False,
) -> Pixels:
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
    clip
        Whether values outside are clipped; without, they go beyond the range of the result.
    wide
        Whether to compute float32 in float64 too, and to round once: for ends that float32 does not hold.

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
    whole = np.dtype(dtype).kind != "f"
    # The difference of two large numbers may be too large for a float, that of their halves never is.
    far, broad = max(abs(low), abs(high)), max(abs(bottom), abs(top))

    def stretch(source: Pixels) -> Pixels:
        work: Any = np.float64 if wide else _work(source.dtype)
        if max(far, broad) > float(np.finfo(work).max) / 4:
            work = np.float64
        from_part, to_part = (0.25 if size > _HUGE else 1.0 for size in (far, broad))
        values = source.astype(work)
        if clip or low == high:
            np.clip(values, work(low), work(high), out=values)
        if low < high:
            if from_part < 1:
                values *= work(from_part)
            values -= work(low * from_part)
            values /= work(high * from_part - low * from_part)
            values *= work(top * to_part - bottom * to_part)
            values += work(bottom * to_part)
            if to_part < 1:
                np.clip(values, bottom * to_part, top * to_part, out=values)
                values /= work(to_part)
        else:
            np.clip(values, bottom, top, out=values)
        if whole:
            np.nan_to_num(values, copy=False)
        return values

    return mapped(pixels, stretch, dtype)


def standardize(pixels: Pixels, mean: float, std: float, dtype: DTypeLike) -> Pixels:
    """Return ``(pixels - mean) / std``, or zeros where ``std`` is 0; in float64, rounded once.

    Examples
    --------
    >>> standardize(np.array([1, 2, 3], np.uint8), 2.0, 0.5, np.float64)
    array([-2.,  0.,  2.])
    """
    if not std > 0:
        return np.zeros(pixels.shape, dtype)

    def scores(source: Pixels) -> Pixels:
        values = source.astype(np.float64)
        if abs(mean) > _HUGE:
            values *= 0.25
            values -= mean * 0.25
            values /= std * 0.25
        else:
            values -= mean
            values /= std
        return values

    return mapped(pixels, scores, dtype)


def gamma(pixels: Pixels, exponent: float, gain: float) -> Pixels:
    """Return pixels of no negative value raised to a power; see `curve`.

    Examples
    --------
    >>> gamma(np.array([0.25, 1.0]), 0.5, 2.0)
    array([1., 2.])
    """
    if pixels.dtype == np.uint8:
        # scikit-image rounds these, and cuts off the fractions of all others.
        table = np.rint(255 * gain * np.linspace(0, 1, 256) ** exponent)
        levels = np.minimum(table, 255).astype(np.uint8)
        return mapped(pixels, lambda values: levels[values], np.uint8)
    return curve(pixels, lambda share, scale: share**exponent * scale * gain, (exponent, gain))


def logarithm(pixels: Pixels, gain: float, *, inv: bool) -> Pixels:
    """Return ``gain * log2(1 + pixels)``, or the inverse ``gain * (2**pixels - 1)``; see `curve`.

    Examples
    --------
    >>> logarithm(np.array([0.0, 1.0]), 1.0, inv=False)
    array([0., 1.])
    """
    if inv:
        return curve(pixels, lambda share, scale: (2**share - 1) * scale * gain, (gain,))
    return curve(pixels, lambda share, scale: np.log2(1 + share) * scale * gain, (gain,))


def sigmoid(pixels: Pixels, cutoff: float, gain: float, *, inv: bool) -> Pixels:
    """Return ``1 / (1 + exp(gain * (cutoff - pixels)))``, or 1 less that; see `curve`.

    Examples
    --------
    >>> sigmoid(np.array([0.5]), 0.5, 10.0, inv=False)
    array([0.5])
    """
    if inv:
        turned = lambda share, scale: (1 - 1 / (1 + np.exp(gain * (cutoff - share)))) * scale  # noqa: E731
        return curve(pixels, turned, (cutoff, gain))
    return curve(pixels, lambda share, scale: 1 / (1 + np.exp(gain * (cutoff - share))) * scale, (cutoff, gain))


def curve(pixels: Pixels, function: Callable[[Any, float], Any], numbers: Sequence[float] = ()) -> Pixels:
    """Return ``function(pixels / scale, scale)`` in the dtype of the pixels.

    ``scale`` is the largest value of an integer dtype, 1 of others. Fractions of integers are cut off, and what is
    beyond their range becomes its end: no value wraps around. ``numbers`` are those of the function: where a narrow
    float does not hold them, all is computed in float64.
    """
    dtype = pixels.dtype
    narrow = dtype.kind == "f" and any(abs(number) > float(np.finfo(dtype).max) for number in numbers)
    limits = np.iinfo(dtype) if dtype.kind in "iu" else None
    scale = float(limits.max) if limits else 1.0

    def bend(source: Pixels) -> Pixels:
        # What is too large for a float is infinite, and that is right at both ends of these curves.
        with np.errstate(over="ignore"):
            # A table holds values that the image does not.
            source = np.maximum(source, 0) if dtype.kind == "i" else source.astype(np.float64) if narrow else source
            values = function(source / scale, scale)
            if limits is None:
                return np.asarray(values).astype(dtype, copy=False)
        # The largest 64-bit integers are no floats; the next float below them is.
        top = float(limits.max) if int(float(limits.max)) == limits.max else np.nextafter(float(limits.max), 0)
        over = values >= limits.max
        kept = np.clip(values, float(limits.min), top).astype(dtype)
        kept[over] = limits.max
        return np.asarray(kept)

    return mapped(pixels, bend, dtype)


def invert(pixels: Pixels, *, signed_float: bool) -> Pixels:
    """Return bright as dark: the order of the values reversed within the range of the dtype.

    Examples
    --------
    >>> invert(np.array([0, 255], np.uint8), signed_float=False)
    array([255,   0], dtype=uint8)
    """
    if pixels.dtype.kind in "biu":
        return np.asarray(~pixels)  # the largest value less the pixel; -1 less the pixel where it has a sign
    return np.asarray(-pixels if signed_float else pixels.dtype.type(1) - pixels)


@njit(nogil=True, cache=True)
def _look_up(out: Pixels, places: Pixels, table: Pixels) -> None:
    for i in range(places.shape[0]):
        out[i] = table[places[i]]


def _work(dtype: np.dtype[Any]) -> type[np.floating[Any]]:
    return np.float32 if dtype.kind == "f" and dtype.itemsize <= 4 else np.float64
