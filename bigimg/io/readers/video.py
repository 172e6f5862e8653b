"""Videos, read through PyAV (``pip install "bigimg[video]"``): MP4, QuickTime, AVI, Matroska, WebM, animated GIF.

A frame is found by its time stamp in an index made of the packets (:mod:`bigimg.io.readers.video_index`), never by its
number, and is the same frame whether it is read alone or after all those before it. Colours are ``(t, c, y, x)``, grey
videos ``(t, y, x)``, a GIF of one frame has no ``t``. Pixels are as FFmpeg decodes them: of 8 bits as they are shown;
colours of more bits spread over the range of uint16, grey values of more bits as stored. A rotation, as of telephones,
is reported in ``attrs["acquisition"]`` but not applied, so that results lie on the pixels of the file.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bigimg.core.tile import Box, box_shape
from bigimg.errors import ImageError, MissingExtraError, ReadError
from bigimg.io.cache import PixelCache
from bigimg.io.readers.header import ImageHeader
from bigimg.io.readers.video_index import FrameTable, frame_table

NAME = "video"
SUFFIXES: tuple[str, ...] = (".avi", ".gif", ".m4v", ".mkv", ".mov", ".mp4", ".webm")

_STILLS = (b"avif", b"avis", b"heic", b"heix", b"heim", b"heis", b"mif1", b"msf1", b"jp2 ", b"crx ")
"""Kinds of images that are wrapped as MP4 files are."""
_BOXES = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")
_COLOURS = ("red", "green", "blue", "alpha")
KEEPS_OPEN = 4
"""Decoders that a process keeps where they stand, for who reads on from there."""
_BEHIND = 64 * 2**20
"""Bytes of decoded frames that a decoder keeps."""
_CHECKED = 32
"""Frames decoded of a container without times of its own, to see that they come in the order it promises."""

Key = tuple[str, int, int]
"""Path, size and time of change of a file."""

_frames = PixelCache(limit=64 * 2**20)


def matches(head: bytes) -> bool:
    """Whether the file starts as one of these kinds."""
    if head[4:8] == b"ftyp":
        return head[8:12] not in _STILLS
    if head[4:8] in _BOXES[1:]:
        return True
    if head[:4] == b"RIFF":
        return head[8:12] == b"AVI "
    return head.startswith((b"\x1a\x45\xdf\xa3", b"GIF87a", b"GIF89a"))


def headers(path: Path) -> list[ImageHeader]:
    """Return the video of the file, its packets read and its first frame decoded."""
    with _errors(path):
        video = _video(_key(path))
    table, look = video.table, video.look
    is_still = video.container == "gif" and len(table) == 1
    plane = look.shape
    dims = ("c", "y", "x") if look.channels else ("y", "x")
    attrs: dict[str, Any] = {"channel_names": look.channels} if look.channels else {}
    if is_still:
        return [ImageHeader(plane, look.dtype, dims, plane, attrs).checked(path)]
    if table.interval:
        attrs |= {"scale": {"t": table.interval}, "units": {"t": "second"}}
    attrs["acquisition"] = video.about
    run = table.run(int(np.prod(plane)) * look.dtype.itemsize)
    return [ImageHeader((len(table), *plane), look.dtype, ("t", *dims), (run, *plane), attrs).checked(path)]


def read(path: Path, part: int, box: Box) -> NDArray[Any]:  # noqa: ARG001 - a file holds one video
    """Return the pixels in ``box``; the groups of pictures that hold its frames are decoded, and no others."""
    key = _key(path)
    with _errors(path):
        video = _video(key)
        if video.container == "gif" and len(video.table) == 1:
            return _read(key, video, (slice(0, 1), *box))[0]
        return _read(key, video, box)


def frames(path: Path) -> FrameTable:
    """Return when each frame of the video is shown, and which are key frames."""
    with _errors(path):
        return _video(_key(path)).table


@dataclass(frozen=True)
class Look:
    """How the pixels of a frame come out."""

    plane: tuple[int, int]
    channels: tuple[str, ...]
    dtype: np.dtype[Any]
    layout: str
    """FFmpeg's name of the layout of pixels to convert to."""

    @classmethod
    def of(cls, frame: Any, path: str) -> Look:
        """Return how ``frame`` comes out."""
        kind = frame.format
        bits = max(component.bits for component in kind.components)
        plane = (int(frame.height), int(frame.width))
        if bits > 16:
            raise ImageError(f"{path} has pixels of FFmpeg's format {kind.name}; convert it to one of at most 16 bits")
        if len(kind.components) == 1 and not kind.has_palette:
            return cls(plane, (), np.dtype("u1" if bits <= 8 else "u2"), "gray" if bits <= 8 else kind.name)
        has_alpha = kind.has_palette or any(component.is_alpha for component in kind.components)
        layout = ("rgba" if has_alpha else "rgb24") if bits <= 8 else ("rgba64le" if has_alpha else "rgb48le")
        return cls(plane, _COLOURS[: 4 if has_alpha else 3], np.dtype("u1" if bits <= 8 else "u2"), layout)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of a frame, channels first."""
        return (len(self.channels), *self.plane) if self.channels else self.plane

    def put(self, frame: Any, out: NDArray[Any]) -> None:
        """Put the pixels of ``frame`` into ``out``."""
        pixels = frame.to_ndarray(format=self.layout)
        if self.channels:
            import cv2  # noqa: PLC0415 - takes 0.1 s, and only videos in colour need it

            cv2.split(pixels, list(out))  # several times as fast as a copy with its axes moved
        else:
            out[...] = pixels


@dataclass(frozen=True, eq=False)
class Video:
    """What is known of a video that this process has opened."""

    container: str
    table: FrameTable
    look: Look
    about: dict[str, Any]


@lru_cache(maxsize=256)
def _video(key: Key) -> Video:
    with _open(key[0]) as container:
        stream = _stream(container, key[0])
        name = container.format.name.partition(",")[0]
        table = _indexed(key, container, stream, may_be_unordered=name == "avi")
        about: dict[str, Any] = {"codec": stream.codec_context.name}
        if table.is_variable:
            about["variable_rate"] = True
        if taken := container.metadata.get("creation_time"):
            about["time"] = taken
    decoder = Decoder(key, table)
    first = decoder.following
    about["pixel_format"] = first.format.name
    if first.rotation:
        about["rotation"] = int(first.rotation) % 360
    video = Video(name, table, Look.of(first, key[0]), about)
    _decoders.give_back(key, decoder)
    return video


def _indexed(key: Key, container: Any, stream: Any, *, may_be_unordered: bool) -> FrameTable:
    path = Path(key[0])
    if not may_be_unordered:
        return frame_table(path, container, stream)
    try:
        table = frame_table(path, container, stream)
        decoder = Decoder(key, table)
        for _ in decoder.frames(0, min(len(table), _CHECKED)):
            pass
    except ReadError:
        container.seek(0)
        return frame_table(path, container, stream, by_order=True)
    return table


def _read(key: Key, video: Video, box: Box) -> NDArray[Any]:
    out = np.empty(box_shape(box), video.look.dtype)
    if out.shape[1:] == video.look.shape:
        for place, frame in enumerate(_decode(key, video, range(box[0].start, box[0].stop))):
            video.look.put(frame, out[place])
    else:
        for place, number in enumerate(range(box[0].start, box[0].stop)):
            # The other parts of the frame are likely to be asked for next.
            out[place] = _frames.get((*key, number), partial(_whole, key, video, number))[box[1:]]
    return out


def _whole(key: Key, video: Video, number: int) -> NDArray[Any]:
    out = np.empty(video.look.shape, video.look.dtype)
    for frame in _decode(key, video, range(number, number + 1)):
        video.look.put(frame, out)
    return out


def _decode(key: Key, video: Video, chosen: range) -> Iterator[Any]:
    with _decoders.take(key, video.table, chosen.start) as decoder:
        for number, frame in zip(chosen, decoder.frames(chosen.start, chosen.stop)):
            if (frame.height, frame.width) != video.look.plane:
                raise ReadError(
                    f"{key[0]}: frame {number} has {frame.height} x {frame.width} pixels, the first has "
                    f"{video.look.plane[0]} x {video.look.plane[1]}; cut the video where its size changes"
                )
            yield frame


class Decoder:
    """A video that is open and has decoded up to some frame.

    The first frame is decoded before any seek: H.264 of 4:4:4 tells the version of its encoder in the first packet
    only, and a decoder that has not seen it makes wrong pixels without an error.
    """

    def __init__(self, key: Key, table: FrameTable) -> None:
        self._key, self._table = key, table
        self._behind: dict[int, Any] = {}
        self._open()
        self._most = max(1, _BEHIND // sum(plane.buffer_size for plane in self.following.planes))

    def _open(self) -> None:
        self._container = _open(self._key[0])
        self._stream = _stream(self._container, self._key[0])
        # Tiles are the parallelism; and threads of frames would hold back the last ones.
        self._stream.thread_type = "SLICE"
        self._stream.codec_context.thread_count = 1
        self._decoded = self._container.decode(self._stream)
        first = next(self._decoded, None)
        if not self._is(first, 0):
            raise self._lost(0, first)
        self.at = 0
        """The frame that comes next."""
        self.following: Any = first
        """That frame, where it is decoded already."""

    def cost(self, frame: int) -> int:
        """Return how many frames must be decoded to have ``frame``, from where the decoder is or from a key frame."""
        if frame in self._behind:
            return 0
        begin = self._table.start_before(frame)
        keyed = 1 + frame - int(np.searchsorted(self._table.pts, begin)) if begin is not None else 1 + frame
        return min(keyed, 1 + frame - self.at) if self.at <= frame else keyed

    def frames(self, start: int, stop: int) -> Iterator[Any]:
        """Yield the frames ``start`` to ``stop``, as if all before them had been decoded.

        Raises
        ------
        ReadError
            If one does not come, comes in another order than the index says, or is damaged; names it.
        """
        for number in range(start, stop):
            frame = self._behind.get(number) or self._decode(number)
            if frame.is_corrupt:
                raise ReadError(
                    f"{self._key[0]} is damaged: frame {number} of {len(self._table)} cannot be decoded whole; copy it "
                    "again from where it came, or leave it out with on_error='skip'"
                )
            yield frame

    def _decode(self, number: int) -> Any:
        begin = self._table.start_before(number)
        if not (self.at <= number and (begin is None or begin <= self._table.pts[self.at])):
            self._seek(number)
        frame = None
        while self.at <= number:
            at, frame = self.at, self._following()
            if not self._is(frame, at):
                self.at = len(self._table)  # whoever comes next must seek
                raise self._lost(at, frame)
            self._keep(at, frame)
            self.at += 1
        return frame

    def _keep(self, number: int, frame: Any) -> None:
        """Keep what was decoded on the way: a scheduler may go backwards, and each frame would be a way of its own."""
        self._behind[number] = frame
        while len(self._behind) > self._most:
            del self._behind[next(iter(self._behind))]

    def forget(self) -> None:
        """Keep no frames any more."""
        self._behind.clear()

    def close(self) -> None:
        """Give the file back."""
        self._container.close()

    def _is(self, frame: Any, number: int) -> bool:
        return frame is not None and (self._table.by_order or frame.pts == self._table.pts[number])

    def _following(self) -> Any:
        frame, self.following = self.following, None
        if frame is not None:
            return frame
        try:
            return next(self._decoded, None)
        except load_av().error.InvalidDataError:
            return None

    def _seek(self, frame: int) -> None:
        """Go to the last key frame that leads to ``frame``; containers may land elsewhere, so it is looked at."""
        for earlier in range(len(self._table.starts)):
            begin = self._table.start_before(frame, earlier)
            if begin is None or begin <= self._table.pts[0]:
                break
            self._container.seek(begin, stream=self._stream, backward=True, any_frame=False)
            self._decoded = self._container.decode(self._stream)
            # What comes before the key frame, where it was landed on, needs frames that were not decoded.
            landed = next((each for each in self._decoded if each.pts is None or each.pts >= begin), None)
            at = int(np.searchsorted(self._table.pts, begin))  # the key frame, or the next where it is not shown itself
            if landed is not None and landed.pts == self._table.pts[at]:
                self.following, self.at = landed, at
                return
        self.close()
        self._open()

    def _lost(self, number: int, frame: Any) -> ReadError:
        path, total = self._key[0], len(self._table)
        if frame is None:
            return ReadError(
                f"{path} is cut short or damaged: it has packets for {total} frames, and frame {number} cannot be "
                "decoded; copy it again from where it came, or leave it out with on_error='skip'"
            )
        return ReadError(
            f"{path}: in the place of frame {number}, at {self._table.seconds[number]:.3f} s, another was decoded; the "
            "times in the file are not those of its frames, or frames are missing: write it anew, for instance as MP4"
        )


class _Decoders:
    """Decoders that nobody uses at the moment, the last used last."""

    def __init__(self) -> None:
        self._idle: OrderedDict[int, tuple[Key, Decoder]] = OrderedDict()
        self._lock = Lock()

    @contextmanager
    def take(self, key: Key, table: FrameTable, frame: int) -> Iterator[Decoder]:
        """Give the decoder that is nearest to ``frame``, or a new one; keep it afterwards unless it failed."""
        with self._lock:
            mine = [number for number, (its, _) in self._idle.items() if its == key]
            nearest = min(mine, key=lambda number: self._idle[number][1].cost(frame), default=None)
            decoder = self._idle.pop(nearest)[1] if nearest is not None else None
        decoder = decoder or Decoder(key, table)
        try:
            yield decoder
        except GeneratorExit:
            self.give_back(key, decoder)
            raise
        except BaseException:
            decoder.close()
            raise
        self.give_back(key, decoder)

    def give_back(self, key: Key, decoder: Decoder) -> None:
        """Keep a decoder for the next; the one that was longest unused is closed where there are many."""
        with self._lock:
            for _, other in self._idle.values():
                other.forget()
            self._idle[id(decoder)] = key, decoder
            old = self._idle.popitem(last=False)[1][1] if len(self._idle) > KEEPS_OPEN else None
        if old is not None:
            old.close()

    def forget(self) -> None:
        """Start anew in a forked process: a file opened before is read at one place for both."""
        self._idle, self._lock = OrderedDict(), Lock()


_decoders = _Decoders()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_decoders.forget)


def _key(path: Path) -> Key:
    stat = path.stat()
    return str(path), stat.st_size, stat.st_mtime_ns


def _open(path: str) -> Any:
    return load_av().open(path, mode="r", metadata_errors="replace")


def _stream(container: Any, path: str) -> Any:
    stream = container.streams.best("video")
    if stream is None:
        raise ImageError(f"{path} has no video, perhaps sound only; leave it out, or name the videos with a pattern")
    return stream


def load_av() -> Any:
    """Return PyAV.

    Raises
    ------
    MissingExtraError
        If it is not installed.
    """
    try:
        import av  # noqa: PLC0415 - takes 0.1 s, is an extra, and only videos need it
    except ImportError as error:
        raise MissingExtraError(
            'videos are read and written through PyAV, which is not installed: pip install "bigimg[video]"'
        ) from error
    return av


@contextmanager
def _errors(path: Path) -> Iterator[None]:
    """Say in one line, with the name of the file, what FFmpeg says."""
    av = load_av()
    try:
        yield
    except av.error.FFmpegError as error:
        if isinstance(error, MemoryError):
            raise
        raise ReadError(
            f"{path} cannot be decoded: {error.strerror}; the video is damaged, cut short or of an unknown kind: copy "
            "it again from where it came"
        ) from error
