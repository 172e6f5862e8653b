from __future__ import annotations

import numpy as np
import pytest
from skimage.exposure import rescale_intensity

from bigimg.errors import ParameterError
from bigimg.kernels.intensity import rescale


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int8", "uint16", "int32", "float32", "float64"])
@pytest.mark.parametrize("out_range", [(0, 255), (0.0, 1.0), (-1, 1)])
@pytest.mark.parametrize("in_range", [(10, 90), (-20, 30), (0, 1)])
def test_rescale_is_scikit_images(dtype, out_range, in_range):
    image = np.random.default_rng(0).integers(0, 120, (9, 11)).astype(dtype)
    expected = rescale_intensity(image, in_range, out_range)
    np.testing.assert_array_equal(rescale(image, *in_range, *out_range, expected.dtype), expected)


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_large_images_go_through_a_table(dtype):
    image = np.random.default_rng(0).integers(0, 256, (300, 301)).astype(dtype)
    result = rescale(image, 17, 201, 0, 65535, "uint16")
    np.testing.assert_array_equal(result[:5], rescale(image[:5], 17, 201, 0, 65535, "uint16"))
    np.testing.assert_array_equal(rescale(image[:, ::-1], 17, 201, 0, 65535, "uint16"), result[:, ::-1])


def test_a_range_of_one_value_is_clipped():
    image = np.array([[5, 130, 200]], np.uint8)
    expected = rescale_intensity(image, (130, 130), (0, 127))
    np.testing.assert_array_equal(rescale(image, 130, 130, 0, 127, np.float64), expected)


def test_nan_has_a_place_in_integers():
    assert rescale(np.array([np.nan, 1.0]), 0, 1, 10, 20, np.uint8).tolist() == [0, 20]


@pytest.mark.parametrize("ends", [(2, 1, 0, 1), (np.nan, 1, 0, 1), (0, np.inf, 0, 1)])
def test_ranges_that_are_none(ends):
    with pytest.raises(ParameterError, match="got"):
        rescale(np.zeros(3), *ends, np.float32)
