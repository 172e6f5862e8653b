"""Objects are the same however a mask is cut, and numbered as scikit-image numbers the whole image."""

from __future__ import annotations

from functools import partial

import dask.array as da
import numpy as np
import pytest
import scipy.ndimage as ndi
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage import filters, morphology, segmentation
from skimage import measure as reference

from bigimg.errors import ParameterError
from bigimg.ops import measure, threshold
from bigimg.ops import morphology as ours
from bigimg.ops.object_filters import ByBorder, BySize
from bigimg.ops.objects import finished, objects_of, select_objects
from bigimg.testing import nothing_computes, random_chunks, random_image

DENSITIES = st.sampled_from([0.0, 0.1, 0.4, 0.6, 0.9, 1.0])


def label(mask, connectivity=None, dims="yx"):
    return finished(mask, objects_of(mask, connectivity, dims, "labels"), dims)


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
    got = select_objects(lazy, None, "yx", BySize(size))
    np.testing.assert_array_equal(got.compute(scheduler="sync"), kept)
    cleared = select_objects(got, None, "yx", ByBorder(touches=False))
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
    kept = select_objects(da.from_array(mask, chunks=16), None, "yx", BySize(4))
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


def largest(mask, number):
    """Sort the objects by size, the first pixel first among equals, and keep some."""
    labels = reference.label(mask)
    order = np.argsort(-np.bincount(labels.ravel())[1:], kind="stable")
    return np.isin(labels, order[:number] + 1)


def cut(image, seed):
    return da.from_array(image, chunks=random_chunks(image.shape, seed))


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 20), st.integers(1, 20), DENSITIES, st.integers(1, 12), st.integers(0, 2**31))
def test_holes_are_judged_whole(rows, columns, density, size, seed):
    mask = np.random.default_rng(seed).random((rows, columns)) < density
    for connectivity in (1, 2):
        expected = morphology.remove_small_holes(mask, max_size=size, connectivity=connectivity)
        got = ours.remove_small_holes(cut(mask, seed), max_size=size, connectivity=connectivity)
        np.testing.assert_array_equal(got.compute(scheduler="sync"), expected)
        structure = ndi.generate_binary_structure(2, connectivity)
        got = ours.fill_holes(cut(mask, seed), connectivity=connectivity)
        np.testing.assert_array_equal(got.compute(scheduler="sync"), ndi.binary_fill_holes(mask, structure))


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 20), st.integers(1, 20), DENSITIES, st.integers(1, 5), st.integers(0, 2**31))
def test_filters_in_any_order_are_those_of_the_whole_image(rows, columns, density, number, seed):
    mask = np.random.default_rng(seed).random((rows, columns)) < density
    np.testing.assert_array_equal(ours.largest_objects(mask, number=number), largest(mask, number))
    first = ours.clear_border(ours.largest_objects(cut(mask, seed), number=number))
    np.testing.assert_array_equal(first.compute(scheduler="sync"), segmentation.clear_border(largest(mask, number)))
    second = ours.largest_objects(ours.clear_border(cut(mask, seed)), number=number)
    expected = largest(segmentation.clear_border(mask), number)
    np.testing.assert_array_equal(second.compute(scheduler="sync"), expected)
    np.testing.assert_array_equal(label(second).compute(scheduler="sync"), reference.label(expected))
    filled = ours.fill_holes(second)
    np.testing.assert_array_equal(filled.compute(scheduler="sync"), ndi.binary_fill_holes(expected))
    np.testing.assert_array_equal(label(filled).compute(), reference.label(ndi.binary_fill_holes(expected)))


