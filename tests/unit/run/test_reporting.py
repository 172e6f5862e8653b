"""Which pictures a report shows, and of what."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from bigimg.run.reporting import _display, _group_rows, _image_table, _object_table, _odd_rows, _plane, _score, _shown


def image(**sizes: int) -> xr.DataArray:
    return xr.DataArray(np.arange(np.prod(list(sizes.values()))).reshape(*sizes.values()), dims=tuple(sizes))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (image(y=4, x=5), image(y=4, x=5)),
        (image(c=3, y=4, x=5), image(c=3, y=4, x=5)),
        (image(c=4, y=4, x=5), image(c=4, y=4, x=5)),
        (image(c=2, y=4, x=5), image(c=2, y=4, x=5)[0]),
        (image(z=5, y=4, x=5), image(z=5, y=4, x=5)[2]),
        (image(t=4, c=2, z=5, y=4, x=5), image(t=4, c=2, z=5, y=4, x=5)[2, 0, 2]),
    ],
)
def test_what_of_an_image_is_shown(given, expected):
    np.testing.assert_array_equal(_plane(given).values, expected.values)


def test_labels_of_colours_are_shown_of_the_first():
    given = image(c=3, y=4, x=5)
    np.testing.assert_array_equal(_plane(given, most_colours=1).values, given[0].values)


def test_an_object_of_a_video_is_shown_in_its_frame():
    video = SimpleNamespace(dims=tuple("tcyx"), shape=(9, 3, 4, 5))
    assert _shown(video, 7) == (slice(7, 8), slice(0, 3))
    assert _shown(video) == (slice(4, 5), slice(0, 3))
    assert _shown(video, 7, colours=()) == (slice(7, 8), slice(1, 2))


@pytest.mark.parametrize("shape", [(9, 8), (3, 9, 8), (4, 9, 8), (1, 1)])
@pytest.mark.parametrize("value", [0.0, 7.0, 1e9])
def test_any_picture_can_be_shown(shape, value):
    picture = _display(np.full(shape, value))
    assert picture.dtype == np.uint8
    assert picture.shape[:2] == shape[-2:]


TABLE = pd.DataFrame({
    "item": list("aabbc"),
    "cluster": pd.array([0, 0, 1, None, 0], "Int64"),
    "anomaly_score": [3.0, 1.0, 9.0, np.nan, 2.0],
})  # fmt: skip


def test_the_oddest_come_first_and_those_without_a_score_not_at_all():
    assert _odd_rows(TABLE)["anomaly_score"].tolist() == [9.0, 3.0, 2.0, 1.0]
    assert _odd_rows(TABLE.drop(columns="anomaly_score")).empty
    assert _score(TABLE.iloc[0]) == 3.0
    assert _score(TABLE.iloc[3]) is None


def test_the_most_ordinary_stand_for_a_cluster():
    groups = _group_rows(TABLE)
    assert [(name, size) for name, size, _ in groups] == [("cluster 0", 3), ("cluster 1", 1)]
    assert groups[0][2]["anomaly_score"].tolist() == [1.0, 2.0, 3.0]
    assert _group_rows(TABLE.drop(columns="cluster")) == []


def test_tables_of_objects_and_of_images():
    objects = TABLE.assign(label=1)
    outcome = SimpleNamespace(tables={"images": TABLE, "objects": objects})
    assert _object_table(outcome, "nuclei") is objects
    assert _object_table(outcome, None) is None
    assert _image_table(outcome) is TABLE
    assert _image_table(SimpleNamespace(tables={"objects": objects})).empty


def test_results_are_not_lost_for_a_report_that_fails(tmp_path, monkeypatch):
    import bigimg
    from bigimg.run import run as module
    from bigimg.testing import random_image

    np.save(tmp_path / "a.npy", random_image((40, 40), "uint8"))

    def fail(*_):
        raise ValueError("no picture")

    monkeypatch.setattr(module, "write_run_report", fail)
    with pytest.raises(bigimg.errors.RunError, match=r"complete.*no picture"):
        bigimg.run("nuclei", tmp_path / "a.npy", tmp_path / "out", workers=1)
    assert bigimg.open(tmp_path / "out").label_names == ("nuclei",)
