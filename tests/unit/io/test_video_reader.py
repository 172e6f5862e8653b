"""Videos: any frame, read anyhow, is the frame of the sequential decode; times are real; damage has a name."""

import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from bigimg.errors import BigimgError, MissingExtraError, ReadError
from bigimg.io.frames import coordinates
from bigimg.io.ingest import ingest
from bigimg.io.readers import video
from bigimg.io.readers.video_index import FrameTable
from bigimg.io.scan import open_sources

av = pytest.importorskip("av", reason="videos are an extra")

CLIPS = Path(__file__).parents[4] / "shared" / "data" / "video"
REAL = ("vtest.avi", "traffic_camera.mp4", "traffic_camera_vfr.mp4", "cockatoo.mp4")
STEPS = np.cumsum(np.random.default_rng(1).integers(10, 90, 60)).tolist()
# Name: codec, layout of pixels, options, times in milliseconds.
MADE = {
    "h264.mp4": ("libx264", "yuv420p", {"bf": "3", "g": "12"}, None),
    "open_groups.mp4": ("libx264", "yuv420p", {"bf": "3", "g": "12", "x264-params": "open-gop=1"}, None),
    "refreshed.mp4": ("libx264", "yuv420p", {"g": "12", "x264-params": "intra-refresh=1"}, None),
    "variable.mp4": ("libx264", "yuv420p", {"bf": "2", "g": "15"}, STEPS),
    "full_colour.mp4": ("libx264", "yuv444p", {"bf": "2", "g": "15"}, None),
    "ten_bits.mp4": ("libx264", "yuv420p10le", {"g": "15"}, None),
    "hevc.mkv": ("libx265", "yuv420p", {"x265-params": "keyint=15:bframes=3:log-level=none"}, None),
    "vp9.webm": ("libvpx-vp9", "yuv420p", {"g": "15"}, STEPS),
    "grey.mkv": ("ffv1", "gray", {"g": "7"}, None),
    "deep_grey.mkv": ("ffv1", "gray12le", {"g": "7"}, None),
    "disordered.avi": ("mpeg4", "yuv420p", {"bf": "2", "g": "12"}, None),
    "disordered_h264.avi": ("libx264", "yuv420p", {"bf": "2", "g": "12"}, None),
    "animated.gif": ("gif", "rgb8", {}, None),
}


def pictures(count=60, height=64, width=96):
    ground = np.add.outer(np.arange(height) * 2, np.arange(width)).astype("u1")[..., None].repeat(3, -1)
    noise = np.random.default_rng(0).integers(0, 30, ground.shape, np.uint8)
    for number in range(count):
        picture = ground + noise
        left = number * 3 % (width - 20)
        picture[10:30, left : left + 20] = (255, number * 7 % 256, 0)
        picture[40:48, : number + 1] = 255
        yield picture


def write(path, codec="libx264", layout="yuv420p", options=None, times=None, frames=None):
    try:
        encoder = av.codec.Codec(codec, "w")
    except av.codec.codec.UnknownCodecError:
        pytest.skip(f"this FFmpeg has no encoder {codec}")
    if layout not in [each.name for each in encoder.video_formats]:
        pytest.skip(f"this FFmpeg's {codec} has no {layout}")
    with av.open(path, "w") as container:
        stream = container.add_stream(codec, rate=25, options=options or {})
        stream.codec_context.time_base = Fraction(1, 1000)
        frames = list(pictures() if frames is None else frames)
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = layout
        for number, picture in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = (40 * number if times is None else times[number]), Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def source_of(path):
    (source,), _ = open_sources(path)
    return source


def times_of(source):
    found = coordinates(source)
    return found["time"][1] if found else None


def sequential(path, layout):
    """Decode with PyAV from the first frame to the last: (t, y, x) or (t, c, y, x)."""
    with av.open(path) as container:
        for frame in container.decode(video=0):
            pixels = frame.to_ndarray(format=layout)
            yield np.moveaxis(pixels, -1, 0) if pixels.ndim == 3 else pixels


def fresh():
    """Forget what this process has decoded."""
    video._frames.clear()
    video._decoders.forget()


def check_windows(path, windows):
    source = source_of(path)
    layout = video._video(video._key(Path(source.path))).look.layout
    wanted = sorted({n for start, stop in windows for n in range(start, stop)})
    expected, count = {}, 0
    for number, pixels in enumerate(sequential(path, layout)):
        count += 1
        if number in wanted:
            expected[number] = pixels
    assert source.shape[0] == count
    for turn, (start, stop) in enumerate(windows):
        video._frames.clear()
        if turn % 2:
            fresh()
        got = source[start:stop]
        for number, pixels in zip(range(start, stop), got, strict=True):
            np.testing.assert_array_equal(pixels, expected[number], err_msg=f"frame {number}")


