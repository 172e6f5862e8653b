"""Tracks drawn on their video: where the objects are, when they are there, in the colour of the track."""

import numpy as np
import pandas as pd
import pytest
import tifffile

from bigimg.errors import ImageError, ParameterError
from bigimg.io.frames import coordinates
from bigimg.io.scan import open_sources
from bigimg.io.video_writer import write_video
from bigimg.run.overlay import Marks, draw, frame_times, track_colour, write_overlay

av = pytest.importorskip("av", reason="videos are an extra")

TIMES = np.cumsum([0.0, *[0.1, 0.3, 0.05] * 7])[:20]
TRACKS = pd.DataFrame(
    {
        "item": "a",
        "track_id": 3,
        "t": np.arange(2, 18),
        "label": 1,
        "y": 20.5,
        "x": np.arange(2, 18) * 4 + 5.5,
        "bbox-0": 15,
        "bbox-1": np.arange(2, 18) * 4,
        "bbox-2": 26,
        "bbox-3": np.arange(2, 18) * 4 + 11,
    }
)


@pytest.fixture
def source(tmp_path):
    with write_video(tmp_path / "a.mp4", (480, 640)) as video:
        for time in TIMES:
            video.add(np.full((480, 640), 40, np.uint8), float(time))
    return open_sources(tmp_path / "a.mp4")[0][0]


def near(pixels, colour):
    return np.abs(np.moveaxis(pixels.astype(int), 0, -1) - colour).max(-1) < 90


def test_boxes_are_where_and_when_the_objects_are(source, tmp_path):
    write_overlay(tmp_path / "tracks.mp4", source, TRACKS)
    (made,), _ = open_sources(tmp_path / "tracks.mp4")
    assert made.shape == source.shape
    np.testing.assert_allclose(coordinates(made)["time"][1], TIMES, atol=1e-4)
    colour = track_colour(3)
    for frame in (0, 1, 2, 9, 17, 18):
        found = near(made[frame], colour)[:470]
        assert found.any() == (2 <= frame <= 17)
        if found.any():
            rows, columns = np.nonzero(found[15:26])
            row = TRACKS[TRACKS["t"] == frame].iloc[0]
            assert columns.max() in range(row["bbox-3"] - 3, row["bbox-3"] + 2)
            assert rows.max() + 15 in range(23, 27)


def test_tracks_seen_too_shortly_are_not_drawn(source, tmp_path):
    write_overlay(tmp_path / "tracks.mp4", source, TRACKS, shortest=17)
    (made,), _ = open_sources(tmp_path / "tracks.mp4")
    assert not near(made[9], track_colour(3)).any()


def test_objects_without_boxes_are_outlined_and_small_pictures_enlarged(tmp_path):
    pixels = np.zeros((6, 40, 50), "uint16")
    labels = np.zeros((6, 40, 50), "uint16")
    for frame in range(6):
        pixels[frame, 10:20, 10 + frame : 20 + frame] = 3000
        labels[frame, 10:20, 10 + frame : 20 + frame] = 7
    tifffile.imwrite(tmp_path / "cells.tif", pixels, photometric="minisblack", metadata={"axes": "TYX"}, imagej=True)
    tifffile.imwrite(tmp_path / "labels.tif", labels, photometric="minisblack", metadata={"axes": "TYX"}, imagej=True)
    (cells,), _ = open_sources(tmp_path / "cells.tif")
    (numbers,), _ = open_sources(tmp_path / "labels.tif")
    tracks = pd.DataFrame({"track_id": 1, "t": range(6), "label": 7, "y": 14.5, "x": np.arange(6) + 14.5})
    write_overlay(tmp_path / "tracks.mp4", cells, tracks, numbers)
    (made,), _ = open_sources(tmp_path / "tracks.mp4")
    assert made.shape == (6, 3, 480, 600)
    found = near(made[3], track_colour(1))
    assert found[120:240, 156:159].any(1).mean() > 0.5
    assert not found[:100].any()


def test_times_come_from_the_table_where_there_is_no_video(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((5, 8, 9), "u1"), photometric="minisblack", metadata={"axes": "TYX"})
    (source,), _ = open_sources(tmp_path / "a.tif")
    assert source.dims[0] == "t"
    np.testing.assert_allclose(frame_times(source, pd.DataFrame({"t": [1, 2]})), np.arange(5) / 25)
    timed = pd.DataFrame({"t": [1, 2, 3], "time": [0.5, 0.7, 0.9]})
    np.testing.assert_allclose(frame_times(source, timed), [0, 0.2, 0.4, 0.6, 0.8])
    hours = pd.DataFrame({"t": [0, 4], "time": [0.0, 7200.0]})
    np.testing.assert_allclose(frame_times(source, hours), np.arange(5) / 25)


def test_a_tail_leads_to_the_object():
    marks = Marks(
        np.array([4]), np.array([[50.0, 80.0]]), None, None, (np.array([[50.0, 10.0], [50.0, 40.0], [50.0, 80.0]]),)
    )
    drawn = draw(np.zeros((480, 640), np.uint8), marks)
    on = (drawn == track_colour(4)).all(-1)
    assert on[50, 12:78].all()
    assert not on[50, 120:].any()


def test_what_cannot_be_drawn_is_an_error(source, tmp_path):
    with pytest.raises(ParameterError, match="no y, x"):
        write_overlay(tmp_path / "b.mp4", source, TRACKS.drop(columns=["y", "x"]))
    with pytest.raises(ParameterError, match="pixels"):
        write_overlay(tmp_path / "b.mp4", source, TRACKS.assign(x=1e4))
    tifffile.imwrite(tmp_path / "still.tif", np.zeros((8, 9), "u1"))
    (still,), _ = open_sources(tmp_path / "still.tif")
    with pytest.raises(ImageError, match="no axis of time"):
        write_overlay(tmp_path / "b.mp4", still, TRACKS)
    assert not (tmp_path / "b.mp4").exists()


def test_no_tracks_is_the_video_as_it_is(source, tmp_path):
    write_overlay(tmp_path / "b.mp4", source, TRACKS.iloc[:0])
    assert open_sources(tmp_path / "b.mp4")[0][0].shape == source.shape
