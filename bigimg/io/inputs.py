"""What a run works on, whatever the user names: a collection, an OME-Zarr image, a folder, a pattern or a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bigimg.io.collection import open_collection
from bigimg.io.scan import OnError, Skipped, is_zarr, open_sources
from bigimg.io.sources import Source
from bigimg.io.validity import validity, with_nodata


@dataclass(frozen=True)
class Inputs:
    """Images by their ids, and what was left out."""

    sources: Mapping[str, Source]
    skipped: tuple[Skipped, ...]


def open_inputs(
    source: str | Path, on_error: OnError = "fail", nodata: float | None = None, default: float | None = None
) -> Inputs:
    """Open every image that ``source`` names; no pixel is read.

    ``nodata`` is the value of pixels that are none, in the place of what files say; ``default`` where they do not.

    Raises
    ------
    MissingInputError, ReadError, ImageError
        As :func:`bigimg.io.collection.open_collection` and :func:`bigimg.io.scan.open_sources`.
    """
    path = Path(source).expanduser()
    if is_zarr(path):
        found = open_collection(path).sources
        if nodata is None and default is None:
            return Inputs(found, ())
        return Inputs({name: _told(each, nodata, default) for name, each in found.items()}, ())
    sources, skipped = open_sources(source, on_error)
    return Inputs({each.name: _told(each, nodata, default) for each in sources}, tuple(skipped))


def _told(source: Source, nodata: float | None, default: float | None) -> Source:
    """Return ``source`` with the value of missing pixels that was given for all images."""
    told: Source = with_nodata(source, default if nodata is None and validity(source) is None else nodata)
    return told