def windows_of(count, how_many=8, longest=9):
    rng = np.random.default_rng(count)
    starts = [*rng.integers(0, count, how_many), count - 1, 0]
    return [(int(start), int(min(count, start + rng.integers(1, longest + 1)))) for start in starts]


@pytest.mark.parametrize("name", MADE)
def test_any_frame_is_that_of_the_sequential_decode(name, tmp_path):
    codec, layout, options, times = MADE[name]
    path = write(tmp_path / name, codec, layout, options, times)
    check_windows(path, windows_of(60))


@pytest.mark.real_images
@pytest.mark.parametrize("name", REAL)
def test_any_frame_of_real_clips_is_that_of_the_sequential_decode(name):
    path = CLIPS / name
    if not path.exists():
        pytest.skip(f"{path} is not there: the folder of real videos is not beside this checkout")
    check_windows(path, windows_of(source_of(path).shape[0], how_many=4))


def test_a_process_of_its_own_reads_the_same_frame(tmp_path):
    path = write(tmp_path / "full_colour.mp4", layout="yuv444p", options={"g": "15"})
    code = (
        "import sys, hashlib; from bigimg.io.scan import open_sources; "
        "(source,), _ = open_sources(sys.argv[1]); print(hashlib.sha256(source[47:48].tobytes()).hexdigest())"
    )
    said = subprocess.run([sys.executable, "-c", code, path], check=True, capture_output=True, text=True).stdout
    import hashlib

    expected = list(sequential(path, "rgb24"))[47]
    assert said.strip() == hashlib.sha256(np.ascontiguousarray(expected).tobytes()).hexdigest()


def test_axes_dtypes_and_what_is_known(tmp_path):
    colour = source_of(write(tmp_path / "a.mp4"))
    assert (colour.dims, colour.shape, colour.dtype) == (tuple("tcyx"), (60, 3, 64, 96), np.dtype("u1"))
    assert colour.attrs["scale"] == {"t": pytest.approx(0.04)}
    assert colour.attrs["units"] == {"t": "second"}
    assert colour.attrs["channel_names"] == ("red", "green", "blue")
    assert colour.attrs["acquisition"]["codec"] == "h264"
    grey = source_of(write(tmp_path / "b.mkv", "ffv1", "gray"))
    assert (grey.dims, grey.shape, grey.dtype) == (tuple("tyx"), (60, 64, 96), np.dtype("u1"))
    deep = source_of(write(tmp_path / "c.mkv", "ffv1", "gray12le"))
    assert (deep.dtype, int(deep[...].max())) == (np.dtype("u2"), 4095)


def test_times_are_those_of_the_frames(tmp_path):
    path = write(tmp_path / "variable.mp4", times=STEPS)
    source = source_of(path)
    np.testing.assert_allclose(times_of(source), np.array(STEPS) / 1000, atol=1e-4)
    assert source.attrs["acquisition"]["variable_rate"] is True
    assert "variable_rate" not in source_of(write(tmp_path / "even.mp4")).attrs["acquisition"]
    table = video.frames(path)
    assert table.keyframe[0]
    assert len(table) == 60


def test_a_still_gif_has_no_time(tmp_path):
    path = write(tmp_path / "still.gif", "gif", "rgb8", frames=list(pictures(1)))
    source = source_of(path)
    assert source.dims == tuple("cyx")
    assert times_of(source) is None
    assert source[0:1, 3:9, :].shape == (1, 6, 96)


def test_neighbours_go_on_where_the_last_has_stopped(tmp_path, monkeypatch):
    source = source_of(write(tmp_path / "a.mp4", options={"g": "60"}))
    fresh()
    decoded = []
    following = video.Decoder._following
    monkeypatch.setattr(video.Decoder, "_following", lambda self: decoded.append(self.at) or following(self))
    for start in range(0, 60, 6):
        source[start : start + 6, :, :32, :]
        source[start : start + 6, :, 32:, :]
    assert decoded == list(range(60))


def test_going_backwards_decodes_each_frame_once(tmp_path, monkeypatch):
    source = source_of(write(tmp_path / "a.mp4", options={"g": "60"}))
    whole = source[...]
    fresh()
    decoded = []
    following = video.Decoder._following
    monkeypatch.setattr(video.Decoder, "_following", lambda self: decoded.append(self.at) or following(self))
    for start in reversed(range(60)):
        np.testing.assert_array_equal(source[start], whole[start])
    assert decoded == list(range(60))


def test_threads_read_at_once(tmp_path):
    from concurrent.futures import ThreadPoolExecutor

    path = write(tmp_path / "a.mp4", options={"g": "12"})
    source, whole = source_of(path), source_of(path)[...]
    fresh()
    with ThreadPoolExecutor(6) as pool:
        parts = list(pool.map(lambda start: source[start : start + 4], range(0, 60, 4)))
    np.testing.assert_array_equal(np.concatenate(parts), whole)


