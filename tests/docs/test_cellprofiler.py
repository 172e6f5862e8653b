"""The map to CellProfiler's names: every column named there exists, and every measure of CellProfiler is named."""

import re
from pathlib import Path

import numpy as np
import pytest

from bigimg.kernels.object_texture import FEATURES
from bigimg.kernels.regions import PROPERTIES
from bigimg.ops.catalog import operations

PAGE = Path(__file__).parents[2] / "docs" / "cellprofiler.md"
TEXT = PAGE.read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## `([\w.]+)`[^\n]*\n(.*?)(?=^## |\Z)", TEXT, re.MULTILINE | re.DOTALL))
ROWS = {name: re.findall(r"^\| `([^`]+)` \| `(\w+)` \|", text, re.MULTILINE) for name, text in SECTIONS.items()}


def columns_of(name):
    operation = operations()[name]
    labels = np.pad(np.ones((9, 8), int), 2)
    image = np.arange(labels.size, dtype=np.uint8).reshape(labels.shape)
    params = {"intensity_image": image} if "intensity_image" in operation.parameters else {}
    if "properties" in operation.parameters:
        params["properties"] = list(PROPERTIES)
    return list(operation(labels, **params))


@pytest.mark.parametrize("name", ROWS)
def test_every_column_that_is_named_exists(name):
    assert ROWS[name]
    named = {column for column, _ in ROWS[name]}
    assert not named - set(columns_of(name))


@pytest.mark.parametrize("name", [name for name in ROWS if name != "measure.regionprops_table"])
def test_every_column_has_a_name(name):
    named = {column for column, _ in ROWS[name]} | {"label", "num_pixels_edge"}
    rest = [column for column in columns_of(name) if column not in named]
    again = re.compile(r"_3_0[123]_256$|_[234]of4$")
    assert all(again.search(column) for column in rest)


def test_names_are_used_once():
    for side in (0, 1):
        names = [row[side] for rows in ROWS.values() for row in rows]
        assert len(set(names)) == len(names)


def test_pages_of_operations_say_the_same_names():
    for name, rows in ROWS.items():
        if name == "measure.regionprops_table":
            continue
        doc = operations()[name].doc
        for _, theirs in rows:
            short = re.sub(r"_IMAGE.*|_5$", "", theirs)
            assert re.search(rf"\b{short}\b", doc), f"the page of {name} does not name {short}"
    assert len(ROWS["measure.haralick"]) == len(FEATURES)
