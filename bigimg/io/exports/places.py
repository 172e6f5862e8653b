"""Where exports go: built aside in a folder, and given their name (a folder, or one file) once they are whole."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bigimg.errors import OutputError
from bigimg.io.publish import begin, check_absent, publish, sweep

_SCRATCH = ".scratch"


@dataclass(frozen=True)
class Place:
    """What is built."""

    folder: Path
    """Its contents will be those of the destination; of a single file, the one file that is in it."""
    root: Path

    def scratch(self, name: str) -> Path:
        """Return a folder for what is needed on the way, on the disk of the destination."""
        return self.root / _SCRATCH / name

    def forget(self, name: str) -> None:
        """Remove what was needed on the way to ``name``."""
        shutil.rmtree(self.scratch(name), ignore_errors=True)


@contextmanager
def place_for(dest: str | Path, single: str | None) -> Iterator[Place]:
    """Give a place to build in; publish it as ``dest`` at the end, or remove it if anything fails.

    Parameters
    ----------
    single
        The name in it of the one file, or folder, that ``dest`` will be; None where ``dest`` is the folder of all.

    Raises
    ------
    OutputExistsError, OutputError
        As :func:`bigimg.io.publish.building`.
    """
    dest = Path(dest).expanduser()
    root = begin(dest)
    try:
        place = Place(root / "built", root)
        place.folder.mkdir()
        yield place
        publish_one(place.folder / single if single else place.folder, dest)
    finally:
        shutil.rmtree(root, ignore_errors=True)


def publish_one(aside: Path, dest: Path) -> None:
    """Give a file, or a folder, its name."""
    if aside.is_dir():
        publish(aside, dest)
        return
    sweep(aside.parent)
    os.sync()
    check_absent(dest)
    try:
        # A link never replaces what somebody else has made in the meantime, as a rename would.
        os.link(aside, dest)
    except FileExistsError:
        check_absent(dest)
        raise
    except OSError as error:
        raise OutputError(f"{aside} cannot be published as {dest}: {error.strerror or error}") from error
