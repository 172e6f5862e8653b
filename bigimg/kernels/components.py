"""Connected components of one tile, as runs: what a tile keeps between labelling and painting.

A row of a mask is a few runs of ``True``; a run touches runs of the rows before it. So a tile is labelled by looking at
its pixels once, 64 at a time, and at its runs afterwards::

    columns   0 1 2 3 4 5 6 7 8
    row 0     . # # . . # # # .      runs 0 [1, 3)  1 [5, 8)
    row 1     . . # # # # . . #      runs 2 [2, 6)  3 [8, 9)     2 joins 0 and 1; with diagonals 3 joins 1

Runs come in raster order and a set of runs is named by its first one, so numbering the sets in order of their names
*is* the numbering of :func:`skimage.measure.label`: no second renumbering pass, and no dense label image in memory.
Where pixels beside each other are no neighbours, each is a run of its own.

The idea of labelling runs by union-find is A. Rosenfeld and J. L. Pfaltz, "Sequential operations in digital picture
processing", J. ACM 13 (1966); the two-pointer scan of neighbouring rows is L. He, Y. Chao and K. Suzuki, "A run-based
two-scan labeling algorithm", IEEE Trans. Image Process. 17 (2008).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from bigimg.errors import ImageError, ParameterError
from bigimg.kernels import component_loops
from bigimg.kernels.component_loops import BLOCK, PIXELS_A_WORD
from bigimg.kernels.neighbours import Steps, steps_of


@dataclass(frozen=True, eq=False)
class RunLabels:
    """A labelled tile, run by run."""

    shape: tuple[int, ...]
    """Shape of the tile, of at least 2 axes."""
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


@dataclass(frozen=True, eq=False)
class Components:
    """What is known of each of some components, without the background."""

    sizes: NDArray[np.int64]
    """Number of pixels."""
    first: NDArray[np.int64]
    """Index of the first pixel in the whole image, in raster order."""
    at_border: NDArray[np.bool_]
    """Whether it touches the border of the image."""
    seeded: NDArray[np.bool_]
    """Whether it holds a seed."""

    def __getitem__(self, wanted: NDArray[np.bool_]) -> Components:
        """Return some of the components."""
        return Components(self.sizes[wanted], self.first[wanted], self.at_border[wanted], self.seeded[wanted])

    @staticmethod
    def concatenated(parts: Sequence[Components]) -> Components:
        """Return the components of all parts, one after the other."""
        names = ("sizes", "first", "at_border", "seeded")
        return Components(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def label_runs(mask: NDArray[np.bool_], connectivity: int | Steps) -> RunLabels:
    """Label the connected components of ``mask``, numbered as :func:`skimage.measure.label` numbers them.

    Parameters
    ----------
    mask : (..., M, N) bool array
        The pixels to label, along all axes; contiguous or not.
    connectivity : int or Steps
        How many axes a step between neighbours may change, 1 to ``mask.ndim``; or these steps.

    Raises
    ------
    ImageError
        If ``mask`` is not boolean, has less than two axes, or has 2**31 pixels.
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
    if mask.ndim < 2:
        msg = f"cannot label a mask of shape {mask.shape}; expected (..., M, N)"
        raise ImageError(msg)
    if mask.size >= 2**31:
        msg = f"cannot label {mask.size} pixels at once (limit 2**31); cut the mask into tiles and join their labels"
        raise ImageError(msg)
    if isinstance(connectivity, int) and not 1 <= connectivity <= mask.ndim:
        msg = f"connectivity must be 1 to {mask.ndim} for a {mask.ndim}-D mask (got {connectivity})"
        raise ParameterError(msg)
    steps = steps_of(mask.ndim, connectivity)
    beside = (*(0,) * (mask.ndim - 1), 1) in steps
    row_start, start, stop = _runs(mask) if beside else _pixels(mask)
    lead = np.array(mask.shape[:-1], np.int64)
    label, count = component_loops.join_runs(row_start, start, stop, lead, *_rows_before(steps, mask.ndim), beside)
    return RunLabels(mask.shape, row_start, start, stop, label, count)


def _runs(mask: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int32]]:
    """Return where the runs of each row begin among all, and first column and column behind of each run."""
    words = _words(mask)
    row_start = component_loops.count_runs(words)
    return row_start, *component_loops.find_runs(words, mask.shape[-1], row_start)


def _pixels(mask: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int32]]:
    """Return the same with each pixel as a run of its own."""
    rows = np.ascontiguousarray(mask).reshape(int(np.prod(mask.shape[:-1])), mask.shape[-1])
    row_start = np.concatenate([[0], np.cumsum(np.count_nonzero(rows, axis=1))]).astype(np.int64)
    start = np.nonzero(rows)[1].astype(np.int32)
    return row_start, start, start + np.int32(1)


