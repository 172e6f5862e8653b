from __future__ import annotations

import numpy as np
import pytest
import scipy.ndimage as ndi
from skimage import filters

from bigimg.errors import ImageError, ParameterError
from bigimg.kernels.derivatives import PREWITT, SOBEL, edges
from bigimg.kernels.laplace import laplace

SHAPES = [(31, 46), (1, 40), (40, 1), (2, 2), (5, 11, 13), (1, 3, 9), (3, 1, 1)]
DTYPES = ["bool", "uint8", "int8", "int16", "uint16", "int32", "uint32", "float16", "float32", "float64"]


def picture(shape, dtype, seed=0):
    values = np.random.default_rng(seed).integers(0, 120, shape)
    return (values > 60) if dtype == "bool" else values.astype(dtype)


def as_float(image):
    return image if image.dtype.kind == "f" else image.astype(float)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES)
def test_integers_are_exact(shape, dtype):
    image = picture(shape, dtype)  # whole numbers in floats are exact too
    for axis in (None, *range(len(shape))):
        found, wanted = edges(image, SOBEL, axis, len(shape)), filters.sobel(as_float(image), axis=axis)
        assert found.dtype == wanted.dtype
        if dtype in {"float16", "float32"} and axis is None:
            np.testing.assert_allclose(found, wanted, rtol=3e-7)
        else:
            np.testing.assert_array_equal(found, wanted)
    np.testing.assert_array_equal(laplace(image, len(shape)), filters.laplace(as_float(image)))


@pytest.mark.parametrize("axis", [-3, -2, -1])
def test_axes_are_counted_from_the_end_too(axis):
    image = picture((5, 6, 7), "uint8")
    np.testing.assert_array_equal(edges(image, PREWITT, axis, 3), edges(image, PREWITT, axis + 3, 3))


def test_what_is_common_to_neighbours_leaves_no_rounding_behind():
    image = np.full((9, 70), 1e7 / 3, np.float32)
    for ndim, stack in ((2, image), (3, np.stack([image] * 4))):
        assert not edges(stack, SOBEL, None, ndim).any()
        assert not edges(stack, PREWITT, None, ndim).any()
        assert not laplace(stack, ndim).any()


def neighbourhoods(image, valid):
    """Yield each valid pixel and the values about it, its own where they are not valid."""
    padded, known = np.pad(image, 1, mode="edge"), np.pad(valid, 1, mode="edge")
    for place in np.argwhere(valid):
        box = tuple(slice(at, at + 3) for at in place)
        yield tuple(place), np.where(known[box], padded[box], image[tuple(place)])


@pytest.mark.parametrize("shape", [(13, 14), (1, 5), (5, 6, 7)])
@pytest.mark.parametrize("dtype", ["uint8", "int32", "float64"])
def test_an_invalid_neighbour_counts_as_the_pixel_in_the_middle(shape, dtype):
    image, valid = picture(shape, dtype), picture(shape, "bool", seed=1)
    ndim, middle = len(shape), (1,) * len(shape)
    found = edges(image, SOBEL, None, ndim, valid)
    axis = [edges(image, SOBEL, each, ndim, valid) for each in range(ndim)]
    curved = laplace(image, ndim, valid)
    for place, near in neighbourhoods(image.astype(float), valid):
        assert found[place] == filters.sobel(near)[middle]
        assert [each[place] for each in axis] == [filters.sobel(near, axis=each)[middle] for each in range(ndim)]
        assert curved[place] == filters.laplace(near)[middle]


@pytest.mark.parametrize("apply", [lambda a, n, v=None: edges(a, SOBEL, None, n, v), laplace])
def test_leading_axes_are_planes(apply):
    stack = picture((2, 3, 9, 10), "uint16")
    valid = picture(stack.shape, "bool", seed=1)
    np.testing.assert_array_equal(apply(stack, 2)[1, 2], apply(stack[1, 2], 2))
    np.testing.assert_array_equal(apply(stack, 2, valid)[1, 2], apply(stack[1, 2], 2, valid[1, 2]))
    np.testing.assert_array_equal(apply(stack, 3)[1], apply(stack[1], 3))
    np.testing.assert_array_equal(apply(stack, 3, valid)[1], apply(stack[1], 3, valid[1]))


@pytest.mark.parametrize(
    "change", [lambda a: a[::2, ::-1], lambda a: a.T, lambda a: a.astype(a.dtype.newbyteorder(">"))]
)
def test_any_layout_of_memory_gives_the_same(change):
    image = change(picture((24, 25), "uint16"))
    plain = np.array(image, np.uint16)
    np.testing.assert_array_equal(edges(image, SOBEL, None, 2), edges(plain, SOBEL, None, 2))
    np.testing.assert_array_equal(laplace(image, 2), laplace(plain, 2))


def test_a_nan_reaches_its_neighbours_and_no_further():
    image = np.zeros((9, 9), np.float32)
    image[4, 4] = np.nan
    assert np.isnan(edges(image, SOBEL, None, 2)).sum() == 8  # the middle has no weight
    assert np.isnan(laplace(image, 2)).sum() == 5


def test_images_without_pixels_or_valid_pixels():
    assert edges(np.zeros((0, 5)), SOBEL, None, 2).shape == laplace(np.zeros((2, 0, 5)), 3).shape[1:] == (0, 5)
    image, nowhere = np.full((4, 5, 6), np.nan), np.zeros((4, 5, 6), bool)
    for ndim in (2, 3):
        assert not edges(image, SOBEL, None, ndim, nowhere).any()
        assert not laplace(image, ndim, nowhere).any()


def test_what_cannot_be_filtered():
    with pytest.raises(ParameterError, match="axis must be from -2 to 1"):
        edges(np.zeros((3, 3)), SOBEL, 2, 2)
    for bad in (np.zeros(3), np.zeros((3, 3), complex)):
        with pytest.raises(ImageError, match="got"):
            edges(bad, SOBEL, None, 2)
    with pytest.raises(ImageError, match="validity mask"):
        laplace(np.zeros((3, 3)), 2, np.ones((3, 2), bool))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_operation_rounds_by_itself(dtype):
    """A multiplication fused with an addition would round once, not twice, and depend on the processor."""
    image = np.random.default_rng(0).random((40, 133)).astype(dtype)
    a = np.pad(image, 1, mode="edge")
    side, middle = (a.dtype.type(each) for each in PREWITT)
    wanted = side * ((a[2:, :-2] - a[:-2, :-2]) + (a[2:, 2:] - a[:-2, 2:])) + middle * (a[2:, 1:-1] - a[:-2, 1:-1])
    np.testing.assert_array_equal(edges(image, PREWITT, 0, 2), wanted)


def test_scipy_agrees_on_float64():
    image = np.random.default_rng(0).random((40, 41))
    np.testing.assert_allclose(laplace(image, 2), -ndi.laplace(image), atol=1e-14)
