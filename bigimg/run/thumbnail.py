"""Small pictures of large images, as reductions: each tile gives the part it holds, and nothing large travels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from bigimg.core.operation import Pixels, Valid
from bigimg.core.reduction import Reduction
from bigimg.core.tile import Tile

Patch = tuple[tuple[int, int], NDArray[Any]]
"""Row and column of a small picture where a part of it goes, and the part."""


@dataclass(frozen=True)
class Shrink(Reduction[tuple[Patch, ...], NDArray[np.float64]]):
    """The mean of every ``factor`` x ``factor`` pixels; the last row and column are means of what is left."""

    factor: int
    plane: tuple[int, int]
    """Rows and columns of the image."""
    name: ClassVar[str] = "thumbnail"

    def partial(self, tile: Tile, *images: Pixels, valid: Valid | None = None) -> tuple[Patch, ...]:
        """Return, for each cell, the sum of a tile's pixels and how many they are: of those that count."""
        counted = np.ones(images[0].shape, bool) if valid is None else np.broadcast_to(valid, images[0].shape)
        sums = np.stack([np.where(counted, images[0], 0), counted]).astype(np.float64)
        for axis in (-2, -1):
            starts = _cell_starts(tile.write[axis], self.factor) - tile.write[axis].start
            sums = np.add.reduceat(sums, starts, axis=axis)
        rows, columns = tile.write[-2:]
        return (((rows.start // self.factor, columns.start // self.factor), sums),)

    def merge(self, first: tuple[Patch, ...], second: tuple[Patch, ...]) -> tuple[Patch, ...]:
        """Return the parts of both."""
        return first + second

    def finish(self, state: tuple[Patch, ...]) -> NDArray[np.float64]:
        """Put the parts together."""
        small = tuple(-(-size // self.factor) for size in self.plane)
        total = np.zeros((*state[0][1].shape[:-2], *small))
        for (row, column), sums in sorted(state, key=lambda patch: patch[0]):
            total[..., row : row + sums.shape[-2], column : column + sums.shape[-1]] += sums
        with np.errstate(invalid="ignore"):
            return np.asarray(total[0] / total[1])  # NaN where nothing counts: black, and no part of the contrast


@dataclass(frozen=True)
class Sample(Reduction[tuple[Patch, ...], NDArray[Any]]):
    """Every ``factor``-th pixel along rows and columns: a small picture of labels, which have no mean."""

    factor: int
    plane: tuple[int, int]
    name: ClassVar[str] = "sample"

    def partial(self, tile: Tile, *images: Pixels, valid: Valid | None = None) -> tuple[Patch, ...]:  # noqa: ARG002
        """Return the pixels of a tile that are in the sample."""
        firsts = [-(-side.start // self.factor) for side in tile.write[-2:]]
        offsets = [first * self.factor - side.start for first, side in zip(firsts, tile.write[-2:])]
        taken = images[0][..., offsets[0] :: self.factor, offsets[1] :: self.factor]
        return (((firsts[0], firsts[1]), np.ascontiguousarray(taken)),)

    def merge(self, first: tuple[Patch, ...], second: tuple[Patch, ...]) -> tuple[Patch, ...]:
        """Return the parts of both."""
        return first + second

    def finish(self, state: tuple[Patch, ...]) -> NDArray[Any]:
        """Put the parts together."""
        small = tuple(-(-size // self.factor) for size in self.plane)
        whole = np.zeros((*state[0][1].shape[:-2], *small), state[0][1].dtype)
        for (row, column), part in state:
            whole[..., row : row + part.shape[-2], column : column + part.shape[-1]] = part
        return whole


def shrink_factor(plane: tuple[int, int], largest: int) -> int:
    """Return by how much to shrink so that neither side is longer than ``largest``."""
    return max(1, -(-max(plane) // largest))


def _cell_starts(side: slice, factor: int) -> NDArray[np.int64]:
    inner = np.arange(-(-side.start // factor) * factor, side.stop, factor)
    return inner if inner.size and inner[0] == side.start else np.concatenate([[side.start], inner]).astype(np.int64)
