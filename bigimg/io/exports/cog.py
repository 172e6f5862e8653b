"""Cloud-optimised GeoTIFF: tiles, overviews, place on the earth, no-data; written by GDAL in bounded memory.

Needs rasterio (``pip install "bigimg[geo]"``).
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np

from bigimg.errors import ImageError, MissingExtraError, OutputError, ParameterError
from bigimg.io.exports.levels import blocks
from bigimg.io.exports.subjects import COLOURS, placed
from bigimg.io.pyramid import Kind
from bigimg.io.sources import Source

TILE = 512
"""Rows and columns of a tile."""

_CACHE_MEGABYTES = 256


def write_cog(source: Source, path: Path, scratch: Path, kind: Kind = "image", place: Source | None = None) -> None:
    """Write an image, or labels, as a cloud-optimised GeoTIFF; channels are its bands.

    Overviews are means of valid pixels, of labels the label that is most often there.

    Parameters
    ----------
    scratch
        Folder for the plain GeoTIFF that GDAL makes it of.
    place
        The image whose ``crs``, ``transform`` say where it is; by default ``source``.

    Raises
    ------
    ImageError
        If it has several times or depths.
    MissingExtraError
        If rasterio is not installed.
    OutputError
        If the disk refuses.
    """
    rasterio = load_rasterio()
    sizes = dict(zip(source.dims, source.shape))
    deep = [f"{dim} = {sizes[dim]}" for dim in "tz" if sizes.get(dim, 1) > 1]
    if deep:
        raise ImageError(
            f"image {source.name!r} has {', '.join(deep)}, and a GeoTIFF has bands, rows and columns only; export "
            "ome-tiff, or ome-zarr"
        )
    attrs = (place or source).attrs
    crs, transform = placed(attrs)
    nodata = 0 if kind == "labels" else source.attrs.get("nodata")
    dtype = np.dtype(np.uint8) if source.dtype.kind == "b" else source.dtype
    profile: dict[str, Any] = {
        "driver": "GTiff", "width": sizes["x"], "height": sizes["y"], "count": sizes.get("c", 1),
        "dtype": "float32" if dtype == np.float16 else dtype.name, "tiled": True, "blockxsize": TILE,
        "blockysize": TILE, "bigtiff": "IF_SAFER", "interleave": "band",
    }  # fmt: skip
    if transform is not None:
        profile["transform"] = rasterio.Affine(*transform)
    if nodata is not None:
        profile["nodata"] = nodata
    plain = scratch / "plain.tif"
    scratch.mkdir(parents=True, exist_ok=True)
    errors = rasterio.errors
    try:
        with rasterio.Env(GDAL_CACHEMAX=_CACHE_MEGABYTES), warnings.catch_warnings():
            # An image of no place is one, too.
            warnings.simplefilter("ignore", errors.NotGeoreferencedWarning)
            try:
                where = rasterio.crs.CRS.from_user_input(crs) if crs is not None else None
            except errors.CRSError as error:
                raise ParameterError(
                    f"image {source.name!r}: the system of coordinates {crs!r} is not known"
                ) from error
            with rasterio.open(plain, "w", crs=where, **profile) as file:
                _copy(rasterio, source, file, profile["dtype"])
            rasterio.shutil.copy(
                plain, path, driver="COG", blocksize=TILE, compress="DEFLATE", predictor="YES", bigtiff="IF_SAFER",
                overviews="IGNORE_EXISTING", overview_resampling="MODE" if kind == "labels" else "AVERAGE",
                num_threads="ALL_CPUS",
            )  # fmt: skip
    except (errors.RasterioError, OSError) as error:
        raise OutputError(f"{path} cannot be written: {error}; is the disk full?") from error
    finally:
        plain.unlink(missing_ok=True)


def load_rasterio() -> Any:
    """Return rasterio, or say how to get it."""
    try:
        import rasterio  # noqa: PLC0415 - an extra
        import rasterio.shutil  # noqa: PLC0415
    except ImportError as error:
        raise MissingExtraError(
            'a cloud-optimised GeoTIFF is written by rasterio, which is not installed: pip install "bigimg[geo]"'
        ) from error
    return rasterio


def _copy(rasterio: Any, source: Source, file: Any, dtype: str) -> None:
    unit = tuple(min(TILE, size) if dim in "yx" else 1 for dim, size in zip(source.dims, source.shape))
    for box in blocks(source, unit):
        sides = dict(zip(source.dims, box))
        bands = sides.get("c", slice(0, 1))
        pixels = source[box].astype(dtype, copy=False).reshape(bands.stop - bands.start, *source[box].shape[-2:])
        window = rasterio.windows.Window.from_slices(
            (sides["y"].start, sides["y"].stop), (sides["x"].start, sides["x"].stop)
        )
        file.write(pixels, list(range(bands.start + 1, bands.stop + 1)), window=window)
    names = source.attrs.get("channel_names", ())
    if len(names) == file.count:
        for number, name in enumerate(names, 1):
            file.set_band_description(number, str(name))
    if tuple(names) == COLOURS:
        file.colorinterp = [getattr(rasterio.enums.ColorInterp, name) for name in COLOURS]
