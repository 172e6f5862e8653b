"""What linear, ridge and denoising operations refuse, and how they come out of a workflow file."""

from __future__ import annotations

import dask.array as da
import numpy as np
import pytest
import xarray as xr

from bigimg.core.weights import as_weights
from bigimg.errors import ImageError, ParameterError
from bigimg.ops import filters
from bigimg.testing import nothing_computes, random_image

IMAGE = random_image((30, 31), "uint8")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda image: filters.sobel(image, axis=2), "axis must be from -2 to 1 for dims='yx'"),
        (lambda image: filters.sobel(image, axis=-3), "axis must be from -2 to 1"),
        (lambda image: filters.prewitt(image, axis=7), "axis must be less than or equal to 2"),
        (lambda image: filters.gaussian_laplace(image, sigma=0), "must be greater than 0"),
        (lambda image: filters.gaussian_laplace(image, sigma=(1, 0)), "greater than 0 along each axis"),
        (lambda image: filters.gaussian_laplace(image, sigma=(1, 2, 3)), "one number, or 2"),
        (lambda image: filters.difference_of_gaussians(image, low_sigma=2, high_sigma=1), "at least low_sigma"),
        (lambda image: filters.unsharp_mask(image, radius=-1), "must be greater than 0"),
        (lambda image: filters.convolve(image, weights=np.ones((3, 3, 3))), "needs weights of 2 axes"),
        (lambda image: filters.correlate(image, weights=[1, 2, 3]), "2-D or 3-D"),
        (lambda image: filters.correlate(image, weights=[[1, np.nan]]), "must be finite"),
        (lambda image: filters.correlate(image, weights=[[1, 2], [3]]), "one length"),
        (lambda image: filters.correlate(image, weights=[[]]), "from 1 to 1,048,576"),
        (lambda image: filters.correlate(image, weights=[["a"]]), "numbers"),
        (lambda image: filters.gabor(image, frequency=0), "must be greater than 0"),
        (
            lambda image: filters.gabor(image, frequency=0.1, part="phase"),  # type: ignore[arg-type]
            "'real', 'imaginary' or 'magnitude'",
        ),
        (lambda image: filters.sato(image, sigmas=[]), "at least 1 item"),
        (lambda image: filters.sato(image, sigmas=[1, -1]), r"sigmas\[1\] must be greater than 0"),
        (lambda image: filters.frangi(image, gamma=0), "must be greater than 0"),
        (lambda image: filters.bilateral(image, win_size=4), "must be odd"),
        (lambda image: filters.bilateral(image, bins=0), "greater than or equal to 1"),
        (filters.nl_means, "needs h"),
        (lambda image: filters.nl_means(image, h=1, patch_size=4), "must be odd"),
        (lambda image: filters.nl_means(image, h=1, sigma=-1), "greater than or equal to 0"),
    ],
)
def test_what_is_refused_before_anything_is_computed(call, message):
    for image in (IMAGE, da.from_array(IMAGE, chunks=9)):
        with nothing_computes(), pytest.raises(ParameterError, match=message):
            call(image)


def test_weights_of_a_workflow_file():
    weights = filters.convolve.parameters["weights"]
    assert weights.dump(as_weights(np.eye(2, dtype=int))) == [[1.0, 0.0], [0.0, 1.0]]
    np.testing.assert_array_equal(
        filters.convolve(IMAGE, weights=[[0, 1], [2, 3]]), filters.convolve(IMAGE, weights=np.array([[0, 1], [2, 3]]))
    )


def test_sigmas_of_a_workflow_file():
    np.testing.assert_array_equal(filters.sato(IMAGE, sigmas=[1, 2]), filters.sato(IMAGE, sigmas=(1.0, 2.0)))


def test_sigma_in_micrometres():
    attrs = {"scale": {"y": 0.5, "x": 0.25}, "units": {"y": "micrometer", "x": "micrometer"}}
    image = xr.DataArray(IMAGE, dims=("y", "x"), attrs=attrs)
    np.testing.assert_array_equal(
        filters.gaussian_laplace(image, sigma="0.5 um").values, filters.gaussian_laplace(IMAGE, sigma=(1.0, 2.0))
    )
    np.testing.assert_array_equal(
        filters.difference_of_gaussians(image, low_sigma="0.5 um").values,
        filters.difference_of_gaussians(IMAGE, low_sigma=(1.0, 2.0)),
    )
    with pytest.raises(ImageError, match="how large its pixels are"):
        filters.unsharp_mask(IMAGE, radius="0.5 um")


@pytest.mark.parametrize(
    "call",
    [
        lambda image: filters.frangi(image, sigmas=[1.0, 2.0]),
        lambda image: filters.meijering(image, sigmas=[1.0, 2.0]),
        filters.bilateral,
    ],
)
def test_what_relates_to_the_whole_image_is_one_value_for_all_planes(call):
    stack = np.stack([IMAGE, IMAGE // 2 + 20, IMAGE.T[::-1, :30].repeat(2, 1)[:30, :31]])
    lazy = da.from_array(stack, chunks=(1, 11, 13))
    with nothing_computes():
        result = call(lazy)
    np.testing.assert_array_equal(result.compute(scheduler="sync"), call(stack))
    assert (call(stack)[1] != call(stack[1])).any()


def test_a_given_strength_needs_no_reduction():
    lazy = da.from_array(IMAGE, chunks=11)
    assert len(dict(filters.frangi(lazy, sigmas=[1.0], gamma=5.0).dask)) < len(
        dict(filters.frangi(lazy, sigmas=[1.0]).dask)
    )


@pytest.mark.parametrize("dims", ["yx", "zyx"])
def test_where_no_pixel_is_valid(dims):
    image = np.ma.MaskedArray(random_image((4, 9, 8)), mask=True)
    for call in (filters.frangi, filters.meijering, filters.bilateral):
        result = call(image, dims=dims)
        assert result.mask.all()
        assert not result.data.any()
