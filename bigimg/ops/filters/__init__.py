"""Filters: what a pixel becomes by its neighbourhood."""

from bigimg.ops.filters.bands import difference_of_gaussians, gaussian_laplace, unsharp_mask
from bigimg.ops.filters.convolution import convolve, correlate, gabor
from bigimg.ops.filters.denoising import bilateral, nl_means
from bigimg.ops.filters.edges import laplace, prewitt, sobel
from bigimg.ops.filters.rank import maximum, median, minimum, percentile
from bigimg.ops.filters.ridges import frangi, meijering, sato
from bigimg.ops.filters.smoothing import gaussian, uniform
from bigimg.ops.filters.statistics import entropy, standard_deviation

__all__ = [
    "bilateral",
    "convolve",
    "correlate",
    "difference_of_gaussians",
    "entropy",
    "frangi",
    "gabor",
    "gaussian",
    "gaussian_laplace",
    "laplace",
    "maximum",
    "median",
    "meijering",
    "minimum",
    "nl_means",
    "percentile",
    "prewitt",
    "sato",
    "sobel",
    "standard_deviation",
    "uniform",
    "unsharp_mask",
]
