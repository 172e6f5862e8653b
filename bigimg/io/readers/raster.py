"""PNG, JPEG, BMP and WebP: files that are decoded whole, by Pillow; 16-bit colour PNG by OpenCV.

Pillow would halve the bits of 16-bit colour. Pixels are as stored: palettes become the colours they stand for, alpha
stays a channel, CMYK becomes RGB, and an EXIF orientation is reported in ``attrs["acquisition"]`` but not applied, so
that results lie on the pixels of the file.
"""

from __future__ import annotations

import struct
import warnings
from math import ceil
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from bigimg.core.tile import Box
from bigimg.errors import ImageError, ReadError
from bigimg.io.cache import PixelCache
from bigimg.io.readers.header import ImageHeader

NAME = "raster"
SUFFIXES: tuple[str, ...] = (".bmp", ".jpeg", ".jpg", ".png", ".webp")

_FORMATS = ("BMP", "JPEG", "PNG", "WEBP")
_PNG, _JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"
_ORIENTATION = 0x0112
_COLOURS = ("red", "green", "blue", "alpha")

# Mode of Pillow -> mode to read it in, names of the channels, dtype.
_MODES: dict[str, tuple[str, tuple[str, ...], str]] = {
    "1": ("1", (), "?"),
    "L": ("L", (), "u1"),
    "I;16": ("I;16", (), "u2"),
    "I;16B": ("I;16B", (), "u2"),
    "I": ("I", (), "i4"),
    "F": ("F", (), "f4"),
    "LA": ("LA", ("grey", "alpha"), "u1"),
    "P": ("RGB", _COLOURS[:3], "u1"),
    "PA": ("RGBA", _COLOURS, "u1"),
    "RGB": ("RGB", _COLOURS[:3], "u1"),
    "RGBA": ("RGBA", _COLOURS, "u1"),
    "CMYK": ("RGB", _COLOURS[:3], "u1"),
    "YCbCr": ("RGB", _COLOURS[:3], "u1"),
}

_decoded = PixelCache(limit=256 * 2**20)


def matches(head: bytes) -> bool:
    """Whether the file starts as one of these kinds."""
    return head.startswith((_PNG, _JPEG)) or (head[:4] == b"RIFF" and head[8:12] == b"WEBP") or _is_bmp(head)


def headers(path: Path) -> list[ImageHeader]:
    """Return the one image in the file, having found the end of it."""
    _check_whole(path)
    with _open(path) as image:
        _refuse_animation(image, path)
        _, names, dtype = _how(image, path)
        width, height = image.size
        if image.format == "JPEG" and not image.info.get("progressive"):
            _check_jpeg_size(path, width, height)
        # Of a PNG Pillow would decode all pixels first.
        orientation = 1 if image.format == "PNG" else image.getexif().get(_ORIENTATION, 1)
    attrs: dict[str, Any] = {"channel_names": names} if names else {}
    if orientation != 1:
        attrs["acquisition"] = {"exif_orientation": int(orientation)}
    shape = (len(names), height, width) if names else (height, width)
    dims = ("c", "y", "x") if names else ("y", "x")
    return [ImageHeader(shape, np.dtype(dtype), dims, shape, attrs).checked(path)]


def read(path: Path, part: int, box: Box) -> NDArray[Any]:  # noqa: ARG001 - a file holds one image
    """Return the pixels in ``box``; the decoded image is kept for the next box."""
    stat = path.stat()
    whole = _decoded.get((str(path), stat.st_size, stat.st_mtime_ns), lambda: _decode(path))
    return np.array(whole[box], order="C")


def _decode(path: Path) -> NDArray[Any]:
    if _is_deep_colour_png(path):
        return _decode_deep_colour(path)
    with _open(path) as image:
        mode, names, dtype = _how(image, path)
        with warnings.catch_warnings():
            # A palette with transparency: Pillow warns of what `_how` has taken care of.
            warnings.simplefilter("ignore", UserWarning)
            pixels = np.asarray(image if image.mode == mode else image.convert(mode))
    pixels = pixels.astype(dtype, copy=False)
    return np.ascontiguousarray(np.moveaxis(pixels, -1, 0)) if names else np.array(pixels)


