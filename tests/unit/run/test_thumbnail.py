"""Small pictures of large images: means of cells, and samples of labels."""

import numpy as np
import pytest

from bigimg.core.tile import TileGrid
from bigimg.run.thumbnail import Sample, Shrink, shrink_factor


def test_means_of_cells_of_what_is_left():
    image = np.arange(15.0).reshape(3, 5)
    small = Shrink(2, (3, 5))
    tile = TileGrid.regular((3, 5), (3, 5))[0, 0]
    np.testing.assert_array_equal(small.finish(small.partial(tile, image)), [[3, 5, 6.5], [10.5, 12.5, 14]])


def test_a_tile_may_begin_and_end_within_a_cell():
    image = np.arange(49).reshape(7, 7)
    small = Shrink(4, (7, 7))
    state = ()
    for tile in TileGrid(((3, 3, 1), (1, 5, 1)), (0, 0)):
        state = small.merge(small.partial(tile, image[tile.write]), state)
    expected = [[image[:4, :4].mean(), image[:4, 4:].mean()], [image[4:, :4].mean(), image[4:, 4:].mean()]]
    np.testing.assert_allclose(small.finish(state), expected)


def test_colours_stay():
    image = np.stack([np.full((4, 4), value) for value in (1, 2, 3)])
    tile = TileGrid(((3,), (4,), (4,)), (0, 0, 0))[0, 0, 0]
    small = Shrink(4, (4, 4))
    assert small.finish(small.partial(tile, image)).tolist() == [[[1.0]], [[2.0]], [[3.0]]]
    assert Sample(3, (4, 4)).finish(Sample(3, (4, 4)).partial(tile, image)).shape == (3, 2, 2)


def test_a_sample_may_have_nothing_of_a_tile():
    labels = np.arange(25, dtype="uint32").reshape(5, 5)
    sample = Sample(4, (5, 5))
    parts = [sample.partial(tile, labels[tile.write]) for tile in TileGrid(((1,) * 5, (2, 2, 1)), (0, 0))]
    assert sum(part[0][1].size for part in parts) == 4
    state = ()
    for part in reversed(parts):
        state = sample.merge(state, part)
    np.testing.assert_array_equal(sample.finish(state), labels[::4, ::4])


@pytest.mark.parametrize(
    ("plane", "largest", "factor"), [((10, 10), 10, 1), ((11, 3), 10, 2), ((1, 1), 640, 1), ((20000, 5), 640, 32)]
)
def test_the_factor(plane, largest, factor):
    assert shrink_factor(plane, largest) == factor
