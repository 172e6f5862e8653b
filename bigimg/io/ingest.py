"""Ingest: files become a collection, read in blocks of whole chunks, so that a big image need not fit into memory."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from math import ceil
from pathlib import Path
from typing import Any

from bigimg.core.tile import TileGrid
from bigimg.errors import BigimgError, MissingInputError, OutputError, ParameterError
from bigimg.io.documents import create_group
from bigimg.io.items import Item, write_items
from bigimg.io.levels import build_pyramid
from bigimg.io.packing import Pack, choose_packs, write_chunk
from bigimg.io.publish import building
from bigimg.io.scan import OnError, Skipped, open_sources
from bigimg.io.sources import FileSource
from bigimg.io.writer import CHUNK, create_image, image_chunks

FORMAT = 1
"""Version of the layout of a collection."""

_MOST_ROWS = 4 * CHUNK
_Outcome = list[Item | Skipped]


@dataclass(frozen=True)
class Ingested:
    """What an ingest has made."""

    path: Path
    items: int
    skipped: tuple[Skipped, ...]


def ingest(
    source: str | Path,
    dest: str | Path,
    *,
    on_error: OnError = "fail",
    pack: bool = False,
    chunk: int = CHUNK,
    shard: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Ingested:
    """Make a collection of the images in a folder, of a pattern, or of one file.

    It is built aside and gets its name when it is complete: an ingest that failed or was killed leaves no ``dest``.

    Parameters
    ----------
    source
        As :func:`bigimg.io.scan.open_sources` takes it.
    dest
        Path of the collection; must not exist.
    on_error
        ``"fail"``: the first bad image ends the ingest. ``"skip"``: it is left out, and listed in the collection.
    pack
        Put small images of equal shape, dtype and axes together into one array: thousands of files become a few.
    chunk
        Rows and columns of a chunk.
    shard
        Rows and columns of a shard, a file of several chunks; a multiple of ``chunk``. Without it each chunk is a file.
    progress
        Called with the number of images done and of all images.

    Raises
    ------
    MissingInputError, ReadError, ImageError
        If there is nothing to read, or it cannot be read; names the file.
    OutputExistsError, OutputError
        If ``dest`` exists or cannot be written; before a pixel is read.
    """
    if chunk < 16 or (shard is not None and (shard < chunk or shard % chunk)):
        raise ParameterError(
            f"chunk must be at least 16, and shard a multiple of it (got chunk {chunk}, shard {shard})"
        )
    if Path(source).expanduser().resolve() == Path(dest).expanduser().resolve():
        raise OutputError(f"the collection cannot be made where its images are: {dest}; choose another name")
    sources, skipped = open_sources(source, on_error)
    with building(dest) as root:
        create_group(root / "images", {})
        packs, single = choose_packs(sources, chunk) if pack else ([], sources)
        tasks: list[Callable[[], _Outcome]] = []
        for number, group in enumerate(packs):
            made = Pack.create(root, f"packed/{number}", group)
            tasks += [partial(write_chunk, made, part, on_error) for part in made.parts()]
        tasks += [partial(_write_single, root, each, chunk, shard, on_error) for each in single]
        outcome = _carry_out(tasks, len(sources), progress)
        items = {each.id: each for each in outcome if isinstance(each, Item)}
        skipped += [each for each in outcome if isinstance(each, Skipped)]
        if not items:
            raise MissingInputError(f"no image in {source} can be read; the first: {skipped[0].reason}")
        finish(root, [items[each.name] for each in sources if each.name in items], skipped, {"source": str(source)})
    return Ingested(Path(dest), len(items), tuple(skipped))


def finish(root: Path, items: Sequence[Item], skipped: Sequence[Skipped], attrs: dict[str, Any]) -> None:
    """Write what makes a store a collection: its table of items, and last the mark in its root."""
    write_items(root, items)
    left_out = [{"name": each.name, "path": each.path, "reason": each.reason} for each in skipped]
    create_group(root, {"bigimg": {"version": FORMAT, "items": len(items), "skipped": left_out, **attrs}})


def _write_single(root: Path, source: FileSource, chunk: int, shard: int | None, on_error: OnError) -> _Outcome:
    try:
        return [_write_image(root, source, chunk, shard)]
    except BigimgError as error:
        if on_error == "fail":
            raise
        return [Skipped(source.name, source.path, str(error))]


def _write_image(root: Path, source: FileSource, chunk: int, shard: int | None) -> Item:
    path = f"images/{source.name}"
    chunks = image_chunks(source.shape, source.dims, source.attrs, chunk)
    shards = image_chunks(source.shape, source.dims, source.attrs, shard) if shard else None
    grid = TileGrid.regular(source.shape, _block(source, shards or chunks))
    first, *others = grid
    # The first block is read before anything is made: most bad files show here.
    pixels = source[first.write]
    writer = create_image(root / path, source.shape, source.dtype, source.dims, source.attrs, chunks, shards)
    writer.write(first.write, pixels)
    for tile in others:
        writer.write(tile.write, source[tile.write])
    build_pyramid(root / path, "image")
    return Item.of(source, path, chunks)


def _block(source: FileSource, unit: tuple[int, ...]) -> tuple[int, ...]:
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


def _carry_out(
    tasks: list[Callable[[], _Outcome]], count: int, progress: Callable[[int, int], None] | None
) -> list[Item | Skipped]:
    done: list[Item | Skipped] = []
    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        futures = [pool.submit(task) for task in tasks]
        try:
            for future in futures:
                done += future.result()
                if progress is not None:
                    progress(len(done), count)
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise
    return done
