"""What a whole image says in numbers: extrema, moments, histograms, as reductions that every global method shares."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from bigimg.core.operation import Pixels, Valid
from bigimg.core.parameters import is_deferred
from bigimg.core.reduction import Reduction
from bigimg.core.tile import Tile
from bigimg.engine.kinds import opened, reduce
from bigimg.engine.tree import combine
from bigimg.errors import ImageError
from bigimg.kernels import histogram as kernel
from bigimg.kernels.moments import Moments, moments

MOST_VALUES = 2**24
"""An integer image may span this many grey values for an exact histogram: 128 MiB of counts."""

BINS = 256
"""Bins of a floating point image, as scikit-image's thresholds count them."""


@dataclass(frozen=True)
class Histogram:
    """How often each grey value occurs, or each bin of grey values."""

    counts: NDArray[np.int64]
    centers: NDArray[Any]
    """The grey value, or the centre of the bin, of each count."""


@dataclass(frozen=True)
class Extrema(Reduction[tuple[Any, Any] | None, tuple[Any, Any] | None]):
    """The smallest and the largest valid grey value; None where no pixel is valid."""

    name: ClassVar[str] = "extrema"

    def partial(self, tile: Tile, *images: Pixels, valid: Valid | None = None) -> tuple[Any, Any] | None:  # noqa: ARG002
        """Return the extrema of one tile."""
        return kernel.extrema(images[0], valid)

    def merge(self, first: tuple[Any, Any] | None, second: tuple[Any, Any] | None) -> tuple[Any, Any] | None:
        """Return the extrema of both."""
        if first is None or second is None:
            return first or second
        return min(first[0], second[0]), max(first[1], second[1])

    def finish(self, state: tuple[Any, Any] | None) -> tuple[Any, Any] | None:
        """Return the extrema."""
        return state


@dataclass(frozen=True)
class SumPowers(Reduction[Moments, Moments]):
    """The exact sums of the valid pixels and of their squares."""

    name: ClassVar[str] = "moments"

    def partial(self, tile: Tile, *images: Pixels, valid: Valid | None = None) -> Moments:  # noqa: ARG002
        """Return the sums of one tile."""
        return moments(images[0], valid)

    def merge(self, first: Moments, second: Moments) -> Moments:
        """Return the sums of both."""
        return first + second

    def finish(self, state: Moments) -> Moments:
        """Return the sums."""
        return state


@dataclass(frozen=True)
class CountValues(Reduction[NDArray[np.int64], Histogram]):
    """Counts of each integer from ``extrema[0]`` to ``extrema[1]``."""

    extrema: Any
    name: ClassVar[str] = "histogram"

    def partial(self, tile: Tile, *images: Pixels, valid: Valid | None = None) -> NDArray[np.int64]:  # noqa: ARG002
        """Return the counts of one tile."""
        if self.extrema is None:
            return np.zeros(0, np.int64)
        low, high = (int(value) for value in self.extrema)
        if high - low >= MOST_VALUES:
            raise ImageError(
                f"an exact histogram takes images that span at most {MOST_VALUES:,} grey values (got {low} to {high}); "
                "convert the image to floating point, or rescale it, first"
            )
        if high > np.iinfo(np.int64).max:
            raise ImageError(
                f"an exact histogram takes grey values of at most 2**63 - 1 (got {low} to {high}); subtract a "
                "constant, or convert the image to floating point, first"
            )
        return kernel.count_integers(images[0], low, high, valid)

    def merge(self, first: NDArray[np.int64], second: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the counts of both."""
        return first + second

    def finish(self, state: NDArray[np.int64]) -> Histogram:
        """Return the histogram from the first value that occurs to the last."""
        if not state.any():
            return Histogram(np.zeros(0, np.int64), np.zeros(0))
        occurs = np.flatnonzero(state)
        first, last = int(occurs[0]), int(occurs[-1])
        return Histogram(state[first : last + 1], np.arange(first, last + 1) + int(self.extrema[0]))


@dataclass(frozen=True)
class CountBins(Reduction[NDArray[np.int64], Histogram]):
    """Counts of floating point values in equal bins from ``extrema[0]`` to ``extrema[1]``, as ``numpy.histogram``."""

    extrema: Any
    bins: int
    name: ClassVar[str] = "histogram"

    def partial(self, tile: Tile, *images: Pixels, valid: Valid | None = None) -> NDArray[np.int64]:  # noqa: ARG002
        """Return the counts of one tile."""
        if self.extrema is None:
            return np.zeros(0, np.int64)
        low, high = self.extrema
        return kernel.count_floats(images[0], low, high, self.bins, valid)

    def merge(self, first: NDArray[np.int64], second: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the counts of both."""
        return first + second

    def finish(self, state: NDArray[np.int64]) -> Histogram:
        """Return the histogram with the centres of its bins."""
        if self.extrema is None:
            return Histogram(np.zeros(0, np.int64), np.zeros(0))
        low, high = self.extrema
        if low == high:
            # Bins around one value have no centre there.
            return Histogram(np.array([state.sum()]), np.array([low]))
        return Histogram(state, kernel.bin_centers(kernel.bin_edges(low, high, self.bins, low.dtype)))


def histogram(image: Any, *, bins: int = BINS) -> Any:
    """Return the histogram of a whole image: each grey value of integers, equal bins of floats.

    Parameters
    ----------
    image : array of any kind
    bins : int
        How many bins between the extrema of a floating point image; integers have one a value.

    Returns
    -------
    Histogram
        Lazily, as ``dask.delayed.Delayed``, where the image is lazy.
    """
    dtype = opened(image).pixels.dtype
    if dtype.kind == "f":
        return reduce(CountBins(reduce(Extrema(), image), bins), image)
    if dtype.itemsize <= 2:
        info = np.iinfo(np.uint8 if dtype.kind == "b" else dtype)
        return reduce(CountValues((int(info.min), int(info.max))), image)
    return reduce(CountValues(reduce(Extrema(), image)), image)


def derive(function: Any, value: Any) -> Any:
    """Return ``function(value)``, lazily where the value is not known yet."""
    return combine("value", function, value) if is_deferred(value) else function(value)
