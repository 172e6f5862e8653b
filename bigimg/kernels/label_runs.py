"""The runs of a labelled tile: stretches of one row with one label other than 0."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from bigimg.kernels.component_loops import PIXELS_A_WORD, place_of

Pixels = NDArray[Any]
Index = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class LabelRuns:
    """The runs of a labelled tile whose leading axes are flattened to rows."""

    row_start: Index
    """Row ``i`` has the runs ``row_start[i]`` to ``row_start[i + 1]``."""
    start: NDArray[np.int32]
    """First column of each run."""
    stop: NDArray[np.int32]
    """Column behind each run."""
    item: Index
    """Which entry of ``label`` each run belongs to."""
    label: NDArray[np.int64]
    """The labels that occur, sorted."""

    @property
    def arrays(self) -> tuple[Index, NDArray[np.int32], NDArray[np.int32], Index]:
        """What every loop begins with."""
        return self.row_start, self.start, self.stop, self.item

    @classmethod
    def of(cls, labels: Pixels) -> LabelRuns:
        """Return the runs of ``labels``, an integer array of shape (rows, columns)."""
        row_start, start, stop, value = _runs_of(labels)
        label, item = _number(value)
        order = np.argsort(label)
        rank = np.empty_like(order)
        rank[order] = np.arange(len(order))
        return cls(row_start, start, stop, rank[item], label[order])


def _runs_of(labels: Pixels) -> tuple[Index, NDArray[np.int32], NDArray[np.int32], Pixels]:
    """Return where the runs of each row begin among all, first column, column behind and label of each run.

    The changes along a row are found for 64 pixels at once; the background between two objects is a stretch as theirs.
    """
    changes = np.zeros((labels.shape[0], -(-labels.shape[1] // PIXELS_A_WORD) * PIXELS_A_WORD), bool)
    np.not_equal(labels[:, :1], 0, out=changes[:, :1])
    np.not_equal(labels[:, 1:], labels[:, :-1], out=changes[:, 1 : labels.shape[1]])
    words = np.packbits(changes, axis=1, bitorder="little").view("<u8").astype(np.uint64, copy=False)
    return _stretches(labels, words, int(np.count_nonzero(changes)))


@njit(nogil=True, cache=True)
def _stretches(
    labels: Pixels, words: NDArray[np.uint64], changes: int
) -> tuple[Index, NDArray[np.int32], NDArray[np.int32], Pixels]:
    """Return the stretches between ``changes`` that are not background."""
    rows, columns = labels.shape
    row_start = np.zeros(rows + 1, np.int64)
    start = np.empty(changes, np.int32)
    stop = np.empty(changes, np.int32)
    value = np.empty(changes, labels.dtype)
    run = 0
    for row in range(rows):
        inside = False
        for index in range(words.shape[1]):
            word = words[row, index]
            while word:
                lowest = word & (~word + np.uint64(1))
                column = PIXELS_A_WORD * index + place_of(lowest)
                word ^= lowest
                if inside:
                    stop[run] = column
                    run += 1
                label = labels[row, column]
                inside = label != 0
                if inside:
                    start[run] = column
                    value[run] = label
        if inside:
            stop[run] = columns
            run += 1
        row_start[row + 1] = run
    return row_start, start[:run].copy(), stop[:run].copy(), value[:run].copy()


@njit(nogil=True, cache=True)
def _slot(label: np.int64, distinct: Index, slots: Index, shift: np.uint64) -> np.int64:
    """Return where ``label`` is in a hash table of open addresses, or the free place where it belongs."""
    slot = np.int64((np.uint64(label) * np.uint64(11400714819323198485)) >> shift)  # D. E. Knuth's golden ratio
    while slots[slot] >= 0 and distinct[slots[slot]] != label:
        slot = (slot + 1) & (slots.size - 1)
    return slot


@njit(nogil=True, cache=True)
def _number(value: Pixels) -> tuple[Index, Index]:
    """Return the distinct labels as they come, and which of them each run has.

    Labels may be any numbers: memory goes with how many there are. Sorting the runs instead was half the time of
    measuring.
    """
    item = np.empty(value.size, np.int64)
    distinct = np.empty(512, np.int64)
    slots = np.full(1024, -1, np.int64)
    shift = np.uint64(54)
    count = 0
    for run in range(value.size):
        label = np.int64(value[run])
        slot = _slot(label, distinct, slots, shift)
        if slots[slot] < 0:
            if count == distinct.size:
                distinct = np.concatenate((distinct, np.empty(count, np.int64)))
                slots = np.full(2 * slots.size, -1, np.int64)
                shift -= np.uint64(1)
                for known in range(count):
                    slots[_slot(distinct[known], distinct, slots, shift)] = known
                slot = _slot(label, distinct, slots, shift)
            distinct[count] = label
            slots[slot] = count
            count += 1
        item[run] = slots[slot]
    return distinct[:count].copy(), item
