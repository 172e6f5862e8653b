"""Thresholds from averages of the whole image."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, ClassVar

from annotated_types import Ge, Lt

from bigimg.core.operation import Pixels, Valid
from bigimg.core.reduction import Reduction
from bigimg.core.tile import Tile
from bigimg.engine.faces import composed
from bigimg.engine.kinds import opened, reduce
from bigimg.errors import ParameterError
from bigimg.kernels import background, totals
from bigimg.kernels.background import Averaging, Variance
from bigimg.ops.threshold.histograms import LI_BINS, value_of
from bigimg.ops.threshold.values import fixed

Share = Annotated[float, Ge(0), Lt(1)]


@dataclass(frozen=True)
class Mean(Reduction[tuple[int, int], float]):
    """The mean of the valid pixels, from their exact sum; ``inf`` where no pixel is valid."""

    floats: bool
    """Whether the image is of floating point numbers."""
    name: ClassVar[str] = "mean"

    def partial(self, tile: Tile, *images: Pixels, valid: Valid | None = None) -> tuple[int, int]:  # noqa: ARG002
        """Return the sum and the number of the valid pixels of one tile."""
        count = images[0].size if valid is None else int(valid.sum())
        return totals.total(images[0], valid), count

    def merge(self, first: tuple[int, int], second: tuple[int, int]) -> tuple[int, int]:
        """Return the sum and the number of both."""
        return first[0] + second[0], first[1] + second[1]

    def finish(self, state: tuple[int, int]) -> float:
        """Return the quotient."""
        return totals.mean(*state, floats=self.floats) if state[1] else math.inf


@composed(takes="image", gives="value")
def mean_value(image: Any) -> Any:
    """Find the mean of the grey values.

    Parameters
    ----------
    image : array of any kind
        One value for all of it.

    Returns
    -------
    number
        Lazily where the image is lazy. ``inf`` where no pixel is valid.

    Notes
    -----
    Equal to ``skimage.filters.threshold_mean`` of the whole image but for its rounding: here the sum is exact, of
    integers and of floats, and divided and rounded once.

    References
    ----------
    C. A. Glasbey, An analysis of histogram-based thresholding algorithms, CVGIP: Graphical Models and Image Processing
    55 (1993).

    Examples
    --------
    >>> import numpy as np
    >>> mean_value(np.array([[1, 2, 9], [1, 8, 9]], "uint8"))
    5.0
    """
    return reduce(Mean(opened(image).pixels.dtype.kind == "f"), image)


@composed(takes="image", gives="value")
def robust_background_value(
    image: Any,
    *,
    lower_outlier_fraction: Share = 0.05,
    upper_outlier_fraction: Share = 0.05,
    averaging_method: Averaging = "mean",
    variance_method: Variance = "standard_deviation",
    number_of_deviations: float = 2.0,
) -> Any:
    """Find a value some deviations above the average of the background (CellProfiler's Robust Background).

    Parameters
    ----------
    image : array of any kind
        One value for all of it.
    lower_outlier_fraction, upper_outlier_fraction : float
        Which share of all pixels is left out as outliers, of the darkest and of the brightest; together less than 1.
    averaging_method : {"mean", "median", "mode"}
        The average of the pixels that are left.
    variance_method : {"standard_deviation", "median_absolute_deviation"}
        How the deviation of these pixels is measured.
    number_of_deviations : float
        How many deviations above the average the value lies.

    Returns
    -------
    number
        Lazily where the image is lazy. ``inf`` where no pixel is valid.

    Notes
    -----
    The darkest and the brightest pixels are left out; the value is the average of the others plus
    ``number_of_deviations`` times their deviation. Suits images that are mostly background. From the merged histogram:
    exact for integers; floats are counted in 65,536 bins between their extrema.

    Equal to CellProfiler's ``get_threshold_robust_background`` of the sorted pixels, but that CellProfiler leaves no
    bright pixel out where it leaves no dark one out, and takes 0 for images of fewer than 3 pixels. Its mode is the
    quantile at the middle of the fullest of as many bins as the square root of the number of pixels.

    References
    ----------
    CellProfiler 4, module Threshold, "Robust Background", https://cellprofiler.org; D. R. Stirling et al., CellProfiler
    4: improvements in speed, utility and usability, BMC Bioinformatics 22 (2021).

    Examples
    --------
    >>> import numpy as np
    >>> image = np.repeat(np.array([9, 10, 11, 200], "uint8"), [10, 70, 10, 10]).reshape(10, 10)
    >>> float(round(robust_background_value(image, upper_outlier_fraction=0.1), 2))
    10.89
    """
    if lower_outlier_fraction + upper_outlier_fraction >= 1:
        raise ParameterError(
            "threshold.robust_background: lower_outlier_fraction and upper_outlier_fraction must leave some pixels: "
            f"give fractions whose sum is less than 1 (got {lower_outlier_fraction} and {upper_outlier_fraction})"
        )
    method = partial(
        background.robust_background,
        lower_outlier_fraction=lower_outlier_fraction,
        upper_outlier_fraction=upper_outlier_fraction,
        averaging_method=averaging_method,
        variance_method=variance_method,
        number_of_deviations=number_of_deviations,
    )
    return value_of(method, image, bins=LI_BINS)


@composed(takes="image", gives="mask")
def mean(image: Any) -> Any:
    """Say which pixels are brighter than the mean of the whole image.

    :func:`mean_value` finds the value.

    Parameters
    ----------
    image : array of any kind

    Returns
    -------
    boolean array of the same kind and shape

    Examples
    --------
    >>> import numpy as np
    >>> mean(np.array([[1, 2, 9], [1, 8, 9]], "uint8")).astype(int)
    array([[0, 0, 1],
           [0, 1, 1]])
    """
    return fixed(image, value=mean_value(image))


@composed(takes="image", gives="mask")
def robust_background(
    image: Any,
    *,
    lower_outlier_fraction: Share = 0.05,
    upper_outlier_fraction: Share = 0.05,
    averaging_method: Averaging = "mean",
    variance_method: Variance = "standard_deviation",
    number_of_deviations: float = 2.0,
) -> Any:
    """Say which pixels are brighter than CellProfiler's robust background of the whole image.

    :func:`robust_background_value` finds the value.

    Parameters
    ----------
    image : array of any kind
    lower_outlier_fraction, upper_outlier_fraction : float
        Which share of all pixels is left out as outliers, of the darkest and of the brightest; together less than 1.
    averaging_method : {"mean", "median", "mode"}
        The average of the pixels that are left.
    variance_method : {"standard_deviation", "median_absolute_deviation"}
        How the deviation of these pixels is measured.
    number_of_deviations : float
        How many deviations above the average the value lies.

    Returns
    -------
    boolean array of the same kind and shape

    Examples
    --------
    >>> import numpy as np
    >>> image = np.repeat(np.array([9, 10, 11, 200], "uint8"), [10, 70, 10, 10]).reshape(10, 10)
    >>> int(robust_background(image, upper_outlier_fraction=0.1).sum())
    20
    """
    value = robust_background_value(
        image,
        lower_outlier_fraction=lower_outlier_fraction,
        upper_outlier_fraction=upper_outlier_fraction,
        averaging_method=averaging_method,
        variance_method=variance_method,
        number_of_deviations=number_of_deviations,
    )
    return fixed(image, value=value)
