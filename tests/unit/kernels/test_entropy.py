from __future__ import annotations

import numpy as np
import pytest
from skimage.filters import rank
from skimage.morphology import ball, disk

from bigimg.errors import ImageError, ParameterError
from bigimg.kernels.entropy import entropy


def picture(shape=(30, 41), dtype="uint8"):
    image = np.random.default_rng(0).integers(0, 40, shape)
    image[: shape[0] // 3] = 7
    return image.astype(dtype)


@pytest.mark.parametrize("footprint", [disk(1), disk(5), np.ones((4, 3)), np.eye(5)])
def test_equals_scikit_image(footprint):
    expected = rank.entropy(picture(), footprint.astype(np.uint8))
    np.testing.assert_allclose(entropy(picture(), footprint.astype(bool), 2), expected, atol=1e-12)


def test_equals_scikit_image_with_a_mask_and_in_a_volume():
    valid = np.random.default_rng(1).random((30, 41)) < 0.6
    expected = rank.entropy(picture(), disk(3), mask=valid.astype(np.uint8))
    np.testing.assert_allclose(entropy(picture(), disk(3) > 0, 2, valid)[valid], expected[valid], atol=1e-12)
    volume = picture((6, 12, 13))
    np.testing.assert_allclose(entropy(volume, ball(2) > 0, 3), rank.entropy(volume, ball(2)), atol=1e-12)


@pytest.mark.parametrize("dtype", ["int8", "uint16", "int16", "uint32", "int32", "int64", "uint64"])
def test_only_which_pixels_are_equal_matters(dtype):
    image = picture(dtype=dtype)
    other = image * np.array(3, dtype) - np.array(5, dtype)
    expected = entropy(picture(), disk(3) > 0, 2)
    np.testing.assert_array_equal(entropy(image, disk(3) > 0, 2), expected)
    np.testing.assert_array_equal(entropy(other, disk(3) > 0, 2), expected)


def test_one_grey_has_none_and_booleans_at_most_one_bit():
    assert not entropy(np.full((9, 9), 200, np.uint16), disk(2) > 0, 2).any()
    assert entropy(picture() > 20, disk(4) > 0, 2).max() <= 1 + 1e-12
    assert not entropy(picture(), disk(2) > 0, 2, np.zeros((30, 41), bool)).any()


def test_what_is_refused():
    with pytest.raises(ImageError, match="float64"):
        entropy(np.zeros((3, 3)), disk(1) > 0, 2)
    with pytest.raises(ParameterError, match="footprint"):
        entropy(np.zeros((3, 3), int), np.zeros((3, 3), bool), 2)
    with pytest.raises(ParameterError, match="footprint"):
        entropy(np.zeros((3, 3), int), np.ones((3, 3, 3), bool), 2)
