"""Bands, and numbers for them, at the ends of the range of floats."""

from __future__ import annotations

import numpy as np
import pytest

from bigimg import color
from bigimg.errors import ParameterError


@pytest.mark.parametrize("name", ["scale", "offset"])
@pytest.mark.parametrize("value", [np.inf, -np.inf, 1e308])
def test_a_scale_or_an_offset_without_a_limit_is_refused(name: str, value: float) -> None:
    image = np.ones((2, 2, 2))
    with pytest.raises(ParameterError, match=rf"color\.normalized_difference: {name} must be"):
        color.normalized_difference(image, first=0, second=1, **{name: value})
    with pytest.raises(ParameterError, match=rf"color\.ndvi: {name} must be"):
        color.ndvi(image, nir=0, red=1, **{name: value})
    with pytest.raises(ParameterError, match=rf"color\.ndwi: {name} must be"):
        color.ndwi(image, green=0, nir=1, **{name: value})


@pytest.mark.parametrize("scale", [1.0, 1e100, 1e-100])
def test_sums_beyond_float64_keep_their_ratio(scale: float) -> None:
    image = np.array([[[1.5e308, 3.0, 1.6e308, 0.0]], [[0.5e308, 1.0, 1e-300, 0.0]]])
    found = color.normalized_difference(image, first=0, second=1, scale=scale)
    np.testing.assert_allclose(found, [[0.5, 0.5, 1.0, 0.0]], rtol=1e-15)
