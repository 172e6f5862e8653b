"""The table of measured objects in partitions: a range of labels each, and no task that holds them all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import partial
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from dask.delayed import Delayed
from numpy.typing import NDArray

from bigimg.core.reduction import Partitioned
from bigimg.engine.lazy import lazy_array
from bigimg.engine.partitions import partitions_of, store_partitions
from bigimg.engine.reduce import ReduceLayer, reduce_arrays
from bigimg.errors import ParameterError
from bigimg.io.publish import building
from bigimg.io.tables import write_table
from bigimg.kernels import regions
from bigimg.kernels.region_holes import HoleGraph, merge_holes
from bigimg.kernels.region_properties import Columns
from bigimg.kernels.regions import Regions
from bigimg.ops.measure.region_tables import MeasureRegions, Place
from bigimg.ops.statistics import Extrema

PIXELS = 2**24
"""Pixels for each partition of an image: some 10^5 nuclei, and never more objects than that."""

Found = Mapping[Place, Regions]


@dataclass(frozen=True)
class Parting:
    """Which partition an object belongs to: planes share one, or labels of a plane are parted into ranges."""

    planes: tuple[int, ...]
    """The shape of the stack; empty for one plane or volume."""
    together: int
    """How many planes share a partition; 1 where a plane has several."""
    ranges: int
    """How many partitions a plane has."""

    @classmethod
    def of(cls, shape: tuple[int, ...], ndim: int, count: int | None) -> Parting:
        """Return the parting of an image: it depends on the shape alone, and not on the tiles."""
        planes, pixels = shape[: len(shape) - ndim], prod(shape[len(shape) - ndim :])
        number = prod(planes)
        if count is None:
            return cls(planes, max(1, PIXELS // pixels), -(-pixels // PIXELS))
        return cls(planes, -(-number // count), -(-count // number))

    @property
    def count(self) -> int:
        """How many partitions there are."""
        return -(-prod(self.planes) // self.together) * self.ranges

    def ranges_of(self, at: Place, numbers: range) -> range:
        """Return which ranges of labels of one plane belong to the partitions ``numbers``."""
        plane = int(np.ravel_multi_index(at, self.planes)) if at else 0
        first = plane // self.together * self.ranges
        return range(max(0, numbers.start - first), min(self.ranges, numbers.stop - first))


@dataclass(frozen=True)
class PartRegions(MeasureRegions, Partitioned[Found, pd.DataFrame]):
    """Measure labelled objects, with their table in partitions; see :func:`table_partitions`."""

    parting: Parting
    extrema: Any
    """The smallest and the largest label of the image, which are not known before it is read; None for no pixel."""

    @property
    def partitions(self) -> int:
        """How many there are."""
        return self.parting.count

    @property
    def asks_all(self) -> bool:
        """Whether filled areas are wanted: what lies in an object may be objects of any partition."""
        return "area_filled" in self.properties and self.partitions > 1

    def take(self, state: Found, numbers: range) -> Found:
        """Return the objects of some partitions."""
        found = {}
        for at, part in state.items():
            ranges = self.parting.ranges_of(at, numbers)
            if ranges:
                found[at] = regions.select(regions.without_holes(part), self._within(part.label, ranges))
        return found

    def _within(self, label: NDArray[np.int64], ranges: range) -> NDArray[np.bool_]:
        if self.parting.ranges == 1:
            return np.ones(len(label), np.bool_)
        largest = 0 if self.extrema is None else int(self.extrema[1])
        number = (label - 1) // max(1, -(-largest // self.parting.ranges))
        return (number >= ranges.start) & (number < ranges.stop)

    def send(self, state: Found) -> dict[Place, HoleGraph]:
        """Return what touches what at the faces of the tiles."""
        return {at: part.holes for at, part in state.items()}

    def meet(self, first: dict[Place, HoleGraph], second: dict[Place, HoleGraph]) -> dict[Place, HoleGraph]:
        """Return what both know."""
        both = {at: merge_holes(first[at], second[at]) for at in first.keys() & second.keys()}
        return {**first, **second, **both}

    def solve(self, sent: dict[Place, HoleGraph]) -> dict[Place, Columns]:
        """Return the filled area of every object that lies in several tiles."""
        return {at: regions.filled_areas(graph) for at, graph in sent.items()}

    def take_known(self, known: dict[Place, Columns], numbers: range) -> dict[Place, Columns]:
        """Return the filled areas of the objects of some partitions."""
        found = {}
        for at, filled in known.items():
            ranges = self.parting.ranges_of(at, numbers)
            if ranges:
                within = self._within(filled["label"], ranges)
                found[at] = {name: column[within] for name, column in filled.items()}
        return found

    def finish_partition(self, state: Found, number: int, known: Any) -> pd.DataFrame:  # noqa: ARG002 - it says itself
        """Return the rows of one partition."""
        if known is not None:
            state = {at: regions.with_filled(part, known[at]) for at, part in state.items()}
        return self.finish(state)


def table_partitions(table: Any, count: int | None = None) -> list[Delayed]:
    """Return the lazy table of :func:`regionprops_table` in partitions, so that it need not fit into any memory.

    Parameters
    ----------
    table : lazy table
        Of :func:`regionprops_table`, before anything else is done with it.
    count : int, optional
        How many partitions of each plane or volume, or of a stack together, where that has more planes: about so many;
        by default one for every 2**24 pixels.

    Returns
    -------
    list of dask.delayed.Delayed
        Each a ``pandas.DataFrame``; one below the other they are the table, to the bit. For a Dask DataFrame give them
        to ``dask.dataframe.from_delayed``.

    Raises
    ------
    ParameterError
        If the table is none that can be parted, or is computed already; if ``count`` is below 1.

    Notes
    -----
    Of ``count`` partitions each has as many numbers of labels, from 1 to the largest of the image, whatever the tiles
    and the workers; planes of a stack that share a partition are not parted. Numbers that are not used leave partitions
    short: :func:`bigimg.segmentation.relabel_sequential` closes the gaps.

    The last tasks hold the objects of one partition, those before them about as many, or those of one tile. Labels are
    read once more, for the largest. With ``area_filled`` one task more holds what touches what on the faces of all
    tiles.

    Examples
    --------
    >>> import dask.array as da
    >>> import numpy as np
    >>> from bigimg import measure
    >>> labels = da.from_array(np.arange(1, 9).reshape(2, 4), chunks=1)
    >>> table = measure.regionprops_table(labels, properties=["label", "centroid"])
    >>> first, second = table_partitions(table, 2)
    >>> second.compute(scheduler="sync")
       label  centroid-0  centroid-1
    0      5         1.0         0.0
    1      6         1.0         1.0
    2      7         1.0         2.0
    3      8         1.0         3.0
    """
    layer = table.dask.layers.get(table.key) if isinstance(table, Delayed) else None
    work = layer.reduction if isinstance(layer, ReduceLayer) else None
    if layer is None or not isinstance(work, MeasureRegions):
        raise ParameterError(
            "only a lazy table of measure.regionprops_table comes in partitions (got "
            f"{'another lazy value' if isinstance(table, Delayed) else type(table).__name__}); measure lazy labels, "
            "and ask for the partitions before anything else"
        )
    if count is not None and count < 1:
        raise ParameterError(f"a table has at least 1 partition (got count={count})")
    labels = layer.images[0]
    parting = Parting.of(labels.shape, work.ndim, count)
    extrema = reduce_arrays(Extrema(), [lazy_array(labels)], [None]) if parting.ranges > 1 else None
    given = {item.name: getattr(work, item.name) for item in fields(work)}
    return partitions_of(PartRegions(**given, parting=parting, extrema=extrema), layer.images)


def write_partitions(table: Any, path: str | Path, count: int | None = None) -> int:
    """Compute a lazy table and write it as a folder of Parquet files, a partition each, from the workers.

    Parameters
    ----------
    table, count
        As in :func:`table_partitions`.
    path
        Of the folder, which must not exist, and which all workers can write to; it is built aside and gets its name
        when it is complete. :func:`bigimg.io.read_table` and others that know such folders read it.

    Returns
    -------
    int
        How many rows there are.

    Raises
    ------
    ParameterError
        As :func:`table_partitions`.
    OutputExistsError, OutputError
        If there is something called ``path``, or the disk refuses.

    Examples
    --------
    >>> import dask.array as da
    >>> import numpy as np
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from bigimg import measure
    >>> table = measure.regionprops_table(da.from_array(np.arange(1, 9).reshape(2, 4), chunks=2))
    >>> with TemporaryDirectory() as folder:
    ...     rows = write_partitions(table, f"{folder}/objects", 2)
    ...     rows, sorted(each.name for each in Path(f"{folder}/objects").iterdir())
    (8, ['part-00000.parquet', 'part-00001.parquet'])
    """
    parts = table_partitions(table, count)
    with building(path) as folder:
        rows = store_partitions(parts, partial(_write_part, str(folder.resolve()))).compute()
    return int(rows)


def _write_part(folder: str, number: int, table: pd.DataFrame) -> int:
    write_table(Path(folder) / f"part-{number:05}.parquet", table, {"kind": "regions"})
    return len(table)
