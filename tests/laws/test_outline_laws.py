"""Laws of outlines: any labels, any tiles."""

import dask.array as da
import numpy as np
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from bigimg import measure
from bigimg.testing import random_chunks

SHAPES = st.tuples(st.integers(1, 9), st.integers(1, 9))


@settings(deadline=None, max_examples=60)
@given(
    labels=SHAPES.flatmap(lambda shape: arrays(np.uint8, shape, elements=st.integers(0, 2))), seed=st.integers(0, 99)
)
def test_polygons_are_valid_exact_and_the_same_for_any_tiles(labels, seed):
    table = measure.polygons(labels)
    found = shapely.from_wkb(table["geometry"].tolist())
    assert shapely.is_valid(found).all()
    assert shapely.area(found).tolist() == [np.sum(labels == number) for number in table["label"]]
    assert sum(shapely.area(found)) == shapely.union_all(found).area
    for chunks in (random_chunks(labels.shape, seed), 1):
        cut = measure.polygons(da.from_array(labels, chunks=chunks)).compute(scheduler="sync")
        assert cut.equals(table)


@settings(deadline=None, max_examples=60)
@given(
    pair=SHAPES.flatmap(lambda shape: st.tuples(*[arrays(np.uint8, shape, elements=st.integers(0, 3))] * 2)),
    seed=st.integers(0, 99),
)
def test_scores_of_a_matching_are_bounded_and_symmetric(pair, seed):
    labels, reference = pair
    there = measure.matching_scores(labels, reference=reference, thresholds=[0.1, 0.5, 0.9])
    back = measure.matching_scores(reference, reference=labels, thresholds=[0.1, 0.5, 0.9])
    assert there["precision"].equals(back["recall"])
    assert there["average_precision"].equals(back["average_precision"])
    assert there["true_positives"].is_monotonic_decreasing
    lazy = [da.from_array(each, chunks=random_chunks(each.shape, seed)) for each in pair]
    cut = measure.matching_scores(lazy[0], reference=lazy[1], thresholds=[0.1, 0.5, 0.9]).compute(scheduler="sync")
    assert cut.equals(there)
