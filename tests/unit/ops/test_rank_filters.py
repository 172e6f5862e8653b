from __future__ import annotations

import dask.array as da
import numpy as np
import pytest

from bigimg import filters
from bigimg.errors import ParameterError

FILTERS = [filters.median, filters.minimum, filters.maximum]


@pytest.mark.parametrize("operation", FILTERS)
@pytest.mark.parametrize("given", [{}, {"size": 3, "footprint": {"disk": 1}}])
def test_a_window_is_given_once(operation, given):
    for image in (np.zeros((9, 9)), da.zeros((9, 9), chunks=4)):
        with pytest.raises(ParameterError, match="either size"):
            operation(image, **given)


@pytest.mark.parametrize("operation", FILTERS)
def test_a_volume_needs_a_footprint_of_three_axes(operation):
    with pytest.raises(ParameterError, match="zyx"):
        operation(np.zeros((9, 9, 9)), footprint={"ball": 1})
    assert operation(np.zeros((9, 9, 9)), footprint={"ball": 1}, dims="zyx").shape == (9, 9, 9)


def test_the_halo_is_what_the_window_reaches():
    assert filters.median.bind(size=7).halo == (3, 3)
    assert filters.median.bind(size=7, dims="zyx").halo == (3, 3, 3)
    assert filters.maximum.bind(footprint=np.ones((1, 4))).halo == (0, 2)
    assert filters.entropy.bind(footprint={"disk": 3}).halo == (3, 3)


def test_a_percentile_lies_between_0_and_100():
    with pytest.raises(ParameterError, match="less than or equal to 100"):
        filters.percentile(np.zeros((9, 9)), percentile=101, size=3)
