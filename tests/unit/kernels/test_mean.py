from __future__ import annotations

import numpy as np
import pytest

from bigimg.kernels.mean import _MOST, _parts, fits
from bigimg.kernels.smooth import uniform
from bigimg.kernels.windows import sum_boxes, sum_windows


@pytest.mark.parametrize("number", [1, 2, 3, 7, 9, 25, 125, 2601, 65025, _MOST - 1, _MOST])
def test_two_products_round_as_a_division(number):
    high, low = _parts(number)
    rng = np.random.default_rng(number)
    sums = np.concatenate([rng.integers(-(2**31), 2**31, 100_000), np.arange(-999, 999) * number % 2**31, range(999)])
    np.testing.assert_array_equal(sums * high + sums * low, sums / number)


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int8", "uint16", "int16"])
@pytest.mark.parametrize("shape", [(40, 50), (3, 4), (1, 9), (5, 2100)])
def test_integers_have_the_means_of_floats(dtype, shape):
    image = np.random.default_rng(0).integers(0, 2**15, shape).astype(dtype)
    for size in (1, 3, 4, 5, 51):
        np.testing.assert_array_equal(uniform(image, size, 2), uniform(image.astype(np.float64), size, 2))


@pytest.mark.parametrize("size", [1, 3, 4, 11])
def test_volumes_too(size):
    image = np.random.default_rng(0).integers(0, 65536, (5, 9, 8)).astype(np.uint16)
    np.testing.assert_array_equal(uniform(image, size, 3), uniform(image.astype(np.float64), size, 3))


def test_sums_that_do_not_fit_are_summed_as_floats():
    assert not fits(np.dtype("uint16"), 183**2)
    image = np.full((4, 5), 65535, np.uint16)
    np.testing.assert_array_equal(uniform(image, 183, 2), image)


@pytest.mark.parametrize("mirror", [False, True])
@pytest.mark.parametrize("shape", [(30, 41), (1, 6), (4, 9, 12), (1, 5, 4)])
def test_sums_of_boxes_have_the_values_of_sums_of_windows(shape, mirror):
    values = np.random.default_rng(0).integers(0, 1000, shape).astype(np.float64)
    for size in (1, 3, 8, 15):
        expected = sum_windows(values, size, tuple(range(values.ndim)), mirror=mirror)
        np.testing.assert_array_equal(sum_boxes(values, size, mirror=mirror), expected)
