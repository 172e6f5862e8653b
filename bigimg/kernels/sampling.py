"""Values between pixels, at places that an affine map gives: turned, sheared and shifted images.

A place is computed from the coordinates of a pixel in the whole image, term by term in one order, so that it has the
same bits in every tile; only then is the corner of the tile subtracted, which is exact. Pixels outside the image have
one constant value, and the line between it and the border is drawn as between any two pixels.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import floor

import numpy as np
from numba import njit
from numpy.typing import NDArray

from bigimg.core.operation import Pixels, Valid
from bigimg.core.tile import Box
from bigimg.kernels.planes import as_planes, as_valid_planes, read_only, smoothed_dtype

Indices = NDArray[np.int64]
Floats = NDArray[np.float64]

FARTHEST = 2.0**62
"""Places farther away are not told apart: an integer must hold them."""


@dataclass(frozen=True)
class AffinePlaces:
    """Where each pixel of the result lies in the image: ``matrix @ index + offset``, as ``scipy.ndimage`` has it.

    Parameters
    ----------
    matrix
        Row by row.
    offset
        One number an axis.
    shape
        Of the image.
    order
        0: the nearest pixel, half up; 1: linear between the pixels around.
    """

    matrix: tuple[tuple[float, ...], ...]
    offset: tuple[float, ...]
    shape: tuple[int, ...]
    order: int

    def reads(self, first: Indices, last: Indices) -> tuple[Indices, Indices]:
        """Return the boxes of the image that boxes of the result are made of."""
        ndim = len(self.shape)
        low = np.full(first.shape, np.inf)
        high = np.full(first.shape, -np.inf)
        # Each rounding on the way keeps the order of its terms: no place of a box lies beyond those of its corners.
        for corner in np.ndindex((2,) * ndim):
            at = np.where(corner, last - 1, first).astype(float)
            for axis in range(ndim):
                place = self.matrix[axis][0] * at[:, 0]
                for term in range(1, ndim):
                    place = place + self.matrix[axis][term] * at[:, term]
                place = place + self.offset[axis]
                low[:, axis] = np.minimum(low[:, axis], place)
                high[:, axis] = np.maximum(high[:, axis], place)
        up = 0.5 if self.order == 0 else 0.0
        low = np.floor(np.clip(low, -FARTHEST, FARTHEST) + up)
        high = np.floor(np.clip(high, -FARTHEST, FARTHEST) + up) + (1 if self.order == 0 else 2)
        shape = np.array(self.shape)
        return np.clip(low, 0, shape).astype(np.int64), np.clip(high, 0, shape).astype(np.int64)


def sample(pixels: Pixels, places: AffinePlaces, read: Box, box: Box, cval: float) -> Pixels:
    """Return ``box`` of an image at the places of an affine map.

    Parameters
    ----------
    pixels
        (..., M, N) or (..., L, M, N): the part ``read`` of the image.
    places
        For each pixel of the result.
    read
        What :meth:`AffinePlaces.reads` names, or more.
    box
        In the coordinates of the result.
    cval
        The value of pixels outside the image.

    Returns
    -------
    ndarray
        Of the dtype of ``pixels`` for order 0, else float32 for float32 and float16, else float64.

    Examples
    --------
    >>> shift = AffinePlaces(((1.0, 0.0), (0.0, 1.0)), (0.0, 0.5), (1, 3), 1)
    >>> image = (slice(0, 1), slice(0, 3))
    >>> sample(np.array([[2.0, 4.0, 8.0]]), shift, image, image, 0.0)
    array([[3., 6., 4.]])
    """
    ndim = len(places.shape)
    origin, start, shape = _corners(read), _corners(box), tuple(side.stop - side.start for side in box)
    matrix, offset = np.array(places.matrix), np.array(places.offset)
    extent = np.array(places.shape)
    lead = pixels.shape[: pixels.ndim - ndim]
    if places.order == 0:
        # Any dtype as the unsigned integers of its bytes: a copy does not ask what they mean.
        unsigned = np.dtype(f"u{pixels.dtype.itemsize}")
        planes = read_only(np.ascontiguousarray(pixels).view(unsigned).reshape(-1, *_solid(pixels.shape, ndim)))
        out = np.full((len(planes), *_thick(shape)), np.array(cval).astype(pixels.dtype).view(unsigned)[()], unsigned)
        _nearest(out, planes, *_as_volume(matrix, offset, extent, origin, start))
        return out.view(pixels.dtype).reshape(*lead, *shape)
    planes = as_planes(pixels, ndim, "u1 u2 f4 f8")
    out = np.empty((len(planes), *shape), smoothed_dtype(pixels.dtype))
    (_bilinear if ndim == 2 else _trilinear)(out, planes, matrix, offset, extent, origin, start, float(cval))
    return out.reshape(*lead, *shape)


def sample_valid(valid: Valid, places: AffinePlaces, read: Box, box: Box) -> Valid:
    """Return where in ``box`` all pixels count that take part; those outside the image do not."""
    ndim = len(places.shape)
    shape = tuple(side.stop - side.start for side in box)
    planes = as_valid_planes(valid, valid, ndim).reshape(-1, *_solid(valid.shape, ndim))
    out = np.empty((len(planes), *_thick(shape)), bool)
    volume = _as_volume(
        np.array(places.matrix), np.array(places.offset), np.array(places.shape), _corners(read), _corners(box)
    )
    _all_valid(out, read_only(planes), *volume, places.order)
    return out.reshape(*valid.shape[: valid.ndim - ndim], *shape)


def _corners(box: Box) -> Indices:
    return np.array([side.start for side in box], np.int64)


def _thick(shape: tuple[int, ...]) -> tuple[int, ...]:
    return (1, *shape) if len(shape) == 2 else shape


def _solid(shape: tuple[int, ...], ndim: int) -> tuple[int, ...]:
    return _thick(shape[len(shape) - ndim :])


def _as_volume(
    matrix: Floats, offset: Floats, extent: Indices, origin: Indices, start: Indices
) -> tuple[Floats, Floats, Indices, Indices, Indices]:
    """Return the map of a plane as that of a volume of one plane: adding 0 to a place changes no bit of it."""
    if len(offset) == 3:
        return matrix, offset, extent, origin, start
    full = np.zeros((3, 3))
    full[1:, 1:] = matrix
    flat = [np.concatenate([[first], rest]) for first, rest in ((0.0, offset), (1, extent), (0, origin), (0, start))]
    return full, flat[0], flat[1].astype(np.int64), flat[2].astype(np.int64), flat[3].astype(np.int64)


@njit(nogil=True, cache=True)
def _place(matrix: Floats, offset: Floats, axis: int, z: float, y: float, x: float) -> float:
    # The order of the terms is that of AffinePlaces.reads.
    return ((matrix[axis, 0] * z + matrix[axis, 1] * y) + matrix[axis, 2] * x) + offset[axis]


@njit(nogil=True, cache=True)
def _nearest(
    out: Pixels, planes: Pixels, matrix: Floats, offset: Floats, extent: Indices, origin: Indices, start: Indices
) -> None:
    depth, height, width = extent
    for plane in range(planes.shape[0]):
        voxels = planes[plane]
        for k in range(out.shape[1]):
            z = float(k + start[0])
            for j in range(out.shape[2]):
                y = float(j + start[1])
                target = out[plane, k, j]
                for i in range(out.shape[3]):
                    x = float(i + start[2])
                    row = floor(_place(matrix, offset, 1, z, y, x) + 0.5)
                    column = floor(_place(matrix, offset, 2, z, y, x) + 0.5)
                    layer = floor(_place(matrix, offset, 0, z, y, x) + 0.5)
                    if 0 <= row < height and 0 <= column < width and 0 <= layer < depth:
                        target[i] = voxels[layer - origin[0], row - origin[1], column - origin[2]]


@njit(nogil=True, cache=True)
def _bilinear(
    out: Pixels,
    planes: Pixels,
    matrix: Floats,
    offset: Floats,
    extent: Indices,
    origin: Indices,
    start: Indices,
    cval: float,
) -> None:
    height, width = extent
    top, left = origin
    a, b, c, d = matrix[0, 0], matrix[0, 1], matrix[1, 0], matrix[1, 1]
    down, along = offset
    for plane in range(planes.shape[0]):
        pixels = planes[plane]
        for j in range(out.shape[1]):
            y = float(j + start[0])
            target = out[plane, j]
            row_y, column_y = a * y, c * y
            for i in range(out.shape[2]):
                x = float(i + start[1])
                row = (row_y + b * x) + down
                column = (column_y + d * x) + along
                if not (row > -1 and column > -1 and row < height and column < width):
                    target[i] = cval
                    continue
                r, s = floor(row), floor(column)
                v, h = row - r, column - s
                if r >= 0 and s >= 0 and r + 1 < height and s + 1 < width:
                    upper = (1 - h) * pixels[r - top, s - left] + h * pixels[r - top, s - left + 1]
                    lower = (1 - h) * pixels[r - top + 1, s - left] + h * pixels[r - top + 1, s - left + 1]
                    value = (1 - v) * upper + v * lower
                    if value == value:  # noqa: PLR0124 - not a number where an infinite pixel has no weight
                        target[i] = value
                        continue
                value = 0.0
                for m in range(2):
                    for n in range(2):
                        weight = (v if m else 1 - v) * (h if n else 1 - h)
                        if weight > 0:
                            inside = 0 <= r + m < height and 0 <= s + n < width
                            value += weight * (pixels[r + m - top, s + n - left] if inside else cval)
                target[i] = value


@njit(nogil=True, cache=True)
def _trilinear(
    out: Pixels,
    planes: Pixels,
    matrix: Floats,
    offset: Floats,
    extent: Indices,
    origin: Indices,
    start: Indices,
    cval: float,
) -> None:
    depth, height, width = extent
    for plane in range(planes.shape[0]):
        voxels = planes[plane]
        for k in range(out.shape[1]):
            z = float(k + start[0])
            for j in range(out.shape[2]):
                y = float(j + start[1])
                target = out[plane, k, j]
                for i in range(out.shape[3]):
                    x = float(i + start[2])
                    layer = _place(matrix, offset, 0, z, y, x)
                    row = _place(matrix, offset, 1, z, y, x)
                    column = _place(matrix, offset, 2, z, y, x)
                    if not (
                        layer > -1 and row > -1 and column > -1 and layer < depth and row < height and column < width
                    ):
                        target[i] = cval
                        continue
                    q, r, s = floor(layer), floor(row), floor(column)
                    w, v, h = layer - q, row - r, column - s
                    value = 0.0
                    for p in range(2):
                        for m in range(2):
                            for n in range(2):
                                weight = (w if p else 1 - w) * (v if m else 1 - v) * (h if n else 1 - h)
                                if weight > 0:
                                    inside = 0 <= q + p < depth and 0 <= r + m < height and 0 <= s + n < width
                                    value += weight * (
                                        voxels[q + p - origin[0], r + m - origin[1], s + n - origin[2]]
                                        if inside
                                        else cval
                                    )
                    target[i] = value


@njit(nogil=True, cache=True)
def _all_valid(
    out: Valid,
    planes: Valid,
    matrix: Floats,
    offset: Floats,
    extent: Indices,
    origin: Indices,
    start: Indices,
    order: int,
) -> None:
    depth, height, width = extent
    up = 0.5 if order == 0 else 0.0
    for plane in range(planes.shape[0]):
        for k in range(out.shape[1]):
            z = float(k + start[0])
            for j in range(out.shape[2]):
                y = float(j + start[1])
                for i in range(out.shape[3]):
                    x = float(i + start[2])
                    layer = _place(matrix, offset, 0, z, y, x) + up
                    row = _place(matrix, offset, 1, z, y, x) + up
                    column = _place(matrix, offset, 2, z, y, x) + up
                    q, r, s = floor(layer), floor(row), floor(column)
                    # Of two pixels, that one which has a weight of 0 takes no part.
                    w, v, h = (0.0, 0.0, 0.0) if order == 0 else (layer - q, row - r, column - s)
                    fine = True
                    for p in range(w == 1, 1 + (w > 0)):
                        for m in range(v == 1, 1 + (v > 0)):
                            for n in range(h == 1, 1 + (h > 0)):
                                inside = 0 <= q + p < depth and 0 <= r + m < height and 0 <= s + n < width
                                if (
                                    not inside
                                    or not planes[plane, q + p - origin[0], r + m - origin[1], s + n - origin[2]]
                                ):
                                    fine = False
                    out[plane, k, j, i] = fine
