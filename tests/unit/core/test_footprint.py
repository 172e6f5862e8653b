"""Footprints: scikit-image's shapes, written down and read back."""

import numpy as np
import pytest
from skimage import morphology

from bigimg.core.footprint import SHAPES, as_footprint, ball, cross, cube, disk, dump_footprint, reach, square
from bigimg.errors import ParameterError, UnknownNameError


@pytest.mark.parametrize("radius", range(12))
def test_disks_and_balls_are_those_of_scikit_image(radius):
    np.testing.assert_array_equal(disk(radius), morphology.disk(radius))
    np.testing.assert_array_equal(ball(min(radius, 5)), morphology.ball(min(radius, 5)))


def test_other_shapes():
    assert square(3).shape == (3, 3)
    assert cube(2).shape == (2, 2, 2)
    assert cross(2).sum() == 9
    assert cross(0).sum() == 1


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("size", [1, 2, 3, 4])
def test_named_shapes_are_written_down_and_read_back(name, size):
    mask = SHAPES[name](size)
    written = dump_footprint(mask)
    np.testing.assert_array_equal(as_footprint(written), mask)
    assert isinstance(written, dict)


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


def test_reach():
    assert reach(disk(3)) == (3, 3)
    assert reach(np.ones((2, 5), bool)) == (1, 2)


@pytest.mark.parametrize("name", SHAPES)
def test_a_slip_of_the_pen_does_not_fill_the_memory(name):
    with pytest.raises(ParameterError, match="at most"):
        as_footprint({name: 10**9})
