"""Which pixels of an image count: a mask beside the values, made of what the image says of its missing pixels.

An image says so in three ways, and any of them makes a pixel invalid: the value ``nodata`` in its attributes (one
number, or one a channel), a mask in its file (attribute ``mask``), and, in an image of floating-point numbers that
knows its place on the Earth, NaN and infinity. Pixels that are not valid never enter a statistic, a filter or a
threshold.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from math import isnan
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bigimg.core.tile import Box
from bigimg.errors import BigimgError, ImageError, ParameterError, ReadError
from bigimg.io.readers import reader_named
from bigimg.io.sources import FileSource, Source, as_box, cause
from bigimg.io.stored import StoredSource, open_array

MASK = "valid"
"""The array beside the levels of a stored image that says which pixels count, where its file had a mask."""

LOOKED_AT = 16
"""Scenes of a collection whose edges are read: what is wrong with one is mostly wrong with all."""

_COLLAR_SHARE = 0.02
"""Of the pixels along the four edges of a scene: fewer that have one value in all channels are no collar."""


@dataclass(frozen=True)
class ValidSource:
    """Which pixels of ``source`` count: as an image of booleans that is read box by box."""

    source: Source

    @property
    def name(self) -> str:
        """Item id, for error messages."""
        return self.source.name

    @property
    def shape(self) -> tuple[int, ...]:
        """Size along each axis."""
        return tuple(self.source.shape)

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.source.shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Boolean."""
        return np.dtype(bool)

    @property
    def dims(self) -> tuple[str, ...]:
        """Names of the axes: those of the image."""
        return tuple(self.source.dims)

    @property
    def chunks(self) -> tuple[int, ...]:
        """The natural unit to read."""
        return tuple(self.source.chunks)

    @property
    def attrs(self) -> Mapping[str, Any]:
        """None."""
        return {}

    def __getitem__(self, index: Any) -> NDArray[np.bool_]:
        """Read a box: one slice an axis."""
        box, rest = as_box(index, self.shape)
        return np.asarray(valid_pixels(self.source, box, self.source[box])[rest])

    def fingerprint(self) -> str:
        """Return a digest of what decides which pixels count."""
        return f"valid:{self.source.fingerprint()}:{self._rule}"

    def __dask_tokenize__(self) -> object:
        return "bigimg-valid", self.source, self._rule

    @property
    def _rule(self) -> str:
        return repr((self.source.attrs.get("nodata"), self.source.attrs.get("mask")))


def validity(source: Source) -> ValidSource | None:
    """Return which pixels of ``source`` count, lazily; None where all do."""
    return ValidSource(source) if _is_masked(source) else None


def valid_pixels(source: Source, box: Box, pixels: NDArray[Any]) -> NDArray[np.bool_]:
    """Return which of the ``pixels`` in ``box`` of ``source`` count."""
    valid = np.ones(pixels.shape, bool)
    nodata = source.attrs.get("nodata")
    if nodata is not None:
        given = nodata
        if np.ndim(nodata):
            channel = box[list(source.dims).index("c")]
            given = np.reshape(list(nodata)[channel], (-1, *(1,) * (len(source.dims) - 1 - source.dims.index("c"))))
        with np.errstate(invalid="ignore"):
            valid &= pixels != given
    if pixels.dtype.kind == "f" and (nodata is not None or "transform" in source.attrs):
        valid &= np.isfinite(pixels)
    if source.attrs.get("mask"):
        valid &= mask_pixels(source, box)
    return valid


def with_nodata(source: Any, nodata: float | None) -> Any:
    """Return ``source`` with ``nodata`` for the value of missing pixels, whatever its file says.

    Raises
    ------
    ParameterError
        If no pixel of the image can have that value.
    """
    if nodata is None:
        return source
    dtype = np.dtype(source.dtype)
    fits = dtype.kind == "f" or (
        not isnan(nodata) and dtype.kind in "iu" and float(nodata).is_integer() and _holds(dtype, nodata)
    )
    if not fits:
        raise ParameterError(f"nodata must be a value that pixels of {dtype} can have (got {nodata}): {source.name}")
    kept = int(nodata) if dtype.kind in "iu" else float(nodata)
    return replace(source, attrs={**source.attrs, "nodata": kept})


