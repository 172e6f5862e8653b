"""Results are built aside and published by one rename: what has the name of a result is whole.

::

    results.building-3f9a21c0/   while it is built; removed if anything fails
    results/                     after the rename
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from bigimg.errors import OutputError, OutputExistsError

MARK = ".building-"
"""Stands in the name of a folder that is not finished."""


@contextmanager
def building(dest: str | Path) -> Iterator[Path]:
    """Give a new folder beside ``dest`` to build in; rename it to ``dest`` at the end, or remove it if anything fails.

    Raises
    ------
    OutputExistsError
        If there is a ``dest``: before anything is computed, and again at the end.
    OutputError
        If nothing can be written there.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     with building(Path(folder) / "results") as aside:
    ...         _ = (aside / "a.txt").write_text("hello")
    ...     [path.name for path in Path(folder).iterdir()]
    ['results']
    """
    aside = begin(dest)
    try:
        yield aside
        publish(aside, dest)
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        raise


def begin(dest: str | Path, aside: Path | None = None) -> Path:
    """Return a new folder beside ``dest``, called ``aside`` if given, having made sure that ``dest`` can be made.

    Raises
    ------
    OutputExistsError, OutputError
        As :func:`building`.
    """
    dest = Path(dest).expanduser()
    check_absent(dest)
    aside = aside or dest.with_name(f"{dest.name}{MARK}{uuid4().hex[:8]}")
    try:
        aside.mkdir(parents=True, exist_ok=aside.is_dir())
    except OSError as error:
        raise OutputError(
            f"the output {dest} cannot be written: {error.strerror or error} ({dest.parent}); "
            "choose a folder that is yours, with space left"
        ) from error
    return aside


def publish(aside: str | Path, dest: str | Path) -> None:
    """Give what was built in ``aside`` its name, once it is safely on the disk.

    Raises
    ------
    OutputExistsError
        If somebody else made ``dest`` in the meantime; theirs stays.
    """
    aside, dest = Path(aside), Path(dest).expanduser()
    sweep(aside)
    # One call for any number of files; a rename that outlives the power while its contents do not would be a lie.
    os.sync()
    check_absent(dest)
    try:
        aside.rename(dest)
    except OSError as error:
        if dest.exists():
            raise _exists(dest) from error
        raise OutputError(f"{aside} cannot be renamed to {dest}: {error.strerror or error}") from error


def sweep(folder: Path) -> None:
    """Remove what writers that were killed in the middle of a chunk have left."""
    for partial in folder.rglob("*.partial"):
        partial.unlink(missing_ok=True)


def check_writable(dest: str | Path) -> None:
    """Refuse a ``dest`` that could not be made, without making anything."""
    dest = Path(dest).expanduser().absolute()
    there = next(folder for folder in dest.parents if folder.exists())
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        raise OutputError(f"the output {dest} cannot be written: {there} is not a folder that can be written to")


def check_absent(dest: str | Path) -> None:
    """Refuse a ``dest`` that exists; an output is never overwritten."""
    dest = Path(dest).expanduser()
    if dest.exists() or dest.is_symlink():
        raise _exists(dest)


def _exists(dest: Path) -> OutputExistsError:
    return OutputExistsError(
        f"the output {dest} exists already; choose another name, or move it away. It was not touched"
    )
