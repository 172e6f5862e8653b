"""Filters: what a pixel becomes by its neighbourhood."""

from bigimg.ops.filters.rank import median
from bigimg.ops.filters.smoothing import gaussian, uniform

__all__ = [
    "gaussian",
    "median",
    "uniform",
]
