"""Tables as other programs have them, there and back."""

import numpy as np
import pandas as pd
import pytest

from bigimg import track
from bigimg.errors import MissingInputError, ParameterError, ReadError


@pytest.fixture
def tracks():
    objects = [
        (0, 1, 5.0, 5.0),
        (1, 1, 4.0, 5.0),
        (1, 2, 7.0, 5.0),
        (2, 1, 3.0, 5.0),
        (2, 2, 8.0, 5.0),
        (3, 1, 5.0, 5.0),
    ]
    table = pd.DataFrame(objects, columns=["t", "label", "y", "x"])
    table["bbox-0"], table["bbox-1"] = table.y.astype(int) - 1, table.x.astype(int) - 2
    table["bbox-2"], table["bbox-3"] = table["bbox-0"] + 3, table["bbox-1"] + 5
    return track.link(table, search_range=4.0, splits=True, merges=True)


def test_napari(tracks):
    data, graph, properties = track.to_napari(tracks)
    assert data.shape == (6, 4)
    assert graph == {2: [1], 3: [1], 4: [2, 3]}
    assert {"label", "speed", "bbox-0"} <= set(properties)
    assert all(len(values) == 6 for values in properties.values())
    order = np.lexsort((data[:, 1], data[:, 0]))
    assert (order == np.arange(6)).all()
    again = track.from_napari(data, graph)
    pd.testing.assert_frame_equal(again, tracks[list(again)])


def test_napari_in_three_dimensions():
    rows = np.array([[1, 0, 9.0, 2.0, 3.0], [1, 1, 9.0, 2.5, 3.0]])
    table = track.from_napari(rows)
    assert table.columns.tolist() == ["track_id", "t", "z", "y", "x", "parent"]
    np.testing.assert_array_equal(track.to_napari(table).data, rows)
    with pytest.raises(ParameterError, match="4 or 5 columns"):
        track.from_napari(rows[:, :3])


def test_cell_tracking_challenge(tracks, tmp_path):
    path = tmp_path / "man_track.txt"
    track.write_ctc(tracks, path)
    assert path.read_text().splitlines() == ["1 0 0 0", "2 1 2 1", "3 1 2 1", "4 3 3 2"]
    pd.testing.assert_frame_equal(track.read_ctc(path), track.to_ctc(tracks))


def test_btrack(tracks):
    found = track.to_btrack(tracks)
    assert found.drop_duplicates("ID")[["ID", "parent", "root", "generation"]].to_numpy().tolist() == [
        [1, 1, 1, 0],
        [2, 1, 1, 1],
        [3, 1, 1, 1],
        [4, 2, 1, 2],
    ]
    assert found["z"].tolist() == [0] * 6


def test_mot_challenge(tracks, tmp_path):
    path = tmp_path / "gt.txt"
    track.write_mot(tracks, path)
    assert path.read_text().splitlines()[0] == "1,1,4,5,5,3,1.0,-1,-1,-1"
    again = track.read_mot(path).sort_values(["track_id", "t"], ignore_index=True)
    same = ["track_id", "t", "y", "x", "bbox-0", "bbox-1", "bbox-2", "bbox-3"]
    pd.testing.assert_frame_equal(again[same], tracks[same], check_dtype=False)
    assert track.scores(tracks, again, min_iou=0.99)["idf1"] == 1
    with pytest.raises(ParameterError, match="no column 'bbox-0'"):
        track.to_mot(tracks.drop(columns="bbox-0"))


@pytest.mark.parametrize("ending", [".csv", ".parquet"])
def test_tables(tracks, tmp_path, ending):
    path = tmp_path / f"tracks{ending}"
    track.write_tracks(tracks, path)
    pd.testing.assert_frame_equal(track.read_tracks(path), tracks)


def test_no_track(tracks, tmp_path):
    none = tracks.head(0)
    assert track.to_napari(none).data.shape == (0, 4)
    assert len(track.to_btrack(none)) == 0
    track.write_ctc(none, tmp_path / "a.txt")
    track.write_mot(none, tmp_path / "b.txt")
    assert len(track.read_ctc(tmp_path / "a.txt")) == len(track.read_mot(tmp_path / "b.txt")) == 0


def test_files_that_are_none(tmp_path, tracks):
    path = tmp_path / "x.txt"
    for read in (track.read_ctc, track.read_mot):
        with pytest.raises(MissingInputError, match="there is no file"):
            read(path)
    path.write_text("a b c d\n")
    with pytest.raises(ReadError, match="four whole numbers"):
        track.read_ctc(path)
    with pytest.raises(ReadError, match="MOTChallenge"):
        track.read_mot(path)
    with pytest.raises(ParameterError, match=r"\.csv or \.parquet"):
        track.write_tracks(tracks, tmp_path / "x.xlsx")
    with pytest.raises(ParameterError, match=r"\.csv or \.parquet"):
        track.read_tracks(path)
