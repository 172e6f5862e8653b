"""The watershed equals scikit-image label for label on every object of the mask, and no tiling shows."""

from functools import partial

import dask.array as da
import numpy as np
import pytest
import scipy.ndimage as ndi
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.measure import label
from skimage.segmentation import watershed as skwatershed

from bigimg import segmentation
from bigimg.errors import ImageError
from bigimg.kernels.padded import offsets
from bigimg.kernels.watershed import flood
from bigimg.testing import check_op, random_chunks

FAST = settings(deadline=None, max_examples=50)


@st.composite
def problems(draw):
    """Return image, markers, mask and connectivity, with many ties."""
    shape = draw(
        st.one_of(
            st.tuples(st.integers(1, 14), st.integers(1, 14)),
            st.tuples(st.integers(1, 5), st.integers(1, 6), st.integers(1, 6)),
        )
    )
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    levels = draw(st.sampled_from([1, 2, 5, 1000]))
    image = rng.integers(0, levels, shape).astype(draw(st.sampled_from(["uint8", "uint16", "int32", "float32"])))
    dense = draw(st.sampled_from([0.02, 0.1, 0.4]))
    markers = np.where(rng.random(shape) < dense, rng.integers(1, 9, shape), 0)
    mask = rng.random(shape) < draw(st.sampled_from([0.5, 0.8, 1.0]))
    kind = draw(st.sampled_from(["int32", "uint32", "uint64", "int64"]))
    return image, markers.astype(kind), mask, draw(st.integers(1, len(shape)))


def by_object(image, markers, mask, connectivity):
    """Flood each object of the mask by itself, cropped to its box, with scikit-image."""
    labels = np.zeros_like(markers)
    objects = label(mask, connectivity=connectivity)
    for number, box in enumerate(ndi.find_objects(objects), 1):
        own = objects[box] == number
        labels[box][own] = skwatershed(image[box], markers[box], connectivity, mask=own)[own]
    return labels


def without_ties(image, markers):
    """Return the image with marker pixels that all have values of their own, below all others."""
    values = image.astype(np.float64)
    marked = np.flatnonzero(markers)
    values.flat[marked] = -1 - np.random.default_rng(0).permutation(marked.size)
    return values


@FAST
@given(problems())
def test_kernel_equals_scikit_image_on_one_object(problem):
    image, markers, _, connectivity = problem
    keys = image.astype("uint64")
    flooded = flood(keys, markers, np.ones(image.shape, "int32"), 1, connectivity)
    np.testing.assert_array_equal(flooded, skwatershed(image, markers, connectivity))
    assert flooded.dtype == markers.dtype


@FAST
@given(problems())
def test_kernel_floods_objects_as_if_each_were_alone(problem):
    image, markers, mask, connectivity = problem
    objects = label(mask, connectivity=connectivity).astype("int32")
    flooded = flood(image.astype("uint64"), markers, objects, int(objects.max(initial=0)), connectivity)
    np.testing.assert_array_equal(flooded, by_object(image, markers, mask, connectivity))


@FAST
@given(problems())
def test_without_ties_between_markers_objects_are_independent_in_scikit_image_too(problem):
    image, markers, mask, connectivity = problem
    values = without_ties(image, markers)
    together = skwatershed(values, markers, connectivity, mask=mask)
    np.testing.assert_array_equal(together, by_object(values, markers, mask, connectivity))
    dims = "zyx" if image.ndim == 3 else "yx"
    ours = segmentation.watershed(values, markers=markers, mask=mask, connectivity=connectivity, dims=dims)
    np.testing.assert_array_equal(ours, together)


