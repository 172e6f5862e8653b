"""References of the measures of objects that CellProfiler has: plain twins, one object after the other."""

from functools import partial

import numpy as np
import pandas as pd
import scipy.ndimage as ndi
from skimage import filters, measure, morphology, segmentation

from .case import Case

LABELS = ("uint8", "uint16", "int32")


def cells(shape, dtype):
    """Objects of many shapes that touch each other and the border, one of them in two parts."""
    rng = np.random.default_rng(5)
    smooth = filters.gaussian(rng.random(shape), 1.5)
    seeds = morphology.local_maxima(smooth)
    labels = segmentation.watershed(-smooth, measure.label(seeds), mask=smooth > np.quantile(smooth, 0.4))
    labels[labels == 3] = 2
    return (labels * 2).astype(dtype)


def grey(shape, dtype="uint8", channels=0):
    rng = np.random.default_rng(8)
    return rng.integers(1, 200, (channels, *shape) if channels else shape).astype(dtype)


def rows_of(labels, one):
    """Return the table of ``one(mask)`` for each label."""
    return pd.DataFrame([{"label": int(each), **one(labels == each)} for each in np.unique(labels[labels > 0])])


def numbered(columns, image, ndim, one):
    """Return ``one(channel)`` for each channel, named as scikit-image names them."""
    image = image.astype(float)
    if image.ndim == ndim:
        return columns | one(image)
    found = [one(channel) for channel in image]
    return columns | {f"{name}-{number}": each[name] for name in found[0] for number, each in enumerate(found)}


def edges(labels, image):
    boundary = segmentation.find_boundaries(labels, mode="inner", connectivity=1)

    def one(mask):
        return numbered(
            {"num_pixels_edge": (mask & boundary).sum()},
            image,
            labels.ndim,
            lambda c: moments(c[mask & boundary]),
        )

    return rows_of(labels, one)


def moments(values):
    found = {"sum": values.sum(), "mean": values.mean(), "std": values.std(), "min": values.min(), "max": values.max()}
    return {f"intensity_{name}_edge": value for name, value in found.items()}


def shape(labels):
    return rows_of(labels, thickness if labels.ndim == 3 else lambda mask: thickness(mask) | widths(mask))


def thickness(mask):
    distances = ndi.distance_transform_edt(np.pad(mask, 1))[np.pad(mask, 1)]
    return {"radius_max": distances.max(), "radius_mean": distances.mean(), "radius_median": np.median(distances)}


def widths(mask):
    points = np.argwhere(mask).astype(float)
    apart = points[:, None] - points[None]
    lengths = np.hypot(apart[..., 0], apart[..., 1])
    least = np.inf
    for start, along in zip(points, np.moveaxis(apart, 1, 0)):
        for step, length in zip(along, np.hypot(*along.T)):
            if length:
                sides = ((points - start) @ [-step[1], step[0]]) / length
                least = min(least, np.ptp(sides) if sides.min() > -1e-9 or sides.max() < 1e-9 else np.inf)
    perimeter = measure.perimeter(np.pad(mask, 1))
    return {
        "feret_centers_min": 0.0 if np.isinf(least) else least,
        "feret_centers_max": lengths.max(),
        "form_factor": 4 * np.pi * mask.sum() / perimeter**2 if perimeter else np.inf,
        "compactness": perimeter**2 / (4 * np.pi * mask.sum()),
    }


def radial(labels, image, bins, radius=None):
    def one(mask):
        to_edge = np.where(mask, ndi.distance_transform_edt(mask), 0)
        centre = np.unravel_index(np.argmax(to_edge), mask.shape)
        from_centre = geodesic(mask, centre)
        reached = np.isfinite(from_centre)
        share = from_centre[reached] / (radius or from_centre[reached] + to_edge[reached] + 0.001)
        ring = np.minimum((share * bins).astype(int), bins)
        down, right = (np.argwhere(reached) - centre).T
        wedge = (down > 0) + 2 * (right > 0) + 4 * (abs(down) > abs(right))
        return numbered({}, image, 2, lambda c: rings(c[reached], ring, wedge, bins, bins + bool(radius)))

    return rows_of(labels, one)


def geodesic(mask, centre):
    """Return path lengths within ``mask`` by relaxing all pixels until nothing changes."""
    lengths = np.where(np.zeros_like(mask), 0.0, np.inf)
    lengths[centre] = 0
    ring = np.array([[2**0.5, 1, 2**0.5], [1, 0, 1], [2**0.5, 1, 2**0.5]])
    while True:
        spread = np.pad(lengths, 1, constant_values=np.inf)
        steps = [spread[y : y + mask.shape[0], x : x + mask.shape[1]] + ring[y, x] for y, x in np.ndindex(3, 3)]
        after = np.where(mask, np.min(steps, axis=0), np.inf)
        if np.array_equal(after, lengths):
            return lengths
        lengths = after


