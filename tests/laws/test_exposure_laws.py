"""Laws of grey values: exact sums and ranks, curves that hold for a pixel wherever it lies, a ball that sees all."""

from __future__ import annotations

from fractions import Fraction
from unittest.mock import patch

import dask.array as da
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from skimage.exposure import _adapthist

from bigimg.kernels import clahe, equalize, intensity
from bigimg.kernels import rolling_ball as rolling_ball_module
from bigimg.kernels.moments import moments
from bigimg.kernels.rolling_ball import rolling_ball
from bigimg.ops.exposure import equalize_adapthist, percentile_values
from bigimg.testing import random_chunks

QUICK = settings(deadline=None, max_examples=40)
DTYPES = st.sampled_from(["bool", "uint8", "int8", "uint16", "int16", "int32", "uint32", "int64", "float32", "float64"])


def numbers(dtype):
    kind = np.dtype(dtype).kind
    if kind == "f":
        # Values that repeat, both zeros, subnormals, and whatever hypothesis likes.
        width = 8 * np.dtype(dtype).itemsize
        wide = st.floats(width=width, allow_nan=False, allow_infinity=False, min_value=-(2.0**99), max_value=2.0**99)
        return wide | st.sampled_from([0.0, -0.0, 1.0, -1.0, float(np.finfo(dtype).smallest_subnormal)])
    return hnp.from_dtype(np.dtype(dtype)) | hnp.from_dtype(np.dtype("bool")).map(int)


@st.composite
def images(draw, dtypes=DTYPES, side=12):
    dtype = draw(dtypes)
    shape = draw(hnp.array_shapes(min_dims=2, max_dims=2, max_side=side))
    return draw(hnp.arrays(dtype, shape, elements=numbers(dtype)))


@QUICK
@given(images(), st.lists(st.floats(0, 100), min_size=1, max_size=4), st.integers(0, 99))
def test_percentiles_are_those_of_the_sorted_image(image, q, seed):
    wide = image.astype("int64") if image.dtype.kind in "biu" else image
    wanted = np.percentile(wide.astype(float) if image.dtype == "int64" else wide, q)
    found = percentile_values(image, q=q)
    np.testing.assert_allclose(found, wanted, rtol=1e-15 if image.dtype == "int64" else 0)
    lazy = da.from_array(image, chunks=random_chunks(image.shape, seed))
    np.testing.assert_array_equal(percentile_values(lazy, q=q).compute(scheduler="sync"), found)


@QUICK
@example(np.array([[3.3554432e7, 5e-324]]))
@given(images())
def test_moments_are_exact_sums(image):
    found, exact = moments(image), [Fraction(value) for value in image.ravel().tolist()]
    assert found.count == image.size
    assert Fraction(found.total, 2**found.unit) == sum(exact)
    assert Fraction(found.squares, 4**found.unit) == sum(value**2 for value in exact)
    halves = moments(image[:1]) + moments(image[1:])
    assert halves == found


@QUICK
@given(images(st.sampled_from(["float32", "float64"])), st.integers(2, 20))
def test_equalised_values_are_interpolated_as_numpy_does(image, count):
    low, high = float(image.min()), float(image.max())
    centers = np.linspace(low, high if high > low else low + 1, count)
    if (np.diff(centers) <= 0).any():
        return
    share = np.sort(np.random.default_rng(count).random(count))
    wanted = np.interp(image.ravel(), centers, share).reshape(image.shape).astype(image.dtype)
    np.testing.assert_array_equal(equalize.equalize(image, centers, share), wanted)


@pytest.mark.parametrize("dtype", ["float32", "float64", "uint32"])
@pytest.mark.parametrize(
    "curve",
    [
        lambda pixels: intensity.gamma(pixels, 0.45, 1.0),
        lambda pixels: intensity.logarithm(pixels, 1.0, inv=False),
        lambda pixels: intensity.logarithm(pixels, 1.0, inv=True),
        lambda pixels: intensity.sigmoid(pixels, 0.5, 10.0, inv=False),
    ],
)
def test_a_curve_does_not_know_where_a_pixel_lies(curve, dtype):
    # Vector instructions take several pixels at once; the last few of a line must come out as the others.
    rng = np.random.default_rng(0)
    image = rng.random(301).astype(dtype) if dtype[0] == "f" else rng.integers(0, 2**32, 301, dtype)
    whole = curve(image)
    for start in range(34):
        for stop in (start + 1, start + 2, start + 7, 301 - start):
            np.testing.assert_array_equal(curve(image[start:stop]), whole[start:stop])
    np.testing.assert_array_equal(curve(image[::3]), whole[::3])
    np.testing.assert_array_equal(curve(image[:300].reshape(20, 15).T), whole[:300].reshape(20, 15).T)


