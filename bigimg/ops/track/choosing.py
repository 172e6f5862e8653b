"""What becomes of the tracks of the frames before in the next frame: links, second children, and joins."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bigimg.errors import ParameterError
from bigimg.kernels.linking import Pairs, assign, pairs_within
from bigimg.ops.track.objects import Floats, Numbers, whole_numbers

SHARE = 0.5
"""How much of an object must lie where its parent was (or its child will be) for a split (or merge) by overlap."""

Mask = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What may be linked."""

    search_range: float | None
    by: Literal["distance", "overlap"] = "distance"
    memory: int = 0
    velocity: bool = False
    splits: bool = False
    merges: bool = False
    min_overlap: float = 0.0


@dataclass(frozen=True, eq=False)
class Overlaps:
    """Overlaps of objects of successive frames, sorted by frame."""

    t: Numbers
    label: Numbers
    label_next: Numbers
    pixels: Floats
    area: Floats
    area_next: Floats

    @classmethod
    def of(cls, table: pd.DataFrame, owner: str) -> Overlaps:
        """Read the table of :func:`bigimg.track.overlaps`."""
        names = [each.name for each in fields(cls)]
        missing = [name for name in names if name not in table]
        if missing:
            raise ParameterError(
                f"{owner}: overlaps must be the table of track.overlaps, with the columns {', '.join(names)} (got "
                f"{', '.join(map(str, table))})"
            )
        ordered = table.sort_values(["t", "label", "label_next"], kind="stable")
        t, label, label_next = (whole_numbers(ordered, name, owner) for name in names[:3])
        pixels, area, area_next = (ordered[name].to_numpy(dtype=np.float64) for name in names[3:])
        return cls(t, label, label_next, pixels, area, area_next)

    def after(self, t: int) -> Overlaps:
        """Return those of frame ``t`` and the next."""
        low, high = np.searchsorted(self.t, [t, t + 1])
        rows = slice(int(low), int(high))
        return Overlaps(*(getattr(self, each.name)[rows] for each in fields(self)))


@dataclass(frozen=True, eq=False)
class Shared:
    """Pairs of tracks and objects that overlap, and how much."""

    pairs: Pairs
    iou: Floats
    of_this: Floats
    """How much of what the track was before lies in the object."""
    of_next: Floats

    @classmethod
    def of(cls, label: Numbers, seen: Mask, label_next: Numbers, overlaps: Overlaps) -> Shared:
        """Return which tracks, by the label of each that was ``seen`` in the frame before, overlap which objects."""
        rows = np.flatnonzero(seen)
        by_label = rows[np.argsort(label[rows], kind="stable")]
        source, first = _found(label[by_label], overlaps.label)
        target, second = _found(label_next, overlaps.label_next)
        known = np.flatnonzero(first & second)
        source, target = by_label[source[known]], target[known]
        order = np.lexsort((target, source))
        source, target, known = source[order], target[order], known[order]
        pixels, area, area_next = overlaps.pixels[known], overlaps.area[known], overlaps.area_next[known]
        iou = pixels / (area + area_next - pixels)
        return cls(Pairs.of(source, target, 1.0 - iou, len(label)), iou, pixels / area, pixels / area_next)


@dataclass(frozen=True, eq=False)
class Choice:
    """What becomes of tracks (sources) in the objects of the next frame (targets); -1 for none."""

    target: Numbers
    """The object that each track goes on in."""
    mother: Numbers
    """The track that each object without a link is the second child of."""
    joined: Numbers
    """The object that each track ends in, which is that of another track too."""


def choose(rules: Rules, seen: Mask, count: int, near: Pairs | None, shared: Shared | None) -> Choice:
    """Return the cheapest links, and then the splits and merges that these leave.

    Parameters
    ----------
    rules
        What is wanted.
    seen
        Which of the tracks were seen in the frame before.
    count
        How many objects the next frame has.
    near, shared
        What may be linked by distance and by overlap, None where it is not wanted.
    """
    target = np.full(len(seen), -1, np.int64)
    if shared is not None:
        target = assign(shared.pairs.only(shared.iou > rules.min_overlap), count, 1.0)
    if near is not None:
        left = near if shared is None else _between(near, target < 0, _free(target, count))
        target = np.where(target < 0, assign(left, count, _most(rules)), target)
    none = np.full(len(seen), -1, np.int64)
    free = _free(target, count)
    mothers = _further(rules, near, shared, target >= 0, free, child=True) if rules.splits else none
    joined = _further(rules, near, shared, (target < 0) & seen, ~free, child=False) if rules.merges else none
    return Choice(target, inverse(mothers, count), joined)


def _further(
    rules: Rules, near: Pairs | None, shared: Shared | None, sources: Mask, targets: Mask, *, child: bool
) -> Numbers:
    """Return second links between these sources and targets, by the same rule as the first."""
    if shared is not None:
        share = shared.of_next if child else shared.of_this
        pairs = replace(shared.pairs, cost=1.0 - share).only(share >= SHARE)
        return assign(_between(pairs, sources, targets), len(targets), 1.0)
    assert near is not None
    return assign(_between(near, sources, targets), len(targets), _most(rules))


def pairs_near(rules: Rules, before: Floats, now: Floats) -> Pairs | None:
    """Return what may be linked by distance."""
    return None if rules.search_range is None else pairs_within(before, now, rules.search_range)


def inverse(target: Numbers, count: int) -> Numbers:
    """Return the source of each of ``count`` targets, -1 for none."""
    source = np.full(count, -1, np.int64)
    given = np.flatnonzero(target >= 0)
    source[target[given]] = given
    return source


def _most(rules: Rules) -> float:
    assert rules.search_range is not None
    return rules.search_range * rules.search_range


def _between(pairs: Pairs, sources: Mask, targets: Mask) -> Pairs:
    return pairs.only(sources[pairs.sources] & targets[pairs.targets])


def _free(target: Numbers, count: int) -> Mask:
    free = np.ones(count, np.bool_)
    free[target[target >= 0]] = False
    return free


def _found(sorted_labels: Numbers, wanted: Numbers) -> tuple[Numbers, Mask]:
    """Return where each of ``wanted`` stands, and whether it does."""
    if not len(sorted_labels):
        return np.zeros(len(wanted), np.int64), np.zeros(len(wanted), np.bool_)
    at = np.minimum(np.searchsorted(sorted_labels, wanted), len(sorted_labels) - 1)
    return at, sorted_labels[at] == wanted
