"""Measures of whole objects are the same bits however objects are cut, connected or scattered, few or winding."""

from __future__ import annotations

from functools import partial

import dask.array as da
import numpy as np
import pandas as pd
import pytest
import scipy.ndimage as ndi
from hypothesis import given, settings
from hypothesis import strategies as st

from bigimg.kernels.object_places import squared_distances
from bigimg.ops import measure
from bigimg.testing import nothing_computes, random_chunks

PLANE = {
    "edges": measure.edge_intensities,
    "rings": partial(measure.radial_distribution, bins=3),
    "widths": lambda labels, image: measure.object_shape(labels),
    "texture": partial(measure.haralick, levels=5, distance=2),
    "neighbors": lambda labels, image: measure.object_neighbors(labels, distance=2),
}
VOLUME = {name: PLANE[name] for name in ("edges", "widths", "texture", "neighbors")}
DTYPES = st.sampled_from(["bool", "uint8", "int16", "float32", "float64"])


def spiral(size):
    """One object that winds through every tile, and another between its turns."""
    y, x = np.mgrid[:size, :size] - size // 2
    turn = np.maximum(abs(y), abs(x))
    return np.where((turn + (x > y)) % 3 == 0, 1, np.where(turn % 3 == 1, 2**40, 0))


def grey(shape, dtype, seed):
    rng = np.random.default_rng(seed)
    if np.dtype(dtype).kind == "f":
        return (rng.random(shape) * 10.0 ** rng.integers(-9, 9, shape)).astype(dtype)
    return rng.integers(0, 2 if dtype == "bool" else 99, shape).astype(dtype)


def same(operation, labels, image, chunks, **more):
    whole = operation(labels, image, **more)
    with nothing_computes():
        lazy = operation(da.from_array(labels, chunks=chunks), image, **more)
    pd.testing.assert_frame_equal(lazy.compute(scheduler="sync"), whole, check_exact=True)
    return whole


@pytest.mark.parametrize("name", PLANE)
@settings(deadline=None, max_examples=12)
@given(st.integers(1, 17), st.integers(1, 17), st.sampled_from([1, 2, 40]), DTYPES, st.integers(0, 2**31))
def test_scattered_labels_of_any_number(name, rows, columns, most, dtype, seed):
    rng = np.random.default_rng(seed)
    numbers = np.append(0, rng.integers(1, 2**62, most))
    labels = numbers[rng.integers(0, most + 1, (rows, columns))]
    same(PLANE[name], labels, grey((2, rows, columns), dtype, seed), random_chunks(labels.shape, seed))


@pytest.mark.parametrize("name", VOLUME)
@settings(deadline=None, max_examples=8)
@given(st.tuples(st.integers(1, 5), st.integers(1, 8), st.integers(1, 8)), st.integers(0, 2**31))
def test_volumes(name, shape, seed):
    labels = np.random.default_rng(seed).integers(0, 4, shape)
    operation = VOLUME[name]
    if name == "widths":
        operation = lambda labels, image, dims: measure.object_shape(labels, dims=dims)  # noqa: E731
    if name == "neighbors":
        operation = lambda labels, image, dims: measure.object_neighbors(labels, distance=2, dims=dims)  # noqa: E731
    same(operation, labels, grey(shape, "uint8", seed), random_chunks(shape, seed), dims="zyx")


@pytest.mark.parametrize("name", PLANE)
@settings(deadline=None, max_examples=10)
@given(st.integers(1, 20), st.integers(1, 20), st.sampled_from([0.0, 0.3, 0.6, 1.0]), st.integers(0, 2**31))
def test_labels_numbered_in_the_same_computation(name, rows, columns, density, seed):
    mask = np.random.default_rng(seed).random((rows, columns)) < density
    image = grey(mask.shape, "uint8", seed)
    with nothing_computes():
        lazy = PLANE[name](measure.label(da.from_array(mask, chunks=random_chunks(mask.shape, seed))), image)
    whole = PLANE[name](measure.label(mask), image)
    pd.testing.assert_frame_equal(lazy.compute(scheduler="sync"), whole, check_exact=True)
    assert len(whole) == ndi.label(mask, np.ones((3, 3)))[1]


@pytest.mark.parametrize("name", PLANE)
@pytest.mark.parametrize("chunks", [(1, 1), (5, 3), (16, 17)])
def test_an_object_that_winds_through_every_tile(name, chunks):
    labels = spiral(17)
    assert same(PLANE[name], labels, grey(labels.shape, "float32", 1), chunks)["label"].tolist() == [1, 2**40]


@pytest.mark.parametrize("name", PLANE)
def test_no_object_gives_the_same_columns(name):
    image = grey((2, 6, 7), "uint8", 0)
    none = same(PLANE[name], np.zeros((6, 7), int), image, (2, 3))
    one = PLANE[name](np.ones((6, 7), int), image)
    assert len(none) == 0
    assert none.dtypes.to_dict() == one.dtypes.to_dict()


@settings(deadline=None, max_examples=60)
@given(
    st.one_of(st.tuples(*[st.integers(1, 12)] * 2), st.tuples(*[st.integers(1, 7)] * 3)),
    st.sampled_from([0.3, 0.8, 0.97]),
    st.booleans(),
    st.integers(0, 2**31),
)
def test_distances_to_the_edge(shape, density, bounded, seed):
    mask = np.random.default_rng(seed).random(shape) < density
    if not mask.any() or (mask.all() and not bounded):
        return
    place = np.argwhere(np.expand_dims(mask, tuple(range(3 - mask.ndim)))).T.astype(np.int64)
    planes = shape if len(shape) == 3 else (1, *shape)
    got = squared_distances(np.ascontiguousarray(place), planes, len(shape) == 3, bounded)
    around = ndi.distance_transform_edt(np.pad(mask, 1))[(slice(1, -1),) * mask.ndim]
    wanted = around if bounded else ndi.distance_transform_edt(mask)
    np.testing.assert_array_equal(np.sqrt(got), wanted[mask])


@settings(deadline=None, max_examples=25)
@given(st.integers(1, 60), st.integers(1, 6), st.integers(0, 2**31))
def test_closest_centres_are_those_of_all_pairs(count, spread, seed):
    rng = np.random.default_rng(seed)
    labels = np.zeros((8, 8 * spread), int)
    places = rng.choice(labels.size, min(count, labels.size), replace=False)
    labels.ravel()[places] = rng.permutation(1000)[: len(places)] + 1
    table = measure.object_neighbors(labels, distance=1)
    centre = {label: np.argwhere(labels == label)[0] for label in table["label"]}
    for row in table.itertuples():
        others = [each for each in centre if each != row.label]
        order = sorted((((centre[each] - centre[row.label]) ** 2).sum(), each) for each in others)
        assert [row.neighbors_first_label, row.neighbors_second_label] == ([each for _, each in order] + [0, 0])[:2]
