"""What every kernel does first: see an image of any shape as a stack of planes or volumes that compiled code can walk.

Compiled kernels are built once for each kind of array they meet. An array that is read-only, strided or of foreign
byte order would be another kind, so all of them come in as one: contiguous, aligned, of native byte order, read-only.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bigimg.core.operation import Pixels, Valid
from bigimg.errors import ImageError

_FLOAT32_HOLDS = ("b1", "u1", "i1", "u2", "i2", "f2", "f4")


def smoothed_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Return the floating point dtype of averages, by scikit-image's rule: float32 stays, all else is float64.

    Thresholds compare such averages. In float32 the average of integers is rounded to 24 bits, and of 10^8 pixels a few
    lie on the other side of a threshold than in scikit-image.

    Examples
    --------
    >>> smoothed_dtype(np.dtype("uint16")), smoothed_dtype(np.dtype("float32"))
    (dtype('float64'), dtype('float32'))
    """
    return np.dtype(np.float32 if dtype.kind == "f" and dtype.itemsize <= 4 else np.float64)


def as_planes(pixels: Pixels, ndim: int, compiled: str) -> Pixels:
    """Return ``pixels`` as (planes, ...spatial), read-only, as compiled kernels take them.

    Parameters
    ----------
    pixels
        An image whose last ``ndim`` axes are spatial.
    compiled
        Codes of the dtypes the kernel is compiled for, such as ``"u1 f4 f8"``; booleans come as ``u1``. All others come
        as float32 where that holds every value, else as float64.

    Raises
    ------
    ImageError
        If the image has fewer than ``ndim`` axes, or complex or other pixels that are not plain numbers.
    """
    if ndim not in {2, 3} or pixels.ndim < ndim:
        raise ImageError(
            f"needs an image with at least {ndim} axes, the last 2 or 3 spatial (got shape {pixels.shape})"
        )
    if pixels.dtype.kind not in "biuf":
        raise ImageError(f"needs boolean, integer or floating point pixels (got {pixels.dtype})")
    if pixels.dtype == bool:
        pixels = pixels.view(np.uint8)
    dtype = pixels.dtype.newbyteorder("=")
    if dtype.str[1:] not in compiled.split():
        # Of all that holds every value, what takes the least to load.
        dtype = np.dtype(np.float32 if dtype.str[1:] in _FLOAT32_HOLDS else np.float64)
    return read_only(np.require(pixels, dtype, ("C", "A")).reshape(_stack(pixels.shape, ndim)))


def as_valid_planes(valid: Valid, pixels: Pixels, ndim: int) -> NDArray[np.bool_]:
    """Return the mask ``valid`` for ``pixels`` as (planes, ...spatial), read-only.

    Raises
    ------
    ImageError
        If the mask is not boolean or does not fit the image.
    """
    if valid.dtype != bool or valid.shape != pixels.shape:
        raise ImageError(
            f"the validity mask must be boolean and of the image's shape {pixels.shape} "
            f"(got {valid.dtype}, {valid.shape})"
        )
    return read_only(np.require(valid, bool, ("C", "A")).reshape(_stack(pixels.shape, ndim)))


def read_only(array: NDArray[Any]) -> NDArray[Any]:
    """Return a view of ``array`` that cannot be written to."""
    view = array.view()
    view.flags.writeable = False
    return view


def _stack(shape: tuple[int, ...], ndim: int) -> tuple[int, ...]:
    # -1 is ambiguous for an image without pixels
    return (int(np.prod(shape[: len(shape) - ndim], dtype=np.int64)), *shape[len(shape) - ndim :])
