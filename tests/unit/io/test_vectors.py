"""Polygons as files, read back by others."""

import json

import geopandas
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import shapely

from bigimg import measure
from bigimg.errors import OutputError, ParameterError
from bigimg.io import read_table, write_geojson, write_geoparquet

LABELS = np.random.default_rng(0).integers(0, 4, (9, 11))
WRITERS = {"cells.geojson": write_geojson, "cells.parquet": write_geoparquet}


@pytest.fixture
def table():
    return measure.polygons(LABELS).assign(score=[0.5, np.nan, np.inf], name=["round", None, "ä"], whole=True)


def read(path):
    return geopandas.read_file(path) if path.suffix == ".geojson" else geopandas.read_parquet(path)


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("crs", ["EPSG:32633", "EPSG:4326", "OGC:CRS84", None])
def test_others_read_what_was_written(name, crs, table, tmp_path):
    WRITERS[name](tmp_path / name, table, crs)
    found = read(tmp_path / name)
    assert (found.geometry == geopandas.GeoSeries.from_wkb(table["geometry"])).all()
    assert found["label"].tolist() == [1, 2, 3]
    assert found["score"][0] == 0.5
    assert found["name"].tolist()[::2] == ["round", "ä"]
    if crs == "EPSG:32633":
        assert found.crs.to_epsg() == 32633
    elif crs is not None:
        assert found.crs.is_geographic
    assert list(tmp_path.iterdir()) == [tmp_path / name]


@pytest.mark.parametrize("name", WRITERS)
def test_the_system_of_coordinates_comes_with_the_table(name, tmp_path):
    table = measure.polygons(LABELS, transform=[10.0, 0, 5e5, 0, -10.0, 5e6], crs="EPSG:32633")
    WRITERS[name](tmp_path / name, table)
    found = read(tmp_path / name)
    assert found.crs.to_epsg() == 32633
    assert found.total_bounds.tolist() == geopandas.GeoSeries.from_wkb(table["geometry"]).total_bounds.tolist()


def test_pixels_have_no_system_of_coordinates(table, tmp_path):
    write_geoparquet(tmp_path / "cells.parquet", table)
    assert geopandas.read_parquet(tmp_path / "cells.parquet").crs is None
    write_geojson(tmp_path / "cells.geojson", table)
    assert "crs" not in json.loads((tmp_path / "cells.geojson").read_text())


def test_boxes_beside_the_polygons_are_theirs(table, tmp_path):
    path = tmp_path / "cells.parquet"
    write_geoparquet(path, table)
    found = pd.DataFrame(read_table(path)["bbox"].tolist()).to_numpy()
    assert found.tolist() == shapely.bounds(shapely.from_wkb(table["geometry"].tolist())).tolist()
    geo = json.loads(pq.read_schema(path).metadata[b"geo"])
    assert geo["version"] == "1.1.0"
    column = geo["columns"]["geometry"]
    assert column["covering"]["bbox"]["ymax"] == ["bbox", "ymax"]
    assert set(column["geometry_types"]) <= {"Polygon", "MultiPolygon"}
    assert column["bbox"] == [0, 0, 11, 9]
    assert len(geopandas.read_parquet(path, bbox=(-5, -5, -1, -1))) == 0


def test_features_follow_the_right_hand_rule(table, tmp_path):
    write_geojson(tmp_path / "cells.geojson", table)
    features = json.loads((tmp_path / "cells.geojson").read_text(encoding="utf-8"))["features"]
    assert [feature["id"] for feature in features] == [1, 2, 3]
    assert features[1]["properties"] == {"label": 2, "score": None, "name": None, "whole": True}
    for feature in features:
        parts = feature["geometry"]["coordinates"]
        for outline, *holes in parts if feature["geometry"]["type"] == "MultiPolygon" else [parts]:
            assert shapely.LinearRing(outline).is_ccw
            assert not any(shapely.LinearRing(hole).is_ccw for hole in holes)
            assert outline[0] == outline[-1]


@pytest.mark.parametrize("name", WRITERS)
def test_no_object_is_an_empty_file(name, tmp_path):
    WRITERS[name](tmp_path / name, measure.polygons(np.zeros((4, 4), int)))
    assert len(read(tmp_path / name)) == 0


@pytest.mark.parametrize("writer", WRITERS.values())
def test_what_cannot_be_written_is_said(writer, table, tmp_path):
    with pytest.raises(ParameterError, match="column 'geometry'"):
        writer(tmp_path / "cells", table.drop(columns="geometry"))
    with pytest.raises(ParameterError, match="as bytes"):
        writer(tmp_path / "cells", table.assign(geometry="POLYGON EMPTY"))
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "file").write_text("")
    with pytest.raises(OutputError):
        writer(tmp_path / "folder" / "file" / "cells", table)


def test_names_of_systems_are_checked(table, tmp_path):
    with pytest.raises(ParameterError, match="EPSG:1 "):
        write_geoparquet(tmp_path / "cells.parquet", table, "EPSG:1 ")
    with pytest.raises(ParameterError, match="bbox"):
        write_geoparquet(tmp_path / "cells.parquet", table.assign(bbox=0))
    assert not list(tmp_path.iterdir())
