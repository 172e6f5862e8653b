"""YAML with positions: what is read, and what is refused before it can do harm."""

import time
from pathlib import Path

import pytest

from bigimg.errors import WorkflowError
from bigimg.run import yaml


def test_values_are_those_of_yaml_1_2():
    node = yaml.parse("a: 1\nb: 1.5\nc: yes\nd: true\ne: ~\nf: 1e-3\ng: [x, '1']\nh: 2020-01-01\ni:\n")
    assert node.plain() == {
        "a": 1, "b": 1.5, "c": "yes", "d": True, "e": None, "f": 0.001, "g": ("x", "1"), "h": "2020-01-01", "i": None
    }  # fmt: skip


def test_every_value_and_key_knows_its_place():
    node = yaml.parse("steps:\n  - op: a\n    sigma: -1\n", "w.yaml")
    step = node.value["steps"].value[0]
    assert str(step.value["sigma"].position) == "w.yaml:3:12"
    assert str(step.keys["sigma"]) == "w.yaml:3:5"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "f.yaml:1:1: the file is empty"),
        ("# only this\n", "f.yaml:1:1: the file is empty"),
        ("a: &x 1\nb: *x\n", "f.yaml:1:4: anchors and aliases (&x) are not allowed"),
        ("b: *x\n", "f.yaml:1:4: anchors and aliases (*x) are not allowed"),
        ("a: !!python/object/apply:os.system [ls]\n", "f.yaml:1:4: tags"),
        ("a: !!str 1\n", "f.yaml:1:4: tags"),
        ("a: !mine 1\n", "f.yaml:1:4: tags"),
        ("a: 1\nb: 2\na: 3\n", "f.yaml:3:1: 'a' stands twice; it is first on line 1"),
        ("a: 1\n---\nb: 2\n", "f.yaml:2:1: a second document begins here"),
        ("a: [1\n", "f.yaml:2:1: is not YAML"),
        ("a: b: c\n", "f.yaml:1:5: is not YAML"),
        ("a: \x07\n", "f.yaml:1:4: is not YAML: the character '\\x07' is not allowed"),
        ("1: a\n", "f.yaml:1:1: a name must be text (got 1)"),
        ("[a]: 1\n", "f.yaml:1:1: a name must be text (got a list)"),
        ("a: .nan\n", "f.yaml:1:4: not a number"),
        ("%YAML 1.1\n---\na: yes\n", "f.yaml:2:1: %YAML and %TAG directives are not allowed"),
        ("a: " + "9" * 5000, "f.yaml:1:4: '9999"),
        ("a: " + "[" * 40 + "]" * 40, "f.yaml:1:35: nested deeper than 32 levels"),
        ("a: [" + "1," * 60_000 + "]", "the file holds more than 50000 values"),
        ("a: " + "x" * (1 << 20), "f.yaml:1:1: the file is larger than 1 MiB"),
    ],
)
def test_what_is_not_names_and_values_is_refused_with_its_place(text, message):
    with pytest.raises(WorkflowError) as caught:
        yaml.parse(text, "f.yaml")
    assert message in str(caught.value)


def test_a_bomb_is_refused_before_it_is_expanded():
    rows = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    rows += [f"a{i}: &a{i} [" + ", ".join([f"*a{i - 1}"] * 9) + "]" for i in range(1, 40)]
    read = []
    text = "\n".join(rows)
    start = time.perf_counter()
    with pytest.raises(WorkflowError, match=r":1:5: anchors"):
        read.append(yaml.parse(text))
    assert not read
    assert time.perf_counter() - start < 5  # expanded it would outlive the universe


def test_ten_thousand_brackets_do_not_reach_the_stack():
    with pytest.raises(WorkflowError, match="nested deeper"):
        yaml.parse("[" * 10_000)


def test_files_are_utf_8(tmp_path: Path):
    path = tmp_path / "w.yaml"
    path.write_bytes(b"\xef\xbb\xbfname: caf\xc3\xa9\n")
    assert yaml.load(path).plain() == {"name": "café"}
    path.write_bytes(b"name: a\nb: caf\xe9\n")
    with pytest.raises(WorkflowError, match=r"w\.yaml:2:7: is not UTF-8"):
        yaml.load(path)


def test_a_file_that_is_too_large_is_not_read_whole(tmp_path: Path):
    path = tmp_path / "w.yaml"
    path.write_bytes(b"\xff" * (3 << 20))
    with pytest.raises(WorkflowError, match="larger than 1 MiB"):
        yaml.load(path)
    with pytest.raises(WorkflowError, match="cannot be read"):
        yaml.load(tmp_path)


def test_dump_is_read_back():
    data = {
        "name": "x",
        "text": "yes: no # 1",
        "numbers": (1, 2.5, float("inf")),
        "odd": ["1", "true", "null", "", "~", "2020-01-01", "<<", "=", "0x1f", "1_000", " a", "a\nb", "\u2028", "é"],
        "deep": {"disk": 3, "none": None, "flag": False},
    }
    text = yaml.dump(data)
    assert yaml.parse(text).plain() == {**data, "odd": tuple(data["odd"])}
    assert "numbers: [1, 2.5, .inf]" in text
