"""The table of 30,000 objects beside scikit-image's: 20 properties, then groups of them; one thread, one run.

Run it as ``python tests/bench/regions.py``. Both measure the same labels in memory; the time is that of the processor,
and the median counts. Columns are compared before anything is timed.
"""

from __future__ import annotations

import argparse
import os
from statistics import median
from time import process_time
from typing import Any

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[name] = "1"  # before NumPy is imported: the time of the processor is that of one thread

import numpy as np  # noqa: E402
import scipy.ndimage as ndi  # noqa: E402
from numpy.typing import NDArray  # noqa: E402
from skimage import measure  # noqa: E402

import bigimg  # noqa: E402

GROUPS = {
    "20 properties": [
        *("label", "area", "bbox", "centroid", "axis_major_length", "axis_minor_length", "eccentricity", "orientation"),
        *("extent", "equivalent_diameter_area", "perimeter", "perimeter_crofton", "euler_number", "area_convex"),
        *("solidity", "feret_diameter_max", "area_filled", "intensity_mean", "intensity_max", "intensity_std"),
    ],
    "label, area, bbox, centroid": ["label", "area", "bbox", "centroid"],
    "outlines": ["perimeter", "perimeter_crofton", "euler_number"],
    "hulls": ["area_convex", "solidity", "feret_diameter_max"],
    "filled holes": ["area_filled"],
    "moments": ["moments", "moments_central", "moments_normalized", "moments_hu", "inertia_tensor"],
    "intensities": ["intensity_mean", "intensity_std", "intensity_min", "intensity_max", "intensity_median"],
    "weighted moments": ["centroid_weighted", "moments_weighted", "moments_weighted_central", "moments_weighted_hu"],
}


def objects(size: int) -> tuple[NDArray[Any], NDArray[np.uint16]]:
    """Return labels of about ``size**2 / 263`` objects of 55 pixels in the mean, and an image of 12 bits."""
    rng = np.random.default_rng(0)
    smooth = ndi.gaussian_filter(rng.random((size, size)), 2.2)
    labels = measure.label(smooth > 0.53)
    return labels, (np.clip((smooth - 0.4) * 16384, 0, 4000) + rng.integers(0, 96, labels.shape)).astype(np.uint16)


def largest_difference(ours: Any, theirs: Any) -> float:
    """Return how far columns are apart, of the largest value of each.

    Where a moment is nothing but scikit-image's rounding it is left out, and so is the direction of round objects.
    """
    worst = 0.0
    for name, column in theirs.items():
        apart = np.abs(ours[name].to_numpy() - column)
        if name == "orientation":
            apart = np.abs(np.sin(apart)) * (theirs["eccentricity"] > 1e-3)
        if "central" in name and name.endswith(("-0-1", "-1-0")):
            continue
        worst = max(worst, float(np.nanmax(apart, initial=0)) / max(1.0, float(np.nanmax(np.abs(column), initial=0))))
    return worst


def seconds(call: Any, runs: int) -> float:
    """Return the median time of the processor."""
    times = []
    for _ in range(runs):
        start = process_time()
        call()
        times.append(process_time() - start)
    return median(times)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=2850)
    parser.add_argument("--runs", type=int, default=3, help="Of bigimg; scikit-image is timed once.")
    given = parser.parse_args()
    labels, image = objects(given.size)
    print(f"{labels.max()} objects in {given.size} x {given.size} pixels")
    print(f"{'properties':32}{'bigimg, s':>10}{'scikit-image, s':>17}{'ratio':>8}{'apart':>10}")
    for name, properties in GROUPS.items():

        def ours(properties: list[str] = properties) -> Any:
            return bigimg.measure.regionprops_table(labels, image, properties=properties)

        def theirs(properties: list[str] = properties) -> Any:
            return measure.regionprops_table(labels, image, properties=properties)

        apart = largest_difference(ours(), theirs())
        fast, slow = seconds(ours, given.runs), seconds(theirs, 1)
        print(f"{name:32}{fast:>10.3f}{slow:>17.2f}{slow / fast:>8.1f}{apart:>10.0e}", flush=True)


if __name__ == "__main__":
    main()
