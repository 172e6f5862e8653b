import pickle

import dask.array as da
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from sklearn.base import BaseEstimator

from bigimg.learn import Mahalanobis, MiniBatchKMeans, StandardScaler
from bigimg.learn.rows import read_rows

ROWS = np.random.default_rng(0).normal(size=(60, 3))
NAMES = ["area", "mean", "std"]


def as_frame(rows):
    return pd.DataFrame(rows, columns=NAMES)


def as_dask(rows):
    return da.from_array(rows, chunks=(17, 2))


def as_labelled(rows):
    return xr.DataArray(
        rows, dims=("object", "feature"), coords={"object": np.arange(len(rows)) * 10, "feature": NAMES, "time": 3}
    )


def as_lazy_labelled(rows):
    return as_labelled(rows).chunk(object=13)


KINDS = [np.asarray, as_frame, as_dask, as_labelled, as_lazy_labelled]
MODELS = [
    (MiniBatchKMeans(3), ["predict", "transform"]),
    (Mahalanobis(), ["predict", "score_samples", "decision_function"]),
    (StandardScaler(), ["transform"]),
]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("model", "methods"), MODELS)
def test_what_goes_in_comes_out(model, methods, kind):
    reference = model.fit(ROWS)
    expected = {method: getattr(reference, method)(ROWS) for method in methods}
    rows = kind(ROWS)
    model.fit(rows)
    for method in methods:
        result = getattr(model, method)(rows)
        assert isinstance(result, np.ndarray if kind is as_frame else type(rows))
        assert np.array_equal(np.asarray(result), expected[method])
        assert result.dtype == expected[method].dtype
        if isinstance(rows, xr.DataArray):
            assert result.dims[0] == "object"
            assert np.array_equal(result["object"], rows["object"])
            same_columns = isinstance(model, StandardScaler)
            assert ("feature" in result.coords) == same_columns
            assert (result.dims == rows.dims) == same_columns
            assert result["time"] == 3


def test_predictions_of_lazy_rows_are_lazy():
    def never(block):
        raise AssertionError("computed before it was asked for")

    lazy = da.from_array(ROWS, chunks=20).map_blocks(never, dtype=float, meta=np.empty((0, 0)))
    for model, methods in MODELS:
        model.fit(ROWS)
        for method in methods:
            result = getattr(model, method)(lazy)
            assert isinstance(result, da.Array)
            assert result.chunks[0] == (20, 20, 20)


def test_a_model_travels_once_and_not_with_every_task():
    rows = np.random.default_rng(0).normal(size=(500, 100))
    model = MiniBatchKMeans(50, n_init=1).fit(rows)
    lazy = da.zeros((100_000, 100), chunks=(500, 100))
    for result in (model.predict(lazy), model.transform(lazy)):
        assert len(pickle.dumps(result)) < 5 * model.cluster_centers_.nbytes


def test_chunks_of_unknown_length_and_empty_ones():
    lazy = da.from_array(ROWS, chunks=(10, 3))
    some = lazy[(lazy[:, 0] > 0) & (da.arange(60, chunks=10) >= 20)]
    known = ROWS[20:][ROWS[20:, 0] > 0]
    assert np.array_equal(MiniBatchKMeans(2).fit(some).cluster_centers_, MiniBatchKMeans(2).fit(known).cluster_centers_)
    assert np.array_equal(Mahalanobis().fit(some).covariance_, Mahalanobis().fit(known).covariance_)
    assert np.isnan(some.shape[0])


def test_column_names_are_learnt_and_compared():
    model = MiniBatchKMeans(2).fit(as_lazy_labelled(ROWS))
    assert model.feature_names_in_.tolist() == NAMES
    assert np.array_equal(model.predict(as_frame(ROWS)), model.predict(as_labelled(ROWS)))
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(as_frame(ROWS)[NAMES[::-1]])
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(as_labelled(ROWS)[:, ::-1])


def test_another_number_of_columns_is_refused_lazily_too():
    model = Mahalanobis().fit(as_dask(ROWS))
    for rows in (ROWS[:, :2], as_dask(ROWS)[:, :2]):
        with pytest.raises(ValueError, match="expecting 3 features"):
            model.predict(rows)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("model", [MiniBatchKMeans(2), Mahalanobis(), StandardScaler()])
def test_a_value_that_is_not_finite_is_named(model, kind, bad):
    rows = ROWS.copy()
    rows[33, 1] = bad
    column = "column 1" if kind in (np.asarray, as_dask) else "column 'mean'"
    with pytest.raises(ValueError, match=rf"(NaN|infinity).*{column}, row 33"):
        model.fit(kind(rows))
    model.fit(kind(ROWS))
    method = model.transform if isinstance(model, StandardScaler) else model.predict
    with pytest.raises(ValueError, match=rf"(NaN|infinity).*{column}"):
        np.asarray(method(kind(rows)))


def test_nullable_columns_with_missing_values_are_named():
    frame = pd.DataFrame({"area": pd.array([1, 2, None, 4], dtype="Int64"), "mean": [1.0, 2.0, 3.0, 4.0]})
    with pytest.raises(ValueError, match=r"NaN.*column 'area', row 2"):
        Mahalanobis().fit(frame)


def test_huge_finite_values_are_taken():
    rows = np.array([[3e38], [3e38], [-3e38]], np.float32)
    assert StandardScaler().fit(rows).n_samples_seen_ == 3


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (da.zeros((4, 2, 2)), "Expected 2D array, got 3D"),
        (da.zeros(4), "Expected 2D array, got 1D"),
        (xr.DataArray(np.zeros(4)), "Expected 2D array, got 1D"),
        (da.zeros((4, 2), dtype=complex), "real numbers, got dtype complex128"),
        (da.zeros((0, 2)), "0 sample"),
        (da.zeros((3, 0)), "0 feature"),
    ],
)
def test_what_is_no_matrix_is_refused(rows, message):
    with pytest.raises(ValueError, match=message):
        StandardScaler().fit(rows)


def test_integers_become_float64_and_float32_stays():
    class Any(BaseEstimator):
        pass

    assert read_rows(Any(), np.ones((2, 2), np.uint8), reset=True).data.dtype == np.float64
    assert read_rows(Any(), np.ones((2, 2), np.float32), reset=True).data.dtype == np.float32
    assert MiniBatchKMeans(1).fit(da.ones((4, 2), dtype="u1")).inertia_ == 0.0
