"""Where the pixels of a TIFF file lie: its images, their pages and segments, taken from the file once and kept."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import product
from math import ceil, prod
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import tifffile

from bigimg.core.tile import Box
from bigimg.errors import ImageError, ReadError
from bigimg.io.readers.tiff_set import FileSet, check_set

LARGEST_SEGMENT = 2 * 2**30
"""Bytes of pixels in a piece that must be decoded whole."""

_LARGEST_EMPTY = 2**30
"""Bytes of an image that are believed to be one value where the file stores none of them."""

_MOST = {5: 1400, 8: 1040, 32773: 65, 32946: 1040, 50013: 1040}
"""Bytes that a byte can stand for, by compression: LZW of 12 bits, Deflate, PackBits. Others have no such limit."""

_SLACK = 4096
"""Bytes that are forgiven: a piece so small may be padded."""

CANONICAL = ("t", "c", "z", "y", "x")
_KNOWN = {"T": "t", "C": "c", "S": "c", "Z": "z", "Y": "y", "X": "x"}
_SIDE_IMAGES = {"Label", "Macro", "Map", "Overview", "Thumbnail"}


@dataclass(frozen=True)
class Plane:
    """One page: where its segments are."""

    offsets: tuple[int, ...]
    byte_counts: tuple[int, ...]
    contiguous: bool
    jpeg_tables: bytes | None
    file: str
    """Path of the file that it is in."""
    jpeg_header: bytes | None = None
    """Of the one JPEG picture that all segments are parts of, as Hamamatsu's scanners write."""


