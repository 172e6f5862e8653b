"""The pixels of labelled objects as runs that can be joined: what a measurement of whole objects is made from.

A tile gives the runs of its labels. Those of an object that lies in one tile are measured there; those of an object
that others hold too travel with their values, and are put together in the order of the image's rows. An object is then
the same list of pixels however it was cut, and what is computed of it has the same bits::

    tile A      tile B
    . 7 7 7     7 7 . .        label 7: runs (row 0, 1..3), (row 1, 2..3) of A
    . . 7 7     7 . . .                 and (row 0, 4..5), (row 1, 4..4) of B, sorted by place
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bigimg.errors import ImageError
from bigimg.kernels.label_runs import LabelRuns

Index = NDArray[np.int64]
Columns = dict[str, NDArray[Any]]
"""Arrays of one length: one entry for each object."""

BATCH = 1 << 22
"""How many pixels of travelled objects are laid out at once; a larger object is a batch of its own."""


@dataclass(frozen=True, eq=False)
class ObjectRuns:
    """Runs of labelled pixels, in any order."""

    label: Index
    """Label of each run."""
    first: Index
    """Place of its first pixel among all pixels of the image, row by row."""
    size: NDArray[np.int32]
    """How many pixels it has; 0 for a label that is there without any pixel that counts."""
    values: NDArray[Any]
    """Values of the pixels, run after run, of shape (channels, pixels)."""
    image_shape: tuple[int, ...]
    """Shape of the whole image."""

    @property
    def nbytes(self) -> int:
        """Size in memory."""
        return self.label.nbytes + self.first.nbytes + self.size.nbytes + self.values.nbytes

    def where(self, which: NDArray[np.bool_]) -> ObjectRuns:
        """Return the runs that ``which`` names."""
        if which.all():
            return self
        pixels = np.repeat(which, self.size)
        return replace(
            self,
            label=self.label[which],
            first=self.first[which],
            size=self.size[which],
            values=self.values[:, pixels],
        )


@dataclass(frozen=True, eq=False)
class ObjectPixels:
    """The pixels of whole objects, sorted by label and within each by place."""

    label: Index
    """The labels, sorted; each once."""
    offset: Index
    """Object ``k`` has the pixels ``offset[k]`` to ``offset[k + 1]``."""
    place: NDArray[np.int64]
    """Plane, row and column of each pixel in the image, of shape (3, pixels); the plane is 0 in two dimensions."""
    values: NDArray[Any]
    """Their values, of shape (channels, pixels)."""
    image_shape: tuple[int, int, int]
    """Planes, rows and columns of the image."""


def checked_labels(labels: NDArray[Any], valid: NDArray[np.bool_] | None) -> NDArray[Any]:
    """Return labels as int64 or unsigned integers, 0 where they are not valid; refuse what are no labels."""
    if labels.dtype.kind not in "ui" or labels.ndim not in {2, 3}:
        msg = f"labels must be integers of shape (M, N) or (P, M, N) (got {labels.dtype} of shape {labels.shape})"
        raise ImageError(msg)
    if valid is not None:
        labels = np.where(valid, labels, np.zeros((), labels.dtype))
    dtype = np.int64 if labels.dtype.kind == "i" else np.uint32 if labels.dtype.itemsize <= 4 else np.uint64
    labels = np.ascontiguousarray(labels, dtype)
    if labels.size and (labels.min() < 0 or labels.max() > np.iinfo(np.int64).max):
        wrong = int(labels.min() if labels.min() < 0 else labels.max())
        raise ImageError(f"labels must be 1 to 2**63 - 1, with 0 for background (got {wrong})")
    return labels


def checked_values(intensity: NDArray[Any] | None, shape: tuple[int, ...]) -> NDArray[Any]:
    """Return intensities as (channels, pixels); refuse those of another shape than the labels'."""
    if intensity is None:
        return np.zeros((0, prod(shape)), np.uint8)
    leading = intensity.ndim - len(shape)
    if leading not in {0, 1} or intensity.shape[leading:] != shape:
        msg = f"intensities must have the shape of labels, {shape}, or that behind channels (got {intensity.shape})"
        raise ImageError(msg)
    return intensity.reshape(intensity.shape[0] if leading else 1, -1)


