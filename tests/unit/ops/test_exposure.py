from __future__ import annotations

import dask.array as da
import numpy as np
import pytest
import xarray as xr
from skimage import exposure as reference
from skimage.restoration import rolling_ball as reference_ball

from bigimg import exposure
from bigimg.errors import ImageError, ParameterError
from bigimg.testing import check_op, nothing_computes, random_image

HIDDEN = np.ma.MaskedArray(np.arange(12.0).reshape(3, 4), mask=True)


@pytest.mark.parametrize(
    ("run", "wanted"),
    [
        (exposure.equalize_adapthist, 0),
        (exposure.equalize_hist, 0),
        (exposure.normalize, 0),
        (lambda image: exposure.normalize(image, percentiles=(1, 99)), 0),
        (exposure.rescale_intensity, 0),
        (exposure.standardize, 0),
        (exposure.rolling_ball, 0),
        (exposure.subtract_background, 0),
    ],
)
def test_a_fully_masked_image_is_nothing(run, wanted):
    result = run(HIDDEN)
    assert result.mask.all()
    assert (result.data == wanted).all()


def test_a_fully_masked_image_has_no_values():
    assert np.isnan(exposure.percentile_values(HIDDEN)).all()
    assert np.isnan([exposure.mean_value(HIDDEN), exposure.std_value(HIDDEN)]).all()


@pytest.mark.parametrize("dtype", ["uint8", "float32", "float64"])
def test_constant_images(dtype):
    image = np.full((6, 7), 1, dtype)
    assert (exposure.normalize(image) == 0).all()
    assert (exposure.standardize(image) == 0).all()
    assert (exposure.equalize_hist(image) == 1).all()
    np.testing.assert_array_equal(exposure.rolling_ball(image), image)
    np.testing.assert_array_equal(exposure.equalize_adapthist(image), reference.equalize_adapthist(image))
    assert exposure.percentile_values(image, q=[50]) == [1]


@pytest.mark.parametrize(
    ("run", "match"),
    [
        (lambda image: exposure.adjust_gamma(image, gamma=-1), "gamma"),
        (lambda image: exposure.adjust_gamma(image, gain=0), "gain"),
        (lambda image: exposure.normalize(image, percentiles=(90, 10)), "must rise"),
        (lambda image: exposure.normalize(image, percentiles=(50, 50)), "must rise"),
        (lambda image: exposure.normalize(image, percentiles=(-1, 50)), "percentiles"),
        (lambda image: exposure.rescale_intensity(image, in_range=(2, 1)), "must rise"),
        (lambda image: exposure.percentile_values(image, q=[101]), "q"),
        (lambda image: exposure.percentile_values(image, q=[]), "q"),
        (lambda image: exposure.equalize_hist(image, nbins=0), "nbins"),
        (lambda image: exposure.equalize_adapthist(image, clip_limit=2), "clip_limit"),
        (lambda image: exposure.equalize_adapthist(image, kernel_size=(3, 3, 3)), "kernel_size needs 2"),
        (lambda image: exposure.equalize_adapthist(image, kernel_size=0), "kernel_size"),
        (lambda image: exposure.rolling_ball(image, radius=0), "radius"),
    ],
)
def test_parameters_out_of_bounds(run, match):
    with pytest.raises(ParameterError, match=match):
        run(np.zeros((5, 6)))


def test_regions_too_many_for_memory():
    with pytest.raises(ParameterError, match="choose a larger kernel_size"):
        exposure.equalize_adapthist(da.zeros((10**5, 10**5), chunks=10**4), kernel_size=8)


@pytest.mark.parametrize("value", [1.5, -2.0])
def test_floats_that_are_no_parts_of_a_range(value):
    image = np.array([[0.0, value], [0.5, 0.2]])
    with pytest.raises(ImageError, match="from -1 to 1"):
        exposure.equalize_adapthist(image)
    lazy = exposure.equalize_adapthist(da.from_array(image, chunks=1))
    with pytest.raises(ImageError, match="from -1 to 1"):
        lazy.compute(scheduler="sync")
    assert exposure.normalize(image).max() == 1


@pytest.mark.parametrize("name", ["adjust_gamma", "adjust_log", "adjust_sigmoid"])
def test_curves_refuse_negative_values(name):
    with pytest.raises(ImageError, match="without negative values"):
        getattr(exposure, name)(np.array([[-1, 5]], "int16"))
    masked = np.ma.MaskedArray(np.array([[-1, 5]], "int16"), mask=[[True, False]])
    getattr(exposure, name)(masked)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int32", "uint32", "int64", "uint64"])
