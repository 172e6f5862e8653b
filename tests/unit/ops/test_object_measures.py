"""Measures of whole objects: what is refused, what is at the ends, and how little travels."""

import dask.array as da
import numpy as np
import pandas as pd
import pytest
import xarray as xr

from bigimg.core.tile import TileGrid
from bigimg.errors import ImageError, ParameterError
from bigimg.kernels import object_texture
from bigimg.kernels.object_pixels import batches, joined, runs_of, whole_objects
from bigimg.kernels.object_shape import radii
from bigimg.ops import measure
from bigimg.ops.measure.whole_objects import WholeObjects

WITH_IMAGE = [measure.edge_intensities, measure.radial_distribution, measure.haralick]
LABELS_ONLY = [measure.object_shape, measure.object_neighbors]
SQUARE = np.pad(np.full((6, 6), 3), 2)


@pytest.mark.parametrize("operation", WITH_IMAGE + LABELS_ONLY)
def test_what_is_no_label_is_refused(operation):
    image = [np.ones((4, 4))] if operation in WITH_IMAGE else []
    for wrong in (np.ones((4, 4)), np.ones((4, 4), bool)):
        with pytest.raises(ImageError, match="labels are integers"):
            operation(wrong, *image)
    with pytest.raises(ImageError, match=r"1 to 2\*\*63 - 1.*got -5"):
        operation(np.full((4, 4), -5), *image)
    with pytest.raises(ImageError, match="2\\*\\*63"):
        operation(np.full((4, 4), 2**63, np.uint64), *image)
    with pytest.raises(ImageError, match="labels of 2 axes"):
        operation(np.ones((2, 4, 4), int), *image)


@pytest.mark.parametrize("operation", WITH_IMAGE)
def test_intensities_of_another_shape_are_refused(operation):
    for shape in ((5, 4), (2, 2, 4, 4), (4, 5)):
        with pytest.raises(ImageError, match="shape"):
            operation(np.ones((4, 4), int), np.ones(shape))
    with pytest.raises(ImageError, match="NaN"):
        operation(np.ones((4, 4), int), np.full((4, 4), np.nan))


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"levels": 1}, "levels"),
        ({"levels": 257}, "levels"),
        ({"distance": 0}, "distance"),
        ({"value_range": (5.0, 5.0)}, "value_range"),
    ],
)
def test_bad_parameters_of_texture(params, said):
    with pytest.raises(ParameterError, match=said):
        measure.haralick(SQUARE, SQUARE, **params)


def test_channels_are_numbered_as_by_scikit_image():
    image = np.stack([SQUARE, 2 * SQUARE]).astype(np.uint8)
    for operation in WITH_IMAGE:
        two = operation(SQUARE, image)
        for channel in (0, 1):
            one = operation(SQUARE, image[channel])
            columns = [name for name in one if f"{name}-{channel}" in two]
            assert len(columns) >= len(one.columns) - 2
            for name in columns:
                np.testing.assert_array_equal(two[f"{name}-{channel}"], one[name])


def test_an_object_that_fills_the_image():
    full = np.ones((5, 5), int)
    edges = measure.edge_intensities(full, full * 1.0)
    assert edges["num_pixels_edge"].tolist() == [0]
    assert edges["intensity_sum_edge"].tolist() == [0.0]
    assert np.isnan(edges["intensity_mean_edge"]).all()
    assert measure.object_shape(full)["radius_max"].tolist() == [3.0]
    rings = measure.radial_distribution(full, full * 1.0, bins=2)
    assert rings.filter(like="fraction_").filter(regex="^radial_f").sum(axis=1).tolist() == [1.0]


def test_a_single_pixel():
    dot = np.pad([[9]], 2)
    shape = measure.object_shape(dot).iloc[0]
    assert shape[["radius_max", "feret_centers_min", "feret_centers_max", "compactness"]].tolist() == [1, 0, 0, 0]
    assert np.isinf(shape["form_factor"])
    assert measure.haralick(dot, dot).drop(columns="label").isna().all().all()
    alone = measure.object_neighbors(dot).iloc[0]
    assert alone[["neighbors_count", "neighbors_first_label", "neighbors_second_label"]].tolist() == [0, 0, 0]
    assert np.isnan(alone[["neighbors_first_distance", "neighbors_second_distance", "neighbors_angle"]]).all()


def test_only_the_part_with_the_centre_is_in_rings():
    labels = np.zeros((9, 20), int)
    labels[1:8, 1:8] = labels[4:6, 15:17] = 1
    image = np.where(np.arange(20) < 10, 1.0, 1000.0) * np.ones((9, 1))
    rings = measure.radial_distribution(labels, image, bins=1)
    assert rings["radial_fraction_1of1"].tolist() == [1.0]
    assert rings["radial_cv_1of1"].tolist() == [0.0]


