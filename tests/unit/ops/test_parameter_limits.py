"""Parameters of filters and distances whose squares leave the range of floats."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import dask.array as da
import numpy as np
import pytest

from bigimg import filters, morphology
from bigimg.core.operation import Pixels
from bigimg.errors import ParameterError

GREY = np.random.default_rng(0).random((12, 15))


@pytest.mark.parametrize(
    ("run", "match"),
    [
        (lambda image: filters.frangi(image, beta=1e-320), "beta"),
        (lambda image: filters.frangi(image, gamma=1e-320), "gamma"),
        (lambda image: filters.frangi(image, alpha=1e308), "alpha"),
        (lambda image: filters.gaussian_laplace(image, sigma=1e-320), "sigma must be at least"),
        (lambda image: morphology.distance_transform(image > 0.5, sampling=1e-320), "sampling must be from"),
        (lambda image: morphology.distance_transform(image > 0.5, sampling=1e308), "sampling must be from"),
    ],
)
def test_what_has_no_square_is_refused(run: Callable[[Any], Any], match: str) -> None:
    for image in (GREY, da.from_array(GREY, chunks=7)):
        with pytest.raises(ParameterError, match=match):
            run(image)


def test_faint_ridges_have_a_strength() -> None:
    assert (filters.frangi(GREY * 1e-200) == 0).all()


def test_every_grey_value_is_alike_or_none_is() -> None:
    alike = filters.bilateral(GREY, sigma_color=1e308)
    np.testing.assert_allclose(alike, filters.bilateral(GREY, sigma_color=1e10), rtol=1e-12)
    np.testing.assert_allclose(filters.bilateral(GREY, sigma_color=1e-320), GREY, atol=1e-4)
    np.testing.assert_allclose(filters.bilateral(GREY, sigma_spatial=1e-320), GREY, rtol=1e-12)


@pytest.mark.parametrize(("dtype", "power"), [("float32", 127), ("float64", 1023)])
def test_bilateral_of_the_largest_numbers(dtype: str, power: int) -> None:
    image: Pixels = (GREY * 2 - 1).astype(dtype)
    large = np.ldexp(image, power)
    wanted = filters.bilateral(image)
    np.testing.assert_allclose(np.ldexp(filters.bilateral(large), -power), wanted, rtol=1e-5, atol=1e-6)