@settings(deadline=None, max_examples=60)
@given(
    st.tuples(st.integers(1, 20), st.integers(1, 20)),
    st.sampled_from(["bool", "uint8", "int16", "uint32", "float32", "float64"]),
    st.tuples(st.floats(-0.1, 1.1), st.floats(-0.1, 1.1)),
    st.integers(0, 2**31),
)
def test_hysteresis_is_that_of_the_whole_image(shape, dtype, quantiles, seed):
    image = random_image(shape, dtype, seed)
    low, high = (np.float64(image.min() + q * (float(image.max()) - float(image.min()))) for q in quantiles)
    expected = filters.apply_hysteresis_threshold(image, low, high)
    np.testing.assert_array_equal(threshold.hysteresis(image, low=low, high=high), expected)
    got = threshold.hysteresis(cut(image, seed), low=low, high=high)
    np.testing.assert_array_equal(got.compute(scheduler="sync"), expected)


@pytest.mark.parametrize("dtype", ["uint8", "int32", "float32", "float64"])
@pytest.mark.parametrize("value", [0.1, -1.5, 300.5, 1e300, -1e300, np.inf, -np.inf])
def test_thresholds_out_of_the_range_of_the_dtype(dtype, value):
    image = np.array([[0, 1, 2], [3, 255, 100]]).astype(dtype) * np.array(0.1 if dtype[0] == "f" else 1, dtype)
    got = threshold.hysteresis(image, low=value, high=value)
    value = np.float64(value)  # a Python number would be rounded to the dtype of the image
    np.testing.assert_array_equal(got, filters.apply_hysteresis_threshold(image, value, value))


def test_lazy_thresholds_are_taken_when_they_are_known():
    image = random_image((40, 30), "uint8", 3)
    lazy = da.from_array(image, chunks=11)
    value = int(threshold.otsu_value(image))
    expected = filters.apply_hysteresis_threshold(image, 20, value)
    with nothing_computes():
        got = threshold.hysteresis(lazy, low=20, high=threshold.otsu_value(lazy))
        labels = label(ours.remove_small_objects(got, min_size=3, connectivity=1), 1)
    np.testing.assert_array_equal(got.compute(), expected)
    np.testing.assert_array_equal(threshold.hysteresis(image, low=20, high=threshold.otsu_value(lazy)), expected)
    kept = morphology.remove_small_objects(expected, max_size=2, connectivity=1)
    np.testing.assert_array_equal(labels.compute(), reference.label(kept, connectivity=1))
    assert sum(str(key[0]).startswith("objects.split") for key in dict(labels.dask) if isinstance(key, tuple)) == 12


def test_holes_and_pixels_that_are_not_valid():
    mask = np.zeros((7, 12), bool)
    mask[1:6, 1:6] = mask[1:6, 7:12] = True
    mask[2:5, 2:5] = mask[3, 8] = mask[2:5, 10] = False
    valid = np.ones_like(mask)
    valid[2, 2] = valid[:, 11] = False
    image = np.ma.MaskedArray(mask, ~valid)
    filled = ours.fill_holes(image)
    assert not filled.data[3, 3], "it leads to a pixel of which nothing is known"
    assert not filled.data[3, 10], "it leads to columns of which nothing is known"
    assert filled.data[3, 8]
    small = ours.remove_small_holes(image, max_size=8)
    assert small.data[3, 3], "its eight valid pixels are counted"
    assert not small.data[~valid].any()


@pytest.mark.parametrize("chunks", [1, 5, (1, 31), (31, 1)])
def test_holes_that_wind_through_every_tile(chunks):
    wall = spiral(31)
    for mask in (wall, ~wall, np.pad(~spiral(29), 1, constant_values=True)):
        lazy = da.from_array(mask, chunks=chunks)
        np.testing.assert_array_equal(ours.fill_holes(lazy).compute(), ndi.binary_fill_holes(mask))
        small = ours.remove_small_holes(lazy, max_size=200)
        np.testing.assert_array_equal(small.compute(), morphology.remove_small_holes(mask, max_size=200))


