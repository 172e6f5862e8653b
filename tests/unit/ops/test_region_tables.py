"""Tables of stacks, in physical units, of lazy images: what the kernels alone do not decide."""

from __future__ import annotations

import dask.array as da
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from skimage import measure as reference
from skimage.measure import label

from bigimg import measure
from bigimg.errors import ImageError, ParameterError
from bigimg.kernels.regions import PROPERTIES
from bigimg.testing import nothing_computes, random_image

MASK = np.random.default_rng(0).random((3, 23, 31)) < 0.45
LABELS = np.stack([label(plane) for plane in MASK])
IMAGE = random_image((2, *LABELS.shape), "uint16")
EVERY = list(PROPERTIES)


def expected(labels, image, properties, **more):
    """Return the tables of scikit-image, plane by plane."""
    with np.errstate(all="ignore"):
        tables = [
            pd.DataFrame(
                reference.regionprops_table(
                    plane, np.moveaxis(image[:, t], 0, -1).astype(float), properties=properties, **more
                )
            ).assign(t=t)
            for t, plane in enumerate(labels)
        ]
    return pd.concat(tables, ignore_index=True)


def test_objects_of_each_plane_are_measured_by_themselves():
    names = ["label", "area_filled", "perimeter", "feret_diameter_max", "intensity_mean", "centroid_weighted"]

    found = measure.regionprops_table(LABELS, IMAGE, properties=names)

    wanted = expected(LABELS, IMAGE, names)
    assert found.columns[0] == "t"
    pd.testing.assert_frame_equal(found, wanted[list(found.columns)], rtol=1e-12)


@pytest.mark.parametrize("chunks", [(1, 23, 31), (2, 7, 31), (3, 5, 9), (1, 1, 4)])
def test_lazy_stacks_have_the_same_bits(chunks):
    whole = measure.regionprops_table(LABELS, IMAGE, properties=EVERY)

    with nothing_computes():
        stored = measure.regionprops_table(da.from_array(LABELS, chunks=chunks), IMAGE, properties=EVERY)
        numbered = measure.label(da.from_array(MASK, chunks=chunks))
        measured = measure.regionprops_table(numbered, da.from_array(IMAGE, chunks=(2, *chunks)), properties=EVERY)

    for lazy in (stored, measured):
        found = lazy.compute(scheduler="sync")
        pd.testing.assert_frame_equal(found, whole, check_exact=True)
        assert all(found[name].to_numpy().tobytes() == whole[name].to_numpy().tobytes() for name in whole)


def test_leading_axes_have_their_names_and_channels_may_stand_anywhere():
    labels = xr.DataArray(LABELS, dims=("time", "y", "x"))
    image = xr.DataArray(IMAGE, dims=("c", "time", "y", "x"))
    properties = ["label", "intensity_mean"]

    found = measure.regionprops_table(labels, image.transpose("time", "c", "y", "x"), properties=properties)

    assert list(found.columns) == ["time", "label", "intensity_mean-0", "intensity_mean-1"]
    wanted = measure.regionprops_table(LABELS, IMAGE, properties=properties)
    np.testing.assert_array_equal(found, wanted)
    two = measure.regionprops_table(LABELS[None], properties=["label"])
    assert list(two.columns) == ["axis-0", "axis-1", "label"]


def test_a_stack_without_objects_is_an_empty_table():
    whole = measure.regionprops_table(LABELS, IMAGE, properties=EVERY)
    empty = measure.regionprops_table(np.zeros_like(LABELS), IMAGE, properties=EVERY)
    assert len(empty) == 0
    assert list(empty.dtypes) == list(whole.dtypes)
    assert list(empty.columns) == list(whole.columns)


def test_units_of_the_image():
    attrs = {"scale": {"y": 0.5, "x": 0.25}, "units": {"y": "micrometer", "x": "micrometer"}}
    names = ["label", "area", "axis_major_length", "centroid", "moments_central", "feret_diameter_max"]
    labels = xr.DataArray(LABELS[0], dims=("y", "x"), attrs=attrs)

    found = measure.regionprops_table(labels.chunk(y=5), properties=names, spacing="um").compute(scheduler="sync")

    wanted = measure.regionprops_table(LABELS[0], properties=names, spacing=(0.5, 0.25))
    pd.testing.assert_frame_equal(found, wanted, check_exact=True)
    in_nm = measure.regionprops_table(labels, properties=["area"], spacing="nm")
    np.testing.assert_allclose(in_nm["area"], wanted["area"] * 1e6)


def test_the_graph_has_a_constant_number_of_tasks_a_tile():
    for side in (8, 16):
        mask = da.from_array(np.zeros((side * 4, side * 4), bool), chunks=4)
        table = measure.regionprops_table(measure.label(mask), properties=["label", "perimeter", "area_filled"])
        assert len(dict(table.dask)) <= 6 * side * side


@pytest.mark.parametrize(
    ("more", "error", "words"),
    [
        ({"properties": ["coords"]}, ParameterError, "measure.crop_objects"),
        ({"properties": ["perimetre"]}, ParameterError, "did you mean 'perimeter'"),
        ({"properties": ["centroid_weighted"]}, ImageError, "give intensity_image"),
        ({"properties": ["perimeter"], "spacing": (1.0, 2.0)}, ParameterError, "as long as wide"),
        ({"properties": ["moments_hu"], "spacing": 0.5}, ParameterError, "measured in pixels"),
        ({"spacing": (1.0, 2.0, 3.0)}, ParameterError, "spacing must be one number, or 2"),
        ({"spacing": "um"}, ImageError, "does not say how large"),
        ({"properties": ["perimeter"], "dims": "zyx"}, ParameterError, "two dimensions only"),
        ({"intensity_image": IMAGE[:, :, :4]}, ImageError, "shape of labels"),
    ],
)
def test_what_cannot_be_measured_is_refused_before_anything_is_computed(more, error, words):
    with nothing_computes(), pytest.raises(error, match=words):
        measure.regionprops_table(da.from_array(LABELS, chunks=5), **more)
