"""Objects of blocks of tiles: joined on the way up, numbered on the way down.

::

    tiles ──join──> block ──join──> ... ──> image          up: what is open, and how many firsts a line has
    tiles <─share── block <─share── ... <── image          down: the numbers of what was open, and where lines begin

An object of a block is *closed* when it touches no face beyond which the image goes on: then it is known whole, and is
judged. Of the closed ones a block sends no more than how many that stay have their first pixel in each line along the
last axis. Those still *open* it sends one by one, with the faces they lie on. So what is sent grows with the border of
a block, not with its area, and no table of all objects is anywhere.

Objects are numbered by their first pixel in raster order: those in earlier lines of the image come first, then those
in the same line in blocks to the left, then those before it in the block. The first two are where a line of the block
begins, which a block gets on the way down.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

from bigimg.kernels.components import Components, RunLabels, component_sizes, face, first_pixels
from bigimg.kernels.padded import Indices
from bigimg.kernels.tile_faces import Face

Judge = Callable[[Components], NDArray[np.bool_]]
"""Says which objects stay, of what is known of each."""


@dataclass(frozen=True)
class Box:
    """Where a block lies in the image."""

    origin: tuple[int, ...]
    shape: tuple[int, ...]
    image_shape: tuple[int, ...]

    @property
    def lines(self) -> int:
        """How many lines along the last axis it has."""
        return prod(self.shape[:-1])

    def lines_of(self, pixels: Indices) -> Indices:
        """Return the lines of the block that ``pixels`` of it, flat indices in the image, lie in."""
        places = np.unravel_index(pixels // self.image_shape[-1], self.image_shape[:-1])
        own = tuple(place - start for place, start in zip(places, self.origin))
        return np.asarray(np.ravel_multi_index(own, self.shape[:-1]), np.int64)

    def pixels(self, own: Indices) -> Indices:
        """Return the flat indices in the image of pixels of the block, given as flat indices in it."""
        places = np.unravel_index(own, self.shape)
        return np.asarray(
            np.ravel_multi_index(tuple(at + start for at, start in zip(places, self.origin)), self.image_shape),
            np.int64,
        )

    def inner_faces(self) -> tuple[Face, ...]:
        """Return the faces that other blocks follow."""
        return tuple(face for face, ends in self._faces() if not ends)

    def outer_faces(self) -> tuple[Face, ...]:
        """Return the faces that lie on the border of the image."""
        return tuple(face for face, ends in self._faces() if ends)

    def _faces(self) -> Iterator[tuple[Face, bool]]:
        for axis, (start, size, end) in enumerate(zip(self.origin, self.shape, self.image_shape)):
            yield (axis, 0), start == 0
            yield (axis, 1), start + size == end


@dataclass(frozen=True, eq=False)
class Judged:
    """The objects of a block that were not closed in a part of it, which a block keeps for the way down."""

    box: Box
    found: Components
    before: Indices
    """How many objects, closed in parts and staying, have their first pixel before its own in the line of the block."""
    number: Indices
    """Of each open object among the open ones, from 1; 0 of a closed one."""
    stays: NDArray[np.bool_]
    """Which are closed and stay."""


@dataclass(frozen=True, eq=False)
class Block:
    """What a block sends."""

    box: Box
    faces: Mapping[Face, NDArray[np.int32]]
    """Numbers of the open objects on the faces that other blocks follow, 0 for none."""
    open: Components
    before: Indices
    """As in :class:`Judged`, of each open object."""
    counts: NDArray[np.int32]
    """How many closed objects that stay have their first pixel in each line."""
    closed: Components | None
    """The closed objects that stay, or those of them that may stay in the end, where this takes all to know."""


@dataclass(frozen=True, eq=False)
class Numbers:
    """What a block gets on the way down."""

    open: Indices
    """Number of each open object in the whole image, 0 if it does not stay."""
    owned: NDArray[np.bool_]
    """Whether its first pixel in the image lies in this block."""
    begin: Indices | None
    """How many objects come before the first one of each line; None where those that stay are given."""
    chosen: Indices
    """First pixels of the closed objects that stay, sorted, where they are given."""
    chosen_number: Indices


def of_tile(
    box: Box,
    runs: RunLabels,
    judge: Judge,
    *,
    at_border: NDArray[np.bool_] | None = None,
    seeded: NDArray[np.bool_] | None = None,
    shortlist: Judge | None = None,
) -> tuple[Judged, Block]:
    """Return the objects of a labelled tile, and what it sends.

    ``at_border`` says which labels touch the border beside those that lie on it, and ``seeded`` which hold a seed; both
    of shape ``(count + 1,)``.
    """
    edge = np.zeros(runs.count + 1, bool) if at_border is None else at_border.copy()
    inner = {(axis, side): face(runs, axis, side) for axis, side in box.inner_faces()}
    for axis, side in box.outer_faces():
        edge[face(runs, axis, side)] = True
    is_open = np.zeros(runs.count + 1, bool)
    for line in inner.values():
        is_open[line] = True
    seeds = np.zeros(runs.count, bool) if seeded is None else seeded[1:]
    found = Components(component_sizes(runs)[1:], box.pixels(first_pixels(runs)[1:]), edge[1:], seeds)
    judged, still_open, before, counts = settle(box, found, np.zeros(runs.count, np.int64), is_open[1:], judge)
    numbers = np.append(0, judged.number).astype(np.int32)
    closed = None if shortlist is None else found[judged.stays]
    if closed is not None and shortlist is not None:
        closed = closed[shortlist(closed)]
    faces = {each: numbers[line] for each, line in inner.items()}
    return judged, Block(box, faces, still_open, before, counts, closed)


def settle(
    box: Box, found: Components, before: Indices, is_open: NDArray[np.bool_], judge: Judge
) -> tuple[Judged, Components, Indices, NDArray[np.int32]]:
    """Judge the closed objects of a block; return all, the open ones, what is before these, and counts of lines."""
    stays = ~is_open & judge(found)
    number = np.where(is_open, np.cumsum(is_open), 0)
    counts = np.bincount(box.lines_of(found.first[stays]), minlength=box.lines).astype(np.int32)
    more = before[is_open] + _earlier(np.sort(found.first[stays]), found.first[is_open], box)
    return Judged(box, found, before, number, stays), found[is_open], more, counts


def _earlier(firsts: Indices, pixels: Indices, box: Box) -> Indices:
    """Return how many of the sorted ``firsts`` come before each of ``pixels`` in its line."""
    line = pixels - pixels % box.image_shape[-1]
    return np.searchsorted(firsts, pixels) - np.searchsorted(firsts, line)


def numbered(judged: Judged, value: Numbers) -> tuple[Indices, NDArray[np.bool_]]:
    """Return the number of each object, 0 if it does not stay, and whether it stays and begins in this block."""
    first, is_open = judged.found.first, judged.number > 0
    numbers = np.zeros(first.size, np.int64)
    numbers[is_open] = value.open[judged.number[is_open] - 1]
    begins = judged.stays.copy()
    begins[is_open] = value.owned[judged.number[is_open] - 1] & (numbers[is_open] > 0)
    if value.begin is None:
        at = np.searchsorted(value.chosen, first)
        begins[~is_open] = np.append(value.chosen, -1)[at[~is_open]] == first[~is_open]
        numbers[begins] = value.chosen_number[at[begins]]
    else:
        pixels = first[begins]
        rank = _earlier(np.sort(pixels), pixels, judged.box)
        numbers[begins] = 1 + value.begin[judged.box.lines_of(pixels)] + judged.before[begins] + rank
    return numbers, begins


def ranked(block: Block) -> Numbers:
    """Return what the block that is the whole image gets."""
    none = np.zeros(0, np.int64)
    begin = np.cumsum(block.counts, dtype=np.int64) - block.counts
    return Numbers(none, none.astype(bool), begin, none, none)


def chosen(block: Block, stays: NDArray[np.bool_]) -> Numbers:
    """Return what the block that is the whole image gets, where it is said which of its closed objects stay."""
    assert block.closed is not None
    none, first = np.zeros(0, np.int64), np.sort(block.closed.first[stays])
    return Numbers(none, none.astype(bool), None, first, np.arange(1, first.size + 1))
