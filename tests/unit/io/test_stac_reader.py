"""The reader of STAC items: bands of files as channels, and what an item may not say."""

import json
import pickle
from pathlib import Path

import numpy as np
import pytest

import bigimg
from bigimg.errors import BigimgError, MissingInputError, ReadError
from bigimg.io.readers import find_reader, geotiff, stac
from bigimg.io.scan import open_sources
from bigimg.io.validity import validity
from tests.unit.io.items import change, write_item
from tests.unit.io.scenes import PLACE, write_scene

rasterio = pytest.importorskip("rasterio", reason="scenes are an extra")

RNG = np.random.default_rng(8)
BANDS = RNG.integers(1, 4000, (3, 40, 50), np.uint16)
DATA = Path(__file__).parents[4] / "shared" / "data" / "landsat"


@pytest.fixture
def item(tmp_path):
    """An item of three files of one band."""
    files = {f"B{number}": tmp_path / f"B{number}.tif" for number in (2, 3, 4)}
    for file, band in zip(files.values(), BANDS):
        write_scene(file, band)
    return write_item(
        tmp_path / "scene.json", files, B2={"eo:bands": [{"name": "blue"}]}, B4={"bands": [{"name": "red"}]}
    )


def test_assets_on_one_grid_are_channels(item):
    ((source,), _) = open_sources(item)
    assert find_reader(item) is stac
    assert (source.name, source.dims, source.shape) == ("scene", ("c", "y", "x"), (3, 40, 50))
    np.testing.assert_array_equal(source[...], BANDS)
    assert source.attrs["channel_names"] == ("blue", "B3", "red")
    assert source.attrs["crs"] == "EPSG:32621"
    assert source.attrs["transform"] == PLACE
    assert source.attrs["acquisition"] == {"time": "2020-05-18T13:27:04Z"}
    assert source.attrs["stac"] == {"id": "scene"}
    assert pickle.loads(pickle.dumps(source)) == source


def test_box_opens_its_files_only(item, monkeypatch):
    ((source,), _) = open_sources(item)
    read = []
    original = geotiff.read
    monkeypatch.setattr(geotiff, "read", lambda path, *rest: (read.append(path.name), original(path, *rest))[1])
    np.testing.assert_array_equal(source[1:2, 3:9, 4:20], BANDS[1:2, 3:9, 4:20])
    assert read == ["B3.tif"]


def test_files_of_an_item_are_no_images_of_their_own(item):
    def more(document):
        document["assets"]["mtl"] = {"href": "MTL.txt", "type": "text/plain", "roles": ["metadata"]}
        document["assets"]["self"] = {"href": "scene.json", "type": "application/json"}
        document["assets"]["far"] = {"href": "https://example.com/small.png", "roles": ["thumbnail"]}
        document["assets"]["small"] = {"href": "small.tif", "type": "image/tiff", "roles": ["overview"]}

    write_scene(item.parent / "small.tif", BANDS[0, ::4, ::4])
    (item.parent / "MTL.txt").write_text("GROUP = LANDSAT")
    write_scene(item.parent / "other.tif", BANDS)
    sources, skipped = open_sources(change(item, more).parent)
    assert [source.name for source in sources] == ["other", "scene"]
    assert not skipped


def test_item_becomes_an_image_of_a_collection(item, tmp_path):
    collection = bigimg.ingest(item, tmp_path / "scenes.zarr")
    np.testing.assert_array_equal(collection["scene"].values, BANDS)
    assert collection["scene"].attrs["channel_names"] == ("blue", "B3", "red")
    assert collection.item("scene").time == "2020-05-18T13:27:04Z"
    assert bigimg.verify(tmp_path / "scenes.zarr").is_whole
    referred = bigimg.ingest(item, tmp_path / "referred.zarr", mode="reference")
    np.testing.assert_array_equal(referred["scene"].values, BANDS)
    assert referred.table["digest"].iloc[0] == collection.table["digest"].iloc[0]
    write_scene(tmp_path / "B3.tif", BANDS[0])
    with pytest.raises(ReadError, match=r"has changed"):
        bigimg.open(tmp_path / "referred.zarr")["scene"]


def test_grids_of_an_item_are_images(tmp_path):
    coarse = (60.0, 0.0, PLACE[2], 0.0, -60.0, PLACE[5])
    files = {"red": tmp_path / "red.tif", "swir": tmp_path / "swir.tif", "scl": tmp_path / "scl.tif"}
    write_scene(files["red"], BANDS[:2])
    write_scene(files["swir"], BANDS[0, ::2, ::2], coarse)
    write_scene(files["scl"], BANDS[0].astype("u1"))
    item = write_item(tmp_path / "scene.json", files)
    sources, _ = open_sources(item)
    assert [source.shape for source in sources] == [(2, 40, 50), (20, 25), (40, 50)]
    assert sources[0].attrs["channel_names"] == ("red 1", "red 2")
    np.testing.assert_array_equal(sources[0][...], BANDS[:2])
    np.testing.assert_array_equal(sources[1][...], BANDS[0, ::2, ::2])


