"""SpatialData: images, labels and outlines as elements of one Zarr store, and what was measured as AnnData.

The layout of spatialdata 0.7, written without that package: rasters of version 0.3 (OME-Zarr 0.5 with one transform to
a coordinate system for all levels), shapes of version 0.3 (GeoParquet), tables of version 0.2 (AnnData 0.1.0, Zarr 3).
https://spatialdata.scverse.org/en/stable/design_doc.html
https://anndata.readthedocs.io/en/stable/fileformat-prose.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from bigimg.errors import ImageError, ParameterError
from bigimg.io import ngff
from bigimg.io.documents import create_group, plain
from bigimg.io.exports.levels import blocks, levels_of
from bigimg.io.exports.subjects import Subject, extent, placed
from bigimg.io.exports.tables import flat
from bigimg.io.pyramid import Kind
from bigimg.io.sources import Source
from bigimg.io.vectors import write_geoparquet
from bigimg.io.writer import CHUNK, create_array, image_chunks

SYSTEM = "global"
"""The coordinate system of scenes, and of an image that is alone; others have one of their own, called as they are."""

_ROWS = 65_536
"""Of a table in a chunk."""

_LONGEST = 2**53
"""Whole numbers up to this are the same as floats."""

Outlines = Callable[[str, Subject], pd.DataFrame]
"""Gives the outlines of the labels of that name of an image, in pixels."""


def write_spatialdata(
    subjects: Sequence[Subject], tables: Mapping[str, pa.Table], outlines: Outlines, path: Path, scratch: Path
) -> None:
    """Write images with their labels, the outlines of these, and ``tables`` as the SpatialData store ``path``.

    Parameters
    ----------
    subjects
        An image called ``a1`` with labels ``nuclei`` becomes the image ``a1``, the labels ``a1_nuclei`` and, where
        these are a plane, the shapes ``a1_nuclei_outlines``; all in one coordinate system, with units where known.
    tables
        One of objects, with columns ``item`` and ``label``, annotates the labels, if there are some of one name only.

    Raises
    ------
    ImageError
        If an image has time, or labels have channels: SpatialData has none.
    ParameterError
        If two elements would have one name.
    """
    _check_names(subjects, tables)
    for subject in subjects:
        for source in (subject.source, *subject.labels.values()):
            if extent(source).get("t", 1) > 1:
                raise ImageError(
                    f"image {subject.name!r} has {extent(source)['t']} times, and SpatialData has no time; choose "
                    "others with items, or export ome-zarr"
                )
    for kind in ("images", "labels", "shapes", "tables"):
        create_group(path / kind, {})
    for subject in subjects:
        system = SYSTEM if len(subjects) == 1 or placed(subject.source.attrs)[1] else subject.name
        levels = levels_of(subject.source, "image", scratch / subject.name)
        windows = subject.windows(scratch / subject.name)
        ome = ngff.image_metadata(subject.name, subject.source.dims, subject.source.attrs, len(levels), windows)
        _write_raster(path / "images" / subject.name, levels, "image", subject, system, {"omero": ome["omero"]})
        for name, labels in subject.labels.items():
            smaller = levels_of(labels, "labels", scratch / f"{subject.name}-{name}")
            element = element_of(subject, name)
            said = {"image-label": {"version": "0.5"}}
            _write_raster(path / "labels" / element, smaller, "labels", subject, system, said)
            if extent(labels).get("z", 1) == 1:
                _write_shapes(path / "shapes" / f"{element}_outlines", outlines(name, subject), subject, system)
    names = {name for subject in subjects for name in subject.labels}
    elements = {subject.name: element_of(subject, name) for subject in subjects for name in subject.labels}
    for name, table in tables.items():
        _write_table(path / "tables" / name, flat(table), elements if len(names) == 1 else {})
    labelled = [element_of(subject, name) for subject in subjects for name in subject.labels]
    create_group(path / "labels", {"ome": {"labels": labelled}})
    # Last: what has attributes looks complete.
    create_group(path, {"spatialdata_attrs": {"version": "0.2", "spatialdata_software_version": "0.7.3"}})


def element_of(subject: Subject, labels: str) -> str:
    """Return the name of the labels of an image among all labels."""
    return f"{subject.name}_{labels}"


def _check_names(subjects: Sequence[Subject], tables: Mapping[str, pa.Table]) -> None:
    labels = [element_of(subject, name) for subject in subjects for name in subject.labels]
    names = [*(subject.name for subject in subjects), *labels, *(f"{name}_outlines" for name in labels), *tables]
    known: set[str] = set()
    for name in names:
        if name.casefold() in known:
            raise ParameterError(
                f"two elements of SpatialData would be called {name!r} (capitals do not count); choose "
                "images with items"
            )
        known.add(name.casefold())


def _write_raster(
    group: Path, levels: Sequence[Source], kind: Kind, subject: Subject, system: str, more: Mapping[str, Any]
) -> None:
    first = levels[0]
    has = extent(first)
    if kind == "labels" and has.get("c", 1) > 1:
        raise ImageError(f"labels of {subject.name!r} have {has['c']} channels, and those of SpatialData have none")
    axes = ("c",) * (kind == "image") + ("z",) * (has.get("z", 1) > 1) + ("y", "x")
    for number, level in enumerate(levels):
        size = extent(level)
        chunks = dict(zip(level.dims, image_chunks(level.shape, level.dims, level.attrs, CHUNK)))
        shape = tuple(size.get(axis, 1) for axis in axes)
        writer = create_array(
            group / f"s{number}", shape, level.dtype, axes, tuple(chunks.get(axis, 1) for axis in axes)
        )
        unit = [chunks[dim] for dim in level.dims]
        for box in blocks(level, unit):
            sides = dict(zip(level.dims, box))
            place = tuple(sides.get(axis, slice(0, 1)) for axis in axes)
            # Axes of one pixel come and go: the pixels stay in their order.
            writer.write(place, level[box].reshape([side.stop - side.start for side in place]))
    datasets = [
        {
            "path": f"s{number}",
            "coordinateTransformations": [
                {"type": "scale", "scale": [2.0**number if axis in "yx" else 1.0 for axis in axes]}
            ],
        }
        for number in range(len(levels))
    ]
    multiscale = {
        "name": group.name,
        "axes": _axes(axes),
        "datasets": datasets,
        "coordinateTransformations": [_to_system(axes, subject, system)],
    }
    ome = {"version": "0.5-dev-spatialdata", "multiscales": [multiscale], **more}
    create_group(group, plain({"ome": ome, "spatialdata_attrs": {"version": "0.3"}}))


def _axes(axes: Sequence[str], units: Mapping[str, str] | None = None) -> list[dict[str, str]]:
    kinds = [{"name": axis, "type": "channel" if axis == "c" else "space"} for axis in axes]
    if units is None:
        return kinds
    return [each if each["name"] == "c" else {**each, "unit": units.get(each["name"], "unit")} for each in kinds]


def _to_system(axes: Sequence[str], subject: Subject, system: str) -> dict[str, Any]:
    """Return the map from pixels of the first level, whose first corner is 0, to the coordinate system."""
    attrs = subject.source.attrs
    transform = placed(attrs)[1]
    place: dict[str, Any]
    if transform is not None:
        across, lean, left, turn, down, top = transform
        rows = {"x": {"x": across, "y": lean, "": left}, "y": {"x": turn, "y": down, "": top}}
        matrix = [[rows.get(axis, {axis: 1.0}).get(column, 0.0) for column in (*axes, "")] for axis in axes]
        place = {"type": "affine", "affine": matrix}
        units = {}
    else:
        place = {"type": "scale", "scale": [float(attrs.get("scale", {}).get(axis, 1.0)) for axis in axes]}
        units = dict(attrs.get("units", {}))
    return {
        **place,
        "input": {"name": "".join(axes), "axes": _axes(axes, {})},
        "output": {"name": system, "axes": _axes(axes, units)},
    }


def _write_shapes(group: Path, frame: pd.DataFrame, subject: Subject, system: str) -> None:
    columns = [name for name in frame.columns if name not in ("item", "t", "z")]
    shapes = frame[columns].set_index("label")
    shapes.attrs = {}
    write_geoparquet(group / "shapes.parquet", shapes)
    attributes = {
        "encoding-type": "ngff:shapes",
        "axes": ["x", "y"],
        "coordinateTransformations": [_to_system(("x", "y"), subject, system)],
        "spatialdata_attrs": {"version": "0.3"},
    }
    create_group(group, plain(attributes))


def _write_table(group: Path, frame: pd.DataFrame, elements: Mapping[str, str]) -> None:
    """Write a table as AnnData: what was measured in ``X``, what says of which object in ``obs``."""
    annotates = (
        bool(elements)
        and {"item", "label"} <= set(frame.columns)
        and len(frame) > 0
        and bool(frame["label"].notna().all())
        and set(frame["item"].astype(str)) <= set(elements)
        and not frame.duplicated(["item", "label"]).any()
    )
    measured = [name for name in frame.columns if name != "label" and _is_measured(frame[name])]
    obs = frame.drop(columns=measured)
    said: dict[str, Any] = {"region": None, "region_key": None, "instance_key": None}
    if annotates:
        regions, of = sorted(set(elements.values())), obs["item"].astype(str).map(dict(elements))
        obs.insert(0, "region", pd.Series(pd.Categorical(of, regions), obs.index))
        obs.insert(1, "instance_id", obs["label"].astype("int64"))
        found = sorted(set(obs["region"]))
        said = {"region": found[0] if len(found) == 1 else found, "region_key": "region", "instance_key": "instance_id"}
    _element(group, "anndata", "0.1.0", {"spatialdata-encoding-type": "ngff:regions_table", "version": "0.2", **said})
    _write_frame(group / "obs", obs, [str(number) for number in range(len(obs))])
    _write_frame(group / "var", pd.DataFrame(index=range(len(measured))), measured)
    values = [frame[name].to_numpy("float64", na_value=np.nan) for name in measured]
    _array(group / "X", np.stack(values, axis=1) if values else np.zeros((len(frame), 0)))
    for name in ("layers", "obsm", "obsp", "varm", "varp", "uns"):
        _element(group / name, "dict", "0.1.0")
    if annotates:
        _element(group / "uns" / "spatialdata_attrs", "dict", "0.1.0")
        for name, value in said.items():
            _array(group / "uns" / "spatialdata_attrs" / name, np.asarray(value, object))


def _is_measured(column: pd.Series[Any]) -> bool:
    """Return whether floats, which ``X`` has, say all that is in a column."""
    if column.dtype.kind == "f":
        return True
    values = column.dropna().tolist()
    return {type(value) for value in values} == {int} and max(abs(min(values)), abs(max(values))) <= _LONGEST


def _write_frame(group: Path, frame: pd.DataFrame, index: Sequence[str]) -> None:
    names = [str(name) for name in frame.columns]
    _element(group, "dataframe", "0.2.0", {"column-order": names, "_index": "_index"})
    _array(group / "_index", np.asarray(index, object))
    for name, column in zip(names, (frame[name] for name in frame.columns)):
        _write_column(group / name, column)


def _write_column(place: Path, column: pd.Series[Any]) -> None:
    missing = column.isna().to_numpy()
    if isinstance(column.dtype, pd.CategoricalDtype):
        _element(place, "categorical", "0.2.0", {"ordered": False})
        _array(place / "codes", column.cat.codes.to_numpy())
        _array(place / "categories", np.asarray([str(each) for each in column.cat.categories], object))
        return
    filled = column[~missing]
    kinds = {type(value) for value in filled.tolist()}
    kind = "boolean" if kinds == {bool} else "integer" if kinds == {int} else None
    if column.dtype.kind == "f":
        _array(place, column.to_numpy("float64"))
    elif kind is None and missing.any():
        _write_column(place, pd.Series(pd.Categorical([None if gone else str(v) for v, gone in zip(column, missing)])))
    elif kind is None:
        _array(place, np.asarray([str(value) for value in column], object))
    else:
        values = np.zeros(len(column), "bool" if kind == "boolean" else "int64")
        values[~missing] = filled.tolist()
        if not missing.any():
            _array(place, values)
            return
        _element(place, f"nullable-{kind}", "0.1.0")
        _array(place / "values", values)
        _array(place / "mask", missing)


def _element(group: Path, kind: str, version: str, more: Mapping[str, Any] | None = None) -> None:
    create_group(group, {"encoding-type": kind, "encoding-version": version, **(more or {})})


def _array(place: Path, values: np.ndarray[Any, Any]) -> None:
    import zarr  # noqa: PLC0415 - takes half a second

    is_text = values.dtype == object
    kind = "string" if is_text and not values.ndim else "string-array" if is_text else "array"
    array = zarr.create_array(
        str(place),
        shape=values.shape,
        dtype=str if is_text else values.dtype,
        chunks=tuple(max(1, min(_ROWS, size)) for size in values.shape) if prod(values.shape) else (1,) * values.ndim,
        fill_value="" if is_text else values.dtype.type(0),
        attributes={"encoding-type": kind, "encoding-version": "0.2.0"},
    )
    array[...] = values
