from __future__ import annotations

import numpy as np
import pytest

from bigimg.errors import ImageError, ParameterError
from bigimg.kernels.histogram import bin_edges, count_floats, count_integers, extrema


def two_classes(dtype, seed, shift=0):
    rng = np.random.default_rng(seed)
    values = np.where(rng.random((37, 41)) < 0.3, rng.normal(70, 9, (37, 41)), rng.gamma(3, 6, (37, 41)))
    return (values.clip(0, 120) + shift).astype(dtype)


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int8", "uint16", "int16", "int32", "uint64"])
def test_counts_of_integers_are_bincounts(dtype):
    image = two_classes(dtype, 0, shift=0 if dtype[0] in "bu" else -50)
    low, high = int(image.min()), int(image.max())
    expected = np.bincount((image.astype(int) - low).ravel())
    np.testing.assert_array_equal(count_integers(image, low, high), expected)
    np.testing.assert_array_equal(count_integers(image[:, ::2], low, high).sum(), image[:, ::2].size)
    np.testing.assert_array_equal(count_integers(image, low - 5, high + 3)[5:-3], expected)
    np.testing.assert_array_equal(count_integers(image, low + 1, high + 1)[:-1], expected[1:])


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16"])
def test_counts_over_the_whole_dtype(dtype):
    kind = np.iinfo(dtype)
    image = np.random.default_rng(0).integers(kind.min, kind.max, (33, 35), dtype, endpoint=True)
    valid = np.random.default_rng(1).random(image.shape) < 0.5
    expected = np.bincount(image.ravel().astype(int) - kind.min, minlength=kind.max - kind.min + 1)
    np.testing.assert_array_equal(count_integers(image, kind.min, kind.max), expected)
    expected = np.bincount(image[valid].astype(int) - kind.min, minlength=kind.max - kind.min + 1)
    np.testing.assert_array_equal(count_integers(image, kind.min, kind.max, valid), expected)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("bins", [1, 7, 256, 5000])
def test_counts_of_floats_are_numpys(dtype, bins):
    rng = np.random.default_rng(2)
    for values in (rng.random((50, 60)), rng.integers(0, 50, (50, 60)) / 10, rng.normal(1000, 1e-1, (50, 60))):
        image = values.astype(dtype)
        low, high = image.min(), image.max()
        np.testing.assert_array_equal(count_floats(image, low, high, bins), np.histogram(image, bins, (low, high))[0])
        low, high = dtype_of(image)(low + (high - low) / 3), dtype_of(image)(high - (high - low) / 7)
        np.testing.assert_array_equal(count_floats(image, low, high, bins), np.histogram(image, bins, (low, high))[0])


def dtype_of(image):
    return image.dtype.type


def test_counts_of_floats_leave_invalid_pixels_out():
    image = np.random.default_rng(0).random((20, 20))
    valid = image < 0.5
    image[~valid] = np.nan
    np.testing.assert_array_equal(count_floats(image, 0, 1, 10, valid), np.histogram(image[valid], 10, (0, 1))[0])


def test_a_float_image_of_one_value_falls_into_one_bin():
    image = np.full((3, 3), 5, np.float32)
    np.testing.assert_array_equal(count_floats(image, 5, 5, 4), np.histogram(image, 4, (5, 5))[0])


def test_a_range_too_small_for_float32_is_binned_in_float64():
    image = np.array([1.0, np.nextafter(np.float32(1), np.float32(2))], np.float32)
    counts = count_floats(image, *extrema(image), 256)
    assert counts[0] == counts[-1] == 1
    assert bin_edges(image[0], image[1], 256, image.dtype).dtype == np.float64


def test_extrema():
    image = np.array([[4, 2], [9, 1]], np.int16)
    assert extrema(image) == (1, 9)
    assert extrema(image, image < 9) == (1, 4)
    assert extrema(image, image > 99) is None
    assert extrema(image[:0]) is None


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_extrema_of_what_is_not_finite(value):
    image = np.array([1.0, value, 2.0], np.float32)
    with pytest.raises(ImageError, match="mask"):
        extrema(image)
    assert extrema(image, np.isfinite(image)) == (1, 2)


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda: count_integers(np.zeros(3), 0, 1), ImageError),
        (lambda: count_floats(np.zeros(3, int), 0, 1, 4), ImageError),
        (lambda: count_integers(np.zeros(3, int), 0, 1, np.ones(2, bool)), ImageError),
        (lambda: count_integers(np.zeros(3, int), 2, 1), ParameterError),
        (lambda: count_floats(np.zeros(3), 2, 1, 4), ParameterError),
        (lambda: count_floats(np.zeros(3), 0, 1, 0), ParameterError),
    ],
)
def test_what_cannot_be_counted(call, error):
    with pytest.raises(error, match="got"):
        call()


def test_subnormal_values_are_counted_where_no_product_finds_their_bin():
    values = np.random.default_rng(0).random(500) * 1e-310
    low, high = values.min(), values.max()
    np.testing.assert_array_equal(count_floats(values, low, high, 16), np.histogram(values, 16, (low, high))[0])


def test_float32_is_binned_in_float64_where_it_cannot_hold_the_range():
    values = np.float32([-3e38, 0, 3.3e38])
    np.testing.assert_array_equal(count_floats(values, values[0], values[2], 3), [1, 1, 1])


def test_values_too_large_for_sums_are_refused():
    with pytest.raises(ImageError, match="too large to be counted"):
        count_floats(np.array([-1e308, 1.7e308]), np.float64(-1e308), np.float64(1.7e308), 256)
