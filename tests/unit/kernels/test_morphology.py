"""Erosion, dilation, opening, closing and top-hats against scikit-image, and against the definition where a mask is."""

import itertools

import numpy as np
import pytest
import skimage.morphology

from bigimg.core.footprint import ball, cross, cube, disk, square
from bigimg.errors import ImageError, ParameterError
from bigimg.kernels import chords, morphology, packed

OPERATIONS = {
    morphology.erode: skimage.morphology.erosion,
    morphology.dilate: skimage.morphology.dilation,
    morphology.opening: skimage.morphology.opening,
    morphology.closing: skimage.morphology.closing,
    morphology.white_tophat: skimage.morphology.white_tophat,
    morphology.black_tophat: skimage.morphology.black_tophat,
}
DTYPES = ["bool", "uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64", "float32", "float64"]
operation_names = pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.__name__)


def image(shape, dtype, seed=0):
    random = np.random.default_rng(seed)
    dtype = np.dtype(dtype)
    if dtype.kind == "b":
        return random.random(shape) < 0.6
    if dtype.kind == "f":
        return random.normal(0, 100, shape).astype(dtype)
    # scipy goes through float64, which holds integers up to 2**53 only
    limits = np.iinfo(dtype)
    return random.integers(max(limits.min, -(2**52)), min(limits.max, 2**52), shape, dtype, endpoint=True)


def sparse(shape, seed=0):
    mask = np.random.default_rng(seed).random(shape) < 0.4
    mask.flat[seed % mask.size] = True
    return mask


PLANE_FOOTPRINTS = {
    "one": np.ones((1, 1), bool),
    "disk1": disk(1),
    "disk2": disk(2),
    "disk6": disk(6),
    "square2": square(2),
    "square5": square(5),
    "square20": square(20),
    "cross9": cross(9),
    "row": np.ones((1, 7), bool),
    "even_row": np.ones((1, 4), bool),
    "long_row": np.ones((1, 150), bool),
    "column": np.ones((6, 1), bool),
    "off_centre": np.eye(1, 9, 8, dtype=bool),
    "sparse55": sparse((5, 5), 1),
    "sparse48": sparse((4, 8), 2),
    "sparse_wide": sparse((3, 140), 3),
    "half_disk": disk(9) & (np.arange(19) > 6),
    "diagonal": np.eye(12, dtype=bool),
}


@operation_names
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("footprint", PLANE_FOOTPRINTS.values(), ids=PLANE_FOOTPRINTS)
def test_planes_equal_scikit_image(operation, dtype, footprint):
    pixels = image((23, 71), dtype)
    _equal(operation(pixels, footprint, 2), _scikit_image(operation, pixels, footprint), pixels)


@operation_names
@pytest.mark.parametrize("dtype", ["bool", "uint8", "int32", "float32"])
@pytest.mark.parametrize("footprint", [ball(2), cube(3), cube(2), sparse((3, 4, 5)), sparse((2, 1, 6), 1)])
def test_volumes_equal_scikit_image(operation, dtype, footprint):
    pixels = image((7, 9, 11), dtype)
    _equal(operation(pixels, footprint, 3), _scikit_image(operation, pixels, footprint), pixels)


@operation_names
@pytest.mark.parametrize("footprint", [disk(3), disk(7), square(4), square(7), cross(3)])
def test_named_shapes_equal_scikit_image_in_its_default_mode(operation, footprint):
    for dtype in ("bool", "uint16"):
        pixels = image((40, 33), dtype)
        _equal(operation(pixels, footprint, 2), OPERATIONS[operation](pixels, footprint), pixels)


@operation_names
@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (2, 3)])
@pytest.mark.parametrize("footprint", [disk(8), square(6), sparse((11, 30))], ids=["disk", "square", "sparse"])
def test_footprints_larger_than_the_image(operation, shape, footprint):
    for dtype in ("bool", "uint8", "int64"):
        pixels = image(shape, dtype)
        _equal(operation(pixels, footprint, 2), _scikit_image(operation, pixels, footprint), pixels)


