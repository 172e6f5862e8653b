"""Ingest beside its floor: only writing the same chunks; and many small images packed beside one array each.

Run it as ``python tests/bench/ingest.py``. The floor writes the chunks of every level, with the same codecs and as many
threads, from pixels that are in memory. Runs of both are interleaved, and the medians count.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np
import tifffile

from bigimg.core.tile import TileGrid
from bigimg.io import create_array, ingest
from bigimg.io.pyramid import halve, level_shapes
from bigimg.io.writer import CHUNK

sys.path.insert(0, str(Path(__file__).parent))
from images import photographs  # a script finds its neighbours when it is run from anywhere

THREADS = min(4, os.cpu_count() or 1)


def write_levels(levels: list[Any], folder: Path) -> None:
    """Write every chunk of every level, and nothing else."""
    with ThreadPoolExecutor(THREADS) as pool:
        for number, pixels in enumerate(levels):
            writer = create_array(folder / str(number), pixels.shape, pixels.dtype, ("y", "x"), (CHUNK, CHUNK))
            rows = TileGrid.regular(pixels.shape, (4 * CHUNK, pixels.shape[1]))
            list(pool.map(lambda tile, w=writer, p=pixels: w.write(tile.write, p[tile.write]), rows))


def write_all(images: list[tuple[list[Any], Path]]) -> None:
    """Write every level of every image."""
    for levels, folder in images:
        write_levels(levels, folder)


def timed(work: Callable[[], object]) -> float:
    """Return how long ``work`` took."""
    start = perf_counter()
    work()
    return perf_counter() - start


def main() -> None:
    """Print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=16384, help="edge of the TIFFs in pixels")
    parser.add_argument("--files", type=int, default=4)
    parser.add_argument("--small", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=3)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bigimg-bench-") as scratch:
        folder = Path(scratch, "tiffs")
        folder.mkdir()
        pixels = photographs(given.size)
        for number in range(given.files):
            tifffile.imwrite(folder / f"{number}.tif", np.roll(pixels, number), tile=(512, 512))
        levels = [pixels]
        for _ in level_shapes(pixels.shape, "yx")[1:]:
            levels.append(halve(levels[-1], "image"))
        ours, floors = [], []
        for run in range(given.runs):
            floor = [(levels, Path(scratch, f"floor{run}", str(number))) for number in range(given.files)]
            floors.append(timed(partial(write_all, floor)))
            ours.append(timed(partial(ingest, folder, Path(scratch, f"ingest{run}.zarr"))))
        size = given.files * pixels.nbytes / 2**30
        print(f"{size:.1f} GiB of uncompressed tiled TIFF, {given.files} files, {THREADS} threads, {given.runs} runs")
        print(f"ingest / writing the same chunks: {median(ours) / median(floors):.2f}")
        small = Path(scratch, "small")
        small.mkdir()
        rng = np.random.default_rng(0)
        for number in range(given.small):
            np.save(small / f"{number}.npy", rng.integers(0, 255, (64, 64), np.uint8))
        packed = timed(lambda: ingest(small, Path(scratch, "packed.zarr"), pack=True))
        single = timed(lambda: ingest(small, Path(scratch, "single.zarr")))
        print(f"{given.small:,} images of 64 x 64: packed {single / packed:.1f}x as fast as one array each")


if __name__ == "__main__":
    main()
