"""Connected components of one tile, as runs: what a tile keeps between labelling and painting.

A row of a mask is a few runs of ``True``; a run touches runs of the rows before it. So a tile is labelled by looking at
its pixels once, eight at a time, and at its runs afterwards::

    columns   0 1 2 3 4 5 6 7 8
    row 0     . # # . . # # # .      runs 0 [1, 3)  1 [5, 8)
    row 1     . . # # # # . . #      runs 2 [2, 6)  3 [8, 9)     2 joins 0 and 1; with diagonals 3 joins 1

Runs come in raster order and a set of runs is named by its first one, so numbering the sets in order of their names
*is* the numbering of :func:`skimage.measure.label`: no second renumbering pass, and no dense label image in memory.

The idea of labelling runs by union-find is A. Rosenfeld and J. L. Pfaltz, "Sequential operations in digital picture
processing", J. ACM 13 (1966); the two-pointer scan of neighbouring rows is L. He, Y. Chao and K. Suzuki, "A run-based
two-scan labeling algorithm", IEEE Trans. Image Process. 17 (2008).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numba import njit
from numpy.typing import NDArray

from bigimg.errors import ImageError, ParameterError

_PIXELS_A_WORD = 8
# Times 2**(8 k) this has k in its top three bits: the index of the byte in which a single bit is set.
_BYTE_INDEX = np.uint64(sum(k << (61 - 8 * k) for k in range(8)))
_BLOCK = 32  # pixels painted at once: twice as fast as exact slices for runs of twenty pixels
_EACH_BYTE = np.uint64(0x0101010101010101)


@dataclass(frozen=True, eq=False)
class RunLabels:
    """A labelled tile, run by run."""

    shape: tuple[int, ...]
    """Shape of the tile, 2-D or 3-D."""
    row_start: NDArray[np.int64]
    """Row ``i`` of the tile, its leading axes flattened, has the runs ``row_start[i]`` to ``row_start[i + 1]``."""
    start: NDArray[np.int32]
    """First column of each run."""
    stop: NDArray[np.int32]
    """Column behind each run."""
    label: NDArray[np.int32]
    """Label of each run, 1 to ``count`` in raster order of each component's first pixel."""
    count: int
    """Number of components."""


def label_runs(mask: NDArray[np.bool_], connectivity: int) -> RunLabels:
    """Label the connected components of ``mask``, numbered as :func:`skimage.measure.label` numbers them.

    Parameters
    ----------
    mask : (M, N) or (P, M, N) bool array
        The pixels to label; contiguous or not.
    connectivity : int
        How many axes a step between neighbours may change, 1 to ``mask.ndim``.

    Raises
    ------
    ImageError
        If ``mask`` is not boolean, or not 2-D or 3-D.
    ParameterError
        If ``connectivity`` is not in 1 to ``mask.ndim``.

    Examples
    --------
    >>> mask = np.array([[1, 0, 1], [0, 1, 0], [0, 0, 1]], dtype=bool)
    >>> label_runs(mask, connectivity=2).count
    1
    >>> label_runs(mask, connectivity=1).label
    array([1, 2, 3, 4], dtype=int32)
    """
    if mask.dtype != np.bool_:
        msg = f"cannot label pixels of {mask.dtype}; expected a boolean mask: threshold the image first"
        raise ImageError(msg)
    if mask.ndim not in {2, 3}:
        msg = f"cannot label a mask of shape {mask.shape}; expected (M, N) or (P, M, N)"
        raise ImageError(msg)
    if not 1 <= connectivity <= mask.ndim:
        msg = f"connectivity must be 1 to {mask.ndim} for a {mask.ndim}-D mask (got {connectivity})"
        raise ParameterError(msg)
    words = _words(mask)
    row_start = _count_runs(words)
    start, stop = _find_runs(words, mask.shape[-1], row_start)
    label, count = _join_runs(row_start, start, stop, mask.shape[-2], connectivity)
    return RunLabels(mask.shape, row_start, start, stop, label, count)


def paint(runs: RunLabels, lut: NDArray[Any]) -> NDArray[Any]:
    """Return the dense tile in which a pixel of label ``i`` has the value ``lut[i]``.

    Parameters
    ----------
    runs : RunLabels
        The labelled tile.
    lut : (count + 1,) array
        Value of the background and of each label; its dtype is the dtype of the tile.

    Raises
    ------
    ParameterError
        If ``lut`` does not have ``runs.count + 1`` entries.

    Examples
    --------
    >>> runs = label_runs(np.array([[True, False, True]]), connectivity=1)
    >>> paint(runs, np.array([0, 7, 9], dtype=np.uint32))
    array([[7, 0, 9]], dtype=uint32)
    """
    if lut.shape != (runs.count + 1,):
        msg = f"a tile of {runs.count} labels needs a table of shape ({runs.count + 1},) (got {lut.shape})"
        raise ParameterError(msg)
    rows = np.arange(runs.row_start.size - 1)
    return _painted_rows(runs, rows, lut).reshape(runs.shape)


