"""Grey values, and numbers for them, at the ends of the range of floats."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bigimg import exposure
from bigimg.core.operation import Pixels
from bigimg.errors import ParameterError

LARGEST = {"float32": 3.4e38, "float64": 1.79e308}


def narrow() -> Pixels:
    grain = np.random.default_rng(0).random((12, 15)).astype(np.float32)
    return np.asarray(np.float32(0.896) + np.float32(7e-4) * grain)


def spread(dtype: str) -> Pixels:
    return np.asarray(np.linspace(-1, 1, 60).reshape(6, 10) * LARGEST[dtype]).astype(dtype)


def test_a_narrow_range_of_float32_is_standardized_without_loss() -> None:
    image = narrow()
    exact = image.astype(np.float64)
    wanted = ((exact - exact.mean()) / exact.std()).astype(np.float32)
    np.testing.assert_allclose(exposure.standardize(image), wanted, rtol=1.2e-7, atol=1e-9)


def test_a_narrow_range_of_float32_is_normalized_without_loss() -> None:
    image = narrow()
    exact = image.astype(np.float64)
    low, high = np.percentile(exact, (2, 98))
    wanted = ((exact - low) / (high - low)).clip(0, 1)
    np.testing.assert_allclose(exposure.normalize(image, percentiles=(2, 98)), wanted, rtol=1.2e-7, atol=1e-9)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("clip", [True, False])
def test_ranges_too_wide_for_their_dtype(dtype: str, clip: bool) -> None:
    image = spread(dtype)
    wanted = np.linspace(0, 1, 60).reshape(6, 10)
    np.testing.assert_allclose(exposure.normalize(image, clip=clip), wanted, rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(exposure.rescale_intensity(image), wanted, rtol=1e-6, atol=1e-7)
    low, high = np.percentile(np.linspace(0, 1, 60), (10, 90))
    found = exposure.normalize(image, percentiles=(10, 90), clip=clip)
    part = (wanted - low) / (high - low)
    np.testing.assert_allclose(found, part.clip(0, 1) if clip else part, rtol=1e-5, atol=1e-6)
    scores = (wanted - 0.5) / wanted.std()
    np.testing.assert_allclose(exposure.standardize(image), scores, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_stretched_to_all_that_the_dtype_holds(dtype: str) -> None:
    ends = (-LARGEST[dtype], LARGEST[dtype])
    found = exposure.rescale_intensity(np.linspace(0, 1, 60).reshape(6, 10).astype(dtype), out_range=ends)
    assert found.dtype == dtype
    np.testing.assert_allclose(found, spread(dtype), rtol=1e-5, atol=1e-6 * LARGEST[dtype])


def test_a_difference_that_the_dtype_does_not_hold_is_the_largest_that_it_holds() -> None:
    image = np.where(np.eye(9) > 0, 1e308, -1e308)
    found = exposure.subtract_background(image, radius=2)
    np.testing.assert_array_equal(found, np.where(np.eye(9) > 0, np.finfo(float).max, 0))


@pytest.mark.parametrize("dtype", ["uint8", "int32", "uint64", "bool", "float16", "float32", "float64"])
def test_a_great_gain_saturates(dtype: str) -> None:
    top = np.iinfo(dtype).max if np.dtype(dtype).kind in "iu" else 1
    image = np.array([[0, top // 2 or 1, top]], dtype)
    for result in (exposure.adjust_gamma(image, gain=1e100), exposure.adjust_log(image, gain=1e100)):
        assert result.dtype == dtype
        assert result[0, 0] == 0
        if result.dtype.kind in "iu":
            assert result[0, 1] == np.iinfo(dtype).max
        elif result.dtype.kind == "f":
            assert result[0, 1] > 60000
    assert not np.isnan(exposure.adjust_sigmoid(image, gain=1e100, cutoff=1.0).astype(float)).any()


@pytest.mark.parametrize("value", [np.inf, 1e308])
def test_curves_refuse_numbers_without_a_limit(value: float) -> None:
    image = np.ones((2, 2), np.uint8)
    for name, given in (
        ("adjust_gamma", "gamma"),
        ("adjust_gamma", "gain"),
        ("adjust_log", "gain"),
        ("adjust_sigmoid", "gain"),
        ("adjust_sigmoid", "cutoff"),
    ):
        with pytest.raises(ParameterError, match=rf"exposure\.{name}: {given} must be"):
            getattr(exposure, name)(image, **{given: value})


@pytest.mark.parametrize("given", [np.array(3), 5, (1,), (1, 2, 3), "x", np.arange(3), ("a", "b"), None])
def test_what_is_no_range_is_named(given: Any) -> None:
    image = np.ones((2, 2), np.uint8)
    for name in ("in_range", "out_range"):
        with pytest.raises(ParameterError, match=rf"exposure\.rescale_intensity: {name} must be .*two numbers"):
            exposure.rescale_intensity(image, **{name: given})


@pytest.mark.parametrize("given", [(-np.inf, 1.0), (0.0, np.inf)])
def test_ranges_end_somewhere(given: tuple[float, float]) -> None:
    for name in ("in_range", "out_range"):
        with pytest.raises(ParameterError, match=rf"exposure\.rescale_intensity: {name} must lie within"):
            exposure.rescale_intensity(np.ones((2, 2)), **{name: given})
