"""SpatialData: images, labels and tables of objects in one Zarr store, which spatialdata and squidpy open.

Written by spatialdata itself (``pip install "bigimg[spatialdata]"``), out of lazy arrays, so that an image need not fit
into memory. Elements are called by the id of their item; labels by id and name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from bigimg.errors import ImageError, MissingExtraError
from bigimg.io.exports.levels import levels_of
from bigimg.io.exports.subjects import Subject
from bigimg.io.pyramid import Kind
from bigimg.io.sources import Source

REGION, INSTANCE = "region", "instance_id"
"""Columns of a table that say which labels a row belongs to, and which object of them it is."""


def write_spatialdata(subjects: Sequence[Subject], tables: Mapping[str, pa.Table], path: Path, scratch: Path) -> None:
    """Write images, their labels, and tables with columns ``item`` and ``label`` as the SpatialData store ``path``.

    Rows of a table belong to the only labels of their item, or to those that are called as the table.

    Raises
    ------
    ImageError
        If an image has several times, which SpatialData has no axis for.
    MissingExtraError
        If spatialdata is not installed.
    """
    spatialdata = _load()
    timed = [each.name for each in subjects if dict(zip(each.source.dims, each.source.shape)).get("t", 1) > 1]
    if timed:
        raise ImageError(
            f"SpatialData has no axis of time, and {', '.join(timed[:4])} has several times; choose others with items"
        )
    images: dict[str, Any] = {}
    labels: dict[str, Any] = {}
    named: dict[str, dict[str, str]] = {}
    for subject in subjects:
        images[subject.name] = _element(spatialdata, subject.source, "image", scratch / subject.name)
        for name, source in subject.labels.items():
            key = f"{subject.name}_{name}"
            labels[key] = _element(spatialdata, source, "labels", scratch / key)
            named.setdefault(subject.name, {})[name] = key
    found = {name: _table(spatialdata, name, table, named) for name, table in tables.items()}
    data = spatialdata.SpatialData(
        images=images, labels=labels, tables={name: table for name, table in found.items() if table is not None}
    )
    data.write(path, overwrite=True)


def _load() -> Any:
    try:
        import_module("anndata")
        import_module("spatialdata.models")
        import_module("spatialdata.transformations")
        return import_module("spatialdata")
    except ImportError as error:
        raise MissingExtraError(
            'a SpatialData store is written by spatialdata, which is not installed: pip install "bigimg[spatialdata]"'
        ) from error


def _element(spatialdata: Any, source: Source, kind: Kind, scratch: Path) -> Any:
    """Return a multi-scale element of an image, or of labels; it is lazy."""
    import dask.array as da  # noqa: PLC0415 - takes half a second
    import xarray as xr  # noqa: PLC0415

    models = spatialdata.models
    deep = dict(zip(source.dims, source.shape)).get("z", 1) > 1
    wanted = ("c",) * (kind == "image") + ("z",) * deep + ("y", "x")
    levels = {}
    for number, level in enumerate(levels_of(source, kind, scratch)):
        lazy = da.from_array(level, level.chunks, meta=np.empty((0,) * level.ndim, level.dtype), fancy=False)
        sizes = dict(zip(level.dims, level.shape))
        array = xr.DataArray(lazy.reshape([sizes.get(dim, 1) for dim in wanted]), dims=wanted)
        levels[f"scale{number}"] = xr.Dataset({"image": array})
    model = {
        ("image", False): models.Image2DModel,
        ("image", True): models.Image3DModel,
        ("labels", False): models.Labels2DModel,
        ("labels", True): models.Labels3DModel,
    }[kind, deep]
    first = levels["scale0"]["image"]
    names = source.attrs.get("channel_names", ())
    channels = {"c_coords": list(map(str, names))} if kind == "image" and len(names) == first.sizes["c"] else {}
    scale = source.attrs.get("scale", {})
    axes = [dim for dim in wanted if dim != "c" and dim in scale]
    transforms = {
        "global": spatialdata.transformations.Scale([float(scale[dim]) for dim in axes], axes)
        if axes
        else spatialdata.transformations.Identity()
    }
    factors = [2] * (len(levels) - 1)
    return model.parse(first, transformations=transforms, scale_factors=factors or None, **channels)


def _table(spatialdata: Any, name: str, table: pa.Table, named: Mapping[str, Mapping[str, str]]) -> Any:
    """Return a table of objects, or None where it is not one."""
    if not {"item", "label"} <= set(table.column_names):
        return None
    frame = table.to_pandas()
    by_item = {item: keys.get(name, next(iter(keys.values()))) for item, keys in named.items() if keys}
    frame = frame[frame["item"].isin(by_item) & frame["label"].notna()].reset_index(drop=True)
    if frame.empty:
        return None
    regions = pd.Categorical(frame["item"].map(by_item))
    numbers = frame.drop(columns=["item", "label"]).select_dtypes(["number", "bool"]).astype(np.float64)
    others = frame[[each for each in frame.columns if each not in numbers.columns and each not in ("item", "label")]]
    observed = others.assign(**{REGION: regions, INSTANCE: frame["label"].astype(np.int64)})
    observed.index = observed.index.astype(str)
    numbers.index = observed.index
    data = import_module("anndata").AnnData(
        X=numbers.to_numpy(), obs=observed, var=pd.DataFrame(index=numbers.columns.astype(str))
    )
    return spatialdata.models.TableModel.parse(
        data, region=list(regions.categories), region_key=REGION, instance_key=INSTANCE
    )
