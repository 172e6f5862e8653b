"""How well tracks agree with known ones: the measures of multiple object tracking.

K. Bernardin and R. Stiefelhagen, Evaluating multiple object tracking performance: the CLEAR MOT metrics, EURASIP J.
Image and Video Processing (2008); E. Ristani et al., Performance measures and a data set for multi-target,
multi-camera tracking, ECCV workshops (2016).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bigimg.errors import ParameterError
from bigimg.kernels.linking import Pairs, assign, pairs_within
from bigimg.ops.track.movement import read_tracks
from bigimg.ops.track.objects import Numbers, Objects

MOSTLY_TRACKED, MOSTLY_LOST = 0.8, 0.2
"""Share of its frames in which an object is found."""

BOX = ("bbox-0", "bbox-1", "bbox-2", "bbox-3")


def scores(
    truth: pd.DataFrame, tracks: pd.DataFrame, *, max_distance: float | None = None, min_iou: float | None = None
) -> pd.Series[Any]:
    """Compare tracks with known ones.

    Parameters
    ----------
    truth, tracks : pandas.DataFrame
        ``track_id``, ``t``, and ``y``, ``x`` (``z``), as of :func:`bigimg.track.link`.
    max_distance : float, optional
        How far an object may be from where it truly is and still be found.
    min_iou : float, optional
        Instead: how much the boxes ``bbox-0`` to ``bbox-3`` (first row and column, last row and column and one) must
        overlap, as intersection over union.

    Returns
    -------
    pandas.Series
        ``mota``, ``motp`` (the mean squared distance, or mean of one minus the overlap, of what was found), ``idf1``,
        ``idp``, ``idr``, ``precision``, ``recall``, and the counts ``num_objects``, ``num_predictions``,
        ``num_matches``, ``num_switches``, ``num_misses``, ``num_false_positives``, ``num_fragmentations``,
        ``num_unique_objects``, ``mostly_tracked``, ``partially_tracked``, ``mostly_lost``. Shares of nothing are NaN.

    Raises
    ------
    ParameterError
        If not one of ``max_distance`` and ``min_iou`` is given, a column is missing, or a track is twice in a frame.

    Notes
    -----
    Equal to py-motmetrics: a pair once matched stays matched while it is near; the others of a frame are matched so
    that as many as can be are, of least squared distance; an object that is matched to another track than before is
    switched. ``idf1`` is that of the one to one choice of tracks for objects that fits the most positions.

    Examples
    --------
    >>> truth = pd.DataFrame({"track_id": 1, "t": [0, 1, 2, 3], "y": 0.0, "x": [0.0, 1.0, 2.0, 3.0]})
    >>> broken = truth.assign(track_id=[1, 1, 2, 2])
    >>> scores(truth, broken, max_distance=1)[["mota", "idf1", "num_switches"]].to_dict()
    {'mota': 0.75, 'idf1': 0.5, 'num_switches': 1.0}
    """
    if (max_distance is None) == (min_iou is None):
        raise ParameterError("track.scores needs one of max_distance and min_iou, which says what counts as found")
    if max_distance is not None and not max_distance > 0:
        raise ParameterError(f"track.scores: max_distance must be greater than 0 (got {max_distance})")
    if min_iou is not None and not 0 < min_iou <= 1:
        raise ParameterError(f"track.scores: min_iou must be above 0 and at most 1 (got {min_iou})")
    known, found = (_by_frame(table) for table in (truth, tracks))
    if known.position.shape[1] != found.position.shape[1] and len(known.t) and len(found.t):
        raise ParameterError("track.scores: truth and tracks must have the same axes, y and x, or z, y and x")
    events = _Events(known, found)
    for rows, others in _frames(known, found):
        if min_iou is None:
            assert max_distance is not None
            near = pairs_within(known.position[rows], found.position[others], max_distance)
        else:
            near = _pairs_of_boxes(known.table.iloc[rows], found.table.iloc[others], min_iou)
        events.frame(rows, others, near)
    return events.scores()


def _by_frame(table: pd.DataFrame) -> Objects:
    tracks = read_tracks(table, "track.scores")
    order = np.lexsort((tracks.label, tracks.t))
    rows = tracks.table.iloc[order].reset_index(drop=True)
    return Objects(rows, tracks.t[order], tracks.time[order], tracks.label[order], tracks.position[order])


def _frames(known: Objects, found: Objects) -> Iterator[tuple[slice, slice]]:
    """Yield the rows of each frame in both."""
    times = np.union1d(known.t, found.t)
    bounds = [(np.searchsorted(each.t, times), np.searchsorted(each.t, times, "right")) for each in (known, found)]
    (start, stop), (first, last) = bounds
    for at in range(len(times)):
        yield slice(int(start[at]), int(stop[at])), slice(int(first[at]), int(last[at]))


def _pairs_of_boxes(known: pd.DataFrame, found: pd.DataFrame, min_iou: float) -> Pairs:
    for table in (known, found):
        missing = [name for name in BOX if name not in table]
        if missing:
            raise ParameterError(f"track.scores: min_iou compares boxes, and there is no column {missing[0]!r}")
    first, second = (table[list(BOX)].to_numpy(dtype=np.float64) for table in (known, found))
    low = np.maximum(first[:, None, :2], second[None, :, :2])
    high = np.minimum(first[:, None, 2:], second[None, :, 2:])
    both = np.prod(np.maximum(high - low, 0), axis=-1)
    sizes = [np.prod(box[:, 2:] - box[:, :2], axis=1) for box in (first, second)]
    either = sizes[0][:, None] + sizes[1][None, :] - both
    apart = 1 - np.divide(both, either, out=np.zeros_like(both), where=both > 0)
    sources, targets = np.nonzero(apart <= 1 - min_iou)
    return Pairs.of(sources, targets, apart[sources, targets], len(known))


class _Events:
    """What happens frame by frame, counted."""

    def __init__(self, known: Objects, found: Objects) -> None:
        self.objects, self.which = np.unique(known.label, return_inverse=True)
        self.tracks, self.of = np.unique(found.label, return_inverse=True)
        self.last = np.full(len(self.objects), -1, np.int64)
        self.matched = np.full(len(known.label), -1, np.int64)
        self.switched = np.zeros(len(known.label), np.bool_)
        self.distance = np.zeros(len(known.label))
        self.near: list[Numbers] = [np.zeros((0, 2), np.int64)]

    def frame(self, rows: slice, others: slice, near: Pairs) -> None:
        """Match the objects of one frame to the tracks in it."""
        objects, tracks = self.which[rows], self.of[others]
        sources = near.sources
        self.near.append(np.column_stack([objects[sources], tracks[near.targets]]))
        stays = self.last[objects[sources]] == tracks[near.targets]
        target = np.full(len(objects), -1, np.int64)
        kept = _once(near.targets[stays], sources[stays])
        target[sources[stays][kept]] = near.targets[stays][kept]
        taken = np.zeros(len(tracks), np.bool_)
        taken[target[target >= 0]] = True
        left = near.only((target[sources] < 0) & ~taken[near.targets])
        # Dearer than any links it could be saved for: as many are matched as can be.
        most = 2 * (len(objects) + 1) * (float(left.cost.max(initial=0)) + 1)
        more = assign(left, len(tracks), most)
        self.switched[rows] = (more >= 0) & (self.last[objects] >= 0)
        target = np.where(target < 0, more, target)
        at = np.flatnonzero(target >= 0)
        self.last[objects[at]] = tracks[target[at]]
        self.matched[rows.start + at] = tracks[target[at]]
        cost = np.zeros(len(objects))
        chosen = near.targets == target[sources]
        cost[sources[chosen]] = near.cost[chosen]
        self.distance[rows] = cost

    def scores(self) -> pd.Series[Any]:
        """Return the measures."""
        objects, predictions = len(self.which), len(self.of)
        hit = self.matched >= 0
        detections, switches = int(hit.sum()), int(self.switched.sum())
        misses, alarms = objects - detections, predictions - detections
        seen = np.bincount(self.which, minlength=len(self.objects))
        share = np.bincount(self.which[hit], minlength=len(self.objects)) / seen
        common = self._common()
        counts = {
            "mota": _share(objects - misses - switches - alarms, objects),
            "motp": _share(float(self.distance.sum()), detections),
            "idf1": _share(2 * common, objects + predictions),
            "idp": _share(common, predictions),
            "idr": _share(common, objects),
            "precision": _share(detections, predictions),
            "recall": _share(detections, objects),
            "num_objects": objects,
            "num_predictions": predictions,
            "num_matches": detections - switches,
            "num_switches": switches,
            "num_misses": misses,
            "num_false_positives": alarms,
            "num_fragmentations": self._fragmentations(hit),
            "num_unique_objects": len(self.objects),
            "mostly_tracked": int((share >= MOSTLY_TRACKED).sum()),
            "partially_tracked": int(((share >= MOSTLY_LOST) & (share < MOSTLY_TRACKED)).sum()),
            "mostly_lost": int((share < MOSTLY_LOST).sum()),
        }
        return pd.Series(counts, dtype=np.float64)

    def _common(self) -> int:
        """Return how many positions agree in the best choice of one track for each object."""
        near = np.concatenate(self.near)
        pairs, counts = np.unique(near, axis=0, return_counts=True)
        if not len(pairs):
            return 0
        most = float(counts.max())
        choice = Pairs.of(pairs[:, 0], pairs[:, 1], (most - counts).astype(np.float64), len(self.objects))
        target = assign(choice, len(self.tracks), most)
        return int(counts[target[pairs[:, 0]] == pairs[:, 1]].sum())

    def _fragmentations(self, hit: NDArray[np.bool_]) -> int:
        """Return how often an object that was found is lost and found again."""
        order = np.argsort(self.which, kind="stable")
        which, hit = self.which[order], hit[order]
        at = np.flatnonzero(hit)
        again = (which[at[1:]] == which[at[:-1]]) & (np.diff(at) > 1)
        return int(again.sum())


def _once(targets: Numbers, sources: Numbers) -> Numbers:
    """Return the first pair of each target, by its source: two objects may have been matched to one track last."""
    order = np.lexsort((sources, targets))
    first = np.ones(len(order), np.bool_)
    first[1:] = np.diff(targets[order]) != 0
    return order[first]


def _share(part: float, whole: float) -> float:
    return part / whole if whole else float("nan")
