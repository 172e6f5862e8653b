"""Reconstruction and extrema equal scikit-image on any image, and no tiling shows."""

import warnings
from functools import partial

import numpy as np
import pytest
import scipy.ndimage as ndi
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage import morphology as skmorphology

from bigimg import morphology
from bigimg.errors import ImageError
from bigimg.kernels.extrema import bordered, peaks
from bigimg.kernels.merge_tree import Edges, border_tree, spread
from bigimg.kernels.padded import offsets, padded, places, unpadded
from bigimg.kernels.reconstruction import raise_from, reconstruct
from bigimg.testing import check_op, random_chunks

SHAPES = st.one_of(
    st.tuples(st.integers(1, 14), st.integers(1, 14)),
    st.tuples(st.integers(1, 5), st.integers(1, 6), st.integers(1, 6)),
)
FAST = settings(deadline=None, max_examples=40)


@st.composite
def images(draw, dtypes=("uint8", "int16", "float32", "bool")):
    """Return an image of few grey values, so that plateaus and ties are everywhere."""
    shape = draw(SHAPES)
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    levels = draw(st.sampled_from([2, 4, 9, 100]))
    return rng.integers(0, levels, shape).astype(draw(st.sampled_from(dtypes)))


def slow_reconstruction(seed, mask, footprint):
    """Dilate and cut until nothing changes."""
    while True:
        grown = np.minimum(ndi.grey_dilation(seed, footprint=footprint, mode="nearest"), mask)
        if (grown == seed).all():
            return seed
        seed = grown


def maze(rows, columns):
    """Return walls that leave one way, through every second row to and fro."""
    open_pixels = np.zeros((rows, columns), bool)
    open_pixels[::2] = True
    open_pixels[1::4, -1] = open_pixels[3::4, 0] = True
    return open_pixels


def bound(function, ndim, **params):
    return partial(function, dims="zyx" if ndim == 3 else "yx", **params), {3: ("z", "y", "x")}.get(ndim)


@FAST
@given(images(("uint8", "uint16", "uint32", "uint64")), st.data())
def test_kernel_equals_dilating_until_nothing_changes(mask, data):
    rng = np.random.default_rng(data.draw(st.integers(0, 999)))
    connectivity = data.draw(st.integers(1, mask.ndim))
    seed = np.where(rng.random(mask.shape) < 0.2, mask, 0).astype(mask.dtype)
    values = padded(seed)
    reconstruct(values, padded(mask), mask.shape, connectivity)
    footprint = ndi.generate_binary_structure(mask.ndim, connectivity)
    np.testing.assert_array_equal(unpadded(values, mask.shape), slow_reconstruction(seed, mask, footprint))
    again = padded(seed)
    raise_from(again, padded(mask), mask.shape, connectivity, places(np.arange(mask.size), mask.shape))
    np.testing.assert_array_equal(again, values)


@FAST
@given(images(), st.data())
def test_reconstruction_equals_scikit_image_however_cut(mask, data):
    rng = np.random.default_rng(data.draw(st.integers(0, 999)))
    connectivity = data.draw(st.integers(1, mask.ndim))
    method = data.draw(st.sampled_from(["dilation", "erosion"]))
    start = mask.min() if method == "dilation" else mask.max()
    seed = np.where(rng.random(mask.shape) < data.draw(st.sampled_from([0.03, 0.3])), mask, start)
    footprint = ndi.generate_binary_structure(mask.ndim, connectivity)
    wanted = skmorphology.reconstruction(seed.astype(float), mask.astype(float), method, footprint).astype(mask.dtype)
    run, dims = bound(morphology.reconstruction, mask.ndim, mask=mask, method=method, connectivity=connectivity)
    chunks = [random_chunks(mask.shape, seed) for seed in range(3)]
    check_op(run, seed, reference=wanted, chunkings=chunks, dims=dims)
    check_op(run, seed, valid=rng.random(mask.shape) < 0.8, chunkings=chunks, dims=dims)


@pytest.mark.parametrize("connectivity", [1, 2])
@pytest.mark.parametrize("dtype", ["bool", "uint16", "float64"])
def test_a_value_flows_through_a_maze_that_every_tile_cuts(dtype, connectivity):
    mask = (maze(31, 24) * 7).astype(dtype)
    seed = np.zeros_like(mask)
    seed[0, 0] = mask[0, 0]
    check_op(partial(morphology.reconstruction, mask=mask, connectivity=connectivity), seed, reference=mask)


@FAST
@given(images(("uint8", "uint32")), st.data())
def test_border_tree_says_what_flows_between_face_pixels(mask, data):
    connectivity = data.draw(st.integers(1, mask.ndim))
    count = data.draw(st.integers(1, min(mask.size, 6)))
    faces = np.sort(np.random.default_rng(count).choice(mask.size, count, replace=False))
    limit, steps, own = padded(mask), offsets(mask.shape, connectivity), places(faces, mask.shape)
    tree = border_tree(np.zeros_like(limit), limit, steps, own)
    assert tree.first.size < count
    footprint = ndi.generate_binary_structure(mask.ndim, connectivity)
    for source in range(count):
        seed = np.zeros_like(mask)
        seed.flat[faces[source]] = mask.flat[faces[source]]
        start = np.where(np.arange(count) == source, mask.flat[faces[source]], 0).astype(mask.dtype)
        wanted = slow_reconstruction(seed, mask, footprint).flat[faces]
        np.testing.assert_array_equal(spread(start, tree), wanted)


