"""Local thresholds: which pixels are brighter than their neighbourhood.

The mean and the variance of a square (or cubic) window are computed in float64 from sums that do not depend on the
tile (see `bigimg.kernels.windows`), for every dtype. A strip of columns is worked on from top to bottom::

    row of the image -> line: x          -> sums along the row -> ring of rows -> sums over the window --+
                        line: x * x      -> sums along the row -> ring of rows -> sums over the window --+-> a row of
                        line: valid, 1/0 -> sums along the row -> ring of rows -> sums over the window --+   the mask
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from bigimg.core.operation import Pixels, Valid
from bigimg.errors import ParameterError
from bigimg.kernels.planes import as_planes, as_valid_planes
from bigimg.kernels.windows import Floats, Steps, feed, ring_rows, slot, steps, sum_windows

Mask = NDArray[np.bool_]

_MEAN, _SAUVOLA = 0, 1
_UNMASKED = np.ones((1, 1), bool)

_STRIP = 632
"""Columns worked on at once: the rings of a window of 51 then fit a second-level cache of 1 MB. Not a power of two,
or all rows of a ring would compete for the same few lines of the first-level cache."""

_CLOSE = 2.0**-44
"""What may be lost to rounding, relative to the terms compared: 64 times the worst case."""


def local_mean_mask(pixels: Pixels, window_size: int, offset: float, ndim: int, valid: Valid | None = None) -> Mask:
    """Return where ``pixels`` are greater than the mean of the window about them, less ``offset``.

    Parameters
    ----------
    pixels
        (..., M, N) or (..., L, M, N), of any real dtype; the last ``ndim`` axes are spatial.
    window_size
        Width of the square or cube in pixels, odd.
    offset
        Subtracted from the mean, in grey values.
    valid
        Which pixels count; the mean is over these alone.

    Returns
    -------
    ndarray of bool, the shape of ``pixels``.

    Notes
    -----
    As ``pixels > skimage.filters.threshold_local(pixels, window_size, "mean", offset)`` for float64 pixels; the image
    is continued by reflection (d c b a | a b c d). Here the sums of integers are exact, while scikit-image's sliding
    sum rounds: pixels that equal the mean to the last digit may differ. For float32, scikit-image rounds the mean to
    float32; here it stays float64.

    Examples
    --------
    >>> local_mean_mask(np.array([[1, 1, 1], [1, 5, 1], [1, 1, 1]]), 3, 0, 2).astype(int)
    array([[0, 0, 0],
           [0, 1, 0],
           [0, 0, 0]])
    """
    return _local(pixels, window_size, ndim, valid, _MEAN, float(offset), 1.0)


def sauvola_mask(pixels: Pixels, window_size: int, k: float, r: float, ndim: int, valid: Valid | None = None) -> Mask:
    """Return where ``pixels`` are greater than Sauvola's threshold, ``mean * (1 + k * (std / r - 1))`` of the window.

    Parameters
    ----------
    pixels
        (..., M, N) or (..., L, M, N), of any real dtype; the last ``ndim`` axes are spatial.
    window_size
        Width of the square or cube in pixels, odd.
    k
        How much the threshold falls where the contrast is low.
    r
        The largest standard deviation to expect: half of the range of grey values.
    valid
        Which pixels count; mean and standard deviation are over these alone.

    Returns
    -------
    ndarray of bool, the shape of ``pixels``.

    Notes
    -----
    As ``pixels > skimage.filters.threshold_sauvola(pixels, window_size, k, r)`` for integer and float64 pixels; the
    image is continued by reflection about its outermost pixels (d c b | a b c d). For float32, scikit-image rounds
    the mean of the squares to float32, which leaves little of a small variance of bright pixels; here all of it is
    float64, as if the image were.

    References
    ----------
    J. Sauvola, M. Pietikainen: Adaptive document image binarization, Pattern Recognition 33 (2000) 225-236.

    Examples
    --------
    >>> sauvola_mask(np.array([[1, 1, 1], [1, 5, 1], [1, 1, 1]]), 3, 0.2, 2.0, 2).astype(int)
    array([[0, 0, 0],
           [0, 1, 0],
           [0, 0, 0]])
    """
    if not r > 0:
        raise ParameterError(f"r must be greater than 0: half of the range of grey values (got {r})")
    return _local(pixels, window_size, ndim, valid, _SAUVOLA, float(k), float(r))


def _local(pixels: Pixels, size: int, ndim: int, valid: Valid | None, method: int, first: float, second: float) -> Mask:
    if size < 1 or size % 2 == 0:
        raise ParameterError(f"window_size must be an odd number of pixels, at least 1 (got {size})")
    planes = as_planes(pixels, ndim, "f4 f8")
    valids = None if valid is None else as_valid_planes(valid, pixels, ndim)
    out = np.empty(planes.shape, bool)
    for index in range(len(planes) if planes.size else 0):
        mask = None if valids is None else valids[index]
        if ndim == 2:
            weights, masked = (_UNMASKED, False) if mask is None else (mask, True)
            _fill(out[index], planes[index], weights, masked, method, first, second, steps(size), _STRIP)
        else:
            out[index] = _volume(planes[index], mask, size, method, first, second)
    return out.reshape(pixels.shape)


def _volume(voxels: Pixels, valid: Mask | None, size: int, method: int, first: float, second: float) -> Mask:
    """Do for three dimensions, in plain NumPy, what `_fill` does for two."""
    values = voxels.astype(np.float64)
    weight: Floats | float = float(size**values.ndim)
    mirror = method == _SAUVOLA
    axes = tuple(range(values.ndim))
    if valid is not None:
        values[~valid] = 0
        weight = np.maximum(sum_windows(valid.astype(np.float64), size, axes, mirror=mirror), 1)
    mean = sum_windows(values, size, axes, mirror=mirror) / weight
    if method == _MEAN:
        return np.asarray(voxels > mean - first)
    spread = np.sqrt(np.maximum(sum_windows(values * values, size, axes, mirror=mirror) / weight - mean * mean, 0))
    return np.asarray(voxels > mean * (1 + first * (spread / second - 1)))


@njit(nogil=True, cache=True)
def _fill(
    out: Mask,
    pixels: Pixels,
    valid: Mask,
    masked: bool,
    method: int,
    first: float,
    second: float,
    plan: Steps,
    strip: int,
) -> None:
    height, width = pixels.shape
    size = plan[-1, 0]
    radius = size // 2
    mirror = method == _SAUVOLA
    channels = 1 + int(mirror) + int(masked)
    strip = max(strip, 2 * size)
    head = np.zeros(plan.shape[0], np.int64)
    for left in range(0, width, strip):
        count = min(strip, width - left)
        memory = np.zeros((channels, ring_rows(plan) * count + plan.shape[0] * (count + size - 1)))
        for row in range(height + size - 1):
            feed(memory, pixels, valid, masked, mirror, row - radius, left - radius, count, mirror, plan, head)
            y = row - size + 1
            if y < 0:
                continue
            found = slot(plan, head, plan.shape[0] - 1, 0) * count
            here = out[y, left : left + count]
            grey = pixels[y, left : left + count]
            sums = memory[0, found : found + count]
            squares = memory[channels - 1 - int(masked), found : found + count]
            if masked:
                weights = memory[channels - 1, found : found + count]
                if method == _MEAN:
                    _mean_of_valid(here, grey, sums, weights, first)
                else:
                    _sauvola_of_valid(here, grey, sums, squares, weights, first, second)
            elif method == _MEAN:
                _mean(here, grey, sums, float(size * size), first)
            else:
                _sauvola(here, grey, sums, squares, float(size * size), first, second)


@njit(nogil=True, cache=True)
def _mean(out: Mask, grey: Pixels, sums: Floats, weight: float, offset: float) -> None:
    for x in range(out.shape[0]):
        out[x] = grey[x] > sums[x] / weight - offset


@njit(nogil=True, cache=True)
def _mean_of_valid(out: Mask, grey: Pixels, sums: Floats, weights: Floats, offset: float) -> None:
    for x in range(out.shape[0]):
        out[x] = grey[x] > sums[x] / max(weights[x], 1.0) - offset


@njit(nogil=True, cache=True)
def _sauvola(out: Mask, grey: Pixels, sums: Floats, squares: Floats, weight: float, k: float, r: float) -> None:
    """Compare without roots and divisions, and again with them, as scikit-image does, where rounding could decide.

    ``grey > mean + k * mean * (std / r - 1)`` is ``above > slope * std``, and ``t * abs(t)`` keeps the order.
    """
    inverse, level, gain, spread = 1.0 / weight, 1.0 - k, k / r, 1.0 + abs(k)
    unsure = 0
    for x in range(out.shape[0]):
        pixel = np.float64(grey[x])
        mean = sums[x] * inverse
        mean_square = squares[x] * inverse
        above = pixel - mean * level
        slope = mean * gain
        left = above * abs(above)
        right = slope * abs(slope) * (mean_square - mean * mean)
        close = _CLOSE * (abs(above) * (abs(pixel) + spread * abs(mean)) + slope * slope * mean_square)
        out[x] = left > right
        # An empty background is all zeros, and sure: 0 is not greater than 0. The negation also catches NaN.
        unsure |= (not (abs(left - right) > close)) & ((pixel != 0) | (mean != 0))
    if unsure:
        for x in range(out.shape[0]):
            mean = sums[x] / weight
            variance = max(squares[x] / weight - mean * mean, 0.0)
            out[x] = grey[x] > mean * (1 + k * (np.sqrt(variance) / r - 1))


@njit(nogil=True, cache=True)
def _sauvola_of_valid(
    out: Mask, grey: Pixels, sums: Floats, squares: Floats, weights: Floats, k: float, r: float
) -> None:
    for x in range(out.shape[0]):
        weight = max(weights[x], 1.0)
        mean = sums[x] / weight
        variance = max(squares[x] / weight - mean * mean, 0.0)
        out[x] = grey[x] > mean * (1 + k * (np.sqrt(variance) / r - 1))
