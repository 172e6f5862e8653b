"""Water in a real scene whose collar is 0 and not said to be none: outlines on the map, areas in hectares."""

from pathlib import Path

import pytest

import bigimg
from bigimg.io.inputs import open_inputs
from bigimg.io.vectors import write_geoparquet
from bigimg.run.evaluate import evaluate, lazy_image
from bigimg.run.plan import plan
from bigimg.run.workflow import Workflow

pytest.importorskip("rasterio", reason="scenes are an extra")
geopandas = pytest.importorskip("geopandas", reason="reads the reference polygons")
LANDSAT = Path(__file__).parents[4] / "shared/data/landsat"
SCENE = LANDSAT / "LC08_L1TP_224078_20200518_20200518_01_RT.TIF"
pytestmark = [
    pytest.mark.real_images,
    pytest.mark.skipif(not SCENE.exists(), reason="needs ../shared/data/landsat beside the checkout"),
]


def test_reservoir_is_found_and_the_collar_is_not(tmp_path):
    workflow = Workflow.load("water")
    (source,) = open_inputs(SCENE, default=workflow.nodata).sources.values()
    results = evaluate(workflow, lazy_image(source, 1024)).results
    lakes = bigimg.measure.polygon_areas(results["outlines"].compute())
    write_geoparquet(tmp_path / "lakes.parquet", lakes)
    found = geopandas.read_parquet(tmp_path / "lakes.parquet")
    assert found.crs.to_epsg() == 32621
    assert found["area_ha"].max() == pytest.approx(35330.4)
    known = geopandas.read_file(SCENE.with_name(f"{SCENE.stem}_polygons.gpkg")).set_index("name")["geometry"]
    shares = {name: found.intersection(each).area.sum() / each.area for name, each in known.items()}
    assert shares["water"] == pytest.approx(1)
    assert max(shares["crop"], shares["tree"], shares["developed"]) == 0
    covered = source[...].any(axis=0)
    assert not results["water"].values[~covered].any()


def test_plan_warns_of_the_collar(tmp_path):
    said = str(plan("nuclei", SCENE, tmp_path / "out"))
    assert "give nodata 0" in said
    assert "note:" not in str(plan("nuclei", SCENE, tmp_path / "out", nodata=0))
    assert "note:" not in str(plan("water", SCENE, tmp_path / "out"))


def test_stored_step_says_what_does_not_count(tmp_path):
    import numpy as np

    from bigimg.io.collection import open_collection
    from bigimg.run.execute import Work, item_result
    from bigimg.run.steps import Step

    steps = [
        Step(op="color.band_difference", params={"first": 0, "second": 2}, keep=True),
        Step(op="threshold.otsu", keep=True),
    ]
    (source,) = open_inputs(SCENE, nodata=0).sources.values()
    item_result(Work(Workflow.of("w", steps), tmp_path, tmp_path, 1024), source.name, source).compute()
    outside = (source[...] == 0).any(axis=0)
    for step in ("band_difference", "otsu"):
        (image,) = open_collection(tmp_path / "images" / source.name / "steps" / step).values()
        pixels = image.values
        np.testing.assert_array_equal(np.isnan(pixels) if pixels.dtype.kind == "f" else pixels == 255, outside)
        assert image.attrs["crs"] == "EPSG:32621"
