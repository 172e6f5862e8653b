"""The frames of a video, found by reading its packets without decoding one: when each is shown, and where to start.

Frame numbers of containers and players cannot be trusted: a seek by number lands elsewhere where the frame rate varies,
and the number of frames in a header may be anybody's guess. What counts is the time stamp of every packet. Sorted, they
are the frames in the order they are shown; those of the key frames say where decoding can start.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bigimg.errors import ReadError
from bigimg.io.readers.video_container import check_whole

RUN_FRAMES = 200
"""Frames read at once, where memory allows: opening a video and seeking in it costs as much as some dozen frames."""

RUN_BYTES = 256 * 2**20
"""Most bytes of such a run of frames."""

_ANEW = "write the video anew, for instance as an MP4 file"


@dataclass(frozen=True, eq=False)
class FrameTable:
    """The frames of a video in the order they are shown."""

    pts: NDArray[np.int64]
    """Time stamp of each frame, in units of the time base."""
    keyframe: NDArray[np.bool_]
    """Whether decoding can start at the frame."""
    time_base: tuple[int, int]
    """Seconds of one unit: numerator and denominator."""
    starts: tuple[int, ...]
    """Time stamps where decoding can start; key frames among them that are not shown themselves."""
    by_order: bool = False
    """Whether frames do not bear their times, so that they are known only by counting them from the first."""

    def __len__(self) -> int:
        return len(self.pts)

    @cached_property
    def seconds(self) -> NDArray[np.float64]:
        """When each frame is shown, in seconds on the clock of the video."""
        return self.pts * self.time_base[0] / self.time_base[1]

    @property
    def interval(self) -> float:
        """Mean time between two frames in seconds; 0 for a single frame."""
        units = int(self.pts[-1] - self.pts[0]) * self.time_base[0]
        return units / (self.time_base[1] * (len(self) - 1)) if len(self) > 1 else 0.0

    @property
    def is_variable(self) -> bool:
        """Whether the time between frames varies by more than the rounding of the time base."""
        gaps = np.diff(self.pts)
        return bool(len(gaps)) and int(gaps.max() - gaps.min()) > 1

    def start_before(self, frame: int, earlier: int = 0) -> int | None:
        """Return the last time stamp where decoding ``frame`` can start, or one ``earlier``; None before the first."""
        place = bisect_right(self.starts, int(self.pts[frame])) - 1 - earlier
        return self.starts[place] if place >= 0 else None

    def run(self, frame_bytes: int) -> int:
        """Return how many frames to read at once: whole groups of pictures, as far as memory allows.

        Examples
        --------
        >>> keys = np.arange(1000) % 12 == 0
        >>> FrameTable(np.arange(1000), keys, (1, 25), tuple(np.flatnonzero(keys))).run(frame_bytes=2**20)
        204
        """
        most = max(1, min(len(self), RUN_BYTES // max(frame_bytes, 1)))
        distances = np.diff([*np.flatnonzero(self.keyframe), len(self)])
        group = int(np.median(distances)) if len(distances) else len(self)
        groups = ceil(RUN_FRAMES / group)
        return max(1, min(groups, most // group) * group) if group <= most else min(most, RUN_FRAMES)


def frame_table(path: Path, container: Any, stream: Any, *, by_order: bool = False) -> FrameTable:
    """Return the frames of ``stream``, whose packets are read to their end.

    Parameters
    ----------
    by_order
        Take the times of the packets for those of the frames that come out, one after the other: AVI files do not say
        when a frame is shown, and their packets may be in another order than their frames.

    Raises
    ------
    ReadError
        If the file is cut short, has no frame, or frames without a time or with the same one.
    """
    check_whole(path, container.format.name)
    shown: list[tuple[int, bool]] = []
    starts: list[int] = []
    for packet in container.demux(stream):
        if not packet.size:  # a packet of nothing says: as before; the last one says: flush
            continue
        time = next((each for each in _times(packet, by_order=by_order) if each is not None), None)
        if time is None:
            raise ReadError(f"{path}: packet {len(shown)} of the video has no time; {_ANEW}")
        if packet.is_corrupt:
            raise ReadError(f"{path} is damaged: packet {len(shown)} is not whole; copy it again from where it came")
        if packet.is_keyframe:
            starts.append(time)
        if not packet.is_discard:
            shown.append((time, packet.is_keyframe))
    if not shown:
        raise ReadError(f"{path} has no frame: its video is empty or cut short; copy it again from where it came")
    shown.sort()
    pts = np.array([time for time, _ in shown], np.int64)
    same = np.flatnonzero(np.diff(pts) == 0)
    if len(same):
        raise ReadError(
            f"{path}: frames {same[0]} and {same[0] + 1} have the same time, so nobody can tell them apart; {_ANEW}"
        )
    keys = np.array([keyframe for _, keyframe in shown], bool)
    base = stream.time_base
    return FrameTable(
        pts, keys, (base.numerator, base.denominator), tuple(sorted(starts)[: 1 if by_order else None]), by_order
    )


def _times(packet: Any, *, by_order: bool) -> tuple[int | None, int | None]:
    return (packet.dts, packet.pts) if by_order else (packet.pts, packet.dts)
