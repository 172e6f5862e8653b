"""STAC items: where each scene of a collection is, when it was taken, and where its pixels are (https://stacspec.org).

Needs pyproj (``pip install "bigimg[vector]"``) for the outline in longitude and latitude.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bigimg.errors import ImageError, MissingExtraError, OutputError, ParameterError
from bigimg.io.exports.subjects import Subject, placed
from bigimg.io.sources import FileSource
from bigimg.io.stored import StoredSource
from bigimg.io.times import parse_time

VERSION = "1.0.0"
PROJECTION = "https://stac-extensions.github.io/projection/v2.0.0/schema.json"

CATALOG = "catalog.json"

_EDGE = 21
"""Points along each side of an outline: a straight line of a map is a curve in longitude and latitude."""


def write_stac(subjects: Sequence[Subject], folder: Path, dest: Path, title: str) -> None:
    """Write a catalog of STAC items, one a scene, with links to its pixels relative to ``dest``.

    Scenes without a time have the interval from 1900 until they were exported, as the specification wants one.

    Raises
    ------
    ImageError
        If an image has no place on the earth: its ``crs`` and ``transform`` are not known.
    """
    lost = [subject.name for subject in subjects if None in placed(subject.source.attrs)]
    if lost:
        more = f" and {len(lost) - 4} more" if len(lost) > 4 else ""
        raise ImageError(
            f"no place on the earth (crs and transform) is known of {', '.join(lost[:4])}{more}; STAC items are of "
            "scenes with one: choose those with items"
        )
    links = [{"rel": "root", "href": f"./{CATALOG}", "type": "application/json"}]
    for subject in subjects:
        item = stac_item(subject, dest)
        links.append({"rel": "item", "href": f"./{subject.name}/{subject.name}.json", "type": "application/geo+json"})
        _write(folder / subject.name / f"{subject.name}.json", item)
    catalog = {
        "type": "Catalog",
        "stac_version": VERSION,
        "id": title,
        "description": f"Scenes of {title}, as bigimg has them",
        "links": links,
    }
    _write(folder / CATALOG, catalog)


def stac_item(subject: Subject, dest: Path) -> dict[str, Any]:
    """Return the STAC item of a scene; it will be at ``dest/<id>/<id>.json``."""
    crs, transform = placed(subject.source.attrs)
    assert crs is not None
    assert transform is not None
    height, width = subject.source.shape[-2:]
    ring = _outline(crs, transform, height, width, subject.name)
    projection, code = _projection(crs)
    west, south = ring.min(axis=0).tolist()
    east, north = ring.max(axis=0).tolist()
    return {
        "type": "Feature",
        "stac_version": VERSION,
        "stac_extensions": [PROJECTION],
        "id": subject.name,
        "geometry": {"type": "Polygon", "coordinates": [ring.tolist()]},
        "bbox": [west, south, east, north],
        "properties": {
            **_times(subject.item.time),
            "proj:code": code,
            **({} if code else {"proj:projjson": projection}),
            "proj:shape": [height, width],
            "proj:transform": list(transform),
        },
        "links": [{"rel": rel, "href": f"../{CATALOG}", "type": "application/json"} for rel in ("root", "parent")],
        "assets": {"data": _asset(subject, dest / subject.name)},
    }


def _asset(subject: Subject, here: Path) -> dict[str, Any]:
    source = subject.source
    kind = "application/octet-stream"
    where = here
    if isinstance(source, FileSource):
        where = Path(source.path)
        kind = {".tif": "image/tiff; application=geotiff", ".tiff": "image/tiff; application=geotiff"}.get(
            where.suffix.lower(), kind
        )
    elif isinstance(source, StoredSource):
        where = Path(source.path) if source.item is not None else Path(source.path).parent
        kind = "application/vnd+zarr"
    href = os.path.relpath(where.resolve(), here.resolve())
    names = [{"name": str(name)} for name in source.attrs.get("channel_names", ())]
    nodata = source.attrs.get("nodata")
    return {
        "href": Path(href).as_posix(),
        "type": kind,
        "roles": ["data"],
        "data_type": source.dtype.name,
        **({"bands": names} if names else {}),
        **({"nodata": nodata if nodata is None or np.isfinite(nodata) else str(nodata)} if nodata is not None else {}),
    }


def _outline(crs: str, transform: tuple[float, ...], height: int, width: int, name: str) -> NDArray[np.float64]:
    """Return the outline of a scene, counter-clockwise, as longitudes and latitudes."""
    pyproj = _load_pyproj()
    along = np.linspace(0, 1, _EDGE)[:-1]
    still = np.zeros_like(along)
    column = np.concatenate([still, along, still + 1, 1 - along]) * width
    row = np.concatenate([along, still + 1, 1 - along, still]) * height
    a, b, c, d, e, f = transform
    x, y = a * column + b * row + c, d * column + e * row + f
    try:
        to_degrees = pyproj.Transformer.from_crs(crs, "OGC:CRS84", always_xy=True)
    except pyproj.exceptions.CRSError as error:
        raise ParameterError(f"image {name!r}: the system of coordinates {crs!r} is not known: {error}") from error
    ring = np.stack(to_degrees.transform(x, y), axis=1).round(9)
    if not np.isfinite(ring).all():
        raise ImageError(f"image {name!r}: its transform {transform} leads out of the world of {crs}")
    area = (ring[:, 0] * np.roll(ring[:, 1], -1) - np.roll(ring[:, 0], -1) * ring[:, 1]).sum()
    ring = ring if area > 0 else ring[::-1]
    return np.concatenate([ring, ring[:1]])


def _projection(crs: str) -> tuple[dict[str, Any], str | None]:
    known = _load_pyproj().CRS.from_user_input(crs)
    authority = known.to_authority()
    return known.to_json_dict(), ":".join(authority) if authority else None


def _times(time: str | None) -> dict[str, Any]:
    taken = parse_time(time)
    if taken is not None:
        return {"datetime": taken.isoformat().replace("+00:00", "Z")}
    now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return {"datetime": None, "start_datetime": "1900-01-01T00:00:00Z", "end_datetime": now}


def _load_pyproj() -> Any:
    try:
        import pyproj  # noqa: PLC0415 - an extra
        import pyproj.exceptions  # noqa: PLC0415
    except ImportError as error:
        raise MissingExtraError(
            'STAC items have longitudes and latitudes, which pyproj knows: pip install "bigimg[vector]"'
        ) from error
    return pyproj


def _write(path: Path, document: dict[str, Any]) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(document, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror or error}; is the disk full?") from error
