"""Features of an image, as reductions over its tiles: the same to the last bit, however the image is cut.

======================  =======================================================================================
kind                    features, for each channel
======================  =======================================================================================
``histogram``           ``histogram-0-07``: share of the pixels of channel 0 in bin 7 of 32
``moments``             ``moments-mean-0``, ``std``, ``skewness``, ``kurtosis``
``texture``             ``texture-contrast-0``, ``dissimilarity``, ``homogeneity``, ``ASM``, ``energy``,
                        ``correlation`` of co-occurring grey levels (32), the mean over four directions
======================  =======================================================================================

Counts and sums of powers are integers, so nothing is rounded before all tiles are merged. The axes before the plane
are the channels. Pixels that are not valid take part in nothing; where none is left, features are NaN.

Bins and grey levels divide a range of values: all of the dtype for boolean and 8-bit images. In a 16-bit image that
range is mostly empty (12-bit cameras) and a floating point image has none, so that theirs must be given, or is
the range of the image's own values, found by :class:`Extent`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import prod
from typing import Any, ClassVar, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from bigimg.core.operation import Pixels, Valid
from bigimg.core.parameters import is_deferred
from bigimg.core.reduction import Reduction
from bigimg.core.tile import Box, Tile, whole
from bigimg.errors import ImageError, ParameterError, UnknownNameError
from bigimg.kernels.texture import grey_levels, pair_counts, texture_properties
from bigimg.learn.exact import UNIT, power_totals, whole_power_totals

Kind = Literal["histogram", "moments", "texture"]
KINDS: tuple[Kind, ...] = get_args(Kind)

ImageFeatures = dict[str, float]
"""Features by name."""

Range = tuple[float, float]
"""The lowest and the highest value, both within the range."""


@dataclass(frozen=True)
class Plane:
    """One channel of a tile."""

    channel: int
    pixels: Pixels
    """(M, N): all that was read."""
    core: Box
    """Rows and columns of ``pixels`` that are the tile's own."""
    valid: Valid | None
    """(M, N)"""

    @property
    def values(self) -> Pixels:
        """The valid pixels of the core, one after the other."""
        own = self.pixels[self.core]
        return own.reshape(-1) if self.valid is None else own[self.valid[self.core]]


def planes(tile: Tile, pixels: Pixels, valid: Valid | None) -> Iterator[Plane]:
    """Yield the channels that ``tile`` writes, numbered as in the whole image."""
    if valid is not None:
        valid = np.broadcast_to(valid, pixels.shape)
    numbers = np.arange(prod(tile.image_shape[:-2])).reshape(tile.image_shape[:-2])[tile.write[:-2]]
    for place in np.ndindex(numbers.shape):
        read = tuple(index + box.start for index, box in zip(place, tile.crop[:-2]))
        yield Plane(int(numbers[place]), pixels[read], tile.crop[-2:], None if valid is None else valid[read])


@dataclass(frozen=True)
class Extent(Reduction[Range | None, Range]):
    """The lowest and the highest valid value of an image, over all channels; (0, 0) where no pixel is valid."""

    name: ClassVar[str] = "extent"

    def partial(self, tile: Tile, *images: Pixels, valid: Valid | None = None) -> Range | None:
        """Return the range of one tile."""
        found = [plane.values for plane in planes(tile, images[0], valid)]
        # item(): whole numbers stay whole, whatever their size.
        ranges = [(values.min().item(), values.max().item()) for values in found if values.size]
        return (min(low for low, _ in ranges), max(high for _, high in ranges)) if ranges else None

    def merge(self, first: Range | None, second: Range | None) -> Range | None:
        """Return the range of both."""
        if first is None or second is None:
            return first or second
        return min(first[0], second[0]), max(first[1], second[1])

    def finish(self, state: Range | None) -> Range:
        """Return the range."""
        return state or (0.0, 0.0)


Counts = dict[int, NDArray[np.int64]]
"""Counts of each channel."""


@dataclass(frozen=True)
class Histogram(Reduction[Counts, ImageFeatures]):
    """The share of the pixels in each of ``bins`` equal parts of ``value_range``; what is beyond counts as its ends."""

    name: ClassVar[str] = "histogram"

    value_range: Range
    bins: int = 32

    def partial(self, tile: Tile, *images: Pixels, valid: Valid | None = None) -> Counts:
        """Count one tile."""
        return {plane.channel: self._count(plane.values) for plane in planes(tile, images[0], valid)}

    def merge(self, first: Counts, second: Counts) -> Counts:
        """Add the counts."""
        return _merged(first, second)

    def finish(self, state: Counts) -> ImageFeatures:
        """Return the shares."""
        return {
            f"histogram-{channel}-{number:02d}": count / total if total else float("nan")
            for channel, counts in sorted(state.items())
            for total in [int(counts.sum())]
            for number, count in enumerate(counts.tolist())
        }

    def _count(self, values: Pixels) -> NDArray[np.int64]:
        levels = grey_levels(values, self.bins, *_ends(self.value_range, values.dtype))
        return np.bincount(levels, minlength=self.bins).astype(np.int64)