def rings(values, ring, wedge, bins, wanted):
    named = {name: {} for name in ("fraction", "mean_fraction", "cv")}
    for number in range(wanted):
        inside = ring == number
        name = f"{number + 1}of{bins}" if number < bins else "overflow"
        fraction = values[inside].sum() / values.sum()
        means = [values[inside & (wedge == w)].mean() for w in range(8) if (inside & (wedge == w)).any()]
        named["fraction"][name] = fraction
        named["mean_fraction"][name] = fraction / (inside.mean() + np.finfo(float).eps)
        named["cv"][name] = np.std(means) / np.mean(means) if means else 0.0
    return {f"radial_{kind}_{name}": value for kind, found in named.items() for name, value in found.items()}


PLANE_STEPS = ((0, 1), (1, 1), (1, 0), (1, -1))
VOLUME_STEPS = (
    *((1, 0, 0), (1, 1, 0), (0, 1, 0), (1, -1, 0), (0, 0, 1), (1, 0, 1), (0, 1, 1), (1, 1, 1), (1, -1, 1)),
    *((1, 0, -1), (0, 1, -1), (1, 1, -1), (1, -1, -1)),
)


FEATURES = (
    "angular_second_moment",
    "contrast",
    "correlation",
    "variance",
    "inverse_difference_moment",
    "sum_average",
    "sum_variance",
    "sum_entropy",
    "entropy",
    "difference_variance",
    "difference_entropy",
    "info_measure_1",
    "info_measure_2",
)


def texture(labels, image, levels, distance, low=0.0, high=255.0):
    share = np.clip((image.astype(float) - low) / (high - low), 0, 1)
    grey = (np.rint(share * 255) / 255 * (levels - 1)).astype(int)
    steps = PLANE_STEPS if labels.ndim == 2 else VOLUME_STEPS

    def one(mask):
        columns = {}
        for number, step in enumerate(steps):
            first, second = shifted(mask, np.array(step) * distance)

            def named(c, number=number, first=first, second=second):
                found = haralick(*pairs(c.astype(int), mask, first, second), levels)
                return {f"texture_{name}_{distance}_{number:02d}_{levels}": value for name, value in found.items()}

            columns = numbered(columns, grey, labels.ndim, named)
        return columns

    return rows_of(labels, one)


def shifted(mask, step):
    """Return the pixels of ``mask`` that have another of it a step further, and these others."""
    first = np.argwhere(mask)
    second = first + step
    inside = ((second >= 0) & (second < mask.shape)).all(axis=1)
    inside[inside] = mask[tuple(second[inside].T)]
    return tuple(first[inside].T), tuple(second[inside].T)


def pairs(grey, mask, first, second):
    a, b = grey[first], grey[second]
    return a[(a > 0) & (b > 0)], b[(a > 0) & (b > 0)], grey[mask].max()


def haralick(a, b, top, levels):
    """Return Haralick's features of the whole symmetric matrix, formula by formula."""
    if not len(a):
        return dict.fromkeys(FEATURES, np.nan)
    counts = np.zeros((levels, levels))
    np.add.at(counts, (a, b), 1)
    np.add.at(counts, (b, a), 1)
    p = counts / counts.sum()
    i, j = np.indices(p.shape)
    margin = p.sum(axis=0)
    k = np.arange(levels)
    mean = margin @ k
    variance = margin @ (k - mean) ** 2
    sums = np.bincount((i + j).ravel(), p.ravel())
    differences = np.bincount(abs(i - j).ravel(), p.ravel())
    s = np.arange(len(sums))
    cross = np.outer(margin, margin)
    both = (p > 0) & (cross > 0)
    hxy1 = -(p[both] * np.log2(cross[both])).sum()
    hxy2, h, hx = entropy(cross), entropy(p), entropy(margin)
    values = (
        (p**2).sum(),
        ((i - j) ** 2 * p).sum(),
        ((i - mean) * (j - mean) * p).sum() / variance if variance > 0 else 1.0,
        variance,
        (p / (1 + (i - j) ** 2)).sum(),
        sums @ s,
        sums @ (s - sums @ s) ** 2,
        entropy(sums),
        h,
        differences[: top + 1].var(),
        entropy(differences),
        (h - hxy1) / hx if hx else 0.0,
        np.sqrt(max(0.0, 1 - np.exp(-2 * (hxy2 - h)))),
    )
    return dict(zip(FEATURES, values, strict=True))


