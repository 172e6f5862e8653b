import pickle
import warnings

import dask
import dask.array as da
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.cluster import MiniBatchKMeans as PeerKMeans
from sklearn.datasets import load_digits, make_blobs
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.metrics import adjusted_rand_score
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks

from bigimg.errors import ParameterError
from bigimg.learn import MiniBatchKMeans, StandardScaler


@parametrize_with_checks([MiniBatchKMeans(), MiniBatchKMeans(3, n_init=1, sample_size=20)])
@pytest.mark.filterwarnings("ignore:Number of distinct clusters:sklearn.exceptions.ConvergenceWarning")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
def test_the_contract_of_scikit_learn(estimator, check):
    check(estimator)


@pytest.fixture(scope="module")
def blobs():
    return make_blobs(5000, 6, centers=7, cluster_std=1.5, random_state=4)


def test_inertia_is_the_sum_of_the_squared_distances(blobs):
    rows, _ = blobs
    model = MiniBatchKMeans(7).fit(rows)
    squared = ((rows[:, None] - model.cluster_centers_) ** 2).sum(axis=2)
    assert model.inertia_ == pytest.approx(squared.min(axis=1).sum(), rel=1e-13)
    assert np.array_equal(model.labels_, squared.argmin(axis=1))
    assert model.score(rows) == -model.inertia_
    assert np.allclose(model.transform(rows) ** 2, squared, rtol=1e-12)


def test_labels_are_those_of_predict(blobs):
    rows, truth = blobs
    model = MiniBatchKMeans(7).fit(rows)
    assert np.array_equal(model.labels_, model.predict(rows))
    assert adjusted_rand_score(truth, model.labels_) > 0.95


def test_clusters_are_numbered_by_size(blobs):
    rows = np.concatenate([blobs[0], blobs[0][blobs[1] == 3]])
    counts = np.bincount(MiniBatchKMeans(7).fit(rows).labels_)
    assert (np.diff(counts) <= 0).all()
    assert counts[0] > 1.5 * counts[1]


def test_equal_clusters_are_numbered_by_their_coordinates():
    rows = np.repeat([[5.0, 0.0], [1.0, 9.0], [1.0, 2.0]], 4, axis=0)
    assert MiniBatchKMeans(3).fit(rows).cluster_centers_.tolist() == [[1.0, 2.0], [1.0, 9.0], [5.0, 0.0]]


@pytest.mark.parametrize("n_clusters", [5, 10, 20])
def test_inertia_is_not_worse_than_the_peers_on_digits(n_clusters):
    rows = load_digits().data
    ours = [MiniBatchKMeans(n_clusters, random_state=seed).fit(rows).inertia_ for seed in range(3)]
    theirs = [PeerKMeans(n_clusters, n_init=3, random_state=seed).fit(rows).inertia_ for seed in range(3)]
    assert np.mean(ours) <= np.mean(theirs)


def test_inertia_is_not_worse_than_the_peers_with_a_small_sample():
    rows, _ = make_blobs(20_000, 8, centers=12, cluster_std=3.0, random_state=1)
    ours = [MiniBatchKMeans(12, random_state=seed, sample_size=2000).fit(rows).inertia_ for seed in range(3)]
    theirs = [PeerKMeans(12, n_init=3, random_state=seed).fit(rows).inertia_ for seed in range(3)]
    assert np.mean(ours) <= np.mean(theirs)


@pytest.mark.parametrize("scheduler", ["sync", "threads"])
def test_any_scheduler_gives_the_same_bits(blobs, scheduler):
    rows = blobs[0].astype(np.float32)
    expected = MiniBatchKMeans(7, sample_size=500).fit(rows)
    lazy = da.from_array(rows, chunks=((1, 999, 2500, 1500), 4))
    with dask.config.set(scheduler=scheduler, num_workers=2):
        model = MiniBatchKMeans(7, sample_size=500).fit(lazy)
        labels = np.asarray(model.predict(lazy))
    assert np.array_equal(model.cluster_centers_, expected.cluster_centers_)
    assert (model.inertia_, model.n_iter_) == (expected.inertia_, expected.n_iter_)
    assert np.array_equal(labels, expected.labels_)
    assert not hasattr(model, "labels_")


def test_lazy_rows_after_rows_in_memory_leave_no_old_labels(blobs):
    model = MiniBatchKMeans(2).fit(blobs[0])
    assert not hasattr(model.fit(da.from_array(blobs[0][:100])), "labels_")


