"""Lengths that are one number along all axes: windows, radii, widths of ridges."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from bigimg import exposure, filters, threshold
from bigimg.core.isotropic import RadiusLength, Widths, WindowLength, as_radius, as_window
from bigimg.core.lengths import Length
from bigimg.errors import ImageError, ParameterError
from bigimg.ops.catalog import operations
from bigimg.testing import random_image


def scaled(size=(0.5, 0.5), unit="micrometer", shape=(21, 18)):
    return xr.DataArray(
        random_image(shape, "uint8"),
        dims=("y", "x"),
        attrs={"scale": dict(zip("yx", size)), "units": {"y": unit, "x": unit}},
    )


@pytest.mark.parametrize(
    ("length", "pixels"), [("0.1 um", 1), ("0.5 um", 1), ("1 um", 3), ("1.5 um", 3), ("2 um", 5), ("2.4 um", 5)]
)
def test_a_window_is_the_nearest_odd_number_of_pixels(length, pixels):
    assert as_window(length).in_pixels((0.5e-6, 0.5e-6)) == pixels
    assert as_window(WindowLength(Length.parse(length))).in_pixels((0.5e-6,) * 3) == pixels


@pytest.mark.parametrize("given", [0, -1, 4, 2.5, 3.0, True, "3", "3 bananas", [3], None, float("nan")])
def test_what_is_no_window_is_refused(given):
    with pytest.raises(ParameterError, match=r"^filters.uniform: size"):
        filters.uniform(np.zeros((4, 4)), size=given)


@pytest.mark.parametrize("given", [0, -1.0, 1001, True, "3", float("nan"), float("inf"), [3]])
def test_what_is_no_radius_is_refused(given):
    with pytest.raises(ParameterError, match=r"^exposure.rolling_ball: radius"):
        exposure.rolling_ball(np.zeros((4, 4)), radius=given)


@pytest.mark.parametrize("given", [[], [0], [1, -1], 2, "2 um", [True], [[1]], [1] * 65, [float("nan")]])
def test_what_are_no_widths_is_refused(given):
    with pytest.raises(ParameterError, match=r"^filters.sato: sigmas"):
        filters.sato(np.zeros((4, 4)), sigmas=given)


OPERATIONS = [
    (filters.uniform, {"size": "2.5 um"}, {"size": 5}),
    (filters.median, {"size": "1.5 um"}, {"size": 3}),
    (filters.percentile, {"size": "1.5 um", "percentile": 30}, {"size": 3, "percentile": 30}),
    (filters.minimum, {"size": "1.5 um"}, {"size": 3}),
    (filters.maximum, {"size": "1500 nm"}, {"size": 3}),
    (filters.standard_deviation, {"size": "2.5 um"}, {"size": 5}),
    (filters.sato, {"sigmas": ["0.5 um", 2, "1.5 um"]}, {"sigmas": [1, 2, 3]}),
    (filters.frangi, {"sigmas": ["0.5 um", 2]}, {"sigmas": [1, 2]}),
    (filters.meijering, {"sigmas": ["0.5 um", "1 um"]}, {"sigmas": [1, 2]}),
    (filters.bilateral, {"sigma_spatial": "0.5 um"}, {"sigma_spatial": 1}),
    (filters.bilateral, {"sigma_spatial": 1.5, "win_size": "2.5 um"}, {"sigma_spatial": 1.5, "win_size": 5}),
    (exposure.rolling_ball, {"radius": "2.5 um"}, {"radius": 5}),
    (exposure.subtract_background, {"radius": "2.5 um"}, {"radius": 5}),
    (threshold.local_mean, {"window_size": "3.5 um"}, {"window_size": 7}),
    (threshold.local_gaussian, {"window_size": "3.5 um"}, {"window_size": 7}),
    (threshold.local_median, {"window_size": "3.5 um"}, {"window_size": 7}),
    (threshold.niblack, {"window_size": "3.5 um"}, {"window_size": 7}),
    (threshold.sauvola, {"window_size": "3.5 um"}, {"window_size": 7}),
    (threshold.phansalkar, {"window_size": "3.5 um"}, {"window_size": 7}),
]


@pytest.mark.parametrize(("operation", "lengths", "pixels"), OPERATIONS)
def test_lengths_become_pixels(operation, lengths, pixels):
    image = scaled()
    wanted = operation(image.values, **pixels)
    np.testing.assert_array_equal(operation(image, **lengths).values, wanted)
    np.testing.assert_array_equal(operation(image.chunk(y=9, x=7), **lengths).values, wanted)
    with pytest.raises(ImageError, match=rf"^{operation.name}: .* does not say how large its pixels are"):
        operation(image.values, **lengths)
    with pytest.raises(ImageError, match=rf"^{operation.name}: .* along all axes needs pixels that are as long"):
        operation(scaled((0.5, 0.25)), **lengths)
    for name, value in lengths.items():
        parameter = operations()[operation.name].parameters[name]
        known = parameter.validate(value, operation.name)
        assert parameter.dump(known) == value, "a workflow keeps the length"
        assert parameter.validate(parameter.dump(known), operation.name) == known
        assert "length" in operation.doc.partition("Returns\n")[0]


def test_sizes_of_pixels_may_be_rounded_differently():
    assert as_radius("2 um", 9.0).in_pixels((0.5e-6, 0.50000001e-6)) == pytest.approx(4)
    with pytest.raises(ImageError, match=r"got 0.5 x 0.51 um"):
        as_radius("2 um", 9.0).in_pixels((0.5e-6, 0.51e-6))
    with pytest.raises(ParameterError, match="at most 1000 pixels"):
        exposure.rolling_ball(scaled(), radius="1 mm")


def test_numbers_stay_numbers():
    sigmas = operations()["filters.sato"].parameters["sigmas"]
    assert sigmas.validate([1, 2.5], "sato") == (1.0, 2.5)
    some = sigmas.validate([1, "2 um"], "sato")
    assert some == Widths((1.0, RadiusLength(Length.parse("2 um"), 1000.0)))
    assert sigmas.validate(some, "sato") == some
    assert str(some) == "[1.0, '2 um']"
