"""Times as files, sidecars and catalogues write them, and as this package does: universal, in ISO 8601."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

_FORMATS = ("%Y:%m:%d %H:%M:%S", "%Y/%m/%d %H:%M:%S", "%d/%m/%Y %H:%M:%S")


def parse_time(time: str | None) -> datetime | None:
    """Return the moment that ``time`` says, in universal time; None where it says none.

    Times of files say no zone as a rule; those of scenes are universal.

    Examples
    --------
    >>> parse_time("2020:05:18 13:27:04"), parse_time("2020-05-18T13:27:04Z") == parse_time("2020-05-18T15:27:04+02:00")
    (datetime.datetime(2020, 5, 18, 13, 27, 4, tzinfo=datetime.timezone.utc), True)
    """
    for read in (datetime.fromisoformat, *(_reader(form) for form in _FORMATS)):
        try:
            found = read(time or "")
        except ValueError:
            continue
        return found.astimezone(UTC) if found.tzinfo is not None else found.replace(tzinfo=UTC)
    return None


def iso_time(moment: datetime) -> str:
    """Return a universal time as ISO 8601 writes it, without its zone: as NumPy reads it.

    Examples
    --------
    >>> iso_time(datetime(2020, 5, 18, 13, tzinfo=UTC))
    '2020-05-18T13:00:00'
    """
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat()


def _reader(form: str) -> Any:
    return lambda text: datetime.strptime(text, form).replace(tzinfo=UTC)
