"""Thresholds beside their peers."""

import cv2
import numpy as np
from operations import row
from skimage import filters
from skimage.morphology import disk


def over(method):
    """Return what is brighter than a threshold of scikit-image."""
    return lambda image: image > method(image)


def whole(name, kind, method, **more):
    """Return the row of a threshold of the whole image."""
    return row(f"threshold.{name}", kind, sk=over(method), **more)


def by_cv2(kind):
    """Return OpenCV's Otsu."""
    return lambda image: cv2.threshold(image, 0, 1, kind)[1].astype(bool)


def local(name, kind, size, method, **params):
    """Return the row of a threshold of a window."""
    return row(f"threshold.{name}", kind, {"window_size": size, **params}, detail=f"window {size}", sk=over(method))


def sauvola(image):
    """Return scikit-image's threshold for photographs of floats of any range."""
    return filters.threshold_sauvola(image, 51, 0.2, 0.5)


def niblack(image):
    """Return scikit-image's threshold."""
    return filters.threshold_niblack(image, 51, 0.2)


ROWS = [
    whole("otsu", "u8", filters.threshold_otsu, cv2=by_cv2(cv2.THRESH_OTSU)),
    whole("otsu", "u16", filters.threshold_otsu),
    whole("otsu", "f32", filters.threshold_otsu),
    whole("li", "u8", filters.threshold_li),
    whole("yen", "u8", filters.threshold_yen),
    whole("triangle", "u8", filters.threshold_triangle),
    whole("isodata", "u8", filters.threshold_isodata),
    whole("minimum", "u8 smooth", filters.threshold_minimum),
    whole("mean", "u8", filters.threshold_mean),
    row(
        "threshold.multi_otsu",
        "u8",
        {"classes": 3},
        sk=lambda image: np.digitize(image, filters.threshold_multiotsu(image), right=True),
    ),
    row("threshold.robust_background", "u8"),
    row(
        "threshold.hysteresis",
        "u8",
        {"low": 100, "high": 160},
        sk=lambda image: filters.apply_hysteresis_threshold(image, 100, 160),
    ),
    local("local_mean", "u8", 51, lambda image: filters.threshold_local(image, 51, "mean")),
    local("local_mean", "u16", 51, lambda image: filters.threshold_local(image, 51, "mean")),
    local("local_mean", "f64", 51, lambda image: filters.threshold_local(image, 51, "mean")),
    local("local_gaussian", "u16", 51, lambda image: filters.threshold_local(image, 51, "gaussian")),
    local("local_median", "u8", 15, lambda image: filters.threshold_local(image, 15, "median")),
    local("niblack", "u8", 51, niblack),
    local("niblack", "u16", 51, niblack),
    local("sauvola", "u8", 51, lambda image: filters.threshold_sauvola(image, 51)),
    local("sauvola", "u16", 51, lambda image: filters.threshold_sauvola(image, 51)),
    local("sauvola", "f32", 51, sauvola, r=0.5),
    local("sauvola", "f64", 51, sauvola, r=0.5),
    row("threshold.phansalkar", "u8", {"window_size": 51}),
    row(
        "threshold.bernsen",
        "u8",
        {"footprint": disk(15)},
        detail="disk 15",
        cv2=lambda image: cv2.dilate(image, disk(15)) // 2 + cv2.erode(image, disk(15)) // 2 < image,
    ),
    row("threshold.color_range", "rgb8", {"low": (10, 20, 30), "high": (200, 210, 220)}),
]
