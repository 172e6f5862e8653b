"""How many bits the grey values under a footprint hold, the same to the last bit however the image is cut.

With ``c`` pixels of each grey value, ``n`` in all, Shannon's entropy is ``log2(n) - sum(c * log2(c)) / n``. The
footprint slides along a row, and each pixel that enters or leaves changes one term of the sum. The terms are whole
multiples of 2**-k, so that adding and taking away leaves no rounding behind, wherever the sliding began.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from bigimg.core.operation import Pixels, Valid
from bigimg.errors import ImageError, ParameterError
from bigimg.kernels.planes import as_planes, as_valid_planes
from bigimg.kernels.rank_keys import Counts, Mask, keys_of, placed

_INTEGERS = "u1 i1 u2 i2 u4 i4 u8 i8"


def entropy(pixels: Pixels, footprint: Mask, ndim: int, valid: Valid | None = None) -> NDArray[np.float64]:
    """Return the entropy of the grey values under the footprint about each pixel, in bits.

    Parameters
    ----------
    pixels
        (..., M, N) or (..., L, M, N) booleans or integers; the last ``ndim`` axes are spatial.
    footprint
        Boolean, of ``ndim`` axes, with its origin at ``shape // 2``.
    valid
        Which pixels count. Others, and what is outside the image, take no part.

    Returns
    -------
    ndarray of float64, the shape of ``pixels``; 0 where no pixel counts.

    Notes
    -----
    As ``skimage.filters.rank.entropy(pixels, footprint)``, within 1e-9.

    Examples
    --------
    >>> entropy(np.array([[0, 0, 7, 9]], np.uint8), np.ones((1, 3), bool), 2).round(2)
    array([[0.  , 0.92, 1.58, 1.  ]])
    """
    if footprint.ndim != ndim or not footprint.any():
        raise ParameterError(
            f"a footprint for {ndim} axes of space needs {ndim} axes and at least one pixel "
            f"(got shape {footprint.shape} with {np.count_nonzero(footprint)} pixels)"
        )
    if pixels.dtype.kind not in "biu":
        raise ImageError(f"entropy counts grey values and needs booleans or integers (got {pixels.dtype})")
    footprint = np.pad(footprint.astype(bool), [(0, 1 - size % 2) for size in footprint.shape])
    planes = as_planes(pixels, ndim, _INTEGERS)
    valids = None if valid is None else as_valid_planes(valid, pixels, ndim)
    out = np.zeros(planes.shape)
    terms, scale = _terms(int(footprint.sum()))
    for index in range(len(planes) if planes.size else 0):
        bins, codes = _codes(planes[index])
        if valids is not None:
            codes[~valids[index]] = bins
        around = [(0, 0)] * (3 - ndim) + [(size // 2, size // 2) for size in footprint.shape]
        padded = np.pad(codes.reshape((1, *codes.shape)[-3:]), around, constant_values=bins)
        cube = out[index].reshape((1, *codes.shape)[-3:])
        _slide(cube, padded, placed(footprint), np.zeros(bins, np.int32), terms, scale)
    return out.reshape(pixels.shape)


def _codes(plane: Pixels) -> tuple[int, NDArray[np.int32]]:
    """Return a bin for each pixel, and how many bins there are: equal pixels have equal bins."""
    if plane.dtype.itemsize <= 2:
        return 1 << 8 * plane.dtype.itemsize, keys_of(plane).astype(np.int32)
    values, codes = np.unique(plane, return_inverse=True)
    return len(values), codes.reshape(plane.shape).astype(np.int32)


@lru_cache
def _terms(most: int) -> tuple[Counts, float]:
    """Return ``c * log2(c) * 2**k`` of each count up to ``most``, rounded, and 2**k, so that no sum overflows."""
    counts = np.arange(1, most + 1)
    exact = counts * np.log2(counts)
    power = min(44, 62 - int(np.ceil(np.log2(exact[-1] + 1))))
    terms = np.concatenate([[0], np.rint(np.ldexp(exact, power))]).astype(np.int64)
    terms.flags.writeable = False
    return terms, float(2**power)


@njit(nogil=True, cache=True)
def _slide(out: Any, codes: Any, runs: Counts, counts: Any, terms: Counts, scale: float) -> None:
    depth, height, width = out.shape
    for z in range(depth):
        for y in range(height):
            number, total = 0, np.int64(0)
            for run in range(runs.shape[0]):
                row = codes[z + runs[run, 0], y + runs[run, 1]]
                for x in range(runs[run, 2], runs[run, 3] + 1):
                    if row[x] < counts.size:
                        count = counts[row[x]]
                        counts[row[x]] = count + 1
                        total += terms[count + 1] - terms[count]
                        number += 1
            for x in range(width):
                out[z, y, x] = (terms[number] - total) / (scale * max(number, 1))
                for run in range(runs.shape[0]):
                    row = codes[z + runs[run, 0], y + runs[run, 1]]
                    leaves = row[x + runs[run, 2]]
                    if leaves < counts.size:
                        count = counts[leaves]
                        counts[leaves] = count - 1
                        total += terms[count - 1] - terms[count]
                        number -= 1
                    if x + 1 < width:
                        enters = row[x + 1 + runs[run, 3]]
                        if enters < counts.size:
                            count = counts[enters]
                            counts[enters] = count + 1
                            total += terms[count + 1] - terms[count]
                            number += 1
            for run in range(runs.shape[0]):  # what the last window of the row still holds
                row = codes[z + runs[run, 0], y + runs[run, 1]]
                for x in range(width + runs[run, 2], width + runs[run, 3]):
                    if row[x] < counts.size:
                        counts[row[x]] -= 1
