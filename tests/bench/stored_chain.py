"""The chain from Zarr to labels in Zarr and a table in Parquet, beside the floor: only reading and writing as much.

Run it as ``python tests/bench/stored_chain.py``: worker processes of one thread each, on this machine. The floor reads
the same input tiles and writes the same label tiles with the same codecs in the same processes; the labels it writes
come from a memory-mapped file. Runs of both are interleaved, and the medians count.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import dask
import numpy as np
import xarray as xr
import zarr
from distributed import Client

import bigimg
from bigimg.core.tile import Box, TileGrid
from bigimg.engine.lazy import from_store
from bigimg.engine.store import store_array
from bigimg.io.stored import StoredSource
from bigimg.io.tables import write_table
from bigimg.io.writer import CHUNK, ArrayWriter, create_array
from bigimg.run.profile import ClusterProfile

sys.path.insert(0, str(Path(__file__).parent))
from chain import LEAST, RADIUS, SIGMA, WINDOW, K, R
from images import photographs  # a script finds its neighbours when it is run from anywhere

PROPERTIES = ("label", "area", "bbox", "centroid", "intensity_mean", "intensity_max")


def stored(folder: Path, writer: ArrayWriter) -> StoredSource:
    """Return what ``writer`` has written as a source of pixels."""
    return StoredSource("photographs", str(folder), writer.shape, writer.dtype, ("y", "x"), writer.chunks, {})


def lazy_chain(image: Any, tile: int) -> tuple[xr.DataArray, Any]:
    """Return labels and table of the chain, lazily."""
    lazy = xr.DataArray(from_store(image, (tile, tile)), dims=("y", "x"))
    smooth = bigimg.filters.gaussian(lazy, sigma=SIGMA)
    mask = bigimg.threshold.sauvola(smooth, window_size=WINDOW, k=K, r=R)
    mask = bigimg.morphology.opening(mask, bigimg.morphology.disk(RADIUS))
    mask = bigimg.morphology.closing(mask, bigimg.morphology.disk(RADIUS))
    labels = bigimg.measure.label(bigimg.morphology.remove_small_objects(mask, min_size=LEAST))
    return labels, bigimg.measure.regionprops_table(labels, lazy, properties=PROPERTIES)


def chain(image: Any, folder: Path, tile: int) -> int:
    """Carry out the chain; return the number of objects."""
    labels, table = lazy_chain(image, tile)
    writer = create_array(folder / "labels", labels.shape, labels.dtype, ("y", "x"), (CHUNK, CHUNK))
    _, found = dask.compute(store_array(labels.data, writer.write), table, optimize_graph=False)
    write_table(folder / "objects.parquet", found, {})
    return len(found)


def copy_tile(image: Any, labels: str, writer: ArrayWriter, box: Box) -> int:
    """Read one tile of the input, and write one of the labels: all that the floor does."""
    read = image[box]
    writer.write(box, np.ascontiguousarray(np.load(labels, mmap_mode="r")[box]))
    return int(read[0, 0])


def floor(client: Client, image: Any, labels: str, folder: Path, tiles: Sequence[Box]) -> None:
    """Read and write every tile in the workers."""
    writer = create_array(folder / "labels", image.shape, np.dtype(np.uint32), ("y", "x"), (CHUNK, CHUNK))
    client.gather([client.submit(copy_tile, image, labels, writer, box, pure=False) for box in tiles])


def forget() -> None:
    """Drop the decoded chunks that a worker keeps: each run reads the files again."""
    from bigimg.io.stored import _decoded

    _decoded.clear()


def warm(small: Any, tile: int) -> None:
    """Load and compile in this process all that the chain needs."""
    with tempfile.TemporaryDirectory(prefix="bigimg-bench-") as scratch, dask.config.set(scheduler="sync"):
        chain(small, Path(scratch), tile)


def peak() -> int:
    """Return the most memory this process has had, in bytes."""
    # Not from getrusage, which begins with the memory of the process that this one was forked from.
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM"))


def main() -> None:
    """Print the ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=8192)
    parser.add_argument("--tile", type=int, default=2048)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--runs", type=int, default=7)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bigimg-bench-") as scratch:
        pixels = photographs(given.size)
        written = create_array(Path(scratch, "image"), pixels.shape, pixels.dtype, ("y", "x"), (CHUNK, CHUNK))
        written.write(tuple(slice(0, size) for size in pixels.shape), pixels)
        image = stored(Path(scratch, "image"), written)
        small = create_array(Path(scratch, "small"), (64, 64), pixels.dtype, ("y", "x"), (CHUNK, CHUNK))
        small.write((slice(0, 64),) * 2, pixels[:64, :64])
        tiles = [tile.write for tile in TileGrid.regular(image.shape, (given.tile, given.tile))]
        with ClusterProfile.load("local").open(given.workers) as client:
            names = [f"{scratch}/{number}" for number in range(given.runs + 1)]
            client.run(warm, stored(Path(scratch, "small"), small), given.tile)
            before = client.run(peak)
            count = chain(image, Path(names[0], "chain"), given.tile)
            after = client.run(peak)
            labels = f"{scratch}/labels.npy"
            np.save(labels, zarr.open_array(Path(names[0], "chain", "labels"), mode="r")[:])
            floors, chains = [], []
            for name in names[1:]:
                client.run(forget)
                start = perf_counter()
                floor(client, image, labels, Path(name, "floor"), tiles)
                floors.append(perf_counter() - start)
                client.run(forget)
                start = perf_counter()
                again = chain(image, Path(name, "chain"), given.tile)
                chains.append(perf_counter() - start)
                assert again == count
    ratios = [own / least for own, least in zip(chains, floors)]
    print(f"{given.size} x {given.size} uint16, chunks of {CHUNK}, tiles of {given.tile}, {given.workers} processes")
    print(f"{count:,} objects, {len(PROPERTIES)} properties of each; {given.runs} runs of each, interleaved")
    grown = max(after[worker] - before[worker] for worker in before) / (4 * given.tile**2)
    print(f"a worker grows by at most {grown:.1f} tiles of float32 over what its imports take")
    print(f"chain / floor: {median(chains) / median(floors):.2f} (single pairs {min(ratios):.2f}..{max(ratios):.2f})")


if __name__ == "__main__":
    main()
