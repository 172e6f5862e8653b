"""The median of a window, exact for every dtype.

OpenCV has fast networks for windows of 3 and 5, and a constant-time method for uint8. All else is found bit by bit:
pixels become unsigned keys of the same order, and the median is the largest key that at most half of the window's
pixels are less than. Each bit is one round of comparisons along a row, which vectorises.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from bigimg.core.operation import Pixels, Valid
from bigimg.errors import ParameterError
from bigimg.kernels._opencv import cv2
from bigimg.kernels.planes import as_planes, as_valid_planes
from bigimg.kernels.windows import reflect

Keys = NDArray[np.unsignedinteger[Any]]

_ALL = "u1 i1 u2 i2 u4 i4 u8 i8 f4 f8"

_STRIP = 1000
"""Columns worked on at once: the rows of a window of 9 then fit the first-level cache. Not a power of two, or the rows
would compete for the same few lines of it."""


def median(pixels: Pixels, size: int, ndim: int, valid: Valid | None = None) -> Pixels:
    """Return the median of the square or cube of ``size`` about each pixel.

    Parameters
    ----------
    pixels
        (..., M, N) or (..., L, M, N), of any real dtype; the last ``ndim`` axes are spatial. float16 is computed, and
        comes back, as float32.
    size
        Width in pixels, odd.
    valid
        Which pixels count. The median is then of the valid pixels of the window; of an even number of them, it is the
        lower of the two in the middle, so that it is always a value of the image. It is 0 where there are none.

    Returns
    -------
    ndarray of the shape and dtype of ``pixels``.

    Notes
    -----
    As ``scipy.ndimage.median_filter(pixels, size, mode="reflect")``. Negative zeros count, and come out, as zeros.

    Examples
    --------
    >>> median(np.array([[1, 9, 2, 3, 4]], np.uint8), 3, 2)
    array([[1, 2, 3, 3, 4]], dtype=uint8)
    """
    if size < 1 or size % 2 == 0:
        raise ParameterError(f"size must be an odd number of pixels, at least 1 (got {size})")
    planes = as_planes(pixels, ndim, _ALL)
    if planes.dtype.kind == "f":
        planes = planes + planes.dtype.type(0)  # one zero, not two of the same value and different bits
    valids = None if valid is None else as_valid_planes(valid, pixels, ndim)
    out = np.empty_like(planes)
    for index in range(len(planes) if planes.size else 0):
        if valids is None and ndim == 2 and _opencv_can(planes.dtype, size):
            out[index] = _by_opencv(planes[index], size)
        else:
            out[index] = _by_bits(planes[index], size, None if valids is None else valids[index])
    return (out.view(bool) if pixels.dtype == bool else out).reshape(pixels.shape)


def _opencv_can(dtype: np.dtype[Any], size: int) -> bool:
    small = size in {3, 5} and dtype.str[1:] in {"u1", "u2", "f4"}
    return small or (dtype == np.uint8 and 1 < size < 256)


def _by_opencv(plane: Pixels, size: int) -> Pixels:
    half = size // 2
    # OpenCV would repeat the outermost pixel
    padded = cv2.copyMakeBorder(plane, half, half, half, half, cv2.BORDER_REFLECT)
    return np.asarray(cv2.medianBlur(padded, size)[half:-half, half:-half])


def _by_bits(pixels: Pixels, size: int, valid: NDArray[np.bool_] | None) -> Pixels:
    ndim = pixels.ndim
    half = size // 2
    bits = 8 * pixels.dtype.itemsize
    wide: Any = np.uint8 if size**ndim < 256 else np.uint16 if size**ndim < 65536 else np.uint32
    keys = _keys(pixels)
    keys = keys.astype(np.promote_types(keys.dtype, wide), copy=False)
    if valid is not None:
        keys = np.where(valid, keys, np.iinfo(keys.dtype).max)  # less than nothing
        bits = 8 * keys.dtype.itemsize
    around = np.ix_(*([reflect(i - half, n, False) for i in range(n + 2 * half)] for n in pixels.shape))
    padded = keys[around].reshape(-1, *(n + 2 * half for n in pixels.shape[1:]))
    rank = np.full(pixels.shape, (size**ndim - 1) // 2, keys.dtype)
    if valid is not None:
        count = _count(valid[around], size)
        rank = ((np.maximum(count, 1) - 1) // 2).astype(keys.dtype)
    if ndim == 2:
        padded, rank = padded[np.newaxis], rank[np.newaxis]
    found = np.empty(rank.shape, keys.dtype)
    _select(found, np.ascontiguousarray(padded), rank, size, size if ndim == 3 else 1, bits, _STRIP)
    result = _pixels(found.reshape(pixels.shape), pixels.dtype)
    return result if valid is None else np.where(count > 0, result, pixels.dtype.type(0))


def _keys(pixels: Pixels) -> Keys:
    """Return unsigned integers in the order of the pixels."""
    dtype = np.dtype(f"u{pixels.dtype.itemsize}")
    keys = pixels.view(dtype)
    top = dtype.type(1 << (8 * dtype.itemsize - 1))
    if pixels.dtype.kind == "i":
        return keys ^ top
    if pixels.dtype.kind == "f":
        return np.where(keys & top, ~keys, keys | top)
    return keys


def _pixels(keys: Keys, dtype: np.dtype[Any]) -> Pixels:
    """Return the pixels whose keys these are."""
    unsigned = np.dtype(f"u{dtype.itemsize}")
    keys = keys.astype(unsigned)
    top = unsigned.type(1 << (8 * unsigned.itemsize - 1))
    if dtype.kind == "i":
        keys = keys ^ top
    elif dtype.kind == "f":
        keys = np.where(keys & top, keys ^ top, ~keys)
    return keys.view(dtype)


def _count(padded: NDArray[np.bool_], size: int) -> NDArray[np.int64]:
    """Return how many pixels of each window are True."""
    total = padded.astype(np.int64)
    for axis in range(total.ndim):
        total = np.lib.stride_tricks.sliding_window_view(total, size, axis=axis).sum(axis=-1)
    return total


@njit(nogil=True, cache=True)
def _select(found: Keys, keys: Keys, rank: Keys, size: int, layers: int, bits: int, strip: int) -> None:
    """Find the key of the given rank (0 is the least) in every window of ``layers`` x ``size`` x ``size``."""
    depth, height, width = found.shape
    one = keys.dtype.type(1)
    for left in range(0, width, strip):
        right = min(width, left + strip)
        less = np.empty(right - left, keys.dtype)
        guess = np.empty(right - left, keys.dtype)
        for z in range(depth):
            for y in range(height):
                best = found[z, y, left:right]
                best[:] = 0
                for bit in range(bits - 1, -1, -1):
                    _try_bit(guess, best, less, keys.dtype.type(one << keys.dtype.type(bit)))
                    for layer in range(layers):
                        for row in range(size):
                            _count_less(less, guess, keys[z + layer, y + row, left : right + size - 1], size)
                    _keep(best, guess, less, rank[z, y, left:right])


@njit(nogil=True, cache=True)
def _try_bit(guess: Keys, best: Keys, less: Keys, bit: Any) -> None:
    for x in range(guess.shape[0]):
        guess[x] = best[x] | bit
        less[x] = 0


@njit(nogil=True, cache=True)
def _count_less(less: Keys, guess: Keys, row: Keys, size: int) -> None:
    count = less.shape[0]
    column = 0
    while column + 2 < size:
        a = row[column : column + count]
        b = row[column + 1 : column + 1 + count]
        c = row[column + 2 : column + 2 + count]
        for x in range(count):
            value = guess[x]
            less[x] += np.uint8(a[x] < value) + np.uint8(b[x] < value) + np.uint8(c[x] < value)
        column += 3
    while column < size:
        a = row[column : column + count]
        for x in range(count):
            less[x] += np.uint8(a[x] < guess[x])
        column += 1


@njit(nogil=True, cache=True)
def _keep(best: Keys, guess: Keys, less: Keys, rank: Keys) -> None:
    for x in range(best.shape[0]):
        now, other = best[x], guess[x]  # loaded before the choice, or the loop would not vectorise
        best[x] = other if less[x] <= rank[x] else now
