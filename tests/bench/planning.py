"""What it costs before anything is computed: ``python tests/bench/planning.py`` plans, imports, and asks for help.

Seconds of one machine say little; they are printed beside the bars they are held to.
"""

from __future__ import annotations

import subprocess
import sys
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np

import bigimg
from bigimg.engine.plan import stages


class Large:
    """An image of 152,881 tiles of 512 pixels that nobody can read."""

    shape: tuple[int, ...] = (200_000, 200_000)
    dtype: np.dtype[Any] = np.dtype("uint16")
    name = "large"

    def __getitem__(self, box: Any) -> Any:
        raise AssertionError("a plan reads no pixel")

    def __dask_tokenize__(self) -> object:
        return "large"


def planned(tile: int = 512) -> tuple[float, float, int]:
    """Return the seconds to count the stages of a chain, the seconds to make its tasks, and how many they are."""
    start = perf_counter()
    smooth = bigimg.filters.gaussian(bigimg.from_store(Large(), (tile, tile)), sigma=2)
    mask = bigimg.threshold.sauvola(smooth, window_size=51, r=32767.5)
    mask = bigimg.morphology.opening(mask, bigimg.morphology.disk(3))
    counted = stages([mask])
    counting = perf_counter() - start
    tasks = len(dict(mask.dask))
    assert counted[0].tasks == tasks
    return counting, perf_counter() - start - counting, tasks


def labelled(side: int) -> tuple[float, int]:
    """Return the seconds to make the tasks of labels after a filter in ``side`` x ``side`` tiles, and how many."""
    start = perf_counter()
    mask = bigimg.threshold.fixed(bigimg.from_store(Large(), (200_000 // side,) * 2), value=1)
    labels = bigimg.measure.label(bigimg.morphology.remove_small_objects(mask, min_size=20))
    tasks = len(dict(labels.dask))
    return perf_counter() - start, tasks


def fresh(*arguments: str) -> float:
    """Return the median seconds of a fresh Python process, of five."""
    times = []
    for _ in range(5):
        start = perf_counter()
        subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
        times.append(perf_counter() - start)
    return median(times)


def main() -> None:
    """Print the table."""
    counting, making, tasks = planned()
    labelling, label_tasks = labelled(64)
    rows = [
        (f"count the stages of {tasks:,} tiles", counting, 5.0),
        (f"make the {tasks:,} tasks", making, 5.0),
        (f"make the {label_tasks:,} tasks of labels", labelling, 2.0),
        ("import bigimg", fresh("-c", "import bigimg"), 1.0),
        ("import bigimg and its filters", fresh("-c", "import bigimg; bigimg.filters"), None),
        ("bigimg --help", fresh("-m", "bigimg", "--help"), 0.5),
    ]
    for what, seconds, bar in rows:
        print(f"{what:40}{seconds:8.2f} s{'' if bar is None else f'   bar {bar} s'}")


if __name__ == "__main__":
    main()
