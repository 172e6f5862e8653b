"""Loops over the words of a mask and over its runs, for :mod:`bigimg.kernels.components`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

PIXELS_A_WORD = 64
"""Pixels of a mask that are looked at together, a bit each; the first one is the lowest bit."""
BLOCK = 32
"""Pixels painted at once, twice as fast as exact slices for runs of twenty: the room needed behind the last pixel."""

# Shifted left by k, this has a different number in its top six bits for each k (N. G. de Bruijn): times a word with a
# single bit, it tells which one.
_DE_BRUIJN = 0x03F79D71B4CB0A89
_PLACES = np.zeros(64, np.int32)
_PLACES[[(_DE_BRUIJN << place) % 2**64 >> 58 for place in range(64)]] = range(64)
_EVERY_SECOND = np.uint64(0x5555555555555555)
_EVERY_PAIR = np.uint64(0x3333333333333333)
_EVERY_FOUR = np.uint64(0x0F0F0F0F0F0F0F0F)
_EACH_BYTE = np.uint64(0x0101010101010101)


@njit(nogil=True, cache=True)
def place_of(bit: np.uint64) -> np.int32:
    """Return which bit of a word is set, where it is a single one."""
    return _PLACES[(bit * np.uint64(_DE_BRUIJN)) >> np.uint64(58)]


@njit(nogil=True, cache=True)
def _number_of_bits(word: np.uint64) -> np.int64:
    """Return how many bits are set (H. S. Warren, Hacker's Delight, section 5-1)."""
    word -= (word >> np.uint64(1)) & _EVERY_SECOND
    word = (word & _EVERY_PAIR) + ((word >> np.uint64(2)) & _EVERY_PAIR)
    return np.int64((((word + (word >> np.uint64(4))) & _EVERY_FOUR) * _EACH_BYTE) >> np.uint64(56))


@njit(nogil=True, cache=True)
def count_runs(words: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Return ``row_start``: where the runs of each row begin among all runs."""
    rows, width = words.shape
    row_start = np.zeros(rows + 1, np.int64)
    for row in range(rows):
        runs = np.int64(0)
        before = np.uint64(0)
        for index in range(width):
            word = words[row, index]
            runs += _number_of_bits(word & ~((word << np.uint64(1)) | before))
            before = word >> np.uint64(63)
        row_start[row + 1] = row_start[row] + runs
    return row_start


@njit(nogil=True, cache=True)
def find_runs(
    words: NDArray[np.uint64], columns: int, row_start: NDArray[np.int64]
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Return first column, and column behind, of every run."""
    rows, width = words.shape
    start = np.empty(row_start[rows], np.int32)
    stop = np.empty(row_start[rows], np.int32)
    for row in range(rows):
        run = row_start[row]
        inside = False
        before = np.uint64(0)
        for index in range(width):
            word = words[row, index]
            changes = word ^ ((word << np.uint64(1)) | before)
            before = word >> np.uint64(63)
            while changes:
                lowest = changes & (~changes + np.uint64(1))
                column = PIXELS_A_WORD * index + place_of(lowest)
                if inside:
                    stop[run] = column
                    run += 1
                else:
                    start[run] = column
                inside = not inside
                changes ^= lowest
        if inside:
            stop[run] = columns
    return start, stop


@njit(nogil=True, cache=True)
def _root(parent: NDArray[Any], item: int) -> int:
    while parent[item] != item:
        parent[item] = parent[parent[item]]
        item = parent[item]
    return item


@njit(nogil=True, cache=True)
def _unite(parent: NDArray[Any], a: int, b: int) -> None:
    """Join two sets; the smaller root stays one, so that a set is named by its first member."""
    a = _root(parent, a)
    b = _root(parent, b)
    if a < b:
        parent[b] = a
    else:
        parent[a] = b


@njit(nogil=True, cache=True)
def _join_rows(
    parent: NDArray[Any],
    start: NDArray[np.int32],
    stop: NDArray[np.int32],
    above: int,
    above_end: int,
    run: int,
    run_end: int,
    slack: int,
) -> None:
    """Join the runs of two rows that overlap, or with ``slack`` 1 touch at a corner."""
    while above < above_end and run < run_end:
        if start[above] < stop[run] + slack and start[run] < stop[above] + slack:
            _unite(parent, above, run)
        # The next run of either row starts at least one column behind this one: what ends first meets nothing more.
        if stop[above] < stop[run]:
            above += 1
        else:
            run += 1


@njit(nogil=True, cache=True)
def _join_rows_by_steps(
    parent: NDArray[Any],
    start: NDArray[np.int32],
    stop: NDArray[np.int32],
    above: int,
    above_end: int,
    run: int,
    run_end: int,
    reach: NDArray[np.bool_],
) -> None:
    """Join the runs of two rows from which a step of -1, 0 or 1 that ``reach`` holds leads to one another."""
    for own in range(run, run_end):
        while above < above_end and stop[above] < start[own]:
            above += 1
        other = above
        while other < above_end and start[other] <= stop[own]:
            least, most = start[other] - stop[own] + 1, stop[other] - 1 - start[own]
            for step in range(max(least, -1), min(most, 1) + 1):
                if reach[step + 1]:
                    _unite(parent, own, other)
                    break
            other += 1


@njit(nogil=True, cache=True)
def join_runs(
    row_start: NDArray[np.int64],
    start: NDArray[np.int32],
    stop: NDArray[np.int32],
    lead: NDArray[np.int64],
    rows: NDArray[np.int64],
    reach: NDArray[np.bool_],
    apart: bool,
) -> tuple[NDArray[np.int32], int]:
    """Return the label of every run, and how many labels there are.

    ``lead`` is the shape of the axes before the last; ``rows`` are the steps along them to the rows before one that it
    is joined with, and ``reach`` says for each of these by which of the steps -1, 0 and 1 along the row. ``apart`` says
    that there are pixels between the runs of a row.
    """
    parent = np.arange(start.size).astype(np.int32)
    axes = lead.size
    place = np.zeros(axes, np.int64)
    back = np.zeros(rows.shape[0], np.int64)
    plain = np.zeros(rows.shape[0], np.bool_)
    for each in range(rows.shape[0]):
        for axis in range(axes):
            back[each] = back[each] * lead[axis] + rows[each, axis]
        plain[each] = reach[each, 1] and reach[each, 0] == reach[each, 2] and (apart or not reach[each, 0])
    for row in range(row_start.size - 1):
        run, run_end = row_start[row], row_start[row + 1]
        if run < run_end:
            for each in range(rows.shape[0]):
                inside = True
                for axis in range(axes):
                    inside &= 0 <= place[axis] + rows[each, axis] < lead[axis]
                if inside:
                    other = row + back[each]
                    first, last = row_start[other], row_start[other + 1]
                    if plain[each]:
                        _join_rows(parent, start, stop, first, last, run, run_end, 1 if reach[each, 0] else 0)
                    else:
                        _join_rows_by_steps(parent, start, stop, first, last, run, run_end, reach[each])
        for axis in range(axes - 1, -1, -1):
            place[axis] += 1
            if place[axis] < lead[axis]:
                break
            place[axis] = 0
    count = 0
    for run in range(parent.size):
        if parent[run] == run:
            count += 1
            parent[run] = count
        else:
            parent[run] = parent[parent[run]]  # its parent comes before it, and holds a label already
    return parent, count


@njit(nogil=True, cache=True)
def _fill(out: NDArray[Any], start: np.uintp, stop: np.uintp, value: Any) -> None:
    """Set whole blocks from ``start`` on; what lies behind ``stop`` is filled later, as pixels go in order."""
    while start < stop:
        for offset in range(np.uintp(BLOCK)):  # unsigned: a signed index may count from the end, which stops SIMD
            out[start + offset] = value
        start += np.uintp(BLOCK)


@njit(nogil=True, cache=True)
def paint_rows(
    row_start: NDArray[np.int64],
    start: NDArray[np.int32],
    stop: NDArray[np.int32],
    label: NDArray[np.int32],
    rows: NDArray[np.int64],
    lut: NDArray[Any],
    out: NDArray[Any],
    columns: int,
) -> None:
    """Paint ``rows`` one below the other into flat ``out``, which has ``BLOCK`` pixels more than they need."""
    for line in range(rows.size):
        first = np.uintp(line * columns)
        filled = first
        for run in range(row_start[rows[line]], row_start[rows[line] + 1]):
            _fill(out, filled, first + np.uintp(start[run]), lut[0])
            filled = first + np.uintp(stop[run])
            _fill(out, first + np.uintp(start[run]), filled, lut[label[run]])
        _fill(out, filled, first + np.uintp(columns), lut[0])


@njit(nogil=True, cache=True)
def column(
    row_start: NDArray[np.int64],
    start: NDArray[np.int32],
    stop: NDArray[np.int32],
    label: NDArray[np.int32],
    column: int,
) -> NDArray[np.int32]:
    """Return the labels in the first or the last column."""
    labels = np.zeros(row_start.size - 1, np.int32)
    for row in range(labels.size):
        if row_start[row] < row_start[row + 1]:
            run = row_start[row] if column == 0 else row_start[row + 1] - 1
            if start[run] <= column < stop[run]:
                labels[row] = label[run]
    return labels


@njit(nogil=True, cache=True)
def sum_lengths(
    start: NDArray[np.int32], stop: NDArray[np.int32], label: NDArray[np.int32], count: int
) -> NDArray[np.int64]:
    """Return the number of pixels of each label; 0 of background."""
    sizes = np.zeros(count + 1, np.int64)
    for run in range(label.size):
        sizes[label[run]] += stop[run] - start[run]
    return sizes


@njit(nogil=True, cache=True)
def first_pixels(
    row_start: NDArray[np.int64], start: NDArray[np.int32], label: NDArray[np.int32], count: int, columns: int
) -> NDArray[np.int64]:
    """Return the index of the first pixel of each label, of rows end to end."""
    first = np.full(count + 1, -1, np.int64)
    for row in range(row_start.size - 1):
        for run in range(row_start[row], row_start[row + 1]):
            if first[label[run]] < 0:
                first[label[run]] = row * columns + start[run]
    return first


@njit(nogil=True, cache=True)
def union(count: int, a: NDArray[np.int64], b: NDArray[np.int64]) -> NDArray[np.int64]:
    """Join ids in pairs; return the smallest id of the set each is in."""
    parent = np.arange(count + 1)
    for pair in range(a.size):
        _unite(parent, a[pair], b[pair])
    for item in range(count + 1):
        parent[item] = parent[parent[item]]
    return parent


@njit(nogil=True, cache=True)
def hold_any(
    row_start: NDArray[np.int64],
    start: NDArray[np.int32],
    stop: NDArray[np.int32],
    label: NDArray[np.int32],
    count: int,
    pixels: NDArray[np.bool_],
) -> NDArray[np.bool_]:
    """Return which labels lie on a pixel that is True; the runs of those already found are not looked at."""
    found = np.zeros(count + 1, np.bool_)
    for row in range(row_start.size - 1):
        for run in range(row_start[row], row_start[row + 1]):
            if not found[label[run]]:
                for column in range(start[run], stop[run]):
                    if pixels[row, column]:
                        found[label[run]] = True
                        break
    return found


@njit(nogil=True, cache=True)
def join_components(
    root: NDArray[np.int64],
    sizes: NDArray[np.int64],
    first: NDArray[np.int64],
    at_border: NDArray[np.bool_],
    seeded: NDArray[np.bool_],
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_], NDArray[np.bool_]]:
    """Return the sums of sizes, the smallest first pixels, and the flags of any, at the root of each set."""
    total = np.zeros(root.size, np.int64)
    smallest = np.full(root.size, np.iinfo(np.int64).max)
    border = np.zeros(root.size, np.bool_)
    seed = np.zeros(root.size, np.bool_)
    for item in range(1, root.size):
        own = root[item]
        total[own] += sizes[item - 1]
        smallest[own] = min(smallest[own], first[item - 1])
        border[own] |= at_border[item - 1]
        seed[own] |= seeded[item - 1]
    return total, smallest, border, seed
