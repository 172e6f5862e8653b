"""Exact histograms, which add up over tiles, and the thresholds that are found from the sum.

The thresholds are those scikit-image finds from the whole image: the counts of integers are the whole of what it looks
at, and so are 256 bins between the least and the greatest value of a floating point image for Otsu's method and the
triangle method.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray
from skimage.filters import threshold_otsu

from bigimg.core.operation import Pixels, Valid
from bigimg.errors import ImageError, ParameterError
from bigimg.kernels.planes import read_only

Counts = NDArray[np.int64]

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

    Where the range is so small that bins of this dtype would be empty, which NumPy refuses, the edges are float64.
    """
    if bins < 1 or not high >= low:
        raise ParameterError(f"needs at least 1 bin and low <= high (got {bins} bins from {low} to {high})")
    if dtype == np.float16:
        dtype = np.dtype(np.float32)
    first, last = dtype.type(low), dtype.type(high)
    if first == last:
        first, last = first - dtype.type(0.5), last + dtype.type(0.5)
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


def otsu(counts: Counts, centers: Pixels) -> float:
    """Return Otsu's threshold from a histogram: the value that separates two classes of least variance.

    Parameters
    ----------
    counts
        How many pixels fall into each bin.
    centers
        The value of each bin: every integer of a range, or the centres of 256 bins between the least and the greatest
        value of a floating point image.

    Returns
    -------
    The threshold of ``skimage.filters.threshold_otsu``; the value itself if only one occurs; NaN if nothing was
    counted, and no pixel is greater than that. An image of a single floating point value has no bin at this value:
    who calls knows it, from the extrema.

    References
    ----------
    N. Otsu: A threshold selection method from gray-level histograms, IEEE Trans. SMC 9 (1979) 62-66.

    Examples
    --------
    >>> otsu(np.array([5, 3, 0, 0, 4]), np.arange(5))
    1.0
    """
    counts, centers = _trim(counts, centers)
    if len(counts) < 2:
        return _only(centers)
    return float(threshold_otsu(hist=(counts, centers)))


def triangle(counts: Counts, centers: Pixels) -> float:
    """Return the threshold of the triangle method from a histogram.

    A line is drawn from the peak to the far end of the histogram; the threshold is where the counts lie furthest below.

    Parameters
    ----------
    counts, centers
        As for `otsu`.

    Returns
    -------
    The threshold of ``skimage.filters.threshold_triangle``; the value itself if only one occurs; NaN if nothing was
    counted.

    References
    ----------
    G. W. Zack, W. E. Rogers, S. A. Latt: Automatic measurement of sister chromatid exchange frequency, J. Histochem.
    Cytochem. 25 (1977) 741-753.

    Examples
    --------
    >>> triangle(np.array([9, 2, 1, 1, 1]), np.arange(5))
    1.0
    """
    counts, centers = _trim(counts, centers)
    if len(counts) < 2:
        return _only(centers)
    peak = int(np.argmax(counts))
    height = int(counts[peak])  # its square may be greater than an int64
    flipped = peak < len(counts) - 1 - peak
    if flipped:
        counts, peak = counts[::-1], len(counts) - 1 - peak
    norm = math.sqrt(height**2 + peak**2)
    distance = height / norm * np.arange(peak) - peak / norm * counts[:peak]
    level = int(np.argmax(distance))
    return float(centers[len(counts) - 1 - level if flipped else level])


def li(counts: Counts, centers: Pixels) -> float:
    """Return Li's threshold of minimum cross entropy from a histogram.

    Parameters
    ----------
    counts, centers
        As for `otsu`; for a floating point image with many more bins, such as 65536, since this method looks at the
        values themselves.

    Returns
    -------
    The threshold of ``skimage.filters.threshold_li`` for integer images: the mean is where the search begins, and it
    ends when a step is at most half of the smallest difference between grey values. For a floating point image each
    value counts as the centre of its bin, so the result differs from scikit-image's by about the width of a bin at
    most. The value itself if only one occurs; NaN if nothing was counted.

    References
    ----------
    C. H. Li, P. K. S. Tam: An iterative algorithm for minimum cross entropy thresholding, Pattern Recognition Letters
    18 (1998) 771-776.

    Examples
    --------
    >>> round(li(np.array([5, 3, 0, 0, 4]), np.arange(5)), 3)
    1.531
    """
    counts, centers = _trim(counts, centers)
    if len(counts) < 2:
        return _only(centers)
    least = centers[0]
    occurs = counts > 0
    exact = counts[occurs].astype(np.float64)
    weights = counts[occurs].astype(np.float32)  # as scikit-image
    values = (centers[occurs] - least).astype(np.float64)
    tolerance = 0.5 if centers.dtype.kind in "iu" else float(np.diff(values).min()) / 2
    threshold, before = float((values * exact).sum() / exact.sum()), -2 * tolerance
    while abs(threshold - before) > tolerance:
        before = threshold
        split = int(np.searchsorted(values, threshold, side="right"))
        below = np.average(values[:split], weights=weights[:split])
        above = np.average(values[split:], weights=weights[split:])
        if below == 0:
            break
        threshold = float((below - above) / (np.log(below) - np.log(above)))
    return threshold + float(least)


def _trim(counts: Counts, centers: Pixels) -> tuple[Counts, Pixels]:
    """Leave out the empty bins at both ends."""
    if counts.shape != centers.shape or counts.ndim != 1:
        raise ParameterError(f"needs one centre for each count (got shapes {counts.shape} and {centers.shape})")
    occurs = np.flatnonzero(counts)
    if len(occurs) == 0:
        return counts[:0], centers[:0]
    inside = slice(int(occurs[0]), int(occurs[-1]) + 1)
    return counts[inside], centers[inside]


def _only(centers: Pixels) -> float:
    return float(centers[0]) if len(centers) else float("nan")


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
            place = min(int((np.float64(value) - low) * scale), bins - 1)
            while place > 0 and value < edges[place]:
                place -= 1
            while place < bins - 1 and value >= edges[place + 1]:
                place += 1
            counts[place] += 1
