r"""Images resampled along their axes: each value is a weighted sum of a few rows, then of a few columns.

Smoothing against aliasing and interpolation between pixels are both weighted sums, so they are one: the pixels between
two kept ones are never smoothed for nothing. The weights of a value depend on its place in the whole image alone, and
are summed from the first to the last: the same bits in every tile.

::

    image      . . . . . . . . . . . . .
    smoothed        \__|__/ \__|__/            a Gaussian about each of two pixels
    between               \_|_/                the line between them
    result                 o                   one sum over all of these pixels
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from bigimg.core.operation import Pixels, Valid
from bigimg.kernels.planes import as_planes, read_only, smoothed_dtype

Indices = NDArray[np.int64]
Weights = NDArray[Any]

TRUNCATE = 4.0
"""Where the Gaussian against aliasing ends, in standard deviations, as in SciPy."""


@dataclass(frozen=True)
class AxisResampling:
    """How the values along one axis of the result are made of those along the same axis of the image.

    Places are those of ``skimage.transform.resize``: the edges of the first and of the last pixel stay where they are.

    Parameters
    ----------
    size, new_size
        Of the axis in the image and in the result.
    order
        0: the nearest pixel; 1: the line between two. What lies beyond the border is mirrored (``c b | a b c``).
    sigma
        Standard deviation of the Gaussian before; 0 for none.
    mirrors_edge
        Whether the Gaussian sees the pixel at the border twice (``b a | a b``) or once (``c b | a b``).
    """

    size: int
    new_size: int
    order: int = 1
    sigma: float = 0.0
    mirrors_edge: bool = False

    @property
    def radius(self) -> int:
        """How far the Gaussian reaches, in pixels."""
        return int(TRUNCATE * self.sigma + 0.5)

    @property
    def is_copy(self) -> bool:
        """Whether every value of the result is a value of the image."""
        return self.radius == 0 and (self.order == 0 or self.size == self.new_size)

    def between(self, new: Indices) -> tuple[Indices, Indices, NDArray[np.float64]]:
        """Return the one or two pixels that a value lies at or between, and the weight of the second.

        Examples
        --------
        >>> AxisResampling(8, 4).between(np.arange(2))
        (array([0, 2]), array([1, 3]), array([0.5, 0.5]))
        """
        places = (new + 0.5) * (self.size / self.new_size) - 0.5
        places = np.abs(places) if self.size > 1 else np.zeros(len(new))
        if self.order == 0:
            nearest = np.floor(places + 0.5).astype(np.int64)
            return nearest, nearest, np.zeros(len(new))
        first = np.floor(places).astype(np.int64)
        second = places - first
        following = np.where(second > 0, first + 1, first)
        return first, np.where(following == self.size, self.size - 2, following), second

    def reads(self, start: Indices, stop: Indices) -> tuple[Indices, Indices]:
        """Return the pixels that values from ``start`` to before ``stop`` are made of, as such intervals."""
        # At the border of the image the first value may be mirrored to behind the second one: both ends say how far.
        ends = np.stack([*self.between(start)[:2], *self.between(stop - 1)[:2]])
        return np.maximum(0, ends.min(axis=0) - self.radius), np.minimum(self.size, ends.max(axis=0) + self.radius + 1)

    def weights(self, start: int, stop: int) -> tuple[Indices, Indices, NDArray[np.float64]]:
        """Return the first pixel, the number of pixels, and their weights, of each value from ``start`` to ``stop``."""
        first, second, share = self.between(np.arange(start, stop))
        taps = self._gaussian()
        reach = np.arange(-self.radius, self.radius + 1)
        places = np.stack([first[:, None] + reach, second[:, None] + reach], axis=1)
        places = _folded(places, self.size, self.mirrors_edge)
        values = np.stack([(1 - share)[:, None] * taps, share[:, None] * taps], axis=1)
        # Of a weight of 0 nothing must remain: the pixel may be infinite, or not there.
        low = np.where(values > 0, places, self.size).min(axis=(1, 2))
        high = np.where(values > 0, places, -1).max(axis=(1, 2))
        dense = np.zeros((stop - start, int((high - low).max()) + 1))
        rows = np.broadcast_to(np.arange(stop - start)[:, None, None], places.shape)
        inside = values > 0
        np.add.at(dense, (rows[inside], (places - low[:, None, None])[inside]), values[inside])
        return low, high - low + 1, dense

    def _gaussian(self) -> NDArray[np.float64]:
        if self.radius == 0:
            return np.ones(1)
        half = np.array([exp(-0.5 / (self.sigma * self.sigma) * k * k) for k in range(self.radius + 1)])
        both = np.concatenate([half[:0:-1], half])
        return np.asarray(both / both.sum())


def _folded(places: Indices, size: int, mirrors_edge: bool) -> Indices:
    """Return the pixels of an axis that stand for ``places`` beyond its ends."""
    if size == 1:
        return np.zeros_like(places)
    if mirrors_edge:
        within = places % (2 * size)
        return np.where(within < size, within, 2 * size - 1 - within)
    within = places % (2 * size - 2)
    return np.where(within < size, within, 2 * size - 2 - within)


def resample(
    pixels: Pixels,
    axes: tuple[AxisResampling, ...],
    origin: tuple[int, ...],
    box: tuple[slice, ...],
    valid: Valid | None = None,
) -> Pixels:
    """Return ``box`` of an image resampled along its last axes.

    Parameters
    ----------
    pixels
        (..., M, N) or (..., L, M, N): the part of the image that :meth:`AxisResampling.reads` names, or more.
    axes
        One for each of the last 2 or 3 axes.
    origin
        Where the first of ``pixels`` lies in the image.
    box
        In the coordinates of the result.
    valid
        Which pixels count. The others have no weight, and the weights of those left are scaled to a sum of 1; where
        none is left, the result is 0.

    Returns
    -------
    ndarray
        Of the dtype of ``pixels`` where all of ``axes`` have order 0 and no Gaussian; else float32 for float32 and
        float16, else float64.

    Examples
    --------
    >>> half = (AxisResampling(2, 1), AxisResampling(4, 2))
    >>> resample(np.array([[0, 2, 4, 6], [4, 6, 8, 10]], "u1"), half, (0, 0), (slice(0, 1), slice(0, 2)))
    array([[3., 7.]])
    """
    if all(axis.order == 0 and axis.radius == 0 for axis in axes):
        return _picked(pixels, axes, origin, box)
    if valid is None or not any(axis.radius for axis in axes):
        return _weighed(pixels, axes, origin, box)
    total = _weighed(np.where(valid, pixels, np.zeros((), pixels.dtype)), axes, origin, box)
    weight = _weighed(valid.astype(smoothed_dtype(pixels.dtype)), axes, origin, box)
    return np.divide(total, weight, out=np.zeros_like(total), where=weight > 0)


def resample_valid(
    valid: Valid, axes: tuple[AxisResampling, ...], origin: tuple[int, ...], box: tuple[slice, ...]
) -> Valid:
    """Return where in ``box`` all pixels count that a value lies at or between; the Gaussian does not matter."""
    for back, (axis, begin, side) in enumerate(zip(reversed(axes), reversed(origin), reversed(box)), start=1):
        first, second, _ = axis.between(np.arange(side.start, side.stop))
        valid = np.take(valid, first - begin, axis=-back) & np.take(valid, second - begin, axis=-back)
    return valid


def _picked(
    pixels: Pixels, axes: tuple[AxisResampling, ...], origin: tuple[int, ...], box: tuple[slice, ...]
) -> Pixels:
    places = [axis.between(np.arange(side.start, side.stop))[0] - begin for axis, begin, side in zip(axes, origin, box)]
    # Any dtype as the unsigned integers of its bytes: a copy does not ask what they mean.
    bits = np.ascontiguousarray(pixels).view(f"u{pixels.dtype.itemsize}")
    solid = bits.reshape(-1, *bits.shape[bits.ndim - len(axes) :])
    if len(axes) == 3:
        solid = np.take(solid, places[0], axis=1)
        solid = solid.reshape(-1, *solid.shape[2:])
    out = np.empty((len(solid), len(places[-2]), len(places[-1])), bits.dtype)
    _pick(out, read_only(np.ascontiguousarray(solid)), places[-2], places[-1])
    return out.view(pixels.dtype).reshape(*pixels.shape[: pixels.ndim - len(axes)], *(len(each) for each in places))


@njit(nogil=True, cache=True)
def _pick(out: Pixels, planes: Pixels, rows: Indices, columns: Indices) -> None:
    for plane in range(planes.shape[0]):
        for y in range(rows.shape[0]):
            if y > 0 and rows[y] == rows[y - 1]:
                out[plane, y] = out[plane, y - 1]
                continue
            line = planes[plane, rows[y]]
            target = out[plane, y]
            for x in range(columns.shape[0]):
                target[x] = line[columns[x]]


def _weighed(
    pixels: Pixels, axes: tuple[AxisResampling, ...], origin: tuple[int, ...], box: tuple[slice, ...]
) -> Pixels:
    ndim = len(axes)
    planes = as_planes(pixels, ndim, "u1 u2 f4 f8")
    dtype = smoothed_dtype(pixels.dtype)
    tables: list[tuple[Indices, Indices, Weights]] = []
    for axis, begin, side in zip(axes, origin, box):
        first, count, weights = axis.weights(side.start, side.stop)
        first = first - begin
        assert first.min() >= 0
        assert (first + count).max() <= planes.shape[len(tables) + 1]
        tables.append((first, count, weights.astype(dtype)))
    if ndim == 3:
        # A volume is a stack of rows that are whole planes.
        depth = len(tables[0][0])
        thick = np.empty((len(planes), depth, *planes.shape[2:]), dtype)
        for voxels, target in zip(planes, thick):
            _weigh_rows(target.reshape(depth, -1), voxels.reshape(len(voxels), -1), *tables[0])
        planes = read_only(thick)
    stack = planes.reshape(-1, *planes.shape[-2:])
    out = np.empty((len(stack), len(tables[-2][0]), len(tables[-1][0])), dtype)
    for plane, target in zip(stack, out):
        _weigh_plane(target, plane, *tables[-2], *tables[-1])
    return out.reshape(*pixels.shape[: pixels.ndim - ndim], *(len(table[0]) for table in tables))


@njit(nogil=True, cache=True)
def _weigh_rows(out: Pixels, rows: Pixels, first: Indices, count: Indices, weights: Weights) -> None:
    width = 4096
    for left in range(0, out.shape[1], width):
        right = min(out.shape[1], left + width)
        for y in range(out.shape[0]):
            _sum_rows(out[y, left:right], rows[:, left:right], first[y], count[y], weights[y])


@njit(nogil=True, cache=True)
def _sum_rows(sums: Pixels, rows: Pixels, first: int, count: int, weights: Weights) -> None:
    """Set ``sums`` to the weighed sum of ``count`` rows, from the first to the last."""
    one = rows[first]
    a = weights[0]
    for x in range(sums.shape[0]):
        sums[x] = a * one[x]
    k = 1
    while k + 4 <= count:
        # Four at once, in the same order as one after the other: the sums are loaded and stored less often.
        one, two, three, four = rows[first + k], rows[first + k + 1], rows[first + k + 2], rows[first + k + 3]
        a, b, c, d = weights[k], weights[k + 1], weights[k + 2], weights[k + 3]
        for x in range(sums.shape[0]):
            sums[x] = (((sums[x] + a * one[x]) + b * two[x]) + c * three[x]) + d * four[x]
        k += 4
    while k < count:
        one = rows[first + k]
        a = weights[k]
        for x in range(sums.shape[0]):
            sums[x] += a * one[x]
        k += 1


@njit(nogil=True, cache=True)
def _weigh_plane(
    out: Pixels,
    pixels: Pixels,
    top: Indices,
    rows: Indices,
    down: Weights,
    left: Indices,
    columns: Indices,
    along: Weights,
) -> None:
    line = np.empty(pixels.shape[1], out.dtype)
    for y in range(out.shape[0]):
        _sum_rows(line, pixels, top[y], rows[y], down[y])
        target = out[y]
        for x in range(out.shape[1]):
            start = left[x]
            if columns[x] == 2:
                target[x] = along[x, 0] * line[start] + along[x, 1] * line[start + 1]
                continue
            total = along[x, 0] * line[start]
            for k in range(1, columns[x]):
                total += along[x, k] * line[start + k]
            target[x] = total
