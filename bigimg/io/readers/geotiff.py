"""Scenes that know their place on the Earth: GeoTIFF, cloud-optimised GeoTIFF and JPEG 2000, by windows.

They are read through rasterio. A TIFF is one of these if its header has georeference (tags 33550, 34264 or 34735);
any other is left to the plain TIFF reader, and so is every TIFF where rasterio is not installed. Bands are channels.
Values are as stored: ``scale_offset`` says what makes physical values of them, ``nodata`` and ``mask`` which are none.
Alpha is a mask, not a channel. What lies in files beside (``.msk``, ``.aux.xml``) is not read: the digest of an image
would not know of it.

A file is kept open by a process for its next tiles, by as many handles as threads read it at once: GDAL's handles are
for one thread at a time.
"""

from __future__ import annotations

import os
import warnings
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bigimg.core.tile import Box
from bigimg.errors import ImageError, MissingExtraError, ReadError
from bigimg.io import geo
from bigimg.io.readers.geotiff_header import CODESTREAM, JP2, TIFF, check_jpeg2000, check_tiff, has_place
from bigimg.io.readers.header import ImageHeader

NAME = "geotiff"
SUFFIXES: tuple[str, ...] = (".j2k", ".jp2", ".tif", ".tiff")

_STRIP_ROWS = 256
"""Rows of strips that are read together: single strips of a few rows would make a task of each."""
KEEPS_OPEN = 1
"""How many handles of a file a thread leaves open for its next tile."""
_MOST_OPEN = 32
"""Handles that wait for their next use."""
_DRIVERS = {"tiff": "GTiff", "jp2": "JP2OpenJPEG"}
_COLOURS = ("red", "green", "blue")


def matches(head: bytes) -> bool:
    """Whether the file starts as TIFF's or JPEG 2000's do; :func:`takes` looks further."""
    return head.startswith((*TIFF, JP2, CODESTREAM))


def takes(path: Path) -> bool:
    """Whether this reader is the one for a file that starts as it should."""
    if _kind(path) == "jp2":
        return True
    return is_installed() and has_place(path)


def is_installed() -> bool:
    """Whether what reads scenes is there."""
    return find_spec("rasterio") is not None


def headers(path: Path) -> list[ImageHeader]:
    """Return the image in the file, having checked that every segment of its pixels lies within it."""
    kind = _kind(path)
    (check_jpeg2000 if kind == "jp2" else check_tiff)(path)
    _check_alone(path)
    with _opened(path) as dataset:
        return [_header(path, dataset).checked(path)]


def read(path: Path, part: int, box: Box) -> NDArray[Any]:  # noqa: ARG001 - a file holds one image
    """Return the pixels in ``box``; only the blocks it touches are decoded."""
    from rasterio.windows import Window  # noqa: PLC0415 - an extra

    rows, columns = box[-2:]
    window = Window.from_slices((rows.start, rows.stop), (columns.start, columns.stop))
    with _opened(path) as dataset:
        bands = _bands(dataset)
        wanted = bands[box[0]] if len(box) == 3 else bands[0]
        if 0 in (rows.stop - rows.start, columns.stop - columns.start) or wanted == []:
            return np.empty([side.stop - side.start for side in box], dataset.dtypes[0])
        pixels = dataset.read(wanted, window=window)
    return np.ascontiguousarray(pixels, pixels.dtype.newbyteorder("="))


def read_valid(path: Path, part: int, box: Box) -> NDArray[np.bool_]:  # noqa: ARG001 - a file holds one image
    """Return which pixels of the rows and columns in ``box`` the mask or the alpha of the file lets count."""
    from rasterio.windows import Window  # noqa: PLC0415 - an extra

    rows, columns = box[-2:]
    window = Window.from_slices((rows.start, rows.stop), (columns.start, columns.stop))
    with _opened(path) as dataset:
        alpha = _alpha(dataset)
        mask = dataset.read(alpha, window=window) if alpha else dataset.read_masks(_bands(dataset)[0], window=window)
    return np.asarray(mask != 0)


