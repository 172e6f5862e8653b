"""The rolling ball: how far a ball, rolled under the landscape of grey values, reaches up at each pixel.

The background of a pixel ``p`` is the least of ``pixels[q] + cost[q - p]`` over the pixels ``q`` within the radius,
where the cost is how far the surface of the ball lies below its top. Most ``q`` need not be looked at. The image is cut
into small blocks with their least value, and the output into larger ones; a block, or a pixel of one, whose least value
and least cost are no less than the worst of what is found so far for an output block changes nothing there::

    . . . . . . . .      o  output block: all its pixels take part at once, and one worst value
    . . + . . . . .      +  blocks with a value low enough: looked through, nearest first
    . . + o o o o .      .  skipped
    . . . o o o o .

The least of numbers does not depend on the order they are looked at, so the result is that of looking at all. That is
what small balls do: a vector instruction looks at a pixel of many neighbours in less time than it takes to skip it.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from bigimg.core.operation import Pixels, Valid
from bigimg.errors import ImageError
from bigimg.kernels.planes import read_only

_HEIGHT, _WIDTH = 16, 64
"""An output block: rows wide enough for vector instructions, all of it in the first-level cache."""
_STRIP = 1024
"""Columns of a row worked on at once."""
_SIDE = 8
"""Rows and columns of a block with one least value; they divide those of an output block."""

_MOST_OFFSETS = 3000
"""Balls of more pixels than that (a radius of 30 in the plane) skip those that cannot hold them up."""

Floats = NDArray[Any]


def rolling_ball(pixels: Pixels, radius: float, ndim: int, valid: Valid | None = None) -> Pixels:
    """Return the background of an image.

    Parameters
    ----------
    pixels
        (..., M, N) booleans, integers of at most 32 bits, or floats.
    radius
        Of the ball, in pixels and in grey values.
    ndim
        2 to roll a ball under each plane, 3 to roll one of four dimensions under the volume.
    valid
        Which pixels hold the ball up.

    Returns
    -------
    ndarray of the shape and dtype of ``pixels``
        That of ``skimage.restoration.rolling_ball``; fractions of integers are cut off.

    Examples
    --------
    >>> rolling_ball(np.array([[5, 5, 90, 5]], np.uint8), 3.0, 2)
    array([[5, 5, 5, 5]], dtype=uint8)
    """
    dtype = pixels.dtype
    if dtype.kind in "iu" and dtype.itemsize > 4:
        raise ImageError(f"a ball rolls under integers of at most 32 bits (got {dtype}); convert the image to float64")
    whole = dtype.kind in "biu" and dtype.itemsize <= 2
    work = np.dtype(np.float32 if whole or (dtype.kind == "f" and dtype.itemsize <= 4) else np.float64)
    shape = pixels.shape[pixels.ndim - ndim :]
    image = pixels.astype(work).reshape(-1, *((1,) * (3 - ndim)), *shape)
    if whole:
        image *= 2
    mask: NDArray[np.bool_] = np.ones((1, 1, 1, 1), bool)
    if valid is not None:
        mask = np.ascontiguousarray(np.broadcast_to(valid, pixels.shape)).reshape(image.shape)
        image[~mask] = np.inf
    cost, half, places, bounds = _ball(float(radius), ndim, work.str, whole)
    reach = half.shape[1] - 1
    # The costs are those of the rows and planes on one side.
    dense = np.isfinite(cost).sum() * 2 ** (ndim - 1) <= _MOST_OFFSETS
    out = np.empty_like(image)
    for index in range(len(image)):
        if dense:
            deep = reach if ndim == 3 else 0
            padded = np.pad(image[index], ((deep, deep), (reach, reach), (reach, reach)), constant_values=np.inf)
            _look_at_all(out[index], read_only(padded), cost, half)
            continue
        covered = read_only(mask[index if valid is not None else 0])
        _roll(out[index], read_only(image[index]), covered, valid is not None, cost, half, places, bounds)
    out[~np.isfinite(out)] = 0
    return _finished(out, whole, dtype).reshape(pixels.shape)


def _finished(out: Floats, whole: bool, dtype: np.dtype[Any]) -> Pixels:
    """Return the result in the dtype of the image, without its fraction."""
    if not whole:
        return out.astype(dtype)
    if dtype.kind == "b":
        return np.asarray(out > 0)
    # Twice the value below, and one more for a fraction, which is cut off towards zero.
    doubled = out.astype(np.int32)
    return np.asarray(((doubled + (doubled < 0)) >> 1).astype(dtype))


@lru_cache(maxsize=16)
def _ball(
    radius: float, ndim: int, work: str, whole: bool
) -> tuple[Floats, NDArray[np.int64], NDArray[np.int64], Floats]:
    """Return the cost of each offset, how far each line of them reaches, and the blocks around an output block.

    Grey values of at most 16 bits are doubled, and so is the part of the cost before the point; an odd cost says that
    there is something behind it. These are whole numbers below 2**24, which float32 holds, and no sum of them rounds.
    """
    reach = math.ceil(radius)
    side = np.arange(reach + 1.0)
    squares = (side if ndim == 3 else np.zeros(1))[:, None, None] ** 2 + side[:, None] ** 2 + side**2
    top = np.sqrt(np.clip(radius**2 - squares, 0, None)).astype(np.float64 if whole else work)
    cost = top[0, 0, 0] - top
    if whole:
        cost = 2 * np.floor(cost) + (cost % 1 > 0)
    outside = np.sqrt(squares) > radius
    cost[outside] = np.inf
    half = (~outside).sum(axis=-1) - 1
    deep = np.arange(-reach, reach + 1) if ndim == 3 else np.zeros(1, np.int64)
    blocks = [np.arange(-reach // _SIDE, (size + reach) // _SIDE + 1) for size in (_HEIGHT, _WIDTH)]
    gaps = [
        np.maximum(0, np.maximum(block * _SIDE - (size - 1), -(block * _SIDE + _SIDE - 1)))
        for block, size in zip(blocks, (_HEIGHT, _WIDTH))
    ]
    near = [np.minimum(gap, reach + 1) for gap in gaps]
    padded = np.pad(cost, ((0, 0), (0, 1), (0, 1)), constant_values=np.inf)
    least = padded[np.abs(deep)[:, None, None], near[0][:, None], near[1]]
    order = np.argsort(least, axis=None, kind="stable")
    order = order[: int(np.isfinite(least).sum())]
    places = np.stack(np.meshgrid(deep, *blocks, indexing="ij"), axis=-1).reshape(-1, 3)[order]
    lines = np.concatenate([cost[..., :0:-1], cost], axis=-1).astype(work)
    return (
        read_only(lines),
        read_only(half.astype(np.int64)),
        read_only(places.astype(np.int64)),
        read_only(least.reshape(-1)[order].astype(work)),
    )


@njit(nogil=True, cache=True)
def _look_at_all(out: Floats, padded: Floats, cost: Floats, half: NDArray[np.int64]) -> None:
    """Look at every pixel within the radius; ``padded`` is the image with a border of the radius that holds nothing."""
    reach = half.shape[1] - 1
    deep = half.shape[0] - 1
    for z in range(out.shape[0]):
        for y in range(out.shape[1]):
            for left in range(0, out.shape[2], _STRIP):
                found = out[z, y, left : left + _STRIP]
                found[:] = np.inf
                width = found.shape[0]
                for plane in range(-deep, deep + 1):
                    for row in range(-reach, reach + 1):
                        line = padded[z + deep + plane, y + reach + row]
                        costs = cost[abs(plane), abs(row), reach:]
                        for away in range(half[abs(plane), abs(row)] + 1):
                            before = line[left + reach - away : left + reach - away + width]
                            after = line[left + reach + away : left + reach + away + width]
                            step = costs[away]
                            for x in range(width):
                                low = before[x] if before[x] < after[x] else after[x]  # noqa: FURB136
                                low = low + step
                                found[x] = low if low < found[x] else found[x]  # noqa: FURB136


@njit(nogil=True, cache=True)
def _roll(
    out: Floats,
    pixels: Floats,
    valid: NDArray[np.bool_],
    masked: bool,
    cost: Floats,
    half: NDArray[np.int64],
    places: NDArray[np.int64],
    bounds: Floats,
) -> None:
    planes, rows, columns = pixels.shape
    reach = half.shape[1] - 1
    lows, low_rows, low_columns = _least(pixels)
    lowest = lows.min()
    found = np.empty((_HEIGHT, _WIDTH), pixels.dtype)
    column = np.empty(_WIDTH, pixels.dtype)
    for z in range(planes):
        for top in range(0, rows, _HEIGHT):
            for left in range(0, columns, _WIDTH):
                height, width = min(_HEIGHT, rows - top), min(_WIDTH, columns - left)
                block = found[:height, :width]
                for y in range(height):
                    for x in range(width):
                        block[y, x] = pixels[z, top + y, left + x]
                        if masked and not valid[z, top + y, left + x]:
                            block[y, x] = -np.inf  # nothing is looked for
                worst = _worst(block, column)
                # First the lowest pixel of each block: that makes nearly all others too high to matter.
                given = 0
                for n in range(bounds.shape[0]):
                    if lowest + bounds[n] >= worst:
                        break
                    a, b, c = z + places[n, 0], top // _SIDE + places[n, 1], left // _SIDE + places[n, 2]
                    if not (0 <= a < planes and 0 <= b < lows.shape[1] and 0 <= c < lows.shape[2]):
                        continue
                    if lows[a, b, c] + bounds[n] < worst:
                        y, x = low_rows[a, b, c] - top, low_columns[a, b, c] - left
                        _give(block, lows[a, b, c], abs(places[n, 0]), y, x, cost, half, worst)
                        given += 1
                        if given % 8 == 0:
                            worst = _worst(block, column)
                worst = _worst(block, column)
                for n in range(bounds.shape[0]):
                    if lowest + bounds[n] >= worst:
                        break
                    a, b, c = z + places[n, 0], top // _SIDE + places[n, 1], left // _SIDE + places[n, 2]
                    if not (0 <= a < planes and 0 <= b < lows.shape[1] and 0 <= c < lows.shape[2]):
                        continue
                    if lows[a, b, c] + bounds[n] >= worst:
                        continue
                    given = 0
                    for row in range(b * _SIDE, min(rows, (b + 1) * _SIDE)):
                        gap = max(0, top - row, row - (top + height - 1))
                        if gap > reach:
                            continue
                        line = cost[abs(places[n, 0]), gap]
                        for place in range(c * _SIDE, min(columns, (c + 1) * _SIDE)):
                            value = pixels[a, row, place]
                            if value + bounds[n] >= worst:
                                continue
                            away = max(0, left - place, place - (left + width - 1))
                            if away <= reach and value + line[reach + away] < worst:
                                _give(block, value, abs(places[n, 0]), row - top, place - left, cost, half, worst)
                                given += 1
                    if given:
                        worst = _worst(block, column)
                out[z, top : top + height, left : left + width] = block


@njit(nogil=True, cache=True)
def _least(pixels: Floats) -> tuple[Floats, NDArray[np.int64], NDArray[np.int64]]:
    """Return the least value of each block, and its row and column."""
    planes, rows, columns = pixels.shape
    shape = (planes, -(-rows // _SIDE), -(-columns // _SIDE))
    lows = np.empty(shape, pixels.dtype)
    at_row, at_column = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    for z in range(planes):
        for b in range(shape[1]):
            for c in range(shape[2]):
                first_row, first_column = b * _SIDE, c * _SIDE
                y, x = first_row, first_column
                for row in range(first_row, min(rows, first_row + _SIDE)):
                    for column in range(first_column, min(columns, first_column + _SIDE)):
                        if pixels[z, row, column] < pixels[z, y, x]:
                            y, x = row, column
                lows[z, b, c], at_row[z, b, c], at_column[z, b, c] = pixels[z, y, x], y, x
    return lows, at_row, at_column


@njit(nogil=True, cache=True)
def _worst(block: Floats, column: Floats) -> Any:
    """Return the greatest value of a block; down its columns first, which takes vector instructions."""
    width = block.shape[1]
    line = column[:width]
    line[:] = block[0]
    for y in range(1, block.shape[0]):
        row = block[y]
        for x in range(width):
            line[x] = row[x] if row[x] > line[x] else line[x]  # noqa: FURB136 - max() looks for NaN
    worst = line[0]
    for x in range(1, width):
        worst = max(worst, line[x])
    return worst


@njit(nogil=True, cache=True)
def _give(
    block: Floats, value: Any, plane: int, y: int, x: int, cost: Floats, half: NDArray[np.int64], worst: Any
) -> None:
    """Let the pixel at row ``y`` and column ``x`` of the block, or beyond it, hold the ball up in all of the block."""
    height, width = block.shape
    reach = half.shape[1] - 1
    nearest = reach + max(0, -x, x - (width - 1))
    for row in range(max(0, y - reach), min(height, y + reach + 1)):
        away = abs(row - y)
        first, last = max(0, x - half[plane, away]), min(width, x + half[plane, away] + 1)
        if half[plane, away] < 0 or first >= last or value + cost[plane, away, nearest] >= worst:
            continue
        line = cost[plane, away, first - x + reach : last - x + reach]
        found = block[row, first:last]
        for place in range(found.shape[0]):
            reached = value + line[place]
            found[place] = reached if reached < found[place] else found[place]  # noqa: FURB136 - min() looks for NaN
