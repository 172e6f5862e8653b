"""The threshold that lies a few deviations above the background, from a histogram that stands for the sorted pixels."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from bigimg.core.operation import Pixels
from bigimg.errors import ParameterError
from bigimg.kernels.histogram import Counts

Averaging = Literal["mean", "median", "mode"]
Variance = Literal["standard_deviation", "median_absolute_deviation"]


def robust_background(
    counts: Counts,
    centers: Pixels,
    lower_outlier_fraction: float,
    upper_outlier_fraction: float,
    averaging_method: Averaging,
    variance_method: Variance,
    number_of_deviations: float,
) -> float:
    """Return the average of the pixels without outliers, and a number of deviations more.

    Parameters
    ----------
    counts
        How many pixels have each value.
    centers
        The values, ascending.
    lower_outlier_fraction, upper_outlier_fraction
        Which share of all pixels is left out, of the darkest and of the brightest; together less than 1.
    averaging_method
        ``"mean"``, ``"median"`` or ``"mode"``: the quantile at the middle of the fullest of about as many bins as the
        root of the number of pixels, as CellProfiler has it.
    variance_method
        ``"standard_deviation"`` or ``"median_absolute_deviation"``, about the median.
    number_of_deviations
        How many of them are added.

    Returns
    -------
    The threshold of CellProfiler's Robust Background. CellProfiler leaves no bright pixel out where it leaves no dark
    one out; here the fractions do not depend on each other. The value itself if only one occurs; NaN if nothing was
    counted.

    Examples
    --------
    >>> robust_background(np.array([1, 8, 8, 1, 2]), np.arange(5), 0.05, 0.15, "mean", "standard_deviation", 2.0)
    2.5
    """
    if not lower_outlier_fraction + upper_outlier_fraction < 1:
        raise ParameterError(
            "lower_outlier_fraction and upper_outlier_fraction must leave some pixels: their sum must be less than 1 "
            f"(got {lower_outlier_fraction} and {upper_outlier_fraction})"
        )
    occurs = np.flatnonzero(counts)
    if len(occurs) < 2:
        return float(centers[occurs[0]]) if len(occurs) else math.nan
    pixels = int(counts.sum())
    # Rounded to half a pixel each, both cuts of a tiny image may meet: one pixel always stays.
    first = min(round(pixels * lower_outlier_fraction), pixels - 1)
    end = max(pixels - round(pixels * upper_outlier_fraction), first + 1)
    below = np.append(0, np.cumsum(counts[occurs])).clip(first, end)
    kept = np.diff(below)
    values, kept = centers[occurs].astype(np.float64)[kept > 0], kept[kept > 0]
    average = _mean if averaging_method == "mean" else _median if averaging_method == "median" else _binned_mode
    deviation = _standard_deviation if variance_method == "standard_deviation" else _median_absolute_deviation
    return average(values, kept) + number_of_deviations * deviation(values, kept)


def _mean(values: NDArray[np.float64], counts: Counts) -> float:
    start = values[0]
    return float(start + ((values - start) * counts).sum() / counts.sum())


def _standard_deviation(values: NDArray[np.float64], counts: Counts) -> float:
    return math.sqrt(((values - _mean(values, counts)) ** 2 * counts).sum() / counts.sum())


def _median(values: NDArray[np.float64], counts: Counts) -> float:
    return _quantile(values, counts, 0.5)


def _median_absolute_deviation(values: NDArray[np.float64], counts: Counts) -> float:
    distances = np.abs(values - _median(values, counts))
    order = np.argsort(distances, kind="stable")
    return _median(distances[order], counts[order])


def _binned_mode(values: NDArray[np.float64], counts: Counts) -> float:
    low, high = values[0], values[-1]
    if low == high:
        return float(low)
    bins = math.ceil(math.sqrt(counts.sum()))
    place = ((values - low) / (high - low) * bins).astype(np.int64)
    fullest = int(np.argmax(np.bincount(place, weights=counts)))
    return _quantile(values, counts, min((fullest + 0.5) / bins, 1.0))


def _quantile(values: NDArray[np.float64], counts: Counts, share: float) -> float:
    """Return what ``numpy.quantile`` would of each value as often as it is counted."""
    upto = np.cumsum(counts)
    place = share * float(upto[-1] - 1)
    below = math.floor(place)
    one, other = values[np.searchsorted(upto, [below, min(below + 1, int(upto[-1]) - 1)], side="right")]
    return float(one + (other - one) * (place - below))