def flooded(mask, structure):
    """Number objects by filling each from its first pixel."""
    steps = np.argwhere(structure | np.flip(structure)) - 1
    labels = np.zeros(mask.shape, int)
    for first in zip(*np.nonzero(mask)):
        if labels[first]:
            continue
        number = labels.max() + 1
        front = {first}
        while front:
            for pixel in front:
                labels[pixel] = number
            beside = {tuple(pixel + step) for pixel in front for step in steps}
            inside = (pixel for pixel in beside if all(0 <= at < size for at, size in zip(pixel, mask.shape)))
            front = {pixel for pixel in inside if mask[pixel] and not labels[pixel]}
    return labels


@settings(deadline=None, max_examples=60)
@given(
    st.sampled_from([("yx", 9), ("zyx", 5), ("tyx", 5), ("tzyx", 3)]),
    st.sampled_from([0.1, 0.4, 0.7, 1.0]),
    st.floats(0, 0.7),
    st.integers(0, 2**31),
)
def test_any_neighbours(axes, density, many, seed):
    dims, largest_side = axes
    rng = np.random.default_rng(seed)
    mask = rng.random(rng.integers(1, largest_side + 1, len(dims))) < density
    structure = rng.random((3,) * len(dims)) < many
    expected = flooded(mask, structure)
    np.testing.assert_array_equal(measure.label(mask, structure=structure, dims=dims), expected)
    got = measure.label(cut(mask, seed), structure=structure, dims=dims)
    np.testing.assert_array_equal(got.compute(scheduler="sync"), expected)


DIAGONAL = np.eye(3)
BOTH = [[1, 0, 1], [0, 1, 0], [1, 0, 1]]
ALONG_ROWS = [[0, 0, 0], [1, 1, 1], [0, 0, 0]]


@pytest.mark.parametrize("structure", [DIAGONAL, DIAGONAL[::-1], BOTH, ALONG_ROWS, np.transpose(ALONG_ROWS)])
@pytest.mark.parametrize("chunks", [1, 7, (1, 22), (22, 1), (21, 13)])
def test_symmetric_neighbours_are_those_of_scipy(structure, chunks):
    mask = np.random.default_rng(0).random((22, 22)) < 0.5
    for image in (mask, np.ones_like(mask), np.indices(mask.shape).sum(0) % 2 == 0):
        labels = ndi.label(image, structure)[0]
        _, first = np.unique(labels[image], return_index=True)
        order = np.zeros(labels.max() + 1, int)
        order[1 + np.argsort(first)] = np.arange(1, labels.max() + 1)
        got = measure.label(da.from_array(image, chunks=chunks), structure=structure)
        np.testing.assert_array_equal(got.compute(scheduler="sync"), order[labels])


def test_the_neighbours_of_a_connectivity_are_a_structure():
    mask = da.from_array(np.random.default_rng(0).random((30, 30)) < 0.4, chunks=8)
    kept = ours.remove_small_objects(mask, min_size=3, connectivity=1)
    labels = measure.label(kept, structure={"cross": 1})
    assert sum(str(key[0]).startswith("objects.split") for key in dict(labels.dask)) == 16
    np.testing.assert_array_equal(labels.compute(), reference.label(kept.compute(), connectivity=1))


def test_objects_through_time():
    frames = np.random.default_rng(0).random((5, 2, 12, 11)) < 0.3
    film = xr.DataArray(da.from_array(frames, chunks=(2, 1, 5, 4)), dims=("t", "z", "y", "x"))
    np.testing.assert_array_equal(measure.label(film).values[3, 1], reference.label(frames[3, 1]))
    moving = measure.label(film, dims="tyx")
    assert moving.dims == film.dims
    np.testing.assert_array_equal(moving.values[:, 1], reference.label(frames[:, 1]))
    np.testing.assert_array_equal(measure.label(film, dims="tzyx").values, ndi.label(frames, np.ones((3,) * 4))[0])


