"""Sources: where the pixels of one image are, as small frozen values that travel to any process and open there.

A source is anything with ``shape``, ``dtype``, ``dims``, ``chunks`` and ``source[box] -> ndarray``: an image in a file
(:class:`FileSource`), an image in a Zarr store (:class:`bigimg.io.stored.StoredSource`), and what is made of files:
scenes side by side (:class:`bigimg.io.mosaic.MosaicSource`) and one after the other
(:class:`bigimg.io.series.SeriesSource`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from bigimg.core.tile import Box
from bigimg.errors import BigimgError, MissingInputError, ReadError
from bigimg.io.names import shown
from bigimg.io.readers import Reader, reader_named
from bigimg.io.readers.header import ImageHeader

DIMS = ("t", "c", "z", "y", "x")
"""Every axis an image can have, in the one order they have here and in OME-Zarr."""


@runtime_checkable
class Source(Protocol):
    """Where the pixels of one image are."""

    @property
    def name(self) -> str:
        """Item id, for error messages and tables."""
        ...

    @property
    def shape(self) -> tuple[int, ...]:
        """Size along each axis."""
        ...

    @property
    def ndim(self) -> int:
        """Number of axes."""
        ...

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of a pixel, in the byte order of the machine."""
        ...

    @property
    def dims(self) -> tuple[str, ...]:
        """Names of the axes: those of ``t, c, z, y, x`` that exist, in this order."""
        ...

    @property
    def chunks(self) -> tuple[int, ...]:
        """The natural unit to read: pixels of one unit cost one decoding."""
        ...

    @property
    def attrs(self) -> Mapping[str, Any]:
        """``scale`` and ``units`` an axis, ``channel_names``, ``nodata``, ``acquisition``; those that are known."""
        ...

    def __getitem__(self, index: Any) -> NDArray[Any]:
        """Read a box: one slice an axis."""
        ...

    def fingerprint(self) -> str:
        """Return a digest of the content, whatever its path and its time of change."""
        ...


@dataclass(frozen=True)
class FileSource:
    """One image in an image file."""

    name: str
    """Item id."""
    path: str
    """Absolute path of the file."""
    reader: str
    """Name of the reader, in ``bigimg.io.readers``."""
    part: int
    """Which of the images in the file."""
    size: int
    """Bytes of the file when it was opened; of an image of several files, of all of them."""
    mtime_ns: int
    """Its time of change then (the sum of theirs): a file that is replaced under a run is an error, never a mixture."""
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    dims: tuple[str, ...]
    chunks: tuple[int, ...]
    attrs: Mapping[str, Any] = field(hash=False)
    files: int = 1
    """How many files have pixels of it. Which others they are its reader says: a name of each would travel with every
    task."""

    @classmethod
    def of(cls, path: Path, name: str, reader: str, header: ImageHeader) -> FileSource:
        """Describe the image with ``header`` in the file at ``path``."""
        return cls(
            name, str(path), reader, header.part, *_size_and_time([path, *header.files]),
            header.shape, header.dtype, header.dims, header.chunks, header.attrs, 1 + len(header.files),
        )  # fmt: skip

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    def __getitem__(self, index: Any) -> NDArray[Any]:
        """Read a box of pixels.

        Raises
        ------
        ReadError
            If the file is damaged, or has changed since it was opened; names the item and the file.
        MissingInputError
            If the file is gone.
        """
        box, rest = as_box(index, self.shape)
        self._check_unchanged()
        return read_pixels(reader_named(self.reader), Path(self.path), self.part, box, self.name)[rest]

    def fingerprint(self) -> str:
        """Return the SHA-256 of the file, or of those of its files, and which image of it this is."""
        self._check_unchanged()
        digests = []
        for path in sorted(self.paths(), key=lambda path: Path(path).name):
            stat = Path(path).stat()
            digests.append(digest_of_file(str(path), stat.st_size, stat.st_mtime_ns))
        digest = digests[0] if self.files == 1 else sha256("".join(digests).encode()).hexdigest()
        return f"sha256:{digest}" + (f"#{self.part}" if self.part else "")

    def identity(self) -> list[Any]:
        """Return what makes another file another one, without reading it."""
        return [self.path, self.part, self.size, self.mtime_ns]

    def __dask_tokenize__(self) -> object:
        return "bigimg-file", self.path, self.part, self.size, self.mtime_ns

    def paths(self) -> list[str]:
        """Return the absolute paths of its files."""
        if self.files == 1:
            return [self.path]
        files_of: Any = reader_named(self.reader).files_of  # type: ignore[attr-defined]
        return [self.path, *files_of(Path(self.path), self.part)]

    def _check_unchanged(self) -> None:
        try:
            paths = self.paths()
            size, mtime_ns = _size_and_time(paths)
        except FileNotFoundError as error:
            raise MissingInputError(f"image {self.name!r} is gone: there is no {error.filename or self.path}") from None
        except ReadError as error:
            # What says which other files there are cannot be read any more.
            raise ReadError(f"image {self.name!r} has changed since it was opened: {error}") from error
        if (len(paths), size, mtime_ns) != (self.files, self.size, self.mtime_ns):
            raise ReadError(
                f"image {self.name!r} has changed since it was opened: {self.path} had {self.size} bytes"
                f"{f' in {self.files} files' if self.files > 1 else ''}, now has {size}; open the input again when "
                "nobody writes to it"
            )


