"""Areas of polygons on the map are those of geopandas."""

import numpy as np
import pandas as pd
import pytest

import bigimg
from bigimg.errors import ParameterError

geopandas = pytest.importorskip("geopandas", reason="measures polygons")


@pytest.mark.parametrize("transform", [(30, 0, 717345, 0, -30, 7223005), (20, 5, 5e6, 5, -20, 2e6)])
def test_areas_are_those_of_geopandas(transform):
    labels = np.random.default_rng(3).integers(0, 9, (60, 70))  # holes, parts and corners that touch
    table = bigimg.measure.polygons(labels, transform=transform, crs="EPSG:32621")
    known = geopandas.GeoSeries.from_wkb(table["geometry"]).area
    for unit, metres in (("m2", 1), ("ha", 1e4), ("km2", 1e6)):
        found = bigimg.measure.polygon_areas(table, unit=unit)
        np.testing.assert_allclose(found[f"area_{unit}"], known / metres, rtol=1e-12)
        assert found.attrs["crs"] == "EPSG:32621"


@pytest.mark.parametrize("crs", [None, "EPSG:4326"])
def test_area_needs_a_map_in_metres(crs):
    table = bigimg.measure.polygons(np.ones((3, 3), int))
    table.attrs = {} if crs is None else {"crs": crs}
    with pytest.raises(ParameterError, match="one map in metres"):
        bigimg.measure.polygon_areas(table)
    with pytest.raises(ParameterError, match="column 'geometry'"):
        bigimg.measure.polygon_areas(pd.DataFrame({"label": [1]}))


def test_no_polygon_has_a_column_all_the_same():
    table = bigimg.measure.polygons(np.zeros((3, 3), int))
    assert bigimg.measure.polygon_areas(table)["area_ha"].dtype == np.float64