@pytest.mark.parametrize("chunks", [1, (1, 7, 3), (5, 2, 4), (6, 7, 2)])
def test_volumes_that_wind_through_every_tile(chunks):
    places = np.indices((6, 7, 9))
    for mask in (places.sum(0) % 2 == 0, np.ones((6, 7, 9), bool), (places % 3 == 0).sum(0) < 2):
        for connectivity in (1, 2, 3):
            got = label(da.from_array(mask, chunks=chunks), connectivity, "zyx").compute(scheduler="sync")
            np.testing.assert_array_equal(got, reference.label(mask, connectivity=connectivity))


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"structure": [[1, 1, 1]]}, "3 elements along each of 2 axes"),
        ({"structure": np.ones((3, 3, 3))}, "3 elements along each of 2 axes"),
        ({"structure": np.ones((3, 3)), "connectivity": 1}, "not both"),
        ({"structure": [[0, 2, 0]]}, "array of 0 and 1"),
        ({"structure": [[0, 1], [0]]}, "one length"),
        ({"connectivity": 3}, "at most 2"),
    ],
)
def test_neighbours_that_are_none(params, words):
    with pytest.raises(ParameterError, match=words):
        measure.label(np.ones((4, 4), bool), **params)


OUTSIDE = {
    "clear_border": ours.clear_border,
    "fill_holes": ours.fill_holes,
    "filter_sizes": partial(ours.filter_sizes, min_size=2, max_size=9),
    "label": measure.label,
    "largest_objects": partial(ours.largest_objects, number=2),
    "remove_small_holes": partial(ours.remove_small_holes, max_size=3),
    "remove_small_objects": partial(ours.remove_small_objects, min_size=3),
}


@pytest.mark.parametrize("name", OUTSIDE)
@settings(deadline=None, max_examples=40)
@given(st.integers(1, 12), st.integers(1, 12), DENSITIES, st.integers(0, 2**31))
def test_pixels_that_are_not_valid_are_as_if_outside_of_the_image(name, rows, columns, density, seed):
    rng = np.random.default_rng(seed)
    mask = rng.random((rows, columns)) < density
    sides = [tuple(int(side) for side in rng.integers(0, 3, 2)) for _ in range(2)]
    valid = np.pad(np.ones(mask.shape, bool), sides)
    shown = np.where(valid, np.pad(mask, sides), rng.random(valid.shape) < 0.5)
    inside = tuple(slice(low, low + size) for (low, _), size in zip(sides, mask.shape))
    image = xr.DataArray(shown, dims=("y", "x"), coords={"valid": (("y", "x"), valid)})
    for given_image in (image, image.chunk(dict(zip("yx", random_chunks(shown.shape, seed))))):
        np.testing.assert_array_equal(OUTSIDE[name](given_image).values[inside], OUTSIDE[name](mask))


def test_what_goes_on_beside_a_pixel_that_is_not_valid():
    mask = np.array(
        [
            [0, 0, 0, 0, 0, 0, 0],
            [0, 1, 1, 0, 1, 1, 1],
            [0, 1, 1, 0, 1, 0, 1],
            [0, 0, 0, 0, 1, 1, 1],
            [0, 0, 0, 0, 0, 0, 0],
        ],
        bool,
    )
    hidden = np.zeros(mask.shape, bool)
    hidden[3, 3] = True
    shown = np.ma.MaskedArray(np.pad(mask, ((0, 0), (0, 1))), mask=np.pad(hidden, ((0, 0), (0, 1))))
    assert not ours.clear_border(shown).data.any(), "both may go on under the pixel that is not valid"
    hidden[3, 3], hidden[2, 5] = False, True
    shown = np.ma.MaskedArray(np.pad(mask, ((0, 0), (0, 1))), mask=np.pad(hidden, ((0, 0), (0, 1))))
    assert not ours.fill_holes(shown).data[2, 5], "nobody knows whether it is a hole"
    assert ours.clear_border(shown).data.sum() == 4