def _open(path: Path) -> Image.Image:
    try:
        return Image.open(path, formats=_FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ReadError(
            f"{path}: {error}. A small file that unpacks to so many pixels may be an attack; if it is yours, save it "
            "as a tiled TIFF, which is also read in parts, or raise PIL.Image.MAX_IMAGE_PIXELS"
        ) from None
    except UnidentifiedImageError:
        raise ReadError(f"{path} has a damaged header: Pillow cannot make an image of it; copy it again") from None


def _how(image: Image.Image, path: Path) -> tuple[str, tuple[str, ...], str]:
    """Return the mode to read ``image`` in, the names of its channels (none for grey) and its dtype."""
    if _is_deep_colour_png(path):
        return "", (("grey", "alpha") if image.mode == "LA" else _COLOURS[: len(image.getbands())]), "u2"
    if image.mode not in _MODES:
        raise ImageError(f"{path} has pixels of Pillow's mode {image.mode}; convert it to grey or RGB")
    if image.mode == "P" and "transparency" in image.info:
        return _MODES["PA"]
    return _MODES[image.mode]


def _refuse_animation(image: Image.Image, path: Path) -> None:
    frames = getattr(image, "n_frames", 1)
    # A JPEG of several pictures holds previews of the first.
    if frames > 1 and image.format in {"PNG", "WEBP"}:
        raise ImageError(f"{path} is an animation of {frames} frames; save it as a multi-page TIFF or as a video")


def _is_deep_colour_png(path: Path) -> bool:
    with path.open("rb") as file:
        head = file.read(26)
    # IHDR comes first: width, height, bit depth, colour type; types 2, 4 and 6 have more than one sample.
    return head.startswith(_PNG) and head[24:25] == b"\x10" and head[25:26] in {b"\x02", b"\x04", b"\x06"}


def _decode_deep_colour(path: Path) -> NDArray[Any]:
    import cv2  # noqa: PLC0415 - takes 0.1 s, and few files need it

    pixels = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None:
        raise ReadError(f"{path} is damaged: its pixels cannot be decoded")
    with _open(path) as image:
        names = _how(image, path)[1]
    planes = np.moveaxis(pixels, -1, 0)
    order = {("grey", "alpha"): [0, -1], _COLOURS[:3]: [2, 1, 0], _COLOURS: [2, 1, 0, 3]}[names]
    return np.ascontiguousarray(planes[order])


def _is_bmp(head: bytes) -> bool:
    # "BM" alone also starts many texts; the four bytes after the size are reserved and 0.
    return head[:2] == b"BM" and head[6:10] == b"\0\0\0\0"


def _check_whole(path: Path) -> None:
    with path.open("rb") as file:
        head = file.read(12)
        if head.startswith(_PNG):
            ended = _reaches_iend(file)
        elif head.startswith(_JPEG):
            ended = _has_end_of_image(file)
        elif head[:4] == b"RIFF":
            ended = path.stat().st_size >= struct.unpack("<I", head[4:8])[0] + 8
        else:
            ended = path.stat().st_size >= struct.unpack("<I", head[2:6])[0]
    if not ended:
        size = path.stat().st_size
        raise ReadError(f"{path} is cut short: its end is missing after {size} bytes; copy it again from where it came")


def _reaches_iend(file: BinaryIO) -> bool:
    file.seek(0, 2)
    size, at = file.tell(), len(_PNG)
    while at + 12 <= size:
        file.seek(at)
        length, kind = struct.unpack(">I4s", file.read(8))
        at += 12 + length
        if kind == b"IEND":
            return at <= size
    return False


def _check_jpeg_size(path: Path, width: int, height: int) -> None:
    """Check that each block of 8 x 8 pixels can have its two codes, of a bit each: what is missing comes out grey."""
    least = ceil(width / 8) * ceil(height / 8) * 2 // 8
    size = path.stat().st_size
    if size < least:
        raise ReadError(
            f"{path} is damaged: it declares {width} x {height} pixels, which take {least} bytes at least, and has "
            f"{size}; copy it again from where it came"
        )


def _has_end_of_image(file: BinaryIO) -> bool:
    # Cameras append data of their own; inside the pixels the two bytes of the end marker never occur.
    file.seek(0, 2)
    file.seek(max(0, file.tell() - 2**16))
    return b"\xff\xd9" in file.read()
