"""The cheapest links: beside dense assignment, and where it gets dense itself."""

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from bigimg.errors import ParameterError
from bigimg.kernels import linking
from bigimg.kernels.linking import Pairs, assign, pairs_within


def dense_cost(pairs, count, unlinked):
    """Return the least cost by a dense matrix, with a column of its own for each source that goes nowhere."""
    size = len(pairs.starts) - 1
    cost = np.full((size, count + size), 1e12)
    cost[pairs.sources, pairs.targets] = pairs.cost
    cost[np.arange(size), count + np.arange(size)] = unlinked
    return cost[linear_sum_assignment(cost)].sum()


def cost_of(pairs, target, unlinked):
    chosen = target[pairs.sources] == pairs.targets
    assert chosen.sum() == (target >= 0).sum(), "a link that is no pair"
    return pairs.cost[chosen].sum() + unlinked * (target < 0).sum()


@pytest.mark.parametrize("radius", [0.5, 1.0, 2.0, 5.0, 50.0])
@pytest.mark.parametrize("axes", [2, 3])
@pytest.mark.parametrize("on_a_grid", [False, True])
def test_least_squared_distance(radius, axes, on_a_grid):
    rng = np.random.default_rng(axes)
    for _ in range(20):
        sources, targets = (rng.random((rng.integers(0, 40), axes)) * 10 for _ in range(2))
        if on_a_grid:  # many ties
            sources, targets = sources.round(), targets.round()
        pairs = pairs_within(sources, targets, radius)
        squared = ((sources[:, None] - targets[None]) ** 2).sum(axis=-1)
        expected = np.nonzero(squared <= radius**2)
        np.testing.assert_array_equal(pairs.sources, expected[0])
        np.testing.assert_array_equal(pairs.targets, expected[1])
        target = assign(pairs, len(targets), radius**2)
        taken = target[target >= 0]
        assert len(set(taken.tolist())) == len(taken)
        if len(sources):
            np.testing.assert_allclose(cost_of(pairs, target, radius**2), dense_cost(pairs, len(targets), radius**2))


def test_costs_above_none_are_never_chosen():
    pairs = Pairs.of(np.array([0, 0, 1]), np.array([0, 1, 0]), np.array([5.0, 2.0, 1.0]), 2)
    np.testing.assert_array_equal(assign(pairs, 2, 1.5), [-1, 0])


def test_a_group_of_any_size_is_solved():
    rng = np.random.default_rng(0)
    sources = rng.random((300, 2)) * 100
    targets = sources + rng.normal(0, 10, sources.shape)
    pairs = pairs_within(sources, targets, 1000.0)
    assert pairs.starts[-1] == 90_000
    target = assign(pairs, 300, 1e6)
    np.testing.assert_allclose(cost_of(pairs, target, 1e6), dense_cost(pairs, 300, 1e6))


def test_ties_go_to_the_lower_number():
    two = np.array([[0.0, 0.0], [2.0, 0.0]])
    one = np.array([[1.0, 0.0]])
    np.testing.assert_array_equal(assign(pairs_within(two, one, 1.5), 1, 2.25), [0, -1])
    np.testing.assert_array_equal(assign(pairs_within(one, two, 1.5), 2, 2.25), [0])


def test_a_link_goes_before_none():
    found = pairs_within(np.zeros((1, 2)), np.array([[3.0, 4.0]]), 5.0)
    np.testing.assert_array_equal(assign(found, 1, 25.0), [0])


def test_too_many_pairs_are_named(monkeypatch):
    monkeypatch.setattr(linking, "MOST_PAIRS", 99)
    points = np.zeros((10, 2))
    with pytest.raises(ParameterError, match=r"search_range 3 makes 100 pairs.*choose a smaller one"):
        pairs_within(points, points, 3.0)


def test_only_keeps_rows():
    pairs = pairs_within(np.zeros((3, 2)), np.zeros((2, 2)), 1.0)
    kept = pairs.only(np.array([0, 1, 0, 0, 1, 1], bool))
    np.testing.assert_array_equal(kept.starts, [0, 1, 1, 3])
    np.testing.assert_array_equal(kept.targets, [1, 0, 1])
