"""Region measurements against scikit-image, and against arithmetic without rounding."""

from __future__ import annotations

import math
import pickle
from fractions import Fraction

import numpy as np
import pytest
from scipy import ndimage as ndi
from skimage import data
from skimage.measure import label, regionprops_table

from bigimg.errors import ImageError, ParameterError, UnknownNameError
from bigimg.kernels.regions import PROPERTIES, measure, merge, select, table

EXACT = {
    *("label", "num_pixels", "area", "area_bbox", "area_convex", "area_filled", "bbox", "euler_number", "moments"),
    *("intensity_min", "intensity_max", "intensity_median"),
}
NONE_SHARED = np.array([], dtype=np.int64)
SHAPE_2D = [name for name, item in PROPERTIES.items() if not item.of_intensity]
SHAPE_3D = [name for name in SHAPE_2D if not PROPERTIES[name].plane_only]
INTENSITY = [name for name, item in PROPERTIES.items() if item.statistic is not None]
WEIGHTED = [name for name, item in PROPERTIES.items() if item.weighted]
DTYPES = ["bool", "uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64", "float32", "float64"]


def blobs(shape, sigma=2.0, seed=0):
    mask = ndi.gaussian_filter(np.random.default_rng(seed).random(shape), sigma) > 0.5
    return label(mask, connectivity=1).astype(np.uint32)


def pixels_of(dtype, shape, seed=1):
    rng = np.random.default_rng(seed)
    if np.dtype(dtype).kind == "f":
        return (rng.normal(size=shape) * 10.0 ** rng.integers(-6, 6, shape)).astype(dtype)
    if dtype == "bool":
        return rng.random(shape) < 0.5
    limits = np.iinfo(dtype)
    return rng.integers(limits.min, limits.max, shape, dtype=dtype, endpoint=True)


def assert_equals_skimage(found, labels, intensity, properties, spacing=None):
    if intensity is not None and intensity.ndim > labels.ndim:
        intensity = np.moveaxis(intensity, 0, -1)
    expected = regionprops_table(labels.astype(np.int64), intensity, properties=properties, spacing=spacing)
    assert list(found) == list(expected)
    for name, column in expected.items():
        assert found[name].dtype == column.dtype, name
        if name.split("-")[0] in EXACT and spacing is None:
            np.testing.assert_array_equal(found[name], column, err_msg=name)
        elif name.startswith(("moments_central", "moments_weighted_central")):
            # Moments that vanish are 0 here and rounding errors there: compare with what was added up to them.
            power = [int(digit) for digit in name.split("-")[1 : 1 + labels.ndim]]
            size = np.array(labels.shape) * (1 if spacing is None else spacing)
            largest = 1.0 if intensity is None or "weighted" not in name else float(np.abs(intensity).max())
            np.testing.assert_allclose(found[name], column, 1e-12, 1e-12 * largest * np.prod(size**power), err_msg=name)
        else:
            # Axes of flat objects are square roots of what should be 0.
            atol = 1e-6 if "length" in name or name == "eccentricity" else 1e-13
            np.testing.assert_allclose(found[name], column, rtol=1e-11, atol=atol, err_msg=name)


@pytest.mark.parametrize("spacing", [None, (0.5, 2.0)])
def test_shape_equals_skimage_in_two_dimensions(spacing):
    labels = blobs((160, 210))
    labels[ndi.find_objects(labels)[0]] = 0

    names = [name for name in SHAPE_2D if spacing is None or PROPERTIES[name].pixels == "any"]
    found = table(measure(labels, (0, 0), properties=names, spacing=spacing), names)

    if spacing is None:
        # For an object with no longest axis any angle is as good as another.
        round_ones = found["eccentricity"] < 1e-3
        assert round_ones.sum() < 10
        labels[np.isin(labels, found["label"][round_ones])] = 0
        found = {name: column[~round_ones] for name, column in found.items()}
    assert_equals_skimage(found, labels, None, names, spacing)


