"""Images of float16 where compiled code has no halves: the same as of float32, which holds all of them."""

from __future__ import annotations

import numpy as np
import pytest

from bigimg import morphology, threshold
from bigimg.core.operation import Pixels


@pytest.fixture
def halves() -> Pixels:
    return np.random.default_rng(0).random((12, 15)).astype(np.float16)


def test_bernsen_compares_halves(halves: Pixels) -> None:
    expected = threshold.bernsen(halves.astype(np.float32), footprint=np.ones((5, 5), bool), contrast_threshold=0.5)
    found = threshold.bernsen(halves, footprint=np.ones((5, 5), bool), contrast_threshold=0.5)
    np.testing.assert_array_equal(found, expected)
    assert found.any()


@pytest.mark.parametrize("name", ["local_maxima", "local_minima"])
def test_extrema_of_halves(halves: Pixels, name: str) -> None:
    find = getattr(morphology, name)
    np.testing.assert_array_equal(find(halves), find(halves.astype(np.float32)))
    assert find(halves).any()
