"""Which files make one OME-TIFF: its OME-XML names them, by file name and UUID.

Every file of a set has the whole OME-XML, or one has it and the others name that one (``BinaryOnly``), which may be a
TIFF of the set or a file of text, ``*.companion.ome``. Files of a set are in one folder.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath
from xml.etree import ElementTree as ET

import tifffile

from bigimg.errors import ReadError

COMPANION = ".companion.ome"
"""How the name of a file ends that has the metadata of a set, and no pixels."""


@dataclass(frozen=True)
class FileSet:
    """One set of OME-TIFF files."""

    files: tuple[Path, ...]
    """Those with pixels, in the order in which the metadata name them."""
    metadata: Path
    """The file with the metadata: a TIFF of the set, or a companion."""

    @property
    def companion(self) -> Path | None:
        """The file with the metadata, where it is no TIFF."""
        return self.metadata if _is_companion(self.metadata) else None

    @property
    def first(self) -> Path:
        """The TIFF file to start from."""
        return self.files[0] if self.companion else self.metadata


@dataclass(frozen=True)
class _Told:
    """What a file says of the set it is in."""

    uuid: str | None
    """Its own."""
    metadata: str | None
    """The name of the file with the metadata, where it is another one."""
    named: tuple[tuple[str, str], ...]
    """Names and UUIDs of the files with pixels."""


def set_of(path: Path) -> FileSet | None:
    """Return the set that the TIFF at ``path`` is in; None for an image of one file. No file but the XML is read.

    Raises
    ------
    ReadError
        If it is of no set that names it, or the metadata are missing.
    """
    path = path.resolve()
    told = _told_by(path)
    if told is None:
        return None
    metadata = path
    if told.metadata is not None:
        metadata = _beside(path, told.metadata)
        told = _told_by(metadata)
        if told is None or told.metadata is not None:
            raise ReadError(
                f"{path} has pixels only, and {metadata} not its metadata: it is damaged, or of another set; "
                "copy the whole set again"
            )
    named = dict(told.named)
    if metadata == path and len(named) < 2:
        return None  # of a file that was renamed the metadata know the old name
    if path.name not in named:
        raise ReadError(
            f"{path} is of a set of {len(named)} OME-TIFF files, and {metadata.name} does not name it, but "
            f"{', '.join(sorted(named)[:3])}; give it its name again, or copy the whole set again"
        )
    if metadata == path:
        # One file stands for all that say the same.
        metadata = _beside(path, told.named[0][0])
        if _said_by(metadata, told.named) is None:
            metadata = path
    return FileSet(tuple(_beside(path, name, must_be=False) for name in named), metadata)


def check_set(found: FileSet) -> None:
    """Check that every file of the set is there and of no other set.

    Raises
    ------
    ReadError
        Names the file that is missing, or in two sets.
    """
    told = _told_by(found.metadata)
    assert told is not None
    times = Counter(uuid for _, uuid in told.named)
    twice = [name for name, uuid in told.named if times[uuid] > 1]
    if twice:
        raise ReadError(
            f"{found.metadata} gives {twice[0]} and {twice[1]} of its set one UUID, so planes cannot be told apart; "
            "write the set again"
        )
    for name, uuid in told.named:
        file = _beside(found.metadata, name)
        own = _told_by(file)
        if own is None:
            continue
        if own.uuid not in (None, uuid):
            raise ReadError(
                f"{file} is not of the set of {found.metadata.name}: its UUID is {own.uuid}, the set's {uuid}; "
                "copy the file of this set there"
            )
        if own.metadata is None and file != found.metadata and own.named and set(own.named) != set(told.named):
            raise ReadError(
                f"{file} is in two sets: it names other files than {found.metadata.name} does; keep each set in a "
                "folder of its own"
            )
        if own.metadata is not None and _beside(file, own.metadata) != found.metadata:
            raise ReadError(
                f"{file} is in two sets: its metadata are in {own.metadata}, and {found.metadata.name} names it too; "
                "keep each set in a folder of its own"
            )


def _said_by(path: Path, named: tuple[tuple[str, str], ...]) -> _Told | None:
    """Return what ``path`` says, where it names the same files."""
    told = _told_by(path)
    return told if told is not None and told.metadata is None and set(told.named) == set(named) else None


def _beside(path: Path, name: str, must_be: bool = True) -> Path:
    """Return the file that ``path`` calls ``name``; never one outside of its folder."""
    parts = PurePosixPath(name.replace("\\", "/"))
    other = path.parent / parts
    if not name or parts.is_absolute() or ".." in parts.parts or not other.resolve().is_relative_to(path.parent):
        raise ReadError(f"{path} names {name!r} as a file of its set, which is outside of its folder; do not trust it")
    if must_be and not other.is_file():
        raise ReadError(f"{path} is of a set of OME-TIFF files, and {name} of it is missing; copy it to {path.parent}")
    return other.resolve()


def _told_by(path: Path) -> _Told | None:
    stat = path.stat()
    return _cached_told(str(path), stat.st_size, stat.st_mtime_ns)


@lru_cache(maxsize=4096)
def _cached_told(path: str, size: int, mtime_ns: int) -> _Told | None:  # noqa: ARG001 - they key the cache
    try:
        if _is_companion(Path(path)):
            xml: str | None = Path(path).read_text(encoding="utf-8")
        else:
            with tifffile.TiffFile(path, _multifile=False) as tif:
                xml = tif.ome_metadata if tif.is_ome else None
        root = ET.fromstring(xml) if xml else None  # noqa: S314 - expat bounds entities
    except Exception:  # noqa: BLE001 - what is wrong with a file that says nothing is found when its pages are
        return None
    if root is None:
        return None
    only = next((child for child in root if _tag(child) == "BinaryOnly"), None)
    named = {each.get("FileName", ""): (each.text or "").strip() for each in root.iter() if _tag(each) == "UUID"}
    named.pop("", None)
    return _Told(root.get("UUID"), None if only is None else only.get("MetadataFile", ""), tuple(named.items()))


def _is_companion(path: Path) -> bool:
    return path.name.lower().endswith(COMPANION)


def _tag(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]
