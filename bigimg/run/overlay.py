"""Videos with the objects that were followed drawn on them: boxes or outlines, track numbers, and where they came from.

The pictures are read, drawn and encoded one run of frames after the other, so that memory does not grow with the video;
each is shown at the real time of its frame.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bigimg.errors import BigimgError, ImageError, MissingInputError, ParameterError
from bigimg.io.collection import Collection
from bigimg.io.frames import coordinates
from bigimg.io.sources import Source
from bigimg.io.video_writer import write_video
from bigimg.run.inputs import open as open_collection
from bigimg.run.report_pictures import Picture, display, display_limits, outlines

TAIL = 40
"""Frames that a track is drawn back in time."""

SHORTEST = 5
"""Frames in which a track must have been seen to be drawn: flicker of the background is not."""

READ_BYTES = 64 * 2**20
"""Pixels read at once."""

CLIPS = "overlays"
"""Folder of the videos in the output of a run."""

MOST_CLIPS = 4
"""Videos that a run makes by itself."""

MOST_PIXELS = 2 * 10**9
"""Pixels of a video that a run draws on by itself: a minute or two of work."""

_RATE = 25.0
"""Frames a second where nobody knows the real times."""
_TALL = 480
"""Rows below which a video is enlarged, so that numbers can be read."""
_SAMPLED = 8
_GOLDEN = 0.6180339887498949


@dataclass(frozen=True)
class Marks:
    """What is drawn on one frame, in its pixels."""

    track: NDArray[np.int64]
    position: NDArray[np.float64]
    """Row and column of each object."""
    box: NDArray[np.float64] | None
    """First row and column, and those after the last."""
    label: NDArray[np.int64] | None
    tails: tuple[NDArray[np.float64], ...]
    """Of each object, its positions from the oldest to this one."""


def overlay(results: str | Path, path: str | Path, *, item: str | None = None, table: str | None = None) -> Path:
    """Write a video of the tracks that a run has found, drawn on the images they were found in.

    Parameters
    ----------
    results
        The output of a run whose workflow has linked tracks.
    path
        Of the MP4 file to write; must not exist.
    item
        Which image; by default the first that has tracks.
    table
        Which table of tracks; by default the last.

    Returns
    -------
    Path
        Of the video.

    Raises
    ------
    MissingInputError
        If there are no tracks.
    MissingExtraError
        If PyAV is not installed.

    Examples
    --------
    >>> bigimg.run.overlay.overlay("results/", "tracks.mp4")  # doctest: +SKIP
    """
    found = open_collection(results)
    names = [name for name in found.table_names if "track_id" in found.read_table(name).columns]
    if not names or (table is not None and table not in names):
        called = f" called {table!r}" if table else ""
        raise MissingInputError(f"{results} has no table of tracks{called}; tracks are made by the step track.link")
    tracks = found.read_table(table or names[-1])
    known = [str(name) for name in tracks["item"].unique()]
    chosen = item or next(iter(known), "")
    if chosen not in known:
        raise MissingInputError(f"{results} has no tracks of item {chosen!r}; it has those of {', '.join(known[:8])}")
    mine = tracks[tracks["item"] == chosen]
    return write_overlay(path, found.sources[chosen], mine, labels_of(found, chosen))


def overlay_videos(
    client: Any, folder: Path, tables: Mapping[str, pd.DataFrame], sources: Mapping[str, Source], results: Collection
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Write videos of the tracks of a run, on its cluster, into its ``folder``.

    Returns
    -------
    clips
        Their paths in the folder; of the first images, where they are not too long.
    notes
        Sentences that say what was left out, and why.
    """
    tracks = next((table for table in reversed(list(tables.values())) if "track_id" in table and "x" in table), None)
    if tracks is None:
        return (), ()
    moving = [name for name in sources if "t" in sources[name].dims]
    short = [name for name in moving if prod(sources[name].shape[-2:]) * sources[name].shape[0] <= MOST_PIXELS]
    clips, notes, futures = [], [], {}
    for name in short[:MOST_CLIPS]:
        path = f"{CLIPS}/{name}.mp4"
        mine = tracks[tracks["item"] == name]
        labels = labels_of(results, name)
        futures[path] = client.submit(write_overlay, folder / path, sources[name], mine, labels, pure=False)
    for path, future in futures.items():
        error = future.exception()
        if error is None:
            clips.append(path)
        elif f"{error}" not in notes:
            notes.append(str(error) if isinstance(error, BigimgError) else f"no video {path}: {error!r}")
    if len(moving) > len(futures):
        notes.append(
            f"{len(moving) - len(futures)} more videos with tracks drawn on them are made by: "
            "bigimg overlay RESULTS VIDEO.mp4 --item NAME"
        )
    return tuple(clips), tuple(notes)


