"""One pass over all rows: the range of every column, and a sample chosen by hash that is the same for any blocks."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from bigimg.learn.exact import Floats
from bigimg.learn.hashing import hash_positions


@dataclass(frozen=True)
class Scanned:
    """What one pass has learnt of some rows."""

    low: Floats
    """Smallest value of each column."""
    high: Floats
    """Largest value of each column."""
    keys: NDArray[np.uint64]
    """Hashes of the sampled rows."""
    sample: Floats
    """The sampled rows (n, columns)."""


@dataclass(frozen=True)
class Scan:
    """Ranges and a sample of about ``size`` of ``n_rows`` rows; ``size`` 0 for none."""

    n_rows: int
    size: int
    seed: int

    def __call__(self, block: Floats, first: int) -> Scanned:
        """Scan one block."""
        keys = hash_positions(np.arange(first, first + len(block)), self.seed)
        chosen = np.flatnonzero(keys <= self._threshold())
        if self.size == 0:
            chosen = chosen[:0]
        # An empty block (a filtered table has some) knows no range: infinities give way to whatever it is merged with.
        low = block.min(axis=0, initial=np.inf)
        high = block.max(axis=0, initial=-np.inf)
        return Scanned(low, high, keys[chosen], block[chosen])

    def _threshold(self) -> np.uint64:
        # A little more than the share wanted: five standard deviations of a binomial count, so that cutting the sorted
        # sample to size almost surely has enough, and a block ships hardly a row in vain.
        if self.size >= self.n_rows:
            return np.uint64(2**64 - 1)
        share = self.size / self.n_rows * (1 + 5 / sqrt(self.size)) if self.size else 0.0
        return np.uint64(min(int(share * 2.0**64), 2**64 - 1))

    @staticmethod
    def merge(first: Scanned, second: Scanned) -> Scanned:
        """Return what both have learnt."""
        return Scanned(
            np.minimum(first.low, second.low),
            np.maximum(first.high, second.high),
            np.concatenate([first.keys, second.keys]),
            np.concatenate([first.sample, second.sample]),
        )

    def sample(self, scanned: Scanned) -> Floats:
        """Return the sample in the order of its hashes, at most ``size`` rows."""
        return np.ascontiguousarray(scanned.sample[np.argsort(scanned.keys)[: self.size]])
