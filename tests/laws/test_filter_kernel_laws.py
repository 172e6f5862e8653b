"""The laws of filters: the tile never shows, and what is invalid never matters. To the last bit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bigimg.kernels.colour import rgb_to_gray
from bigimg.kernels.histogram import count_floats, count_integers
from bigimg.kernels.intensity import rescale
from bigimg.kernels.local import local_mean_mask, sauvola_mask
from bigimg.kernels.rank import median
from bigimg.kernels.smooth import gaussian, uniform

FILTERS = {
    "gaussian": (lambda a, n, v: gaussian(a, 1.3, 4.0, n, v), 5),
    "wide gaussian": (lambda a, n, v: gaussian(a, 4.0, 3.0, n, v), 12),
    "uniform": (lambda a, n, v: uniform(a, 6, n, v), 3),
    "median": (lambda a, n, v: median(a, 3, n, v), 1),
    "wide median": (lambda a, n, v: median(a, 7, n, v), 3),
    "local mean": (lambda a, n, v: local_mean_mask(a, 11, 0.5, n, v), 5),
    "sauvola": (lambda a, n, v: sauvola_mask(a, 23, 0.1, 50.0, n, v), 11),
}

shapes = st.one_of(
    st.tuples(st.integers(1, 60), st.integers(1, 700)),
    st.tuples(st.integers(1, 9), st.integers(1, 20), st.integers(1, 40)),
)
dtypes = st.sampled_from(["bool", "uint8", "uint16", "float32", "float64"])


def picture(shape, dtype, seed):
    rng = np.random.default_rng(seed)
    values = rng.gamma(2, 30, shape)
    if dtype[0] == "f":
        # of very different sizes, so that the order of additions shows
        return (values * 10.0 ** rng.integers(-4, 5, shape)).astype(dtype)
    return values > 50 if dtype == "bool" else (values.clip(0, 250) * (257 if dtype == "uint16" else 1)).astype(dtype)


def bits(array):
    return np.ascontiguousarray(array).view(np.uint8)


@st.composite
def crops(draw, shape):
    return tuple(slice(*sorted((draw(st.integers(0, n)), draw(st.integers(0, n))))) for n in shape)


@pytest.mark.parametrize("name", FILTERS)
@settings(deadline=None, max_examples=30)
@given(choice=st.data())
def test_a_tile_with_its_halo_has_the_bits_of_the_whole(name, choice):
    apply, halo = FILTERS[name]
    shape, dtype = choice.draw(shapes), choice.draw(dtypes)
    image = picture(shape, dtype, choice.draw(st.integers(0, 99)))
    valid = picture(shape, "bool", 1) if choice.draw(st.booleans()) else None
    whole = apply(image, len(shape), valid)
    crop = choice.draw(crops(shape))
    read = tuple(slice(max(0, s.start - halo), min(n, s.stop + halo)) for s, n in zip(crop, shape))
    inside = tuple(slice(s.start - r.start, s.stop - r.start) for s, r in zip(crop, read))
    tile = apply(image[read], len(shape), None if valid is None else valid[read])
    np.testing.assert_array_equal(bits(tile[inside]), bits(whole[crop]))


@pytest.mark.parametrize("name", FILTERS)
@settings(deadline=None, max_examples=25)
@given(choice=st.data())
def test_what_is_invalid_never_matters(name, choice):
    apply, _ = FILTERS[name]
    shape, dtype = choice.draw(shapes), choice.draw(dtypes)
    image = picture(shape, dtype, choice.draw(st.integers(0, 99)))
    valid = picture(shape, "bool", choice.draw(st.integers(0, 99)))
    other = image.copy()
    if dtype == "bool":
        other[~valid] ^= True
    elif dtype[0] == "f":
        other[~valid] = choice.draw(st.sampled_from([np.nan, np.inf, -np.inf, 0.0, 3e38]))
    else:
        other[~valid] = choice.draw(st.integers(0, np.iinfo(dtype).max))
    before, after = apply(image, len(shape), valid), apply(other, len(shape), valid)
    np.testing.assert_array_equal(bits(before[valid]), bits(after[valid]))


@settings(deadline=None, max_examples=25)
@given(choice=st.data())
def test_counts_add_up_over_tiles(choice):
    shape, dtype = choice.draw(shapes), choice.draw(dtypes)
    image, valid = picture(shape, dtype, 0), picture(shape, "bool", 2)
    cut = choice.draw(st.integers(0, shape[-1]))

    def count(a, v):
        if image.dtype.kind == "f":
            return count_floats(a, image.min(), image.max(), 50, v)
        return count_integers(a, 0, 65535, v)

    parts = count(image[..., :cut], valid[..., :cut]) + count(image[..., cut:], valid[..., cut:])
    np.testing.assert_array_equal(parts, count(image, valid))
    assert parts.sum() == valid.sum()


@settings(deadline=None, max_examples=25)
@given(choice=st.data())
def test_what_is_done_to_single_pixels_does_not_know_the_tile(choice):
    dtype = choice.draw(st.sampled_from(["uint8", "uint16", "float32", "float64"]))
    image = picture((4, 30, 41), dtype, 0)
    crop = choice.draw(crops((30, 41)))
    np.testing.assert_array_equal(bits(rgb_to_gray(image[:, *crop])), bits(rgb_to_gray(image)[crop]))
    stretched = rescale(image, 10, 99, 0, 255, "float32")
    np.testing.assert_array_equal(bits(rescale(image[:, *crop], 10, 99, 0, 255, "float32")), bits(stretched[:, *crop]))
