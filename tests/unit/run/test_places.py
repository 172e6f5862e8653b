"""Results of another shape, or at another place, than the image: stored where they can be, refused in the plan."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

import bigimg
from bigimg.engine.lazy import from_store
from bigimg.errors import WorkflowError
from bigimg.io.inputs import open_inputs
from bigimg.run.evaluate import evaluate
from bigimg.run.execute import Work, item_result
from bigimg.run.plan import Budget, plan_inputs
from bigimg.run.workflow import Workflow
from bigimg.testing import nothing_computes, random_image

IMAGE = random_image((60, 50), "uint8")
FOUND = "- {op: threshold.fixed, value: 100}\n- {op: measure.label}\n"
COUNTED = '- {op: measure.regionprops_table, properties: ["label", "area"]}\n'


def steps(text):
    return Workflow.parse("name: w\nsteps:\n" + text)


def lazy(image=IMAGE):
    return xr.DataArray(
        from_store(image, (*image.shape[:-2], 16, 16)), dims=("z", "y", "x")[-image.ndim :], name="cell"
    )


@pytest.mark.parametrize("op", ["transform.flip", "transform.rot90", "{op: transform.rotate, angle: 9}"])
def test_labels_of_a_moved_image_are_refused(op):
    first = op if op.startswith("{") else f"{{op: {op}}}"
    with pytest.raises(WorkflowError, match=r"cell: step 'label': labels .* moved by transform\..*keep: false"):
        evaluate(steps(f"- {first}\n" + FOUND), lazy())


@pytest.mark.parametrize("scale", [0.5, 2])
def test_labels_of_another_shape_are_refused(scale):
    flow = f"- {{op: transform.rescale, scale: {scale}}}\n" + FOUND
    with pytest.raises(WorkflowError, match=r"another shape \(y \d+, x \d+ of an image of y 60, x 50\).*keep: false"):
        evaluate(steps(flow), lazy())
    unkept = flow.replace("{op: measure.label}", "{op: measure.label, keep: false}") + COUNTED
    with nothing_computes():
        found = evaluate(steps(unkept), lazy())
    small = bigimg.transform.rescale(IMAGE, scale)
    assert len(found.tables["regionprops_table"].compute()) == bigimg.measure.label(small > 100).max()


def test_labels_brought_back_are_kept():
    back = "- {op: transform.resize, output_shape: [60, 50], order: 0, name: back}\n"
    flow = "- {op: transform.rescale, scale: 0.5}\n" + FOUND.replace("label}", "label, keep: false}") + back
    found = evaluate(steps(flow), lazy())
    assert found.results["back"].dtype == "uint32"
    assert next(step.kind for step in found.steps if step.name == "back") == "labels"


def test_labels_of_a_projection_lie_over_the_stack():
    flow = steps("- {op: transform.project, axis: z}\n" + FOUND)
    assert evaluate(flow, lazy(np.stack([IMAGE, IMAGE]))).results["label"].dims == ("y", "x")
    with pytest.raises(WorkflowError, match="another shape"):
        evaluate(steps("- {op: transform.project, axis: y}\n" + FOUND), lazy(np.stack([IMAGE, IMAGE])))


def test_a_moved_image_is_not_put_together_with_one_that_is_not():
    flow = "- {op: transform.flip}\n" + FOUND.replace("label}", "label, keep: false}")
    wrong = flow + "- {op: measure.regionprops_table, intensity_image: input}\n"
    with pytest.raises(WorkflowError, match=r"'label' and, as intensity_image, 'input' .*moved by transform\.flip"):
        evaluate(steps(wrong), lazy())
    evaluate(steps(flow + "- {op: measure.regionprops_table, intensity_image: flip}\n"), lazy())


def test_images_of_another_shape_are_stored_with_their_own_pixels(tmp_path):
    (tmp_path / "in").mkdir()
    np.save(tmp_path / "in" / "a.npy", random_image((300, 200), "uint8"))
    flow = steps("- {op: filters.gaussian, sigma: 1}\n- {op: transform.rescale, scale: 0.37}\n")
    inputs = open_inputs(tmp_path / "in")
    made = plan_inputs(flow, inputs, Budget(1, 1, 4 * 2**30), 64)
    source = inputs.sources["a"]
    here = Work(flow, tmp_path / "out.building", tmp_path / "out", 64)
    item_result(here, "a", source).compute(scheduler="sync")
    folder = here.folder / "images" / "a" / "steps" / "rescale"
    stored = bigimg.open(folder)["rescale"]
    wanted = bigimg.transform.rescale(bigimg.filters.gaussian(source[:, :], sigma=1.0), 0.37)
    np.testing.assert_array_equal(stored.values, wanted)
    assert [stage.tiles for stage in made.stages] == [20, 20]
