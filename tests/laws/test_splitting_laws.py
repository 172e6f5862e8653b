"""Laws of what is told apart by hills: parts lie in one object and are connected, and no tiling shows."""

from functools import partial

import numpy as np
import pytest
import scipy.ndimage as ndi
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.measure import label

from bigimg import segmentation, threshold
from bigimg.testing import check_op, random_chunks

FAST = settings(deadline=None, max_examples=25)


@st.composite
def masks(draw):
    """Return a mask of blobs or of noise, what is valid of it, and parameters."""
    shape = draw(
        st.one_of(
            st.tuples(st.integers(1, 24), st.integers(1, 24)),
            st.tuples(st.integers(1, 6), st.integers(1, 9), st.integers(1, 9)),
        )
    )
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    noise = rng.random(shape)
    if draw(st.booleans()):
        noise = ndi.gaussian_filter(noise, 1.5)
    mask = noise > np.quantile(noise, draw(st.sampled_from([0.0, 0.2, 0.5, 0.9])))
    if draw(st.booleans()):
        mask[:] = draw(st.booleans())
    valid = rng.random(shape) < draw(st.sampled_from([0.5, 0.9]))
    given = {
        "neck": draw(st.sampled_from([0.5, 0.9, 0.99])),
        "sigma": draw(st.sampled_from([0.1, 0.8, 1.5])),
        "connectivity": draw(st.integers(1, len(shape))),
        "dims": "zyx"[3 - len(shape) :],
    }
    return mask, valid, given


@FAST
@given(masks())
def test_no_tiling_shows(problem):
    mask, valid, given = problem
    run = partial(segmentation.split_touching, **given)
    chunks = [random_chunks(mask.shape, seed) for seed in range(2)]
    check_op(run, mask, chunkings=chunks, dims=tuple(given["dims"]))
    check_op(run, mask, valid=valid, chunkings=chunks, dims=tuple(given["dims"]))


@FAST
@given(masks())
def test_every_pixel_of_the_mask_is_in_one_connected_part(problem):
    mask, valid, given = problem
    for use in (np.ones_like(valid), valid):
        found = segmentation.split_touching(np.ma.MaskedArray(mask, mask=~use), **given)
        parts = np.where(use, np.ma.getdata(found), 0)
        np.testing.assert_array_equal(parts > 0, mask & use)
        objects = label(mask & use, connectivity=given["connectivity"])
        for number in range(1, int(parts.max(initial=0)) + 1):
            own = parts == number
            assert own.any()
            assert label(own, connectivity=given["connectivity"]).max() == 1
            assert np.unique(objects[own]).size == 1
        first = [int(np.argmax(parts == number)) for number in range(1, int(parts.max(initial=0)) + 1)]
        assert first == sorted(first)


@pytest.mark.parametrize("scale", [1, 2, 5])
def test_large_objects_are_cut_as_small_ones(scale):
    rows, columns = np.ogrid[: 40 * scale, : 64 * scale]
    discs = [(rows - 20 * scale) ** 2 + (columns - x * scale) ** 2 < (11 * scale) ** 2 for x in (16, 34)]
    mask = discs[0] | discs[1]
    assert segmentation.split_touching(mask, neck=0.95).max() == 2
    assert segmentation.split_touching(mask, neck=0.3).max() == 1


@FAST
@given(masks(), st.sampled_from(["uint8", "float32"]))
def test_no_tiling_shows_in_the_thresholds_of_peaks(problem, dtype):
    mask, valid, given = problem
    image = np.random.default_rng(mask.size).integers(0, 40, mask.shape).astype(dtype) + 60 * mask.astype(dtype)
    run = partial(threshold.peak_fraction, valley=given["neck"], connectivity=given["connectivity"], dims=given["dims"])
    chunks = [random_chunks(mask.shape, seed) for seed in range(2)]
    check_op(run, image, chunkings=chunks, dims=tuple(given["dims"]))
    check_op(run, image, valid=valid, chunkings=chunks, dims=tuple(given["dims"]))


def test_a_dim_object_is_as_wide_as_a_bright_one():
    rows, columns = np.ogrid[:41, :120]
    image = sum(
        height * np.exp(-((rows - 20) ** 2 + (columns - at) ** 2) / 72)
        for height, at in ((200, 25), (60, 60), (40, 95))
    )
    mask = threshold.peak_fraction(image + 10.0, fraction=0.5, floor=0.2)
    sizes = np.bincount(label(mask).ravel())[1:]
    assert sizes.size == 3
    assert sizes.min() > 0.9 * sizes.max()
    assert label(threshold.otsu(image)).max() < 3


@pytest.mark.parametrize("dtype", ["uint8", "float32", "float64"])
def test_an_even_image_has_no_peaks(dtype):
    assert not threshold.peak_fraction(np.full((9, 12), 7, dtype)).any()
    assert threshold.peak_fraction(np.repeat([[0, 9]], 5, 0).astype(dtype)).sum() == 5
