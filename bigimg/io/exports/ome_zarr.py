"""OME-Zarr images with their labels: version 0.5 (Zarr 3), and 0.4 (Zarr 2) for programs that know no newer one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from bigimg.errors import OutputError, ParameterError
from bigimg.io import ngff
from bigimg.io.documents import create_group, plain, read_attributes
from bigimg.io.exports.levels import blocks, levels_of
from bigimg.io.exports.subjects import Subject
from bigimg.io.pyramid import Kind
from bigimg.io.sources import Source
from bigimg.io.writer import CHUNK, create_array, create_image, create_labels, image_chunks

Version = Literal["0.4", "0.5"]
VERSIONS: tuple[Version, ...] = ("0.4", "0.5")


def write_ome_zarr(subject: Subject, path: Path, scratch: Path, version: Version = "0.5") -> None:
    """Write an image as the OME-Zarr ``path``: levels, channels with windows of display, labels.

    Version 0.5 has a checksum in every chunk, which the format of 0.4 could not have in a way that all read.
    """
    if version not in VERSIONS:
        raise ParameterError(f"ome_version must be one of {', '.join(VERSIONS)} (got {version!r})")
    source = subject.source
    levels = levels_of(source, "image", scratch / "image")
    windows = subject.windows(scratch / "image")
    _write_levels(path, levels, "image", version)
    place = {key: source.attrs[key] for key in ("crs", "transform") if key in source.attrs}
    for name, labels in subject.labels.items():
        group = path / "labels" / name
        smaller = levels_of(labels, "labels", scratch / f"labels-{name}")
        _write_levels(group, smaller, "labels", version, place)
        attrs = {**place, **labels.attrs}
        describe(group, ngff.label_metadata(name, labels.dims, attrs, len(smaller), "../../"), {}, version)
    if subject.labels and version == "0.4":
        describe(path / "labels", {"version": ngff.VERSION, "labels": list(subject.labels)}, {}, version)
    # Last: what has metadata looks complete.
    kept = {key: value for key, value in source.attrs.items() if key not in ("scale", "units", "channel_names")}
    ome = ngff.image_metadata(subject.name, source.dims, source.attrs, len(levels), windows)
    describe(path, ome, {"bigimg": {"attrs": plain(kept)}} if kept else {}, version)


def metadata_of_04(ome: Mapping[str, Any]) -> dict[str, Any]:
    """Return the attributes that version 0.4 has for those of 0.5: a version in each part, and nothing around them.

    Examples
    --------
    >>> metadata_of_04({"version": "0.5", "labels": ["nuclei"]})
    {'labels': ['nuclei']}
    """
    old = {key: value for key, value in ome.items() if key != "version"}
    if "multiscales" in old:
        old["multiscales"] = [{**each, "version": "0.4"} for each in old["multiscales"]]
    for key in ("omero", "image-label"):
        if key in old:
            old[key] = {**old[key], "version": "0.4"}
    return old


def _write_levels(
    group: Path, levels: Sequence[Source], kind: Kind, version: Version, place: Mapping[str, Any] | None = None
) -> None:
    source = levels[0]
    attrs = {**(place or {}), **source.attrs}
    chunks = image_chunks(source.shape, source.dims, attrs, CHUNK)
    for number, level in enumerate(levels):
        folder = group / str(number)
        if version == "0.4":
            _write_array_of_format_2(folder, level, chunks)
            continue
        if number == 0 and kind == "image":
            writer = create_image(group, level.shape, level.dtype, level.dims, attrs, chunks)
        elif number == 0:
            item, name = group.parent.parent, group.name
            writer = create_labels(item, name, level.shape, level.dtype, level.dims, attrs, chunks)
        else:
            writer = create_array(folder, level.shape, level.dtype, level.dims, chunks)
        for box in blocks(level, writer.chunks):
            writer.write(box, level[box])


def _write_array_of_format_2(folder: Path, level: Source, chunks: Sequence[int]) -> None:
    import zarr  # noqa: PLC0415 - takes half a second
    from numcodecs import Blosc  # type: ignore[import-untyped]  # noqa: PLC0415

    unit = tuple(min(chunk, size) for chunk, size in zip(chunks, level.shape))
    array = zarr.create_array(
        str(folder),
        shape=level.shape,
        dtype=level.dtype,
        chunks=unit,
        zarr_format=2,
        compressors=Blosc("lz4", 5, Blosc.BITSHUFFLE),
        filters=None,
        fill_value=0,
        chunk_key_encoding={"name": "v2", "separator": "/"},
        config={"write_empty_chunks": True},
    )
    try:
        for box in blocks(level, unit):
            array[box] = level[box]
    except OSError as error:
        raise OutputError(f"{folder} cannot be written: {error.strerror or error}; is the disk full?") from error


def describe(group: Path, ome: Mapping[str, Any], more: Mapping[str, Any], version: Version) -> None:
    """Write the ``ome`` attributes of a group, which are those of 0.5, and ``more`` of a group of 0.4."""
    if version == "0.5":
        create_group(group, {**read_attributes(group), **({"ome": dict(ome)} if ome else {})})
        return
    import zarr  # noqa: PLC0415 - takes half a second

    zarr.open_group(str(group), mode="a", zarr_format=2, attributes=plain({**metadata_of_04(ome), **more}))
