"""The tree of blocks of tiles: objects are joined on the way up, and get their numbers on the way down."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from bigimg.kernels.components import Components, join_components
from bigimg.kernels.neighbours import Steps
from bigimg.kernels.object_blocks import Block, Box, Judge, Judged, Numbers, numbered, settle
from bigimg.kernels.padded import Indices
from bigimg.kernels.tile_faces import Face, plane, touching


@dataclass(frozen=True, eq=False)
class Joined:
    """What a block keeps for the way down."""

    judged: Judged
    root: Indices
    """Which of the objects each open one of the parts is of, part after part."""
    parts: Sequence[Block]
    """Without their faces."""


def join(parts: Sequence[Block], steps: Steps, judge: Judge, shortlist: Judge | None = None) -> tuple[Joined, Block]:
    """Join blocks that lie together in a grid; return what their block keeps, and what it sends."""
    box, places = _together(parts)
    ndim = len(box.shape)
    ends = np.cumsum([0, *(part.open.first.size for part in parts)])
    faces = {
        place: {face: np.where(line > 0, line + start, 0) for face, line in part.faces.items()}
        for place, part, start in zip(places, parts, ends)
    }
    pairs = [np.zeros((2, 0), np.int64)]
    for one, other in touching(faces, ndim, steps):
        both = (one > 0) & (other > 0)
        pairs.append(np.stack([one[both], other[both]]))
    a, b = np.concatenate(pairs, axis=1)
    root, total = join_components([part.open for part in parts], a, b)
    is_root = total.sizes > 0
    own = (np.cumsum(is_root) - 1)[root]  # which of the objects each is of; -1 for the background
    found = total[is_root]
    grid = tuple(np.max(places, axis=0) + 1)
    outer: dict[Face, Indices] = {
        (axis, side): own[plane(faces, grid, axis, side * (grid[axis] - 1), side)] for axis, side in box.inner_faces()
    }
    is_open = np.zeros(found.first.size + 1, bool)  # the last one is the background's
    for line in outer.values():
        is_open[line.ravel()] = True
    begins = found.first[own[1:]] == _firsts(parts)
    before = np.zeros(found.first.size, np.int64)
    before[own[1:][begins]] = _before_in_block(parts, box)[begins]
    judged, still_open, more, counts = settle(box, found, before, is_open[:-1], judge)
    for part, lines in zip(parts, _lines_of_parts(parts, box)):
        np.add.at(counts, lines, part.counts)
    numbers = np.append(judged.number, 0).astype(np.int32)
    closed = None
    if shortlist is not None:
        every = Components.concatenated(
            [*(part.closed for part in parts if part.closed is not None), found[judged.stays]]
        )
        closed = every[shortlist(every)]
    block = Block(box, {face: numbers[line] for face, line in outer.items()}, still_open, more, counts, closed)
    kept = [Block(part.box, {}, part.open, part.before, part.counts, None) for part in parts]
    return Joined(judged, own[1:], kept), block


def share(joined: Joined, value: Numbers) -> list[Numbers]:
    """Return what each part of a block gets of what the block got."""
    numbers, begins = numbered(joined.judged, value)
    box = joined.judged.box
    ends = np.cumsum([0, *(part.open.first.size for part in joined.parts)])
    owned = begins[joined.root] & (joined.judged.found.first[joined.root] == _firsts(joined.parts))
    begin = None if value.begin is None else value.begin.copy()
    shared = []
    for part, lines, (start, stop) in zip(joined.parts, _lines_of_parts(joined.parts, box), pairwise(ends)):
        own = slice(start, stop)
        chosen = _inside(part.box, value.chosen)
        shared.append(
            Numbers(
                numbers[joined.root[own]],
                owned[own],
                None if begin is None else begin[lines],
                value.chosen[chosen],
                value.chosen_number[chosen],
            )
        )
        if begin is not None:
            begin[lines] += part.counts
            np.add.at(begin, box.lines_of(part.open.first[owned[own]]), 1)
    return shared


def _firsts(parts: Sequence[Block]) -> Indices:
    return np.concatenate([part.open.first for part in parts])


def _together(parts: Sequence[Block]) -> tuple[Box, list[tuple[int, ...]]]:
    """Return the box of all parts, and the place of each in their grid."""
    origins = np.array([part.box.origin for part in parts])
    ends = origins + [part.box.shape for part in parts]
    low, high = origins.min(axis=0), ends.max(axis=0)
    places = np.stack([np.unique(column, return_inverse=True)[1] for column in origins.T], axis=1)
    box = Box(tuple(map(int, low)), tuple(map(int, high - low)), parts[0].box.image_shape)
    return box, [tuple(map(int, place)) for place in places]


def _lines_of_parts(parts: Sequence[Block], box: Box) -> Iterator[Indices]:
    """Yield the lines of the block that each part has; parts come in raster order, those to the left first."""
    number = np.arange(box.lines).reshape(box.shape[:-1])
    for part in parts:
        sides = zip(part.box.origin[:-1], part.box.shape[:-1], box.origin)
        yield number[tuple(slice(at - start, at - start + size) for at, size, start in sides)].ravel()


def _before_in_block(parts: Sequence[Block], box: Box) -> Indices:
    """Return what is before each open object of the parts in its line, in its part and in those to the left."""
    count = np.zeros(box.lines, np.int64)
    before = []
    for part, lines in zip(parts, _lines_of_parts(parts, box)):
        before.append(part.before + count[box.lines_of(part.open.first)])
        count[lines] += part.counts
    return np.concatenate(before)


def _inside(box: Box, pixels: Indices) -> NDArray[np.bool_]:
    """Return which of ``pixels``, flat indices in the image, lie in the box."""
    inside = np.ones(pixels.size, bool)
    for place, start, size in zip(np.unravel_index(pixels, box.image_shape), box.origin, box.shape):
        inside &= (place >= start) & (place < start + size)
    return inside
