"""Images in Zarr stores, read chunk by chunk; a chunk that is damaged or missing is an error that names its file."""

from __future__ import annotations

import json
import os
import stat as stat_flags
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from itertools import product
from math import ceil, prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bigimg.core.tile import Box, box_shape
from bigimg.errors import CorruptChunkError, MissingInputError, ReadError
from bigimg.io import codecs
from bigimg.io.cache import PixelCache
from bigimg.io.sources import as_box, cause

if TYPE_CHECKING:
    import zarr

_decoded = PixelCache(limit=24 * 2**20)
"""Decoded chunks that neighbouring tiles share: those of one tile and of the ring about it, not of a row of tiles."""


@dataclass(frozen=True)
class StoredSource:
    """One image in a Zarr store: an array, or one item of a packed array."""

    name: str
    """Item id."""
    path: str
    """Path of the array's folder."""
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    dims: tuple[str, ...]
    chunks: tuple[int, ...]
    attrs: Mapping[str, Any] = field(hash=False)
    item: int | None = None
    """Which item of a packed array, whose first axis counts images; ``None`` where the array is the image."""
    complete: bool = True
    """Whether every chunk was written: then one that is absent is lost, else it holds the fill value."""
    digest: str = ""
    """The fingerprint taken when the image was ingested, if it was."""
    root: str = ""
    """The store, for links to stay within; the array itself by default."""

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    def __getitem__(self, index: Any) -> NDArray[Any]:
        """Read a box of pixels.

        Raises
        ------
        CorruptChunkError
            If a chunk is damaged or missing; names the image, the chunk and its file.
        """
        box, rest = as_box(index, self.shape)
        array = open_array(Path(self.path), Path(self.root or self.path))
        within = self.shape if self.item is None else (array.shape[0], *self.shape)
        if array.shape != within or array.dtype != self.dtype:
            raise ReadError(
                f"image {self.name!r}: {self.path} holds {array.dtype} {array.shape}, the table of items says "
                f"{self.dtype} {within}; the store was changed by hand: ingest it again"
            )
        if self.item is None:
            return array.read(box, self.name, self.complete)[rest]
        return array.read((slice(self.item, self.item + 1), *box), self.name, self.complete)[0][rest]

    def fingerprint(self) -> str:
        """Return the digest taken at ingest, or else one of every stored byte."""
        if self.digest:
            return self.digest
        return _digest_of_folder(self.path, signature(Path(self.path))) + (
            f"#{self.item}" if self.item is not None else ""
        )

    @property
    def part(self) -> int:
        """Which image of the array this is."""
        return self.item or 0

    def identity(self) -> list[Any]:
        """Return what makes another image another, without reading it."""
        return [self.path, self.part, self.digest, list(signature(Path(self.path)))]

    def __dask_tokenize__(self) -> object:
        return "bigimg-stored", self.path, self.item, self.digest, signature(Path(self.path))


