"""What has been done, line by line, so that work that was killed goes on where it was.

::

    5d3a09c1 {"done": "cell_7", ...}        checksum, then one record
    0b77e1f4 {"done": "cell_8", ...}
    91c0 {"do                               killed while it wrote this: the line is as if it were not there

Only one process writes a journal. A record stands for files that were written before it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Any

from google_crc32c import value as crc32c

from bigimg.errors import OutputError
from bigimg.io.documents import plain


def read_journal(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the records of a journal up to the first that is not whole; none where there is no journal.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     with Journal(Path(folder, "journal")) as journal:
    ...         journal.add({"done": "a"})
    ...     with Path(folder, "journal").open("a") as file:
    ...         _ = file.write('1234 {"do')
    ...     list(read_journal(Path(folder, "journal")))
    [{'done': 'a'}]
    """
    for record, _ in _whole(path):
        yield record


class Journal(AbstractContextManager["Journal"]):
    """A journal to write to; what was torn off at its end by a kill is cut away first.

    Raises
    ------
    OutputError
        If another process is writing it, or the disk refuses.
    """

    def __init__(self, path: Path) -> None:
        end = 0
        for _, end in _whole(path):  # noqa: B007 - the last one counts
            pass
        self._path = path
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT, 0o666)
        try:
            _lock(self._file, path)
            os.ftruncate(self._file, end)
            os.lseek(self._file, end, os.SEEK_SET)
        except BaseException:
            os.close(self._file)
            raise

    def add(self, record: Mapping[str, Any]) -> None:
        """Write one record."""
        text = json.dumps(plain(record), separators=(",", ":")).encode()
        try:
            # One call: the line is there, or the part of it that the next reader does not believe.
            os.write(self._file, b"%08x %s\n" % (crc32c(text), text))
        except OSError as error:
            raise OutputError(
                f"{self._path} cannot be written: {error.strerror or error}; is the disk full?"
            ) from error

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.fsync(self._file)
        os.close(self._file)


def _whole(path: Path) -> Iterator[tuple[dict[str, Any], int]]:
    """Yield each whole record and where it ends."""
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return
    end = 0
    with file:
        for line in file:
            end += len(line)
            checksum, _, text = line.rstrip(b"\n").partition(b" ")
            if not line.endswith(b"\n") or checksum != b"%08x" % crc32c(text):
                return
            yield json.loads(text), end


def _lock(file: int, path: Path) -> None:
    import fcntl  # noqa: PLC0415 - not on every system, and only writers need it

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise OutputError(
            f"{path.parent} is being written by another process; wait for it, or end it before you start again"
        ) from None
