"""Equal small images as one array with an item axis: 10,000 thumbnails are a few files instead of 40,000."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Literal

import numpy as np

from bigimg.errors import BigimgError
from bigimg.io.documents import create_group
from bigimg.io.items import Item
from bigimg.io.scan import Skipped
from bigimg.io.series import Ingestible
from bigimg.io.writer import ArrayWriter, create_array, writer_of

CHUNK_BYTES = 2 * 2**20
"""Of the images that are stored in one chunk."""


@dataclass(frozen=True)
class WriteChunk:
    """Write the images of one chunk. The place of one that is left out stays empty, and no item points to it."""

    path: str
    """Of the packed array in the store."""
    writer: ArrayWriter
    part: slice
    """Which of the items these are."""
    sources: tuple[Ingestible, ...]
    on_error: Literal["fail", "skip"]

    def __call__(self) -> list[Item | Skipped]:
        """Write the chunk; return the rows of its images."""
        block = np.zeros((len(self.sources), *self.writer.shape[1:]), self.writer.dtype)
        outcome: list[Item | Skipped] = []
        for place, source in enumerate(self.sources):
            try:
                block[place] = source[...]
                outcome.append(Item.of(source, self.path, self.writer.chunks[1:], self.part.start + place))
            except BigimgError as error:
                if self.on_error == "fail":
                    raise
                outcome.append(Skipped.of(source.name, source.path, error))
        self.writer.write((self.part, *(slice(0, size) for size in block.shape[1:])), block)
        return outcome


@dataclass(frozen=True)
class Pack:
    """One packed array: ``(item, ...)``."""

    root: Path
    """Of the store."""
    path: str
    """In the store."""
    sources: tuple[Ingestible, ...]
    """All of one shape, dtype and axes."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the array."""
        return (len(self.sources), *self.sources[0].shape)

    @property
    def chunks(self) -> tuple[int, ...]:
        """Of the array: some whole images."""
        first = self.sources[0]
        return max(1, CHUNK_BYTES // (prod(first.shape) * first.dtype.itemsize)), *first.shape

    def create(self) -> None:
        """Create the array."""
        first = self.sources[0]
        create_group(self.root / "packed", {})
        create_array(self.root / self.path, self.shape, first.dtype, ("item", *first.dims), self.chunks)

    def tasks(self, on_error: Literal["fail", "skip"]) -> list[WriteChunk]:
        """Return the tasks that write it, one a chunk."""
        writer = writer_of(self.root / self.path, self.shape, self.sources[0].dtype, self.chunks)
        step = writer.chunks[0]
        parts = [slice(start, min(start + step, len(self.sources))) for start in range(0, len(self.sources), step)]
        return [WriteChunk(self.path, writer, part, self.sources[part], on_error) for part in parts]


def choose_packs(sources: Sequence[Ingestible], chunk: int) -> tuple[list[list[Ingestible]], list[Ingestible]]:
    """Return the groups of images to pack, and those that stay alone: larger than a chunk, or unlike any other."""
    alike: dict[object, list[Ingestible]] = defaultdict(list)
    for source in sources:
        alike[source.shape, source.dtype, source.dims].append(source)
    packs = [group for group in alike.values() if len(group) > 1 and max(group[0].shape[-2:]) <= chunk]
    packed = {source.name for group in packs for source in group}
    return packs, [source for source in sources if source.name not in packed]
