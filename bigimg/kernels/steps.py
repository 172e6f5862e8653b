"""The elementary operations that morphology is made of, and what is known of their footprints."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from math import prod

import numpy as np
from numpy.typing import NDArray

from bigimg.core.footprint import LARGEST

Mask = NDArray[np.bool_]
Integers = NDArray[np.int64]


@dataclass(frozen=True, eq=False)  # equal if the same: programs are kept by it
class Step:
    """One elementary operation.

    Attributes
    ----------
    dilates
        True for a dilation, False for an erosion.
    footprint
        Boolean array of odd size along each axis, with its origin in the middle.
    """

    dilates: bool
    footprint: Mask

    @cached_property
    def chords(self) -> Integers:
        """The chords of the footprint, as `chords` returns them."""
        return chords(self.footprint)

    @cached_property
    def box(self) -> tuple[tuple[int, int], ...] | None:
        """The first and the last offset along each axis if the footprint is a box without a gap, else None."""
        spans = []
        for axis in range(self.footprint.ndim):
            others = tuple(other for other in range(self.footprint.ndim) if other != axis)
            taken = np.flatnonzero(self.footprint.any(axis=others)) - self.footprint.shape[axis] // 2
            spans.append((int(taken[0]), int(taken[-1])))
        full = np.prod([last - first + 1 for first, last in spans]) == self.footprint.sum()
        return tuple(spans) if full else None


def chords(footprint: Mask) -> Integers:
    """Return the horizontal runs of a footprint of odd size, one a row: plane, row, first and last column offset.

    Examples
    --------
    >>> chords(np.array([[0, 1, 0], [1, 1, 1], [1, 0, 1]], bool)).tolist()
    [[0, -1, 0, 0], [0, 0, -1, 1], [0, 1, -1, -1], [0, 1, 1, 1]]
    """
    solid = footprint[np.newaxis] if footprint.ndim == 2 else footprint
    edges = np.diff(np.pad(solid, ((0, 0), (0, 0), (1, 1))).astype(np.int8), axis=-1)
    starts, stops = np.argwhere(edges == 1), np.argwhere(edges == -1)
    origin = np.array(solid.shape) // 2
    return np.column_stack([starts - origin, stops[:, 2] - 1 - origin[2]]).astype(np.int64)


@lru_cache
def joined(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """Put steps by boxes that follow one another, both erosions or both dilations, together to one."""
    done: list[Step] = []
    for step in steps:
        last = done[-1] if done else step
        if done and last.dilates == step.dilates and last.box is not None and step.box is not None:
            spans = [
                (low + more_low, high + more_high) for (low, high), (more_low, more_high) in zip(last.box, step.box)
            ]
            half = [max(-low, high, 0) for low, high in spans]
            if prod(2 * size + 1 for size in half) <= LARGEST:
                footprint = np.zeros([2 * size + 1 for size in half], bool)
                footprint[tuple(slice(size + low, size + high + 1) for size, (low, high) in zip(half, spans))] = True
                done[-1] = Step(step.dilates, footprint)
                continue
        done.append(step)
    return tuple(done)
