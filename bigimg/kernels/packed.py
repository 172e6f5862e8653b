"""Morphology of boolean images, 64 pixels to a machine word.

A row of the image is a row of words, the first pixel in the lowest bit. Joining a row with itself, shifted, makes its
runs longer: 64 pixels an instruction, and the vector unit does 8 words at once::

    a row               . . . . 1 . . . .
    1 to each side      . . . 1 1 1 . . .      what the chords of length 3 of a footprint see
    2 more              . 1 1 1 1 1 1 1 .      ... of length 7

Chords mostly lie about the origin, each within the next longer one (disk, square, cross, ball): then runs grow to both
sides and need no further shift. Any other footprint costs one more shift a chord. A high rectangle is its row, and then
rows are joined with rows likewise. An erosion is a dilation of the complement, and complementing is a note on the side
until the words are read again.

Every row has words of padding at both ends, as many as a run can reach; they, and the pixels that take no part, are
blanked when a row is read. So a row cannot reach the pixels of the next one, and both may be shifted together.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numba import njit
from numpy.typing import NDArray

from bigimg.kernels.chords import Program
from bigimg.kernels.steps import Integers, Mask, Step

Words = NDArray[np.uint64]

_NONE, _ALL = np.uint64(0), ~np.uint64(0)
_BITS = 64
_FEW_ROWS = 32
_BAND_WORDS = 1024
"""Several rows are worked on at once, as one long row, if they are short: fewer calls, all in the first cache."""


def transform(pixels: Mask, steps: Sequence[Step], valid: Mask | None = None) -> Mask:
    """Apply erosions and dilations one after the other, packing and unpacking the image once.

    Parameters
    ----------
    pixels
        Boolean, (rows, columns) or (planes, rows, columns).
    steps
        What to do, at least one; footprints have as many axes as ``pixels``.
    valid
        Boolean, as ``pixels``: False where a pixel takes part in no step.

    Returns
    -------
    ndarray
        Boolean, shape of ``pixels``. A pixel whose neighbours are all invalid or outside is True after an erosion,
        False after a dilation.

    Examples
    --------
    >>> mask = np.array([[0, 0, 1, 0, 0, 1]], bool)
    >>> line = np.ones((1, 3), bool)
    >>> transform(mask, [Step(True, line), Step(False, line)]).astype(int)
    array([[0, 0, 1, 1, 1, 1]])
    """
    width = pixels.shape[-1]
    shape = pixels.shape if pixels.ndim == 3 else (1, *pixels.shape)
    programs = [_program(step) for step in steps]
    padding = max(_padding(program) for program in programs)
    words = pack(pixels.reshape(shape), padding)
    # Without a mask one row says for all which bits are pixels.
    part = np.ones((1, 1, width), bool) if valid is None else valid.reshape(shape)
    inside = pack(part, padding)
    complemented = False
    for step, program in zip(steps, programs):
        out = np.zeros_like(words)
        flip = _NONE if complemented != step.dilates else _ALL
        _dilate(words, inside, out, program.growth, program.gifts, program.bounds, padding, flip)
        if _is_spread(step):
            out = _spread(out, step)
        words, complemented = out, not step.dilates
    return unpack(words, padding, width, _ALL if complemented else _NONE).reshape(pixels.shape)


@lru_cache
def _program(step: Step) -> Program:
    runs = np.array([[0, 0, *step.box[-1]]]) if step.box and _is_spread(step) else step.chords
    lengths = runs[:, 3] - runs[:, 2] + 1
    growth: list[tuple[int, int]] = []
    gifts, stages = [], []
    low = high = 0
    for length in np.unique(lengths).tolist():
        of_length = runs[lengths == length]
        target = _next_run(of_length, low, high, length)
        while (low, high) != target:
            # Copies further apart than the run is long would leave a gap; a growth looks no further than the next word.
            furthest = min(high - low + 1, _BITS - 1)
            growth.append((min(low - target[0], furthest), min(target[1] - high, furthest)))
            low, high = low - growth[-1][0], high + growth[-1][1]
        gifts.append(of_length[:, :3] - (0, 0, low))
        stages.append(len(growth))
    return Program.of(growth, gifts, stages)


def _is_spread(step: Step) -> bool:
    """Whether a footprint is a row that is then spread over rows: worth it from a few rows on."""
    return step.box is not None and len(step.chords) >= _FEW_ROWS


def _spread(words: Words, step: Step) -> Words:
    """Join each row with those of the box above and below it, then each plane with those before and behind it."""
    depth, height, size = words.shape
    assert step.box is not None
    through, across, _ = ((0, 0), *step.box)[-3:]
    for span, shape in ((across, (depth, height, size)), (through, (1, depth, height * size))):
        if span != (0, 0):
            joined = np.empty(shape, np.uint64)
            _spread_rows(words.reshape(shape), *span, joined)
            words = joined
    return words.reshape(depth, height, size)


@njit(nogil=True, cache=True)
def _spread_rows(planes: Words, first: int, last: int, out: Words) -> None:
    """Give row ``y`` all of the rows ``y + first`` to ``y + last`` there are; runs of rows double as runs of pixels."""
    count, size = planes.shape[1:]
    wanted = last - first + 1
    rows = count + wanted - 1
    joined = np.empty(rows * size, np.uint64)
    for z in range(planes.shape[0]):
        plane, result = planes[z].reshape(-1), out[z].reshape(-1)
        top, bottom = max(0, first), min(count, count + last)
        begin, end = (top - first) * size, (bottom - first) * size
        joined[:begin] = _NONE
        joined[end:] = _NONE
        for i in range(begin, end):
            joined[i] = plane[i + first * size]
        length = 1
        while length < wanted:
            step = min(length, wanted - length)
            for y in range(0, rows - step, step):  # at most as many rows as they are apart: they do not overlap
                some = min(step, rows - step - y) * size
                _join(joined[y * size : y * size + some], joined, (y + step) * size, 0)
            length += step
        for i in range(count * size):
            result[i] = joined[i]


def _next_run(runs: Integers, low: int, high: int, length: int) -> tuple[int, int]:
    """Return first and last column of the runs to grow next: a chord around those there are, if there is one."""
    around = runs[(runs[:, 2] <= low) & (runs[:, 3] >= high)]
    return (int(around[0, 2]), int(around[0, 3])) if len(around) else (low, low + length - 1)


def _padding(program: Program) -> int:
    """Return how many words of padding hold every run and every access that can matter."""
    reach = int(program.growth.sum(axis=0).max(initial=0)) + int(np.abs(program.gifts[:, 2]).max())
    return max(1, -(-reach // _BITS))


def pack(pixels: Mask, padding: int) -> Words:
    """Return (..., columns) booleans as words, with ``padding`` words of zeros before and behind each row."""
    packed = np.packbits(pixels, axis=-1, bitorder="little")
    words = np.zeros((*pixels.shape[:-1], -(-pixels.shape[-1] // _BITS) + 2 * padding), np.uint64)
    words.view(np.uint8)[..., 8 * padding : 8 * padding + packed.shape[-1]] = packed
    return words


def unpack(words: Words, padding: int, width: int, flip: np.uint64) -> Mask:
    """Return what was packed, ``width`` columns of it, each word with the bits of ``flip`` turned over."""
    inner = words[..., padding:-padding] ^ flip
    return np.unpackbits(inner.view(np.uint8), axis=-1, count=width, bitorder="little").view(bool)


@njit(nogil=True, cache=True)
def _dilate(
    words: Words,
    inside: Words,
    out: Words,
    growth: Integers,
    gifts: Integers,
    bounds: Integers,
    padding: int,
    flip: np.uint64,
) -> None:
    depth, height, size = words.shape
    rows = max(1, _BAND_WORDS // size)
    band = np.empty(rows * size, np.uint64)
    grown = np.empty(rows * size, np.uint64)
    target = out.reshape(-1)
    for z in range(depth):
        for top in range(0, height, rows):
            bottom = min(top + rows, height)
            band, grown = band[: (bottom - top) * size], grown[: (bottom - top) * size]
            for y in range(top, bottom):
                known = inside[min(z, inside.shape[0] - 1), min(y, inside.shape[1] - 1)]
                _read(words[z, y], known, flip, band[(y - top) * size : (y - top + 1) * size])
            for stage in range(bounds.size - 1):
                if stage:
                    _grow(band, growth[stage - 1, 0], growth[stage - 1, 1], grown)
                    band, grown = grown, band
                for gift in range(bounds[stage], bounds[stage + 1]):
                    zo, up = z - gifts[gift, 0], gifts[gift, 1]
                    first, last = max(top, up), min(bottom, height + up)
                    if 0 <= zo < depth and first < last:
                        start = (zo * height + first - up) * size + padding
                        stop = (zo * height + last - up) * size - padding
                        _join(target[start:stop], band, (first - top) * size + padding, gifts[gift, 2])


@njit(nogil=True, cache=True)
def _read(words: Words, inside: Words, flip: np.uint64, row: Words) -> None:
    for i in range(row.size):
        row[i] = (words[i] ^ flip) & inside[i]


@njit(nogil=True, cache=True)
def _grow(row: Words, left: int, right: int, out: Words) -> None:
    """Join each pixel with the one ``left`` columns before it and the one ``right`` columns behind it."""
    size = row.size
    before, here, behind, inner = row[: size - 2], row[1 : size - 1], row[2:], out[1 : size - 1]
    up, down = np.uint64(left), np.uint64(right)
    from_before, from_behind = np.uint64(64 - left), np.uint64(64 - right)
    first, last = row[0], row[size - 1]
    out[0] = first | first << up | first >> down
    out[size - 1] = last | last << up | last >> down
    if left:  # a shift by the whole word is undefined, not zero
        out[size - 1] |= row[size - 2] >> from_before
    if right:
        out[0] |= row[1] << from_behind
    if left and right:
        for i in range(size - 2):
            word = here[i]
            inner[i] = word | word << up | before[i] >> from_before | word >> down | behind[i] << from_behind
    elif left:
        for i in range(size - 2):
            inner[i] = here[i] | here[i] << up | before[i] >> from_before
    else:
        for i in range(size - 2):
            inner[i] = here[i] | here[i] >> down | behind[i] << from_behind


@njit(nogil=True, cache=True)
def _join(out: Words, runs: Words, start: int, shift: int) -> None:
    """Give each output pixel, the first one at word ``start``, the run ``shift`` columns behind it."""
    start += shift >> 6
    down, up = np.uint64(shift & 63), np.uint64(64 - (shift & 63))
    here = runs[start : start + out.size]
    if shift & 63:
        behind = runs[start + 1 : start + 1 + out.size]
        for i in range(out.size):
            out[i] |= here[i] >> down | behind[i] << up
    else:
        for i in range(out.size):
            out[i] |= here[i]
