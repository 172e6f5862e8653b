"""What objects must pass to stay: judged whole, after their parts in all tiles have been joined."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bigimg.kernels.components import Components


@dataclass(frozen=True)
class BySize:
    """Keeps objects of ``smallest`` to ``largest`` pixels."""

    smallest: int = 0
    largest: int | None = None

    def __call__(self, found: Components, keep: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Return which of the objects kept so far stay."""
        keep = keep & (found.sizes >= self.smallest)
        return keep if self.largest is None else keep & (found.sizes <= self.largest)


@dataclass(frozen=True)
class ByBorder:
    """Keeps the objects that touch the border of the image, or those that do not."""

    touches: bool

    def __call__(self, found: Components, keep: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Return which of the objects kept so far stay."""
        return keep & (found.at_border == self.touches)


@dataclass(frozen=True)
class Largest:
    """Keeps the ``number`` largest objects; of those of one size the ones that come first in raster order."""

    number: int

    def __call__(self, found: Components, keep: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Return which of the objects kept so far stay."""
        kept = np.flatnonzero(keep)
        order = np.lexsort((found.first[kept], -found.sizes[kept]))
        chosen = np.zeros_like(keep)
        chosen[kept[order[: self.number]]] = True
        return chosen


@dataclass(frozen=True)
class Seeded:
    """Keeps the objects that hold a seed: a pixel brighter than the upper threshold."""

    def __call__(self, found: Components, keep: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Return which of the objects kept so far stay."""
        return keep & found.seeded


Filter = BySize | ByBorder | Largest | Seeded
