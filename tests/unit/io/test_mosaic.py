"""Mosaics of scenes: what rasterio makes of them, box by box, and what does not fit together."""

import pickle
from pathlib import Path

import numpy as np
import pytest

import bigimg
from bigimg.errors import BigimgError, ImageError, ParameterError
from bigimg.io import geo
from bigimg.io.mosaic import mosaic_of
from bigimg.io.readers import geotiff
from bigimg.io.scan import open_sources
from bigimg.io.series import join_scenes
from bigimg.io.validity import validity, with_nodata
from tests.unit.io.scenes import PLACE, turned, write_scene

rasterio = pytest.importorskip("rasterio", reason="scenes are an extra")

pytestmark = pytest.mark.filterwarnings("ignore:Use `@` matmul:PendingDeprecationWarning")  # of rasterio's merge
RNG = np.random.default_rng(5)
DATA = Path(__file__).parents[4] / "shared" / "data" / "landsat"
BLOCKS = {"tiled": True, "blockxsize": 64, "blockysize": 48}


def _moved(rows: float, columns: float):
    a, b, c, d, e, f = PLACE
    return (a, b, c + a * columns, d, e, f + e * rows)


def _scenes(folder: Path, places=((0, 0), (-40, 60), (70, -30)), bands=2, dtype="u2", nodata=0, **options):
    folder.mkdir()
    for number, (row, column) in enumerate(places):
        shape = (bands, 150 + 10 * number, 170 - 20 * number)
        pixels = np.where(turned(*shape[-2:]), RNG.integers(1, 4000, shape), nodata or 0).astype(dtype)
        pixels[0, 60:70, 60:75] = nodata or 0  # a hole in one channel only
        path = folder / f"scene{number}.tif"
        write_scene(path, pixels, _moved(row, column), nodata=nodata, **BLOCKS, **options)
        with rasterio.open(path, "r+") as scene:
            scene.update_tags(ns="", TIFFTAG_DATETIME=f"2020:05:{[18, 20, 19][number]} 13:27:04")
    return folder


def _joined(folder, rule, nodata=None):
    sources = [with_nodata(each, nodata) for each in open_sources(folder)[0]]
    return mosaic_of(sources, rule, "mosaic")


def _merged(folder, **options):
    from rasterio.merge import merge

    pixels, transform = merge(sorted(folder.iterdir()), **options)
    return pixels, tuple(transform)[:6]


@pytest.mark.parametrize("rule", ["first", "last"])
def test_mosaic_is_that_of_rasterio(tmp_path, rule):
    folder = _scenes(tmp_path / "scenes")
    found = _joined(folder, rule)
    pixels, transform = _merged(folder, method=rule)
    assert found.attrs["transform"] == transform
    assert found.attrs["nodata"] == 0
    np.testing.assert_array_equal(found[...], pixels)
    np.testing.assert_array_equal(validity(found)[...], pixels != 0)


def test_newest_goes_by_time(tmp_path):
    folder = _scenes(tmp_path / "scenes")
    found = _joined(folder, "newest")
    files = [folder / f"scene{number}.tif" for number in (1, 2, 0)]
    from rasterio.merge import merge

    np.testing.assert_array_equal(found[...], merge(files)[0])
    assert found.attrs["acquisition"] == {"time": "2020-05-18T13:27:04", "end": "2020-05-20T13:27:04"}


