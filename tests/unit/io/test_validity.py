"""Pixels that are none never count: no value of a collar enters a statistic, whatever says that it is one."""

import numpy as np
import pytest

import bigimg
from bigimg.errors import ParameterError
from bigimg.io.documents import read_attributes
from bigimg.io.inputs import open_inputs
from bigimg.io.scan import open_sources
from bigimg.io.validity import collar_note, collar_value, filled, validity, with_nodata
from bigimg.run.evaluate import lazy_image
from tests.unit.io.scenes import turned, write_scene

rasterio = pytest.importorskip("rasterio", reason="scenes are an extra")

RNG = np.random.default_rng(1)
COVERED = turned(300, 400)
BRIGHT = np.where(RNG.random((2, 300, 400)) < 0.4, 2000, 3000).astype("u2")
SCENE = np.where(COVERED, BRIGHT, 0).astype("u2")


def _source(path):
    ((source,), _) = open_sources(path)
    return source


def _scenes(folder):
    """Return the same scene, with each way to say which pixels are none."""
    floats = np.where(COVERED, BRIGHT, np.nan).astype("f4")
    return {
        "nodata": _source(write_scene(folder / "nodata.tif", SCENE, nodata=0)),
        "mask": _source(write_scene(folder / "mask.tif", SCENE, mask=COVERED)),
        "nan": _source(write_scene(folder / "nan.tif", floats)),
        "given": with_nodata(_source(write_scene(folder / "given.tif", SCENE)), 0),
    }


@pytest.mark.parametrize("way", ["nodata", "mask", "nan", "given"])
def test_collar_changes_no_statistic(tmp_path, way):
    source = _scenes(tmp_path)[way]
    image = lazy_image(source, 128)
    np.testing.assert_array_equal(image.valid.values, np.broadcast_to(COVERED, SCENE.shape))
    known = bigimg.threshold.otsu_value(BRIGHT[0][COVERED][None].astype(source.dtype))
    assert bigimg.threshold.otsu_value(image.isel(c=0)).compute() == known
    assert bigimg.exposure.mean_value(image.isel(c=1)).compute() == pytest.approx(BRIGHT[1][COVERED].mean())
    index = bigimg.color.normalized_difference(image, first=0, second=1)
    np.testing.assert_array_equal(index.valid.values, COVERED)
    smooth = bigimg.filters.gaussian(image.isel(c=0), sigma=2.0)
    assert smooth.values[COVERED].min() >= 1999.99


@pytest.mark.parametrize("way", ["nodata", "mask", "nan"])
def test_ingest_keeps_what_counts(tmp_path, way):
    path = _scenes(tmp_path)[way].path
    collection = bigimg.ingest(path, tmp_path / "s.zarr")
    image = collection[way]
    np.testing.assert_array_equal(image.valid.values, np.broadcast_to(COVERED, SCENE.shape))
    windows = read_attributes(collection.path / f"images/{way}")["ome"]["omero"]["channels"]
    assert all(channel["window"]["min"] == 2000 for channel in windows)
    assert bigimg.verify(collection.path).is_whole


@pytest.mark.parametrize("mode", ["copy", "reference"])
def test_value_that_is_none_can_be_given_at_ingest(tmp_path, mode):
    path = write_scene(tmp_path / "scene.tif", SCENE)
    image = bigimg.ingest(path, tmp_path / "s.zarr", mode=mode, nodata=0)["scene"]
    assert image.attrs["nodata"] == 0
    np.testing.assert_array_equal(image.valid.values[0], COVERED)


def test_value_that_is_none_can_be_given_for_a_run(tmp_path):
    path = write_scene(tmp_path / "scene.tif", SCENE)
    collection = bigimg.ingest(path, tmp_path / "s.zarr")
    for source in (path, collection.path):
        (found,) = open_inputs(source, nodata=0).sources.values()
        np.testing.assert_array_equal(validity(found)[0, :, :], COVERED)


@pytest.mark.parametrize("value", [70000, -1, 0.5, float("nan")])
def test_value_that_no_pixel_can_have_is_refused(tmp_path, value):
    with pytest.raises(ParameterError, match="nodata must be a value"):
        with_nodata(_source(write_scene(tmp_path / "scene.tif", SCENE)), value)


def test_alpha_is_a_mask(tmp_path):
    colours = RNG.integers(1, 255, (4, 300, 400), np.uint8)
    colours[3] = np.where(COVERED, 255, 0)
    source = _source(write_scene(tmp_path / "rgba.tif", colours, photometric="rgb", alpha="yes"))
    assert source.shape == (3, 300, 400)
    assert source.attrs["channel_names"] == ("red", "green", "blue")
    np.testing.assert_array_equal(source[...], colours[:3])
    np.testing.assert_array_equal(validity(source)[1, 20:90, 10:], COVERED[20:90, 10:])


def test_collar_of_a_scene_without_nodata_is_warned_of(tmp_path):
    source = _source(write_scene(tmp_path / "scene.tif", SCENE))
    assert collar_value(source) == 0
    assert "--nodata 0" in collar_note(source)
    assert collar_note(with_nodata(source, 0)) is None


@pytest.mark.parametrize("value", [0, 65535])
def test_collar_of_one_channel_is_none(tmp_path, value):
    pixels = BRIGHT.copy()
    pixels[0][~COVERED] = value
    assert collar_value(_source(write_scene(tmp_path / "scene.tif", pixels))) is None
    pixels[:, ~COVERED] = value
    assert collar_value(_source(write_scene(tmp_path / "both.tif", pixels))) == value


def test_dark_scene_has_no_collar(tmp_path):
    dark = RNG.integers(0, 40, (3, 300, 400), np.uint16)
    assert collar_value(_source(write_scene(tmp_path / "dark.tif", dark))) is None


def test_microscope_images_have_no_mask(tmp_path):
    import tifffile

    tifffile.imwrite(tmp_path / "cells.tif", SCENE[0])
    source = _source(tmp_path / "cells.tif")
    assert validity(source) is None
    assert collar_value(source) is None


def test_what_is_stored_where_nothing_counts():
    valid = np.array([[True, False]])
    pixels, value = filled(np.array([[0.5, 0.0]]), valid)
    assert np.isnan(value)
    assert np.isnan(pixels[0, 1])
    pixels, value = filled(np.array([[True, False]]), valid)
    assert (pixels.tolist(), pixels.dtype, value) == ([[1, 255]], np.uint8, 255)
    pixels, value = filled(np.array([[3, 0]], "i2"), valid)
    assert (pixels.tolist(), value) == ([[3, -32768]], -32768)
