"""Two label images of the same pixels: which labels lie on which, and how much of each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from bigimg.core.operation import Pixels, Valid
from bigimg.core.parameters import ImageInput
from bigimg.core.reduction import Reduction
from bigimg.core.tile import Tile
from bigimg.engine.faces import composed
from bigimg.engine.kinds import opened, reduce
from bigimg.errors import ImageError
from bigimg.kernels.contingency import Pairs, count_pairs
from bigimg.kernels.matching import Overlaps, marginal

Table = Callable[[Pairs], pd.DataFrame]


@dataclass(frozen=True)
class CountPairs(Reduction[Pairs, pd.DataFrame]):
    """Count the pairs of labels that pixels have, and make a table of the counts."""

    table: Table
    """A function of a module, or a ``functools.partial`` of one, so that tasks can carry it."""
    name: ClassVar[str] = "overlaps"

    def partial(self, tile: Tile, *images: Pixels, valid: Valid | None = None) -> Pairs:  # noqa: ARG002
        """Count the pairs of one tile."""
        return count_pairs(images[0], images[1], valid)

    def merge(self, first: Pairs, second: Pairs) -> Pairs:
        """Add the counts of both."""
        return Pairs.of(
            np.concatenate([first.first, second.first]),
            np.concatenate([first.second, second.second]),
            np.concatenate([first.pixels, second.pixels]),
        )

    def finish(self, state: Pairs) -> pd.DataFrame:
        """Return the table."""
        return self.table(state)


def overlapping(labels: Any, other: Any, what: str, table: Table) -> Any:
    """Return ``table`` of the pairs of labels that the pixels of two images have; ``what`` names the second.

    Raises
    ------
    ImageError
        If an image is not of integers, or they have not one shape.
    """
    first, second = opened(labels), opened(other)
    for name, each in (("labels", first), (what, second)):
        if each.pixels.dtype.kind not in "iu":
            raise ImageError(
                f"{name} must be integers (got {each.pixels.dtype}); number the objects first, with measure.label"
            )
    if first.pixels.shape != second.pixels.shape:
        raise ImageError(
            f"{what} must have the shape of the labels, {first.pixels.shape} (got {second.pixels.shape}): objects are "
            "compared pixel by pixel"
        )
    return reduce(CountPairs(table), labels, other)


@composed(takes="labels", gives="table")
def contingency_table(labels: Any, reference: ImageInput) -> Any:
    """Count the pixels of each pair of labels in two label images.

    Parameters
    ----------
    labels : (..., M, N) array of integers
        0 is the background.
    reference : (..., M, N) array of integers
        Labels of the same pixels, such as those drawn by hand.

    Returns
    -------
    pandas.DataFrame
        ``label``, ``reference_label`` and ``pixels``: one row for each pair that occurs, the background a label like
        any, sorted. Pixels that are not valid in one of the images do not count. Lazy, with ``.compute()``, where an
        image is lazy.

    Notes
    -----
    The entries of ``skimage.metrics.contingency_table(reference, labels)`` other than 0, all axes of the images
    together.

    Examples
    --------
    >>> import numpy as np
    >>> contingency_table(np.array([[1, 1, 0]]), reference=np.array([[7, 0, 0]]))
       label  reference_label  pixels
    0      0                0       1
    1      1                0       1
    2      1                7       1
    """
    return overlapping(labels, reference, "the reference", _counts)


def _counts(pairs: Pairs) -> pd.DataFrame:
    return pd.DataFrame({"label": pairs.first, "reference_label": pairs.second, "pixels": pairs.pixels})


@composed(takes="labels", gives="table")
def overlap_table(labels: Any, reference: ImageInput) -> Any:
    """Measure how much the objects of two label images overlap.

    Parameters
    ----------
    labels : (..., M, N) array of integers
        0 is the background.
    reference : (..., M, N) array of integers
        Labels of the same pixels.

    Returns
    -------
    pandas.DataFrame
        One row for each pair of objects that share pixels, sorted by ``label``, then ``reference_label``: ``pixels``
        of both, ``area`` and ``reference_area``, ``iou`` (intersection over union), ``fraction`` of the object and
        ``reference_fraction`` of the reference that lie in the other. Lazy where an image is lazy.

    Notes
    -----
    Areas are of the valid pixels, as everything else is. An object that lies on the background only has no row.

    Examples
    --------
    >>> import numpy as np
    >>> table = overlap_table(np.array([[1, 1, 1, 0]]), reference=np.array([[0, 7, 7, 7]]))
    >>> table[["label", "reference_label", "pixels", "iou", "fraction"]].round(3)
       label  reference_label  pixels  iou  fraction
    0      1                7       2  0.5     0.667
    """
    return overlapping(labels, reference, "the reference", _overlaps)


def _overlaps(pairs: Pairs) -> pd.DataFrame:
    found = Overlaps.of(pairs)
    return pd.DataFrame(
        {
            "label": found.first,
            "reference_label": found.second,
            "pixels": found.pixels,
            "area": found.area,
            "reference_area": found.other_area,
            "iou": found.iou,
            "fraction": found.pixels / found.area,
            "reference_fraction": found.pixels / found.other_area,
        }
    )


@composed(takes="labels", gives="table")
def relate_objects(labels: Any, parents: ImageInput) -> Any:
    """Find the parent of each object: the larger object that it lies in, as the cell of a nucleus.

    Parameters
    ----------
    labels : (..., M, N) array of integers
        The children; 0 is the background.
    parents : (..., M, N) array of integers
        Labels of the same pixels.

    Returns
    -------
    pandas.DataFrame
        One row for each object: ``label``, its ``parent`` (0 where it lies on the background only), the ``pixels`` it
        shares with it, and the ``fraction`` of the object that these are. Lazy where an image is lazy.

    Notes
    -----
    The parent is the one that most pixels of the object lie in; of several with as many, the one with the smallest
    label. Pixels on the background of the parents do not count against a parent, as in CellProfiler.

    References
    ----------
    CellProfiler, RelateObjects.

    Examples
    --------
    >>> import numpy as np
    >>> relate_objects(np.array([[1, 1, 1, 0, 2]]), parents=np.array([[5, 8, 8, 8, 0]]))
       label  parent  pixels  fraction
    0      1       8       2  0.666667
    1      2       0       0  0.000000
    """
    return overlapping(labels, parents, "the parents", _parents)


def _parents(pairs: Pairs) -> pd.DataFrame:
    label, area = marginal(pairs.first, pairs.pixels)
    inside = pairs.second > 0
    order = np.lexsort((pairs.second, -(pairs.pixels * inside), ~inside, pairs.first))  # the parent of each comes first
    best = order[np.searchsorted(pairs.first[order], label)]
    shared = np.where(inside[best], pairs.pixels[best], 0)
    table = pd.DataFrame({"label": label, "parent": pairs.second[best], "pixels": shared, "fraction": shared / area})
    return table[table["label"] > 0].reset_index(drop=True)


@composed(takes="labels", gives="table")
def count_children(labels: Any, parents: ImageInput) -> Any:
    """Count the children of each object: the smaller objects that lie in it, as the spots of a cell.

    Parameters
    ----------
    labels : (..., M, N) array of integers
        The children; 0 is the background.
    parents : (..., M, N) array of integers
        Labels of the same pixels.

    Returns
    -------
    pandas.DataFrame
        One row for each parent: its ``label`` and ``children``, 0 where it has none. Lazy where an image is lazy.

    Notes
    -----
    A child counts for the parent that :func:`relate_objects` finds, and for no other.

    References
    ----------
    CellProfiler, RelateObjects.

    Examples
    --------
    >>> import numpy as np
    >>> count_children(np.array([[1, 0, 2, 3, 0]]), parents=np.array([[5, 5, 5, 8, 9]]))
       label  children
    0      5         2
    1      8         1
    2      9         0
    """
    return overlapping(labels, parents, "the parents", _children)


def _children(pairs: Pairs) -> pd.DataFrame:
    label, _ = marginal(pairs.second, pairs.pixels)
    label = label[label > 0]
    parent = np.sort(_parents(pairs)["parent"].to_numpy())
    counts = np.searchsorted(parent, label, "right") - np.searchsorted(parent, label, "left")
    return pd.DataFrame({"label": label, "children": counts})