PowerSums = dict[int, tuple[Any, ...]]
"""Of each channel: the number of pixels, and the sums of their values, squares, cubes and fourth powers as integers."""


@dataclass(frozen=True)
class Moments(Reduction[PowerSums, ImageFeatures]):
    """Mean, standard deviation, skewness and (excess) kurtosis, biased as in :mod:`scipy.stats`.

    Correctly rounded from exact sums. A constant channel has skewness and kurtosis 0. 64-bit integers are taken as
    float64.
    """

    name: ClassVar[str] = "moments"

    def partial(self, tile: Tile, *images: Pixels, valid: Valid | None = None) -> PowerSums:
        """Sum one tile."""
        return {plane.channel: _power_sums(plane.values) for plane in planes(tile, images[0], valid)}

    def merge(self, first: PowerSums, second: PowerSums) -> PowerSums:
        """Add the sums."""
        shared = first.keys() & second.keys()
        both = {channel: tuple(a + b for a, b in zip(first[channel], second[channel])) for channel in shared}
        return first | second | both

    def finish(self, state: PowerSums) -> ImageFeatures:
        """Return the moments."""
        return {
            f"moments-{name}-{channel}": value
            for channel, sums in sorted(state.items())
            for name, value in zip(("mean", "std", "skewness", "kurtosis"), _moments(*sums))
        }


@dataclass(frozen=True)
class Texture(Reduction[Counts, ImageFeatures]):
    """Co-occurrence of ``levels`` grey levels that divide ``value_range``; see :mod:`bigimg.kernels.texture`."""

    name: ClassVar[str] = "texture"

    value_range: Range
    levels: int = 32

    @property
    def halo(self) -> int:
        """The second pixel of a pair may belong to the next tile."""
        return 1

    def partial(self, tile: Tile, *images: Pixels, valid: Valid | None = None) -> Counts:
        """Count the pairs of one tile."""
        return {plane.channel: self._count(plane) for plane in planes(tile, images[0], valid)}

    def merge(self, first: Counts, second: Counts) -> Counts:
        """Add the counts."""
        return _merged(first, second)

    def finish(self, state: Counts) -> ImageFeatures:
        """Return the properties."""
        return {
            f"texture-{name}-{channel}": value
            for channel, counts in sorted(state.items())
            for name, value in texture_properties(counts).items()
        }

    def _count(self, plane: Plane) -> NDArray[np.int64]:
        levels = grey_levels(plane.pixels, self.levels, *_ends(self.value_range, plane.pixels.dtype))
        return pair_counts(levels, self.levels, plane.core, plane.valid)


def default_range(dtype: np.dtype[Any]) -> Range | None:
    """Return the range that bins divide in images of ``dtype``, or None where only the values of an image tell it."""
    if dtype == np.bool_:
        return 0, 1
    if dtype.kind in "iu" and dtype.itemsize == 1:
        return int(np.iinfo(dtype).min), int(np.iinfo(dtype).max)
    return None


def feature_reductions(
    dtype: np.dtype[Any], kinds: Iterable[Kind] = KINDS, *, value_range: Range | None = None
) -> list[Reduction[Any, ImageFeatures]]:
    """Return the reductions that together give the features of an image; join what they finish with :func:`finish`.

    Parameters
    ----------
    dtype
        Of the image.
    kinds
        Any of ``histogram``, ``moments`` and ``texture``.
    value_range
        The lowest and the highest value; may be the lazy value of :class:`Extent`. None for the dtype's own range,
        which only boolean and 8-bit images have.

    Raises
    ------
    UnknownNameError
        For an unknown kind.
    ParameterError
        If the range must be given and was not, or is not one.

    Examples
    --------
    >>> [reduction.name for reduction in feature_reductions(np.dtype("uint8"), ["moments", "texture"])]
    ['moments', 'texture']
    """
    dtype = np.dtype(dtype)
    kinds = list(kinds)
    for kind in kinds:
        if kind not in KINDS:
            raise UnknownNameError.of("kind of feature", kind, KINDS)
    if dtype.kind not in "biuf":
        raise ImageError(f"features are those of boolean, integer or floating point images (got {dtype})")
    found = default_range(dtype) if value_range is None else value_range
    if found is None and set(kinds) - {"moments"}:
        raise ParameterError(f"value_range must be given for {dtype} images: bins of a histogram need ends")
    if found is not None and not is_deferred(found) and not found[0] <= found[1]:
        raise ParameterError(f"value_range must be (lowest, highest) (got {found!r})")
    return [_reduction(kind, found) for kind in kinds]


