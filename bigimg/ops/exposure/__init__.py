"""Grey values: their range, their histogram, their background."""

from bigimg.ops.exposure.curves import adjust_gamma, adjust_log, adjust_sigmoid
from bigimg.ops.exposure.intensity import invert, normalize, rescale_intensity, standardize
from bigimg.ops.exposure.values import mean_value, percentile_values, std_value

__all__ = [
    "adjust_gamma",
    "adjust_log",
    "adjust_sigmoid",
    "invert",
    "mean_value",
    "normalize",
    "percentile_values",
    "rescale_intensity",
    "standardize",
    "std_value",
]
