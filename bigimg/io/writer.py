"""The one writer. A task writes whole chunks, or whole shards; anything else is refused before it can lose pixels.

Two tasks that write parts of one chunk each read it, change their part and write it back: the later one undoes the
earlier, without a warning. ``dask.array.store`` and ``to_zarr`` do so on a grid that is not theirs; nobody calls them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from bigimg.core.tile import Box, Chunks, TileGrid, box_shape
from bigimg.errors import AlignmentError, ImageError, OutputError, OutputExistsError
from bigimg.io import codecs, geo, ngff
from bigimg.io.documents import create_group, plain, read_attributes, replace_file, write_document
from bigimg.io.names import check_id
from bigimg.io.stored import signature

if TYPE_CHECKING:
    import zarr

CHUNK = 512
"""Rows and columns of a chunk: small enough that a halo reads little more than it needs."""


@dataclass(frozen=True)
class ArrayWriter:
    """Where a task writes its tile: a small value that travels to any process."""

    path: str
    """Path of the array's folder."""
    shape: tuple[int, ...]
    chunks: tuple[int, ...]
    """What is written at once: a chunk, or a shard where there are shards."""
    dtype: np.dtype[Any]
    is_sharded: bool = False

    def check_aligned(self, chunks: Chunks) -> None:
        """Make sure that tiles of these ``chunks`` write whole chunks; to be called before anything runs.

        Raises
        ------
        AlignmentError
            If the border of a tile lies within a chunk, or the tiles do not cover the image.

        Examples
        --------
        >>> writer = ArrayWriter("labels/0", (10, 10), (4, 4), np.dtype("u4"))
        >>> writer.check_aligned(((4, 4, 2), (8, 2)))
        >>> writer.check_aligned(((5, 5), (10,)))
        Traceback (most recent call last):
        bigimg.errors.AlignmentError: tiles of axis 0 end at 5 ..., within a chunk of labels/0; ... multiples of 4 ...
        """
        if tuple(sum(sizes) for sizes in chunks) != self.shape:
            raise AlignmentError(f"tiles {chunks} do not cover {self.path}, whose shape is {self.shape}")
        for axis, (sizes, unit, size) in enumerate(zip(chunks, self.chunks, self.shape)):
            for end in accumulate(sizes):
                if end % unit and end != size:
                    raise AlignmentError(
                        f"tiles of axis {axis} end at {end} pixels, within a chunk of {self.path}; two tasks would "
                        f"overwrite one another's pixels. Rechunk to multiples of {unit} along this axis"
                    )

    def write(self, box: Box, pixels: NDArray[Any]) -> None:
        """Write ``pixels`` into ``box``, which covers whole chunks.

        Raises
        ------
        AlignmentError
            If it does not, or the pixels have another shape.
        ImageError
            If they have another dtype: converting in silence would lose values.
        OutputError
            If the disk refuses.
        """
        if len(box) != len(self.shape) or box_shape(box) != pixels.shape:
            raise AlignmentError(f"pixels of shape {pixels.shape} do not fill {box} of {self.path}")
        for side, unit, size in zip(box, self.chunks, self.shape):
            ends_right = side.stop == size or (side.stop < size and side.stop % unit == 0)
            if side.start < 0 or side.start % unit or not ends_right:
                raise AlignmentError(f"{box} covers parts of chunks of {self.path}, which are {self.chunks}")
        if pixels.dtype != self.dtype:
            raise ImageError(f"{self.path} holds {self.dtype}, got pixels of {pixels.dtype}; convert them on purpose")
        try:
            if self.is_sharded:
                _open(self.path, signature(Path(self.path)))[box] = pixels
            else:
                self._write_chunks(box, pixels)
        except OSError as error:
            raise OutputError(f"{self.path} cannot be written: {error.strerror or error}; is the disk full?") from error

    def has(self, box: Box) -> bool:
        """Whether every chunk of ``box`` has been written: a file has its name when it is whole.

        Not to be asked of shards, which zarr writes.
        """
        return all(path.is_file() for path, _ in self._chunks(box))

    def _write_chunks(self, box: Box, pixels: NDArray[Any]) -> None:
        for path, part in self._chunks(box):
            replace_file(path, codecs.encode(pixels[part], self.chunks))

    def _chunks(self, box: Box) -> Iterator[tuple[Path, Box]]:
        """Yield the file of each chunk of ``box``, and which part of the box it holds."""
        for tile in TileGrid.regular(box_shape(box), self.chunks):
            index = (side.start // unit + i for side, unit, i in zip(box, self.chunks, tile.index))
            yield Path(self.path, "c", *map(str, index)), tile.write

    def __dask_tokenize__(self) -> object:
        return "bigimg-writer", self.path, self.shape, self.chunks, str(self.dtype)


def create_array(
    folder: Path,
    shape: Sequence[int],
    dtype: np.dtype[Any],
    dims: Sequence[str],
    chunks: Sequence[int],
    shards: Sequence[int] | None = None,
    attributes: Mapping[str, Any] | None = None,
) -> ArrayWriter:
    """Create an empty Zarr array in ``folder``, with checksummed chunks, cut to the image where they are larger.

    Raises
    ------
    OutputExistsError
        If there is one.
    """
    dtype = np.dtype(dtype).newbyteorder("=")
    chunks, shards = _cut(shape, chunks, shards)
    if (folder / "zarr.json").exists():
        raise OutputExistsError(f"there is an array at {folder} already")
    write_document(folder, codecs.array_document(shape, dtype, chunks, shards, dims, attributes))
    return writer_of(folder, shape, dtype, chunks, shards)


def writer_of(
    folder: Path,
    shape: Sequence[int],
    dtype: np.dtype[Any],
    chunks: Sequence[int],
    shards: Sequence[int] | None = None,
) -> ArrayWriter:
    """Return the writer of the array that :func:`create_array` makes, or has made, in ``folder``."""
    chunks, shards = _cut(shape, chunks, shards)
    return ArrayWriter(str(folder), tuple(shape), shards or chunks, np.dtype(dtype), is_sharded=shards is not None)


def _cut(
    shape: Sequence[int], chunks: Sequence[int], shards: Sequence[int] | None
) -> tuple[tuple[int, ...], tuple[int, ...] | None]:
    chunks = tuple(min(chunk, size) for chunk, size in zip(chunks, shape))
    if shards is None:
        return chunks, None
    # A shard is whole chunks: cut to the image, then up to the next chunk.
    cut = (min(shard, size) for shard, size in zip(shards, shape))
    return chunks, tuple(-(-shard // chunk) * chunk for shard, chunk in zip(cut, chunks))


def create_image(
    group: Path,
    shape: Sequence[int],
    dtype: np.dtype[Any],
    dims: Sequence[str],
    attrs: Mapping[str, Any],
    chunks: Sequence[int],
    shards: Sequence[int] | None = None,
) -> ArrayWriter:
    """Create the group of one OME-Zarr image and its largest level; `bigimg.io.levels` makes the others.

    ``attrs`` are those of a source: ``scale``, ``units``, ``channel_names``, and whatever else to keep. Where they say
    what place on the Earth the image has, the group says it too, in CF's way and in that of the Zarr conventions.
    """
    _check_dims(dims)
    kept = {key: attrs[key] for key in attrs if key not in ("scale", "units", "channel_names")}
    ome = ngff.image_metadata(group.name, dims, attrs, 1, None)
    own = {"attrs": plain(kept), "channel_names": list(attrs.get("channel_names", ()))}
    create_group(group, {"ome": ome, "bigimg": own, **geo.group_attributes(attrs, dims, shape)})
    _write_place(group, attrs, dims, shape)
    said = {**geo.array_attributes(attrs, np.dtype(dtype)), **_write_times(group, attrs)}
    return create_array(group / "0", shape, dtype, dims, chunks, shards, said)


def create_labels(
    item: Path,
    name: str,
    shape: Sequence[int],
    dtype: np.dtype[Any],
    dims: Sequence[str],
    attrs: Mapping[str, Any],
    chunks: Sequence[int],
    shards: Sequence[int] | None = None,
    image: str = "../../",
) -> ArrayWriter:
    """Create ``labels/<name>`` in the group ``item``, and its largest level; `bigimg.io.levels` makes the others.

    Not to be called from two processes for one item: the list of its labels would miss one.

    Parameters
    ----------
    image
        Relative path from the labels to the image they belong to, for viewers.

    Raises
    ------
    ImageError
        If the dtype is not an unsigned integer.
    """
    check_id(name)
    _check_dims(dims)
    if np.dtype(dtype).kind != "u":
        raise ImageError(f"labels are unsigned integers (got {np.dtype(dtype)})")
    group = item / "labels" / name
    names = read_attributes(item / "labels").get("ome", {}).get("labels", [])
    if name in names:
        raise OutputExistsError(f"{item} has labels {name!r} already")
    create_group(item / "labels", {"ome": {"version": ngff.VERSION, "labels": [*names, name]}})
    place = {key: attrs[key] for key in ("crs", "transform") if key in attrs}
    ome = ngff.label_metadata(name, dims, attrs, 1, image)
    create_group(group, {"ome": ome, **geo.group_attributes(place, dims, shape)})
    _write_place(group, place, dims, shape)
    return create_array(group / "0", shape, dtype, dims, chunks, shards, geo.array_attributes(place, np.dtype(dtype)))


def _write_place(group: Path, attrs: Mapping[str, Any], dims: Sequence[str], shape: Sequence[int]) -> None:
    """Write the variables ``spatial_ref``, ``y`` and ``x`` beside the levels of an image whose place is known."""
    if attrs.get("transform") is None:
        return
    write_document(group / geo.GRID_MAPPING, geo.grid_mapping_document(attrs))
    transform = geo.affine(attrs["transform"], str(group))
    if not geo.is_upright(transform):
        return
    sizes = dict(zip(dims, shape))
    for dim, values in zip("yx", geo.centres(transform, sizes["y"], sizes["x"])):
        said = geo.coordinate_attributes(dim, attrs.get("crs"))
        writer = create_array(group / dim, values.shape, values.dtype, (dim,), values.shape, attributes=said)
        writer.write((slice(0, len(values)),), values)


def _write_times(group: Path, attrs: Mapping[str, Any]) -> dict[str, Any]:
    """Write the variable ``time`` of a series, as CF has it; return what its pixels say of it."""
    if not attrs.get("times"):
        return {}
    moments = np.array(attrs["times"], "datetime64[ns]").astype(np.int64)
    said = {
        "standard_name": "time",
        "units": "nanoseconds since 1970-01-01",
        "calendar": "proleptic_gregorian",
    }
    writer = create_array(group / "time", moments.shape, moments.dtype, ("t",), moments.shape, attributes=said)
    writer.write((slice(0, len(moments)),), moments)
    return {"coordinates": "time"}


def image_chunks(shape: Sequence[int], dims: Sequence[str], attrs: Mapping[str, Any], chunk: int) -> tuple[int, ...]:
    """Return the chunks for an image: ``chunk`` rows and columns of one plane; all three colours together."""
    is_colour = tuple(attrs.get("channel_names", ()))[:3] == ("red", "green", "blue")
    along = {"y": chunk, "x": chunk, "c": 4 if is_colour else 1}
    return tuple(min(along.get(dim, 1), size) for dim, size in zip(dims, shape))


@lru_cache(maxsize=256)
def _open(path: str, signature: tuple[int, ...]) -> zarr.Array[Any]:  # noqa: ARG001 - an array made anew is another one
    import zarr  # noqa: PLC0415 - takes half a second, and only shards need it

    # A chunk of zeros is written, too: then one that is absent is known to be lost. zarr 3.1 ignores `config` in
    # open_array without a word, hence the constructor.
    found = zarr.open_array(path, mode="r+")
    metadata = cast("Any", found.metadata)
    return zarr.Array(zarr.AsyncArray(metadata, found.store_path, config={"write_empty_chunks": True}))


def _check_dims(dims: Sequence[str]) -> None:
    if tuple(name for name in "tczyx" if name in dims) != tuple(dims) or not {"y", "x"} <= set(dims):
        raise ImageError(
            f"an image has those of the axes t, c, z, y, x that exist, in this order, with y and x (got {dims})"
        )
