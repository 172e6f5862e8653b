"""Lengths in physical units."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.ndimage as ndi
import xarray as xr
from skimage import measure as skmeasure

from bigimg.core.lengths import Length, as_sigma, per_axis, pixel_spacing
from bigimg.errors import ImageError, ParameterError
from bigimg.ops import filters, morphology, segmentation
from bigimg.run.workflow import Workflow

MICROMETRES = {"z": "micrometer", "y": "micrometer", "x": "micrometer"}


@pytest.mark.parametrize(
    ("text", "pixels"),
    [("2 um", 4.0), ("2µm", 4.0), ("2 μm", 4.0), ("2000 nm", 4.0), ("2e-3 mm", 4.0), ("2 micrometer", 4.0)],
)
def test_units_are_converted(text, pixels):
    assert Length.parse(text).in_pixels((0.5e-6,)) == (pixels,)


@pytest.mark.parametrize("text", ["2", "um", "2 parsec", "-2 um", "0 um", "2..3 um", "2 um 3", ""])
def test_what_is_no_length_is_refused(text):
    with pytest.raises(ParameterError, match="length"):
        Length.parse(text)


def test_text_and_back():
    for text in ("0.8 µm", "3 nm", "10 m"):
        assert Length.parse(str(Length.parse(text))) == Length.parse(text)


def test_an_image_says_how_large_its_pixels_are():
    attrs = {"scale": {"z": 2.0, "y": 0.5, "x": 0.25}, "units": MICROMETRES}
    assert pixel_spacing(attrs, ("z", "y", "x"), "sigma") == pytest.approx((2e-6, 0.5e-6, 0.25e-6))
    with pytest.raises(ImageError, match=r"sigma is a length, and the image does not say .* along y, x"):
        pixel_spacing({}, ("y", "x"), "sigma")
    with pytest.raises(ImageError, match="no length"):
        pixel_spacing({"scale": {"x": 1}, "units": {"x": "second"}}, ("x",), "sigma")


def test_sigma_in_micrometres_is_sigma_in_voxels_along_each_axis():
    voxels = np.random.default_rng(0).random((6, 12, 14))
    attrs = {"scale": {"z": 2.0, "y": 0.5, "x": 0.25}, "units": MICROMETRES}
    image = xr.DataArray(voxels, dims=("z", "y", "x"), attrs=attrs)
    wanted = ndi.gaussian_filter(voxels, (0.4, 1.6, 3.2))
    for given in (image, image.chunk(z=2, y=5, x=6)):
        smooth = filters.gaussian(given, sigma="0.8 um", dims="zyx")
        np.testing.assert_allclose(smooth, wanted, rtol=1e-9)
    np.testing.assert_allclose(filters.gaussian(voxels, sigma=(0.4, 1.6, 3.2), dims="zyx"), wanted, rtol=1e-9)
    plane = filters.gaussian(image, sigma="0.8 um")
    np.testing.assert_allclose(plane, ndi.gaussian_filter(voxels, (0, 1.6, 3.2)), rtol=1e-9)
    with pytest.raises(ImageError, match=r"filters\.gaussian: sigma is a length"):
        filters.gaussian(voxels, sigma="0.8 um")


def test_a_sigma_of_each_axis():
    assert as_sigma([0, 1.5]) == (0.0, 1.5)
    for bad in (0, -1, 1001, True, [1, -1], [1, "2 um"], None, {}):
        with pytest.raises(ValueError, match="must"):
            as_sigma(bad)
    assert per_axis(2, 3, "sigma") == (2.0, 2.0, 2.0)
    with pytest.raises(ParameterError, match="needs one number, or 3"):
        filters.gaussian(np.zeros((3, 4, 5)), sigma=(1, 2), dims="zyx")


def test_a_workflow_holds_lengths_as_text():
    text = "name: soft\nsteps:\n  - op: filters.gaussian\n    sigma: 0.8 um\n"
    flow = Workflow.parse(text)
    assert flow.steps[0].params["sigma"] == "0.8 um"
    assert Workflow.parse(flow.dump()) == flow


def test_a_radius_in_micrometres_is_an_ellipsoid_of_voxels():
    voxels = np.random.default_rng(0).random((7, 15, 18)) > 0.97
    attrs = {"scale": {"z": 1.0, "y": 0.5, "x": 0.25}, "units": MICROMETRES}
    image = xr.DataArray(voxels, dims=("z", "y", "x"), attrs=attrs)
    z, y, x = np.mgrid[-1:2, -2:3, -4:5]
    near = z**2 + (y / 2) ** 2 + (x / 4) ** 2 <= 1
    wanted = ndi.binary_dilation(voxels, near)
    for given in (image, image.chunk(z=3, y=4, x=7)):
        grown = morphology.dilation(given, {"ball": "1 um"}, dims="zyx")
        np.testing.assert_array_equal(grown, wanted)
    flat = morphology.dilation(image, {"disk": "1000 nm"})
    np.testing.assert_array_equal(flat, ndi.binary_dilation(voxels, near[1:2]))
    with pytest.raises(ParameterError, match="a footprint of 2 axes works along as many"):
        morphology.dilation(image, {"disk": "1 um"}, dims="zyx")
    with pytest.raises(ImageError, match="footprint is a length"):
        morphology.dilation(voxels, {"disk": "1 um"})


def test_a_workflow_holds_radii_as_text():
    flow = Workflow.parse("name: grown\nsteps:\n  - op: morphology.dilation\n    footprint: {disk: 0.8 um}\n")
    assert flow.steps[0].params["footprint"] == {"disk": "0.8 um"}
    assert Workflow.parse(flow.dump()) == flow


def test_distances_in_the_unit_of_the_image():
    mask = np.random.default_rng(0).random((7, 15, 18)) < 0.9
    attrs = {"scale": {"z": 1.0, "y": 0.5, "x": 0.25}, "units": MICROMETRES}
    image = xr.DataArray(mask, dims=("z", "y", "x"), attrs=attrs)
    labels = image.copy(data=skmeasure.label(~mask))
    wanted = ndi.distance_transform_edt(mask, sampling=(1, 0.5, 0.25))
    grown = segmentation.expand_labels(labels.values, distance=0.6, spacing=(1, 0.5, 0.25), dims="zyx")
    for cut in ({}, {"z": 3, "y": 4, "x": 7}):
        given, given_labels = (image.chunk(cut), labels.chunk(cut)) if cut else (image, labels)
        np.testing.assert_array_equal(morphology.distance_transform(given, sampling="um", dims="zyx"), wanted)
        np.testing.assert_array_equal(
            segmentation.expand_labels(given_labels, distance=0.6, spacing="um", dims="zyx"), grown
        )
    nanometres = morphology.distance_transform(image, sampling="nm", dims="zyx")
    np.testing.assert_allclose(nanometres, 1000 * wanted)
    with pytest.raises(ImageError, match="sampling is a length"):
        morphology.distance_transform(mask, sampling="um")
    with pytest.raises(ParameterError, match="unit of length"):
        morphology.distance_transform(image, sampling="parsec")
    for bad in (0, [1, -1], True, [1, "um"], None):
        with pytest.raises(ParameterError, match="sampling must"):
            morphology.distance_transform(mask, sampling=bad)
