"""Pairs of labels at the same pixel: which occur, how often, and which one each pixel has.

Labels may be any numbers: memory goes with how many pairs there are. Images are read in stretches as 64-bit integers,
so that one compiled loop serves labels of every dtype.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from bigimg.errors import ImageError

Integers = NDArray[np.int64]

STRETCH = 1 << 15
"""Pixels that are read at a time: both images of a stretch, and the table, stay in the cache."""


@dataclass(frozen=True, eq=False)
class Pairs:
    """Distinct pairs of labels, sorted by the first, then the second."""

    first: Integers
    second: Integers
    pixels: Integers
    """How many pixels have each pair."""

    def __len__(self) -> int:
        return len(self.first)

    @classmethod
    def of(cls, first: Integers, second: Integers, pixels: Integers) -> Pairs:
        """Return the pairs sorted, those that are named twice added."""
        order = np.lexsort((second, first))
        first, second, pixels = first[order], second[order], pixels[order]
        new = np.ones(len(first), np.bool_)
        new[1:] = (first[1:] != first[:-1]) | (second[1:] != second[:-1])
        starts = np.flatnonzero(new)
        if not starts.size:
            return cls(first, second, pixels)
        return cls(first[starts], second[starts], np.add.reduceat(pixels, starts))


def count_pairs(first: NDArray[Any], second: NDArray[Any], valid: NDArray[np.bool_] | None = None) -> Pairs:
    """Return which pairs of labels the pixels of two images have, and how many have each.

    Parameters
    ----------
    first, second : integer arrays of one shape
    valid : bool array of that shape, optional
        Pixels that count.

    Raises
    ------
    ImageError
        If an image is not of integers, or a label of a pixel that counts is negative or beyond 63 bits.

    Examples
    --------
    >>> count_pairs(np.array([[1, 1, 0]]), np.array([[2, 7, 7]]))
    Pairs(first=array([0, 1, 1]), second=array([7, 2, 7]), pixels=array([1, 1, 1]))
    """
    return _found(first, second, valid, keep=False)[0]


def number_pairs(
    first: NDArray[Any], second: NDArray[Any] | None, valid: NDArray[np.bool_] | None = None
) -> tuple[Pairs, NDArray[np.int32]]:
    """Return the pairs of :func:`count_pairs`, and which of them each pixel has: an index of the shape of the images.

    Without a ``second`` image that is 0 everywhere. Pixels that do not count have the pair of two zeros, which is then
    among the pairs, with no pixel perhaps.

    Examples
    --------
    >>> number_pairs(np.array([[30, 30, 0, 8]]), None)[1]
    array([[2, 2, 0, 1]], dtype=int32)
    """
    return _found(first, second, valid, keep=True)


def _found(
    first: NDArray[Any], second: NDArray[Any] | None, valid: NDArray[np.bool_] | None, *, keep: bool
) -> tuple[Pairs, NDArray[np.int32]]:
    for labels in (first, second):
        if labels is not None and labels.dtype.kind not in "iu":
            raise ImageError(f"labels are integers (got {labels.dtype}); number the objects first, with measure.label")
    one = first.reshape(-1)
    other = None if second is None else second.reshape(-1)
    hidden = None if valid is None else ~np.broadcast_to(valid, first.shape).reshape(-1)
    item = np.zeros(one.size if keep else 0, np.int32)
    table = np.zeros((3, 512), np.int64)
    slots = np.full(2048, -1, np.int64)
    known = 0
    zeros = np.zeros(STRETCH, np.int64)
    for start in range(0, one.size, STRETCH):
        here = slice(start, min(start + STRETCH, one.size))
        pair = [zeros[: here.stop - start] if each is None else _stretch(each[here]) for each in (one, other)]
        if hidden is not None:
            pair = [np.where(hidden[here], 0, each) for each in pair]
        table, slots, known = _count(pair[0], pair[1], table, slots, known, item[here])
    if hidden is not None:
        nothing = (table[0, :known] == 0) & (table[1, :known] == 0)
        table[2, :known][nothing] -= np.count_nonzero(hidden)
    if known and table[:2, :known].min() < 0:
        least = table[:2, :known].min()
        raise ImageError(f"labels must be 1 to 2**63 - 1, with 0 for background (got {least} as a 64-bit integer)")
    pairs = Pairs.of(table[0, :known], table[1, :known], table[2, :known])
    if not keep:
        occurs = pairs.pixels > 0
        return Pairs(pairs.first[occurs], pairs.second[occurs], pairs.pixels[occurs]), item
    order = np.lexsort((table[1, :known], table[0, :known]))
    rank = np.empty(known, np.int32)
    rank[order] = np.arange(known, dtype=np.int32)
    return pairs, rank[item].reshape(first.shape)


def _stretch(labels: NDArray[Any]) -> Integers:
    return np.ascontiguousarray(labels, np.int64)


@njit(nogil=True, cache=True)
def _slot(one: np.int64, other: np.int64, table: Integers, slots: Integers) -> np.int64:
    """Return where a pair is in a hash table of open addresses, or the free place where it belongs."""
    mixed = np.uint64(one) * np.uint64(11400714819323198485) + np.uint64(other)
    mixed = (mixed ^ (mixed >> np.uint64(29))) * np.uint64(13787848793156543929)
    slot = np.int64((mixed ^ (mixed >> np.uint64(32))) & np.uint64(slots.size - 1))
    while slots[slot] >= 0 and (table[0, slots[slot]] != one or table[1, slots[slot]] != other):
        slot = (slot + 1) & (slots.size - 1)
    return slot


@njit(nogil=True, cache=True)
def _count(
    first: Integers, second: Integers, table: Integers, slots: Integers, known: int, item: NDArray[np.int32]
) -> tuple[Integers, Integers, int]:
    """Count the pairs of a stretch into ``table``: first, second and pixels; write which of them each pixel has."""
    pixel, size = 0, first.size
    while pixel < size:
        one, other, start = first[pixel], second[pixel], pixel
        while pixel < size and first[pixel] == one and second[pixel] == other:
            pixel += 1
        slot = _slot(one, other, table, slots)
        if slots[slot] < 0:
            if known == table.shape[1]:
                table = np.concatenate((table, np.zeros_like(table)), axis=1)
                slots = np.full(2 * slots.size, -1, np.int64)
                for each in range(known):
                    slots[_slot(table[0, each], table[1, each], table, slots)] = each
                slot = _slot(one, other, table, slots)
            table[0, known], table[1, known] = one, other
            slots[slot] = known
            known += 1
        index = slots[slot]
        table[2, index] += pixel - start
        if item.size:
            item[start:pixel] = index
    return table, slots, known
