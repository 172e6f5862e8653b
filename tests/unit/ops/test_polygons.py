"""Outlines as polygons: valid, exact, without cracks, in the coordinates asked for."""

import dask.array as da
import numpy as np
import pytest
import shapely
import xarray as xr

from bigimg import measure
from bigimg.core.parameters import is_deferred
from bigimg.core.well_known_binary import bounds, decode
from bigimg.errors import ImageError, ParameterError, ReadError
from bigimg.testing import check_op

RNG = np.random.default_rng(0)


def geometries(table):
    return shapely.from_wkb(table["geometry"].tolist())


def spiral(size):
    """One winding object, one pixel wide, that goes through every tile."""
    labels = np.zeros((size, size), int)
    row, column, direction = 0, -1, 0
    steps = [(0, 1), (1, 0), (0, -1), (-1, 0)]
    for number, length in enumerate([size, *(each for pair in range(size - 1, 0, -2) for each in (pair, pair))]):
        for _ in range(length if number else size):
            row, column = row + steps[direction][0], column + steps[direction][1]
            labels[row, column] = 7
        direction = (direction + 1) % 4
    return labels


IMAGES = {
    "noise": RNG.integers(0, 2, (20, 17)),
    "labels": RNG.integers(0, 4, (20, 17)) * 10**14,
    "checkerboard": np.indices((12, 9)).sum(axis=0) % 2,
    "full": np.full((11, 13), 3),
    "spiral": spiral(21),
    "ring": np.pad(np.zeros((9, 9), int), 4, constant_values=5),
    "rings in rings": np.pad(np.pad(np.pad([[1]], 2), 2, constant_values=1), 1),
    "one pixel": np.array([[9]]),
    "nothing": np.zeros((6, 5), int),
}


@pytest.mark.parametrize("name", IMAGES)
def test_the_same_for_any_cut(name):
    check_op(measure.polygons, IMAGES[name])


@pytest.mark.parametrize("name", IMAGES)
def test_valid_polygons_cover_their_pixels(name):
    labels = IMAGES[name]
    table = measure.polygons(labels)
    numbers, pixels = np.unique(labels[labels > 0], return_counts=True)
    assert table["label"].tolist() == numbers.tolist()
    for polygon, number, area in zip(geometries(table), numbers, pixels):
        assert polygon.is_valid, shapely.is_valid_reason(polygon)
        assert polygon.area == area
        places = np.argwhere(labels == number)
        assert shapely.contains_xy(polygon, places[:, 1] + 0.5, places[:, 0] + 0.5).all()
        for part in getattr(polygon, "geoms", [polygon]):
            assert part.exterior.is_ccw
            assert not any(hole.is_ccw for hole in part.interiors)


def test_neighbours_meet_without_a_gap():
    labels = RNG.integers(1, 5, (15, 18))
    assert shapely.union_all(geometries(measure.polygons(labels))).equals(shapely.box(0, 0, 18, 15))


def test_pixels_that_touch_at_a_corner_are_parts():
    (polygon,) = geometries(measure.polygons(np.eye(3, dtype=int)))
    assert shapely.get_num_geometries(polygon) == 3
    (closed,) = geometries(measure.polygons(1 - np.pad(np.eye(2, dtype=int), 1)))
    assert closed.geom_type == "Polygon"
    assert len(closed.interiors) == 2


def test_a_hole_belongs_to_the_part_around_it():
    labels = IMAGES["rings in rings"]
    (polygon,) = geometries(measure.polygons(da.from_array(labels, chunks=1)).compute(scheduler="sync"))
    assert [len(part.interiors) for part in polygon.geoms] == [1, 0]


def test_coordinates_in_micrometres():
    attrs = {"scale": {"y": 0.5, "x": 0.25}, "units": {"y": "micrometer", "x": "micrometer"}}
    image = xr.DataArray(np.ones((4, 8), int), dims=("y", "x"), attrs=attrs)
    for given in (image, image.chunk(y=3, x=2), image.transpose("x", "y")):
        table = measure.polygons(given, spacing="um")
        if is_deferred(table):
            table = table.compute(scheduler="sync")
        assert bounds(table["geometry"].tolist()).tolist() == [[0, 0, 2, 2]]
    assert bounds(measure.polygons(image, spacing=(2.0, 3.0))["geometry"].tolist()).tolist() == [[0, 0, 24, 8]]
    with pytest.raises(ImageError, match="how large its pixels are"):
        measure.polygons(image.values, spacing="um")


def test_coordinates_of_a_map():
    labels = np.array([[0, 0, 0], [0, 6, 0]])
    table = measure.polygons(labels, transform=[10.0, 0.0, 500.0, 0.0, -10.0, 8000.0], crs="EPSG:32633")
    (polygon,) = geometries(table)
    assert polygon.bounds == (510, 7980, 520, 7990)
    assert polygon.exterior.is_ccw
    assert table.attrs == {"crs": "EPSG:32633"}
    turned = measure.polygons(labels, transform=[0.0, 1.0, 0.0, 1.0, 0.0, 0.0])
    assert geometries(turned)[0].bounds == (1, 1, 2, 2)
    assert geometries(turned)[0].exterior.is_ccw


@pytest.mark.parametrize(
    ("given", "match"),
    [
        ({"transform": [1.0, 0, 0, 0, 1]}, "transform"),
        ({"transform": [1.0, 2, 0, 2, 4, 0]}, "area"),
        ({"transform": [1.0, 0, 0, 0, 1, 0], "spacing": 2.0}, "leave spacing out"),
        ({"crs": "EPSG:4326"}, "crs needs transform"),
        ({"spacing": 0.0}, "spacing"),
    ],
)
def test_bad_coordinates_are_refused(given, match):
    with pytest.raises(ParameterError, match=match):
        measure.polygons(np.ones((2, 2), int), **given)


def test_what_is_no_label_image_is_refused():
    for bad, match in (
        (np.ones((2, 2)), "integers"),
        (np.ones((2, 2), bool), "integers"),
        (np.ones((2, 2, 2), int), "one plane"),
        (-np.ones((2, 2), int), "got -1"),
    ):
        with pytest.raises(ImageError, match=match):
            measure.polygons(bad)


def test_tasks_are_constant_a_tile():
    tasks = [len(dict(measure.polygons(da.zeros((n, n), dtype=int, chunks=1)).dask)) / n**2 for n in (4, 32)]
    assert tasks[1] < tasks[0] + 0.5


def test_bytes_that_are_no_polygon_are_refused():
    geometry = measure.polygons(np.eye(3, dtype=int))["geometry"][0]
    name, parts = decode(geometry)
    assert (name, len(parts)) == ("MultiPolygon", 3)
    assert bounds([geometry]).tolist() == [[0, 0, 3, 3]]
    for bad in (geometry[:-3], geometry[:5], b"", geometry + b"\0", b"\0" + geometry[1:], b"\1\1" + geometry[2:]):
        with pytest.raises(ReadError):
            bounds([geometry, bad])
