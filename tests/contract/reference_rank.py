"""References of rank filters, of averages and of the statistics of a neighbourhood."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import scipy.ndimage as ndi
from skimage.filters import rank as skrank

from bigimg.core.footprint import ball, disk

from .case import NUMBERS, Case

ALL = ("bool", "int8", *NUMBERS, "uint32")
LOPSIDED = np.array([[0, 1, 1, 0], [0, 0, 1, 1], [1, 0, 0, 0]], bool)
"""Even along one axis, and not its own mirror image: the border rule shows."""
LOPSIDED_3D = np.stack([LOPSIDED, ~LOPSIDED])

WINDOWS: list[dict[str, Any]] = [
    *({"size": size} for size in (1, 3, 5, 7, 9, 11, 15, 25)),
    *({"footprint": footprint} for footprint in (disk(1), disk(4), LOPSIDED)),
]
WINDOWS_3D: list[dict[str, Any]] = [
    *({"size": size} for size in (3, 5)),
    *({"footprint": footprint} for footprint in (ball(2), LOPSIDED_3D)),
]


def spread(image: np.ndarray[Any, Any], size: int) -> np.ndarray[Any, Any]:
    """Return the standard deviation of every window, by looking at it."""
    float_type = np.float32 if image.dtype == np.float32 else np.float64
    padded = np.pad(image.astype(np.float64), size // 2, mode="symmetric")
    windows = np.lib.stride_tricks.sliding_window_view(padded, (size,) * image.ndim)
    return np.asarray(windows.std(axis=tuple(range(image.ndim, 2 * image.ndim)))).astype(float_type)


def mean(image: np.ndarray[Any, Any], size: int) -> np.ndarray[Any, Any]:
    """Return SciPy's average in the dtype of averages."""
    return np.asarray(ndi.uniform_filter(image.astype("float32" if image.dtype == "float32" else float), size))


def bits(image: np.ndarray[Any, Any], footprint: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return scikit-image's entropy, which is of uint8."""
    return np.asarray(skrank.entropy(image.astype(np.uint8), footprint.astype(np.uint8)))


CASES = [
    *(
        Case(f"filters.{name}", partial(reference, **window), window, ALL, volume=volume)
        for name, reference in (
            ("median", ndi.median_filter),
            ("minimum", ndi.minimum_filter),
            ("maximum", ndi.maximum_filter),
        )
        for volume, windows in ((False, WINDOWS), (True, WINDOWS_3D))
        for window in windows
    ),
    *(
        Case(
            "filters.percentile",
            partial(ndi.percentile_filter, percentile=percent, **window),
            {"percentile": percent, **window},
            ALL,
            volume=volume,
        )
        for volume, windows in ((False, WINDOWS), (True, WINDOWS_3D))
        for window in windows
        for percent in (0.0, 10.0, 75.5, 100.0)
    ),
    *(
        Case("filters.uniform", partial(mean, size=size), {"size": size}, ALL, rtol=1e-6, volume=volume)
        for volume, sizes in ((False, (1, 3, 5, 15)), (True, (3, 5)))
        for size in sizes
    ),
    *(
        Case("filters.standard_deviation", partial(spread, size=size), {"size": size}, ALL, rtol=1e-6, volume=volume)
        for volume, sizes in ((False, (1, 3, 5, 15)), (True, (3, 5)))
        for size in sizes
    ),
    *(
        Case(
            "filters.entropy",
            partial(bits, footprint=footprint),
            {"footprint": footprint},
            ("bool", "uint8"),
            rtol=1e-9,
            volume=volume,
        )
        for volume, footprints in ((False, (disk(1), disk(5), LOPSIDED)), (True, (ball(2),)))
        for footprint in footprints
    ),
]
