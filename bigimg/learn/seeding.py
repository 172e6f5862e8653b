"""Good centres from a sample: k-means++ starts, the best of them improved by breathing, then Lloyd on the whole sample.

Breathing k-means (Fritzke 2020, arXiv:2006.15666) adds centres where the error is largest, lets Lloyd settle, takes
away those that are missed least, and keeps what got better: it leaves the local minima that Lloyd's algorithm stays
in. All choices are drawn by :mod:`bigimg.learn.hashing`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bigimg.learn.exact import Floats, Grid, total
from bigimg.learn.hashing import uniform
from bigimg.learn.lloyd import Centres, Solution, lloyd_in_memory
from bigimg.learn.nearest import nearest, squared_distances

_START_ROWS = 16384
"""Rows of the sample that starts and breathing work on, or 128 a cluster if that is more."""
_BREATH = 5
"""How many centres the first breath adds and takes away."""


def solve(sample: Floats, n_clusters: int, grid: Grid, seed: int, n_init: int) -> Centres:
    """Return centres (n_clusters, columns) for ``sample`` (n, columns), whose rows are in random order.

    Parameters
    ----------
    n_init
        How many k-means++ starts are tried.
    """
    part = sample[: max(_START_ROWS, 128 * n_clusters)]
    starts = (plus_plus(part, n_clusters, seed, stream=start + 1) for start in range(n_init))
    solutions = [lloyd_in_memory(part, start, grid, max_iter=30, tol=1e-3) for start in starts]
    best = min(solutions, key=lambda solution: solution.state.squares)
    best = breathe(part, best, grid, seed)
    return lloyd_in_memory(sample, best.centres, grid, max_iter=30, tol=1e-5).centres


def plus_plus(rows: Floats, n_clusters: int, seed: int, stream: int) -> Centres:
    """Return ``n_clusters`` of ``rows`` by greedy k-means++: each the best of a few drawn in proportion to the error.

    Arthur, Vassilvitskii: k-means++, SODA 2007; the number of draws as in scikit-learn, 2 + ln(n_clusters).
    """
    trials = 2 + int(np.log(n_clusters))
    draws = uniform(n_clusters * trials, seed, stream).reshape(n_clusters, trials)
    chosen = [int(draws[0, 0] * len(rows))]
    error = squared_distances(rows, rows[chosen])[:, 0]
    for draw in draws[1:]:
        summed = np.cumsum(error)
        candidates = np.minimum(np.searchsorted(summed, draw * summed[-1], side="right"), len(rows) - 1)
        errors = np.minimum(squared_distances(rows, rows[candidates]), error[:, None])
        best = min(range(trials), key=lambda trial: total(errors[:, trial]))
        chosen.append(int(candidates[best]))
        error = errors[:, best]
    return rows[chosen].astype(np.float64)


def breathe(rows: Floats, best: Solution, grid: Grid, seed: int) -> Solution:
    """Return a solution at least as good as ``best``, with as many centres."""
    width = min(_BREATH, len(best.centres) // 2)
    breath = 0
    while width:
        breath += 1
        more = _breathe_in(rows, best.centres, width, uniform(width * rows.shape[1], seed, stream=1000 + breath))
        settled = lloyd_in_memory(rows, more, grid, max_iter=15, tol=1e-3).centres
        fewer = _breathe_out(rows, settled, width)
        trial = lloyd_in_memory(rows, fewer, grid, max_iter=15, tol=1e-3)
        if trial.state.inertia < best.state.inertia * (1 - 1e-4):
            best = trial
        else:
            width -= 1
    return best


def _breathe_in(rows: Floats, centres: Centres, width: int, draws: NDArray[np.float64]) -> Centres:
    """Return ``centres`` and ``width`` more, beside those with the largest error."""
    labels, squared = nearest(rows, centres)
    counts = np.bincount(labels, minlength=len(centres))
    errors = _sums(squared, labels, len(centres))
    worst = np.argsort(-errors, kind="stable")[:width]
    spread = 0.01 * np.sqrt(errors[worst] / np.maximum(counts[worst], 1))[:, None]
    beside = centres[worst] + spread * (2 * draws.reshape(width, -1) - 1)
    return np.concatenate([centres, beside])


def _breathe_out(rows: Floats, centres: Centres, width: int) -> Centres:
    """Return ``centres`` without the ``width`` whose loss costs least, no two of them neighbours where possible."""
    distances = squared_distances(rows, centres)
    two = np.partition(distances, 1, axis=1)
    cost = _sums(two[:, 1] - two[:, 0], distances.argmin(axis=1), len(centres))
    between = squared_distances(centres, centres)
    np.fill_diagonal(between, np.inf)
    order = np.argsort(cost, kind="stable").tolist()
    removed: list[int] = []
    kept: set[int] = set()
    for centre in order:
        if centre in kept or len(removed) == width:
            continue
        removed.append(centre)
        if len(kept) + width < len(centres):
            kept.add(int(between[centre].argmin()))
    removed += [centre for centre in order if centre not in removed][: width - len(removed)]
    return np.delete(centres, removed, axis=0)


def _sums(values: NDArray[np.float64], labels: NDArray[np.integer], count: int) -> NDArray[np.float64]:
    return np.bincount(labels, weights=values, minlength=count).astype(np.float64)
