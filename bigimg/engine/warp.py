"""Lazy images of another shape: a source made of a lazy image and a map from boxes to boxes.

A task that needs a box of the result gets the box of the image that it is made of, through the chain of the image with
its halo, and warps it. What follows fuses again: one task a tile, from the stored image to the end of the last chain.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from math import ceil, prod
from typing import Any

import dask.array as da
import numpy as np
from dask.base import tokenize

from bigimg.core.operation import Chain, Pixels, Valid
from bigimg.core.tile import Box, Chunks, Tile, TileGrid, box_shape, regular_chunks, whole
from bigimg.core.warp import Warp
from bigimg.engine.lazy import LazyImage, TileInput, as_image, checked, image_inputs, lazy_array, native
from bigimg.engine.source import Piece, Source

GROWTH = 1.5
"""How many times its own edge a tile may read along an axis before the tiles of the result are made smaller; a tile
that is turned by 45 degrees reads 1.41 times its edge."""

AT_ONCE = 2**16
"""Tiles whose boxes are worked out at once for the plan."""


@dataclass(frozen=True)
class WarpPiece:
    """Get a box of the image and warp it."""

    warp: Warp
    image: TileInput
    read: Box
    """What of the image it gets."""
    box: Box
    """What of the result it makes."""

    @property
    def needs(self) -> int:
        """As many values as the image needs."""
        return self.image.needs

    def __call__(self, values: Sequence[Any]) -> Pixels:
        """Return the pixels of the box."""
        pixels, valid = self.image(values)
        return self.warp.pixels(pixels, valid, self.read, self.box)


@dataclass(frozen=True)
class MaskPiece:
    """Get a box of the mask of an image and warp it."""

    warp: Warp
    mask: Piece
    read: Box
    box: Box
    joins_channels: bool
    """Whether a pixel counts only where it does in all channels."""

    @property
    def needs(self) -> int:
        """As many values as the mask needs."""
        return self.mask.needs

    def __call__(self, values: Sequence[Any]) -> Valid:
        """Return which pixels of the box count."""
        valid: Valid = self.mask(values).astype(bool)
        return self.warp.valid(np.asarray(valid.all(axis=-3)) if self.joins_channels else valid, self.read, self.box)


@dataclass(frozen=True)
class FilledPiece:
    """A box that nothing of the image takes part in."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    fill: float
    needs: int = 0

    def __call__(self, values: Sequence[Any]) -> Pixels:  # noqa: ARG002 - it needs none
        """Return the value everywhere."""
        return np.full(self.shape, self.fill, self.dtype)


