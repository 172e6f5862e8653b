"""The light that falls on all images of a collection, found from the images themselves."""

from __future__ import annotations

from typing import Any, Literal

from bigimg.core.lengths import Sigma
from bigimg.engine.faces import composed
from bigimg.ops.filters.smoothing import gaussian
from bigimg.ops.transform.projections import project


@composed(takes="image", gives="image")
def illumination(image: Any, *, method: Literal["mean", "median"] = "median", sigma: Sigma = 50.0) -> Any:
    """Find the uneven light that a collection of images shares: their mean or median, smoothed.

    Parameters
    ----------
    image : (T, ..., M, N) array of any kind
        Images of one shape, one after the other: the first axis, or the dimension ``t`` of an ``xarray.DataArray``.
        ``xarray.concat(collection.values(), "t")`` makes one of a collection, lazily.
    method : {"mean", "median"}
        The median does not see what is in less than half of the images at a place; the mean is faster.
    sigma : float, sequence of float, or length
        Standard deviation of the smoothing in pixels; it must be larger than the objects.

    Returns
    -------
    (..., M, N) array of float32 for float32 images, else of float64
        In grey values: what :func:`flat_field` takes as ``flat``. A pixel counts where it counts in any image.

    References
    ----------
    A. E. Carpenter et al., CellProfiler: image analysis software for identifying and quantifying cell phenotypes,
    Genome Biology 7 (2006): CorrectIlluminationCalculate, function "All".

    Examples
    --------
    >>> import numpy as np
    >>> from bigimg import exposure
    >>> lamp = np.array([[1.0, 2.0, 4.0]])
    >>> images = lamp * np.array([10, 30, 20])[:, None, None]
    >>> exposure.flat_field(images, flat=illumination(images, sigma=0.1))[:, 0]
    array([[23.33333333, 23.33333333, 23.33333333],
           [70.        , 70.        , 70.        ],
           [46.66666667, 46.66666667, 46.66666667]])
    """
    return gaussian(project(image, axis="t", method=method), sigma=sigma)
