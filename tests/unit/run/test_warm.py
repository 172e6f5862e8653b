"""Kernels made ready before the first tile."""

from types import SimpleNamespace

import numpy as np
import pytest
from numba.core import event

from bigimg.run.warm import Example, examples, warm
from bigimg.run.workflow import Workflow


def source(dims, shape, dtype, **attrs):
    return SimpleNamespace(dims=dims, shape=shape, dtype=np.dtype(dtype), attrs=attrs)


def test_one_example_of_each_kind_of_image():
    found = examples(
        [
            source(("y", "x"), (900, 800), "uint16", scale={"y": 0.5}, units={"y": "micrometer"}),
            source(("y", "x"), (90, 80), ">u2"),
            source(("c", "y", "x"), (3, 90, 80), "uint8"),
            source(("c", "y", "x"), (4, 90, 80), "uint8"),
        ]
    )
    assert [(each.dims, each.channels, each.dtype) for each in found] == [
        (("y", "x"), 0, "uint16"),
        (("c", "y", "x"), 3, "uint8"),
        (("c", "y", "x"), 4, "uint8"),
    ]
    assert found[0].image().attrs == {"scale": {"y": 0.5}, "units": {"y": "micrometer"}}
    assert found[1].image().shape == (3, 40, 40)


@pytest.mark.parametrize("name", ["nuclei", "odd_ones_out"])
def test_after_warming_nothing_is_compiled(name):
    flow = Workflow.load(name)
    kinds = [Example(("y", "x"), 0, "uint16"), Example(("c", "y", "x"), 3, "uint8")]
    warm(flow, kinds)
    with event.install_recorder("numba:compile") as recorder:
        warm(flow, kinds)
    assert recorder.buffer == []


def test_what_an_example_does_not_survive_is_left_to_the_images():
    flow = Workflow.parse("name: grey\nsteps:\n  - op: color.rgb2gray\n  - op: threshold.otsu\n")
    warm(flow, [Example(("y", "x"), 0, "uint8"), Example(("c", "y", "x"), 7, "uint8")])
