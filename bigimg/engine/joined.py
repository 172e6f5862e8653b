"""Images joined pixel by pixel: a source made of lazy images, so that what follows still fuses into one task a tile.

A task that needs a box of the joined image gets the same box of each of its images, each through its own chain, and
joins them. Chains that part and meet again cost no further tasks and no stored image between them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import dask.array as da
import numpy as np
from dask.base import tokenize

from bigimg.core.finite import pointwise
from bigimg.core.operation import Chain, Pixels
from bigimg.core.tile import Box, Tile, TileGrid
from bigimg.engine.lazy import (
    LazyImage,
    TileInput,
    as_image,
    distinct,
    image_inputs,
    lazy_array,
    made_once,
    read_inputs,
)
from bigimg.engine.source import Piece


@dataclass(frozen=True)
class JoinPiece:
    """Get a box of each image and join them."""

    function: Callable[..., Pixels]
    inputs: tuple[TileInput, ...]
    dtype: np.dtype[Any]

    @property
    def needs(self) -> int:
        """As many values as all images need."""
        return sum(part.needs for part in self.inputs)

    def __call__(self, values: Sequence[Any]) -> Pixels:
        """Return the joined pixels."""
        return pointwise(self.function, *read_inputs(self.inputs, values)[0], dtype=self.dtype)


@dataclass(frozen=True)
class JoinedSource:
    """Pixels that a function makes of those at the same place in several images.

    The first image has all axes; the others have them all or the last of them.
    """

    function: Callable[..., Pixels]
    images: tuple[LazyImage, ...]
    dtype: np.dtype[Any]

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the first image."""
        return self.images[0].shape

    @property
    def parents(self) -> tuple[Any, ...]:
        """The collections whose keys the pieces need."""
        return tuple(distinct([parent for image in self.images for parent in image.parents]))

    @cached_property
    def token(self) -> str:
        """A name for these pixels: the same for the same function of the same images."""
        return tokenize(self.function, [image.name for image in self.images], self.dtype)

    @property
    def label(self) -> str:
        """What an error message calls the image."""
        return self.images[0].source.label

    @property
    def does(self) -> str:
        """What is done to make the pixels, for the plan."""
        return " + ".join(image.does for image in self.images)

    def seen(self, halo: tuple[int, ...]) -> JoinedSource:
        """Return the source with images made for ``halo`` pixels more."""
        return replace(self, images=tuple(image.seen(halo[len(halo) - len(image.shape) :]) for image in self.images))

    def piece(self, box: Box) -> tuple[Piece, list[Any]]:
        """Return how to get ``box`` of each image and join them, and the values for it."""
        inputs: list[TileInput] = []
        values: list[Any] = []
        for image in self.images:
            own = box[len(box) - len(image.shape) :]
            parts, more = image_inputs((image,), Tile((0,) * len(own), own, own, image.shape))
            inputs += parts
            values += more
        return JoinPiece(self.function, tuple(inputs), self.dtype), values

    def bytes_read(self, grid: TileGrid) -> int:
        """Return how many bytes all tiles of ``grid`` read from storage, those of every image."""
        return sum(image.bytes_read(_last(grid, len(image.shape))) for image in self.images)

    def bytes_per_task(self, grid: TileGrid) -> int:
        """Return the pixels of every image, and what the hungriest of them takes."""
        grids = [(image, _last(grid, len(image.shape))) for image in self.images]
        pixels = sum(own.largest_read() * image.dtype.itemsize for image, own in grids)
        return pixels + max(image.bytes_per_task(own.halo) for image, own in grids)


def _last(grid: TileGrid, ndim: int) -> TileGrid:
    return TileGrid(grid.chunks[len(grid.chunks) - ndim :], grid.halo[len(grid.halo) - ndim :])


def join_arrays(
    function: Callable[..., Pixels],
    arrays: Sequence[da.Array],
    dtype: np.dtype[Any],
    valid: Sequence[da.Array | None],
) -> da.Array:
    """Return ``function`` of the pixels at the same place in lazy arrays, lazily; the first gives the tiles.

    Each of ``valid`` says which pixels of its array count; those that do not are 0 when ``function`` gets them. An
    array of fewer axes, as the background of a video, is made once, and not anew for every frame.
    """
    most = arrays[0].ndim
    images = tuple(
        (as_image if array.ndim == most else made_once)(array, mask).seen() for array, mask in zip(arrays, valid)
    )
    return lazy_array(LazyImage(JoinedSource(function, images, dtype), Chain(), images[0].chunks))