def _header(path: Path, dataset: Any) -> ImageHeader:
    bands = _bands(dataset)
    if not bands:
        raise ImageError(f"{path} has no band but alpha; there is nothing to work on")
    dtypes = {dataset.dtypes[band - 1] for band in bands}
    if len(dtypes) > 1:
        raise ImageError(f"{path} has bands of several types ({', '.join(sorted(dtypes))}); save them as one")
    dtype = np.dtype(dtypes.pop())
    rows, columns = dataset.block_shapes[0]
    if columns >= dataset.width and rows < _STRIP_ROWS:
        rows *= max(1, _STRIP_ROWS // rows)
    plane = (min(rows, dataset.height), min(columns, dataset.width))
    is_one = len(bands) == 1
    together = str(dataset.profile.get("interleave", "band")) == "pixel"
    return ImageHeader(
        (dataset.height, dataset.width) if is_one else (len(bands), dataset.height, dataset.width),
        dtype,
        ("y", "x") if is_one else ("c", "y", "x"),
        plane if is_one else (len(bands) if together else 1, *plane),
        _attrs(path, dataset, bands),
    )


def _attrs(path: Path, dataset: Any, bands: list[int]) -> dict[str, Any]:
    attrs: dict[str, Any] = {}
    crs = _crs(dataset)
    if crs is not None:
        attrs["crs"] = crs
    if not dataset.transform.is_identity:
        attrs["transform"] = geo.affine(dataset.transform[:6], str(path))
    attrs |= geo.pixel_size(crs, attrs.get("transform"))
    names = _names(dataset, bands)
    if names and len(bands) > 1:
        attrs["channel_names"] = names
    found = [dataset.nodatavals[band - 1] for band in bands]
    if any(value is not None for value in found):
        if None in found:
            raise ImageError(f"{path} names a value of no data for some bands only; set it for all of them")
        values = tuple(_plain(value, dataset.dtypes[0]) for value in found)
        attrs["nodata"] = values[0] if all(_same(value, values[0]) for value in values) else values
    if _has_mask(dataset, bands[0]):
        attrs["mask"] = True
    pairs = [(float(dataset.scales[band - 1]), float(dataset.offsets[band - 1])) for band in bands]
    if any(pair != (1.0, 0.0) for pair in pairs):
        attrs["scale_offset"] = pairs[0] if len(set(pairs)) == 1 else tuple(pairs)
    tags = dataset.tags()
    time = next((tags[key] for key in ("ACQUISITIONDATETIME", "TIFFTAG_DATETIME", "datetime") if key in tags), None)
    if time:
        attrs["acquisition"] = {"time": str(time)}
    return attrs


def _crs(dataset: Any) -> str | None:
    if dataset.crs is None:
        return None
    authority = dataset.crs.to_authority()
    return ":".join(authority) if authority else str(dataset.crs.to_wkt())


def _names(dataset: Any, bands: list[int]) -> tuple[str, ...]:
    described = [dataset.descriptions[band - 1] for band in bands]
    if all(described):
        return tuple(map(str, described))
    colours = [dataset.colorinterp[band - 1].name for band in bands]
    if tuple(colours[:3]) == _COLOURS:
        return tuple(name or (colour if colour in _COLOURS else f"band {band}")
                     for name, colour, band in zip(described, colours, bands))  # fmt: skip
    return tuple(name or f"band {band}" for name, band in zip(described, bands)) if any(described) else ()


def _bands(dataset: Any) -> list[int]:
    alpha = _alpha(dataset)
    return [band for band in range(1, dataset.count + 1) if band != alpha]


def _alpha(dataset: Any) -> int | None:
    return next((band for band, each in enumerate(dataset.colorinterp, 1) if each.name == "alpha"), None)


def _has_mask(dataset: Any, band: int) -> bool:
    flags = {flag.name for flag in dataset.mask_flag_enums[band - 1]}
    return _alpha(dataset) is not None or ("per_dataset" in flags and "nodata" not in flags)


def _plain(value: float, dtype: str) -> float | int:
    return int(value) if np.dtype(dtype).kind in "iu" and float(value).is_integer() else float(value)


def _same(first: float, second: float) -> bool:
    return first == second or (first != first and second != second)  # noqa: PLR0124 - NaN is as good as NaN


def _kind(path: Path) -> str:
    with path.open("rb") as file:
        return "tiff" if file.read(4) in TIFF else "jp2"


def _check_alone(path: Path) -> None:
    beside = path.with_name(f"{path.name}.msk")
    if beside.exists():
        raise ImageError(
            f"{path} has its mask in another file, {beside.name}, which is not read; put it into the file with "
            "gdal_translate --config GDAL_TIFF_INTERNAL_MASK YES"
        )


class _Handles:
    """Open files that nobody uses at the moment, the one used last at the end."""

    def __init__(self) -> None:
        self._free: OrderedDict[tuple[Any, ...], list[Any]] = OrderedDict()
        self._lock = Lock()

    def take(self, key: tuple[Any, ...]) -> Any:
        with self._lock:
            waiting = self._free.get(key)
            return waiting.pop() if waiting else None

    def put(self, key: tuple[Any, ...], dataset: Any) -> None:
        closing = []
        with self._lock:
            # Of a file that has changed the handles see the old one.
            for stale in [known for known in self._free if known[0] == key[0] and known != key]:
                closing += self._free.pop(stale)
            self._free.setdefault(key, []).append(dataset)
            self._free.move_to_end(key)
            while sum(map(len, self._free.values())) > _MOST_OPEN:
                oldest = next(iter(self._free))
                closing += self._free[oldest][:1]  # none where all are lent
                del self._free[oldest][:1]
                if not self._free[oldest]:
                    del self._free[oldest]
        for each in closing:
            each.close()

    def forget(self) -> None:
        """Leave the files to the process that has opened them."""
        self._free, self._lock = OrderedDict(), Lock()


_handles = _Handles()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_handles.forget)


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """Lend a handle of the file to one thread; one that failed is closed, not kept."""
    try:
        import rasterio  # noqa: PLC0415 - an extra
        from rasterio.errors import RasterioError  # noqa: PLC0415
    except ImportError as error:
        raise MissingExtraError(f'{path} needs rasterio: pip install "bigimg[geo]"') from error
    stat = path.stat()
    key = (str(path), stat.st_size, stat.st_mtime_ns)
    # Of the folder around the file GDAL need not know: it may hold a million others.
    with rasterio.Env(GDAL_DISABLE_READDIR_ON_OPEN="EMPTY_DIR", GDAL_PAM_ENABLED="NO", GDAL_NUM_THREADS="1"):
        dataset = _handles.take(key)
        try:
            if dataset is None:
                dataset = _open(rasterio, path)
            yield dataset
        except RasterioError as error:
            _close(dataset)
            said = " ".join(str(error.__cause__ or error).split())
            raise ReadError(f"{path} cannot be decoded: {said}; copy it again from where it came") from error
        except BaseException:
            _close(dataset)
            raise
    _handles.put(key, dataset)


def _open(rasterio: Any, path: Path) -> Any:
    with warnings.catch_warnings():
        # A scene without georeference, as some JPEG 2000 are, is an image like any other.
        warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
        return rasterio.open(path, driver=_DRIVERS[_kind(path)], sharing=False)


def _close(dataset: Any) -> None:
    if dataset is not None:
        with suppress(Exception):
            dataset.close()
