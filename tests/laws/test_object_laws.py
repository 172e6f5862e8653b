"""Objects are the same however a mask is cut, and numbered as scikit-image numbers the whole image."""

from __future__ import annotations

import dask.array as da
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage import measure as reference
from skimage import morphology, segmentation

from bigimg.ops.objects import finished, objects_of, select_objects
from bigimg.testing import nothing_computes, random_chunks

DENSITIES = st.sampled_from([0.0, 0.1, 0.4, 0.6, 0.9, 1.0])


def label(mask, connectivity=None, dims="yx"):
    return finished(mask, objects_of(mask, connectivity, dims, "labels"))


def spiral(size):
    """One object that winds through every tile."""
    mask = np.zeros((size, size), bool)
    y, x, dy, dx = 0, 0, 0, 1
    for _ in range(size * size):
        mask[y, x] = True
        ahead_y, ahead_x = y + 2 * dy, x + 2 * dx
        outside = not (0 <= y + dy < size and 0 <= x + dx < size)
        if outside or (0 <= ahead_y < size and 0 <= ahead_x < size and mask[ahead_y, ahead_x]):
            dy, dx = dx, -dy
            if mask[(y + dy) % size, (x + dx) % size]:
                break
        y, x = y + dy, x + dx
    return mask


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 25), st.integers(1, 25), DENSITIES, st.sampled_from([1, 2]), st.integers(0, 2**31))
def test_labels_are_those_of_the_whole_image(rows, columns, density, connectivity, seed):
    mask = np.random.default_rng(seed).random((rows, columns)) < density
    expected = reference.label(mask, connectivity=connectivity)
    with nothing_computes():
        got = label(da.from_array(mask, chunks=random_chunks(mask.shape, seed)), connectivity)
    assert got.dtype == np.uint32
    np.testing.assert_array_equal(got.compute(scheduler="sync"), expected)
    np.testing.assert_array_equal(label(mask, connectivity), expected)


@settings(deadline=None, max_examples=30)
@given(st.tuples(*[st.integers(1, 9)] * 3), DENSITIES, st.sampled_from([1, 2, 3]), st.integers(0, 2**31))
def test_labels_of_volumes(shape, density, connectivity, seed):
    mask = np.random.default_rng(seed).random(shape) < density
    chunks = random_chunks(shape, seed)
    got = label(da.from_array(mask, chunks=chunks), connectivity, "zyx").compute(scheduler="sync")
    np.testing.assert_array_equal(got, reference.label(mask, connectivity=connectivity))


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 20), st.integers(1, 20), DENSITIES, st.integers(1, 12), st.integers(0, 2**31))
def test_filters_judge_whole_objects(rows, columns, density, size, seed):
    mask = np.random.default_rng(seed).random((rows, columns)) < density
    lazy = da.from_array(mask, chunks=random_chunks(mask.shape, seed))
    kept = morphology.remove_small_objects(mask, max_size=size - 1, connectivity=2)
    got = select_objects(lazy, None, "yx", min_size=size)
    np.testing.assert_array_equal(got.compute(scheduler="sync"), kept)
    cleared = select_objects(got, None, "yx", clear_border=True)
    inside = segmentation.clear_border(kept)
    np.testing.assert_array_equal(cleared.compute(scheduler="sync"), inside)
    np.testing.assert_array_equal(label(cleared).compute(scheduler="sync"), reference.label(inside))


@pytest.mark.parametrize("chunks", [1, 3, 7, (1, 31), (31, 1), 31])
@pytest.mark.parametrize("name", ["spiral", "checkerboard", "full", "empty", "diagonal"])
def test_objects_that_wind_through_every_tile(name, chunks):
    indices = np.indices((31, 31))
    mask = {
        "spiral": spiral(31),
        "checkerboard": indices.sum(0) % 2 == 0,
        "full": np.ones((31, 31), bool),
        "empty": np.zeros((31, 31), bool),
        "diagonal": indices[0] == indices[1],
    }[name]
    for connectivity in (1, 2):
        got = label(da.from_array(mask, chunks=chunks), connectivity).compute(scheduler="sync")
        np.testing.assert_array_equal(got, reference.label(mask, connectivity=connectivity))


def test_a_filter_and_its_labels_share_the_tiles_they_label():
    mask = np.random.default_rng(0).random((64, 64)) < 0.4
    kept = select_objects(da.from_array(mask, chunks=16), None, "yx", min_size=4)
    labels = label(kept)
    tasks = dict(labels.dask)
    assert len(tasks) <= 3 * 16
    assert sum(str(key[0]).startswith("objects.split") for key in tasks if isinstance(key, tuple)) == 16
    both = {*dict(kept.dask), *tasks}
    assert sum(str(key[0]).startswith("objects.split") for key in both if isinstance(key, tuple)) == 16
    other = label(kept, connectivity=1)
    np.testing.assert_array_equal(other.compute(), reference.label(kept.compute(), connectivity=1))


def test_planes_of_a_stack_are_numbered_each_by_itself():
    mask = np.random.default_rng(0).random((3, 9, 9)) < 0.5
    expected = np.stack([reference.label(plane) for plane in mask])
    np.testing.assert_array_equal(label(mask), expected)
    np.testing.assert_array_equal(label(da.from_array(mask, chunks=(2, 4, 5))).compute(), expected)
