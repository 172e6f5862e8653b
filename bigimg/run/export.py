"""Export: a collection, or some of its images, in the format of each trade; built aside, published when it is whole."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from bigimg.errors import ParameterError, UnknownNameError
from bigimg.io.collection import Collection
from bigimg.io.exports.coco import write_coco
from bigimg.io.exports.cog import write_cog
from bigimg.io.exports.ome_tiff import write_ome_tiff
from bigimg.io.exports.ome_zarr import VERSIONS, Version, write_ome_zarr
from bigimg.io.exports.places import Place, place_for
from bigimg.io.exports.plates import plates_of, write_plate
from bigimg.io.exports.previews import write_preview
from bigimg.io.exports.spatial_data import write_spatialdata
from bigimg.io.exports.stac import write_stac
from bigimg.io.exports.subjects import Subject, choose, only_labels, placed
from bigimg.io.exports.tables import tables_of, write_csv, write_parquet
from bigimg.io.exports.video import write_mp4
from bigimg.io.names import item_ids
from bigimg.io.vectors import write_geojson, write_geoparquet
from bigimg.ops.measure import polygons
from bigimg.run.inputs import open as open_collection

Format = Literal[
    "ome-zarr", "ome-zarr-plate", "ome-tiff", "cog", "png", "mp4", "parquet", "csv", "geojson", "geoparquet",
    "coco", "stac", "spatialdata",
]  # fmt: skip

SUFFIXES: dict[str, tuple[str, ...]] = {
    "ome-zarr": (".ome.zarr", ".zarr"),
    "ome-zarr-plate": (".ome.zarr", ".zarr"),
    "ome-tiff": (".ome.tif", ".ome.tiff"),
    "cog": (".tif", ".tiff"),
    "png": (".png",),
    "mp4": (".mp4",),
    "parquet": (".parquet",),
    "csv": (".csv",),
    "geojson": (".geojson", ".json"),
    "geoparquet": (".parquet", ".geoparquet"),
    "coco": (".json",),
    "stac": (),
    "spatialdata": (".zarr",),
}
"""By format: how the name of a destination ends that is one file, and, first, what files in a folder are called."""


@dataclass(frozen=True)
class _Job:
    """An export that was asked for."""

    collection: Collection
    items: Sequence[str] | None
    labels: str | None
    dest: Path
    suffix: str
    version: Version

    def subjects(self, labels: Sequence[str] | None = None) -> list[Subject]:
        """Return the images to export, with labels: those asked for."""
        names = [self.labels] if self.labels is not None else []
        return choose(self.collection, self.items, names if labels is None else labels)


Writer = Callable[[Path, Path], None]
"""Writes one file, or folder; the second path is for what is needed on the way."""

Files = list[tuple[str, Writer]]
"""What is written where, within the destination."""


def export(
    collection: str | Path | Collection,
    dest: str | Path,
    *,
    format: Format,  # noqa: A002 - the word of the command line
    items: Sequence[str] | None = None,
    labels: str | None = None,
    ome_version: Version = "0.5",
) -> Path:
    """Write images, labels or tables of a collection in another format.

    Parameters
    ----------
    collection
        A collection, the output of a run, or the path of one.
    dest
        A new folder, with a file for every item, named by its id. Where its name ends as files of the format do
        (``cells.ome.tiff``), it is that one file. Must not exist; it gets its name when it is complete.
    format
        ``ome-zarr``
            Levels, channels, windows of display, and labels.
        ``ome-zarr-plate``
            One OME-Zarr for each plate: its wells and their fields, of images that say which well they are of.
        ``ome-tiff``
            A pyramid of tiles; labels in ``labels/<name>/``.
        ``cog``
            Cloud-optimised GeoTIFF with overviews; labels in ``labels/<name>/``. Extra ``geo``.
        ``png``
            Small pictures, with labels as outlines.
        ``mp4``
            Videos of items with time, with labels as outlines. Extra ``video``.
        ``parquet``, ``csv``
            The tables, and that of the images.
        ``geojson``, ``geoparquet``
            Outlines of labelled objects: in the coordinates of a scene, else in pixels.
        ``coco``
            Boxes, areas and masks of labelled objects.
        ``stac``
            A catalog of scenes. Extra ``vector``.
        ``spatialdata``
            One store for spatialdata, squidpy and napari-spatialdata: images without time, labels, their outlines, and
            the tables as AnnData.
    items
        Ids, or patterns such as ``plate1_*``; by default every image.
    labels
        Name of the labels to export. By default ``ome-zarr``, plates and ``spatialdata`` have all, formats of objects
        the only ones there are, and others none.
    ome_version
        Of OME-Zarr: ``"0.5"``, or ``"0.4"`` for programs that know no newer one.

    Returns
    -------
    Path
        Of what was written: ``dest``.

    Raises
    ------
    MissingInputError, ReadError
        If there is no collection, or it is damaged.
    UnknownNameError, ParameterError
        If there are no such items or labels, or several for one file.
    ImageError
        If an image cannot be in this format.
    MissingExtraError
        If the format needs a package that is not installed.
    OutputExistsError, OutputError
        If there is a ``dest``, or the disk refuses.

    Examples
    --------
    >>> bigimg.export("results/", "cells.geojson", format="geojson", items=["a1"])  # doctest: +SKIP
    """
    if format not in _FORMATS:
        raise UnknownNameError.of("format", str(format), _FORMATS)
    if ome_version not in VERSIONS:
        raise ParameterError(f"ome_version must be one of {', '.join(VERSIONS)} (got {ome_version!r})")
    found = collection if isinstance(collection, Collection) else open_collection(collection)
    dest = Path(dest).expanduser()
    ends = [suffix for suffix in SUFFIXES[format] if dest.name.lower().endswith(suffix)]
    chosen = [items] if isinstance(items, str) else items
    suffix = ends[0] if ends else next(iter(SUFFIXES[format]), "")
    files = _FORMATS[format](_Job(found, chosen, labels, dest, suffix, ome_version))
    if ends and len(files) != 1:
        raise ParameterError(
            f"{dest} is one file, and there are {len(files)} to write ({', '.join(name for name, _ in files[:3])} "
            "...); choose one with items, or name a folder"
        )
    whole = [name for name, _ in files if not name]
    with place_for(dest, files[0][0] if ends and not whole else None) as place:
        _write(place, files)
    return dest


def _write(place: Place, files: Files) -> None:
    for name, write in files:
        path = place.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write(path, place.scratch("now"))
        place.forget("now")


def _ome_zarr(job: _Job) -> Files:
    labels = None if job.labels is not None else list(job.collection.label_names)
    return [
        (f"{each.name}{job.suffix}", partial(_with_subject, write_ome_zarr, each, version=job.version))
        for each in job.subjects(labels)
    ]


def _ome_zarr_plate(job: _Job) -> Files:
    labels = None if job.labels is not None else list(job.collection.label_names)
    name = job.dest.name.removesuffix(".zarr").removesuffix(".ome")
    plates = plates_of(job.subjects(labels), name)
    files = item_ids(list(plates))
    return [
        (f"{file}{job.suffix}", partial(write_plate, plate, wells, version=job.version))
        for file, (plate, wells) in zip(files, plates.items())
    ]


def _with_subject(write: Callable[..., None], subject: Subject, path: Path, scratch: Path, **options: Any) -> None:
    write(subject, path, scratch, **options)


def _ome_tiff(job: _Job) -> Files:
    files: Files = []
    for each in job.subjects():
        files.append((f"{each.name}{job.suffix}", partial(_of_source, write_ome_tiff, each.source)))
        files += [
            (f"labels/{name}/{each.name}{job.suffix}", partial(_of_source, write_ome_tiff, labels, kind="labels"))
            for name, labels in each.labels.items()
        ]
    return files


def _of_source(write: Callable[..., None], source: Any, path: Path, scratch: Path, **options: Any) -> None:
    write(source, path, scratch, **options)


def _cog(job: _Job) -> Files:
    files: Files = []
    for each in job.subjects():
        files.append((f"{each.name}{job.suffix}", partial(_of_source, write_cog, each.source)))
        files += [
            (
                f"labels/{name}/{each.name}{job.suffix}",
                partial(_of_source, write_cog, labels, kind="labels", place=each.source),
            )
            for name, labels in each.labels.items()
        ]
    return files


def _png(job: _Job) -> Files:
    return [(f"{each.name}{job.suffix}", partial(_with_subject, write_preview, each)) for each in job.subjects()]


def _mp4(job: _Job) -> Files:
    return [(f"{each.name}{job.suffix}", partial(_with_subject, write_mp4, each)) for each in job.subjects()]


def _tables(write: Callable[[Any, Path], None], job: _Job) -> Files:
    items = None if job.items is None else [each.name for each in job.subjects([])]
    tables = tables_of(job.collection, items)
    return [(f"{name}{job.suffix}", partial(_of_table, write, table)) for name, table in tables.items()]


def _of_table(write: Callable[[Any, Path], None], table: Any, path: Path, scratch: Path) -> None:  # noqa: ARG001
    write(table, path)


def _outlines(write: Callable[[Path, pd.DataFrame], None], job: _Job) -> Files:
    name = only_labels(job.collection, job.labels, "outlines")
    return [
        (f"{each.name}{job.suffix}", partial(_of_outlines, write, job.collection, name, each))
        for each in job.subjects([name])
        if each.labels
    ]


def _of_outlines(
    write: Callable[[Path, pd.DataFrame], None],
    collection: Collection,
    name: str,
    subject: Subject,
    path: Path,
    scratch: Path,  # noqa: ARG001 - what every writer takes
) -> None:
    write(path, outlines_of(collection, name, subject))


def outlines_of(collection: Collection, name: str, subject: Subject, *, in_pixels: bool = False) -> pd.DataFrame:
    """Return the outlines of the labels of one image: a row an object, and for each plane of a stack or series.

    In the coordinates of the scene where its place is known, else in pixels, as ``in_pixels`` says of all.
    """
    crs, transform = (None, None) if in_pixels else placed(subject.source.attrs)
    labels = collection.labels(name)[subject.name]
    planes = [range(size) for size in labels.shape[:-2]]
    frames = []
    for index in product(*planes):
        plane = labels[index] if index else labels
        # Without a map to coordinates, one pixel is 1: what its scale says is in the table of images.
        table = polygons(plane, transform=transform, crs=crs if transform is not None else None, spacing=1.0)
        table = table.compute() if hasattr(table, "compute") else table
        at = dict(zip(map(str, labels.dims), index))
        frames.append(table.assign(item=subject.name, **at))
    whole = pd.concat(frames, ignore_index=True)
    whole.attrs = dict(frames[0].attrs)
    return whole


def _coco(job: _Job) -> Files:
    names = [only_labels(job.collection, job.labels, "COCO annotations")]
    subjects = job.subjects(names)
    return [(f"annotations{job.suffix}", lambda path, _: write_coco(subjects, path))]


def _stac(job: _Job) -> Files:
    subjects, dest = job.subjects([]), job.dest.absolute()
    return [("", lambda path, _: write_stac(subjects, path, dest, job.collection.path.stem))]


def _spatialdata(job: _Job) -> Files:
    labels = None if job.labels is not None else list(job.collection.label_names)
    subjects = job.subjects(labels)
    tables = tables_of(job.collection, None if job.items is None else [each.name for each in subjects])
    outlines = partial(outlines_of, job.collection, in_pixels=True)
    name = "" if job.dest.name.lower().endswith(".zarr") else f"{job.collection.path.stem}{job.suffix}"
    return [(name, partial(_of_store, subjects, tables, outlines))]


def _of_store(subjects: Sequence[Subject], tables: Any, outlines: Any, path: Path, scratch: Path) -> None:
    write_spatialdata(subjects, tables, outlines, path, scratch)


_FORMATS: dict[str, Callable[[_Job], Files]] = {
    "ome-zarr": _ome_zarr,
    "ome-zarr-plate": _ome_zarr_plate,
    "ome-tiff": _ome_tiff,
    "cog": _cog,
    "png": _png,
    "mp4": _mp4,
    "parquet": partial(_tables, write_parquet),
    "csv": partial(_tables, write_csv),
    "geojson": partial(_outlines, write_geojson),
    "geoparquet": partial(_outlines, write_geoparquet),
    "coco": _coco,
    "stac": _stac,
    "spatialdata": _spatialdata,
}
