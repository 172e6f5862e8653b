"""Bilateral denoising: averages over neighbours that are near and of a similar grey value.

A neighbour's weight is a Gaussian of its distance times a Gaussian of the difference of grey values. The second is read
from a table. All pixels of a row take the same neighbour in turn, and each adds up its own in the order of the window,
so that the bits depend on nothing but the neighbourhood.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from bigimg.core.operation import Pixels, Valid
from bigimg.kernels.planes import as_planes, as_valid_planes, read_only, smoothed_dtype
from bigimg.kernels.windows import load, reflect

Mask = NDArray[np.bool_]

_LEAST, _MOST = 1e-100, 1e100
"""Standard deviations whose squares are far from the ends of float64."""

_ROOM = 2.0**-40
"""What the largest number of a dtype is multiplied by to leave room for sums over windows."""

_ALL_VALID = read_only(np.ones((1, 1, 1), bool))


def bilateral(
    pixels: Pixels,
    win_size: int,
    sigma_color: float,
    sigma_spatial: float,
    bins: int,
    low: float,
    high: float,
    ndim: int,
    valid: Valid | None = None,
) -> Pixels:
    """Return the weighted average over a window about each pixel.

    Parameters
    ----------
    pixels
        (..., M, N) or (..., L, M, N), of any real dtype; the last ``ndim`` axes are spatial.
    win_size
        Side of the window in pixels; odd.
    sigma_color, sigma_spatial
        Standard deviations of grey values and of distance in pixels.
    bins
        How finely the table tells differences of grey values apart.
    low, high
        The smallest and the largest grey value of the whole image.
    valid
        Which pixels count; the others have no weight.

    Returns
    -------
    ndarray of the shape of ``pixels`` and its range of grey values, of float32 for float32 and float16, else of
    float64. Pixels beyond the border are reflected (``d c b a | a b c d``).

    Examples
    --------
    >>> bilateral(np.array([[0, 1, 8, 9]], np.uint8), 3, 2.0, 1.0, 100, 0, 9, 2).round(1)
    array([[0.3, 0.7, 8.3, 8.7]])
    """
    dtype = smoothed_dtype(pixels.dtype)
    if max(abs(low), abs(high)) > float(np.finfo(dtype).max) * _ROOM:
        # Sums and differences would leave the dtype; powers of two make grey values smaller without rounding.
        ends = (low * _ROOM, high * _ROOM)
        small = np.asarray(pixels * dtype.type(_ROOM))
        found = bilateral(small, win_size, sigma_color * _ROOM, sigma_spatial, bins, *ends, ndim, valid)
        return np.asarray(np.clip(found, *map(dtype.type, ends)) / dtype.type(_ROOM))
    planes = as_planes(pixels, ndim, "f4" if dtype == np.float32 else "f8").astype(dtype)
    span = high - min(low, 0)
    if low == high or span <= 0:
        return planes.reshape(pixels.shape)
    valids = None if valid is None else as_valid_planes(valid, pixels, ndim)
    if valids is not None:
        planes[~valids] = low  # not a NaN, nor anything else beyond the table
    if low < 0:
        planes -= dtype.type(low)
    colours = read_only(_bell(np.linspace(0, span, bins, endpoint=False), sigma_color).astype(dtype))
    reach = win_size // 2
    sides = np.arange(-reach, reach + 1)
    distances = np.hypot(sides[:, None], sides)
    if ndim == 3:
        distances = np.hypot(sides[:, None, None], distances)
    near = read_only(_bell(distances, sigma_spatial).astype(dtype).reshape(-1, win_size, win_size))
    out = np.empty(planes.shape, dtype)
    for index in range(len(planes) if planes.size else 0):
        volume, target = planes[index], out[index]
        mask = _ALL_VALID if valids is None else valids[index]
        if ndim == 2:
            volume, target, mask = volume[None], target[None], mask.reshape(1, *mask.shape[-2:])
        _average(target, read_only(volume), mask, valids is not None, near, colours, dtype.type(bins / span))
    if low < 0:
        out += dtype.type(low)
    return out.reshape(pixels.shape)


def _bell(distance: NDArray[np.float64], sigma: float) -> NDArray[np.float64]:
    if _LEAST < sigma < _MOST:
        return np.exp(-0.5 * (distance**2 / sigma**2))
    with np.errstate(over="ignore"):
        return np.exp(-0.5 * (distance / sigma) ** 2)


@njit(nogil=True, cache=True)
def _average(out: Pixels, pixels: Pixels, valid: Mask, masked: bool, near: Any, colours: Any, scale: float) -> None:
    depth, height, width = pixels.shape
    deep, tall, wide = near.shape
    reach = wide // 2
    zero = out.dtype.type(0)
    line = np.empty(width + 2 * reach, out.dtype)
    known = np.ones(width + 2 * reach, np.bool_)
    total = np.empty(width, out.dtype)
    weights = np.empty(width, out.dtype)
    bins = np.empty(width, np.int32)
    # A grey value beyond the extrema that were given, even a NaN, must not be looked up beyond the table.
    first, most = np.int32(0), out.dtype.type(colours.shape[0] - 1)
    for z in range(depth):
        for y in range(height):
            centre = pixels[z, y]
            total[:] = zero
            weights[:] = zero
            for dz in range(deep):
                at = reflect(z + dz - deep // 2, depth, False)
                for dy in range(tall):
                    row = reflect(y + dy - tall // 2, height, False)
                    load(line, pixels[at, row], -reach, False)
                    if masked:
                        load(known, valid[at, row], -reach, False)
                    for dx in range(wide):
                        values = line[dx : dx + width]
                        weight = near[dz, dy, dx]
                        for x in range(width):
                            bins[x] = max(np.int32(min(abs(centre[x] - values[x]) * scale, most)), first)
                        if masked:
                            counts = known[dx : dx + width]
                            for x in range(width):
                                found = weight * colours[bins[x]] if counts[x] else zero
                                total[x] += values[x] * found
                                weights[x] += found
                        else:
                            for x in range(width):
                                found = weight * colours[bins[x]]
                                total[x] += values[x] * found
                                weights[x] += found
            for x in range(width):
                out[z, y, x] = total[x] / weights[x] if weights[x] > zero else zero
