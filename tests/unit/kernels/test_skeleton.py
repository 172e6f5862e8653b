"""Thinning against scikit-image, and against the paper where scikit-image follows it."""

import numpy as np
import pytest
import scipy.ndimage as ndi
from skimage import morphology as skmorphology

from bigimg import morphology
from bigimg.engine.lazy import from_store
from bigimg.errors import ImageError
from bigimg.kernels import skeleton
from bigimg.testing import _Store

KERNELS = {skeleton.skeletonize: skmorphology.skeletonize, skeleton.thin: skmorphology.thin}
kernels = pytest.mark.parametrize("kernel", KERNELS, ids=lambda kernel: kernel.__name__)
ENOUGH = 200


def mask(shape, seed=0, *, thick=0):
    random = np.random.default_rng(seed)
    noise = random.random(shape) < random.random()
    return ndi.binary_dilation(noise, iterations=thick) & (random.random(shape) < 0.99) if thick else noise


@kernels
@pytest.mark.parametrize("shape", [(1, 1), (1, 70), (70, 1), (2, 2), (30, 63), (30, 64), (30, 65), (41, 129)])
@pytest.mark.parametrize("thick", [0, 3])
def test_equal_to_scikit_image(kernel, shape, thick):
    for seed in range(4):
        pixels = mask(shape, seed, thick=thick)
        result, late = kernel(pixels, ENOUGH)
        assert not late.any()
        np.testing.assert_array_equal(result, KERNELS[kernel](pixels))


@kernels
def test_every_neighbourhood_is_decided_as_in_scikit_image(kernel):
    around = (np.arange(256)[:, np.newaxis] >> np.arange(8)) & 1
    pixels = np.zeros((256, 7, 7), bool)
    pixels[:, 3, 3] = True
    ring = [(2, 2), (2, 3), (2, 4), (3, 4), (4, 4), (4, 3), (4, 2), (3, 2)]
    for bit, (y, x) in enumerate(ring):
        pixels[:, y, x] = around[:, bit]
    result, late = kernel(pixels, ENOUGH)
    assert not late.any()
    for got, given in zip(result, pixels, strict=True):
        np.testing.assert_array_equal(got, KERNELS[kernel](given))


@pytest.mark.parametrize("iterations", [1, 2, 3, 7])
def test_some_iterations_of_thinning_are_those_of_scikit_image(iterations):
    pixels = mask((50, 90), 5, thick=4)
    np.testing.assert_array_equal(
        skeleton.thin(pixels, iterations)[0], skmorphology.thin(pixels, max_num_iter=iterations)
    )


@kernels
def test_late_is_what_the_last_iteration_took(kernel):
    pixels = np.pad(np.ones((3, 30, 40), bool), ((0, 0), (3, 3), (3, 3)))
    pixels[1] = False
    before = kernel(pixels, 6)[0]
    after, late = kernel(pixels, 7)
    np.testing.assert_array_equal(late, before ^ after)
    assert late[0].any()
    assert not late[1].any()


@kernels
def test_one_iteration_too_few_and_just_enough(kernel):
    pixels = mask((60, 80), 1, thick=5)
    needed = next(count for count in range(1, 50) if not kernel(pixels, count)[1].any())
    assert kernel(pixels, needed - 1)[1].any()
    np.testing.assert_array_equal(kernel(pixels, needed)[0], kernel(pixels, ENOUGH)[0])


@kernels
def test_rows_that_rest_are_passed_over_rightly(kernel):
    # Lines that rest at once beside a block that takes long, and a diagonal between them.
    pixels = np.zeros((200, 150), bool)
    pixels[10, 5:140] = pixels[20:190, 7] = True
    pixels[60:140, 40:130] = True
    pixels[range(11, 60), range(11, 60)] = True
    np.testing.assert_array_equal(kernel(pixels, ENOUGH)[0], KERNELS[kernel](pixels))


@kernels
def test_strided_read_only_and_leading_axes(kernel):
    pixels = mask((2, 3, 40, 62), 3, thick=1)[:, :, ::-2, ::3]
    pixels.flags.writeable = False
    before = pixels.copy()
    result, _ = kernel(pixels, ENOUGH)
    for plane in np.ndindex(2, 3):
        np.testing.assert_array_equal(result[plane], KERNELS[kernel](pixels[plane]))
    np.testing.assert_array_equal(pixels, before)


@pytest.mark.parametrize("operation", [morphology.skeletonize, morphology.thin])
def test_objects_too_thick_are_an_error_whole_or_cut(operation):
    pixels = np.zeros((64, 64), bool)
    pixels[5:45, 10:60] = True
    lazy = from_store(_Store(pixels), (16, 16))
    for image in (pixels, lazy):
        with pytest.raises(ImageError, match=r"max_iterations=6 .* set max_iterations"):
            np.asarray(operation(image, max_iterations=6))
        whole = KERNELS[getattr(skeleton, operation.name.partition(".")[2])](pixels)
        np.testing.assert_array_equal(np.asarray(operation(image, max_iterations=40)), whole)


def test_a_tile_is_not_to_blame_for_what_its_neighbour_has_to_thin():
    pixels = np.zeros((64, 128), bool)
    pixels[5:60, 70:120] = True
    pixels[30, :70] = True
    lazy = from_store(_Store(pixels), (32, 32))
    result = morphology.skeletonize(lazy, max_iterations=4)
    np.testing.assert_array_equal(np.asarray(result[:32, :32]), skmorphology.skeletonize(pixels)[:32, :32])
    with pytest.raises(ImageError, match="thicker"):
        np.asarray(result)


def test_pixels_that_are_not_valid_are_background():
    pixels, valid = np.ones((20, 30), bool), np.ones((20, 30), bool)
    valid[:, 14:16] = False
    result = morphology.skeletonize(np.ma.MaskedArray(pixels, mask=~valid))
    np.testing.assert_array_equal(np.ma.getdata(result), skmorphology.skeletonize(pixels & valid))
