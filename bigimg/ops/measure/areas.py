"""Areas: of polygons on the map, and of the classes of a class map."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any, ClassVar, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bigimg.core.lengths import pixel_spacing
from bigimg.core.operation import Pixels, Valid
from bigimg.core.reduction import Reduction
from bigimg.core.tile import Tile
from bigimg.core.well_known_binary import decode
from bigimg.engine.faces import composed
from bigimg.engine.kinds import PLANE, opened, reduce
from bigimg.errors import ImageError, ParameterError
from bigimg.io.geo import is_metric

OWNER = "measure.polygon_areas"

SQUARE_METRES = {"m2": 1.0, "ha": 1e4, "km2": 1e6}
"""In each unit of area."""


@composed(takes="table", gives="table")
def polygon_areas(table: pd.DataFrame, *, unit: Literal["m2", "ha", "km2"] = "ha") -> pd.DataFrame:
    """Measure the area of each polygon on its map.

    Parameters
    ----------
    table : pandas.DataFrame
        With a column ``geometry``, as :func:`polygons` makes it of the labels of a scene, and ``attrs["crs"]``.
    unit : {"m2", "ha", "km2"}
        Square metres, hectares or square kilometres.

    Returns
    -------
    pandas.DataFrame
        The table with a column ``area_m2``, ``area_ha`` or ``area_km2`` of float64; holes do not count.

    Notes
    -----
    The area on the map, equal to ``geopandas.GeoSeries.area``: a projection that keeps shapes, as UTM does, stretches
    areas by up to 0.2 %. Coordinates in degrees have no area: bring the scene into a projection first.

    Examples
    --------
    >>> import numpy as np
    >>> from bigimg import measure
    >>> lake = measure.polygons(np.ones((20, 10), int), transform=(30, 0, 600000, 0, -30, 5000000), crs="EPSG:32633")
    >>> measure.polygon_areas(lake)["area_ha"].tolist()
    [18.0]
    """
    crs = table.attrs.get("crs")
    if "geometry" not in table.columns:
        raise ParameterError(f"{OWNER} measures a column 'geometry' (got {', '.join(map(str, table.columns))})")
    if len(table) and (crs is None or not is_metric(crs)):
        raise ParameterError(
            f"{OWNER} needs polygons on one map in metres (got {crs or 'none, or several'}); project the scenes to "
            "one, such as UTM, and outline them again"
        )
    areas = [_area(geometry) / SQUARE_METRES[unit] for geometry in table["geometry"]]
    return table.assign(**{f"area_{unit}": np.array(areas, np.float64)})


@dataclass(frozen=True)
class CountClasses(Reduction[dict[int, int], pd.DataFrame]):
    """How many pixels each number has, but 0; and their area."""

    unit: str
    size: float
    """Area of a pixel in the unit."""
    name: ClassVar[str] = "areas"

    def partial(self, tile: Tile, *images: Pixels, valid: Valid | None = None) -> dict[int, int]:  # noqa: ARG002
        """Count those of one tile."""
        counted: NDArray[Any] = images[0] if valid is None else images[0][np.broadcast_to(valid, images[0].shape)]
        numbers, counts = np.unique(counted, return_counts=True)
        return {int(number): int(count) for number, count in zip(numbers, counts) if number != 0}

    def merge(self, first: dict[int, int], second: dict[int, int]) -> dict[int, int]:
        """Return the counts of both."""
        return {number: first.get(number, 0) + second.get(number, 0) for number in {**first, **second}}

    def finish(self, state: dict[int, int]) -> pd.DataFrame:
        """Return a row a class."""
        numbers = sorted(state)
        pixels = np.array([state[number] for number in numbers], np.int64)
        wide = bool(numbers) and numbers[-1] > np.iinfo(np.int64).max
        table: dict[str, NDArray[Any]] = {"class": np.array(numbers, np.uint64 if wide else np.int64), "pixels": pixels}
        if self.unit != "px":
            table[f"area_{self.unit}"] = pixels * self.size
        return pd.DataFrame({**table, "share": pixels / max(1, int(pixels.sum()))})


@composed(takes="labels", gives="table")
def class_areas(labels: Any, *, unit: Literal["px", "m2", "ha", "km2"] = "px") -> Any:
    """Measure how much of an image each class of a class map covers.

    Parameters
    ----------
    labels : (..., M, N) array of integers
        A class map: the same number for all pixels of a class; 0 is none. Of a stack all planes count together.
    unit : {"px", "m2", "ha", "km2"}
        Pixels only, or also square metres, hectares or square kilometres, for an image that says how large its pixels
        are.

    Returns
    -------
    pandas.DataFrame
        One row a class that occurs, sorted by ``class``: its ``pixels``, the area (``area_ha``), and its ``share`` of
        all pixels of classes. Lazy where the labels are lazy.

    Notes
    -----
    Pixels are those that ``numpy.unique`` counts. The area is that of the map, as in :func:`polygon_areas`.

    Examples
    --------
    >>> import numpy as np
    >>> class_areas(np.array([[1, 1, 3], [1, 0, 0]]))
       class  pixels  share
    0      1       3   0.75
    1      3       1   0.25
    """
    given = opened(labels)
    if given.pixels.dtype.kind not in "iu":
        raise ImageError(f"classes are integers (got {given.pixels.dtype}); make a class map first")
    size = 1.0
    if unit != "px":
        attrs = getattr(labels, "attrs", {})
        size = prod(pixel_spacing(attrs, PLANE, "measure.class_areas: unit")) / SQUARE_METRES[unit]
    return reduce(CountClasses(unit, size), labels)


def _area(geometry: bytes) -> float:
    total = 0.0
    for rings in decode(geometry)[1]:
        for ring in rings:
            # About the first corner: coordinates of millions of metres would cost digits. Holes turn the other way.
            x, y = (ring - ring[0]).T
            total += float(np.dot(x[:-1], y[1:]) - np.dot(x[1:], y[:-1])) / 2
    return abs(total)
