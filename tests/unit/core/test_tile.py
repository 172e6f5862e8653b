"""Tile geometry: what is written, what is read, and what is refused."""

import pytest

from bigimg.core.tile import TileGrid, box_shape, regular_chunks, whole
from bigimg.errors import ImageError


def test_the_last_tile_is_what_is_left():
    assert regular_chunks((10, 5), (4, 8)) == ((4, 4, 2), (5,))
    assert TileGrid.regular((10, 5), (4, 8)).numblocks == (3, 1)


def test_a_halo_ends_with_the_image_and_reaches_through_thin_tiles():
    grid = TileGrid(((8, 1, 1, 8),), (3,))
    assert [tile.read[0].start for tile in grid] == [0, 5, 6, 7]
    assert [tile.read[0].stop for tile in grid] == [11, 12, 13, 18]
    assert grid[1,].crop == (slice(3, 4),)


def test_a_tile_knows_where_it_is():
    grid = TileGrid(((4, 4), (3, 3, 1)), (1, 2))
    tile = grid[1, 2]
    assert tile.index == (1, 2)
    assert tile.origin == (4, 6)
    assert tile.shape == (4, 1)
    assert tile.read_shape == (5, 3)
    assert tile.at_border(0) == (False, True)
    assert tile.at_border(1) == (False, True)
    assert grid[0, 0].at_border(0) == (True, False)
    assert grid.shape == (8, 7)
    assert len(grid) == len(list(grid)) == 6


def test_the_whole_image_is_one_tile():
    tile = whole((5, 6))
    assert tile.read == tile.write == (slice(0, 5), slice(0, 6))
    assert tile.at_border(0) == tile.at_border(1) == (True, True)
    assert box_shape(tile.read) == (5, 6)


def test_the_largest_read_is_cut_at_the_image():
    assert TileGrid(((4, 4), (5,)), (1, 100)).largest_read() == 6 * 5
    assert TileGrid(((100,),), (50,)).largest_read() == 100


@pytest.mark.parametrize("chunks", [((0,), (3,)), ((2, 0, 2), (3,)), ((), (3,))])
def test_no_tile_is_empty(chunks):
    with pytest.raises(ImageError, match="at least one pixel"):
        TileGrid(chunks, (0, 0))


def test_an_axis_needs_a_halo():
    with pytest.raises(ValueError, match="2 axes"):
        TileGrid(((2,), (2,)), (1,))


def test_a_grid_of_many_tiles_is_indexed_without_being_made():
    grid = TileGrid.regular((2**40, 2**40), (2**28, 2**28), (5, 5))
    assert len(grid) == 2**24
    last = grid[2**12 - 1, 2**12 - 1]
    assert last.at_border(0) == (False, True)
    assert last.read_shape == (2**28 + 5, 2**28 + 5)
