from __future__ import annotations

import numpy as np
import pytest
from skimage.filters import threshold_local, threshold_sauvola

from bigimg.errors import ParameterError
from bigimg.kernels.local import local_mean_mask, sauvola_mask
from bigimg.kernels.windows import steps, sum_windows

SHAPES = [(31, 46), (1, 40), (40, 1), (3, 5), (70, 64)]
DTYPES = ["uint8", "int16", "uint16", "float32", "float64", "int32"]


def picture(shape, dtype, seed=0):
    # Few equal neighbours: scikit-image's sliding sums are wrong by a last digit where a pixel equals the mean.
    return np.random.default_rng(seed).integers(1, 251, shape).astype(dtype)


def as_reference(image):
    return image.astype(np.float64) if image.dtype == np.float32 else image


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("window_size", [1, 3, 15, 51])
def test_sauvola_is_scikit_images(shape, dtype, window_size):
    image = picture(shape, dtype)
    for k, r in [(0.2, 128.0), (0.5, 20.0), (0.0, 1.0), (-0.3, 60.0)]:
        expected = image > threshold_sauvola(as_reference(image), window_size, k, r)
        if k == 0 and dtype[0] == "f":
            continue  # the pixel itself may be the threshold, and scikit-image's sums of floats are not exact
        np.testing.assert_array_equal(sauvola_mask(image, window_size, k, r, 2), expected)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("window_size", [3, 15, 51])
@pytest.mark.parametrize("offset", [0.13, -5.37])
def test_local_mean_is_scikit_images(shape, dtype, window_size, offset):
    image = picture(shape, dtype)
    expected = image > threshold_local(as_reference(image), window_size, "mean", offset)
    np.testing.assert_array_equal(local_mean_mask(image, window_size, offset, 2), expected)


def test_local_mean_is_exact_where_a_pixel_is_the_mean():
    assert not local_mean_mask(np.full((60, 60), 0.1), 51, 0, 2).any()
    ramp = np.tile(np.arange(40), (20, 1))
    assert not local_mean_mask(ramp, 7, 0, 2)[:, 3:-3].any()


def test_three_dimensions():
    image = picture((6, 9, 10), "uint16")
    np.testing.assert_array_equal(sauvola_mask(image, 5, 0.2, 90.0, 3), image > threshold_sauvola(image, 5, 0.2, 90.0))
    expected = image > threshold_local(image, 5, "mean", 0.13)
    np.testing.assert_array_equal(local_mean_mask(image, 5, 0.13, 3), expected)


def test_volumes_and_planes_agree_on_a_volume_of_one_plane():
    image, valid = picture((1, 30, 31), "uint16"), np.random.default_rng(1).random((1, 30, 31)) < 0.7
    for mask in (None, valid):
        for method in (
            lambda n, m=mask: local_mean_mask(image, 7, 0.13, n, m),
            lambda n, m=mask: sauvola_mask(image, 7, 0.2, 90.0, n, m),
        ):
            np.testing.assert_array_equal(method(3), method(2))


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_masked_thresholds_are_of_the_valid_pixels(dtype):
    image, valid = picture((12, 13), dtype), np.random.default_rng(1).random((12, 13)) < 0.4
    pixels, counted = (
        np.lib.stride_tricks.sliding_window_view(np.pad(a, 2, mode="reflect"), (5, 5))
        for a in (image.astype(float), valid)
    )
    result = sauvola_mask(image, 5, 0.3, 60.0, 2, valid)
    for place in zip(*np.nonzero(valid)):
        inside = pixels[place][counted[place]]
        assert result[place] == (image[place] > inside.mean() * (1 + 0.3 * (inside.std() / 60.0 - 1)))
    pixels, counted = (
        np.lib.stride_tricks.sliding_window_view(np.pad(a, 2, mode="symmetric"), (5, 5))
        for a in (image.astype(float), valid)
    )
    result = local_mean_mask(image, 5, 0.13, 2, valid)
    for place in zip(*np.nonzero(valid)):
        assert result[place] == (image[place] > pixels[place][counted[place]].mean() - 0.13)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_all_valid_is_as_without_a_mask(dtype):
    image = picture((33, 70), dtype)
    everywhere = np.ones(image.shape, bool)
    np.testing.assert_array_equal(
        sauvola_mask(image, 15, 0.2, 90.0, 2, everywhere), sauvola_mask(image, 15, 0.2, 90.0, 2)
    )
    np.testing.assert_array_equal(local_mean_mask(image, 15, 0, 2, everywhere), local_mean_mask(image, 15, 0, 2))


def test_sums_of_bright_float32_keep_a_small_variance():
    """scikit-image rounds the mean of the squares to float32; the answer for float32 is that for the same float64."""
    image = (30000 + picture((40, 41), "float32") / 16).astype(np.float32)
    expected = image > threshold_sauvola(image.astype(np.float64), 15, 1e-4, 4.0)
    assert 0.2 < expected.mean() < 0.8
    np.testing.assert_array_equal(sauvola_mask(image, 15, 1e-4, 4.0, 2), expected)


def test_black_stays_black():
    assert not sauvola_mask(np.zeros((40, 40), np.uint16), 15, 0.2, 32768.0, 2).any()


def test_pixels_too_great_to_be_squared_twice():
    image = picture((20, 20), "float64") * 1e150
    expected = image > threshold_sauvola(image, 5, 0.2, 1e152)
    np.testing.assert_array_equal(sauvola_mask(image, 5, 0.2, 1e152, 2), expected)


def test_images_wider_than_a_strip():
    image = picture((5, 1500), "uint8")
    expected = image > threshold_sauvola(image, 15, 0.2, 100.0)
    np.testing.assert_array_equal(sauvola_mask(image, 15, 0.2, 100.0, 2), expected)
    np.testing.assert_array_equal(sauvola_mask(np.stack([image, image]), 15, 0.2, 100.0, 2)[1], expected)


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7, 13, 51, 64, 97, 255])
@pytest.mark.parametrize("mirror", [False, True])
def test_window_sums_are_sums_over_windows(size, mirror):
    values = np.random.default_rng(0).integers(0, 9, 300).astype(float)
    padded = np.pad(values, (size // 2, size - 1 - size // 2), mode="reflect" if mirror else "symmetric")
    expected = np.convolve(padded, np.ones(size), mode="valid")
    np.testing.assert_array_equal(sum_windows(values, size, (0,), mirror=mirror), expected)


@pytest.mark.parametrize("size", range(1, 300))
def test_steps_lead_to_the_window(size):
    plan = steps(size)
    assert plan[-1, 0] == size
    assert plan[1:, 1:3].sum() <= 5 * np.ceil(np.log2(size + 1))
    np.testing.assert_array_equal(plan[1:, 0], plan[:-1, 0] * plan[1:, 1] + plan[1:, 2])


@pytest.mark.parametrize(
    "call",
    [
        lambda: local_mean_mask(np.zeros((3, 3)), 4, 0, 2),
        lambda: local_mean_mask(np.zeros((3, 3)), 0, 0, 2),
        lambda: sauvola_mask(np.zeros((3, 3)), 3, 0.2, 0.0, 2),
        lambda: sauvola_mask(np.zeros((3, 3)), 3, 0.2, np.nan, 2),
    ],
)
def test_parameters_out_of_bounds(call):
    with pytest.raises(ParameterError, match="got"):
        call()
