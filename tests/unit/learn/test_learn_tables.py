import warnings

import numpy as np
import pandas as pd
import pytest

from bigimg.errors import ParameterError, UnknownNameError
from bigimg.learn import anomaly_table, cluster_table


@pytest.fixture
def table():
    rng = np.random.default_rng(0)
    small = {"area": rng.normal(100, 5, 80), "eccentricity": rng.normal(0.2, 0.02, 80)}
    large = {"area": rng.normal(105, 5, 40), "eccentricity": rng.normal(0.8, 0.02, 40)}
    frame = pd.concat([pd.DataFrame(small), pd.DataFrame(large)], ignore_index=True)
    frame["label"] = np.arange(1, 121)
    frame["holes"] = 0
    frame.index = pd.Index(range(1000, 1120), name="object")
    return frame


COLUMNS = ["area", "eccentricity", "holes"]


def test_units_do_not_decide_the_clusters(table):
    cluster = cluster_table(table, COLUMNS, n_clusters=2)
    assert cluster.name == "cluster"
    assert cluster.index.equals(table.index)
    assert cluster.tolist() == [0] * 80 + [1] * 40
    metres = table.assign(area=table["area"] * 1e-12)
    assert cluster_table(metres, COLUMNS, n_clusters=2).equals(cluster)


def test_rows_with_missing_values_are_left_out_of_everything(table):
    holed = table.copy()
    holed.loc[1003, "area"] = np.nan
    holed.loc[1007, "eccentricity"] = np.inf
    cluster, score = cluster_table(holed, COLUMNS, n_clusters=2), anomaly_table(holed, COLUMNS)
    assert cluster[cluster.isna()].index.tolist() == [1003, 1007]
    assert score[score.isna()].index.tolist() == [1003, 1007]
    without = table.drop([1003, 1007])
    assert cluster.dropna().equals(cluster_table(without, COLUMNS, n_clusters=2))
    assert score.dropna().equals(anomaly_table(without, COLUMNS))


def test_the_odd_row_scores_highest(table):
    table.loc[1050, "area"] = 400.0
    score = anomaly_table(table, COLUMNS)
    assert score.name == "anomaly_score"
    assert score.idxmax() == 1050
    assert score.min() >= 0


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_tables_with_hardly_any_rows(table, count):
    few = table.iloc[:count]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        cluster, score = cluster_table(few, COLUMNS, n_clusters=8), anomaly_table(few, COLUMNS)
    assert sorted(cluster) == list(range(count))
    assert len(score) == count
    assert np.isfinite(score).all()


def test_fewer_distinct_rows_than_clusters(table):
    same = pd.DataFrame({"area": [1.0] * 500 + [2.0] * 300, "mean": 3.0})
    cluster = cluster_table(same, ["area", "mean"], n_clusters=5)
    assert cluster.tolist() == [0] * 500 + [1] * 300
    assert (anomaly_table(same.iloc[:500], ["area", "mean"]) == 0).all()


def test_only_missing_values():
    nothing = pd.DataFrame({"area": [np.nan, np.nan]})
    assert cluster_table(nothing, ["area"]).isna().all()
    assert anomaly_table(nothing, ["area"]).isna().all()


def test_integer_boolean_and_nullable_columns():
    frame = pd.DataFrame(
        {"a": [1, 2, 30, 31], "b": [True, True, False, False], "c": pd.array([1, None, 5, 5], dtype="Int64")}
    )
    assert cluster_table(frame, ["a", "b"], n_clusters=2).tolist() == [0, 0, 1, 1]
    assert cluster_table(frame, ["a", "b", "c"], n_clusters=2).isna().tolist() == [False, True, False, False]


def test_mistakes_are_named(table):
    with pytest.raises(UnknownNameError, match="unknown column 'aera'; did you mean 'area'"):
        cluster_table(table, ["aera"])
    with pytest.raises(ParameterError, match="column 'name' must be numeric"):
        anomaly_table(table.assign(name="x"), ["name"])
    with pytest.raises(ParameterError, match="at least one column"):
        anomaly_table(table, [])
    with pytest.raises(ParameterError, match="n_clusters"):
        cluster_table(table, COLUMNS, n_clusters=0)