@operation_names
@pytest.mark.parametrize("dtype", ["bool", "uint8", "float64"])
def test_constant_images(operation, dtype):
    for value in (0, 1):
        pixels = np.full((12, 70), value, dtype)
        _equal(operation(pixels, disk(5), 2), OPERATIONS[operation](pixels, disk(5)), pixels)


@pytest.mark.parametrize("dtype", ["uint64", "int64"])
@pytest.mark.parametrize("footprint", [disk(1), disk(8)])
def test_neighbouring_integers_beyond_2_to_the_53_stay_apart(dtype, footprint):
    limits = np.iinfo(dtype)
    pixels = np.array([[limits.max, limits.max - 1, limits.min, limits.min + 1]], dtype)
    assert morphology.erode(pixels[:, :2], footprint, 2).tolist() == [[limits.max - 1] * 2]
    assert morphology.dilate(pixels[:, 2:], footprint, 2).tolist() == [[limits.min + 1] * 2]


@operation_names
@pytest.mark.parametrize("dtype", ["uint16", "int32", "float32", "float64", "int64"])
@pytest.mark.parametrize("footprint", [disk(1), disk(8)])
def test_foreign_byte_order_is_understood_and_kept(operation, dtype, footprint):
    pixels = image((20, 30), dtype)
    foreign = pixels.astype(pixels.dtype.newbyteorder("S"))
    _equal(operation(foreign, footprint, 2), operation(pixels, footprint, 2), foreign)


@operation_names
@pytest.mark.parametrize("dtype", ["bool", "uint8", "float32"])
@pytest.mark.parametrize("radius", [1, 6])
def test_strided_read_only_and_leading_axes(operation, dtype, radius):
    pixels = image((2, 3, 40, 62), dtype)[:, :, ::-2, ::3]
    pixels.flags.writeable = False
    before = pixels.copy()
    result = operation(pixels, disk(radius), 2)
    for plane in np.ndindex(2, 3):
        _equal(result[plane], operation(np.ascontiguousarray(pixels[plane]), disk(radius), 2), pixels[plane])
    assert (pixels == before).all()


@operation_names
@pytest.mark.parametrize("dtype", ["bool", "uint8", "int32", "float64"])
@pytest.mark.parametrize("radius", [0, 1, 6])
def test_the_input_may_be_read_only_and_is_left_alone(operation, dtype, radius):
    pixels = -image((20, 30), "float64").astype(dtype) if dtype != "bool" else image((20, 30), "bool")
    pixels[0] = -0.0
    pixels.flags.writeable = False
    before = pixels.tobytes()
    operation(pixels, disk(radius), 2)
    assert pixels.tobytes() == before


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("radius", [1, 6])
def test_infinities_win_and_lose_as_they_should(dtype, radius):
    for value in (np.inf, -np.inf):
        pixels = np.full((30, 30), value, dtype)
        assert (morphology.erode(pixels, disk(radius), 2) == value).all()
        assert (morphology.dilate(pixels, disk(radius), 2) == value).all()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("size", [3, 21])
