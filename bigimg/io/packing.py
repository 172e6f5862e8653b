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
from bigimg.io.sources import FileSource
from bigimg.io.writer import ArrayWriter, create_array

CHUNK_BYTES = 2 * 2**20
"""Of the images that are stored in one chunk."""


@dataclass(frozen=True)
class Pack:
    """One packed array: ``(item, ...)``."""

    path: str
    """In the store."""
    sources: tuple[FileSource, ...]
    writer: ArrayWriter

    @classmethod
    def create(cls, root: Path, path: str, sources: Sequence[FileSource]) -> Pack:
        """Create the array for ``sources``, all of one shape, dtype and axes."""
        first = sources[0]
        together = max(1, CHUNK_BYTES // (prod(first.shape) * first.dtype.itemsize))
        create_group(root / "packed", {})
        shape, dims = (len(sources), *first.shape), ("item", *first.dims)
        writer = create_array(root / path, shape, first.dtype, dims, (together, *first.shape))
        return cls(path, tuple(sources), writer)

    def parts(self) -> list[slice]:
        """Return which items share a chunk."""
        step = self.writer.chunks[0]
        return [slice(start, min(start + step, len(self.sources))) for start in range(0, len(self.sources), step)]


def choose_packs(sources: Sequence[FileSource], chunk: int) -> tuple[list[list[FileSource]], list[FileSource]]:
    """Return the groups of images to pack, and those that stay alone: larger than a chunk, or unlike any other."""
    alike: dict[object, list[FileSource]] = defaultdict(list)
    for source in sources:
        alike[source.shape, source.dtype, source.dims].append(source)
    packs = [group for group in alike.values() if len(group) > 1 and max(group[0].shape[-2:]) <= chunk]
    packed = {source.name for group in packs for source in group}
    return packs, [source for source in sources if source.name not in packed]


def write_chunk(pack: Pack, part: slice, on_error: Literal["fail", "skip"]) -> list[Item | Skipped]:
    """Write the images of one chunk. The place of one that is left out stays empty, and no item points to it."""
    sources = pack.sources[part]
    block = np.zeros((len(sources), *pack.writer.shape[1:]), pack.writer.dtype)
    outcome: list[Item | Skipped] = []
    for place, source in enumerate(sources):
        try:
            block[place] = source[...]
            outcome.append(Item.of(source, pack.path, pack.writer.chunks[1:], part.start + place))
        except BigimgError as error:
            if on_error == "fail":
                raise
            outcome.append(Skipped(source.name, source.path, str(error)))
    pack.writer.write((part, *(slice(0, size) for size in block.shape[1:])), block)
    return outcome