def test_item_says_what_its_files_do_not(item):
    said = {"raster:bands": [{"nodata": 0, "scale": 2e-5, "offset": -0.1, "data_type": "uint16"}]}

    def say(document):
        for asset in document["assets"].values():
            asset.update(said)

    ((source,), _) = open_sources(change(item, say))
    assert source.attrs["nodata"] == 0
    assert isinstance(source.attrs["nodata"], int)
    assert source.attrs["scale_offset"] == (2e-5, -0.1)
    np.testing.assert_array_equal(validity(source)[...], BANDS != 0)


def test_masks_of_files_count_together(tmp_path):
    masks = [RNG.random((40, 50)) < 0.5 for _ in range(2)]
    files = {"a": tmp_path / "a.tif", "b": tmp_path / "b.tif"}
    for file, mask, band in zip(files.values(), masks, BANDS):
        write_scene(file, band, mask=mask)
    ((source,), _) = open_sources(write_item(tmp_path / "scene.json", files))
    np.testing.assert_array_equal(validity(source)[...], np.broadcast_to(masks[0] & masks[1], (2, 40, 50)))


def _set(key, value, where="B3"):
    return lambda document: document["assets"][where].__setitem__(key, value)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda d: d["properties"].update({"proj:epsg": 32622}), r"proj:epsg 32622 .*B2\.tif has EPSG:32621"),
        (lambda d: d["properties"].update({"proj:code": "EPSG:4326"}), r"proj:code EPSG:4326 .*'B2'"),
        (_set("proj:shape", [50, 40]), r"proj:shape \[50, 40\] .*'B3'.*B3\.tif has \[40, 50\]"),
        (_set("proj:transform", [30, 0, 717360, 0, -30, -2776995]), r"proj:transform .*717360.*717345"),
        (_set("data_type", "int16"), r"data_type int16 .*has uint16"),
        (_set("eo:bands", [{"name": "a"}, {"name": "b"}]), r"says bands 2 .*has 1"),
        (_set("href", "/etc/passwd"), r"asset 'B3' leads out of the folder"),
        (_set("href", "../B3.tif"), r"asset 'B3' leads out of the folder"),
        (_set("href", "x/%2e%2e/%2e%2e/B3.tif"), r"asset 'B3' leads out of the folder"),
        (_set("href", "https://example.com/B3.tif"), r"asset 'B3' is at https.*only files are read"),
        (_set("href", "s3://bucket/B3.tif"), r"asset 'B3' is at s3"),
        (_set("href", "gone.tif"), r"there is no file .*gone\.tif of the asset 'B3'"),
        (lambda d: d.update(assets={}), r"no asset with pixels \(it has none\)"),
    ],
)
def test_what_is_wrong_is_named(item, wrong, said):
    with pytest.raises(BigimgError, match=said):
        open_sources(change(item, wrong))
    write_scene(item.parent / "other.tif", BANDS)
    sources, skipped = open_sources(item.parent, "skip")
    assert "other" in [each.name for each in sources]
    assert [each.name for each in skipped] == ["scene"]


def test_link_out_of_the_folder_is_not_followed(item, tmp_path_factory):
    outside = write_scene(tmp_path_factory.mktemp("outside") / "secret.tif", BANDS[0])
    (item.parent / "link.tif").symlink_to(outside)
    with pytest.raises(ReadError, match="leads out of the folder"):
        open_sources(change(item, _set("href", "link.tif")))


def test_nodata_of_both_must_agree(tmp_path):
    file = write_scene(tmp_path / "a.tif", BANDS[0], nodata=0)
    item = write_item(tmp_path / "scene.json", {"a": file}, a={"nodata": 0})
    assert open_sources(item)[0][0].attrs["nodata"] == 0
    with pytest.raises(ReadError, match=r"nodata -9999\.0 .*'a'.* has 0"):
        open_sources(change(item, _set("nodata", -9999, "a")))


