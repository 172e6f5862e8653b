from __future__ import annotations

import numpy as np
import pytest
from skimage.restoration import denoise_nl_means
from skimage.restoration._denoise import _compute_spatial_lut

from bigimg.kernels.bilateral import bilateral
from bigimg.kernels.nl_means import nl_means


def picture(shape, dtype="float64", seed=0):
    return np.random.default_rng(seed).integers(0, 100, shape).astype(dtype)


def test_the_table_of_scikit_image_is_the_wrong_one():
    """If this fails, the reference of the bilateral filter can be scikit-image's own again."""
    table = _compute_spatial_lut(5, 1.0)
    assert table.size == 36
    assert table[2 * 5 + 2] < table.max()


def neighbours(place, reach, shape):
    """Yield offsets, and the places there, reflected at the border."""
    for offset in np.ndindex(*(2 * reach + 1,) * len(shape)):
        away = [o - reach for o in offset]
        at = []
        for p, d, n in zip(place, away, shape):
            q = p + d
            while not 0 <= q < n:
                q = -q - 1 if q < 0 else 2 * n - 1 - q
            at.append(q)
        yield np.array(away), tuple(at)


@pytest.mark.parametrize("shape", [(8, 9), (1, 6), (3, 4, 5)])
@pytest.mark.parametrize("low", [0.0, -40.0])
@pytest.mark.parametrize("masked", [False, True])
def test_bilateral_one_neighbour_after_the_other(shape, low, masked):
    image = picture(shape) + low
    valid = picture(shape, seed=1) > 30 if masked else None
    high, bins = image.max(), 200
    span = high - min(low, 0)
    found = bilateral(image, 3, 25.0, 1.2, bins, low, high, len(shape), valid)
    for place in np.ndindex(*shape):
        if masked and not valid[place]:
            continue
        total = weights = 0.0
        for away, at in neighbours(place, 1, shape):
            bin_ = min(int(abs(image[place] - image[at]) * (bins / span)), bins - 1) * (span / bins)
            weight = np.exp(-0.5 * ((away**2).sum() / 1.2**2 + bin_**2 / 25.0**2))
            if not masked or valid[at]:
                total, weights = total + weight * image[at], weights + weight
        assert found[place] == pytest.approx(total / weights, rel=1e-12, abs=1e-10)


def test_bilateral_of_one_grey_value_is_the_image():
    image = np.full((3, 4), 7, np.uint8)
    np.testing.assert_array_equal(bilateral(image, 3, 1.0, 1.0, 100, 7, 7, 2), image.astype(float))


def test_grey_values_beyond_the_extrema_are_not_looked_up_beyond_the_table():
    image = np.array([[0, 1e30, np.inf, -np.inf, np.nan, 3]], np.float32)
    assert bilateral(image, 3, 1.0, 1.0, 100, 0.0, 3.0, 2).shape == image.shape


def likeness(p, q, known, weights, h, sigma):
    """Schraudolph's exponential of the difference of two patches, over the pixels valid in both."""
    squares = weights * ((p - q) ** 2 - 2 * sigma**2) / h**2 * known
    scale = weights.sum() / (weights * known).sum()
    rows = np.cumsum(squares.reshape(len(p), -1).sum(axis=1)) * scale
    if (rows[:-1] > 5).any():
        return 0.0
    bits = np.int64(np.int32(-1512775.3951951856938 * max(0.0, rows[-1]))) + 1072632447
    return float(np.array(bits << 32).view(np.float64))


@pytest.mark.parametrize(("shape", "sigma"), [((11, 12), 0.0), ((11, 12), 9.0), ((5, 6, 7), 4.0), ((2, 9), 0.0)])
@pytest.mark.parametrize("masked", [False, True])
def test_non_local_means_one_patch_after_the_other(shape, sigma, masked):
    image, size, reach, h = picture(shape), 3, 2, 40.0
    valid = picture(shape, seed=1) > 30 if masked else np.ones(shape, bool)
    found = nl_means(image, size, reach, h, sigma, len(shape), valid if masked else None)
    side = np.exp(-((np.arange(3) - 1.0) ** 2) / (2 * 0.5**2))
    weights = side
    for _ in shape[1:]:
        weights = np.multiply.outer(weights, side)
    weights /= weights.sum()
    wide, known = np.pad(image, 1, mode="reflect"), np.pad(valid, 1, mode="reflect")

    def patch(array, place):
        return array[tuple(slice(p, p + size) for p in place)]

    for place in np.ndindex(*shape):
        if not valid[place]:
            continue
        total = count = 0.0
        for other in np.ndindex(*shape):
            if valid[other] and max(abs(a - b) for a, b in zip(place, other)) <= reach:
                both = patch(known, place) & patch(known, other)
                weight = likeness(patch(wide, place), patch(wide, other), both, weights, h, sigma)
                total, count = total + weight * image[other], count + weight
        assert found[place] == pytest.approx(total / count, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize(("shape", "dtype"), [((60, 300), "float64"), ((55, 30), "float32"), ((14, 13, 15), "uint8")])
def test_blocks_do_not_show(shape, dtype):
    image = picture(shape, dtype)
    wanted = denoise_nl_means(
        image.astype("float32" if dtype == "float32" else float), 3, 3, 30.0, fast_mode=False, preserve_range=True
    )
    np.testing.assert_allclose(nl_means(image, 3, 3, 30.0, 0.0, len(shape)), wanted, rtol=1e-4, atol=1e-4)


def test_patches_that_are_far_too_different_weigh_nothing():
    """scikit-image's exponential leaves its range there, and its weights become negative."""
    image = np.zeros((1, 12))
    image[0, 6:] = 1e4
    np.testing.assert_array_equal(nl_means(image, 3, 4, 1.0, 0.0, 2), image)


@pytest.mark.parametrize(
    "apply",
    [
        lambda a, n, v=None: bilateral(a, 3, 9.0, 1.0, 99, 0, 99, n, v),
        lambda a, n, v=None: nl_means(a, 3, 2, 30.0, 0.0, n, v),
    ],
)
def test_leading_axes_are_planes_and_any_layout_will_do(apply):
    stack, valid = picture((2, 3, 9, 10), "uint16"), picture((2, 3, 9, 10), seed=1) > 30
    before = stack.copy()
    np.testing.assert_array_equal(apply(stack, 2)[1, 2], apply(stack[1, 2], 2))
    np.testing.assert_array_equal(apply(stack, 2, valid)[1, 2], apply(stack[1, 2], 2, valid[1, 2]))
    np.testing.assert_array_equal(apply(stack, 3)[1], apply(stack[1], 3))
    swapped = stack.astype(">u2")[..., ::-1]
    np.testing.assert_array_equal(apply(swapped, 2), apply(np.array(swapped, "uint16"), 2))
    assert apply(stack[:, :, :0], 2).shape == (2, 3, 0, 10)
    assert apply(stack.astype("float32"), 2).dtype == np.float32
    floats = stack.astype(float)
    apply(floats, 2, valid)
    np.testing.assert_array_equal(floats, before)
