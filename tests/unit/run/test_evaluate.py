"""A workflow on one image: lazy, step by step, and errors that say which step of which image."""

from typing import Any, cast

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import bigimg
from bigimg.engine.lazy import from_store
from bigimg.errors import ImageError, RunError
from bigimg.run.evaluate import evaluate, final_tables, learn, table_steps
from bigimg.run.steps import Step
from bigimg.run.workflow import Workflow
from bigimg.testing import nothing_computes, random_image

NUCLEI = Workflow.load("nuclei")


def lazy(image: np.ndarray, tile: int = 16) -> xr.DataArray:
    dims = ("c", "y", "x")[-image.ndim :]
    return xr.DataArray(from_store(cast("Any", image), (*image.shape[:-2], tile, tile)), dims=dims, name="cell")


def steps(text: str) -> Workflow:
    return Workflow.parse("name: w\nsteps:\n" + text)


def test_nothing_is_computed():
    with nothing_computes():
        found = evaluate(NUCLEI, lazy(random_image((60, 50), "uint8")))
    assert list(found.results) == [
        "stain", "smooth", "threshold", "opened", "filled", "nuclei_mask", "nuclei", "measured",
    ]  # fmt: skip
    assert list(found.tables) == ["measured"]
    assert list(found.thresholds) == ["threshold"]


def test_results_are_those_of_the_operations_called_by_hand():
    image = random_image((3, 60, 50), "uint8")
    found = evaluate(NUCLEI, lazy(image)).results
    stain = bigimg.color.nuclear_stain(image)
    mask = bigimg.threshold.peak_fraction(bigimg.filters.gaussian(stain, sigma=1.0), fraction=0.3)
    mask = bigimg.morphology.remove_small_holes(bigimg.morphology.opening(mask, footprint={"disk": 1}), max_size=100)
    min_size = next(step.params["min_size"] for step in NUCLEI.steps if step.name == "nuclei_mask")
    mask = bigimg.morphology.remove_small_objects(mask, min_size=min_size, connectivity=1)
    labels = bigimg.segmentation.split_touching(mask)
    np.testing.assert_array_equal(found["nuclei"].values, labels)
    properties = next(step.params["properties"] for step in NUCLEI.steps if step.name == "measured")
    table = bigimg.measure.regionprops_table(labels, stain, properties=properties)
    pd.testing.assert_frame_equal(found["measured"].compute(), table)


@pytest.mark.parametrize("method", ["otsu", "li", "triangle"])
def test_the_threshold_of_the_report_is_the_one_that_was_used(method):
    image = random_image((40, 50), "uint8")
    found = evaluate(steps(f"- op: threshold.{method}\n"), lazy(image))
    histogram, value = found.thresholds[method]
    np.testing.assert_array_equal(found.results[method].values, image > value.compute())
    assert histogram.compute().counts.sum() == image.size


def test_the_value_of_a_threshold_takes_those_of_its_parameters_that_it_knows():
    image = random_image((40, 50), "uint8")
    found = evaluate(steps("- {op: threshold.peak_fraction, fraction: 0.4, floor: 0.2}\n"), lazy(image))
    value = found.thresholds["peak_fraction"][1].compute()
    assert value == bigimg.threshold.peak_fraction_value(image, floor=0.2)


def test_steps_may_go_back_to_the_input_and_to_one_another():
    image = random_image((40, 50), "uint8")
    flow = steps(
        "- {op: filters.gaussian, sigma: 1}\n- {name: mask, op: threshold.fixed, value: 90}\n"
        "- {name: raw, op: filters.median, size: 3, from: input}\n- {op: measure.label, from: mask}\n"
        "- {op: measure.regionprops_table, intensity_image: input}\n"
    )
    found = evaluate(flow, lazy(image)).results
    np.testing.assert_array_equal(found["raw"].values, bigimg.filters.median(image, size=3))
    labels = bigimg.measure.label(bigimg.filters.gaussian(image, sigma=1) > 90)
    expected = bigimg.measure.regionprops_table(labels, image)
    pd.testing.assert_frame_equal(found["regionprops_table"].compute(), expected)


