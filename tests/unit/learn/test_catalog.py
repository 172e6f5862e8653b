"""The steps of a workflow that learn: which columns they look at, and what becomes of rows that lack some."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from bigimg.errors import ParameterError
from bigimg.learn.catalog import anomalies, cluster, image_features, looks


def table(rows=30):
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "item": ["a"] * rows,
            "label": range(1, rows + 1),
            "bbox-0": 0,
            "centroid-0": 0.0,
            "area": rng.normal(100, 10, rows),
            "eccentricity": rng.random(rows),
        }
    )


def test_positions_and_numbers_are_not_looks():
    assert looks(table(), None) == ["area", "eccentricity"]
    assert looks(table(), ["area"]) == ["area"]
    with pytest.raises(ParameterError, match="measurement"):
        looks(table()[["item", "label"]], None)


def test_grey_images_among_coloured_ones_are_grouped_by_what_all_have():
    grey, coloured = np.zeros((8, 8), "uint8"), np.full((3, 8, 8), 200, "uint8")
    images = pd.concat([image_features(grey + shift) for shift in (0, 1)] + [image_features(coloured)])
    images = images.reset_index(drop=True)
    found = anomalies(cluster(images, n_clusters=2))
    assert found["cluster"].notna().all()
    assert found["anomaly_score"].notna().all()
    assert found["cluster"].tolist() == [0, 0, 1]


def test_a_column_that_lacks_values_is_looked_at_where_there_is_no_other():
    some = pd.DataFrame({"area": [1.0, 2.0, None]})
    assert looks(some, None) == ["area"]
    assert cluster(some, n_clusters=2)["cluster"].isna().tolist() == [False, False, True]


def test_empty_tables_keep_their_columns():
    empty = table().iloc[:0]
    assert cluster(empty).columns[-1] == "cluster"
    assert anomalies(empty).columns[-1] == "anomaly_score"
    with pytest.raises(ParameterError, match="kinds"):
        image_features(np.zeros((4, 4)), kinds=[])
