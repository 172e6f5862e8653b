"""The laws of linear filters, ridges and denoising: the tile never shows, what is invalid never matters, sums are sums.

To the last bit, where not said otherwise.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bigimg.kernels import ridges
from bigimg.kernels.bands import difference_of_gaussians
from bigimg.kernels.bilateral import bilateral
from bigimg.kernels.convolution import as_terms, convolve, correlate
from bigimg.kernels.derivatives import PREWITT, SOBEL, edges
from bigimg.kernels.gabor import gabor, gabor_weights
from bigimg.kernels.gaussian_derivatives import gaussian_laplace, hessian, hessian_radius
from bigimg.kernels.laplace import laplace
from bigimg.kernels.nl_means import nl_means

rng = np.random.default_rng(0)
SMALL = rng.random((4, 3, 5))
LARGE = np.outer(rng.random(9), rng.random(11)) + np.outer(rng.random(9), rng.random(11))
WAVE = gabor_weights(0.2, 0.6, 2.5, 2.5, 3.0, 0.0)


def of_planes(function):
    """Apply a filter of planes to each plane of a volume too."""
    return lambda a, n, v: function(a, v)


FILTERS = {
    "sobel": (lambda a, n, v: edges(a, SOBEL, None, n, v), 1),
    "prewitt along": (lambda a, n, v: edges(a, PREWITT, -1, n, v), 1),
    "laplace": (laplace, 1),
    "gaussian laplace": (lambda a, n, v: gaussian_laplace(a, (0.9, 1.4, 0.7)[-n:], 3.0, n, v), 4),
    "difference of gaussians": (lambda a, n, v: difference_of_gaussians(a, (0.5,) * n, (1.4,) * n, 3.0, n, v), 4),
    "correlate": (lambda a, n, v: correlate(a, SMALL if n == 3 else SMALL[0], n, v), 2),
    "convolve terms": (of_planes(lambda a, v: convolve(a, LARGE, 2, v)), 5),
    "gabor": (of_planes(lambda a, v: gabor(a, *WAVE, "magnitude", v)), 8),
    "hessian": (lambda a, n, v: hessian(a, 1.2, n, v)[1], hessian_radius(1.2)),
    "sato": (lambda a, n, v: ridges.sato(a, (0.7, 1.1), True, n, v), hessian_radius(1.1)),
    "frangi": (lambda a, n, v: ridges.frangi(a, (1.1,), 0.5, 0.5, 3.0, False, n, v), hessian_radius(1.1)),
    "meijering": (lambda a, n, v: ridges.meijering(a, (1.1,), 0.3, (2.0,), True, n, v), hessian_radius(1.1)),
    "bilateral": (lambda a, n, v: bilateral(a, 5, 20.0, 1.3, 300, -9.0, 250.0, n, v), 2),
    "nl means": (lambda a, n, v: nl_means(a, 3, 2, 30.0, 4.0, n, v), 3),
}
LINEAR = ("prewitt along", "laplace", "gaussian laplace", "correlate", "convolve terms", "hessian")
NO_EDGE = ("sobel", "prewitt along", "laplace", "gaussian laplace", "gabor", "hessian", "sato", "frangi", "meijering")

shapes = st.one_of(
    st.tuples(st.integers(1, 50), st.integers(1, 300)),
    st.tuples(st.integers(1, 8), st.integers(1, 14), st.integers(1, 30)),
)
dtypes = st.sampled_from(["bool", "uint8", "uint16", "float32", "float64"])


def picture(shape, dtype, seed):
    rng = np.random.default_rng(seed)
    values = rng.gamma(2, 30, shape)
    if dtype[0] == "f":
        # of very different sizes, so that the order of additions shows
        return (values * 10.0 ** rng.integers(-4, 3, shape)).astype(dtype)
    return values > 50 if dtype == "bool" else (values.clip(0, 250) * (257 if dtype == "uint16" else 1)).astype(dtype)


def bits(array):
    return np.ascontiguousarray(array).view(np.uint8)


@st.composite
def crops(draw, shape):
    return tuple(slice(*sorted((draw(st.integers(0, n)), draw(st.integers(0, n))))) for n in shape)


@pytest.mark.parametrize("name", FILTERS)
@settings(deadline=None, max_examples=25)
@given(choice=st.data())
def test_a_tile_with_its_halo_has_the_bits_of_the_whole(name, choice):
    apply, halo = FILTERS[name]
    shape, dtype = choice.draw(shapes), choice.draw(dtypes)
    image = picture(shape, dtype, choice.draw(st.integers(0, 99)))
    valid = picture(shape, "bool", 1) if choice.draw(st.booleans()) else None
    whole = apply(image, len(shape), valid)
    crop = choice.draw(crops(shape))
    read = tuple(slice(max(0, s.start - halo), min(n, s.stop + halo)) for s, n in zip(crop, shape))
    if 0 in image[read].shape:
        return
    inside = tuple(slice(s.start - r.start, s.stop - r.start) for s, r in zip(crop, read))
    tile = apply(image[read], len(shape), None if valid is None else valid[read])
    keep = np.ones(shape, bool) if valid is None else valid
    np.testing.assert_array_equal(bits(tile[inside][keep[crop]]), bits(whole[crop][keep[crop]]))


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


@pytest.mark.parametrize(
    "name", sorted(set(FILTERS) - {"difference of gaussians"})
)  # which divides by a sum of weights
@settings(deadline=None, max_examples=10)
@given(choice=st.data())
def test_a_mask_of_valid_pixels_only_changes_nothing(name, choice):
    apply, _ = FILTERS[name]
    shape, dtype = choice.draw(shapes), choice.draw(dtypes)
    image = picture(shape, dtype, choice.draw(st.integers(0, 99)))
    np.testing.assert_array_equal(apply(image, len(shape), np.ones(shape, bool)), apply(image, len(shape), None))


@pytest.mark.parametrize("name", NO_EDGE)
@settings(deadline=None, max_examples=10)
@given(choice=st.data())
def test_the_edge_of_a_mask_makes_no_edge(name, choice):
    apply, _ = FILTERS[name]
    shape, value = choice.draw(shapes), choice.draw(st.integers(0, 250))
    valid = picture(shape, "bool", choice.draw(st.integers(0, 99)))
    image = np.where(valid, np.uint8(value), np.uint8(7))
    flat = apply(np.full(shape, value, np.uint8), len(shape), None)
    np.testing.assert_allclose(apply(image, len(shape), valid)[valid], flat[valid], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", LINEAR)
@settings(deadline=None, max_examples=15)
@given(choice=st.data())
def test_the_filter_of_a_sum_is_the_sum_of_the_filters(name, choice):
    apply, _ = FILTERS[name]
    shape = choice.draw(shapes)
    one, two = (picture(shape, "uint8", choice.draw(st.integers(0, 99))).astype(float) for _ in range(2))
    both = apply(3 * one + two, len(shape), None)
    np.testing.assert_allclose(both, 3 * apply(one, len(shape), None) + apply(two, len(shape), None), atol=1e-9)


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 4), st.integers(1, 9), st.integers(1, 9), st.booleans(), st.integers(0, 99))
def test_terms_add_up_to_the_kernel(rank, rows, columns, whole, seed):
    rng = np.random.default_rng(seed)
    down, along = rng.normal(size=(rows, rank)), rng.normal(size=(rank, columns))
    if whole:
        down, along = np.rint(3 * down[:, :1]), np.rint(3 * along[:1])
    kernel = down @ along
    terms = as_terms(kernel)
    total = sum((np.outer(*term) for term in terms), np.zeros(kernel.shape))
    assert len(terms) <= min(rank, rows, columns)
    if whole:
        np.testing.assert_array_equal(total, kernel)
        assert all((each == np.rint(each)).all() for term in terms for each in term)
    else:
        np.testing.assert_allclose(total, kernel, atol=1e-13 * np.abs(kernel).max())
