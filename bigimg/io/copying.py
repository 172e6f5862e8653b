"""The tasks that copy an image into a collection: blocks of whole chunks, then the smaller levels, then its row.

A block whose chunks are all there, from an ingest that was killed, is read back instead: chunks get their names when
they are whole, so that what has a name is good. A shard is written by zarr, which promises no such thing: it is written
again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bigimg.core.tile import Box, TileGrid
from bigimg.errors import CorruptChunkError
from bigimg.io.frames import write_frames
from bigimg.io.items import Item
from bigimg.io.levels import build_pyramid, finish_levels, level_stages
from bigimg.io.series import Ingestible
from bigimg.io.stored import open_array
from bigimg.io.validity import MASK, mask_pixels, valid_pixels, validity
from bigimg.io.windows import GreyCounts
from bigimg.io.writer import CHUNK, ArrayWriter, create_array, create_image, image_chunks, writer_of

_MOST_ROWS = 4 * CHUNK

Task = Callable[[], Any]


@dataclass(frozen=True)
class CopyBlock:
    """Copy one block of whole chunks; gives its counts of grey values."""

    source: Ingestible
    writer: ArrayWriter
    box: Box
    again: bool
    """Whether the chunks may be there already."""
    mask: ArrayWriter | None = None
    """Where the mask of the file goes, if it has one."""

    def __call__(self) -> GreyCounts:
        """Copy it."""
        if self.again and self.writer.has(self.box):
            folder = Path(self.writer.path)
            try:
                return self._counts(open_array(folder, folder).read(self.box, self.source.name, True))
            except CorruptChunkError:
                pass  # a disk that failed: the source has the pixels still
        pixels = self.source[self.box]
        if self.mask is not None:
            # Before the pixels: a block that has its pixels has its mask.
            self.mask.write(self.box[-2:], mask_pixels(self.source, self.box))
        self.writer.write(self.box, pixels)
        return self._counts(pixels)

    def _counts(self, pixels: NDArray[Any]) -> GreyCounts:
        masked = validity(self.source) is not None
        return GreyCounts.of(pixels, self.dims, valid_pixels(self.source, self.box, pixels) if masked else None)

    @property
    def dims(self) -> tuple[str, ...]:
        """Axes of the image."""
        return self.source.dims


@dataclass(frozen=True)
class Describe:
    """Make the row of an image that is copied; its file is read once more, for the digest."""

    source: Ingestible
    path: str
    chunks: tuple[int, ...]

    def __call__(self) -> Item:
        """Make the row."""
        return Item.of(self.source, self.path, self.chunks)


@dataclass(frozen=True)
class CopySmall:
    """Copy an image of one block, from its first pixel to its row, as one task."""

    copy: ImageCopy

    def __call__(self) -> Item:
        """Copy it."""
        copy = self.copy
        (block,) = copy.blocks()
        build_pyramid(copy.group, "image", block().windows())
        return copy.describe()


@dataclass(frozen=True)
class ImageCopy:
    """One image on its way into the collection at ``root``."""

    root: Path
    source: Ingestible
    chunk: int
    shard: int | None
    again: bool = False
    """Whether an earlier ingest of the same file has begun it."""

    @property
    def path(self) -> str:
        """Of the image in the collection."""
        return f"images/{self.source.name}"

    @property
    def group(self) -> Path:
        """Folder of the image."""
        return self.root / self.path

    @property
    def chunks(self) -> tuple[int, ...]:
        """Of its arrays."""
        return image_chunks(self.source.shape, self.source.dims, self.source.attrs, self.chunk)

    @property
    def shards(self) -> tuple[int, ...] | None:
        """Of its arrays, if chunks go into shards."""
        source = self.source
        return image_chunks(source.shape, source.dims, source.attrs, self.shard) if self.shard else None

    def begin(self) -> None:
        """Create the image, whose pixels are still to come."""
        source = self.source
        create_image(self.group, source.shape, source.dtype, source.dims, source.attrs, self.chunks, self.shards)
        if source.attrs.get("mask"):
            create_array(self.group / MASK, *self._mask)
        write_frames(self.group, source)

    def blocks(self) -> list[CopyBlock]:
        """Return the tasks that copy its pixels."""
        source = self.source
        writer = writer_of(self.group / "0", source.shape, source.dtype, self.chunks, self.shards)
        block = _block(source, writer.chunks)
        again = self.again and not writer.is_sharded
        mask = None
        if source.attrs.get("mask"):
            shape, dtype, _, chunks, shards = self._mask
            mask = writer_of(self.group / MASK, shape, dtype, chunks, shards)
        return [CopyBlock(source, writer, tile.write, again, mask) for tile in TileGrid.regular(source.shape, block)]

    @property
    def _mask(self) -> tuple[Any, ...]:
        """What the array of the mask is made of."""
        shards = None if self.shards is None else self.shards[-2:]
        return self.source.shape[-2:], np.dtype(bool), self.source.dims[-2:], self.chunks[-2:], shards

    @property
    def describe(self) -> Describe:
        """The task that makes its row."""
        return Describe(self.source, self.path, self.chunks)

    def stages(self) -> Iterator[tuple[Sequence[Task], list[Any]]]:
        """Yield lists of tasks, each with a list for their results, which is full when the next one is asked for.

        The only result of the last is the row of the image.
        """
        blocks = self.blocks()
        rows: list[Any] = []
        if len(blocks) == 1:
            yield [CopySmall(self)], rows
            return
        counts: list[Any] = []
        yield blocks, counts
        for tasks in level_stages(self.group, "image"):
            yield tasks, []
        finish_levels(self.group, "image", _windows(blocks, counts))
        yield [self.describe], rows


def _windows(blocks: Sequence[CopyBlock], counts: Sequence[GreyCounts]) -> list[dict[str, float]]:
    """Return the windows of all channels; a block has some of them."""
    of_channels: dict[int, GreyCounts] = {}
    for block, some in zip(blocks, counts):
        first = block.box[block.dims.index("c")].start if "c" in block.dims else 0
        of_channels[first] = of_channels[first] + some if first in of_channels else some
    return [window for first in sorted(of_channels) for window in of_channels[first].windows()]


def _block(source: Ingestible, unit: tuple[int, ...]) -> tuple[int, ...]:
    """Return a shape of whole chunks in full rows that decodes little twice and stays small."""
    block = []
    for dim, size, natural, step in zip(source.dims, source.shape, source.chunks, unit):
        if dim == "x":
            block.append(size)
        elif dim == "y":
            block.append(step * max(1, ceil(min(natural, _MOST_ROWS, size) / step)))
        else:
            block.append(step * max(1, ceil(natural / step)))
    return tuple(block)
