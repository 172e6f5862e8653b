"""Geometry and projections: equal to slow twins, and no way to share the work can be seen in the result."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import scipy.ndimage as ndi
from hypothesis import given, settings
from hypothesis import strategies as st

from bigimg.kernels import dyadic, projecting
from bigimg.kernels.block_means import block_means, blocks_with_any
from bigimg.kernels.resampling import AxisResampling, resample, resample_valid
from bigimg.kernels.sampling import AffinePlaces, sample, sample_valid

QUICK = settings(deadline=None, max_examples=40)
SIZES = st.integers(1, 14)
SEEDS = st.integers(0, 2**32 - 1)
SIGMAS = st.sampled_from([0.0, 0.3, 1.0, 2.5])
DTYPES = st.sampled_from(["u1", "i2", "i4", "f4", "f8"])
NUMBERS = st.floats(-3, 3, width=32)


def pixels(shape, dtype, seed):
    rng = np.random.default_rng(seed)
    return (rng.random(shape) * 200 - (100 if np.dtype(dtype).kind != "u" else 0)).astype(dtype)


@st.composite
def axes(draw, ndim):
    order = draw(st.sampled_from([0, 1]))
    edge = draw(st.booleans())
    return tuple(AxisResampling(draw(SIZES), draw(SIZES), order, draw(SIGMAS), edge) for _ in range(ndim))


def boxes(draw, shape):
    sides = []
    for size in shape:
        start = draw(st.integers(0, size - 1))
        sides.append(slice(start, draw(st.integers(start + 1, size))))
    return tuple(sides)


def reads(places, box):
    ends = np.array([[side.start, side.stop] for side in box])
    found = [axis.reads(ends[k : k + 1, 0], ends[k : k + 1, 1]) for k, axis in enumerate(places)]
    return tuple(slice(int(low[0]), int(high[0])) for low, high in found)


def slow_axis(values, axis):
    """Smooth a whole line as SciPy does, then look between its pixels one by one."""
    mode = "reflect" if axis.mirrors_edge else "mirror"
    smoothed = ndi.gaussian_filter1d(values.astype(float), axis.sigma, 0, mode=mode) if axis.sigma else values
    places = (np.arange(axis.new_size) + 0.5) * (axis.size / axis.new_size) - 0.5
    rows = np.arange(axis.size)
    if axis.order == 0:
        nearest = np.abs(np.floor(np.abs(places) + 0.5)).astype(int) if axis.size > 1 else np.zeros(len(places), int)
        return smoothed[nearest]
    padded = np.pad(
        smoothed.astype(float), [(1, 1)] + [(0, 0)] * (values.ndim - 1), mode="reflect" if axis.size > 1 else "edge"
    )
    flat = padded.reshape(len(padded), -1)
    line = np.concatenate([[-1], rows, [axis.size]])
    found = np.stack([np.interp(places, line, column) for column in flat.T], axis=1)
    return found.reshape(len(places), *values.shape[1:])


@QUICK
@given(st.data(), st.sampled_from([2, 3]), DTYPES, SEEDS)
def test_resampling_equals_smoothing_and_looking_between(data, ndim, dtype, seed):
    places = data.draw(axes(ndim))
    image = pixels([axis.size for axis in places], dtype, seed)
    wanted = image
    for k, axis in enumerate(places):
        wanted = np.moveaxis(slow_axis(np.moveaxis(wanted, k, 0), axis), 0, k)
    box = tuple(slice(0, axis.new_size) for axis in places)
    found = resample(image, places, (0,) * ndim, box)
    np.testing.assert_allclose(
        found, wanted, rtol=1e-5 if dtype == "f4" else 1e-12, atol=1e-4 if dtype == "f4" else 1e-11
    )


@QUICK
@given(st.data(), st.sampled_from([2, 3]), DTYPES, SEEDS, st.booleans())
def test_a_box_of_a_resampled_image_is_made_of_its_box(data, ndim, dtype, seed, masked):
    places = data.draw(axes(ndim))
    image = pixels([2, *(axis.size for axis in places)], dtype, seed)
    valid = np.random.default_rng(seed).random(image.shape) < 0.8 if masked else None
    full = tuple(slice(0, axis.new_size) for axis in places)
    box = boxes(data.draw, [axis.new_size for axis in places])
    read = reads(places, box)
    origin = tuple(side.start for side in read)
    part = None if valid is None else valid[(..., *read)]
    whole = resample(image, places, (0,) * ndim, full, valid)[(..., *box)]
    np.testing.assert_array_equal(resample(image[(..., *read)], places, origin, box, part), whole)
    if valid is not None:
        counts = resample_valid(valid, places, (0,) * ndim, full)[(..., *box)]
        np.testing.assert_array_equal(resample_valid(part, places, origin, box), counts)
        other = np.where(valid, image, image[::-1])
        np.testing.assert_array_equal(
            resample(other, places, (0,) * ndim, full, valid)[(..., *box)][counts], whole[counts]
        )


@st.composite
def affine(draw, ndim):
    matrix = tuple(tuple(draw(st.lists(NUMBERS, min_size=ndim, max_size=ndim))) for _ in range(ndim))
    offset = tuple(draw(st.lists(st.floats(-9, 20, width=32), min_size=ndim, max_size=ndim)))
    return AffinePlaces(matrix, offset, tuple(draw(SIZES) for _ in range(ndim)), draw(st.sampled_from([0, 1])))


def place_of(places, index):
    """The place of a pixel, term by term as SciPy adds them."""
    found = []
    for row, shift in zip(places.matrix, places.offset):
        total = row[0] * index[0]
        for factor, at in zip(row[1:], index[1:]):
            total = total + factor * at
        found.append(total + shift)
    return found


def slow_sample(image, places, shape, cval):
    out = np.empty(shape)
    counts = np.ones(shape, bool)
    for index in np.ndindex(*shape):
        at = place_of(places, index)
        if places.order == 0:
            corners = {tuple(int(np.floor(x + 0.5)) for x in at): 1.0}
        else:
            corners = {}
            for corner in np.ndindex(*(2,) * len(at)):
                near = [int(np.floor(x)) for x in at]
                weight = np.prod([x - n if c else 1 - (x - n) for x, n, c in zip(at, near, corner)])
                if weight > 0:
                    corners[tuple(n + c for n, c in zip(near, corner))] = weight
        inside = {key: all(0 <= k < n for k, n in zip(key, image.shape)) for key in corners}
        out[index] = sum(weight * (float(image[key]) if inside[key] else cval) for key, weight in corners.items())
        counts[index] = all(inside.values())
    return out, counts


@QUICK
@given(st.data(), st.sampled_from([2, 3]), DTYPES, SEEDS)
def test_sampling_equals_the_corners_one_by_one(data, ndim, dtype, seed):
    places = data.draw(affine(ndim))
    image = pixels(places.shape, dtype, seed)
    shape = tuple(data.draw(st.integers(1, 7)) for _ in range(ndim))
    read, box = (tuple(slice(0, size) for size in each) for each in (places.shape, shape))
    wanted, inside = slow_sample(image, places, shape, 3.0)
    np.testing.assert_allclose(
        sample(image, places, read, box, 3.0), wanted, rtol=1e-5, atol=1e-4 if dtype == "f4" else 1e-9
    )
    np.testing.assert_array_equal(sample_valid(np.ones(image.shape, bool), places, read, box), inside)


@QUICK
@given(st.data(), st.sampled_from([2, 3]), DTYPES, SEEDS)
def test_a_box_of_a_mapped_image_is_made_of_its_box(data, ndim, dtype, seed):
    places = data.draw(affine(ndim))
    image = pixels((2, *places.shape), dtype, seed)
    valid = np.random.default_rng(seed).random(image.shape) < 0.8
    shape = tuple(data.draw(st.integers(1, 12)) for _ in range(ndim))
    read, full = (tuple(slice(0, size) for size in each) for each in (places.shape, shape))
    box = boxes(data.draw, shape)
    first, last = places.reads(*(np.array([[getattr(side, end) for side in box]]) for end in ("start", "stop")))
    whole = sample(image, places, read, full, 7.0)[(..., *box)]
    if (first >= last).any():
        assert (whole == 7).all()
        return
    part = tuple(slice(int(low), int(high)) for low, high in zip(first[0], last[0]))
    np.testing.assert_array_equal(sample(image[(..., *part)], places, part, box, 7.0), whole)
    counts = sample_valid(valid, places, read, full)[(..., *box)]
    np.testing.assert_array_equal(sample_valid(valid[(..., *part)], places, part, box), counts)
    other = np.where(valid, image, image[::-1])
    np.testing.assert_array_equal(sample(other, places, read, full, 7.0)[(..., *box)][counts], whole[counts])


@QUICK
@given(st.data(), st.sampled_from([2, 3]), DTYPES, SEEDS, st.booleans())
def test_means_of_blocks_equal_those_of_masked_arrays(data, ndim, dtype, seed, masked):
    shape = tuple(data.draw(SIZES) for _ in range(ndim))
    factors = tuple(data.draw(st.integers(1, 5)) for _ in range(ndim))
    image = pixels(shape, dtype, seed)
    valid = np.random.default_rng(seed).random(shape) < (0.6 if masked else 1.1)
    blocks = tuple(-(-size // factor) for size, factor in zip(shape, factors))
    found = block_means(image, factors, blocks, 2.0, valid if masked else None)
    there = blocks_with_any(valid, factors, blocks)
    for index in np.ndindex(*blocks):
        part = tuple(slice(i * factor, (i + 1) * factor) for i, factor in zip(index, factors))
        missing = np.prod(factors) - image[part].size
        values = [*image[part][valid[part]].astype(float), *[2.0] * missing]
        assert there[index] == valid[part].any()
        if there[index]:
            np.testing.assert_allclose(found[index], np.mean(values), rtol=1e-5, atol=1e-4)


@QUICK
@given(st.lists(st.integers(1, 9), min_size=1, max_size=9), SEEDS, st.randoms(), st.booleans())
def test_the_tree_of_planes_does_not_ask_who_adds_them(shares, seed, random, masked):
    count = sum(shares)
    planes = pixels((count, 11), "f8", seed) * np.logspace(-8, 8, count)[:, None]
    valid = np.random.default_rng(seed).random(planes.shape) < 0.7 if masked else None
    bounds = np.cumsum([0, *shares])
    sums = [dyadic.sums_of(planes[a:b], int(a)) for a, b in pairwise(bounds)]
    parts = [dyadic.moments_of(planes[a:b], None if valid is None else valid[a:b], int(a)) for a, b in pairwise(bounds)]
    for states in (sums, parts):
        random.shuffle(states)
    while len(sums) > 1:
        sums.append(dyadic.join_sums(sums.pop(0), sums.pop(0)))
        parts.append(dyadic.join_moments(parts.pop(0), parts.pop(0)))
    total, moments = dyadic.total_sum(sums[0]), dyadic.total_moments(parts[0])
    np.testing.assert_array_equal(total, dyadic.total_sum(dyadic.sums_of(planes, 0)))
    np.testing.assert_array_equal(moments, dyadic.total_moments(dyadic.moments_of(planes, valid, 0)))
    np.testing.assert_allclose(total, planes.sum(axis=0), rtol=1e-9, atol=1e-3)
    known = np.ma.MaskedArray(planes, mask=None if valid is None else ~valid)
    np.testing.assert_allclose(
        moments[1], known.mean(axis=0).filled(0) if masked else known.mean(axis=0), rtol=1e-9, atol=1e-3
    )
    np.testing.assert_allclose(
        moments[2] / np.maximum(moments[0], 1), np.ma.filled(known.var(axis=0), 0), rtol=1e-9, atol=1e-3
    )


@QUICK
@given(st.integers(1, 40), st.sampled_from(["bool", "u1", "i2", "u4", "i8", "f2", "f4", "f8"]), SEEDS, st.booleans())
def test_the_middle_equals_the_median(count, dtype, seed, masked):
    planes = pixels((count, 23), "u1", seed).astype(dtype)
    valid = np.random.default_rng(seed).random(planes.shape) < 0.5 if masked else None
    known = np.ma.MaskedArray(planes.astype(float), mask=None if valid is None else ~valid)
    wanted = np.ma.filled(np.ma.median(known, axis=0), 0)
    np.testing.assert_array_equal(projecting.middle(planes, valid), wanted)


@QUICK
@given(st.integers(1, 300), SEEDS, st.sampled_from([0, 60_000, -30_000]))
def test_deviations_of_integers_lose_no_digits(count, seed, base):
    planes = (np.random.default_rng(seed).integers(0, 3, (count, 7)) + base).astype("u2" if base >= 0 else "i2")
    total, squares = projecting.integer_sums(planes, True)
    found = projecting.deviation(np.full(7, count), total, squares)
    np.testing.assert_allclose(found, (planes.astype(float) - base).std(axis=0), rtol=1e-12, atol=1e-12)


@QUICK
@given(st.integers(1, 70), st.sampled_from(["f4", "f8"]), SEEDS)
def test_moments_of_values_that_all_count_have_the_bits_of_those_that_may_not(count, dtype, seed):
    planes = pixels((count, 9), dtype, seed)
    full, masked = dyadic.moments_of(planes, None, 0), dyadic.moments_of(planes, np.ones(planes.shape, bool), 0)
    assert full.keys() == masked.keys()
    for node, moments in full.items():
        np.testing.assert_array_equal(moments, masked[node])


def slow_tree(values, level):
    """Add two halves, each of which is added so."""
    if level == 0:
        return values[0].astype(float)
    half = len(values) // 2
    return slow_tree(values[:half], level - 1) + slow_tree(values[half:], level - 1)


@QUICK
@given(st.integers(0, 7), st.sampled_from(["f4", "f8"]), SEEDS)
def test_a_node_is_the_sum_of_its_halves(level, dtype, seed):
    planes = pixels((2**level, 9), dtype, seed)
    np.testing.assert_array_equal(dyadic.sums_of(planes, 0)[level, 0], slow_tree(planes, level))
