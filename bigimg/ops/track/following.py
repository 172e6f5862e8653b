"""Following objects from frame to frame.

All that later frames need to know is a :class:`Linker`, one row for each track that is still open; a table is linked
frame after frame, in one piece or in many, and the tracks are the same::

    t = 3                 t = 4
    track 1 o-------------o        a link
    track 2 o                      nothing near: open for ``memory`` frames more, then it has ended
    track 3 o-------------o        a split: track 3 ends, and two tracks begin whose parent it is
             `------------o
    track 4 o-------------o        a merge: both end, and one begins with two parents
    track 5 o------------'
                          o        a new track
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from bigimg.errors import ParameterError
from bigimg.ops.track.choosing import Choice, Mask, Overlaps, Rules, Shared, choose, inverse, pairs_near
from bigimg.ops.track.objects import Floats, Numbers, Objects


@dataclass(frozen=True, eq=False)
class Open:
    """Tracks that may go on, sorted by number."""

    track: Numbers
    t: Numbers
    """The last frame each was seen in."""
    time: Floats
    label: Numbers
    """What it was called there."""
    position: Floats
    velocity: Floats
    parents: Numbers
    """(tracks, 2): the tracks it came from, 0 for none."""

    def __len__(self) -> int:
        return len(self.track)

    def only(self, rows: Mask | Numbers) -> Open:
        """Return those of ``rows``."""
        return Open(*(getattr(self, each.name)[rows] for each in fields(self)))

    def and_also(self, other: Open) -> Open:
        """Return the tracks of both."""
        both = (np.concatenate([getattr(self, each.name), getattr(other, each.name)]) for each in fields(self))
        joined = Open(*both)
        return joined.only(np.argsort(joined.track, kind="stable"))

    def expected(self, time: float) -> Floats:
        """Return where the objects will be at ``time`` if they move on as they do."""
        return self.position + self.velocity * (time - self.time)[:, None]

    @classmethod
    def none(cls, axes: int) -> Open:
        """Return no track."""
        whole, real = np.zeros(0, np.int64), np.zeros(0)
        return cls(whole, whole, real, whole, np.zeros((0, axes)), np.zeros((0, axes)), np.zeros((0, 2), np.int64))


@dataclass(frozen=True, eq=False)
class Linked:
    """The tracks that objects belong to, and the tracks each of those came from, 0 for none."""

    track: Numbers
    parent: Numbers
    other: Numbers


@dataclass
class Linker:
    """Links frame after frame by ``rules``; what it holds is all that the frames before have left."""

    rules: Rules
    open: Open | None = None
    tracks: int = 0
    """How many there have been."""

    def link(self, objects: Objects, overlaps: Overlaps | None = None) -> Linked:
        """Link the next frames; ``objects`` must be of later frames than all before."""
        parts = [np.zeros((0, 3), np.int64)]
        for rows in objects.frames():
            self.open = self._after(objects, rows, overlaps)
            now = self.open.only(self.open.t == objects.t[rows.start])
            by_label = np.argsort(now.label, kind="stable")
            parts.append(np.column_stack([now.track, now.parents])[by_label])
        return Linked(*np.concatenate(parts).T)

    def _after(self, objects: Objects, rows: slice, overlaps: Overlaps | None) -> Open:
        """Return the tracks that are open after the frame of ``rows``."""
        rules, t, time = self.rules, int(objects.t[rows.start]), float(objects.time[rows.start])
        position, label = objects.position[rows], objects.label[rows]
        before = Open.none(position.shape[1]) if self.open is None else self.open
        if len(before) and before.t.max() >= t:
            raise ParameterError(f"frames must be linked in their order (got t={t} after t={before.t.max()})")
        before = before.only(t - before.t <= rules.memory + 1)
        seen = before.t == t - 1
        near = pairs_near(rules, before.expected(time), position)
        shared = None if overlaps is None else Shared.of(before.label, seen, label, overlaps.after(t - 1))
        choice = choose(rules, seen, len(label), near, shared)
        track, velocity, parents = self._go_on(before, choice, position, time)
        now = Open(track, np.full(len(label), t), np.full(len(label), time), label, position, velocity, parents)
        return now.and_also(before.only((choice.target < 0) & (choice.joined < 0)))

    def _go_on(self, before: Open, choice: Choice, position: Floats, time: float) -> tuple[Numbers, Floats, Numbers]:
        """Return track, velocity and parents of each object of the next frame."""
        count = len(position)
        source, joins = inverse(choice.target, count), inverse(choice.joined, count)
        split = np.zeros(len(before) + 1, np.bool_)  # one more, for the objects whose source is -1
        split[choice.mother[choice.mother >= 0]] = True
        goes_on = (source >= 0) & (joins < 0) & ~split[source]

        track = np.zeros(count, np.int64)
        track[goes_on] = before.track[source[goes_on]]
        new = np.flatnonzero(~goes_on)
        track[new] = self.tracks + 1 + np.arange(len(new))
        self.tracks += len(new)

        parent = np.where(source >= 0, source, choice.mother)
        parents = np.zeros((count, 2), np.int64)
        parents[goes_on] = before.parents[source[goes_on]]
        for column, come in enumerate((parent, joins)):
            known = new[come[new] >= 0]
            parents[known, column] = before.track[come[known]]

        velocity = np.zeros_like(position)
        if self.rules.velocity:
            children = np.flatnonzero((parent >= 0) & ((source < 0) | split[source]))
            velocity[children] = before.velocity[parent[children]]  # the step apart is not how they move
            moved = np.flatnonzero((source >= 0) & ~split[source])
            step = position[moved] - before.position[source[moved]]
            velocity[moved] = step / (time - before.time[source[moved]])[:, None]
        return track, velocity, parents