@pytest.mark.parametrize("spacing", [None, (2.0, 0.5, 0.25)])
def test_shape_equals_skimage_in_three_dimensions(spacing):
    labels = blobs((20, 40, 51), sigma=1.5)
    sizes = [[at.stop - at.start for at in box] for box in ndi.find_objects(labels)]
    flat = [number for number, size in enumerate(sizes, start=1) if min(size) < 2]  # these have no hull there
    labels[np.isin(labels, flat)] = 0

    found = table(measure(labels, (0, 0, 0), properties=SHAPE_3D, shared=NONE_SHARED, spacing=spacing), SHAPE_3D)

    assert_equals_skimage(found, labels, None, SHAPE_3D, spacing)


@pytest.mark.parametrize("shared", [None, NONE_SHARED])
@pytest.mark.parametrize("dtype", DTYPES)
def test_intensities_equal_skimage(dtype, shared):
    labels = blobs((90, 120))
    image = pixels_of(dtype, labels.shape)

    found = table(measure(labels, (0, 0), image, properties=INTENSITY, shared=shared), INTENSITY)

    # scikit-image averages the middle two of float32, and adds float32, in float32; integers it adds in float64.
    assert_equals_skimage(found, labels, image.astype(np.float64), INTENSITY)


@pytest.mark.parametrize("dtype", DTYPES)
def test_mean_and_deviation_are_those_of_exact_arithmetic(dtype):
    labels = blobs((40, 50), sigma=1.0)
    image = pixels_of(dtype, labels.shape)

    found = table(measure(labels, (0, 0), image, properties=INTENSITY, shared=NONE_SHARED), INTENSITY)

    for i, number in enumerate(range(1, labels.max() + 1)):
        values = [Fraction(value.item()) for value in image[labels == number]]
        mean = sum(values) / len(values)
        variance = sum((value - mean) ** 2 for value in values) / len(values)
        assert math.isclose(found["intensity_mean"][i], float(mean), rel_tol=4e-16)
        assert math.isclose(found["intensity_std"][i] ** 2, float(variance), rel_tol=2e-15)


@pytest.mark.parametrize("shared", [None, NONE_SHARED])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "uint32", "uint64", "float32", "float64"])
def test_moments_of_intensity_equal_skimage(dtype, shared):
    labels = blobs((90, 120))
    image = np.abs(pixels_of(dtype, labels.shape)) if dtype.startswith("float") else pixels_of(dtype, labels.shape)

    found = table(measure(labels, (0, 0), image, properties=WEIGHTED, shared=shared), WEIGHTED)

    assert_equals_skimage(found, labels, image.astype(np.float64), WEIGHTED)


@pytest.mark.parametrize("spacing", [None, (2.0, 0.5, 0.25)])
def test_moments_of_intensity_of_volumes_and_channels_equal_skimage(spacing):
    labels = blobs((9, 30, 41), sigma=1.5)
    image = pixels_of("uint16", (2, *labels.shape))
    names = [name for name in WEIGHTED if not PROPERTIES[name].plane_only]

    found = table(measure(labels, (0, 0, 0), image, properties=names, spacing=spacing), names)

    assert_equals_skimage(found, labels, image.astype(np.float64), names, spacing)


@pytest.mark.parametrize("dtype", ["int16", "int64", "uint64", "float32", "float64"])
def test_moments_of_intensity_are_those_of_exact_arithmetic(dtype):
    labels = np.ones((3, 300), dtype=np.uint8)
    image = pixels_of(dtype, labels.shape)

    found = table(measure(labels, (0, 0), image, properties=WEIGHTED, shared=NONE_SHARED), WEIGHTED)

    values = [(y, x, Fraction(image[y, x].item())) for y, x in np.ndindex(labels.shape)]
    mass = sum(value for _, _, value in values)
    centre = sum(x * value for _, x, value in values) / mass
    assert math.isclose(found["moments_weighted-2-3"][0], sum(y**2 * x**3 * value for y, x, value in values))
    assert math.isclose(found["centroid_weighted-1"][0], centre, rel_tol=1e-15)
    third = sum((x - centre) ** 3 * value for _, x, value in values)
    assert math.isclose(found["moments_weighted_central-0-3"][0], third, rel_tol=1e-14)


