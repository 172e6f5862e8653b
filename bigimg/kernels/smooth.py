"""Gaussian and uniform smoothing that give a pixel the same bits whatever tile it is computed in.

No sum slides: what is added and taken away again leaves its rounding behind, and would tell where the tile began.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from bigimg.core.operation import Pixels, Valid
from bigimg.errors import ParameterError
from bigimg.kernels.gaussian_loops import smooth
from bigimg.kernels.mean import fits, mean_of_integers
from bigimg.kernels.planes import as_planes, as_valid_planes, read_only, smoothed_dtype
from bigimg.kernels.windows import Steps, feed, ring_rows, slot, steps, sum_boxes

Weights = NDArray[Any]

_COMPILED = "u1 u2 f4 f8"
_UNMASKED = np.ones((1, 1), bool)

_WINDOW_STRIP = 1100
"""Columns of the uniform filter worked on at once, so that its ring of float64 rows stays in the cache."""


def gaussian(
    pixels: Pixels, sigma: float | Sequence[float], truncate: float, ndim: int, valid: Valid | None = None
) -> Pixels:
    """Return ``pixels`` smoothed by a Gaussian.

    Parameters
    ----------
    pixels
        (..., M, N) or (..., L, M, N), of any real dtype; the last ``ndim`` axes are spatial.
    sigma
        Standard deviation in pixels, one for all axes or one an axis; along an axis of 0 nothing is done.
    truncate
        Where the Gaussian ends, in standard deviations.
    valid
        Which pixels count. The others have no weight, and the weights of those left are scaled to a sum of 1
        (normalised convolution); where none is left, the result is 0.

    Returns
    -------
    ndarray of the shape of ``pixels`` and the same range of grey values, of float32 for float32 and float16, else of
    float64.

    Notes
    -----
    As ``scipy.ndimage.gaussian_filter(pixels.astype(float), sigma, mode="reflect", truncate=truncate)``, to within the
    rounding of the result's dtype.

    Examples
    --------
    >>> gaussian(np.array([[0, 0, 8, 0, 0]], np.uint8), 1.0, 1.0, 2).round(2)
    array([[0.  , 2.19, 3.61, 2.19, 0.  ]])
    """
    sigmas = (sigma,) * ndim if isinstance(sigma, (int, float)) else tuple(sigma)
    if not all(0 <= each < np.inf for each in (*sigmas, truncate)):
        raise ParameterError(f"sigma and truncate must be finite and at least 0 (got {sigma} and {truncate})")
    weights = [read_only(_half_gaussian(each, truncate).astype(smoothed_dtype(pixels.dtype))) for each in sigmas]
    planes = as_planes(pixels, ndim, _COMPILED)
    if valid is None:
        return _separable(planes, weights).reshape(pixels.shape)
    valids = as_valid_planes(valid, pixels, ndim)
    total = _separable(read_only(np.where(valids, planes, planes.dtype.type(0))), weights)
    weight = _separable(valids.view(np.uint8), weights)
    return np.divide(total, weight, out=np.zeros_like(total), where=weight > 0).reshape(pixels.shape)


def uniform(pixels: Pixels, size: int, ndim: int, valid: Valid | None = None) -> Pixels:
    """Return the mean of the square or cube of ``size`` about each pixel.

    Parameters
    ----------
    pixels
        (..., M, N) or (..., L, M, N), of any real dtype; the last ``ndim`` axes are spatial.
    size
        Width in pixels; an even one reaches one pixel further up and to the left, as in SciPy.
    valid
        Which pixels count; the mean is over these alone, and 0 where there are none.

    Returns
    -------
    ndarray of the shape of ``pixels``, of float32 for float32 and float16, else of float64. Sums are float64, so those
    of integers are exact up to 2**53, and are divided and rounded once.

    Notes
    -----
    As ``scipy.ndimage.uniform_filter(pixels.astype(float), size, mode="reflect")``.

    Examples
    --------
    >>> uniform(np.array([[0, 3, 6, 9]], np.uint8), 3, 2)
    array([[1., 3., 6., 8.]])
    """
    if size < 1:
        raise ParameterError(f"size must be at least 1 pixel (got {size})")
    exact = valid is None and fits(pixels.dtype, size**ndim)
    planes = as_planes(pixels, ndim, "u1 i1 u2 i2" if exact else "f4 f8")
    valids = None if valid is None else as_valid_planes(valid, pixels, ndim)
    out = np.empty(planes.shape, smoothed_dtype(pixels.dtype))
    for index in range(len(planes) if planes.size else 0):
        mask = None if valids is None else valids[index]
        if exact:
            mean_of_integers(out[index], planes[index], size)
        elif ndim == 2:
            weights = _UNMASKED if mask is None else mask
            _average(out[index], planes[index], weights, mask is not None, steps(size), _WINDOW_STRIP)
        else:
            out[index] = _average_volume(planes[index], mask, size)
    return out.reshape(pixels.shape)


def _half_gaussian(sigma: float, truncate: float) -> Weights:
    """Return the weights from the centre outwards, computed as SciPy does."""
    radius = int(truncate * sigma + 0.5)
    if radius == 0:
        return np.ones(1)
    offset = np.arange(-radius, radius + 1)
    weights = np.exp(-0.5 / (sigma * sigma) * offset**2)
    return np.asarray((weights / weights.sum())[radius:])


def _separable(planes: Pixels, weights: Sequence[Weights]) -> Pixels:
    """Smooth every plane of a stack along its rows, then down; volumes along their first axis before that."""
    *deep, down, along = weights
    out = np.empty(planes.shape, along.dtype)
    if planes.ndim == 4 and planes.size and len(deep[0]) > 1:
        alone = read_only(np.ones(1, along.dtype))
        for voxels, target in zip(planes, out):
            smooth(target.reshape(len(target), -1), voxels.reshape(len(voxels), -1), deep[0], alone)
        planes = read_only(out.copy())
    stack = planes.reshape(-1, *planes.shape[-2:]) if planes.size else ()
    for plane, target in zip(stack, out.reshape(-1, *out.shape[-2:]) if planes.size else ()):
        smooth(target, plane, down, along)
    return out


@njit(nogil=True, cache=True)
def _average(out: Pixels, pixels: Pixels, valid: NDArray[np.bool_], masked: bool, plan: Steps, strip: int) -> None:
    height, width = pixels.shape
    size = plan[-1, 0]
    strip = max(strip, 2 * size)
    head = np.zeros(plan.shape[0], np.int64)
    for left in range(0, width, strip):
        count = min(strip, width - left)
        memory = np.zeros((1 + int(masked), ring_rows(plan) * count + plan.shape[0] * (count + size - 1)))
        for row in range(height + size - 1):
            feed(memory, pixels, valid, masked, False, row - size // 2, left - size // 2, count, False, plan, head)
            if row < size - 1:
                continue
            found = slot(plan, head, plan.shape[0] - 1, 0) * count
            target = out[row - size + 1, left : left + count]
            sums = memory[0, found : found + count]
            if masked:
                weights = memory[1, found : found + count]
                for x in range(count):
                    target[x] = sums[x] / max(weights[x], 1.0)
            else:
                for x in range(count):
                    target[x] = sums[x] / float(size * size)


def _average_volume(voxels: Pixels, valid: NDArray[np.bool_] | None, size: int) -> Pixels:
    values = voxels.astype(np.float64)
    if valid is None:
        return np.asarray(sum_boxes(values, size, mirror=False) / size**voxels.ndim)
    values[~valid] = 0
    weights = sum_boxes(valid.astype(np.float64), size, mirror=False)
    return np.asarray(sum_boxes(values, size, mirror=False) / np.maximum(weights, 1))
