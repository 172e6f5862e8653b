"""The pictures of the operations: none missing, none left over, and each what the operation makes today."""

import importlib.util
from pathlib import Path

import cv2
import numpy as np
import pytest

DOCS = Path(__file__).parents[2] / "docs"


def _maker():
    spec = importlib.util.spec_from_file_location("make_pictures", DOCS / "make_pictures.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


MAKER = _maker()


def test_every_operation_that_gives_an_image_has_a_picture():
    there = {path.stem for path in MAKER.FOLDER.glob("*.png")}
    assert there == set(MAKER.drawn()), "run: python docs/make_pictures.py"


@pytest.mark.parametrize("name", MAKER.drawn())
def test_a_picture_is_what_the_operation_makes(name):
    stored = cv2.imread(str(MAKER.FOLDER / f"{name}.png"))
    drawing = MAKER.picture(name)
    assert stored is not None
    assert stored.shape == drawing.shape
    # The rounding of another processor may move a grey value by one.
    assert np.abs(stored[..., ::-1].astype(int) - drawing).max() <= 1
    halves = drawing[:, : MAKER.EDGE], drawing[:, MAKER.EDGE + MAKER.GAP :]
    same = halves[0].shape == halves[1].shape and (halves[0] == halves[1]).all()
    assert not same, f"{name} changes nothing in its picture: give it another image or parameters"
