"""Thresholds that are found from a histogram alone.

They are those that scikit-image finds from the whole image: the counts of integers are the whole of what it looks at,
and so are 256 bins between the least and the greatest value of a floating point image, for all methods but Li's.
"""

from __future__ import annotations

import math

import numpy as np
import scipy.ndimage as ndi
from numba import njit
from numpy.typing import NDArray
from skimage.filters import threshold_otsu, threshold_yen

from bigimg.core.operation import Pixels
from bigimg.errors import ImageError, ParameterError
from bigimg.kernels.histogram import Counts
from bigimg.kernels.planes import read_only

MOST_SMOOTHINGS = 10_000
"""How often a histogram is smoothed before it counts as one that never has two maxima, as in scikit-image."""


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


def yen(counts: Counts, centers: Pixels) -> float:
    """Return Yen's threshold of maximum correlation from a histogram.

    Parameters
    ----------
    counts, centers
        As for `otsu`.

    Returns
    -------
    The threshold of ``skimage.filters.threshold_yen``.

    References
    ----------
    J. C. Yen, F. J. Chang, S. Chang: A new criterion for automatic multilevel thresholding, IEEE Trans. Image
    Processing 4 (1995) 370-378.

    Examples
    --------
    >>> yen(np.array([5, 3, 0, 0, 4]), np.arange(5))
    0.0
    """
    counts, centers = _trim(counts, centers)
    if len(counts) < 2:
        return _only(centers)
    with np.errstate(divide="ignore", invalid="ignore"):  # a share of all pixels but a few rounds to 1
        return float(threshold_yen(hist=(counts, centers)))


def isodata(counts: Counts, centers: Pixels) -> float:
    """Return the least value that is half way between the means below and above it, from a histogram.

    Parameters
    ----------
    counts, centers
        As for `otsu`.

    Returns
    -------
    The threshold of ``skimage.filters.threshold_isodata``, which rounds counts to float32: of more than 2**24 pixels
    its result may be another.

    References
    ----------
    T. W. Ridler, S. Calvard: Picture thresholding using an iterative selection method, IEEE Trans. SMC 8 (1978)
    630-632.

    Examples
    --------
    >>> isodata(np.array([5, 3, 0, 0, 4]), np.arange(5))
    2.0
    """
    counts, centers = _trim(counts, centers)
    if len(counts) < 2:
        return _only(centers)
    # As scikit-image, which computes in the dtype of a floating point image.
    values = centers if centers.dtype == np.float32 else centers.astype(np.float64)
    weights = counts.astype(values.dtype)
    below, total = np.cumsum(weights), np.cumsum(weights * values)
    lower = total[:-1] / below[:-1]
    upper = (total[-1] - total[:-1]) / (below[-1] - below[:-1])
    ahead = (lower + upper) / 2 - values[:-1]
    fixed = np.flatnonzero((ahead >= 0) & (ahead < values[1] - values[0]))
    # One of them is fixed, but for rounding: the first is never ahead of the means, and the last never behind.
    return float(centers[fixed[0] if len(fixed) else np.flatnonzero(ahead >= 0).max(initial=0)])


def minimum(counts: Counts, centers: Pixels) -> float:
    """Return the lowest point between the two maxima of a histogram that was smoothed until it had no more than two.

    Parameters
    ----------
    counts, centers
        As for `otsu`.

    Returns
    -------
    The threshold of ``skimage.filters.threshold_minimum``; the lower value if only two occur, which scikit-image
    refuses.

    Raises
    ------
    ImageError
        If the histogram never has two maxima.

    References
    ----------
    J. M. S. Prewitt, M. L. Mendelsohn: The analysis of cell images, Annals of the New York Academy of Sciences 128
    (1966) 1035-1053.

    Examples
    --------
    >>> minimum(np.array([1, 4, 9, 4, 1, 0, 1, 3, 6, 3, 1]), np.arange(11))
    5.0
    """
    counts, centers = _trim(counts, centers)
    occurs = np.flatnonzero(counts)
    if len(occurs) <= 2:
        return _only(centers)
    smooth = counts.astype(np.float32)  # as scikit-image
    maxima = occurs
    for _ in range(MOST_SMOOTHINGS):
        smooth = ndi.uniform_filter1d(smooth, 3)
        maxima = _maxima(read_only(smooth))
        if len(maxima) < 3:
            break
    if len(maxima) != 2:
        raise ImageError(
            f"the histogram never has two peaks with a minimum between them (smoothed, it has {len(maxima)}); the "
            "method needs dark and bright pixels in two groups: use otsu or triangle instead, smooth the image first, "
            "or give it fewer grey values (a floating point image is counted in 256 bins)"
        )
    first, last = maxima
    return float(centers[first + int(np.argmin(smooth[first : last + 1]))])


@njit(nogil=True, cache=True)
def _maxima(heights: NDArray[np.float32]) -> NDArray[np.int64]:
    """Return where values rise, or begin, and then fall: of a plateau its last place."""
    found = np.empty(heights.shape[0], np.int64)
    count = 0
    rises = True
    for i in range(heights.shape[0] - 1):
        if rises and heights[i + 1] < heights[i]:
            rises = False
            found[count] = i
            count += 1
        elif not rises and heights[i + 1] > heights[i]:
            rises = True
    return found[:count]


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