def runs_of(
    labels: NDArray[Any], origin: Sequence[int], image_shape: Sequence[int], values: NDArray[Any] | None = None
) -> ObjectRuns:
    """Return the runs of a tile.

    Parameters
    ----------
    labels : (M, N) or (P, M, N) array
        As :func:`checked_labels` returns them.
    origin : sequence of int
        Image coordinates of the tile's first pixel.
    image_shape : sequence of int
        Shape of the whole image.
    values : (C, pixels) array, optional
        Values of all pixels of the tile, row by row.

    Examples
    --------
    >>> runs = runs_of(np.array([[0, 5, 5], [5, 0, 2]]), (0, 10), (2, 20))
    >>> runs.label, runs.first, runs.size
    (array([5, 5, 2]), array([11, 30, 32]), array([2, 1, 1], dtype=int32))
    """
    runs = LabelRuns.of(labels.reshape(-1, labels.shape[-1]))
    row = np.repeat(np.arange(len(runs.row_start) - 1), np.diff(runs.row_start))
    lead = np.unravel_index(row, labels.shape[:-1])
    steps = [prod(image_shape[axis + 1 :]) for axis in range(len(image_shape))]
    first = runs.start.astype(np.int64) + origin[-1]
    for along, start, step in zip(lead, origin, steps):
        first += (along + start) * step
    size = (runs.stop - runs.start).astype(np.int32)
    kept = np.zeros((0, int(size.sum())), np.uint8) if values is None else values[:, (labels != 0).ravel()]
    return ObjectRuns(runs.label[runs.item], first, size, kept, tuple(image_shape))


def joined(parts: Sequence[ObjectRuns]) -> ObjectRuns:
    """Return the runs of all ``parts``, of which there is at least one."""
    return replace(
        parts[0],
        label=np.concatenate([part.label for part in parts]),
        first=np.concatenate([part.first for part in parts]),
        size=np.concatenate([part.size for part in parts]),
        values=np.concatenate([part.values for part in parts], axis=1),
    )


def whole_objects(runs: ObjectRuns) -> ObjectPixels:
    """Return the pixels of the objects that ``runs`` make up: the same for every order and cutting of the runs.

    Examples
    --------
    >>> runs = runs_of(np.array([[0, 5, 5], [5, 0, 2]]), (0, 10), (2, 20))
    >>> pixels = whole_objects(runs)
    >>> pixels.label, pixels.offset, pixels.place[1:]
    (array([2, 5]), array([0, 1, 4]), array([[ 1,  0,  0,  1],
           [12, 11, 12, 10]]))
    """
    order = np.lexsort((runs.first, runs.label))
    label, first, size = runs.label[order], runs.first[order], runs.size[order].astype(np.int64)
    ends = np.cumsum(size)
    within = np.arange(int(size.sum())) - np.repeat(ends - size, size)
    flat = np.repeat(first, size) + within
    starts = np.cumsum(runs.size, dtype=np.int64) - runs.size
    source = np.repeat(starts[order], size) + within
    new = np.ones(len(label), np.bool_)
    new[1:] = label[1:] != label[:-1]
    begins = np.flatnonzero(new)
    offset = np.append((ends - size)[begins], ends[-1] if len(ends) else 0)
    planes = runs.image_shape[0] if len(runs.image_shape) == 3 else 1
    rows, columns = runs.image_shape[-2:]
    place = np.stack([flat // (rows * columns), flat // columns % rows, flat % columns])
    return ObjectPixels(label[begins], offset, place, runs.values[:, source], (planes, rows, columns))


def batches(runs: ObjectRuns) -> list[ObjectRuns]:
    """Return ``runs`` in groups of whole objects of some millions of pixels, sorted by label."""
    order = np.argsort(runs.label, kind="stable")
    label = runs.label[order]
    ends = np.flatnonzero(np.append(label[1:] != label[:-1], True)) + 1 if len(label) else np.zeros(0, np.int64)
    behind = np.cumsum(runs.size[order], dtype=np.int64)[ends - 1]
    group = behind // BATCH
    cuts = [0, *(ends[:-1][group[1:] != group[:-1]]).tolist(), len(label)]
    if len(cuts) == 2:
        return [runs]
    number = np.empty(len(label), np.int64)
    number[order] = np.repeat(np.arange(len(cuts) - 1), np.diff(cuts))
    return [runs.where(number == each) for each, _ in enumerate(pairwise(cuts))]
