"""Finite numbers: how to see at little cost that an array holds nothing else, and how results stay within their dtype.

Grey values near the ends of the floating point numbers leave them on the way: a sum is infinite although the average is
not, and infinity less infinity is no number. Such pixels, and no others, are computed again on smaller numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[Any]

SHRINK = (2.0**-64, 2.0**-600)
"""Brings the largest float64 to where it can be added up, and to where it can be squared; and back without rounding."""

LARGE = 2.0**900
"""Of smaller numbers any number that there are pixels can be added up."""

FAR = 1e75
"""No grey value, and yet its cube and what weights make of it are floats."""


def all_finite(pixels: Pixels) -> bool:
    """Return whether no pixel is NaN or infinite.

    Examples
    --------
    >>> all_finite(np.array([1.0, 1e308, 1e308])), all_finite(np.array([1.0, np.inf, -np.inf]))
    (True, False)
    """
    if pixels.dtype.kind != "f":
        return True
    # A sum with NaN or infinity is no number or infinite; that is twice as fast as asking each pixel. The largest
    # numbers make an infinite sum too, and are asked.
    total = np.einsum(pixels, list(range(pixels.ndim)), [])
    return bool(np.isfinite(total)) or bool(np.isfinite(pixels).all())


def mended(result: Pixels, found: Pixels, factor: float = 1.0) -> Pixels:
    """Return ``result`` with ``found / factor`` where only that is finite; at most the largest number of the dtype.

    Examples
    --------
    >>> mended(np.array([1, np.nan, -np.inf], "float32"), np.array([3, 3e38, -9e39])).tolist()
    [1.0, 3.0000000054977558e+38, -3.4028234663852886e+38]
    """
    lost = ~np.isfinite(result) & np.isfinite(found)
    most = float(np.finfo(result.dtype).max)
    with np.errstate(over="ignore"):
        values = (found[lost] / factor).clip(-most, most)
    result = result.copy()
    result[lost] = values.astype(result.dtype)
    return result


def beside(there: NDArray[np.bool_], halo: Sequence[int]) -> NDArray[np.bool_]:
    """Return which pixels have one that is ``there`` at most ``halo`` away along each of the last axes.

    Examples
    --------
    >>> beside(np.array([[True, False, False]]), (0, 1)).astype(int)
    array([[1, 1, 0]])
    """
    for axis, steps in enumerate(reversed(halo), start=1):
        counts = np.cumsum(np.moveaxis(there, -axis, -1), axis=-1)
        last = np.minimum(np.arange(counts.shape[-1]) + steps, counts.shape[-1] - 1)
        before = np.arange(counts.shape[-1]) - steps - 1
        found: Pixels = counts[..., last] - np.where(before < 0, 0, counts[..., np.maximum(before, 0)])
        there = np.moveaxis(np.asarray(found > 0), -1, -axis)
    return there


def saturated(result: Pixels) -> Pixels:
    """Return ``result`` with the largest number of its dtype in the place of infinity."""
    most = np.finfo(result.dtype).max
    return np.clip(result, -most, most)  # NaN stays


def pointwise(function: Callable[..., Pixels], *images: Pixels, dtype: Any = None) -> Pixels:
    """Return ``function`` of the values at each place, in finite numbers where these are finite.

    ``function`` must make each pixel of those at its own place alone.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        made = np.asarray(function(*images))
        made = made.astype(dtype or made.dtype, copy=False)
        if all_finite(made):
            return made
        if not all(image.dtype in {np.float32, np.float16} for image in images):
            # There is no wider dtype: what has become infinite is as large as it can be.
            made = saturated(made)
        near = [image.astype(np.float64).clip(-FAR, FAR) if image.dtype.kind == "f" else image for image in images]
        return mended(made, np.asarray(function(*near)))
