"""Looking at every chunk of a collection: is it there, and is it what was written? What can be made again is repaired.

Chunks carry checksums; those of a store that others wrote are only decoded. A chunk of an image comes back from the
file that the image was copied from, if that is still the same file, and so does one of which pixels count; a chunk of a
smaller level from the level before. Labels are results: the workflow that made them makes them again.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from os import cpu_count
from pathlib import Path

import numpy as np

from bigimg.core.tile import Box
from bigimg.errors import BigimgError, ReadError
from bigimg.io.collection import Collection, open_collection
from bigimg.io.documents import read_attributes
from bigimg.io.items import Item
from bigimg.io.levels import FillLevel
from bigimg.io.names import inside
from bigimg.io.ngff import read_multiscale
from bigimg.io.pyramid import Kind
from bigimg.io.readers import find_reader
from bigimg.io.sources import FileSource
from bigimg.io.stacks import StackSource, stack_of
from bigimg.io.stored import OpenArray, open_array
from bigimg.io.tables import read_table
from bigimg.io.validity import MASK, mask_pixels
from bigimg.io.writer import ArrayWriter


@dataclass(frozen=True)
class Damage:
    """What is not as it was written."""

    item: str
    """Id of the image, or the name of the table."""
    path: str
    """The file."""
    reason: str
    repaired: bool = False
    """Whether it is whole again."""


@dataclass(frozen=True)
class Verified:
    """What looking at a collection has found."""

    path: Path
    items: int
    chunks: int
    """How many were looked at."""
    damages: tuple[Damage, ...]

    @property
    def is_whole(self) -> bool:
        """Whether nothing is damaged any more."""
        return all(damage.repaired for damage in self.damages)


def verify(path: str | Path, *, repair: bool = False) -> Verified:
    """Read every chunk of a collection, and compare each image with its row in the table.

    Parameters
    ----------
    path
        Of the collection.
    repair
        Whether to write again what can be made again.

    Returns
    -------
    Verified
        What is damaged, and whether it was repaired.

    Raises
    ------
    MissingInputError, ReadError
        If there is no collection, or it has no table of items.
    """
    collection = open_collection(path)
    with ThreadPoolExecutor(min(4, cpu_count() or 1)) as pool:
        found = list(pool.map(partial(_verify_item, collection, repair), collection))
        found += pool.map(partial(_verify_pack, collection, repair), _packs(collection))
    damages = [damage for _, some in found for damage in some] + list(_strays(collection)) + list(_tables(collection))
    return Verified(collection.path, len(collection), sum(chunks for chunks, _ in found), tuple(damages))


def _verify_item(collection: Collection, repair: bool, name: str) -> tuple[int, list[Damage]]:
    item = collection.item(name)
    chunks = 0
    damages: list[Damage] = []
    try:
        if item.reference is not None:
            collection.sources[name]
        elif item.item is None:
            group = inside(collection.path, item.path)
            more, some = _verify_group(group, item, "image", repair, collection.path)
            chunks, damages = chunks + more, damages + some
        for label in collection.label_names:
            group = collection.path / "images" / name / "labels" / label
            if group.is_dir():
                more, some = _verify_group(group, item, "labels", repair, collection.path)
                chunks, damages = chunks + more, damages + some
    except BigimgError as error:
        damages.append(Damage(name, str(collection.path / item.path), str(error)))
    return chunks, damages


def _verify_group(group: Path, item: Item, kind: Kind, repair: bool, root: Path) -> tuple[int, list[Damage]]:
    """Look at every level of an image or of labels, the largest first: the others can be made of it."""
    paths = read_multiscale(read_attributes(group), str(group)).paths
    chunks, damages = 0, []
    before: OpenArray | None = None
    for number, path in enumerate(paths):
        array = open_array(inside(group, path), root)
        if number == 0 and kind == "image" and (array.shape != item.shape or array.dtype.name != item.dtype):
            raise ReadError(
                f"image {item.id!r}: {array.folder} holds {array.dtype} {array.shape}, the table of items says "
                f"{item.dtype} {item.shape}; one of both is not as it was written"
            )
        for _, box, file, why in array.damaged(complete=bool(item.digest) or kind == "labels"):
            damage = Damage(item.id, str(file), why)
            if repair:
                damage = _repaired(damage, item, array, before, kind, box)
            damages.append(damage)
        chunks += array.count
        before = array
    if kind == "image" and item.digest:
        for folder in _beside(group, paths):
            array = open_array(folder, root)
            for _, box, file, why in array.damaged(complete=True):
                damage = Damage(item.id, str(file), why)
                damages.append(_repaired_beside(damage, item, array, box) if repair else damage)
            chunks += array.count
    return chunks, damages


def _beside(group: Path, levels: Sequence[str]) -> list[Path]:
    """Return the arrays beside the levels of an image: which pixels count, and what its coordinates are."""
    documents = sorted(group.glob("*/zarr.json"))
    arrays = {file.parent.name: json.loads(file.read_text(encoding="utf-8")) for file in documents}
    return [
        group / name
        for name, document in arrays.items()
        if name not in levels and document.get("node_type") == "array" and document.get("shape")
    ]


def _repaired_beside(damage: Damage, item: Item, array: OpenArray, box: Box) -> Damage:
    """Write a chunk of the pixels that count again; coordinates come back with the image only."""
    if array.folder.name != MASK:
        return replace(damage, reason=f"{damage.reason}; coordinates are not made again one by one: ingest it again")
    writer = ArrayWriter(str(array.folder), array.shape, array.unit, array.dtype, is_sharded=array.shards is not None)
    try:
        writer.write(box, mask_pixels(_original(item), box))
    except BigimgError as error:
        return replace(damage, reason=f"{damage.reason}; it cannot be repaired: {error}")
    return replace(damage, repaired=True)


def _repaired(
    damage: Damage,
    item: Item,
    array: OpenArray,
    before: OpenArray | None,
    kind: Kind,
    box: Box,
) -> Damage:
    """Write a chunk again, from the level ``before`` or from the file; return what became of the damage."""
    writer = ArrayWriter(str(array.folder), array.shape, array.unit, array.dtype, is_sharded=array.shards is not None)
    try:
        if before is not None:
            FillLevel(str(before.folder), writer, array.dims, kind, (box,))()
        elif kind == "labels":
            return replace(damage, reason=f"{damage.reason}; labels are results: run the workflow again")
        else:
            writer.write(box, _original(item)[box])
    except BigimgError as error:
        return replace(damage, reason=f"{damage.reason}; it cannot be repaired: {error}")
    return replace(damage, repaired=True)


def _original(item: Item) -> FileSource | StackSource:
    """Return the file, or files, that ``item`` was copied from.

    Raises
    ------
    ReadError
        If it is gone, or another one.
    """
    path = Path(item.source)
    if item.source and path.is_dir():
        raise ReadError(f"it was copied from the store {path}: ingest that again")
    if not item.source or not path.is_file():
        raise ReadError(f"the file it was copied from is gone: {item.source or 'it is not known'}")
    if "naming" in item.attrs:
        stack = stack_of(item.attrs["naming"]["folder"], item.attrs["naming"]["pattern"], item.source)
        if stack is None or stack.fingerprint() != item.digest:
            raise ReadError(f"{path} and the files that belong to it are not those it was copied from any more")
        return stack
    part = int(item.digest.rpartition("#")[2]) if "#" in item.digest else 0
    reader = find_reader(path)
    header = next((header for header in reader.headers(path) if header.part == part), None)
    source = None if header is None else FileSource.of(path, item.id, reader.NAME, header)
    if source is None or source.fingerprint() != item.digest:
        raise ReadError(f"{path} is not the file it was copied from any more")
    return source


def _packs(collection: Collection) -> dict[str, list[Item]]:
    packs: dict[str, list[Item]] = {}
    for name in collection:
        item = collection.item(name)
        if item.item is not None:
            packs.setdefault(item.path, []).append(item)
    return packs


def _verify_pack(collection: Collection, repair: bool, path: str) -> tuple[int, list[Damage]]:
    items = {item.item: item for item in _packs(collection)[path]}
    damages = []
    try:
        array = open_array(inside(collection.path, path), collection.path)
        for _, box, file, why in array.damaged(complete=True):
            members = [items[number] for number in range(box[0].start, box[0].stop) if number in items]
            damage = Damage(", ".join(item.id for item in members), str(file), why)
            damages.append(_repaired_pack(damage, members, array, box) if repair else damage)
    except BigimgError as error:
        return 0, [Damage(path, str(collection.path / path), str(error))]
    return array.count, damages


def _repaired_pack(damage: Damage, members: list[Item], array: OpenArray, box: Box) -> Damage:
    writer = ArrayWriter(str(array.folder), array.shape, array.unit, array.dtype)
    pixels = np.zeros(tuple(side.stop - side.start for side in box), array.dtype)
    try:
        for item in members:
            pixels[(item.item or 0) - box[0].start] = _original(item)[...]
        writer.write(box, pixels)
    except BigimgError as error:
        return replace(damage, reason=f"{damage.reason}; it cannot be repaired: {error}")
    return replace(damage, repaired=True)


def _strays(collection: Collection) -> Iterator[Damage]:
    """Yield the images that the table does not have."""
    folder = collection.path / "images"
    known = {collection.item(name).path for name in collection} | {f"images/{name}" for name in collection}
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if path.is_dir() and f"images/{path.name}" not in known:
            yield Damage(path.name, str(path), "the table of items has no such image; it was not finished, or added")


def _tables(collection: Collection) -> Iterator[Damage]:
    for name in collection.table_names:
        file = collection.path / "tables" / f"{name}.parquet"
        try:
            read_table(file if file.exists() else file.with_suffix(""))
        except BigimgError as error:
            yield Damage(name, str(file), str(error))
