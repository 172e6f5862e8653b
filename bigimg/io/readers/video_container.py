"""Whether the file of a video is whole, told from the lengths its container declares; no packet is read for it.

Libraries read a video that was cut short up to the cut and stop, as if that were its end.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import BinaryIO

from bigimg.errors import ReadError

_SEGMENT, _CLUSTER = 0x18538067, 0x1F43B675
_IN_SEGMENT: tuple[int, ...] = (
    0x114D9B74, 0x1549A966, 0x1654AE6B, 0x1C53BB6B, 0x1043A770, 0x1941A469, 0x1254C367, _CLUSTER, 0xEC, 0xBF,
)  # fmt: skip
_IN_CLUSTER: tuple[int, ...] = (0xE7, 0xA3, 0xA0, 0xA7, 0xAB, 0xAF, 0x5854, 0xEC, 0xBF)
_UNKNOWN = -1


def check_whole(path: Path, kind: str) -> None:
    """Refuse the file of a video that ends before its container does.

    Parameters
    ----------
    kind
        As FFmpeg names the container: ``mov,mp4,m4a,3gp,3g2,mj2``, ``matroska,webm``, ``avi``, ``gif``.

    Raises
    ------
    ReadError
        Says where the file ends, and where it should.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        wanted = next((end(file, size) for name, end in _ENDS.items() if name in kind.split(",")), size)
    if wanted > size:
        raise ReadError(
            f"{path} is cut short: its video goes on to byte {wanted}, the file ends at {size}; copy it again from "
            "where it came"
        )


def _end_of_boxes(file: BinaryIO, size: int) -> int:
    """Return where the last box of an MP4 or QuickTime file ends."""
    at = 0
    while at + 8 <= size:
        file.seek(at)
        length, _ = struct.unpack(">I4s", file.read(8))
        if length == 1:
            length = struct.unpack(">Q", file.read(8).ljust(8, b"\0"))[0]
        if length == 0:  # to the end of the file, whatever that is
            return size
        if length < 8:  # padding that somebody appended
            return at
        at += length
    return at if at >= size else at + 8


def _end_of_riff(file: BinaryIO, size: int) -> int:
    """Return where the last part of an AVI file ends."""
    at = 0
    while at + 12 <= size:
        file.seek(at)
        name, length = struct.unpack("<4sI", file.read(8))
        if name != b"RIFF" or not length:
            return min(at, size)
        # The byte that makes an odd length even is one that some writers leave out at the end.
        at += 8 + length + (length % 2 if at + 8 + length < size else 0)
    return at


def _end_of_segment(file: BinaryIO, size: int) -> int:
    """Return where the segment of a Matroska or WebM file ends, having seen that its parts join without a gap.

    Libraries look for the next part after one that is damaged, and leave out the frames between. A live recording does
    not say how long its segment or its parts are.
    """
    at = 0
    while at < size:
        name, start, end = _element(file, at)
        if end == _UNKNOWN or end > size:
            return max(end, size)
        if name == _SEGMENT:
            _walk(file, start, end)
            return end
        at = end
    return at


def _walk(file: BinaryIO, at: int, stop: int) -> None:
    known = _IN_SEGMENT
    inner = stop
    while at < stop:
        name, start, end = _element(file, at)
        if end == _UNKNOWN:
            return
        if name not in known or end > inner:
            raise ReadError(
                f"{file.name} is damaged: what its container says of its parts ends at byte {at}, in the middle of the "
                "video; copy it again from where it came"
            )
        if name == _CLUSTER:
            known, inner, at = _IN_CLUSTER, end, start
        else:
            at = end
        if at == inner:
            known, inner = _IN_SEGMENT, stop


def _element(file: BinaryIO, at: int) -> tuple[int, int, int]:
    """Return what the element at a byte is, where its content starts, and where it ends."""
    file.seek(at)
    name = _vint(file, keep_marker=True)
    length = _vint(file, keep_marker=False)
    start = file.tell()
    return name, start, _UNKNOWN if length == _UNKNOWN else start + length


def _vint(file: BinaryIO, *, keep_marker: bool) -> int:
    """Return a number of variable length, or -1 for one that means unknown."""
    first = file.read(1)
    if not first or not first[0]:
        return _UNKNOWN
    more = 8 - first[0].bit_length()
    value = first[0] if keep_marker else first[0] ^ (1 << (7 - more))
    value = int.from_bytes(bytes([value]) + file.read(more), "big")
    return _UNKNOWN if not keep_marker and value == (1 << (7 * (more + 1))) - 1 else value


def _end_of_gif(file: BinaryIO, size: int) -> int:
    """Return where the trailer of a GIF file is; beyond its end where there is none."""
    head = file.read(13)
    if len(head) == 13:
        file.seek(_palette(head[10]), 1)
        while mark := file.read(1):
            if mark == b"\x3b":
                return file.tell()
            if mark == b"\x2c":
                place = file.read(9)
                if len(place) < 9:
                    break
                file.seek(_palette(place[8]) + 1, 1)
            elif mark == b"\x21":
                file.seek(1, 1)
            else:
                break
            while count := file.read(1):
                if count == b"\0":
                    break
                file.seek(count[0], 1)
    return size + 1


def _palette(flags: int) -> int:
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


_ENDS: Mapping[str, Callable[[BinaryIO, int], int]] = {
    "mp4": _end_of_boxes,
    "avi": _end_of_riff,
    "matroska": _end_of_segment,
    "gif": _end_of_gif,
}
