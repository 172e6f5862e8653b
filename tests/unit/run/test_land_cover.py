"""Classes of ground in a real mosaic: its water is a class, its collar is none, and the report has a legend."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import bigimg
from bigimg.errors import BigimgError
from bigimg.io.inputs import open_inputs
from bigimg.run.evaluate import evaluate, lazy_image
from bigimg.run.report import ImageCard
from bigimg.run.report_pictures import class_colour, class_picture
from bigimg.run.workflow import Workflow

LANDSAT = Path(__file__).parents[4] / "shared/data/landsat"
SCENE = LANDSAT / "LC08_L1TP_224078_20200518_20200518_01_RT.TIF"


def test_class_map_has_the_colours_of_its_legend():
    classes = np.array([[0, 1, 1], [3, 1, 0]], "u1")
    card = ImageCard.of_classes("scene", np.zeros((2, 3), "u1"), classes, {1: "7 ha, 60.0%", 2: "0 ha, 0.1%"})
    assert [entry.name for entry in card.legend] == ["class 1", "class 2", "class 3"]
    assert [entry.note for entry in card.legend] == ["7 ha, 60.0%", "0 ha, 0.1%", ""]
    picture = class_picture(classes)
    assert picture.shape == (2, 3, 3)
    assert tuple(picture[1, 0]) == class_colour(3) == card.legend[2].colour
    assert len({class_colour(number) for number in range(13)}) == 13


def test_areas_of_classes():
    import xarray as xr

    labels = np.array([[1, 1, 2], [0, 2, 2]], "u1")
    image = xr.DataArray(
        labels, dims=("y", "x"), attrs={"scale": {"y": 30, "x": 30}, "units": {"y": "meter", "x": "meter"}}
    )
    found = bigimg.measure.class_areas(image, unit="ha")
    wanted = pd.DataFrame({"class": [1, 2], "pixels": [2, 3], "area_ha": [0.18, 0.27], "share": [0.4, 0.6]})
    pd.testing.assert_frame_equal(found, wanted)
    with pytest.raises(BigimgError, match="does not say how large its pixels are"):
        bigimg.measure.class_areas(labels, unit="ha")
    with pytest.raises(BigimgError, match="classes are integers"):
        bigimg.measure.class_areas(labels.astype(float))


@pytest.mark.real_images
@pytest.mark.skipif(not SCENE.exists(), reason="needs ../shared/data/landsat beside the checkout")
def test_water_is_a_class_and_the_collar_none():
    pytest.importorskip("rasterio", reason="scenes are an extra")
    geopandas = pytest.importorskip("geopandas", reason="reads the reference polygons")
    from rasterio.features import geometry_mask

    workflow = Workflow.load("land_cover")
    (source,) = open_inputs(SCENE, default=workflow.nodata).sources.values()
    found = [evaluate(workflow, lazy_image(source, tile)).results for tile in (2048, 512)]
    maps = [results["cover"].values for results in found]
    np.testing.assert_array_equal(*maps)
    covered = source[...].all(axis=0)
    np.testing.assert_array_equal(maps[0] == 0, ~covered)
    areas = found[0]["areas"].compute()
    assert areas["area_ha"].sum() == pytest.approx(covered.sum() * 0.09)
    known = geopandas.read_file(SCENE.with_name(f"{SCENE.stem}_polygons.gpkg")).set_index("name")["geometry"]
    import rasterio

    with rasterio.open(SCENE) as scene:
        water, crop = (
            maps[0][geometry_mask([known[name]], scene.shape, scene.transform, invert=True)]
            for name in ("water", "crop")
        )
    assert np.bincount(water).max() == len(water), "water is of one class"
    assert np.bincount(water).argmax() not in crop
