"""Workflows: the grammar, what is filled in, what is refused and where, and writing them down again."""

import re
from pathlib import Path

import numpy as np
import pytest

from bigimg import shipped
from bigimg.core.footprint import disk
from bigimg.errors import UnknownNameError, WorkflowError
from bigimg.run.catalog import operations
from bigimg.run.steps import Step, image_parameters
from bigimg.run.workflow import Workflow

NUCLEI = """\
name: nuclei
description: Segment nuclei and measure them.
on_error: skip
tile: 2048
steps:
- name: smooth
  op: filters.gaussian
  sigma: 1.5
- name: mask
  op: threshold.otsu
- op: morphology.opening
  footprint: {disk: 2}
- op: morphology.remove_small_objects
  min_size: 30
- name: objects
  op: measure.label
- name: table
  op: measure.regionprops_table
  intensity_image: smooth
  properties: [label, area, eccentricity]
- op: learn.cluster
  n_clusters: 4
  keep: false
"""


def one(body: str) -> str:
    return f"name: w\nsteps:\n{body}"


def test_what_is_left_out_is_filled_in(catalog):
    workflow = Workflow.parse(NUCLEI, catalog=catalog)
    assert [step.name for step in workflow.steps] == [
        "smooth", "mask", "opening", "remove_small_objects", "objects", "table", "cluster"
    ]  # fmt: skip
    assert [step.source for step in workflow.steps] == ["input", *(step.name for step in workflow.steps[:-1])]
    assert [step.kind for step in workflow.steps] == ["image", "mask", "mask", "mask", "labels", "table", "table"]
    assert [step.keep for step in workflow.steps] == [False, False, False, False, True, True, False]
    assert (workflow.name, workflow.on_error, workflow.tile) == ("nuclei", "skip", 2048)
    table = workflow.steps[5]
    assert table.params == {"intensity_image": "smooth", "properties": ("label", "area", "eccentricity")}
    assert image_parameters(table, catalog[table.op]) == {"intensity_image": "smooth"}
    assert str(workflow).startswith("nuclei: smooth -> mask")


def test_a_dump_is_short_and_reads_back_equal(catalog):
    workflow = Workflow.parse(NUCLEI, catalog=catalog)
    assert workflow.dump() == NUCLEI
    again = Workflow.parse(workflow.dump(), catalog=catalog)
    assert again == workflow
    assert hash(again) == hash(workflow)


def test_python_and_yaml_make_the_same_workflow(catalog):
    made = Workflow.of(
        "nuclei",
        [
            Step(op="filters.gaussian", name="smooth", params={"sigma": np.float32(1.5)}),
            Step(op="threshold.otsu", name="mask", source="smooth"),
            Step(op="morphology.opening", params={"footprint": disk(2)}),
            Step(op="morphology.remove_small_objects", params={"min_size": 30}),
            Step(op="measure.label", name="objects"),
            Step(
                op="measure.regionprops_table",
                name="table",
                params={"intensity_image": "smooth", "properties": ("label", "area", "eccentricity")},
            ),
            Step(op="learn.cluster", params={"n_clusters": 4}, keep=False),
        ],
        description="Segment nuclei and measure them.",
        on_error="skip",
        tile=2048,
        catalog=catalog,
    )
    assert made == Workflow.parse(NUCLEI, catalog=catalog)


