"""Outlines, hulls and holes of objects against scikit-image, one object at a time and cut into tiles."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from scipy import ndimage as ndi
from skimage.measure import _regionprops_utils as tables
from skimage.measure import label, regionprops_table
from skimage.morphology import convex_hull_image

from bigimg.kernels import region_contours
from bigimg.kernels.region_holes import pixel_keys
from bigimg.kernels.regions import measure, merge, table

SHAPES = ["label", "perimeter", "perimeter_crofton", "euler_number", "area_convex", "feret_diameter_max", "area_filled"]
VOLUMES = ["label", "euler_number", "area_filled"]


def in_tiles(labels, properties, size):
    regions = None
    for corner in product(*(range(0, side, size) for side in labels.shape)):
        read = tuple(slice(max(0, at - 2), at + size + 2) for at in corner)
        own = tuple(
            slice(at - box.start, min(at + size, side) - box.start) for at, box, side in zip(corner, read, labels.shape)
        )
        part = measure(labels[read], corner, properties=properties, own=own)
        regions = part if regions is None else merge(regions, part)
    return table(regions, properties)


def whole(labels, properties):
    return table(measure(labels, (0,) * labels.ndim, properties=properties, shared=np.zeros(0, int)), properties)


def assert_same(found, expected):
    for name, column in expected.items():
        np.testing.assert_allclose(found[name], column, rtol=1e-13, err_msg=name)


def patterns():
    """Every pattern of 3 x 4 pixels."""
    for code in range(1, 2**12):
        yield np.array([code >> bit & 1 for bit in range(12)]).reshape(3, 4)


def test_every_small_pattern():
    some = list(patterns())[::3]
    stacked = np.concatenate([np.pad(number * pattern, 1) for number, pattern in enumerate(some, start=1)])

    found = whole(stacked, SHAPES)

    assert_same(found, regionprops_table(stacked, properties=SHAPES))


@pytest.mark.parametrize("size", [1, 3, 8])
@pytest.mark.parametrize("seed", range(3))
def test_values_at_random_in_tiles(size, seed):
    labels = np.random.default_rng(seed).integers(0, 4, (17, 13))
    labels[1:16, 1] = labels[1:16, 11] = labels[1, 1:12] = labels[15, 1:12] = 3  # one holds many pieces of others

    found = in_tiles(labels, SHAPES, size)

    assert_same(found, regionprops_table(labels, properties=SHAPES))


@pytest.mark.parametrize("size", [1, 2, 5])
def test_volumes_in_tiles(size):
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 3, (6, 8, 7))
    shell = np.ones((6, 8, 7), bool)
    shell[1:-1, 1:-1, 1:-1] = False
    labels[shell] = 9

    found = in_tiles(labels, VOLUMES, size)

    assert_same(found, regionprops_table(labels, properties=VOLUMES))


def test_rings_in_rings_hold_each_other():
    y, x = np.mgrid[-40:41, -40:41]
    labels = (np.maximum(np.abs(y), np.abs(x)) // 4 % 4).astype(int)  # 1, 2, 3 and the background over and over

    for size in (1, 7, 30, 100):
        found = in_tiles(labels, ["label", "area_filled"], size)
        assert_same(found, regionprops_table(labels, properties=["label", "area_filled"]))


def test_a_spiral_through_every_tile_holds_nothing_until_it_is_closed():
    labels = np.zeros((41, 41), np.uint8)
    at, step, length = np.array([20, 20]), np.array([0, 1]), 2
    while length < 38:
        for _ in range(2):
            for _ in range(length):
                labels[tuple(at)] = 1
                at = at + step
            step = np.array([step[1], -step[0]])
        length += 2
    closed = labels.copy()
    closed[20, 22:] = 1

    for image in (labels, closed):
        found = in_tiles(image, ["area", "area_filled"], 6)
        assert found["area_filled"][0] == ndi.binary_fill_holes(image, np.ones((3, 3))).sum()


def test_diagonal_steps_leak():
    labels = 1 - np.eye(9, dtype=int)
    labels[0] = labels[-1] = labels[:, 0] = labels[:, -1] = 1
    labels[0, 0] = 0

    found = whole(labels, ["area_filled", "area"])

    assert found["area_filled"][0] == found["area"][0] == 81 - 8
    labels[0, 0] = 1
    assert whole(labels, ["area_filled"])["area_filled"][0] == 81


def test_hulls_of_volumes():
    labels = label(ndi.gaussian_filter(np.random.default_rng(3).random((20, 30, 31)), 1.5) > 0.52, connectivity=1)
    sizes = [[at.stop - at.start for at in box] for box in ndi.find_objects(labels)]
    solid = [number for number, size in enumerate(sizes, start=1) if min(size) > 2]
    labels[~np.isin(labels, solid)] = 0
    names = ["label", "area_convex", "solidity", "feret_diameter_max"]
    assert len(solid) > 5

    for spacing in (None, (2.0, 0.5, 0.7)):
        regions = measure(labels, (0, 0, 0), properties=names, spacing=spacing)
        assert_same(table(regions, names), regionprops_table(labels, properties=names, spacing=spacing))


def test_flat_objects_in_volumes_have_hulls():
    flat = np.zeros((1, 7, 7), int)
    flat[0, 1:6, 1] = flat[0, 5, 1:6] = 1

    found = whole(flat, ["area_convex", "feret_diameter_max"])

    assert found["area_convex"][0] == convex_hull_image(flat[0]).sum()
    assert found["feret_diameter_max"][0] >= 4 * np.sqrt(2)
    point = whole(np.ones((1, 1, 1), int), ["area_convex", "feret_diameter_max", "solidity"])
    assert [column[0] for column in point.values()] == [1, 1, 1]


def test_weights_of_windows_are_those_of_ohser_nagel_and_schladitz():
    np.testing.assert_array_equal(region_contours._EULER_VOLUME, tables.EULER_COEFS3D_26)
    np.testing.assert_array_equal(region_contours._EULER_PLANE, tables.EULER_COEFS2D_8)


def test_keys_of_neighbours_differ_by_a_constant():
    at = np.array([[0, 5, 2**20], [7, 0, 2**30]])
    step = pixel_keys(at + 1) - pixel_keys(at)
    assert len(set(step.tolist())) == 1
