from __future__ import annotations

import numpy as np
import pytest
import scipy.ndimage as ndi
from skimage.filters import gabor_kernel

from bigimg.errors import ImageError
from bigimg.kernels.bands import difference_of_gaussians
from bigimg.kernels.convolution import as_terms, centred, convolve, correlate
from bigimg.kernels.gabor import gabor, gabor_radius, gabor_sigma, gabor_weights
from bigimg.kernels.gaussian_derivatives import gaussian_laplace, gaussian_weights, hessian, hessian_radius
from bigimg.kernels.planes import read_only
from bigimg.kernels.separable import correlate_axis, correlate_terms
from bigimg.kernels.taps import EVEN, GENERAL, ODD, weigh, weigh_square

DTYPES = ["bool", "uint8", "int16", "uint16", "int32", "float32", "float64"]


def picture(shape, dtype, seed=0):
    values = np.random.default_rng(seed).integers(0, 120, shape)
    return (values > 60) if dtype == "bool" else values.astype(dtype)


def numbers(*shape, seed=0, dtype="float64"):
    return np.random.default_rng(seed).normal(size=shape).astype(dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("parity", [GENERAL, EVEN, ODD])
@pytest.mark.parametrize("taps", [1, 2, 3, 4, 5, 7, 8, 9, 11, 15, 16, 23])
@pytest.mark.parametrize("fresh", [True, False])
def test_taps_are_added_in_their_order_and_rounded_one_by_one(taps, parity, fresh, dtype):
    if parity != GENERAL and taps % 2 == 0:
        return
    memory, weights = numbers(400, dtype=dtype), numbers(taps, seed=1, dtype=dtype)
    if parity != GENERAL:
        weights = weights + parity * weights[::-1]
    places = np.random.default_rng(2).integers(0, 300, taps)
    sums = numbers(77, seed=3, dtype=dtype)
    total = np.zeros_like(sums) if fresh else sums.copy()
    one = [memory[place : place + 77] for place in places]
    middle = taps // 2
    if parity == GENERAL:
        for weight, values in zip(weights, one):
            total = total + weight * values
    else:
        if parity == EVEN:
            total = total + weights[middle] * one[middle]
        for tap in range(1, middle + 1):
            total = total + weights[middle + tap] * (one[middle + tap] + parity * one[middle - tap])
    weigh(sums, memory, weights, places, parity, fresh)
    np.testing.assert_array_equal(sums, total)


@pytest.mark.parametrize("fresh", [True, False])
def test_a_square_of_taps_is_added_in_its_order(fresh):
    memory, weights, sums = numbers(400), numbers(9, seed=1), numbers(77, seed=3)
    places = np.array([5, 6, 7, 105, 106, 107, 205, 206, 207])
    wanted = sums.copy()
    weigh(wanted, memory, weights, places, GENERAL, fresh)
    weigh_square(sums, memory, weights, places, fresh)
    np.testing.assert_array_equal(sums, wanted)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kernel", [(3, 3), (1, 4), (2, 3), (5, 1), (4, 6)])
def test_tap_by_tap_has_the_bits_of_scipy(kernel, dtype):
    image, weights = picture((31, 46), dtype), numbers(*kernel)
    result = correlate(image, weights, 2)
    if dtype == "float32":
        np.testing.assert_allclose(result, ndi.correlate(image, weights), atol=1e-3)
    else:
        np.testing.assert_array_equal(result, ndi.correlate(image.astype(float), weights))
        np.testing.assert_array_equal(convolve(image, weights, 2), ndi.convolve(image.astype(float), weights))


def test_volumes_have_the_bits_of_scipy():
    image, weights = numbers(6, 9, 11), numbers(3, 2, 4, seed=1)
    np.testing.assert_array_equal(correlate(image, weights, 3), ndi.correlate(image, weights))
    np.testing.assert_array_equal(convolve(image, weights, 3), ndi.convolve(image, weights))


@pytest.mark.parametrize("kernel", [np.ones((9, 7)), np.outer([1, 2, 3, 2, 1], [1, 0, -5, 2, 8, 1, 1])])
def test_products_of_integers_stay_integers(kernel):
    image = picture((40, 41), "int32") * 10**6
    assert len(as_terms(kernel.astype(float))) == 1
    np.testing.assert_array_equal(correlate(image, kernel, 2), ndi.correlate(image.astype(float), kernel))


def test_a_kernel_without_weights_gives_zeros():
    assert not correlate(np.ones((4, 5)), np.zeros((3, 3)), 2).any()
    assert not correlate(np.ones((4, 5, 6)), np.zeros((3, 3, 3)), 3).any()
    assert as_terms(np.zeros((3, 3))) == []


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (3, 2)])
def test_weights_wider_than_the_image_see_it_reflected_again_and_again(size):
    image, weights = numbers(*size), numbers(21, 23, seed=1)
    wide = np.pad(image, 30, mode="symmetric")
    wanted = ndi.correlate(wide, weights)[30:-30, 30:-30]
    np.testing.assert_allclose(correlate(image, weights, 2), wanted, atol=1e-12)


