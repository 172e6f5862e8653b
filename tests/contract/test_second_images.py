"""Operations that take further images: a pixel counts where it counts in every one of them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from skimage import measure

from bigimg.errors import ImageError
from bigimg.testing import example_parameters, random_image

from .test_operations import OPERATIONS

SHAPE = (14, 12)
FURTHER = {
    name: [parameter.name for parameter in operation.parameters.values() if parameter.is_image]
    for name, operation in OPERATIONS.items()
}
NAMES = [(name, further) for name, all_of_them in FURTHER.items() for further in all_of_them]


def labels(seed):
    return measure.label(random_image(SHAPE, "bool", seed)).astype("int32")


def example(operation, name=None):
    """Return pixels for the image of an operation, or for a further one."""
    if name is None:
        return labels(0) if operation.takes == "labels" else random_image(SHAPE, "float64", 0)
    if name == "markers":
        numbers = np.arange(np.prod(SHAPE), dtype="int32").reshape(SHAPE)
        return np.where(numbers % 7 == 0, numbers + 1, 0)
    if name in {"reference", "parents"} or (name == "other" and operation.takes == "labels"):
        return labels(3)
    if operation.name == "segmentation.watershed":
        return random_image(SHAPE, "bool", 4) | random_image(SHAPE, "bool", 5)
    return random_image(SHAPE, "float64", 0) + 0.5


def masks():
    rng = np.random.default_rng(8)
    return rng.random(SHAPE) < 0.85, rng.random(SHAPE) < 0.8


def labelled(pixels, valid):
    return xr.DataArray(pixels, dims=("y", "x"), coords={"valid": (("y", "x"), valid)})


def run(name, further, image, second):
    operation = OPERATIONS[name]
    needed = example_parameters(operation.parameters)
    more = {key: value for key, value in needed.items() if not operation.parameters[key].is_image}
    images = [key for key in needed if operation.parameters[key].is_image]
    more |= {key: xr.DataArray(example(operation, key), dims=("y", "x")) for key in images}
    if name == "measure.regionprops_table":
        more["properties"] = ("area", "intensity_mean", "intensity_max")
    result = operation(image, **more | {further: second})
    return result.compute(scheduler="sync") if hasattr(result, "compute") else result


def assert_same(found, wanted):
    if isinstance(wanted, pd.DataFrame):
        pd.testing.assert_frame_equal(found, wanted)
    elif isinstance(wanted, xr.DataArray):
        np.testing.assert_array_equal(found.valid, wanted.valid)
        np.testing.assert_array_equal(np.where(found.valid, found, 0), np.where(wanted.valid, wanted, 0))
    else:
        assert found == wanted


@pytest.mark.parametrize(("name", "further"), NAMES)
def test_what_is_not_valid_in_a_further_image_does_not_count(name, further):
    operation = OPERATIONS[name]
    first, second = masks()
    pixels, more = example(operation), example(operation, further)
    both = first & second
    # not both for the further image too: of a flat field the mean is of its own valid pixels
    wanted = run(name, further, labelled(pixels, both), labelled(more, second))
    nothing = np.nan if more.dtype.kind == "f" else more.max()
    hidden = np.where(second, more, nothing).astype(more.dtype)
    for lazy in (False, True):
        images = labelled(np.where(first, pixels, pixels.max()), first), labelled(hidden, second)
        assert_same(run(name, further, *(image.chunk(y=5, x=4) if lazy else image for image in images)), wanted)
    # where only the further image has a mask
    wanted = run(name, further, labelled(pixels, second), labelled(more, second))
    for cut in ({}, {"y": 9, "x": 5}):
        image = xr.DataArray(pixels, dims=("y", "x")).chunk(cut)
        assert_same(run(name, further, image if cut else image.compute(), labelled(hidden, second)), wanted)


@pytest.mark.parametrize(("name", "further"), NAMES)
def test_the_mask_of_a_further_image_may_be_that_of_numpy(name, further):
    operation = OPERATIONS[name]
    _, second = masks()
    pixels, more = example(operation), example(operation, further)
    wanted = run(name, further, labelled(pixels, second), labelled(more, second))
    found = run(name, further, pixels, np.ma.MaskedArray(more, mask=~second))
    if isinstance(found, np.ndarray):
        assert isinstance(found, np.ma.MaskedArray)
        found = labelled(found.data, ~np.ma.getmaskarray(found))
    assert_same(found, wanted)


@pytest.mark.parametrize(
    ("name", "further"), [(n, f) for n, f in NAMES if OPERATIONS[n].gives not in {"table", "value"}]
)
def test_a_dask_array_has_no_place_for_the_mask_of_another(name, further):
    operation = OPERATIONS[name]
    image = xr.DataArray(example(operation), dims=("y", "x")).chunk(y=5).data
    with pytest.raises(ImageError, match=rf"^{name}: .*give the first image as an xarray.DataArray"):
        run(name, further, image, labelled(example(operation, further), masks()[1]))
