"""Distances are those of the whole image however it is cut, and labels grow as scikit-image grows them."""

from __future__ import annotations

import dask.array as da
import numpy as np
import pytest
import scipy.ndimage as ndi
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage import segmentation

from bigimg.errors import ImageError, ParameterError
from bigimg.kernels import distance_labels
from bigimg.ops.morphology import distance_transform
from bigimg.ops.segmentation import expand_labels
from bigimg.testing import nothing_computes, random_chunks

DENSITIES = st.sampled_from([0.0, 0.3, 0.8, 0.95, 0.99, 1.0])
EXACT = [1.0, 2.0, (2.0, 1.0, 0.5), (3.0, 1.5, 1.0)]
ROUNDED = [0.3, (0.3, 0.1, 0.1), (0.29, 0.065, 0.065), (3.14, 1.0, 0.7)]


def blank(shape, density, seed):
    """Return a mask with at least one pixel of background."""
    rng = np.random.default_rng(seed)
    mask = rng.random(shape) < density
    mask.flat[rng.integers(mask.size)] = False
    return mask


def smallest_sums(mask, sampling):
    """Add up the squares as SciPy does, from each pixel to every pixel of the background."""
    background = np.argwhere(~mask)
    result = np.zeros(mask.shape)
    for place in np.ndindex(mask.shape):
        squares = ((background - place) * sampling) ** 2
        total = squares[:, 0]
        for axis in range(1, mask.ndim):
            total = total + squares[:, axis]
        result[place] = np.sqrt(total.min())
    return result


def along(sampling, ndim):
    return sampling if isinstance(sampling, float) else sampling[3 - ndim :]


@settings(deadline=None, max_examples=60)
@given(st.tuples(st.integers(1, 40), st.integers(1, 40)), DENSITIES, st.sampled_from(EXACT), st.integers(0, 2**31))
def test_distances_in_planes(shape, density, sampling, seed):
    mask, sampling = blank(shape, density, seed), along(sampling, 2)
    expected = ndi.distance_transform_edt(mask, sampling=sampling)
    np.testing.assert_array_equal(distance_transform(mask, sampling=sampling), expected)
    with nothing_computes():
        got = distance_transform(da.from_array(mask, chunks=random_chunks(shape, seed)), sampling=sampling)
    np.testing.assert_array_equal(got.compute(scheduler="sync"), expected)


def test_a_tile_that_sends_two_parabolas_takes_those_before_it_away_with_the_first():
    rows = [0, 2, 5, 5, 10, 10, 12, 13, 13, 14, 14, 18, 20, 22, 22, 23, 25]
    columns = [32, 14, 1, 6, 20, 26, 22, 17, 32, 12, 22, 18, 31, 15, 16, 28, 15]
    mask = np.ones((26, 35), bool)
    mask[rows, columns] = False
    expected = ndi.distance_transform_edt(mask, sampling=(1.5, 1.0))
    chunks = (26,), (5, 1, 8, 2, 5, 2, 6, 1, 5)
    got = distance_transform(da.from_array(mask, chunks=chunks), sampling=(1.5, 1.0))
    np.testing.assert_array_equal(got.compute(scheduler="sync"), expected)


@settings(deadline=None, max_examples=30)
@given(st.tuples(*[st.integers(1, 13)] * 3), DENSITIES, st.sampled_from(EXACT), st.integers(0, 2**31))
def test_distances_in_volumes(shape, density, sampling, seed):
    mask = blank(shape, density, seed)
    expected = ndi.distance_transform_edt(mask, sampling=sampling)
    lazy = da.from_array(mask, chunks=random_chunks(shape, seed))
    got = distance_transform(lazy, sampling=sampling, dims="zyx").compute(scheduler="sync")
    np.testing.assert_array_equal(got, expected)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(1, 14), min_size=2, max_size=3), DENSITIES, st.sampled_from(ROUNDED), st.integers(0, 2**31))
