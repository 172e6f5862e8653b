"""Images joined pixel by pixel."""

from __future__ import annotations

import dask
import dask.array as da
import numpy as np
import pytest
import xarray as xr

from bigimg.core.tile import TileGrid
from bigimg.engine.kinds import combine_images
from bigimg.engine.lazy import from_store, image_of
from bigimg.errors import ImageError
from bigimg.ops import filters
from bigimg.testing import check_op, nothing_computes, random_image

IMAGE = random_image((20, 17), "uint8")


def difference(first, second):
    return first.astype("int16") - second


def sharpened(image):
    """Two chains that part and meet, and go on."""
    apart = combine_images(np.subtract, filters.gaussian(image, sigma=1), filters.gaussian(image, sigma=2), dtype=float)
    return filters.uniform(apart, size=3)


@pytest.mark.parametrize("masked", [False, True])
def test_chains_that_meet_are_cut_anywhere(masked):
    valid = np.random.default_rng(0).random(IMAGE.shape) < 0.8 if masked else None
    check_op(sharpened, IMAGE, valid=valid)


def test_one_task_a_tile():
    class Store:
        shape, dtype = IMAGE.shape, IMAGE.dtype

        def __getitem__(self, box):
            return IMAGE[box]

        def __dask_tokenize__(self):
            return "store"

    with nothing_computes():
        lazy = sharpened(from_store(Store(), (10, 10)))
    assert len(dict(lazy.dask)) == lazy.npartitions == 4
    image = image_of(lazy)
    assert image.grid().halo == (1, 1)
    # Each chain reads the tiles with its own halo, 4 and 8, and that of the filter behind.
    bytes_of = [TileGrid(lazy.chunks, (halo,) * 2) for halo in (5, 9)]
    assert image.bytes_read() == sum(image.source.images[0].source.bytes_read(grid) for grid in bytes_of)
    assert image.bytes_per_task() > image.source.images[1].bytes_per_task((1, 1)) > 20 * 17 * 8
    np.testing.assert_array_equal(lazy.compute(), sharpened(IMAGE))


def test_a_pixel_counts_where_it_counts_in_every_image():
    first, second = (np.random.default_rng(seed).random(IMAGE.shape) < 0.7 for seed in (1, 2))
    wanted = np.where(first & second, difference(IMAGE, IMAGE), 0)
    masked = combine_images(
        difference, np.ma.MaskedArray(IMAGE, ~first), np.ma.MaskedArray(IMAGE, ~second), dtype="int16"
    )
    np.testing.assert_array_equal(np.ma.getmaskarray(masked), ~(first & second))
    images = [
        xr.DataArray(da.from_array(IMAGE, chunks=7), dims=("y", "x"), coords={"valid": (("y", "x"), mask)})
        for mask in (first, second)
    ]
    lazy = combine_images(difference, *images, dtype="int16")
    np.testing.assert_array_equal(lazy.valid, first & second)
    np.testing.assert_array_equal(np.where(lazy.valid, lazy, 0), wanted)
    with pytest.raises(ImageError, match=r"xarray\.DataArray"):
        combine_images(difference, da.from_array(IMAGE), images[1], dtype="int16")


def test_an_image_shared_by_all_frames():
    frames = np.stack([IMAGE, IMAGE + 1, IMAGE // 2])
    flat = random_image((20, 17), "uint8", seed=5)
    wanted = frames.astype("int16") - flat
    np.testing.assert_array_equal(combine_images(difference, frames, flat, dtype="int16"), wanted)
    for kinds in ((da.from_array(frames, chunks=(1, 7, 9)), flat), (frames, da.from_array(flat, chunks=6))):
        lazy = combine_images(difference, *kinds, dtype="int16")
        np.testing.assert_array_equal(lazy.compute(), wanted)
    with pytest.raises(ImageError, match="one shape"):
        combine_images(difference, IMAGE, IMAGE[1:])


def test_names_say_the_function_and_its_images():
    lazy = da.from_array(IMAGE, chunks=7)
    first = combine_images(difference, lazy, lazy, dtype="int16")
    assert first.name == combine_images(difference, lazy, lazy, dtype="int16").name
    assert first.name != combine_images(np.add, lazy, lazy, dtype="int16").name
    assert dask.is_dask_collection(first)


def test_the_dtype_is_what_was_asked_for_lazily_too():
    lazy = da.from_array(IMAGE, chunks=7)
    for image in (IMAGE, lazy):
        assert np.asarray(combine_images(np.add, image, image, dtype="float32")).dtype == np.float32
