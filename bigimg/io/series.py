"""Scenes of one place, taken one after the other, as one image with an axis of time; and the day each belongs to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from hashlib import sha256
from os.path import commonpath
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from bigimg.core.tile import box_shape
from bigimg.errors import BigimgError, ImageError
from bigimg.io.mosaic import (
    MosaicSource,
    Place,
    Rule,
    check_alike,
    extent,
    moment_of,
    mosaic_of,
    place_on_grid,
)
from bigimg.io.scan import OnError, Skipped
from bigimg.io.sources import FileSource, as_box
from bigimg.io.stacks import StackSource
from bigimg.io.stored import StoredSource
from bigimg.io.times import iso_time

Step = Literal["day"]
"""What the scenes of one moment of a series have in common: the day they were taken on, in universal time."""


@dataclass(frozen=True)
class SeriesSource:
    """Images of one shape, one after the other along ``t``."""

    name: str
    """Item id."""
    members: tuple[FileSource | MosaicSource, ...]
    """One for each moment, in the order of time."""
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    dims: tuple[str, ...]
    chunks: tuple[int, ...]
    attrs: Mapping[str, Any] = field(hash=False)
    part: ClassVar[int] = 0

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    @property
    def path(self) -> str:
        """The folder that all scenes are in."""
        return commonpath([each.path for each in self.members])

    def __getitem__(self, index: Any) -> NDArray[Any]:
        """Read a box of pixels; only the moments in it are read.

        Raises
        ------
        ReadError, MissingInputError
            If a scene cannot be read; names it.
        """
        box, rest = as_box(index, self.shape)
        pixels = np.empty(box_shape(box), self.dtype)
        for place, moment in enumerate(range(box[0].start, box[0].stop)):
            pixels[place] = self.members[moment][box[1:]]
        return pixels[rest]

    def fingerprint(self) -> str:
        """Return a digest of the content of all scenes and of their times."""
        said = [each.fingerprint() for each in self.members], self.attrs["times"]
        return f"sha256:{sha256(repr(said).encode()).hexdigest()}"

    def identity(self) -> list[Any]:
        """Return what makes other scenes others, without reading them."""
        return ["series", [each.identity() for each in self.members], list(self.attrs["times"])]

    def __dask_tokenize__(self) -> object:
        return "bigimg-series", self.identity()


def join_scenes(
    sources: Sequence[FileSource], name: str, mosaic: Rule | None, series: Step | None, on_error: OnError = "fail"
) -> tuple[MosaicSource | SeriesSource, list[Skipped]]:
    """Return scenes as one image: a mosaic, a series, or a series of mosaics; nothing is read.

    Parameters
    ----------
    sources
        Scenes; the first decides which grid, channels and type of pixels all must have.
    name
        Item id.
    mosaic
        Which pixel counts where several scenes of one moment have one. None: the scenes of a series have one extent,
        and there is one a day.
    series
        Which scenes are of one moment. None: all of them.
    on_error
        ``"skip"``: a scene that does not fit to those before is left out and returned.

    Raises
    ------
    ImageError
        If a scene does not fit to those before; names it and one of those.
    """
    first = sources[0]
    moments: dict[date, list[FileSource]] = {}
    skipped: list[Skipped] = []
    kept: list[FileSource] = []
    for source in sources:
        try:
            check_alike(first, source)
            place_on_grid(first, source)
            if mosaic == "newest":
                moment_of(source, "the newest pixels of a mosaic")
            if series is not None:
                day = moment_of(source, "the moments of a series").date()
                _check_day(source, moments.get(day, []), first, mosaic)
                moments.setdefault(day, []).append(source)
            kept.append(source)
        except BigimgError as error:
            if on_error == "fail" or source is first:
                raise
            skipped.append(Skipped.of(source.name, source.path, error))
    if series is None:
        assert mosaic is not None
        return mosaic_of(kept, mosaic, name), skipped
    return _series([moments[day] for day in sorted(moments)], kept, name, mosaic), skipped


def _check_day(source: FileSource, others: Sequence[FileSource], first: FileSource, mosaic: Rule | None) -> None:
    """Refuse a scene that is there already, and one that no series can have."""
    taken = _moment(source)
    for other in others:
        same_place = place_on_grid(other, source) == Place(0, 0) and other.shape == source.shape
        if _moment(other) == taken and same_place:
            raise ImageError(
                f"{source.name} ({source.path}) is of the same time as {other.name} ({other.path}), {iso_time(taken)}, "
                "and of the same place; a series has one of them: leave the other one out"
            )
        if mosaic is None:
            raise ImageError(
                f"{source.name} ({source.path}) is of the same day as {other.name} ({other.path}), {taken.date()}; a "
                "series has one image a day: lay those of a day together with mosaic (--mosaic first), or leave one out"
            )
    if mosaic is None and (place_on_grid(first, source) != Place(0, 0) or first.shape != source.shape):
        raise ImageError(
            f"{source.name} ({source.path}) does not cover what {first.name} ({first.path}) does; scenes of several "
            "places become one series with mosaic (--mosaic first), or name those of one place with a pattern"
        )


def _series(
    days: Sequence[Sequence[FileSource]], kept: Sequence[FileSource], name: str, mosaic: Rule | None
) -> SeriesSource:
    members: list[FileSource | MosaicSource] = []
    times = [iso_time(min(map(_moment, day))) for day in days]
    if mosaic is None:
        # A mask in a file is another one each time: what is missing gets the value that says so.
        masked = any(each.attrs.get("mask") for each in kept)
        members = [mosaic_of(day, "first", name) if masked else day[0] for day in days]
    else:
        first = kept[0]
        start, size = extent(kept, [place_on_grid(first, each) for each in kept])
        for day in days:
            # The canvas lies on the grid of the first scene of all; each mosaic counts from the first of its day.
            offset = place_on_grid(first, day[0])
            canvas = Place(start.row - offset.row, start.column - offset.column), size
            members.append(mosaic_of(day, mosaic, name, canvas))
    _check_missing(days, members)
    one = members[0]
    attrs = {key: value for key, value in one.attrs.items() if key not in ("acquisition", "mosaic", "mask", "stac")}
    attrs["times"] = tuple(times)
    attrs["acquisition"] = {"time": times[0], **({"end": times[-1]} if len(times) > 1 else {})}
    attrs["scenes"] = [[each.path for each in day] for day in days]
    if mosaic is not None:
        attrs["mosaic"] = {"rule": mosaic}
    return SeriesSource(
        name, tuple(members), (len(members), *one.shape), one.dtype, ("t", *one.dims), (1, *one.chunks), attrs,
    )  # fmt: skip


def _check_missing(days: Sequence[Sequence[FileSource]], members: Sequence[FileSource | MosaicSource]) -> None:
    """Make sure that a value says which pixels are missing: a mask would be another one each time."""
    masked = next((day[0] for day, each in zip(days, members) if each.attrs.get("mask")), None)
    if masked is not None:
        raise ImageError(
            f"{masked.name} ({masked.path}) says by a mask, or by its extent, which pixels are missing, and a series "
            "needs a value for them: give one with nodata (--nodata)"
        )


def _moment(source: FileSource) -> datetime:
    return moment_of(source, "the moments of a series")


Ingestible = FileSource | MosaicSource | SeriesSource | StackSource | StoredSource
"""What can be copied into a collection: an image of one file, one made of several, or one of another store."""