def _rows_before(steps: Steps, ndim: int) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return the steps to rows before a row, and by which of -1, 0 and 1 along the row each of them is reached."""
    rows = sorted({step[:-1] for step in steps if step[:-1] < (0,) * (ndim - 1)}, reverse=True)
    reach = [[(*row, step) in steps for step in (-1, 0, 1)] for row in rows]
    return np.array(rows, np.int64).reshape(len(rows), ndim - 1), np.array(reach, bool).reshape(len(rows), 3)


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
    sizes = component_loops.sum_lengths(runs.start, runs.stop, runs.label, runs.count)
    sizes[0] = np.prod(runs.shape, dtype=np.int64) - sizes.sum()
    return sizes


def first_pixels(runs: RunLabels) -> NDArray[np.int64]:
    """Return the C-order index of each label's first pixel in the tile, of shape ``(count + 1,)``; -1 for background.

    Examples
    --------
    >>> first_pixels(label_runs(np.array([[False, True], [True, False]]), connectivity=1))
    array([-1,  1,  2])
    """
    return component_loops.first_pixels(runs.row_start, runs.start, runs.label, runs.count, runs.shape[-1])


def holds_any(runs: RunLabels, pixels: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which labels lie on a pixel of the mask ``pixels``, of shape ``(count + 1,)``; False of the background.

    Examples
    --------
    >>> runs = label_runs(np.array([[True, True, False, True]]), connectivity=1)
    >>> holds_any(runs, np.array([[False, True, True, False]]))
    array([False,  True, False])
    """
    rows = np.ascontiguousarray(pixels).reshape(-1, runs.shape[-1])
    return component_loops.hold_any(runs.row_start, runs.start, runs.stop, runs.label, runs.count, rows)


def join_components(
    parts: Sequence[Components], a: NDArray[np.integer[Any]], b: NDArray[np.integer[Any]]
) -> tuple[NDArray[np.int64], Components]:
    """Join components in pairs.

    Parameters
    ----------
    parts : sequence of Components
        Numbered from 1 one after the other; 0 is the background.
    a, b : (K,) integer arrays
        Each ``a[i]`` is joined to ``b[i]``.

    Returns
    -------
    root : (count + 1,) array
        For every number the smallest of its set.
    joined : Components
        Of shape ``(count + 1,)``; what is known of a set stands at its smallest number, and other sizes are 0.

    Examples
    --------
    >>> no = np.zeros(3, bool)
    >>> part = Components(np.array([5, 6, 7]), np.array([0, 20, 10]), no, no)
    >>> root, joined = join_components([part], np.array([3]), np.array([2]))
    >>> root, joined.sizes, joined.first[2]
    (array([0, 1, 2, 2]), array([ 0,  5, 13,  0]), np.int64(10))
    """
    every = Components.concatenated(parts)
    root = union(len(every.sizes), a, b)
    return root, Components(
        *component_loops.join_components(root, every.sizes, every.first, every.at_border, every.seeded)
    )


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
        return component_loops.column(runs.row_start, runs.start, runs.stop, runs.label, column).reshape(shape)
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
    return component_loops.union(count, pairs[0], pairs[1])


def _words(mask: NDArray[np.bool_]) -> NDArray[np.uint64]:
    """Return the rows of ``mask`` as words of 64 pixels, the first one the lowest bit; False behind the last column."""
    rows = int(np.prod(mask.shape[:-1]))
    width = -(-mask.shape[-1] // PIXELS_A_WORD)
    if not mask.size:
        return np.zeros((rows, width), dtype=np.uint64)
    packed = np.ascontiguousarray(np.packbits(mask, axis=-1, bitorder="little")).reshape(rows, -1)
    if packed.shape[1] % 8:
        packed = np.pad(packed, ((0, 0), (0, 8 * width - packed.shape[1])))
    # Little-endian words whatever the platform: the first byte holds the first pixels.
    return packed.view("<u8").astype(np.uint64, copy=False)


def _painted_rows(runs: RunLabels, rows: NDArray[np.int64], lut: NDArray[Any]) -> NDArray[Any]:
    columns = runs.shape[-1]
    out = np.empty(rows.size * columns + BLOCK, dtype=lut.dtype)
    component_loops.paint_rows(
        runs.row_start, runs.start, runs.stop, runs.label, rows, np.ascontiguousarray(lut), out, columns
    )
    return out[: rows.size * columns].reshape(rows.size, columns)
