"""Whether a TIFF or JPEG 2000 file is whole, and whether a TIFF knows its place on the Earth, from its first bytes."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import tifffile

from bigimg.errors import ReadError

TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
JP2 = b"\0\0\0\x0cjP  \r\n\x87\n"
CODESTREAM = b"\xff\x4f\xff\x51"
"""How a JPEG 2000 file without boxes starts."""

_GEO_TAGS = {33550, 33922, 34264, 34735, 42112, 42113}
"""Pixel scale, tie points, transformation, geographic keys; GDAL's metadata and its value of no data."""
_PLACING = {33550, 34264, 34735}
_SAMPLES_APART = 2
_END_OF_CODESTREAM = b"\xff\xd9"
_MOST_ENTRIES = 4096


def has_place(path: Path) -> bool:
    """Whether the first page of the TIFF at ``path`` says where on the Earth it lies; two small reads."""
    try:
        with path.open("rb") as file:
            tags = set(_tags(file))
    except (OSError, struct.error):
        return False
    return bool(tags & _PLACING)


def check_tiff(path: Path) -> None:
    """Make sure that every page and segment lies within the file.

    Raises
    ------
    ReadError
        If one does not.
    """
    size = path.stat().st_size
    try:
        with tifffile.TiffFile(path, _multifile=False) as tif:
            # Following the chain to its end: a file cut short would just have fewer pages.
            ends = [_end(page) for page in tif.pages]
    except Exception as error:
        raise ReadError(f"{path} is a damaged TIFF: {type(error).__name__}: {error}; copy it again") from error
    if not ends:
        raise ReadError(f"{path} is cut short: it has no page; copy it again from where it came")
    for number, end in enumerate(ends):
        if end > size:
            raise ReadError(
                f"{path} is cut short: page {number} has pixels up to byte {end}, the file ends at {size}; "
                "copy it again from where it came"
            )


def _end(page: Any) -> int:
    places = zip(getattr(page, "dataoffsets", ()), getattr(page, "databytecounts", ()))
    return max((at + count for at, count in places if count), default=0)


def check_jpeg2000(path: Path) -> None:
    """Make sure that the boxes of a JPEG 2000 file lie within it, and its codestream has an end.

    OpenJPEG decodes what there is of a file that is cut, and leaves the rest black.

    Raises
    ------
    ReadError
        If not.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        start, end = (0, size) if file.read(4) == CODESTREAM else _codestream(file, path, size)
        file.seek(max(start, end - 2))
        if file.read(2) != _END_OF_CODESTREAM:
            raise ReadError(f"{path} is cut short: its JPEG 2000 codestream has no end; copy it again")


def _codestream(file: BinaryIO, path: Path, size: int) -> tuple[int, int]:
    at = 0
    while at < size:
        file.seek(at)
        head = file.read(16)
        if len(head) < 8:
            break
        length, kind = struct.unpack(">I4s", head[:8])
        body = at + 8
        if length == 1 and len(head) == 16:
            length, body = struct.unpack(">Q", head[8:])[0], at + 16
        end = size if length == 0 else at + length
        if end > size or end < body:
            raise ReadError(f"{path} is cut short: a box reaches to byte {end}, the file ends at {size}; copy it again")
        if kind == b"jp2c":
            return body, end
        at = end
    raise ReadError(f"{path} is cut short: it has no JPEG 2000 codestream; copy it again from where it came")


def _tags(file: BinaryIO) -> Iterator[int]:
    """Yield the numbers of the tags of the first page."""
    head = file.read(16)
    if head[:4] not in TIFF:
        return
    order = "<" if head[:2] == b"II" else ">"
    is_big = struct.unpack(f"{order}H", head[2:4])[0] == 43
    if is_big:
        (at,) = struct.unpack(f"{order}Q", head[8:16])
        count_size, entry = 8, 20
    else:
        (at,) = struct.unpack(f"{order}I", head[4:8])
        count_size, entry = 2, 12
    file.seek(at)
    (count,) = struct.unpack(f"{order}{'Q' if is_big else 'H'}", file.read(count_size))
    table = file.read(min(count, _MOST_ENTRIES) * entry)
    for place in range(0, len(table) - entry + 1, entry):
        yield struct.unpack(f"{order}H", table[place : place + 2])[0]
