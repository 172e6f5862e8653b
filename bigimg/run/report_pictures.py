"""Pictures for the report: any image as 8-bit, outlines of objects, thumbnails, crops, and how a page holds them."""

from __future__ import annotations

import base64
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Picture = NDArray[np.uint8]
"""(M, N) grey or (M, N, 3) red, green, blue."""

Box = tuple[int, int, int, int]
"""``(min_row, min_col, max_row, max_col)``, as ``bbox`` of a region table."""

_SAMPLED = 1_000_000
_ON_DARK = (255, 214, 10)
_ON_BRIGHT = (0, 72, 255)
_CLASS_COLOURS = (
    (78, 121, 167), (242, 142, 43), (89, 161, 79), (237, 201, 72), (175, 122, 161), (225, 87, 89),
    (118, 183, 178), (156, 117, 95), (255, 157, 167), (140, 209, 125), (182, 153, 45), (186, 176, 172),
)  # fmt: skip
_NO_CLASS = (24, 28, 34)
_CHANNEL_COLOURS = np.array(
    [(0, 255, 0), (255, 0, 255), (0, 160, 255), (255, 200, 0), (255, 64, 64), (220, 220, 220)], np.float32
)


def display(
    image: NDArray[Any], dims: tuple[str, ...] | str | None = None, limits: tuple[float, float] | None = None
) -> Picture:
    """Return ``image`` as a picture for the screen.

    Parameters
    ----------
    image : 2-D to 5-D array of booleans, integers or floats
    dims : names of the axes, optional
        Of ``t c z y x``. Without them the last two axes are the plane, unless there are three axes and the last has 3
        or 4 values, which are then colours.
    limits : (low, high), optional
        Values shown black and white; without them, those of :func:`display_limits`.

    Returns
    -------
    (M, N) or (M, N, 3) array of uint8
        The first time and the brightest of the planes. Three or four 8-bit channels are colours and kept as they are;
        other numbers of channels are each given a colour and added. NaN is black.

    Examples
    --------
    >>> display(np.array([[0, 1000], [2000, 4000]], "uint16"), limits=(0, 4000))
    array([[  0,  64],
           [128, 255]], dtype=uint8)
    """
    channels = _channels(np.asarray(image), dims)
    if channels.dtype == np.uint8 and len(channels) in {3, 4}:
        return np.ascontiguousarray(np.moveaxis(channels[:3], 0, -1))
    if len(channels) == 4 and channels.dtype.kind != "f":
        channels = channels[:3]
    if len(channels) in {1, 3}:
        low, high = limits or display_limits(channels)
        stretched = np.stack([_stretch(channel, low, high) for channel in channels], -1)
        return stretched[..., 0] if len(channels) == 1 else stretched
    total = np.zeros((*channels.shape[1:], 3), np.float32)
    for channel, colour in zip(channels[:6], _CHANNEL_COLOURS):
        total += _stretch(channel, *(limits or display_limits(channel)))[..., None] * (colour / 255)
    return np.minimum(total, 255).astype(np.uint8)


