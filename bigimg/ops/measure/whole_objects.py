"""Measuring objects whole, wherever the tiles cut them.

What an object's own pixels decide, and no sum over tiles could - its distance to its edge, its centre, its hull - is
computed from all of its pixels at once. Objects that lie in one tile are measured in its task; of the others the pixels
travel, as runs with their values, and are measured when all have come together.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bigimg.core.operation import Pixels, Valid
from bigimg.core.reduction import Reduction
from bigimg.core.tile import Tile
from bigimg.engine.gather import gathered
from bigimg.engine.kinds import opened, reduce
from bigimg.errors import ImageError
from bigimg.kernels.object_pixels import (
    Columns,
    ObjectPixels,
    ObjectRuns,
    batches,
    checked_labels,
    checked_values,
    joined,
    runs_of,
    whole_objects,
)
from bigimg.ops.objects import Objects

Measure = Callable[[ObjectPixels], Columns]
"""Measures whole objects: ``label`` and further columns, one entry each."""

LabelSets = tuple[NDArray[np.int64], NDArray[np.int64]]


@dataclass(frozen=True)
class SharedLabels(Reduction[LabelSets, NDArray[np.int64]]):
    """Find the labels that lie in more than one tile: a label need not be connected, so any may."""

    name: ClassVar[str] = "shared"

    def partial(self, tile: Tile, *images: Pixels, valid: Valid | None = None) -> LabelSets:  # noqa: ARG002 - anywhere
        """Return the labels of one tile, none of them shared yet."""
        return distinct(checked_labels(images[0], valid)), np.zeros(0, np.int64)

    def merge(self, first: LabelSets, second: LabelSets) -> LabelSets:
        """Return the labels of both, and those that are shared."""
        both = np.intersect1d(first[0], second[0], assume_unique=True)
        return np.union1d(first[0], second[0]), np.union1d(np.union1d(first[1], second[1]), both)

    def finish(self, state: LabelSets) -> NDArray[np.int64]:
        """Return the shared labels, sorted."""
        return state[1]


@dataclass(frozen=True, eq=False)
class Measured:
    """Objects that are measured, and the pixels of those that wait for other tiles."""

    table: Columns
    waiting: ObjectRuns


@dataclass(frozen=True)
class WholeObjects(Reduction[Measured, pd.DataFrame]):
    """Measure whole objects; see the module."""

    measure: Measure
    channels: int | None
    """How many columns each measure of intensities has; None for one without a number."""
    shared: Any
    """The labels that lie in several tiles; None where those on the faces of a tile are known to be all."""
    name: ClassVar[str] = "objects"

    def partial(self, tile: Tile, *images: Pixels, valid: Valid | None = None) -> Measured:
        """Measure the objects that lie in this tile only."""
        labels = checked_labels(images[0], valid)
        values = checked_values(images[1] if len(images) > 1 else None, labels.shape)
        runs = self.runs(tile, labels, values)
        travels = np.isin(runs.label, labels_on_faces(labels[tile.crop], tile) if self.shared is None else self.shared)
        return Measured(self.measure(whole_objects(runs.where(~travels))), runs.where(travels))

    def runs(self, tile: Tile, labels: Pixels, values: Pixels) -> ObjectRuns:
        """Return the pixels that are measured; ``labels`` and ``values`` are those that the tile reads."""
        return runs_of(labels, tile.origin, tile.image_shape, values)

    def merge(self, first: Measured, second: Measured) -> Measured:
        """Return what both have."""
        return Measured(together([first.table, second.table]), joined([first.waiting, second.waiting]))

    def finish(self, state: Measured) -> pd.DataFrame:
        """Measure the objects of several tiles, and return one row an object, sorted by label."""
        late = [self.measure(whole_objects(part)) for part in batches(state.waiting)]
        return numbered(together([state.table, *late]), self.channels)


def together(tables: list[Columns]) -> Columns:
    """Return the entries of all tables."""
    return {name: np.concatenate([table[name] for table in tables]) for name in tables[0]}


def numbered(columns: Columns, channels: int | None) -> pd.DataFrame:
    """Return columns as a table sorted by label; those of shape (objects, channels) as one column a channel."""
    order = np.argsort(columns["label"], kind="stable")
    table: Columns = {}
    for name, values in columns.items():
        if values.ndim == 1:
            table[name] = values[order]
        elif channels is None:
            table[name] = values[order, 0]
        else:
            table |= {f"{name}-{channel}": values[order, channel] for channel in range(channels)}
    return pd.DataFrame(table)


def measure_whole(measure: Measure, labels: Any, intensity_image: Any, ndim: int) -> Any:
    """Return the table of ``measure`` for each object, lazily where labels or intensities are lazy."""
    channels = check_images(labels, intensity_image, ndim)
    images = [labels] if intensity_image is None else [labels, intensity_image]
    return reduce(WholeObjects(measure, channels, shared_labels(ndim, *images)), *images, ndim=ndim)


def check_images(labels: Any, intensity_image: Any, ndim: int) -> int | None:
    """Refuse what are no labels, or no intensities for them; return how many channels there are, None without axis."""
    given = opened(labels, ndim).pixels
    if given.dtype.kind not in "iu":
        raise ImageError(f"labels are integers (got {given.dtype}); number the objects first, with measure.label")
    if given.ndim != ndim:
        dims = "yx" if ndim == 2 else "zyx"
        raise ImageError(f"dims={dims!r} measures labels of {ndim} axes (got shape {given.shape})")
    if intensity_image is None:
        return None
    shape = opened(intensity_image, ndim).pixels.shape
    if shape[-ndim:] != given.shape or len(shape) > ndim + 1:
        raise ImageError(
            f"intensities have the shape of labels, {given.shape}, or that behind channels (got {shape}); measure "
            "each image with labels of its own"
        )
    return int(shape[0]) if len(shape) > ndim else None


def shared_labels(ndim: int, labels: Any, *others: Any) -> Any:
    """Return which labels lie in several tiles, lazily; None where the faces of each tile tell."""
    given, *further = [opened(image, ndim) for image in (labels, *others)]
    if not given.lazy and not any(each.lazy for each in further):
        return None  # one tile
    # What measure.label has numbered is connected, and touches a face where it goes on; unless a mask has cut it since.
    before = gathered(given.pixels) if given.lazy and given.valid is None else None
    if isinstance(before, Objects) and before.output == "labels":
        return None
    # Labels in memory are cut as the image that they are measured in.
    return reduce(SharedLabels(), labels, *(() if given.lazy else others), ndim=ndim)


def labels_on_faces(labels: Pixels, tile: Tile) -> NDArray[np.int64]:
    """Return the labels of a tile's own pixels on faces beyond which the image goes on."""
    lines = [
        np.take(labels, -side, axis=axis).ravel()
        for axis in range(labels.ndim)
        for side in (0, 1)
        if not tile.at_border(axis)[side]
    ]
    return distinct(np.concatenate(lines)) if lines else np.zeros(0, np.int64)


def distinct(labels: Pixels) -> NDArray[np.int64]:
    """Return the labels that occur, sorted, without the background."""
    found = np.unique(labels).astype(np.int64)
    return found[found != 0]
