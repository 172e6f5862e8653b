"""Tracks: births and deaths, gaps, motion, splits and merges, overlap, units, and what cannot be linked."""

import dask.array as da
import numpy as np
import pandas as pd
import pytest
import xarray as xr

import bigimg
from bigimg import track
from bigimg.errors import ImageError, ParameterError
from bigimg.run.evaluate import learn
from bigimg.run.workflow import Workflow

COLUMNS = ["track_id", "t", "y", "x", "label", "parent", "speed", "displacement", "path_length"]


def objects(*rows, columns=("t", "label", "y", "x")):
    return pd.DataFrame(list(rows), columns=list(columns))


def tracks_of(table):
    """Return (t, label) of the objects of each track."""
    return [list(zip(part.t.tolist(), part.label.tolist())) for _, part in table.groupby("track_id")]


def test_births_and_deaths():
    table = objects((0, 1, 0, 0), (0, 2, 50, 50), (1, 1, 1, 0), (1, 2, 90, 0), (2, 1, 91, 0))
    found = track.link(table, search_range=5.0)
    assert list(found) == COLUMNS
    assert tracks_of(found) == [[(0, 1), (1, 1)], [(0, 2)], [(1, 2), (2, 1)]]
    assert (found.parent == 0).all()


def test_the_order_of_rows_and_the_index_do_not_matter():
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"t": np.repeat(range(9), 20), "label": np.tile(range(1, 21), 9)})
    table[["y", "x"]] = rng.random((180, 2)) * 30
    table["area"] = rng.random(180)
    expected = track.link(table, search_range=6.0, memory=1, splits=True, merges=True)
    shuffled = table.sample(frac=1, random_state=1)
    pd.testing.assert_frame_equal(track.link(shuffled, search_range=6.0, memory=1, splits=True, merges=True), expected)
    assert list(expected)[-1] == "area"


@pytest.mark.parametrize("memory", [0, 1, 2, 3])
def test_gaps_are_closed_within_memory(memory):
    table = objects((0, 1, 0, 0), (1, 1, 0, 1), (4, 1, 0, 2), (9, 1, 0, 3))
    found = track.link(table, search_range=2.0, memory=memory)
    expected = [[(0, 1), (1, 1), (4, 1)], [(9, 1)]] if memory >= 2 else [[(0, 1), (1, 1)], [(4, 1)], [(9, 1)]]
    assert tracks_of(found) == expected


def test_a_remembered_track_competes_with_the_others():
    table = objects((0, 1, 0, 0), (0, 2, 0, 10), (1, 1, 0, 10), (2, 1, 0, 0.5), (2, 2, 0, 10))
    assert tracks_of(track.link(table, search_range=3.0, memory=1)) == [[(0, 1), (2, 1)], [(0, 2), (1, 1), (2, 2)]]


def test_velocity_keeps_crossing_objects_apart():
    t = np.arange(20)
    right = pd.DataFrame({"t": t, "label": 1, "y": 10.0 + 0.2 * t, "x": 3.0 * t})
    left = pd.DataFrame({"t": t, "label": 2, "y": 14.0 - 0.2 * t, "x": 57.0 - 3.0 * t})
    table = pd.concat([right, left])
    straight = track.link(table, search_range=5.0, motion="velocity")
    assert [set(part.label) for _, part in straight.groupby("track_id")] == [{1}, {2}]
    turned = track.link(table, search_range=5.0)
    assert [set(part.label) for _, part in turned.groupby("track_id")] == [{1, 2}, {1, 2}]


def test_velocity_goes_by_real_times():
    time = np.array([0.0, 1.0, 5.0, 5.5, 9.0])
    table = pd.DataFrame({"t": range(5), "label": 1, "y": 0.0, "x": 2 * time, "time": time})
    assert track.link(table, search_range=2.5, motion="velocity").track_id.tolist() == [1, 1, 1, 1, 1]
    assert track.link(table, search_range=2.5).track_id.max() > 1


