"""What the README tells a stranger to paste works: every block of code, in the order of the page."""

import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import skimage.data

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


@dataclass(frozen=True)
class Block:
    language: str
    text: str
    line: int


def blocks(text: str) -> list[Block]:
    found = re.finditer(r"^```(\w*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return [Block(each[1], each[2], text[: each.start()].count("\n") + 2) for each in found]


BLOCKS = blocks(README)
PASTED = [block.text.strip() for block in BLOCKS if block.language == "sh"]


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """A folder as the first command leaves it: ``my_images`` with two images of scikit-image."""
    folder = tmp_path_factory.mktemp("desk")
    (folder / "my_images").mkdir()
    for name in ("cell.png", "ihc.png"):
        source = Path(skimage.data.__path__[0]) / name
        (folder / "my_images" / name).write_bytes(source.read_bytes())
    return folder


@pytest.mark.cluster
def test_every_block_runs_in_the_order_of_the_page(desk, monkeypatch, capsys):
    monkeypatch.chdir(desk)
    namespace: dict[str, object] = {"__name__": "__main__"}
    ran = {"console": 0, "python": 0, "yaml": 0}
    for block in BLOCKS:
        if block.language == "console":
            run_commands(block, desk)
        elif block.language == "python":
            # The empty lines let an error point to the line of the page.
            exec(compile("\n" * (block.line - 1) + block.text, str(ROOT / "README.md"), "exec"), namespace)
        elif block.language == "yaml":
            (desk / block.text.splitlines()[0].removeprefix("# ")).write_text(block.text, encoding="utf-8")
        if block.language in ran:
            ran[block.language] += 1
    assert all(ran.values()), ran
    said = capsys.readouterr().out
    assert "report.html" in said
    assert "<xarray.DataArray" in said


def run_commands(block: Block, folder: Path) -> None:
    for line in block.text.splitlines():
        words = shlex.split(line)
        assert words[0] == "bigimg", line
        command = [sys.executable, "-m", "bigimg", *words[1:]]
        # Columns: a table that is folded is a table all the same.
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, env=os.environ)
        assert done.returncode == 0, f"README.md:{block.line}: {line}\n{done.stdout}\n{done.stderr}"


def test_there_are_two_lines_to_paste_and_each_is_one_line():
    assert len(PASTED) == 2
    assert all(len(line.splitlines()) == 1 for line in PASTED)
    first, second = PASTED
    assert first.startswith("python3 -m venv .venv && .venv/bin/pip install ")
    assert ".venv/bin/bigimg run nuclei my_images " in first
    assert second.startswith("python3 -m venv .venv && .venv/bin/pip install ")
    assert ".venv/bin/python -m pytest" in second


def test_the_images_of_the_first_line_are_in_the_wheel_of_scikit_image():
    (names,) = re.findall(r"/\{([\w,]+)\}\.png", PASTED[0])
    assert all((Path(skimage.data.__path__[0]) / f"{name}.png").is_file() for name in names.split(","))


def test_the_output_of_the_first_line_is_left_out_by_git():
    (output,) = re.findall(r"my_images (\w+)/", PASTED[0])
    ignored = (ROOT / ".gitignore").read_text().splitlines()
    assert f"/{output}/" in ignored
    assert "/my_images/" in ignored


def test_ci_takes_its_lines_from_the_readme():
    script = (ROOT / ".ci" / "run").read_text()
    assert "README.md" in script
    assert "-m pytest" in script
    assert not re.search(r"pip install|pytest -n", script), "the lines are the README's, not copies of them"
    assert os.access(ROOT / ".ci" / "run", os.X_OK)


def test_languages_are_known():
    assert {block.language for block in BLOCKS} <= {"sh", "console", "python", "yaml", "text"}
