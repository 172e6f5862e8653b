"""Carrying out a workflow on a cluster: every image by itself, so that a bad one harms no other, in bounded batches."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from math import prod
from pathlib import Path
from typing import Any

import pandas as pd

from bigimg.engine.store import store_array
from bigimg.engine.tree import combine
from bigimg.errors import BigimgError, RunError
from bigimg.io.geo import placed_attrs
from bigimg.io.levels import build_pyramid
from bigimg.io.references import image_path
from bigimg.io.scan import Skipped
from bigimg.io.sources import Source
from bigimg.io.validity import filled
from bigimg.io.writer import CHUNK, ArrayWriter, create_image, create_labels
from bigimg.ops.statistics import Histogram
from bigimg.run.evaluate import evaluate, lazy_image
from bigimg.run.plan import kept_images
from bigimg.run.workflow import Workflow

BATCH_TILES = 5_000
"""Tiles handed to the scheduler at once: enough to keep a cluster busy, few enough that its memory stays flat."""

RETRIES = 2
"""How often a task is tried again when the worker it ran on has died."""


@dataclass(frozen=True)
class ItemResult:
    """What one image has given, beside the pixels it has stored."""

    tables: Mapping[str, pd.DataFrame]
    thresholds: Mapping[str, tuple[Histogram, float]]
    pixels: int
    """Pixels stored."""


@dataclass(frozen=True)
class Work:
    """A workflow, where its results are built, and how."""

    workflow: Workflow
    folder: Path
    """Where the results are built."""
    dest: Path
    """Where they will be."""
    tile: int


def execute(client: Any, work: Work, sources: Mapping[str, Source]) -> Iterator[tuple[str, ItemResult | Skipped]]:
    """Yield the result of every image as it is done, or why it was skipped.

    Raises
    ------
    BigimgError
        Under ``on_error: fail``, the error of the first bad image.
    RunError
        If the cluster fails, with the image it happened to.
    """
    for batch in batches(sources, work.tile):
        yield from _execute_batch(client, work, batch)


def _execute_batch(client: Any, work: Work, batch: Mapping[str, Source]) -> Iterator[tuple[str, ItemResult | Skipped]]:
    from distributed import as_completed  # noqa: PLC0415 - slow to import

    lazy: dict[str, Any] = {}
    for name, source in batch.items():
        try:
            lazy[name] = item_result(work, name, source)
        except BigimgError as error:
            yield name, _failed(work, name, source, error)
    # Fusing tasks would rename them; ours are fused already, and progress is counted by their names.
    futures = client.compute(list(lazy.values()), optimize_graph=False, retries=RETRIES)
    names = {future.key: name for future, name in zip(futures, lazy)}
    for future in as_completed(futures):
        name = names[future.key]
        try:
            yield name, future.result()
        except BigimgError as error:
            yield name, _failed(work, name, batch[name], error)
        except Exception as error:
            raise RunError(f"image {name!r}: the cluster failed: {type(error).__name__}: {error}") from error
        future.release()


def item_result(work: Work, name: str, source: Source) -> Any:
    """Return the result of one image, lazily: a value that also stores what the workflow keeps."""
    found = evaluate(work.workflow, lazy_image(source, work.tile))
    stored = []
    for step, image in kept_images(work.workflow, found.results).items():
        kind = "labels" if image.dtype.kind == "u" and _gives_labels(work.workflow, step) else "image"
        data = image.data.astype("uint8") if image.dtype == bool else image.data
        if kind == "image" and "valid" in image.coords:
            data, nodata = filled(image.data, image.coords["valid"].data)
            image = image.assign_attrs(nodata=nodata)  # noqa: PLW2901 - what is stored, with what it says of itself
        writer, group = _writer(work, name, source, step, kind, image, data)
        writer.check_aligned(data.chunks)
        written = store_array(data, writer.write)
        stored.append(combine("pyramid", partial(_with_pyramid, str(group), kind), written))
    thresholds = [value for pair in found.thresholds.values() for value in pair]
    gathered = partial(_item_result, tuple(found.tables), tuple(found.thresholds))
    return combine("item", gathered, *found.tables.values(), *thresholds, *stored)


def _item_result(tables: tuple[str, ...], thresholds: tuple[str, ...], *values: Any) -> ItemResult:
    rest = iter(values)
    return ItemResult(
        tables={name: next(rest) for name in tables},
        thresholds={name: (next(rest), next(rest)) for name in thresholds},
        pixels=sum(rest),
    )


def _gives_labels(workflow: Workflow, step: str) -> bool:
    return next(each.kind for each in workflow.steps if each.name == step) == "labels"


def _writer(
    work: Work, name: str, source: Source, step: str, kind: str, image: Any, data: Any
) -> tuple[ArrayWriter, Path]:
    item = work.folder / "images" / name
    chunks = [min(CHUNK, sizes[0]) if sizes[0] % min(CHUNK, sizes[0]) == 0 else sizes[0] for sizes in data.chunks]
    if kind == "labels":
        viewer = image_path(source, work.dest, name, step)
        writer = create_labels(item, step, image.shape, data.dtype, image.dims, source.attrs, chunks, image=viewer)
        return writer, item / "labels" / step
    group = item / "steps" / step
    return create_image(group, image.shape, data.dtype, image.dims, placed_attrs(image), chunks), group


def _with_pyramid(group: str, kind: Any, pixels: int) -> int:
    build_pyramid(group, kind)
    return pixels


def _failed(work: Work, name: str, source: Source, error: BigimgError) -> Skipped:
    said = str(error)
    if repr(name) not in said and not said.startswith((f"{name} ", f"{name}:")):
        said = f"image {name!r}: {said}"
    if work.workflow.on_error == "fail":
        raise type(error)(f"{said}. To leave bad images out, run with on_error: skip") from error
    shutil.rmtree(work.folder / "images" / name, ignore_errors=True)
    return Skipped.of(name, getattr(source, "path", name), said)


def changed(work: Work, name: str, source: Source) -> Skipped | None:
    """Return why an image that was processed is skipped after all: it has changed or gone since the run began.

    Its digest is taken here, as the results refer to it by that: one replaced file of a hundred must not end a run
    that skips.
    """
    try:
        source.fingerprint()
    except BigimgError as error:
        return _failed(work, name, source, error)
    return None


def batches(sources: Mapping[str, Source], tile: int, most: int = BATCH_TILES) -> Iterator[dict[str, Source]]:
    """Yield images in batches of at most ``most`` tiles, at least one image each."""
    batch: dict[str, Source] = {}
    tiles = 0
    for name, source in sources.items():
        count = prod(-(-size // tile) if axis in ("y", "x") else size for axis, size in zip(source.dims, source.shape))
        if batch and tiles + count > most:
            yield batch
            batch, tiles = {}, 0
        batch[name] = source
        tiles += count
    if batch:
        yield batch
