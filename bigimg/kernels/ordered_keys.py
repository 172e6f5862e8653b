"""Pixels as unsigned integers that order as the pixels do: one compiled kernel then serves every dtype, and both ways.

An erosion is a dilation of the complement. Floats are sign and magnitude: negative ones order backwards, so their bits
are turned over. -0.0 comes out as 0.0, so that which of two equal zeros was met first cannot depend on the tile.

Rows are given as a flat array and where the row starts in it. Starts and lengths are unsigned: a loop over them needs
no test for negative indices, and compiles to vector instructions.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from bigimg.kernels.planes import read_only

Keys = NDArray[Any]  # of one of the four unsigned integer dtypes
Bools = NDArray[np.bool_]

UNSIGNED, SIGNED, FLOAT = 0, 1, 2


def kind_of(dtype: np.dtype[Any]) -> int:
    """Return how pixels of ``dtype`` become keys."""
    return {"u": UNSIGNED, "i": SIGNED, "f": FLOAT}[dtype.kind]


def bits_of(pixels: NDArray[Any]) -> Keys:
    """Return the bits of ``pixels`` as flat unsigned integers that compiled code can read."""
    return read_only(np.require(pixels, None, ("C", "A")).view(np.dtype(f"u{pixels.itemsize}")).reshape(-1))


def sign_bit(dtype: np.dtype[Any]) -> Any:
    """Return the highest bit of a key."""
    return np.dtype(f"u{dtype.itemsize}").type(1 << (8 * dtype.itemsize - 1))


def complement(dtype: np.dtype[Any], *, dilates: bool) -> Any:
    """Return what every key is turned over with: nothing for a dilation, all bits for an erosion."""
    word = np.dtype(f"u{dtype.itemsize}").type
    return word(0) if dilates else ~word(0)


def least_key(dtype: np.dtype[Any]) -> Any:
    """Return the key that changes no maximum: of the smallest value, and of the largest one complemented."""
    word = np.dtype(f"u{dtype.itemsize}")
    if dtype.kind != "f":
        return word.type(0)
    # The order of floats is symmetric about zero; keys below the one of -inf belong to NaN.
    return ~np.array([np.inf], dtype).view(word)[0] & word.type((1 << (8 * dtype.itemsize - 1)) - 1)


@njit(nogil=True, cache=True)
def encode(bits: Keys, start: Any, out: Keys, at: Any, count: Any, kind: int, sign: Any, flip: Any) -> None:
    """Turn ``count`` pixels into keys."""
    if kind == UNSIGNED:
        for x in range(count):
            out[at + x] = bits[start + x] ^ flip
    elif kind == SIGNED:
        for x in range(count):
            out[at + x] = bits[start + x] ^ sign ^ flip
    else:
        for x in range(count):
            here = bits[start + x]
            # Beyond the sign bit alone, which is -0.0, lie the negative ones.
            out[at + x] = (~here if here > sign else here | sign) ^ flip


@njit(nogil=True, cache=True)
def decode(keys: Keys, start: Any, out: Keys, at: Any, count: Any, kind: int, sign: Any, flip: Any) -> None:
    """Turn ``count`` keys back into pixels of another array."""
    if kind == UNSIGNED:
        for x in range(count):
            out[at + x] = keys[start + x] ^ flip
    elif kind == SIGNED:
        for x in range(count):
            out[at + x] = keys[start + x] ^ sign ^ flip
    else:
        for x in range(count):
            key = keys[start + x] ^ flip
            out[at + x] = key ^ sign if key & sign else ~key


@njit(nogil=True, cache=True)
def decode_in_place(keys: Keys, at: Any, count: Any, kind: int, sign: Any, flip: Any) -> None:
    """Turn ``count`` keys back into pixels; where two rows are given, compiled code expects them to be apart."""
    if kind == UNSIGNED:
        for x in range(count):
            keys[at + x] ^= flip
    elif kind == SIGNED:
        for x in range(count):
            keys[at + x] ^= sign ^ flip
    else:
        for x in range(count):
            key = keys[at + x] ^ flip
            keys[at + x] = key ^ sign if key & sign else ~key


@njit(nogil=True, cache=True)
def blank(keys: Keys, at: Any, known: Bools, start: Any, count: Any, least: Any) -> None:
    """Give pixels that take no part the least key."""
    for x in range(count):
        keys[at + x] = keys[at + x] if known[start + x] else least


@njit(nogil=True, cache=True)
def fill(keys: Keys, at: Any, count: Any, value: Any) -> None:
    """Give ``count`` keys one value."""
    for x in range(count):
        keys[at + x] = value


@njit(nogil=True, cache=True)
def greater(keys: Keys, out: Any, first: Any, second: Any, count: Any) -> None:
    """Write the greater of two rows to a third, all of one array, which must not overlap the two."""
    for x in range(count):
        keys[out + x] = max(keys[first + x], keys[second + x])


@njit(nogil=True, cache=True)
def raise_to(keys: Keys, at: Any, start: Any, count: Any) -> None:
    """Raise a row to another one of the same array where that is greater."""
    for x in range(count):
        keys[at + x] = max(keys[at + x], keys[start + x])
