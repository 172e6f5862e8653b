"""STAC items in JSON files beside their pixels: assets of an item that lie on one grid are the channels of an image.

An item whose assets lie on several grids, as those of Sentinel-2 do, or differ in their type of pixels, is several
images; one FeatureCollection may hold many items. Channels are in the order of the assets and called as their bands
are. What an item says is compared with the files, see :mod:`bigimg.io.readers.stac_item`. Needs rasterio.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bigimg.core.tile import Box, box_shape
from bigimg.errors import ReadError
from bigimg.io.readers import geotiff, stac_item
from bigimg.io.readers.geotiff_header import TIFF
from bigimg.io.readers.header import ImageHeader
from bigimg.io.readers.stac_item import Asset, StacItem

NAME = "stac"
SUFFIXES: tuple[str, ...] = ()
"""None: a JSON file promises no image."""

KEEPS_OPEN = geotiff.KEEPS_OPEN

Signature = tuple[int, int]
"""Bytes of a file, and its time of change."""


@dataclass(frozen=True)
class _Channel:
    """Where one channel of an image is."""

    path: Path
    band: int | None
    """Which band of the file; None where it has but one."""
    header: ImageHeader


@dataclass(frozen=True)
class _StacImage:
    header: ImageHeader
    channels: tuple[_Channel, ...]


def matches(head: bytes) -> bool:
    """Whether the file starts as a JSON object does; :func:`takes` looks further."""
    return head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{")


def takes(path: Path) -> bool:
    """Whether the JSON in the file is of STAC."""
    return stac_item.document(path) is not None


def headers(path: Path) -> list[ImageHeader]:
    """Return the images of the items in the file, having opened each of their files; none of a catalogue."""
    return [image.header for image in _images(path)]


def read(path: Path, part: int, box: Box) -> NDArray[Any]:
    """Return the pixels in ``box``; only the files of its channels are read."""
    image = _image(path, part)
    if len(box) == 2:
        return _pixels(image.channels[0], box)
    pixels = np.empty(box_shape(box), image.header.dtype)
    for place, channel in enumerate(image.channels[box[0]]):
        pixels[place] = _pixels(channel, box[1:])
    return pixels


def read_valid(path: Path, part: int, box: Box) -> NDArray[np.bool_]:
    """Return which pixels of the rows and columns in ``box`` the masks of all files let count."""
    valid = np.ones(box_shape(box), bool)
    for file in dict.fromkeys(channel.path for channel in _image(path, part).channels):
        valid &= geotiff.read_valid(file, 0, box)
    return valid


def files_of(path: Path, part: int) -> tuple[str, ...]:
    """Return the files that have pixels of an image."""
    return _image(path, part).header.files


def claims(path: Path) -> tuple[str, ...]:
    """Return the files that belong to the items in the file, whether they have pixels or not."""
    return stac_item.claims(path)


def _pixels(channel: _Channel, box: Box) -> NDArray[Any]:
    if channel.band is None:
        return geotiff.read(channel.path, 0, box)
    return geotiff.read(channel.path, 0, (slice(channel.band, channel.band + 1), *box))[0]


def _image(path: Path, part: int) -> _StacImage:
    found = _images(path)
    if part >= len(found):
        raise ReadError(f"{path} has {len(found)} images, not one of number {part}: the item was changed")
    return found[part]


def _images(path: Path) -> tuple[_StacImage, ...]:
    known = stac_item.items(path)
    files = {str(asset.path): _signature(asset.path) for item in known for asset in item.assets}
    return _opened(str(path), _signature(path), tuple(files.items()))


def _signature(path: Path) -> Signature:
    stat = path.stat()
    return stat.st_size, stat.st_mtime_ns


@lru_cache(maxsize=1024)
def _opened(path: str, own: Signature, files: tuple[tuple[str, Signature], ...]) -> tuple[_StacImage, ...]:  # noqa: ARG001
    found: list[_StacImage] = []
    for item in stac_item.items(Path(path)):
        found += _images_of(Path(path), item, len(found))
    return tuple(found)


def _images_of(path: Path, item: StacItem, first: int) -> list[_StacImage]:
    """Return the images of one item: its channels by what all channels of an image share."""
    groups: dict[Any, list[tuple[Asset, ImageHeader]]] = {}
    for asset in item.assets:
        header = _asset_header(path, asset)
        attrs = header.attrs
        key = (
            attrs.get("crs"), attrs.get("transform"), header.shape[-2:], header.dtype,
            attrs.get("nodata") is None, bool(attrs.get("mask")),
        )  # fmt: skip
        groups.setdefault(key, []).append((asset, header))
    return [_stacked(path, item, group, first + number) for number, group in enumerate(groups.values())]


def _asset_header(path: Path, asset: Asset) -> ImageHeader:
    with asset.path.open("rb") as file:
        head = file.read(16)
    if not geotiff.matches(head):
        raise ReadError(
            f"{path}: the asset {asset.key!r} is no TIFF and no JPEG 2000: {asset.path} starts with {head!r}"
        )
    if head.startswith(TIFF) and not geotiff.takes(asset.path) and geotiff.is_installed():
        # A TIFF without a place is for the plain reader, and may be of any axes.
        raise ReadError(
            f"{path}: the file {asset.path} of the asset {asset.key!r} does not say where on the Earth it lies, which "
            "pixels of a STAC item do; give it its place with gdal_translate"
        )
    (header,) = geotiff.headers(asset.path)
    return replace(header, attrs={**header.attrs, **stac_item.check_claims(path, asset, header)})


def _stacked(path: Path, item: StacItem, group: list[tuple[Asset, ImageHeader]], part: int) -> _StacImage:
    channels: list[_Channel] = []
    names: list[tuple[str, str]] = []
    nodata: list[Any] = []
    pairs: list[Any] = []
    for asset, header in group:
        count = header.shape[0] if "c" in header.dims else 1
        channels += [_Channel(asset.path, band if "c" in header.dims else None, header) for band in range(count)]
        names += [(asset.key, name) for name in _names(asset, header, count)]
        nodata += _each(header.attrs.get("nodata"), count)
        pairs += _each(header.attrs.get("scale_offset", (1.0, 0.0)), count, 1)
    first = group[0][1]
    attrs = {key: value for key, value in first.attrs.items() if key in ("crs", "transform", "scale", "units", "mask")}
    if len(channels) > 1:
        times = Counter(name for _, name in names)
        attrs["channel_names"] = tuple(name if times[name] == 1 else f"{key} {name}" for key, name in names)
    if nodata[0] is not None:
        attrs["nodata"] = nodata[0] if all(_same(value, nodata[0]) for value in nodata) else tuple(nodata)
    if any(tuple(pair) != (1.0, 0.0) for pair in pairs):
        attrs["scale_offset"] = (
            tuple(pairs[0]) if len({tuple(pair) for pair in pairs}) == 1 else tuple(map(tuple, pairs))
        )
    acquisition = dict(item.acquisition) or dict(first.attrs.get("acquisition", {}))
    if acquisition:
        attrs["acquisition"] = acquisition
    attrs["stac"] = {"id": item.id, **({"collection": item.collection} if item.collection else {})}
    files = tuple(dict.fromkeys(str(asset.path) for asset, _ in group))
    plane, unit = first.shape[-2:], first.chunks[-2:]
    is_one = len(channels) == 1
    header = ImageHeader(
        plane if is_one else (len(channels), *plane), first.dtype, ("y", "x") if is_one else ("c", "y", "x"),
        unit if is_one else (1, *unit), attrs, part, item.id, files,
    )  # fmt: skip
    return _StacImage(header.checked(path), tuple(channels))


def _names(asset: Asset, header: ImageHeader, count: int) -> list[str]:
    """Return what the item calls the bands of a file, or the file does; else what the item calls the file."""
    said = [band.get("name") or band.get("eo:common_name") or band.get("common_name") for band in asset.bands]
    if said and all(said):
        return [str(name) for name in said]
    if header.attrs.get("channel_names"):
        return [str(name) for name in header.attrs["channel_names"]]
    return [asset.key] if count == 1 else [f"{asset.key} {number}" for number in range(1, count + 1)]


def _each(value: Any, count: int, depth: int = 0) -> list[Any]:
    return list(value) if np.ndim(value) > depth else [value] * count


def _same(first: Any, second: Any) -> bool:
    return bool(first == second or (first != first and second != second))  # noqa: PLR0124 - NaN is as good as NaN
