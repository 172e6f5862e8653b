"""Videos that are written: whole or not at all, even in size, each picture at its time."""

import numpy as np
import pytest

from bigimg.errors import ImageError, MissingExtraError, OutputError, OutputExistsError
from bigimg.io.frames import coordinates
from bigimg.io.scan import open_sources
from bigimg.io.video_writer import write_video

av = pytest.importorskip("av", reason="videos are an extra")

TIMES = (0.5, 0.6, 0.9, 1.01, 1.5)


def picture(shape=(64, 96)):
    pixels = np.zeros((*shape, 3), np.uint8)
    pixels[...] = (200, 10, 20)
    pixels[20:40, 20:60] = (30, 180, 90)
    return pixels


def write(path, pixels, times=TIMES):
    with write_video(path, pixels.shape[:2]) as video:
        for time in times:
            video.add(pixels, time)
    return path


@pytest.mark.parametrize("shape", [(64, 96), (63, 95), (64, 95)])
def test_pictures_come_back_in_time_and_even(tmp_path, shape):
    (source,), _ = open_sources(write(tmp_path / "a.mp4", picture(shape)))
    assert source.shape == (5, 3, 64, 96)
    np.testing.assert_allclose(coordinates(source)["time"][1], TIMES, atol=1e-5)
    shown = source[2].astype(int)
    assert np.abs(shown[:, 5, 5] - (200, 10, 20)).max() <= 3
    assert np.abs(shown[:, 30, 40] - (30, 180, 90)).max() <= 3
    assert np.abs(shown[:, 63, 95] - (200, 10, 20)).max() <= 3


def test_every_browser_plays_it(tmp_path):
    path = write(tmp_path / "a.mp4", picture()[..., 0])
    with av.open(path) as container:
        context = container.streams.video[0].codec_context
        assert (context.name, context.pix_fmt) == ("h264", "yuv420p")
    # What a browser needs to begin stands before the pictures.
    data = path.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")


def test_nothing_is_left_of_one_that_failed(tmp_path):
    with pytest.raises(ImageError, match="rise"):
        write(tmp_path / "a.mp4", picture(), times=(0.0, 1.0, 0.5))
    with pytest.raises(ImageError, match="at least one"), write_video(tmp_path / "a.mp4", (64, 96)):
        pass
    assert list(tmp_path.iterdir()) == []


def test_what_is_there_stays(tmp_path):
    path = tmp_path / "a.mp4"
    path.write_text("mine")
    with pytest.raises(OutputExistsError), write_video(path, (64, 96)):
        pass
    assert path.read_text() == "mine"
    with pytest.raises(OutputError), write_video(path / "b.mp4", (64, 96)):
        pass


@pytest.mark.parametrize(
    ("pixels", "time", "words"),
    [
        (picture(), 0.0, "rise"),
        (picture(), np.nan, "rise"),
        (picture((64, 98)), 1.0, "64, 98"),
        (picture().astype("u2"), 1.0, "uint16"),
        (np.zeros((64, 96, 4), "u1"), 1.0, "3 colours"),
    ],
)
def test_a_picture_that_does_not_fit_is_an_error(tmp_path, pixels, time, words):
    with write_video(tmp_path / "a.mp4", (64, 96)) as video:
        video.add(picture(), 0.0)
        with pytest.raises(ImageError, match=words):
            video.add(pixels, time)


def test_without_an_encoder_the_error_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setattr("bigimg.io.video_writer.ENCODERS", (("no_such_encoder", {}),))
    with pytest.raises(MissingExtraError, match="no encoder"), write_video(tmp_path / "a.mp4", (64, 96)):
        pass
