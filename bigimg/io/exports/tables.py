"""Tables of a collection as Parquet or CSV: that of its images, and those that runs have left."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from bigimg.errors import OutputError
from bigimg.io.collection import Collection
from bigimg.io.items import items_table
from bigimg.io.tables import read_arrow, write_table

IMAGES = "images"
"""Name of the table of images."""

_ROWS = 100_000


def tables_of(collection: Collection, items: Sequence[str] | None) -> dict[str, pa.Table]:
    """Return every table of a collection by its name, with the rows of ``items`` only where those are given."""
    chosen = list(collection) if items is None else list(items)
    name = IMAGES if IMAGES not in collection.table_names else "images-of-the-collection"
    found = {name: items_table([collection.item(each) for each in chosen])}
    for each in collection.table_names:
        file = collection.path / "tables" / f"{each}.parquet"
        table = read_arrow(file if file.exists() else collection.path / "tables" / each)
        if items is not None and "item" in table.column_names:
            table = table.filter(pc.is_in(table["item"].cast(pa.string()), pa.array(chosen, pa.string())))
        found[each] = table
    return found


def write_parquet(table: pa.Table, path: Path) -> None:
    """Write a table as Parquet, with what was kept with it."""
    write_table(path, table, json.loads((table.schema.metadata or {}).get(b"bigimg", b"{}")))


def write_csv(table: pa.Table, path: Path) -> None:
    """Write a table as CSV (RFC 4180, UTF-8): numbers so that they read back the same, lists as JSON, bytes as hex.

    What is missing is empty.
    """
    try:
        with path.open("w", encoding="utf-8", newline="") as file:
            for start in range(0, max(1, table.num_rows), _ROWS):
                part = flat(table.slice(start, _ROWS))
                part.to_csv(file, index=False, header=start == 0, lineterminator="\r\n")
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror or error}; is the disk full?") from error


def flat(table: pa.Table) -> pd.DataFrame:
    """Return a table without nested columns: lists are JSON, bytes are hex, whole numbers stay whole beside none."""
    columns: dict[str, Any] = {}
    for name, column in zip(table.column_names, table.columns):
        if pa.types.is_dictionary(column.type):
            column = column.cast(column.type.value_type)  # noqa: PLW2901 - the same, without its codes
        if pa.types.is_nested(column.type):
            columns[name] = [None if value is None else json.dumps(_plain(value)) for value in column.to_pylist()]
        elif pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type):
            columns[name] = [None if value is None else value.hex() for value in column.to_pylist()]
        elif pa.types.is_integer(column.type) or pa.types.is_boolean(column.type):
            # Not as NumPy's: a whole number beside a missing one would become a fraction.
            columns[name] = pd.array(column.to_pylist(), dtype=object)
        else:
            columns[name] = column.to_pandas()
    return pd.DataFrame(columns, index=range(table.num_rows))


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value
