"""Collections: many images in one store, with one table of them; each is opened when it is asked for.

::

    nuclei.zarr/
      zarr.json                    the mark of a collection
      items.parquet                a row an image
      images/a/                    an OME-Zarr 0.5 image: 0, 1, ... levels
      images/a/labels/nuclei/      labels of it
      packed/0/                    many equal small images: (item, c, y, x)
      tables/objects.parquet       tables

The collection that a run leaves has labels and tables of its own, and *references* to images that stay where they are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property, partial
from math import prod
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np
import pandas as pd
import pyarrow as pa
import xarray as xr

from bigimg.errors import MissingInputError, ReadError, UnknownNameError
from bigimg.io.documents import read_attributes
from bigimg.io.frames import coordinates, frames_of
from bigimg.io.geo import read_place
from bigimg.io.items import Item, item_at, items_table, more_columns, read_items
from bigimg.io.names import check_id, inside, item_ids
from bigimg.io.ngff import read_multiscale
from bigimg.io.plates import is_plate, read_plate
from bigimg.io.references import resolve
from bigimg.io.scan import is_zarr, natural
from bigimg.io.sources import DIMS, Source
from bigimg.io.stored import StoredSource, open_array
from bigimg.io.tables import read_table
from bigimg.io.validity import validity

ToArray = Callable[[Source], Any]
"""Makes a lazy array (a Dask array) of a source."""

Value = TypeVar("Value")


class LazyMapping(Mapping[str, Value], Generic[Value]):
    """Names with values that are made when they are asked for."""

    def __init__(self, kind: str, names: list[str], make: Callable[[str], Value]) -> None:
        self._kind = kind
        self._names = dict.fromkeys(names)
        self._make = make

    def __getitem__(self, name: str) -> Value:
        if name not in self._names:
            raise UnknownNameError.of(self._kind, name, self._names)
        return self._make(name)

    def __contains__(self, name: object) -> bool:
        return name in self._names

    # Mapping compares values, and these are arrays.
    __eq__ = object.__eq__
    __hash__ = object.__hash__

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __repr__(self) -> str:
        shown = ", ".join(list(self._names)[:8]) + (", ..." if len(self) > 8 else "")
        return f"<{len(self)} of {self._kind}: {shown}>"


class Collection(LazyMapping[xr.DataArray]):
    """Images by their ids, each a lazy :class:`xarray.DataArray` with ``dims``, ``name`` and ``attrs``.

    Parameters
    ----------
    path
        Of the store.
    items
        The table of items.
    attrs
        What the store says of itself.
    to_array
        Makes a lazy array of a source.
    """

    def __init__(self, path: Path, items: pa.Table, attrs: Mapping[str, Any], to_array: ToArray) -> None:
        ids = [str(name) for name in items.column("id").to_pylist()]
        super().__init__("images", ids, self._image)
        self.path = path
        self.attrs = dict(attrs)
        self._items = items
        self._rows = {name: row for row, name in enumerate(ids)}
        self._to_array = to_array

    @cached_property
    def table(self) -> pd.DataFrame:
        """The table of items: id, shape, dtype, dims, scale, unit, source file, its digest, time ..."""
        return self._items.to_pandas(types_mapper={pa.int64(): pd.Int64Dtype()}.get)

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of the table that say where in an experiment an image belongs: ``well``, ``field`` ..."""
        return more_columns(self._items)

    @property
    def sources(self) -> Mapping[str, Source]:
        """Where the pixels of each image are."""
        return LazyMapping("images", list(self), self._source)

    @cached_property
    def label_names(self) -> tuple[str, ...]:
        """Names of the labels that any image has."""
        found: dict[str, None] = {}
        for name in self:
            for label in read_attributes(self._group(name) / "labels").get("ome", {}).get("labels", []):
                found[check_id(str(label))] = None
        return tuple(found)

    def labels(self, name: str) -> Mapping[str, xr.DataArray]:
        """Return the labels called ``name`` of every image that has them.

        Raises
        ------
        UnknownNameError
            If no image has labels of this name.
        """
        ids = [each for each in self if (self._group(each) / "labels" / check_id(name) / "zarr.json").is_file()]
        ids = ids or [each for each in self if (self._group(each) / "labels" / name / ".zattrs").is_file()]
        if not ids:
            raise UnknownNameError.of("labels", name, self.label_names)
        return LazyMapping(f"labels {name!r}", ids, partial(self._labels_of, name))

    @property
    def table_names(self) -> tuple[str, ...]:
        """Names of the tables beside the images."""
        return tuple(
            sorted(path.stem for path in (self.path / "tables").glob("*") if not path.name.endswith(".partial"))
        )

    def read_table(self, name: str) -> pd.DataFrame:
        """Return the table called ``name``.

        Raises
        ------
        UnknownNameError
            If there is none.
        """
        if name not in self.table_names:
            raise UnknownNameError.of("table", name, self.table_names)
        file = self.path / "tables" / f"{name}.parquet"
        return read_table(file if file.exists() else self.path / "tables" / name)

    def item(self, name: str) -> Item:
        """Return the row of one image."""
        if name not in self:
            raise UnknownNameError.of("images", name, self)
        return item_at(self._items, self._rows[check_id(name)])

    def frames(self, name: str) -> pd.DataFrame:
        """Return the frames of the video ``name``: number, time stamp, time in seconds, whether it is a key frame.

        Raises
        ------
        ReadError
            If the image is no video.
        """
        found = frames_of(self._source(name))
        if found is None:
            raise ReadError(f"image {name!r} has no table of frames: it was not read from a video")
        return found

    def _group(self, name: str) -> Path:
        row = self._rows[name]
        packed = self._items.column("item")[row].as_py() is not None
        return inside(self.path, f"images/{check_id(name)}" if packed else self._items.column("path")[row].as_py())

    def _source(self, name: str) -> Source:
        item = self.item(name)
        if item.reference is not None:
            return resolve(item, self.path, open_collection)
        folder = inside(self.path, item.path)
        if item.item is not None:
            return StoredSource(
                name, str(folder), item.shape, np.dtype(item.dtype), tuple(item.dims), item.chunks, item.source_attrs(),
                item=item.item, digest=item.digest, root=str(self.path),
            )  # fmt: skip
        level = item.attrs.get("level", "0")
        attrs = {key: value for key, value in item.source_attrs().items() if key != "level"}
        return StoredSource(
            name, str(inside(self.path, f"{item.path}/{level}")), item.shape, np.dtype(item.dtype), tuple(item.dims),
            item.chunks, attrs, complete=bool(item.digest), digest=item.digest, root=str(self.path),
        )  # fmt: skip

    def _image(self, name: str) -> xr.DataArray:
        return self._lazy(self._source(name), name)

    def _labels_of(self, label: str, name: str) -> xr.DataArray:
        return self._lazy(self.label_source(label, name), name)

    def label_source(self, label: str, name: str) -> StoredSource:
        """Return where the pixels of the labels called ``label`` of the image ``name`` are."""
        group = self._group(name) / "labels" / check_id(label)
        return _stored(group, self.path, name, complete="bigimg" in self.attrs)

    def _lazy(self, source: Source, name: str) -> xr.DataArray:
        return lazy_image(source, self._to_array, name)

    def overview(self) -> list[str]:
        """Return what is in the collection, a line each: kinds of images, channels, pixel sizes, times, results."""
        items = [self.item(name) for name in self]
        size = sum(prod(item.shape) * np.dtype(item.dtype).itemsize for item in items)
        kinds = Counter(f"{item.dtype} ({', '.join(item.dims)})" for item in items)
        lines = [f"pixels: {_bytes(size)}; " + ", ".join(f"{count:,} x {kind}" for kind, count in kinds.items())]
        extents = {
            dim: sorted({item.shape[item.dims.index(dim)] for item in items if dim in item.dims}) for dim in DIMS
        }
        lines.append("sizes: " + ", ".join(f"{dim} {_span(sizes)}" for dim, sizes in extents.items() if sizes))
        lines += list(self._plates())
        channels = Counter(", ".join(item.channel_names) for item in items if item.channel_names)
        lines += [f"channels: {names} ({count:,})" for names, count in channels.most_common(5)]
        scales = Counter(_shown_scale(item) for item in items)
        lines += [f"pixel: {scale} ({count:,})" for scale, count in scales.most_common(3) if scale]
        times = sorted(item.time for item in items if item.time)
        lines += (
            [f"taken: {times[0]} to {times[-1]}" if times[0] != times[-1] else f"taken: {times[0]}"] if times else []
        )
        places = Counter(str(item.attrs["crs"]) for item in items if item.attrs.get("crs"))
        lines += [f"place: {crs} ({count:,})" for crs, count in places.most_common(3)]
        lines += [f"labels: {', '.join(self.label_names)}"] if self.label_names else []
        lines += [f"tables: {', '.join(self.table_names)}"] if self.table_names else []
        return lines

    def _plates(self) -> Iterator[str]:
        if not {"row", "column"} <= set(self.columns):
            return
        table = self.table.assign(plate=self.table["plate"] if "plate" in self.columns else "")
        for plate, rows in table.dropna(subset=["row", "column"]).groupby("plate", dropna=False):
            wells = [str(well) for well in dict.fromkeys(sorted(rows["well"], key=natural))]
            fields = sorted({int(count) for count in rows.groupby("well").size()})
            said = f"{wells[0]} to {wells[-1]}" if len(wells) > 1 else wells[0]
            name = f"plate {plate}" if isinstance(plate, str) and plate else "plate"
            yield f"{name}: {len(wells):,} wells ({said}), images a well {_span(fields)}"

    def __repr__(self) -> str:
        kinds = self._items.group_by(["dtype", "dims"]).aggregate([("id", "count")]).to_pylist()
        images = ", ".join(f"{kind['id_count']} x {kind['dtype']} ({', '.join(kind['dims'])})" for kind in kinds)
        lines = [f"<bigimg.Collection {self.path}: {len(self)} images>", f"images: {images}"]
        lines += [f"  {name}  {self.item(name).dims} {self.item(name).shape}" for name in list(self)[:5]]
        lines += ["  ..."] if len(self) > 5 else []
        lines += [f"labels: {', '.join(self.label_names)}"] if self.label_names else []
        lines += [f"tables: {', '.join(self.table_names)}"] if self.table_names else []
        return "\n".join(lines)


