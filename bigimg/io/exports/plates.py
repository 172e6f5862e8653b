"""Plates as OME-Zarr: rows, columns, wells and fields, of images that say which well they are of."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bigimg.errors import ParameterError
from bigimg.io import ngff
from bigimg.io.exports.ome_zarr import Version, describe, write_ome_zarr
from bigimg.io.exports.subjects import Subject
from bigimg.io.scan import natural

Fields = Mapping[str, Sequence[tuple[str, Subject]]]
"""By path of the well: the name of each field, and its image."""


def plates_of(subjects: Sequence[Subject], name: str) -> dict[str, Fields]:
    """Return the plates that images are of, by name; ``name`` is that of images that say none.

    Raises
    ------
    ParameterError
        If an image does not say its well, or says one that a plate in OME-Zarr cannot have; names it.
    """
    plates: dict[str, dict[str, list[Subject]]] = {}
    for subject in subjects:
        columns = columns_of(subject)
        if "row" not in columns or "column" not in columns:
            raise ParameterError(
                f"image {subject.name!r} does not say which well it is of, and a plate is made of wells; ingest with a "
                "pattern of the names of files (--pattern), export ome-zarr, or choose others with items (--items)"
            )
        row, column = str(columns["row"]), str(columns["column"])
        if not (row.isascii() and row.isalnum() and column.isascii() and column.isalnum()):
            raise ParameterError(
                f"image {subject.name!r} is of row {row!r} and column {column!r}; OME-Zarr has letters and digits"
            )
        plates.setdefault(str(columns.get("plate", name)), {}).setdefault(f"{row}/{column}", []).append(subject)
    return {
        plate: {well: _fields(wells[well]) for well in sorted(wells, key=natural)} for plate, wells in plates.items()
    }


def write_plate(name: str, wells: Fields, path: Path, scratch: Path, version: Version = "0.5") -> None:
    """Write a plate as the OME-Zarr ``path``: its wells, their images with levels, channels and labels."""
    for well, fields in wells.items():
        for field, subject in fields:
            write_ome_zarr(subject, path / well / field, scratch / subject.name, version)
            shutil.rmtree(scratch / subject.name, ignore_errors=True)
        said = [{"path": field, **_acquisition(subject)} for field, subject in fields]
        describe(path / well, _with_version({"well": {"images": said}}, version), {}, version)
        describe(path / well.partition("/")[0], {}, {}, version)
    # Last: what has metadata looks complete.
    describe(path, _with_version({"plate": _plate(name, wells)}, version), {}, version)


def columns_of(subject: Subject) -> Mapping[str, Any]:
    """Return what is known of the place of an image in an experiment."""
    found: Mapping[str, Any] = subject.item.attrs.get("columns", {})
    return found


def _fields(subjects: Sequence[Subject]) -> list[tuple[str, Subject]]:
    """Return the name of each field of a well: as the image says, or its number where several say the same or none."""
    said = [str(columns_of(subject).get("field", "")) for subject in subjects]
    usable = max(Counter(said).values()) == 1 and all(text.isascii() and text.isalnum() for text in said)
    return list(zip(said if usable else map(str, range(len(subjects))), subjects))


def _plate(name: str, wells: Fields) -> dict[str, Any]:
    rows, columns = (sorted({well.split("/")[side] for well in wells}, key=natural) for side in (0, 1))
    rows.sort(key=len)  # AA after Z
    ids = {number for fields in wells.values() for _, each in fields for number in _acquisition(each).values()}
    return {
        "name": name,
        "rows": [{"name": row} for row in rows],
        "columns": [{"name": column} for column in columns],
        "wells": [
            {"path": well, "rowIndex": rows.index(well.split("/")[0]), "columnIndex": columns.index(well.split("/")[1])}
            for well in wells
        ],
        "field_count": max(len(fields) for fields in wells.values()),
        **({"acquisitions": [{"id": number} for number in sorted(ids)]} if ids else {}),
    }


def _acquisition(subject: Subject) -> dict[str, int]:
    number = columns_of(subject).get("acquisition")
    return {"acquisition": number} if isinstance(number, int) and number >= 0 else {}


def _with_version(said: Mapping[str, Any], version: Version) -> dict[str, Any]:
    return {"version": ngff.VERSION, **{key: {**value, "version": version} for key, value in said.items()}}
