"""References of every column of the table of measured objects."""

from functools import partial

import numpy as np
import pandas as pd
from skimage import measure

from bigimg.kernels.regions import PROPERTIES

from .case import Case

COUNTS = ["label", "num_pixels", "area_filled", "area_convex", "euler_number", "moments"]
PLANE = [
    "label",
    "perimeter",
    "perimeter_crofton",
    "solidity",
    "feret_diameter_max",
    "centroid_local",
    "inertia_tensor",
]
VOLUME = [name for name in PLANE if not PROPERTIES[name].plane_only]
SPACED = ["area", "area_bbox", "equivalent_diameter_area", "centroid", "moments", "feret_diameter_max", "area_convex"]


def blobs(shape, dtype):
    """Labels of thick objects: flat ones have no hull in scikit-image's volumes."""
    coarse = np.random.default_rng(3).random([-(-size // 4) for size in shape]) < 0.3
    for axis, size in enumerate(shape):
        coarse = np.repeat(coarse, 4, axis=axis).take(range(size), axis=axis)
    return measure.label(coarse, connectivity=1).astype(dtype)


def table(labels, properties, spacing=None):
    return pd.DataFrame(measure.regionprops_table(labels, properties=properties, spacing=spacing))


CASES = [
    Case(
        "measure.regionprops_table",
        partial(table, properties=names, spacing=spacing),
        {"properties": names} | ({} if spacing is None else {"spacing": spacing}),
        dtypes,
        rtol=rtol,
        volume=volume,
        image=partial(blobs, (16, 24, 20) if volume else (43, 38)),
    )
    for names, rtol, volume, spacing, dtypes in [
        (COUNTS, 0, False, None, ("uint8", "uint16", "int32")),
        (COUNTS, 0, True, None, ("uint16",)),
        (PLANE, 1e-12, False, None, ("uint16", "int32")),
        (VOLUME, 1e-12, True, None, ("int32",)),
        (SPACED, 1e-12, False, (0.5, 2.0), ("int32",)),
        (SPACED, 1e-12, True, (2.0, 0.5, 0.25), ("int32",)),
    ]
]