def test_a_split():
    table = objects((0, 1, 0, 0), (1, 1, 0, 0), (2, 1, 0, -2), (2, 2, 0, 3), (3, 1, 0, -3), (3, 2, 0, 4))
    found = track.link(table, search_range=4.0, splits=True)
    assert tracks_of(found) == [[(0, 1), (1, 1)], [(2, 1), (3, 1)], [(2, 2), (3, 2)]]
    assert found.groupby("track_id").parent.first().tolist() == [0, 1, 1]
    summary = track.summary(found)
    assert summary.children.tolist() == [2, 0, 0]
    assert tracks_of(track.link(table, search_range=4.0)) == [[(0, 1), (1, 1), (2, 1), (3, 1)], [(2, 2), (3, 2)]]


def test_an_object_has_two_children_at_most():
    table = objects((0, 1, 0, 0), (1, 1, 0, 0), (1, 2, 0, 1), (1, 3, 0, 2))
    found = track.link(table, search_range=4.0, splits=True)
    assert found.sort_values(["t", "label"]).parent.tolist() == [0, 1, 1, 0]


def test_a_merge():
    table = objects((0, 1, 0, -2), (0, 2, 0, 3), (1, 1, 0, 0), (2, 1, 0, 0))
    found = track.link(table, search_range=4.0, merges=True)
    assert tracks_of(found) == [[(0, 1)], [(0, 2)], [(1, 1), (2, 1)]]
    assert found[["parent", "other_parent"]].to_numpy().tolist() == [[0, 0], [0, 0], [1, 2], [1, 2]]
    assert track.summary(found).children.tolist() == [1, 1, 0]


def test_what_has_merged_is_not_remembered():
    table = objects((0, 1, 0, -2), (0, 2, 0, 3), (1, 1, 0, 0), (2, 1, 0, 0), (2, 2, 0, 3))
    found = track.link(table, search_range=4.0, merges=True, memory=3)
    assert tracks_of(found) == [[(0, 1)], [(0, 2)], [(1, 1), (2, 1)], [(2, 2)]]


@pytest.fixture
def stack():
    """A square that moves its own width, one that divides, and two that become one."""
    labels = np.zeros((3, 40, 40), "uint16")
    for t in range(3):
        labels[t, 2:6, 2 + 4 * t : 6 + 4 * t] = 1 + t
    labels[0, 12:16, 2:14] = 7
    labels[1:, 12:16, 2:7] = 8
    labels[1:, 12:16, 9:14] = 9
    labels[:2, 30:34, 2:8], labels[:2, 30:34, 9:14] = 20, 21
    labels[2, 30:34, 2:14] = 20
    return labels


def table_of(stack):
    parts = [bigimg.measure.regionprops_table(frame, properties=["label", "centroid", "area"]) for frame in stack]
    return pd.concat([part.assign(t=t) for t, part in enumerate(parts)], ignore_index=True)


def test_by_overlap(stack):
    found = track.link(table_of(stack), by="overlap", overlaps=track.overlaps(stack), splits=True, merges=True)
    by_label = {(row.t, row.label): row for row in found.itertuples()}
    mother = by_label[0, 7].track_id
    assert by_label[1, 8].parent == by_label[1, 9].parent == mother
    merged = by_label[2, 20]
    assert {merged.parent, merged.other_parent} == {by_label[1, 20].track_id, by_label[1, 21].track_id}
    assert len({by_label[t, 1 + t].track_id for t in range(3)}) == 3, "it never overlaps itself"


def test_what_overlap_leaves_is_linked_by_distance(stack):
    found = track.link(table_of(stack), by="overlap", overlaps=track.overlaps(stack), search_range=5.0)
    assert len(set(found[found.y < 10].track_id)) == 1


def test_only_objects_that_overlap_enough_are_linked(stack):
    overlaps = track.overlaps(stack)
    found = track.link(table_of(stack), by="overlap", overlaps=overlaps, min_overlap=0.9)
    kept = overlaps[overlaps.iou > 0.9]
    assert len(found) - found.track_id.nunique() == len(kept)


def test_labels_that_the_table_lacks_are_left_out(stack):
    table = table_of(stack)
    found = track.link(table[table.label != 8], by="overlap", overlaps=track.overlaps(stack), splits=True)
    assert 8 not in set(found.label)
    assert len(set(found[found.label == 9].track_id)) == 1


def test_lazy_tables(stack):
    lazy = da.from_array(stack, chunks=(1, 17, 9))
    expected = track.link(table_of(stack), by="overlap", overlaps=track.overlaps(stack), merges=True)
    found = track.link(table_of(stack), by="overlap", overlaps=track.overlaps(lazy), merges=True)
    pd.testing.assert_frame_equal(found.compute(scheduler="sync"), expected)
    summed = track.summary(found)
    pd.testing.assert_frame_equal(summed.compute(scheduler="sync"), track.summary(expected))


