"""Order statistics of any footprint, bit by bit: exact for every dtype, without a histogram.

The key of a rank is the largest key that at most so many pixels of the footprint are less than; it is found from its
highest bit down. Each bit is one round of comparisons along the runs of the footprint, which vectorises: with AVX-512,
64 pixels of uint8 at once, 32 of uint16.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from bigimg.kernels.rank_keys import Counts, Keys, Mask, placed

_STRIP = 1000
"""Columns worked on at once: the rows of a window of 9 then fit the first-level cache. Not a power of two, or the rows
would compete for the same few lines of it."""


def select(keys: Keys, footprint: Mask, rank: Any, valid: Mask | None) -> Keys:
    """Return, for each place where the footprint fits, the key of a rank among the keys under it.

    Parameters
    ----------
    keys
        (M, N) or (L, M, N) unsigned integers.
    footprint
        Of as many axes, odd along each.
    rank
        0 is the least; one for all, or one for each place. Below the number of keys that count.
    valid
        Which keys count, of their shape; None for all.

    Examples
    --------
    >>> select(np.array([[9, 4, 7, 1]], np.uint8), np.ones((1, 3), bool), 1, None)
    array([[7, 4]], dtype=uint8)
    """
    shape = tuple(n - f + 1 for n, f in zip(keys.shape, footprint.shape))
    count = int(footprint.sum())
    counter: Any = np.uint8 if count < 256 else np.uint16 if count < 65536 else np.uint32
    word = np.promote_types(keys.dtype, counter)
    if valid is not None:
        keys = np.where(valid, keys, np.iinfo(keys.dtype).max)  # less than nothing
    solid = np.ascontiguousarray(keys.astype(word, copy=False)).reshape((1, *keys.shape)[-3:])
    ranks = np.empty(shape, word)
    ranks[...] = rank
    found = np.empty(shape, word)
    cube = (1, *shape)[-3:]
    _select(found.reshape(cube), ranks.reshape(cube), solid, placed(footprint), 8 * keys.dtype.itemsize, _STRIP)
    return found.astype(keys.dtype, copy=False)


@njit(nogil=True, cache=True)
def _select(found: Keys, rank: Keys, keys: Keys, runs: Counts, bits: int, strip: int) -> None:
    depth, height, width = found.shape
    one = keys.dtype.type(1)
    for left in range(0, width, strip):
        right = min(width, left + strip)
        less = np.empty(right - left, keys.dtype)
        guess = np.empty(right - left, keys.dtype)
        for z in range(depth):
            for y in range(height):
                best = found[z, y, left:right]
                best[:] = 0
                for bit in range(bits - 1, -1, -1):
                    _try_bit(guess, best, less, keys.dtype.type(one << keys.dtype.type(bit)))
                    for run in range(runs.shape[0]):
                        row = keys[z + runs[run, 0], y + runs[run, 1]]
                        _count_less(less, guess, row[left + runs[run, 2] :], runs[run, 3] - runs[run, 2] + 1)
                    _keep(best, guess, less, rank[z, y, left:right])


@njit(nogil=True, cache=True)
def _try_bit(guess: Keys, best: Keys, less: Keys, bit: Any) -> None:
    for x in range(guess.shape[0]):
        guess[x] = best[x] | bit
        less[x] = 0


@njit(nogil=True, cache=True)
def _count_less(less: Keys, guess: Keys, row: Keys, size: int) -> None:
    count = less.shape[0]
    column = 0
    while column + 2 < size:
        a = row[column : column + count]
        b = row[column + 1 : column + 1 + count]
        c = row[column + 2 : column + 2 + count]
        for x in range(count):
            value = guess[x]
            less[x] += np.uint8(a[x] < value) + np.uint8(b[x] < value) + np.uint8(c[x] < value)
        column += 3
    while column < size:
        a = row[column : column + count]
        for x in range(count):
            less[x] += np.uint8(a[x] < guess[x])
        column += 1


@njit(nogil=True, cache=True)
def _keep(best: Keys, guess: Keys, less: Keys, rank: Keys) -> None:
    for x in range(best.shape[0]):
        now, other = best[x], guess[x]  # loaded before the choice, or the loop would not vectorise
        best[x] = other if less[x] <= rank[x] else now
