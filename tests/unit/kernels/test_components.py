"""Run-length labelling of one tile against scikit-image."""

from __future__ import annotations

import pickle
from itertools import product

import numpy as np
import pytest
from scipy import ndimage as ndi
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from skimage import data
from skimage.measure import label

from bigimg.errors import ImageError, ParameterError
from bigimg.kernels.components import component_sizes, face, first_pixels, label_runs, paint, paint_mask, union


def spiral(size: int) -> np.ndarray:
    """A one-pixel wall that winds inwards: its labels meet only at the very end."""
    mask = np.zeros((size, size), dtype=bool)
    y, x, dy, dx = 0, -1, 0, 1
    for length in [size, *(n for m in range(size - 1, 0, -2) for n in (m, m))]:
        for _ in range(length):
            y, x = y + dy, x + dx
            mask[y, x] = True
        dy, dx = dx, -dy
    return mask


def masks() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(5)
    named = {
        "one set": np.ones((1, 1), dtype=bool),
        "one clear": np.zeros((1, 1), dtype=bool),
        "one voxel": np.ones((1, 1, 1), dtype=bool),
        "empty": np.zeros((40, 33), dtype=bool),
        "full": np.ones((40, 33), dtype=bool),
        "full words": np.ones((3, 64), dtype=bool),
        "full volume": np.ones((4, 5, 16), dtype=bool),
        "checkerboard": np.indices((17, 24)).sum(axis=0) % 2 == 0,
        "3-D checkerboard": np.indices((5, 6, 9)).sum(axis=0) % 2 == 0,
        "stripes": np.indices((19, 23))[1] % 2 == 0,
        "spiral": spiral(41),
        "spiral upside down": spiral(41)[::-1],
        "spiral mirrored": spiral(40)[:, ::-1],
        "column": rng.random((60, 1)) < 0.5,
        "row": rng.random((1, 60)) < 0.5,
        "transposed": (rng.random((31, 47)) < 0.5).T,
        "every other": (rng.random((62, 94)) < 0.5)[::2, ::2],
        "every other plane": (rng.random((9, 20, 24)) < 0.3)[::2, 1:, ::-1],
        "coins": data.coins() > 110,
    }
    for density in (0.02, 0.3, 0.42, 0.6, 0.95):
        named[f"noise {density}"] = rng.random((67, 130)) < density
        named[f"blobs {density}"] = ndi.gaussian_filter(rng.random((128, 128)), 2) < 0.5 + (density - 0.5) / 10
        named[f"volume {density}"] = rng.random((7, 18, 21)) < density
    return named


CASES = [
    pytest.param(mask, connectivity, id=f"{name}-{connectivity}")
    for name, mask in masks().items()
    for connectivity in range(1, mask.ndim + 1)
]


@pytest.mark.parametrize(("mask", "connectivity"), CASES)
def test_labels_are_numbered_as_by_skimage(mask, connectivity):
    runs = label_runs(mask, connectivity)
    expected = label(mask, connectivity=connectivity)

    found = paint(runs, np.arange(runs.count + 1, dtype=np.uint32))

    assert runs.count == expected.max()
    assert found.dtype == np.uint32
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(("mask", "connectivity"), CASES)
def test_sizes_first_pixels_and_faces_are_those_of_the_dense_labels(mask, connectivity):
    runs = label_runs(mask, connectivity)
    dense = label(mask, connectivity=connectivity)

    np.testing.assert_array_equal(component_sizes(runs), np.bincount(dense.ravel(), minlength=runs.count + 1))
    _, first = np.unique(dense[dense > 0], return_index=True)
    np.testing.assert_array_equal(first_pixels(runs), [-1, *np.flatnonzero(dense)[first]])
    for axis, side in product(range(mask.ndim), (0, 1)):
        found = face(runs, axis, side)
        assert found.dtype == np.int32
        np.testing.assert_array_equal(found, dense.take(-side, axis=axis))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.uint32, np.uint64, np.float32])
