"""Videos through the shipped workflow, on a real cluster: tracks that are right, in real time, and a video of them."""

import numpy as np
import pytest

import bigimg
from bigimg.io.frames import coordinates
from bigimg.io.scan import open_sources
from bigimg.io.video_writer import write_video

av = pytest.importorskip("av", reason="videos are an extra")
pytestmark = pytest.mark.cluster

TIMES = np.cumsum([0.0, *[0.04, 0.08, 0.04] * 14])[:40]


def walkers(frame):
    """Two upright blocks on a noisy ground: one goes right, one goes left and stands for a while."""
    yield 40, 6 * frame
    if frame >= 10:
        yield 150, 250 - 5 * (frame - 10)


@pytest.fixture(scope="module")
def output(tmp_path_factory):
    folder = tmp_path_factory.mktemp("videos")
    (folder / "in").mkdir()
    ground = np.random.default_rng(0).integers(60, 90, (240, 320), np.uint8)
    with write_video(folder / "in" / "walk.mp4", ground.shape) as video:
        for frame, time in enumerate(TIMES):
            picture = ground.copy()
            for row, column in walkers(frame):
                picture[row : row + 50, max(0, column) : max(0, column + 20)] = 200
            video.add(picture, float(time))
    (folder / "in" / "broken.mp4").write_bytes((folder / "in" / "walk.mp4").read_bytes()[:9000])
    done = bigimg.run("tracks", folder / "in", folder / "out", workers=2)
    assert done.items == 1
    assert [each.name for each in done.skipped] == ["broken"]
    return folder / "out"


def test_tracks_are_those_of_what_moved(output):
    results = bigimg.open(output)
    assert {"tracks", "summary"} <= set(results.table_names)
    tracks = results.read_table("tracks")
    np.testing.assert_allclose(tracks["time"], TIMES[tracks["t"]], atol=1e-4)
    summary = results.read_table("summary").sort_values("objects").tail(2)
    assert (summary["objects"] >= 25).all()
    for _, walk in tracks[tracks["track_id"].isin(summary["track_id"])].groupby("track_id"):
        row = 0 if walk["y"].mean() < 100 else 1
        inside = walk[(walk["x"] > 30) & (walk["x"] < 280)]
        expected = [list(walkers(t))[row] for t in inside["t"]]
        # A closed outline may be some pixels larger than the block.
        np.testing.assert_allclose(inside["y"], [y + 24.5 for y, _ in expected], atol=3)
        np.testing.assert_allclose(inside["x"], [x + 9.5 for _, x in expected], atol=3)


def test_the_report_links_a_video_in_step_with_the_times(output):
    assert '<a href="overlays/walk.mp4">' in (output / "report.html").read_text()
    (source,), _ = open_sources(output / "overlays" / "walk.mp4")
    assert source.shape[0] == len(TIMES)
    np.testing.assert_allclose(coordinates(source)["time"][1], TIMES, atol=1e-4)


def test_the_same_tracks_however_the_video_is_cut(output, tmp_path):
    again = bigimg.run("tracks", output.parent / "in" / "walk.mp4", tmp_path / "out", workers=1, tile=128)
    one, two = again.collection, bigimg.open(output)
    for name in ("tracks", "summary"):
        assert one.read_table(name).equals(two.read_table(name))
    labels = [each.labels("things")["walk"].values for each in (one, two)]
    np.testing.assert_array_equal(*labels)


def test_the_command_line_draws_them_again(output, tmp_path, capsys):
    from bigimg.cli import main

    with pytest.raises(SystemExit) as left:
        main(["overlay", str(output), str(tmp_path / "again.mp4")])
    assert left.value.code == 0
    assert open_sources(tmp_path / "again.mp4")[0][0].shape[0] == len(TIMES)
    with pytest.raises(SystemExit) as left:
        main(["overlay", str(output), str(tmp_path / "other.mp4"), "--item", "nobody"])
    assert left.value.code == 1
    assert "nobody" in capsys.readouterr().err
