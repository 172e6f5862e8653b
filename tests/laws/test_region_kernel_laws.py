"""However labelled pixels are cut into tiles, and in whatever order these are merged, the table has the same bits."""

from __future__ import annotations

from itertools import pairwise, product

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage as ndi
from skimage.measure import label

from bigimg.kernels.components import face, label_runs, paint, union
from bigimg.kernels.regions import PROPERTIES, measure, merge, table

DTYPES = ["uint8", "int16", "uint32", "int64", "float32", "float64"]


def cuts(side: int) -> st.SearchStrategy[list[int]]:
    """Borders of tiles along an axis, one-pixel tiles among them."""
    inner = st.lists(st.integers(1, max(1, side - 1)), max_size=3, unique=True).map(sorted)
    return inner.map(lambda at: [0, *(cut for cut in at if cut < side), side])


@st.composite
def labelled_images(draw):
    ndim = draw(st.sampled_from([2, 2, 3]))
    shape = tuple(draw(st.integers(1, 30 if ndim == 2 else 9)) for _ in range(ndim))
    noise = np.random.default_rng(draw(st.integers(0, 2**32))).random(shape)
    mask = ndi.gaussian_filter(noise, draw(st.sampled_from([0, 0.7, 2]))) > draw(st.sampled_from([0.3, 0.5, 0.6]))
    labels = label(mask, connectivity=draw(st.integers(1, ndim))).astype(np.uint64)
    if draw(st.booleans()):  # several pieces under one number, large and sparse numbers
        labels = np.where(labels > 0, labels % np.uint64(3) * np.uint64(10**12) + np.uint64(5), np.uint64(0))
    dtype = np.dtype(draw(st.sampled_from(DTYPES)))
    channels = draw(st.sampled_from([None, 1, 2]))
    finite = {"allow_nan": False, "allow_infinity": False} if dtype.kind == "f" else {}
    elements = hnp.from_dtype(dtype, **finite)
    image = draw(hnp.arrays(dtype, labels.shape if channels is None else (channels, *labels.shape), elements=elements))
    return labels, image, [draw(cuts(side)) for side in shape]


def tiles_of(borders):
    return [tuple(slice(*ends) for ends in box) for box in product(*(list(pairwise(at)) for at in borders))]


@settings(deadline=None, max_examples=60)
@given(labelled_images(), st.randoms(use_true_random=False), st.integers(0, 10**6))
def test_tables_do_not_depend_on_tiles_or_order(case, random, far):
    labels, image, borders = case
    properties = [name for name, item in PROPERTIES.items() if labels.ndim == 2 or not item.plane_only]
    whole = measure(labels, (far,) * labels.ndim, image, properties=properties, shared=np.array([], dtype=np.int64))
    expected = table(whole, properties)

    tiles = tiles_of(borders)
    seen = [np.unique(labels[tile]) for tile in tiles]
    numbers, count = np.unique(np.concatenate(seen), return_counts=True)
    shared = random.choice([None, numbers[count > 1]])
    parts = []
    for tile in tiles:
        read = tuple(slice(max(0, at.start - 2), at.stop + 2) for at in tile)
        own = tuple(slice(at.start - box.start, at.stop - box.start) for at, box in zip(tile, read))
        origin = [at.start + far for at in tile]
        parts.append(measure(labels[read], origin, image[(..., *read)], properties=properties, shared=shared, own=own))
    while len(parts) > 1:
        first, second = (parts.pop(random.randrange(len(parts))) for _ in range(2))
        parts.append(merge(first, second))
    found = table(parts[0], properties)

    assert list(found) == list(expected)
    for name, column in expected.items():
        assert found[name].dtype == column.dtype
        assert found[name].tobytes() == column.tobytes(), name


@settings(deadline=None, max_examples=60)
@given(
    hnp.arrays(bool, hnp.array_shapes(min_dims=2, max_dims=2, max_side=24)),
    st.integers(1, 2),
    st.data(),
)
def test_tiles_joined_over_their_faces_are_labelled_as_the_whole(mask, connectivity, data):
    """Runs, faces and union are what labelling across tiles is made of: together they find scikit-image's partition."""
    cut = data.draw(st.integers(0, mask.shape[0]))
    above, below = label_runs(mask[:cut], connectivity), label_runs(mask[cut:], connectivity)
    upper = face(above, axis=0, side=1)
    lower = face(below, axis=0, side=0)
    steps = (0,) if connectivity == 1 else (-1, 0, 1)
    touching = [
        (upper[x], lower[x + step] + above.count)
        for x, step in product(range(len(upper)), steps)
        if 0 <= x + step < len(lower) and upper[x] and lower[x + step]
    ]
    a, b = np.array(touching, dtype=np.int64).reshape(-1, 2).T
    roots = union(above.count + below.count, a, b)

    names, number = np.unique(roots, return_inverse=True)
    joined = np.concatenate(
        [
            paint(above, number[: above.count + 1].astype(np.uint32)),
            paint(below, np.concatenate([[0], number[above.count + 1 :]]).astype(np.uint32)),
        ]
    )

    # The upper tile comes first in raster order, so the smallest name of a set is that of its first pixel.
    assert names[0] == 0
    np.testing.assert_array_equal(joined, label(mask, connectivity=connectivity))
