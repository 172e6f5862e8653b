from fractions import Fraction
from math import fsum, inf, nan

import numpy as np
import pytest

from bigimg.learn.exact import UNIT, Grid, power_totals, to_float, total, whole_power_totals
from bigimg.learn.hashing import hash_positions, uniform


def awkward(n=2000, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=n) * 10.0 ** rng.integers(-30, 30, n)


def test_total_is_the_correctly_rounded_sum():
    values = np.concatenate([awkward(), [0.0, -0.0, 5e-324, -1e308, 1e308]])
    assert to_float(total(values)) == fsum(values)


def test_total_takes_float32_and_any_layout():
    values = np.arange(24, dtype=np.float32).reshape(4, 6)[:, ::2]
    assert to_float(total(values)) == values.sum()


def test_nothing_sums_to_nothing():
    assert total(np.empty(0)) == 0


@pytest.mark.parametrize("bad", [nan, inf, -inf])
def test_total_refuses_what_is_not_finite(bad):
    with pytest.raises(OverflowError, match="range of float64"):
        total(np.array([1.0, bad]))


def test_power_totals_are_exact_rationals():
    values = awkward(200)[np.abs(awkward(200)) < 1e15]
    values = values[np.abs(values) > 1e-15]
    sums = power_totals(values, 4)
    for power, amount in enumerate(sums, start=1):
        assert amount * UNIT == sum(Fraction(value) ** power for value in values.tolist())


def test_powers_beyond_float64_say_so():
    with pytest.raises(OverflowError, match="1e\\+100"):
        power_totals(np.array([1e100]), 4)


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.uint16, np.int16, np.bool_])
def test_whole_power_totals_do_not_overflow(dtype):
    info = (0, 1) if dtype == np.bool_ else (np.iinfo(dtype).min, np.iinfo(dtype).max)
    values = np.array([*info] * 50_000).astype(dtype)
    expected = tuple(sum(int(end) ** power for end in info) * 50_000 for power in (1, 2, 3, 4))
    assert whole_power_totals(values.astype(np.int32)) == expected


def test_a_grid_keeps_columns_of_any_range_apart():
    rng = np.random.default_rng(1)
    rows = np.column_stack([rng.uniform(-1e6, 1e6, 500), 7 + rng.uniform(0, 1e-3, 500), np.full(500, 3.3)])
    grid = Grid.spanning(rows.min(0), rows.max(0), len(rows))
    mean = grid.mean(grid.whole(rows).sum(0)[None], np.array([500]))[0]
    spread = np.maximum(np.ptp(rows, axis=0), 1e-12)
    assert (np.abs(mean - [fsum(column) / 500 for column in rows.T]) / spread < 1e-13).all()
    assert mean[2] == 3.3


@pytest.mark.parametrize("n_rows", [1, 2, 1000, 2**20 + 1, 2**40])
@pytest.mark.parametrize("limb_bits", [None, 21])
def test_no_sum_on_a_grid_leaves_int64(n_rows, limb_bits):
    grid = Grid.spanning(np.array([-3.0]), np.array([5.0]), n_rows, limb_bits=limb_bits)
    largest = int(np.abs(grid.whole(np.array([[-3.0], [5.0]]))).max())
    assert largest <= 2**grid.bits
    assert largest * n_rows < 2**63
    if limb_bits:
        assert (2 ** (grid.bits // 2)) ** 2 * n_rows < 2**63


def test_a_grid_takes_the_ends_of_float64():
    ends = np.array([[-1.7e308, 0.0, 5e-324], [1.7e308, 5e-324, 1e-320]])
    grid = Grid.spanning(ends[0], ends[1], 10)
    assert np.isfinite(grid.whole(ends)).all()


def test_hashes_depend_on_seed_stream_and_position_only():
    positions = np.arange(1000)
    whole = hash_positions(positions, 5)
    assert np.array_equal(hash_positions(positions[::-1], 5), whole[::-1])
    assert len(np.unique(whole)) == 1000
    assert not np.isin(hash_positions(positions, 6), whole).any()
    assert not np.isin(hash_positions(positions, 5, stream=1), whole).any()
    assert np.array_equal(hash_positions(positions, -1), hash_positions(positions, 2**64 - 1))


def test_hashes_never_change():
    # A stored result can only be reproduced while these numbers stay.
    assert hash_positions(np.arange(3), 0).tolist() == PINNED


def test_uniform_numbers_fill_the_interval():
    numbers = uniform(100_000, 3)
    assert 0 <= numbers.min() < 1e-3
    assert 1 - 1e-3 < numbers.max() < 1
    assert abs(np.histogram(numbers, 10, (0, 1))[0] / 10_000 - 1).max() < 0.05


PINNED = [13013912499580732898, 2558736989570252433, 17913671590881668180]
