"""The laws of rank filters: every kernel gives the same, the tile never shows, and what is invalid never matters."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bigimg.kernels import rank
from bigimg.kernels.deviation import standard_deviation
from bigimg.kernels.entropy import entropy
from bigimg.kernels.rank_networks import SIZES

shapes = st.one_of(
    st.tuples(st.integers(1, 60), st.integers(1, 150)),
    st.tuples(st.integers(1, 9), st.integers(1, 20), st.integers(1, 40)),
)
dtypes = st.sampled_from(["bool", "uint8", "int8", "uint16", "int16", "uint32", "int32", "float32", "float64"])


def picture(shape, dtype, seed):
    """Return an image with plateaus: values that occur often, some and once."""
    rng = np.random.default_rng(seed)
    values = rng.gamma(2, 30, shape).clip(0, 250) - (100 if np.dtype(dtype).kind in "if" else 0)
    values = np.where(rng.random(shape) < 0.3, np.round(values, -1), values)
    if dtype == "bool":
        return values > 50
    return values.astype(dtype) if dtype[0] == "f" else np.round(values / 2).astype(dtype)


@st.composite
def footprints(draw, ndim):
    shape = draw(st.tuples(*[st.integers(1, 5)] * ndim))
    footprint = np.random.default_rng(draw(st.integers(0, 99))).random(shape) < 0.6
    footprint.flat[draw(st.integers(0, footprint.size - 1))] = True
    return footprint


def slow(image, percentile, footprint, valid):
    """Return a percentile by sorting what lies under the footprint of every pixel."""
    around = [(size // 2, size - 1 - size // 2) for size in footprint.shape]
    pixels, known = (
        np.lib.stride_tricks.sliding_window_view(np.pad(a, around, mode="symmetric"), footprint.shape)
        for a in (image, valid)
    )
    out = np.zeros_like(image)
    for place in np.ndindex(image.shape):
        inside = np.sort(pixels[place][known[place] & footprint])
        if len(inside):
            out[place] = inside[min(int(len(inside) * percentile / 100), len(inside) - 1)]
    return out


@settings(deadline=None, max_examples=60)
@given(choice=st.data())
def test_a_percentile_is_found_under_any_footprint(choice):
    ndim = choice.draw(st.sampled_from([2, 3]))
    shape = choice.draw(st.tuples(*[st.integers(1, 8)] * ndim))
    image = picture(shape, choice.draw(dtypes), choice.draw(st.integers(0, 99)))
    valid = picture(shape, "bool", 1) if choice.draw(st.booleans()) else None
    footprint, percentile = choice.draw(footprints(ndim)), choice.draw(st.sampled_from([0.0, 20.0, 50.0, 99.5, 100.0]))
    got = rank.percentile(image, percentile, footprint, ndim, valid)
    known = np.ones(shape, bool) if valid is None else valid
    np.testing.assert_array_equal(got[known], slow(image, percentile, footprint, known)[known])


@settings(deadline=None, max_examples=60)
@given(choice=st.data())
def test_every_kernel_finds_the_same(choice):
    shape = choice.draw(st.tuples(st.integers(1, 60), st.integers(1, 200)))
    image = picture(shape, choice.draw(dtypes), choice.draw(st.integers(0, 99)))
    image = image.view(np.uint8) if image.dtype == bool else image
    size, percentile = choice.draw(st.sampled_from(sorted(SIZES))), choice.draw(st.floats(0, 100))
    footprint = np.ones((size, size), bool)
    plain = rank._by_bits(image, footprint, percentile, None)
    np.testing.assert_array_equal(rank._by_sorting(image, footprint, percentile, None), plain)
    np.testing.assert_array_equal(rank._by_classes(image, footprint, percentile, None), plain)
    valid = picture(shape, "bool", choice.draw(st.integers(0, 99)))
    masked = rank._by_bits(image, footprint, percentile, valid)
    np.testing.assert_array_equal(rank._by_classes(image, footprint, percentile, valid), masked)


def bits_held(image, ndim, valid):
    """Return the entropy, of floats that of their whole numbers."""
    numbers = np.round(image).astype(np.int32) if image.dtype.kind == "f" else image
    return entropy(numbers, np.ones((5,) * ndim, bool), ndim, valid)


FILTERS = {
    "percentile 3": (lambda a, n, v: rank.percentile(a, 30, 3, n, v), 1),
    "percentile 9": (lambda a, n, v: rank.percentile(a, 30, 9, n, v), 4),
    "percentile 23": (lambda a, n, v: rank.percentile(a, 30, 23 if n == 2 else 5, n, v), 11),
    "minimum": (lambda a, n, v: rank.minimum(a, 5, n, v), 2),
    "maximum": (lambda a, n, v: rank.maximum(a, np.eye(3, dtype=bool) if n == 2 else 3, n, v), 1),
    "standard deviation": (lambda a, n, v: standard_deviation(a, 5, n, v), 2),
    "entropy": (bits_held, 2),
}


@pytest.mark.parametrize("name", FILTERS)
@settings(deadline=None, max_examples=25)
@given(choice=st.data())
def test_a_tile_with_its_halo_has_the_bits_of_the_whole(name, choice):
    apply, halo = FILTERS[name]
    shape = choice.draw(shapes)
    image = picture(shape, choice.draw(dtypes), choice.draw(st.integers(0, 99)))
    valid = picture(shape, "bool", 1) if choice.draw(st.booleans()) else None
    whole = apply(image, len(shape), valid)
    crop = tuple(slice(*sorted((choice.draw(st.integers(0, n)), choice.draw(st.integers(0, n))))) for n in shape)
    read = tuple(slice(max(0, s.start - halo), min(n, s.stop + halo)) for s, n in zip(crop, shape))
    inside = tuple(slice(s.start - r.start, s.stop - r.start) for s, r in zip(crop, read))
    tile = apply(image[read], len(shape), None if valid is None else valid[read])
    np.testing.assert_array_equal(
        np.ascontiguousarray(tile[inside]).view(np.uint8), np.ascontiguousarray(whole[crop]).view(np.uint8)
    )


@pytest.mark.parametrize("name", FILTERS)
@settings(deadline=None, max_examples=25)
@given(choice=st.data())
def test_what_is_invalid_never_matters(name, choice):
    apply, _ = FILTERS[name]
    shape, dtype = choice.draw(shapes), choice.draw(dtypes)
    image, valid = picture(shape, dtype, 0), picture(shape, "bool", choice.draw(st.integers(0, 99)))
    other = image.copy()
    if dtype == "bool":
        other[~valid] ^= True
    elif dtype[0] == "f" and name != "entropy":
        other[~valid] = choice.draw(st.sampled_from([np.nan, np.inf, -np.inf, 0.0, 3e38]))
    else:
        other[~valid] = choice.draw(st.integers(0, 100))
    before, after = apply(image, len(shape), valid), apply(other, len(shape), valid)
    np.testing.assert_array_equal(before[valid], after[valid])
