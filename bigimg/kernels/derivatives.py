"""Smoothed differences of direct neighbours: Sobel and Prewitt, of planes and volumes.

Neighbours are subtracted before anything is added up, so that what is common to them (a bright background) leaves no
rounding behind. Integers are exact: in float64 no sum here needs more than 40 bits for 32-bit images.

Outside the image a pixel counts as the outermost one beside it, which for direct neighbours is what reflection gives
(``b a | a b``). A pixel that is not valid counts as the one in the middle, so that the edge of a mask makes no edge.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from bigimg.core.operation import Pixels, Valid
from bigimg.errors import ParameterError
from bigimg.kernels.derivative_volumes import edges_masked_volume, edges_volume, widen
from bigimg.kernels.planes import as_planes, as_valid_planes, smoothed_dtype

Mask = NDArray[np.bool_]

_COMPILED = "u1 u2 f4 f8"

SOBEL = (0.25, 0.5)
PREWITT = (1 / 3, 1 / 3)
"""Weights of the smoothing across a derivative: of the neighbours, and of the middle."""


def edges(
    pixels: Pixels, smoothing: tuple[float, float], axis: int | None, ndim: int, valid: Valid | None = None
) -> Pixels:
    """Return the derivative along one axis, smoothed across it, or the magnitude over all axes.

    Parameters
    ----------
    pixels
        (..., M, N) or (..., L, M, N), of any real dtype; the last ``ndim`` axes are spatial.
    smoothing
        :data:`SOBEL` or :data:`PREWITT`.
    axis
        The spatial axis of the derivative, from 0; None for the root of the mean square over the axes.
    valid
        Which pixels count.

    Returns
    -------
    ndarray of the shape of ``pixels`` and its range of grey values, of float32 for float32 and float16, else of
    float64.

    Notes
    -----
    As ``skimage.filters.sobel(pixels.astype(float), axis=axis)``.

    Examples
    --------
    >>> edges(np.array([[0, 0, 4, 4]], np.uint8), SOBEL, 1, 2)
    array([[0., 4., 4., 0.]])
    """
    if axis is not None and not -ndim <= axis < ndim:
        raise ParameterError(f"axis must be from {-ndim} to {ndim - 1}, or None for the magnitude (got {axis})")
    planes = as_planes(pixels, ndim, _COMPILED)
    dtype = smoothed_dtype(pixels.dtype)
    side, middle = (dtype.type(each) for each in smoothing)
    along = -1 if axis is None else axis % ndim
    out = np.empty(planes.shape, dtype)
    valids = None if valid is None else as_valid_planes(valid, pixels, ndim)
    for index in range(len(planes) if planes.size else 0):
        if ndim == 2 and valids is None:
            _edges_plane(out[index], planes[index], side, middle, along)
        elif ndim == 2:
            _edges_masked_plane(out[index], planes[index], valids[index], side, middle, along)  # type: ignore[index]
        elif valids is None:
            edges_volume(out[index], planes[index], *smoothing, along)
        else:
            edges_masked_volume(out[index], planes[index], valids[index], *smoothing, along)
    return out.reshape(pixels.shape)


@njit(nogil=True, cache=True)
def _edges_plane(out: Pixels, pixels: Pixels, side: float, middle: float, axis: int) -> None:
    height, width = pixels.shape
    root = out.dtype.type(np.sqrt(2.0))
    lines = np.empty((3, width + 2), out.dtype)
    widen(lines[0], pixels[0])
    for y in range(height):
        if y + 1 < height:
            widen(lines[(y + 1) % 3], pixels[y + 1])
        top = lines[max(y - 1, 0) % 3]
        centre = lines[y % 3]
        low = lines[min(y + 1, height - 1) % 3]
        row = out[y]
        if axis == 0:
            for x in range(width):
                row[x] = side * ((low[x] - top[x]) + (low[x + 2] - top[x + 2])) + middle * (low[x + 1] - top[x + 1])
        elif axis == 1:
            for x in range(width):
                row[x] = side * ((top[x + 2] - top[x]) + (low[x + 2] - low[x])) + middle * (centre[x + 2] - centre[x])
        else:
            for x in range(width):
                down = side * ((low[x] - top[x]) + (low[x + 2] - top[x + 2])) + middle * (low[x + 1] - top[x + 1])
                right = side * ((top[x + 2] - top[x]) + (low[x + 2] - low[x])) + middle * (centre[x + 2] - centre[x])
                row[x] = np.sqrt(down * down + right * right) / root


@njit(nogil=True, cache=True)
def _edges_masked_plane(out: Pixels, pixels: Pixels, valid: Mask, side: float, middle: float, axis: int) -> None:
    height, width = pixels.shape
    root = out.dtype.type(np.sqrt(2.0))
    zero = out.dtype.type(0)
    lines = np.empty((3, width + 2), out.dtype)
    counts = np.empty((3, width + 2), np.bool_)
    widen(lines[0], pixels[0])
    widen(counts[0], valid[0])
    for y in range(height):
        if y + 1 < height:
            widen(lines[(y + 1) % 3], pixels[y + 1])
            widen(counts[(y + 1) % 3], valid[y + 1])
        above, below = max(y - 1, 0) % 3, min(y + 1, height - 1) % 3
        top, centre, low = lines[above], lines[y % 3], lines[below]
        on_top, beside, under = counts[above], counts[y % 3], counts[below]
        row = out[y]
        for x in range(width):
            here = centre[x + 1]
            nw = top[x] if on_top[x] else here
            n = top[x + 1] if on_top[x + 1] else here
            ne = top[x + 2] if on_top[x + 2] else here
            w = centre[x] if beside[x] else here
            e = centre[x + 2] if beside[x + 2] else here
            sw = low[x] if under[x] else here
            s = low[x + 1] if under[x + 1] else here
            se = low[x + 2] if under[x + 2] else here
            down = side * ((sw - nw) + (se - ne)) + middle * (s - n)
            right = side * ((ne - nw) + (se - sw)) + middle * (e - w)
            if not beside[x + 1]:
                row[x] = zero
            elif axis == 0:
                row[x] = down
            elif axis == 1:
                row[x] = right
            else:
                row[x] = np.sqrt(down * down + right * right) / root
