"""Every operation equals its reference on the whole image: scikit-image, SciPy, or a twin that is slow and plain."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from skimage import data

from bigimg.ops.catalog import operations
from bigimg.testing import random_image

CASES = [
    case
    for file in sorted(Path(__file__).parent.glob("reference_*.py"))
    for case in import_module(f".{file.stem}", __package__).CASES
]
OPERATIONS = operations()
SHAPES = {False: [(61, 47), (1, 9), (5, 4)], True: [(7, 23, 19), (1, 9, 8)]}


def images(case, dtype):
    """Yield what the case is tried on: random images of several shapes, and a photograph."""
    if case.image is not None:
        yield case.image(np.dtype(dtype))
        return
    lead = (case.channels,) if case.channels else ()
    takes = OPERATIONS[case.op].takes
    for seed, shape in enumerate(SHAPES[case.volume]):
        yield random_image((*lead, *shape), "bool" if takes == "mask" else dtype, seed)
    if not case.volume and dtype in {"uint8", "uint16", "float32"} and takes == "image":
        photo = np.moveaxis(data.immunohistochemistry()[200:297, 100:190], -1, 0)
        photo = photo[[0, 1, 2, 0][: case.channels]] if case.channels else photo[0]
        if dtype == "float32":
            yield photo.astype(dtype) / np.float32(255)
        else:
            yield photo.astype(dtype) * (np.iinfo(dtype).max // 255)


@pytest.mark.parametrize(("case", "dtype"), [(case, dtype) for case in CASES for dtype in case.dtypes], ids=str)
def test_equals_the_reference(case, dtype):
    operation = OPERATIONS[case.op]
    more = {"dims": "zyx"} if case.volume else {}
    for image in images(case, dtype):
        case.compare(operation(image, **case.params, **more), case.reference(image))


def test_every_operation_has_a_reference():
    missing = sorted(set(OPERATIONS) - {case.op for case in CASES})
    assert not missing, f"no reference_*.py has a case for {', '.join(missing)}"