def _span(sizes: Sequence[int]) -> str:
    return f"{sizes[0]:,}" if len(sizes) == 1 else f"{sizes[0]:,} to {sizes[-1]:,}"


def _bytes(size: float) -> str:
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} TiB"


def _shown_scale(item: Item) -> str:
    units = item.unit or ("",) * len(item.dims)
    known = [(dim, size, unit) for dim, size, unit in zip(item.dims, item.scale, units) if size is not None]
    return ", ".join(f"{dim} {size:g} {unit or ''}".rstrip() for dim, size, unit in known)


def open_collection(path: str | Path, to_array: ToArray | None = None) -> Collection:
    """Open a collection, or an OME-Zarr image or plate (0.4 or 0.5) that somebody else wrote, as a collection.

    Only the table of items is read.

    Parameters
    ----------
    to_array
        Makes a lazy array of a source; by default a plain Dask array of the source's own chunks.

    Raises
    ------
    MissingInputError
        If there is nothing.
    ReadError
        If it is not a collection, or not finished.
    """
    path = Path(path).expanduser()
    if not path.exists():
        raise MissingInputError(f"there is no collection {path}")
    if not is_zarr(path):
        raise ReadError(f"{path} is not a collection; make one of a folder of images: bigimg ingest {path} images.zarr")
    attributes = read_attributes(path)
    if "bigimg" in attributes and "version" in attributes["bigimg"]:
        if attributes["bigimg"]["version"] != 1:
            raise ReadError(f"{path} is a collection of version {attributes['bigimg']['version']}; this bigimg reads 1")
        return Collection(path, read_items(path), attributes, to_array or _plain_array)
    if "multiscales" in attributes.get("ome", attributes):
        return Collection(path, _foreign_items(path), attributes, to_array or _plain_array)
    if is_plate(attributes):
        return Collection(path, _items_of_plate(path), attributes, to_array or _plain_array)
    if (path / "images").is_dir() and "ome" not in attributes:
        read_items(path)
    inner = sorted(each.parent.name for name in ("zarr.json", ".zattrs") for each in path.glob(f"*/{name}"))
    hint = f"; name one image in it: {path / inner[0]}" if inner else ""
    raise ReadError(f"{path} is a Zarr store, but neither a collection nor an OME-Zarr image or plate{hint}")


