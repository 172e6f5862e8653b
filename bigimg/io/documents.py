"""The small files of a store: groups, attributes, documents of arrays. Each is replaced whole or not at all."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np

from bigimg.errors import OutputError, ReadError


def create_group(folder: Path, attributes: Mapping[str, Any]) -> None:
    """Create the Zarr group ``folder``, or replace its attributes."""
    write_document(folder, {"zarr_format": 3, "node_type": "group", "attributes": plain(attributes)})


def replace_file(path: Path, data: bytes) -> None:
    """Write ``data`` to ``path``: whoever reads it, or kills this process, finds all of it or what was there before."""
    partial = f"{path}.{uuid4().hex}.partial"
    try:
        try:
            file = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        except FileNotFoundError:
            path.parent.mkdir(parents=True, exist_ok=True)
            file = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        with os.fdopen(file, "wb") as stream:
            stream.write(data)
        os.replace(partial, path)  # noqa: PTH105 - a Path of every chunk takes as long as the write
    except BaseException:
        Path(partial).unlink(missing_ok=True)
        raise


def write_document(folder: Path, document: Mapping[str, Any]) -> None:
    """Write the ``zarr.json`` of ``folder``.

    Raises
    ------
    OutputError
        If the disk refuses.
    """
    try:
        replace_file(folder / "zarr.json", json.dumps(_strict(document), indent=1).encode())
    except OSError as error:
        raise OutputError(f"{folder} cannot be written: {error.strerror or error}; is the disk full?") from error


def read_attributes(folder: Path) -> dict[str, Any]:
    """Return the attributes of the Zarr group ``folder``, of format 2 or 3; empty where it has none.

    Raises
    ------
    ReadError
        If they are damaged.
    """
    for name in ("zarr.json", ".zattrs"):
        if (folder / name).is_file():
            try:
                document = json.loads((folder / name).read_text(encoding="utf-8"))
                return dict(document.get("attributes", {}) if name == "zarr.json" else document)
            except (ValueError, AttributeError, TypeError) as error:
                raise ReadError(f"{folder / name} is damaged: {error}; restore it from a copy") from error
    return {}


def plain(value: Any) -> Any:
    """Return ``value`` in the types that JSON has."""
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    return value.item() if isinstance(value, np.generic) else value


def _strict(value: Any) -> Any:
    """Return ``value`` with words for the numbers that JSON has not, as Zarr spells them."""
    if isinstance(value, Mapping):
        return {key: _strict(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_strict(each) for each in value]
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value
