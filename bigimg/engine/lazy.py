"""Chains of tilewise operations as one Dask layer: one task a tile, however long the chain.

A :class:`TileLayer` remembers where its pixels come from and which operations they go through. The next operation does
not stand on the layer, it makes a longer one; the halos add, and each task reads its tile and the summed halo, runs the
whole chain in memory, and crops. What Dask sees is an ordinary lazy array: it can be sliced, persisted, and used by any
library.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product
from operator import add
from typing import Any

import dask.array as da
import numpy as np
import xarray as xr
from dask._task_spec import Task, TaskRef
from dask.base import flatten, tokenize
from dask.highlevelgraph import HighLevelGraph

from bigimg.core.finite import all_finite
from bigimg.core.operation import Chain, Operation, Pixels, Valid
from bigimg.core.tile import Box, Chunks, Tile, TileGrid, regular_chunks
from bigimg.engine.layer import TaskLayer
from bigimg.engine.source import ArraySource, Piece, Readable, Source, StoredSource
from bigimg.errors import ImageError

NAME_LENGTH = 80
"""Task names longer than this do not fit the dashboard."""

_WORD = re.compile(r"(\w+)\(")


@dataclass(frozen=True)
class TileInput:
    """How a task gets one of its images: read, make valid, run the chain, crop. It travels with the task."""

    label: str
    pixels: Piece
    valid: Piece | None
    chain: Chain
    crop: Box
    """What to keep of the end of the chain."""
    deferred: tuple[tuple[int, str], ...]
    """Which operation and parameter each of the last values belongs to."""
    tile: Tile | None = None
    """Which tile it is, where an operation of the chain asks."""
    origin: tuple[int, ...] = ()
    """Where in the image the pixels begin."""

    @property
    def needs(self) -> int:
        """How many values of the task are for this input."""
        return self.pixels.needs + (self.valid.needs if self.valid else 0) + len(self.deferred)

    def __call__(self, values: Sequence[Any]) -> tuple[Pixels, Valid | None]:
        """Return the pixels and which of them are valid."""
        cut = self.pixels.needs
        pixels = native(self.pixels(values[:cut]))
        valid = None
        if self.valid is not None:
            valid = np.broadcast_to(self.valid(values[cut : cut + self.valid.needs]), pixels.shape)
        pixels = checked(pixels, valid, self.label, self.origin)
        chain = _with_values(self.chain, self.deferred, values[self.needs - len(self.deferred) :])
        pixels = chain(pixels, valid, self.tile)
        if valid is not None and valid.ndim > pixels.ndim:
            valid = np.asarray(valid.all(axis=-3))
        return pixels[self.crop], None if valid is None else valid[self.crop]


@dataclass(frozen=True)
class LazyImage:
    """What a layer remembers: a source, the chain its pixels go through, and the tiles that come out."""

    source: Source
    chain: Chain
    chunks: Chunks
    valid: Source | None = None

    @cached_property
    def name(self) -> str:
        """A readable name and a token: the same for the same pixels."""
        names = [operation.spec.name.rpartition(".")[2].lstrip("_") for operation in self.chain.operations]
        words = "+".join(names or _WORD.findall(self.source.does)) or "read"
        words = words if len(words) <= NAME_LENGTH else words[: NAME_LENGTH - 3] + "..."
        valid = self.valid.token if self.valid else None
        return f"{words}-{tokenize(self.source.token, valid, self.chain, self.chunks)}"

    @property
    def does(self) -> str:
        """What is done to the pixels, from the stored image on, for the plan."""
        made = [self.source.does] if self.source.does else []
        return " -> ".join([*made, *map(str, self.chain.operations)]) or "read"

    @property
    def dtype(self) -> np.dtype[Any]:
        """Dtype of the pixels at the end of the chain."""
        return self.chain.dtype(self.source.dtype.newbyteorder("="))

    @cached_property
    def shape(self) -> tuple[int, ...]:
        """Shape of the image at the end of the chain."""
        return tuple(map(sum, self.chunks))

    @cached_property
    def halo(self) -> tuple[int, ...]:
        """The halo of the whole chain along each axis of the image."""
        return (0,) * (len(self.chunks) - self.chain.ndim) + self.chain.halo

    @property
    def parents(self) -> tuple[Any, ...]:
        """The collections whose keys the tasks need."""
        deferred = [value for operation in self.chain.operations for value in operation.deferred.values()]
        return (*self.source.parents, *(self.valid.parents if self.valid else ()), *deferred)

    def then(self, operation: Operation) -> LazyImage:
        """Return the image with one more operation at the end of its chain."""
        chunks = self.chunks
        if operation.spec.drops_channels:
            chunks = (*chunks[:-3], *chunks[-2:])
        return replace(self, chain=self.chain.then(operation), chunks=chunks)

    def grid(self, extra: int | tuple[int, ...] = 0) -> TileGrid:
        """Return the tiles with the halo of the whole chain, and ``extra`` pixels for who reads its end.

        ``extra`` is for the axes the chain works along, or one number an axis of the image.
        """
        lead = len(self.chunks) - self.chain.ndim
        more = (0,) * lead + (extra,) * self.chain.ndim if isinstance(extra, int) else extra
        return TileGrid(self.chunks, tuple(map(add, self.halo, more)))

    def source_box(self, box: Box) -> Box:
        """Return the box of the source for a ``box`` at the end: the whole channel axis where it is dropped."""
        if not self.chain.drops_channels:
            return box
        return (*box[:-2], slice(0, self.source.shape[-3]), *box[-2:])

    def seen(self, extra: int | tuple[int, ...] = 0) -> LazyImage:
        """Return the image with sources made for its halo and ``extra`` pixels more, as in :meth:`grid`."""
        halo = self.grid(extra).halo
        if self.chain.drops_channels:
            halo = (*halo[:-2], 0, *halo[-2:])
        valid = None if self.valid is None else self.valid.seen(halo[len(halo) - len(self.valid.shape) :])
        return replace(self, source=self.source.seen(halo), valid=valid)

    def input(self, tile: Tile, keep: Box) -> tuple[TileInput, list[Any]]:
        """Return how a task gets ``keep`` (image coordinates) of ``tile``, and the values for it."""
        read = self.source_box(tile.read)
        pixels, values = self.source.piece(read)
        valid = None
        if self.valid is not None:
            valid, more = self.valid.piece(read[len(read) - len(self.valid.shape) :])
            values = values + more
        slots, refs = self._deferred
        crop = tuple([slice(k.start - r.start, k.stop - r.start) for k, r in zip(keep, tile.read)])
        place = replace(tile, read=read, image_shape=self.source.shape) if self.chain.takes_tile else None
        origin = tuple(side.start for side in read)
        part = TileInput(self.source.label, pixels, valid, self._bare_chain, crop, slots, place, origin)
        return part, [*values, *refs]

    @cached_property
    def _deferred(self) -> tuple[tuple[tuple[int, str], ...], list[TaskRef]]:
        waiting = [
            ((number, name), deferred_ref(value))
            for number, operation in enumerate(self.chain.operations)
            for name, value in operation.deferred.items()
        ]
        return tuple(slot for slot, _ in waiting), [ref for _, ref in waiting]

    @cached_property
    def _bare_chain(self) -> Chain:
        # Tasks must not carry the graphs of what they wait for.
        return Chain(tuple(op.with_values(dict.fromkeys(op.deferred)) for op in self.chain.operations))

    def bytes_per_task(self, extra: int | tuple[int, ...] = 0) -> int:
        """Return the most memory a task needs: the largest box it reads, at the hungriest point of the chain."""
        grid = self._source_grid(self.grid(extra))
        masked = 1 if self.valid is not None else 0
        own = grid.largest_read() * (self.chain.scratch(self.source.dtype) + masked)
        return own + self.source.bytes_per_task(grid)

    def bytes_read(self, tiles: TileGrid | None = None) -> int:
        """Return how many bytes all tasks read from storage: for the tiles of the image, or for others over it."""
        halo = self.grid().halo
        grid = TileGrid(tiles.chunks, tuple(map(add, tiles.halo, halo))) if tiles else self.grid()
        return self.source.bytes_read(self._source_grid(grid))

    def _source_grid(self, grid: TileGrid) -> TileGrid:
        if not self.chain.drops_channels:
            return grid
        channels = (self.source.shape[-3],)
        return TileGrid((*grid.chunks[:-2], channels, *grid.chunks[-2:]), (*grid.halo[:-2], 0, *grid.halo[-2:]))


class TileLayer(TaskLayer):
    """The tasks of a :class:`LazyImage`, made when Dask asks for them."""

    def __init__(self, image: LazyImage) -> None:
        super().__init__()
        self.image = image

    def make_tasks(self) -> dict[Any, Task]:
        """Return one task a tile."""
        name, tasks = self.image.name, {}
        for tile in self.image.grid():
            part, values = self.image.input(tile, tile.write)
            key = (name, *tile.index)
            tasks[key] = Task(key, run_tile, part, *values)
        return tasks

    def get_output_keys(self) -> set[Any]:
        """Return the keys of the tiles."""
        name = self.image.name
        return {(name, *index) for index in product(*map(range, map(len, self.image.chunks)))}


def run_tile(part: TileInput, *values: Any) -> Pixels:
    """Compute one tile: what every task of a fused chain does."""
    if part.valid is None and not part.chain.operations:
        # Pixels that are only read may be NaN: whoever computes with them knows which of them count, and checks.
        return np.ascontiguousarray(native(part.pixels(values))[part.crop])
    return np.ascontiguousarray(part(values)[0])


def image_inputs(images: Sequence[LazyImage], tile: Tile) -> tuple[tuple[TileInput, ...], list[Any]]:
    """Return how a task gets what ``tile`` reads of each of several images, and the values for it.

    The last axes of each image are those of the tile; axes that only an image has, such as channels, are taken whole.
    """
    inputs, values = [], []
    for image in images:
        head = tuple(slice(0, size) for size in image.shape[: len(image.chunks) - len(tile.write)])
        keep = head + tile.read
        halo = image.halo
        read = tuple(slice(max(0, k.start - h), min(size, k.stop + h)) for k, h, size in zip(keep, halo, image.shape))
        part, needed = image.input(Tile(tile.index, keep, read, image.shape), keep)
        inputs.append(part)
        values += needed
    return tuple(inputs), values


def read_inputs(inputs: Sequence[TileInput], values: Sequence[Any]) -> tuple[list[Pixels], Valid | None]:
    """Return the pixels of each input of a task, and which of the first count: those that do in every input."""
    images, masks = [], []
    for part in inputs:
        pixels, mask = part(values[: part.needs])
        values = values[part.needs :]
        images.append(pixels)
        masks.append(mask)
    return images, meeting(masks, images[0].ndim)


def meeting(masks: Sequence[Any], ndim: int) -> Any:
    """Return which pixels along the last ``ndim`` axes count in all of several images, or None for all.

    A pixel counts in channels that only one of the images has where it counts in all of these.
    """
    total: Any = None
    for mask in masks:
        if mask is not None:
            flat = mask.all(axis=tuple(range(mask.ndim - ndim))) if mask.ndim > ndim else mask
            total = flat if total is None else total & flat
    return total


def lazy_array(image: LazyImage) -> da.Array:
    """Return ``image`` as a lazy Dask array."""
    image = image.seen()
    graph = HighLevelGraph.from_collections(image.name, TileLayer(image), dependencies=distinct(image.parents))
    meta = np.empty((0,) * len(image.chunks), image.dtype)
    return da.Array(graph, image.name, image.chunks, meta=meta)


def from_store(store: Readable, tile: Sequence[int]) -> da.Array:
    """Return a stored image as a lazy array of tiles of shape ``tile``; operations on it read the store themselves.

    Parameters
    ----------
    store
        Anything with ``shape``, ``dtype`` and ``store[box]``; it is pickled into tasks, and so should open its files
        itself.
    tile
        Shape of the tiles; multiples of the chunks of the store read each chunk once.

    Raises
    ------
    ImageError
        If the image has an axis of no pixels.
    """
    check_shape(store.shape)
    source = StoredSource(store)
    return lazy_array(LazyImage(source, Chain(), regular_chunks(source.shape, tile)))


def image_of(array: da.Array) -> LazyImage | None:
    """Return what a lazy array remembers, where it is a fused layer."""
    layer = array.dask.layers.get(array.name)
    return layer.image if isinstance(layer, TileLayer) else None


def as_image(array: da.Array, valid: da.Array | None = None) -> LazyImage:
    """Return ``array`` to build on: its own source and chain where it is a fused layer, else its chunks."""
    image = image_of(array)
    mask = None if valid is None else _mask_source(valid)
    token = None if mask is None else mask.token
    if image is not None and (not image.chain.operations or token == (image.valid and image.valid.token)):
        return replace(image, valid=mask)
    layer = array.dask.layers.get(array.name)
    source = layer.source(array) if isinstance(layer, TaskLayer) else None
    return LazyImage(source or ArraySource(array), Chain(), array.chunks, mask)


def made_once(array: da.Array, valid: da.Array | None = None) -> LazyImage:
    """Return ``array`` to build on by its chunks, unless it is only read: many tiles would each make it anew."""
    image = as_image(array, valid)
    if image.does == "read":
        return image
    return LazyImage(ArraySource(array), Chain(), array.chunks, None if valid is None else _mask_source(valid))


def apply(operation: Operation, array: da.Array, valid: da.Array | None = None) -> da.Array:
    """Return the operation on a lazy array, lazily; a chain on a fused layer stays one task a tile."""
    check_shape(array.shape)
    return lazy_array(as_image(array, valid).then(operation))


def _mask_source(valid: da.Array) -> Source:
    image = image_of(valid)
    if image is not None and not image.chain.operations:
        return image.source
    return ArraySource(valid)


def deferred_ref(value: Any) -> TaskRef:
    """Return the reference to the one key of a value that is not known yet."""
    data = value.data if isinstance(value, xr.DataArray) else value
    keys = list(flatten(data.__dask_keys__()))
    if len(keys) != 1:
        raise ImageError(f"a parameter must be one number (got a lazy array of {len(keys)} chunks)")
    return TaskRef(keys[0])


def _with_values(chain: Chain, slots: tuple[tuple[int, str], ...], values: Sequence[Any]) -> Chain:
    if not slots:
        return chain
    given: dict[int, dict[str, Any]] = {}
    for (number, name), value in zip(slots, values):
        given.setdefault(number, {})[name] = value[()] if isinstance(value, np.ndarray) else value
    operations: Mapping[int, Mapping[str, Any]] = given
    return Chain(tuple(op.with_values(operations.get(i, {})) for i, op in enumerate(chain.operations)))


def native(pixels: Pixels) -> Pixels:
    """Return ``pixels`` in the byte order of this machine; kernels of other languages do not look at it."""
    return pixels if pixels.dtype.isnative else pixels.astype(pixels.dtype.newbyteorder("="))


def checked(pixels: Pixels, valid: Valid | None, label: str, origin: Sequence[int] = ()) -> Pixels:
    """Return ``pixels`` with zeros where they are not valid, or refuse NaN and infinity that no mask covers.

    They would spread through every window that holds them, and change every statistic, without a word. ``origin`` says
    where in the image the pixels begin.
    """
    if valid is not None:
        pixels = np.where(valid, pixels, np.zeros((), pixels.dtype))
    if all_finite(pixels):
        return pixels
    wrong = np.argwhere(~np.isfinite(pixels))
    first = tuple(int(step) + start for step, start in zip(wrong[0], origin or (0,) * pixels.ndim))
    no_numbers = int(np.isnan(pixels).sum())
    what = "infinity" if no_numbers == 0 else "NaN" if no_numbers == len(wrong) else "NaN or infinity"
    where = f"{len(wrong)} pixels{' of a tile' if origin else ''}, the first at {first}"
    raise ImageError(
        f"{label} holds {what} in {where}, and no mask says that they are invalid; mask them, with "
        "np.ma.masked_invalid(image) or image.assign_coords(valid=np.isfinite(image)), or mend the image"
    )


def check_shape(shape: Sequence[int]) -> None:
    """Refuse an image that has no pixels or no plane."""
    if len(shape) < 2:
        raise ImageError(f"an image has at least two axes, rows and columns (got shape {tuple(shape)})")
    if any(size != size for size in shape):  # noqa: PLR0124 - Dask says NaN where it does not know
        raise ImageError(
            f"the size of a lazy image must be known (got shape {tuple(shape)}); call compute_chunk_sizes() on it first"
        )
    if 0 in shape:
        raise ImageError(f"an image needs at least one pixel along each axis (got shape {tuple(shape)})")


def same_shape(images: Sequence[Any]) -> Sequence[Any]:
    """Return ``images``, whose last axes must be those of the first."""
    first = images[0].shape
    for image in images:
        check_shape(image.shape)
        if image.shape[image.ndim - len(first) :] != first:
            raise ImageError(f"images that are used together need one shape (got {first} and {image.shape})")
    return images


def distinct(parents: Sequence[Any]) -> list[Any]:
    """Return each of the collections once."""
    # xarray's wrapper of a lazy scalar has a graph but no layer of its own.
    bare = [parent.data if isinstance(parent, xr.DataArray) else parent for parent in parents]
    return list({id(parent): parent for parent in bare}.values())
