"""Chords of footprints, and the keys that let one kernel order every dtype."""

import numpy as np
import pytest

from bigimg.core.footprint import ball, cross, disk, square
from bigimg.kernels import chords, steps
from bigimg.kernels.chords import transform
from bigimg.kernels.steps import Step

DTYPES = ["uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64", "float16", "float32", "float64"]


@pytest.mark.parametrize("footprint", [disk(4), cross(3), square(5), ball(3), np.eye(7, dtype=bool)])
def test_chords_cover_exactly_the_footprint(footprint):
    solid = footprint[np.newaxis] if footprint.ndim == 2 else footprint
    covered = np.zeros(solid.shape, int)
    middle = np.array(solid.shape) // 2
    for plane, row, first, last in steps.chords(footprint) + middle[[0, 1, 2, 2]]:
        covered[plane, row, first : last + 1] += 1
    assert (covered == solid).all()


@pytest.mark.parametrize("footprint", [disk(20), np.ones((1, 101), bool), np.eye(9, 41, 16, dtype=bool)])
def test_a_run_never_grows_by_more_than_its_length(footprint):
    program = chords._program(Step(True, footprint))
    length = 1
    for left, right in program.growth:
        assert left == 0
        assert 0 < right <= length
        length += right
    assert program.bounds[0] == 0
    assert program.bounds[-1] == len(program.gifts) == len(steps.chords(footprint))


def test_a_disk_costs_few_comparisons():
    program = chords._program(Step(True, disk(15)))
    assert len(program.growth) + len(program.gifts) < 3 * 15 + 5


@pytest.mark.parametrize("dtype", DTYPES)
def test_keys_order_as_the_values_do(dtype):
    if np.dtype(dtype).kind == "f":
        limits = np.finfo(dtype)
        values = [-np.inf, limits.min, -1, -limits.tiny, -0.0, 0.0, limits.tiny, 1, limits.max, np.inf]
    else:
        limits = np.iinfo(dtype)
        values = sorted({limits.min, limits.min + 1, limits.max - 1, limits.max, 0, 1})
    ordered = np.array(values, dtype)
    pair = np.array([[0, 1, 1]], bool)
    one_zero = ordered if np.dtype(dtype).kind != "f" else ordered + np.dtype(dtype).type(0)
    assert transform(ordered[np.newaxis], [Step(True, pair)])[0, :-1].tobytes() == one_zero[1:].tobytes()
    assert transform(ordered[np.newaxis], [Step(False, pair)])[0, :-1].tobytes() == one_zero[:-1].tobytes()


def test_zeros_of_both_signs_come_out_as_one():
    zeros = np.array([[0.0, -0.0, 0.0, 0.0, -0.0, -0.0]])
    line = np.ones((1, 3), bool)
    for dilates in (True, False):
        assert not np.signbit(transform(zeros, [Step(dilates, line)])).any()


@pytest.mark.parametrize("dtype", DTYPES)
def test_steps_in_a_row_are_the_steps_one_by_one(dtype):
    pixels = np.random.default_rng(0).integers(0, 100, (20, 30)).astype(dtype)
    shrink, grow = Step(False, disk(2)), Step(True, cross(3))
    one_by_one = pixels
    for step in (shrink, shrink, grow, grow, shrink):
        one_by_one = transform(one_by_one, [step])
    assert (transform(pixels, [shrink, shrink, grow, grow, shrink]) == one_by_one).all()


@pytest.mark.parametrize("dtype", ["uint8", "float64"])
@pytest.mark.parametrize("strip", [8, 64])
def test_strips_do_not_show(dtype, strip, monkeypatch):
    pixels = np.random.default_rng(0).integers(0, 200, (15, 333)).astype(dtype)
    valid = np.random.default_rng(1).random(pixels.shape) < 0.8
    for footprint in (disk(3), np.ones((1, 41), bool), np.eye(5, 31, 13, dtype=bool)):
        steps = [Step(False, footprint), Step(True, footprint)]
        whole = transform(pixels, steps, valid)
        with monkeypatch.context() as patch:
            patch.setattr(chords, "_STRIP_BYTES", strip)
            assert (transform(pixels, steps, valid) == whole).all()


def test_the_input_is_left_alone():
    pixels = np.arange(12, dtype=np.int16).reshape(3, 4)
    transform(pixels, [Step(False, square(3))])
    assert pixels.tolist() == np.arange(12).reshape(3, 4).tolist()
