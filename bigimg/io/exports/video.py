"""MP4 videos of series of images and of videos, at their own times, with outlines of labels."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bigimg.errors import ImageError
from bigimg.io.exports.levels import BLOCK_BYTES
from bigimg.io.exports.shown import colours_of, outlined, picture_of
from bigimg.io.exports.subjects import Subject
from bigimg.io.frames import coordinates
from bigimg.io.sources import Source

RATE = 25.0
"""Frames a second of a film whose own pace nobody could watch, or is not known."""

SLOWEST = 1.0
"""Seconds between two frames that are still shown at their real times."""

_SECONDS = {"millisecond": 1e-3, "second": 1.0, "minute": 60.0, "hour": 3600.0, "day": 86400.0}


def write_mp4(subject: Subject, path: Path, scratch: Path) -> None:
    """Write an image with an axis of time as a video; of a stack the middle plane, labels as outlines.

    Frames of a video have their own times. Those of a series have the times its scale gives, unless more than
    a second lies between them: then it is shown at 25 frames a second.

    Raises
    ------
    ImageError
        If it has no axis of time.
    MissingExtraError
        If PyAV is not installed.
    """
    from bigimg.io.video_writer import write_video  # noqa: PLC0415 - an extra

    source = subject.source
    if "t" not in source.dims:
        raise ImageError(
            f"image {subject.name!r} has no axis of time ({', '.join(source.dims)}), so it makes no video; export png"
        )
    times = frame_times(source)
    windows, colours = subject.windows(scratch / "image"), colours_of(subject)
    rate = (len(times) - 1) / (times[-1] - times[0]) if len(times) > 1 else RATE
    height, width = source.shape[-2:]
    with write_video(path, (height, width), rate) as video:
        for first, last in pairwise(_runs(source)):
            pixels = source[_frames(source, first, last)]
            drawn = {name: labels[_frames(labels, first, last)] for name, labels in subject.labels.items()}
            for at in range(last - first):
                picture = picture_of(pixels[at : at + 1], source.dims, windows, colours)
                for numbers in drawn.values():
                    # Labels without time are those of every frame.
                    plane = numbers[at] if len(numbers) == last - first and numbers.ndim > 2 else numbers
                    picture = outlined(picture, plane.reshape(height, width))
                video.add(picture, float(times[first + at]))


def frame_times(source: Source) -> NDArray[np.float64]:
    """Return the seconds at which frames are shown, from 0 or later on."""
    known = coordinates(source)
    count = source.shape[0]
    if "time" in known:
        times: NDArray[np.float64] = known["time"][1]
        return np.array(times - min(0.0, float(times[0])), np.float64)
    seconds = _SECONDS.get(source.attrs.get("units", {}).get("t", ""), 0.0)
    step = float(source.attrs.get("scale", {}).get("t", 0.0)) * seconds
    return np.array(np.arange(count) * (step if 0 < step <= SLOWEST else 1 / RATE), np.float64)


def _runs(source: Source) -> list[int]:
    """Return where runs of frames begin, and the end: as many at once as fit into memory."""
    frame = int(np.prod(source.shape[1:])) * source.dtype.itemsize
    step = max(1, BLOCK_BYTES // frame)
    return [*range(0, source.shape[0], step), source.shape[0]]


def _frames(source: Source, first: int, last: int) -> tuple[slice, ...]:
    """Return the box of some frames, at the middle depth."""
    return tuple(
        slice(first, last) if dim == "t" else slice(size // 2, size // 2 + 1) if dim == "z" else slice(0, size)
        for dim, size in zip(source.dims, source.shape)
    )