@dataclass(frozen=True, eq=False)
class OpenArray:
    """A Zarr array that this process has open."""

    folder: Path
    root: Path
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    """In the byte order of the machine."""
    chunks: tuple[int, ...]
    """What is decoded at once."""
    unit: tuple[int, ...]
    """What is stored at once: a chunk, or a shard of chunks."""
    dims: tuple[str, ...]
    """Names of its axes, where the array has them."""
    by_zarr: zarr.Array[Any] | None
    """The array as zarr opens it; ``None`` where its chunks are as this package writes them."""

    @property
    def shards(self) -> tuple[int, ...] | None:
        """Shape of a shard, where there are shards."""
        return self.unit if self.unit != self.chunks else None

    def read(self, box: Box, name: str, complete: bool) -> NDArray[Any]:
        """Return the pixels in ``box``; ``name`` is for messages."""
        return (
            self._read_chunks(box, name, complete) if self.by_zarr is None else self._read_by_zarr(box, name, complete)
        )

    @property
    def count(self) -> int:
        """How many chunks (or shards) there are."""
        return prod(ceil(size / unit) for size, unit in zip(self.shape, self.unit))

    def damaged(self, complete: bool) -> Iterator[tuple[tuple[int, ...], Box, Path, str]]:
        """Yield each chunk (or shard) that is not as it was written: its index, its box, its file, and why.

        Every one is read from the disk.
        """
        for index, box, _ in _touched(tuple(slice(0, size) for size in self.shape), self.unit):
            path = self._path(index)
            try:
                if self._stat(path, index, "", complete) is None:
                    continue
                if self.by_zarr is None:
                    codecs.decode(path.read_bytes(), self.dtype, self.unit)
                else:
                    self._zarr[box]
            except CorruptChunkError as error:
                yield index, box, path, str(error).partition(" is not as it was written: ")[2].partition("; file ")[0]
            except MemoryError:
                raise
            except Exception as error:  # noqa: BLE001 - any codec's own error
                yield index, box, path, cause(error)

    def _read_chunks(self, box: Box, name: str, complete: bool) -> NDArray[Any]:
        out = np.empty(box_shape(box), self.dtype)
        for index, into, cut in _touched(box, self.unit):
            chunk = self._chunk(index, name, complete)
            out[into] = 0 if chunk is None else chunk[cut]
        return out

    def _chunk(self, index: tuple[int, ...], name: str, complete: bool) -> NDArray[Any] | None:
        path = self._path(index)
        stat = self._stat(path, index, name, complete)
        if stat is None:
            return None

        def make() -> NDArray[Any]:
            try:
                return codecs.decode(path.read_bytes(), self.dtype, self.unit)
            except (ValueError, RuntimeError, OSError) as error:
                raise self._corrupt(index, path, name, cause(error)) from error

        return _decoded.get((str(path), stat.st_ino, stat.st_mtime_ns, stat.st_size), make)

    def _read_by_zarr(self, box: Box, name: str, complete: bool) -> NDArray[Any]:
        for index, _, _ in _touched(box, self.unit):
            self._stat(self._path(index), index, name, complete)
        try:
            pixels = self._zarr[box]
        except MemoryError:
            raise
        except Exception as error:
            index, why = self._find_corrupt(box, error)
            raise self._corrupt(index, self._path(index), name, why) from error
        return np.asarray(pixels, self.dtype)

    def _find_corrupt(self, box: Box, error: Exception) -> tuple[tuple[int, ...], str]:
        units = [(index, into) for index, into, _ in _touched(box, self.unit)]
        for index, into in units:
            try:
                self._zarr[tuple(slice(b.start + i.start, b.start + i.stop) for b, i in zip(box, into))]
            except Exception as found:  # noqa: BLE001 - any codec's own error; the caller raises
                return index, cause(found)
        return units[0][0], cause(error)

    @property
    def _zarr(self) -> zarr.Array[Any]:
        assert self.by_zarr is not None
        return self.by_zarr

    def _path(self, index: tuple[int, ...]) -> Path:
        key = (
            "/".join(map(str, ("c", *index))) if self.by_zarr is None else self.by_zarr.metadata.encode_chunk_key(index)
        )
        return self.folder / key

    def _stat(self, path: Path, index: tuple[int, ...], name: str, complete: bool) -> os.stat_result | None:
        try:
            stat = path.lstat()
        except FileNotFoundError:
            if complete:
                raise self._corrupt(index, path, name, "the file is missing") from None
            return None
        if stat_flags.S_ISLNK(stat.st_mode) or not _real_folder(path.parent).is_relative_to(self.root):
            raise ReadError(
                f"image {name!r}: {path} is a link, or in a linked folder; a store keeps its chunks within itself"
            )
        if not stat_flags.S_ISREG(stat.st_mode):
            raise self._corrupt(index, path, name, "it is not a file")
        if stat.st_size == 0:
            raise self._corrupt(index, path, name, "the file is empty")
        return stat

    def _corrupt(self, index: tuple[int, ...], path: Path, name: str, why: str) -> CorruptChunkError:
        return CorruptChunkError(
            f"image {name!r}: chunk {index} of array {self.folder} is not as it was written: {why}; "
            f"file {path}: restore it from a copy, or ingest the image again"
        )