def test_objects_without_intensity_have_no_weighted_centroid():
    labels = np.array([[1, 1, 0, 2]])
    image = np.array([[0, 0, 5, 3]])

    found = table(measure(labels, (0, 0), image, properties=WEIGHTED, shared=NONE_SHARED), WEIGHTED)

    with np.errstate(all="ignore"):
        expected = regionprops_table(labels, image, properties=WEIGHTED)
    for name, column in expected.items():
        np.testing.assert_allclose(found[name], column, rtol=1e-12, atol=1e-12, err_msg=name)


@pytest.mark.parametrize("shared", [None, NONE_SHARED])
def test_the_largest_floats_still_have_a_centroid(shared):
    image = np.full((1, 7), np.finfo(np.float64).max)
    image[0, 4:] /= 2

    found = table(measure(np.ones((1, 7), int), (0, 0), image, properties=WEIGHTED, shared=shared), WEIGHTED)

    assert found["centroid_weighted-1"][0] == pytest.approx((6 + 7.5) / 5.5, rel=1e-15)
    assert found["moments_weighted-0-0"][0] == found["moments_weighted_central-0-2"][0] == np.inf
    assert found["moments_weighted_central-0-1"][0] == 0


@pytest.mark.parametrize("exponent", [308, 307, 306, 304, -310])
def test_moments_at_the_ends_of_float64_do_not_depend_on_tiles(exponent):
    rng = np.random.default_rng(exponent + 400)
    labels = rng.integers(0, 4, (9, 12))
    image = rng.uniform(-1, 1.5, labels.shape) * 10.0**exponent
    whole = table(measure(labels, (0, 0), image, properties=WEIGHTED, shared=NONE_SHARED), WEIGHTED)

    halves = [measure(labels[:, x : x + 5], (0, x), image[:, x : x + 5], properties=WEIGHTED) for x in (0, 5, 10)]
    found = table(merge(merge(halves[2], halves[0]), halves[1]), WEIGHTED)

    for name, column in whole.items():
        assert found[name].tobytes() == column.tobytes(), name


def test_deviation_survives_a_huge_offset():
    labels = np.ones((1, 4), dtype=np.uint8)
    image = 1e15 + np.array([[0.0, 1.0, 2.0, 3.0]])

    found = table(measure(labels, (0, 0), image, properties=["intensity_std"]), ["intensity_std"])

    assert found["intensity_std"][0] == math.sqrt(1.25)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_extreme_floats_are_summed_exactly(dtype):
    info = np.finfo(dtype)
    large, small = info.max / 4, 8 * info.smallest_subnormal
    image = np.array([[large, small, -large, small]], dtype=dtype)
    labels = np.ones(image.shape, dtype=np.uint8)

    for shared in (None, NONE_SHARED):
        found = table(measure(labels, (0, 0), image, properties=INTENSITY, shared=shared), INTENSITY)
        assert found["intensity_mean"][0] == 4 * float(info.smallest_subnormal)
        assert found["intensity_std"][0] > 1e37


def test_channels_are_numbered_where_there_is_a_channel_axis():
    labels = blobs((40, 50))
    image = pixels_of("uint16", (3, *labels.shape))

    found = table(measure(labels, (0, 0), image, properties=["label", *INTENSITY]), ["label", *INTENSITY])

    assert "intensity_median-2" in found
    assert_equals_skimage(found, labels, image, ["label", *INTENSITY])
    one = table(measure(labels, (0, 0), image[:1], properties=["intensity_mean"]), ["intensity_mean"])
    assert list(one) == ["intensity_mean-0"]


def test_coins_of_scikit_image():
    image = data.coins()
    labels = label(image > 110, connectivity=2).astype(np.uint32)
    properties = ["label", "bbox", "moments_central", "axis_major_length", *INTENSITY]

    found = table(measure(labels, (0, 0), image, properties=properties, shared=NONE_SHARED), properties)

    assert len(found["label"]) == labels.max()
    assert_equals_skimage(found, labels, image, properties)


def test_labels_may_be_large_sparse_and_in_several_pieces():
    labels = np.array([[9, 0, 2**40], [9, 7, 2**40], [0, 2**62, 9]], dtype=np.uint64)
    properties = ["label", "area", "bbox", "centroid"]

    found = table(measure(labels, (0, 0), properties=properties), properties)

    assert found.pop("label").tolist() == [7, 9, 2**40, 2**62]
    assert_equals_skimage(found, np.array([[2, 0, 3], [2, 1, 3], [0, 4, 2]]), None, properties[1:])


