"""Scenes that lie side by side, or over one another, as one image: read from them box by box, and never whole.

::

      +----------+              a box of the mosaic reads the same box of each scene it touches,
      |  A  +----+-----+        and takes of each the pixels that count there;
      |     | [box]    |        where several count the rule decides which
      +-----+----+  B  |
            +----------+        a corner that no scene reaches is missing

Scenes lie on one grid: the same coordinate reference system and pixels, whole pixels apart. So nothing is resampled,
and every pixel of a mosaic is a pixel of one of its scenes. Channels are looked at one by one, as in GDAL and
rasterio.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from math import isnan
from os.path import commonpath
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from bigimg.core.tile import Box, box_shape
from bigimg.errors import ImageError
from bigimg.io import geo
from bigimg.io.readers.header import LARGEST_AXIS
from bigimg.io.sources import FileSource, as_box
from bigimg.io.times import iso_time, parse_time
from bigimg.io.validity import mask_pixels, valid_pixels

Rule = Literal["first", "last", "newest", "median"]
"""Which pixel a mosaic has where several scenes have one: that of the first or the last scene in their order, of the
one that was taken last, or the median (of an even number the upper of the middle two)."""

_OFF_GRID = 1e-3
"""Of a pixel: scenes that lie farther from a grid do not lie on it; nearer, it is the rounding of their numbers."""

_MEDIAN_BYTES = 2**26
"""Of the scenes under one strip of a median."""


@dataclass(frozen=True)
class Place:
    """Where the first pixel of a scene lies on the grid of the first scene."""

    row: int
    column: int


@dataclass(frozen=True)
class MosaicSource:
    """Scenes of one grid as one image; where none has a pixel that counts it has none."""

    name: str
    """Item id."""
    members: tuple[FileSource, ...]
    """Scenes, in the order of the rule."""
    places: tuple[Place, ...]
    """Where each begins in the mosaic; negative, or beyond it, where a scene reaches out of it."""
    rule: Rule
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
        return folder_of(self.members)

    def __getitem__(self, index: Any) -> NDArray[Any]:
        """Read a box of pixels; of each scene only what it has in it is read.

        Raises
        ------
        ReadError, MissingInputError
            If a scene cannot be read; names it.
        """
        box, rest = as_box(index, self.shape)
        return self.read(box)[0][rest]

    def read(self, box: Box) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        """Return the pixels in ``box`` and which of them count."""
        pixels = np.empty(box_shape(box), self.dtype)
        pixels[...] = self._fill(box)
        found = np.zeros(pixels.shape, bool)
        if self.rule == "median":
            for strip in self._strips(box):
                self._median(box, strip, pixels, found)
        else:
            self._lay(box, pixels, found)
        return pixels, found

    def read_valid(self, plane: Box) -> NDArray[np.bool_]:
        """Return which pixels of some rows and columns any scene covers, and lets count by the mask of its file."""
        covered = np.zeros(box_shape(plane), bool)
        for source, theirs, ours in self._touched((*(slice(0, size) for size in self.shape[:-2]), *plane)):
            covered[ours[-2:]] |= mask_pixels(source, theirs) if source.attrs.get("mask") else True
        return covered

    def fingerprint(self) -> str:
        """Return a digest of the content of all scenes, of their places and of the rule."""
        said = [(each.fingerprint(), place.row, place.column) for each, place in zip(self.members, self.places)]
        return f"sha256:{sha256(repr((self.rule, self.shape, said)).encode()).hexdigest()}"

    def identity(self) -> list[Any]:
        """Return what makes other scenes others, without reading them."""
        return [
            self.rule,
            [[*each.identity(), place.row, place.column] for each, place in zip(self.members, self.places)],
            list(self.shape),
        ]

    def __dask_tokenize__(self) -> object:
        return "bigimg-mosaic", self.identity()

    def _lay(self, box: Box, pixels: NDArray[Any], found: NDArray[np.bool_]) -> None:
        for source, theirs, ours in self._touched(box):
            missing = ~found[ours]
            if missing.any():
                given = source[theirs]
                taken = missing & valid_pixels(source, theirs, given)
                pixels[ours][taken] = given[taken]
                found[ours] |= taken

    def _median(self, box: Box, strip: Box, pixels: NDArray[Any], found: NDArray[np.bool_]) -> None:
        touched = list(self._touched(strip))
        last = np.inf if self.dtype.kind == "f" else True if self.dtype.kind == "b" else np.iinfo(self.dtype).max
        values = np.full((len(touched), *box_shape(strip)), last, self.dtype)
        counts = np.zeros(box_shape(strip), np.intp)
        for layer, (source, theirs, ours) in zip(values, touched):
            given = source[theirs]
            valid = valid_pixels(source, theirs, given)
            layer[ours][valid] = given[valid]
            counts[ours] += valid
        # What is missing sorts behind all values, or among those that equal it.
        values.sort(axis=0)
        rows = slice(strip[-2].start - box[-2].start, strip[-2].stop - box[-2].start)
        counted = counts > 0
        if touched:
            middle = np.take_along_axis(values, (counts // 2 * counted)[None], axis=0)[0]
            pixels[..., rows, :][counted] = middle[counted]
        found[..., rows, :] = counted

    def _strips(self, box: Box) -> Iterator[Box]:
        rows = max(1, box[-2].stop - box[-2].start)
        row_bytes = max(1, int(np.prod(box_shape(box), dtype=object)) // rows * self.dtype.itemsize * len(self.members))
        step = max(1, _MEDIAN_BYTES // row_bytes)
        for start in range(box[-2].start, box[-2].stop, step):
            yield (*box[:-2], slice(start, min(start + step, box[-2].stop)), box[-1])

    def _touched(self, box: Box) -> Iterator[tuple[FileSource, Box, Box]]:
        """Yield each scene that has pixels in ``box``: where in the scene, and where in the box."""
        rows, columns = box[-2:]
        for source, place in zip(self.members, self.places):
            top, bottom = max(rows.start, place.row), min(rows.stop, place.row + source.shape[-2])
            left, right = max(columns.start, place.column), min(columns.stop, place.column + source.shape[-1])
            if top < bottom and left < right:
                theirs = (slice(top - place.row, bottom - place.row), slice(left - place.column, right - place.column))
                ours = (
                    slice(top - rows.start, bottom - rows.start),
                    slice(left - columns.start, right - columns.start),
                )
                yield source, (*box[:-2], *theirs), (*(slice(None),) * (len(box) - 2), *ours)

    def _fill(self, box: Box) -> Any:
        value = self.attrs.get("nodata")
        if value is None:
            return 0
        if np.ndim(value) == 0:
            return value
        return np.asarray(value)[box[0]].reshape(-1, 1, 1)


def mosaic_of(
    members: Sequence[FileSource], rule: Rule, name: str, canvas: tuple[Place, tuple[int, int]] | None = None
) -> MosaicSource:
    """Return the mosaic of scenes that fit together.

    Parameters
    ----------
    members
        Scenes, the first of which decides what all must be.
    rule
        Which pixel counts where several do.
    name
        Item id of the mosaic.
    canvas
        Where on the grid of the first scene it begins, and its rows and columns; by default all that scenes cover.

    Raises
    ------
    ImageError
        If a scene does not fit to the first; names both.
    """
    first = members[0]
    for other in members[1:]:
        check_alike(first, other)
    places = [place_on_grid(first, each) for each in members]
    start, size = canvas or extent(members, places)
    order = _order(members, rule)
    transform = geo.affine(first.attrs["transform"], first.name)
    a, b, c, d, e, f = transform
    corner = (a * start.column + b * start.row + c, d * start.column + e * start.row + f)
    attrs = {
        **{key: value for key, value in first.attrs.items() if key not in ("acquisition", "nodata", "mask", "stac")},
        "transform": (a, b, corner[0], d, e, corner[1]),
        **_times(members),
        "mosaic": {"rule": rule, "scenes": [members[number].path for number in order]},
    }
    shape = (*first.shape[:-2], *size)
    moved = [Place(place.row - start.row, place.column - start.column) for place in places]
    found = MosaicSource(
        name, tuple(members[number] for number in order), tuple(moved[number] for number in order), rule, shape,
        first.dtype, first.dims, tuple(min(chunk, side) for chunk, side in zip(first.chunks, shape)), attrs,
    )  # fmt: skip
    attrs |= _missing(found)
    return found


def extent(members: Sequence[FileSource], places: Sequence[Place]) -> tuple[Place, tuple[int, int]]:
    """Return where on the grid scenes begin, and the rows and columns that they cover.

    Raises
    ------
    ImageError
        If that is more than an image can have.
    """
    top, left = min(place.row for place in places), min(place.column for place in places)
    bottom = max(place.row + each.shape[-2] for each, place in zip(members, places))
    right = max(place.column + each.shape[-1] for each, place in zip(members, places))
    size = bottom - top, right - left
    if max(size) > LARGEST_AXIS:
        far = max(zip(members, places), key=lambda pair: max(abs(pair[1].row), abs(pair[1].column)))[0]
        raise ImageError(
            f"a mosaic of {size[0]:,} rows and {size[1]:,} columns is too large: {far.name} ({far.path}) lies far from "
            f"{members[0].name} ({members[0].path}); leave it out"
        )
    return Place(top, left), size


def check_alike(first: FileSource, other: FileSource) -> None:
    """Make sure that a scene can be joined with the first one: all but its place must be the same.

    Raises
    ------
    ImageError
        Names both, and what is not the same.
    """
    for each in (first, other):
        if each.attrs.get("transform") is None or each.attrs.get("crs") is None:
            lost = "transform" if each.attrs.get("transform") is None else "coordinate reference system"
            raise ImageError(
                f"{each.name} ({each.path}) has no {lost}, so that its place among other scenes is not known; give it "
                "one with gdal_translate, or leave it out"
            )
    for what, ours, theirs in (
        ("coordinate reference system", first.attrs["crs"], other.attrs["crs"]),
        ("type of pixels", first.dtype.name, other.dtype.name),
        ("axes", "".join(first.dims), "".join(other.dims)),
        ("number of channels", first.shape[:-2], other.shape[:-2]),
        ("names of channels", *(tuple(each.attrs.get("channel_names", ())) for each in (first, other))),
        ("scale and offset of values", *(_listed(each.attrs.get("scale_offset")) for each in (first, other))),
    ):
        if ours != theirs:
            raise ImageError(
                f"{_both(first, other)} have not the same {what}: {_shown(ours)} and {_shown(theirs)}; scenes that are "
                "joined must agree: convert one with gdal_translate or gdalwarp, or leave it out"
            )
    ours, theirs = _possible(first), _possible(other)
    if first.dtype.kind != "f" and not _same_value(ours, theirs):
        raise ImageError(
            f"{_both(first, other)} have not the same value for missing pixels: {_shown(ours)} and {_shown(theirs)}; "
            "give one for all with nodata (--nodata)"
        )


def place_on_grid(first: FileSource, other: FileSource) -> Place:
    """Return where the first pixel of ``other`` lies on the grid of ``first``.

    Raises
    ------
    ImageError
        If its pixels are of another size, turned, or not whole pixels away.
    """
    a, b, c, d, e, f = geo.affine(first.attrs["transform"], first.name)
    theirs = geo.affine(other.attrs["transform"], other.name)
    longest = max(*first.shape[-2:], *other.shape[-2:])
    steps = [abs(ours - value) * longest for ours, value in zip((a, b, d, e), (theirs[0], theirs[1], *theirs[3:5]))]
    if max(steps) > _OFF_GRID * min(np.hypot(a, d), np.hypot(b, e)):
        raise ImageError(
            f"{_both(first, other)} have pixels of other sizes or directions, ({a:g}, {b:g}, {d:g}, {e:g}) and "
            f"({theirs[0]:g}, {theirs[1]:g}, {theirs[3]:g}, {theirs[4]:g}); bring them to one grid with gdalwarp"
        )
    x, y = theirs[2] - c, theirs[5] - f
    scale = a * e - b * d
    column, row = (e * x - b * y) / scale, (a * y - d * x) / scale
    place = Place(round(row), round(column))
    if max(abs(row - place.row), abs(column - place.column)) > _OFF_GRID:
        raise ImageError(
            f"{_both(first, other)} are not on one grid: their corners are {row:.4g} rows and {column:.4g} columns "
            "apart, which are no whole pixels; bring them to one grid with gdalwarp -tap, which resamples"
        )
    return place


def folder_of(members: Sequence[FileSource]) -> str:
    """Return the folder that all files are in."""
    return commonpath([str(Path(each.path).parent) for each in members])


def _order(members: Sequence[FileSource], rule: Rule) -> list[int]:
    numbers = list(range(len(members)))
    if rule == "last":
        return numbers[::-1]
    if rule == "newest":
        taken = [moment_of(each, "the newest pixels of a mosaic") for each in members]
        return sorted(numbers, key=lambda number: taken[number], reverse=True)
    return numbers


def moment_of(source: FileSource, purpose: str) -> datetime:
    """Return when a scene was taken.

    Raises
    ------
    ImageError
        If it is not known, and what it was wanted for.
    """
    said = source.attrs.get("acquisition", {}).get("time")
    found = parse_time(said)
    if found is None:
        raise ImageError(
            f"{source.name} ({source.path}) does not say when it was taken{f': {said!r}' if said else ''}, and "
            f"{purpose} are chosen by that; describe it by a STAC item with a datetime, or give the file one: "
            'gdal_edit -mo TIFFTAG_DATETIME="2020:05:18 13:27:04"'
        )
    return found


def _times(members: Sequence[FileSource]) -> dict[str, Any]:
    """Return when the scenes were taken: the first time, and the last one where that is another."""
    said = [parse_time(each.attrs.get("acquisition", {}).get("time")) for each in members]
    known = sorted(each.astimezone(UTC) for each in said if each is not None)
    if not known or len(known) < len(said):
        return {}
    end = {"end": iso_time(known[-1])} if known[-1] != known[0] else {}
    return {"acquisition": {"time": iso_time(known[0]), **end}}


def _missing(mosaic: MosaicSource) -> dict[str, Any]:
    """Return what says which pixels of a mosaic are missing: a value that all scenes have for it, NaN, or a mask."""
    members = mosaic.members
    given = [_possible(each) for each in members]
    if given[0] is not None and all(_same_value(value, given[0]) for value in given):
        return {"nodata": given[0]}
    if mosaic.dtype.kind == "f":
        return {"nodata": float("nan")}
    return {"mask": True} if any(each.attrs.get("mask") for each in members) or _has_gaps(mosaic) else {}


def _has_gaps(mosaic: MosaicSource) -> bool:
    """Whether some pixel of a mosaic lies in no scene: by the rectangles between the edges of scenes."""
    height, width = mosaic.shape[-2:]
    spans = [
        (place.row, place.row + each.shape[-2], place.column, place.column + each.shape[-1])
        for each, place in zip(mosaic.members, mosaic.places)
    ]
    rows = sorted({0, height, *(edge for span in spans for edge in span[:2] if 0 < edge < height)})
    for top in rows[:-1]:
        reached = 0
        for left, right in sorted(span[2:] for span in spans if span[0] <= top < span[1]):
            if left > reached:
                break
            reached = max(reached, right)
        if reached < width:
            return True
    return False


def _listed(value: Any) -> Any:
    return value if value is None or np.ndim(value) == 0 else tuple(map(_listed, value))


def _possible(source: FileSource) -> Any:
    """Return the value for missing pixels of ``source``; None also where no pixel of its type can have it."""
    value = _listed(source.attrs.get("nodata"))
    if value is None or source.dtype.kind == "f":
        return value
    low, high = (0, 1) if source.dtype.kind == "b" else (np.iinfo(source.dtype).min, np.iinfo(source.dtype).max)
    each = value if isinstance(value, tuple) else (value,)
    return value if all(low <= number <= high and float(number).is_integer() for number in each) else None


def _same_value(first: Any, second: Any) -> bool:
    if isinstance(first, tuple) and isinstance(second, tuple):
        return len(first) == len(second) and all(map(_same_value, first, second))
    if isinstance(first, float) and isinstance(second, float) and isnan(first) and isnan(second):
        return True
    return bool(first == second)


def _both(first: FileSource, other: FileSource) -> str:
    return f"{first.name} ({first.path}) and {other.name} ({other.path})"


def _shown(value: Any) -> str:
    return "none" if value in (None, ()) else str(value)