def test_what_exceeds_the_dtype_does_not_wrap_around(dtype):
    top = np.iinfo(dtype).max
    image = np.array([[0, top // 2, top]], dtype)
    for result in (exposure.adjust_gamma(image, gain=3), exposure.adjust_log(image, gain=3)):
        assert result.dtype == dtype
        assert result.tolist() == [[0, top, top]]


@pytest.mark.parametrize("value", [np.inf, -np.inf])
def test_infinite_values_are_refused(value):
    image = np.array([[0.0, value]])
    for run in (exposure.percentile_values, exposure.mean_value, exposure.equalize_hist, exposure.normalize):
        with pytest.raises(ImageError, match=r"image holds infinity in 1 pixels, the first at \(0, 1\)"):
            run(image)


def test_wide_integers_are_exact_or_refused():
    image = np.array([[2**62, 2**62 + 1, 2**62 + 2, 5]])
    assert exposure.percentile_values(image, q=[100]) == [float(2**62 + 2)]
    assert exposure.mean_value(image) == (3 * 2**62 + 8) / 4
    with pytest.raises(ImageError, match="at most 32 bits"):
        exposure.rolling_ball(image)
    with nothing_computes(), pytest.raises(ImageError, match="at most 32 bits"):
        exposure.subtract_background(da.from_array(image))


def test_a_lazy_range_is_taken_when_it_is_known():
    image = random_image((40, 30), "uint16")
    low, high = np.percentile(image, (2, 98))
    wanted = reference.rescale_intensity(image, (low, high), (0.0, 1.0))
    lazy = da.from_array(image, chunks=16)
    with nothing_computes():
        result = exposure.rescale_intensity(lazy, in_range=exposure.percentile_values(lazy, q=(2, 98)))
    np.testing.assert_array_equal(result.compute(scheduler="sync"), wanted)
    now = exposure.rescale_intensity(image, in_range=exposure.percentile_values(image, q=(2, 98)))
    np.testing.assert_array_equal(now, wanted)


def test_regions_of_a_stack_are_those_of_each_plane():
    stack = random_image((3, 2, 25, 31), "uint16")
    wanted = np.array([[reference.equalize_adapthist(plane) for plane in planes] for planes in stack])
    np.testing.assert_array_equal(exposure.equalize_adapthist(stack), wanted)
    check_op(exposure.equalize_adapthist, stack[0])
    named = xr.DataArray(np.moveaxis(stack[0], 0, -1), dims=("y", "x", "c")).chunk(y=9, x=8, c=1)
    np.testing.assert_array_equal(exposure.equalize_adapthist(named).transpose("c", "y", "x"), wanted[0])


def test_a_collar_without_data_changes_nothing_inside():
    inside = random_image((20, 24), "uint8")
    framed = np.pad(inside, ((0, 7), (0, 9)), constant_values=255)
    valid = np.pad(np.ones(inside.shape, bool), ((0, 7), (0, 9)))
    masked = np.ma.MaskedArray(framed, ~valid)
    for run in (
        exposure.equalize_hist,
        exposure.normalize,
        exposure.standardize,
        lambda image: exposure.rolling_ball(image, radius=6),
    ):
        np.testing.assert_array_equal(run(masked)[:20, :24].data, run(inside))


def test_background_of_signed_integers_has_room():
    image = np.array([[-128, 127, -128, 127]], "int8")
    result = exposure.subtract_background(image, radius=2)
    assert result.dtype == np.uint8
    np.testing.assert_array_equal(result, image.astype(int) - reference_ball(image, radius=2))


def test_a_flat_field_of_one_frame_evens_out_all():
    frames = random_image((4, 20, 30), "uint16")
    flat = random_image((20, 30), "uint16", seed=1).astype("float32") + 500
    dark = np.full((20, 30), 100, "uint8")
    wanted = (frames.astype(float) - dark) * (flat - dark).mean(dtype=float) / (flat.astype(float) - dark)
    result = exposure.flat_field(frames, flat=flat, dark=dark)
    np.testing.assert_allclose(result, wanted, rtol=1e-12)
    lazy = da.from_array(frames, chunks=(1, 7, 30))
    for light in (flat, da.from_array(flat, chunks=11)):
        with nothing_computes():
            even = exposure.flat_field(lazy, flat=light, dark=dark)
        np.testing.assert_array_equal(even.compute(scheduler="sync"), result)


def test_a_dead_pixel_of_a_flat_field_is_dark():
    flat = np.array([[10.0, 0.0, 20.0]])
    assert exposure.flat_field(np.array([[5.0, 5.0, 5.0]]), flat=flat).tolist() == [[5.0, 0.0, 2.5]]
    with pytest.raises(ImageError, match="shape"):
        exposure.flat_field(np.zeros((3, 3)), flat=flat)


def test_a_flat_field_with_a_mask_hides_what_it_does_not_know():
    flat = np.ma.MaskedArray(np.array([[10.0, 99.0, 30.0]]), mask=[[False, True, False]])
    result = exposure.flat_field(np.ma.MaskedArray(np.array([[1.0, 2.0, 3.0]])), flat=flat)
    assert result.mask.tolist() == [[False, True, False]]
    assert result.compressed().tolist() == [2.0, 2.0]
