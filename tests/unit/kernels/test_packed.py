"""Bit-packed morphology: words, padding and shifts."""

import numpy as np
import pytest

from bigimg.core.footprint import ball, cross, disk, square
from bigimg.kernels import packed
from bigimg.kernels.chords import transform
from bigimg.kernels.steps import Step

WIDTHS = [1, 2, 63, 64, 65, 127, 128, 129, 200]


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("padding", [1, 2])
def test_packing_and_unpacking_keep_every_pixel(width, padding):
    mask = np.random.default_rng(width).random((2, 3, width)) < 0.5
    words = packed.pack(mask, padding)
    assert words.shape == (2, 3, -(-width // 64) + 2 * padding)
    assert not words[..., :padding].any()
    assert not words[..., -padding:].any()
    assert (packed.unpack(words, padding, width, np.uint64(0)) == mask).all()
    assert (packed.unpack(words, padding, width, ~np.uint64(0)) == ~mask).all()


@pytest.mark.parametrize("footprint", [disk(15), square(9), cross(40), ball(4), disk(3)[:, 1:]])
def test_chords_within_one_another_need_no_shift(footprint):
    odd = np.pad(footprint, [(1 - size % 2, 0) for size in footprint.shape])
    assert not packed._program(Step(True, odd)).gifts[:, 2].any()


@pytest.mark.parametrize("reach", [1, 31, 62, 63, 64, 65, 126, 127, 128, 129, 190])
@pytest.mark.parametrize("width", [1, 64, 65, 200])
def test_every_shift_and_growth_crosses_words_rightly(reach, width):
    mask = np.random.default_rng(reach).random((3, width)) < 0.2
    size = 2 * reach + 1
    single = np.zeros((2, 1, size), bool)
    single[0, 0, 0] = single[1, 0, -1] = True
    left, right = np.zeros((2, 1, size), bool)
    left[0, : reach // 2 + 1] = True
    right[0, -(reach // 2) - 1 :] = True
    for footprint in (*single, left, right, left | right, np.ones((1, size), bool)):
        for dilates in (True, False):
            step = Step(dilates, footprint)
            expected = transform(mask.view(np.uint8), [step]) > 0
            assert (packed.transform(mask, [step]) == expected).all()


@pytest.mark.parametrize("shape", [(40, 1), (33, 3), (90, 70), (1, 80), (6, 6, 2), (40, 1, 1), (3, 40, 5)])
@pytest.mark.parametrize("corner", [(), (0, 7), (7, 0)])
def test_high_boxes_are_spread_over_rows_and_planes(shape, corner):
    box = np.ones(shape, bool)
    if corner:  # the box beside the centre
        box = np.pad(box, [corner] * box.ndim)
    odd = np.pad(box, [(1 - size % 2, 0) for size in box.shape])
    random = np.random.default_rng(0)
    for size in ((5, 37, 70), (1, 1, 1), (4, 90, 130)):
        mask, valid = random.random(size[-box.ndim :]) < 0.1, random.random(size[-box.ndim :]) < 0.8
        for given in (None, valid):
            steps = [Step(True, odd), Step(False, np.flip(odd))]
            expected = transform(mask.view(np.uint8), steps, given) > 0
            result = packed.transform(mask, steps, given)
            inside = np.ones_like(mask) if given is None else given
            assert (result == expected)[inside].all()


@pytest.mark.parametrize("width", WIDTHS)
def test_masked_steps_in_a_row_are_the_steps_one_by_one(width):
    random = np.random.default_rng(width)
    mask, valid = random.random((20, width)) < 0.6, random.random((20, width)) < 0.8
    shrink, grow = Step(False, disk(2)), Step(True, cross(3))
    one_by_one = mask
    for step in (shrink, grow, grow, shrink, shrink):
        one_by_one = packed.transform(one_by_one, [step], valid)
    assert (packed.transform(mask, [shrink, grow, grow, shrink, shrink], valid) == one_by_one).all()


def test_the_input_is_left_alone():
    mask = np.eye(5, 70, dtype=bool)
    packed.transform(mask, [Step(False, square(3))])
    assert (mask == np.eye(5, 70, dtype=bool)).all()