def test_the_digest_is_of_what_decides_the_results(catalog):
    workflow = Workflow.parse(NUCLEI, catalog=catalog)
    same = NUCLEI.replace("tile: 2048\n", "# a comment\n").replace("description: Seg", "description: 'Seg'#")
    same = same.replace("description: 'Seg'#ment nuclei and measure them.", "description: other")
    same = same.replace("  op: threshold.otsu", "  op: threshold.otsu\n  from: smooth")
    assert Workflow.parse(same, catalog=catalog).sha256 == workflow.sha256
    for old, new in [("1.5", "1.6"), ("skip", "fail"), ("name: mask", "name: mesk"), ("keep: false", "keep: true")]:
        assert Workflow.parse(NUCLEI.replace(old, new), catalog=catalog).sha256 != workflow.sha256


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("steps:\n- op: threshold.otsu\n", "w.yaml:1:1: a workflow needs 'name'"),
        ("name: w\n", "w.yaml:1:1: a workflow needs 'steps'"),
        ("just text", "w.yaml:1:1: a workflow must be a mapping of names to values (got 'just text')"),
        ("name: w\nstep:\n- op: threshold.otsu\n", "w.yaml:2:1: unknown key 'step'; did you mean 'steps'?"),
        ("name: w\nsteps: []\n", "w.yaml:2:8: steps must hold at least one step"),
        ("name: w\nsteps: threshold.otsu\n", "w.yaml:2:8: steps must be a list (got 'threshold.otsu')"),
        ("name: 3\nsteps: []\n", "w.yaml:1:7: name must be text (got 3)"),
        ("name: w\non_error: maybe\nsteps: []\n", "w.yaml:2:11: on_error must be 'fail' or 'skip' (got 'maybe')"),
        ("name: w\ntile: 0\nsteps: []\n", "w.yaml:2:7: tile must be a whole number of pixels, at least 1 (got 0)"),
        (one("- threshold.otsu\n"), "w.yaml:3:3: steps[0] must be a mapping of names to values"),
        (one("- sigma: 1\n"), "w.yaml:3:3: steps[0] needs op"),
        (one("- op: [a]\n"), "w.yaml:3:7: steps[0].op must be text (got a list)"),
        (one("- op: ''\n"), "w.yaml:3:7: steps[0].op is empty"),
        (
            one("- op: filters.gausian\n"),
            "w.yaml:3:7: steps[0].op: unknown operation 'filters.gausian'; did you mean 'filters.gaussian'?",
        ),
        (
            one("- op: gaussian\n"),
            "w.yaml:3:7: steps[0].op: unknown operation 'gaussian'; did you mean 'filters.gaussian'?",
        ),
        (
            one("- op: threshold.otsu\n- op: filters.gaussian\n  sigma: -1\n"),
            "w.yaml:5:10: steps[1].sigma must be greater than 0 (got -1)",
        ),
        (one("- op: filters.gaussian\n  sigma: big\n"), "w.yaml:4:10: steps[0].sigma must be a valid number"),
        (
            one("- op: filters.gaussian\n  sgma: 1\n"),
            "w.yaml:4:3: steps[0]: unknown parameter of filters.gaussian 'sgma'; did you mean 'sigma'?",
        ),
        (one("- op: filters.gaussian\n"), "w.yaml:3:7: steps[0] (filters.gaussian) needs sigma"),
        (
            one("- op: morphology.opening\n  footprint: {dsk: 3}\n"),
            "w.yaml:4:14: steps[0].footprint: unknown footprint 'dsk'; did you mean 'disk'?",
        ),
        (one("- op: morphology.opening\n  footprint: [[2]]\n"), "w.yaml:4:14: steps[0].footprint: a footprint is"),
        (one("- op: threshold.otsu\n  from: smooth\n"), "w.yaml:4:9: steps[0].from: no earlier step is named 'smooth'"),
        (
            one("- op: threshold.otsu\n  from: label\n- op: measure.label\n"),
            "w.yaml:4:9: steps[0].from: no earlier step is named 'label'",
        ),
        (
            one("- op: threshold.otsu\n- op: threshold.otsu\n  from: input\n"),
            "w.yaml:4:3: steps[1] and steps[0] are both named 'otsu'; give one of them a name",
        ),
        (one("- op: threshold.otsu\n  name: input\n"), "w.yaml:4:9: steps[0] cannot be named 'input': that is"),
        (one("- op: threshold.otsu\n  name: ../x\n"), "w.yaml:4:9: steps[0] cannot be named '../x': up to"),
        (
            one("- op: filters.gaussian\n  sigma: 1\n- op: measure.label\n"),
            (
                "w.yaml:5:3: steps[1] (measure.label) takes a mask, but 'gaussian' (filters.gaussian) gives an image; "
                "morphology.remove_small_objects, threshold.fixed, threshold.otsu give a mask"
            ),
        ),
        (
            one("- op: learn.cluster\n  n_clusters: 2\n"),
            "w.yaml:3:3: steps[0] (learn.cluster) takes a table, but the input is images",
        ),
        (
            one(
                "- op: measure.label\n- op: measure.regionprops_table\n- op: measure.regionprops_table\n"
                "  name: t\n  from: label\n  intensity_image: regionprops_table\n"
            ),
            (
                "w.yaml:8:20: steps[2].intensity_image of measure.regionprops_table takes an image, but "
                "'regionprops_table' (measure.regionprops_table) gives a table"
            ),
        ),
        (
            one("- op: measure.label\n- op: measure.regionprops_table\n  intensity_image: inptu\n"),
            "w.yaml:5:20: steps[1].intensity_image: no earlier step is named 'inptu'; did you mean 'input'?",
        ),
        (
            one("- op: measure.label\n- op: measure.regionprops_table\n  intensity_image: 3\n"),
            "w.yaml:5:20: steps[1].intensity_image must be the name of a step, or 'input' (got 3)",
        ),
        (one("- op: threshold.otsu\n  keep: maybe\n"), "w.yaml:4:9: steps[0].keep must be true or false"),
        (one("- op: threshold.otsu\n  keep: false\n"), "w.yaml:3:3: no step is kept"),
    ],
)
def test_what_cannot_work_is_refused_with_its_place(text, message, catalog):
    with pytest.raises(WorkflowError) as caught:
        Workflow.parse(text, "w.yaml", catalog)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (Step(op="filters.gaussian", params={"sigma": 0}), "steps[0].sigma must be greater than 0 (got 0)"),
        (
            Step(op="threshold.fixed", params={"value": float("nan")}),
            "steps[0].value must be a number, not NaN (got nan)",
        ),
        (Step(op="nothing"), "steps[0].op: unknown operation 'nothing'"),
    ],
)
def test_python_is_checked_as_yaml_is(step, message, catalog):
    with pytest.raises(WorkflowError, match="steps") as caught:
        Workflow.of("w", [step], catalog=catalog)
    assert message in str(caught.value)


