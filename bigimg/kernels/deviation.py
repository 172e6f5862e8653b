"""The standard deviation of a window: exact for integers, the same bits for a pixel whatever tile it is computed in.

With the sum ``a`` and the sum of squares ``b`` of ``n`` pixels it is ``sqrt(n * b - a * a) / n``. Of integers all three
are whole numbers, and the difference is taken before anything is rounded; an even grey has a deviation of 0 and not of
1e-5. Pixels of 32 bits are halved, ``x = 2**16 * h + l``, and their sums put together again with more bits than 64.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from bigimg.core.operation import Pixels, Valid
from bigimg.errors import ImageError, ParameterError
from bigimg.kernels.planes import as_planes, as_valid_planes, smoothed_dtype
from bigimg.kernels.windows import Floats, Steps, feed, ring_rows, slot, steps, sum_boxes

Mask = NDArray[np.bool_]

_UNMASKED = np.ones((1, 1), bool)

_STRIP = 632
"""Columns worked on at once; see `bigimg.kernels.local`."""

_FLOATS, _WHOLE, _LARGE = 0, 1, 2
"""How sums become a deviation: as floats, as integers, and as integers of which n * b does not fit into 64 bits."""

_HALVED = 46340
"""Pixels of a window up to which the products of the sums of 16-bit halves fit into 64 bits."""


def standard_deviation(pixels: Pixels, size: int, ndim: int, valid: Valid | None = None) -> Pixels:
    """Return the standard deviation of the square or cube of ``size`` about each pixel, of n values and not n - 1.

    Parameters
    ----------
    pixels
        (..., M, N) or (..., L, M, N), booleans, integers up to 32 bits, or floats; the last ``ndim`` axes are spatial.
    size
        Width in pixels; an even one reaches one pixel further up and to the left, as in SciPy.
    valid
        Which pixels count; 0 where there are none.

    Returns
    -------
    ndarray of the shape of ``pixels``, of float32 for float32 and float16, else of float64.

    Notes
    -----
    As ``scipy.ndimage.generic_filter(pixels.astype(float), numpy.std, size, mode="reflect")``. Integers are exact, and
    rounded once, in windows up to 2**21 pixels of 16 bits and 46340 of 32. Of floats, the squares are summed in
    float64: a deviation less than 1e-8 of the mean is lost.

    Examples
    --------
    >>> standard_deviation(np.array([[0, 3, 6, 9]], np.uint8), 3, 2).round(3)
    array([[1.414, 2.449, 2.449, 1.414]])
    """
    if size < 1:
        raise ParameterError(f"size must be at least 1 pixel (got {size})")
    if pixels.dtype.kind in "iu" and pixels.dtype.itemsize == 8:
        raise ImageError(
            f"standard_deviation needs integers of at most 32 bits, or floats; convert the image (got {pixels.dtype})"
        )
    wide = pixels.dtype.kind in "iu" and pixels.dtype.itemsize == 4 and size**ndim <= _HALVED
    planes = as_planes(pixels, ndim, "u4 i4" if wide else "f4 f8")
    valids = None if valid is None else as_valid_planes(valid, pixels, ndim)
    method = _method(pixels.dtype, size**ndim)
    out = np.empty(planes.shape, smoothed_dtype(pixels.dtype))
    for index in range(len(planes) if planes.size else 0):
        mask = None if valids is None else valids[index]
        if wide:
            out[index] = _of_halves(planes[index], mask, size)
        elif ndim == 2:
            given = _UNMASKED if mask is None else mask
            _fill(out[index], planes[index], given, mask is not None, method, steps(size), _STRIP)
        else:
            _fill_volume(out[index], planes[index], mask, method, size)
    return out.reshape(pixels.shape)


def _method(dtype: np.dtype[Any], count: int) -> int:
    if dtype.kind == "f" or dtype.itemsize > 2 or count > 2**21:
        return _FLOATS
    return _WHOLE if count * count << 16 * dtype.itemsize < 2**63 else _LARGE


def _fill_volume(out: Pixels, voxels: Pixels, valid: Mask | None, method: int, size: int) -> None:
    values = voxels.astype(np.float64)
    weights = np.full(1, float(size**3))
    if valid is not None:
        values[~valid] = 0
        weights = sum_boxes(valid.astype(np.float64), size, mirror=False).ravel()
    sums = sum_boxes(values, size, mirror=False).ravel()
    squares = sum_boxes(values * values, size, mirror=False).ravel()
    _spread(out.reshape(-1), sums, squares, weights, method)


def _of_halves(pixels: Pixels, valid: Mask | None, size: int) -> Floats:
    """Return the deviations of 32-bit integers in windows that `_HALVED` allows."""
    whole = pixels.astype(np.int64) - (2**31 if pixels.dtype.kind == "u" else 0)
    high, low = whole >> 16, whole & 0xFFFF
    counts: Any = np.int64(size**pixels.ndim)
    if valid is not None:
        high[~valid] = low[~valid] = 0
        counts = np.maximum(_whole_sums(valid, size), 1)
    h, low_sum = _whole_sums(high, size), _whole_sums(low, size)
    hh = counts * _whole_sums(high * high, size) - h * h
    hl = counts * _whole_sums(high * low, size) - h * low_sum
    ll = counts * _whole_sums(low * low, size) - low_sum * low_sum
    # 2**32 hh + 2**17 hl + ll, with the carries given on before anything is rounded
    hl += ll >> 17
    hh += hl >> 15
    rest = ((hl & 0x7FFF) << 17) + (ll & 0x1FFFF)
    return np.asarray(np.sqrt(np.ldexp(hh.astype(np.float64), 32) + rest) / counts)


def _whole_sums(values: NDArray[Any], size: int) -> NDArray[np.int64]:
    return sum_boxes(values.astype(np.float64), size, mirror=False).astype(np.int64)


@njit(nogil=True, cache=True)
def _fill(out: Pixels, pixels: Pixels, valid: Mask, masked: bool, method: int, plan: Steps, strip: int) -> None:
    height, width = pixels.shape
    size = plan[-1, 0]
    strip = max(strip, 2 * size)
    channels = 2 + int(masked)
    head = np.zeros(plan.shape[0], np.int64)
    every = np.full(1, float(size * size))
    for left in range(0, width, strip):
        count = min(strip, width - left)
        memory = np.zeros((channels, ring_rows(plan) * count + plan.shape[0] * (count + size - 1)))
        for row in range(height + size - 1):
            feed(memory, pixels, valid, masked, True, row - size // 2, left - size // 2, count, False, plan, head)
            if row < size - 1:
                continue
            found = slot(plan, head, plan.shape[0] - 1, 0) * count
            weights = memory[channels - 1, found : found + count] if masked else every
            target = out[row - size + 1, left : left + count]
            _spread(target, memory[0, found : found + count], memory[1, found : found + count], weights, method)


@njit(nogil=True, cache=True)
def _spread(out: Pixels, sums: Floats, squares: Floats, weights: Floats, method: int) -> None:
    """Turn sums into deviations; ``weights`` are one for each pixel, or one for all."""
    step = int(weights.size > 1)
    if method == _WHOLE:
        for x in range(out.size):
            count = np.int64(max(weights[x * step], 1.0))
            total = np.int64(sums[x])
            out[x] = np.sqrt(np.float64(count * np.int64(squares[x]) - total * total)) / np.float64(count)
    elif method == _LARGE:
        for x in range(out.size):
            out[x] = _of_large(np.int64(sums[x]), np.int64(squares[x]), np.int64(max(weights[x * step], 1.0)))
    else:
        for x in range(out.size):
            count_of = max(weights[x * step], 1.0)
            mean = sums[x] / count_of
            out[x] = np.sqrt(max(squares[x] / count_of - mean * mean, 0.0))


@njit(nogil=True, cache=True)
def _of_large(total: Any, squares: Any, count: Any) -> float:
    # With total = q n + r, the sum of squared deviations is (squares - q (total + r)) - r r / n.
    mean, rest = total // count, total % count
    deviations = squares - mean * (total + rest)
    if deviations < 2**41:
        return np.sqrt(np.float64(deviations * count - rest * rest)) / count
    return np.sqrt((np.float64(deviations) - np.float64(rest * rest) / count) / count)
