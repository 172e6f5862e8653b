"""Footprints: scikit-image's shapes, written down and read back."""

from typing import Any

import numpy as np
import pytest
from pydantic import TypeAdapter
from skimage import morphology

from bigimg.core.footprint import (
    SHAPES,
    Footprint,
    as_footprint,
    ball,
    cross,
    cube,
    diamond,
    disk,
    dump_footprint,
    octagon,
    octahedron,
    reach,
    reach_beyond,
    rectangle,
    square,
    star,
)
from bigimg.errors import ParameterError, UnknownNameError

EXAMPLES: dict[str, list[Any]] = {
    "ball": [1, 2, 4],
    "cross": [1, 2, 5],
    "cube": [1, 2, 3],
    "diamond": [1, 2, 7],
    "disk": [1, 2, 3, 200],
    "octagon": [[3, 2], [4, 1], [1, 1], [3, 0], [2, 5]],
    "octahedron": [1, 2, 5],
    "rectangle": [[1, 1], [3, 5], [2, 2], [1, 400], [2, 3, 4], [3, 3, 3]],
    "square": [1, 2, 3, 4],
    "star": [1, 2, 3, 4, 5, 9],
}
"""Sizes of every shape that a workflow can name."""


@pytest.mark.parametrize("radius", range(12))
def test_shapes_of_a_radius_are_those_of_scikit_image(radius):
    np.testing.assert_array_equal(disk(radius), morphology.disk(radius))
    np.testing.assert_array_equal(diamond(radius), morphology.diamond(radius))
    np.testing.assert_array_equal(ball(min(radius, 5)), morphology.ball(min(radius, 5)))
    np.testing.assert_array_equal(octahedron(radius), morphology.octahedron(radius))
    np.testing.assert_array_equal(star(radius + 1), morphology.star(radius + 1))


@pytest.mark.parametrize("m", range(7))
@pytest.mark.parametrize("n", range(7))
def test_octagons_and_rectangles_are_those_of_scikit_image(m, n):
    if m + n:
        np.testing.assert_array_equal(octagon(m, n), morphology.octagon(m, n))
    np.testing.assert_array_equal(rectangle(m + 1, n + 1), morphology.footprint_rectangle((m + 1, n + 1)))
    np.testing.assert_array_equal(rectangle(m + 1, 2, n + 1), morphology.footprint_rectangle((m + 1, 2, n + 1)))


def test_other_shapes():
    assert square(3).shape == (3, 3)
    assert cube(2).shape == (2, 2, 2)
    assert cross(2).sum() == 9
    assert cross(0).sum() == 1
    assert all(SHAPES[name](*np.atleast_1d(EXAMPLES[name][0]).tolist()).dtype == bool for name in SHAPES)


@pytest.mark.parametrize(("name", "size"), [(name, size) for name in SHAPES for size in EXAMPLES[name]])
def test_named_shapes_are_written_down_and_read_back(name, size):
    mask = as_footprint({name: size})
    written = dump_footprint(mask)
    assert isinstance(written, dict)
    np.testing.assert_array_equal(as_footprint(written), mask)


def test_the_schema_says_how_many_numbers_a_shape_takes():
    schema = TypeAdapter(Footprint, config={"arbitrary_types_allowed": True}).json_schema()
    shapes = schema["anyOf"][0]["properties"]
    assert list(shapes) == list(SHAPES)
    for name, sizes in EXAMPLES.items():
        lists = [size for size in sizes if isinstance(size, list)]
        one = ["integer", "string"] if name in {"disk", "ball"} else "integer"
        assert shapes[name]["type"] == ("array" if lists else one)
        assert all(shapes[name]["minItems"] <= len(size) <= shapes[name]["maxItems"] for size in lists)


def test_any_mask_is_written_down_and_read_back():
    mask = np.array([[0, 1, 1], [1, 0, 0]], bool)
    assert dump_footprint(mask) == [[0, 1, 1], [1, 0, 0]]
    np.testing.assert_array_equal(as_footprint(dump_footprint(mask)), mask)
    np.testing.assert_array_equal(as_footprint(mask.astype(float).astype("uint8")), mask)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "names one shape"),
        ({"disk": 1, "cube": 1}, "names one shape"),
        ({"disk": 1.5}, "whole number"),
        ({"disk": True}, "whole number"),
        ({"disk": "3"}, "whole number"),
        ({"disk": -1}, "at least 0"),
        ({"square": 0}, "at least 1"),
        ({"cross": -2}, "at least 0"),
        ({"star": 0}, "at least 1"),
        ({"octagon": 3}, "a list of 2 whole numbers"),
        ({"octagon": [0, 0]}, "at least 1"),
        ({"octagon": [-3, 5]}, "at least 0"),
        ({"rectangle": [3]}, "a list of 2 or 3 whole numbers"),
        ({"rectangle": [3, 5, 7, 9]}, "a list of 2 or 3 whole numbers"),
        ({"rectangle": [3, 0]}, "at least 1"),
        ({"rectangle": [3, 1.5]}, "whole numbers"),
        ({"disk": [1, 2]}, "a whole number"),
        ([1, 1, 1], "2-D or 3-D"),
        ([[0, 0], [0, 0]], "at least one pixel"),
        ([[]], "2-D or 3-D|at least one pixel"),
        ([[0, 2]], "0 and 1"),
        ([[0.5, 1]], "0 and 1"),
        ("disk", "0 and 1"),
        (3, "2-D or 3-D"),
        (None, "0 and 1"),
    ],
)
def test_what_is_no_footprint_is_refused(given, said):
    with pytest.raises(ParameterError, match=said):
        as_footprint(given)


def test_the_nearest_shape_is_suggested():
    with pytest.raises(UnknownNameError, match="did you mean 'disk'"):
        as_footprint({"disc": 3})


def test_ragged_lists_are_refused():
    with pytest.raises(ParameterError):
        as_footprint([[1, 1], [1]])


def test_a_rectangle_has_two_or_three_sides():
    with pytest.raises(ParameterError, match="rows and columns"):
        rectangle(3)


def test_reach():
    assert reach(disk(3)) == (3, 3)
    assert reach(np.ones((2, 5), bool)) == (1, 2)


def test_the_centre_of_an_even_axis_is_the_element_before_its_middle():
    assert reach_beyond(rectangle(2, 4)) == ((0, 1), (1, 2))
    assert reach_beyond(rectangle(3, 5)) == ((1, 1), (2, 2))
    assert reach_beyond(np.array([[0, 0, 0, 1]], bool)) == ((0, 0), (0, 2))
    for shape in ((1, 1), (2, 3), (4, 6), (5, 2, 3)):
        for (before, behind), reached in zip(reach_beyond(rectangle(*shape)), reach(rectangle(*shape)), strict=True):
            assert max(before, behind) == reached


@pytest.mark.parametrize("name", SHAPES)
def test_a_slip_of_the_pen_does_not_fill_the_memory(name):
    size = [10**9] * len(np.atleast_1d(EXAMPLES[name][0]))
    with pytest.raises(ParameterError, match="at most"):
        as_footprint({name: size if len(size) > 1 else size[0]})
