"""Counting pairs of labels: more pairs than a first table holds, more pixels than a stretch, any dtype."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from bigimg.errors import ImageError
from bigimg.kernels.contingency import STRETCH, Pairs, count_pairs, number_pairs

RNG = np.random.default_rng(0)
SHAPE = (211, 317)
FIRST, SECOND = RNG.integers(0, 900, SHAPE), RNG.integers(0, 6, SHAPE)
VALID = RNG.random(SHAPE) < 0.7
assert FIRST.size > 2 * STRETCH


def plain(first, second):
    """Return the distinct pairs and how many there are, by sorting."""
    pairs, counts = np.unique(np.stack([first, second]), axis=1, return_counts=True)
    return *pairs, counts


def check(found, first, second):
    for got, wanted in zip((found.first, found.second, found.pixels), plain(first, second)):
        assert_array_equal(got, wanted)


@pytest.mark.parametrize("dtypes", [("uint16", "uint8"), ("int64", "uint64"), ("uint32", "int16")])
def test_pairs_are_those_that_sorting_finds(dtypes):
    first, second = FIRST.astype(dtypes[0]), SECOND.astype(dtypes[1])
    check(count_pairs(first, second), FIRST.ravel(), SECOND.ravel())
    check(count_pairs(first, second, VALID), FIRST[VALID], SECOND[VALID])
    check(count_pairs(first.T, second.T), FIRST.ravel(), SECOND.ravel())


def test_huge_labels_do_not_collide():
    check(count_pairs(FIRST * 10**15, SECOND * 2**60), FIRST.ravel() * 10**15, SECOND.ravel() * 2**60)


def test_each_pixel_knows_its_pair():
    pairs, item = number_pairs(FIRST, SECOND, VALID)
    assert item.shape == SHAPE
    assert_array_equal(pairs.first[item], np.where(VALID, FIRST, 0))
    assert_array_equal(pairs.second[item], np.where(VALID, SECOND, 0))
    pairs, item = number_pairs(FIRST, None)
    assert_array_equal(pairs.first[item], FIRST)
    assert not pairs.second.any()


def test_no_pixel_that_counts_is_no_pair():
    assert len(count_pairs(FIRST, SECOND, np.zeros(SHAPE, bool))) == 0


def test_pairs_of_parts_add_up():
    parts = [count_pairs(FIRST[rows], SECOND[rows]) for rows in (slice(0, 50), slice(50, None))]
    joined = [np.concatenate([getattr(part, name) for part in parts]) for name in ("first", "second", "pixels")]
    check(Pairs.of(*joined), FIRST.ravel(), SECOND.ravel())


@pytest.mark.parametrize("bad", [FIRST.astype(float), FIRST - 1, np.where(FIRST, FIRST, 0).astype("uint64") + 2**63])
def test_what_are_no_labels_is_refused(bad):
    with pytest.raises(ImageError, match="labels"):
        count_pairs(SECOND, bad)