def _median(folder, shape, corner, dtype):
    layers = np.full((3, *shape), np.nan)
    for number, path in enumerate(sorted(folder.iterdir())):
        with rasterio.open(path) as scene:
            given = scene.read(masked=True).astype(float).filled(np.nan)
            column, row = ~rasterio.Affine(*corner) * (scene.transform.c, scene.transform.f)
            layers[number, :, round(row) : round(row) + scene.height, round(column) : round(column) + scene.width] = (
                given
            )
    layers.sort(axis=0)
    counts = np.isfinite(layers).sum(axis=0)
    return np.nan_to_num(np.take_along_axis(layers, (counts // 2 * (counts > 0))[None], 0)[0]).astype(dtype), counts > 0


def test_median_takes_one_of_the_pixels(tmp_path, monkeypatch):
    folder = _scenes(tmp_path / "scenes")
    found = _joined(folder, "median")
    pixels, valid = _median(folder, found.shape, found.attrs["transform"], found.dtype)
    np.testing.assert_array_equal(found[...], pixels)
    np.testing.assert_array_equal(validity(found)[...], valid)
    monkeypatch.setattr("bigimg.io.mosaic._MEDIAN_BYTES", 5000)  # many strips
    np.testing.assert_array_equal(found[...], pixels)


@pytest.mark.parametrize("rule", ["first", "median"])
def test_any_box_is_that_part_of_the_whole(tmp_path, rule):
    found = pickle.loads(pickle.dumps(_joined(_scenes(tmp_path / "scenes"), rule)))
    whole, valid = found[...], validity(found)[...]
    for _ in range(40):
        low = [int(RNG.integers(0, size)) for size in found.shape]
        box = tuple(slice(start, int(RNG.integers(start, size)) + 1) for start, size in zip(low, found.shape))
        np.testing.assert_array_equal(found[box], whole[box])
        np.testing.assert_array_equal(validity(found)[box], valid[box])


def test_box_touches_its_scenes_only(tmp_path, monkeypatch):
    found = _joined(_scenes(tmp_path / "scenes", places=((0, 0), (0, 170), (0, 320))), "first")
    read = []

    def record(path, part, box):
        read.append((path.name, box[-1]))
        return original(path, part, box)

    original = geotiff.read
    monkeypatch.setattr(geotiff, "read", record)
    found[:, 10:20, 175:180]
    assert read == [("scene1.tif", slice(5, 10))]


def test_gaps_without_a_value_become_a_mask(tmp_path):
    folder = _scenes(tmp_path / "scenes", nodata=None)
    found = _joined(folder, "first")
    assert "nodata" not in found.attrs
    assert found.attrs["mask"]
    covered = np.zeros(found.shape[-2:], bool)
    for source, place in zip(found.members, found.places):
        covered[place.row : place.row + source.shape[-2], place.column : place.column + source.shape[-1]] = True
    assert not covered.all()
    np.testing.assert_array_equal(validity(found)[...], np.broadcast_to(covered, found.shape))
    stored = bigimg.ingest(folder, tmp_path / "stored.zarr", mosaic="first")["stored"]
    np.testing.assert_array_equal(stored.valid.values, np.broadcast_to(covered, found.shape))
    np.testing.assert_array_equal(stored.values, found[...])


def test_scenes_side_by_side_have_no_gap(tmp_path):
    found = _joined(_scenes(tmp_path / "scenes", places=((0, 0), (0, 150)), nodata=None, bands=1), "first")
    assert found.attrs["mask"]  # the second is longer by ten rows
    (tmp_path / "more").mkdir()
    for number in range(2):
        write_scene(tmp_path / "more" / f"{number}.tif", np.full((20, 30), 7, "u1"), _moved(0, 30 * number))
    found = _joined(tmp_path / "more", "first")
    assert "mask" not in found.attrs
    assert found.shape == (20, 60)
    assert validity(found) is None


def test_masks_of_files_decide(tmp_path):
    (tmp_path / "scenes").mkdir()
    masks = [np.zeros((20, 30), bool), np.ones((20, 30), bool)]
    masks[0][5:] = True
    for number, mask in enumerate(masks):
        write_scene(tmp_path / "scenes" / f"{number}.tif", np.full((20, 30), number + 1, "u1"), PLACE, mask=mask)
    found = _joined(tmp_path / "scenes", "first")
    assert found[4:6, 0].tolist() == [2, 1]
    assert validity(found)[...].all()


def test_floats_have_nan(tmp_path):
    found = _joined(_scenes(tmp_path / "scenes", dtype="f4", nodata=-9999), "last")
    pixels, _ = _merged(tmp_path / "scenes", method="last")
    np.testing.assert_array_equal(found[...], pixels)
    write_scene(tmp_path / "scenes" / "scene1.tif", np.ones((2, 9, 9), "f4"), PLACE)
    found = _joined(tmp_path / "scenes", "last")
    assert np.isnan(found.attrs["nodata"])
    assert not (found[...] == -9999).any()
    np.testing.assert_array_equal(np.isfinite(found[...]), validity(found)[...])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"crs": "EPSG:32622"}, "coordinate reference system: EPSG:32621 and EPSG:32622"),
        ({"crs": None}, "no coordinate reference system"),
        ({"dtype": "i2"}, "type of pixels: uint16 and int16"),
        ({"bands": 3}, "number of channels"),
        ({"names": ("red", "nir")}, "names of channels: none and"),
        ({"nodata": 9}, "value for missing pixels: 0 and 9.*--nodata"),
        ({"nodata": None}, "value for missing pixels: 0 and none"),
        ({"transform": _moved(0.4, 3)}, r"not on one grid: .* 0\.4 rows and 3 columns"),
        ({"transform": (15.0, *PLACE[1:4], -15.0, PLACE[5])}, "other sizes or directions"),
        ({"transform": (*PLACE[:2], PLACE[2] + 30 * 2**33, *PLACE[3:])}, "too large: other"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(tmp_path, change, said):
    folder = _scenes(tmp_path / "scenes", places=((0, 0),))
    given = {"dtype": "u2", "bands": 2, "nodata": 0, **change}
    pixels = np.ones((given.pop("bands"), 20, 20), given.pop("dtype"))
    write_scene(tmp_path / "other.tif", pixels, **given)
    sources = open_sources(folder)[0] + open_sources(tmp_path / "other.tif")[0]
    with pytest.raises(ImageError, match=f"(?s)other.*{said}|{said}"):
        join_scenes(sources, "mosaic", "first", None)
    if "too large" not in said:
        joined, skipped = join_scenes(sources, "mosaic", "first", None, "skip")
        assert [each.name for each in skipped] == ["other"]
        np.testing.assert_array_equal(joined[...], sources[0][...])


def test_nodata_that_no_pixel_can_have_is_none(tmp_path):
    (tmp_path / "scenes").mkdir()
    for number in range(2):
        write_scene(tmp_path / "scenes" / f"{number}.tif", np.full((20, 30), 7, "u1"), _moved(9 * number, 0))
    sources = [_with(each, -9999) for each in open_sources(tmp_path / "scenes")[0]]
    found = mosaic_of(sources, "first", "mosaic")
    assert "nodata" not in found.attrs
    assert (found[...] == 7).all()


def _with(source, nodata):
    from dataclasses import replace

    return replace(source, attrs={**source.attrs, "nodata": nodata})


def test_ingested_mosaic_goes_on_and_tells_of_its_scenes(tmp_path):
    folder = _scenes(tmp_path / "scenes")
    collection = bigimg.ingest(folder, tmp_path / "wide.zarr", mosaic="first")
    image = collection["wide"]
    pixels, transform = _merged(folder, method="first")
    np.testing.assert_array_equal(image.values, pixels)
    assert tuple(image.attrs["transform"]) == transform
    assert geo.is_upright(image.attrs["transform"])
    assert [Path(path).name for path in image.attrs["mosaic"]["scenes"]] == ["scene0.tif", "scene1.tif", "scene2.tif"]
    assert image.attrs["mosaic"]["rule"] == "first"
    assert collection.table["digest"].iloc[0] == _joined(folder, "first").fingerprint()
    assert bigimg.verify(tmp_path / "wide.zarr").is_whole
    assert _joined(folder, "first").fingerprint() != _joined(folder, "last").fingerprint()


def test_scene_that_changes_is_an_error(tmp_path):
    folder = _scenes(tmp_path / "scenes")
    found = _joined(folder, "first")
    write_scene(folder / "scene2.tif", np.ones((2, 9, 9), "u2"), PLACE)
    with pytest.raises(BigimgError, match=r"scene2.*has changed"):
        found[...]


def test_what_cannot_be_together(tmp_path):
    with pytest.raises(ParameterError, match="--append"):
        bigimg.ingest(tmp_path, tmp_path / "a.zarr", mosaic="first", append=True)
    with pytest.raises(ParameterError, match="--mode reference"):
        bigimg.ingest(tmp_path, tmp_path / "a.zarr", series="day", mode="reference")
    with pytest.raises(ParameterError, match="first, last, newest, median"):
        bigimg.ingest(tmp_path, tmp_path / "a.zarr", mosaic="best")


@pytest.mark.real_images
@pytest.mark.skipif(not DATA.exists(), reason=f"needs the scenes in {DATA}")
@pytest.mark.parametrize("rule", ["first", "last"])
def test_landsat_is_merged_as_rasterio_does(tmp_path, rule):
    from rasterio.merge import merge

    with rasterio.open(DATA / "LC08_L1TP_224078_20200518_20200518_01_RT.TIF") as scene:
        write_scene(tmp_path / "b.tif", scene.read(1), tuple(scene.transform)[:6], tiled=True)
    path = DATA / "LC08_L1TP_224077_20200518_20200518_01_RT_B2.TIF"
    sources = [with_nodata(each, 0) for name in (path, tmp_path / "b.tif") for each in open_sources(name)[0]]
    found = mosaic_of(sources, rule, "landsat")
    # Its "last" takes what its files do not call missing; its "first" fills what has the value.
    order = [path, tmp_path / "b.tif"] if rule == "first" else [tmp_path / "b.tif", path]
    pixels, transform = merge(order, nodata=0, method="first")
    assert found.attrs["transform"] == tuple(transform)[:6]
    np.testing.assert_array_equal(found[...], pixels[0])
