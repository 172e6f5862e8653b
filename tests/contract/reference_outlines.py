"""References of outlines."""

import numpy as np
import pandas as pd
import scipy.ndimage as ndi

import bigimg
from bigimg.core.well_known_binary import encode

from .case import Case

STEPS = {"top": ((0, 0), (0, 1)), "right": ((0, 1), (1, 1)), "bottom": ((1, 1), (1, 0)), "left": ((1, 0), (0, 0))}
BESIDE = {"top": (-1, 0), "right": (0, 1), "bottom": (1, 0), "left": (0, -1)}


def rings_of(mask):
    """Walk around connected pixels; where two touch at a corner, turn left, to the other one: so rings are simple."""
    ways: dict[tuple[int, int], list[tuple[int, int]]] = {}
    padded = np.pad(mask, 1)
    for row, column in zip(*np.nonzero(mask)):
        for side, (start, stop) in STEPS.items():
            if not padded[row + 1 + BESIDE[side][0], column + 1 + BESIDE[side][1]]:
                begin = (int(row) + start[0], int(column) + start[1])
                ways.setdefault(begin, []).append((int(row) + stop[0], int(column) + stop[1]))
    rings = []
    while ways:
        first = min(ways)
        ring, before, at = [], None, first
        while at != first or not ring:
            onward = sorted(ways[at], key=lambda then, at=at, before=before: leftward(before, at, then))
            following = onward[0]
            ways[at].remove(following)
            if not ways[at]:
                del ways[at]
            ring.append(at)
            before, at = at, following
        rings.append(without_straight(ring))
    return sorted(rings, key=lambda ring: (area(ring) < 0, ring[0]))


def leftward(before, at, then):
    if before is None:
        return 0
    ahead, turned = (at[0] - before[0], at[1] - before[1]), (then[0] - at[0], then[1] - at[1])
    return ahead[1] * turned[0] - ahead[0] * turned[1]


def without_straight(ring):
    around = zip([ring[-1], *ring], ring, [*ring[1:], ring[0]])
    return [at for before, at, then in around if leftward(before, at, then) != 0]


def area(ring):
    return sum(x0 * y1 - x1 * y0 for (y0, x0), (y1, x1) in zip(ring, [*ring[1:], ring[0]])) / 2


def polygons(labels):
    """One object at a time, one part at a time, as lists."""
    points, ends, part, label = [], [0], [], []
    for number in np.unique(labels[labels > 0]):
        parts, count = ndi.label(labels == number)
        for _, rings in sorted((rings[0][0], rings) for rings in map(rings_of, (parts == k + 1 for k in range(count)))):
            for ring in rings:
                points += [(x, y) for y, x in ring]
                ends.append(len(points))
                part.append(len(part) if ring is rings[0] else part[-1])
                label.append(number)
    given = (np.array(each) for each in (ends, part, label))
    geometry = encode(np.array(points, float), *given)
    return pd.DataFrame({"label": np.unique(label), "geometry": geometry})


def scattered(shape, count, dtype):
    return np.random.default_rng(count).integers(0, count + 1, shape).astype(dtype)


def rough(shape, dtype):
    """Objects with holes, islands in them, and corners that touch."""
    rng = np.random.default_rng(2)
    smooth = ndi.gaussian_filter(rng.random(shape), 2)
    return (np.digitize(smooth + 0.02 * rng.random(shape), [0.47, 0.5, 0.53]) * 40).astype(dtype)


CASES = [
    Case("measure.polygons", polygons, {}, ("uint8", "int16", "uint32", "int64"), image=make)
    for make in (
        lambda dtype: scattered((23, 31), 1, dtype),
        lambda dtype: scattered((23, 31), 3, dtype),
        lambda dtype: rough((60, 47), dtype),
    )
]


def outlined(dtype):
    """Return a table of outlines on a map, with areas as another column says them."""
    table = bigimg.measure.polygons(
        scattered((23, 31), 3, dtype), transform=(2.0, 0, 6e5, 0, -2.0, 5e6), crs="EPSG:32633"
    )
    counts = np.bincount(scattered((23, 31), 3, dtype).ravel())
    return table.assign(pixels=counts[table["label"]])


CASES.append(
    Case(
        "measure.polygon_areas",
        lambda table: table.assign(area_ha=4 * table["pixels"] / 1e4),
        {},
        ("int32",),
        image=outlined,
    )
)


def covered(labels):
    """Count as NumPy does."""
    numbers, counts = np.unique(labels[labels != 0], return_counts=True)
    return pd.DataFrame({"class": numbers.astype("int64"), "pixels": counts, "share": counts / max(1, counts.sum())})


CASES.append(
    Case(
        "measure.class_areas",
        covered,
        {},
        ("uint8", "int16", "uint32", "int64"),
        image=lambda dtype: scattered((23, 31), 3, dtype),
    )
)
