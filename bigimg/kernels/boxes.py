"""Morphology of grey images with rectangles and boxes: along rows, then across them, then through the planes.

Along a row long runs are made of short ones, as in `chords`. Across rows the maximum of any number of them costs three
comparisons a pixel, after M. van Herk, "A fast algorithm for local minimum and maximum filters on rectangular and
octagonal kernels", Pattern Recognition Letters 13 (1992), and J. Gil and M. Werman, IEEE TPAMI 15 (1993)::

    blocks of k rows      | a b c d | e f g h |         k = 4
    to the block's end    | a b c d . b c d . c d . d |   found backwards once the block is full
    from its start        | e . e f . e f g . e f g h |   found on the way
    any window of k rows  |     c d | e f     |           is the end of one block and the start of the next

Columns are worked on in strips, so that two blocks of rows stay in the cache.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from bigimg.kernels.ordered_keys import (
    UNSIGNED,
    Keys,
    bits_of,
    blank,
    complement,
    decode,
    encode,
    fill,
    greater,
    kind_of,
    least_key,
    raise_to,
    sign_bit,
)
from bigimg.kernels.planes import read_only
from bigimg.kernels.steps import Integers, Mask, Step

_STRIP_BYTES = 4096
_CACHE_BYTES = 2**19

Span = tuple[int, int]
"""The first and the last offset of a window along one axis."""


def transform(pixels: NDArray[Any], steps: Sequence[Step], valid: Mask | None = None) -> NDArray[Any]:
    """Apply erosions and dilations by rectangles or boxes, one after the other.

    Parameters and result are those of `chords.transform`; every step has a `Step.box`.

    Examples
    --------
    >>> transform(np.array([[3, 1, 2, 5]], np.uint8), [Step(True, np.ones((1, 3), bool))])
    array([[3, 3, 5, 5]], dtype=uint8)
    """
    known = np.zeros(0, bool) if valid is None else np.require(valid, bool, ("C", "A")).reshape(-1)
    dtype, shape = pixels.dtype, (pixels.shape if pixels.ndim == 3 else (1, *pixels.shape))
    bits = bits_of(pixels)
    for step in steps:
        bits = _box(bits, shape, step, read_only(known), dtype)
    return bits.view(dtype).reshape(pixels.shape)


def _box(bits: Keys, shape: tuple[int, ...], step: Step, known: Mask, dtype: np.dtype[Any]) -> Keys:
    assert step.box is not None
    through, across, along = ((0, 0), *step.box)[-3:]
    depth, height, width = shape
    ends = kind_of(dtype), sign_bit(dtype), complement(dtype, dilates=step.dilates), least_key(dtype)
    if through == (0, 0):
        return _slide(bits, known, (depth, height, width), across, along, ends, (True, True))
    if (across, along) == ((0, 0), (0, 0)):
        return _slide(bits, known, (1, depth, height * width), through, (0, 0), ends, (True, True))
    keys = _slide(bits, known, (depth, height, width), across, along, ends, (True, False))
    return _slide(keys, np.zeros(0, bool), (1, depth, height * width), through, (0, 0), ends, (False, True))


def _slide(
    bits: Keys,
    known: Mask,
    shape: tuple[int, int, int],
    across: Span,
    along: Span,
    ends: tuple[int, Any, Any, Any],
    encodes_decodes: tuple[bool, bool],
) -> Keys:
    """Take the maximum over ``across`` rows and ``along`` columns, of pixels or keys, to pixels or keys."""
    kind, sign, flip, least = ends
    growth = _growth_to(along[1] - along[0] + 1)
    rows = across[1] - across[0] + 1
    most = max(_CACHE_BYTES // (2 * rows), 512)
    strip = max(min(_STRIP_BYTES, most) // bits.itemsize, 2 * (along[1] - along[0]))
    out = np.empty(bits.size, bits.dtype)
    none = bits.dtype.type(0)
    into = (kind, flip) if encodes_decodes[0] else (UNSIGNED, none)
    onto = (kind, flip) if encodes_decodes[1] else (UNSIGNED, none)
    window = growth, *across, *along, min(strip, shape[2])
    given: Any = (read_only(bits), read_only(known), out, *shape, *window, *into, *onto, sign, least)
    _slide_planes(*given)
    return out


def _growth_to(length: int) -> Integers:
    """Return how runs of one pixel grow to ``length``, all to the right, at most to twice their length at a time.

    Examples
    --------
    >>> _growth_to(7)[:, 1].tolist()
    [1, 2, 3]
    """
    growth, size = [], 1
    while size < length:
        growth.append((0, min(size, length - size)))
        size += growth[-1][1]
    return np.array(growth, np.int64).reshape(-1, 2)


@njit(nogil=True, cache=True)
def _slide_planes(
    bits: Keys,
    known: Mask,
    out: Keys,
    depth: int,
    height: int,
    width: int,
    growth: Integers,
    top: int,
    bottom: int,
    left: int,
    right: int,
    strip: int,
    kind_in: int,
    flip_in: Any,
    kind_out: int,
    flip_out: Any,
    sign: Any,
    least: Any,
) -> None:
    rows = bottom - top + 1
    reach = right - left
    ends = (kind_in, sign, flip_in, least)
    # Two blocks of rows, the running maximum, and two rows to make runs in.
    room = np.empty((2 * rows + 1) * strip + 2 * (strip + reach), bits.dtype)
    running, scratch = 2 * rows * strip, (2 * rows + 1) * strip
    for z in range(depth):
        for start in range(0, width, strip):
            count = min(strip, width - start)
            block, before = 0, rows * strip
            for number in range(height + rows - 1):
                y, j = number + top, number % rows
                if j == 0 and number:
                    # The block is full: each row becomes the maximum from there to the block's end.
                    for i in range(rows - 2, -1, -1):
                        at = np.uint64(block + i * strip)
                        raise_to(room, at, at + np.uint64(strip), np.uint64(count))
                    block, before = before, block
                here = block + j * strip
                if 0 <= y < height:
                    first, last = max(start + left, 0), min(start + count + right, width)
                    row, lead = (z * height + y) * width, first - start - left
                    place = (here, scratch, strip + reach)
                    _runs(bits, known, row, first, last, lead, count + reach, growth, room, place, ends)
                else:
                    fill(room, np.uint64(here), np.uint64(count), least)
                if j:
                    raise_to(room, np.uint64(running), np.uint64(here), np.uint64(count))
                else:
                    _copy(room, np.uint64(running), np.uint64(here), np.uint64(count))
                to = number - rows + 1
                if to >= 0:
                    result = running
                    if j < rows - 1:
                        result = scratch
                        ended = np.uint64(before + (j + 1) * strip)
                        greater(room, np.uint64(result), np.uint64(running), ended, np.uint64(count))
                    target = np.uint64((z * height + to) * width + start)
                    decode(room, np.uint64(result), out, target, np.uint64(count), kind_out, sign, flip_out)


@njit(nogil=True, cache=True)
def _copy(keys: Keys, out: Any, start: Any, count: Any) -> None:
    for x in range(count):
        keys[out + x] = keys[start + x]


@njit(nogil=True, cache=True)
def _runs(
    bits: Keys,
    known: Mask,
    row: int,
    first: int,
    last: int,
    offset: int,
    size: int,
    growth: Integers,
    room: Keys,
    place: tuple[int, int, int],
    ends: tuple[int, Any, Any, Any],
) -> None:
    """Read the columns first to last of a row, and write the maxima over its runs to ``room``."""
    out, scratch, wide = place
    kind, sign, flip, least = ends
    here = scratch if len(growth) else out
    inner = max(0, last - first)
    lead = min(offset, size)
    fill(room, np.uint64(here), np.uint64(lead), least)
    encode(bits, np.uint64(row + first), room, np.uint64(here + lead), np.uint64(inner), kind, sign, flip)
    if known.size:
        blank(room, np.uint64(here + lead), known, np.uint64(row + first), np.uint64(inner), least)
    fill(room, np.uint64(here + lead + inner), np.uint64(size - lead - inner), least)
    for stage in range(len(growth)):
        gain = growth[stage, 1]
        size -= gain
        there = out if stage == len(growth) - 1 else scratch + (stage + 1) % 2 * wide
        greater(room, np.uint64(there), np.uint64(here), np.uint64(here + gain), np.uint64(size))
        here = there