@dataclass(frozen=True)
class WarpedSource:
    """The pixels of a lazy image, warped."""

    warp: Warp
    image: LazyImage
    is_mask: bool = False
    """Whether it is the mask of the image that is asked for."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the result."""
        return (*self._given.shape[: len(self._given.shape) - self.warp.ndim], *self.warp.output_shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Dtype of the result."""
        return np.dtype(bool) if self.is_mask else self.warp.dtype(self.image.dtype)

    @property
    def parents(self) -> tuple[Any, ...]:
        """The collections whose keys the pieces need."""
        return self._mask.parents if self.is_mask else self.image.parents

    @cached_property
    def token(self) -> str:
        """A name for these pixels: the same for the same warp of the same image."""
        return tokenize(self.warp, self._mask.token if self.is_mask else self.image.name, self.is_mask)

    @property
    def label(self) -> str:
        """What an error message calls the image."""
        return self.image.source.label

    @property
    def does(self) -> str:
        """What is done to the pixels, for the plan."""
        return f"{self.image.does} -> {self.warp}" if self.image.does != "read" else str(self.warp)

    def seen(self, halo: tuple[int, ...]) -> WarpedSource:  # noqa: ARG002 - boxes of the image lie at no border of it
        """Return the source itself."""
        return self

    @property
    def _mask(self) -> Source:
        assert self.image.valid is not None
        return self.image.valid

    @property
    def _joins_channels(self) -> bool:
        return (
            self.is_mask and self.image.chain.drops_channels and len(self._mask.shape) == len(self.image.source.shape)
        )

    @property
    def _given(self) -> LazyImage | Source:
        return self._mask if self.is_mask and not self._joins_channels else self.image

    def piece(self, box: Box) -> tuple[Piece, list[Any]]:
        """Return how to make ``box``, and the values for it."""
        lead, own = box[: len(box) - self.warp.ndim], box[len(box) - self.warp.ndim :]
        read = self.warp.source_box(own)
        if read is None:
            return FilledPiece(box_shape(box), self.dtype, 0 if self.is_mask else self.warp.fill), []
        given = (*lead, *read)
        if self.is_mask:
            joins = self._joins_channels
            mask, values = self._mask.piece(self.image.source_box(given) if joins else given)
            return MaskPiece(self.warp, mask, read, own, joins), values
        (part,), values = image_inputs((self.image,), Tile((0,) * len(given), given, given, self.image.shape))
        return WarpPiece(self.warp, part, read, own), values

    def bytes_read(self, grid: TileGrid) -> int:
        """Return how many bytes all tiles of ``grid`` read from storage.

        Exact where the image is stored; where it is warped itself, or made of several, as if each of its pixels cost
        the same.
        """
        if self.is_mask:
            return 0
        shape = self.image.shape
        one = TileGrid(tuple((size,) for size in shape), (0,) * len(shape))
        pixels = read_pixels(self.warp, grid, self.image.halo)
        return pixels * self.image.bytes_read(one) // prod(shape)

    def bytes_per_task(self, grid: TileGrid) -> int:
        """Return the box of the image a tile needs, what making it takes, and what warping it does."""
        if self.is_mask:
            return 0
        largest = [min(size, max(sizes) + 2 * halo) for size, sizes, halo in zip(grid.shape, grid.chunks, grid.halo)]
        lead = largest[: len(largest) - self.warp.ndim]
        own = read_shape(self.warp, largest[len(largest) - self.warp.ndim :])
        image = LazyImage(
            self.image.source, self.image.chain, tuple((size,) for size in (*lead, *own)), self.image.valid
        )
        pixels = prod((*lead, *own))
        return max(image.bytes_per_task(), pixels * (self.image.dtype.itemsize + self.warp.scratch))


def read_pixels(warp: Warp, grid: TileGrid, halo: tuple[int, ...]) -> int:
    """Return how many pixels of an image all tiles of a ``grid`` over its warp read, each with ``halo``."""
    cut = len(grid.chunks) - warp.ndim
    lead = TileGrid(grid.chunks[:cut], grid.halo[:cut])
    planes = sum(prod(box_shape(tile.read)) for tile in lead) if cut else 1
    own = TileGrid(grid.chunks[cut:], grid.halo[cut:])
    sides = [
        np.array([(max(0, start - more), min(bound[-1], stop + more)) for start, stop in pairwise(bound)])
        for bound, more in zip(own.bounds, own.halo)
    ]
    size, more = np.array(warp.input_shape), np.array(halo[cut:])
    total = 0
    for start in range(0, len(own), AT_ONCE):
        index = np.unravel_index(np.arange(start, min(len(own), start + AT_ONCE)), own.numblocks)
        ends = np.stack([side[each] for side, each in zip(sides, index)], axis=1)
        first, last = warp.reads(ends[..., 0], ends[..., 1])
        there = (first < last).all(axis=1)
        read = np.minimum(size, last + more) - np.maximum(0, first - more)
        total += int(read.prod(axis=1)[there].sum())
    return planes * total


def read_shape(warp: Warp, shape: Sequence[int]) -> tuple[int, ...]:
    """Return the largest box of the image, about, that a box of ``shape`` of the result is made of."""
    starts = np.unique(
        [[0] * warp.ndim, [(whole - size) // 2 for whole, size in zip(warp.output_shape, shape)]], axis=0
    )
    first, last = warp.reads(starts, starts + np.array(shape))
    # A box amid the result may begin at other fractions of a pixel.
    return tuple(int(side) for side in np.minimum(warp.input_shape, np.maximum(1, (last - first).max(axis=0)) + 2))


def warped_chunks(warp: Warp, chunks: Chunks) -> Chunks:
    """Return the tiles of the result: of such a size that each reads about one tile of the image."""
    cut = len(chunks) - warp.ndim
    edges = np.array([max(sizes) for sizes in chunks[cut:]], float)
    steps = np.abs(warp.steps())
    own = edges[steps.argmax(axis=0)]
    own = np.minimum(own, warp.output_shape)
    reads = np.minimum(steps @ own, warp.input_shape) / edges
    for axis in range(warp.ndim):
        takes = reads[steps[:, axis] * own[axis] > 0.1 * edges]
        shrink = takes.max(initial=0)
        if shrink > GROWTH:
            own[axis] = max(1, ceil(own[axis] / shrink))
    return chunks[:cut] + regular_chunks(warp.output_shape, [int(edge) for edge in own])


def warp_arrays(warp: Warp, array: da.Array, valid: da.Array | None) -> tuple[da.Array, da.Array | None]:
    """Return the warp of a lazy array and of its mask, lazily."""
    image = as_image(array, valid)
    chunks = warped_chunks(warp, image.chunks)
    mask = None if image.valid is None else WarpedSource(warp, image, is_mask=True)
    result = lazy_array(LazyImage(WarpedSource(warp, image), Chain(), chunks, mask))
    if mask is None:
        return result, None
    return result, lazy_array(LazyImage(mask, Chain(), chunks[len(chunks) - len(mask.shape) :]))


def warp_whole(warp: Warp, pixels: Pixels, valid: Valid | None) -> tuple[Pixels, Valid | None]:
    """Return the warp of an array in memory and of its mask, at once."""
    pixels = checked(native(pixels), valid, "image")
    box, read = whole(warp.output_shape).write, warp.source_box(whole(warp.output_shape).write)
    shape = (*pixels.shape[: pixels.ndim - warp.ndim], *warp.output_shape)
    if read is None:
        return np.full(shape, warp.fill, warp.dtype(pixels.dtype)), None if valid is None else np.zeros(shape, bool)
    part: Any = (..., *read)
    if valid is None:
        return warp.pixels(pixels[part], None, read, box), None
    valid = np.broadcast_to(valid, pixels.shape)[part]
    mask = warp.valid(valid, read, box)
    made = warp.pixels(pixels[part], valid, read, box)
    return np.where(mask, made, np.zeros((), made.dtype)), mask