def entropy(shares):
    return -(shares[shares > 0] * np.log2(shares[shares > 0])).sum() + 0.0


def neighbors(labels, distance):
    names = [int(name) for name in np.unique(labels[labels > 0])]
    centres = {name: np.argwhere(labels == name).mean(axis=0) for name in names}

    def one(mask):
        name = int(labels[mask][0])
        others = (labels > 0) & ~mask
        outline = mask & ~ndi.binary_erosion(mask, np.ones((3,) * labels.ndim))
        away = np.full(labels.shape, np.inf)
        if others.any():
            away = ndi.distance_transform_edt(~others)
        near = np.unique(labels[others & (ndi.distance_transform_edt(~mask) <= distance)])
        rank = sorted((np.linalg.norm(centres[each] - centres[name]), each) for each in names if each != name)
        rank += [(np.nan, 0)] * 2
        u, v = (centres.get(each, np.nan) - centres[name] for _, each in rank[:2])
        angle = np.degrees(np.arccos(np.clip((u * v).sum() / np.sqrt((u * u).sum() * (v * v).sum()), -1, 1)))
        return {
            "neighbors_count": len(near),
            "neighbors_percent_touching": 100 * (outline & (away <= distance + 0.5)).sum() / outline.sum(),
            "neighbors_first_label": rank[0][1],
            "neighbors_first_distance": rank[0][0],
            "neighbors_second_label": rank[1][1],
            "neighbors_second_distance": rank[1][0],
            "neighbors_angle": angle,
        }

    return rows_of(labels, one)


PLANE, VOLUME = (38, 31), (6, 14, 11)

CASES = [
    Case(
        "measure.edge_intensities",
        partial(edges, image=grey(PLANE)),
        {"intensity_image": grey(PLANE)},
        LABELS,
        rtol=1e-12,
        image=partial(cells, PLANE),
    ),
    Case(
        "measure.edge_intensities",
        partial(edges, image=grey(VOLUME, "float32", 2)),
        {"intensity_image": grey(VOLUME, "float32", 2)},
        ("int32",),
        rtol=1e-12,
        volume=True,
        image=partial(cells, VOLUME),
    ),
    Case("measure.object_shape", shape, {}, LABELS, rtol=1e-12, image=partial(cells, PLANE)),
    Case("measure.object_shape", shape, {}, ("uint16",), rtol=1e-12, volume=True, image=partial(cells, VOLUME)),
    Case(
        "measure.radial_distribution",
        partial(radial, image=grey(PLANE), bins=4),
        {"intensity_image": grey(PLANE)},
        LABELS,
        rtol=1e-12,
        image=partial(cells, PLANE),
    ),
    Case(
        "measure.radial_distribution",
        partial(radial, image=grey(PLANE, "float64", 2), bins=3, radius=4.0),
        {"intensity_image": grey(PLANE, "float64", 2), "bins": 3, "maximum_radius": 4.0},
        ("int32",),
        rtol=1e-12,
        image=partial(cells, PLANE),
    ),
    Case(
        "measure.haralick",
        partial(texture, image=grey(PLANE), levels=256, distance=1),
        {"intensity_image": grey(PLANE), "distance": 1},
        LABELS,
        rtol=1e-9,
        image=partial(cells, PLANE),
    ),
    Case(
        "measure.haralick",
        partial(texture, image=grey(PLANE, "float32", 2), levels=8, distance=2, low=20.0, high=150.0),
        {"intensity_image": grey(PLANE, "float32", 2), "levels": 8, "distance": 2, "value_range": (20.0, 150.0)},
        ("int32",),
        rtol=1e-9,
        image=partial(cells, PLANE),
    ),
    Case(
        "measure.haralick",
        partial(texture, image=grey(VOLUME), levels=16, distance=1),
        {"intensity_image": grey(VOLUME), "levels": 16, "distance": 1},
        ("uint16",),
        rtol=1e-9,
        volume=True,
        image=partial(cells, VOLUME),
    ),
    Case(
        "measure.object_neighbors",
        partial(neighbors, distance=1),
        {"distance": 1},
        LABELS,
        rtol=1e-9,
        image=partial(cells, PLANE),
    ),
    Case(
        "measure.object_neighbors",
        partial(neighbors, distance=5),
        {"distance": 5},
        ("int32",),
        rtol=1e-9,
        image=partial(cells, PLANE),
    ),
    Case(
        "measure.object_neighbors",
        partial(neighbors, distance=2),
        {"distance": 2},
        ("uint16",),
        rtol=1e-9,
        volume=True,
        image=partial(cells, VOLUME),
    ),
]
