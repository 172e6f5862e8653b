"""Tracks depend on objects alone: not on pieces of time, tiles, the order of rows, or where the origin is."""

from itertools import pairwise

import dask.array as da
import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from bigimg import track
from bigimg.ops.track.choosing import Overlaps, Rules
from bigimg.ops.track.following import Linked, Linker
from bigimg.ops.track.objects import read_objects
from bigimg.ops.track.overlap import CountOverlaps
from bigimg.testing import check_reduction, random_chunks

rules = st.builds(
    Rules,
    search_range=st.sampled_from([0.5, 1.0, 2.0, 5.0]),
    memory=st.integers(0, 3),
    velocity=st.booleans(),
    splits=st.booleans(),
    merges=st.booleans(),
)


@st.composite
def tables(draw):
    """Objects on a grid, so that ties are common, in frames some of which are missing."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    t = np.sort(rng.integers(0, 12, draw(st.integers(1, 80))))
    table = pd.DataFrame({"t": t, "y": rng.integers(0, 6, len(t)) * 1.0, "x": rng.integers(0, 6, len(t)) * 1.0})
    table["label"] = table.groupby("t").cumcount() + 1
    return table


def stack_of(seed):
    rng = np.random.default_rng(seed)
    return np.kron(rng.integers(0, 4, (7, 5, 4)), np.ones((1, 2, 3), int))


def joined(parts):
    return [np.concatenate([getattr(part, name) for part in parts]) for name in Linked.__dataclass_fields__]


@settings(deadline=None, max_examples=50)
@given(tables(), rules, st.sets(st.integers(0, 12)))
def test_pieces_of_time_do_not_show(table, rules, cuts):
    whole = Linker(rules).link(read_objects(table, "test"))
    linker = Linker(rules)
    bounds = [-1, *sorted(cuts), 13]
    pieces = [table[(table.t > low) & (table.t <= high)] for low, high in pairwise(bounds)]
    parts = [linker.link(read_objects(piece, "test")) for piece in pieces]
    for found, expected in zip(joined(parts), joined([whole])):
        np.testing.assert_array_equal(found, expected)


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 2**32), st.integers(0, 6), st.booleans())
def test_pieces_of_time_do_not_show_by_overlap(seed, cut, both):
    stack = stack_of(seed)
    t, label = np.array([(t, number) for t, frame in enumerate(stack) for number in np.unique(frame[frame > 0])]).T
    table = pd.DataFrame({"t": t, "label": label, "y": 0.0, "x": label * 1.0})
    rules = Rules(search_range=2.0 if both else None, by="overlap", memory=int(both), splits=True, merges=True)
    overlaps = Overlaps.of(track.overlaps(stack), "test")
    whole = Linker(rules).link(read_objects(table, "test"), overlaps)
    linker = Linker(rules)
    pieces = (table[table.t < cut], table[table.t >= cut])
    parts = [linker.link(read_objects(piece, "test"), overlaps) for piece in pieces]
    for found, expected in zip(joined(parts), joined([whole])):
        np.testing.assert_array_equal(found, expected)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 2**32), st.integers(0, 2**32))
def test_tiles_in_space_and_time_do_not_show_in_overlaps(seed, cutting):
    stack = stack_of(seed)
    cut = da.from_array(stack, chunks=random_chunks(stack.shape, cutting))
    pd.testing.assert_frame_equal(track.overlaps(cut).compute(scheduler="sync"), track.overlaps(stack))


def test_the_order_of_merging_does_not_show():
    check_reduction(CountOverlaps(3), stack_of(1))


@settings(deadline=None, max_examples=40)
@given(tables(), rules)
def test_what_must_hold_of_any_tracks(table, rules):
    found = track.link(
        table,
        search_range=rules.search_range,
        memory=rules.memory,
        motion="velocity" if rules.velocity else "none",
        splits=rules.splits,
        merges=rules.merges,
    )
    assert len(found) == len(table), "every object has one row"
    assert not found.duplicated(["track_id", "t"]).any(), "a track is once in a frame"
    begins = found.groupby("track_id").t.min()
    assert begins.index.tolist() == list(range(1, len(begins) + 1))
    assert begins.is_monotonic_increasing, "numbered as they begin"
    gaps = found.groupby("track_id").t.diff()
    assert not (gaps > rules.memory + 1).any()
    ends = found.groupby("track_id").t.max()
    for name in {"parent", "other_parent"} & set(found):
        come = found[found[name] > 0].drop_duplicates("track_id")
        assert (ends[come[name]].to_numpy() < begins[come.track_id].to_numpy()).all(), "parents have ended"
    if not rules.splits:
        assert not found.assign(other=found.get("other_parent", 0)).query("parent > 0 and other == 0").size
    if not rules.velocity:
        step = np.hypot(found.groupby("track_id").y.diff(), found.groupby("track_id").x.diff())
        assert not (step > rules.search_range).any()


@settings(deadline=None, max_examples=25)
@given(tables(), rules, st.sampled_from([0.5, 1.0, 4.0]), st.integers(-64, 64))
def test_units_and_origin_do_not_matter(table, rules, unit, origin):
    params = {"memory": rules.memory, "splits": rules.splits, "merges": rules.merges}
    expected = track.link(table, search_range=rules.search_range, **params)
    moved = table.assign(y=table.y + origin, x=table.x - origin)
    found = track.link(moved, search_range=rules.search_range * unit, spacing=unit, **params)
    same = ["track_id", "t", "label", "parent"]
    pd.testing.assert_frame_equal(found[same], expected[same])
    np.testing.assert_allclose(found.path_length, expected.path_length * unit)
