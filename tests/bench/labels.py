"""Labels and their table of a large mask beside OpenCV's components alone: ``python tests/bench/labels.py``.

One thread, the time of the processor; each is called in turn, and the median of the ratios of neighbouring calls
counts.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from statistics import median
from time import process_time

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[name] = "1"  # before NumPy is imported

import cv2  # noqa: E402
import dask  # noqa: E402
import dask.array as da  # noqa: E402
import numpy as np  # noqa: E402
from numpy.typing import NDArray  # noqa: E402

from bigimg import measure  # noqa: E402

Mask = NDArray[np.bool_]

BAR = 2.5
PROPERTIES = ("label", "area", "bbox", "centroid")
SIZE, TILE, ROUNDS = 8192, 512, 5


def blobs(size: int) -> Mask:
    """Return smooth blobs, some 20 pixels wide, that fill half of the image."""
    noise = np.random.default_rng(0).standard_normal((size, size), dtype=np.float32)
    return np.asarray(cv2.GaussianBlur(noise, (0, 0), 4) > 0)


def seconds(call: Callable[[], object]) -> float:
    """Return the processor time of one call."""
    start = process_time()
    call()
    return process_time() - start


def main() -> None:
    """Print the ratios."""
    cv2.setNumThreads(1)
    mask = blobs(SIZE)
    tiles = da.from_array(mask, chunks=TILE)

    def table() -> object:
        return measure.regionprops_table(measure.label(mask), properties=PROPERTIES)

    def in_tiles() -> object:
        return measure.regionprops_table(measure.label(tiles), properties=PROPERTIES).compute()

    calls = {
        "label": lambda: measure.label(mask),
        "label and table": table,
        f"label and table, tiles of {TILE}": in_tiles,
    }
    with dask.config.set(scheduler="sync"):
        for call in calls.values():
            call()  # compiles
        ratios: dict[str, list[float]] = {what: [] for what in calls}
        for _ in range(ROUNDS):
            for what, call in calls.items():
                ours, theirs = seconds(call), seconds(lambda: cv2.connectedComponents(mask.view(np.uint8)))
                ratios[what].append(ours / theirs)
    print(f"{SIZE} x {SIZE} pixels, {int(measure.label(mask).max()):,} objects; times cv2.connectedComponents")
    for what, found in ratios.items():
        print(f"{what:40}{median(found):8.2f}   bar {BAR}")


if __name__ == "__main__":
    main()
