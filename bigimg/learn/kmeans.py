"""k-means on tables of any size: solve on a sample, polish with exact passes over all rows."""

from __future__ import annotations

from typing import Any, Self
from warnings import warn

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, ClusterMixin, TransformerMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from bigimg.errors import ParameterError
from bigimg.learn.exact import Floats, Grid, to_float, total
from bigimg.learn.lloyd import Assign, Centres, ClusterState, lloyd
from bigimg.learn.nearest import nearest, squared_distances
from bigimg.learn.rows import Rows, read_rows
from bigimg.learn.sampling import Scan
from bigimg.learn.seeding import solve


class MiniBatchKMeans(ClassNamePrefixFeaturesOutMixin, TransformerMixin, ClusterMixin, BaseEstimator):
    """K-means clustering of rows that need not fit into memory, with one answer however they are cut.

    The mini-batch is a sample of the rows, drawn by a hash of the row's number: k-means++ starts and a local search
    find good centres on it. Then Lloyd's algorithm goes over *all* rows, usually two or three times, with sums on an
    integer grid. So centres, labels and inertia are bit-identical for any chunks, workers, threads and order of
    arrival, and the same for an array in memory and a lazy one. There is no order of batches that they could depend
    on.

    Columns count by their spread: put :class:`bigimg.learn.StandardScaler` before, in a pipeline, where columns have
    different units.

    Parameters
    ----------
    n_clusters
        Number of clusters, and of centres.
    random_state
        Seed of the sample and of the starts: an integer, or None for another one each time.
    n_init
        How many k-means++ starts are tried on the sample.
    max_iter
        The most passes of Lloyd's algorithm over all rows.
    tol
        Stop when a pass lowers the inertia by less than this share of it.
    sample_size
        Rows of the sample, at least ten a cluster; they are held in memory while fitting. A cluster with fewer than
        about ``20 / sample_size`` of all rows may be missed.

    Attributes
    ----------
    cluster_centers_ : ndarray of shape (n_clusters, n_features)
        float64. Clusters are numbered by size: cluster 0 has the most rows (of equal ones, that with the smaller first
        coordinate comes first).
    labels_ : ndarray of shape (n_rows,)
        Cluster of each row; only if the rows were in memory. For lazy rows, ``predict`` them.
    inertia_ : float
        Sum of the squared distances of all rows to their centres.
    n_iter_ : int
        Passes of Lloyd's algorithm over all rows; there is one more before, for the sample.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of str
        Names of the columns, if they had names.

    Notes
    -----
    A cluster that loses all its rows is put on the row of the sample that is farthest from any centre. If there are
    fewer distinct rows than clusters, some centres stay without rows and a ``ConvergenceWarning`` says so, as in
    :class:`sklearn.cluster.KMeans`.

    Where a handful of extreme rows carry most of the inertia (Student's t with two degrees of freedom), starts from a
    sample find centres up to a sixth worse than ``sklearn.cluster.KMeans`` does; everywhere else that was tried they
    are as good or better.

    Examples
    --------
    >>> import dask.array as da
    >>> rows = np.array([[1.0, 2.0], [1.0, 4.0], [1.0, 0.0], [10.0, 2.0], [10.0, 4.0]])
    >>> model = MiniBatchKMeans(n_clusters=2).fit(rows)
    >>> model.cluster_centers_.tolist(), model.labels_.tolist(), model.inertia_
    ([[1.0, 2.0], [10.0, 3.0]], [0, 0, 0, 1, 1], 10.0)
    >>> lazy = da.from_array(rows, chunks=(2, 1))
    >>> model.fit(lazy).predict(lazy)
    dask.array<nearest, shape=(5,), dtype=int32, chunksize=(2,), chunktype=numpy.ndarray>
    """

    cluster_centers_: Centres
    labels_: NDArray[np.int32]
    inertia_: float
    n_iter_: int
    n_features_in_: int

    def __init__(
        self,
        n_clusters: int = 8,
        *,
        random_state: int | np.random.RandomState | None = 0,
        n_init: int = 4,
        max_iter: int = 100,
        tol: float = 1e-4,
        sample_size: int = 65536,
    ) -> None:
        self.n_clusters = n_clusters
        self.random_state = random_state
        self.n_init = n_init
        self.max_iter = max_iter
        self.tol = tol
        self.sample_size = sample_size

    def fit(self, X: Any, y: Any = None) -> Self:  # noqa: ARG002 - scikit-learn's contract
        """Find the clusters of ``X``; computes at once.

        Parameters
        ----------
        X
            Rows (n_rows, n_features): ndarray, ``DataFrame``, Dask array or ``DataArray``. Lazy rows are computed
            once for every pass; ``persist`` them where computing is dearer than keeping.
        y
            Ignored.

        Raises
        ------
        ParameterError
            If a parameter is out of bounds.
        ValueError
            If there are fewer rows than clusters, or values that are not finite (the error names the column).
        """
        self._check_parameters()
        rows, n_rows = read_rows(self, X, reset=True).counted()
        if n_rows < self.n_clusters:
            raise ValueError(f"n_samples={n_rows} should be >= n_clusters={self.n_clusters}.")
        seed = _seed(self.random_state)
        scan = Scan(n_rows, max(self.sample_size, 10 * self.n_clusters), seed)
        scanned = rows.reduce(scan, Scan.merge)
        grid = Grid.spanning(scanned.low, scanned.high, n_rows)
        sample = scan.sample(scanned)

        def assign_all(centres: Centres) -> ClusterState:
            return rows.reduce(Assign(centres, grid), ClusterState.merge)

        start = solve(sample, self.n_clusters, grid, seed, self.n_init)
        solution = lloyd(assign_all, start, sample, grid, self.max_iter, self.tol)
        self._warn_of_empty(solution.state)
        self.cluster_centers_ = solution.centres[_by_size(solution.state.counts, solution.centres)]
        self.inertia_ = solution.state.inertia
        self.n_iter_ = solution.n_iter
        self._n_features_out = self.n_clusters
        self._label(rows)
        return self

    def predict(self, X: Any) -> Any:
        """Return the cluster (int32) of every row of ``X``; lazy for lazy rows, a ``DataArray`` for a ``DataArray``."""
        check_is_fitted(self)
        return read_rows(self, X, reset=False).map(_Nearest(self.cluster_centers_), np.int32)

    def fit_predict(self, X: Any, y: Any = None) -> Any:
        """Return ``fit(X).predict(X)``."""
        return self.fit(X, y).predict(X)

    def transform(self, X: Any) -> Any:
        """Return the distances (n_rows, n_clusters) of every row of ``X`` to every centre, float64."""
        check_is_fitted(self)
        return read_rows(self, X, reset=False).map(_Distances(self.cluster_centers_), np.float64, self.n_clusters)

    def score(self, X: Any, y: Any = None) -> float:  # noqa: ARG002 - scikit-learn's contract
        """Return minus the sum of the squared distances of the rows of ``X`` to their centres; computes at once."""
        check_is_fitted(self)
        squares = read_rows(self, X, reset=False).reduce(_Squares(self.cluster_centers_), int.__add__)
        return -to_float(squares)

    def _label(self, rows: Rows) -> None:
        if rows.lazy:
            # Labels of an earlier fit would not be those of these rows.
            self.__dict__.pop("labels_", None)
        else:
            self.labels_ = nearest(rows.data, self.cluster_centers_)[0]

    def _check_parameters(self) -> None:
        for name in ("n_clusters", "n_init", "max_iter", "sample_size"):
            value = getattr(self, name)
            if not isinstance(value, int | np.integer) or isinstance(value, bool) or value < 1:
                raise ParameterError(f"MiniBatchKMeans: {name} must be a whole number >= 1 (got {value!r})")
        if not self.tol >= 0:
            raise ParameterError(f"MiniBatchKMeans: tol must be >= 0 (got {self.tol!r})")

    def _warn_of_empty(self, state: ClusterState) -> None:
        distinct = int((state.counts > 0).sum())
        if distinct < self.n_clusters:
            message = (
                f"Number of distinct clusters ({distinct}) found smaller than n_clusters ({self.n_clusters}). "
                "Possibly due to duplicate points in X."
            )
            warn(message, ConvergenceWarning, stacklevel=3)


class _Nearest:
    def __init__(self, centres: Centres) -> None:
        self.centres = centres

    def __call__(self, block: Floats) -> NDArray[np.int32]:
        return nearest(block, self.centres)[0]


class _Distances:
    def __init__(self, centres: Centres) -> None:
        self.centres = centres

    def __call__(self, block: Floats) -> NDArray[np.float64]:
        return np.sqrt(squared_distances(block, self.centres))


class _Squares:
    def __init__(self, centres: Centres) -> None:
        self.centres = centres

    def __call__(self, block: Floats, first: int) -> int:  # noqa: ARG002
        return total(nearest(block, self.centres)[1])


def _by_size(counts: NDArray[np.int64], centres: Centres) -> NDArray[np.intp]:
    """Return the order of clusters from the largest to the smallest; of equal ones, by coordinates."""
    return np.lexsort((*centres.T[::-1], -counts))


def _seed(random_state: Any) -> int:
    if isinstance(random_state, int | np.integer):
        return int(random_state)
    return int(check_random_state(random_state).randint(2**31))
