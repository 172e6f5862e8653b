"""Polygons as files: GeoJSON, which everything reads, and GeoParquet, which is small and fast.

A table of polygons has a column ``geometry`` of well-known binary, as :func:`bigimg.measure.polygons` makes it; every
other column is kept beside it. A file has its name only once it is whole.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pandas as pd
import pyarrow as pa

from bigimg.core.well_known_binary import MULTIPOLYGON, NAMES, bounds, decode
from bigimg.errors import MissingExtraError, OutputError, ParameterError
from bigimg.io.tables import write_table

GEOMETRY, BOX = "geometry", "bbox"
SIDES = ("xmin", "ymin", "xmax", "ymax")
WGS84 = ("OGC:CRS84", "EPSG:4326")
"""Longitude and latitude, which GeoJSON and GeoParquet take for granted; both keep longitude first."""

Crs = str | Mapping[str, Any]


def write_geojson(path: str | Path, frame: pd.DataFrame, crs: Crs | None = None) -> None:
    """Write a table of polygons as GeoJSON: a feature a row; replace the file if it is there.

    Parameters
    ----------
    path
        Such as ``cells.geojson``.
    frame
        With a column ``geometry``; the other columns become properties, and ``label`` the id of a feature too.
    crs
        The coordinate reference system, by default ``frame.attrs["crs"]``. One other than WGS 84 is named in the member
        ``crs`` of GeoJSON 2008, which GDAL, QGIS and geopandas read; RFC 7946 knows WGS 84 only. Without one, the
        coordinates being pixels or micrometres, these programs take the numbers for degrees: GeoParquet can say that
        they are none.

    Raises
    ------
    ParameterError
        If there is no column of geometries.
    OutputError
        If the disk refuses.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from bigimg import measure
    >>> with TemporaryDirectory() as folder:
    ...     write_geojson(f"{folder}/cells.geojson", measure.polygons(np.array([[0, 7], [0, 7]])))
    ...     json.loads(Path(f"{folder}/cells.geojson").read_text())["features"][0]["geometry"]
    {'type': 'Polygon', 'coordinates': [[[1.0, 0.0], [2.0, 0.0], [2.0, 2.0], [1.0, 2.0], [1.0, 0.0]]]}
    """
    _check(frame)
    crs = frame.attrs.get("crs") if crs is None else crs
    head = {"type": "FeatureCollection", **_member(crs)}
    path = Path(path)
    partial = path.with_name(f"{path.name}.{uuid4().hex}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("w", encoding="utf-8") as file:
            file.write(json.dumps(head)[:-1] + ', "features": [')
            for number, feature in enumerate(_features(frame)):
                file.write((",\n" if number else "\n") + json.dumps(feature, allow_nan=False))
            file.write("\n]}\n")
        partial.replace(path)
    except OSError as error:
        with suppress(OSError):
            partial.unlink()
        raise OutputError(f"{path} cannot be written: {error.strerror or error}; is the disk full?") from error


def _features(frame: pd.DataFrame) -> Iterator[dict[str, Any]]:
    others = frame.drop(columns=GEOMETRY)
    columns = [_plain(others[name]) for name in others.columns]
    names = list(map(str, others.columns))
    for geometry, *values in zip(frame[GEOMETRY], *columns):
        name, parts = decode(geometry)
        rings = [[ring.tolist() for ring in part] for part in parts]
        properties = dict(zip(names, values))
        number = {"id": properties["label"]} if "label" in properties else {}
        shape = {"type": name, "coordinates": rings if name == NAMES[MULTIPOLYGON] else rings[0]}
        yield {"type": "Feature", **number, "properties": properties, "geometry": shape}


def _plain(column: pd.Series[Any]) -> list[Any]:
    """Return values that JSON knows: it has no NaN and no infinity."""
    if column.dtype.kind in "biu":
        return column.tolist()
    if column.dtype.kind == "f":
        return [value if np.isfinite(value) else None for value in column.tolist()]
    return [None if value is None or value is pd.NA or value != value else str(value) for value in column]  # noqa: PLR0124


def _member(crs: Crs | None) -> dict[str, Any]:
    if crs is None or crs in WGS84:
        return {}
    if isinstance(crs, str):
        authority, _, code = crs.partition(":")
        name = f"urn:ogc:def:crs:{authority}::{code}" if code and not crs.startswith("urn:") else crs
    else:
        known = crs.get("id", {})
        name = f"urn:ogc:def:crs:{known.get('authority')}::{known.get('code')}" if known else str(crs.get("name"))
    return {"crs": {"type": "name", "properties": {"name": name}}}


def write_geoparquet(path: str | Path, frame: pd.DataFrame, crs: Crs | None = None) -> None:
    """Write a table of polygons as GeoParquet 1.1, with the bounding box of each beside it; replace the file.

    Parameters
    ----------
    path
        Such as ``cells.parquet``.
    frame
        With a column ``geometry``; the other columns are kept, and an index that has a name.
    crs
        The coordinate reference system, as PROJJSON or as what pyproj understands, such as ``"EPSG:32633"``; by
        default ``frame.attrs["crs"]``. Without one the file says that it has none: pixels, or micrometres.

    Raises
    ------
    ParameterError
        If there is no column of geometries, or a column ``bbox`` already.
    MissingExtraError
        If ``crs`` has a name other than that of WGS 84, and pyproj is not installed.
    OutputError
        If the disk refuses.

    References
    ----------
    https://geoparquet.org/releases/v1.1.0

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from bigimg import measure
    >>> from bigimg.io import read_table
    >>> with TemporaryDirectory() as folder:
    ...     write_geoparquet(f"{folder}/cells.parquet", measure.polygons(np.array([[0, 7], [0, 7]])))
    ...     read_table(f"{folder}/cells.parquet")["bbox"][0]
    {'xmin': 1.0, 'ymin': 0.0, 'xmax': 2.0, 'ymax': 2.0}
    """
    _check(frame)
    if BOX in frame.columns:
        raise ParameterError(f"the table has a column {BOX!r} already, which GeoParquet needs; rename it")
    crs = frame.attrs.get("crs") if crs is None else crs
    geometries = frame[GEOMETRY].tolist()
    boxes = bounds(geometries)
    column: dict[str, Any] = {
        "encoding": "WKB",
        "geometry_types": sorted({NAMES[each[1]] for each in geometries}),
        "orientation": "counterclockwise",
        "edges": "planar",
        "covering": {BOX: {side: [BOX, side] for side in SIDES}},
    }
    if crs not in WGS84:
        column["crs"] = _projjson(crs)
    if geometries:
        column[BOX] = [*boxes[:, :2].min(axis=0).tolist(), *boxes[:, 2:].max(axis=0).tolist()]
    others = frame.drop(columns=GEOMETRY)
    others.attrs = {}
    table = pa.Table.from_pandas(others, preserve_index=others.index.name is not None)
    table = table.append_column(GEOMETRY, pa.array(geometries, pa.binary()))
    table = table.append_column(BOX, pa.StructArray.from_arrays([pa.array(each) for each in boxes.T], SIDES))
    geo = {"version": "1.1.0", "primary_column": GEOMETRY, "columns": {GEOMETRY: column}}
    write_table(
        path, table.replace_schema_metadata({**(table.schema.metadata or {}), b"geo": json.dumps(geo).encode()})
    )


def _projjson(crs: Crs | None) -> Any:
    if crs is None or not isinstance(crs, str):
        return crs
    try:
        from pyproj import CRS  # noqa: PLC0415 - an extra
        from pyproj.exceptions import CRSError  # noqa: PLC0415
    except ImportError as error:
        raise MissingExtraError(
            f"GeoParquet describes {crs} in full, which pyproj knows: pip install bigimg[vector], or give PROJJSON"
        ) from error
    try:
        return CRS.from_user_input(crs).to_json_dict()
    except CRSError as error:
        raise ParameterError(f"the coordinate reference system {crs!r} is not known: {error}") from error


def _check(frame: pd.DataFrame) -> None:
    if GEOMETRY not in frame.columns:
        raise ParameterError(
            f"a table of polygons has a column {GEOMETRY!r} (got {', '.join(map(str, frame.columns))}); "
            "measure.polygons makes one"
        )
    for value in frame[GEOMETRY]:
        if not isinstance(value, bytes):
            raise ParameterError(f"geometries are well-known binary, as bytes (got {type(value).__name__})")
