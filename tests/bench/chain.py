"""The chain of the README beside its peers: gaussian 2 -> Sauvola 51 -> opening, closing disk 3 -> size 64 -> label.

Run it as ``python tests/bench/chain.py``: one process, everything in memory, two threads, one table of ratios. Each
peer is run once; ours several times, and the median counts. scikit-image works on the whole image; dask-image has no
Sauvola and no size filter, so that these are written here from its own filters and ``numpy.bincount``. Both hand their
tiles to an array that is there already, as to a store, so that nobody's time is that of putting blocks together.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import dask
import dask.array as da
import dask_image.ndfilters
import dask_image.ndmeasure
import dask_image.ndmorph
import numpy as np
import xarray as xr
from numpy.typing import NDArray
from skimage import filters, measure, morphology

import bigimg
from bigimg.engine.store import store_array

sys.path.insert(0, str(Path(__file__).parent))
from images import photographs  # a script finds its neighbour when it is run from anywhere

SIGMA, WINDOW, K, R, RADIUS, LEAST = 2, 51, 0.2, 32767.5, 3, 64

Labels = NDArray[Any]


def ours(image: NDArray[Any], tile: int) -> xr.DataArray:
    """Return the chain by bigimg, lazily."""
    lazy = xr.DataArray(da.from_array(image, chunks=tile), dims=("y", "x"))
    smooth = bigimg.filters.gaussian(lazy, sigma=SIGMA)
    mask = bigimg.threshold.sauvola(smooth, window_size=WINDOW, k=K, r=R)
    mask = bigimg.morphology.opening(mask, bigimg.morphology.disk(RADIUS))
    mask = bigimg.morphology.closing(mask, bigimg.morphology.disk(RADIUS))
    return bigimg.measure.label(bigimg.morphology.remove_small_objects(mask, min_size=LEAST))


def by_scikit_image(image: NDArray[Any]) -> Labels:
    """Return the chain by scikit-image on the whole image."""
    smooth = filters.gaussian(image, SIGMA, mode="reflect", preserve_range=True)
    mask = smooth > filters.threshold_sauvola(smooth, WINDOW, K, R)
    disk = morphology.disk(RADIUS)
    mask = morphology.closing(morphology.opening(mask, disk), disk)
    mask = morphology.remove_small_objects(mask, max_size=LEAST - 1, connectivity=2)
    return np.asarray(measure.label(mask, connectivity=2))


def by_dask_image(image: NDArray[Any], tile: int) -> Labels:
    """Return the chain by dask-image; its morphology takes what is outside the image for background."""
    lazy = da.from_array(image, chunks=tile)
    smooth = dask_image.ndfilters.gaussian_filter(lazy.astype(np.float32), SIGMA)
    mean = dask_image.ndfilters.uniform_filter(smooth, WINDOW, mode="mirror").astype(np.float64)
    square = dask_image.ndfilters.uniform_filter(smooth.astype(np.float64) ** 2, WINDOW, mode="mirror")
    deviation = da.sqrt(da.maximum(square - mean**2, 0))
    mask = smooth > mean * (1 + K * (deviation / R - 1))
    disk = morphology.disk(RADIUS).astype(bool)
    mask = dask_image.ndmorph.binary_closing(dask_image.ndmorph.binary_opening(mask, disk), disk).persist()
    labels, count = dask.persist(*dask_image.ndmeasure.label(mask, np.ones((3, 3))))
    counted = [dask.delayed(np.bincount)(block.ravel(), minlength=int(count) + 1) for block in _blocks(labels)]
    sizes = sum(dask.compute(*counted))
    keep = sizes >= LEAST
    keep[0] = False
    numbers = (np.cumsum(keep) * keep).astype(np.uint32)
    out = np.zeros(image.shape, np.uint32)
    da.store(labels.map_blocks(lambda block: numbers[block], dtype=np.uint32), out, lock=False)
    return out


def _blocks(array: da.Array) -> list[Any]:
    return [dask.delayed(np.asarray)(block) for block in array.to_delayed().ravel()]


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Return the wall time of ``work`` in seconds, and its result."""
    start = perf_counter()
    result = work()
    return perf_counter() - start, result


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=8192)
    parser.add_argument("--tile", type=int, default=2048)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--without", choices=["dask-image", "scikit-image"], nargs="*", default=[])
    given = parser.parse_args()
    image = photographs(given.size)
    with dask.config.set(scheduler="threads", num_workers=given.threads):
        ours(image[:512, :512], 256).compute()  # compiles
        lazy = ours(image, given.tile)
        tiles = lazy.data.npartitions
        tasks = len(dict(lazy.data.dask))
        labels = np.zeros(image.shape, np.uint32)
        times = [
            timed(lambda: store_array(ours(image, given.tile).data, labels.__setitem__).compute())[0]
            for _ in range(given.runs)
        ]
        own = median(times)
        print(
            f"{given.size} x {given.size} uint16, tiles of {given.tile}, {given.threads} threads, "
            f"{labels.max():,} objects"
        )
        print(
            f"bigimg: {tasks} tasks for {tiles} tiles, {tasks / tiles:.2f} a tile; spread of {given.runs} runs "
            f"{min(times) / own:.2f}..{max(times) / own:.2f} of their median"
        )
        print(f"{'':14}{'time / bigimg':>14}  result")
        print(f"{'bigimg':14}{1:14.1f}")
        if "scikit-image" not in given.without:
            seconds, expected = timed(lambda: by_scikit_image(image))
            same = "equal, numbers included" if np.array_equal(labels, expected) else "DIFFERENT"
            print(f"{'scikit-image':14}{seconds / own:14.1f}  {same}")
        if "dask-image" not in given.without:
            seconds, found = timed(lambda: by_dask_image(image, given.tile))
            print(f"{'dask-image':14}{seconds / own:14.1f}  {int(((found > 0) != (labels > 0)).sum()):,} pixels differ")


if __name__ == "__main__":
    main()
