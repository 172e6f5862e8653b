"""Lloyd's algorithm with exact sums: assign every row to the nearest centre, move the centres to the means, repeat."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bigimg.learn.exact import Floats, Grid, to_float, total
from bigimg.learn.nearest import cluster_sums, nearest

Centres = NDArray[np.float64]


@dataclass(frozen=True)
class ClusterState:
    """What rows add up to in every cluster; exact, so that merging in any order gives the same."""

    sums: NDArray[np.int64]
    """(clusters, columns), in whole numbers of the grid."""
    counts: NDArray[np.int64]
    """Rows of each cluster."""
    squares: int
    """Sum of the squared distances to the centres, as :func:`bigimg.learn.exact.total` counts."""

    @property
    def inertia(self) -> float:
        """Sum of the squared distances to the centres."""
        return to_float(self.squares)

    @staticmethod
    def merge(first: ClusterState, second: ClusterState) -> ClusterState:
        """Return the state of the rows of both."""
        return ClusterState(first.sums + second.sums, first.counts + second.counts, first.squares + second.squares)


@dataclass(frozen=True)
class Assign:
    """The state of a block of rows under given centres."""

    centres: Centres
    grid: Grid

    def __call__(self, block: Floats, first: int = 0) -> ClusterState:  # noqa: ARG002
        """Assign one block."""
        labels, squared = nearest(block, self.centres)
        counts = np.bincount(labels, minlength=len(self.centres))
        return ClusterState(cluster_sums(block, labels, len(self.centres), self.grid), counts, total(squared))


@dataclass(frozen=True)
class Solution:
    """Centres, and the state of all rows under just these centres."""

    centres: Centres
    state: ClusterState
    n_iter: int
    """How many passes over the rows it took."""


def lloyd(
    assign_all: Callable[[Centres], ClusterState],
    centres: Centres,
    sample: Floats,
    grid: Grid,
    max_iter: int,
    tol: float,
) -> Solution:
    """Improve ``centres`` until a pass lowers the inertia by less than ``tol`` of itself, or for ``max_iter`` passes.

    Parameters
    ----------
    assign_all
        Gives the state of all rows under some centres.
    sample
        Where centres without rows are put: on the rows of it that are farthest from any centre.
    """
    last = np.inf
    for n_iter in range(1, max_iter + 1):
        state = assign_all(centres)
        empty = np.flatnonzero(state.counts == 0)
        far = _farthest(sample, centres, len(empty)) if len(empty) else sample[:0]
        settled = last - state.inertia <= tol * state.inertia and not len(far)
        if settled or n_iter == max_iter:
            break
        last = state.inertia
        centres = np.where(state.counts[:, None] > 0, grid.mean(state.sums, state.counts), centres)
        centres[empty[: len(far)]] = far
    return Solution(centres, state, n_iter)


def lloyd_in_memory(rows: Floats, centres: Centres, grid: Grid, max_iter: int, tol: float) -> Solution:
    """Improve ``centres`` on ``rows`` that are all here."""
    return lloyd(lambda now: Assign(now, grid)(rows), centres, rows, grid, max_iter, tol)


def _farthest(sample: Floats, centres: Centres, count: int) -> Floats:
    """Return at most ``count`` distinct rows that are no centre, the farthest first; of equal ones the earlier."""
    _, squared = nearest(sample, centres)
    order = np.argsort(-squared, kind="stable")
    order = order[squared[order] > 0][: 64 * count]
    _, first = np.unique(sample[order], axis=0, return_index=True)
    return sample[order[np.sort(first)[:count]]]
