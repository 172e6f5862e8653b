"""Plates of high-content screens: which well an image is of, and plates in OME-Zarr (0.4 and 0.5).

::

    plate.zarr/          plate: rows, columns, wells
      B/3/               well: its fields
        0/               field: an OME-Zarr image

What is known of an image is in its attribute ``columns``, and so in the table of images: ``plate``, ``well`` (``B03``),
``row`` (``B``), ``column`` (3), ``field``, ``acquisition``, and whatever else names of files say.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bigimg.errors import ImageError, ReadError
from bigimg.io.documents import read_attributes
from bigimg.io.names import inside

ORDER = ("plate", "well", "row", "column", "field", "acquisition")
"""Of the columns of a plate."""

_WELL = re.compile(r"([A-Za-z]{1,2})([0-9]{1,3})")


@dataclass(frozen=True)
class Field:
    """One image of a plate."""

    path: str
    """Of its group in the plate."""
    columns: dict[str, Any]

    @property
    def name(self) -> str:
        """What it is called in a collection, unless it is shared."""
        return f"{self.columns['well']}_{self.path.rpartition('/')[2]}"


def columns_of_well(said: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Return what is said of an image in the one way it is written here, known columns first.

    Rows become letters, columns and fields numbers; a well follows from its row and column, and these from it.

    Raises
    ------
    ImageError
        If the well and its row or column are not the same; names ``where``.

    Examples
    --------
    >>> columns_of_well({"plate": "P1", "row": "02", "column": "03", "drug": "DMSO", "field": "4"}, "a.tif")
    {'plate': 'P1', 'well': 'B03', 'row': 'B', 'column': 3, 'field': 4, 'drug': 'DMSO'}
    >>> columns_of_well({"well": "b3"}, "a.tif")
    {'well': 'B03', 'row': 'B', 'column': 3}
    """
    found = {word: _number(text) if word in ("column", "field", "acquisition") else text for word, text in said.items()}
    if "row" in found:
        found["row"] = row_name(int(found["row"])) if str(found["row"]).isdecimal() else str(found["row"]).upper()
    match = _WELL.fullmatch(str(found.get("well", "")))
    if match is not None:
        row, column = match[1].upper(), int(match[2])
        given = found.get("row", row), found.get("column", column)
        found |= {"row": row, "column": column}
        if given != (row, column):
            raise ImageError(
                f"{where} says well {found['well']}, and row {given[0]} and column {given[1]}, which is another one; "
                "give the pattern one of both"
            )
    if "row" in found and "column" in found:
        column = found["column"]
        found["well"] = f"{found['row']}{column:02d}" if isinstance(column, int) else f"{found['row']}{column}"
    known = [word for word in ORDER if word in found]
    return {word: found[word] for word in [*known, *(word for word in found if word not in known)]}


def row_name(number: int) -> str:
    """Return the letters of a row that is counted from 1.

    Examples
    --------
    >>> [row_name(number) for number in (1, 26, 27, 32)]
    ['A', 'Z', 'AA', 'AF']
    """
    if not 1 <= number <= 26 * 27:
        raise ImageError(f"{number} is no row of a plate: rows are counted from 1")
    first, last = divmod(number - 1, 26)
    return (chr(ord("A") + first - 1) if first else "") + chr(ord("A") + last)


def is_plate(attributes: Mapping[str, Any]) -> bool:
    """Whether the attributes of a group are those of an OME-Zarr plate."""
    return "plate" in attributes.get("ome", attributes)


def read_plate(root: Path) -> Iterator[Field]:
    """Yield the fields of the plate in the folder ``root``, well by well; no image is opened.

    Raises
    ------
    ReadError
        If its metadata, or those of a well, are not those of OME-Zarr 0.4 or 0.5; names the well.
    """
    plate = _part(root, "plate")
    name = str(plate.get("name") or root.name.removesuffix(".zarr").removesuffix(".ome"))
    try:
        rows, columns = ([str(each["name"]) for each in plate[key]] for key in ("rows", "columns"))
        wells = [(str(well["path"]), _row_and_column(well, rows, columns)) for well in plate["wells"]]
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise ReadError(f"{root} is no OME-Zarr plate of version 0.4 or 0.5: {error!r} in its metadata") from error
    if not wells:
        raise ReadError(f"{root} is a plate without a well: there is nothing to read")
    for path, (row, column) in wells:
        group = inside(root, path)
        if not group.is_dir():
            raise ReadError(
                f"plate {root} lacks its well {path}: there is no folder {group}; copy it again from where it came"
            )
        yield from _fields(group, path, {"plate": name, "row": row, "column": column})


def _fields(group: Path, path: str, columns: Mapping[str, Any]) -> Iterator[Field]:
    well = _part(group, "well")
    try:
        images = [(str(image["path"]), image.get("acquisition")) for image in well["images"]]
    except (KeyError, TypeError, AttributeError) as error:
        raise ReadError(f"{group} is no OME-Zarr well of version 0.4 or 0.5: {error!r} in its metadata") from error
    for field, acquisition in images:
        said = {**columns, "field": field, **({} if acquisition is None else {"acquisition": acquisition})}
        if not inside(group, field).is_dir():
            raise ReadError(
                f"well {path} lacks its field {field}: there is no folder {group / field}; copy it again from where it "
                "came"
            )
        own = read_attributes(inside(group, field)).get("bigimg", {}).get("attrs", {}).get("columns", {})
        more = {word: value for word, value in own.items() if word not in ORDER}
        yield Field(f"{path}/{field}", columns_of_well({**said, **more}, str(group / field)))


def _row_and_column(well: Mapping[str, Any], rows: list[str], columns: list[str]) -> tuple[str, str]:
    """Return the names of the row and column of a well, by its path; version 0.1 had no indices."""
    at = int(well["rowIndex"]), int(well["columnIndex"])
    if min(at) < 0:
        raise ValueError(f"well {well['path']!r} has indices {at}")
    row, column = rows[at[0]], columns[at[1]]
    if str(well["path"]) != f"{row}/{column}":
        raise ValueError(f"well {well['path']!r} has the row {row!r} and the column {column!r}")
    return row, column


def _part(group: Path, key: str) -> Mapping[str, Any]:
    attributes = read_attributes(group)
    found = attributes.get("ome", attributes).get(key)
    if not isinstance(found, dict):
        raise ReadError(f"{group} has no {key!r} in its metadata; it is no OME-Zarr {key} of version 0.4 or 0.5")
    return found


def _number(value: Any) -> Any:
    return int(value) if str(value).isdecimal() else value
