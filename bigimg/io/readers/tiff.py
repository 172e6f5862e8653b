"""TIFF, BigTIFF, OME-TIFF, ImageJ, SVS and NDPI, read by segment: a crop of a tiled file decodes the tiles it touches.

Axes are tifffile's: ``T C Z Y X`` by their names, ``S`` (samples of a pixel) as ``c``. Pages that nothing names (a
plain multi-page file) are taken for ``t``: each page is an image of its own, and nothing is smoothed or joined across
them. Files of one OME-TIFF set are one image (:mod:`bigimg.io.readers.tiff_set`). Every series of a file with several
is an image of its own; pyramid levels, and the labels and thumbnails of slide scanners, are left out.

Values are as stored: palettes are not applied (microscopes use them as false colours), ``MINISWHITE`` is not inverted.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

from bigimg.core.tile import Box
from bigimg.errors import ImageError, MissingExtraError, ReadError
from bigimg.io.readers import tiff_set
from bigimg.io.readers.header import ImageHeader
from bigimg.io.readers.tiff_layout import Plane, Series, layout_of
from bigimg.io.readers.tiff_metadata import metadata_of

NAME = "tiff"
SUFFIXES: tuple[str, ...] = (".btf", ".tf8", ".tif", ".tiff", ".svs", ".ndpi")

_MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_STRIP_ROWS = 256
"""Rows of strips that are read together: single strips of a few rows (Hamamatsu's tiles have 8) would make a task of
each."""


def matches(head: bytes) -> bool:
    """Whether the file starts as TIFF's do."""
    return head.startswith(_MAGIC)


def headers(path: Path) -> list[ImageHeader]:
    """Return the images in the file, having checked that every page and segment lies within it."""
    return [_header(path, series) for series in _layout(path)]


def read(path: Path, part: int, box: Box) -> NDArray[Any]:
    """Return the pixels in ``box``; only the segments it touches are decoded."""
    series = _layout(path)[part]
    order = series.file_order
    file_box: list[slice] = [slice(0, 1)] * len(series.axes)
    for axis, side in zip(order, box):
        file_box[axis] = side
    out = np.empty([side.stop - side.start for side in file_box], series.dtype)
    try:
        for name, planes in groupby(series.planes(tuple(file_box)), lambda each: each[1].file):
            with Path(name).open("rb") as file:
                for at, plane, plane_box in planes:
                    out[at] = _read_plane(file, plane, series, plane_box)
    except ValueError as error:
        if "imagecodecs" in str(error):
            raise MissingExtraError(f"{path}: {error}: pip install imagecodecs") from error
        raise
    return np.ascontiguousarray(out.transpose(order))


def _header(path: Path, series: Series) -> ImageHeader:
    dims = series.dims
    shape = tuple(series.shape[axis] for axis in series.file_order)
    units = series.unit
    if not series.tiled or series.all_planes[0].jpeg_header is not None:
        rows = series.axes.index("Y")
        step = units[rows] * max(1, _STRIP_ROWS // units[rows])
        units = (*units[:rows], min(step, series.shape[rows]), *units[rows + 1 :])
    chunks = tuple(min(units[axis], series.shape[axis]) for axis in series.file_order)
    return ImageHeader(
        shape,
        series.dtype,
        dims,
        chunks,
        metadata_of(series, dims, shape),
        series.part,
        series.name,
        tuple(each for each in series.files if each != str(path.resolve())),
    ).checked(path)


def _read_plane(file: Any, plane: Plane, series: Series, box: Box) -> NDArray[Any]:
    """Return the pixels in ``box``, given along the axes of a page."""
    if plane.contiguous:
        # Uncompressed and in one piece: the operating system reads the pages of the box.
        mapped = np.memmap(file, series.stored_dtype, "r", plane.offsets[0], series.page_shape)
        return mapped[box]
    sides = series.normalised(box)
    out = np.full([side.stop - side.start for side in sides], series.empty, series.dtype)
    for index in series.segments(sides):
        out_part, segment = _segment(file, plane, series, index, sides)
        if segment is not None:
            out[out_part] = segment
    return out.reshape([side.stop - side.start for side in box])


def _segment(
    file: Any, plane: Plane, series: Series, index: int, sides: Box
) -> tuple[tuple[slice, ...], NDArray[Any] | None]:
    """Return where the pixels of one segment go, and those of them that are asked for."""
    data = None
    if plane.byte_counts[index]:
        file.seek(plane.offsets[index])
        data = file.read(plane.byte_counts[index])
    more = {} if plane.jpeg_header is None else {"jpegheader": plane.jpeg_header}
    decoded, starts, shape = series.decode(data, index, jpegtables=plane.jpeg_tables, **more)
    # Tiles at the border of the image may come cut.
    sizes = (1, *(shape if decoded is None else decoded.shape))
    common = [
        slice(max(side.start, start), min(side.stop, start + size)) for side, start, size in zip(sides, starts, sizes)
    ]
    into = tuple(slice(c.start - s.start, c.stop - s.start) for c, s in zip(common, sides))
    if decoded is None:
        return into, None
    cut = tuple(slice(c.start - start, c.stop - start) for c, start in zip(common, starts))
    return into, decoded.reshape(sizes)[cut]


def set_of(path: Path) -> str:
    """Return what all files of one OME-TIFF set have in common; empty for an image of one file."""
    found = tiff_set.set_of(path)
    return "" if found is None else str(found.metadata)


def files_of(path: Path, part: int) -> tuple[str, ...]:
    """Return the other files of the image, as its header has them."""
    own = str(path.resolve())
    return tuple(each for each in _layout(path)[part].files if each != own)


def _layout(path: Path) -> tuple[Series, ...]:
    of = tiff_set.set_of(path)
    files = (path,) if of is None else (of.first, *of.files, of.metadata)
    return _cached_layout(str(files[0]), of, tuple(_seen(file) for file in files))


def _seen(path: Path) -> tuple[int, int]:
    """Return what changes when the file does; of one that is gone too."""
    try:
        stat = path.stat()
    except FileNotFoundError:
        return -1, -1
    return stat.st_size, stat.st_mtime_ns


@lru_cache(maxsize=128)
def _cached_layout(path: str, of: tiff_set.FileSet | None, seen: tuple[tuple[int, int], ...]) -> tuple[Series, ...]:
    try:
        return layout_of(Path(path), seen[0][0], of)
    except tifffile.TiffFileError as error:
        raise ReadError(f"{path} is a damaged TIFF: {error}; copy it again from where it came") from error
    except (ImageError, ReadError):
        raise
    except Exception as error:
        raise ReadError(f"{path} is a damaged TIFF: {type(error).__name__}: {error}; copy it again") from error
