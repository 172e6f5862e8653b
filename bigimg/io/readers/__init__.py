"""Readers of image files, one module a family. The first bytes decide which one reads a file; its name only promises.

Which file in a folder is an image:

* a file whose first bytes are those of a known kind is an image, whatever it is called;
* a STAC item (JSON) is an image, or several, of the files it names; these are no images of their own then;
* a file that is called ``.png``, ``.jpg``, ``.tif`` ... and is not one is an error that names it;
* any other file (``README.txt``, ``measurements.csv``) is *not an image*: an error under ``on_error="fail"``, skipped
  and reported under ``"skip"``;
* hidden files (``.DS_Store``, ``._copy.png``), ``Thumbs.db`` and ``desktop.ini`` come from file managers: ignored.
"""

from __future__ import annotations

import stat
from pathlib import Path

from bigimg.errors import ReadError
from bigimg.io.readers import geotiff, hdf5, npy, raster, stac, tiff, video
from bigimg.io.readers.header import ImageHeader, Reader

READERS: tuple[Reader, ...] = (raster, geotiff, tiff, npy, video, hdf5, stac)
"""Every reader."""

SUFFIXES = tuple(sorted({suffix for reader in READERS for suffix in reader.SUFFIXES}))
"""Suffixes of file names that promise an image."""

HEAD = 16
"""How many first bytes tell the kind of a file."""

__all__ = ["READERS", "SUFFIXES", "ImageHeader", "Reader", "find_reader", "reader_named"]


def reader_named(name: str) -> Reader:
    """Return the reader called ``name``."""
    return next(reader for reader in READERS if name == reader.NAME)


def find_reader(path: Path) -> Reader:
    """Return the reader for the file at ``path``.

    Raises
    ------
    ReadError
        If the file is not an image, or not the one its name promises.
    """
    try:
        # Opening a pipe would wait for somebody to write into it.
        is_file = stat.S_ISREG(path.stat().st_mode)
        head = b""
        if is_file:
            with path.open("rb") as file:
                head = file.read(HEAD)
    except OSError as error:
        raise ReadError(f"{path} cannot be opened: {error.strerror or error}") from error
    if not is_file:
        raise ReadError(f"{path} is not a file but a pipe, a socket, a device or a folder; leave it out")
    for reader in READERS:
        if reader.matches(head) and _takes(reader, path):
            return reader
    if not head:
        raise ReadError(f"{path} is empty: it has 0 bytes; copy it again from where it came, or remove it")
    if path.suffix.lower() in SUFFIXES:
        raise ReadError(
            f"{path} is not the {path.suffix[1:].upper()} image its name promises: it starts with {head[:12]!r}; "
            "copy it again from where it came, or remove it"
        )
    raise ReadError(f"{path} is not an image: it starts with {head[:12]!r}; images are {', '.join(SUFFIXES)}")


def _takes(reader: Reader, path: Path) -> bool:
    """Ask a reader that shares its first bytes with another one."""
    takes = getattr(reader, "takes", None)
    return takes is None or bool(takes(path))