def test_a_value_is_a_table_of_one_row():
    flow = steps("- op: threshold.otsu_value\n")
    found = evaluate(flow, lazy(random_image((9, 9), "uint8"))).tables
    assert list(found) == ["otsu_value"]
    assert list(final_tables(flow, found)) == ["otsu_value"]


@pytest.mark.parametrize(
    ("text", "image", "words"),
    [
        ("- op: measure.label\n", random_image((9, 9), "uint8"), "cell: step 'label': .*boolean masks"),
        ("- op: measure.regionprops_table\n", random_image((9, 9), "float32"), "labels are integers"),
        (
            "- {name: colour, op: color.hematoxylin}\n",
            random_image((9, 9), "uint8"),
            "cell: step 'colour': .*named 'c'",
        ),
    ],
)
def test_an_error_says_which_step_of_which_image(text, image, words):
    with pytest.raises(ImageError, match=words):
        evaluate(steps(text), lazy(image))


def test_only_the_last_of_tables_that_grow_is_kept():
    assert [step.name for step in table_steps(NUCLEI)] == ["grouped", "objects"]
    rows = pd.DataFrame({"item": "a", "label": [1, 2, 3]})
    assert list(final_tables(NUCLEI, dict.fromkeys(("measured", "grouped", "objects"), rows))) == ["objects"]
    both = steps(
        "- op: learn.image_features\n- {name: groups, op: learn.cluster}\n"
        "- {name: odd, op: learn.anomalies, from: image_features}\n"
    )
    rows = pd.DataFrame({"item": ["a", "b"]})
    assert list(final_tables(both, dict.fromkeys(("image_features", "groups", "odd"), rows))) == ["groups", "odd"]


def test_a_table_that_is_summed_up_is_kept_beside_the_sums():
    flow = steps(
        "- {op: threshold.fixed, value: 9}\n- op: measure.label\n- op: measure.regionprops_table\n"
        "- {op: track.link, search_range: 9}\n- op: track.summary\n"
    )
    objects = pd.DataFrame({"item": "a", "label": [1, 2]})
    tables = {"regionprops_table": objects, "link": objects, "summary": pd.DataFrame({"item": "a", "track_id": [1, 2]})}
    assert list(final_tables(flow, tables)) == ["link", "summary"]


def test_objects_of_a_video_have_the_times_of_their_frames():
    video = np.zeros((4, 9, 9), "uint8")
    video[1:, 2:5, 3:5] = 9
    pixels = from_store(cast("Any", video), (1, 9, 9))
    image = xr.DataArray(pixels, {"time": ("t", [0.5, 0.7, 1.5, 1.6])}, ("t", "y", "x"), name="clip")
    flow = steps("- {op: threshold.fixed, value: 3}\n- op: measure.label\n- op: measure.regionprops_table\n")
    table = evaluate(flow, image).tables["regionprops_table"].compute()
    assert list(table.columns[:3]) == ["t", "time", "label"]
    assert table["time"].tolist() == [0.7, 1.5, 1.6]


def test_learning_takes_the_rows_of_all_images():
    table = pd.DataFrame({"item": list("aabb"), "label": [1, 2, 1, 2], "area": [1.0, 9.0, 1.1, 9.1]})
    flow = Workflow.of(
        "w",
        [
            Step(op="threshold.otsu"),
            Step(op="measure.label"),
            Step(op="measure.regionprops_table", name="rows"),
            Step(op="learn.cluster", params={"n_clusters": 2}),
        ],
    )
    learnt = learn(flow, {"rows": table})
    assert learnt["cluster"]["cluster"].tolist() == [0, 1, 0, 1]
    assert "cluster" not in learnt["rows"], "the table that went in stays as it is"


def test_an_error_of_learning_says_which_step():
    flow = steps("- op: learn.image_features\n- {name: groups, op: learn.cluster, columns: [weight]}\n")
    with pytest.raises(RunError, match=r"step 'groups' \(learn.cluster\): .*weight"):
        learn(flow, {"image_features": pd.DataFrame({"item": ["a"], "mean": [1.0]})})
