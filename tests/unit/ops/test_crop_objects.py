"""Objects cut out of their image, against scikit-image."""

from __future__ import annotations

import dask.array as da
import numpy as np
import pytest
from skimage.measure import label, regionprops

from bigimg import measure
from bigimg.errors import ImageError, ParameterError
from bigimg.testing import nothing_computes, random_image

LABELS = label(np.random.default_rng(0).random((40, 30)) < 0.4, connectivity=1)
IMAGE = random_image((40, 30), "uint16")


@pytest.mark.parametrize("lazy", [False, True])
def test_crops_are_those_of_scikit_image(lazy):
    labels, image = (da.from_array(part, chunks=7) for part in (LABELS, IMAGE)) if lazy else (LABELS, IMAGE)
    table = measure.regionprops_table(LABELS, properties=["label", "bbox"])

    with nothing_computes():
        crops = list(measure.crop_objects(labels, table, image))

    for crop, expected in zip(crops, regionprops(LABELS, IMAGE), strict=True):
        assert (crop.label, crop.slice) == (expected.label, expected.slice)
        np.testing.assert_array_equal(crop.image, expected.image)
        np.testing.assert_array_equal(crop.image_intensity, expected.image_intensity)
        np.testing.assert_array_equal(crop.coords, expected.coords)


def test_only_the_chunks_of_a_crop_are_read():
    read = []

    def chunk(block_info):
        place = tuple(slice(*ends) for ends in block_info[None]["array-location"])
        read.append(block_info[None]["chunk-location"])
        return LABELS[place]

    labels = da.map_blocks(chunk, chunks=((10,) * 4, (10,) * 3), dtype=LABELS.dtype, meta=LABELS[:0, :0])
    table = measure.regionprops_table(LABELS, properties=["label", "bbox"])
    small = table[(table["bbox-2"] <= 10) & (table["bbox-3"] <= 10)]
    read.clear()

    np.asarray(next(measure.crop_objects(labels, small)).image)

    assert read == [(0, 0)]


def test_crops_of_planes_and_channels():
    stack = np.stack([LABELS, np.roll(LABELS, 3)])
    image = np.stack([np.stack([IMAGE, IMAGE])] * 3)
    table = measure.regionprops_table(stack, properties=["label", "bbox"])

    crops = list(measure.crop_objects(stack, table[table["t"] == 1], image))

    assert len(crops) == LABELS.max()
    assert all(crop.slice[0] == slice(1, 2) for crop in crops)
    assert crops[0].image_intensity.shape == (3, *crops[0].image.shape)
    assert crops[0].coords.shape[1] == 2


def test_pixels_that_are_not_valid_are_not_of_the_object():
    valid = random_image(LABELS.shape, "bool", seed=3)
    masked = np.ma.MaskedArray(LABELS, mask=~valid)
    table = measure.regionprops_table(masked, properties=["label", "bbox", "num_pixels"])

    crops = list(measure.crop_objects(masked, table))

    assert [crop.image.sum() for crop in crops] == table["num_pixels"].tolist()


def test_what_cannot_be_cut_is_refused():
    table = measure.regionprops_table(LABELS, properties=["label", "bbox"])
    with pytest.raises(ParameterError, match="bbox-3"):
        measure.crop_objects(LABELS, table.drop(columns="bbox-3"))
    with pytest.raises(ParameterError, match=r"table\.compute"):
        measure.crop_objects(LABELS, measure.regionprops_table(da.from_array(LABELS)))
    with pytest.raises(ImageError, match="shape of labels"):
        measure.crop_objects(LABELS, table, IMAGE[1:])
