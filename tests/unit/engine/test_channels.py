"""Channels that become other channels."""

from __future__ import annotations

import dask.array as da
import numpy as np
import pytest
import xarray as xr

from bigimg.engine.channels import mix_channels
from bigimg.engine.lazy import from_store
from bigimg.errors import ImageError
from bigimg.ops import color, filters
from bigimg.testing import check_op, nothing_computes, random_image

IMAGE = random_image((3, 20, 17), "uint8")


def sums(image):
    """Return the sum of the channels, and twice the sum."""
    total = image.sum(axis=-3, keepdims=True, dtype="int32")
    return np.concatenate([total, 2 * total], axis=-3)


def summed(image):
    return mix_channels(sums, image, 2, "int32", name="sums", channel_names=("sum", "twice"))


@pytest.mark.parametrize("masked", [None, "plane", "channels"])
def test_a_mix_is_cut_anywhere_also_between_channels(masked):
    valid = None if masked is None else np.random.default_rng(0).random(IMAGE.shape) < 0.8
    valid = valid[0] if masked == "plane" else valid
    full = None if valid is None else np.broadcast_to(valid, IMAGE.shape)
    chunks = [((1, 1, 1), (7, 13), (17,)), ((2, 1), (20,), (1, 16)), ((3,), (20,), (17,))]
    check_op(
        lambda image: filters.median(filters.uniform(summed(filters.median(image, size=3)), size=3), size=3),
        IMAGE,
        valid=None if full is None else np.broadcast_to(full.all(axis=0), IMAGE.shape),
        chunkings=chunks,
    )


def test_one_task_a_tile():
    class Store:
        shape, dtype = IMAGE.shape, IMAGE.dtype

        def __getitem__(self, box):
            return IMAGE[box]

        def __dask_tokenize__(self):
            return "store"

    with nothing_computes():
        lazy = summed(filters.uniform(from_store(Store(), (3, 10, 10)), size=3))
        smooth = filters.uniform(lazy, size=5)
    assert smooth.chunks == ((2,), (10, 10), (10, 7))
    assert len(dict(smooth.dask)) == 4
    np.testing.assert_array_equal(smooth, filters.uniform(summed(filters.uniform(IMAGE, size=3)), size=5))


def test_what_an_image_knows_goes_along():
    image = xr.DataArray(
        IMAGE.transpose(1, 2, 0),
        dims=("y", "x", "c"),
        name="cells",
        attrs={"channel_names": ["r", "g", "b"], "unit": "m"},
        coords={"y": np.arange(20.0), "c": ["r", "g", "b"]},
    )
    for given in (image, image.chunk(y=7, c=1)):
        found = summed(given)
        assert found.dims == ("y", "x", "c")
        assert found.attrs == {"channel_names": ["sum", "twice"], "unit": "m"}
        assert set(found.coords) == {"y"}
        np.testing.assert_array_equal(found.transpose("c", "y", "x"), sums(IMAGE))
        assert (found.chunks is None) == (given.chunks is None)


def test_a_mask_of_channels_covers_all_of_them():
    mask = np.zeros(IMAGE.shape, bool)
    mask[1, 2, 3] = True
    found = summed(np.ma.MaskedArray(IMAGE, mask))
    assert np.ma.getmaskarray(found).sum() == 2
    assert np.ma.getmaskarray(found)[:, 2, 3].all()


def test_an_image_needs_channels():
    with pytest.raises(ImageError, match="sums needs an image with channels"):
        summed(IMAGE[0])
    with pytest.raises(ImageError, match="a dimension named 'c'"):
        summed(xr.DataArray(da.from_array(IMAGE), dims=("z", "y", "x")))


def test_a_grey_pixel_counts_where_all_its_channels_do():
    valid = np.random.default_rng(0).random(IMAGE.shape) < 0.8
    for kind in (IMAGE, da.from_array(IMAGE, chunks=(1, 9, 9))):
        image = xr.DataArray(kind, dims=("c", "y", "x"), coords={"valid": (("c", "y", "x"), valid)})
        np.testing.assert_array_equal(color.rgb2gray(image).valid, valid.all(axis=0))
