"""The steps of a workflow that learn: features of images, groups and odd ones among the rows of a table."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import partial
from typing import Annotated, Any, Literal

import numpy as np
import pandas as pd
import xarray as xr
from annotated_types import Ge, Le

from bigimg.core.operation import Pixels, Valid
from bigimg.core.parameters import Count, is_deferred
from bigimg.engine.faces import OperationFunction, composed, tilewise
from bigimg.engine.kinds import opened, reduce
from bigimg.engine.tree import combine
from bigimg.errors import ParameterError
from bigimg.learn import features
from bigimg.learn.spectra import SampleSpectra, SpectralClasses
from bigimg.learn.tables import anomaly_table, cluster_table
from bigimg.ops.catalog import operations_in
from bigimg.ops.color.bands import channel

CLUSTER = "cluster"
ANOMALY = "anomaly_score"

_NOT_LOOKS = ("item", "label", "bbox", "centroid", CLUSTER, ANOMALY)
"""Columns that say which object a row is and where, not how it looks."""


@composed(takes="image", gives="table", room="learn")
def image_features(image: Any, *, kinds: Sequence[Literal["histogram", "moments", "texture"]] = features.KINDS) -> Any:
    """Describe a whole image by its histogram, moments and texture.

    Parameters
    ----------
    image : (..., M, N) array of any kind
        The axes before the plane are channels.
    kinds : sequence of {"histogram", "moments", "texture"}
        Which features; see :mod:`bigimg.learn.features`.

    Returns
    -------
    pandas.DataFrame
        One row; lazy, with ``.compute()``, where the image is lazy. The same to the bit however the image is cut.

    Examples
    --------
    >>> import numpy as np
    >>> image_features(np.eye(8), kinds=["moments"])["moments-mean-0"].item()
    0.125
    """
    if not kinds:
        raise ParameterError("learn.image_features: kinds needs at least one of histogram, moments, texture (got none)")
    pixels = opened(image).pixels
    needs_range = features.default_range(pixels.dtype) is None
    value_range = reduce(features.Extent(), image) if needs_range else None
    parts = [
        reduce(reduction, image)
        for reduction in features.feature_reductions(pixels.dtype, kinds=tuple(kinds), value_range=value_range)
    ]
    return combine("features", _row, *parts) if is_deferred(parts[0]) else _row(*parts)


@composed(takes="image", gives="labels", room="learn")
def spectral_classes(
    image: Any,
    *,
    n_classes: Annotated[int, Ge(2), Le(255)] = 6,
    random_state: int = 0,
    sample_size: Annotated[int, Ge(256), Le(2**20)] = 32768,
) -> Any:
    """Divide the pixels of an image into classes by their spectra: k-means of standardised channels.

    Parameters
    ----------
    image : (..., C, M, N) array of any kind
        The channels of a pixel are its spectrum.
    n_classes : int
        How many classes, at least 2; fewer where there are fewer distinct spectra.
    random_state : int
        Seed of the sample and of k-means.
    sample_size : int
        How many pixels k-means works on, or all if there are fewer.

    Returns
    -------
    (..., M, N) array of uint8 of the same kind
        The class of each pixel, from 1; class 1 is the largest in the sample. 0 where a channel of the pixel is not
        valid.

    Notes
    -----
    The sample is drawn by a hash of the positions of valid pixels, and so the same however the image is cut. Centres
    are those that :class:`bigimg.learn.MiniBatchKMeans` finds in it after :class:`bigimg.learn.StandardScaler`, and
    every pixel has the class of the nearest one: of an image of no more than ``sample_size`` pixels that is k-means of
    all of them. A class of fewer than about ``20 / sample_size`` of the pixels may be missed. Classes have numbers, no
    names: what they are is for those who know the place.

    Examples
    --------
    >>> import numpy as np
    >>> spectral_classes(np.array([[[10, 11, 90]], [[50, 52, 20]]], "uint8"), n_classes=2)
    array([[1, 1, 2]], dtype=uint8)
    """
    plane = channel(image, index=0)
    sample = reduce(SampleSpectra(sample_size, random_state), plane, _channels_first(image))
    find = partial(SpectralClasses.of, n_classes=n_classes, random_state=random_state)
    return _classified(image, model=combine("centres", find, sample) if is_deferred(sample) else find(sample))


@tilewise(drops_channels=True, dtype="uint8", gives="labels", scratch=16)
def _classified(image: Pixels, *, model: Any, valid: Valid | None = None) -> Pixels:  # noqa: ARG001 - pixels stand alone
    """Give each pixel the class of the nearest centre."""
    return np.asarray(model.of_pixels(image))


def _channels_first(image: Any) -> Any:
    if isinstance(image, xr.DataArray):
        return image.transpose("c", ...)
    return image if image.ndim == 3 else np.moveaxis(image, -3, 0)


@composed(takes="table", gives="table", room="learn")
def cluster(
    table: pd.DataFrame, *, n_clusters: Count = 4, columns: Sequence[str] | None = None, random_state: int = 0
) -> pd.DataFrame:
    """Group the rows of a table by their looks: k-means of standardised columns.

    Parameters
    ----------
    table : pandas.DataFrame
        One row an object, or an image.
    n_clusters : int
        How many groups; fewer where there are fewer distinct rows.
    columns : sequence of str, optional
        What to look at; by default every measured column but position.
    random_state : int
        Seed.

    Returns
    -------
    pandas.DataFrame
        The table with a column ``cluster``: 0 is the largest group; missing where a value of the row is.

    Examples
    --------
    >>> table = pd.DataFrame({"label": [1, 2, 3], "area": [10.0, 500.0, 11.0]})
    >>> cluster(table, n_clusters=2)["cluster"].tolist()
    [0, 1, 0]
    """
    if table.empty:
        return table.assign(**{CLUSTER: pd.Series(dtype="Int64")})
    found = cluster_table(table, looks(table, columns), n_clusters, random_state)
    return table.assign(**{CLUSTER: found})


@composed(takes="table", gives="table", room="learn")
def anomalies(table: pd.DataFrame, *, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """Score how odd each row of a table is among the others: its Mahalanobis distance.

    Parameters
    ----------
    table : pandas.DataFrame
        One row an object, or an image.
    columns : sequence of str, optional
        What to look at; by default every measured column but position.

    Returns
    -------
    pandas.DataFrame
        The table with a column ``anomaly_score``: the higher, the odder; missing where a value of the row is.

    Examples
    --------
    >>> table = pd.DataFrame({"area": [10.0, 11.0, 12.0, 90.0, 11.0]})
    >>> int(anomalies(table)["anomaly_score"].idxmax())
    3
    """
    if table.empty:
        return table.assign(**{ANOMALY: pd.Series(dtype="float64")})
    return table.assign(**{ANOMALY: anomaly_table(table, looks(table, columns))})


def looks(table: pd.DataFrame, columns: Sequence[str] | None) -> list[str]:
    """Return the columns to look at: those named, or every measured one that is not a position.

    Where rows differ in what was measured of them (grey images among those of colours), the columns that all have.
    """
    if columns is not None:
        return list(columns)
    measured = [name for name in table.columns if table[name].dtype.kind in "iuf" and not name.startswith(_NOT_LOOKS)]
    if not measured:
        raise ParameterError(f"no column of the table is a measurement (columns: {', '.join(table.columns)})")
    shared = [name for name in measured if table[name].notna().all()]
    return shared or measured


def operations() -> dict[str, OperationFunction[...]]:
    """Return the steps that learn, by their name."""
    return operations_in(sys.modules[__name__])


def _row(*parts: features.ImageFeatures) -> pd.DataFrame:
    return pd.DataFrame([features.finish(parts)])
