"""References of thresholds: scikit-image's on the whole image, and CellProfiler's for the robust background."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
from skimage.filters import (
    threshold_isodata,
    threshold_li,
    threshold_minimum,
    threshold_multiotsu,
    threshold_otsu,
    threshold_triangle,
    threshold_yen,
)

from .case import FLOATS, INTEGERS, NUMBERS, Case


def numbers(image):
    """Return booleans as numbers, which scikit-image's histograms need."""
    return image.astype(np.uint8) if image.dtype == bool else image


def li(image):
    """Return Li's threshold. scikit-image moves the least value to 0 in place, and int16 may overflow."""
    return threshold_li(image.astype(np.int64))


def two_hills(dtype: np.dtype[Any]) -> np.ndarray[Any, Any]:
    """Return an image of dark and of bright pixels, in two groups."""
    rng = np.random.default_rng(3)
    bright = rng.random((61, 47)) < 0.4
    grey = np.where(bright, rng.normal(150, 15, bright.shape), rng.normal(60, 12, bright.shape)).clip(0, 255)
    return (grey - (90 if dtype.kind == "i" else 0)).astype(dtype)


def exact_mean(image):
    """Return the mean of a sum without rounding."""
    return float(sum(map(Fraction, image.ravel().tolist())) / image.size)


def robust_background(image):
    """Return CellProfiler's threshold, with the median and the median absolute deviation."""
    ordered = np.sort(image.ravel()).astype(float)
    if ordered[0] == ordered[-1]:
        return ordered[0]
    size = len(ordered)
    kept = ordered[round(size * 0.1) : size - round(size * 0.2)]
    return np.median(kept) + 1.5 * np.median(np.abs(kept - np.median(kept)))


ROBUST = {
    "lower_outlier_fraction": 0.1,
    "upper_outlier_fraction": 0.2,
    "averaging_method": "median",
    "variance_method": "median_absolute_deviation",
    "number_of_deviations": 1.5,
}

FOUND = [
    ("otsu", lambda image: threshold_otsu(numbers(image)), ("bool", *NUMBERS), None),
    ("li", li, ("bool", *INTEGERS), None),
    ("triangle", lambda image: threshold_triangle(numbers(image)), ("bool", *NUMBERS), None),
    ("yen", lambda image: threshold_yen(numbers(image)), ("bool", *NUMBERS), None),
    ("isodata", lambda image: threshold_isodata(numbers(image)), ("bool", *NUMBERS), None),
    ("minimum", threshold_minimum, NUMBERS, two_hills),
    ("mean", exact_mean, ("bool", *NUMBERS), None),
]


def masked_by(find):
    """Return what says which pixels are brighter than the value that ``find`` finds."""
    return lambda image: numbers(image) > float(find(image))


GLOBAL = [
    case
    for name, find, dtypes, image in FOUND
    for case in (
        Case(f"threshold.{name}_value", find, dtypes=dtypes, image=image),
        Case(f"threshold.{name}", masked_by(find), dtypes=dtypes, image=image),
    )
]

CASES = [
    Case("threshold.fixed", lambda image: image > 100, {"value": 100}, NUMBERS),
    Case("threshold.fixed", lambda image: numbers(image) > 0.5, {"value": 0.5}),
    Case("threshold.between", lambda image: (image >= 40) & (image <= 200), {"low": 40, "high": 200}, INTEGERS),
    Case(
        "threshold.between", lambda image: (numbers(image) >= 0.2) & (numbers(image) <= 0.7), {"low": 0.2, "high": 0.7}
    ),
    *GLOBAL,
    Case("threshold.li_value", lambda image: threshold_li(image.copy()), dtypes=FLOATS, rtol=1e-3),
    Case("threshold.robust_background_value", robust_background, ROBUST, ("bool", *INTEGERS)),
    Case("threshold.robust_background_value", robust_background, ROBUST, FLOATS, rtol=1e-4),
    Case("threshold.robust_background", lambda image: image > robust_background(image), ROBUST, INTEGERS),
    Case("threshold.multi_otsu_values", threshold_multiotsu, {}, ("uint8", *FLOATS)),
    Case(
        "threshold.multi_otsu",
        lambda image: np.digitize(image, threshold_multiotsu(image, 4), right=True).astype(np.uint8),
        {"classes": 4},
        ("uint8", *FLOATS),
    ),
]
