"""Exact Euclidean distances to the background, one axis at a time, in tiles that share lines with others.

The squared distance is the smallest sum of a squared distance along each axis, so the transform goes axis by axis:
along the first one by counting steps, along each further one by the lower envelope of the parabolas that the pixels of
a line give. A tile needs little of the others for that: for each of its lines the steps to the nearest background
beyond either end, and then those few parabolas of other tiles that are the smallest somewhere in its own pixels.

A. Meijster, J. B. T. M. Roerdink and W. H. Hesselink, "A general algorithm for computing distance transforms in linear
time", in Mathematical Morphology and its Applications to Image and Signal Processing (2000).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bigimg.kernels import distance_loops

FAR = distance_loops.FAR
"""Steps to a background pixel where there is none."""

Steps = NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Parabolas:
    """The parabolas of some lines, line after line, in rising order of their places."""

    numbers: NDArray[np.int32]
    """How many each line has."""
    back: NDArray[np.int32]
    """How far before the first pixel beyond the end of the tile each lies."""
    height: NDArray[np.float64]
    """Squared distance at their place."""


@dataclass(frozen=True, eq=False)
class Beside:
    """The parabolas that a tile gets from one side, for each of its lines."""

    stretches: NDArray[np.int64]
    """Where those of each line begin and end, of shape (lines, 2)."""
    place: NDArray[np.int64]
    """In the whole image, mirrored (negative) where they lie behind the tile."""
    height: NDArray[np.float64]

    @property
    def arrays(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
        """What the loops take."""
        return self.stretches, self.place, self.height


def ends(background: NDArray[np.bool_]) -> tuple[Steps, Steps]:
    """Return the first and last index along the first axis at which each line is True; -1 where it never is.

    Examples
    --------
    >>> ends(np.array([[True, False], [True, False]]))
    (array([ 0, -1], dtype=int32), array([ 1, -1], dtype=int32))
    """
    shape = background.shape[1:]
    first, last = distance_loops.ends(np.ascontiguousarray(background).reshape(len(background), -1))
    return first.reshape(shape), last.reshape(shape)


def across(ends_of: Sequence[tuple[Steps, Steps]], sizes: Sequence[int]) -> list[tuple[Steps, Steps]]:
    """Return, for tiles in a line, the steps from the pixel before and behind each to the nearest True beyond it.

    ``FAR`` where there is none. ``ends_of`` are the :func:`ends` of each tile, ``sizes`` how many pixels each has along
    the line.

    Examples
    --------
    >>> one, none = np.array([2], np.int32), np.array([-1], np.int32)
    >>> [(int(before[0]), int(behind[0])) for before, behind in across([(one, one), (none, none)], [4, 3])]
    [(1073741824, 1073741824), (1, 1073741824)]
    """
    before = [np.full_like(ends_of[0][0], FAR)]
    for (_, last), size in zip(ends_of[:-1], sizes):
        before.append(np.where(last >= 0, size - 1 - last, np.minimum(before[-1] + size, FAR)).astype(np.int32))
    behind = [np.full_like(ends_of[0][0], FAR)]
    for (first, _), size in zip(ends_of[:0:-1], reversed(sizes)):
        behind.append(np.where(first >= 0, first, np.minimum(behind[-1] + size, FAR)).astype(np.int32))
    return list(zip(before, reversed(behind)))


def steps(background: NDArray[np.bool_], before: Steps, behind: Steps) -> Steps:
    """Return the steps along the first axis to the nearest True, ``FAR`` where there is none.

    Examples
    --------
    >>> far = np.full(1, FAR, np.int32)
    >>> steps(np.array([[False], [False], [True]]), far, far).ravel()
    array([2, 1, 0], dtype=int32)
    """
    rows = np.ascontiguousarray(background).reshape(len(background), -1)
    return distance_loops.steps(rows, before.ravel(), behind.ravel()).reshape(background.shape)


def seen_beyond(
    pixels: NDArray[Any], axis: int, unit: float, step: float, room: tuple[int, int]
) -> tuple[Parabolas | None, Parabolas | None]:
    """Return the parabolas of a tile that can be the smallest before it, and those that can behind it.

    Parameters
    ----------
    pixels : array
        Steps, or squared distances, to the background that was found so far.
    axis : int
        The axis along which lines go.
    unit : float
        Length of a step; 0 where ``pixels`` are squared distances.
    step : float
        Distance of pixels along ``axis``.
    room : (int, int)
        How many pixels the image has before and behind the tile along ``axis``; None is returned where there are none.
    """
    lines = _lines(pixels, axis)
    before, behind = (
        Parabolas(*distance_loops.seen_beyond(lines, unit, step, turned, pixels_there)) if pixels_there else None
        for turned, pixels_there in zip((True, False), room)
    )
    return before, behind


def hand_on(
    seen: Sequence[tuple[Parabolas | None, Parabolas | None]], sizes: Sequence[int], step: float
) -> list[tuple[Beside, Beside]]:
    """Return for tiles in a line which parabolas each gets from before it and from behind it.

    ``seen`` is what :func:`seen_beyond` gives for each tile, ``sizes`` how many pixels each has along the line.
    """
    bounds = np.array(list(accumulate(sizes, initial=0)), np.int64)
    before = _sweep([behind for _, behind in seen], bounds, step)
    behind = _sweep([before for before, _ in reversed(seen)], 1 - bounds[::-1], step)
    return list(zip(before, reversed(behind)))


def _sweep(seen: Sequence[Parabolas | None], bounds: NDArray[np.int64], step: float) -> list[Beside]:
    """Hand on what each tile shows to those behind it, from the first tile to the last."""
    known = [part for part in seen if part is not None]
    if not known:
        raise ValueError("a line of one tile hands nothing on")
    lines = len(known[0].numbers)
    begin, places, heights, total = np.zeros((len(seen), lines + 1), np.int64), [], [], 0
    for tile, part in enumerate(seen):
        begin[tile] = total
        if part is not None:
            begin[tile, 1:] += np.cumsum(part.numbers)
            places.append(bounds[tile + 1] - part.back)
            heights.append(part.height)
            total = int(begin[tile, -1])
    stretches, place, height = distance_loops.hand_on(
        np.ascontiguousarray(bounds), begin, np.concatenate(places), np.concatenate(heights), step
    )
    return [_own(stretches[tile], place, height) for tile in range(len(seen))]


def _own(stretches: NDArray[np.int64], place: NDArray[np.int64], height: NDArray[np.float64]) -> Beside:
    """Return what one tile gets, without what others do."""
    numbers = stretches[:, 1] - stretches[:, 0]
    stops = np.cumsum(numbers)
    chosen = np.repeat(stretches[:, 0] - (stops - numbers), numbers) + np.arange(stops[-1] if len(stops) else 0)
    return Beside(np.stack([stops - numbers, stops], axis=1), place[chosen], height[chosen])


def nothing_beside(lines: int) -> Beside:
    """Return what a tile gets that is alone along the axis."""
    return Beside(np.zeros((lines, 2), np.int64), np.zeros(0, np.int64), np.zeros(0))


def finish_lines(
    pixels: NDArray[Any],
    axis: int,
    unit: float,
    step: float,
    origin: int,
    before: Beside | None,
    behind: Beside | None,
    *,
    root: bool,
) -> NDArray[np.float64]:
    """Return the squared distances with those along one more axis, or the distances; infinite without background.

    Parameters
    ----------
    pixels, axis, unit, step
        As :func:`seen_beyond` takes them.
    origin : int
        Where the tile begins along ``axis``.
    before, behind : Beside, optional
        What :func:`hand_on` gives the tile; None where it is alone.
    root : bool
        Whether to return distances.

    Examples
    --------
    >>> finish_lines(np.array([[0, 1, 2]], np.int32), 1, 1.0, 1.0, 0, None, None, root=False)
    array([[0., 1., 2.]])
    """
    lines = _lines(pixels, axis)
    nothing = nothing_beside(len(lines))
    out = np.empty(lines.shape)
    distance_loops.finish_lines(
        lines, unit, step, root, origin, (before or nothing).arrays, (behind or nothing).arrays, out
    )
    moved = np.moveaxis(pixels, axis, -1).shape
    return np.ascontiguousarray(np.moveaxis(out.reshape(moved), -1, axis))


def _lines(pixels: NDArray[Any], axis: int) -> NDArray[Any]:
    """Return lines along ``axis``, one below the other."""
    return np.ascontiguousarray(np.moveaxis(pixels, axis, -1)).reshape(-1, pixels.shape[axis])
