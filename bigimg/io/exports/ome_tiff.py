"""OME-TIFF pyramids: tiles, compressed, written one after the other, with sizes of pixels and names of channels."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bigimg.errors import ImageError, OutputError
from bigimg.io.exports.levels import levels_of
from bigimg.io.exports.subjects import COLOURS
from bigimg.io.pyramid import Kind
from bigimg.io.sources import Source

TILE = 512
"""Rows and columns of a tile."""

BIG = 2**32 - 2**25
"""Bytes from which a file is a BigTIFF; headers need some room."""

SYMBOLS = {
    "angstrom": "Å",
    "nanometer": "nm",
    "micrometer": "µm",
    "millimeter": "mm",
    "centimeter": "cm",
    "meter": "m",
    "inch": "in",
    "millisecond": "ms",
    "second": "s",
    "minute": "min",
    "hour": "h",
    "day": "d",
}
"""OME-XML's symbols of the units of OME-Zarr."""

_CENTIMETERS = {"nanometer": 1e-7, "micrometer": 1e-4, "millimeter": 0.1, "centimeter": 1.0, "meter": 100.0}


def write_ome_tiff(source: Source, path: Path, scratch: Path, kind: Kind = "image") -> None:
    """Write an image, or labels, as one OME-TIFF: every level, tile by tile.

    Booleans become 0 and 1, half-precision numbers single ones.

    Raises
    ------
    ImageError
        If the pixels are integers of 64 bits, which OME-TIFF has not.
    OutputError
        If the disk refuses.
    """
    import tifffile  # noqa: PLC0415 - takes a tenth of a second

    dtype = _stored_dtype(source)
    colour = tuple(source.attrs.get("channel_names", ())) == COLOURS
    levels = levels_of(source, kind, scratch)
    # What is compressed is smaller as a rule, but what cannot be compressed must fit too.
    size = sum(prod(level.shape) for level in levels) * dtype.itemsize
    axes = [dim.upper() for dim in source.dims if not (colour and dim == "c")] + ["S"] * colour
    try:
        with tifffile.TiffWriter(path, bigtiff=size > BIG, ome=True) as file:
            for number, level in enumerate(levels):
                sizes = dict(zip(level.dims, level.shape))
                file.write(
                    _tiles(level, dtype, colour),
                    shape=tuple(sizes[axis.lower() if axis != "S" else "c"] for axis in axes),
                    dtype=dtype,
                    tile=(TILE, TILE),
                    photometric="rgb" if colour else "minisblack",
                    planarconfig="contig" if colour else None,
                    compression="zlib",
                    predictor=True,
                    software="bigimg",
                    subifds=len(levels) - 1 if number == 0 else None,
                    subfiletype=1 if number else 0,
                    metadata={"axes": "".join(axes), **_metadata(source, colour)} if number == 0 else None,
                    **_resolution(source, 2**number),
                )
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror or error}; is the disk full?") from error


def _stored_dtype(source: Source) -> np.dtype[Any]:
    if source.dtype.kind in "iu" and source.dtype.itemsize == 8:
        raise ImageError(
            f"image {source.name!r} is {source.dtype}, and OME-TIFF has integers of at most 32 bits; export ome-zarr"
        )
    if source.dtype.kind == "b":
        return np.dtype(np.uint8)
    return np.dtype(np.float32) if source.dtype == np.float16 else source.dtype


def _tiles(level: Source, dtype: np.dtype[Any], colour: bool) -> Iterator[NDArray[Any]]:
    """Yield the tiles of each plane, row by row; those at the end of the image are filled up."""
    plane = ("c", "y", "x") if colour else ("y", "x")
    before = [range(size) for dim, size in zip(level.dims, level.shape) if dim not in plane]
    height, width = level.shape[-2:]
    for index in product(*before):
        for row in range(0, height, TILE):
            numbers = iter(index)
            box: list[slice] = []
            for dim, size in zip(level.dims, level.shape):
                if dim in plane:
                    box.append(slice(row, min(row + TILE, height)) if dim == "y" else slice(0, size))
                else:
                    at = next(numbers)
                    box.append(slice(at, at + 1))
            band = level[tuple(box)]
            # Other axes have one place; colours go last (where a stack stands between, it has one plane here).
            band = band.reshape([size for size, dim in zip(band.shape, level.dims) if dim in plane])
            band = (np.moveaxis(band, 0, -1) if colour else band).astype(dtype, copy=False)
            for column in range(0, width, TILE):
                tile = band[:, column : column + TILE]
                more = [(0, TILE - tile.shape[0]), (0, TILE - tile.shape[1]), (0, 0)][: tile.ndim]
                yield np.pad(tile, more, mode="edge") if any(after for _, after in more) else np.ascontiguousarray(tile)


def _metadata(source: Source, colour: bool) -> dict[str, Any]:
    scale, units = source.attrs.get("scale", {}), source.attrs.get("units", {})
    found: dict[str, Any] = {"Name": source.name}
    for dim in scale:
        symbol = SYMBOLS.get(units.get(dim, ""))
        if symbol is not None and dim in "tzyx":
            key = "TimeIncrement" if dim == "t" else f"PhysicalSize{dim.upper()}"
            found |= {key: float(scale[dim]), f"{key}Unit": symbol}
    names = source.attrs.get("channel_names", ())
    if names and not colour:
        found["Channel"] = {"Name": [str(name) for name in names]}
    return found


def _resolution(source: Source, shrunk: int) -> dict[str, Any]:
    """Return the density of pixels for readers of plain TIFF."""
    scale, units = source.attrs.get("scale", {}), source.attrs.get("units", {})
    sizes = [float(scale.get(dim, 0)) * _CENTIMETERS.get(units.get(dim, ""), 0) * shrunk for dim in "xy"]
    if not all(sizes):
        return {}
    return {"resolution": (1 / sizes[0], 1 / sizes[1]), "resolutionunit": "CENTIMETER"}