def test_a_pixel_without_neighbours_is_the_neutral_value(dtype, size):
    corner = np.zeros((size, size), bool)
    corner[0, 0] = True
    corner[0, -1] = size > 3
    pixels = np.ones((size // 2, 5), dtype)
    eroded, dilated = morphology.erode(pixels, corner, 2), morphology.dilate(pixels, corner, 2)
    largest, smallest = _limits(pixels.dtype)
    assert (eroded == largest).all()
    assert (dilated == smallest).all()


@operation_names
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("footprint", [square(3), disk(1), disk(6)], ids=["square", "disk1", "disk6"])
def test_the_sign_of_zero_does_not_depend_on_the_cut(operation, dtype, footprint):
    pixels = np.where(image((20, 203), "bool"), 0.0, -0.0).astype(dtype)
    whole = operation(pixels, footprint, 2)
    for start in range(7):
        for stop in range(150, 170):
            tile = operation(np.ascontiguousarray(pixels[:, start:stop]), footprint, 2)
            assert tile[:, 12:-12].tobytes() == whole[:, start + 12 : stop - 12].tobytes()


@pytest.mark.parametrize("radius", [1, 6])
def test_nan_does_no_harm(radius):
    pixels = np.full((20, 20), np.nan, np.float32)
    assert morphology.opening(pixels, disk(radius), 2).shape == pixels.shape


@operation_names
@pytest.mark.parametrize("dtype", ["bool", "uint8", "int32", "float32"])
@pytest.mark.parametrize("footprint", [disk(1), disk(5), sparse((4, 7))], ids=["disk1", "disk5", "sparse"])
def test_masked_pixels_are_as_if_outside(operation, dtype, footprint):
    pixels, valid = image((12, 15), dtype), np.random.default_rng(1).random((12, 15)) < 0.7
    result = operation(pixels, footprint, 2, valid)
    assert (result[valid] == _by_definition(operation, pixels, footprint, valid)[valid]).all()
    other = np.where(valid, pixels, image((12, 15), dtype, seed=2))
    assert (operation(other, footprint, 2, valid)[valid] == result[valid]).all()


@operation_names
@pytest.mark.parametrize("dtype", ["bool", "uint16"])
def test_masked_volumes(operation, dtype):
    pixels, valid = image((5, 6, 7), dtype), np.random.default_rng(1).random((5, 6, 7)) < 0.7
    result = operation(pixels, ball(1), 3, valid)
    assert (result[valid] == _by_definition(operation, pixels, ball(1), valid)[valid]).all()


@operation_names
@pytest.mark.parametrize("dtype", ["bool", "uint8", "float32"])
@pytest.mark.parametrize("radius", [1, 6])
def test_a_mask_without_holes_changes_nothing(operation, dtype, radius):
    pixels = image((20, 90), dtype)
    _equal(operation(pixels, disk(radius), 2, np.ones(pixels.shape, bool)), operation(pixels, disk(radius), 2), pixels)


def test_nan_and_infinity_behind_the_mask_stay_there():
    pixels, valid = np.ones((9, 9), np.float32), np.ones((9, 9), bool)
    pixels[4, 4], pixels[4, 5] = np.nan, np.inf
    valid[4, 4:6] = False
    for operation in (morphology.erode, morphology.dilate, morphology.white_tophat):
        for radius in (1, 6):
            result = operation(pixels, disk(radius), 2, valid)
            assert (result[valid] == (operation is not morphology.white_tophat)).all()


@pytest.mark.parametrize("dtype", ["bool", "uint8"])
def test_a_sequence_is_its_operations_one_by_one(dtype):
    pixels = image((60, 130), dtype)
    one_by_one = morphology.dilate(
        morphology.closing(morphology.opening(pixels, disk(3), 2), disk(5), 2), sparse((3, 4)), 2
    )
    operations = [("opening", disk(3)), ("closing", disk(5)), ("dilation", sparse((3, 4)))]
    _equal(morphology.sequence(pixels, operations, 2), one_by_one, pixels)
    _equal(morphology.sequence(pixels, [], 2), pixels, pixels)


@pytest.mark.parametrize("dtype", ["bool", "uint8", "uint16", "int16", "float32", "float64"])
def test_the_choice_of_kernel_cannot_be_seen(dtype):
    pixels = image((50, 140), dtype)
    for name, footprint in itertools.product(("erosion", "opening"), (disk(2), disk(9), square(3), sparse((9, 9)))):
        steps = morphology._steps(name, footprint.tobytes(), footprint.shape)
        kernel = packed.transform if dtype == "bool" else chords.transform
        assert kernel(pixels, steps, None).tobytes() == morphology._opencv(pixels, steps, None).tobytes()


def test_opencv_gets_small_footprints_of_the_dtypes_it_is_exact_for():
    def chosen(dtype, footprint, masked=False):
        return morphology._kernel(
            np.dtype(dtype), morphology._steps("erosion", footprint.tobytes(), footprint.shape), masked=masked
        )

    assert chosen("bool", disk(15)) is packed.transform
    assert chosen("uint8", disk(15)) is chords.transform
    assert chosen("uint8", disk(1)) is chosen("bool", disk(1)) is morphology._opencv
    assert chosen("bool", ball(1)) is chosen("bool", disk(1), masked=True) is packed.transform
    assert chosen("uint8", ball(1)) is chosen("uint8", disk(1), masked=True) is chords.transform
    for dtype in ("int64", "uint64", "int32", "uint32", "int8", "float16"):
        assert chosen(dtype, disk(1)) is chords.transform


@operation_names
def test_images_without_pixels_come_back_empty(operation):
    assert operation(np.zeros((0, 5), np.uint8), disk(1), 2).shape == (0, 5)
    assert operation(np.zeros((0, 4, 5), bool), disk(1), 2).shape == (0, 4, 5)


@operation_names
def test_what_cannot_be_done_is_refused(operation):
    with pytest.raises(ImageError, match="complex128"):
        operation(np.zeros((3, 3), complex), disk(1), 2)
    with pytest.raises(ImageError, match="at least 3 axes"):
        operation(np.zeros((3, 3), bool), ball(1), 3)
    with pytest.raises(ImageError, match="validity"):
        operation(np.zeros((3, 3), bool), disk(1), 2, np.ones((3, 1), bool))
    with pytest.raises(ParameterError, match="3 axes"):
        operation(np.zeros((3, 3, 3), bool), disk(1), 3)
    with pytest.raises(ParameterError, match="at least one pixel"):
        operation(np.zeros((3, 3), bool), np.zeros((3, 3), bool), 2)


def _equal(result, expected, pixels):
    assert result.dtype == pixels.dtype
    assert result.shape == pixels.shape
    np.testing.assert_array_equal(result, expected)


def _scikit_image(operation, pixels, footprint):
    if pixels.dtype not in (np.int64, np.uint64):
        return OPERATIONS[operation](pixels, footprint, mode="ignore")
    # scikit-image 0.26 fills the outside with the limits of the dtype, which scipy passes through float64: 2**64 is 0
    if operation is morphology.white_tophat:
        return pixels - _scikit_image(morphology.opening, pixels, footprint)
    if operation is morphology.black_tophat:
        return _scikit_image(morphology.closing, pixels, footprint) - pixels
    result = OPERATIONS[operation](pixels.astype(float), footprint, mode="ignore")
    largest, smallest = _limits(pixels.dtype)
    exact = np.where(np.isfinite(result), result, 0).astype(pixels.dtype)
    return np.where(result == np.inf, largest, np.where(result == -np.inf, smallest, exact)).astype(pixels.dtype)


def _limits(dtype):
    if dtype.kind == "b":
        return True, False
    if dtype.kind == "f":
        return np.inf, -np.inf
    return np.iinfo(dtype).max, np.iinfo(dtype).min


def _by_definition(operation, pixels, footprint, valid):
    """Compute ``operation`` by loops over pixels and neighbours."""
    if operation in {morphology.white_tophat, morphology.black_tophat}:
        white = operation is morphology.white_tophat
        inner = _by_definition(morphology.opening if white else morphology.closing, pixels, footprint, valid)
        upper, lower = (pixels, inner) if white else (inner, pixels)
        return upper & ~lower if pixels.dtype == bool else upper - lower
    # scikit-image: the origin of an even axis is the element before its middle
    offsets = np.argwhere(footprint) - (np.array(footprint.shape) - 1) // 2
    dilates = operation in {morphology.dilate, morphology.closing}
    once = _extreme(pixels, offsets, valid, dilates)
    if operation in {morphology.erode, morphology.dilate}:
        return once
    return _extreme(once, -offsets, valid, not dilates)


def _extreme(pixels, offsets, valid, dilates):
    largest, smallest = _limits(pixels.dtype)
    out = np.full_like(pixels, smallest if dilates else largest)
    for pixel in np.ndindex(pixels.shape):
        near = [tuple(np.add(pixel, offset)) for offset in offsets]
        near = [p for p in near if min(p) >= 0 and all(np.less(p, pixels.shape)) and valid[p]]
        if near:
            values = [pixels[p] for p in near]
            out[pixel] = max(values) if dilates else min(values)
    return out
