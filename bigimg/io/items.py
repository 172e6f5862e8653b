"""The one table of items: a row an image, with what is needed to open it without opening the rest of the store."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from bigimg.errors import ReadError
from bigimg.io.documents import create_group, plain
from bigimg.io.plates import ORDER
from bigimg.io.scan import Skipped
from bigimg.io.sources import FileSource, Source
from bigimg.io.stacks import StackSource
from bigimg.io.stored import StoredSource
from bigimg.io.tables import read_arrow, write_table

ITEMS = "items.parquet"

FORMAT = 1
"""Version of the layout of a collection."""

_SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("path", pa.string()),
        ("item", pa.int64()),
        ("shape", pa.list_(pa.int64())),
        ("dtype", pa.string()),
        ("dims", pa.string()),
        ("chunks", pa.list_(pa.int64())),
        ("scale", pa.list_(pa.float64())),
        ("unit", pa.list_(pa.string())),
        ("channel_names", pa.list_(pa.string())),
        ("time", pa.string()),
        ("source", pa.string()),
        ("digest", pa.string()),
        ("reference", pa.string()),
        ("reference_relative", pa.string()),
        ("reference_part", pa.string()),
        ("attrs", pa.string()),
    ]
)


@dataclass(frozen=True)
class Item:
    """One row."""

    id: str
    path: str
    """Of the image's group, or of the packed array, in the store."""
    shape: tuple[int, ...]
    dtype: str
    dims: str
    chunks: tuple[int, ...]
    scale: tuple[float | None, ...] = ()
    """Physical size of a pixel along each of ``dims``; none where it is not known."""
    unit: tuple[str | None, ...] = ()
    channel_names: tuple[str, ...] = ()
    time: str | None = None
    """When the image was taken, as its file says."""
    source: str = ""
    """The file it was ingested from, the first where it is of several, or the array in another store."""
    digest: str = ""
    """Fingerprint of that file: its SHA-256 and which image of it this is."""
    item: int | None = None
    """Which item of a packed array."""
    reference: str | None = None
    """Absolute path of the file or collection that has the pixels, where this store has none."""
    reference_relative: str | None = None
    """The same, relative to this store: both may move together."""
    reference_part: str | None = None
    """Which image of the file, or the id in the collection."""
    attrs: dict[str, Any] = field(default_factory=dict)
    """What else is known: ``nodata``, ``acquisition``; ``columns`` are columns of the table too."""

    @classmethod
    def of(cls, source: Source, path: str, chunks: Sequence[int], item: int | None = None) -> Item:
        """Describe ``source`` as stored at ``path``."""
        scale, unit = source.attrs.get("scale", {}), source.attrs.get("units", {})
        rest = {key: value for key, value in source.attrs.items() if key not in ("scale", "units", "channel_names")}
        return cls(
            id=source.name,
            path=path,
            shape=tuple(source.shape),
            dtype=source.dtype.name,
            dims="".join(source.dims),
            chunks=tuple(chunks),
            scale=tuple(scale.get(dim) for dim in source.dims) if scale else (),
            unit=tuple(unit.get(dim) for dim in source.dims) if unit else (),
            channel_names=tuple(source.attrs.get("channel_names", ())),
            time=source.attrs.get("acquisition", {}).get("time"),
            source=source.path if isinstance(source, (FileSource, StackSource, StoredSource)) else "",
            digest=source.fingerprint(),
            item=item,
            attrs=plain(rest),
        )

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Item:
        """Return the row that ``asdict`` and JSON have made ``values`` of."""
        lists = ("shape", "chunks", "scale", "unit", "channel_names")
        return cls(**{**values, **{key: tuple(values[key] or ()) for key in lists}})

    def source_attrs(self) -> dict[str, Any]:
        """Return the attributes of the source this row describes."""
        attrs = {
            "scale": {dim: size for dim, size in zip(self.dims, self.scale) if size is not None},
            "units": {dim: unit for dim, unit in zip(self.dims, self.unit) if unit is not None},
            "channel_names": self.channel_names,
            **self.attrs,
        }
        if "transform" in attrs:
            attrs["transform"] = tuple(attrs["transform"])  # JSON has made a list of it
        return {key: value for key, value in attrs.items() if value not in ({}, ())}


def finish(root: Path, items: Sequence[Item], skipped: Sequence[Skipped], attrs: Mapping[str, Any]) -> None:
    """Write what makes a store a collection: its table of items, and last the mark in its root."""
    write_items(root, items)
    left_out = [{"name": each.name, "path": each.path, "reason": each.reason} for each in skipped]
    create_group(root, {"bigimg": {"version": FORMAT, "items": len(items), "skipped": left_out, **attrs}})


def write_items(root: Path, items: Sequence[Item]) -> None:
    """Write the table of a store; last, as a store without it is not finished."""
    write_table(root / ITEMS, items_table(items), {"kind": "items"})


def items_table(items: Sequence[Item]) -> pa.Table:
    """Return the table of ``items``; what they have in ``columns`` follows after what all tables have."""
    rows = [{**vars(item), "attrs": json.dumps(item.attrs)} for item in items]
    table = pa.Table.from_pylist(rows, schema=_SCHEMA)
    known = [item.attrs.get("columns", {}) for item in items]
    for name in sorted(dict.fromkeys(name for each in known for name in each), key=_place_of_column):
        values = [each.get(name) for each in known]
        whole = all(value is None or (isinstance(value, int) and not isinstance(value, bool)) for value in values)
        kept = values if whole else [None if value is None else str(value) for value in values]
        table = table.append_column(name, pa.array(kept, pa.int64() if whole else pa.string()))
    return table


def more_columns(table: pa.Table) -> tuple[str, ...]:
    """Return the names of the columns of a table of items that not all tables have."""
    return tuple(name for name in table.column_names if name not in _SCHEMA.names)


def _place_of_column(name: str) -> int:
    return ORDER.index(name) if name in ORDER else len(ORDER)


def read_items(root: Path) -> pa.Table:
    """Return the table of a store.

    Raises
    ------
    ReadError
        If the store was not finished, or the table is not one of items.
    """
    if not (root / ITEMS).is_file():
        raise ReadError(f"{root} was not finished: it has no {ITEMS}; remove it and make it again")
    table = read_arrow(root / ITEMS)
    missing = set(_SCHEMA.names) - set(table.column_names)
    if missing:
        raise ReadError(f"{root / ITEMS} is not a table of items: it has no {', '.join(sorted(missing))}")
    return table


def item_at(table: pa.Table, row: int) -> Item:
    """Return one row of the table."""
    values = table.select(_SCHEMA.names).slice(row, 1).to_pylist()[0]
    for key in ("shape", "chunks", "scale", "unit", "channel_names"):
        values[key] = tuple(values[key] or ())
    item = Item(**{**values, "attrs": json.loads(values["attrs"] or "{}")})
    if len(item.shape) != len(item.dims) or np.dtype(item.dtype).kind not in "biuf":
        raise ReadError(
            f"row {row} of the table of items is damaged: {item.id!r} {item.shape} {item.dims} {item.dtype}"
        )
    return item
