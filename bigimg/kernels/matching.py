"""Objects of two label images matched by their overlap, and how alike the two are, from the counts of their pairs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import min_weight_full_bipartite_matching

from bigimg.kernels.contingency import Pairs

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]

EXACT = 2**62


@dataclass(frozen=True, eq=False)
class Overlaps:
    """Pairs of objects that share pixels, and what each object has in all."""

    first: Integers
    second: Integers
    pixels: Integers
    area: Integers
    """Of the first object of each pair."""
    other_area: Integers
    """Of the second."""
    firsts: int
    """How many objects the first image has, those without a pair too."""
    seconds: int

    @classmethod
    def of(cls, pairs: Pairs) -> Overlaps:
        """Leave the background out."""
        first, area = marginal(pairs.first, pairs.pixels)
        second, other_area = marginal(pairs.second, pairs.pixels)
        both = (pairs.first > 0) & (pairs.second > 0)
        return cls(
            pairs.first[both],
            pairs.second[both],
            pairs.pixels[both],
            area[np.searchsorted(first, pairs.first[both])],
            other_area[np.searchsorted(second, pairs.second[both])],
            int(np.count_nonzero(first)),
            int(np.count_nonzero(second)),
        )

    @property
    def iou(self) -> Floats:
        """Intersection over union of each pair."""
        return self.pixels / (self.area + self.other_area - self.pixels)

    def matched(self, threshold: float) -> Floats:
        """Return the overlaps of the best matching of objects whose intersection over union is ``threshold`` or more.

        Each object is matched once at most; as many as can be are matched, and of such matchings it is one with the
        largest sum of overlaps. Above 0.5 there is only one, since an object has one such partner at most.

        Examples
        --------
        >>> pairs = Pairs(np.array([1, 1, 2]), np.array([5, 6, 5]), np.array([10, 9, 9]))
        >>> Overlaps.of(pairs).matched(0.3).round(2)
        array([0.47, 0.47])
        """
        enough = self.iou >= threshold
        rows, columns, overlap = self.first[enough], self.second[enough], self.iou[enough]
        alone = _once(rows) & _once(columns)
        rest = ~alone
        if rest.any():
            chosen = _best(rows[rest], columns[rest], overlap[rest])
            alone[np.flatnonzero(rest)[chosen]] = True
        return overlap[alone]


def _once(labels: Integers) -> NDArray[np.bool_]:
    _, where, counts = np.unique(labels, return_inverse=True, return_counts=True)
    return np.asarray(counts[where] == 1)


def _best(rows: Integers, columns: Integers, overlap: Floats) -> Integers:
    """Return which pairs make the largest matching, and of such the one with the largest sum of overlaps."""
    row, column = (np.unique(each, return_inverse=True)[1] for each in (rows, columns))
    height, width = row.max() + 1, column.max() + 1
    # A partner of its own, that costs more than any pair, lets each row stay alone.
    cost = np.concatenate([1 - overlap / (2 * min(height, width)), np.full(height, 2.0)])
    free = np.arange(height)
    graph = coo_array((cost, (np.append(row, free), np.append(column, width + free))), (height, width + height))
    found = min_weight_full_bipartite_matching(graph.tocsr())[1]
    return np.flatnonzero(found[row] == column)


def marginal(labels: Integers, pixels: Integers) -> tuple[Integers, Integers]:
    """Return the distinct labels, sorted, and the pixels of each."""
    distinct, where = np.unique(labels, return_inverse=True)
    total = np.zeros(len(distinct), np.int64)
    np.add.at(total, where, pixels)
    return distinct, total


def sum_of_squares(counts: Integers) -> int:
    """Return the exact sum of the squares of ``counts``, which may leave 64 bits.

    Examples
    --------
    >>> sum_of_squares(np.array([2**40, 3]))
    1208925819614629174706185
    """
    if counts.size and float(counts.max()) ** 2 * counts.size >= EXACT:
        return sum(int(count) ** 2 for count in counts)
    return int(counts @ counts)


def agreement(pairs: Pairs) -> dict[str, float]:
    """Return the scores of :func:`bigimg.measure.rand_scores`; NaN where nothing is compared."""
    ours, theirs = (marginal(labels, pairs.pixels)[1] for labels in (pairs.first, pairs.second))
    total = int(pairs.pixels.sum())
    both, first, second = (sum_of_squares(counts) - total for counts in (pairs.pixels, ours, theirs))
    every = total * (total - 1)
    scores: dict[str, float] = {
        "rand_index": _ratio(every + 2 * both - first - second, every),
        "adjusted_rand_index": _adjusted(both, first, second, every),
        "adapted_rand_error": 1 - _ratio(2 * both, first + second),
        "adapted_rand_precision": _ratio(both, first),
        "adapted_rand_recall": _ratio(both, second),
    }
    scores["split_entropy"], scores["merge_entropy"] = _entropies(pairs, total)
    scores["variation_of_information"] = scores["split_entropy"] + scores["merge_entropy"]
    return scores


def _ratio(part: int, of: int) -> float:
    return part / of if of else float("nan")


def _adjusted(both: int, first: int, second: int, every: int) -> float:
    # Twice the pairs of pixels that are together in both, in one, in all: exact until the one division.
    chance, most = 2 * first * second, (first + second) * every
    return (2 * both * every - chance) / (most - chance) if most != chance else 1.0


def _entropies(pairs: Pairs, total: int) -> tuple[float, float]:
    """Return the bits that the reference needs beside the labels, and the labels beside the reference."""
    found = []
    for labels, pixels in ((pairs.second, pairs.pixels), (pairs.first, pairs.pixels)):
        distinct, area = marginal(labels, pixels)
        share = pixels / area[np.searchsorted(distinct, labels)]
        found.append(float(-(pixels * np.log2(share)).sum() / total) + 0.0 if total else float("nan"))
    return found[0], found[1]


def scores_of_matching(found: Overlaps, threshold: float) -> dict[str, Any]:
    """Return what a matching at one threshold counts; ratios are 0 where nothing matches, as in StarDist."""
    overlap = found.matched(threshold)
    right, wrong, missed = overlap.size, found.firsts - overlap.size, found.seconds - overlap.size
    total = float(overlap.sum())
    return {
        "threshold": threshold,
        "true_positives": right,
        "false_positives": wrong,
        "false_negatives": missed,
        "precision": right / max(right + wrong, 1),
        "recall": right / max(right + missed, 1),
        "f1": 2 * right / max(2 * right + wrong + missed, 1),
        "average_precision": right / max(right + wrong + missed, 1),
        "mean_iou": total / max(right, 1),
        "panoptic_quality": 2 * total / max(2 * right + wrong + missed, 1),
    }
