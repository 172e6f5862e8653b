"""Images as pictures for the eye: windows of display, a colour for each channel, outlines of objects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bigimg.io.exports.subjects import Subject
from bigimg.io.ngff import image_metadata

Picture = NDArray[np.uint8]
"""(M, N) grey or (M, N, 3) red, green, blue."""

_ON_DARK, _ON_BRIGHT = (255, 214, 10), (0, 72, 255)


def picture_of(
    pixels: NDArray[Any], dims: Sequence[str], windows: Sequence[Mapping[str, float]], colours: Sequence[str]
) -> Picture:
    """Return one plane as a picture.

    Parameters
    ----------
    pixels
        Of axes ``dims``, of which all but ``c``, ``y``, ``x`` have one place.
    windows
        From where (``start``) to where (``end``) each channel is shown, black to bright.
    colours
        Of the channels, as six hexadecimal digits. One channel alone is grey.
    """
    kept = [dim for dim in dims if dim in "cyx"]
    plane = pixels.reshape([size for size, dim in zip(pixels.shape, dims) if dim in "cyx"])
    channels = plane if "c" in kept else plane[np.newaxis]
    shown = [_stretched(channel, window) for channel, window in zip(channels, windows)]
    if len(shown) == 1:
        return _eight_bits(shown[0])
    total = np.zeros((*shown[0].shape, 3), np.float32)
    for channel, colour in zip(shown, colours):
        total += channel[..., np.newaxis] * (np.frombuffer(bytes.fromhex(colour), np.uint8) / np.float32(255))
    return _eight_bits(total)


def colours_of(subject: Subject) -> list[str]:
    """Return the colour of each channel of an image, as OME-Zarr has it."""
    source = subject.source
    count = source.shape[source.dims.index("c")] if "c" in source.dims else 1
    metadata = image_metadata(subject.name, source.dims, source.attrs, 1, [{}] * count)
    return [str(channel["color"]) for channel in metadata["omero"]["channels"]]


def outlined(picture: Picture, labels: NDArray[Any]) -> Picture:
    """Return ``picture`` in colour with the outlines of ``labels`` on it, in the colour that stands out."""
    drawn = np.array(picture if picture.ndim == 3 else np.repeat(picture[..., np.newaxis], 3, -1))
    drawn[outlines(labels)] = _ON_DARK if np.median(drawn[..., 1]) < 128 else _ON_BRIGHT
    return drawn


def outlines(labels: NDArray[Any]) -> NDArray[np.bool_]:
    """Return the pixels of objects that share an edge with another object, the background or the border.

    Examples
    --------
    >>> outlines(np.full((3, 3), 7)).astype(int)
    array([[1, 1, 1],
           [1, 0, 1],
           [1, 1, 1]])
    """
    padded = np.pad(labels, 1)
    edge = np.zeros(labels.shape, bool)
    height, width = labels.shape
    for row, column in ((0, 1), (2, 1), (1, 0), (1, 2)):
        edge |= padded[row : row + height, column : column + width] != labels
    return edge & (labels != 0)


def _stretched(channel: NDArray[Any], window: Mapping[str, float]) -> NDArray[np.float32]:
    start, end = float(window["start"]), float(window["end"])
    with np.errstate(invalid="ignore", over="ignore"):
        scaled = (channel.astype(np.float32) - np.float32(start)) * np.float32(
            255 / (end - start if end > start else 1)
        )
    return np.clip(np.nan_to_num(scaled, nan=0), 0, 255)


def _eight_bits(values: NDArray[np.float32]) -> Picture:
    return np.rint(np.minimum(values, 255)).astype(np.uint8)
