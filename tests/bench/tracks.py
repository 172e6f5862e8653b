"""Linking beside trackpy: ``python tests/bench/tracks.py [frames] [objects]``; the links must be the same.

trackpy is no dependency: ``pip install trackpy`` where this is to be run.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from time import process_time
from typing import Any

import numpy as np
import pandas as pd

from bigimg import track

REPEATS = 3


def particles(frames: int, count: int, *, edge: float = 1000.0, step: float = 2.0, seed: int = 0) -> pd.DataFrame:
    """Return Brownian particles in a box, not all seen in each frame."""
    rng = np.random.default_rng(seed)
    place = rng.random((count, 2)) * edge
    parts = []
    for t in range(frames):
        place = np.abs((place + rng.normal(0, step, place.shape) + edge) % (2 * edge) - edge)  # back at the border
        seen = rng.random(count) < 0.98
        parts.append(pd.DataFrame({"t": t, "y": place[seen, 0], "x": place[seen, 1]}))
    table = pd.concat(parts, ignore_index=True)
    return table.assign(label=table.groupby("t").cumcount() + 1)


def links(table: pd.DataFrame, name: str) -> set[tuple[Any, ...]]:
    """Return which object follows which, whatever tracks are called."""
    ordered = table.sort_values([name, "t"])
    after = ordered.groupby(name)[["t", "label"]].shift(-1)
    known = after["t"].notna().to_numpy()
    pairs = np.column_stack([ordered[["t", "label"]].to_numpy()[known], after.to_numpy()[known]])
    return set(map(tuple, pairs.astype(int).tolist()))


def seconds(work: Callable[[], Any]) -> tuple[float, Any]:
    """Return the least processor time of some runs, and the result."""
    times = []
    for _ in range(REPEATS):
        start = process_time()
        result = work()
        times.append(process_time() - start)
    return min(times), result


def compare(trackpy: Any, table: pd.DataFrame, search_range: float, memory: int) -> tuple[float, float, int, int]:
    """Return the seconds of both, how many links there are, and how many only one of them has."""

    def ours() -> pd.DataFrame:
        found: pd.DataFrame = track.link(table, search_range=search_range, memory=memory)
        return found

    def theirs() -> pd.DataFrame:
        renamed = table.rename(columns={"t": "frame"})
        found: pd.DataFrame = trackpy.link(renamed, search_range, memory=memory)
        return found.rename(columns={"frame": "t"})

    track.link(table.head(1000), search_range=search_range)  # compiled before the clock starts
    trackpy.link(table.head(1000).rename(columns={"t": "frame"}), search_range)
    own, found = seconds(ours)
    other, expected = seconds(theirs)
    first, second = links(found, "track_id"), links(expected, "particle")
    return own, other, len(first), len(first ^ second)


def main() -> None:
    """Print the table."""
    try:
        trackpy = importlib.import_module("trackpy")
    except ImportError:
        sys.exit("this compares with trackpy, which is not installed: pip install trackpy")
    trackpy.quiet()
    frames, count = (int(each) for each in (sys.argv[1:] + ["1000", "500"][len(sys.argv) - 1 :])[:2])
    print(f"{frames:,} frames of {count:,} objects; at least 5 times trackpy is wanted\n")
    print("search_range  memory    bigimg   trackpy   ratio      links  other links")
    table = particles(frames, count)
    for search_range, memory in ((8.0, 0), (8.0, 3), (16.0, 0)):
        own, other, total, differ = compare(trackpy, table, search_range, memory)
        shown = f"{own:8.2f} s{other:8.2f} s{other / own:8.1f}{total:11,}{differ:13,}"
        print(f"{search_range:12.0f}{memory:8}{shown}")


if __name__ == "__main__":
    main()
