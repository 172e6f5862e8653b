"""The page of features: made by its generator, complete, and its links lead to what they name."""

import importlib.util
import re
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from bigimg.ops.catalog import operations

DOCS = Path(__file__).parents[2] / "docs"


def _maker():
    spec = importlib.util.spec_from_file_location("make_parity", DOCS / "make_parity.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


MAKER = _maker()
ROWS = [row for rows in MAKER.SECTIONS.values() for row in rows]


def test_the_page_is_in_step():
    assert MAKER.PAGE.read_text(encoding="utf-8") == MAKER.page(), "run: python docs/make_parity.py"


def test_every_operation_of_these_rooms_stands_in_a_row():
    listed = {name for row in ROWS for name in row.operations}
    wanted = {name for name in operations() if name.partition(".")[0] in MAKER.ROOMS}
    assert not wanted - listed, f"docs/make_parity.py has no row for {', '.join(sorted(wanted - listed))}"


def test_anchors_are_headings():
    page = MAKER.PAGE.read_text(encoding="utf-8")
    text = (DOCS / "operations.md").read_text(encoding="utf-8")
    headings = {re.sub(r"[^\w -]", "", line).lower() for line in re.findall(r"^### (.*)$", text, re.MULTILINE)}
    anchors = set(re.findall(r"\]\(operations\.md#([\w-]+)\)", page))
    assert anchors
    assert not anchors - headings, "run: python docs/make_operations.py"


def test_what_is_not_there_is_said():
    assert all(row.limits.startswith("**not there**") for row in ROWS if not row.operations and not row.proofs)


@pytest.mark.parametrize(
    "wrong",
    [
        {"operations": ("filters.sharpest",)},
        {"proofs": ("tests/laws/test_of_nothing.py",)},
    ],
)
def test_a_row_of_what_does_not_exist_is_refused(wrong, monkeypatch):
    row = replace(MAKER.SECTIONS["Filters"][0], **wrong)
    monkeypatch.setitem(MAKER.SECTIONS, "Filters", (row,))
    with pytest.raises(ValueError, match="gaussian: there is no"):
        MAKER.page()
