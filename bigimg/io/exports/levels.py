"""The levels of an image to export: those that are stored, or made aside in parts, so that memory does not grow."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import ceil, prod
from pathlib import Path
from typing import Any

from bigimg.core.tile import Box, TileGrid
from bigimg.io.documents import read_attributes
from bigimg.io.ngff import read_multiscale
from bigimg.io.pyramid import Kind, halve, level_shapes
from bigimg.io.sources import Source
from bigimg.io.stored import StoredSource, open_array
from bigimg.io.writer import CHUNK, create_array

BLOCK_BYTES = 64 * 2**20
"""About how many bytes of pixels are in memory at once."""

_WIDE = 8192


def levels_of(source: Source, kind: Kind, scratch: Path) -> list[Source]:
    """Return every level of ``source``, itself first.

    Parameters
    ----------
    scratch
        Folder for the levels that are not stored; a second call with the same folder finds them.
    """
    shapes = level_shapes(source.shape, source.dims)
    stored = _stored_levels(source, shapes)
    if stored is not None:
        return stored
    levels = [source]
    for number, shape in enumerate(shapes[1:], 1):
        folder = scratch / str(number)
        if not (folder / "zarr.json").is_file():
            _fill(levels[-1], folder, shape, kind)
        levels.append(_level(source, folder, shape))
    return levels


def blocks(source: Source, unit: Sequence[int], shape: Sequence[int] | None = None, shrunk: int = 1) -> Iterator[Box]:
    """Yield boxes of whole ``unit``s that cover the image, each of which decodes little of ``source`` twice.

    ``shape`` is that of an image ``shrunk`` times smaller, whose boxes these are.
    """
    shape = source.shape if shape is None else shape
    block = [
        min(size, step * max(1, ceil(natural / (shrunk if dim in "yx" else 1) / step)))
        for dim, size, natural, step in zip(source.dims, shape, source.chunks, unit)
    ]
    width = source.dims.index("x")
    # Rows that are stored as one piece are read as one; a wide image of tiles is cut.
    block[width] = shape[width] if shape[width] <= _WIDE else max(block[width], _WIDE // unit[width] * unit[width])
    for axis, step in enumerate(unit):
        # A file that is one piece, or a long group of pictures, is read in parts that fit.
        left = prod(block) * source.dtype.itemsize / BLOCK_BYTES
        if left > 1 and source.dims[axis] in "tzy":
            block[axis] = max(step, int(block[axis] / left) // step * step)
    for tile in TileGrid.regular(tuple(shape), tuple(block)):
        yield tile.write


def _fill(before: Source, folder: Path, shape: tuple[int, ...], kind: Kind) -> None:
    chunks = tuple(min(CHUNK, size) if dim in "yx" else 1 for dim, size in zip(before.dims, shape))
    writer = create_array(folder, shape, before.dtype, before.dims, chunks)
    for box in blocks(before, chunks, shape, shrunk=2):
        wide = tuple(
            slice(2 * side.start, min(2 * side.stop, size)) if dim in "yx" else side
            for side, size, dim in zip(box, before.shape, before.dims)
        )
        writer.write(box, halve(before[wide], kind))


def _level(source: Source, folder: Path, shape: tuple[int, ...]) -> StoredSource:
    array = open_array(folder, folder)
    return StoredSource(source.name, str(folder), shape, array.dtype, source.dims, array.chunks, source.attrs)


def _stored_levels(source: Source, shapes: list[tuple[int, ...]]) -> list[Source] | None:
    """Return the levels in the store of ``source``, if they are those that this package makes."""
    if not isinstance(source, StoredSource) or source.item is not None:
        return None
    group, root = Path(source.path).parent, Path(source.root or source.path)
    attributes: dict[str, Any] = read_attributes(group)
    multiscales = attributes.get("ome", {}).get("multiscales", [{}])
    if not multiscales or multiscales[0].get("metadata", {}).get("by") != "bigimg":
        return None
    paths = read_multiscale(attributes, str(group)).paths
    if len(paths) != len(shapes) or not all((group / path / "zarr.json").is_file() for path in paths):
        return None
    arrays = [open_array(group / path, root) for path in paths]
    if [array.shape for array in arrays] != shapes or any(array.dtype != source.dtype for array in arrays):
        return None
    smaller = [
        StoredSource(
            source.name,
            str(group / path),
            array.shape,
            array.dtype,
            source.dims,
            array.chunks,
            source.attrs,
            complete=source.complete,
            root=str(root),
        )
        for path, array in zip(paths[1:], arrays[1:])
    ]
    return [source, *smaller]
