"""The regions of adaptive equalisation, also those much larger than the image."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bigimg import exposure
from bigimg.errors import ParameterError
from bigimg.kernels import clahe_loops
from bigimg.kernels.clahe import Regions


@given(st.integers(1, 12), st.integers(1, 60), st.data())
@settings(deadline=None, max_examples=60)
def test_pixels_are_mirrored_as_by_numpy(size: int, width: int, data: st.DataObject) -> None:
    axis = Regions(size, width)
    start = data.draw(st.integers(0, size - 1))
    stop = data.draw(st.integers(start + 1, size))
    shown = np.pad(np.arange(size), (0, axis.count * width - size), mode="reflect")[size:]
    np.testing.assert_array_equal(axis.mirrored(start, stop), np.bincount(shown, minlength=size)[start:stop])


def slowly_clipped(counts: list[int], limit: int) -> list[int]:
    """Give what is above the limit away one by one, as scikit-image does."""
    counts, bins = list(counts), len(counts)
    excess = sum(max(count - limit, 0) for count in counts)
    counts = [min(count, limit) for count in counts]
    each = excess // bins
    upper = limit - each
    excess -= each * sum(count < upper for count in counts)
    counts = [count + each * (count < upper) for count in counts]
    excess -= sum(limit - count for count in counts if upper <= count)
    counts = [limit if upper <= count else count for count in counts]
    while excess > 0:
        before = excess
        for start in range(bins):
            below = sum(count < limit for count in counts)
            for i in range(start, bins, max(1, below // excess)):
                if counts[i] < limit:
                    counts[i] += 1
                    excess -= 1
            if excess <= 0:
                break
        if excess == before:
            break
    return counts


@given(st.lists(st.integers(0, 4000) | st.integers(0, 5), min_size=1, max_size=12), st.integers(1, 1500))
@settings(deadline=None, max_examples=60)
def test_what_is_above_the_limit_is_given_away_in_turn(counts: list[int], limit: int) -> None:
    found = np.array(counts, np.int64)
    clahe_loops.clip(found, limit)
    assert found.tolist() == slowly_clipped(counts, limit)


def test_regions_far_larger_than_the_image_take_no_longer() -> None:
    image = np.random.default_rng(0).random((12, 15))
    found = exposure.equalize_adapthist(image, kernel_size=10**6)
    np.testing.assert_allclose(found, exposure.equalize_adapthist(image, kernel_size=10**4), atol=0.02)


def test_what_cannot_be_counted_is_refused() -> None:
    for given_size in (10**30, (10**30, 3)):
        with pytest.raises(ParameterError, match=r"exposure\.equalize_adapthist: kernel_size"):
            exposure.equalize_adapthist(np.ones((3, 4)), kernel_size=given_size)
