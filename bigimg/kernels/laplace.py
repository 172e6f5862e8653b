"""The Laplace operator: by how much a pixel exceeds its direct neighbours.

Neighbours are subtracted one by one, so that what is common to them leaves no rounding behind; integers are exact.
Outside the image a pixel counts as the outermost one beside it, and a pixel that is not valid as the one in the middle,
so that the edge of a mask makes no edge.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from bigimg.core.operation import Pixels, Valid
from bigimg.kernels.derivative_volumes import widen
from bigimg.kernels.planes import as_planes, as_valid_planes, read_only, smoothed_dtype

Mask = NDArray[np.bool_]

_COMPILED = "u1 u2 f4 f8"
_ALL_VALID = read_only(np.ones((1, 1, 1), bool))


def laplace(pixels: Pixels, ndim: int, valid: Valid | None = None) -> Pixels:
    """Return by how much each pixel exceeds its direct neighbours, added up over the 4 (6 in a volume).

    Parameters
    ----------
    pixels
        (..., M, N) or (..., L, M, N), of any real dtype; the last ``ndim`` axes are spatial.
    valid
        Which pixels count.

    Returns
    -------
    ndarray of the shape of ``pixels`` and its range of grey values, of float32 for float32 and float16, else of
    float64.

    Notes
    -----
    As ``skimage.filters.laplace(pixels.astype(float), ksize=3)``.

    Examples
    --------
    >>> laplace(np.array([[0, 0, 4, 4]], np.uint8), 2)
    array([[ 0., -4.,  4.,  0.]])
    """
    planes = as_planes(pixels, ndim, _COMPILED)
    dtype = smoothed_dtype(pixels.dtype)
    out = np.empty(planes.shape, dtype)
    valids = None if valid is None else as_valid_planes(valid, pixels, ndim)
    for index in range(len(planes) if planes.size else 0):
        volume, target = planes[index], out[index]
        mask = _ALL_VALID if valids is None else valids[index]
        if ndim == 2:
            volume, target, mask = volume[None], target[None], mask.reshape(1, *mask.shape[-2:])
        _laplace(target, volume, mask, valids is not None, dtype.type(0))
    return out.reshape(pixels.shape)


@njit(nogil=True, cache=True)
def _laplace(out: Pixels, pixels: Pixels, valid: Mask, masked: bool, zero: float) -> None:
    """Laplace of a volume, or of a plane as a volume of depth 1, whose neighbours in depth are itself."""
    depth, height, width = pixels.shape
    lines = np.empty((3, width + 2), out.dtype)
    for z in range(depth):
        front, back = pixels[max(z - 1, 0)], pixels[min(z + 1, depth - 1)]
        widen(lines[0], pixels[z, 0])
        for y in range(height):
            if y + 1 < height:
                widen(lines[(y + 1) % 3], pixels[z, y + 1])
            above, below = max(y - 1, 0), min(y + 1, height - 1)
            top, centre, low = lines[above % 3], lines[y % 3], lines[below % 3]
            row = out[z, y]
            if not masked:
                for x in range(width):
                    here = centre[x + 1]
                    row[x] = ((here - top[x + 1]) + (here - low[x + 1])) + ((here - centre[x]) + (here - centre[x + 2]))
                if depth > 1:
                    _add_depth(row, centre[1:], front[y], back[y], zero)
                continue
            near, far = valid[max(z - 1, 0), y], valid[min(z + 1, depth - 1), y]
            for x in range(width):
                here = centre[x + 1]
                if not valid[z, y, x]:
                    row[x] = zero
                    continue
                n = here - top[x + 1] if valid[z, above, x] else zero
                s = here - low[x + 1] if valid[z, below, x] else zero
                w = here - centre[x] if valid[z, y, max(x - 1, 0)] else zero
                e = here - centre[x + 2] if valid[z, y, min(x + 1, width - 1)] else zero
                total = (n + s) + (w + e)
                if depth > 1:
                    f = here - (zero + front[y, x]) if near[x] else zero
                    b = here - (zero + back[y, x]) if far[x] else zero
                    total += f + b
                row[x] = total


@njit(nogil=True, cache=True)
def _add_depth(row: Any, centre: Any, front: Any, back: Any, zero: float) -> None:
    for x in range(row.shape[0]):
        here = centre[x]
        row[x] += (here - (zero + front[x])) + (here - (zero + back[x]))
