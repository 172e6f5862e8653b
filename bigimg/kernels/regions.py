"""Measurement of labelled pixels that can be merged: the same table however the image was cut.

A tile measures every label it sees. What no other tile sees is finished there and then, a row of float64 for each
object; what another tile may see too stays a *fragment*: exact sums, and the values themselves where a median is
wanted. Merging adds fragments, in integers of any size, so that the order cannot matter::

    tile A                 tile B                        merge(A, B)
    rows       1 2 4       rows       5 6                rows       1 2 4 5 6
    fragments  3           fragments  3                  fragments  3          (added)
                                                         table      1 2 3 4 5 6

Outlines are counts of small patterns, of which each belongs to one pixel of the object: a tile sees a margin around its
own. Hulls need the ends of the rows of a fragment, and filled holes a graph of what touches what
(:mod:`bigimg.kernels.region_hulls`, :mod:`bigimg.kernels.region_holes`).

Moments of a fragment are about the origin of the image. In floating point that would lose every digit far from the
origin; Python's integers lose none, and need no shifting when they are merged.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bigimg.errors import ImageError, ParameterError
from bigimg.kernels.exact_sums import as_int64, as_integers
from bigimg.kernels.region_fragments import (
    added,
    by_label,
    counted,
    joined,
    medians_and_values,
    medians_of,
    no_values,
    taken,
)
from bigimg.kernels.region_holes import HoleGraph, filled_of, merge_holes, no_holes, tile_holes
from bigimg.kernels.region_hulls import chords_of, hulls, no_chords, outermost
from bigimg.kernels.region_properties import PROPERTIES, Columns, Property, Quantities
from bigimg.kernels.region_rows import finish, shift
from bigimg.kernels.region_sums import (
    checked_intensity,
    checked_labels,
    fit_int64,
    label_runs,
    outlines,
    sum_tile,
)
from bigimg.kernels.region_table import columns

__all__ = [
    "PROPERTIES",
    "Property",
    "Regions",
    "filled_areas",
    "measure",
    "merge",
    "select",
    "table",
    "with_filled",
    "without_holes",
]

_DIGITS = {"moments", "sum", "square"}
_OF_TILE = {"narrow", "filled"}
"""What is known of labels in a tile and does not add up."""
_MARGIN = 2
"""How many pixels around a tile the patterns of outlines reach."""


@dataclass(frozen=True, eq=False)
class Regions:
    """Measured labels: finished rows, and fragments that other tiles may add to."""

    quantities: Quantities
    """What was measured."""
    rows: Columns
    """The objects no other tile has: one float64 row each, sorted by label."""
    fragments: Columns
    """Exact sums of the others, about the origin of the image, sorted by label."""
    values: Columns
    """Values of the fragments for the median: ``label``, ``channel``, ``value`` and ``count``, sorted."""
    chords: Columns
    """Ends of the rows of the fragments for their hulls: ``label``, ``plane``, ``row``, ``left``, ``right``, sorted."""
    holes: HoleGraph
    """What touches what, for the holes of the fragments."""

    @property
    def label(self) -> NDArray[np.int64]:
        """The labels measured, sorted."""
        return np.sort(np.concatenate([self.rows["label"], self.fragments["label"]]))

    @property
    def nbytes(self) -> int:
        """Size in memory, Python integers not counted."""
        parts = (self.rows, self.fragments, self.values, self.chords)
        return sum(column.nbytes for part in parts for column in part.values()) + self.holes.nbytes

    def __len__(self) -> int:
        """Return the number of labels."""
        return len(self.rows["label"]) + len(self.fragments["label"])


def measure(
    labels: NDArray[Any],
    origin: Sequence[int],
    intensity: NDArray[Any] | None = None,
    *,
    properties: Sequence[str],
    shared: NDArray[np.integer[Any]] | None = None,
    valid: NDArray[np.bool_] | None = None,
    own: tuple[slice, ...] | None = None,
    spacing: Sequence[float] | None = None,
) -> Regions:
    """Measure the labelled pixels of one tile.

    Parameters
    ----------
    labels : (M, N) or (P, M, N) integer array
        Labels, 0 where there is none; large and sparse numbers cost nothing.
    origin : sequence of int
        Image coordinates of the tile's first own pixel.
    intensity : array of ``labels.shape`` or ``(C, *labels.shape)``, optional
        Intensities, of booleans, integers, or floats of up to 64 bits; with or without a channel axis in front.
    properties : sequence of str
        What will be asked of :func:`table`, names of :data:`PROPERTIES`; nothing else is measured.
    shared : integer array, optional
        The labels that another tile may hold too: those on an inner face of the tile, if labels are connected.
        By default any may be shared: always right, but ten times slower than finishing objects here, and every value is
        kept where a median is wanted. Empty for a tile that is the whole image.
    valid : bool array of ``labels.shape``, optional
        Pixels that count; others are as if they had no label.
    own : tuple of slice, optional
        Where the tile's own pixels lie in ``labels``, by default everywhere; the others are its neighbours', of which
        outlines need two (``perimeter``) or one (``perimeter_crofton``, ``euler_number``) in all directions.
    spacing : sequence of float, optional
        Size of a pixel along each axis, in the unit lengths are wanted in. Default 1: lengths are in pixels.

    Raises
    ------
    UnknownNameError, ParameterError
        If a property is unknown, or such images do not have it.
    ImageError
        If shapes or dtypes do not fit, a labelled intensity is NaN or infinite, or the tile is too large.

    Notes
    -----
    Sums are exact for every integer and every finite float, so a mean is rounded twice and a standard deviation three
    times, after merging. The variance is a float64: standard deviations below 1e-154 come out as 0, those above
    1e154 as infinity.

    Examples
    --------
    >>> labels = np.array([[1, 1, 0], [0, 0, 7]])
    >>> regions = measure(labels, (0, 0), np.array([[1, 2, 3], [4, 5, 6]]), properties=["label", "intensity_mean"])
    >>> table(regions, ["label", "intensity_mean"])
    {'label': array([1, 7]), 'intensity_mean': array([1.5, 6. ])}
    """
    pixels = None
    box = tuple(slice(0, size) for size in labels.shape) if own is None else own
    seen = checked_labels(labels, valid)
    if intensity is not None:
        pixels = checked_intensity(intensity, labels.shape, box)
    channels = None if intensity is None or pixels is None or intensity.ndim == labels.ndim else len(pixels)
    quantities = Quantities.of(properties, labels.ndim, pixels, channels, spacing)
    inner = seen[box]
    runs = label_runs(inner)
    sums, unit = sum_tile(runs, inner.shape, pixels, quantities)
    if {"perimeter", "windows"} & set(quantities.summaries):  # the margin takes a copy of the tile
        sums |= outlines(runs, _with_margin(seen, box), _MARGIN, quantities)
    alone = np.zeros(runs.label.size, dtype=np.bool_) if shared is None else ~np.isin(runs.label, shared)
    chords, holes = no_chords(), no_holes(labels.ndim)
    if "filled" in quantities.summaries:
        filled, holes = tile_holes(runs, inner.shape, origin, alone)
        sums["filled"] = np.where(alone, filled, 0)
    rows = _rows(quantities, sums, alone, origin, unit)
    fragments = _fragments(quantities, taken(sums, ~alone), origin, unit)
    if "hull" in quantities.summaries:
        chords = chords_of(runs, inner.shape, origin)
        rows |= hulls(chords, rows["label"], quantities.spacing)
        chords = taken(chords, np.isin(chords["label"], fragments["label"]))
    values = no_values(quantities.dtype)
    if pixels is not None and "median" in quantities.statistics:
        rows["median"], values = medians_and_values(runs, sums["area"], pixels, alone)
    return Regions(quantities, rows, fragments, values, chords, holes)


def merge(first: Regions, second: Regions) -> Regions:
    """Return the regions of both; the result does not depend on the order or the grouping of merges, to the last bit.

    Raises
    ------
    ParameterError
        If they were measured with different properties, or on images of different kinds.
    ImageError
        If a label that one tile took for its own is in the other too.
    """
    if first.quantities != second.quantities:
        msg = f"cannot merge regions of different quantities: {first.quantities} and {second.quantities}"
        raise ParameterError(msg)
    rows = by_label(joined(first.rows, second.rows))
    fragments = added(joined(first.fragments, second.fragments))
    twice = rows["label"][1:][rows["label"][1:] == rows["label"][:-1]]
    both = np.concatenate([twice, np.intersect1d(rows["label"], fragments["label"])])
    if both.size:
        msg = f"label {both[0]} is in several tiles, one of which was told that it is not; name it in `shared` there"
        raise ImageError(msg)
    values = counted(joined(first.values, second.values))
    chords = outermost(joined(first.chords, second.chords))
    return Regions(first.quantities, rows, fragments, values, chords, merge_holes(first.holes, second.holes))


def select(regions: Regions, which: NDArray[np.bool_]) -> Regions:
    """Return the regions that ``which``, one bool for each of ``regions.label``, says to keep.

    Examples
    --------
    >>> regions = measure(np.array([[1, 2], [0, 5]]), (0, 0), properties=["area"])
    >>> select(regions, regions.label > 1).label
    array([2, 5])
    """
    if which.shape != (len(regions),):
        msg = f"which must have one entry for each of the {len(regions)} labels (got shape {which.shape})"
        raise ParameterError(msg)
    kept = regions.label[which]
    parts = (regions.rows, regions.fragments, regions.values, regions.chords)
    rows, fragments, values, chords = (taken(part, np.isin(part["label"], kept)) for part in parts)
    return Regions(regions.quantities, rows, fragments, values, chords, regions.holes)


def without_holes(regions: Regions) -> Regions:
    """Return the regions without what is known of holes: that of all regions, not only of some, tells filled areas."""
    return replace(regions, holes=no_holes(regions.quantities.ndim))


def filled_areas(holes: HoleGraph) -> Columns:
    """Return ``label`` and ``filled`` area of every fragment, of what is known of the holes of the whole image."""
    label = np.unique(holes.label[holes.label != 0])
    return {"label": label, "filled": filled_of(holes, label)}


def with_filled(regions: Regions, filled: Columns) -> Regions:
    """Return the regions with the filled areas of their fragments, which :func:`filled_areas` has found."""
    at = np.searchsorted(filled["label"], regions.fragments["label"])
    return replace(regions, fragments={**regions.fragments, "filled": filled["filled"][at]})


def table(regions: Regions, properties: Sequence[str]) -> Columns:
    """Return a table of ``properties``: columns named and typed as by :func:`skimage.measure.regionprops_table`.

    Parameters
    ----------
    regions : Regions
        Everything that was measured of the image.
    properties : sequence of str
        Names of :data:`PROPERTIES`, each measured.

    Returns
    -------
    dict of str to (K,) array
        One entry for each label, in the order of labels. Properties of several numbers have numbered columns:
        ``bbox-0``, ``moments_central-2-1``; ``intensity_mean-0`` where the intensities have a channel axis.

    Raises
    ------
    ParameterError
        If a property was not measured.

    Examples
    --------
    >>> regions = measure(np.array([[0, 3, 3]]), (10, 20), properties=["label", "bbox", "centroid"])
    >>> table(regions, ["centroid"])
    {'centroid-0': array([10.]), 'centroid-1': array([21.5])}
    """
    quantities = regions.quantities
    quantities.check(properties)
    fragments = regions.fragments
    finished = finish(quantities, fragments, (0,) * quantities.ndim, quantities.unit)
    if "median" in quantities.statistics:
        channels = 1 if quantities.channels is None else quantities.channels
        finished["median"] = medians_of(fragments["label"], regions.values, channels, quantities.dtype)
    if "hull" in quantities.summaries:
        finished |= hulls(regions.chords, fragments["label"], quantities.spacing)
    if "filled" in quantities.summaries and "filled" not in fragments:
        finished["filled"] = filled_of(regions.holes, fragments["label"])
    rows = by_label(joined(regions.rows, finished))
    return columns(quantities, rows, properties)


def _with_margin(labels: NDArray[Any], own: tuple[slice, ...]) -> NDArray[Any]:
    """Return the pixels of ``own`` and a margin around them, 0 beyond what there is."""
    box, missing = [], []
    for side, size in zip(own, labels.shape):
        box.append(slice(max(0, side.start - _MARGIN), side.stop + _MARGIN))
        missing.append((max(0, _MARGIN - side.start), max(0, side.stop + _MARGIN - size)))
    return np.pad(labels[tuple(box)], missing)


def _rows(quantities: Quantities, sums: Columns, alone: NDArray[np.bool_], origin: Sequence[int], unit: int) -> Columns:
    """Return the finished rows of the labels that are ``alone``: from int64 where that is enough."""
    fits = fit_int64(quantities, sums)
    narrow = _exact(taken(sums, alone & fits), as_int64, origin)
    wide = _exact(taken(sums, alone & ~fits), as_integers, origin)
    if "weighted" in sums:
        narrow |= {"weighted": narrow["weighted"].astype(np.int64), "anchor": narrow["lower"]}
        wide |= {"weighted": wide["weighted"].astype(object), "anchor": wide["lower"]}
    finished = (finish(quantities, part, origin, unit) for part in (narrow, wide))
    return by_label(joined(*finished))


def _fragments(quantities: Quantities, sums: Columns, origin: Sequence[int], unit: int) -> Columns:
    """Return what can be added to other tiles' sums: about the image's origin, in the unit of all its pixels."""
    fragments = _exact({name: sums[name] for name in sums if name not in _OF_TILE}, as_integers, origin)
    if "moments" in fragments:
        delta = np.full((len(sums["label"]), len(origin)), 0, dtype=object) + np.array(origin, dtype=object)
        fragments["moments"] = shift(fragments["moments"], quantities.powers, delta)
    if "weighted" in fragments:
        fragments["weighted"] = fragments["weighted"].astype(object)
        for channel in range(fragments["weighted"].shape[1]):
            moved = shift(
                fragments["weighted"][:, channel], quantities.weighted_powers, fragments["lower"].astype(object)
            )
            fragments["weighted"][:, channel] = moved
    for name, times in (("sum", 1), ("square", 2), ("weighted", 1)):
        if name in fragments and unit != quantities.unit:
            fragments[name] = fragments[name] << times * (unit - quantities.unit)
    return fragments


def _exact(sums: Columns, integers: Callable[[NDArray[np.int64]], NDArray[Any]], origin: Sequence[int]) -> Columns:
    """Return ``sums`` with its digits as ``integers``, and its bounds in image coordinates."""
    exact = {name: integers(column) if name in _DIGITS else column for name, column in sums.items()}
    return exact | {name: exact[name] + np.array(origin, dtype=np.int64) for name in ("lower", "upper")}
