"""Numbers of any dtype as unsigned integers in the same order, so that one loop compares them all.

The bits of unsigned integers are keys already; signed ones have their sign bit turned over; of a negative float every
bit is turned over, of another float the sign bit. NaN has no place in the order and must not occur.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def sort_keys(values: NDArray[Any]) -> NDArray[Any]:
    """Return unsigned keys, of the width of ``values``, in the order of the numbers; -0.0 has the key of 0.0.

    Examples
    --------
    >>> sort_keys(np.array([-2, -1, 0, 1], dtype=np.int16))
    array([32766, 32767, 32768, 32769], dtype=uint16)
    """
    if values.dtype.kind == "u":
        return values
    with np.errstate(invalid="ignore"):  # pixels without a label may be anything
        bits = (values + values.dtype.type(0)).view(f"u{values.dtype.itemsize}")
    sign = _sign(bits.dtype)
    if values.dtype.kind == "i":
        return bits ^ sign
    return np.where(bits & sign, ~bits, bits | sign)


def from_keys(keys: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[np.float64]:
    """Return the numbers of ``dtype`` behind ``keys``, as float64.

    Examples
    --------
    >>> from_keys(sort_keys(np.array([-0.5, 0.0, 7.0])), np.dtype(np.float64))
    array([-0.5,  0. ,  7. ])
    """
    return numbers(keys, dtype).astype(np.float64)


def numbers(keys: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Return the numbers of ``dtype`` behind ``keys``.

    Examples
    --------
    >>> numbers(sort_keys(np.array([-2, 7], dtype=np.int16)), np.dtype(np.int16))
    array([-2,  7], dtype=int16)
    """
    sign = _sign(keys.dtype)
    if dtype.kind == "i":
        keys = keys ^ sign
    elif dtype.kind == "f":
        keys = np.where(keys & sign, keys ^ sign, ~keys)
    return keys.view(dtype)


def _sign(dtype: np.dtype[Any]) -> Any:
    return dtype.type(1 << (8 * dtype.itemsize - 1))
