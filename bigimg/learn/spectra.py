"""Classes of pixels by their spectra: a sample that is the same however the image is cut, k-means on it, a map.

The sample is the valid pixels whose positions have the smallest hashes, so that it depends on nothing but the image
and the seed; in its order k-means finds the centres. Each pixel then gets the class of the nearest one.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bigimg.core.operation import Pixels, Valid
from bigimg.core.reduction import Reduction
from bigimg.core.tile import Tile
from bigimg.learn.hashing import hash_positions
from bigimg.learn.kmeans import MiniBatchKMeans
from bigimg.learn.nearest import nearest
from bigimg.learn.scaler import StandardScaler

_ROWS = 64
"""Rows of a tile whose spectra are turned to float64 at once."""


@dataclass(frozen=True)
class Spectra:
    """Some pixels of an image."""

    keys: NDArray[np.uint64]
    """Hashes of their positions."""
    values: NDArray[Any]
    """(n, channels), as the image has them."""

    def smallest(self, size: int) -> Spectra:
        """Return the ``size`` of them with the smallest hashes, in the order of these."""
        order = np.argsort(self.keys)[:size]
        return Spectra(self.keys[order], self.values[order])


@dataclass(frozen=True)
class SampleSpectra(Reduction[Spectra, Spectra]):
    """``size`` valid pixels of an image, drawn by hash; of (plane, channels) images."""

    size: int
    seed: int
    name: ClassVar[str] = "spectra"

    def partial(self, tile: Tile, *images: Pixels, valid: Valid | None = None) -> Spectra:
        """Return those of one tile."""
        channels = images[1]
        shape = tile.image_shape
        positions = np.zeros((1,) * len(shape), np.int64)
        for axis, side in enumerate(tile.write):
            along = np.arange(side.start, side.stop, dtype=np.int64) * prod(shape[axis + 1 :])
            positions = positions + along.reshape((-1,) + (1,) * (len(shape) - axis - 1))
        counted = slice(None) if valid is None else np.broadcast_to(valid, images[0].shape).reshape(-1)
        keys = hash_positions(positions.reshape(-1)[counted], self.seed)
        values = channels.reshape(len(channels), -1)[:, counted]
        if len(keys) > self.size:
            chosen = np.argpartition(keys, self.size)[: self.size]
            keys, values = keys[chosen], values[:, chosen]
        return Spectra(keys, np.ascontiguousarray(values.T))

    def merge(self, first: Spectra, second: Spectra) -> Spectra:
        """Return those of both."""
        both = Spectra(np.concatenate([first.keys, second.keys]), np.concatenate([first.values, second.values]))
        return both.smallest(self.size)

    def finish(self, state: Spectra) -> Spectra:
        """Return the sample in its order."""
        return state.smallest(self.size)


@dataclass(frozen=True)
class SpectralClasses:
    """Centres of classes among standardised spectra."""

    mean: NDArray[np.float64]
    """Of each channel."""
    scale: NDArray[np.float64]
    """Deviation of each channel; 1 where it is constant."""
    centres: NDArray[np.float64]
    """(classes, channels)"""

    @classmethod
    def of(cls, sample: Spectra, n_classes: int, random_state: int) -> SpectralClasses:
        """Find them in a sample; fewer where there are fewer distinct spectra."""
        rows = sample.values.astype(np.float64)
        channels = rows.shape[1]
        if not len(rows):
            return cls(np.zeros(channels), np.ones(channels), np.zeros((1, channels)))
        scaler = StandardScaler().fit(rows)
        scaled = np.asarray(scaler.transform(rows))
        distinct = int((~pd.DataFrame(scaled).duplicated()).sum())
        model = MiniBatchKMeans(min(n_classes, distinct), random_state=random_state).fit(scaled)
        return cls(np.asarray(scaler.mean_), np.asarray(scaler.scale_), model.cluster_centers_)

    def of_pixels(self, image: Pixels) -> NDArray[np.uint8]:
        """Return the class, from 1, of each pixel of an image (..., C, M, N)."""
        result = np.empty((*image.shape[:-3], *image.shape[-2:]), np.uint8)
        for top in range(0, image.shape[-2], _ROWS):
            part = np.moveaxis(image[..., top : top + _ROWS, :], -3, -1)
            spectra = (part.reshape(-1, part.shape[-1]).astype(np.float64) - self.mean) / self.scale
            result[..., top : top + _ROWS, :] = nearest(spectra, self.centres)[0].reshape(part.shape[:-1]) + 1
        return result
