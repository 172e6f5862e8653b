"""References of what is told apart by hills: objects that touch, and thresholds of peaks."""

import numpy as np
import scipy.ndimage as ndi
from skimage.filters import threshold_otsu
from skimage.measure import label
from skimage.morphology import reconstruction

from bigimg import filters

from .case import Case
from .reference_watershed import SHARED_HEAP, by_object


def split(mask, *, neck, sigma, sampling, connectivity):
    """Split with SciPy and scikit-image, an object at a time where scikit-image lets one change another."""
    distance = ndi.distance_transform_edt(mask, sampling=sampling)
    # Ours equals scipy.ndimage.gaussian_filter but for rounding, as its own case shows; here rounding would break ties.
    depth = np.where(mask, filters.gaussian(distance, sigma=sigma, dims="zyx"[3 - mask.ndim :]), 0)
    parts = grounds(depth, mask, neck, connectivity)
    found, first = np.unique(parts, return_index=True)
    order = found[np.argsort(first)]
    numbers = np.zeros(int(found.max()) + 1, "uint32")
    numbers[order[order > 0]] = np.arange(1, np.count_nonzero(order) + 1)
    return numbers[parts]


def grounds(height, mask, valley, connectivity):
    """Number the grounds of the hills of a mask."""
    near = ndi.generate_binary_structure(mask.ndim, connectivity)
    hills = reconstruction(valley * height, height, footprint=near)
    plateaus = plateaus_of(hills, near)
    highest = ndi.maximum_filter(hills, footprint=near)
    tops = [number for number in range(1, plateaus.max() + 1) if (highest == hills)[plateaus == number].all()]
    markers = label(np.isin(plateaus, tops) & mask, connectivity=connectivity)
    return by_object(-height, markers, mask, connectivity)


def peaks(image, *, fraction, valley, floor, connectivity):
    """Find what reaches a fraction of its peak."""
    image = image.astype("float64")
    if (image == image.flat[0]).all():
        return np.zeros(image.shape, bool)
    background, value = levels(image)
    height = image - background
    height = np.where((height > floor * (value - background)) & (height > 0), height, 0)
    labels = grounds(height, height > 0, valley, connectivity)
    highest = np.append(0, ndi.maximum(height, labels, np.arange(1, labels.max() + 1)))
    return (labels > 0) & (height > fraction * highest[labels])


def levels(image):
    """Return the grey value of the background, and Otsu's value."""
    if image.dtype.kind == "f" and (image % 1).any():
        counts, edges = np.histogram(image, 256)
        centers = (edges[:-1] + edges[1:]) / 2
    else:
        counts = np.bincount((image - image.min()).astype(int).ravel())
        centers = np.arange(counts.size) + image.min()
    value = threshold_otsu(hist=(counts, centers))
    dark = np.repeat(centers[centers <= value], counts[centers <= value])
    return np.sort(dark)[(dark.size - 1) // 2], value


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


def peaks_case(fraction, valley, floor, connectivity=1, *, volume=False):
    """Return the case of images of numbers."""
    given = {"fraction": fraction, "valley": valley, "floor": floor, "connectivity": connectivity}
    whole = ("uint8", "int16", "int32") if volume else ("uint8", "int16", "int32", "float32", "float64")
    return Case(
        "threshold.peak_fraction",
        lambda image: peaks(image, **given),
        given,
        whole,
        volume=volume,
        image=blobs((9, 23, 19) if volume else (61, 47)),
        wrong=SHARED_HEAP,
    )


def blobs(shape):
    """Return a maker of smooth images, of whole numbers for integers."""

    def make(dtype):
        image = ndi.gaussian_filter(np.random.default_rng(3).random(shape), 1.5)
        image = (image - image.min()) / (image.max() - image.min())
        return image.astype(dtype) if dtype.kind == "f" else np.round(image * 120).astype(dtype)

    return make


def floor_of(image, floor):
    """Return the grey value of the floor."""
    background, value = levels(image.astype("float64"))
    return background + floor * (value - background)


CASES = [
    Case(
        "threshold.peak_fraction_value",
        lambda image: floor_of(image, 0.4),
        {"floor": 0.4},
        ("uint8", "int16", "float64"),
        rtol=1e-12,
        image=blobs((61, 47)),
    ),
    peaks_case(0.3, 0.8, 0.5),
    peaks_case(0.7, 0.95, 0.0, 2),
    peaks_case(0.5, 0.8, 0.5, volume=True),
    peaks_case(0.4, 0.9, 0.3, 3, volume=True),
    case((61, 47), discs((61, 47), 6, 20), 0.95, 1.5),
    case((61, 47), discs((61, 47), 4, 30), 0.8, 0.7, (1.0, 0.5), 2),
    case((9, 23, 19), discs((9, 23, 19), 4, 14), 0.9, 1.0, (2.0, 1.0, 1.0)),
    case((9, 23, 19), discs((9, 23, 19), 3, 20), 0.97, 0.6, connectivity=3),
    case((5, 8), lambda dtype: np.zeros((5, 8), dtype), 0.95, 1.5),
    case((31, 30), lambda dtype: np.random.default_rng(1).random((31, 30)) < 0.7, 0.9, 1.0),
]
