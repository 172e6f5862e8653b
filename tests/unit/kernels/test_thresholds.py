from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from skimage import data
from skimage.filters import (
    threshold_isodata,
    threshold_li,
    threshold_minimum,
    threshold_multiotsu,
    threshold_otsu,
    threshold_triangle,
    threshold_yen,
)

from bigimg.errors import ImageError, ParameterError
from bigimg.kernels.background import robust_background
from bigimg.kernels.classes import multi_otsu
from bigimg.kernels.histogram import bin_centers, bin_edges, count_floats, count_integers, extrema
from bigimg.kernels.thresholds import isodata, li, minimum, otsu, triangle, yen

FINDERS = [
    (otsu, threshold_otsu),
    (triangle, threshold_triangle),
    (li, lambda image: threshold_li(image.copy())),
    (yen, threshold_yen),
    (isodata, threshold_isodata),
]


def two_classes(dtype, seed, shift=0):
    rng = np.random.default_rng(seed)
    values = np.where(rng.random((37, 41)) < 0.3, rng.normal(70, 9, (37, 41)), rng.gamma(3, 6, (37, 41)))
    return (values.clip(0, 120) + shift).astype(dtype)


def minimum_or_none(find, *given):
    try:
        return find(*given)
    except (RuntimeError, ImageError):
        return None


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(
    ("dtype", "shift"), [("uint8", 0), ("int8", 0), ("uint16", 900), ("int16", -60), ("int32", -5000), ("int64", 3)]
)
def test_thresholds_of_integers_are_scikit_images(seed, dtype, shift):
    image = two_classes(dtype, seed, shift)
    values = np.arange(int(image.min()) - 2, int(image.max()) + 4)
    counts = count_integers(image, int(values[0]), int(values[-1]))
    for find, reference in FINDERS:
        assert find(counts, values) == reference(image)


@pytest.mark.parametrize("name", ["camera", "coins", "moon", "page", "text", "clock"])
def test_thresholds_of_photographs_are_scikit_images(name):
    image = getattr(data, name)()
    for picture in (image, image.astype(np.uint16) * 257):
        high = np.iinfo(picture.dtype).max
        counts = count_integers(picture, 0, high)
        for find, reference in FINDERS:
            assert find(counts, np.arange(high + 1)) == reference(picture)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("scale", [1, 1e-3])
def test_thresholds_of_floats_are_scikit_images(seed, dtype, scale):
    image = (two_classes("float64", seed, -20) * scale).astype(dtype)
    low, high = extrema(image)
    centers = bin_centers(bin_edges(low, high, 256, image.dtype))
    counts = count_floats(image, low, high, 256)
    assert otsu(counts, centers) == threshold_otsu(image)
    assert triangle(counts, centers) == threshold_triangle(image)
    edges = bin_edges(low, high, 65536, image.dtype)
    found = li(count_floats(image, low, high, 65536), bin_centers(edges))
    assert abs(found - threshold_li(image.copy())) <= edges[1] - edges[0]


@pytest.mark.parametrize("value", [-3, 0, 7])
def test_one_value_is_its_own_threshold(value):
    for find, _ in FINDERS:
        assert find(np.array([0, 9, 0]), np.arange(value - 1, value + 2)) == value


