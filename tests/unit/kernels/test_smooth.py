from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from bigimg.errors import ImageError, ParameterError
from bigimg.kernels.smooth import _half_gaussian, gaussian, uniform

SHAPES = [(31, 46), (1, 40), (40, 1), (3, 5)]
DTYPES = ["bool", "uint8", "int16", "uint16", "float32", "float64", "int32"]


def picture(shape, dtype, seed=0):
    values = np.random.default_rng(seed).integers(0, 200, shape)
    return (values > 100) if dtype == "bool" else values.astype(dtype)


def tolerance(dtype):
    return 5e-5 if dtype == np.float32 else 1e-11


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES)
def test_gaussian_is_scipys(shape, dtype):
    image = picture(shape, dtype)
    for sigma, truncate in [(0.0, 4.0), (0.6, 4.0), (2.0, 4.0), (5.0, 2.5)]:
        result = gaussian(image, sigma, truncate, 2)
        expected = ndimage.gaussian_filter(image.astype(float), sigma, mode="reflect", truncate=truncate)
        np.testing.assert_allclose(result, expected, rtol=0, atol=tolerance(result.dtype))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("size", [1, 2, 3, 8, 13, 51])
def test_uniform_is_scipys(shape, dtype, size):
    image = picture(shape, dtype)
    result = uniform(image, size, 2)
    expected = ndimage.uniform_filter(image.astype(float), size, mode="reflect")
    np.testing.assert_allclose(result, expected, rtol=0, atol=tolerance(result.dtype))


@pytest.mark.parametrize("dtype", ["uint8", "float32", "float64"])
def test_three_dimensions(dtype):
    image = picture((7, 11, 13), dtype)
    smoothed, averaged = gaussian(image, 1.5, 4.0, 3), uniform(image, 5, 3)
    as_float = image.astype(float)
    np.testing.assert_allclose(smoothed, ndimage.gaussian_filter(as_float, 1.5), atol=tolerance(smoothed.dtype), rtol=0)
    np.testing.assert_allclose(averaged, ndimage.uniform_filter(as_float, 5), atol=tolerance(averaged.dtype), rtol=0)


@pytest.mark.parametrize(
    "smooth", [lambda a, n, v=None: gaussian(a, 1.2, 4.0, n, v), lambda a, n, v=None: uniform(a, 3, n, v)]
)
def test_leading_axes_are_planes(smooth):
    stack = picture((2, 3, 9, 10), "uint16")
    valid = picture(stack.shape, "bool", seed=1)
    np.testing.assert_array_equal(smooth(stack, 2)[1, 2], smooth(stack[1, 2], 2))
    np.testing.assert_array_equal(smooth(stack, 2, valid)[1, 2], smooth(stack[1, 2], 2, valid[1, 2]))
    np.testing.assert_array_equal(smooth(stack, 3)[1], smooth(stack[1], 3))


@pytest.mark.parametrize(
    ("dtype", "expected"),
    [
        ("bool", "f8"),
        ("uint8", "f8"),
        ("int16", "f8"),
        ("float16", "f4"),
        ("float32", "f4"),
        ("int32", "f8"),
        ("uint64", "f8"),
        (">u2", "f8"),
    ],
)
def test_result_dtype_is_that_of_scikit_image(dtype, expected):
    image = picture((5, 6), "uint8").astype(dtype)
    assert gaussian(image, 1.0, 4.0, 2).dtype == uniform(image, 3, 2).dtype == np.dtype(expected)


@pytest.mark.parametrize(
    "change", [lambda a: a[::2, ::-1], lambda a: a.T, lambda a: a.astype(a.dtype.newbyteorder(">"))]
)
def test_any_layout_of_memory_gives_the_same(change):
    image = change(picture((24, 25), "uint16"))
    plain = np.array(image, np.uint16)
    np.testing.assert_array_equal(gaussian(image, 2.0, 4.0, 2), gaussian(plain, 2.0, 4.0, 2))
    np.testing.assert_array_equal(uniform(image, 5, 2), uniform(plain, 5, 2))


def test_images_wider_than_a_strip():
    image = picture((4, 4500), "uint8")
    np.testing.assert_array_equal(
        gaussian(image, 2.0, 4.0, 2)[:, 3000:3010], gaussian(image[:, 2900:3100], 2.0, 4.0, 2)[:, 100:110]
    )
    np.testing.assert_allclose(uniform(image, 9, 2), ndimage.uniform_filter(image.astype(float), 9), atol=5e-5)