def test_values_spread_along_edges_in_both_directions():
    edges = Edges(np.array([1, 1, 3]), np.array([0, 2, 2]), np.array([4, 9, 2], np.uint16))
    np.testing.assert_array_equal(spread(np.array([0, 1, 7, 5], np.uint16), edges), [4, 7, 7, 5])


@FAST
@given(images(), st.data())
def test_extrema_equal_scikit_image_however_cut(image, data):
    connectivity = data.draw(st.integers(1, image.ndim))
    valid = np.random.default_rng(data.draw(st.integers(0, 999))).random(image.shape) < 0.8
    chunks = [random_chunks(image.shape, seed) for seed in range(3)]
    for name in ("local_maxima", "local_minima"):
        # scikit-image does not take booleans
        plain = image.astype("uint8") if image.dtype == bool else image
        wanted = getattr(skmorphology, name)(plain, connectivity=connectivity)
        run, dims = bound(getattr(morphology, name), image.ndim, connectivity=connectivity)
        check_op(run, image, reference=wanted, chunkings=chunks, dims=dims)
        check_op(run, image, valid=valid, chunkings=chunks, dims=dims)


@FAST
@given(images(), st.sampled_from([0.1, 0.5, 1.0, 2.5, 3.0, 50.0, 200.0, 1e6]), st.data())
def test_extrema_of_a_height_equal_scikit_image_however_cut(image, h, data):
    connectivity = data.draw(st.integers(1, image.ndim))
    if image.dtype.kind == "f":
        image = image / np.float32(7)
    valid = np.random.default_rng(data.draw(st.integers(0, 999))).random(image.shape) < 0.8
    chunks = [random_chunks(image.shape, seed) for seed in range(3)]
    plain = image if image.dtype.kind == "f" else image.astype("int64")
    footprint = ndi.generate_binary_structure(image.ndim, connectivity)
    for name in ("h_maxima", "h_minima"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # scikit-image takes a fraction as one of floats
            wanted = getattr(skmorphology, name)(plain, h, footprint).astype(bool)
        run, dims = bound(getattr(morphology, name), image.ndim, h=h, connectivity=connectivity)
        check_op(run, image, reference=wanted, chunkings=chunks, dims=dims)
        check_op(run, image, valid=valid, chunkings=chunks, dims=dims)


def test_a_plateau_that_all_tiles_share_is_one():
    image = np.ones((24, 24), "uint8")
    image[0, 0] = 0
    run = morphology.local_maxima
    check_op(run, image, reference=image > 0)
    image[23, 23] = 2
    check_op(run, image, reference=image > 1)
    check_op(run, np.ones_like(image), reference=np.zeros(image.shape, bool))


def test_invalid_pixels_do_not_connect():
    image = np.array([[5, 3, 9, 3, 6]])
    valid = np.array([[True, True, False, True, True]])
    masked = np.ma.MaskedArray(image, mask=~valid)
    np.testing.assert_array_equal(np.ma.getdata(morphology.local_maxima(masked)), [[1, 0, 0, 0, 1]])
    seed = np.ma.MaskedArray(np.array([[5, 0, 9, 0, 0]]), mask=~valid)
    np.testing.assert_array_equal(np.ma.getdata(morphology.reconstruction(seed, mask=image)), [[5, 3, 0, 0, 0]])


def test_marks_of_pixels_outside_take_nothing_away():
    values, marks = bordered(np.zeros((1, 3), np.uint8), np.array([[True, False, True]]))
    np.testing.assert_array_equal(peaks(values, marks, (1, 3), 1), [[True, False, True]])


@pytest.mark.parametrize("method", ["dilation", "erosion"])
def test_a_seed_beyond_its_mask_is_refused_by_name(method):
    mask = np.full((6, 7), 5)
    seed = mask.copy()
    seed[4, 2] = 6 if method == "dilation" else 4
    with pytest.raises(ImageError, match=r"first at \(4, 2\) .*mask 5"):
        morphology.reconstruction(seed, mask=mask, method=method)


def test_images_that_do_not_fit_are_refused():
    with pytest.raises(ImageError, match="one shape"):
        morphology.reconstruction(np.zeros((4, 4)), mask=np.zeros((4, 5)))
    with pytest.raises(ImageError, match="without loss"):
        morphology.reconstruction(np.zeros((4, 4), "int64"), mask=np.zeros((4, 4)))
    with pytest.raises(ImageError, match="infinity"):
        morphology.h_maxima(np.full((4, 4), np.inf), h=1.0)
    mixed = morphology.reconstruction(np.zeros((2, 2), "uint8"), mask=np.ones((2, 2), "int16"))
    assert mixed.dtype == np.int16


def test_scikit_image_overflows_where_the_range_does():
    image = np.array([[-30000, 30000, -30000]], "int16")
    assert not skmorphology.h_maxima(image, 5).any()
    np.testing.assert_array_equal(morphology.h_maxima(image, h=5), [[False, True, False]])
