"""References of what needs whole objects: filters, holes, labels, measurements."""

from functools import partial

import numpy as np
import pandas as pd
import scipy.ndimage as ndi
from skimage import filters, measure, morphology, segmentation

from .case import INTEGERS, NUMBERS, Case

MASK = ("bool",)


def sizes(mask, smallest, largest, connectivity):
    labels = measure.label(mask, connectivity=connectivity)
    counts = np.bincount(labels.ravel())
    keep = (counts >= smallest) & (counts <= largest)
    keep[0] = False
    return keep[labels]


def largest(mask, number):
    labels = measure.label(mask)
    order = np.argsort(-np.bincount(labels.ravel())[1:], kind="stable")
    return np.isin(labels, order[:number] + 1)


def labels_of(shape, dtype):
    return measure.label(np.random.default_rng(3).random(shape) < 0.5).astype(dtype)


def speckles(shape, dtype):
    labels = labels_of(shape, "int64")
    return np.where(np.random.default_rng(1).random(shape) < 0.05, labels % 250, 0).astype(dtype)


def table(labels, properties):
    return pd.DataFrame(measure.regionprops_table(labels, properties=properties))


DIAGONALS = np.eye(3, dtype=bool)


def diagonals(mask):
    """Number as SciPy, whose numbers are those of the first pixels in raster order once they are sorted by these."""
    labels = ndi.label(mask, DIAGONALS)[0]
    present, first = np.unique(labels, return_index=True)
    order = np.zeros(len(present), int)
    order[1 + np.argsort(first[1:])] = np.arange(1, len(present))
    return order[labels]


BOX = ("label", "area", "bbox")

CASES = [
    Case(
        "morphology.remove_small_objects",
        partial(morphology.remove_small_objects, max_size=6, connectivity=2),
        {"min_size": 7},
        MASK,
    ),
    Case(
        "morphology.remove_small_objects",
        partial(morphology.remove_small_objects, max_size=6),
        {"min_size": 7, "connectivity": 1},
        MASK,
        volume=True,
    ),
    Case(
        "morphology.filter_sizes",
        partial(sizes, smallest=3, largest=40, connectivity=2),
        {"min_size": 3, "max_size": 40},
        MASK,
    ),
    Case(
        "morphology.filter_sizes",
        partial(sizes, smallest=3, largest=40, connectivity=2),
        {"min_size": 3, "max_size": 40, "connectivity": 2},
        MASK,
        volume=True,
    ),
    Case("morphology.clear_border", segmentation.clear_border, {}, MASK),
    Case("morphology.clear_border", segmentation.clear_border, {}, MASK, volume=True),
    Case("morphology.largest_objects", partial(largest, number=1), {}, MASK),
    Case("morphology.largest_objects", partial(largest, number=3), {"number": 3}, MASK, volume=True),
    Case("morphology.remove_small_holes", partial(morphology.remove_small_holes, max_size=64), {}, MASK),
    Case(
        "morphology.remove_small_holes",
        partial(morphology.remove_small_holes, max_size=5, connectivity=2),
        {"max_size": 5, "connectivity": 2},
        MASK,
    ),
    Case(
        "morphology.remove_small_holes",
        partial(morphology.remove_small_holes, max_size=5, connectivity=3),
        {"max_size": 5, "connectivity": 3},
        MASK,
        volume=True,
    ),
    Case("morphology.fill_holes", ndi.binary_fill_holes, {}, MASK),
    Case("morphology.fill_holes", ndi.binary_fill_holes, {}, MASK, volume=True),
    Case(
        "morphology.fill_holes",
        partial(ndi.binary_fill_holes, structure=ndi.generate_binary_structure(2, 2)),
        {"connectivity": 2},
        MASK,
    ),
    Case(
        "threshold.hysteresis",
        lambda image: filters.apply_hysteresis_threshold(image, 30, 120),
        {"low": 30.0, "high": 120.0},
        INTEGERS,
    ),
    Case(
        "threshold.hysteresis",
        lambda image: filters.apply_hysteresis_threshold(image, 0.3, 0.7),
        {"low": 0.3, "high": 0.7},
        ("bool", *NUMBERS),
    ),
    Case(
        "threshold.hysteresis",
        lambda image: filters.apply_hysteresis_threshold(image, 0.3, 0.7),
        {"low": 0.3, "high": 0.7},
        ("uint8", "float32"),
        volume=True,
    ),
    Case("morphology.distance_transform", ndi.distance_transform_edt, {}, MASK),
    Case(
        "morphology.distance_transform",
        partial(ndi.distance_transform_edt, sampling=(2, 1, 0.5)),
        {"sampling": (2.0, 1.0, 0.5)},
        MASK,
        volume=True,
    ),
    Case(
        "morphology.distance_transform",
        partial(ndi.distance_transform_edt, sampling=0.3),
        {"sampling": 0.3},
        MASK,
        rtol=1e-15,
    ),
    Case(
        "segmentation.expand_labels",
        partial(segmentation.expand_labels, distance=2.5),
        {"distance": 2.5},
        ("uint8", "uint16", "int32"),
        image=partial(speckles, (50, 41)),
    ),
    Case(
        "segmentation.expand_labels",
        partial(segmentation.expand_labels, distance=4, spacing=(2, 1, 0.5)),
        {"distance": 4.0, "spacing": (2.0, 1.0, 0.5)},
        ("uint16",),
        volume=True,
        image=partial(speckles, (9, 20, 31)),
    ),
    Case("measure.label", measure.label, {}, MASK),
    Case("measure.label", partial(measure.label, connectivity=1), {"connectivity": 1}, MASK),
    Case("measure.label", partial(measure.label, connectivity=2), {"connectivity": 2}, MASK, volume=True),
    Case("measure.label", diagonals, {"structure": DIAGONALS}, MASK),
    Case(
        "measure.regionprops_table",
        partial(table, properties=BOX),
        {"properties": list(BOX)},
        ("uint8", "uint16", "int32"),
        image=partial(labels_of, (40, 31)),
    ),
    Case(
        "measure.regionprops_table",
        partial(table, properties=("label", "centroid", "eccentricity")),
        {"properties": ["label", "centroid", "eccentricity"]},
        ("uint16", "int32"),
        rtol=1e-9,
        image=partial(labels_of, (40, 31)),
    ),
    Case(
        "measure.regionprops_table",
        partial(table, properties=BOX),
        {"properties": list(BOX)},
        ("uint16",),
        volume=True,
        image=partial(labels_of, (9, 20, 31)),
    ),
]
