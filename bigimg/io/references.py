"""References: a collection of results names the images it was made from, which stay where they are."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bigimg.errors import MissingInputError, ReadError
from bigimg.io.documents import create_group
from bigimg.io.frames import write_frames
from bigimg.io.items import Item, finish
from bigimg.io.names import check_id
from bigimg.io.readers import find_reader
from bigimg.io.scan import Skipped, is_zarr
from bigimg.io.sources import FileSource, Source
from bigimg.io.stored import StoredSource

if TYPE_CHECKING:
    from bigimg.io.collection import Collection


def create_results(
    root: Path,
    dest: str | Path,
    sources: Mapping[str, Source],
    attrs: Mapping[str, Any] | None = None,
    skipped: tuple[Skipped, ...] = (),
) -> None:
    """Make ``root`` a collection of references to ``sources``, whose labels and tables are still to be written.

    Parameters
    ----------
    root
        The folder to build in, from :func:`bigimg.io.publish.building`.
    dest
        Where it will be published: relative references start there.
    attrs
        What the collection says of itself, as JSON.
    """
    create_group(root / "images", {})
    items = [reference_to(source, name, root, dest) for name, source in sources.items()]
    finish(root, items, skipped, dict(attrs or {}))


def reference_to(source: Source, name: str, root: Path, dest: str | Path) -> Item:
    """Make the group of an item of the collection ``root`` that refers to ``source``; return its row.

    ``dest`` is where the collection will be: relative references start there.
    """
    path = f"images/{check_id(name)}"
    where, part = _locate(source)
    create_group(root / path, {"bigimg": {"reference": str(where), "part": part}})
    write_frames(root / path, source)
    return replace(
        Item.of(source, path, source.chunks),
        id=name,
        source=str(where),
        reference=str(where),
        reference_relative=os.path.relpath(where, Path(dest).expanduser().resolve()),
        reference_part=part,
    )


def image_path(source: Source, dest: str | Path, item: str, label: str) -> str:
    """Return the relative path from ``images/<item>/labels/<label>`` in ``dest`` to the image of ``source``.

    OME-Zarr viewers follow it to show the labels on their image. The item itself where the image is no OME-Zarr.
    """
    if not isinstance(source, StoredSource) or source.item is not None:
        return "../../"
    here = Path(dest).expanduser().resolve() / "images" / item / "labels" / label
    return os.path.relpath(Path(source.path).resolve().parent, here)


def resolve(item: Item, root: Path, open_collection: Callable[[Path], Collection]) -> Source:
    """Return the source that ``item`` of the collection at ``root`` refers to.

    Raises
    ------
    MissingInputError
        If it is neither at its place relative to the collection nor at its absolute one.
    ReadError
        If other pixels are there than those the results were made from.
    """
    places = [root.resolve() / (item.reference_relative or ""), Path(item.reference or "")]
    found = next((place.resolve() for place in places if place.exists()), None)
    if found is None:
        raise MissingInputError(
            f"the image of item {item.id!r} in {root} is gone: it was {item.reference}; move it back there, or keep it "
            f"at {item.reference_relative} beside the collection"
        )
    source: Source
    if is_zarr(found):
        source = open_collection(found).sources[item.reference_part or item.id]
        if isinstance(source, (FileSource, StoredSource)):
            source = replace(source, name=item.id)
    else:
        reader = find_reader(found)
        source = FileSource.of(found, item.id, reader.NAME, _part(found, reader.headers(found), item))
    if source.fingerprint() != item.digest:
        raise ReadError(
            f"the image of item {item.id!r} in {root} has changed: {found} is not the one the results were made from "
            f"(digest {source.fingerprint()}, then {item.digest}); run the workflow again on it"
        )
    if "nodata" in item.attrs and isinstance(source, (FileSource, StoredSource)):
        # It may have been given when the reference was made.
        return replace(source, attrs={**source.attrs, "nodata": item.attrs["nodata"]})
    return source


def _locate(source: Source) -> tuple[Path, str]:
    if isinstance(source, FileSource):
        return Path(source.path).resolve(), str(source.part)
    if isinstance(source, StoredSource):
        return Path(source.root or source.path).resolve(), source.name
    raise ReadError(f"image {source.name!r} is neither in a file nor in a store; ingest it before a run")


def _part(path: Path, headers: list[Any], item: Item) -> Any:
    wanted = int(item.reference_part or 0)
    found = next((header for header in headers if header.part == wanted), None)
    if found is None:
        raise ReadError(f"item {item.id!r}: {path} has {len(headers)} images, not one of number {wanted}")
    return found
