"""What operations cost, found by planning them."""

import pytest

from bigimg.run.catalog import operations
from bigimg.run.costs import cost

OPERATIONS = operations()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("color.rgb2hsv", "pixel; reads the image once, 1 task a tile"),
        ("filters.median", "window; halo 1 at size=3; reads the image once, 1 task a tile"),
        ("threshold.otsu", "whole image; reads the image twice, 2.2 tasks a tile"),
        ("measure.label", "across tiles; reads the image once, 2.3 tasks a tile"),
        ("transform.flip", "geometry; reads the image once, 1 task a tile"),
        ("transform.project", "stack; reads the image once, 1 task a tile"),
        ("learn.cluster", "rows of a table"),
    ],
)
def test_the_kinds_of_cost(name, said):
    assert str(cost(OPERATIONS[name])) == said


def test_every_operation_takes_a_few_tasks_a_tile():
    found = {name: cost(entry) for name, entry in OPERATIONS.items()}
    # These are chains of several gathers: reconstruction, maxima and watershed among them.
    chains = {"segmentation.split_touching", "threshold.peak_fraction"}
    assert all(each.tasks <= 20 for each in found.values())
    assert all(each.tasks <= 7 for name, each in found.items() if name not in chains), "a few tasks a tile"
    assert all(each.reads <= 6 for each in found.values() if each.kind != "table"), "a few passes"
