"""Tables as Parquet files: of objects, of features, of items. A table has its name only once it is whole."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any
from uuid import uuid4

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from bigimg.errors import MissingInputError, OutputError, ReadError


def write_table(path: str | Path, frame: pd.DataFrame | pa.Table, metadata: Mapping[str, Any] | None = None) -> None:
    """Write ``frame`` to the Parquet file ``path``, without its index; replace it if it is there.

    Parameters
    ----------
    metadata
        What to keep with it, as JSON; :func:`table_metadata` reads it. The version of bigimg is added.

    Raises
    ------
    OutputError
        If the disk refuses.
    """
    path = Path(path)
    table = frame if isinstance(frame, pa.Table) else pa.Table.from_pandas(frame, preserve_index=False)
    kept = json.dumps({"version": version("bigimg"), **(metadata or {})}).encode()
    table = table.replace_schema_metadata({**(table.schema.metadata or {}), b"bigimg": kept})
    partial = path.with_name(f"{path.name}.{uuid4().hex}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(table, partial, compression="zstd", write_page_checksum=True)
        partial.replace(path)
    except OSError as error:
        with suppress(OSError):
            partial.unlink()
        raise OutputError(
            f"the table {path} cannot be written: {error.strerror or error}; is the disk full?"
        ) from error


def read_table(path: str | Path) -> pd.DataFrame:
    """Read a Parquet file, or a folder of parts in the order of their names.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     write_table(f"{folder}/objects.parquet", pd.DataFrame({"label": [1, 2], "area": [10.0, 12.5]}))
    ...     read_table(f"{folder}/objects.parquet")
       label  area
    0      1  10.0
    1      2  12.5
    """
    return read_arrow(path).to_pandas()


def read_arrow(path: str | Path) -> pa.Table:
    """Read a table as :func:`read_table` does, as an Arrow table.

    Raises
    ------
    MissingInputError, ReadError
        If there is none, or its bytes are not those that were written.
    """
    path = Path(path)
    if not path.exists():
        raise MissingInputError(f"there is no table {path}")
    parts = sorted(path.glob("*.parquet")) if path.is_dir() else [path]
    try:
        return pa.concat_tables([pq.read_table(part, page_checksum_verification=True) for part in parts])
    except (OSError, pa.ArrowException) as error:
        raise ReadError(f"the table {path} is damaged: {error}; restore it from a copy, or compute it again") from error


def table_metadata(path: str | Path) -> dict[str, Any]:
    """Return what was kept with the table at ``path``."""
    kept = (pq.read_schema(path).metadata or {}).get(b"bigimg", b"{}")
    return dict(json.loads(kept))
