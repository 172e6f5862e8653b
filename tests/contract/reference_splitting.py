"""References of splitting objects that touch."""

import numpy as np
import scipy.ndimage as ndi
from skimage.measure import label
from skimage.morphology import reconstruction

from bigimg import filters

from .case import Case
from .reference_watershed import SHARED_HEAP, by_object


def split(mask, *, neck, sigma, sampling, connectivity):
    """Split with SciPy and scikit-image, an object at a time where scikit-image lets one change another."""
    ndim = mask.ndim
    near = ndi.generate_binary_structure(ndim, connectivity)
    distance = ndi.distance_transform_edt(mask, sampling=sampling)
    # Ours equals scipy.ndimage.gaussian_filter but for rounding, as its own case shows; here rounding would break ties.
    depth = np.where(mask, filters.gaussian(distance, sigma=sigma, dims="zyx"[3 - ndim :]), 0)
    hills = reconstruction(neck * depth, depth, footprint=near)
    plateaus = plateaus_of(hills, near)
    highest = ndi.maximum_filter(hills, footprint=near)
    tops = [number for number in range(1, plateaus.max() + 1) if (highest == hills)[plateaus == number].all()]
    markers = label(np.isin(plateaus, tops) & mask, connectivity=connectivity)
    parts = by_object(-depth, markers, mask, connectivity)
    found, first = np.unique(parts, return_index=True)
    order = found[np.argsort(first)]
    numbers = np.zeros(int(found.max()) + 1, "uint32")
    numbers[order[order > 0]] = np.arange(1, np.count_nonzero(order) + 1)
    return numbers[parts]


def plateaus_of(hills, near):
    """Number the plateaus of equal pixels."""
    plateaus, count = np.zeros(hills.shape, int), 0
    for value in np.unique(hills):
        own, more = ndi.label(hills == value, near)
        plateaus[own > 0] = own[own > 0] + count
        count += more
    return plateaus


def discs(shape, radius, number):
    """Return a maker of masks of round objects, many of which overlap."""

    def make(dtype):
        rng = np.random.default_rng(radius)
        seeds = np.ones(shape, bool)
        seeds.flat[rng.choice(seeds.size, number, replace=False)] = False
        return ndi.distance_transform_edt(seeds) < rng.uniform(0.8, 1.2) * radius

    return make


def case(shape, image, neck, sigma, sampling=1.0, connectivity=1):
    """Return the case of a mask."""
    given = {"neck": neck, "sigma": sigma, "sampling": sampling, "connectivity": connectivity}
    return Case(
        "segmentation.split_touching",
        lambda mask: split(mask, **given),
        given,
        dtypes=("bool",),
        volume=len(shape) == 3,
        image=image,
        wrong=SHARED_HEAP,
    )


CASES = [
    case((61, 47), discs((61, 47), 6, 20), 0.95, 1.5),
    case((61, 47), discs((61, 47), 4, 30), 0.8, 0.7, (1.0, 0.5), 2),
    case((9, 23, 19), discs((9, 23, 19), 4, 14), 0.9, 1.0, (2.0, 1.0, 1.0)),
    case((9, 23, 19), discs((9, 23, 19), 3, 20), 0.97, 0.6, connectivity=3),
    case((5, 8), lambda dtype: np.zeros((5, 8), dtype), 0.95, 1.5),
    case((31, 30), lambda dtype: np.random.default_rng(1).random((31, 30)) < 0.7, 0.9, 1.0),
]
