"""Item ids: names that are safe as a folder, a URL and a Zarr node, made from the paths of files."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path, PurePosixPath

from bigimg.errors import ReadError
from bigimg.io.readers import SUFFIXES

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_SAFE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_RESERVED = {"zarr.json"}


def item_ids(paths: Sequence[str]) -> list[str]:
    """Return an id for each of ``paths``, relative and with ``/``: only letters, digits, ``.``, ``_`` and ``-``.

    The suffix of an image is dropped, a folder becomes ``__``, any other character ``_``. Where two paths come to one
    id, or to ids that differ only in case, both get some digits of the digest of their path. Order does not matter.

    Examples
    --------
    >>> item_ids(["well A1/cell.tif", "b.ome.tif"])
    ['well_A1__cell', 'b']
    >>> item_ids(["a.png", "a.tif", "c.png"])
    ['a-7f071235', 'a-ed4cf50d', 'c']
    """
    plain = [_plain(path) for path in paths]
    times = Counter(name.casefold() for name in plain)
    return [
        name if times[name.casefold()] == 1 and _SAFE.fullmatch(name) and name not in _RESERVED else marked(name, path)
        for name, path in zip(plain, paths)
    ]


def check_id(name: str) -> str:
    """Return ``name`` if it is a safe id.

    Raises
    ------
    ReadError
        If it could leave its folder or is no name for an item.
    """
    if not _SAFE.fullmatch(name) or ".." in name or name in _RESERVED:
        raise ReadError(f"{name!r} is not the name of an item: letters, digits, '.', '_' and '-', at most 128 of them")
    return name


def shown(path: str | Path) -> str:
    r"""Return ``path`` as it can be printed: line breaks, what commands a terminal, and what is not UTF-8 as escapes.

    Examples
    --------
    >>> print(shown("a\nb.png"), shown("Köln.png"))
    a\nb.png Köln.png
    """
    text = os.fsencode(path).decode("utf-8", "backslashreplace")
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode("ascii") for each in text)


def inside(root: Path, relative: str) -> Path:
    """Return ``root / relative`` if that is within ``root``, links followed.

    Raises
    ------
    ReadError
        If ``relative`` leaves ``root``: a store from elsewhere may name any file of this machine.
    """
    parts = PurePosixPath(relative).parts
    path = root.joinpath(*parts)
    if PurePosixPath(relative).is_absolute() or ".." in parts or not path.resolve().is_relative_to(root.resolve()):
        raise ReadError(f"{relative!r} in {root} points outside of it; do not trust this store")
    return path


def _plain(path: str) -> str:
    lower = path.lower()
    known = sorted((*SUFFIXES, ".ome.tif", ".ome.tiff", ".json", ".geojson"), key=len, reverse=True)
    suffix = next((each for each in known if lower.endswith(each)), "")
    stem = path[: len(path) - len(suffix)]
    name = _UNSAFE.sub("_", stem.replace("/", "__")).lstrip("._-")
    while ".." in name:
        name = name.replace("..", "._")
    return name


def marked(name: str, path: str) -> str:
    """Return ``name`` with a few digits of the digest of ``path``, so that no other path has it."""
    digest = sha256(path.encode("utf-8", "surrogateescape")).hexdigest()[:8]
    return f"{name[:100].rstrip('.') or 'image'}-{digest}"
