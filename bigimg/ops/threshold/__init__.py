"""Thresholds: which pixels are brighter than a value, their neighbourhood, or what the whole image suggests."""

from bigimg.ops.threshold.histograms import li, li_value, otsu, otsu_value, triangle, triangle_value
from bigimg.ops.threshold.hysteresis import hysteresis
from bigimg.ops.threshold.local import local_mean, sauvola
from bigimg.ops.threshold.values import fixed

__all__ = [
    "fixed",
    "hysteresis",
    "li",
    "li_value",
    "local_mean",
    "otsu",
    "otsu_value",
    "sauvola",
    "triangle",
    "triangle_value",
]
