from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import dask
import dask.array as da
import numpy as np

from bigimg.learn import Mahalanobis, MiniBatchKMeans, StandardScaler


def test_other_processes_give_the_same_bits():
    rows = np.random.default_rng(0).normal(size=(900, 5)).astype(np.float32)
    lazy = da.from_array(rows, chunks=((1, 299, 600), 2))
    kmeans = MiniBatchKMeans(4, sample_size=300).fit(rows)
    odd = Mahalanobis(shrinkage="ledoit_wolf").fit(rows)
    scaled = StandardScaler().fit(rows)
    with (
        ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool,
        dask.config.set(scheduler="processes", pool=pool),
    ):
        far_kmeans = MiniBatchKMeans(4, sample_size=300).fit(lazy)
        far_odd = Mahalanobis(shrinkage="ledoit_wolf").fit(lazy)
        far_scaled = StandardScaler().fit(lazy)
        labels, scores = dask.compute(far_kmeans.predict(lazy), far_odd.score_samples(lazy))
    assert np.array_equal(far_kmeans.cluster_centers_, kmeans.cluster_centers_)
    assert far_kmeans.inertia_ == kmeans.inertia_
    assert np.array_equal(labels, kmeans.labels_)
    assert np.array_equal(far_odd.covariance_, odd.covariance_)
    assert far_odd.threshold_ == odd.threshold_
    assert np.array_equal(scores, odd.score_samples(rows))
    assert np.array_equal(far_scaled.var_, scaled.var_)
