"""Scores of tracks: those of py-motmetrics, and cases that can be counted by hand."""

import numpy as np
import pandas as pd
import pytest

from bigimg import track
from bigimg.errors import ParameterError

from .known_tracks import NAMES, SCORES, broken


@pytest.mark.parametrize("seed", range(len(SCORES)))
def test_the_scores_of_py_motmetrics(seed):
    found = track.scores(*broken(seed), max_distance=3.0)
    assert tuple(found.index) == NAMES
    np.testing.assert_allclose(found, SCORES[seed], rtol=1e-12)


def test_tracks_compared_with_themselves():
    truth, _ = broken(4)
    found = track.scores(truth, truth.sample(frac=1, random_state=0), max_distance=1e-6)
    assert found[["mota", "idf1", "precision", "recall"]].tolist() == [1, 1, 1, 1]
    assert found[["num_switches", "num_misses", "num_false_positives", "num_fragmentations"]].tolist() == [0, 0, 0, 0]


def test_nothing_to_find_and_nothing_found():
    truth, _ = broken(0)
    missed = track.scores(truth, truth.head(0), max_distance=1.0)
    assert missed[["mota", "idf1", "recall", "mostly_lost"]].tolist() == [0, 0, 0, truth.track_id.nunique()]
    assert np.isnan(missed["precision"])
    ghosts = track.scores(truth.head(0), truth, max_distance=1.0)
    assert ghosts["num_false_positives"] == len(truth)
    assert np.isnan(ghosts["mota"])
    assert track.scores(truth.head(0), truth.head(0), max_distance=1.0)["num_objects"] == 0


def test_by_boxes():
    truth = pd.DataFrame({"track_id": 1, "t": [0, 1, 2], "y": 0.0, "x": 0.0, "bbox-0": 0, "bbox-1": 0})
    truth = truth.assign(**{"bbox-2": 10, "bbox-3": 10})
    found = truth.assign(**{"bbox-1": [0, 2, 6], "bbox-3": [10, 12, 16]})  # IoU 1, 2/3, 1/4
    assert track.scores(truth, found, min_iou=0.5)["recall"] == 2 / 3
    assert track.scores(truth, found, min_iou=0.25)["recall"] == 1
    np.testing.assert_allclose(track.scores(truth, found, min_iou=0.25)["motp"], (0 + 1 / 3 + 3 / 4) / 3)


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({}, "needs one of max_distance and min_iou"),
        ({"max_distance": 1.0, "min_iou": 0.5}, "needs one of"),
        ({"max_distance": 0.0}, "max_distance must be greater than 0"),
        ({"min_iou": 1.5}, "min_iou must be above 0"),
        ({"min_iou": 0.5}, "no column 'bbox-0'"),
    ],
)
def test_bad_parameters_are_refused(params, said):
    with pytest.raises(ParameterError, match=said):
        track.scores(*broken(0), **params)


def test_bad_tables_are_refused():
    truth, found = broken(0)
    with pytest.raises(ParameterError, match="with a column 'track_id'"):
        track.scores(truth.drop(columns="track_id"), found, max_distance=1.0)
    with pytest.raises(ParameterError, match="more than once"):
        track.scores(truth, pd.concat([found, found]), max_distance=1.0)
    with pytest.raises(ParameterError, match="the same axes"):
        track.scores(truth, found.assign(z=1.0), max_distance=1.0)
