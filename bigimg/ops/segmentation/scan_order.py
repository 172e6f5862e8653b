"""Labels numbered anew, in the order in which a scan of the whole image meets them.

A tile sends the first pixel of each label it holds; the tiles' first pixels together say which label comes first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from bigimg.core.operation import Pixels, Valid
from bigimg.core.reduction import Gather
from bigimg.core.tile import Tile

Index = tuple[int, ...]
Found = tuple[NDArray[Any], NDArray[np.int64]]
"""Labels of a tile, sorted, and the first pixel of each in the raster of the whole image."""


@dataclass(frozen=True)
class NumberInScanOrder(Gather[tuple[NDArray[Any], Pixels], Mapping[Index, Found], Mapping[Index, NDArray[Any]]]):
    """Number labels from 1 in the order of their first pixels; 0 stays 0."""

    label: np.dtype[Any]
    """Of the labels."""
    name: ClassVar[str] = "scan_order"

    @property
    def keeps(self) -> int:
        """Bytes of the labels."""
        return self.label.itemsize

    def dtype(self) -> np.dtype[Any]:
        """Return the dtype of the labels."""
        return self.label

    def split(
        self,
        tile: Tile,
        *images: Pixels,
        valid: Valid | None = None,  # noqa: ARG002 - the labels know it
    ) -> tuple[tuple[NDArray[Any], Pixels], Mapping[Index, Found]]:
        """Find the labels of the tile and where they begin."""
        (labels,) = images
        flat = labels.ravel()
        # A label begins where a run of it does; there are far fewer of those than pixels.
        starts = np.flatnonzero(np.diff(flat, prepend=flat[:1] ^ flat.dtype.type(1)))
        found, first = np.unique(flat[starts], return_index=True)
        places = np.array(np.unravel_index(starts[first], labels.shape), np.int64)
        places += np.array(tile.origin, np.int64)[:, None]
        pixels = np.asarray(np.ravel_multi_index(tuple(places), tile.image_shape), np.int64)
        marked = found > 0
        return (found, labels), {tile.index: (found[marked], pixels[marked])}

    def solve(self, state: Mapping[Index, Found]) -> Mapping[Index, NDArray[Any]]:
        """Return the new number of each tile's labels."""
        found = np.concatenate([labels for labels, _ in state.values()])
        first = np.concatenate([pixels for _, pixels in state.values()])
        own, which = np.unique(found, return_inverse=True)
        earliest = np.full(own.size, np.iinfo(np.int64).max)
        np.minimum.at(earliest, which, first)
        number = np.empty(own.size, self.label)
        number[np.argsort(earliest)] = np.arange(1, own.size + 1, dtype=self.label)
        sizes = [labels.size for labels, _ in state.values()]
        return dict(zip(state, np.split(number[which], np.cumsum(sizes)[:-1])))

    def finish(self, tile: Tile, kept: tuple[NDArray[Any], Pixels], value: Mapping[Index, NDArray[Any]]) -> Pixels:
        """Paint the new numbers."""
        found, labels = kept
        numbers = np.zeros(found.size, self.label)
        numbers[found > 0] = value[tile.index]
        return np.asarray(numbers[np.searchsorted(found, labels)])