def test_catalogue_leads_to_its_items(tmp_path):
    for name in ("a", "b"):
        (tmp_path / "items" / name).mkdir(parents=True)
        file = write_scene(tmp_path / "items" / name / "red.tif", BANDS[0])
        write_item(tmp_path / "items" / name / f"{name}.json", {"red": file})
    links = [{"rel": "item", "href": f"./{name}/{name}.json"} for name in ("b", "a")]
    collection = {"type": "Collection", "stac_version": "1.1.0", "id": "c", "links": links}
    (tmp_path / "items" / "collection.json").write_text(json.dumps(collection))
    links = [{"rel": "child", "href": "./items/collection.json"}, {"rel": "root", "href": "https://example.com"}]
    catalog = {"type": "Catalog", "stac_version": "1.1.0", "id": "c", "links": links}
    (tmp_path / "catalog.json").write_text(json.dumps(catalog))
    for given in (tmp_path / "catalog.json", tmp_path, tmp_path / "items" / "collection.json"):
        sources, skipped = open_sources(given)
        assert [source.name.rpartition("__")[2] for source in sources] == ["a", "b"]
        assert not skipped
    change(tmp_path / "catalog.json", lambda d: d["links"].append({"rel": "item", "href": "../far.json"}))
    with pytest.raises(ReadError, match="leads out of the folder"):
        open_sources(tmp_path / "catalog.json")
    change(tmp_path / "catalog.json", lambda d: d["links"].__setitem__(-1, {"rel": "item", "href": "gone.json"}))
    with pytest.raises(MissingInputError, match=r"gone\.json"):
        open_sources(tmp_path / "catalog.json")


def test_collection_of_features_in_one_file(tmp_path):
    features = []
    for number in range(2):
        file = write_scene(tmp_path / f"{number}.tif", BANDS[number])
        features.append(json.loads(write_item(tmp_path / "one.json", {"red": file}).read_text()))
    (tmp_path / "one.json").unlink()
    (tmp_path / "found.json").write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    sources, _ = open_sources(tmp_path)
    assert [source.name for source in sources] == ["found.0", "found.1"]
    np.testing.assert_array_equal(sources[1][...], BANDS[1])


@pytest.mark.parametrize(
    "text", ["{}", '{"type": "Feature"}', '{"type": "FeatureCollection", "features": []}', "{" * 99999, '{"a":' * 99999]
)
def test_other_json_is_no_image(tmp_path, text):
    (tmp_path / "other.json").write_text(text)
    with pytest.raises(ReadError, match=r"other\.json is not an image"):
        open_sources(tmp_path / "other.json")


def test_asset_without_a_place_is_named(item):
    import tifffile

    tifffile.imwrite(item.parent / "B3.tif", BANDS[1])
    with pytest.raises(ReadError, match=r"'B3' does not say where on the Earth"):
        open_sources(item)


def test_items_of_days_become_a_series(tmp_path):
    for day in (19, 18):
        files = {name: write_scene(tmp_path / f"{name}{day}.tif", BANDS[0] + day) for name in ("red", "nir")}
        write_item(tmp_path / f"{day}.json", files, {"datetime": f"2020-05-{day}T13:27:04Z"})
    image = bigimg.ingest(tmp_path, tmp_path / "days.zarr", series="day", nodata=0)["days"]
    assert image.dims == ("t", "c", "y", "x")
    assert image.attrs["channel_names"] == ("red", "nir")
    assert image.values[:, 0, 0, 0].tolist() == [BANDS[0, 0, 0] + 18, BANDS[0, 0, 0] + 19]


@pytest.mark.real_images
@pytest.mark.skipif(not DATA.exists(), reason=f"needs the scenes in {DATA}")
def test_landsat_by_its_items_is_merged_as_rasterio_does(tmp_path):
    from rasterio.merge import merge

    names = {f"B{band}": f"LC08_L1TP_224077_20200518_20200518_01_RT_B{band}.TIF" for band in (2, 3, 4)}
    for name in (*names.values(), "LC08_L1TP_224078_20200518_20200518_01_RT.TIF"):
        (tmp_path / name).write_bytes((DATA / name).read_bytes())
    bands = [{"name": name} for name in names]
    said = {key: {"bands": [band], "nodata": 0} for key, band in zip(names, bands)}
    write_item(tmp_path / "north.json", {key: tmp_path / name for key, name in names.items()}, **said)
    south = tmp_path / "LC08_L1TP_224078_20200518_20200518_01_RT.TIF"
    write_item(tmp_path / "south.json", {"all": south}, all={"bands": bands, "nodata": 0})
    image = bigimg.ingest(tmp_path, tmp_path / "landsat.zarr", mosaic="first")["landsat"]
    assert image.attrs["channel_names"] == ("B2", "B3", "B4")
    for number, name in enumerate(names.values()):
        with rasterio.open(south) as scene:
            band = write_scene(tmp_path / "band.tif", scene.read(number + 1), tuple(scene.transform)[:6])
        with pytest.warns(PendingDeprecationWarning, match="matmul"):
            merged, transform = merge([tmp_path / name, band], nodata=0, method="first")
        np.testing.assert_array_equal(image.values[number], merged[0])
    assert tuple(image.attrs["transform"]) == tuple(transform)[:6]
