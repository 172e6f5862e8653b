"""What a STAC item says (https://stacspec.org): its assets that have pixels, and what it claims of them.

Only files are read, and only those in the folder of the item or below it: an item may come from anywhere, and name any
file of this machine. What it claims is compared with the headers of its files: where both say something else, nobody
knows which is right.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import numpy as np

from bigimg.errors import ImageError, MissingInputError, ReadError
from bigimg.io import geo
from bigimg.io.readers.header import ImageHeader

_LARGEST = 64 * 2**20
"""Bytes of a description that are read."""
_PIXELS = ("image/tiff", "image/jp2", "image/vnd.stac.geotiff")
_SUFFIXES = (".tif", ".tiff", ".jp2", ".j2k")
_NO_DATA_ROLES = {"thumbnail", "overview", "visual", "metadata"}
_TYPES = {"Feature", "FeatureCollection", "Catalog", "Collection"}
_DATA_TYPES = {
    "int8",
    "int16",
    "int32",
    "int64",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "float16",
    "float32",
    "float64",
}


@dataclass(frozen=True)
class Asset:
    """A file of an item that has pixels, and what the item says of it."""

    key: str
    """What the item calls it."""
    path: Path
    said: Mapping[str, Any]
    """The properties of the item, and over them those of the asset."""

    @property
    def bands(self) -> Sequence[Mapping[str, Any]]:
        """What is said of each band: STAC 1.1 has one list for all, before it were two."""
        named = [self.said.get(key) for key in ("raster:bands", "eo:bands", "bands")]
        lists = [[each for each in given if isinstance(each, dict)] for given in named if isinstance(given, list)]
        longest = max(map(len, lists), default=0)
        padded = [given + [{}] * (longest - len(given)) for given in lists]
        return [{key: value for part in parts for key, value in part.items()} for parts in zip(*padded)]


@dataclass(frozen=True)
class StacItem:
    """One item."""

    id: str
    collection: str | None
    acquisition: Mapping[str, Any]
    """``time``, and ``end`` where it is an interval."""
    assets: tuple[Asset, ...]


def document(path: Path) -> dict[str, Any] | None:
    """Return the STAC object in the file at ``path``, or None where it is none.

    Raises
    ------
    ReadError
        If it is too large to be one.
    """
    stat = path.stat()
    return _document(str(path), stat.st_size, stat.st_mtime_ns)


@lru_cache(maxsize=1024)
def _document(path: str, size: int, mtime_ns: int) -> dict[str, Any] | None:  # noqa: ARG001 - they key the cache
    if size > _LARGEST:
        return None
    try:
        found = json.loads(Path(path).read_bytes())
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or found.get("type") not in _TYPES:
        return None
    if found["type"] == "FeatureCollection":
        features = found.get("features")
        is_stac = isinstance(features, list) and bool(features) and all(map(_is_item, features))
        return found if is_stac else None
    return found if isinstance(found.get("stac_version"), str) else None


def items(path: Path) -> list[StacItem]:
    """Return the items in the file at ``path``; none of a catalogue, which has but links.

    Raises
    ------
    ReadError
        If it is no STAC object, or an item names pixels that are not in its folder.
    """
    found = document(path)
    if found is None:
        raise ReadError(f"{path} is no STAC item that can be read: its JSON is damaged, or says something else")
    if found["type"] in ("Catalog", "Collection"):
        return []
    given = found["features"] if found["type"] == "FeatureCollection" else [found]
    return [_item(path, each) for each in given]


def claims(path: Path) -> tuple[str, ...]:
    """Return the files beside the item at ``path`` that belong to it, its thumbnail and its metadata among them."""
    found = document(path) or {}
    given = found.get("features", [found])
    assets = [asset for each in given for asset in _mapping(each.get("assets")).values() if isinstance(asset, dict)]
    inside = []
    for asset in assets:
        try:
            inside.append(str(_file(path, str(asset.get("href")), "an asset")))
        except ReadError:
            continue  # of somewhere else, and so no file beside it
    return tuple(inside)


def linked(path: Path) -> list[Path]:
    """Return the items that the catalogue or collection at ``path`` leads to, all in its folder or below.

    Raises
    ------
    ReadError
        If a link leads out of the folder, or to what is no STAC object.
    MissingInputError
        If it leads nowhere.
    """
    root, found, waiting, known = path.resolve().parent, [], [path.resolve()], {path.resolve()}
    while waiting:
        here = waiting.pop(0)
        said = document(here)
        if said is None:
            raise ReadError(f"{here} is no STAC object that can be read: its JSON is damaged, or says something else")
        if said["type"] in ("Feature", "FeatureCollection"):
            found.append(here)
            continue
        for href in _links(said):
            target = _file(here, href, "the link", root)
            if not target.is_file():
                raise MissingInputError(f"{here} has a link to {href}, and there is no {target}")
            if target not in known:
                known.add(target)
                waiting.append(target)
    return found


def is_catalog(path: Path) -> bool:
    """Whether the file at ``path`` is a STAC catalogue or collection."""
    if not path.is_file():  # opening a pipe would wait for somebody to write into it
        return False
    try:
        with path.open("rb") as file:
            starts = file.read(64).lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{")
        return starts and (document(path) or {}).get("type") in ("Catalog", "Collection")
    except OSError:
        return False


def check_claims(path: Path, asset: Asset, header: ImageHeader) -> dict[str, Any]:
    """Return what an item says of a file and the file does not, having compared what both say.

    Raises
    ------
    ReadError
        If they say something else; names both.
    """
    said, attrs = asset.said, header.attrs
    count = header.shape[header.dims.index("c")] if "c" in header.dims else 1
    _compare_place(path, asset, header)
    if asset.bands and len(asset.bands) != count:
        raise _mismatch(path, asset, "bands", len(asset.bands), count)
    kind = _first(said, asset.bands, "data_type")
    if kind in _DATA_TYPES and kind != header.dtype.name:
        raise _mismatch(path, asset, "data_type", kind, header.dtype.name)
    found: dict[str, Any] = {}
    nodata = _number(_first(said, asset.bands, "nodata"))
    if nodata is not None:
        known = attrs.get("nodata")
        if known is None:
            found["nodata"] = int(nodata) if header.dtype.kind in "iu" and float(nodata).is_integer() else nodata
        elif np.ndim(known) == 0 and not (known == nodata or (np.isnan(known) and np.isnan(nodata))):
            raise _mismatch(path, asset, "nodata", nodata, known)
    pairs = [_scale(said, band) for band in asset.bands] or [_scale(said, {})] * count
    if any(pair != (1.0, 0.0) for pair in pairs):
        known = attrs.get("scale_offset")
        every = [tuple(known)] * count if known is not None and np.ndim(known) == 1 else known
        if every is not None and [tuple(map(float, pair)) for pair in every] != pairs:
            raise _mismatch(path, asset, "scale and offset", pairs, every)
        found["scale_offset"] = pairs[0] if len(set(pairs)) == 1 else tuple(pairs)
    return found


def _compare_place(path: Path, asset: Asset, header: ImageHeader) -> None:
    said, attrs = asset.said, header.attrs
    for key in ("proj:code", "proj:epsg"):
        code = said.get(key)
        if code is None:
            continue
        wanted = str(code).upper() if key == "proj:code" else f"EPSG:{code}"
        if str(attrs.get("crs", "none")).upper() != wanted:
            raise _mismatch(path, asset, key, code, attrs.get("crs", "none"))
    shape = said.get("proj:shape")
    if shape is not None and list(shape) != list(header.shape[-2:]):
        raise _mismatch(path, asset, "proj:shape", list(shape), list(header.shape[-2:]))
    if said.get("proj:transform") is not None:
        wanted_map = geo.affine(said["proj:transform"], f"{path}: proj:transform of asset {asset.key!r}")
        known = attrs.get("transform")
        if known is None or not _near(wanted_map, known, header.shape[-2:]):
            raise _mismatch(path, asset, "proj:transform", list(wanted_map), "none" if known is None else list(known))


def _near(first: Sequence[float], second: Sequence[float], shape: Sequence[int]) -> bool:
    """Whether two maps put every corner of an image within a hundredth of a pixel of one another."""
    size = min(np.hypot(second[0], second[3]), np.hypot(second[1], second[4]))
    rows, columns = shape
    for row in (0, rows):
        for column in (0, columns):
            away = [
                (first[start] - second[start]) * column
                + (first[start + 1] - second[start + 1]) * row
                + (first[start + 2] - second[start + 2])
                for start in (0, 3)
            ]
            if max(map(abs, away)) > 0.01 * size:
                return False
    return True


def _mismatch(path: Path, asset: Asset, what: str, said: Any, found: Any) -> ReadError:
    return ReadError(
        f"{path} says {what} {said} of its asset {asset.key!r}, and the file {asset.path} has {found}; one of both is "
        "wrong: correct the item, or leave it out"
    )


def _item(path: Path, given: Mapping[str, Any]) -> StacItem:
    properties = _mapping(given.get("properties"))
    assets = {key: each for key, each in _mapping(given.get("assets")).items() if isinstance(each, dict)}
    chosen = [(key, each) for key, each in assets.items() if _has_pixels(each)]
    named = [(key, each) for key, each in chosen if "data" in _roles(each)]
    if not chosen:
        raise ImageError(
            f"{path}: the item {given.get('id')!r} has no asset with pixels (it has {', '.join(assets) or 'none'}); "
            f"pixels are {', '.join(_SUFFIXES)}"
        )
    found = []
    for key, each in named or chosen:
        file = _file(path, str(each.get("href")), f"the asset {key!r}")
        if not file.is_file():
            raise MissingInputError(
                f"{path}: there is no file {file} of the asset {key!r}; download it, or leave it out"
            )
        found.append(Asset(key, file, {**properties, **each}))
    collection = given.get("collection")
    return StacItem(
        str(given.get("id")), collection if isinstance(collection, str) else None, _times(properties), tuple(found)
    )


def _times(properties: Mapping[str, Any]) -> dict[str, Any]:
    time = properties.get("datetime") or properties.get("start_datetime")
    if not isinstance(time, str):
        return {}
    end = properties.get("end_datetime")
    return {"time": time, **({"end": end} if isinstance(end, str) and end != time else {})}


def _file(path: Path, href: str, what: str, root: Path | None = None) -> Path:
    """Return the file that ``href`` in the STAC object at ``path`` leads to.

    Raises
    ------
    ReadError
        If it is none of this folder.
    """
    here = path.resolve().parent
    root = here if root is None else root
    scheme = urlsplit(href).scheme
    if len(scheme) > 1:
        raise ReadError(f"{path}: {what} is at {href}; only files are read: download it into {root}, and name it there")
    target = (here / unquote(href)).resolve()
    if not target.is_relative_to(root):
        raise ReadError(f"{path}: {what} leads out of the folder {root}, to {target}; move the file into the folder")
    return target


def _links(said: Mapping[str, Any]) -> Iterator[str]:
    links = said.get("links")
    for link in links if isinstance(links, list) else ():
        if isinstance(link, dict) and link.get("rel") in ("item", "child") and isinstance(link.get("href"), str):
            yield link["href"]


def _has_pixels(asset: Mapping[str, Any]) -> bool:
    kind = str(asset.get("type") or "").partition(";")[0].strip().lower()
    href = str(asset.get("href") or "").lower()
    is_image = kind in _PIXELS or (not kind and href.endswith(_SUFFIXES))
    return is_image and ("data" in _roles(asset) or not _roles(asset) & _NO_DATA_ROLES)


def _roles(asset: Mapping[str, Any]) -> set[str]:
    roles = asset.get("roles")
    return {str(role) for role in roles} if isinstance(roles, list) else set()


def _first(said: Mapping[str, Any], bands: Sequence[Mapping[str, Any]], key: str) -> Any:
    if said.get(key) is not None:
        return said[key]
    values = [band.get(key) for band in bands]
    return values[0] if values and all(value == values[0] for value in values) else None


def _scale(said: Mapping[str, Any], band: Mapping[str, Any]) -> tuple[float, float]:
    both = {**said, **band}
    pair = [_number(both.get(f"raster:{key}", band.get(key))) for key in ("scale", "offset")]
    return (1.0 if pair[0] is None else pair[0]), (0.0 if pair[1] is None else pair[1])


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return float(value)
    except ValueError:
        return None


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _is_item(value: Any) -> bool:
    return isinstance(value, dict) and value.get("type") == "Feature" and isinstance(value.get("stac_version"), str)
