"""Sobel and Prewitt derivatives of volumes, line by line; see :mod:`bigimg.kernels.derivatives`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from bigimg.core.operation import Pixels

Mask = NDArray[np.bool_]


@njit(nogil=True, cache=True)
def widen(line: Any, row: Any) -> None:
    """Fill ``line`` with ``row`` and one pixel more at both ends, the same as the outermost."""
    width = row.shape[0]
    inside = line[1 : width + 1]
    for x in range(width):
        inside[x] = row[x]
    line[0] = row[0]
    line[width + 1] = row[width - 1]


@njit(nogil=True, cache=True)
def _across(out: Any, a: Any, b: Any, c: Any, side: float, middle: float) -> None:
    for x in range(out.shape[0]):
        out[x] = side * (a[x] + c[x]) + middle * b[x]


@njit(nogil=True, cache=True)
def _minus(out: Any, a: Any, b: Any) -> None:
    for x in range(out.shape[0]):
        out[x] = b[x] - a[x]


@njit(nogil=True, cache=True)
def edges_volume(out: Pixels, pixels: Pixels, side: float, middle: float, axis: int) -> None:
    """Fill ``out`` with the derivative of a volume along an axis, or with the magnitude where ``axis`` is -1."""
    # Lines are float64 here, also for float32: the smoothing across comes before two of the three differences.
    depth, height, width = pixels.shape
    root = np.sqrt(3.0)
    lines = np.empty((3, 3, width + 2))
    smooth = np.empty((3, width + 2))
    steep = np.empty((3, width + 2))
    deep = np.empty(width + 2)
    down = np.empty(width + 2)
    flat = np.empty(width + 2)
    for z in range(depth):
        for y in range(height):
            for dz in range(3):
                plane = pixels[min(max(z + dz - 1, 0), depth - 1)]
                if y == 0:
                    widen(lines[dz, 0], plane[0])
                if y + 1 < height:
                    widen(lines[dz, (y + 1) % 3], plane[y + 1])
                top = lines[dz, max(y - 1, 0) % 3]
                low = lines[dz, min(y + 1, height - 1) % 3]
                _across(smooth[dz], top, lines[dz, y % 3], low, side, middle)
                _minus(steep[dz], top, low)
            _minus(deep, smooth[0], smooth[2])
            _across(down, steep[0], steep[1], steep[2], side, middle)
            _across(flat, smooth[0], smooth[1], smooth[2], side, middle)
            row = out[z, y]
            if axis == 0:
                for x in range(width):
                    row[x] = side * (deep[x] + deep[x + 2]) + middle * deep[x + 1]
            elif axis == 1:
                for x in range(width):
                    row[x] = side * (down[x] + down[x + 2]) + middle * down[x + 1]
            elif axis == 2:
                for x in range(width):
                    row[x] = flat[x + 2] - flat[x]
            else:
                for x in range(width):
                    gz = side * (deep[x] + deep[x + 2]) + middle * deep[x + 1]
                    gy = side * (down[x] + down[x + 2]) + middle * down[x + 1]
                    gx = flat[x + 2] - flat[x]
                    row[x] = np.sqrt(gz * gz + gy * gy + gx * gx) / root


@njit(nogil=True, cache=True)
def _known_across(
    out: Any, a: Any, b: Any, c: Any, on_a: Any, on_b: Any, on_c: Any, here: Any, side: float, middle: float
) -> None:
    for x in range(out.shape[0]):
        first = a[x] if on_a[x] else here[x]
        second = b[x] if on_b[x] else here[x]
        third = c[x] if on_c[x] else here[x]
        out[x] = side * (first + third) + middle * second


@njit(nogil=True, cache=True)
def _known_minus(out: Any, a: Any, c: Any, on_a: Any, on_c: Any, here: Any) -> None:
    for x in range(out.shape[0]):
        out[x] = (c[x] if on_c[x] else here[x]) - (a[x] if on_a[x] else here[x])


@njit(nogil=True, cache=True)
def edges_masked_volume(out: Pixels, pixels: Pixels, valid: Mask, side: float, middle: float, axis: int) -> None:
    """Fill ``out`` as :func:`edges_volume` does, with the middle in the place of each neighbour that is not valid."""
    # What stands for an invalid neighbour depends on the middle, so each of the three columns has lines of its own.
    depth, height, width = pixels.shape
    root = np.sqrt(3.0)
    lines = np.empty((3, 3, width + 2))
    counts = np.empty((3, 3, width + 2), np.bool_)
    smooth = np.empty((3, 3, width))
    steep = np.empty((3, 3, width))
    deep = np.empty((3, width))
    down = np.empty((3, width))
    flat = np.empty((3, width))
    for z in range(depth):
        for y in range(height):
            above, below = max(y - 1, 0) % 3, min(y + 1, height - 1) % 3
            for dz in range(3):
                at = min(max(z + dz - 1, 0), depth - 1)
                if y == 0:
                    widen(lines[dz, 0], pixels[at, 0])
                    widen(counts[dz, 0], valid[at, 0])
                if y + 1 < height:
                    widen(lines[dz, (y + 1) % 3], pixels[at, y + 1])
                    widen(counts[dz, (y + 1) % 3], valid[at, y + 1])
            here = lines[1, y % 3, 1 : width + 1]
            for dx in range(3):
                for dz in range(3):
                    a, b, c = lines[dz, above, dx:], lines[dz, y % 3, dx:], lines[dz, below, dx:]
                    on_a, on_b, on_c = counts[dz, above, dx:], counts[dz, y % 3, dx:], counts[dz, below, dx:]
                    _known_across(smooth[dz, dx], a, b, c, on_a, on_b, on_c, here, side, middle)
                    _known_minus(steep[dz, dx], a, c, on_a, on_c, here)
                _minus(deep[dx], smooth[0, dx], smooth[2, dx])
                _across(down[dx], steep[0, dx], steep[1, dx], steep[2, dx], side, middle)
                _across(flat[dx], smooth[0, dx], smooth[1, dx], smooth[2, dx], side, middle)
            _across(steep[0, 0], deep[0], deep[1], deep[2], side, middle)
            _across(steep[1, 0], down[0], down[1], down[2], side, middle)
            _minus(steep[2, 0], flat[0], flat[2])
            gz, gy, gx = steep[0, 0], steep[1, 0], steep[2, 0]
            row = out[z, y]
            if axis >= 0:
                for x in range(width):
                    row[x] = steep[axis, 0, x]
            else:
                for x in range(width):
                    row[x] = np.sqrt(gz[x] * gz[x] + gy[x] * gy[x] + gx[x] * gx[x]) / root
            for x in range(width):
                row[x] = row[x] if valid[z, y, x] else 0
