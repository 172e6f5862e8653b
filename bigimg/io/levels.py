"""The smaller levels of stored images, made in parts: each from the level before, as it is stored.

A level can be filled by many tasks, which meet nowhere: each writes whole chunks (or shards). The next one is begun
when it is complete.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bigimg.core.tile import Box, TileGrid
from bigimg.io import ngff
from bigimg.io.documents import create_group, read_attributes
from bigimg.io.pyramid import Kind, halve, level_shapes
from bigimg.io.stored import open_array
from bigimg.io.windows import GreyCounts
from bigimg.io.writer import ArrayWriter, create_array

_BOXES = 16
"""Chunks that one task writes: a second or less, and far more than what handing out a task costs."""


@dataclass(frozen=True)
class FillLevel:
    """Write some boxes of a level from the level before."""

    source: str
    """Folder of the level before."""
    writer: ArrayWriter
    dims: tuple[str, ...]
    kind: Kind
    boxes: tuple[Box, ...]

    def __call__(self) -> None:
        """Write them."""
        folder = Path(self.source)
        before = open_array(folder, folder)
        for box in self.boxes:
            wide = tuple(
                slice(2 * side.start, min(2 * side.stop, size)) if dim in "yx" else side
                for side, size, dim in zip(box, before.shape, self.dims)
            )
            self.writer.write(box, halve(before.read(wide, folder.parent.name, complete=True), self.kind))


def level_stages(group: Path, kind: Kind) -> Iterator[list[FillLevel]]:
    """Yield the tasks of each smaller level; those of one are to be done before the next is asked for.

    A level that is there is made anew.
    """
    first = open_array(group / "0", group)
    shapes = level_shapes(first.shape, first.dims)
    for level in range(1, len(shapes)):
        folder = group / str(level)
        if folder.is_dir():
            shutil.rmtree(folder)
        writer = create_array(folder, shapes[level], first.dtype, first.dims, first.chunks, first.shards)
        boxes = [tile.write for tile in TileGrid.regular(writer.shape, writer.chunks)]
        source = str(group / str(level - 1))
        yield [
            FillLevel(source, writer, first.dims, kind, tuple(boxes[start : start + _BOXES]))
            for start in range(0, len(boxes), _BOXES)
        ]


def finish_levels(group: Path, kind: Kind, windows: Sequence[Mapping[str, float]] | None = None) -> int:
    """Write into the metadata of a group which levels it has, all of which are complete; return how many.

    ``windows`` of display; by default those of the smallest level.
    """
    first = open_array(group / "0", group)
    dims = first.dims
    shapes = level_shapes(first.shape, dims)
    attributes = read_attributes(group)
    attrs = {**ngff.read_multiscale(attributes, str(group)).attrs}
    if kind == "labels":
        image = attributes["ome"]["image-label"]["source"]["image"]
        ome = ngff.label_metadata(group.name, dims, attrs, len(shapes), image)
    else:
        attrs["channel_names"] = tuple(attributes.get("bigimg", {}).get("channel_names", ()))
        windows = windows or _windows(group, shapes[-1], dims, len(shapes) - 1)
        ome = ngff.image_metadata(group.name, dims, attrs, len(shapes), windows)
    create_group(group, {**attributes, "ome": ome})
    return len(shapes)


def build_pyramid(group: str | Path, kind: Kind, windows: Sequence[Mapping[str, float]] | None = None) -> int:
    """Make the smaller levels of an image or of labels whose largest one is complete; return how many levels there are.

    Each is made from the level before as it is stored, a chunk (or shard) at a time, so memory does not grow with the
    image. Run again after it was interrupted, it starts anew.

    Raises
    ------
    CorruptChunkError
        If a chunk of the largest level is missing or damaged.
    """
    group = Path(group)
    for tasks in level_stages(group, kind):
        for task in tasks:
            task()
    return finish_levels(group, kind, windows)


def _windows(group: Path, shape: tuple[int, ...], dims: tuple[str, ...], level: int) -> list[dict[str, float]]:
    # The middle of a stack stands for all of it.
    box = tuple(slice(size // 2, size // 2 + 1) if dim in "tz" else slice(0, size) for size, dim in zip(shape, dims))
    return GreyCounts.of(open_array(group / str(level), group).read(box, group.name, complete=True), dims).windows()