def test_with_ties_scikit_image_lets_one_object_change_another():
    """Why equality is held object by object: the first row stays the same, what lies two rows below changes it."""
    row, markers = np.array([[0, 1, 1, 0, 0, 1, 1, 1, 0]]), np.array([[0, 0, 1, 0, 0, 0, 2, 0, 0]])
    below, others = np.array([[1, 0, 1, 0, 1, 0, 1, 1, 1]]), np.array([[0, 3, 3, 0, 0, 0, 3, 0, 0]])
    gap = np.zeros_like(row)
    image, marked = np.concatenate([row, gap, below]), np.concatenate([markers, gap, others])
    mask = np.array([[True], [False], [True]]) & np.ones((1, 9), bool)
    alone = skwatershed(row, markers)
    assert (skwatershed(image, marked, mask=mask)[:1] != alone).any()
    np.testing.assert_array_equal(segmentation.watershed(image, markers=marked, mask=mask)[:1], alone)


@FAST
@given(problems())
def test_no_tiling_shows(problem):
    image, markers, mask, connectivity = problem
    dims = "zyx" if image.ndim == 3 else "yx"
    names = ("z", "y", "x")[-image.ndim :]
    run = partial(segmentation.watershed, markers=markers, connectivity=connectivity, dims=dims)
    chunks = [random_chunks(image.shape, seed) for seed in range(3)]
    check_op(run, image, reference=skwatershed(image, markers, connectivity), chunkings=chunks, dims=names)
    wanted = by_object(image, markers, mask, connectivity)
    check_op(partial(run, mask=mask), image, reference=wanted, chunkings=chunks, dims=names)
    valid = np.roll(mask, 1, axis=-1)
    check_op(partial(run, mask=mask), image, valid=valid, chunkings=chunks, dims=names)


@pytest.mark.parametrize("ndim", [2, 3])
def test_neighbours_come_in_the_order_of_scikit_image(ndim):
    from skimage.morphology._util import _offsets_to_raveled_neighbors

    shape = (7, 8, 9)[:ndim]
    for connectivity in range(1, ndim + 1):
        footprint = ndi.generate_binary_structure(ndim, connectivity)
        wanted = _offsets_to_raveled_neighbors(tuple(side + 2 for side in shape), footprint, (1,) * ndim)
        np.testing.assert_array_equal(offsets(shape, connectivity), wanted)


def test_many_objects_that_tiles_cut_share_canvases(monkeypatch):
    monkeypatch.setattr("bigimg.ops.segmentation.flooding.CANVAS", 40)
    rng = np.random.default_rng(0)
    image, mask = rng.integers(0, 5, (40, 30)).astype("uint8"), rng.random((40, 30)) < 0.5
    markers = np.where(rng.random(mask.shape) < 0.3, rng.integers(1, 9, mask.shape), 0)
    run = partial(segmentation.watershed, markers=markers, mask=mask)
    check_op(run, image, reference=by_object(image, markers, mask, 1))


def test_objects_that_are_too_large_are_refused_however_cut():
    image, markers = np.zeros((20, 30), "uint8"), np.ones((20, 30), int)
    mask = np.zeros((20, 30), bool)
    mask[5, 3:25] = mask[5:15, 3] = True
    for given_image in (image, da.from_array(image, chunks=(7, 9))):
        with pytest.raises(ImageError, match=r"box \[5:15, 3:25\], 220 pixels.*max_object_pixels is 219"):
            np.asarray(segmentation.watershed(given_image, markers=markers, mask=mask, max_object_pixels=219))
        small = segmentation.watershed(given_image, markers=markers, mask=mask, max_object_pixels=220)
        np.testing.assert_array_equal(np.asarray(small), mask)
        with pytest.raises(ImageError, match="without a mask"):
            segmentation.watershed(given_image, markers=markers, max_object_pixels=599)


def test_markers_that_are_no_labels_are_refused():
    image = np.zeros((4, 5))
    with pytest.raises(ImageError, match=r"measure\.label"):
        segmentation.watershed(image, markers=image > 0)
    with pytest.raises(ImageError, match="the markers need the shape"):
        segmentation.watershed(image, markers=np.zeros((4, 4), int))
    with pytest.raises(ImageError, match="the mask needs"):
        segmentation.watershed(image, markers=np.zeros((4, 5), int), mask=np.ones((5, 4), bool))
