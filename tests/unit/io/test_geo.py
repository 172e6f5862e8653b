"""Where pixels lie on the Earth: into a store in both ways there are, and back."""

import json

import numpy as np
import pytest
import xarray as xr

import bigimg
from bigimg.errors import ImageError
from bigimg.io import geo
from bigimg.io.collection import open_collection
from bigimg.io.readers import geotiff
from tests.unit.io.scenes import PLACE, turned, write_scene

rasterio = pytest.importorskip("rasterio", reason="scenes are an extra")
pyproj = pytest.importorskip("pyproj", reason="scenes are an extra")

RNG = np.random.default_rng(0)
SCENE = RNG.integers(1, 4000, (3, 700, 600), np.uint16)


@pytest.fixture
def stored(tmp_path):
    pixels = np.where(turned(700, 600), SCENE, 0).astype("u2")
    path = write_scene(tmp_path / "scene.tif", pixels, nodata=0, names=("blue", "green", "red"))
    return bigimg.ingest(path, tmp_path / "scenes.zarr"), pixels


def test_place_survives_ingest(stored):
    collection, pixels = stored
    image = collection["scene"]
    assert image.attrs["crs"] == "EPSG:32621"
    assert tuple(image.attrs["transform"]) == PLACE
    assert image.attrs["nodata"] == 0
    assert image.attrs["channel_names"] == ("blue", "green", "red")
    assert image.attrs["scale"] == {"y": 30.0, "x": 30.0}
    assert image.attrs["units"] == {"y": "meter", "x": "meter"}
    assert image.x.values[0] == PLACE[2] + PLACE[0] / 2  # corners in the transform, centres in the coordinates
    assert image.y.values[-1] == PLACE[5] + PLACE[4] * (700 - 0.5)
    np.testing.assert_array_equal(image.values, pixels)
    np.testing.assert_array_equal(image.valid.values, pixels != 0)


@pytest.mark.filterwarnings("ignore:Use `@` matmul:PendingDeprecationWarning")  # of rioxarray, by affine 3
def test_store_is_read_by_rioxarray(stored):
    pytest.importorskip("rioxarray", reason="reads what CF says")
    collection, pixels = stored
    dataset = xr.open_zarr(
        collection.path / "images/scene", consolidated=False, decode_coords="all", drop_variables=["1"]
    )
    assert dataset["0"].rio.crs == rasterio.crs.CRS.from_epsg(32621)
    assert tuple(dataset["0"].rio.transform())[:6] == PLACE
    np.testing.assert_array_equal(dataset["0"].isnull(), pixels == 0)
    again = collection.path.parent / "again.tif"
    dataset["0"].rio.to_raster(again)
    with rasterio.open(again) as scene:
        assert tuple(scene.transform)[:6] == PLACE
        assert scene.crs.to_epsg() == 32621
        np.testing.assert_array_equal(scene.read(masked=True).filled(0), pixels)


def test_store_has_the_conventions_of_zarr(stored):
    collection, _ = stored
    said = json.loads((collection.path / "images/scene/zarr.json").read_text())["attributes"]
    assert said["proj:code"] == "EPSG:32621"
    assert tuple(said["spatial:transform"]) == PLACE
    assert said["spatial:dimensions"] == ["y", "x"]
    assert said["spatial:shape"] == [700, 600]
    with rasterio.open(collection.path.parent / "scene.tif") as scene:
        assert tuple(said["spatial:bbox"]) == tuple(scene.bounds)
    assert {each["name"] for each in said["zarr_conventions"]} == {"proj", "spatial"}
    assert geo.read_place(said) == {"crs": "EPSG:32621", "transform": PLACE}


def test_image_of_the_store_alone_knows_its_place(stored):
    collection, _ = stored
    (image,) = open_collection(collection.path / "images/scene").values()
    assert image.attrs["crs"] == "EPSG:32621"
    assert image.attrs["transform"] == PLACE


def test_part_of_a_scene_has_its_own_place(stored):
    collection, _ = stored
    part = collection["scene"][:, 100:300:2, 50:90]
    crs, transform = geo.place_of(part)
    assert crs == "EPSG:32621"
    # Every second row: their centres are those of the rows, so a row twice as high begins half a row earlier.
    assert transform == (30.0, 0.0, PLACE[2] + 50 * 30, 0.0, -60.0, PLACE[5] - 100 * 30 + 15)
    assert geo.placed_attrs(part)["transform"] == transform