def open_array(folder: Path, root: Path) -> OpenArray:
    """Open the Zarr array in ``folder``; it stays open in this process while its metadata do not change.

    Raises
    ------
    MissingInputError, ReadError
        If there is no array, or it declares chunks beyond belief.
    """
    return _cached_array(str(folder), str(root), signature(folder))


@lru_cache(maxsize=256)
def _cached_array(folder: str, root: str, seen: tuple[int, ...]) -> OpenArray:
    if not seen:
        raise MissingInputError(f"there is no Zarr array at {folder}")
    real_root = Path(root).resolve()
    if not Path(folder).resolve().is_relative_to(real_root):
        raise ReadError(f"{folder} is a link that leaves the store {root}; do not trust this store")
    try:
        opened = _ours(Path(folder), real_root) or _by_zarr(Path(folder), real_root)
    except MemoryError:
        raise
    except Exception as error:
        raise ReadError(f"the Zarr array {folder} has damaged metadata: {cause(error)}") from error
    if prod(opened.chunks) * opened.dtype.itemsize > codecs.LARGEST_CHUNK:
        raise ReadError(
            f"the Zarr array {folder} declares chunks of {opened.chunks} {opened.dtype}; none exceeds 2 GiB"
        )
    return opened


def _ours(folder: Path, root: Path) -> OpenArray | None:
    if not (folder / "zarr.json").is_file():
        return None
    document = json.loads((folder / "zarr.json").read_text(encoding="utf-8"))
    if not codecs.is_ours(document):
        return None
    chunks = tuple(document["chunk_grid"]["configuration"]["chunk_shape"])
    dims = tuple(document["dimension_names"] or ())
    return OpenArray(
        folder, root, tuple(document["shape"]), np.dtype(document["data_type"]), chunks, chunks, dims, None
    )


def _by_zarr(folder: Path, root: Path) -> OpenArray:
    import zarr  # noqa: PLC0415 - takes half a second, and few stores need it

    array = zarr.open_array(str(folder), mode="r")
    dims = tuple(str(name) for name in getattr(array.metadata, "dimension_names", None) or ())
    dtype = np.dtype(array.dtype).newbyteorder("=")
    return OpenArray(folder, root, array.shape, dtype, array.chunks, array.shards or array.chunks, dims, array)


def signature(folder: Path) -> tuple[int, ...]:
    """Return what changes when the metadata of the array in ``folder`` do; empty where there are none."""
    for name in ("zarr.json", ".zarray"):
        try:
            stat = (folder / name).stat()
        except OSError:
            continue
        return stat.st_ino, stat.st_mtime_ns, stat.st_size
    return ()


@lru_cache(maxsize=4096)
def _real_folder(folder: Path) -> Path:
    return folder.resolve()


def _touched(box: Box, unit: tuple[int, ...]) -> Iterator[tuple[tuple[int, ...], Box, Box]]:
    """Yield each unit that ``box`` touches: its index, where it goes in the box, what of it is asked for."""
    ranges = [range(side.start // size, ceil(side.stop / size)) for side, size in zip(box, unit)]
    for index in product(*ranges):
        starts = [i * size for i, size in zip(index, unit)]
        common = [(max(b.start, s), min(b.stop, s + size)) for b, s, size in zip(box, starts, unit)]
        yield (
            index,
            tuple(slice(low - b.start, high - b.start) for (low, high), b in zip(common, box)),
            tuple(slice(low - s, high - s) for (low, high), s in zip(common, starts)),
        )


@lru_cache(maxsize=4096)
def _digest_of_folder(folder: str, seen: tuple[int, ...]) -> str:  # noqa: ARG001 - it keys the cache
    digest = sha256()
    for path in sorted(path for path in Path(folder).rglob("*") if path.is_file()):
        data = path.read_bytes()
        digest.update(f"{path.relative_to(folder).as_posix()} {len(data)} ".encode())
        digest.update(data)
    return f"sha256:{digest.hexdigest()}"