@pytest.mark.parametrize("weights", [numbers(3, 4), np.outer(numbers(9), numbers(9, seed=1))])
def test_an_invalid_neighbour_counts_as_the_pixel_in_the_middle(weights):
    image, valid = numbers(14, 15), picture((14, 15), "bool", seed=4)
    reach = max(weights.shape) // 2
    padded, known = np.pad(image, reach, mode="symmetric"), np.pad(valid, reach, mode="symmetric")
    result = correlate(image, weights, 2, valid)
    kernel = centred(weights)
    for y, x in np.argwhere(valid):
        top, left = y + reach - kernel.shape[0] // 2, x + reach - kernel.shape[1] // 2
        box = slice(top, top + kernel.shape[0]), slice(left, left + kernel.shape[1])
        near = np.where(known[box], padded[box], image[y, x])
        assert result[y, x] == pytest.approx((near * kernel).sum(), abs=1e-12)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_filters_along_one_axis(axis):
    volume, weights = numbers(5, 7, 300), numbers(5, seed=1)
    wanted = ndi.correlate1d(volume, weights, axis)
    np.testing.assert_allclose(correlate_axis(read_only(volume), weights, axis, volume.dtype), wanted, atol=1e-13)


def test_terms_can_be_added_to_what_is_there():
    image, out = read_only(numbers(9, 2100)), np.ones((9, 2100))
    terms = [(numbers(5), numbers(3, seed=1)), (np.ones(1), np.array([-1.0, 0.0, 1.0]))]
    correlate_terms(out, image, terms, add=True)
    wanted = sum(ndi.correlate1d(ndi.correlate1d(image, along, 1), down, 0) for down, along in terms)
    np.testing.assert_allclose(out, 1 + wanted, atol=1e-13)


@pytest.mark.parametrize("order", [0, 1, 2])
@pytest.mark.parametrize("sigma", [0.4, 1.0, 3.7])
def test_weights_are_those_of_scipy(sigma, order):
    radius = int(4 * sigma + 0.5)
    spike = np.zeros(4 * radius + 1)
    spike[2 * radius] = 1
    wanted = ndi.gaussian_filter1d(spike, sigma, order=order)[radius : 3 * radius + 1]
    np.testing.assert_allclose(gaussian_weights(sigma, order, radius)[::-1], wanted, rtol=1e-12, atol=1e-16)


def test_the_laplace_of_a_gaussian_of_voxels_that_are_no_cubes():
    image, sigma = picture((9, 22, 23), "uint16"), (0.6, 1.5, 1.2)
    wanted = ndi.gaussian_laplace(image.astype(float), sigma, truncate=3.0)
    np.testing.assert_allclose(gaussian_laplace(image, sigma, 3.0, 3), wanted, atol=1e-11)


def test_a_hessian_sees_as_far_as_it_says():
    for sigma in (0.5, 1.0, 1.01, 3.0):
        reach = hessian_radius(sigma)
        spike = np.zeros((2 * reach + 31, 2 * reach + 31))
        spike[reach + 15, reach + 15] = 1
        seen = np.argwhere(np.abs(hessian(spike, sigma, 2)).max(axis=0) > 0)
        assert np.abs(seen - (reach + 15)).max() <= reach


def test_the_difference_of_two_gaussians_at_the_border():
    image = numbers(20, 21)
    wanted = ndi.gaussian_filter(image, 1, mode="nearest") - ndi.gaussian_filter(image, (3, 2), mode="nearest")
    np.testing.assert_allclose(difference_of_gaussians(image, (1, 1), (3, 2), 4.0, 2), wanted, atol=1e-14)


@pytest.mark.parametrize("theta", [0.0, 0.8, np.pi / 2, 4.0])
def test_gabor_weights_are_those_of_scikit_image(theta):
    sigma = gabor_sigma(0.21, 1.3)
    wanted = gabor_kernel(0.21, theta, bandwidth=1.3, offset=0.3)
    real, imaginary = gabor_weights(0.21, theta, sigma, sigma, 3.0, 0.3)
    np.testing.assert_allclose(real + 1j * imaginary, wanted, atol=1e-15)
    assert real.shape == tuple(2 * reach + 1 for reach in gabor_radius(theta, sigma, sigma, 3.0))
    assert len(as_terms(real)) == len(as_terms(imaginary)) <= 2 or theta in {0.0, np.pi / 2}


def test_the_magnitude_of_gabor_is_of_both_parts():
    image, weights = numbers(30, 31), gabor_weights(0.2, 0.3, 2.0, 3.0, 3.0, 0.0)
    parts = [gabor(image, *weights, part) for part in ("real", "imaginary")]
    np.testing.assert_allclose(gabor(image, *weights, "magnitude"), np.hypot(*parts), rtol=1e-14)


@pytest.mark.parametrize(
    "apply",
    [
        lambda a, n, v=None: correlate(a, numbers(3, 3) if n == 2 else numbers(3, 3, 3), n, v),
        lambda a, n, v=None: gaussian_laplace(a, (1.0,) * n, 3.0, n, v),
        lambda a, n, v=None: np.moveaxis(hessian(a, 1.1, n, v), 0, -1),
        lambda a, n, v=None: difference_of_gaussians(a, (0.7,) * n, (1.2,) * n, 3.0, n, v),
    ],
)
def test_leading_axes_are_planes_and_any_layout_will_do(apply):
    stack = picture((2, 3, 9, 10), "uint16")
    valid = picture(stack.shape, "bool", seed=1)
    np.testing.assert_array_equal(apply(stack, 2)[1, 2], apply(stack[1, 2], 2))
    np.testing.assert_array_equal(apply(stack, 2, valid)[1, 2], apply(stack[1, 2], 2, valid[1, 2]))
    np.testing.assert_array_equal(apply(stack, 3)[1], apply(stack[1], 3))
    swapped = stack.astype(">u2")[..., ::-1]
    np.testing.assert_array_equal(apply(swapped, 2), apply(np.array(swapped, "uint16"), 2))
    assert apply(stack[:, :, :0], 2).shape[:4] == (2, 3, 0, 10)
    with pytest.raises(ImageError, match="got"):
        apply(np.zeros((3, 3), complex), 2)