def _foreign_items(path: Path) -> pa.Table:
    (name,) = item_ids([path.name.removesuffix(".zarr").removesuffix(".ome")])
    return items_table([_foreign_item(path, ".", name)])


def _items_of_plate(path: Path) -> pa.Table:
    fields = list(read_plate(path))
    names = item_ids([field.name for field in fields])
    return items_table([_foreign_item(path, each.path, name, each.columns) for each, name in zip(fields, names)])


def _foreign_item(root: Path, path: str, name: str, columns: Mapping[str, Any] | None = None) -> Item:
    group = inside(root, path)
    attributes = read_attributes(group)
    level = read_multiscale(attributes, str(group)).paths[0]
    source = _stored(group, root, name, complete=False)
    return Item(
        id=name,
        path=path,
        shape=source.shape,
        dtype=source.dtype.name,
        dims="".join(source.dims),
        chunks=source.chunks,
        scale=tuple(source.attrs.get("scale", {}).get(dim) for dim in source.dims),
        unit=tuple(source.attrs.get("units", {}).get(dim) for dim in source.dims),
        channel_names=tuple(source.attrs.get("channel_names", ())),
        attrs={"level": level, **read_place(attributes), **({"columns": dict(columns)} if columns else {})},
    )


def _stored(group: Path, root: Path, name: str, complete: bool) -> StoredSource:
    attributes = read_attributes(group)
    found = read_multiscale(attributes, str(group))
    folder = inside(group, found.paths[0])
    array = open_array(folder, root)
    return StoredSource(
        name, str(folder), array.shape, array.dtype, found.dims, array.chunks,
        {**found.attrs, **read_place(attributes)},
        complete=complete, root=str(root),
    )  # fmt: skip


def lazy_image(source: Source, to_array: ToArray, name: str) -> xr.DataArray:
    """Return the lazy image of ``source``: with its coordinates, and ``valid`` where it says which pixels count."""
    attrs = dict(source.attrs)
    image = xr.DataArray(to_array(source), coordinates(source), dims=source.dims, name=name, attrs=attrs)
    mask = validity(source)
    return image if mask is None else image.assign_coords(valid=(source.dims, to_array(mask)))


def _plain_array(source: Source) -> Any:
    import dask.array as da  # noqa: PLC0415 - takes half a second, and the engine brings its own
    from dask.base import tokenize  # noqa: PLC0415

    empty = np.empty((0,) * source.ndim, source.dtype)
    return da.from_array(source, source.chunks, name=f"image-{tokenize(source)}", meta=empty, fancy=False)
