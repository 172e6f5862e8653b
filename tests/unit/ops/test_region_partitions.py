"""The table of objects in partitions: the same rows and files for any tiling, and no task that has them all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import dask
import dask.array as da
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from dask.core import toposort
from hypothesis import given, settings
from hypothesis import strategies as st

from bigimg import measure
from bigimg.errors import OutputError, OutputExistsError, ParameterError
from bigimg.io import read_table
from bigimg.kernels.regions import PROPERTIES, Regions
from bigimg.testing import nothing_computes, random_image

EVERY = list(PROPERTIES)
MASK = np.random.default_rng(0).random((40, 30)) < 0.15
MASK[3:37:11, 2:28] = MASK[3:37, 2:28:9] = True  # an object through many tiles, with others in its holes
IMAGE = random_image(MASK.shape, "uint16")
LABELS = measure.label(MASK)
WHOLE = measure.regionprops_table(LABELS, IMAGE, properties=EVERY)


def partitions(labels, count=None, image=None, properties=EVERY):
    """Return the computed partitions of the table of lazy ``labels``."""
    with nothing_computes():
        parts = measure.table_partitions(measure.regionprops_table(labels, image, properties=properties), count)
    return list(dask.compute(*parts, scheduler="sync"))


def together(parts):
    """Return partitions one below the other."""
    return pd.concat(parts, ignore_index=True)


@settings(deadline=None, max_examples=15)
@given(
    tiles=st.tuples(st.integers(3, 40), st.integers(3, 30)),
    count=st.integers(1, 90),
    numbered=st.booleans(),
)
def test_partitions_are_the_table_of_the_whole_image_for_any_tiles(tiles, count, numbered):
    labels = measure.label(da.from_array(MASK, chunks=tiles)) if numbered else da.from_array(LABELS, chunks=tiles)

    parts = partitions(labels, count, IMAGE)

    assert len(parts) == count
    pd.testing.assert_frame_equal(together(parts), WHOLE, check_exact=True)
    width = -(-len(WHOLE) // count)
    for number, part in enumerate(parts):
        assert part["label"].between(number * width + 1, (number + 1) * width).all()


@pytest.mark.parametrize("chunks", [1, (1, 30), (40, 1)])
def test_tiles_of_one_pixel(chunks):
    small = MASK[:14, :12] if chunks == 1 else MASK
    labels = measure.label(da.from_array(small, chunks=chunks))
    whole = measure.regionprops_table(measure.label(small), properties=["label", "area_filled", "perimeter"])

    parts = partitions(labels, 5, properties=["label", "area_filled", "perimeter"])

    pd.testing.assert_frame_equal(together(parts), whole, check_exact=True)


def test_one_object_through_every_tile_is_in_the_first_partition():
    ring = np.pad(np.zeros((20, 20), bool), 2, constant_values=True)
    whole = measure.regionprops_table(measure.label(ring), properties=["label", "area", "area_filled", "solidity"])

    parts = partitions(measure.label(da.from_array(ring, chunks=3)), 4, properties=list(whole.columns))

    assert [len(part) for part in parts] == [1, 0, 0, 0]
    pd.testing.assert_frame_equal(parts[0], whole, check_exact=True)


def test_no_object_gives_empty_partitions_of_the_right_columns():
    none = np.zeros((12, 12), bool)
    whole = measure.regionprops_table(measure.label(none), IMAGE[:12, :12], properties=EVERY)

    parts = partitions(measure.label(da.from_array(none, chunks=5)), 3, IMAGE[:12, :12])

    for part in parts:
        pd.testing.assert_frame_equal(part, whole, check_exact=True)
        assert not len(part)


@pytest.mark.parametrize(("count", "number"), [(None, 1), (1, 1), (2, 2), (3, 3), (4, 6)])
def test_stacks_are_parted_by_planes_first(count, number):
    masks = np.stack([MASK, MASK[::-1], np.zeros_like(MASK)])
    image = random_image((2, *masks.shape), "float32")
    whole = measure.regionprops_table(measure.label(masks), image, properties=EVERY)

    parts = partitions(measure.label(da.from_array(masks, chunks=(2, 17, 9))), count, image)

    assert len(parts) == number
    pd.testing.assert_frame_equal(together(parts), whole, check_exact=True)


def test_sparse_numbers_and_pixels_that_do_not_count():
    labels = LABELS.astype(np.int64) * 10**15
    valid = np.random.default_rng(1).random(MASK.shape) < 0.9

    def image(pixels):
        return xr.DataArray(pixels, dims=("y", "x"), coords={"valid": (("y", "x"), valid)})

    whole = measure.regionprops_table(image(labels), properties=["label", "area", "centroid"])

    parts = partitions(image(da.from_array(labels, chunks=11)), 7, properties=["label", "area", "centroid"])

    pd.testing.assert_frame_equal(together(parts), whole, check_exact=True)


def test_files_have_the_same_bytes_for_any_tiles(tmp_path):
    for name, tiles in (("a", (40, 30)), ("b", (7, 9))):
        labels = measure.label(da.from_array(MASK, chunks=tiles))
        table = measure.regionprops_table(labels, IMAGE, properties=EVERY)
        assert measure.write_partitions(table, tmp_path / name, 6) == len(WHOLE)

    names = [f"part-{number:05}.parquet" for number in range(6)]
    assert sorted(each.name for each in (tmp_path / "a").iterdir()) == names
    for name in names:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    pd.testing.assert_frame_equal(read_table(tmp_path / "a"), WHOLE, check_exact=True)


def test_a_folder_that_is_there_is_not_touched_and_one_that_fails_is_not_left(tmp_path, monkeypatch):
    table = measure.regionprops_table(measure.label(da.from_array(MASK, chunks=9)))
    (tmp_path / "there").mkdir()
    with pytest.raises(OutputExistsError):
        measure.write_partitions(table, tmp_path / "there")

    def full(*_, **__):
        raise OutputError("the disk is full")

    monkeypatch.setattr("bigimg.ops.measure.region_partitions.write_table", full)
    with pytest.raises(OutputError, match="full"):
        measure.write_partitions(table, tmp_path / "new", 3)
    assert [each.name for each in tmp_path.iterdir()] == ["there"]


def test_what_cannot_be_parted_is_refused():
    lazy = measure.regionprops_table(measure.label(da.from_array(MASK, chunks=9)))
    with pytest.raises(ParameterError, match="got DataFrame"):
        measure.table_partitions(WHOLE)
    with pytest.raises(ParameterError, match="another lazy value"):
        measure.table_partitions(measure.polygons(da.from_array(LABELS, chunks=9)))
    with pytest.raises(ParameterError, match="count=0"):
        measure.table_partitions(lazy, 0)


def dots(side):
    """Return a mask of one object at every second pixel of every second line."""
    mask = np.zeros((side, side), bool)
    mask[::2, ::2] = True
    return mask


def test_a_million_objects(tmp_path):
    labels = measure.label(da.from_array(dots(2000), chunks=250))
    table = measure.regionprops_table(labels, properties=["label", "num_pixels", "bbox"])

    assert measure.write_partitions(table, tmp_path / "objects", 16) == 10**6

    found = read_table(tmp_path / "objects")
    number = np.arange(10**6)
    assert np.array_equal(found["label"], number + 1)
    assert (found["num_pixels"] == 1).all()
    assert np.array_equal(found["bbox-0"], number // 1000 * 2)
    assert np.array_equal(found["bbox-1"], number % 1000 * 2)
    assert all(len(read_table(part)) == 62_500 for part in (tmp_path / "objects").iterdir())


def objects_in(value):
    """Return how many objects a value of a task holds."""
    if isinstance(value, Regions | pd.DataFrame):
        return len(value)
    return sum(map(objects_in, value.values())) if isinstance(value, Mapping) else 0


def test_no_task_receives_much_more_than_its_partition():
    side, count = 256, 16
    labels = measure.label(da.from_array(dots(side), chunks=16))
    parts = measure.table_partitions(measure.regionprops_table(labels, properties=["label", "area"]), count)
    graph = dict(parts[0].__dask_graph__())
    done, most = {}, 0
    for key in toposort(graph, dependencies={name: set(task.dependencies) for name, task in graph.items()}):
        needed = {name: done[name] for name in graph[key].dependencies}
        most = max(most, sum(map(objects_in, needed.values())))
        done[key] = graph[key](needed)

    assert sum(objects_in(done[part.key]) for part in parts) == side**2 // 4
    assert most <= 2 * side**2 // 4 // count


def test_a_few_tasks_a_tile_from_16_to_4096_tiles():
    tasks = {}
    for side in (4, 64):
        mask = da.zeros((side * 1024, side * 1024), chunks=1024, dtype=bool)
        table = measure.regionprops_table(measure.label(mask), properties=["label", "area_filled"])
        parts = measure.table_partitions(table)
        names = Counter(
            "shared out" if "measure" in str(key) else "other" for key in parts[0].dask.layers[parts[0].key[0]]
        )
        assert len(parts) == max(1, side**2 // 16)
        tasks[side] = names["shared out"] / side**2
    assert tasks[4] < 2
    assert tasks[64] < 6
