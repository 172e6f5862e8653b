"""How well the workflow that ships finds nuclei: real images, with masks drawn by people."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from skimage import io

from bigimg import measure, segmentation
from bigimg.run.catalog import operations
from bigimg.run.workflow import Workflow

DATA = Path(__file__).parents[3] / ".." / "shared" / "data" / "nuclei"

pytestmark = pytest.mark.skipif(not DATA.exists(), reason="no folder of nuclei beside the checkout (../shared/data)")


def images(kind, step):
    """Yield image and truth of every ``step``-th image that no parameter was chosen on: those of odd place."""
    index = pd.read_csv(DATA / "index.csv")
    unseen = index[(index.index % 2 == 1) & (index.kind == kind)]
    for name in unseen.id[::step]:
        image = io.imread(DATA / "images" / f"{name}.png")
        image = np.ascontiguousarray(np.moveaxis(image, -1, 0)) if image.ndim == 3 else image
        yield image, io.imread(DATA / "labels" / f"{name}.png").astype(np.int64)


def found(image):
    """Return the labels of the workflow."""
    known, result = operations(), image
    for step in Workflow.load("nuclei").steps:
        result = known[step.op](result, **step.params)
        if step.kind == "labels":
            return result
    raise AssertionError("the workflow gives no labels")


def f1(labels, truth):
    return measure.matching_scores(labels, truth, thresholds=[0.5])["f1"].iloc[0]


@pytest.mark.parametrize(("kind", "step", "least"), [("fluo", 1, 0.87), ("colour", 2, 0.55)])
def test_nuclei_are_found(kind, step, least):
    scores = [f1(found(image), truth) for image, truth in images(kind, step)]
    assert len(scores) > 5
    assert np.mean(scores) >= least


def test_what_people_took_apart_is_split_where_the_mask_is_right():
    scores = {True: [], False: []}
    for _, truth in images("fluo", 2):
        scores[True].append(f1(segmentation.split_touching(truth > 0), truth))
        scores[False].append(f1(measure.label(truth > 0), truth))
    assert np.mean(scores[True]) >= 0.96
    assert np.mean(scores[True]) > np.mean(scores[False]) + 0.03