def test_volumes():
    table = pd.DataFrame(
        {"t": [0, 0, 1, 1], "label": 1, "centroid-0": [0, 9, 1, 8.0], "centroid-1": 0.0, "centroid-2": 0.0}
    ).assign(label=[1, 2, 1, 2])
    found = track.link(table, search_range=2.0)
    assert list(found)[:5] == ["track_id", "t", "z", "y", "x"]
    assert found.z.tolist() == [0, 1, 9, 8]


def test_sizes_of_pixels_and_dates():
    dates = pd.to_datetime(["2024-05-01T00:00:00", "2024-05-01T00:00:30", "2024-05-01T00:02:00"])
    table = pd.DataFrame({"t": range(3), "time": dates, "label": 1, "y": [0.0, 3.0, 3.0], "x": [0.0, 2.0, 2.0]})
    found = track.link(table, search_range=6.0, spacing=(1.0, 2.0))
    assert found.x.tolist() == [0, 4, 4]
    np.testing.assert_allclose(found.speed, [np.nan, 5 / 30, 0])
    assert found.time.tolist() == list(dates)
    summary = track.summary(found)
    assert summary[["duration", "path_length"]].to_numpy().tolist() == [[120.0, 5.0]]


def test_seconds_between_frames():
    found = track.link(objects((0, 1, 0, 0), (1, 1, 0, 3)), search_range=6.0, frame_interval=0.5)
    assert found.time.tolist() == [0, 0.5]
    assert found.speed[1] == 6


def test_each_image_of_a_collection_by_itself():
    one = objects((0, 1, 0, 0), (1, 1, 0, 1), (1, 2, 0, 50))
    both = pd.concat([one.assign(item="b"), one.assign(item="a", x=one.x + 0.5)], ignore_index=True)
    found = track.link(both, search_range=3.0)
    assert found.item.tolist() == ["b"] * 3 + ["a"] * 3
    pd.testing.assert_frame_equal(found.iloc[:3].drop(columns="item"), track.link(one, search_range=3.0))
    assert track.summary(found).groupby("item").size().to_dict() == {"a": 2, "b": 2}


def test_overlaps_of_each_image_by_themselves(stack):
    flipped = np.where(stack > 0, stack + 5, 0)
    table = pd.concat([table_of(stack).assign(item="a"), table_of(flipped).assign(item="b")])
    shared = pd.concat([track.overlaps(flipped).assign(item="b"), track.overlaps(stack).assign(item="a")])
    found = track.link(table, by="overlap", overlaps=shared)
    alone = track.link(table_of(flipped), by="overlap", overlaps=track.overlaps(flipped))
    pd.testing.assert_frame_equal(found[found.item == "b"].drop(columns="item").reset_index(drop=True), alone)
    unknown = track.link(table, by="overlap", overlaps=shared[shared.item == "a"])
    assert not unknown[unknown.item == "b"].track_id.duplicated().any()