def test_large_objects_at_far_coordinates_do_not_overflow():
    """A million pixels wide, in four tiles far from the origin: compare with sums by formula."""
    width, at = 1_000_000, 10_000_000
    properties = ["moments_central", "centroid", "axis_major_length"]
    parts = [
        measure(np.ones((3, width // 20), dtype=np.uint32), (at, at + x), properties=properties)
        for x in range(0, width, width // 20)
    ]
    regions = parts[0]
    for part in parts[1:]:
        regions = merge(regions, part)

    found = table(regions, properties)

    second = Fraction(width * (width**2 - 1), 12)
    assert found["centroid-0"][0] == at + 1
    assert found["centroid-1"][0] == at + (width - 1) / 2
    assert math.isclose(found["moments_central-0-2"][0], float(3 * second), rel_tol=1e-15)
    assert math.isclose(found["moments_central-2-2"][0], float(2 * second), rel_tol=1e-15)
    assert found["moments_central-0-3"][0] == found["moments_central-3-1"][0] == 0
    assert math.isclose(found["axis_major_length"][0], 4 * math.sqrt(second / width), rel_tol=1e-15)


def test_moments_far_from_the_origin_are_those_at_the_origin():
    labels = blobs((50, 60))
    near, far = (
        table(measure(labels, origin, properties=["moments_central"], shared=shared), ["moments_central"])
        for origin, shared in (((0, 0), NONE_SHARED), ((10**6 + 1, 10**7 + 3), None))
    )

    for name, column in near.items():
        assert far[name].tobytes() == column.tobytes()


def test_pixels_that_are_not_valid_do_not_count():
    labels = blobs((50, 60))
    image = pixels_of("float32", labels.shape)
    valid = np.random.default_rng(2).random(labels.shape) < 0.7
    properties = ["label", "area", "centroid", *INTENSITY]
    expected = table(measure(labels * valid, (0, 0), image, properties=properties), properties)

    image[~valid] = np.nan
    found = table(measure(labels, (0, 0), image, properties=properties, valid=valid), properties)

    for name, column in expected.items():
        np.testing.assert_array_equal(found[name], column)


def test_a_whole_object_costs_a_row_and_only_fragments_carry_values():
    labels = blobs((300, 300))
    image = pixels_of("uint16", labels.shape)
    properties = ["label", "area", "bbox", *INTENSITY]
    border = np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))

    regions = measure(labels, (0, 0), image, properties=properties, shared=border)

    whole = len(regions.rows["label"])
    assert whole + len(regions.fragments["label"]) == len(regions) == labels.max()
    assert set(regions.values["label"]) == set(border) - {0}
    assert sum(column.nbytes for column in regions.rows.values()) == whole * 8 * (1 + 1 + 4 + 5)
    expected = table(measure(labels, (0, 0), image, properties=properties), properties)
    for name, column in table(regions, properties).items():
        assert column.tobytes() == expected[name].tobytes()


def test_only_what_is_asked_is_measured():
    labels = blobs((30, 40))
    regions = measure(labels, (0, 0), labels, properties=["area", "intensity_max"])

    assert set(regions.fragments) == {"label", "area", "lower", "upper", "min", "max"}
    with pytest.raises(ParameterError, match="'centroid' was not measured"):
        table(regions, ["centroid"])
    with pytest.raises(ParameterError, match="'intensity_mean' was not measured"):
        table(regions, ["intensity_mean"])


@pytest.mark.parametrize("shape", [(0, 5), (5, 0), (4, 4), (0, 3, 3), (2, 3, 4)])
def test_no_labels_give_an_empty_table_of_the_right_types(shape):
    properties = ["label", "bbox", "centroid", "moments_central", "axis_major_length", *INTENSITY]
    regions = measure(np.zeros(shape, dtype=np.uint16), (0,) * len(shape), np.zeros(shape), properties=properties)

    found = table(merge(regions, regions), properties)

    expected = regionprops_table(np.zeros((3,) * len(shape), int), np.zeros((3,) * len(shape)), properties=properties)
    assert {name: (column.dtype, column.shape) for name, column in found.items()} == {
        name: (column.dtype, column.shape) for name, column in expected.items()
    }


def test_regions_travel_and_can_be_selected():
    labels = blobs((60, 60))
    regions = measure(labels, (0, 0), labels, properties=list(PROPERTIES), shared=np.arange(1, 6))
    large = table(regions, ["area"])["area"] >= 20

    chosen = select(pickle.loads(pickle.dumps(regions)), large)

    expected = table(regions, list(PROPERTIES))
    assert 0 < len(chosen) < len(regions)
    for name, column in table(chosen, list(PROPERTIES)).items():
        assert column.tobytes() == expected[name][large].tobytes()
    with pytest.raises(ParameterError, match="one entry for each"):
        select(regions, large[1:])


def test_a_label_finished_too_early_is_found_out():
    tiles = [np.array([[1, 1, 2]]), np.array([[2, 3, 3]])]
    first, second = (measure(tile, (0, 3 * i), properties=["area"], shared=NONE_SHARED) for i, tile in enumerate(tiles))
    sharing = measure(tiles[1], (0, 3), properties=["area"])

    with pytest.raises(ImageError, match="label 2 is in several tiles"):
        merge(first, second)
    with pytest.raises(ImageError, match="label 2 is in several tiles"):
        merge(sharing, first)


LABELS = np.ones((3, 4), dtype=np.uint8)


@pytest.mark.parametrize(
    ("labels", "intensity", "properties", "error", "words"),
    [
        (LABELS, None, ["aera"], UnknownNameError, "did you mean 'area'"),
        (LABELS, None, ["intensity_mean"], ParameterError, "intensity_mean need intensities"),
        (LABELS[None], None, ["orientation"], ParameterError, "'orientation' is defined in two dimensions"),
        (LABELS[None], None, ["eccentricity"], ParameterError, "'eccentricity' is defined in two dimensions"),
        (LABELS.astype(float), None, ["area"], ImageError, "labels must be integers"),
        (LABELS.astype(bool), None, ["area"], ImageError, "labels must be integers"),
        (LABELS[0], None, ["area"], ImageError, r"\(M, N\)"),
        (-LABELS.astype(np.int16), None, ["area"], ImageError, "got -1"),
        (LABELS * np.uint64(2**63), None, ["area"], ImageError, "1 to 2"),
        (LABELS, LABELS[:, :3], ["intensity_mean"], ImageError, "shape of labels"),
        (LABELS, LABELS.astype(complex), ["intensity_mean"], ImageError, "complex"),
        (LABELS, np.full(LABELS.shape, np.nan), ["intensity_max"], ImageError, "12 labelled intensities are NaN"),
        (LABELS, np.full(LABELS.shape, np.inf, "f4"), ["intensity_median"], ImageError, "NaN or infinite"),
        (np.broadcast_to(LABELS[0, 0], (2, 100_000)), None, ["moments_central"], ImageError, "too wide"),
        (np.broadcast_to(LABELS[0, 0], (2**15, 2**15)), None, ["area"], ImageError, "at once"),
    ],
)
def test_what_cannot_be_measured_is_refused(labels, intensity, properties, error, words):
    with pytest.raises(error, match=words):
        measure(labels, (0,) * labels.ndim, intensity, properties=properties)


def test_shapes_spacing_and_quantities_must_fit():
    regions = measure(LABELS, (0, 0), properties=["area"])

    with pytest.raises(ImageError, match="valid must have the shape"):
        measure(LABELS, (0, 0), properties=["area"], valid=np.ones((1, 4), dtype=bool))

    for spacing in [(1.0,), (1.0, -1.0), (1.0, math.nan), (math.inf, 1.0)]:
        with pytest.raises(ParameterError, match="2 positive numbers"):
            measure(LABELS, (0, 0), properties=["area"], spacing=spacing)
    with pytest.raises(ParameterError, match="different quantities"):
        merge(regions, measure(LABELS, (0, 0), properties=["centroid"]))
