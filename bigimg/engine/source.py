"""Where the pixels of a tile come from.

A source answers one question: how does a task get the pixels of this box? The answer is a small picklable *piece* that
the task carries, and the values it needs: keys of other tasks, or parts of arrays that are in memory already.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise, product
from typing import Any, Protocol

import dask.array as da
import numpy as np
from dask._task_spec import DataNode, Task, TaskRef
from dask.base import tokenize
from dask.highlevelgraph import HighLevelGraph, MaterializedLayer

from bigimg.core.operation import Pixels
from bigimg.core.tile import Box, TileGrid, box_shape
from bigimg.engine.layer import TaskLayer


class Readable(Protocol):
    """What a stored image must offer to be read tile by tile."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the image."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """Dtype of the pixels."""

    def __getitem__(self, box: Box, /) -> Pixels: ...


class Piece(Protocol):
    """How a task gets the pixels of one box."""

    @property
    def needs(self) -> int:
        """How many values it takes from the arguments of the task."""

    def __call__(self, values: Sequence[Any], /) -> Pixels:
        """Return the pixels."""


class Source(Protocol):
    """Where the pixels of an image come from."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the image."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """Dtype of the pixels."""

    @property
    def parents(self) -> tuple[Any, ...]:
        """Dask collections that hold the values the pieces need."""

    @property
    def token(self) -> str:
        """A name for these pixels: the same for the same pixels."""

    @property
    def label(self) -> str:
        """What an error message calls the image."""

    @property
    def does(self) -> str:
        """What is done to make the pixels, for the plan; empty where they are only read."""

    def seen(self, halo: tuple[int, ...]) -> Source:
        """Return the source for tiles that look ``halo`` pixels beyond their own."""

    def piece(self, box: Box) -> tuple[Piece, list[Any]]:
        """Return how to get the pixels of ``box``, and the values for it."""

    def bytes_read(self, grid: TileGrid) -> int:
        """Return how many bytes all tiles of ``grid`` read from storage."""

    def bytes_per_task(self, grid: TileGrid) -> int:
        """Return the most memory that getting the pixels of a tile of ``grid`` takes beside these pixels."""


@dataclass(frozen=True)
class ReadPiece:
    """Read a box from a store."""

    store: Any
    box: Box
    needs: int = 0

    def __call__(self, values: Sequence[Any]) -> Pixels:  # noqa: ARG002 - the piece of a store needs none
        """Read the box."""
        return np.asarray(self.store[self.box])


@dataclass(frozen=True)
class PastePiece:
    """Put a box together from parts of chunks."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    places: tuple[Box, ...]
    """Where each part goes."""
    parts: tuple[Box | None, ...]
    """Which part of its chunk to take; None where the value is that part already."""

    @property
    def needs(self) -> int:
        """One value for each part."""
        return len(self.parts)

    def __call__(self, values: Sequence[Any]) -> Pixels:
        """Put the parts together."""
        parts = [value if part is None else _cut(value, part) for value, part in zip(values, self.parts)]
        if len(parts) == 1:
            return np.asarray(parts[0])
        whole = np.empty(self.shape, self.dtype)
        for place, part in zip(self.places, parts):
            whole[place] = part
        return whole


@dataclass(frozen=True)
class Frame:
    """The outer bands of a chunk: all that its neighbours need of it, so that no whole chunk travels for a halo."""

    bands: tuple[tuple[Box, Pixels], ...]

    @classmethod
    def of(cls, chunk: Pixels, halo: tuple[int, ...]) -> Frame:
        """Cut the bands of ``halo`` pixels off ``chunk``."""
        bands = []
        for axis, width in enumerate(halo):
            if width == 0:
                continue
            size = chunk.shape[axis]
            for start, stop in {(0, min(width, size)), (max(0, size - width), size)}:
                box = tuple(slice(start, stop) if k == axis else slice(0, n) for k, n in enumerate(chunk.shape))
                bands.append((box, np.ascontiguousarray(chunk[box])))
        return cls(tuple(bands))

    def cut(self, box: Box) -> Pixels:
        """Return the pixels of ``box``, which must lie within one band."""
        for place, pixels in self.bands:
            if all(p.start <= b.start and b.stop <= p.stop for p, b in zip(place, box)):
                return pixels[tuple(slice(b.start - p.start, b.stop - p.start) for p, b in zip(place, box))]
        raise AssertionError(f"{box} lies in no band")


def _cut(value: Pixels | Frame, part: Box) -> Pixels:
    return value.cut(part) if isinstance(value, Frame) else np.asarray(value)[part]


@dataclass(frozen=True)
class StoredSource:
    """Pixels of a store that can be read box by box."""

    store: Any
    parents: tuple[Any, ...] = ()
    does: str = ""

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the image."""
        return tuple(self.store.shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Dtype of the pixels."""
        return np.dtype(self.store.dtype)

    @cached_property
    def token(self) -> str:
        """A name for these pixels: the same for the same store."""
        return tokenize(self.store)

    @property
    def label(self) -> str:
        """What an error message calls the image."""
        return str(getattr(self.store, "name", "image"))

    def seen(self, halo: tuple[int, ...]) -> StoredSource:  # noqa: ARG002 - a store can read any box
        """Return the source itself."""
        return self

    def piece(self, box: Box) -> tuple[Piece, list[Any]]:
        """Return how to read ``box``."""
        return ReadPiece(self.store, box), []

    def bytes_read(self, grid: TileGrid) -> int:
        """Return how many bytes all tiles read, halos counted."""
        per_axis = [
            sum(min(bound[-1], stop + halo) - max(0, start - halo) for start, stop in pairwise(bound))
            for bound, halo in zip(grid.bounds, grid.halo)
        ]
        return int(np.prod(per_axis, dtype=np.int64)) * self.dtype.itemsize

    def bytes_per_task(self, grid: TileGrid) -> int:  # noqa: ARG002 - the pixels are read where they are used
        """Return 0: reading takes no more than the pixels."""
        return 0


