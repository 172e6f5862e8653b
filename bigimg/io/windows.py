"""How many pixels have which grey value: from where to where a viewer shows an image.

Grey values are counted in at most 65,536 classes that keep their order: integers of up to 16 bits exactly, others as
the upper half of a float32, which is exact to 1 in 128. Counts can be added, in any order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

_CLASSES = 2**16
_DISPLAYED = (0.001, 0.999)
"""Of all pixels; the few darkest and brightest may be dust and dead pixels."""


@dataclass(frozen=True, eq=False)
class GreyCounts:
    """Counts of the grey values of each channel."""

    dtype: np.dtype[Any]
    counts: NDArray[np.int64]
    """(channels, classes)."""
    lowest: NDArray[np.float64]
    """Of each channel; infinity where it has no pixel that is a finite number."""
    highest: NDArray[np.float64]

    @classmethod
    def of(cls, pixels: NDArray[Any], dims: Sequence[str], valid: NDArray[np.bool_] | None = None) -> GreyCounts:
        """Count the pixels of a block, each channel by itself; those that are ``valid``, where that is said."""
        planes = _by_channel(pixels, dims)
        masks = None if valid is None else _by_channel(np.broadcast_to(valid, pixels.shape), dims)
        counts = np.zeros((len(planes), _CLASSES), np.int64)
        lowest, highest = np.full(len(planes), np.inf), np.full(len(planes), -np.inf)
        for channel, plane in enumerate(planes):
            values = plane.ravel() if masks is None else plane[masks[channel]]
            values = values if values.dtype.kind != "f" else values[np.isfinite(values)]
            if values.size:
                counts[channel] = np.bincount(_classes(values), minlength=_CLASSES)
                lowest[channel], highest[channel] = values.min(), values.max()
        return cls(pixels.dtype, counts, lowest, highest)

    def __add__(self, other: GreyCounts) -> GreyCounts:
        """Return the counts of both."""
        return GreyCounts(
            self.dtype,
            self.counts + other.counts,
            np.minimum(self.lowest, other.lowest),
            np.maximum(self.highest, other.highest),
        )

    def windows(self) -> list[dict[str, float]]:
        """Return for each channel from where to where it goes, and what a viewer should show of it."""
        return [self._window(channel) for channel in range(len(self.counts))]

    def _window(self, channel: int) -> dict[str, float]:
        if self.dtype == np.uint8:
            return {"min": 0.0, "max": 255.0, "start": 0.0, "end": 255.0}
        total = int(self.counts[channel].sum())
        if not total:
            return {"min": 0.0, "max": 1.0, "start": 0.0, "end": 1.0}
        low, high = float(self.lowest[channel]), float(self.highest[channel])
        # A window without width would divide by zero in a viewer.
        top = high if high > low else low + 1
        ranks = [max(1, int(np.ceil(share * total))) for share in _DISPLAYED]
        classes = np.searchsorted(np.cumsum(self.counts[channel]), ranks)
        start, end = (float(np.clip(value, low, top)) for value in _values(classes, self.dtype))
        return {"min": low, "max": top, "start": start, "end": end if end > start else top}


def _by_channel(pixels: NDArray[Any], dims: Sequence[str]) -> NDArray[Any]:
    return np.moveaxis(pixels, dims.index("c"), 0) if "c" in dims else pixels[np.newaxis]


def _classes(values: NDArray[Any]) -> NDArray[Any]:
    if values.dtype.kind in "bu" and values.dtype.itemsize <= 2:
        return values
    if values.dtype.kind == "i" and values.dtype.itemsize <= 2:
        return values.astype(np.int64) + _CLASSES // 2
    with np.errstate(over="ignore"):
        bits = values.astype(np.float32).view(np.uint32) >> np.uint32(16)
    # Floats order as their bits do, but those below zero the other way round.
    return np.where(bits < _CLASSES // 2, bits + _CLASSES // 2, _CLASSES - 1 - bits).astype(np.int64)


def _values(classes: NDArray[np.int64], dtype: np.dtype[Any]) -> NDArray[np.float64]:
    if dtype.kind in "bui" and dtype.itemsize <= 2:
        return (classes - (_CLASSES // 2 if dtype.kind == "i" else 0)).astype(np.float64)
    bits = np.where(classes >= _CLASSES // 2, classes - _CLASSES // 2, _CLASSES - 1 - classes)
    return (bits.astype(np.uint32) << np.uint32(16)).view(np.float32).astype(np.float64)
