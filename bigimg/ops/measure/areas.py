"""The areas of polygons on the map."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd

from bigimg.core.well_known_binary import decode
from bigimg.engine.faces import composed
from bigimg.errors import ParameterError
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


def _area(geometry: bytes) -> float:
    total = 0.0
    for rings in decode(geometry)[1]:
        for ring in rings:
            # About the first corner: coordinates of millions of metres would cost digits. Holes turn the other way.
            x, y = (ring - ring[0]).T
            total += float(np.dot(x[:-1], y[1:]) - np.dot(x[1:], y[:-1])) / 2
    return abs(total)
