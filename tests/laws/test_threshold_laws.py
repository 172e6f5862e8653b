"""The laws of thresholds: the tile never shows, what is invalid never matters, and shortcuts change no pixel."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bigimg.core.footprint import ball, disk
from bigimg.errors import ImageError
from bigimg.kernels import local
from bigimg.kernels.comparison import between, brighter
from bigimg.kernels.contrast import bernsen_mask
from bigimg.kernels.local_averages import local_gaussian_mask, local_median_mask
from bigimg.kernels.local_rules import MEAN, NIBLACK, PHANSALKAR, SAUVOLA, Rule
from bigimg.kernels.local_trees import fill_rows, fill_volume
from bigimg.kernels.totals import UNIT, mean, total
from bigimg.ops import threshold

RULES = {
    "mean": Rule(MEAN, offset=0.5),
    "mean without offset": Rule(MEAN),
    "niblack": Rule(NIBLACK, k=0.3),
    "niblack above": Rule(NIBLACK, k=-0.3),
    "sauvola": Rule(SAUVOLA, k=0.1, r=50.0),
    "sauvola negative": Rule(SAUVOLA, k=-0.4, r=20.0),
    "phansalkar": Rule(PHANSALKAR, k=0.25, r=100.0, p=2.0, q=0.02),
    "phansalkar odd": Rule(PHANSALKAR, k=0.25, r=100.0, p=-2.0, q=-0.01),
}


def by_rule(name, size=11):
    return lambda image, ndim, valid: local._mask(image, size, RULES[name], ndim, valid)


OPERATIONS = {
    **{name: (by_rule(name), 5) for name in RULES},
    "wide": (by_rule("sauvola", 71), 35),
    "gaussian": (lambda a, n, v: local_gaussian_mask(a, 9, 0.5, n, v), 6),
    "gaussian without offset": (lambda a, n, v: local_gaussian_mask(a, 9, 0.0, n, v), 6),
    "median": (lambda a, n, v: local_median_mask(a, 5, 0.5, n, v), 2),
    "bernsen": (lambda a, n, v: bernsen_mask(a, disk(3) if n == 2 else ball(3), 20.0, 60.0, n, v), 3),
}

shapes = st.one_of(
    st.tuples(st.integers(1, 40), st.integers(1, 120)),
    st.tuples(st.integers(1, 9), st.integers(1, 20), st.integers(1, 30)),
)
dtypes = st.sampled_from(["bool", "uint8", "int16", "uint16", "int32", "float32", "float64"])
KINDS = ["noise", "levels", "empty", "wide", "signed", "bright"]


def picture(shape, dtype, kind, seed):
    """Return noise, plateaus, dots on zeros, magnitudes far apart, both signs, or little contrast far from 0."""
    rng = np.random.default_rng(seed)
    values = rng.gamma(2, 30, shape).clip(0, 250)
    if kind == "levels":
        values = np.round(values / 60) * 60.1
    elif kind == "empty":
        values *= rng.random(shape) < 0.02
    elif kind == "wide":
        values = values * 10.0 ** rng.integers(-9, 10, shape)
    elif kind == "signed":
        values = values - 70
    elif kind == "bright":
        values = 30000 + values / 1000
    if dtype == "bool":
        return values > 50
    return values.astype(dtype) if dtype[0] == "f" else values.clip(*_limits(dtype)).astype(dtype)


def _limits(dtype):
    info = np.iinfo(dtype)
    return info.min, info.max


@pytest.mark.parametrize("name", OPERATIONS)
@settings(deadline=None, max_examples=25)
@given(choice=st.data())
def test_a_tile_with_its_halo_has_the_pixels_of_the_whole(name, choice):
    apply, halo = OPERATIONS[name]
    shape, dtype, kind = choice.draw(shapes), choice.draw(dtypes), choice.draw(st.sampled_from(KINDS))
    image = picture(shape, dtype, kind, choice.draw(st.integers(0, 99)))
    valid = picture(shape, "bool", "noise", 1) if choice.draw(st.booleans()) else None
    whole = apply(image, len(shape), valid)
    crop = tuple(slice(*sorted((choice.draw(st.integers(0, n)), choice.draw(st.integers(0, n))))) for n in shape)
    read = tuple(slice(max(0, s.start - halo), min(n, s.stop + halo)) for s, n in zip(crop, shape))
    inside = tuple(slice(s.start - r.start, s.stop - r.start) for s, r in zip(crop, read))
    tile = apply(image[read], len(shape), None if valid is None else valid[read])
    where = slice(None) if valid is None else valid[crop]
    np.testing.assert_array_equal(tile[inside][where], whole[crop][where])


@pytest.mark.parametrize("name", OPERATIONS)
@settings(deadline=None, max_examples=20)
@given(choice=st.data())
def test_what_is_invalid_never_matters(name, choice):
    apply, _ = OPERATIONS[name]
    shape, dtype, kind = choice.draw(shapes), choice.draw(dtypes), choice.draw(st.sampled_from(KINDS))
    image = picture(shape, dtype, kind, choice.draw(st.integers(0, 99)))
    valid = picture(shape, "bool", "noise", choice.draw(st.integers(0, 99)))
    other = image.copy()
    if dtype == "bool":
        other[~valid] ^= True
    elif dtype[0] == "f":
        other[~valid] = choice.draw(st.sampled_from([0.0, 1e30, -1e30]))
    else:
        other[~valid] = choice.draw(st.integers(*_limits(dtype)))
    np.testing.assert_array_equal(apply(image, len(shape), valid)[valid], apply(other, len(shape), valid)[valid])


@pytest.mark.parametrize("rule", RULES)
@settings(deadline=None, max_examples=40)
@given(choice=st.data())
def test_sums_on_a_grid_decide_as_the_sums_themselves(rule, choice):
    """The twin of the fast kernel: the same image, every row by trees of additions."""
    shape, dtype = choice.draw(shapes), choice.draw(st.sampled_from(["float32", "float64", "uint8", "uint16", "int16"]))
    image = picture(shape, dtype, choice.draw(st.sampled_from(KINDS)), choice.draw(st.integers(0, 999)))
    image = image * image.dtype.type(choice.draw(st.sampled_from([1, 0, 1e-20, 1e20]))) if dtype[0] == "f" else image
    valid = picture(shape, "bool", "noise", 1) if choice.draw(st.booleans()) else None
    size = choice.draw(st.sampled_from([1, 3, 7, 31, 75]))
    numbers = image if dtype[0] == "f" else image.astype(np.float64)
    expected = np.empty(shape, bool)
    if len(shape) == 3:
        fill_volume(expected, numbers, valid, RULES[rule], size)
    else:
        fill_rows(expected, numbers, valid, RULES[rule], size, np.ones(shape[0], bool))
    found = local._mask(image, size, RULES[rule], len(shape), valid)
    where = slice(None) if valid is None else valid
    np.testing.assert_array_equal(found[where], expected[where])


@settings(deadline=None, max_examples=60)
@given(
    dtype=st.sampled_from(["float32", "float64"]),
    size=st.integers(1, 9000),
    spread=st.sampled_from([0, 3, 30]),
    scale=st.sampled_from([1.0, 1e-30, 1e30]),
    seed=st.integers(0, 99),
)
def test_totals_are_exact(dtype, size, spread, scale, seed):
    rng = np.random.default_rng(seed)
    with np.errstate(over="ignore"):
        values = (rng.normal(0, 1, size) * scale * 10.0 ** rng.integers(-spread, spread + 1, size)).astype(dtype)
    values[~np.isfinite(values)] = 0
    expected = sum(map(Fraction, values.tolist()))
    assert total(values) == expected * 2**-UNIT
    assert mean(total(values), size, floats=True) == float(expected / size)
    valid = rng.random(size) < 0.5
    assert total(values[valid]) + total(values[~valid]) == total(values)
    assert total(values, valid) == total(values[valid])


@settings(deadline=None, max_examples=60)
@given(
    dtype=st.sampled_from(["bool", "uint8", "int16", "int64", "uint64", "float32", "float64"]),
    low=st.floats(allow_nan=False),
    high=st.floats(allow_nan=False),
    seed=st.integers(0, 9),
)
def test_pixels_are_compared_as_the_numbers_they_are(dtype, low, high, seed):
    image = picture((5, 7), dtype, "noise", seed)
    exact = np.array([Fraction(value) for value in image.ravel().tolist()], object).reshape(image.shape)
    for value in (low, high, float(image.flat[0]), 0.1):
        limit = Fraction(value) if np.isfinite(value) else value
        np.testing.assert_array_equal(brighter(image, value), exact > limit)
    ends = [Fraction(value) if np.isfinite(value) else value for value in (low, high)]
    np.testing.assert_array_equal(between(image, low, high), (exact >= ends[0]) & (exact <= ends[1]))


@pytest.mark.parametrize("bad", [np.inf, -np.inf])
def test_the_mean_of_infinity_is_refused(bad):
    with pytest.raises(ImageError, match=r"^threshold\.mean_value: image holds infinity"):
        threshold.mean_value(np.array([[bad, 1.0]]))
    assert threshold.mean_value(np.ma.MaskedArray([[bad, 1.0]], [[True, False]])) == 1
