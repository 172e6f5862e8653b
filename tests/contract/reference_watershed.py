"""References of the watershed."""

import numpy as np
import scipy.ndimage as ndi
from skimage.measure import label
from skimage.segmentation import watershed

from .case import NUMBERS, Case

SHARED_HEAP = (
    "scikit-image 0.26 breaks ties between equal marker pixels by the layout of one heap for all objects of the mask: "
    "tests/laws/test_watershed_laws.py has an object whose labels change with another that it does not touch"
)


def by_object(image, markers, mask, connectivity):
    """Flood each object of the mask by itself."""
    labels = np.zeros_like(markers)
    objects = label(mask, connectivity=connectivity)
    for number, box in enumerate(ndi.find_objects(objects), 1):
        own = objects[box] == number
        labels[box][own] = watershed(image[box], markers[box], connectivity, mask=own)[own]
    return labels


def whole_numbers(shape):
    def make(dtype):
        return np.random.default_rng(4).integers(0, 20, shape).astype(dtype)

    return make


def cases(shape, dtype, connectivity):
    """Yield the watershed of plateaus without and with a mask."""
    rng = np.random.default_rng(connectivity)
    markers = np.where(rng.random(shape) < 0.05, rng.integers(1, 100, shape), 0).astype(dtype)
    mask = ndi.binary_opening(rng.random(shape) < 0.8) | (rng.random(shape) < 0.3)
    given = {"markers": markers, "connectivity": connectivity}
    volume = len(shape) == 3
    yield Case(
        "segmentation.watershed",
        lambda image: watershed(image, markers, connectivity),
        given,
        ("bool", *NUMBERS),
        volume=volume,
        image=whole_numbers(shape),
    )
    yield Case(
        "segmentation.watershed",
        lambda image: by_object(image, markers, mask, connectivity),
        {**given, "mask": mask},
        NUMBERS,
        volume=volume,
        image=whole_numbers(shape),
        wrong=SHARED_HEAP,
    )


CASES = [
    case
    for shape, dtype, connectivity in (
        ((61, 47), "int32", 1),
        ((61, 47), "uint32", 2),
        ((7, 23, 19), "uint64", 1),
        ((7, 23, 19), "int32", 2),
        ((7, 23, 19), "uint16", 3),
    )
    for case in cases(shape, dtype, connectivity)
]
