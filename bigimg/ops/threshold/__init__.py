"""Thresholds: which pixels are brighter than a value, their neighbourhood, or what the whole image suggests."""

from bigimg.ops.threshold.averages import mean, mean_value, robust_background, robust_background_value
from bigimg.ops.threshold.classes import multi_otsu, multi_otsu_values
from bigimg.ops.threshold.colours import color_range
from bigimg.ops.threshold.contrast import bernsen
from bigimg.ops.threshold.hills import peak_fraction, peak_fraction_value
from bigimg.ops.threshold.histograms import li, li_value, otsu, otsu_value, triangle, triangle_value
from bigimg.ops.threshold.hysteresis import hysteresis
from bigimg.ops.threshold.local import local_gaussian, local_mean, local_median
from bigimg.ops.threshold.peaks import isodata, isodata_value, minimum, minimum_value, yen, yen_value
from bigimg.ops.threshold.spread import niblack, phansalkar, sauvola
from bigimg.ops.threshold.values import between, fixed

__all__ = [
    "bernsen",
    "between",
    "color_range",
    "fixed",
    "hysteresis",
    "isodata",
    "isodata_value",
    "li",
    "li_value",
    "local_gaussian",
    "local_mean",
    "local_median",
    "mean",
    "mean_value",
    "minimum",
    "minimum_value",
    "multi_otsu",
    "multi_otsu_values",
    "niblack",
    "otsu",
    "otsu_value",
    "peak_fraction",
    "peak_fraction_value",
    "phansalkar",
    "robust_background",
    "robust_background_value",
    "sauvola",
    "triangle",
    "triangle_value",
    "yen",
    "yen_value",
]
