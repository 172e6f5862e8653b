"""Means of blocks of pixels, each block a value of the result.

A block is where it is in the whole image: a tile of the result is made of whole blocks, and sums its pixels row by row.
Sums of integers are exact.
"""

from __future__ import annotations

from math import prod

import numpy as np
from numba import njit
from numpy.typing import NDArray

from bigimg.core.operation import Pixels, Valid
from bigimg.kernels.planes import as_planes, read_only, smoothed_dtype


def block_means(
    pixels: Pixels,
    factors: tuple[int, ...],
    shape: tuple[int, ...],
    beyond: float,
    valid: Valid | None = None,
) -> Pixels:
    """Return the mean of each block of ``factors`` pixels.

    Parameters
    ----------
    pixels
        (..., M, N) or (..., L, M, N), from the first pixel of a block on; those missing from the last blocks are
        ``beyond`` the image.
    factors
        Sides of a block along the last axes.
    shape
        How many blocks there are along these axes.
    beyond
        The value of pixels beyond the image.
    valid
        Which pixels count; the mean is over these, and those beyond the image. 0 where none does.

    Returns
    -------
    ndarray of float32 for float32 and float16 pixels, else of float64

    Examples
    --------
    >>> block_means(np.arange(6, dtype="u1").reshape(2, 3), (2, 2), (1, 2), 0.0)
    array([[2.  , 1.75]])
    """
    ndim = len(factors)
    sums = _sums(pixels if valid is None else np.where(valid, pixels, np.zeros((), pixels.dtype)), factors, shape)
    dtype = smoothed_dtype(pixels.dtype)
    if valid is None and all(size == f * n for size, f, n in zip(pixels.shape[-ndim:], factors, shape)):
        return np.asarray((sums / prod(factors)).astype(dtype, copy=False))
    there = _pixels_there(pixels.shape[-ndim:], factors, shape)
    missing = prod(factors) - there
    count = there if valid is None else _sums(valid, factors, shape).astype(np.int64)
    total = sums + missing * beyond if beyond else sums
    made = np.divide(total, np.maximum(count + missing, 1))
    return np.where(count > 0, made, 0.0).astype(dtype, copy=False)


def _pixels_there(size: tuple[int, ...], factors: tuple[int, ...], shape: tuple[int, ...]) -> NDArray[np.int64]:
    """Return how many pixels of each block lie within the image."""
    there = np.ones((), np.int64)
    for pixels, factor, blocks in zip(size, factors, shape):
        there = there[..., None] * np.clip(pixels - factor * np.arange(blocks), 0, factor)
    return there


def blocks_with_any(valid: Valid, factors: tuple[int, ...], shape: tuple[int, ...]) -> Valid:
    """Return which blocks hold a pixel that counts."""
    return np.asarray(_sums(valid, factors, shape) > 0)


def _sums(pixels: Pixels, factors: tuple[int, ...], shape: tuple[int, ...]) -> Pixels:
    ndim = len(factors)
    planes = as_planes(pixels, ndim, "u1 i1 u2 i2 u4 i4 f4 f8")
    narrow = planes.dtype.kind in "iu" and planes.dtype.itemsize <= 2 and prod(factors) < 2**15
    dtype = np.dtype(np.float64 if planes.dtype.kind == "f" else np.int32 if narrow else np.int64)
    if ndim == 3:
        thick = np.zeros((len(planes), shape[0], *planes.shape[2:]), dtype)
        for voxels, target in zip(planes, thick):
            _add_rows(target.reshape(shape[0], -1), voxels.reshape(len(voxels), -1), factors[0])
        planes = read_only(thick)
    stack = planes.reshape(-1, *planes.shape[-2:])
    out = np.zeros((len(stack), *shape[-2:]), dtype)
    for plane, target in zip(stack, out):
        _add_blocks(target, plane, *factors[-2:])
    return out.reshape(*pixels.shape[: pixels.ndim - ndim], *shape)


@njit(nogil=True, cache=True)
def _add_rows(sums: Pixels, rows: Pixels, factor: int) -> None:
    for y in range(rows.shape[0]):
        target, row = sums[y // factor], rows[y]
        for x in range(row.shape[0]):
            target[x] += row[x]


@njit(nogil=True, cache=True)
def _add_blocks(sums: Pixels, pixels: Pixels, high: int, wide: int) -> None:
    height, width = pixels.shape
    line = np.empty(width, sums.dtype)
    whole = width // wide
    for block in range(sums.shape[0]):
        line[:] = pixels[block * high]
        for y in range(block * high + 1, min(height, (block + 1) * high)):
            row = pixels[y]
            for x in range(width):
                line[x] += row[x]
        target = sums[block]
        if wide == 2:
            for x in range(whole):
                target[x] = line[2 * x] + line[2 * x + 1]
        elif wide == 4:
            for x in range(whole):
                target[x] = ((line[4 * x] + line[4 * x + 1]) + line[4 * x + 2]) + line[4 * x + 3]
        else:
            for x in range(whole):
                total = line[wide * x]
                for k in range(1, wide):
                    total += line[wide * x + k]
                target[x] = total
        if whole < sums.shape[1]:
            total = line[wide * whole]
            for x in range(wide * whole + 1, width):
                total += line[x]
            target[whole] = total
