"""Erosion, dilation, opening, closing and top-hats against scikit-image, and against the definition where a mask is."""

import itertools

import numpy as np
import pytest
import skimage.morphology

from bigimg.core.footprint import ball, cross, cube, disk, rectangle, square
from bigimg.errors import ImageError, ParameterError
from bigimg.kernels import boxes, chords, details, morphology, opencv_steps, packed
from bigimg.kernels.steps import Step, joined

OPERATIONS = {
    morphology.erode: skimage.morphology.erosion,
    morphology.dilate: skimage.morphology.dilation,
    morphology.opening: skimage.morphology.opening,
    morphology.closing: skimage.morphology.closing,
    details.white_tophat: skimage.morphology.white_tophat,
    details.black_tophat: skimage.morphology.black_tophat,
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
    for operation in (morphology.erode, morphology.dilate, details.white_tophat):
        for radius in (1, 6):
            result = operation(pixels, disk(radius), 2, valid)
            assert (result[valid] == (operation is not details.white_tophat)).all()


@pytest.mark.parametrize("dtype", ["bool", "uint8"])
def test_a_sequence_is_its_operations_one_by_one(dtype):
    pixels = image((60, 130), dtype)
    one_by_one = morphology.dilate(
        morphology.closing(morphology.opening(pixels, disk(3), 2), disk(5), 2), sparse((3, 4)), 2
    )
    operations = [("opening", disk(3)), ("closing", disk(5)), ("dilation", sparse((3, 4)))]
    _equal(morphology.sequence(pixels, operations, 2), one_by_one, pixels)
    _equal(morphology.sequence(pixels, [], 2), pixels, pixels)


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_choice_of_kernel_cannot_be_seen(dtype):
    pixels = image((50, 140), dtype)
    footprints = (disk(2), disk(9), square(3), sparse((9, 9)), square(8), rectangle(1, 9), rectangle(40, 2))
    for name, footprint in itertools.product(("erosion", "opening"), footprints):
        steps = morphology._steps(name, footprint.tobytes(), footprint.shape)
        kernels = [packed.transform] if dtype == "bool" else [chords.transform]
        if dtype != "bool" and steps[0].box:
            kernels.append(boxes.transform)
        if np.dtype(dtype).char in "?BHhfd":
            kernels.append(opencv_steps.transform)
        results = {kernel(pixels, steps).tobytes() for kernel in kernels}
        assert len(results) == 1


CHOICES = [
    ("bool", disk(1), "opencv"),
    ("bool", square(5), "opencv"),
    ("bool", disk(2), "packed"),
    ("bool", disk(31), "packed"),
    ("bool", square(31), "packed"),
    ("bool", ball(1), "packed"),
    ("uint8", disk(1), "opencv"),
    ("uint8", disk(3), "opencv"),
    ("uint16", disk(3), "opencv"),
    ("float32", disk(3), "opencv"),
    ("float64", disk(3), "opencv"),
    ("int16", disk(3), "opencv"),
    ("uint8", disk(5), "chords"),
    ("uint16", disk(7), "chords"),
    ("float32", disk(15), "chords"),
    ("float64", disk(31), "chords"),
    ("uint8", square(7), "opencv"),
    ("uint8", square(15), "boxes"),
    ("float32", square(15), "opencv"),
    ("float32", square(31), "boxes"),
    ("uint8", ball(1), "chords"),
    ("float32", ball(7), "chords"),
    ("uint16", cube(3), "boxes"),
    *((dtype, disk(1), "chords") for dtype in ("int8", "int32", "uint32", "int64", "uint64", "float16")),
    *((dtype, square(3), "boxes") for dtype in ("int8", "int32", "uint32", "int64", "uint64", "float16")),
]


@pytest.mark.parametrize(
    ("dtype", "footprint", "kernel"), CHOICES, ids=lambda value: str(getattr(value, "shape", value))
)
def test_the_table_of_kernels(dtype, footprint, kernel):
    step = Step(True, np.pad(footprint, [(1 - size % 2, 0) for size in footprint.shape]))
    assert morphology.chosen(np.dtype(dtype), step) == kernel
    own = "packed" if dtype == "bool" else "boxes" if step.box else "chords"
    assert morphology.chosen(np.dtype(dtype), step, masked=True) == own


def test_the_table_ends_with_a_kernel_for_everything():
    assert {rule.kernel for rule in morphology.RULES} == set(morphology._KERNELS)
    last = morphology.RULES[-1]
    assert (last.dtypes, last.box, last.most, last.a_chord, last.chords) == ("", False, None, None, 0)


def test_masks_are_packed_once_for_all_steps_and_grey_steps_choose_each_for_itself():
    small, large = (morphology._steps("dilation", f.tobytes(), f.shape) for f in (disk(1), disk(9)))
    assert morphology._plan("?", small + large + small, False) == (("packed", small + large + small),)
    assert morphology._plan("B", small + large + large + small, False) == (
        ("opencv", small),
        ("chords", large + large),
        ("opencv", small),
    )


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int32", "float32"])
@pytest.mark.parametrize("shape", [(3, 3), (1, 4), (2, 5), (6, 1)])
def test_boxes_one_after_the_other_are_one_box(dtype, shape):
    pixels = image((14, 31), dtype)
    footprint = rectangle(*shape)
    steps = tuple(morphology._steps_of("dilation", footprint, 2, 4))
    assert len(steps) == 4
    assert len(joined(steps)) == 1
    one_by_one = pixels
    for _ in range(4):
        one_by_one = morphology.dilate(one_by_one, footprint, 2)
    _equal(morphology.dilate(pixels, footprint, 2, iterations=4), one_by_one, pixels)


def test_only_boxes_of_one_kind_are_joined():
    box, round_ = (morphology._steps("opening", f.tobytes(), f.shape) for f in (square(3), disk(2)))
    assert joined(box + box) == box + box
    assert joined(round_ + round_) == round_ + round_
    assert len(joined((box[0], box[0], round_[0], box[0]))) == 3
    wide = Step(True, np.ones((4095, 4095), bool))
    assert joined((wide, wide)) == (wide, wide)


@pytest.mark.parametrize("name", ["erode", "dilate", "opening", "closing"])
def test_iterations_behind_a_mask_go_around_it(name):
    pixels, valid = image((20, 40), "uint8"), np.random.default_rng(1).random((20, 40)) < 0.6
    kernel = getattr(morphology, name)
    once = {"opening": morphology.erode, "closing": morphology.dilate}.get(name, kernel)
    then = {"opening": morphology.dilate, "closing": morphology.erode}.get(name)
    expected = pixels
    for half in (once, then):
        for _ in range(3 if half else 0):
            expected = half(expected, square(3), 2, valid)
    assert (kernel(pixels, square(3), 2, valid, iterations=3)[valid] == expected[valid]).all()


@pytest.mark.parametrize("dtype", DTYPES)
def test_gradients_do_not_overflow(dtype):
    pixels = image((20, 30), dtype)
    result = details.gradient(pixels, disk(2), 2)
    low, high = (kernel(pixels, disk(2), 2) for kernel in (morphology.erode, morphology.dilate))
    assert result.dtype == (np.dtype(dtype.replace("int", "uint")) if dtype.startswith("int") else pixels.dtype)
    if result.dtype.kind == "u":
        assert result.tolist() == (high.astype(object) - low.astype(object)).tolist()
    else:
        np.testing.assert_array_equal(result, high ^ low if dtype == "bool" else high - low)


def test_gradients_of_nothing_and_of_infinities_are_defined():
    corner = np.array([[1, 0, 0], [0, 0, 0], [0, 0, 0]], bool)
    for dtype in DTYPES:
        assert not details.gradient(np.ones((1, 4), dtype), corner, 2).any()
    infinite = np.array([[np.inf, np.inf, -np.inf, 1, 2]])
    np.testing.assert_array_equal(details.gradient(infinite, np.ones((1, 2), bool), 2), [[0, np.inf, np.inf, 1, 0]])


def test_what_is_hit_lies_inside_and_what_is_missed_may_lie_outside():
    mask = np.ones((4, 5), bool)
    line = np.ones((1, 3), bool)
    inside = np.zeros((4, 5), bool)
    inside[:, 1:-1] = True
    assert (details.hit_or_miss(mask, line, None, 2) == inside).all()
    assert (
        details.hit_or_miss(mask, np.ones((1, 1), bool), np.array([[1, 0, 0]], bool), 2) == ~np.roll(mask, 0)
    ).sum() == 16
    assert not details.hit_or_miss(mask, np.ones((9, 9), bool), None, 2).any()


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
    if operation is details.white_tophat:
        return pixels - _scikit_image(morphology.opening, pixels, footprint)
    if operation is details.black_tophat:
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
    if operation in {details.white_tophat, details.black_tophat}:
        white = operation is details.white_tophat
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
