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

There is one kernel for every dtype and for both operations: pixels are turned into unsigned integers that order as the
pixels do, and an erosion is a dilation of the complement. That also makes -0.0 < 0.0, so that which of two equal zeros
comes out cannot depend on where a tile was cut.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from bigimg.kernels.planes import read_only

Mask = NDArray[np.bool_]
Integers = NDArray[np.int64]
Keys = NDArray[Any]  # of one of the four unsigned integer dtypes

_UNSIGNED, _SIGNED, _FLOAT = 0, 1, 2
_STRIP_BYTES = 16384
"""Columns are worked on in strips of this many bytes: the rows a footprint touches then stay in the cache."""


@dataclass(frozen=True, eq=False)  # equal if the same: programs are kept by it
class Step:
    """One elementary operation.

    Attributes
    ----------
    dilates
        True for a dilation, False for an erosion.
    footprint
        Boolean array of odd size along each axis, with its origin in the middle.
    """

    dilates: bool
    footprint: Mask

    @cached_property
    def chords(self) -> Integers:
        """The chords of the footprint, as `chords` returns them."""
        return chords(self.footprint)


def chords(footprint: Mask) -> Integers:
    """Return the horizontal runs of a footprint of odd size, one a row: plane, row, first and last column offset.

    Examples
    --------
    >>> chords(np.array([[0, 1, 0], [1, 1, 1], [1, 0, 1]], bool)).tolist()
    [[0, -1, 0, 0], [0, 0, -1, 1], [0, 1, -1, -1], [0, 1, 1, 1]]
    """
    solid = footprint[np.newaxis] if footprint.ndim == 2 else footprint
    edges = np.diff(np.pad(solid, ((0, 0), (0, 0), (1, 1))).astype(np.int8), axis=-1)
    starts, stops = np.argwhere(edges == 1), np.argwhere(edges == -1)
    origin = np.array(solid.shape) // 2
    return np.column_stack([starts - origin, stops[:, 2] - 1 - origin[2]]).astype(np.int64)


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
    kind = {"u": _UNSIGNED, "i": _SIGNED, "f": _FLOAT}[pixels.dtype.kind]
    word = np.dtype(f"u{pixels.itemsize}")
    keys = np.require(pixels, None, ("C", "A")).view(word).reshape(shape)
    known = np.zeros((0, 0, 0), bool) if valid is None else np.require(valid, bool, ("C", "A")).reshape(shape)
    sign, least = word.type(1 << (8 * pixels.itemsize - 1)), _least(pixels.dtype)
    kept, complemented = word.type(0), ~word.type(0)
    state, out = kept, keys
    for index, step in enumerate(steps):
        program = _program(step)
        left, right = max(0, -int(step.chords[:, 2].min())), max(0, int(step.chords[:, 3].max()))
        strip = max(_STRIP_BYTES // pixels.itemsize, 4 * (left + right))
        wanted = kept if step.dilates else complemented
        keys, out = out, np.full(shape, least)
        _dilate(
            *(read_only(keys), read_only(known), out, program.growth, program.gifts, program.bounds),
            *(left, right, strip, _UNSIGNED if index else kind, sign, state ^ wanted, least),
        )
        state = wanted
    _decode(out.reshape(-1), kind, sign, state)
    return out.view(pixels.dtype).reshape(pixels.shape)


def _least(dtype: np.dtype[Any]) -> Any:
    """Return the key that changes no maximum: of the smallest value, and of the largest one complemented."""
    word = np.dtype(f"u{dtype.itemsize}")
    if dtype.kind != "f":
        return word.type(0)
    # The order of floats is symmetric about zero; keys below the one of -inf belong to NaN.
    return ~np.array([np.inf], dtype).view(word)[0] & word.type((1 << (8 * dtype.itemsize - 1)) - 1)


@njit(nogil=True, cache=True)
def _dilate(
    keys: Keys,
    known: Mask,
    out: Keys,
    growth: Integers,
    gifts: Integers,
    bounds: Integers,
    left: int,
    right: int,
    strip: int,
    kind: int,
    sign: Any,
    flip: Any,
    least: Any,
) -> None:
    depth, height, width = keys.shape
    short = np.empty(strip + left + right, keys.dtype)
    long = np.empty(strip + left + right, keys.dtype)
    for start in range(0, width, strip):
        stop = min(start + strip, width)
        first, last = max(start - left, 0), min(stop + right, width)
        offset = first - (start - left)
        for z in range(depth):
            for y in range(height):
                room = stop - start + left + right
                short[:offset] = least
                short[offset + last - first : room] = least
                row = short[offset : offset + last - first]
                _encode(keys[z, y, first:last], row, kind, sign, flip)
                if known.size:
                    _blank(row, known[z, y, first:last], least)
                for stage in range(bounds.size - 1):
                    if stage:
                        gain = growth[stage - 1, 1]
                        room -= gain
                        _longer(short[:room], short[gain : gain + room], long[:room])
                        short, long = long, short
                    for gift in range(bounds[stage], bounds[stage + 1]):
                        zo, yo = z - gifts[gift, 0], y - gifts[gift, 1]
                        if 0 <= zo < depth and 0 <= yo < height:
                            at = left + gifts[gift, 2]
                            _raise(out[zo, yo, start:stop], short[at : at + stop - start])


@njit(nogil=True, cache=True)
def _longer(runs: Keys, ahead: Keys, out: Keys) -> None:
    for x in range(out.size):
        out[x] = max(runs[x], ahead[x])


@njit(nogil=True, cache=True)
def _raise(out: Keys, runs: Keys) -> None:
    for x in range(out.size):
        out[x] = max(out[x], runs[x])


@njit(nogil=True, cache=True)
def _blank(row: Keys, known: Mask, least: Any) -> None:
    for x in range(row.size):
        row[x] = row[x] if known[x] else least


@njit(nogil=True, cache=True)
def _encode(bits: Keys, out: Keys, kind: int, sign: Any, flip: Any) -> None:
    if kind == _UNSIGNED:
        for x in range(bits.size):
            out[x] = bits[x] ^ flip
    elif kind == _SIGNED:
        for x in range(bits.size):
            out[x] = bits[x] ^ sign ^ flip
    else:  # floats are sign and magnitude: negative ones order backwards
        for x in range(bits.size):
            out[x] = (~bits[x] if bits[x] & sign else bits[x] | sign) ^ flip


@njit(nogil=True, cache=True)
def _decode(keys: Keys, kind: int, sign: Any, flip: Any) -> None:
    if kind == _UNSIGNED:
        for x in range(keys.size):
            keys[x] ^= flip
    elif kind == _SIGNED:
        for x in range(keys.size):
            keys[x] ^= sign ^ flip
    else:
        for x in range(keys.size):
            key = keys[x] ^ flip
            keys[x] = key ^ sign if key & sign else ~key
