"""Clusters and odd rows of a table of features, such as the region table of an image collection.

Tables that come from measuring have what estimators refuse: columns of wildly different units, constant columns,
missing values (the skewness of an object of one pixel), and now and then hardly any rows. Here each has its rule:

* Every column is standardised first (:class:`bigimg.learn.StandardScaler`); a constant one becomes 0 and says nothing.
* A row with a missing or infinite value takes part in nothing and gets a missing result. All other rows are judged as
  if it were not there.
* Fewer rows than clusters: as many clusters as there are distinct rows. Fewer than two rows: nothing can be odd,
  score 0.

The clusters depend on the order of the rows (random choices go by row number): a table must be in a fixed order.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bigimg.errors import ParameterError, UnknownNameError
from bigimg.learn.kmeans import MiniBatchKMeans
from bigimg.learn.mahalanobis import Mahalanobis
from bigimg.learn.scaler import StandardScaler


def cluster_table(
    frame: pd.DataFrame, columns: Sequence[str], n_clusters: int = 8, random_state: int = 0
) -> pd.Series[Any]:
    """Return the k-means cluster of every row of ``frame`` by its standardised ``columns``.

    Parameters
    ----------
    frame
        A table of features.
    columns
        Names of the numeric columns to go by.
    n_clusters
        How many clusters; fewer where there are fewer distinct rows.
    random_state
        Seed.

    Returns
    -------
    Series
        ``cluster``, Int64, with the index of ``frame``; 0 is the largest cluster. Missing where a value of the row is.

    Raises
    ------
    UnknownNameError
        If a column is not in the table.
    ParameterError
        If a column is not numeric, or ``n_clusters`` is below 1.

    Examples
    --------
    >>> table = pd.DataFrame({"area": [10, 11, 500, 12], "eccentricity": [0.1, 0.2, 0.9, None]})
    >>> cluster_table(table, ["area", "eccentricity"], n_clusters=2).tolist()
    [0, 0, 1, <NA>]
    """
    matrix, usable = _features(frame, columns)
    result = pd.Series(pd.NA, index=frame.index, dtype="Int64", name="cluster")
    if usable.any():
        standardised = StandardScaler().fit_transform(matrix[usable])
        distinct = int((~pd.DataFrame(standardised).duplicated()).sum())
        model = MiniBatchKMeans(min(n_clusters, distinct), random_state=random_state)
        result[usable] = model.fit_predict(standardised)
    return result


def anomaly_table(frame: pd.DataFrame, columns: Sequence[str]) -> pd.Series[Any]:
    """Return how odd every row of ``frame`` is by its standardised ``columns``.

    Parameters
    ----------
    frame
        A table of features.
    columns
        Names of the numeric columns to go by.

    Returns
    -------
    Series
        ``anomaly_score``, float64, with the index of ``frame``: the squared Mahalanobis distance from the mean row
        under the Ledoit-Wolf covariance, *higher is more anomalous* (minus scikit-learn's ``score_samples``), about
        the number of columns for a row like most. NaN where a value of the row is missing.

    Raises
    ------
    UnknownNameError
        If a column is not in the table.
    ParameterError
        If a column is not numeric.

    Examples
    --------
    >>> table = pd.DataFrame({"area": [10, 11, 9, 10, 60], "mean": [5.0, 5.1, 4.9, 5.2, 5.0]})
    >>> int(anomaly_table(table, ["area", "mean"]).idxmax())
    4
    """
    matrix, usable = _features(frame, columns)
    scores = np.full(len(frame), np.nan)
    if usable.sum() == 1:
        scores[usable] = 0.0
    elif usable.any():
        standardised = StandardScaler().fit_transform(matrix[usable])
        model = Mahalanobis(shrinkage="ledoit_wolf", contamination="auto").fit(standardised)
        # 0 minus, so that the mean row scores 0 and not -0.
        scores[usable] = 0.0 - model.score_samples(standardised)
    return pd.Series(scores, index=frame.index, name="anomaly_score")


def _features(frame: pd.DataFrame, columns: Sequence[str]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return the columns as a matrix, and which rows of it have all values."""
    if not len(columns):
        raise ParameterError("a table is judged by at least one column (got none)")
    for name in columns:
        if name not in frame:
            raise UnknownNameError.of("column", name, map(str, frame))
        if not pd.api.types.is_numeric_dtype(frame[name]):
            raise ParameterError(f"column {name!r} must be numeric to be judged by (got {frame[name].dtype})")
    matrix = frame[list(columns)].to_numpy(dtype=np.float64, na_value=np.nan)
    return matrix, np.isfinite(matrix).all(axis=1)
