"""The runs of a labelled tile: stretches of one row with one label other than 0."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

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
        row_start = _count_label_runs(labels)
        start, stop, value = _find_label_runs(labels, row_start)
        label, item = _number(value)
        order = np.argsort(label)
        rank = np.empty_like(order)
        rank[order] = np.arange(len(order))
        return cls(row_start, start, stop, rank[item], label[order])


@njit(nogil=True, cache=True)
def _count_label_runs(labels: Pixels) -> Index:
    rows, columns = labels.shape
    row_start = np.zeros(rows + 1, np.int64)
    for row in range(rows):
        runs = 1 if columns > 0 and labels[row, 0] != 0 else 0
        for column in range(1, columns):
            runs += (labels[row, column] != 0) & (labels[row, column] != labels[row, column - 1])
        row_start[row + 1] = row_start[row] + runs
    return row_start


@njit(nogil=True, cache=True)
def _find_label_runs(labels: Pixels, row_start: Index) -> tuple[NDArray[np.int32], NDArray[np.int32], Pixels]:
    rows, columns = labels.shape
    start = np.empty(row_start[rows], np.int32)
    stop = np.empty(row_start[rows], np.int32)
    value = np.empty(row_start[rows], labels.dtype)
    for row in range(rows):
        run = row_start[row]
        column = 0
        while run < row_start[row + 1]:
            while labels[row, column] == 0:
                column += 1
            label = labels[row, column]
            start[run] = column
            value[run] = label
            while column < columns and labels[row, column] == label:
                column += 1
            stop[run] = column
            run += 1
    return start, stop, value


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