def finish(parts: Iterable[ImageFeatures]) -> ImageFeatures:
    """Return the features of all ``parts`` together, in their order."""
    return {name: value for part in parts for name, value in part.items()}


def image_features(
    image: Pixels,
    kinds: Iterable[Kind] = KINDS,
    *,
    channel_axis: int | None = None,
    value_range: Range | None = None,
) -> ImageFeatures:
    """Return the features of an image in memory.

    Parameters
    ----------
    image
        (M, N), or with channels before the plane (C, M, N). Masked pixels of a masked array do not count.
    kinds
        Any of ``histogram``, ``moments`` and ``texture``.
    channel_axis
        Where the channels are, if not before the plane: -1 for (M, N, C).
    value_range
        The lowest and the highest value that histogram and grey levels divide. None for the dtype's range in
        boolean and 8-bit images, and for the range of the image's own values in all others.

    Raises
    ------
    ImageError
        If the image has fewer than two axes, no pixel, values that are NaN or infinite and not masked, or ones too
        large to have a fourth power.
    UnknownNameError
        For an unknown kind.

    Examples
    --------
    >>> image = np.array([[0, 0, 255], [0, 255, 255]], np.uint8)
    >>> features = image_features(image)
    >>> features["histogram-0-31"], features["moments-mean-0"], features["moments-skewness-0"]
    (0.5, 127.5, 0.0)
    """
    valid = None
    if isinstance(image, np.ma.MaskedArray):
        valid, image = ~np.ma.getmaskarray(image), image.data
    if channel_axis is not None:
        image = np.moveaxis(image, channel_axis, 0)
        valid = None if valid is None else np.moveaxis(valid, channel_axis, 0)
    if image.ndim < 2 or not image.size:
        raise ImageError(f"an image has rows and columns, at least one of each (got shape {image.shape})")
    tile = whole(image.shape)
    kinds = list(kinds)
    if value_range is None and default_range(image.dtype) is None and image.dtype.kind in "iuf":
        _check_finite(image, valid)
        extent = Extent()
        value_range = extent.finish(extent.partial(tile, image, valid=valid))
    reductions = feature_reductions(image.dtype, kinds, value_range=value_range)
    return finish(reduction.finish(reduction.partial(tile, image, valid=valid)) for reduction in reductions)


def _reduction(kind: Kind, value_range: Any) -> Reduction[Any, ImageFeatures]:
    if kind == "moments":
        return Moments()
    return Histogram(value_range) if kind == "histogram" else Texture(value_range)


def _ends(value_range: Range, dtype: np.dtype[Any]) -> Range:
    """Return where the first bin starts and the last one ends."""
    low, high = value_range
    if dtype.kind in "biu":
        # Of whole numbers the highest is a whole step before the end.
        return low, high + 1
    if low < high:
        return low, high
    around = max(0.5, abs(low) * 1e-6)
    return low - around, high + around


def _merged(first: Counts, second: Counts) -> Counts:
    return first | second | {channel: first[channel] + second[channel] for channel in first.keys() & second.keys()}


def _power_sums(values: Pixels) -> tuple[Any, ...]:
    if values.dtype.kind in "biu" and values.dtype.itemsize <= 2:
        # One scale for all dtypes: whole numbers are counted in the unit of the exact sums as well.
        return values.size, *(amount * UNIT.denominator for amount in whole_power_totals(values.astype(np.int32)))
    try:
        return values.size, *power_totals(values, 4)
    except OverflowError as error:
        raise ImageError(f"moments need finite pixels of reasonable size: {error}") from None


def _moments(count: int, *sums: int) -> tuple[float, float, float, float]:
    if not count:
        return (float("nan"),) * 4
    mean, second, third, fourth = (amount * UNIT / count for amount in sums)
    variance = second - mean**2
    if variance <= 0:
        return float(mean), 0.0, 0.0, 0.0
    skew = third - 3 * mean * second + 2 * mean**3
    kurtosis = (fourth - 4 * mean * third + 6 * mean**2 * second - 3 * mean**4) / variance**2 - 3
    return float(mean), _root(variance), _ratio(skew, variance), float(kurtosis)


def _root(value: Fraction) -> float:
    return float(np.sqrt(float(value)))


def _ratio(third: Fraction, variance: Fraction) -> float:
    """Return ``third / variance**1.5`` without leaving the range of float64."""
    size = _root(third * third / variance**3)
    return -size if third < 0 else size


def _check_finite(image: Pixels, valid: Valid | None) -> None:
    if image.dtype.kind == "f" and not np.isfinite(image if valid is None else image[valid]).all():
        raise ImageError("the image has NaN or infinite pixels; mask them (numpy.ma.masked_invalid) or fill them in")