def labels_of(results: Collection, item: str) -> Source | None:
    """Return the labels of an item, where a run has kept some."""
    for name in reversed(results.label_names):
        if item in results.labels(name):
            return results.label_source(name, item)
    return None


def write_overlay(
    path: str | Path,
    source: Source,
    tracks: pd.DataFrame,
    labels: Source | None = None,
    *,
    tail: int = TAIL,
    shortest: int = SHORTEST,
) -> Path:
    """Write a video of ``source`` with ``tracks`` drawn on it.

    Parameters
    ----------
    path
        Of the MP4 file; must not exist.
    source
        A video or a time series: axes ``t``, ``y``, ``x``, and perhaps ``c`` and ``z``, of which the middle is shown.
    tracks
        Columns ``track_id``, ``t``, and ``y``, ``x`` in pixels; ``bbox-0`` ... ``bbox-3`` are drawn as boxes. A column
        ``time`` gives the seconds of each frame where the source does not.
    labels
        Of the same frames: outlines are drawn in the place of boxes where ``tracks`` has none, but has ``label``.
    tail
        For how many frames a track is drawn back in time.
    shortest
        Tracks that were seen in fewer frames are not drawn.

    Returns
    -------
    Path
        Of the video.
    """
    if "t" not in source.dims:
        raise ImageError(
            f"image {source.name!r} has no axis of time ({', '.join(source.dims)}); a video cannot be made"
        )
    count, plane = source.shape[0], (source.shape[-2], source.shape[-1])
    times = frame_times(source, tracks)
    if "track_id" in tracks:
        tracks = tracks[tracks.groupby("track_id")["track_id"].transform("size") >= shortest]
    marks = _Drawn(tracks, plane, tail)
    factor = max(1, -(-_TALL // min(plane)))
    limits = _limits(source)
    rate = (count - 1) / (times[-1] - times[0]) if count > 1 else _RATE
    with write_video(path, (plane[0] * factor, plane[1] * factor), rate) as video:
        for start, stop in _runs(source):
            pixels = _shown(source, slice(start, stop))
            numbers = labels[slice(start, stop)] if labels is not None and marks.by_label else None
            for at in range(start, stop):
                picture = display(pixels[at - start], ("c", "y", "x")[-(pixels.ndim - 1) :], limits)
                here = None if numbers is None else numbers[at - start]
                video.add(draw(picture, marks.at(at), here, factor, f"{times[at]:.2f} s"), float(times[at]))
    return Path(path)


def frame_times(source: Source, tracks: pd.DataFrame) -> NDArray[np.float64]:
    """Return the seconds at which frames are shown: those of the video, else of the tracks, else evenly spaced.

    The first is at 0 or later.
    """
    count = source.shape[0]
    known = coordinates(source)
    if "time" in known:
        times = known["time"][1]
        return times - min(0.0, float(times[0]))
    if "time" in tracks and tracks["time"].dtype.kind in "iuf" and len(tracks):
        pairs = tracks.drop_duplicates("t").sort_values("t")
        frames, seconds = pairs["t"].to_numpy(float), pairs["time"].to_numpy(float)
        if len(frames) > 1 and (np.diff(seconds) > 0).all():
            slope = (seconds[-1] - seconds[0]) / (frames[-1] - frames[0])
            inner = np.interp(np.arange(count), frames, seconds)
            before, after = np.arange(count) - frames[0], np.arange(count) - frames[-1]
            times = np.where(before < 0, seconds[0] + slope * before, inner)
            times = np.where(after > 0, seconds[-1] + slope * after, times)
            # A film of cells has hours between its frames; it is shown at a pace that can be watched.
            return (times - times[0]) * (1 / (slope * _RATE) if slope > 1 else 1)
    return np.arange(count) / _RATE


def draw(
    picture: Picture, marks: Marks, labels: NDArray[Any] | None = None, factor: int = 1, caption: str = ""
) -> Picture:
    """Return ``picture`` in colour, ``factor`` times as large, with ``marks`` drawn on it.

    Parameters
    ----------
    picture : (M, N) or (M, N, 3) array of uint8
    marks
        In pixels of the picture.
    labels : (M, N) array of integers, optional
        Objects to outline, found by the labels of ``marks``.
    caption
        A few words for the lower left corner.

    Returns
    -------
    (factor * M, factor * N, 3) array of uint8
    """
    import cv2  # noqa: PLC0415 - takes 0.1 s, and only overlays need it

    colour = picture if picture.ndim == 3 else np.repeat(picture[..., None], 3, -1)
    canvas = np.ascontiguousarray(colour.repeat(factor, 0).repeat(factor, 1))
    height = canvas.shape[0]
    # Thinner lines lose their colour: a video has one for four pixels.
    width, size = max(2, round(height / 360)), max(0.4, height / 1200)
    paints = [track_colour(int(number)) for number in marks.track]
    if labels is not None and marks.label is not None:
        _outline(canvas, labels, dict(zip(marks.label.tolist(), paints)), factor)
    for tail, paint in zip(marks.tails, paints):
        cv2.polylines(canvas, [_points(tail, factor)], False, paint, width, cv2.LINE_AA)
    for number, (position, paint) in enumerate(zip(marks.position, paints)):
        row, column = position
        if marks.box is not None:
            top, left, bottom, right = (int(edge * factor) for edge in marks.box[number])
            cv2.rectangle(canvas, (left, top), (right - 1, bottom - 1), paint, width, cv2.LINE_AA)
            corner = (left, top - 4) if top > 20 * size else (left, bottom + round(26 * size))
        else:
            center = (round((column + 0.5) * factor), round((row + 0.5) * factor))
            if labels is None:
                cv2.circle(canvas, center, 4 * width, paint, width, cv2.LINE_AA)
            corner = (center[0] + 5 * width, center[1] - 5 * width)
        _text(canvas, str(int(marks.track[number])), corner, size, paint)
    if caption:
        _text(canvas, caption, (round(10 * size), height - round(14 * size)), size, (255, 255, 255))
    return canvas


def track_colour(number: int) -> tuple[int, int, int]:
    """Return the colour of a track: bright, and unlike those of tracks with near numbers.

    Examples
    --------
    >>> track_colour(1), track_colour(2)
    ((64, 120, 255), (175, 255, 64))
    """
    hue = (number * _GOLDEN % 1.0) * 6
    rising = 1 - abs(hue % 2 - 1)
    parts = [(1, rising, 0), (rising, 1, 0), (0, 1, rising), (0, rising, 1), (rising, 0, 1), (1, 0, rising)][int(hue)]
    red, green, blue = (round(64 + 191 * part) for part in parts)
    return red, green, blue


class _Drawn:
    """Tracks, by frame."""

    def __init__(self, tracks: pd.DataFrame, plane: tuple[int, int], tail: int) -> None:
        missing = [name for name in ("track_id", "t", "y", "x") if name not in tracks]
        if missing:
            raise ParameterError(f"tracks are rows with track_id, t, y, x; this table has no {', '.join(missing)}")
        ordered = tracks.sort_values(["track_id", "t"], kind="stable")
        self._track = ordered["track_id"].to_numpy(np.int64)
        self._frame = ordered["t"].to_numpy(np.int64)
        self._position = ordered[["y", "x"]].to_numpy(np.float64)
        boxes = [f"bbox-{side}" for side in range(4)]
        flat = all(name in ordered for name in boxes) and "bbox-4" not in ordered
        self._box = ordered[boxes].to_numpy(np.float64) if flat else None
        self._label = ordered["label"].to_numpy(np.int64) if "label" in ordered else None
        self._tail = tail
        if len(ordered) and (self._position.max(0) > plane).any():
            raise ParameterError(
                f"tracks lie up to {self._position.max(0).tolist()}, outside of frames of {plane} pixels; an overlay "
                "needs positions in pixels: link without spacing"
            )
        begins = np.flatnonzero(np.diff(self._track, prepend=-1))
        self._begin = np.repeat(begins, np.diff([*begins, len(ordered)]))
        rows = np.argsort(self._frame, kind="stable")
        frames, firsts = np.unique(self._frame[rows], return_index=True)
        self._rows: Mapping[int, NDArray[np.intp]] = dict(zip(frames.tolist(), np.split(rows, firsts[1:])))

    @property
    def by_label(self) -> bool:
        """Whether objects are outlined, as there are labels and no boxes."""
        return self._box is None and self._label is not None

    def at(self, frame: int) -> Marks:
        """Return what is drawn on ``frame``."""
        rows = self._rows.get(frame, np.zeros(0, np.intp))
        tails = []
        for row in rows:
            first = max(int(self._begin[row]), int(row) - self._tail)
            recent = np.arange(first, row + 1)
            tails.append(self._position[recent[self._frame[recent] >= frame - self._tail]])
        return Marks(
            self._track[rows],
            self._position[rows],
            None if self._box is None else self._box[rows],
            None if self._label is None else self._label[rows],
            tuple(tails),
        )


def _outline(canvas: Picture, labels: NDArray[Any], paints: Mapping[int, tuple[int, int, int]], factor: int) -> None:
    large = labels.repeat(factor, 0).repeat(factor, 1)
    edge = outlines(large)
    numbers = large[edge]
    known, where = np.unique(numbers, return_inverse=True)
    colours = np.array([paints.get(int(number), (200, 200, 200)) for number in known], np.uint8).reshape(-1, 3)
    canvas[edge] = colours[where]


def _points(positions: NDArray[np.float64], factor: int) -> NDArray[np.int32]:
    return np.round((positions[:, ::-1] + 0.5) * factor).astype(np.int32).reshape(-1, 1, 2)


def _text(canvas: Picture, text: str, corner: tuple[int, int], size: float, paint: tuple[int, int, int]) -> None:
    import cv2  # noqa: PLC0415 - as above

    thick = max(1, round(size * 2))
    for colour, width in (((0, 0, 0), thick + 2), (paint, thick)):
        cv2.putText(canvas, text, corner, cv2.FONT_HERSHEY_SIMPLEX, size, colour, width, cv2.LINE_AA)


def _runs(source: Source) -> Iterator[tuple[int, int]]:
    frame = int(np.prod(source.shape[1:])) * source.dtype.itemsize
    step = max(1, min(source.shape[0], READ_BYTES // frame))
    return ((start, min(source.shape[0], start + step)) for start in range(0, source.shape[0], step))


def _shown(source: Source, frames: slice) -> NDArray[Any]:
    """Return frames without depth: (t, c, y, x) or (t, y, x)."""
    box = [frames if dim == "t" else slice(None) for dim in source.dims]
    if "z" in source.dims:
        at = source.dims.index("z")
        box[at] = slice(source.shape[at] // 2, source.shape[at] // 2 + 1)
        return np.asarray(source[tuple(box)]).squeeze(at)
    return source[tuple(box)]


def _limits(source: Source) -> tuple[float, float] | None:
    """Return the grey values shown black and white, the same for all frames, so that the video does not flicker."""
    if source.dtype == np.uint8 and "c" not in source.dims:
        return 0.0, 255.0
    if source.dtype == np.uint8:
        return None
    frames = np.unique(np.linspace(0, source.shape[0] - 1, _SAMPLED).astype(int))
    return display_limits(np.concatenate([_shown(source, slice(int(at), int(at) + 1)) for at in frames]))
