"""Videos that anybody can play: MP4 with H.264, each picture at its own time, seen only when it is whole.

Written through PyAV (``pip install "bigimg[video]"``).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from fractions import Fraction
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from bigimg.errors import ImageError, MissingExtraError, OutputError
from bigimg.io.publish import check_absent
from bigimg.io.readers.video import load_av

ENCODERS: tuple[tuple[str, dict[str, str]], ...] = (
    ("libx264", {"crf": "20", "preset": "veryfast"}),
    ("libopenh264", {}),
    ("h264_videotoolbox", {}),
)
"""Encoders of H.264, the best first, and how each is used."""

CLOCK = 90_000
"""Units of time a second: what MPEG uses, fine enough for any rate of frames."""

_BT709, _LIMITED = 1, 1


class VideoWriter:
    """A video that is being written; made by :func:`write_video`."""

    def __init__(self, container: Any, stream: Any, plane: tuple[int, int]) -> None:
        self._container, self._stream, self.plane = container, stream, plane
        self._last = -1
        self.count = 0
        """Pictures written."""

    def add(self, picture: NDArray[np.uint8], time: float) -> None:
        """Append a picture.

        Parameters
        ----------
        picture : (M, N) or (M, N, 3) array of uint8
            Grey, or red, green and blue.
        time : float
            When it is shown, in seconds; later than the picture before, by at least 1/90000 s.

        Raises
        ------
        ImageError
            If it has another shape or dtype than it must, or its time is not later.
        """
        if picture.dtype != np.uint8 or picture.shape not in {self.plane, (*self.plane, 3)}:
            raise ImageError(
                f"picture {self.count} of a video of {self.plane} pixels must be that of uint8, grey or with 3 colours "
                f"(got {picture.dtype} {picture.shape})"
            )
        pts = round(time * CLOCK) if np.isfinite(time) else -1
        if pts <= self._last:
            raise ImageError(
                f"picture {self.count} is at {time} s, and the one before at {max(self._last, 0) / CLOCK:.6g} s: times "
                "of a video rise from 0 on"
            )
        # H.264 with one colour for four pixels has even sizes only: the last row and column stand twice.
        more = [(0, size % 2) for size in self.plane]
        if any(after for _, after in more):
            picture = np.pad(picture, [*more, (0, 0)][: picture.ndim], mode="edge")
        av = load_av()
        layout = "rgb24" if picture.ndim == 3 else "gray"
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format=layout)
        frame = frame.reformat(format="yuv420p", dst_colorspace="ITU709", dst_color_range="MPEG")
        frame.pts, frame.time_base = pts, Fraction(1, CLOCK)
        self._container.mux(self._stream.encode(frame))
        self._last = pts
        self.count += 1

    def finish(self) -> None:
        """Write what the encoder still holds, and the end of the file."""
        self._container.mux(self._stream.encode())
        self._container.close()


@contextmanager
def write_video(path: str | Path, plane: tuple[int, int], rate: float = 25.0) -> Iterator[VideoWriter]:
    """Write a video picture by picture: MP4, H.264 of 8 bits and 4:2:0, which every browser plays.

    It has its name only when it is whole; if anything fails, nothing is left.

    Parameters
    ----------
    path
        Of the file, with any suffix; must not exist.
    plane
        Rows and columns of a picture. Odd ones are made even by repeating the last.
    rate
        About how many pictures a second there will be; the real times come with the pictures.

    Raises
    ------
    MissingExtraError
        If PyAV is not installed, or no encoder of H.264 is in it.
    OutputExistsError, OutputError
        If there is something already, or the disk refuses.

    Examples
    --------
    >>> with write_video("dots.mp4", (64, 96)) as video:  # doctest: +SKIP
    ...     for number in range(50):
    ...         video.add(np.full((64, 96), number, np.uint8), number / 25)
    """
    path = Path(path).expanduser()
    check_absent(path)
    av = load_av()
    name, options = _encoder(av)
    aside = path.with_name(f".{path.name}.{uuid4().hex[:8]}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"the video {path} cannot be written: {error.strerror or error}") from error
    try:
        container = av.open(str(aside), "w", format="mp4", options={"movflags": "+faststart"})
        try:
            about = Fraction(max(rate, 0.001)).limit_denominator(1001)
            stream = container.add_stream(name, rate=about, options=options)
            stream.height, stream.width = (size + size % 2 for size in plane)
            stream.pix_fmt = "yuv420p"
            context = stream.codec_context
            context.time_base = Fraction(1, CLOCK)
            context.colorspace, context.color_range = _BT709, _LIMITED
            context.color_primaries, context.color_trc = _BT709, _BT709
            writer = VideoWriter(container, stream, (int(plane[0]), int(plane[1])))
            yield writer
            if not writer.count:
                raise ImageError(f"{path}: a video needs at least one picture")
            writer.finish()
        finally:
            container.close()
        check_absent(path)
        aside.replace(path)
    except av.error.FFmpegError as error:
        raise OutputError(f"the video {path} cannot be written: {error.strerror or error}") from error
    finally:
        with suppress(OSError):
            aside.unlink(missing_ok=True)


def _encoder(av: Any) -> tuple[str, dict[str, str]]:
    for name, options in ENCODERS:
        with suppress(av.codec.codec.UnknownCodecError):
            av.codec.Codec(name, "w")
            return name, options
    raise MissingExtraError(
        f"no encoder of H.264 ({', '.join(name for name, _ in ENCODERS)}) is in the installed PyAV; the wheels of PyPI "
        "have one: pip install --force-reinstall av"
    )
