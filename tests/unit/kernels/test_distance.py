"""Distances of tiles in a line: what they send each other is what the whole line would have given."""

from __future__ import annotations

from itertools import accumulate, pairwise

import numpy as np
import pytest

from bigimg.kernels import distance, distance_loops


def smallest(heights, step):
    """Add every parabola at every pixel."""
    x = np.arange(heights.shape[-1])
    squares = ((x[:, None] - x) * step) ** 2
    with np.errstate(invalid="ignore"):
        return (heights[:, None, :] + squares).min(axis=-1)


def heights_of(shape, kind, seed):
    rng = np.random.default_rng(seed)
    if kind == "background near":
        return rng.integers(0, 4, shape).astype(float) ** 2
    if kind == "background far":
        return rng.integers(20, 60, shape).astype(float) ** 2
    if kind == "slope":
        return np.maximum(0, np.arange(shape[1]) * 0.8 - 30 + rng.integers(0, 3, shape)) ** 2
    far = np.where(rng.random(shape) < 0.9, np.inf, rng.integers(0, 50, shape) ** 2.0)
    return far if kind == "gaps" else np.full(shape, np.inf)


@pytest.mark.parametrize("kind", ["background near", "background far", "slope", "gaps", "nothing"])
@pytest.mark.parametrize("step", [1.0, 0.3])
@pytest.mark.parametrize("sizes", [[300], [150, 150], [1, 3, 290, 6], [37] * 8 + [4]])
def test_tiles_in_a_line_give_the_smallest_sums(kind, step, sizes):
    heights = heights_of((5, 300), kind, len(sizes))
    bounds = list(accumulate(sizes, initial=0))
    tiles = [heights[:, begin:end] for begin, end in pairwise(bounds)]
    seen = [
        distance.seen_beyond(tile, 1, 0.0, step, (begin, 300 - end))
        for tile, (begin, end) in zip(tiles, pairwise(bounds))
    ]
    given = distance.hand_on(seen, sizes, step) if len(sizes) > 1 else [(None, None)]
    got = [
        distance.finish_lines(tile, 1, 0.0, step, begin, *beside, root=False)
        for tile, begin, beside in zip(tiles, bounds, given)
    ]
    np.testing.assert_array_equal(np.concatenate(got, axis=1), smallest(heights, step))


def test_trying_neighbours_and_the_envelope_give_the_same():
    heights = heights_of((40, 500), "background near", 0)
    heights[:, 100:200] = 1e4
    near = np.empty(500)
    padded = np.pad(heights[0], distance_loops.TRIED, constant_values=np.inf)
    done = distance_loops._try_near(padded, 1.0, near)
    assert not done, "in the middle it is farther than that"
    out = distance.finish_lines(heights, 1, 0.0, 1.0, 0, None, None, root=False)
    np.testing.assert_array_equal(out, smallest(heights, 1.0))
    assert (near >= out[0]).all()


def test_what_is_seen_behind_a_tile_is_little():
    heights = heights_of((50, 400), "background near", 1)
    before, behind = distance.seen_beyond(heights, 1, 0.0, 1.0, (0, 1000))
    assert before is None
    assert behind is not None
    assert behind.numbers.max() <= 3
    assert len(behind.back) == behind.numbers.sum()


def test_steps_meet_across_tiles():
    background = np.random.default_rng(0).random((60, 9)) < 0.04
    background[:, 4] = False
    sizes = [10, 1, 30, 19]
    bounds = list(accumulate(sizes, initial=0))
    tiles = [background[begin:end] for begin, end in pairwise(bounds)]
    beyond = distance.across([distance.ends(tile) for tile in tiles], sizes)
    got = np.concatenate([distance.steps(tile, *ends) for tile, ends in zip(tiles, beyond)])
    rows = np.arange(60)
    for column in range(9):
        places = np.flatnonzero(background[:, column])
        expected = np.abs(rows[:, None] - places).min(axis=1, initial=distance.FAR)
        np.testing.assert_array_equal(got[:, column], expected)