def display_limits(image: NDArray[Any]) -> tuple[float, float]:
    """Return the 0.1 and 99.9 percentiles of the finite values of ``image``; of a regular sample where it is large."""
    values = np.asarray(image).ravel()
    values = values[:: max(1, values.size // _SAMPLED)]
    if values.dtype.kind == "b":
        return 0.0, 1.0
    if values.dtype.kind == "f":
        values = values[np.isfinite(values)]
    if values.size == 0:
        return 0.0, 1.0
    low, high = np.percentile(values, (0.1, 99.9))
    return float(low), float(high)


def outline_overlay(picture: Picture, labels: NDArray[Any], colour: tuple[int, int, int] | None = None) -> Picture:
    """Return ``picture`` in colour with the outlines of the objects in ``labels`` drawn on it.

    Parameters
    ----------
    picture : (M, N) or (M, N, 3) array of uint8
    labels : (M, N) array of integers or booleans
        0 is the background.
    colour : (red, green, blue), optional
        Without it, yellow on dark pictures and blue on bright ones.

    Returns
    -------
    (M, N, 3) array of uint8
    """
    drawn = np.array(picture if picture.ndim == 3 else np.repeat(picture[..., None], 3, -1))
    if colour is None:
        colour = _ON_DARK if np.median(drawn[..., 1]) < 128 else _ON_BRIGHT
    drawn[outlines(labels)] = colour
    return drawn


def class_colour(number: int) -> tuple[int, int, int]:
    """Return the colour of a class of a class map; that of 0, where no class is, is dark."""
    return _CLASS_COLOURS[(number - 1) % len(_CLASS_COLOURS)] if number else _NO_CLASS


def class_picture(labels: NDArray[Any]) -> Picture:
    """Return a class map in the colours of its classes.

    Parameters
    ----------
    labels : (M, N) array of integers
        Few different ones.

    Returns
    -------
    (M, N, 3) array of uint8
    """
    numbers, places = np.unique(np.asarray(labels), return_inverse=True)
    colours = np.array([class_colour(int(number)) for number in numbers], np.uint8)
    return np.asarray(colours[places.reshape(np.shape(labels))])


def outlines(labels: NDArray[Any]) -> NDArray[np.bool_]:
    """Return the pixels of objects that have an edge in common with another object, the background or the border."""
    padded = np.pad(np.asarray(labels), 1)
    inside = padded[1:-1, 1:-1]
    edge = np.zeros(inside.shape, bool)
    for rows, columns in ((0, 1), (2, 1), (1, 0), (1, 2)):
        height, width = inside.shape
        edge |= padded[rows : rows + height, columns : columns + width] != inside
    return edge & (inside != 0)


def thumbnail(picture: Picture, size: int) -> Picture:
    """Return ``picture`` with its longer edge at most ``size`` pixels; a smaller one as it is."""
    height, width = _fit(picture.shape, size)
    if (height, width) == picture.shape[:2]:
        return picture
    return np.asarray(Image.fromarray(picture).resize((width, height), Image.Resampling.BOX))


def thumbnail_labels(labels: NDArray[Any], size: int) -> NDArray[Any]:
    """Return ``labels`` in the shape that :func:`thumbnail` gives; each pixel the label at its centre."""
    height, width = _fit(labels.shape, size)
    rows = ((np.arange(height) + 0.5) * labels.shape[0] / height).astype(int)
    columns = ((np.arange(width) + 0.5) * labels.shape[1] / width).astype(int)
    return labels[np.ix_(rows, columns)]


def picture_pair(picture: Picture, labels: NDArray[Any], size: int = 400) -> tuple[Picture, Picture]:
    """Return a thumbnail of ``picture``, and the same with outlines drawn at the thumbnail's scale.

    A small picture is enlarged first, so that the lines stay thin beside its pixels.
    """
    factor = max(1, size // max(labels.shape))
    small, numbers = thumbnail(picture, size), thumbnail_labels(labels, size)
    if factor > 1:
        small, numbers = (np.repeat(np.repeat(array, factor, 0), factor, 1) for array in (small, numbers))
    return small, outline_overlay(small, numbers)


def object_window(bbox: Box, pad: int) -> tuple[slice, slice]:
    """Return the rows and columns of a square around an object, ``pad`` pixels wider than it; they may leave the image.

    Examples
    --------
    >>> object_window((10, 10, 14, 20), pad=1)
    (slice(6, 18, None), slice(9, 21, None))
    """
    top, left, bottom, right = (int(edge) for edge in bbox)
    side = max(bottom - top, right - left) + 2 * pad
    row, column = (top + bottom - side) // 2, (left + right - side) // 2
    return slice(row, row + side), slice(column, column + side)


def crop_object(picture: NDArray[Any], bbox: Box, pad: int = 4) -> NDArray[Any]:
    """Return the square of ``picture`` around an object; what lies outside the picture is 0.

    Parameters
    ----------
    picture : (M, N, ...) array
    bbox : (min_row, min_col, max_row, max_col)
    pad : int
        Pixels beyond the object's longer side.

    Returns
    -------
    (S, S, ...) array
    """
    rows, columns = object_window(bbox, pad)
    height, width = picture.shape[:2]
    square = np.zeros((rows.stop - rows.start, columns.stop - columns.start, *picture.shape[2:]), picture.dtype)
    top, left = max(rows.start, 0), max(columns.start, 0)
    found = picture[top : min(rows.stop, height), left : min(columns.stop, width)]
    row, column = top - rows.start, left - columns.start
    square[row : row + found.shape[0], column : column + found.shape[1]] = found
    return square


def data_uri(picture: Picture) -> str:
    """Return ``picture`` as text that a page can hold: PNG where it is small, JPEG without colour loss where not."""
    stream = BytesIO()
    image = Image.fromarray(np.ascontiguousarray(picture))
    small = max(picture.shape[:2]) <= 128
    if small:
        image.save(stream, "PNG", optimize=True)
    else:
        # Not optimised: Pillow gives that a buffer of one byte a pixel, and a noisy picture needs more.
        image.save(stream, "JPEG", quality=88, subsampling=0)
    kind = "png" if small else "jpeg"
    return f"data:image/{kind};base64,{base64.b64encode(stream.getvalue()).decode('ascii')}"


def _channels(image: NDArray[Any], dims: tuple[str, ...] | str | None) -> NDArray[Any]:
    if dims is None:
        colours_last = image.ndim == 3 and image.shape[-1] in {3, 4} and image.shape[0] not in {3, 4}
        dims = "yxc" if colours_last else "tczyx"[-image.ndim :] if image.ndim != 3 else "cyx"
    names = list(dims)
    for name in ("t", "z"):
        if name in names:
            axis = names.index(name)
            image = image.take(0, axis) if name == "t" else image.max(axis)
            names.remove(name)
    if "c" not in names:
        return image.transpose([names.index(name) for name in "yx"])[None]
    return image.transpose([names.index(name) for name in "cyx"])


def _stretch(channel: NDArray[Any], low: float, high: float) -> Picture:
    scaled = (channel.astype(np.float32) - low) * (255 / (high - low) if high > low else 1.0)
    return np.nan_to_num(np.clip(np.rint(scaled), 0, 255), nan=0).astype(np.uint8)


def _fit(shape: tuple[int, ...], size: int) -> tuple[int, int]:
    factor = min(1.0, size / max(shape[:2]))
    return max(1, round(shape[0] * factor)), max(1, round(shape[1] * factor))