class FrameLayer(TaskLayer):
    """The tasks that cut the frames of the chunks of an array."""

    def __init__(self, name: str, array: str, grid: tuple[int, ...], halo: tuple[int, ...]) -> None:
        super().__init__()
        self.name, self.array, self.grid, self.halo = name, array, grid, halo

    def make_tasks(self) -> dict[Any, Task]:
        """Return one task a chunk."""
        name, array, halo = self.name, self.array, self.halo
        return {
            (name, *index): Task((name, *index), Frame.of, TaskRef((array, *index)), halo)
            for index in product(*map(range, self.grid))
        }

    def get_output_keys(self) -> set[Any]:
        """Return the keys of the frames."""
        return {(self.name, *index) for index in product(*map(range, self.grid))}


class ArraySource:
    """The chunks of a Dask array.

    Chunks that are in memory travel as the very parts a tile needs; chunks that are still to be computed are named by
    their key, and their neighbours ask for the :class:`Frame` of them only.
    """

    def __init__(self, array: da.Array, halo: tuple[int, ...] = ()) -> None:
        self.array = array
        self.shape: tuple[int, ...] = array.shape
        self.dtype: np.dtype[Any] = array.dtype
        self.token: str = array.name
        self.label = "image"
        self.does = ""
        self._bounds = TileGrid(array.chunks, (0,) * array.ndim).bounds
        layer = array.dask.layers.get(array.name)
        chunks = dict(layer) if isinstance(layer, MaterializedLayer) else {}
        values = {key[1:]: getattr(value, "value", value) for key, value in chunks.items() if _is_data(value)}
        self._values: dict[Any, Any] = values if len(values) == len(chunks) else {}
        self._halo = halo
        self._frames = None if self._values or not any(halo) or array.npartitions == 1 else self._frame()

    def _frame(self) -> da.Array:
        # Not an array in truth: a collection of frames under one name, so that Dask merges and culls its graph.
        array, halo, name = self.array, self._halo, f"halo-{tokenize(self.array.name, self._halo)}"
        layer = FrameLayer(name, array.name, array.numblocks, halo)
        graph = HighLevelGraph.from_collections(name, layer, dependencies=[array])
        return da.Array(graph, name, array.chunks, meta=array._meta)  # noqa: SLF001 - Dask has no public name for it

    def seen(self, halo: tuple[int, ...]) -> ArraySource:
        """Return the source with frames of ``halo`` pixels."""
        return self if halo == self._halo else ArraySource(self.array, halo)

    def _in_band(self, part: Box, starts: Sequence[int], stops: Sequence[int]) -> bool:
        sizes = [stop - start for start, stop in zip(starts, stops)]
        if all(side.stop - side.start == size for side, size in zip(part, sizes)):
            return False
        return any(
            side.stop <= halo or side.start >= size - halo for side, halo, size in zip(part, self._halo, sizes) if halo
        )

    @property
    def parents(self) -> tuple[Any, ...]:
        """The arrays whose keys the pieces need."""
        if self._values:
            return ()
        return (self.array,) if self._frames is None else (self.array, self._frames)

    def piece(self, box: Box) -> tuple[Piece, list[Any]]:
        """Return how to put ``box`` together."""
        places: list[Box] = []
        parts: list[Box | None] = []
        values: list[Any] = []
        ranges = [
            range(bisect_right(bound, side.start) - 1, bisect_right(bound, side.stop - 1))
            for bound, side in zip(self._bounds, box)
        ]
        for index in product(*ranges):
            starts = [bound[i] for bound, i in zip(self._bounds, index)]
            stops = [bound[i + 1] for bound, i in zip(self._bounds, index)]
            meets = [(max(b.start, lo), min(b.stop, hi)) for b, lo, hi in zip(box, starts, stops)]
            places.append(tuple(slice(lo - b.start, hi - b.start) for b, (lo, hi) in zip(box, meets)))
            part = tuple(slice(lo - start, hi - start) for start, (lo, hi) in zip(starts, meets))
            if self._values:
                values.append(self._values[index][part])
                parts.append(None)
                continue
            keyed = self.array if self._frames is None or not self._in_band(part, starts, stops) else self._frames
            values.append(TaskRef((keyed.name, *index)))
            parts.append(part)
        return PastePiece(box_shape(box), self.dtype, tuple(places), tuple(parts)), values

    def bytes_read(self, grid: TileGrid) -> int:  # noqa: ARG002 - the chunks are in memory
        """Return 0: the chunks are in memory, or counted where they are made."""
        return 0

    def bytes_per_task(self, grid: TileGrid) -> int:  # noqa: ARG002 - parts of chunks are put together in place
        """Return 0: the chunks are in memory already."""
        return 0


def _is_data(value: Any) -> bool:
    return isinstance(value, (np.ndarray, DataNode))