def test_counts_of_a_great_collection():
    counts = np.array([9, 2, 1, 1, 1]) * 10**12
    for find, _ in FINDERS:
        assert find(counts, np.arange(5)) == pytest.approx(find(counts // 10**12, np.arange(5)))


def test_nothing_counted_has_no_threshold():
    for find, _ in FINDERS:
        assert np.isnan(find(np.zeros(5, int), np.arange(5)))


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize(("dtype", "shift"), [("uint8", 0), ("int16", -60), ("uint16", 900), ("float64", 0)])
def test_the_minimum_between_two_maxima_is_scikit_images(seed, dtype, shift):
    rng = np.random.default_rng(seed)
    parts = [rng.normal(60, rng.uniform(3, 30), 4000), rng.normal(140, 12, 1500)]
    image = (np.concatenate(parts).clip(0, 255) + shift).astype(dtype)
    if dtype == "float64":
        low, high = extrema(image)
        counts, centers = count_floats(image, low, high, 256), bin_centers(bin_edges(low, high, 256, image.dtype))
    else:
        centers = np.arange(image.min(), int(image.max()) + 1)
        counts = count_integers(image, int(centers[0]), int(centers[-1]))
    assert minimum_or_none(minimum, counts, centers) == minimum_or_none(threshold_minimum, image)


def test_two_values_are_parted_and_one_is_its_own():
    assert minimum(np.array([0, 4, 0, 0, 9]), np.arange(5)) == 1
    assert minimum(np.array([0, 4, 0]), np.arange(5, 8)) == 6
    assert np.isnan(minimum(np.zeros(3, int), np.arange(3)))


def test_a_histogram_of_one_hill_has_no_minimum():
    with pytest.raises(ImageError, match="otsu or triangle"):
        minimum(np.array([1, 4, 9, 7, 3, 1]), np.arange(6))


@pytest.mark.parametrize("classes", [2, 3, 4, 5])
def test_the_thresholds_of_classes_are_scikit_images(classes):
    for name in ("camera", "coins", "moon", "page"):
        image = getattr(data, name)()
        counts = count_integers(image, 0, 255)
        np.testing.assert_array_equal(multi_otsu(counts, np.arange(256), classes), threshold_multiotsu(image, classes))
    high = data.camera().astype(np.uint16) * 257
    found = multi_otsu(count_integers(high, 0, 65535), np.arange(65536), classes)
    np.testing.assert_array_equal(
        found / 257, multi_otsu(count_integers(data.camera(), 0, 255), np.arange(256), classes)
    )


def between_classes(counts, cuts):
    """Return the variance between classes, exactly, but for a constant and a factor."""
    ends = [-1, *map(int, cuts), len(counts) - 1]
    parts = [(range(a + 1, b + 1)) for a, b in pairwise(ends)]
    sums = [(sum(i * int(counts[i]) for i in part), sum(int(counts[i]) for i in part)) for part in parts]
    return sum(Fraction(total * total, pixels) for total, pixels in sums if pixels)


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("classes", [2, 3, 4])
def test_no_other_classes_are_further_apart(seed, classes):
    rng = np.random.default_rng(seed)
    counts = rng.integers(0, 9, 40) * (rng.random(40) < 0.6)
    counts[[0, -1]] = 3
    found = between_classes(counts, multi_otsu(counts, np.arange(40), classes))
    assert found >= between_classes(counts, threshold_multiotsu(hist=(counts, np.arange(40)), classes=classes))
    for _ in range(200):
        assert found >= between_classes(counts, np.sort(rng.choice(39, classes - 1, replace=False)))


def test_fewer_values_than_classes():
    counts = np.array([0, 4, 0, 2, 0])
    np.testing.assert_array_equal(multi_otsu(counts, np.arange(5), 2), [1])
    np.testing.assert_array_equal(multi_otsu(counts, np.arange(5), 4), [1, 3, 3])
    np.testing.assert_array_equal(multi_otsu(counts[:2], np.arange(2), 3), [1, 1])
    assert np.isnan(multi_otsu(counts[:1], np.arange(1), 3)).all()


def median_absolute_deviation(pixels):
    return np.median(np.abs(pixels - np.median(pixels)))


def binned_mode(pixels):
    """Return the mode as CellProfiler's centrosome finds it."""
    bins = np.ceil(np.sqrt(len(pixels)))
    places = ((pixels - pixels.min()) / (pixels.max() - pixels.min()) * bins).astype(int)
    return np.percentile(pixels, min(100 * (np.argmax(np.bincount(places)) + 0.5) / bins, 100))


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize(("averaging", "average"), [("mean", np.mean), ("median", np.median), ("mode", binned_mode)])
@pytest.mark.parametrize(
    ("variance", "deviation"),
    [("standard_deviation", np.std), ("median_absolute_deviation", median_absolute_deviation)],
)
def test_the_robust_background_is_that_of_the_sorted_pixels(seed, averaging, average, variance, deviation):
    rng = np.random.default_rng(seed)
    image = np.sort(rng.gamma(2, 20, rng.integers(50, 3000)).astype(int)) - 30
    lower, upper = rng.uniform(0.01, 0.4, 2)
    kept = image[round(len(image) * lower) : len(image) - round(len(image) * upper)].astype(float)
    expected = average(kept) + 1.7 * deviation(kept)
    found = robust_background(
        np.bincount(image + 30), np.arange(-30, image[-1] + 1), lower, upper, averaging, variance, 1.7
    )
    assert found == pytest.approx(expected, rel=1e-12)


def test_the_robust_background_of_few_pixels():
    given = ("mode", "median_absolute_deviation", 2.0)
    assert robust_background(np.array([0, 5]), np.arange(2), 0.1, 0.1, *given) == 1
    assert np.isnan(robust_background(np.zeros(2, int), np.arange(2), 0.1, 0.1, *given))
    assert robust_background(np.array([1, 1]), np.arange(2), 0.5, 0.49, *given) in {0, 0.5, 1}
    with pytest.raises(ParameterError, match="sum must be less than 1"):
        robust_background(np.array([1, 1]), np.arange(2), 0.5, 0.5, *given)


@pytest.mark.parametrize(
    "call",
    [
        lambda: otsu(np.zeros(3, np.int64), np.zeros(4)),
        lambda: multi_otsu(np.zeros(3, np.int64), np.zeros(4), 3),
        lambda: multi_otsu(np.zeros(3, np.int64), np.zeros(3), 1),
    ],
)
def test_what_has_no_threshold(call):
    with pytest.raises(ParameterError, match="got"):
        call()
