"""Laws of workflow files: what is written down is what is read back, and no text breaks the reader."""

from hypothesis import given, settings
from hypothesis import strategies as st

from bigimg.errors import WorkflowError
from bigimg.run import yaml
from bigimg.run.steps import Step
from bigimg.run.workflow import Workflow

from ..unit.run.conftest import CATALOG  # noqa: TID252 - tests are not installed, so no absolute name is sure

text = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=40)
numbers = st.floats(allow_nan=False)
plain = st.none() | st.booleans() | st.integers() | numbers | text
footprints = st.fixed_dictionaries({"disk": st.integers(0, 4)}) | st.sampled_from([[[1, 1], [0, 1]], [[1, 0, 1]]])


@st.composite
def workflows(draw):
    """A chain from image to table with random parameters, names and branches."""
    steps = []

    def add(op, params, sources=()):
        name = draw(st.just("") | st.just(f"step_{len(steps)}"))
        taken = {step.name or step.op.rpartition(".")[2] for step in steps}
        if (name or op.rpartition(".")[2]) in taken:
            name = f"again-{len(steps)}"
        source = draw(st.sampled_from(["", *sources]))
        steps.append(Step(op=op, name=name, source=source, params=params, keep=draw(st.sampled_from([None, True]))))
        return steps[-1].name or op.rpartition(".")[2]

    images = ["input"]
    for _ in range(draw(st.integers(0, 3))):
        if draw(st.booleans()):
            sigma = draw(st.integers(1, 9) | st.floats(0.01, 1e6))
            images.append(add("filters.gaussian", {"sigma": sigma}, images))
        else:
            images.append(add("morphology.opening", {"footprint": draw(footprints)}, images))
    add("threshold.fixed", {"value": draw(numbers)}, images)
    add("measure.label", {"connectivity": draw(st.sampled_from([None, 1, 2]))})
    properties = draw(st.lists(text, max_size=3))
    add(
        "measure.regionprops_table", {"properties": tuple(properties), "intensity_image": draw(st.sampled_from(images))}
    )
    add("learn.cluster", {"n_clusters": draw(st.integers(2, 99)), "note": draw(text)})
    return Workflow.of(
        draw(text.filter(str.strip)),
        steps,
        description=draw(text),
        on_error=draw(st.sampled_from(["fail", "skip"])),
        tile=draw(st.none() | st.integers(1, 10**6)),
        catalog=CATALOG,
    )


@given(workflows())
@settings(deadline=None, max_examples=60)
def test_a_workflow_reads_back_equal(workflow):
    again = Workflow.parse(workflow.dump(), catalog=CATALOG)
    assert again == workflow
    assert again.sha256 == workflow.sha256
    assert again.dump() == workflow.dump()


@given(st.dictionaries(text, st.recursive(plain, lambda inner: st.lists(inner, max_size=3), max_leaves=8), max_size=5))
@settings(deadline=None, max_examples=60)
def test_plain_data_reads_back_equal(data):
    def tuples(value):
        return tuple(map(tuples, value)) if isinstance(value, list) else value

    assert yaml.parse(yaml.dump(data)).plain() == {name: tuples(value) for name, value in data.items()}


@given(st.text(max_size=200) | st.text("[]{}:,-&*!|>%@`'\"# \n\tab01", max_size=200))
@settings(deadline=None, max_examples=200)
def test_any_text_is_read_or_refused_with_its_place(given_text):
    try:
        yaml.parse(given_text, "f.yaml")
    except WorkflowError as error:
        place = str(error).split(":")
        assert place[0] == "f.yaml"
        assert int(place[1]) >= 1
        assert int(place[2]) >= 1
