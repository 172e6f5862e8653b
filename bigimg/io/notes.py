"""What looks wrong with images that are about to be worked on, in words: nothing is decided about it."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from pathlib import Path

from bigimg.io.readers import geotiff, tiff
from bigimg.io.readers.geotiff_header import has_place
from bigimg.io.sources import FileSource, Source
from bigimg.io.validity import LOOKED_AT, collar_notes


def notes_of(sources: Iterable[Source]) -> tuple[str, ...]:
    """Return a sentence for each thing that looks wrong; the edges of some scenes are read for it."""
    given = list(sources)
    return (*collar_notes(given), *place_notes(given))


def place_notes(sources: Iterable[Source]) -> tuple[str, ...]:
    """Return a note of TIFFs that know their place on the Earth, where nothing is installed that reads it."""
    if geotiff.is_installed():
        return ()
    able = (each for each in sources if isinstance(each, FileSource) and each.reader == tiff.NAME)
    placed = [each.name for each in islice(able, LOOKED_AT) if has_place(Path(each.path))]
    if not placed:
        return ()
    named = ", ".join(placed[:3]) + (" ..." if len(placed) > 3 else "")
    note = (
        f"{named}: the file says where on the Earth its pixels lie, and which are missing, and that was not read: it "
        'needs rasterio, pip install "bigimg[geo]"; without it pixels have no size, no coordinates and no nodata'
    )
    return (note,)
