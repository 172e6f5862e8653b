"""The pages beside the code are true: links lead somewhere, names are there, lists are complete, examples run."""

import importlib.util
import re
from pathlib import Path

import pytest

from bigimg import shipped
from bigimg.run.workflow import Workflow

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    path
    for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *ROOT.glob("*/README.md")]
    if not path.relative_to(ROOT).parts[0].startswith(".")
)
DECISIONS = sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8")):
        if not target.startswith(("http:", "https:")):
            assert (page.parent / target).exists(), f"{named(page)} links to {target}"


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_files_that_are_named_are_there(page):
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    for name in re.findall(r"`((?:bigimg|tests|docs|deploy)/[\w./-]+)`", text):
        if not name.startswith("bigimg/_shipped"):
            assert (ROOT / name).exists(), f"{named(page)} names {name}"


def test_the_map_draws_files_that_are_there():
    text = "".join(blocks(ROOT / "docs" / "map.md", "text"))
    assert re.findall(r"bigimg/[\w./]+", text)
    for name in re.findall(r"bigimg/[\w./]+", text):
        assert (ROOT / name).exists(), name


def test_the_tree_of_the_readme_is_the_tree():
    (tree,) = blocks(ROOT / "README.md", "text")
    top = {line.split()[0] for line in tree.splitlines() if not line.startswith(" ")}
    inside = {line.split()[0] for line in tree.splitlines() if line.startswith(" ")}
    assert all((ROOT / name).exists() for name in top)
    assert all((ROOT / "bigimg" / name).exists() for name in inside)
    rooms = {f"{path.parent.name}/" for path in (ROOT / "bigimg").glob("*/__init__.py")}
    assert rooms <= inside, "a room that is not on the map"


def test_the_page_of_operations_is_in_step():
    spec = importlib.util.spec_from_file_location("make_operations", ROOT / "docs" / "make_operations.py")
    assert spec is not None
    assert spec.loader is not None
    maker = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(maker)
    assert maker.PAGE.read_text(encoding="utf-8") == maker.page(), "run: python docs/make_operations.py"


@pytest.mark.parametrize("kind", ["cluster", "workflows"])
def test_shipped_files_are_in_their_readme(kind):
    text = (ROOT / kind / "README.md").read_text(encoding="utf-8")
    assert all(f"`{name}`" in text or f"{name}.yaml" in text for name in shipped.names(kind))


def test_workflows_on_the_pages_can_be_carried_out():
    found = [(page, text) for page in PAGES for text in blocks(page, "yaml") if "steps:" in text]
    assert len(found) >= 2
    for page, text in found:
        flow = Workflow.parse(text, source=named(page))
        assert Workflow.parse(flow.dump()) == flow


def test_decisions_are_numbered_and_listed():
    numbers = [int(path.name.partition("-")[0]) for path in DECISIONS]
    assert numbers == list(range(1, len(numbers) + 1))
    listed = (ROOT / "docs" / "decisions" / "README.md").read_text(encoding="utf-8")
    assert re.findall(r"\]\((\d[\w-]+\.md)\)", listed) == [path.name for path in DECISIONS]


@pytest.mark.parametrize("page", DECISIONS, ids=named)
def test_a_decision_says_why_what_and_what_follows(page):
    text = page.read_text(encoding="utf-8")
    number = page.name.partition("-")[0]
    assert text.startswith(f"# {number} ")
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == ["Context", "Decision", "Consequences"]
