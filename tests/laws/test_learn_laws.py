"""What holds for any rows and any image, however they are cut."""

from fractions import Fraction
from functools import reduce

import dask.array as da
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from bigimg.core.tile import TileGrid, whole
from bigimg.learn import Mahalanobis, MiniBatchKMeans, StandardScaler
from bigimg.learn.exact import UNIT, to_float, total
from bigimg.learn.features import Extent, feature_reductions

quick = settings(deadline=None, max_examples=30)

finite = st.floats(allow_nan=False, allow_infinity=False, allow_subnormal=True)


@st.composite
def cuts(draw, size):
    ends = sorted(draw(st.sets(st.integers(1, size - 1), max_size=6))) if size > 1 else []
    return tuple(int(step) for step in np.diff([0, *ends, size]))


@st.composite
def matrices(draw):
    shape = draw(array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=6))
    n_rows = draw(st.integers(8, 300))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    rows = rng.normal(size=(n_rows, shape[1])) * 10.0 ** rng.integers(-6, 7, shape[1])
    if draw(st.booleans()):
        rows = np.round(rows, 0)  # ties, repeated rows, constant columns
    return rows.astype(draw(st.sampled_from([np.float32, np.float64])))


@st.composite
def images(draw):
    dtype = draw(st.sampled_from([np.bool_, np.uint8, np.uint16, np.int32, np.float32, np.float64]))
    shape = draw(array_shapes(min_dims=2, max_dims=3, min_side=1, max_side=12))
    elements = st.floats(-1e9, 1e9, width=32) if np.dtype(dtype).kind == "f" else None
    image = draw(arrays(dtype, shape, elements=elements))
    valid = draw(st.none() | arrays(np.bool_, shape[-2:]))
    return image, valid


@given(arrays(np.float64, st.integers(0, 30), elements=finite), st.randoms())
@quick
def test_a_total_does_not_depend_on_the_order(values, random):
    shuffled = values.tolist()
    random.shuffle(shuffled)
    assert total(np.array(shuffled)) == total(values)
    assert total(values) * UNIT == sum(map(Fraction, values.tolist()), Fraction(0))


@given(st.lists(finite, max_size=5))
@quick
def test_a_total_of_one_is_itself(values):
    assert [to_float(total(np.array([value]))) for value in values] == values


@pytest.mark.filterwarnings("ignore:Number of distinct clusters")
@given(matrices(), st.integers(1, 8), st.integers(0, 5), st.data())
@quick
def test_clusters_do_not_depend_on_the_cutting(rows, n_clusters, seed, data):
    lazy = da.from_array(rows, chunks=(data.draw(cuts(len(rows))), rows.shape[1]))
    size = data.draw(st.sampled_from([20, 100, 1000]))
    whole_rows = MiniBatchKMeans(n_clusters, random_state=seed, sample_size=size).fit(rows)
    cut = MiniBatchKMeans(n_clusters, random_state=seed, sample_size=size).fit(lazy)
    assert np.array_equal(cut.cluster_centers_, whole_rows.cluster_centers_)
    assert (cut.inertia_, cut.n_iter_) == (whole_rows.inertia_, whole_rows.n_iter_)
    assert np.array_equal(cut.predict(lazy).compute(), whole_rows.labels_)
    assert cut.score(lazy) == -whole_rows.inertia_
    assert np.array_equal(cut.transform(lazy).compute(), whole_rows.transform(rows))


@given(matrices(), st.sampled_from([None, 0.2, "ledoit_wolf"]), st.sampled_from(["auto", 0.05, 0.5]), st.data())
@quick
def test_scores_do_not_depend_on_the_cutting(rows, shrinkage, contamination, data):
    lazy = da.from_array(rows, chunks=(data.draw(cuts(len(rows))), rows.shape[1]))
    whole_rows = Mahalanobis(shrinkage=shrinkage, contamination=contamination).fit(rows)
    cut = Mahalanobis(shrinkage=shrinkage, contamination=contamination).fit(lazy)
    assert np.array_equal(cut.covariance_, whole_rows.covariance_)
    assert np.array_equal(cut.location_, whole_rows.location_)
    assert cut.threshold_ == whole_rows.threshold_
    scores = whole_rows.score_samples(rows)
    assert np.isfinite(scores).all()
    assert np.array_equal(cut.score_samples(lazy).compute(), scores)


@given(matrices(), st.data())
@quick
def test_the_scaler_does_not_depend_on_cutting_or_order(rows, data):
    lazy = da.from_array(rows, chunks=(data.draw(cuts(len(rows))), rows.shape[1]))
    order = np.random.default_rng(0).permutation(len(rows))
    expected = StandardScaler().fit(rows)
    for given_rows in (lazy, rows[order]):
        scaler = StandardScaler().fit(given_rows)
        assert np.array_equal(scaler.mean_, expected.mean_)
        assert np.array_equal(scaler.var_, expected.var_)


@given(images(), st.data())
@settings(deadline=None, max_examples=60)
def test_features_do_not_depend_on_the_tiles(image_and_mask, data):
    image, valid = image_and_mask
    value_range = in_tiles(Extent(), image, valid, data)
    assert value_range == Extent().finish(Extent().partial(whole(image.shape), image, valid=valid))
    for reduction in feature_reductions(image.dtype, value_range=value_range):
        expected = reduction.finish(reduction.partial(whole(image.shape), image, valid=valid))
        found = in_tiles(reduction, image, valid, data)
        assert list(found) == list(expected)
        assert np.array_equal(list(found.values()), list(expected.values()), equal_nan=True)


def in_tiles(reduction, image, valid, data):
    chunks = tuple(data.draw(cuts(size)) for size in image.shape)
    halo = (0,) * (image.ndim - 2) + (reduction.halo,) * 2
    tiles = data.draw(st.permutations(list(TileGrid(chunks, halo))))
    states = [
        reduction.partial(tile, image[tile.read], valid=None if valid is None else valid[tile.read[-2:]])
        for tile in tiles
    ]
    return reduction.finish(reduce(reduction.merge, states))
