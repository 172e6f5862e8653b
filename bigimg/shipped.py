"""Where the shipped ``cluster/`` and ``workflows/`` files are: the only place that knows."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Literal

from bigimg.errors import UnknownNameError

Kind = Literal["cluster", "workflows"]


def folder(kind: Kind) -> Path:
    """Return the folder of shipped ``kind`` files: the wheel's copy, else the checkout's own."""
    installed = Path(str(files("bigimg"))) / "_shipped" / kind
    return installed if installed.is_dir() else Path(__file__).parents[1] / kind


def names(kind: Kind) -> list[str]:
    """Return the names of the shipped ``kind`` files, without their suffix."""
    return sorted(path.stem for path in folder(kind).glob("*.yaml"))


def find(kind: Kind, name_or_path: str) -> Path:
    """Return the file a user means: a path if one is there, then ``./<kind>/<name>.yaml``, then the shipped one.

    Raises
    ------
    UnknownNameError
        If a file is named that is not there, or no such name is found; names the shipped ones.
    """
    given = Path(name_or_path)
    if given.suffix in {".yaml", ".yml"} or given.is_file():
        if given.is_file():
            return given
        raise UnknownNameError(f"there is no file {name_or_path}; names of shipped ones: {', '.join(names(kind))}")
    for place in (Path(kind), folder(kind)):
        path = place / f"{name_or_path}.yaml"
        if path.is_file():
            return path
    raise UnknownNameError.of({"cluster": "cluster profile", "workflows": "workflow"}[kind], name_or_path, names(kind))