def _size_and_time(paths: Sequence[str | Path]) -> tuple[int, int]:
    """Return the bytes of some files together, and the sum of their times: any change of one changes it."""
    stats = [Path(path).stat() for path in paths]
    return sum(stat.st_size for stat in stats), sum(stat.st_mtime_ns for stat in stats)


def read_pixels(reader: Reader, path: Path, part: int, box: Box, name: str) -> NDArray[Any]:
    """Return the pixels of the image ``name`` in ``box``; whatever goes wrong in the reader is a damaged file.

    Raises
    ------
    ReadError
        Names the image and the file.
    """
    try:
        return reader.read(path, part, box)
    except (BigimgError, MemoryError):
        raise
    except Exception as error:
        raise ReadError(
            f"image {name!r} cannot be decoded: {shown(path)}: {cause(error)}; the file is damaged or cut; "
            "copy it again from where it came, or leave it out with on_error='skip'"
        ) from error


@lru_cache(maxsize=65536)
def digest_of_file(path: str, size: int, mtime_ns: int) -> str:  # noqa: ARG001 - they key the cache
    """Return the SHA-256 of the file at ``path``; read once a process while the file stays the same."""
    with Path(path).open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def as_box(index: Any, shape: tuple[int, ...]) -> tuple[Box, tuple[Any, ...]]:
    """Split any basic index into the box to read and what is left to do in memory.

    Examples
    --------
    >>> as_box((slice(2, 8, 3), 4), (10, 20))
    ((slice(2, 8, None), slice(4, 5, None)), (slice(None, None, 3), 0))
    >>> as_box(..., (10, 20))
    ((slice(0, 10, None), slice(0, 20, None)), (slice(None, None, 1), slice(None, None, 1)))
    """
    given = index if isinstance(index, tuple) else (index,)
    if any(part is Ellipsis for part in given):
        at = next(i for i, part in enumerate(given) if part is Ellipsis)
        given = given[:at] + (slice(None),) * (len(shape) - len(given) + 1) + given[at + 1 :]
    given += (slice(None),) * (len(shape) - len(given))
    if len(given) != len(shape):
        raise IndexError(f"{len(given)} indices for an image of {len(shape)} axes")
    sides, rest = zip(*(_side(part, size) for part, size in zip(given, shape)))
    return sides, rest


def _side(part: Any, size: int) -> tuple[slice, Any]:
    if isinstance(part, slice):
        start, stop, step = part.indices(size)
        if step < 1:
            raise IndexError("an image is read forwards: steps are at least 1")
        return slice(start, max(start, stop)), slice(None, None, step)
    at = int(part) + (size if part < 0 else 0)
    if not 0 <= at < size:
        raise IndexError(f"index {part} is outside an axis of {size} pixels")
    return slice(at, at + 1), 0


def cause(error: BaseException) -> str:
    """Return what went wrong in one line: libraries raise errors with empty or many-lined messages."""
    said = " ".join(str(error).split())
    return f"{type(error).__name__}: {said[:300]}" if said else type(error).__name__