def paint_mask(runs: RunLabels, keep: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the dense mask of the labels that ``keep``, of shape ``(count + 1,)``, says to keep.

    Examples
    --------
    >>> runs = label_runs(np.array([[True, False, True]]), connectivity=1)
    >>> paint_mask(runs, np.array([False, False, True]))
    array([[False, False,  True]])
    """
    return paint(runs, np.asarray(keep, dtype=np.bool_))


def component_sizes(runs: RunLabels) -> NDArray[np.int64]:
    """Return the number of pixels of the background and of each label, of shape ``(count + 1,)``.

    Examples
    --------
    >>> component_sizes(label_runs(np.array([[True, True, False, True]]), connectivity=1))
    array([1, 2, 1])
    """
    sizes = _sum_lengths(runs.start, runs.stop, runs.label, runs.count)
    sizes[0] = np.prod(runs.shape, dtype=np.int64) - sizes.sum()
    return sizes


def first_pixels(runs: RunLabels) -> NDArray[np.int64]:
    """Return the C-order index of each label's first pixel in the tile, of shape ``(count + 1,)``; -1 for background.

    Examples
    --------
    >>> first_pixels(label_runs(np.array([[False, True], [True, False]]), connectivity=1))
    array([-1,  1,  2])
    """
    return _first_pixels(runs.row_start, runs.start, runs.label, runs.count, runs.shape[-1])


def face(runs: RunLabels, axis: int, side: Literal[0, 1]) -> NDArray[np.int32]:
    """Return the labels of the pixels on one face of the tile, 0 where there is none.

    Parameters
    ----------
    runs : RunLabels
        The labelled tile.
    axis : int
        The axis across which the face lies; the result has the tile's shape without it.
    side : {0, 1}
        The first or the last index along ``axis``.

    Examples
    --------
    >>> runs = label_runs(np.array([[True, False, True], [True, False, False]]), connectivity=1)
    >>> face(runs, axis=1, side=0), face(runs, axis=0, side=1)
    (array([1, 1], dtype=int32), array([1, 0, 0], dtype=int32))
    """
    axis %= len(runs.shape)
    shape = runs.shape[:axis] + runs.shape[axis + 1 :]
    if 0 in runs.shape:
        return np.zeros(shape, dtype=np.int32)
    if axis == len(runs.shape) - 1:
        column = 0 if side == 0 else runs.shape[-1] - 1
        return _column(runs.row_start, runs.start, runs.stop, runs.label, column).reshape(shape)
    rows = np.arange(runs.row_start.size - 1).reshape(runs.shape[:-1]).take(-side, axis=axis)
    return _painted_rows(runs, rows.ravel(), np.arange(runs.count + 1, dtype=np.int32)).reshape(shape)


def union(count: int, a: NDArray[np.integer[Any]], b: NDArray[np.integer[Any]]) -> NDArray[np.int64]:
    """Return for every id of 0 to ``count`` the smallest id of its set, when each ``a[i]`` is joined to ``b[i]``.

    Parameters
    ----------
    count : int
        The largest id.
    a, b : (K,) integer arrays
        Pairs of ids, 1 to ``count``: labels that touch across the face of two tiles.

    Raises
    ------
    ParameterError
        If an id is not in 1 to ``count``; 0 is the background, which nothing may be joined to.

    Examples
    --------
    >>> union(5, np.array([4, 5]), np.array([2, 4]))
    array([0, 1, 2, 3, 2, 2])
    """
    pairs = np.stack([a, b]).astype(np.int64)
    if pairs.size and not (pairs.min() >= 1 and pairs.max() <= count):
        msg = f"ids to join must be 1 to {count} (got {pairs.min()} to {pairs.max()}); leave the background, 0, out"
        raise ParameterError(msg)
    return _union(count, pairs[0], pairs[1])


def _words(mask: NDArray[np.bool_]) -> NDArray[np.uint64]:
    """Return the rows of ``mask`` as words of eight pixels, a new array only where the memory does not fit."""
    columns = mask.shape[-1]
    rows = int(np.prod(mask.shape[:-1]))
    width = -(-columns // _PIXELS_A_WORD)
    if mask.flags.c_contiguous and columns == width * _PIXELS_A_WORD and mask.ctypes.data % _PIXELS_A_WORD == 0:
        return mask.reshape(rows, columns).view(np.uint64)
    padded = np.zeros((*mask.shape[:-1], width * _PIXELS_A_WORD), dtype=np.bool_)
    padded[..., :columns] = mask
    return padded.reshape(rows, -1).view(np.uint64) if padded.size else np.zeros((rows, 0), dtype=np.uint64)


def _painted_rows(runs: RunLabels, rows: NDArray[np.int64], lut: NDArray[Any]) -> NDArray[Any]:
    columns = runs.shape[-1]
    out = np.empty(rows.size * columns + _BLOCK, dtype=lut.dtype)
    _paint_rows(runs.row_start, runs.start, runs.stop, runs.label, rows, np.ascontiguousarray(lut), out, columns)
    return out[: rows.size * columns].reshape(rows.size, columns)


@njit(nogil=True, cache=True)
def _changes(words: NDArray[np.uint64], row: int, index: int) -> np.uint64:
    """Return a word with a 1 in each byte whose pixel differs from the pixel before it; before a row all is False."""
    word = words[row, index]
    before = words[row, index - 1] >> np.uint64(56) if index > 0 else np.uint64(0)
    # The first pixel of a word is its lowest byte: little-endian, as every platform numba runs on.
    return word ^ ((word << np.uint64(8)) | before)


@njit(nogil=True, cache=True)
def _count_runs(words: NDArray[np.uint64]) -> NDArray[np.int64]:
    rows, width = words.shape
    row_start = np.zeros(rows + 1, np.int64)
    for row in range(rows):
        edges = np.uint64(0)
        for index in range(width):
            edges += (_changes(words, row, index) * _EACH_BYTE) >> np.uint64(56)
        row_start[row + 1] = row_start[row] + np.int64(edges + np.uint64(1)) // 2
    return row_start


@njit(nogil=True, cache=True)
def _find_runs(
    words: NDArray[np.uint64], columns: int, row_start: NDArray[np.int64]
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    rows, width = words.shape
    start = np.empty(row_start[rows], np.int32)
    stop = np.empty(row_start[rows], np.int32)
    for row in range(rows):
        run = row_start[row]
        inside = False
        for index in range(width):
            changes = _changes(words, row, index)
            while changes:
                lowest = changes & (~changes + np.uint64(1))
                column = 8 * index + np.int64((lowest * _BYTE_INDEX) >> np.uint64(61))
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
def _join_runs(
    row_start: NDArray[np.int64], start: NDArray[np.int32], stop: NDArray[np.int32], height: int, connectivity: int
) -> tuple[NDArray[np.int32], int]:
    parent = np.arange(start.size).astype(np.int32)
    straight = 1 if connectivity >= 2 else 0
    diagonal = 1 if connectivity >= 3 else 0
    for row in range(row_start.size - 1):
        run, run_end = row_start[row], row_start[row + 1]
        if run == run_end:
            continue
        y = row % height
        if y > 0:
            _join_rows(parent, start, stop, row_start[row - 1], run, run, run_end, straight)
        if row < height:
            continue
        behind = row - height
        _join_rows(parent, start, stop, row_start[behind], row_start[behind + 1], run, run_end, straight)
        if connectivity >= 2 and y > 0:
            _join_rows(parent, start, stop, row_start[behind - 1], row_start[behind], run, run_end, diagonal)
        if connectivity >= 2 and y < height - 1:
            _join_rows(parent, start, stop, row_start[behind + 1], row_start[behind + 2], run, run_end, diagonal)
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
        for offset in range(np.uintp(_BLOCK)):  # unsigned: a signed index may count from the end, which stops SIMD
            out[start + offset] = value
        start += np.uintp(_BLOCK)


@njit(nogil=True, cache=True)
def _paint_rows(
    row_start: NDArray[np.int64],
    start: NDArray[np.int32],
    stop: NDArray[np.int32],
    label: NDArray[np.int32],
    rows: NDArray[np.int64],
    lut: NDArray[Any],
    out: NDArray[Any],
    columns: int,
) -> None:
    for line in range(rows.size):
        first = np.uintp(line * columns)
        filled = first
        for run in range(row_start[rows[line]], row_start[rows[line] + 1]):
            _fill(out, filled, first + np.uintp(start[run]), lut[0])
            filled = first + np.uintp(stop[run])
            _fill(out, first + np.uintp(start[run]), filled, lut[label[run]])
        _fill(out, filled, first + np.uintp(columns), lut[0])


@njit(nogil=True, cache=True)
def _column(
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
def _sum_lengths(
    start: NDArray[np.int32], stop: NDArray[np.int32], label: NDArray[np.int32], count: int
) -> NDArray[np.int64]:
    sizes = np.zeros(count + 1, np.int64)
    for run in range(label.size):
        sizes[label[run]] += stop[run] - start[run]
    return sizes


@njit(nogil=True, cache=True)
def _first_pixels(
    row_start: NDArray[np.int64], start: NDArray[np.int32], label: NDArray[np.int32], count: int, columns: int
) -> NDArray[np.int64]:
    first = np.full(count + 1, -1, np.int64)
    for row in range(row_start.size - 1):
        for run in range(row_start[row], row_start[row + 1]):
            if first[label[run]] < 0:
                first[label[run]] = row * columns + start[run]
    return first


@njit(nogil=True, cache=True)
def _union(count: int, a: NDArray[np.int64], b: NDArray[np.int64]) -> NDArray[np.int64]:
    parent = np.arange(count + 1)
    for pair in range(a.size):
        _unite(parent, a[pair], b[pair])
    for item in range(count + 1):
        parent[item] = parent[parent[item]]
    return parent