def test_of_sums_that_differ_by_rounding_the_smallest_is_found(shape, density, sampling, seed):
    mask, sampling = blank(shape, density, seed), along(sampling, len(shape))
    dims = "yx" if mask.ndim == 2 else "zyx"
    expected = smallest_sums(mask, sampling)
    np.testing.assert_array_equal(distance_transform(mask, sampling=sampling, dims=dims), expected)
    lazy = da.from_array(mask, chunks=random_chunks(mask.shape, seed))
    got = distance_transform(lazy, sampling=sampling, dims=dims).compute(scheduler="sync")
    np.testing.assert_array_equal(got, expected)
    np.testing.assert_allclose(got, ndi.distance_transform_edt(mask, sampling=sampling), rtol=1e-15)


@pytest.mark.parametrize("chunks", [40, (40, 400), (400, 40), 13])
@pytest.mark.parametrize("sampling", [1.0, (0.29, 0.065)])
def test_far_distances_through_many_tiles(chunks, sampling):
    rows, columns = np.indices((400, 400))
    ring = np.hypot(rows - 180, columns - 210) < 170
    corner = np.ones_like(ring)
    corner[3, 390] = corner[399, 0] = False
    slope = columns > rows // 3
    for mask in (ring, corner, slope, slope.T & ring):
        expected = distance_transform(mask, sampling=sampling)
        if sampling == 1.0:
            np.testing.assert_array_equal(expected, ndi.distance_transform_edt(mask))
        got = distance_transform(da.from_array(mask, chunks=chunks), sampling=sampling)
        np.testing.assert_array_equal(got.compute(scheduler="sync"), expected)


def test_four_tasks_a_tile_however_far():
    mask = da.ones((640, 640), chunks=16, dtype=bool)
    got = distance_transform(mask)
    tasks = [key for key in dict(got.dask) if isinstance(key, tuple) and str(key[0]).startswith("distance")]
    assert len(tasks) <= 1600 * 4.6, "two a pass, and those of the trees to join and to share"
    assert (got[:16, :16].compute() == np.finfo(float).max).all(), "there is no background"


def test_pixels_that_are_not_valid_are_no_background():
    mask = np.ones((9, 9), bool)
    mask[4, 4] = mask[0, 0] = False
    valid = np.ones_like(mask)
    valid[0, 0] = valid[2, 4] = False
    seen = mask | ~valid
    got = distance_transform(np.ma.MaskedArray(mask, ~valid))
    np.testing.assert_array_equal(got.data, ndi.distance_transform_edt(seen))
    assert not got.mask[4, 4]


def test_planes_of_a_stack_are_measured_each_by_itself():
    mask = blank((3, 20, 20), 0.9, 4)
    mask[:, 7, 7] = False
    expected = np.stack([ndi.distance_transform_edt(plane) for plane in mask])
    np.testing.assert_array_equal(distance_transform(mask), expected)
    np.testing.assert_array_equal(distance_transform(da.from_array(mask, chunks=(2, 6, 9))).compute(), expected)


def test_what_cannot_be_measured_is_refused():
    with pytest.raises(ImageError, match="compare first"):
        distance_transform(np.zeros((3, 3)))
    with pytest.raises(ParameterError, match="sampling must be one number, or 2"):
        distance_transform(np.zeros((3, 3), bool), sampling=(1.0, 1.0, 1.0))
    with pytest.raises(ParameterError, match="sampling must be greater than 0"):
        distance_transform(np.zeros((3, 3), bool), sampling=(1.0, 0.0))
    with pytest.raises(ParameterError, match="spacing must be one number, or 2"):
        expand_labels(np.zeros((3, 3), int), spacing=(1.0, 1.0, 1.0))
    with pytest.raises(ParameterError, match="distance must be"):
        expand_labels(np.zeros((3, 3), int), distance=-1)


def speckles(shape, density, seed, dtype="uint16"):
    rng = np.random.default_rng(seed)
    return np.where(rng.random(shape) < density, rng.integers(1, 200, shape), 0).astype(dtype)