@QUICK
@given(st.integers(1, 40), st.integers(1, 60))
def test_regions_are_those_of_the_padded_image(size, width):
    axis = clahe.Regions(size, width)
    padded = np.pad(np.arange(size), (0, axis.count * width - size), mode="reflect")
    assert len(padded) == axis.count * width
    wanted = np.bincount(padded[size:], minlength=size)
    np.testing.assert_array_equal(axis.mirrored(0, size), wanted)
    np.testing.assert_array_equal(np.concatenate([axis.mirrored(0, 1), axis.mirrored(1, size)]), wanted)


@QUICK
@given(
    hnp.arrays("int64", st.integers(1, 40), elements=st.integers(0, 60)), st.sampled_from([0.0, 0.01, 0.1, 0.5, 1.0])
)
def test_the_curve_of_a_region_is_scikit_images(counts, clip_limit):
    counts[0] += 1
    total = int(counts.sum())
    limit = int(np.clip(clip_limit * total, 1, None)) if clip_limit > 0 else total
    clipped = _adapthist.clip_histogram(counts.copy(), limit)
    wanted = _adapthist.map_histogram(clipped, 0, clahe.GRAYS - 1, total)
    np.testing.assert_array_equal(clahe.curve(counts, clip_limit), wanted)


@QUICK
@given(st.integers(1, 30), st.integers(1, 30), st.integers(1, 40), st.integers(0, 99))
def test_regions_belong_to_the_image_and_not_to_its_tiles(rows, columns, kernel_size, seed):
    rng = np.random.default_rng(seed)
    image, hidden = rng.integers(0, 200, (rows, columns)).astype("uint8"), rng.random((rows, columns)) < 0.3
    whole = equalize_adapthist(image, kernel_size=kernel_size)
    lazy = da.from_array(image, chunks=random_chunks(image.shape, seed))
    np.testing.assert_array_equal(equalize_adapthist(lazy, kernel_size=kernel_size).compute(scheduler="sync"), whole)
    masked = equalize_adapthist(np.ma.MaskedArray(image, hidden), kernel_size=kernel_size)
    other = equalize_adapthist(np.ma.MaskedArray(np.where(hidden, 255 - image, image), hidden), kernel_size=kernel_size)
    np.testing.assert_array_equal(masked.filled(0), other.filled(0))


def background(image, radius, valid):
    """Return the least of all pixels within the radius, each raised by how far the ball lies below its top."""
    work = np.dtype("float32" if image.dtype == "float32" else "float64")
    reach = int(np.ceil(radius))
    padded = np.pad(np.where(valid, image, np.inf).astype(work), reach, constant_values=np.inf)
    found = np.full(image.shape, np.inf, work)
    for offset in np.ndindex((2 * reach + 1,) * image.ndim):
        square = sum((step - reach) ** 2 for step in offset)
        if np.sqrt(square) <= radius:
            cost = np.sqrt(np.array(radius**2)).astype(work) - np.sqrt(np.array(radius**2 - square)).astype(work)
            box = tuple(slice(step, step + size) for step, size in zip(offset, image.shape))
            found = np.minimum(found, padded[box] + cost)
    return np.where(valid, found, 0).astype(image.dtype)


@st.composite
def landscapes(draw):
    ndim = draw(st.sampled_from([2, 2, 3]))
    shape = tuple(draw(st.integers(1, side)) for side in ((40, 90) if ndim == 2 else (6, 20, 30)))
    rng = np.random.default_rng(draw(st.integers(0, 999)))
    slope = sum(draw(st.integers(-3, 3)) * axis for axis in np.indices(shape))
    image = slope + rng.random(shape) * draw(st.sampled_from([0, 1, 20, 1000])) * (rng.random(shape) < 0.4)
    dtype = np.dtype(draw(st.sampled_from(["bool", "uint8", "int8", "uint16", "int16", "int32", "float32", "float64"])))
    if dtype.kind in "iu":
        image = np.clip(image, np.iinfo(dtype).min, np.iinfo(dtype).max)
    return (image > 50 if dtype.kind == "b" else image).astype(dtype), rng.random(shape) < draw(
        st.sampled_from([0.5, 1])
    )


@pytest.mark.parametrize("most", [0, 3000])
@QUICK
@given(landscape=landscapes(), radius=st.sampled_from([0.4, 1.0, 2.5, 5.0, 9.7]))
def test_the_ball_sees_every_pixel_within_its_radius(most, landscape, radius):
    image, valid = landscape
    with patch.object(rolling_ball_module, "_MOST_OFFSETS", most):  # skipping pixels, or looking at all
        found = rolling_ball(image, radius, image.ndim, None if valid.all() else valid)
    np.testing.assert_array_equal(np.where(valid, found, np.zeros((), found.dtype)), background(image, radius, valid))
