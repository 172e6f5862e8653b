"""Contrast limited adaptive histogram equalisation: a curve for each region, and between curves interpolation.

::

    0         k         2k        3k        the image, and the regions of k pixels that it is cut into
    |----.----|----.----|----.--|,,|
         ^         ^         ^              their centres, where the curve of the region holds alone
              |    ^
              a pixel between two centres takes a share of both curves

Regions are counted from the first pixel of the image. One that reaches beyond the last counts the pixels mirrored
there. So what a tile adds to the histograms of the regions is known from where it lies, and histograms add up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from skimage.util import img_as_uint

from bigimg.core.operation import Pixels, Valid
from bigimg.errors import ImageError
from bigimg.kernels import clahe_loops as loops
from bigimg.kernels.intensity import mapped
from bigimg.kernels.planes import read_only

GRAYS = 2**14
"""Grey levels that curves lead to, as in scikit-image."""

Levels = NDArray[np.uint16]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Regions:
    """The regions along one axis.

    Examples
    --------
    >>> axis = Regions(size=5, width=3)
    >>> axis.count, axis.of(0, 5), axis.mirrored(0, 5)
    (2, array([0, 0, 0, 1, 1]), array([0, 0, 0, 1, 0]))
    """

    size: int
    """Pixels of the image."""
    width: int
    """Pixels of a region."""

    @property
    def count(self) -> int:
        """How many regions there are."""
        return -(-self.size // self.width)

    def of(self, start: int, stop: int) -> Integers:
        """Return the region of each pixel from ``start`` to ``stop``."""
        return np.arange(start, stop) // self.width

    def mirrored(self, start: int, stop: int) -> Integers:
        """Return how often each pixel appears, mirrored, in the part of the last region beyond the image."""
        beyond = self.count * self.width - self.size
        if not beyond or self.size == 1:
            return np.full(stop - start, beyond)
        # Once to and fro shows every pixel twice, but the outermost once.
        period = 2 * (self.size - 1)
        whole, rest = divmod(beyond, period)
        place = np.arange(self.size, self.size + rest) % period
        place = np.minimum(place, period - place)
        inside = place[(place >= start) & (place < stop)] - start
        pixels = np.arange(start, stop)
        often = np.where((pixels == 0) | (pixels == self.size - 1), 1, 2)
        return np.bincount(inside, minlength=stop - start) + whole * often

    def between(self, start: int, stop: int) -> tuple[Integers, Integers, NDArray[np.float64]]:
        """Return the regions whose centres lie before and after each pixel, and the share of the second."""
        place = np.arange(start, stop) + self.width // 2
        after, share = place // self.width, (place % self.width) / self.width
        return np.clip(after - 1, 0, self.count - 1), np.clip(after, 0, self.count - 1), share


def gray_levels(pixels: Pixels, low: Any, high: Any, nbins: int) -> Levels:
    """Return the bin of each pixel of an image whose values range from ``low`` to ``high``.

    Grey values become 16 bits as by ``skimage.util.img_as_uint``, which takes integers for parts of the range of their
    dtype, are stretched to 2**14 levels, and these are counted in ``nbins``.

    Raises
    ------
    ImageError
        If floats leave -1..1.

    Examples
    --------
    >>> gray_levels(np.array([[0, 10, 20]], np.uint8), np.uint8(0), np.uint8(20), 256)
    array([[  0, 126, 252]], dtype=uint16)
    """
    if pixels.dtype.kind == "f" and (low < -1 or high > 1):
        raise ImageError(
            f"exposure.equalize_adapthist takes floating point images from -1 to 1 (got {low} to {high}); bring them "
            "there with exposure.normalize first"
        )
    if pixels.dtype.kind in "biu" and pixels.dtype.itemsize <= 2:
        ends = img_as_uint(np.array([low, high], pixels.dtype))
        table = _bins(int(ends[0]), int(ends[1]), nbins)
        return mapped(pixels, lambda values: table[img_as_uint(values)], np.uint16)
    ends = _as_uint(np.array([low, high], pixels.dtype), high)
    table = _bins(int(ends[0]), int(ends[1]), nbins)
    return mapped(pixels, lambda values: np.take(table, _as_uint(values, high)), np.uint16)


def _as_uint(values: Pixels, largest: Any) -> Levels:
    """Return what ``img_as_uint`` makes of floats, or of integers of more than 16 bits of an image."""
    if values.dtype.kind == "f":
        work = np.float32 if values.dtype.itemsize <= 4 else np.float64
        return np.asarray(np.clip(np.rint(np.multiply(values, 65535, dtype=work)), 0, 65535).astype(np.uint16))
    if largest >= 2**16:
        values = values >> (8 * values.dtype.itemsize - 16 - (values.dtype.kind == "i"))
    return np.asarray(np.maximum(values, 0).astype(np.uint16))


@lru_cache(maxsize=64)
def _bins(low: int, high: int, nbins: int) -> Levels:
    """Return the bin of each 16-bit grey value."""
    values = np.clip(np.arange(2**16, dtype=np.float64), low, high)
    if low < high:
        values = (values - low) / (high - low) * (GRAYS - 1)
    else:
        values = np.clip(values, 0, GRAYS - 1)
    return np.asarray(np.round(values).astype(np.uint16) // np.uint16(1 + GRAYS // nbins))


def count_regions(
    levels: Levels, axes: Sequence[Regions], origin: Sequence[int], nbins: int, valid: Valid | None = None
) -> dict[tuple[int, ...], Integers]:
    """Return what the pixels of a tile add to the histograms of the regions.

    Parameters
    ----------
    levels
        Bins of the pixels of one plane or volume.
    axes
        The regions along each axis.
    origin
        Where in the image the first pixel lies.
    nbins
        How many bins there are.
    valid
        Which pixels count.
    """
    sides = [(start, start + size) for start, size in zip(origin, levels.shape)]
    regions = [axis.of(*side) for axis, side in zip(axes, sides)]
    mirrored = [axis.mirrored(*side) for axis, side in zip(axes, sides)]
    # The regions a tile touches, and the last one, which mirrored pixels belong to.
    touched = [
        np.unique(np.append(of, axis.count - 1) if more.any() else of)
        for axis, of, more in zip(axes, regions, mirrored)
    ]
    counts = np.zeros((*map(len, touched), nbins), np.int64)
    mask = np.ones((1,) * levels.ndim, bool) if valid is None else np.ascontiguousarray(valid)
    lead = (np.newaxis,) * (3 - levels.ndim)
    places = [np.zeros(1, np.int64)] * len(lead) + [np.searchsorted(own, of) for own, of in zip(touched, regions)]
    often = [np.zeros(1, np.int64)] * len(lead) + [more.astype(np.int64) for more in mirrored]
    loops.count(
        counts[lead],
        read_only(np.ascontiguousarray(levels)[lead]),
        read_only(mask[lead]),
        valid is not None,
        *map(read_only, places),
        *map(read_only, often),
    )
    return {
        tuple(int(own[place]) for own, place in zip(touched, index)): counts[index].copy()
        for index in np.ndindex(counts.shape[:-1])
        if counts[index].any()
    }


def curve(counts: Integers, clip_limit: float) -> Levels:
    """Return the grey level that each bin of a region becomes.

    Parameters
    ----------
    counts
        The histogram of the region; at least one pixel.
    clip_limit
        Part of the pixels that a bin may hold: what is above is given to the others. 0 for all.

    Examples
    --------
    >>> curve(np.array([1, 0, 3]), 0.0)
    array([ 4095,  4095, 16383], dtype=uint16)
    """
    total = int(counts.sum())
    limit = int(max(clip_limit * total, 1)) if clip_limit > 0 else total
    clipped = counts.copy()
    loops.clip(clipped, limit)
    levels = np.cumsum(clipped).astype(np.float64) * ((GRAYS - 1) / total)
    return np.asarray(np.minimum(levels, GRAYS - 1).astype(np.uint16))


def interpolate(
    levels: Levels, curves: Levels, filled: NDArray[np.bool_], axes: Sequence[Regions], origin: Sequence[int]
) -> Levels:
    """Return the grey level of each pixel of a tile, between the curves of the regions around it.

    Parameters
    ----------
    levels
        Bins of the pixels of one plane or volume.
    curves
        (..., bins): the curve of each region.
    filled
        Which regions have one; the shares of the others are given to those that have.
    axes, origin
        As for `count_regions`.
    """
    lead = (np.newaxis,) * (3 - levels.ndim)
    around = [axis.between(start, start + size) for axis, start, size in zip(axes, origin, levels.shape)]
    around = [(np.zeros(1, np.int64), np.zeros(1, np.int64), np.zeros(1))] * len(lead) + around
    out = np.empty(levels.shape, np.uint16)
    loops.interpolate(
        out[lead],
        read_only(np.ascontiguousarray(levels)[lead]),
        read_only(np.ascontiguousarray(curves)[lead]),
        read_only(np.ascontiguousarray(filled)[lead]),
        bool(filled.all()),
        *(read_only(part) for side in around for part in side),
    )
    return out
