"""Several thresholds at once: the cuts of a histogram into classes whose means differ most (Otsu's criterion).

What a class adds to the variance between classes depends on where it begins and ends, and on nothing else::

    best(classes, from) = max over cut:  gain(from, cut) + best(classes - 1, cut)

The best cut never moves back when ``from`` moves on (the gains are concave), so that the middle one of a range halves
the search for all others: n log n steps for each class, where trying every combination takes n to their number. After
F. X. Wu, "Optimal quantization by matrix searching", Journal of Algorithms 12 (1991).
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from bigimg.core.operation import Pixels
from bigimg.errors import ParameterError
from bigimg.kernels.histogram import Counts
from bigimg.kernels.planes import read_only


def multi_otsu(counts: Counts, centers: Pixels, classes: int) -> NDArray[np.float64]:
    """Return the ``classes - 1`` values that separate classes of least variance, from a histogram.

    Parameters
    ----------
    counts
        How many pixels fall into each bin.
    centers
        The value of each bin, equally spaced.
    classes
        How many classes, at least 2.

    Returns
    -------
    ndarray of float64, ascending
        The greatest value of each class but the last. The thresholds of ``skimage.filters.threshold_multiotsu``, which
        sums shares of all pixels in float32, and where two cuts are about equally good may take the other. If fewer
        values occur than there are classes, each is a class of its own, and the classes above stay empty. NaN if
        nothing was counted.

    References
    ----------
    P. S. Liao, T. S. Chen, P. C. Chung: A fast algorithm for multilevel thresholding, Journal of Information Science
    and Engineering 17 (2001) 713-727.

    Examples
    --------
    >>> multi_otsu(np.array([5, 3, 0, 4, 4, 0, 9]), np.arange(7), 3)
    array([1., 4.])
    """
    if classes < 2 or counts.shape != centers.shape or counts.ndim != 1:
        raise ParameterError(
            f"needs at least 2 classes and one centre for each count (got {classes} classes, shapes {counts.shape} and "
            f"{centers.shape})"
        )
    occurs = np.flatnonzero(counts)
    values = centers[occurs].astype(np.float64)
    if len(values) <= classes:
        only = values[-1] if len(values) else np.nan
        return np.append(values[:-1], np.full(classes - max(len(values), 1), only))
    pixels = counts[occurs]
    # About the mean, or the difference of two great squares would be left with few digits.
    places = occurs - round(float(np.average(occurs, weights=pixels)))
    moments = np.zeros((2, len(values) + 1), np.int64)
    moments[0, 1:] = np.cumsum(pixels)
    moments[1, 1:] = np.cumsum(pixels * places)
    return values[_cuts(read_only(moments), classes)]


@njit(nogil=True, cache=True)
def _gain(moments: NDArray[np.int64], first: int, end: int) -> float:
    total = np.float64(moments[1, end] - moments[1, first])
    return total * total / np.float64(moments[0, end] - moments[0, first])


@njit(nogil=True, cache=True)
def _cuts(moments: NDArray[np.int64], classes: int) -> NDArray[np.int64]:
    """Return the last place of each class but the last; of equally good cuts the lowest."""
    count = moments.shape[1] - 1
    best = np.full(count + 1, -np.inf)
    for first in range(count):
        best[first] = _gain(moments, first, count)
    chosen = np.zeros((classes, count + 1), np.int64)
    ranges = np.empty((128, 4), np.int64)  # from, to, and where their cuts may lie; each halves the one before
    for more in range(1, classes):
        better = np.full(count + 1, -np.inf)
        ranges[0] = 0, count - 1 - more, 1, count - more
        depth = 1
        while depth:
            depth -= 1
            low, high, least, most = ranges[depth]
            if low > high:
                continue
            middle = (low + high) // 2
            cut = max(least, middle + 1)
            for end in range(cut, most + 1):
                found = _gain(moments, middle, end) + best[end]
                if found > better[middle]:
                    better[middle] = found
                    cut = end
            chosen[more, middle] = cut
            ranges[depth] = low, middle - 1, least, cut
            ranges[depth + 1] = middle + 1, high, cut, most
            depth += 2
        best = better
    last = np.empty(classes - 1, np.int64)
    place = 0
    for more in range(classes - 1, 0, -1):
        place = chosen[more, place]
        last[classes - 1 - more] = place - 1
    return last
