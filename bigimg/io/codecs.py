"""How chunks are stored: Blosc (LZ4, shuffled bits), then a CRC-32C of every chunk; and the short way back.

Without the checksum a flipped bit is silently other pixels, whatever the compressor. Chunks of just this form are
decoded here, each on its own: zarr takes three times as long, in one thread for all, and its errors name no chunk.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from google_crc32c import value as crc32c
from numcodecs import blosc  # type: ignore[import-untyped]
from numpy.typing import NDArray
from zarr.codecs import BloscCodec, Crc32cCodec

LARGEST_CHUNK = 2**31 - 1
"""Bytes of a decoded chunk that are still believed; Blosc cannot make a larger one."""

_CHECKSUM = 4
_BLOSC_SIZE = slice(4, 8)


def compressors(dtype: np.dtype[Any]) -> list[BloscCodec | Crc32cCodec]:
    """Return the codecs for the chunks of an array of ``dtype``."""
    return [BloscCodec(typesize=dtype.itemsize, cname="lz4", clevel=5, shuffle="bitshuffle"), Crc32cCodec()]


def is_ours(codecs: tuple[Any, ...]) -> bool:
    """Whether :func:`decode` can decode chunks stored with ``codecs``, as zarr gives them."""
    named = [codec.to_dict() for codec in codecs]
    if [codec["name"] for codec in named] != ["bytes", "blosc", "crc32c"]:
        return False
    # A dtype of one byte has no byte order.
    return str(named[0].get("configuration", {}).get("endian", "little")) == "little"


def decode(raw: bytes, dtype: np.dtype[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    """Return the pixels of one chunk.

    Raises
    ------
    ValueError
        If the bytes are not those that were written.
    """
    if len(raw) < 16 + _CHECKSUM:
        raise ValueError(f"the chunk has {len(raw)} bytes, fewer than any chunk can have")
    body, stored = raw[:-_CHECKSUM], int.from_bytes(raw[-_CHECKSUM:], "little")
    found = crc32c(body)
    if found != stored:
        raise ValueError(f"the checksum of its bytes is {found:08x}, the one stored with it {stored:08x}")
    expected = dtype.itemsize * int(np.prod(shape, dtype=object))
    declared = int.from_bytes(body[_BLOSC_SIZE], "little")
    if declared != expected:
        raise ValueError(f"it unpacks to {declared} bytes, a chunk here has {expected}")
    return np.frombuffer(blosc.decompress(body), dtype.newbyteorder("<")).astype(dtype, copy=False).reshape(shape)
