"""Where the pixels of a TIFF file lie: its images, their pages and segments, taken from the file once and kept."""

from __future__ import annotations

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

CANONICAL = ("t", "c", "z", "y", "x")
_KNOWN = {"T": "t", "C": "c", "S": "c", "Z": "z", "Y": "y", "X": "x"}
_SIDE_IMAGES = {"Label", "Macro", "Overview", "Thumbnail"}


@dataclass(frozen=True)
class Plane:
    """One page: where its segments are."""

    offsets: tuple[int, ...]
    byte_counts: tuple[int, ...]
    contiguous: bool
    jpeg_tables: bytes | None


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


def layout_of(path: Path, size: int) -> tuple[Series, ...]:
    """Return the images in the TIFF at ``path`` of ``size`` bytes.

    Raises
    ------
    ReadError
        If a page or a segment lies outside the file.
    """
    _check_pages(path, size)
    with tifffile.TiffFile(path, _multifile=False) as tif:
        found = [
            _series(tif, series, number, path, size)
            for number, series in enumerate(tif.series)
            if number == 0 or series.name not in _SIDE_IMAGES
        ]
    if not found:
        raise ReadError(f"{path} is a TIFF without a page; it was cut short: copy it again from where it came")
    return tuple(found)


def _series(tif: Any, series: Any, number: int, path: Path, size: int) -> Series:
    page, leading = series.keyframe, series.shape[: len(series.shape) - len(series.keyframe.shape)]
    if series.transform is not None or page.dtype is None:
        raise ImageError(f"{path} is a {series.kind} file, whose pixels are not read here; convert it to OME-TIFF")
    together = series.dataoffset is not None
    whole = together and (page.is_final and prod(leading) != len(series.pages))
    if whole:
        # ImageJ and tifffile write one page for a whole stack that lies in one piece.
        planes = [Plane((series.dataoffset,), (series.nbytes,), contiguous=True, jpeg_tables=None)]
    else:
        planes = [_plane(each, position, path) for position, each in enumerate(series.pages)]
        if len(planes) != prod(leading) or not series.axes.endswith(page.axes):
            raise ReadError(
                f"{path} has {len(planes)} pages, its metadata promise {prod(leading)}: {series.axes} {series.shape}"
            )
    for position, plane in enumerate(planes):
        _check_segments(plane, page, path, position, size)
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
        stored_dtype=np.dtype(series.dtype).newbyteorder(tif.byteorder),
        page_ndim=len(series.shape) if whole else len(page.shape),
        all_planes=tuple(planes),
        tiled=page.is_tiled,
        samples_apart=samples > 1,
        segment_shape=(1, *(min(a, b) for a, b in zip(tile, (depth, max(rows, 1), max(columns, 1))))),
        segment_counts=(samples, *(ceil(a / b) for a, b in zip((depth, rows, columns), tile))),
        empty=page.nodata,
        decode=page.decode,
        raw=_raw(tif, page, series),
    )


def _plane(page: Any, position: int, path: Path) -> Plane:
    if page is None:
        raise ReadError(
            f"{path}: plane {position} is in another file, or missing; convert the set of files to one OME-TIFF"
        )
    return Plane(tuple(page.dataoffsets), tuple(page.databytecounts), page.keyframe.is_final, page.jpegtables)


def _raw(tif: Any, page: Any, series: Any) -> dict[str, Any]:
    return {
        "ome": tif.ome_metadata if tif.is_ome else None,
        "imagej": dict(tif.imagej_metadata or {}) if tif.is_imagej else None,
        "resolution": tuple(page.resolution) if tif.is_imagej else None,
        "nodata": page.nodata if 42113 in page.tags else None,  # GDAL_NODATA
        "date": page.tags["DateTime"].value if "DateTime" in page.tags else None,
        "colours": _colours(page) if "S" in series.axes else (),
    }


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


def _check_pages(path: Path, size: int) -> None:
    """Follow the chain of pages: tifffile stops where it breaks, and a file cut short would just have fewer pages."""
    with path.open("rb") as file:
        order = "<" if file.read(2) == b"II" else ">"
        big = struct.unpack(f"{order}H", file.read(2))[0] == 43
        count_format, entry, link_format = (f"{order}Q", 20, f"{order}Q") if big else (f"{order}H", 12, f"{order}I")
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
