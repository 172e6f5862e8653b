from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from bigimg.errors import ImageError, ParameterError
from bigimg.kernels.deviation import _of_large, standard_deviation


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int8", "uint16", "int16", "uint32", "int32", "float32", "float64"])
@pytest.mark.parametrize("size", [1, 3, 4, 9])
def test_equals_a_look_at_every_window(dtype, size):
    rng = np.random.default_rng(0)
    image = rng.random((20, 31)) > 0.4 if dtype == "bool" else (rng.random((20, 31)) * 100).astype(dtype)
    expected = ndimage.generic_filter(image.astype(float), np.std, size, mode="reflect")
    np.testing.assert_allclose(standard_deviation(image, size, 2), expected, rtol=1e-6, atol=1e-12)


@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16", "int32", "uint32"])
@pytest.mark.parametrize("end", ["min", "max"])
def test_a_small_contrast_at_the_end_of_the_range_is_exact(dtype, end):
    image = np.full((30, 30), getattr(np.iinfo(dtype), end), dtype)
    assert not standard_deviation(image, 9, 2).any()
    image[15, 15] = int(image[15, 15]) + (1 if end == "min" else -1)
    assert standard_deviation(image, 9, 2).max() == np.sqrt(80) / 81


@pytest.mark.parametrize("count", [1, 7, 100_000, 2**20])
def test_sums_whose_products_need_more_than_64_bits(count):
    values = np.random.default_rng(count).integers(0, 65536, count)
    got = _of_large(np.int64(values.sum()), np.int64((values * values).sum()), np.int64(count))
    np.testing.assert_allclose(got, values.std(), rtol=1e-13)


def test_a_window_larger_than_the_image_and_than_64_bits():
    image = np.random.default_rng(0).integers(0, 65536, (40, 50)).astype(np.uint16)
    padded = np.pad(image.astype(float), 200, mode="symmetric")
    assert standard_deviation(image, 401, 2)[7, 9] == pytest.approx(padded[7:408, 9:410].std(), rel=1e-13)


@pytest.mark.parametrize("dtype", ["uint8", "uint32", "float64"])
def test_without_valid_pixels_it_is_zero(dtype):
    assert not standard_deviation(np.arange(25).reshape(5, 5).astype(dtype), 3, 2, np.zeros((5, 5), bool)).any()


def test_64_bits_are_refused():
    with pytest.raises(ImageError, match="int64"):
        standard_deviation(np.zeros((3, 3), np.int64), 3, 2)
    with pytest.raises(ParameterError, match="got 0"):
        standard_deviation(np.zeros((3, 3)), 0, 2)
