"""Morphology of grey images by chords: a footprint is a set of horizontal runs, and long runs are made of short ones.

::

    . X X X .     2 chords of length 3            in      a b c d e f g h
    X X X X X     3 chords of length 5            2       max of 2 neighbours
    X X X X X                                     3       max of two 2s, 1 apart     -> the rows of length 3
    X X X X X                                     5       max of two 3s, 2 apart     -> the rows of length 5
    . X X X .

Each row of the image is read once; a maximum over a longer run costs one comparison a pixel, and each chord one more.
A disk of radius r takes about 3 r comparisons a pixel instead of 3 r^2. After Urbach and Wilkinson, "Efficient 2-D
grayscale morphological transformations with arbitrary flat structuring elements", IEEE TIP 17 (2008).

There is one kernel for every dtype and for both operations; `ordered_keys` says how.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from bigimg.kernels.ordered_keys import (
    Keys,
    bits_of,
    blank,
    complement,
    decode_in_place,
    encode,
    fill,
    greater,
    kind_of,
    least_key,
    sign_bit,
)
from bigimg.kernels.planes import read_only
from bigimg.kernels.steps import Integers, Mask, Step

_STRIP_BYTES = 16384
"""Columns are worked on in strips of this many bytes: the rows a footprint touches then stay in the cache."""


@dataclass(frozen=True)
class Program:
    """What a kernel does with each row of the image: make runs longer, and give them to the rows they count for.

    Attributes
    ----------
    growth
        (stages - 1, 2): by how many columns each stage's runs reach further left and right than the stage's before.
        The first stage is the row itself, runs of one pixel.
    gifts
        (chords, 3): plane, row and column from an output pixel to the run it takes, ordered by stage.
    bounds
        (stages + 1,): ``gifts[bounds[s] : bounds[s + 1]]`` belong to stage ``s``.
    """

    growth: Integers
    gifts: Integers
    bounds: Integers

    @classmethod
    def of(cls, growth: list[tuple[int, int]], gifts: list[Integers], stages: list[int]) -> Program:
        """Put together a program from ``gifts`` and the stage of each of them, in ascending order."""
        stage_of_each = np.repeat(stages, [len(part) for part in gifts])
        return cls(
            np.array(growth, np.int64).reshape(-1, 2),
            np.concatenate(gifts),
            np.searchsorted(stage_of_each, np.arange(len(growth) + 2)),
        )


@lru_cache
def _program(step: Step) -> Program:
    runs = step.chords
    lengths = runs[:, 3] - runs[:, 2] + 1
    growth: list[tuple[int, int]] = []
    gifts, stages = [], []
    length = 1
    for target in np.unique(lengths).tolist():
        while length < target:  # a run made of two shorter ones is at most twice as long
            growth.append((0, min(length, target - length)))
            length += growth[-1][1]
        gifts.append(runs[lengths == length, :3])
        stages.append(len(growth))
    return Program.of(growth, gifts, stages)


def transform(pixels: NDArray[Any], steps: Sequence[Step], valid: Mask | None = None) -> NDArray[Any]:
    """Apply erosions and dilations one after the other, by chords.

    Parameters
    ----------
    pixels
        (rows, columns) or (planes, rows, columns) of any integer or floating dtype of 1, 2, 4 or 8 bytes.
    steps
        What to do, at least one; footprints have as many axes as ``pixels``.
    valid
        Boolean, as ``pixels``: False where a pixel takes part in no step.

    Returns
    -------
    ndarray
        Shape and dtype of ``pixels``. A pixel whose neighbours are all invalid or outside is the largest value of the
        dtype after an erosion, the smallest after a dilation.

    Examples
    --------
    >>> image = np.array([[3, 1, 2, 5]], np.uint8)
    >>> transform(image, [Step(True, np.ones((1, 3), bool))])
    array([[3, 3, 5, 5]], dtype=uint8)
    """
    shape = pixels.shape if pixels.ndim == 3 else (1, *pixels.shape)
    known = np.zeros(0, bool) if valid is None else np.require(valid, bool, ("C", "A")).reshape(-1)
    dtype, bits = pixels.dtype, bits_of(pixels)
    kind, sign, least = kind_of(dtype), sign_bit(dtype), least_key(dtype)
    for step in steps:
        program = _program(step)
        low, high = np.minimum(step.chords.min(axis=0), 0), np.maximum(step.chords.max(axis=0), 0)
        left, right = -int(low[2]), int(high[3])
        strip = min(max(_STRIP_BYTES // pixels.itemsize, 4 * (left + right)), shape[2])
        out = np.empty(bits.size, bits.dtype)
        flip = complement(dtype, dilates=step.dilates)
        plan = program.growth, program.gifts, program.bounds, low[:2], high[:2], left, right, strip
        given: Any = (read_only(bits), read_only(known), out, *shape, *plan, kind, sign, flip, least)
        _dilate(*given)
        bits = out
    return bits.view(dtype).reshape(pixels.shape)


@njit(nogil=True, cache=True)
def _dilate(
    bits: Keys,
    known: Mask,
    out: Keys,
    depth: int,
    height: int,
    width: int,
    growth: Integers,
    gifts: Integers,
    bounds: Integers,
    low: Integers,
    high: Integers,
    left: int,
    right: int,
    strip: int,
    kind: int,
    sign: Any,
    flip: Any,
    least: Any,
) -> None:
    size = strip + left + right
    room = np.empty(2 * size, bits.dtype)
    for start in range(0, width, strip):
        width_here = min(strip, width - start)
        count = np.uint64(width_here)
        first, last = max(start - left, 0), min(start + width_here + right, width)
        # From before the image to behind it: a row is begun just before its first gift and finished after its last.
        for z in range(low[0], depth + high[0]):
            for y in range(low[1], height + high[1]):
                zo, yo = z - low[0], y - low[1]
                if zo < depth and yo < height:
                    fill(out, np.uint64((zo * height + yo) * width + start), count, least)
                if 0 <= z < depth and 0 <= y < height:
                    row = np.uint64((z * height + y) * width + first)
                    here, there, wide = np.uint64(0), np.uint64(size), np.uint64(width_here + left + right)
                    lead, inner = np.uint64(first - start + left), np.uint64(last - first)
                    fill(room, here, lead, least)
                    encode(bits, row, room, lead, inner, kind, sign, flip)
                    fill(room, lead + inner, wide - lead - inner, least)
                    if known.size:
                        blank(room, lead, known, row, inner, least)
                    for stage in range(bounds.size - 1):
                        if stage:
                            gain = np.uint64(growth[stage - 1, 1])
                            wide -= gain
                            greater(room, there, here, here + gain, wide)
                            here, there = there, here
                        for gift in range(bounds[stage], bounds[stage + 1]):
                            zo, yo = z - gifts[gift, 0], y - gifts[gift, 1]
                            if 0 <= zo < depth and 0 <= yo < height:
                                target = np.uint64((zo * height + yo) * width + start)
                                _raise(out, target, room, here + np.uint64(left + gifts[gift, 2]), count)
                zo, yo = z - high[0], y - high[1]
                if zo >= 0 and yo >= 0:
                    target = np.uint64((zo * height + yo) * width + start)
                    decode_in_place(out, target, count, kind, sign, flip)


@njit(nogil=True, cache=True)
def _raise(out: Keys, at: Any, runs: Keys, start: Any, count: Any) -> None:
    for x in range(count):
        out[at + x] = max(out[at + x], runs[start + x])
