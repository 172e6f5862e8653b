"""Series: scenes of one place by their days, in the order of time; and what no series can have."""

from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import bigimg
from bigimg.errors import ImageError
from bigimg.io.scan import open_sources
from bigimg.io.series import SeriesSource, join_scenes
from bigimg.io.times import parse_time
from bigimg.io.validity import validity, with_nodata
from tests.unit.io.scenes import PLACE, write_scene

rasterio = pytest.importorskip("rasterio", reason="scenes are an extra")

RNG = np.random.default_rng(6)
DATA = Path(__file__).parents[4] / "shared" / "data" / "sentinel2_series" / "TestEOPatch"


def _scene(path: Path, time: str | None, pixels=None, columns=0, **options) -> Path:
    path.parent.mkdir(exist_ok=True)
    pixels = RNG.integers(1, 4000, (2, 30, 40), np.uint16) if pixels is None else pixels
    a, b, c, d, e, f = PLACE
    write_scene(path, pixels, **{"transform": (a, b, c + a * columns, d, e, f), "nodata": 0, **options})
    if time is not None:
        with rasterio.open(path, "r+") as scene:
            scene.update_tags(TIFFTAG_DATETIME=time)
    return path


def _pixels(path: Path) -> np.ndarray:
    with rasterio.open(path) as scene:
        return scene.read()


def _series(folder: Path, mosaic=None, on_error="fail", nodata=None):
    sources = [with_nodata(each, nodata) for each in open_sources(folder)[0]]
    return join_scenes(sources, "series", mosaic, "day", on_error)


def test_scenes_come_in_the_order_of_time(tmp_path):
    folder = tmp_path / "scenes"
    days = {"a": "2020:05:20 10:00:00", "b": "2019-12-31T23:30:00-02:00", "c": "2020:05:18 13:27:04"}
    files = {name: _scene(folder / f"{name}.tif", time) for name, time in days.items()}
    found, skipped = _series(folder)
    assert isinstance(found, SeriesSource)
    assert not skipped
    assert found.dims == ("t", "c", "y", "x")
    assert found.attrs["times"] == ("2020-01-01T01:30:00", "2020-05-18T13:27:04", "2020-05-20T10:00:00")
    np.testing.assert_array_equal(found[...], np.stack([_pixels(files[name]) for name in "bca"]))
    np.testing.assert_array_equal(found[1:3, :, 4:9, 7], found[...][1:3, :, 4:9, 7])


def test_series_keeps_its_times_in_the_collection(tmp_path):
    for day in (18, 19, 25):
        _scene(tmp_path / "scenes" / f"{day}.tif", f"2020:05:{day} 13:27:04", RNG.integers(0, 2, (30, 40), np.uint8))
    image = bigimg.ingest(tmp_path / "scenes", tmp_path / "may.zarr", series="day")["may"]
    assert image.dims == ("t", "y", "x")
    assert image.time.values.tolist() == [
        np.datetime64(f"2020-05-{day}T13:27:04", "ns").astype(int) for day in (18, 19, 25)
    ]
    np.testing.assert_array_equal(image.valid.values, image.values != 0)
    assert bigimg.verify(tmp_path / "may.zarr").is_whole
    stored = xr.open_zarr(tmp_path / "may.zarr/images/may", consolidated=False, decode_coords="all")
    assert stored["0"].time.values.tolist() == image.time.values.tolist()


def test_scenes_of_a_day_are_laid_together(tmp_path):
    folder = tmp_path / "scenes"
    _scene(folder / "a1.tif", "2020:05:18 13:27:04")
    _scene(folder / "a2.tif", "2020:05:18 13:27:28", columns=25)
    _scene(folder / "b2.tif", "2020:06:03 13:27:28", columns=25)
    with pytest.raises(ImageError, match=r"a2 .* same day as a1 .* 2020-05-18.*--mosaic first"):
        _series(folder)
    found, _ = _series(folder, "first")
    assert found.shape == (2, 2, 30, 65)
    assert found.attrs["times"] == ("2020-05-18T13:27:04", "2020-06-03T13:27:28")
    assert found.attrs["transform"] == PLACE
    np.testing.assert_array_equal(found[0, :, :, :40], _pixels(folder / "a1.tif"))
    np.testing.assert_array_equal(found[0, :, :, 40:], _pixels(folder / "a2.tif")[..., 15:])
    np.testing.assert_array_equal(found[1, :, :, 25:], _pixels(folder / "b2.tif"))
    assert not validity(found)[1, :, :, :25].any()
    assert validity(found)[1, :, :, 25:].all()


