"""Random choices that depend on a seed and a position, never on a worker, a chunk or an order of arrival.

A counter-based generator: the number at a position is a hash of the seed and of the position, so that every block of
rows can draw its own numbers and all of them together are the same as if one machine had drawn them. The mixing
function is the finaliser of SplitMix64 [1]_, a bijection of the 64-bit integers: two positions never get the same
number, and a sample sorted by its numbers has one order only.

.. [1] Steele, Lea, Flood: Fast splittable pseudorandom number generators, OOPSLA 2014.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_GOLDEN = 0x9E3779B97F4A7C15
_MASK = 0xFFFFFFFFFFFFFFFF


def hash_positions(positions: NDArray[np.integer], seed: int, stream: int = 0) -> NDArray[np.uint64]:
    """Return one 64-bit hash for each of ``positions`` (any shape), evenly spread.

    Parameters
    ----------
    positions
        Global positions, such as row numbers of the whole table.
    seed
        Any integer.
    stream
        Separates the uses of one seed from each other.

    Examples
    --------
    >>> whole = hash_positions(np.arange(6), seed=1)
    >>> bool((hash_positions(np.arange(2, 6), seed=1) == whole[2:]).all())
    True
    """
    start = np.uint64(_mix_one(_mix_one(seed & _MASK) + stream))
    return _mix(positions.astype(np.uint64) * np.uint64(_GOLDEN) + start)


def uniform(count: int, seed: int, stream: int = 0) -> NDArray[np.float64]:
    """Return ``count`` float64 numbers in [0, 1)."""
    return (hash_positions(np.arange(count), seed, stream) >> np.uint64(11)).astype(np.float64) * 2.0**-53


def _mix(state: NDArray[np.uint64]) -> NDArray[np.uint64]:
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state ^ (state >> np.uint64(31))


def _mix_one(value: int) -> int:
    return int(_mix(np.array([(value + _GOLDEN) & _MASK], np.uint64))[0])