def test_rotation_is_reported_and_not_applied(tmp_path):
    path = write(tmp_path / "a.mov", "mpeg4")
    data = bytearray(path.read_bytes())
    # The matrix of the track header: a quarter turn.
    at = data.index(b"tkhd") + 4 + 40
    turned = [0, 0x10000, 0, -0x10000, 0, 0, 0, 0, 0x40000000]
    data[at : at + 36] = b"".join(value.to_bytes(4, "big", signed=True) for value in turned)
    path.write_bytes(data)
    source = source_of(path)
    assert source.attrs["acquisition"]["rotation"] in {90, 270}
    assert source.shape == (60, 3, 64, 96)


def test_frames_that_the_index_promises_and_nobody_decodes_have_a_number(tmp_path, monkeypatch):
    path = write(tmp_path / "a.mp4", options={"g": "12", "bf": "0"})
    source = source_of(path)
    fresh()
    known = video._video(video._key(path))
    pts = np.insert(known.table.pts, 40, known.table.pts[40] - 1)
    longer = FrameTable(pts, np.insert(known.table.keyframe, 40, False), known.table.time_base, known.table.starts)
    monkeypatch.setattr(video, "_video", lambda key: video.Video("mp4", longer, known.look, {}))
    with pytest.raises(ReadError, match=r"a\.mp4.*frame 40\b"):
        source[38:42]


def test_damage_in_the_middle_has_a_frame_number(tmp_path):
    path = write(tmp_path / "a.mp4", options={"g": "60", "bf": "0"})
    with av.open(path) as container:
        packet = next(each for number, each in enumerate(container.demux(video=0)) if number == 30)
        at = packet.pos
    data = bytearray(path.read_bytes())
    data[at + 12 : at + 40] = bytes(28)
    path.write_bytes(data)
    with pytest.raises(ReadError, match=r"frame 3\d"):
        source_of(path)[...]


def test_a_container_that_loses_its_thread_is_an_error(tmp_path):
    path = write(tmp_path / "a.webm", "libvpx-vp9", options={"g": "15"})
    data = bytearray(path.read_bytes())
    block = data.index(b"\xa3", len(data) // 2)
    data[block] = 0x11
    path.write_bytes(data)
    with pytest.raises(BigimgError, match=r"a\.webm"):
        source_of(path)[...]


def test_a_bad_video_among_good_ones_is_left_out(tmp_path):
    write(tmp_path / "a.mp4")
    (tmp_path / "b.mp4").write_bytes((tmp_path / "a.mp4").read_bytes()[:5000])
    sources, skipped = open_sources(tmp_path, on_error="skip")
    assert [each.name for each in sources] == ["a"]
    assert [each.name for each in skipped] == ["b"]


def test_without_the_extra_the_error_names_it(tmp_path, monkeypatch):
    path = write(tmp_path / "a.mp4")
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(MissingExtraError, match=r'pip install "bigimg\[video\]"'):
        open_sources(path)


def test_sound_alone_is_no_video(tmp_path):
    path = tmp_path / "sound.mp4"
    with av.open(path, "w") as container:
        stream = container.add_stream("aac", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), "f4"), format="fltp", layout="mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    with pytest.raises(BigimgError, match="no video"):
        source_of(path)


@pytest.mark.parametrize(
    ("keyframes", "frame_bytes", "expected"),
    [
        (range(0, 1000, 12), 1000, 204),
        (range(0, 1000, 12), 2**20 * 10, 24),
        (range(0, 1000, 250), 1000, 250),
        (range(0, 1000, 250), 2**20 * 4, 64),
        ([0], 1000, 1000),
        ([0], 2**30, 1),
        (range(1000), 1000, 200),
    ],
)
def test_runs_are_whole_groups_of_pictures(keyframes, frame_bytes, expected):
    keys = np.isin(np.arange(1000), list(keyframes))
    assert FrameTable(np.arange(1000), keys, (1, 25), tuple(np.flatnonzero(keys))).run(frame_bytes) == expected


def test_a_collection_keeps_the_frames_and_their_times(tmp_path):
    path = write(tmp_path / "variable.mp4", options={"g": "15"}, times=STEPS)
    made = ingest(path, tmp_path / "clips.zarr")
    from bigimg.io.collection import open_collection

    collection = open_collection(made.path)
    image = collection["variable"]
    np.testing.assert_allclose(image.coords["time"].values, np.array(STEPS) / 1000, atol=1e-4)
    np.testing.assert_array_equal(image.data[7:9].compute(), source_of(path)[7:9])
    frames = collection.frames("variable")
    assert list(frames.columns) == ["t", "pts", "time", "keyframe"]
    assert frames["keyframe"].sum() == 4