def test_paint_takes_any_table(dtype):
    mask = np.random.default_rng(0).random((50, 70)) < 0.4
    runs = label_runs(mask, 1)
    lut = np.random.default_rng(1).integers(0, 200, runs.count + 1).astype(dtype)

    painted = paint(runs, lut)

    assert painted.dtype == dtype
    np.testing.assert_array_equal(painted, lut[label(mask, connectivity=1)])
    np.testing.assert_array_equal(paint_mask(runs, lut > 100), (lut > 100)[label(mask, connectivity=1)])


@pytest.mark.parametrize("shape", [(0, 5), (5, 0), (0, 4, 4), (4, 0, 4), (4, 4, 0)])
def test_a_mask_without_pixels_has_no_components(shape):
    runs = label_runs(np.zeros(shape, dtype=bool), 1)

    assert runs.count == 0
    assert paint(runs, np.zeros(1, dtype=np.uint8)).shape == shape
    assert component_sizes(runs).tolist() == [0]
    for axis in range(len(shape)):
        assert face(runs, axis, 0).shape == shape[:axis] + shape[axis + 1 :]


def test_a_mask_viewed_from_bytes_is_true_where_they_are_not_zero():
    pixels = np.random.default_rng(4).choice(np.array([0, 0, 0, 1, 2, 128, 255], dtype=np.uint8), (40, 64))

    runs = label_runs(pixels.view(np.bool_), 1)

    np.testing.assert_array_equal(paint(runs, np.arange(runs.count + 1)), label(pixels > 0, connectivity=1))


def test_what_a_tile_keeps_is_small_and_travels():
    mask = data.coins() > 110
    runs = label_runs(mask, 2)

    packed = pickle.dumps(runs)

    assert len(packed) < mask.size / 2
    again = pickle.loads(packed)
    np.testing.assert_array_equal(again.label, runs.label)
    assert again.shape == mask.shape


def test_union_names_each_set_by_its_smallest_id():
    rng = np.random.default_rng(3)
    count, pairs = 5000, 3500
    a, b = rng.integers(1, count + 1, (2, pairs))

    roots = union(count, a, b)

    graph = coo_array((np.ones(pairs, dtype=np.int8), (a, b)), shape=(count + 1, count + 1))
    _, sets = connected_components(graph, directed=False)
    smallest = np.full(sets.max() + 1, count + 1)
    np.minimum.at(smallest, sets, np.arange(count + 1))
    np.testing.assert_array_equal(roots, smallest[sets])


def test_union_of_a_long_chain_and_of_nothing():
    ids = np.arange(1, 100_000)

    assert set(union(100_000, ids[::-1] + 1, ids[::-1])[1:]) == {1}
    assert union(3, np.array([], dtype=int), np.array([], dtype=int)).tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("mask", "connectivity", "error", "words"),
    [
        (np.zeros((3, 3), dtype=np.uint8), 1, ImageError, "boolean mask"),
        (np.zeros(3, dtype=bool), 1, ImageError, r"\(..., M, N\)"),
        (np.broadcast_to(np.True_, (2**16, 2**15)), 1, ImageError, "tiles"),
        (np.zeros((3, 3), dtype=bool), 3, ParameterError, "1 to 2"),
        (np.zeros((3, 3), dtype=bool), 0, ParameterError, "1 to 2"),
    ],
)
def test_what_cannot_be_labelled_is_refused(mask, connectivity, error, words):
    with pytest.raises(error, match=words):
        label_runs(mask, connectivity)


def test_wrong_tables_and_ids_are_refused():
    runs = label_runs(np.ones((2, 2), dtype=bool), 1)

    with pytest.raises(ParameterError, match=r"shape \(2,\)"):
        paint(runs, np.zeros(3, dtype=np.uint8))
    with pytest.raises(ParameterError, match="background"):
        union(3, np.array([0]), np.array([1]))
    with pytest.raises(ParameterError, match="1 to 3"):
        union(3, np.array([4]), np.array([1]))