def test_masked_smoothing_is_normalised_by_the_weight_of_the_valid_pixels():
    image, valid = picture((20, 21), "float64"), picture((20, 21), "bool", seed=3)
    weight = ndimage.gaussian_filter(valid.astype(float), 1.5)
    expected = ndimage.gaussian_filter(np.where(valid, image, 0), 1.5) / weight
    np.testing.assert_allclose(gaussian(image, 1.5, 4.0, 2, valid), expected, rtol=1e-9)
    count = ndimage.uniform_filter(valid.astype(float), 5)
    expected = ndimage.uniform_filter(np.where(valid, image, 0), 5) / count
    np.testing.assert_allclose(uniform(image, 5, 2, valid), expected, rtol=1e-9)


@pytest.mark.parametrize("ndim", [2, 3])
def test_without_valid_pixels_the_result_is_zero(ndim):
    image = np.full((4, 5, 6), np.nan)
    nowhere = np.zeros(image.shape, bool)
    assert not gaussian(image, 1.0, 4.0, ndim, nowhere).any()
    assert not uniform(image, 3, ndim, nowhere).any()


@pytest.mark.parametrize("value", [0, 7, 65535])
def test_a_constant_image_stays_what_it_is(value):
    image = np.full((9, 70), value, np.uint16)
    np.testing.assert_array_equal(uniform(image, 51, 2), image)
    np.testing.assert_allclose(gaussian(image, 2.0, 4.0, 2), image, rtol=3e-7)


def test_a_nan_reaches_as_far_as_the_window_and_no_further():
    image = np.zeros((21, 21), np.float32)
    image[10, 10] = np.nan
    assert np.isnan(uniform(image, 5, 2)).sum() == 25
    assert np.isnan(gaussian(image, 1.0, 2.0, 2)).sum() == 25


def test_images_without_pixels():
    assert gaussian(np.zeros((0, 5)), 1.0, 4.0, 2).shape == uniform(np.zeros((2, 0, 5)), 3, 2).shape[1:] == (0, 5)


@pytest.mark.parametrize(
    "call",
    [
        lambda: gaussian(np.zeros((3, 3)), -1.0, 4.0, 2),
        lambda: gaussian(np.zeros((3, 3)), np.nan, 4.0, 2),
        lambda: gaussian(np.zeros((3, 3)), 1.0, np.inf, 2),
        lambda: uniform(np.zeros((3, 3)), 0, 2),
    ],
)
def test_parameters_out_of_bounds(call):
    with pytest.raises(ParameterError, match="got"):
        call()


@pytest.mark.parametrize(
    ("image", "valid"),
    [
        (np.zeros(3), None),
        (np.zeros((3, 3), complex), None),
        (np.zeros((3, 3)), np.ones((3, 2), bool)),
        (np.zeros((3, 3)), np.ones((3, 3))),
    ],
)
def test_images_that_cannot_be_smoothed(image, valid):
    with pytest.raises(ImageError, match="got"):
        gaussian(image, 1.0, 4.0, 2, valid)


def in_the_documented_order(image, weights):
    """Smooth along the rows, then down, one tap after the other: NumPy rounds after every operation."""
    radius = len(weights) - 1
    for axis in (1, 0):
        count = image.shape[axis]
        padded = np.moveaxis(
            np.pad(image, [(radius, radius) if a == axis else (0, 0) for a in (0, 1)], mode="symmetric"), axis, 0
        )
        total = weights[0] * padded[radius : radius + count]
        for tap in range(1, radius + 1):
            total = total + weights[tap] * (padded[radius - tap :][:count] + padded[radius + tap :][:count])
        image = np.moveaxis(total, 0, axis)
    return image


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("sigma", [0.5, 1.0, 2.0, 3.1])
def test_every_operation_rounds_by_itself(dtype, sigma):
    """A multiplication fused with an addition rounds once, not twice: the result would depend on the processor."""
    image = np.random.default_rng(0).random((70, 133)).astype(dtype)
    weights = _half_gaussian(sigma, 4.0).astype(dtype)
    np.testing.assert_array_equal(gaussian(image, sigma, 4.0, 2), in_the_documented_order(image, weights))
