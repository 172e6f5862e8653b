"""Rectangles and boxes against chords, which know nothing of them."""

import numpy as np
import pytest

from bigimg.core.footprint import cube, disk, square
from bigimg.kernels import boxes, chords
from bigimg.kernels.steps import Step

DTYPES = ["uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64", "float16", "float32", "float64"]
PLANE = {
    "one": np.ones((1, 1), bool),
    "square3": square(3),
    "row": np.ones((1, 7), bool),
    "long_row": np.ones((1, 301), bool),
    "column": np.ones((9, 1), bool),
    "long_column": np.ones((201, 1), bool),
    "wide": np.ones((5, 33), bool),
    "beside": np.pad(np.ones((3, 5), bool), ((8, 0), (0, 10))),
    "below": np.pad(np.ones((3, 5), bool), ((0, 8), (10, 0))),
    "far": np.pad(np.ones((1, 1), bool), ((60, 0), (0, 400))),
}
SPACE = {
    "cube": cube(3),
    "flat": np.ones((1, 5, 3), bool),
    "through": np.ones((5, 1, 1), bool),
    "brick": np.ones((3, 7, 1), bool),
    "beside": np.pad(np.ones((1, 1, 3), bool), ((2, 0), (0, 4), (0, 0))),
    "high": np.ones((31, 3, 3), bool),
}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("footprint", PLANE.values(), ids=PLANE)
def test_planes(dtype, footprint):
    for shape in ((40, 133), (1, 1), (3, 200), (130, 2)):
        _compare(shape, dtype, footprint)


@pytest.mark.parametrize("dtype", ["uint8", "int32", "float32"])
@pytest.mark.parametrize("footprint", SPACE.values(), ids=SPACE)
def test_volumes(dtype, footprint):
    for shape in ((7, 9, 33), (1, 1, 1), (40, 2, 3)):
        _compare(shape, dtype, footprint)


def _compare(shape, dtype, footprint):
    random = np.random.default_rng(0)
    pixels = random.integers(0, 100, shape).astype(dtype)
    for valid in (None, random.random(shape) < 0.8):
        steps = [Step(False, footprint), Step(True, np.flip(footprint))]
        assert boxes.transform(pixels, steps, valid).tobytes() == chords.transform(pixels, steps, valid).tobytes()


@pytest.mark.parametrize("dtype", ["uint8", "float64"])
@pytest.mark.parametrize("strip", [8, 64])
def test_strips_do_not_show(dtype, strip, monkeypatch):
    pixels = np.random.default_rng(0).integers(0, 200, (45, 333)).astype(dtype)
    valid = np.random.default_rng(1).random(pixels.shape) < 0.8
    for footprint in (square(5), np.ones((1, 41), bool), np.ones((31, 3), bool), PLANE["beside"]):
        steps = [Step(False, footprint), Step(True, footprint)]
        whole = boxes.transform(pixels, steps, valid)
        with monkeypatch.context() as patch:
            patch.setattr(boxes, "_STRIP_BYTES", strip)
            assert (boxes.transform(pixels, steps, valid) == whole).all()


def test_what_is_a_box():
    assert Step(True, square(5)).box == ((-2, 2), (-2, 2))
    assert Step(True, cube(3)).box == ((-1, 1), (-1, 1), (-1, 1))
    assert Step(True, PLANE["beside"]).box == ((3, 5), (-7, -3))
    assert Step(True, disk(1)).box is None
    assert Step(True, np.array([[1, 0, 1]], bool)).box is None


def test_the_input_is_left_alone():
    pixels = np.arange(12, dtype=np.int16).reshape(3, 4)
    boxes.transform(pixels, [Step(False, square(3))])
    assert pixels.tolist() == np.arange(12).reshape(3, 4).tolist()
