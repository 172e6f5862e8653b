"""From what a user names (a file, a folder, a pattern) to the images in it, checked before anything is computed.

What in a folder is an image, and what happens to the rest, is written in :mod:`bigimg.io.readers`.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from glob import glob, has_magic
from pathlib import Path
from typing import Literal

from bigimg.errors import BigimgError, MissingInputError, ParameterError, ReadError
from bigimg.io.names import item_ids, marked, shown
from bigimg.io.readers import SUFFIXES, ImageHeader, Reader, find_reader, stac, stac_item
from bigimg.io.readers.tiff_set import COMPANION
from bigimg.io.sources import FileSource, cause

OnError = Literal["fail", "skip"]
"""What one bad image of a hundred does: end everything, or be left out and reported."""

_IGNORED = {"desktop.ini", "thumbs.db"}
_ZARR = (".zarray", ".zattrs", ".zgroup", "zarr.json")
_THREADS = 4


@dataclass(frozen=True)
class Skipped:
    """A file that was left out."""

    name: str
    """The id it would have."""
    path: str
    """Its absolute path, as :func:`bigimg.io.names.shown` writes it."""
    reason: str
    """Why, in words."""

    @classmethod
    def of(cls, name: str, path: str | Path, why: object) -> Skipped:
        """Return what was left out; wherever its path stands in the reason, it can be printed."""
        return cls(name, shown(path), str(why).replace(str(path), shown(path)))


def scan(source: str | Path) -> list[Path]:
    """Return the files of a folder (and its folders), of a pattern such as ``scans/*.tif``, or the one file.

    They come in the order a person would put them: ``cell2`` before ``cell10``. Hidden files and what file managers
    write are left out; whether the others are images is not looked at.

    Raises
    ------
    MissingInputError
        If there is nothing.
    """
    return scan_from(source)[1]


def open_sources(source: str | Path, on_error: OnError = "fail") -> tuple[list[FileSource], list[Skipped]]:
    """Open every image of a folder, pattern or file: headers are read and checked, pixels are not.

    Returns
    -------
    sources
        One for each image, with ids that are unique. A file with several images gives ``<id>.0``, ``<id>.1`` ...
    skipped
        What was left out under ``on_error="skip"``; empty under ``"fail"``.

    Raises
    ------
    MissingInputError
        If there is no image.
    ReadError
        Under ``"fail"``: if a file is not an image, damaged or cut short; names it, and how many more there are.
    """
    if on_error not in ("fail", "skip"):
        raise ParameterError(f"on_error must be 'fail' or 'skip' (got {on_error!r})")
    root, paths = _candidates(source)
    relative = [path.relative_to(root).as_posix() for path in paths]
    ids = item_ids(relative)
    with ThreadPoolExecutor(_THREADS) as pool:
        found = _first_of_sets(paths, list(pool.map(partial(_find, root), paths)))
        opened = list(pool.map(_open, paths, ids, found))
    opened = _once(paths, opened)
    failed = [(name, path, result) for name, path, result in zip(ids, paths, opened) if isinstance(result, BigimgError)]
    if failed and on_error == "fail":
        raise _with_advice(source, failed)
    skipped = [Skipped.of(name, path, error) for name, path, error in failed]
    sources = [each for result in opened if not isinstance(result, BigimgError) for each in result]
    if not sources:
        why = f"; the first of {len(skipped)} files left out: {skipped[0].reason}" if skipped else ""
        raise MissingInputError(f"no image in {source}{why}")
    return _distinct(sources), skipped


def scan_from(source: str | Path) -> tuple[Path, list[Path]]:
    """Return the folder that ids of images are made from, and the files in it as :func:`scan` finds them."""
    root, paths = _candidates(source)
    return root, [path for path in paths if not is_zarr(path)]


def open_one(root: Path, path: Path) -> list[FileSource]:
    """Open the images of one file, which a scan of ``root`` has found.

    Raises
    ------
    ReadError, ImageError
        If it is none, or cannot be read; names it.
    """
    opened = _open(path, path.name, _find(root, path))
    if isinstance(opened, BigimgError):
        raise opened
    return opened


def is_zarr(path: Path) -> bool:
    """Whether ``path`` is a folder that holds a Zarr group or array."""
    return path.is_dir() and any((path / name).exists() for name in _ZARR)


def natural(text: str) -> list[tuple[int, int, str]]:
    """Return a key that sorts ``cell2`` before ``cell10``.

    Examples
    --------
    >>> sorted(["cell10", "cell2", "Cell1"], key=natural)
    ['Cell1', 'cell2', 'cell10']
    """
    parts = re.split(r"([0-9]+)", text)
    # Not isdigit: a raised ² is a digit, and no number.
    key = [(0, int(part), "") if "0" <= part[0] <= "9" else (1, 0, part.casefold()) for part in parts if part]
    return [*key, (2, 0, text)]


def _candidates(source: str | Path) -> tuple[Path, list[Path]]:
    """Return the folder that ids are relative to, and the files in their order; Zarr stores stand for themselves."""
    given = Path(source).expanduser()
    try:
        given.exists()
    except OSError as error:
        raise MissingInputError(f"{shown(given)} cannot be the name of a file: {error.strerror}") from None
    if given.is_dir() and not is_zarr(given):
        root = given.resolve()
        found = list(_walk(root))
    elif stac_item.is_catalog(given):
        root, found = given.resolve().parent, stac_item.linked(given)
    elif given.exists():
        # A link that the user names is followed.
        root, found = given.resolve().parent, [given.resolve()]
    elif given.is_symlink():
        raise MissingInputError(f"{shown(given)} is a link to nothing, or to itself; nothing to read")
    elif has_magic(str(source)):
        root, pattern = _split_pattern(given)
        matches = [root / match for match in glob(pattern, root_dir=root, recursive=True)]  # noqa: PTH207 - `**` in any place
        found = [path for path in matches if (is_zarr(path) or not path.is_dir()) and not _is_ignored(path.name)]
    else:
        raise MissingInputError(f"there is no file or folder {source}; nothing to read")
    if not found:
        raise MissingInputError(f"{source} holds no file; looked for images ({', '.join(SUFFIXES)})")
    return root, sorted(set(found), key=lambda path: natural(path.relative_to(root).as_posix()))


def _split_pattern(pattern: Path) -> tuple[Path, str]:
    """Return the folder before the first wildcard, and the rest of the pattern."""
    parts = pattern.parts
    first = next(i for i, part in enumerate(parts) if has_magic(part))
    return Path(*parts[:first]).resolve(), str(Path(*parts[first:]))


def _walk(root: Path) -> Iterator[Path]:
    closed: list[Path] = []
    # What cannot be looked into is given too: without it, images would be missing and nobody would know.
    for folder, folders, files in os.walk(root, onerror=lambda error: closed.append(Path(error.filename))):
        here = Path(folder)
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in [name for name in folders if is_zarr(here / name) or (here / name).is_symlink()]:
            folders.remove(name)
            # A linked folder inside the root is met where it really is.
            if is_zarr(here / name) or not (here / name).resolve().is_relative_to(root):
                yield here / name
        yield from (here / name for name in files if not _is_ignored(name))
    yield from closed


def _is_ignored(name: str) -> bool:
    # The last are the metadata of a set of OME-TIFF files, which name them.
    return name.startswith(".") or name.casefold() in _IGNORED or name.casefold().endswith(COMPANION)


@dataclass(frozen=True)
class _Found:
    """The reader of a file."""

    reader: Reader
    set: str
    """What it has in common with the other files of its image, if there are any."""
    claims: tuple[str, ...]
    """Other files that belong to it and are no images of their own."""


def _find(root: Path, path: Path) -> _Found | BigimgError:
    try:
        _check_path(root, path)
        reader = find_reader(path)
        return _Found(reader, _of_set(reader, path), _claims(reader, path))
    except BigimgError as error:
        return _readable(error, path)
    except OSError as error:
        return ReadError(f"{shown(path)} cannot be read: {cause(error)}")


def _of_set(reader: Reader, path: Path) -> str:
    ask = getattr(reader, "set_of", None)
    return "" if ask is None else str(ask(path))


def _claims(reader: Reader, path: Path) -> tuple[str, ...]:
    ask = getattr(reader, "claims", None)
    return () if ask is None else tuple(ask(path))


def _first_of_sets(paths: list[Path], found: list[_Found | BigimgError]) -> list[_Found | BigimgError | None]:
    """Leave of the files of one image only the first, or the one that claims the others: it stands for them."""
    known: set[str] = set()
    kept: list[_Found | BigimgError | None] = []
    claimed = {file for each in found if isinstance(each, _Found) for file in each.claims}
    for path, each in zip(paths, found):
        again = isinstance(each, _Found) and each.set in known
        if claimed and not (isinstance(each, _Found) and each.reader.NAME == stac.NAME):
            again = again or str(path.resolve()) in claimed
        kept.append(None if again else each)
        if isinstance(each, _Found) and each.set:
            known.add(each.set)
    return kept


def _open(path: Path, name: str, found: _Found | BigimgError | None) -> list[FileSource] | BigimgError:
    if found is None:
        return []
    if isinstance(found, BigimgError):
        return found
    try:
        headers = read_headers(found.reader, path)
        ids = [name] if len(headers) == 1 else [f"{name}.{header.part}" for header in headers]
        return [FileSource.of(path, part_id, found.reader.NAME, header) for part_id, header in zip(ids, headers)]
    except BigimgError as error:
        return _readable(error, path)
    except OSError as error:
        return ReadError(f"{shown(path)} cannot be read: {cause(error)}")


def _once(paths: list[Path], opened: list[list[FileSource] | BigimgError]) -> list[list[FileSource] | BigimgError]:
    """Leave out files that say nothing of a set, and whose pixels an image of it brings; refuse one of two sets."""
    brought: dict[str, Path] = {}
    result = list(opened)
    for number, (path, sources) in enumerate(zip(paths, opened)):
        if isinstance(sources, BigimgError) or not sources or sources[0].files == 1:
            continue
        files = {file for source in sources for file in source.paths()}
        twice = next((file for file in sorted(files) if file in brought), None)
        if twice is not None:
            result[number] = ReadError(
                f"{twice} is in two sets, that of {brought[twice].name} and that of {path.name}; keep each set in a "
                "folder of its own"
            )
        brought |= dict.fromkeys(files, path)
    for number, path in enumerate(paths):
        if not isinstance(result[number], BigimgError) and brought.get(str(path.resolve()), path) != path:
            result[number] = []
    return result


def _check_path(root: Path, path: Path) -> None:
    try:
        real = path.resolve()
    except RuntimeError:  # Python 3.13 resolves such a link to itself, and opening it fails
        raise ReadError(f"{path} is a link to itself, by way of others or not; remove it") from None
    if not real.is_relative_to(root):
        raise ReadError(f"{path} is a link that leaves {root}, to {real}; copy the file, or name it directly")
    try:
        str(path).encode()
    except UnicodeEncodeError:
        raise ReadError(
            f"{path} has a name that is not UTF-8, which no table of images can hold; rename it (convmv does so for "
            "whole folders)"
        ) from None
    if is_zarr(path):
        raise ReadError(f"{path} is a Zarr store in a folder of images; open it on its own")
    if path.is_dir():
        raise ReadError(f"{path} is a folder that cannot be looked into; allow it (chmod u+rx), or leave it out")


def _readable(error: BigimgError, path: Path) -> BigimgError:
    """Return ``error`` with a name of the file that any terminal, table or page can show."""
    return error if shown(path) == str(path) else type(error)(str(error).replace(str(path), shown(path)))


def read_headers(reader: Reader, path: Path) -> list[ImageHeader]:
    """Return the images in the file at ``path``; whatever goes wrong in the reader is a damaged header.

    Raises
    ------
    ReadError, ImageError
        Names the file.
    """
    try:
        return reader.headers(path)
    except (BigimgError, MemoryError):
        raise
    except Exception as error:
        # A library that is given damaged bytes raises whatever its authors did not expect either.
        raise ReadError(f"{path} has a damaged header: {cause(error)}; copy it again from where it came") from error


def _distinct(sources: list[FileSource]) -> list[FileSource]:
    """Mark the ids that a file of several images shares with another file: ``a.0`` of ``a.tif``, and ``a.0.tif``."""
    times = Counter(source.name.casefold() for source in sources)
    return [
        source if times[source.name.casefold()] == 1 else replace(source, name=marked(source.name, source.path))
        for source in sources
    ]


def _with_advice(source: str | Path, failed: list[tuple[str, Path, BigimgError]]) -> BigimgError:
    error = failed[0][2]
    more = ", ".join(shown(path.name) for _, path, _ in failed[1:6]) + (" ..." if len(failed) > 6 else "")
    others = f" {len(failed) - 1} more cannot be read either: {more}." if more else ""
    advice = f"To leave out what cannot be read use on_error='skip', or name the images with a pattern: {source}/*.png"
    return type(error)(f"{error}.{others} {advice}")
