import dask
import dask.array as da
import numpy as np
import pytest
from sklearn.covariance import EmpiricalCovariance, LedoitWolf, ShrunkCovariance
from sklearn.datasets import load_digits
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import StandardScaler as PeerScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from bigimg.errors import ParameterError
from bigimg.learn import Mahalanobis, StandardScaler

NAMED = (
    "the check sets with_mean on whatever is called StandardScaler; this one always centres, and refuses sparse rows"
)


def expected_failures(estimator):
    if isinstance(estimator, StandardScaler):
        return {"check_estimator_sparse_array": NAMED, "check_estimator_sparse_matrix": NAMED}
    return {}


@parametrize_with_checks(
    [Mahalanobis(), Mahalanobis(shrinkage="ledoit_wolf"), StandardScaler()],
    expected_failed_checks=expected_failures,
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
def test_the_contract_of_scikit_learn(estimator, check):
    check(estimator)


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(3)
    return rng.normal(size=(400, 9)) @ rng.normal(size=(9, 9)) + rng.normal(size=9) * 100


@pytest.mark.parametrize(
    ("shrinkage", "peer"),
    [(None, EmpiricalCovariance()), ("ledoit_wolf", LedoitWolf()), (0.3, ShrunkCovariance(shrinkage=0.3))],
)
def test_equals_the_peer(rows, shrinkage, peer):
    ours = Mahalanobis(shrinkage=shrinkage).fit(rows)
    peer.fit(rows)
    assert np.allclose(ours.location_, peer.location_, rtol=1e-12)
    assert np.allclose(ours.covariance_, peer.covariance_, rtol=1e-9, atol=1e-12)
    assert np.allclose(-ours.score_samples(rows), peer.mahalanobis(rows), rtol=1e-9)
    assert ours.shrinkage_ == pytest.approx(getattr(peer, "shrinkage_", shrinkage or 0.0), abs=1e-12)


@pytest.mark.parametrize("contamination", [0.01, 0.1, 0.333, 0.5])
def test_the_threshold_is_the_percentile_of_the_scores(rows, contamination):
    lazy = da.from_array(rows, chunks=(33, 4))
    for given in (rows, lazy):
        model = Mahalanobis(contamination=contamination).fit(given)
        scores = model.score_samples(rows)
        assert model.offset_ == pytest.approx(np.percentile(scores, 100 * contamination), rel=1e-12)
        assert model.threshold_ == -model.offset_
        assert np.array_equal(model.decision_function(rows), scores - model.offset_)
        assert np.array_equal(model.predict(rows), np.where(scores < model.offset_, -1, 1))
        assert abs((model.predict(rows) == -1).mean() - contamination) <= 1 / len(rows)


def test_without_contamination_gaussian_rows_are_mostly_normal():
    rows = np.random.default_rng(0).normal(size=(20_000, 5))
    model = Mahalanobis(contamination="auto").fit(rows)
    assert (model.predict(rows) == -1).mean() == pytest.approx(0.025, abs=0.004)


@pytest.mark.parametrize("scheduler", ["sync", "threads"])
def test_any_scheduler_gives_the_same_bits(rows, scheduler):
    expected = Mahalanobis(shrinkage="ledoit_wolf").fit(rows)
    lazy = da.from_array(rows, chunks=((1, 149, 250), 2))
    with dask.config.set(scheduler=scheduler, num_workers=2):
        model = Mahalanobis(shrinkage="ledoit_wolf").fit(lazy)
        scores = np.asarray(model.score_samples(lazy))
    assert np.array_equal(model.covariance_, expected.covariance_)
    assert (model.shrinkage_, model.threshold_) == (expected.shrinkage_, expected.threshold_)
    assert np.array_equal(scores, expected.score_samples(rows))


def test_planted_outliers_are_found():
    rng = np.random.default_rng(5)
    rows = rng.normal(size=(3000, 8)) @ rng.normal(size=(8, 8))
    rows[:60] += 6 * rng.normal(size=(60, 8))
    model = Mahalanobis().fit(rows)
    assert roc_auc_score(np.arange(3000) < 60, -model.score_samples(rows)) > 0.95


def test_strange_digits_are_found():
    digits = load_digits()
    nines = np.flatnonzero(digits.target == 9)[:20]
    chosen = np.concatenate([np.flatnonzero(digits.target == 0), nines])
    rows = digits.data[chosen]
    model = Mahalanobis(shrinkage="ledoit_wolf").fit(rows)
    assert roc_auc_score(np.isin(chosen, nines), -model.score_samples(rows)) > 0.9


def test_constant_and_repeated_columns_say_nothing(rows):
    plain = Mahalanobis().fit(rows)
    wide = np.column_stack([rows, np.full(400, 7.25), rows[:, 0], 3 * rows[:, 1] - rows[:, 2]])
    model = Mahalanobis().fit(wide)
    assert model.rank_ == 9
    assert model.covariance_[9, 9] == 0.0
    assert np.allclose(model.score_samples(wide), plain.score_samples(rows), rtol=1e-6)


def test_small_columns_beside_large_ones_are_not_lost(rows):
    scale = 10.0 ** np.array([6, -3, 0, 9, -9, 3, -6, 0, 2])
    model = Mahalanobis().fit(rows * scale)
    assert model.rank_ == 9
    assert np.allclose(model.score_samples(rows * scale), Mahalanobis().fit(rows).score_samples(rows), rtol=1e-8)


def test_an_offset_far_from_zero_does_not_cancel(rows):
    shifted = np.rint(rows * 1024) / 1024
    moved = shifted + 2.0**30
    assert np.allclose(Mahalanobis().fit(moved).covariance_, Mahalanobis().fit(shifted).covariance_, rtol=1e-9)


def test_fewer_rows_than_columns(rows):
    model = Mahalanobis(contamination="auto").fit(rows[:5])
    assert model.rank_ == 4
    # In as many directions as rows allow, every row is equally far.
    assert np.allclose(-model.score_samples(rows[:5]), 4.0, rtol=1e-6)
    steadied = Mahalanobis(shrinkage="ledoit_wolf").fit(rows[:5])
    assert steadied.rank_ == 9


def test_all_rows_equal():
    model = Mahalanobis().fit(np.full((10, 3), 0.1))
    assert model.rank_ == 0
    assert (model.score_samples(np.eye(3)) == 0).all()
    assert (model.predict(np.full((10, 3), 0.1)) == 1).all()
    assert Mahalanobis(contamination="auto", shrinkage="ledoit_wolf").fit(np.ones((4, 2))).threshold_ == 0.0


@pytest.mark.parametrize(
    "parameters",
    [{"shrinkage": 1.5}, {"shrinkage": "oas"}, {"shrinkage": True}, {"contamination": 0}, {"contamination": 0.6},
     {"contamination": None}],
)  # fmt: skip
def test_parameters_out_of_bounds(rows, parameters):
    with pytest.raises(ParameterError, match=f"{next(iter(parameters))} must be"):
        Mahalanobis(**parameters).fit(rows)


def test_one_row_is_too_few():
    for rows in (np.ones((1, 2)), da.ones((1, 2))):
        with pytest.raises(ValueError, match=r"1 sample\(s\)"):
            Mahalanobis().fit(rows)


def test_the_scaler_equals_its_peer(rows):
    ours, peer = StandardScaler().fit(da.from_array(rows, chunks=(60, 3))), PeerScaler().fit(rows)
    assert np.allclose(ours.mean_, peer.mean_, rtol=1e-14)
    assert np.allclose(ours.var_, peer.var_, rtol=1e-13)
    assert np.allclose(ours.transform(rows), peer.transform(rows), rtol=1e-11, atol=1e-13)


def test_the_scaler_does_not_cancel():
    scaler = StandardScaler().fit(np.array([[1e15], [1e15 + 1]]))
    assert (scaler.mean_[0], scaler.scale_[0]) == (1e15 + 0.5, 0.5)


def test_a_constant_column_becomes_zero():
    rows = np.full((7, 1), 0.1)
    assert (StandardScaler().fit_transform(rows) == 0).all()