def grown(labels, distance, spacing):
    """Give each pixel the label of the smallest sum; of equal ones that at the smaller column, then row, then plane."""
    places = np.argwhere(labels)
    result = np.zeros_like(labels)
    for place in np.ndindex(labels.shape) if len(places) else ():
        squares = ((places - place) * spacing) ** 2
        total = squares[:, 0]
        for axis in range(1, labels.ndim):
            total = total + squares[:, axis]
        nearest = places[total == total.min()]
        if np.sqrt(total.min()) <= distance:
            result[place] = labels[tuple(nearest[np.lexsort(nearest.T)[0]])]
    return result


LABEL_DENSITIES = st.sampled_from([0.0, 0.01, 0.05, 0.3, 0.9])
GROWTH = st.sampled_from([0.0, 1.0, 1.5, 2.0, 3.0, 5.0, 7.07, 20.0, 100.0])


@settings(deadline=None, max_examples=80)
@given(
    st.lists(st.integers(1, 15), min_size=2, max_size=3),
    LABEL_DENSITIES,
    GROWTH,
    st.sampled_from([1.0, 2.0, (2.0, 1.0, 0.5), (3.0, 1.5, 1.0)]),
    st.sampled_from(["uint8", "uint16", "int32", "uint32", "int64", "uint64"]),
    st.integers(0, 2**31),
)
def test_labels_grow_as_in_scikit_image_ties_included(shape, density, distance, spacing, dtype, seed):
    labels, spacing = speckles(shape, density, seed, dtype), along(spacing, len(shape))
    dims = "yx" if labels.ndim == 2 else "zyx"
    expected = segmentation.expand_labels(labels, distance, spacing)
    got = expand_labels(labels, distance=distance, spacing=spacing, dims=dims)
    assert got.dtype == labels.dtype
    np.testing.assert_array_equal(got, expected)
    lazy = da.from_array(labels, chunks=random_chunks(labels.shape, seed))
    got = expand_labels(lazy, distance=distance, spacing=spacing, dims=dims).compute(scheduler="sync")
    np.testing.assert_array_equal(got, expected)


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.integers(1, 12), min_size=2, max_size=3),
    LABEL_DENSITIES,
    st.sampled_from([0.1, 0.3, 0.31, 1.0, 9.0]),
    st.sampled_from(ROUNDED),
    st.integers(0, 2**31),
)
def test_labels_grow_by_the_smallest_sum(shape, density, distance, spacing, seed):
    labels, spacing = speckles(shape, density, seed), along(spacing, len(shape))
    dims = "yx" if labels.ndim == 2 else "zyx"
    expected = grown(labels, distance, spacing)
    np.testing.assert_array_equal(expand_labels(labels, distance=distance, spacing=spacing, dims=dims), expected)
    lazy = da.from_array(labels, chunks=random_chunks(labels.shape, seed))
    got = expand_labels(lazy, distance=distance, spacing=spacing, dims=dims).compute(scheduler="sync")
    np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize("distance", [1.0, 4.5, 30.0, 600.0])
def test_every_way_to_grow_gives_the_same(distance, monkeypatch):
    labels = speckles((90, 700), 0.001, 3)
    expected = segmentation.expand_labels(labels, distance)
    for packed, tried in [(512, 6), (0, 10**6), (0, 0)]:
        monkeypatch.setattr(distance_labels, "MOST_PACKED", packed)
        monkeypatch.setattr(distance_labels, "MOST_TRIED", tried)
        np.testing.assert_array_equal(expand_labels(labels, distance=distance), expected)


@pytest.mark.parametrize(("distance", "step"), [(0.3, 0.1), (1.0, 0.1), (2.0, 1.0), (0.0, 1.0), (1e4, 0.3), (0.7, 0.1)])
def test_the_reach_is_the_last_pixel_within_the_distance(distance, step):
    count = distance_labels.reach(distance, step)
    assert count * step <= distance < (count + 1) * step


def test_labels_do_not_start_from_pixels_that_are_not_valid():
    labels = speckles((12, 14), 0.1, 5)
    valid = np.random.default_rng(0).random(labels.shape) < 0.8
    got = expand_labels(np.ma.MaskedArray(labels, ~valid), distance=3)
    expected = segmentation.expand_labels(np.where(valid, labels, 0), 3)
    np.testing.assert_array_equal(got.data, np.where(valid, expected, 0))