def test_python_is_checked_at_the_top_too(catalog):
    step = Step(op="threshold.otsu")
    with pytest.raises(WorkflowError, match="at least one step"):
        Workflow.of("w", [], catalog=catalog)
    with pytest.raises(WorkflowError, match="on_error must be"):
        Workflow.of("w", [step], on_error="maybe", catalog=catalog)
    with pytest.raises(WorkflowError, match="tile must be"):
        Workflow.of("w", [step], tile=True, catalog=catalog)


def test_an_operation_that_gives_the_same_keeps_a_mask_a_mask(catalog):
    text = one("- op: threshold.otsu\n- op: morphology.opening\n- op: measure.label\n")
    assert [step.kind for step in Workflow.parse(text, catalog=catalog).steps] == ["mask", "mask", "labels"]


@pytest.mark.parametrize("before", ["", "- op: morphology.opening\n"])
def test_the_input_may_be_masks(before, catalog):
    workflow = Workflow.parse(one(f"{before}- op: measure.label\n"), catalog=catalog)
    assert workflow.steps[-1].kind == "labels"
    with pytest.raises(WorkflowError, match="takes a table, but the input is images"):
        Workflow.parse(one(f"{before}- op: learn.cluster\n  n_clusters: 2\n"), catalog=catalog)


def test_the_last_step_is_kept_whatever_it_gives(catalog):
    workflow = Workflow.parse(one("- op: filters.gaussian\n  sigma: 1\n"), catalog=catalog)
    assert workflow.steps[0].keep is True


def test_a_workflow_is_found_by_path_and_by_name(tmp_path: Path, monkeypatch, catalog):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "workflows").mkdir()
    (tmp_path / "workflows" / "mine.yaml").write_text(NUCLEI)
    assert Workflow.load("mine", catalog) == Workflow.load(tmp_path / "workflows" / "mine.yaml", catalog)
    with pytest.raises(UnknownNameError, match="did you mean 'nuclei'"):
        Workflow.load("nuclie", catalog)
    (tmp_path / "bad.yaml").write_text("name: [\n")
    with pytest.raises(WorkflowError, match=r"bad\.yaml:2:1: is not YAML"):
        Workflow.load("bad.yaml", catalog)


@pytest.mark.parametrize("name", shipped.names("workflows"))
def test_the_shipped_workflows_are_right(name):
    workflow = Workflow.load(name)
    assert workflow.name == name
    assert workflow.description
    assert Workflow.parse(workflow.dump()) == workflow


def test_the_examples_of_the_readme_are_right():
    readme = (shipped.folder("workflows") / "README.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```yaml\n(.*?)```", readme, re.DOTALL)
    assert len(Workflow.parse(example).steps) == 5
    (python,) = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)
    found = {}
    exec(python, found)
    assert found["workflow"].name == "cells_4"
    assert all(f"| `{name}` |" in readme for name in shipped.names("workflows"))


def test_the_measured_image_of_the_shipped_workflow_is_a_step():
    known = operations()
    steps = {step.name: step for step in Workflow.load("nuclei").steps}
    assert all(name in steps for name in image_parameters(steps["measured"], known[steps["measured"].op]).values())
    assert image_parameters(steps["measured"], known[steps["measured"].op])
