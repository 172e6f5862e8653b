from __future__ import annotations

import numpy as np
import pytest
from skimage.color import rgb2gray, rgba2rgb

from bigimg.errors import ImageError
from bigimg.kernels.colour import rgb_to_gray


def colours(channels, dtype, shape=(13, 17)):
    rng = np.random.default_rng(0)
    if np.dtype(dtype).kind == "f":
        return rng.random((channels, *shape)).astype(dtype)
    return rng.integers(0, np.iinfo(dtype).max, (channels, *shape), dtype, endpoint=True)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32", "float64"])
@pytest.mark.parametrize("channels", [3, 4])
def test_luminance_is_scikit_images_in_the_range_of_the_image(dtype, channels):
    image = colours(channels, dtype)
    white = np.iinfo(dtype).max if np.dtype(dtype).kind == "u" else 1
    last = np.moveaxis(image, 0, -1)
    expected = rgb2gray(rgba2rgb(last) if channels == 4 else last)
    np.testing.assert_allclose(rgb_to_gray(image) / white, expected, atol=1e-6)
    np.testing.assert_array_equal(rgb_to_gray(last, channel_axis=-1), rgb_to_gray(image))


@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16"])
@pytest.mark.parametrize("channels", [3, 4])
def test_white_stays_white_and_black_black(dtype, channels):
    white = np.iinfo(dtype).max
    image = np.full((channels, 2, 2), white, dtype)
    np.testing.assert_allclose(rgb_to_gray(image), white, rtol=1e-15)
    image[:3] = 0
    assert (rgb_to_gray(image) == 0).all()


def test_opaque_alpha_changes_nothing():
    image = colours(4, "uint8")
    image[3] = 255
    np.testing.assert_array_equal(rgb_to_gray(image), rgb_to_gray(image[:3]))


@pytest.mark.parametrize("channels", [1, 2])
def test_grey_is_passed_on(channels):
    image = colours(channels, "uint16")
    result = rgb_to_gray(image)
    assert result.dtype == np.float64
    np.testing.assert_array_equal(result, image[0])


def test_leading_axes_stay():
    image = np.stack([colours(3, "uint8"), colours(3, "uint8")[:, ::-1]])
    assert rgb_to_gray(image).shape == (2, 13, 17)
    np.testing.assert_array_equal(rgb_to_gray(image)[1], rgb_to_gray(image[1]))


@pytest.mark.parametrize("shape", [(5, 4, 4), (0, 4, 4), (4, 4)])
def test_images_that_are_not_colours(shape):
    with pytest.raises(ImageError, match="got"):
        rgb_to_gray(np.zeros(shape))
