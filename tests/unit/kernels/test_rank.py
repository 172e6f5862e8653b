from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from bigimg.errors import ParameterError
from bigimg.kernels.rank import maximum, median, minimum, percentile

DTYPES = ["bool", "uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64", "float32", "float64"]


def picture(shape, dtype, seed=0):
    values = np.random.default_rng(seed).normal(0, 100, shape)
    if dtype == "bool":
        return values > 10
    if dtype[0] == "u":
        values = abs(values)  # SciPy's median of uint64 goes by way of float64
    return values.astype(dtype) if dtype[0] == "f" else values.astype(int).astype(dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(21, 34), (1, 30), (30, 1), (2, 3)])
def test_median_is_scipys(shape, dtype):
    image = picture(shape, dtype)
    for size in (1, 3, 5, 7):
        result = median(image, size, 2)
        assert result.dtype == image.dtype
        np.testing.assert_array_equal(result, ndimage.median_filter(image, size, mode="reflect"))


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_windows_of_many_pixels(dtype):
    image = picture((40, 45), dtype)
    for size in (17, 31):
        np.testing.assert_array_equal(median(image, size, 2), ndimage.median_filter(image, size, mode="reflect"))


@pytest.mark.parametrize("dtype", ["bool", "uint8", "float32"])
def test_three_dimensions(dtype):
    image = picture((5, 8, 9), dtype)
    np.testing.assert_array_equal(median(image, 3, 3), ndimage.median_filter(image, 3, mode="reflect"))


@pytest.mark.parametrize("dtype", ["uint8", "int16", "float64", "bool"])
@pytest.mark.parametrize("ndim", [2, 3])
def test_masked_median_is_the_upper_median_of_the_valid_pixels(dtype, ndim):
    image, valid = picture((4, 6, 7), dtype), picture((4, 6, 7), "bool", seed=5)
    shape = (1, 3, 3) if ndim == 2 else (3, 3, 3)
    around = [np.pad(a, [(s // 2, s // 2) for s in shape], mode="symmetric") for a in (image, valid)]
    pixels, counted = (np.lib.stride_tricks.sliding_window_view(a, shape) for a in around)
    expected = np.zeros_like(image)
    for place in np.ndindex(image.shape):
        inside = np.sort(pixels[place][counted[place]])
        if len(inside):
            expected[place] = inside[len(inside) // 2]
    np.testing.assert_array_equal(median(image, 3, ndim, valid), expected)


def test_without_valid_pixels_the_result_is_zero():
    assert not median(np.full((5, 5), 9, np.uint8), 3, 2, np.zeros((5, 5), bool)).any()


def test_the_greatest_value_is_a_value_like_any_other():
    image = np.full((6, 6), 255, np.uint8)
    valid = picture((6, 6), "bool", seed=2)
    np.testing.assert_array_equal(median(image, 3, 2, valid)[valid], image[valid])


def test_images_wider_than_a_strip():
    image = picture((5, 2100), "int16")
    np.testing.assert_array_equal(median(image, 3, 2), ndimage.median_filter(image, 3, mode="reflect"))


def test_negative_zeros_are_zeros():
    image = np.array([[-0.0, 0.0, -0.0, -0.0, 0.0]], np.float32)
    assert not np.signbit(median(image, 3, 2)).any()
    assert not np.signbit(median(image, 7, 2)).any()


@pytest.mark.parametrize("size", [0, 2, -3])
def test_the_window_is_odd(size):
    with pytest.raises(ParameterError, match="odd"):
        median(np.zeros((3, 3)), size, 2)


def test_images_without_pixels():
    assert median(np.zeros((0, 4), np.uint8), 3, 2).shape == (0, 4)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "uint32", "float32", "float64"])
@pytest.mark.parametrize("size", [9, 11, 15, 19, 23, 41])
def test_every_width_in_every_dtype(dtype, size):
    image = picture((50, 130), dtype)
    for percent in (3, 50, 97.5):
        expected = ndimage.percentile_filter(image, percent, size, mode="reflect")
        np.testing.assert_array_equal(percentile(image, percent, size, 2), expected)


@pytest.mark.parametrize("size", [5, 7, 9])
def test_cubes(size):
    image = picture((6, 12, 13), "uint16")
    np.testing.assert_array_equal(median(image, size, 3), ndimage.median_filter(image, size, mode="reflect"))


def test_windows_larger_than_the_image_and_than_16_bits_can_count():
    image = picture((7, 9), "uint16")
    for size in (31, 253, 259):
        np.testing.assert_array_equal(median(image, size, 2), ndimage.median_filter(image, size, mode="reflect"))


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int8", "uint32", "float32", "float64"])
@pytest.mark.parametrize(
    "footprint", [np.ones((2, 4), bool), np.eye(3, dtype=bool), np.array([[1, 0, 0]], bool), np.ones((5, 5), bool)]
)
def test_extremes_are_scipys(dtype, footprint):
    image = picture((12, 15), dtype)
    for own, other in ((minimum, ndimage.minimum_filter), (maximum, ndimage.maximum_filter)):
        np.testing.assert_array_equal(own(image, footprint, 2), other(image, footprint=footprint, mode="reflect"))


def test_without_valid_neighbours_an_extreme_is_zero():
    left = np.array([[1, 0, 0]], bool)
    valid = np.array([[False, True, True]])
    np.testing.assert_array_equal(minimum(np.array([[5, 6, 7]], np.uint8), left, 2, valid), [[0, 0, 6]])


def test_bad_windows():
    for bad in (np.zeros((3, 3), bool), np.ones((3, 3, 3), bool)):
        with pytest.raises(ParameterError, match="footprint"):
            median(np.zeros((3, 3)), bad, 2)
    with pytest.raises(ParameterError, match="percentile"):
        percentile(np.zeros((3, 3)), 101, 3, 2)
