"""Exact histograms, which add up over tiles: each value of integers, equal bins of floating point numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from bigimg.core.operation import Pixels, Valid
from bigimg.errors import ImageError, ParameterError
from bigimg.kernels.planes import read_only

Counts = NDArray[np.int64]

LARGEST = 1e100
"""How large values may be that are counted in bins: sums over the centres of bins, and their squares, stay finite."""

_NO_MASK = np.ones(1, bool)


def count_integers(pixels: Pixels, low: int, high: int, valid: Valid | None = None) -> Counts:
    """Return how often each of the values ``low`` ... ``high`` occurs.

    Parameters
    ----------
    pixels
        Integers or booleans, of any shape.
    low, high
        The first and the last value to count; values outside are not counted.
    valid
        Which pixels count.

    Returns
    -------
    ndarray of int64, shape (high - low + 1,)

    Examples
    --------
    >>> count_integers(np.array([1, 3, 3, 9]), 0, 4)
    array([0, 1, 0, 2, 0])
    """
    if pixels.dtype.kind not in "biu":
        raise ImageError(f"counts integers (got {pixels.dtype}); use count_floats")
    if high < low:
        raise ParameterError(f"high must not be less than low (got {low} and {high})")
    values = _flat(pixels)
    mask, masked = _flat_mask(valid, pixels)
    counts = np.zeros(high - low + 1, np.int64)
    kind = np.iinfo(values.dtype)
    first, last = max(int(kind.min), low), min(int(kind.max), high)
    if values.dtype.itemsize <= 2 and values.dtype.kind == "u" and (low, high) == (kind.min, kind.max):
        _count_all(counts, values, mask, masked)
    elif first <= last:
        _count_between(counts, values, mask, masked, values.dtype.type(first), values.dtype.type(last), first - low)
    return counts


def count_floats(pixels: Pixels, low: Any, high: Any, bins: int, valid: Valid | None = None) -> Counts:
    """Return how many pixels fall into each of ``bins`` equal bins between ``low`` and ``high``.

    Parameters
    ----------
    pixels
        Floating point numbers, of any shape. NaN is not counted.
    low, high
        Lower edge of the first and upper edge of the last bin, which holds its upper edge too.
    valid
        Which pixels count.

    Returns
    -------
    ndarray of int64, shape (bins,)
        The counts of ``numpy.histogram(pixels, bins, range=(low, high))``, with ``low`` and ``high`` of the dtype of
        the pixels.

    Examples
    --------
    >>> count_floats(np.array([0.0, 0.1, 0.9, 1.0]), 0.0, 1.0, 2)
    array([2, 2])
    """
    if pixels.dtype.kind != "f":
        raise ImageError(f"counts floating point numbers (got {pixels.dtype}); use count_integers")
    edges = bin_edges(low, high, bins, pixels.dtype)
    values = _flat(pixels)
    if values.dtype != edges.dtype:
        values = read_only(values.astype(edges.dtype))
    counts = np.zeros(bins, np.int64)
    _count_bins(counts, values, *_flat_mask(valid, pixels), read_only(edges))
    return counts


def bin_edges(low: Any, high: Any, bins: int, dtype: np.dtype[Any]) -> Pixels:
    """Return the ``bins + 1`` edges that `numpy.histogram` would use for an image of ``dtype``.

    Where the range is so small that bins of this dtype would be empty, which NumPy refuses, or so large that this dtype
    cannot hold its length, the edges are float64.

    Raises
    ------
    ImageError
        If the values are so large that float64 cannot hold their sums and squares either.
    """
    if bins < 1 or not high >= low:
        raise ParameterError(f"needs at least 1 bin and low <= high (got {bins} bins from {low} to {high})")
    if dtype == np.float16:
        dtype = np.dtype(np.float32)
    largest = max(abs(float(low)), abs(float(high)))
    if largest > LARGEST:
        raise ImageError(
            f"the grey values from {low} to {high} are too large to be counted in bins (at most {LARGEST:g}); rescale "
            "the image, or mask the pixels that mean nothing"
        )
    if dtype == np.float32 and largest > np.finfo(np.float32).max / 4:
        dtype = np.dtype(np.float64)
    first, last = dtype.type(low), dtype.type(high)
    if first == last:
        first, last = first - dtype.type(0.5), last + dtype.type(0.5)
    if first == last:  # numbers so large that a half is nothing
        first, last = np.nextafter(first, -dtype.type(LARGEST)), np.nextafter(last, dtype.type(LARGEST))
    edges = np.linspace(first, last, bins + 1, dtype=dtype)
    if dtype == np.float32 and (edges[:-1] >= edges[1:]).any():
        return bin_edges(low, high, bins, np.dtype(np.float64))
    return edges


def bin_centers(edges: Pixels) -> Pixels:
    """Return the centres of bins, as scikit-image computes them."""
    return np.asarray((edges[:-1] + edges[1:]) / edges.dtype.type(2))


def extrema(pixels: Pixels, valid: Valid | None = None) -> tuple[Any, Any] | None:
    """Return the least and the greatest valid pixel, as scalars of the image's dtype, or None if there is none.

    Raises
    ------
    ImageError
        If a valid pixel is NaN or infinite.

    Examples
    --------
    >>> extrema(np.array([3, 1, 2], np.uint8))
    (np.uint8(1), np.uint8(3))
    """
    values = pixels if valid is None else pixels[valid]
    if values.size == 0:
        return None
    low, high = values.min(), values.max()
    if not (np.isfinite(low) and np.isfinite(high)):
        raise ImageError(
            f"the image has pixels that are not finite (from {low} to {high}); mark them as invalid with a mask"
        )
    return low, high


def _flat(pixels: Pixels) -> Pixels:
    if pixels.dtype == bool:
        pixels = pixels.view(np.uint8)
    return read_only(np.require(pixels, pixels.dtype.newbyteorder("="), ("C", "A")).reshape(-1))


def _flat_mask(valid: Valid | None, pixels: Pixels) -> tuple[NDArray[np.bool_], bool]:
    if valid is None:
        return read_only(_NO_MASK), False
    if valid.shape != pixels.shape or valid.dtype != bool:
        raise ImageError(
            f"the validity mask must be boolean and of the image's shape {pixels.shape} "
            f"(got {valid.dtype}, {valid.shape})"
        )
    return _flat(valid).view(bool), True


@njit(nogil=True, cache=True)
def _count_all(counts: Counts, values: Pixels, valid: NDArray[np.bool_], masked: bool) -> None:
    # Four histograms: an equal value right after the last one would have to wait for its count to be stored.
    banks = np.zeros((4, counts.shape[0]), np.uint32)
    block = 1 << 30  # a bank cannot overflow
    for start in range(0, values.shape[0], block):
        stop = min(start + block, values.shape[0])
        whole = start + (stop - start) // 4 * 4
        if masked:
            for i in range(start, whole, 4):
                banks[0, values[i]] += valid[i]
                banks[1, values[i + 1]] += valid[i + 1]
                banks[2, values[i + 2]] += valid[i + 2]
                banks[3, values[i + 3]] += valid[i + 3]
            for i in range(whole, stop):
                banks[0, values[i]] += valid[i]
        else:
            for i in range(start, whole, 4):
                banks[0, values[i]] += 1
                banks[1, values[i + 1]] += 1
                banks[2, values[i + 2]] += 1
                banks[3, values[i + 3]] += 1
            for i in range(whole, stop):
                banks[0, values[i]] += 1
        for bank in range(4):
            for value in range(counts.shape[0]):
                counts[value] += banks[bank, value]
        banks[:] = 0


@njit(nogil=True, cache=True)
def _count_between(
    counts: Counts, values: Pixels, valid: NDArray[np.bool_], masked: bool, first: int, last: int, shift: int
) -> None:
    for i in range(values.shape[0]):
        if first <= values[i] <= last and (not masked or valid[i]):
            counts[np.int64(values[i] - first) + shift] += 1


@njit(nogil=True, cache=True)
def _count_bins(counts: Counts, values: Pixels, valid: NDArray[np.bool_], masked: bool, edges: Pixels) -> None:
    bins = counts.shape[0]
    low, high = edges[0], edges[bins]
    scale = bins / (np.float64(high) - np.float64(low))
    for i in range(values.shape[0]):
        value = values[i]
        if low <= value <= high and (not masked or valid[i]):
            # The edges decide, as in NumPy; the product only says where to look.
            # Where the range is subnormal the scale is infinite, and no product a place.
            place = max(0, min(int((np.float64(value) - low) * scale), bins - 1))
            while place > 0 and value < edges[place]:
                place -= 1
            while place < bins - 1 and value >= edges[place + 1]:
                place += 1
            counts[place] += 1