def test_no_object_at_all():
    for columns in (["t", "label", "y", "x"], ["item", "t", "label", "y", "x"]):
        empty = pd.DataFrame(
            {name: pd.Series(dtype="int64" if name in {"t", "label"} else "float64") for name in columns}
        )
        found = track.link(empty, search_range=3.0)
        assert list(found) == (["item"] if "item" in columns else []) + COLUMNS
        assert len(found) == 0
        some = track.link(objects((0, 1, 0, 0)), search_range=3.0)
        assert found[COLUMNS].dtypes.equals(some.dtypes)
        assert (
            len(track.summary(found)) == len(track.mean_squared_displacement(found)) == len(track.diffusion(found)) == 0
        )


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (objects((0, 1, 0, np.nan), (0, 2, 0, 1)), "column 'x' must hold finite positions.*t=0, label=1"),
        (objects((0, 1, np.inf, 0)), "column 'y' must hold finite positions"),
        (objects((0, 1, 0, 0), (0, 1, 5, 5)), "label=1 more than once at t=0"),
        (objects((0.5, 1, 0, 0)), "column 't' must hold whole numbers .got 0.5"),
        (objects((0, 1, 0, 0), columns=("frame", "label", "y", "x")), "unknown column 't'"),
        (objects((0, 1, 0, 0), columns=("t", "label", "row", "x")), "unknown column 'y'"),
        (objects((0, 1, "a", 0)), "column 'y' must hold numbers"),
        (objects((0, 1, 0, 0), (1, 1, 0, 0)).assign(time=[3.0, 2.0]), "column 'time' must be one time a frame, later"),
        (objects((0, 1, 0, 0), (0, 2, 0, 0)).assign(time=[3.0, 2.0]), "column 'time' must be one time a frame"),
        (objects((0, 1, 0, 0)).assign(time="noon"), "column 'time' must hold seconds or dates"),
        ([1, 2], "takes a pandas.DataFrame .got list"),
    ],
)
def test_bad_tables_are_refused(table, said):
    with pytest.raises(ParameterError, match=f"track.link.*{said}"):
        track.link(table, search_range=3.0)


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({}, "needs search_range"),
        ({"search_range": -1.0}, "search_range must be greater than 0"),
        ({"search_range": 0}, "search_range must be greater than 0"),
        ({"search_range": float("nan")}, "search_range"),
        ({"by": "overlap"}, "needs overlaps"),
        ({"by": "overlap", "overlaps": pd.DataFrame({"t": [0]}), "memory": 2}, "memory=2 needs search_range"),
        ({"by": "overlap", "overlaps": pd.DataFrame({"t": [0]})}, "must be the table of track.overlaps"),
        ({"search_range": 3.0, "memory": -1}, "memory must be greater than or equal to 0"),
        ({"search_range": 3.0, "spacing": (1.0, 2.0, 3.0)}, "spacing must be one number, or 2"),
        ({"search_range": 3.0, "motion": "random"}, "motion must be"),
    ],
)
def test_bad_parameters_are_refused(params, said):
    with pytest.raises(ParameterError, match=f"track.link.*{said}"):
        track.link(objects((0, 1, 0, 0)), **params)


def test_two_clocks_are_refused():
    with pytest.raises(ParameterError, match=r"column 'time', so leave out frame_interval=0\.5"):
        track.link(objects((0, 1, 0, 0)).assign(time=0.0), search_range=6.0, frame_interval=0.5)


def test_stacks_that_are_none():
    with pytest.raises(ImageError, match="labels are integers"):
        track.overlaps(np.zeros((2, 3, 4)))
    with pytest.raises(ImageError, match="axes t, y, x"):
        track.overlaps(np.zeros((3, 4), int))
    with pytest.raises(ImageError, match="along a dimension named t"):
        track.overlaps(xr.DataArray(np.zeros((2, 3, 4), int), dims=("c", "y", "x")))


def test_a_stack_of_one_frame_has_no_overlaps():
    found = track.overlaps(np.ones((1, 3, 4), int))
    assert list(found) == ["t", "label", "label_next", "pixels", "area", "area_next", "iou"]
    assert len(found) == 0
    assert found.dtypes.equals(track.overlaps(np.ones((2, 3, 4), int)).dtypes)


def test_steps_of_a_workflow(stack):
    workflow = Workflow.parse(
        """
        name: w
        steps:
        - op: measure.label
        - op: track.overlaps
          name: shared
        - op: measure.regionprops_table
          from: label
        - op: track.link
          by: overlap
          overlaps: shared
          splits: true
        - op: track.summary
        """
    )
    tables = {"shared": track.overlaps(stack).assign(item="a"), "regionprops_table": table_of(stack).assign(item="a")}
    found = learn(workflow, tables)
    expected = track.link(table_of(stack), by="overlap", overlaps=track.overlaps(stack), splits=True)
    pd.testing.assert_frame_equal(found["link"].drop(columns="item"), expected)
    assert len(found["summary"]) == expected.track_id.nunique()


@pytest.mark.parametrize(
    ("given", "said"), [("label", "takes a table, but 'label'"), ("nothing", "no earlier step"), (3, "gives a table")]
)
def test_a_step_that_is_no_table_is_refused(given, said):
    with pytest.raises(bigimg.errors.WorkflowError, match=said):
        Workflow.parse(
            f"name: w\nsteps:\n- op: measure.label\n- op: track.overlaps\n- op: track.link\n  overlaps: {given}\n"
        )
