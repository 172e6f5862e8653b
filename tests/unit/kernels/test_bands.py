"""The difference of two Gaussians, of images smaller than the Gaussians."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from bigimg.core.operation import Pixels
from bigimg.kernels.bands import difference_of_gaussians


def reference(pixels: Pixels, low: tuple[float, ...], high: tuple[float, ...]) -> Pixels:
    smooth = [ndimage.gaussian_filter(pixels, sigma, mode="nearest") for sigma in (low, high)]
    return np.asarray(smooth[0] - smooth[1])


@pytest.mark.parametrize("sigma", [1.0, 30.0, 100.0])
def test_a_plane_much_smaller_than_the_gaussian(sigma: float) -> None:
    pixels = np.random.default_rng(0).random((14, 13))
    low, high = (sigma, sigma / 2), (sigma * 1.6, sigma * 0.8)
    found = difference_of_gaussians(pixels, low, high, 4.0, 2)
    np.testing.assert_allclose(found, reference(pixels, low, high), rtol=0, atol=1e-14)


def test_stacks_and_volumes() -> None:
    pixels = np.random.default_rng(0).random((4, 6, 5))
    low, high = (3.0, 2.0, 1.0), (4.0, 4.0, 2.0)
    found = difference_of_gaussians(pixels, low, high, 4.0, 3)
    np.testing.assert_allclose(found, reference(pixels, low, high), rtol=0, atol=1e-14)
    planes = difference_of_gaussians(pixels, low[1:], high[1:], 4.0, 2)
    for plane, each in zip(planes, pixels):
        np.testing.assert_allclose(plane, reference(each, low[1:], high[1:]), rtol=0, atol=1e-14)


@pytest.mark.parametrize("dtype", ["uint8", "float32", "float64"])
def test_what_is_not_valid_has_no_weight(dtype: str) -> None:
    draw = np.random.default_rng(0)
    pixels = draw.integers(0, 200, (9, 8)).astype(dtype)
    valid = draw.random(pixels.shape) > 0.3
    known = np.where(valid, pixels, 0).astype(float)
    smooth = [
        ndimage.gaussian_filter(known, sigma, mode="nearest")
        / ndimage.gaussian_filter(valid.astype(float), sigma, mode="nearest")
        for sigma in (2.0, 5.0)
    ]
    found = difference_of_gaussians(pixels, (2.0, 2.0), (5.0, 5.0), 4.0, 2, valid)
    atol = 1e-4 if dtype == "float32" else 1e-10
    np.testing.assert_allclose(found[valid], (smooth[0] - smooth[1])[valid], rtol=0, atol=atol)
