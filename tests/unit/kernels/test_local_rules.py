from __future__ import annotations

import numpy as np
import pytest
import scipy.ndimage as ndi
from skimage.filters import threshold_local, threshold_niblack
from skimage.filters.rank import maximum
from skimage.filters.rank import minimum as rank_minimum
from skimage.morphology import disk

from bigimg.errors import ParameterError
from bigimg.kernels import local
from bigimg.kernels.contrast import bernsen_mask
from bigimg.kernels.local import local_mean_mask, niblack_mask, phansalkar_mask, sauvola_mask
from bigimg.kernels.local_averages import local_gaussian_mask, local_median_mask
from bigimg.kernels.local_rules import EXACT, SAUVOLA, Rule, _exponential


def picture(shape, dtype, seed=0):
    return np.random.default_rng(seed).integers(1, 251, shape).astype(dtype)


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int8", "int16", "uint16", "int32", "float64"])
@pytest.mark.parametrize("k", [0.2, -0.37])
def test_niblack_is_scikit_images(dtype, k):
    image = picture((43, 61), "int32") > 99 if dtype == "bool" else picture((43, 61), "int32").astype(dtype)
    expected = image > threshold_niblack(image, 15, k)
    np.testing.assert_array_equal(niblack_mask(image, 15, k, 2), expected)
    volume = picture((7, 12, 11), "uint16")
    np.testing.assert_array_equal(niblack_mask(volume, 5, k, 3), volume > threshold_niblack(volume, 5, k))


def test_an_even_region_is_no_brighter_than_itself():
    for dtype in ("uint8", "uint16", "float64"):
        even = np.full((40, 50), 201, dtype)
        assert not niblack_mask(even, 15, 0.2, 2).any()
        assert not local_mean_mask(even, 15, 0, 2).any()
        assert not local_gaussian_mask(even, 15, 0, 2).any()
        assert not local_median_mask(even, 15, 0, 2).any()
    assert not local_gaussian_mask(np.full((40, 50), 0.1), 51, 0, 2).any()


def test_a_float_image_of_plateaus_and_zeros_is_decided_like_one_of_integers():
    whole = np.kron(picture((5, 6), "uint8") // 60, np.ones((12, 11), "uint8"))
    for method in (
        lambda image: niblack_mask(image, 7, 0.2, 2),
        lambda image: local_mean_mask(image, 7, 0, 2),
        lambda image: sauvola_mask(image, 7, 0.2, 90.0, 2),
        lambda image: phansalkar_mask(image, 7, 0.2, 90.0, 2.0, 0.1, 2),
    ):
        np.testing.assert_array_equal(method(whole.astype(float)), method(whole))
        np.testing.assert_array_equal(method(whole.astype("float32")), method(whole))


def test_a_bright_speck_leaves_the_dark_exact():
    """The grid is set by the greatest pixel; what it cannot decide is summed as floats are."""
    for bright in (1e6, 1e12, 1e40, 1e300, np.inf):
        image = picture((60, 70), "float64") / 1000
        image[3, 4] = bright
        without = sauvola_mask(image[20:, 20:], 15, 0.2, 0.1, 2)[10:, 10:]
        np.testing.assert_array_equal(sauvola_mask(image, 15, 0.2, 0.1, 2)[30:, 30:], without)
        assert 0.1 < without.mean() < 0.9


def test_windows_of_more_pixels_than_integers_hold():
    image = picture((9, 8), "uint16")
    expected = image > ndi.uniform_filter(image.astype(float), 46349, mode="reflect") - 0.3
    np.testing.assert_array_equal(local_mean_mask(image, 46349, 0.3, 2), expected)


def test_the_grid_holds_what_it_must():
    for greatest in (1e-80, 1.0, 65535.0, 1e80):
        for count in (1, 2601, 101**3, 10**9):
            grid = local._grid(Rule(SAUVOLA, k=0.2, r=greatest / 2), count, 0.0, greatest)
            assert grid is not None
            assert (greatest / grid.unit + 1) * count < 2**63
            assert (greatest**2 / grid.unit_of_squares + 2) * count < 2**63
            assert greatest / grid.unit < 2**51
    assert local._grid(Rule(SAUVOLA), 9, 0.0, 0.0) is None
    assert local._grid(Rule(SAUVOLA), 9, 0.0, np.inf) is None
    assert EXACT.off == 0


def test_the_exponential_is_that_of_numpy():
    values = np.random.default_rng(0).uniform(-690, 690, 5000)
    found = np.array([_exponential.py_func(np.float64(value)) for value in values])
    np.testing.assert_allclose(found, np.exp(values), rtol=2.0**-46)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "float32", "float64"])
@pytest.mark.parametrize("method", ["gaussian", "median"])
def test_local_averages_are_scikit_images(dtype, method):
    kernel = local_gaussian_mask if method == "gaussian" else local_median_mask
    for shape in ((43, 61), (1, 30), (4, 3)):
        image = picture(shape, dtype)
        expected = image > threshold_local(image.astype(float), 15, method, 0.123)
        np.testing.assert_array_equal(kernel(image, 15, 0.123, 2), expected)
        np.testing.assert_array_equal(kernel(image, 1, 0.123, 2), np.ones(shape, bool))


def test_bernsen_is_that_of_rank_filters():
    image = picture((50, 60), "uint8") // 8 * (1 + np.add.outer(np.arange(50), np.arange(60)) // 20).astype("uint8")
    low, high = rank_minimum(image, disk(4)).astype(int), maximum(image, disk(4)).astype(int)
    expected = np.where(high - low < 40, low + high > 255, 2 * image.astype(int) > low + high)
    np.testing.assert_array_equal(bernsen_mask(image, disk(4).astype(bool), 40, 127.5, 2), expected)


@pytest.mark.parametrize("dtype", ["int8", "uint64", "int64", "int32"])
def test_bernsen_of_the_ends_of_a_dtype(dtype):
    info = np.iinfo(dtype)
    image = np.array([[info.min, info.max, info.max - 1, info.min, info.min + 1]], dtype)
    found = bernsen_mask(image, np.ones((1, 3), bool), 0.0, 0.0, 2)
    np.testing.assert_array_equal(found, [[False, True, True, False, True]])


@pytest.mark.parametrize(
    "call",
    [
        lambda: niblack_mask(np.zeros((3, 3)), 4, 0.2, 2),
        lambda: phansalkar_mask(np.zeros((3, 3)), 3, 0.2, 0.0, 2.0, 1.0, 2),
        lambda: phansalkar_mask(np.zeros((3, 3)), 3, 0.2, np.nan, 2.0, 1.0, 2),
    ],
)
def test_parameters_out_of_bounds(call):
    with pytest.raises(ParameterError, match="got"):
        call()