@dataclass(frozen=True, eq=False)
class Series:
    """One image of the file; ``axes`` and ``shape`` are in the order of the file."""

    part: int
    name: str
    axes: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    stored_dtype: np.dtype[Any]
    page_ndim: int
    all_planes: tuple[Plane, ...]
    tiled: bool
    samples_apart: bool
    segment_shape: tuple[int, int, int, int]
    """Of a tile or strip: samples apart, depth, rows, columns."""
    segment_counts: tuple[int, int, int, int]
    empty: float
    """The value of a segment that is not stored."""
    decode: Callable[..., Any]
    raw: dict[str, Any] = field(default_factory=dict)
    """OME-XML, ImageJ's metadata and tags, not yet understood."""
    files: tuple[str, ...] = ()
    """Paths of the files of its set; none of an image of one file."""

    @property
    def page_shape(self) -> tuple[int, ...]:
        """Shape of a page along the last axes of the image."""
        return self.shape[len(self.shape) - self.page_ndim :]

    @property
    def file_dims(self) -> tuple[str, ...]:
        """Names of the axes in the order of the file."""
        return name_axes(self.axes)

    @property
    def dims(self) -> tuple[str, ...]:
        """Names of the axes in the order they have here."""
        return tuple(name for name in CANONICAL if name in self.file_dims)

    @property
    def file_order(self) -> tuple[int, ...]:
        """For each of ``dims``, which axis of the file it is."""
        return tuple(self.file_dims.index(name) for name in self.dims)

    @property
    def unit(self) -> tuple[int, ...]:
        """Pixels along each axis of the file that one segment holds."""
        along = {"Y": self.segment_shape[2], "X": self.segment_shape[3], "Z": self.segment_shape[1]}
        along["S"] = 1 if self.samples_apart else self.shape[self.axes.index("S")] if "S" in self.axes else 1
        leading = len(self.shape) - self.page_ndim
        return tuple(1 if at < leading else along[axis] for at, axis in enumerate(self.axes))

    def planes(self, box: Box) -> Iterator[tuple[tuple[Any, ...], Plane, Box]]:
        """Yield where in ``box`` a page goes, the page, and the box within it."""
        leading = len(self.shape) - self.page_ndim
        counts = self.shape[:leading]
        for index in product(*(range(side.start, side.stop) for side in box[:leading])):
            number = int(np.ravel_multi_index(index, counts)) if leading else 0
            into = tuple(at - side.start for at, side in zip(index, box))
            yield into, self.all_planes[number], box[leading:]

    def normalised(self, box: Box) -> Box:
        """Return the ``box`` of a page along samples apart, depth, rows, columns, samples together."""
        places = {"Z": 1, "Y": 2, "X": 3, "S": 0 if self.samples_apart else 4}
        sides = [slice(0, 1)] * 5
        for axis, side in zip(self.axes[len(self.axes) - self.page_ndim :], box):
            sides[places[axis]] = side
        return tuple(sides)

    def segments(self, sides: Box) -> Iterator[int]:
        """Yield the numbers of the segments that the normalised box touches."""
        ranges = [range(side.start // size, ceil(side.stop / size)) for side, size in zip(sides, self.segment_shape)]
        for index in product(*ranges):
            yield int(np.ravel_multi_index(index, self.segment_counts))


def name_axes(axes: str) -> tuple[str, ...]:
    """Return the names of tifffile's ``axes``; those that mean nothing here become ``t``, then ``z``, then ``c``.

    Examples
    --------
    >>> name_axes("QYX"), name_axes("ZYXS")
    (('t', 'y', 'x'), ('z', 'y', 'x', 'c'))
    """
    free = [name for name in ("t", "z", "c") if name not in {_KNOWN.get(axis) for axis in axes}]
    names = []
    for axis in axes:
        if axis not in _KNOWN and not free:
            raise ImageError(f"axes {axes} are more than t, c, z, y, x can name; save the image with fewer")
        names.append(_KNOWN[axis] if axis in _KNOWN else free.pop(0))
    if len(set(names)) < len(names):
        raise ImageError(f"axes {axes} name the channels twice; save samples and channels along one axis")
    return tuple(names)


def layout_of(path: Path, size: int, of: FileSet | None = None) -> tuple[Series, ...]:
    """Return the images in the TIFF at ``path`` of ``size`` bytes, or those of the set that it is the first file of.

    Raises
    ------
    ReadError
        If a page or a segment lies outside the file, or a file of the set is missing or of another one.
    """
    _check_pages(path, size)
    if of is not None:
        check_set(of)
        for file in of.files:
            _check_pages(file, file.stat().st_size)
    xml = of.companion.read_text(encoding="utf-8") if of is not None and of.companion else None
    with tifffile.TiffFile(path, _multifile=of is not None, omexml=xml) as tif:
        found = [
            _series(tif, series, number, path, of)
            for number, series in enumerate(tif.series)
            if number == 0 or series.name not in _SIDE_IMAGES
        ]
        _check_left_out(tif, {each.part for each in found})
    if not found:
        raise ReadError(f"{path} is a TIFF without a page; it was cut short: copy it again from where it came")
    return tuple(found)


def _series(tif: Any, series: Any, number: int, path: Path, of: FileSet | None) -> Series:
    page, leading = series.keyframe, series.shape[: len(series.shape) - len(series.keyframe.shape)]
    if series.transform is not None or page.dtype is None:
        raise ImageError(f"{path} is a {series.kind} file, whose pixels are not read here; convert it to OME-TIFF")
    if page.compression == 33003:
        # Its samples are YCbCr, at times fewer for colours, and its tags say RGB: they would be taken for that.
        raise ImageError(
            f"{path} is compressed by Aperio's JPEG 2000 in YCbCr (33003), whose colours are not converted here; "
            "convert it to OME-TIFF with Bio-Formats or vips"
        )
    together = series.dataoffset is not None and not series.is_multifile
    whole = together and (page.is_final and prod(leading) != len(series.pages))
    if whole:
        # ImageJ and tifffile write one page for a whole stack that lies in one piece.
        planes = [Plane((series.dataoffset,), (series.nbytes,), True, None, page.parent.filehandle.path)]
    else:
        planes = [_plane(each, position, path, page) for position, each in enumerate(series.pages)]
        if len(planes) != prod(leading) or not series.axes.endswith(page.axes):
            raise ReadError(
                f"{path} has {len(planes)} pages, its metadata promise {prod(leading)}: {series.axes} {series.shape}"
            )
    for position, plane in enumerate(planes):
        file = Path(plane.file)
        _check_segments(plane, page, file, position, file.stat().st_size)
        _check_declared(plane, page, file, position)
    stored = any(count for plane in planes for count in plane.byte_counts)
    if not stored and prod(series.shape) * np.dtype(series.dtype).itemsize > _LARGEST_EMPTY:
        raise ReadError(
            f"{path} declares {series.axes} {tuple(series.shape)} and stores none of these pixels: its header is "
            "damaged, or it was never filled; write it again"
        )
    tile = (
        (page.tiledepth, page.tilelength, page.tilewidth) if page.is_tiled else (1, page.rowsperstrip, page.imagewidth)
    )
    samples, depth, rows, columns, _ = page.shaped
    return Series(
        part=number,
        name=series.name,
        axes=series.axes,
        shape=tuple(series.shape),
        dtype=np.dtype(series.dtype).newbyteorder("="),
        stored_dtype=np.dtype(series.dtype).newbyteorder(page.parent.byteorder),
        page_ndim=len(series.shape) if whole else len(page.shape),
        all_planes=tuple(planes),
        tiled=page.is_tiled,
        samples_apart=samples > 1,
        segment_shape=(1, *(min(a, b) for a, b in zip(tile, (depth, max(rows, 1), max(columns, 1))))),
        segment_counts=(samples, *(ceil(a / b) for a, b in zip((depth, rows, columns), tile))),
        empty=page.nodata,
        decode=page.decode,
        raw=_raw(tif, page, series),
        files=() if of is None else tuple(dict.fromkeys(str(file) for file in (*of.files, of.metadata))),
    )


def _check_left_out(tif: Any, read: set[int]) -> None:
    """Check that what is not read is there: a file without the end of its smallest level is cut short too."""
    for number, series in enumerate(tif.series):
        for level in series.levels[1 if number in read else 0 :]:
            for position, page in enumerate(level.pages):
                if page is not None:
                    file = Path(page.parent.filehandle.path)
                    plane = _plane(page, position, file, page.keyframe)
                    _check_segments(plane, page.keyframe, file, position, file.stat().st_size)


def _plane(page: Any, position: int, path: Path, like: Any) -> Plane:
    if page is None:
        raise ReadError(f"{path}: plane {position} is missing: no file of its set has it; copy the whole set again")
    file = page.parent.filehandle.path
    if page.keyframe.hash != like.hash or page.parent.byteorder != like.parent.byteorder:
        raise ReadError(
            f"{path}: plane {position}, of {file}, is stored otherwise than the first; convert the set to one OME-TIFF"
        )
    return Plane(
        tuple(page.dataoffsets), tuple(page.databytecounts), page.keyframe.is_final, page.jpegtables, file,
        page.keyframe.jpegheader,
    )  # fmt: skip


def _raw(tif: Any, page: Any, series: Any) -> dict[str, Any]:
    return {
        "ome": tif.ome_metadata if tif.is_ome else None,
        "imagej": dict(tif.imagej_metadata or {}) if tif.is_imagej else None,
        "resolution": tuple(page.resolution) if tif.is_imagej else None,
        "micrometers": _slide_scale(tif, page),
        "nodata": page.nodata if 42113 in page.tags else None,  # GDAL_NODATA
        "date": page.tags["DateTime"].value if "DateTime" in page.tags else None,
        "colours": _colours(page) if "S" in series.axes else (),
    }


def _slide_scale(tif: Any, page: Any) -> tuple[float, float] | None:
    """Return rows and columns of a pixel in micrometers, as scanners of slides write them."""
    if tif.is_svs:
        found = re.search(r"\|\s*MPP\s*=\s*([0-9.]+)", page.description)
        return (float(found[1]), float(found[1])) if found else None
    if tif.is_ndpi and page.resolutionunit == 3 and all(page.resolution):  # pixels a centimeter
        across, down = page.resolution
        return 1e4 / down, 1e4 / across
    return None


def _colours(page: Any) -> tuple[str, ...]:
    if page.photometric not in {2, 6}:  # RGB, YCBCR
        return ()
    has_alpha = bool(page.extrasamples) and page.extrasamples[0] in {1, 2}
    return ("red", "green", "blue", *(("alpha",) if has_alpha else ()))


def _check_segments(plane: Plane, page: Any, path: Path, position: int, size: int) -> None:
    counts = (page.nbytes,) if plane.contiguous and len(plane.offsets) > 1 else plane.byte_counts
    end = max((at + count for at, count in zip(plane.offsets, counts)), default=0)
    if not plane.offsets or end > size:
        raise ReadError(
            f"{path} is cut short: page {position} has pixels up to byte {end}, the file ends at {size}; "
            "copy it again from where it came"
        )
    if not plane.contiguous and len(plane.offsets) < prod(page.chunked):
        raise ReadError(f"{path} is damaged: page {position} has {len(plane.offsets)} of {prod(page.chunked)} segments")


def _check_declared(plane: Plane, page: Any, path: Path, position: int) -> None:
    """Check that pieces can hold what the header says, before memory is asked for: few bytes may declare terabytes."""
    if plane.contiguous:
        if sum(plane.byte_counts) < page.nbytes:
            raise ReadError(
                f"{path} is cut short: page {position} declares {page.nbytes} bytes of pixels and has "
                f"{sum(plane.byte_counts)}; copy it again from where it came"
            )
        return
    pixels = prod(page.chunks)
    size = pixels * page.dtype.itemsize
    if size > LARGEST_SEGMENT:
        raise ReadError(
            f"{path}: page {position} is in pieces of {size / 2**30:.1f} GiB, each decoded whole, which may be "
            f"{LARGEST_SEGMENT // 2**30} GiB at most: its header is damaged, or it should be saved in tiles"
        )
    if page.compression not in _MOST:
        return
    # The last strip may have fewer rows.
    rows = 1 if page.is_tiled else page.rowsperstrip
    strips = 0 if page.is_tiled else ceil(page.imagelength / rows)
    for number, count in enumerate(plane.byte_counts):
        is_last = strips and (number + 1) % strips == 0
        left = (page.imagelength - 1) % rows + 1 if is_last else rows
        wanted = pixels // rows * left * page.bitspersample // 8
        if count and wanted > count * _MOST[page.compression] + _SLACK:
            raise ReadError(
                f"{path} is damaged: page {position} declares {wanted} bytes of pixels in a piece of {count}, which "
                "cannot stand for so many; copy it again from where it came"
            )


def _check_pages(path: Path, size: int) -> None:
    """Follow the chain of pages: tifffile stops where it breaks, and a file cut short would just have fewer pages."""
    with path.open("rb") as file:
        if size < 8:
            raise ReadError(f"{path} is cut short: it has {size} bytes; copy it again from where it came")
        order = "<" if file.read(2) == b"II" else ">"
        big = struct.unpack(f"{order}H", file.read(2))[0] == 43
        count_format, entry, link_format = (f"{order}Q", 20, f"{order}Q") if big else (f"{order}H", 12, f"{order}I")
        if not big and order == "<" and path.suffix.lower() == ".ndpi":
            link_format = "<Q"  # classic TIFF but for this
        file.seek(8 if big else 4)
        seen: set[int] = set()
        at = _number(file, link_format)
        while at:
            if at in seen:
                raise ReadError(f"{path} is damaged: its pages run in a circle")
            seen.add(at)
            file.seek(at)
            count = _number(file, count_format)
            file.seek(at + struct.calcsize(count_format) + (count or 0) * entry)
            following = _number(file, link_format)
            if not count or following is None:
                raise ReadError(
                    f"{path} is cut short: page {len(seen) - 1} should start at byte {at}, the file ends at {size}; "
                    "copy it again from where it came"
                )
            at = following
        if at is None or not seen:
            raise ReadError(f"{path} is cut short: it has no page; copy it again from where it came")


def _number(file: BinaryIO, layout: str) -> int | None:
    data = file.read(struct.calcsize(layout))
    return struct.unpack(layout, data)[0] if len(data) == struct.calcsize(layout) else None
