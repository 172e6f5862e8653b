"""References of thresholds: scikit-image's on the whole image, and CellProfiler's for the robust background."""

from __future__ import annotations

from fractions import Fraction
from functools import partial
from typing import Any

import numpy as np
from skimage.filters import (
    threshold_isodata,
    threshold_li,
    threshold_local,
    threshold_minimum,
    threshold_multiotsu,
    threshold_niblack,
    threshold_otsu,
    threshold_sauvola,
    threshold_triangle,
    threshold_yen,
)
from skimage.filters.thresholding import _mean_std
from skimage.morphology import ball, dilation, disk, erosion

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


def exact(image):
    """Return an image whose averages scikit-image does not round to float32."""
    return image.astype(np.float64) if image.dtype == np.float32 else image


def phansalkar(image, window_size=15, scale=None):
    """Return what ImageJ's rule says, with scikit-image's mean and deviation."""
    grey = image / np.float64(scale or (np.iinfo(image.dtype).max if image.dtype.kind in "iu" else 1.0))
    mean, deviation = _mean_std(grey, window_size)
    return grey > mean * (1 + 2 * np.exp(-10 * mean) + 0.25 * (deviation / 0.5 - 1))


def bernsen(footprint, contrast=None, level=None):
    """Return what takes the middle between the extrema, or foreground and background where they are close."""

    def mask(image):
        grey = numbers(image).astype(np.float64)
        span = np.iinfo(image.dtype) if image.dtype.kind in "iu" else None
        low, high = (float(span.min), float(span.max)) if span else (0.0, 1.0)
        least, most = erosion(grey, footprint, mode="ignore"), dilation(grey, footprint, mode="ignore")
        flat = most - least < (15 / 255 * (high - low) if contrast is None else contrast)
        return np.where(
            flat, (least + most) / 2 > ((low + high) / 2 if level is None else level), 2 * grey > least + most
        )

    return mask


def above(find, *given):
    """Return the comparison with what ``find`` finds."""
    return lambda image: image > find(exact(image), *given)


def by_local(method, window_size, offset):
    """Return the comparison with scikit-image's threshold_local."""
    return lambda image: image > threshold_local(exact(image), window_size, method, offset)


OFFSET = 0.01234
"""One that no difference of grey values has: scikit-image leaves pixels that equal their threshold to rounding."""

LOCAL = [
    case
    for volume, size in ((False, 15), (True, 5))
    for case in (
        *(
            Case(
                f"threshold.local_{name}",
                by_local(name, size, sign * OFFSET),
                {"window_size": size, "offset": sign * OFFSET},
                volume=volume,
            )
            for name in ("mean", "gaussian", "median")
            for sign in (1, -1)
        ),
        Case(
            "threshold.niblack",
            above(threshold_niblack, size, -0.31),
            {"window_size": size, "k": -0.31},
            volume=volume,
        ),
        Case(
            "threshold.sauvola",
            above(threshold_sauvola, size),
            {"window_size": size},
            volume=volume,
        ),
        Case(
            "threshold.sauvola",
            above(threshold_sauvola, size, -0.4, 60.0),
            {"window_size": size, "k": -0.4, "r": 60.0},
            volume=volume,
        ),
        Case(
            "threshold.phansalkar",
            partial(phansalkar, window_size=size),
            {"window_size": size},
            volume=volume,
        ),
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
    *LOCAL,
    Case("threshold.niblack", above(threshold_niblack, 51, 0.2), {"window_size": 51}),
    Case("threshold.phansalkar", partial(phansalkar, scale=300.0), {"scale": 300.0}, ("uint8", "uint16", *FLOATS)),
    Case("threshold.bernsen", bernsen(disk(4)), {"footprint": {"disk": 4}}),
    Case(
        "threshold.bernsen",
        bernsen(np.ones((7, 7)), 0.4, 0.6),
        {"footprint": {"square": 7}, "contrast_threshold": 0.4, "level": 0.6},
    ),
    Case("threshold.bernsen", bernsen(ball(2)), {"footprint": {"ball": 2}}, volume=True),
]
