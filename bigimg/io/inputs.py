"""What a run works on, whatever the user names: a collection, an OME-Zarr image, a folder, a pattern or a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bigimg.io.collection import open_collection
from bigimg.io.scan import OnError, Skipped, is_zarr, open_sources
from bigimg.io.sources import Source


@dataclass(frozen=True)
class Inputs:
    """Images by their ids, and what was left out."""

    sources: Mapping[str, Source]
    skipped: tuple[Skipped, ...]


def open_inputs(source: str | Path, on_error: OnError = "fail") -> Inputs:
    """Open every image that ``source`` names; no pixel is read.

    Raises
    ------
    MissingInputError, ReadError, ImageError
        As :func:`bigimg.io.collection.open_collection` and :func:`bigimg.io.scan.open_sources`.
    """
    path = Path(source).expanduser()
    if is_zarr(path):
        return Inputs(open_collection(path).sources, ())
    sources, skipped = open_sources(source, on_error)
    return Inputs({each.name: each for each in sources}, tuple(skipped))