def test_polygons_lie_where_the_scene_does(stored):
    collection, _ = stored
    geopandas = pytest.importorskip("geopandas", reason="reads polygons")
    image = collection["scene"].isel(c=0)
    labels = image.copy(data=np.zeros(image.shape, "u4"))
    labels[300:310, 200:220] = 7
    for part in (labels, labels[250:, 100:]):
        table = bigimg.measure.polygons(part)
        assert table.attrs["crs"] == "EPSG:32621"
        (found,) = geopandas.GeoSeries.from_wkb(table["geometry"])
        left, top = PLACE[2] + 200 * 30, PLACE[5] - 300 * 30
        assert found.bounds == (left, top - 300, left + 600, top)
    in_pixels = bigimg.measure.polygons(labels, spacing=2.0)
    assert "crs" not in in_pixels.attrs


def test_labels_of_a_scene_know_their_place(stored, tmp_path):
    collection, _ = stored
    from bigimg.io.writer import create_labels

    source = collection.sources["scene"]
    writer = create_labels(tmp_path / "item", "water", (700, 600), np.dtype("u4"), "yx", source.attrs, (512, 512))
    assert writer.path.endswith("water/0")
    said = json.loads((tmp_path / "item/labels/water/zarr.json").read_text())["attributes"]
    assert geo.read_place(said) == {"crs": "EPSG:32621", "transform": PLACE}
    assert "image-label" in said["ome"]


def test_turned_map_has_no_coordinates_and_keeps_its_transform(tmp_path):
    transform = (20.0, 5.0, 1000.0, 5.0, -20.0, 2000.0)
    path = write_scene(tmp_path / "turned.tif", SCENE[0], transform)
    image = bigimg.ingest(path, tmp_path / "s.zarr")["turned"]
    assert tuple(image.attrs["transform"]) == transform
    assert "x" not in image.coords
    assert "scale" not in image.attrs
    assert geo.place_of(image) == ("EPSG:32621", transform)


def test_degrees_are_no_length(tmp_path):
    path = write_scene(tmp_path / "world.tif", SCENE[0], (0.1, 0.0, -20.0, 0.0, -0.1, 60.0), "EPSG:4326")
    (header,) = geotiff.headers(path)
    assert header.attrs["crs"] == "EPSG:4326"
    assert "scale" not in header.attrs


def test_system_without_a_number_is_kept_as_text(tmp_path):
    text = "+proj=laea +lat_0=10 +lon_0=20 +datum=WGS84 +units=m"
    path = write_scene(tmp_path / "laea.tif", SCENE[0], crs=text)
    image = bigimg.ingest(path, tmp_path / "s.zarr")["laea"]
    assert pyproj.CRS(image.attrs["crs"]).coordinate_operation.method_name == "Lambert Azimuthal Equal Area"
    assert image.attrs["scale"] == {"y": 30.0, "x": 30.0}
    said = json.loads((tmp_path / "s.zarr/images/laea/zarr.json").read_text())["attributes"]
    assert said["proj:wkt2"] == image.attrs["crs"]


def test_map_that_covers_nothing_is_refused():
    with pytest.raises(ImageError, match="no affine map"):
        geo.affine((0.0, 0.0, 1.0, 0.0, 0.0, 1.0), "scene.tif")
    with pytest.raises(ImageError, match="no affine map"):
        geo.affine((1.0, 2.0), "scene.tif")


@pytest.mark.parametrize("transform", [PLACE, (20.0, 5.0, 1000.0, 5.0, -20.0, 2000.0)])
def test_bounds_are_those_of_the_corners(transform):
    a, b, c, d, e, f = transform
    corners = [(a * x + b * y + c, d * x + e * y + f) for x in (0, 5) for y in (0, 7)]
    left, bottom, right, top = geo.bounds(transform, 7, 5)
    assert (left, right) == (min(x for x, _ in corners), max(x for x, _ in corners))
    assert (bottom, top) == (min(y for _, y in corners), max(y for _, y in corners))


def test_centres_are_those_of_rasterio():
    from rasterio.transform import xy

    y, x = geo.centres(PLACE, 7, 5)
    assert (x[4], y[6]) == xy(rasterio.Affine(*PLACE), 6, 4)
