"""Filters: what a pixel becomes by its neighbourhood."""

from bigimg.ops.filters.rank import maximum, median, minimum, percentile
from bigimg.ops.filters.smoothing import gaussian, uniform
from bigimg.ops.filters.statistics import entropy, standard_deviation

__all__ = [
    "entropy",
    "gaussian",
    "maximum",
    "median",
    "minimum",
    "percentile",
    "standard_deviation",
    "uniform",
]
