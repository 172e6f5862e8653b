"""How much pixels differ from those of another image."""

import cv2
import dask.array as da
import numpy as np
import pytest
import xarray as xr

import bigimg
from bigimg.engine.plan import stages
from bigimg.errors import ImageError, ParameterError
from bigimg.testing import random_image


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32", "float64"])
def test_equals_opencv(dtype):
    first, second = random_image((20, 30), dtype, 0), random_image((20, 30), dtype, 1)
    found = bigimg.exposure.absolute_difference(first, other=second)
    np.testing.assert_array_equal(found, cv2.absdiff(first, second))
    assert found.dtype == first.dtype


@pytest.mark.parametrize(
    ("first", "second", "expected", "dtype"),
    [
        (np.array([[-128, 127]], "int8"), np.array([[127, -128]], "int8"), [[255, 255]], "uint8"),
        (np.array([[-(2**31)]], "int32"), np.array([[2**31 - 1]], "int32"), [[2**32 - 1]], "uint32"),
        (np.array([[0, 2**32 - 1]], "uint32"), np.array([[-(2**31), 5]], "int32"), [[2**31, 2**32 - 6]], "uint32"),
        (np.array([[True, False]]), np.array([[True, True]]), [[0, 1]], "uint8"),
        (np.array([[3]], "uint8"), np.array([[4.5]]), [[1.5]], "float64"),
        (np.array([[3]], "float32"), np.array([[4.5]]), [[1.5]], "float32"),
    ],
)
def test_no_difference_wraps_around(first, second, expected, dtype):
    found = bigimg.exposure.absolute_difference(first, other=second)
    assert found.dtype == dtype
    np.testing.assert_array_equal(found, expected)


def test_a_difference_beyond_its_dtype_is_an_error():
    large = np.full((1, 2), 3e38, "float32")
    with pytest.raises(ImageError, match="more than float32"):
        bigimg.exposure.absolute_difference(large, other=-large)
    with pytest.raises(ImageError, match="32 bits"):
        bigimg.exposure.absolute_difference(large, other=np.ones((1, 2), "int64"))
    with pytest.raises(ImageError, match="one shape"):
        bigimg.exposure.absolute_difference(large, other=np.ones((2, 2), "float32"))
    with pytest.raises((ImageError, ParameterError)):
        bigimg.exposure.absolute_difference(large, other=3)


def test_a_background_of_all_frames_is_made_once():
    video = np.random.default_rng(0).integers(0, 256, (30, 8, 9), np.uint8)
    lazy = xr.DataArray(da.from_array(video, chunks=(1, 4, 9)), dims=("t", "y", "x"))
    background = bigimg.transform.temporal_median(lazy, frames=5)
    found = bigimg.exposure.absolute_difference(lazy, other=background)
    smooth = bigimg.filters.gaussian(found, sigma=1.0)
    median = next(stage for stage in stages([smooth.data]) if "median" in stage.name)
    assert median.tiles == 2
    expected = np.abs(video - np.median(video[[0, 7, 14, 22, 29]], axis=0))
    np.testing.assert_array_equal(found.compute(), expected)
    np.testing.assert_array_equal(smooth.compute(), bigimg.filters.gaussian(expected, sigma=1.0))
