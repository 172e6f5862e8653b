"""Exact percentiles of a whole image, digit by digit: as many reductions as its numbers have digits of 16 bits.

Sorting an image that does not fit into memory is not needed to know its median. The first pass counts the first digits
of all pixels; that says which digit the median begins with, and its rank among the pixels that begin so. The next pass
counts the second digits of those pixels only.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from bigimg.core.operation import Pixels, Valid
from bigimg.core.reduction import Reduction
from bigimg.core.tile import Tile
from bigimg.engine.kinds import opened, reduce
from bigimg.kernels import order_keys


@dataclass(frozen=True)
class Ranks:
    """Pixels looked for by their rank: how their keys begin, and their rank among the pixels that begin so."""

    count: int
    """How many pixels are valid."""
    prefixes: tuple[int, ...]
    ranks: tuple[int, ...]

    @classmethod
    def of(cls, count: int, q: Sequence[float]) -> Ranks:
        """Return the two neighbours of each of the percentiles ``q`` among ``count`` pixels."""
        wanted = [rank for place in q for rank in _neighbours(place, count)[:2]] if count else []
        return cls(count, (0,) * len(wanted), tuple(wanted))

    @property
    def beginnings(self) -> NDArray[np.uint64]:
        """The prefixes, each once, rising."""
        return np.unique(np.array(self.prefixes, np.uint64))

    def narrowed(self, counts: NDArray[np.int64]) -> Ranks:
        """Return the ranks one digit further, from how often each digit follows each of the beginnings."""
        rows = np.searchsorted(self.beginnings, np.array(self.prefixes, np.uint64))
        below = np.cumsum(counts, axis=1)
        prefixes, ranks = [], []
        for prefix, rank, row in zip(self.prefixes, self.ranks, rows):
            digit = int(np.searchsorted(below[row], rank, side="right"))
            assert digit < counts.shape[1], "another image was counted for this digit than for the ones before"
            prefixes.append(prefix * counts.shape[1] + digit)
            ranks.append(rank - (int(below[row, digit - 1]) if digit else 0))
        return Ranks(self.count, tuple(prefixes), tuple(ranks))


@dataclass(frozen=True)
class CountDigits(Reduction[NDArray[np.int64], Ranks]):
    """Find one more digit of the pixels at the percentiles ``q``."""

    q: tuple[float, ...]
    level: int
    before: Any = None
    """The ranks that the digits before have left; None for the first digit."""
    name: ClassVar[str] = "percentiles"

    def partial(self, tile: Tile, *images: Pixels, valid: Valid | None = None) -> NDArray[np.int64]:  # noqa: ARG002
        """Return the counts of one tile."""
        beginnings = np.zeros(1, np.uint64) if self.before is None else self.before.beginnings
        return order_keys.count_digits(images[0], beginnings, self.level, valid)

    def merge(self, first: NDArray[np.int64], second: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the counts of both."""
        return first + second

    def finish(self, state: NDArray[np.int64]) -> Ranks:
        """Return the ranks, known to one digit more."""
        before = Ranks.of(int(state.sum()), self.q) if self.before is None else self.before
        return before.narrowed(state)


def percentiles(image: Any, q: Sequence[float]) -> Any:
    """Return the reduction of ``image`` that :func:`interpolated` makes percentiles of.

    Parameters
    ----------
    image : array of any kind
    q : sequence of float
        From 0 to 100.

    Returns
    -------
    Ranks
        Lazily, as ``dask.delayed.Delayed``, where the image is lazy.
    """
    found = None
    for level in range(order_keys.digits(opened(image).pixels.dtype)):
        found = reduce(CountDigits(tuple(q), level, found), image)
    return found


def interpolated(found: Ranks, q: Sequence[float], dtype: np.dtype[Any]) -> NDArray[np.float64]:
    """Return the percentiles from the pixels at their neighbouring ranks, as ``numpy.percentile``; NaN of no pixels."""
    if found.count == 0:
        return np.full(len(q), math.nan)
    values = order_keys.values_of(np.array(found.prefixes, np.uint64), dtype)
    below, above = values[::2], values[1::2]
    share = np.array([_neighbours(place, found.count)[2] for place in q])
    if values.dtype.kind == "f":
        step = above - below
    else:
        # The difference of two int8 need not be one.
        step = np.array([float(int(high) - int(low)) for low, high in zip(below, above)])
    return np.where(share < 0.5, below + step * share, above - step * (1 - share))


def _neighbours(place: float, count: int) -> tuple[int, int, float]:
    """Return the ranks below and above a percentile, and how far it lies between them."""
    position = (count - 1) * (place / 100)
    below = min(math.floor(position), count - 1)
    return below, min(below + 1, count - 1), position - below
