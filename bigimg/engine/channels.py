"""Images whose channels become other channels: colours converted, bands combined, some of them chosen.

A source made of a lazy image, as in :mod:`bigimg.engine.joined`: a task gets its box with every channel, through the
chain of the image, and mixes them. What follows fuses again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import dask.array as da
import numpy as np
import xarray as xr
from dask.base import tokenize

from bigimg.core.finite import pointwise
from bigimg.core.operation import Chain, Pixels
from bigimg.core.tile import Box, Tile, TileGrid
from bigimg.engine.kinds import CHANNEL, PLANE, Image, opened
from bigimg.engine.lazy import LazyImage, TileInput, as_image, checked, image_inputs, lazy_array, native, read_inputs
from bigimg.engine.reshaped import as_dataarray, as_masked
from bigimg.engine.source import Piece
from bigimg.errors import ImageError

Mix = Callable[[Pixels], Pixels]
"""(..., C, M, N) pixels in, (..., D, M, N) out; each pixel depends on the channels at its own place alone."""


@dataclass(frozen=True)
class MixPiece:
    """Get a box with every channel, mix them, and take the wanted ones."""

    mix: Mix
    image: TileInput
    wanted: slice
    dtype: np.dtype[Any]

    @property
    def needs(self) -> int:
        """As many values as the image needs."""
        return self.image.needs

    def __call__(self, values: Sequence[Any]) -> Pixels:
        """Return the mixed channels."""
        (pixels,), _ = read_inputs((self.image,), values)
        return pointwise(self.mix, pixels, dtype=self.dtype)[..., self.wanted, :, :]


@dataclass(frozen=True)
class MixedSource:
    """The channels that a function makes of those of a lazy image."""

    mix: Mix
    image: LazyImage
    channels: int
    dtype: np.dtype[Any]
    name: str

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the image, with the new channels."""
        return (*self.image.shape[:-3], self.channels, *self.image.shape[-2:])

    @property
    def parents(self) -> tuple[Any, ...]:
        """The collections whose keys the pieces need."""
        return self.image.parents

    @cached_property
    def token(self) -> str:
        """A name for these pixels: the same for the same function of the same image."""
        return tokenize(self.mix, self.image.name, self.channels, self.dtype)

    @property
    def label(self) -> str:
        """What an error message calls the image."""
        return self.image.source.label

    @property
    def does(self) -> str:
        """What is done to make the pixels, for the plan."""
        return f"{self.image.does} -> {self.name}()"

    def seen(self, halo: tuple[int, ...]) -> MixedSource:
        """Return the source with an image made for ``halo`` pixels more."""
        return replace(self, image=self.image.seen((*halo[:-3], 0, *halo[-2:])))

    def piece(self, box: Box) -> tuple[Piece, list[Any]]:
        """Return how to get ``box`` with every channel and mix them, and the values for it."""
        whole = (*box[:-3], slice(0, self.image.shape[-3]), *box[-2:])
        parts, values = image_inputs((self.image,), Tile((0,) * len(whole), whole, whole, self.image.shape))
        return MixPiece(self.mix, parts[0], box[-3], self.dtype), values

    def bytes_read(self, grid: TileGrid) -> int:
        """Return how many bytes all tiles of ``grid`` read from storage."""
        return self.image.bytes_read(self._given(grid))

    def bytes_per_task(self, grid: TileGrid) -> int:
        """Return the channels of the image, and what getting them takes."""
        given = self._given(grid)
        return given.largest_read() * self.image.dtype.itemsize + self.image.bytes_per_task(given.halo)

    def _given(self, grid: TileGrid) -> TileGrid:
        channels = (self.image.shape[-3],)
        return TileGrid((*grid.chunks[:-3], channels, *grid.chunks[-2:]), (*grid.halo[:-3], 0, *grid.halo[-2:]))


def mix_channels(
    mix: Mix,
    image: Image,
    channels: int,
    dtype: Any,
    *,
    name: str,
    channel_names: Sequence[str] | None = None,
) -> Image:
    """Return an image of any kind with other channels, as the same kind; lazily where the image is lazy.

    Parameters
    ----------
    mix : callable
        (..., C, M, N) pixels in, (..., channels, M, N) out, each pixel by itself; of a module, or a
        ``functools.partial`` of one, so that tasks can carry it.
    image : image of any kind
        With channels before the plane, or in a dimension named ``c``. A pixel counts where it counts in all channels.
    channels : int
        How many come out.
    dtype : dtype
        Of the result.
    name : str
        What the plan calls it.
    channel_names : sequence of str, optional
        What the new channels are called, in ``attrs["channel_names"]``; the old names are dropped.

    Raises
    ------
    ImageError
        If the image has no channels.
    """
    wanted = np.dtype(dtype)
    if isinstance(image, xr.DataArray):
        return _mix_dataarray(mix, image, channels, wanted, name, channel_names)
    given = opened(image)
    if given.pixels.ndim < 3:
        raise ImageError(f"{name} needs an image with channels before its rows and columns (got {given.pixels.shape})")
    valid = None if given.valid is None else given.valid.all(axis=-3, keepdims=True)
    pixels = _mixed(mix, given.pixels, given.valid, channels, wanted, name)
    return as_masked(pixels, valid)


def _mix_dataarray(
    mix: Mix, image: xr.DataArray, channels: int, dtype: np.dtype[Any], name: str, channel_names: Sequence[str] | None
) -> Any:
    if CHANNEL not in image.dims:
        raise ImageError(f"{name} needs a dimension named {CHANNEL!r} (got {', '.join(map(str, image.dims))})")
    others = [str(dim) for dim in image.dims if dim != CHANNEL]
    plane = [*PLANE] if set(PLANE) <= set(others) else others[-2:]
    names = (*(dim for dim in others if dim not in plane), CHANNEL, *plane)
    given = opened(image.transpose(*names))
    pixels = _mixed(mix, given.pixels, given.valid, channels, dtype, name)
    valid = given.valid
    if valid is not None and valid.ndim > 2:
        valid = valid.all(axis=-3, keepdims=True).repeat(channels, axis=-3)
    coords = {key: value for key, value in image.coords.items() if key != "valid" and CHANNEL not in value.dims}
    attrs = {key: value for key, value in image.attrs.items() if key != "channel_names"}
    if channel_names is not None:
        attrs["channel_names"] = list(channel_names)
    return as_dataarray(pixels, valid, names, image, coords, attrs)


def _mixed(mix: Mix, pixels: Any, valid: Any, channels: int, dtype: np.dtype[Any], name: str) -> Any:
    if not isinstance(pixels, da.Array):
        given = checked(native(pixels), valid, "image")
        return pointwise(mix, given, dtype=dtype)
    image = as_image(pixels, valid).seen()
    chunks = (*image.chunks[:-3], (channels,), *image.chunks[-2:])
    return lazy_array(LazyImage(MixedSource(mix, image, channels, dtype, name), Chain(), chunks))