def filled(pixels: Any, valid: Any) -> tuple[Any, Any]:
    """Return lazy or plain ``pixels`` to be stored with a value where they are not valid, and that value.

    Floating-point numbers have NaN for it, booleans become bytes with 255. Integers have the largest (or, of signed
    ones, the smallest) that there is.
    """
    if pixels.dtype.kind == "f":
        value: Any = float("nan")
    elif pixels.dtype.kind == "b":
        pixels, value = pixels.astype("uint8"), 255
    else:
        info = np.iinfo(pixels.dtype)
        value = int(info.max if pixels.dtype.kind == "u" else info.min)
    module = np if isinstance(pixels, np.ndarray) else _dask()
    return module.where(valid, pixels, np.asarray(value, pixels.dtype)), value


def collar_value(source: Source) -> float | None:
    """Return the value of a constant border around a scene that names no value for missing pixels; None without one.

    A scene lies turned in its rectangle: what is outside of it is filled with one value, in all channels and up to the
    corners. Only the pixels along the four edges are read, and only of an image that knows its place on the Earth.
    """
    if "transform" not in source.attrs or _is_masked(source) or source.dtype.kind == "b":
        return None
    rows, columns = source.shape[-2:]
    every = (slice(None),) * (source.ndim - 2)
    edges = [
        source[(*every, *sides)].reshape(-1, _length(sides, rows, columns))
        for sides in (
            (slice(0, 1), slice(0, columns)),
            (slice(rows - 1, rows), slice(0, columns)),
            (slice(0, rows), slice(0, 1)),
            (slice(0, rows), slice(columns - 1, columns)),
        )
    ]
    limits = (0.0,) if source.dtype.kind == "f" else (0, np.iinfo(source.dtype).max, np.iinfo(source.dtype).min)
    for value in dict.fromkeys(limits):
        same = [(edge == value).all(axis=0) for edge in edges]
        corners = sum(int(edge[at]) for edge in same[:2] for at in (0, -1))
        share = sum(int(edge.sum()) for edge in same) / sum(len(edge) for edge in same)
        if corners and share >= _COLLAR_SHARE:
            return float(value)
    return None


def collar_note(source: Source) -> str | None:
    """Return a warning of :func:`collar_value`, in words; None where there is nothing to warn of."""
    try:
        value = collar_value(source)
    except BigimgError:
        return None  # a file that cannot be read is reported by who reads it for its pixels
    if value is None:
        return None
    return (
        f"{source.name}: a border of {value:g} in all channels reaches the edge, and the file names no value for "
        f"missing pixels, so they count as measured; if they are none, give nodata {value:g} (--nodata {value:g})"
    )


def collar_notes(sources: Iterable[Source]) -> tuple[str, ...]:
    """Return the warnings of :func:`collar_note` of the first scenes that could have a collar."""
    able = (each for each in sources if "transform" in each.attrs and not _is_masked(each))
    return tuple(note for each in islice(able, LOOKED_AT) if (note := collar_note(each)))


def _length(sides: tuple[slice, slice], rows: int, columns: int) -> int:
    return len(range(*sides[0].indices(rows))) * len(range(*sides[1].indices(columns)))


def _is_masked(source: Source) -> bool:
    attrs = source.attrs
    return (
        attrs.get("nodata") is not None
        or bool(attrs.get("mask"))
        or ("transform" in attrs and np.dtype(source.dtype).kind == "f")
    )


def mask_pixels(source: Source, box: Box) -> NDArray[np.bool_]:
    """Return what the mask of ``source`` says of the rows and columns in ``box``."""
    plane = box[-2:]
    if isinstance(source, FileSource):
        read: Any = getattr(reader_named(source.reader), "read_valid", None)
        if read is None:
            raise ImageError(f"image {source.name!r} promises a mask, and its reader has none; ingest it again")
        try:
            return np.asarray(read(Path(source.path), source.part, plane), bool)
        except (BigimgError, MemoryError):
            raise
        except Exception as error:
            raise ReadError(
                f"the mask of image {source.name!r} cannot be decoded: {source.path}: {cause(error)}"
            ) from error
    if isinstance(source, StoredSource):
        folder = Path(source.path).parent / MASK
        return open_array(folder, Path(source.root or folder)).read(plane, source.name, complete=True)
    inner: Any = source
    return np.asarray(inner.read_valid(plane), bool)


def _holds(dtype: np.dtype[Any], value: float) -> bool:
    info = np.iinfo(dtype)
    return bool(info.min <= value <= info.max)


def _dask() -> Any:
    import dask.array as da  # noqa: PLC0415 - takes half a second

    return da