def test_intensities_that_sum_to_nothing():
    rings = measure.radial_distribution(SQUARE, np.zeros(SQUARE.shape))
    assert rings.filter(like="fraction").isna().all().all()


def test_the_lower_label_is_closer_where_two_are_as_far():
    grid = np.zeros((9, 9), int)
    grid[::2, ::2] = np.arange(25).reshape(5, 5)[::-1] + 1
    table = measure.object_neighbors(grid, distance=1).set_index("label")
    assert table.loc[13, ["neighbors_first_label", "neighbors_second_label"]].tolist() == [8, 12]
    assert table.loc[13, "neighbors_angle"] == 90


def test_pixels_that_are_not_valid_are_background():
    labels = xr.DataArray(
        SQUARE, dims=("y", "x"), coords={"valid": (("y", "x"), np.arange(100).reshape(10, 10) % 7 > 0)}
    )
    masked = np.where(labels["valid"], SQUARE, 0)
    image = np.arange(100).reshape(10, 10)
    for operation in WITH_IMAGE:
        pd.testing.assert_frame_equal(operation(labels, image), operation(masked, image))
    for operation in LABELS_ONLY:
        pd.testing.assert_frame_equal(operation(labels), operation(masked))


def test_a_mask_may_cut_what_was_numbered_in_the_same_computation():
    mask = np.ones((4, 9), bool)
    valid = np.arange(9) % 4 != 3
    known = {"valid": (("y", "x"), np.broadcast_to(valid, mask.shape))}
    numbered = measure.label(xr.DataArray(da.from_array(mask, chunks=4), dims=("y", "x"))).assign_coords(known)
    table = measure.object_shape(numbered).compute(scheduler="sync")
    pd.testing.assert_frame_equal(table, measure.object_shape(np.where(valid, mask, False).astype(np.int64)))


def test_only_objects_that_tiles_cut_travel():
    labels = np.zeros((20, 20), int)
    labels[2:8, 2:8], labels[12:18, 12:18], labels[9:11, 4:6] = 1, 2, 3
    work = WholeObjects(_radii, None, np.array([3]))
    parts = [work.partial(tile, labels[tile.read]) for tile in TileGrid(((10, 10), (10, 10)), (0, 0))]
    assert [part.table["label"].tolist() for part in parts] == [[1], [], [], [2]]
    assert [int(part.waiting.size.sum()) for part in parts] == [2, 0, 2, 0]


def _radii(pixels):
    return radii(pixels, volume=False)


@pytest.mark.parametrize("most", [1, 7, 1000])
def test_batches_hold_whole_objects(most, monkeypatch):
    monkeypatch.setattr("bigimg.kernels.object_pixels.BATCH", most)
    labels = np.random.default_rng(0).integers(0, 6, (8, 9))
    runs = joined([runs_of(labels[:5], (0, 0), (8, 9)), runs_of(labels[5:], (5, 0), (8, 9))])
    parts = [whole_objects(part) for part in batches(runs)]
    assert np.concatenate([part.label for part in parts]).tolist() == [1, 2, 3, 4, 5]
    for part in parts:
        for label, start, stop in zip(part.label, part.offset[:-1], part.offset[1:]):
            np.testing.assert_array_equal(part.place[1:, start:stop].T, np.argwhere(labels == label))
    assert len(parts) == {1: 5, 7: 5, 1000: 1}[most]


@pytest.mark.parametrize(
    ("dtype", "white"), [("uint8", 255), ("uint16", 65535), ("float32", 1), ("bool", 1), ("int16", 32767)]
)
def test_grey_levels_have_a_fixed_range(dtype, white):
    labels = np.ones((4, 4), int)
    image = np.full((4, 4), white).astype(dtype)
    table = measure.haralick(labels, image, levels=9, distance=1)
    assert table["texture_sum_average_1_00_9"].tolist() == [16.0]


def test_values_beyond_the_range_have_its_ends():
    values = np.array([-7.0, 0.0, 0.001, 0.5, 0.999, 1.0, np.inf])
    assert object_texture.quantize(values, 0, 1, 256).tolist() == [0, 0, 0, 128, 255, 255, 255]
    assert object_texture.quantize(values, 0, 1, 2).tolist() == [0, 0, 0, 0, 1, 1, 1]


@pytest.mark.parametrize("operation", WITH_IMAGE)
def test_lazy_images_alone_make_it_lazy(operation):
    image = np.arange(100, dtype=np.uint8).reshape(10, 10)
    lazy = operation(SQUARE, da.from_array(image, chunks=4))
    pd.testing.assert_frame_equal(lazy.compute(scheduler="sync"), operation(SQUARE, image))


def test_tasks_a_tile_are_few():
    counts = []
    for tiles in (4, 16):
        labels = da.zeros((8 * tiles, 8), dtype=int, chunks=(8, 8))
        counts.append(len(dict(measure.object_shape(labels).dask)) / tiles)
    assert max(counts) < 6
