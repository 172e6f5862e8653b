"""How arrays are stored: Zarr v3, chunks compressed by Blosc (LZ4, shuffled bits), then a CRC-32C of every chunk.

Without the checksum a flipped bit is silently other pixels, whatever the compressor. Arrays of just this form are
written and read here, chunk by chunk: zarr takes two to four times as long, in one thread for all of a process, and
its errors name no chunk. Arrays in shards, and those of others, are left to zarr.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

import numpy as np
from google_crc32c import value as crc32c
from numcodecs import blosc  # type: ignore[import-untyped]
from numpy.typing import NDArray

LARGEST_CHUNK = 2**31 - 1
"""Bytes of a decoded chunk that are still believed; Blosc cannot make a larger one."""

_CHECKSUM = 4
_BLOSC_HEADER = 16
_BLOSC_SIZE = slice(4, 8)
_LEVEL = 5


def array_document(
    shape: Sequence[int],
    dtype: np.dtype[Any],
    chunks: Sequence[int],
    shards: Sequence[int] | None = None,
    dims: Sequence[str] = (),
    attributes: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return the ``zarr.json`` of an array as this package writes it (https://zarr-specs.readthedocs.io, version 3)."""
    blosc_codec = {
        "name": "blosc",
        "configuration": {
            "typesize": dtype.itemsize,
            "cname": "lz4",
            "clevel": _LEVEL,
            "shuffle": "bitshuffle",
            "blocksize": 0,
        },
    }
    # A type of one byte has no byte order.
    order = {"name": "bytes", "configuration": {"endian": "little"}} if dtype.itemsize > 1 else {"name": "bytes"}
    codecs: list[dict[str, Any]] = [order, blosc_codec, {"name": "crc32c"}]
    if shards is not None:
        index = [{"name": "bytes", "configuration": {"endian": "little"}}, {"name": "crc32c"}]
        configuration = {"chunk_shape": list(chunks), "codecs": codecs, "index_codecs": index, "index_location": "end"}
        codecs = [{"name": "sharding_indexed", "configuration": configuration}]
    return {
        "zarr_format": 3,
        "node_type": "array",
        "shape": list(shape),
        "data_type": dtype.name,
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": list(shards or chunks)}},
        "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
        "fill_value": {"b": False, "f": 0.0}.get(dtype.kind, 0),
        "codecs": codecs,
        "attributes": dict(attributes or {}),
        "dimension_names": list(dims) or None,
    }


def is_ours(document: dict[str, Any]) -> bool:
    """Whether ``document``, the ``zarr.json`` of an array, is as :func:`array_document` writes it, without shards."""
    try:
        again = array_document(
            document["shape"],
            np.dtype(document["data_type"]),
            document["chunk_grid"]["configuration"]["chunk_shape"],
            dims=document["dimension_names"] or (),
            attributes=document["attributes"],  # they change no chunk
        )
    except (KeyError, TypeError, ValueError):
        return False
    return again == document


def encode(pixels: NDArray[Any], chunk: tuple[int, ...]) -> bytes:
    """Return the bytes of one chunk of shape ``chunk``; what ``pixels`` do not fill of it is 0."""
    if pixels.shape != chunk:
        whole = np.zeros(chunk, pixels.dtype)
        whole[tuple(slice(0, size) for size in pixels.shape)] = pixels
        pixels = whole
    stored = np.ascontiguousarray(pixels, pixels.dtype.newbyteorder("<"))
    body: bytes = blosc.compress(stored, b"lz4", _LEVEL, blosc.BITSHUFFLE, 0)
    return body + crc32c(body).to_bytes(_CHECKSUM, "little")


def decode(raw: bytes, dtype: np.dtype[Any], chunk: tuple[int, ...]) -> NDArray[Any]:
    """Return the pixels of one chunk.

    Raises
    ------
    ValueError
        If the bytes are not those that were written.

    Examples
    --------
    >>> raw = encode(np.arange(6, dtype="u2").reshape(2, 3), (2, 3))
    >>> decode(raw, np.dtype("u2"), (2, 3)).tolist()
    [[0, 1, 2], [3, 4, 5]]
    >>> decode(raw[:-1] + b"x", np.dtype("u2"), (2, 3))
    Traceback (most recent call last):
    ValueError: the checksum of its bytes is ..., the one stored with it ...
    """
    if len(raw) < _BLOSC_HEADER + _CHECKSUM:
        raise ValueError(f"the chunk has {len(raw)} bytes, fewer than any chunk can have")
    body, stored = raw[:-_CHECKSUM], int.from_bytes(raw[-_CHECKSUM:], "little")
    found = crc32c(body)
    if found != stored:
        raise ValueError(f"the checksum of its bytes is {found:08x}, the one stored with it {stored:08x}")
    expected = dtype.itemsize * prod(chunk)
    declared = int.from_bytes(body[_BLOSC_SIZE], "little")
    if declared != expected:
        raise ValueError(f"it unpacks to {declared} bytes, a chunk here has {expected}")
    pixels = np.empty(chunk, dtype.newbyteorder("<"))
    blosc.decompress(body, pixels)  # into its place: through bytes each pixel would be moved once more
    return pixels.astype(dtype, copy=False)
