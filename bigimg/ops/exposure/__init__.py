"""Grey values: their range, their histogram, their background."""

from bigimg.ops.exposure.adaptive import equalize_adapthist
from bigimg.ops.exposure.background import flat_field, rolling_ball, subtract_background, subtract_gaussian
from bigimg.ops.exposure.curves import adjust_gamma, adjust_log, adjust_sigmoid
from bigimg.ops.exposure.differences import absolute_difference
from bigimg.ops.exposure.equalization import equalize_hist
from bigimg.ops.exposure.intensity import invert, normalize, rescale_intensity, standardize
from bigimg.ops.exposure.light import illumination
from bigimg.ops.exposure.values import mean_value, percentile_values, std_value

__all__ = [
    "absolute_difference",
    "adjust_gamma",
    "adjust_log",
    "adjust_sigmoid",
    "equalize_adapthist",
    "equalize_hist",
    "flat_field",
    "illumination",
    "invert",
    "mean_value",
    "normalize",
    "percentile_values",
    "rescale_intensity",
    "rolling_ball",
    "standardize",
    "std_value",
    "subtract_background",
    "subtract_gaussian",
]