def test_a_seed_decides_and_none_does_not(blobs):
    rows = blobs[0]
    draws = {
        MiniBatchKMeans(4, random_state=seed, n_init=1, max_iter=1, sample_size=50).fit(rows).inertia_
        for seed in range(5)
    }
    assert len(draws) > 1
    MiniBatchKMeans(4, random_state=None).fit(rows)
    MiniBatchKMeans(4, random_state=np.random.RandomState(0)).fit(rows)


def test_empty_clusters_are_put_on_the_farthest_rows():
    # All starts fall on the crowd that the sample sees; the far rows are in no sample of this size.
    rows = np.zeros((3000, 2))
    rows[1000:2000] += 1e-3
    rows[2999] = 100.0
    model = MiniBatchKMeans(3, sample_size=3000).fit(rows)
    assert np.bincount(model.labels_, minlength=3).tolist() == [1999, 1000, 1]
    assert model.inertia_ < 1e-18


def test_fewer_distinct_rows_than_clusters_warn_as_the_peer_does():
    rows = np.repeat([[0.0, 1.0], [2.0, 3.0]], 10, axis=0)
    with pytest.warns(ConvergenceWarning, match=r"distinct clusters \(2\) found smaller than n_clusters \(4\)"):
        model = MiniBatchKMeans(4).fit(rows)
    assert model.cluster_centers_.shape == (4, 2)
    assert model.inertia_ == 0.0
    assert set(model.labels_) == {0, 1}


def test_fewer_rows_than_clusters_are_an_error():
    for rows in (np.ones((3, 2)), da.ones((3, 2))):
        with pytest.raises(ValueError, match="n_samples=3 should be >= n_clusters=4"):
            MiniBatchKMeans(4).fit(rows)


def test_as_many_clusters_as_rows():
    rows = np.arange(12.0).reshape(6, 2) ** 2
    model = MiniBatchKMeans(6).fit(rows)
    assert model.inertia_ == 0.0
    assert sorted(model.labels_) == list(range(6))


def test_one_cluster_is_the_mean(blobs):
    model = MiniBatchKMeans(1).fit(blobs[0])
    assert np.allclose(model.cluster_centers_[0], blobs[0].mean(axis=0), rtol=1e-12)
    assert not model.labels_.any()


def test_columns_of_very_different_range_stay_exact():
    rng = np.random.default_rng(0)
    rows = np.column_stack([1e6 * rng.integers(0, 2, 999), 1e-3 * rng.normal(size=999), 1e9 + rng.integers(0, 2, 999)])
    model = MiniBatchKMeans(4).fit(rows)
    for centre, cluster in zip(model.cluster_centers_, range(4)):
        assert np.allclose(centre, rows[model.labels_ == cluster].mean(axis=0), rtol=0, atol=[1e-9, 1e-15, 1e-6])


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"n_clusters": 0}, "n_clusters must be a whole number >= 1 .got 0"),
        ({"n_clusters": 2.5}, "n_clusters"),
        ({"max_iter": 0}, "max_iter"),
        ({"n_init": True}, "n_init"),
        ({"sample_size": -1}, "sample_size"),
        ({"tol": -1e-3}, "tol must be >= 0"),
    ],
)
def test_parameters_out_of_bounds(parameters, message):
    with pytest.raises(ParameterError, match=message):
        MiniBatchKMeans(**parameters).fit(np.ones((9, 2)))


def test_not_fitted():
    for method in ("predict", "transform", "score"):
        with pytest.raises(NotFittedError):
            getattr(MiniBatchKMeans(), method)(np.ones((9, 2)))


def test_clones_pickles_and_stands_in_a_pipeline(blobs):
    rows = da.from_array(blobs[0], chunks=(1000, 6))
    pipeline = make_pipeline(StandardScaler(), clone(MiniBatchKMeans(7)))
    labels = pipeline.fit(rows).predict(rows)
    assert isinstance(labels, da.Array)
    again = pickle.loads(pickle.dumps(pipeline)).predict(blobs[0])
    assert np.array_equal(labels.compute(), again)


def test_transformed_columns_have_names(blobs):
    model = MiniBatchKMeans(2).set_output(transform="pandas").fit(blobs[0])
    assert model.transform(blobs[0]).columns.tolist() == ["minibatchkmeans0", "minibatchkmeans1"]


def test_no_warning_on_ordinary_rows(blobs):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        MiniBatchKMeans(3).fit(blobs[0])