@pytest.mark.parametrize(
    ("time", "change", "said"),
    [
        ("2020:05:18 13:27:04", {}, r"of the same time as a .*2020-05-18T13:27:04"),
        ("2020:05:18 15:00:00", {}, r"of the same day as a "),
        ("2020:05:20 13:27:04", {"crs": "EPSG:32622"}, "coordinate reference system: EPSG:32621 and EPSG:32622"),
        ("2020:05:20 13:27:04", {"pixels": np.ones((2, 30, 40), "i2")}, "type of pixels: uint16 and int16"),
        ("2020:05:20 13:27:04", {"columns": 3}, "does not cover what a "),
        (None, {}, r"b \(.*does not say when it was taken.*TIFFTAG_DATETIME"),
        ("yesterday", {}, r"does not say when it was taken: 'yesterday'"),
    ],
)
def test_what_no_series_can_have_is_named(tmp_path, time, change, said):
    folder = tmp_path / "scenes"
    _scene(folder / "a.tif", "2020:05:18 13:27:04")
    _scene(folder / "b.tif", time, **change)
    _scene(folder / "c.tif", "2020:05:19 13:27:04")
    with pytest.raises(ImageError, match=said):
        _series(folder)
    found, skipped = _series(folder, on_error="skip")
    assert [each.name for each in skipped] == ["b"]
    assert len(found.attrs["times"]) == 2
    collection = bigimg.ingest(folder, tmp_path / "rest.zarr", series="day", on_error="skip")
    assert [each["name"] for each in collection.attrs["bigimg"]["skipped"]] == ["b"]
    assert collection["rest"].sizes["t"] == 2


def test_masks_of_files_need_a_value(tmp_path):
    mask = np.ones((30, 40), bool)
    mask[:9] = False
    pixels = np.full((2, 30, 40), 7, np.uint8)
    for day in (18, 19):
        _scene(tmp_path / "scenes" / f"{day}.tif", f"2020:05:{day} 13:00:00", pixels, nodata=None, mask=mask)
    with pytest.raises(ImageError, match=r"18 .*--nodata"):
        _series(tmp_path / "scenes")
    found, _ = _series(tmp_path / "scenes", nodata=255)
    np.testing.assert_array_equal(validity(found)[...], np.broadcast_to(mask, found.shape))
    assert (found[:, :, :9] == 255).all()


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("2020-05-18T13:27:04Z", datetime.fromisoformat("2020-05-18T13:27:04+00:00")),
        ("2020:05:18 13:27:04", datetime.fromisoformat("2020-05-18T13:27:04+00:00")),
        ("2020-05-18", datetime.fromisoformat("2020-05-18T00:00:00+00:00")),
        ("18th of May", None),
        (None, None),
    ],
)
def test_times_as_they_are_written(said, meant):
    assert parse_time(said) == meant


@pytest.mark.real_images
@pytest.mark.skipif(not DATA.exists(), reason=f"needs the series in {DATA}")
def test_real_series_of_vegetation(tmp_path):
    import json

    times = json.loads((DATA / "timestamps.json").read_text())[:9]
    index = np.load(DATA / "data" / "NDVI.npy", mmap_mode="r")[:9, ..., 0]
    for number in np.random.default_rng(0).permutation(9):
        time = datetime.fromisoformat(times[number]).strftime("%Y:%m:%d %H:%M:%S")
        _scene(tmp_path / "scenes" / f"{number}.tif", time, np.array(index[number]), nodata=None)
    with pytest.raises(ImageError, match=r"8 .* same day as 7 .* 2015-12-08"):
        _series(tmp_path / "scenes")
    found, _ = _series(tmp_path / "scenes", "first")
    days = np.concatenate([index[:7], np.where(np.isfinite(index[7]), index[7], index[8])[None]])
    np.testing.assert_array_equal(found[...], days)
    np.testing.assert_array_equal(validity(found)[...], np.isfinite(days))
    assert [parse_time(time) for time in found.attrs["times"]] == [parse_time(time) for time in times[:8]]
