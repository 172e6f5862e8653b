"""The faces that a tile shares with others: their pixels, numbered, and which of them touch across the cut.

::

    . . . . . .        the pixels marked are the face pixels of a tile that others follow
    . . . . . #        to the right and below: numbers 0 to 8 in raster order,
    . . . . . #        one number for the corner that lies on two faces
    # # # # # #
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from bigimg.core.tile import Tile
from bigimg.kernels.neighbours import Steps, steps_of
from bigimg.kernels.padded import Indices

Face = tuple[int, Literal[0, 1]]
"""Axis, and side: 0 for the first pixels along it, 1 for the last."""


def inner_faces(tile: Tile) -> tuple[Face, ...]:
    """Return the faces that other tiles follow."""
    sides: tuple[Literal[0, 1], ...] = (0, 1)
    return tuple(
        (axis, side) for axis, side in product(range(len(tile.shape)), sides) if not tile.at_border(axis)[side]
    )


def face_pixels(shape: tuple[int, ...], inner: tuple[Face, ...]) -> tuple[Indices, dict[Face, Indices]]:
    """Return the flat positions of the pixels on the ``inner`` faces, and which of them each face has.

    Examples
    --------
    >>> positions, faces = face_pixels((3, 4), inner=((0, 1), (1, 1)))
    >>> positions
    array([ 3,  7,  8,  9, 10, 11])
    >>> faces[1, 1]
    array([0, 1, 5])
    """
    steps = np.cumprod([1, *shape[:0:-1]])[::-1]
    found = {}
    for axis, side in inner:
        flat = np.array(side * (shape[axis] - 1) * steps[axis], np.int64)
        for other, size in enumerate(shape):
            if other != axis:
                flat = flat[..., None] + np.arange(size) * steps[other]
        found[axis, side] = flat
    if not found:
        return np.zeros(0, np.int64), {}
    positions = np.unique(np.concatenate([flat.ravel() for flat in found.values()]))
    return positions, {face: np.searchsorted(positions, flat) for face, flat in found.items()}


def touching(
    faces: Mapping[tuple[int, ...], Mapping[Face, NDArray[Any]]], ndim: int, connectivity: int | Steps
) -> Iterator[tuple[NDArray[Any], NDArray[Any]]]:
    """Yield what touches across the planes between tiles, from what each tile has on its faces.

    ``connectivity`` is how many axes a step between neighbours may change, or these steps.

    Pixels that touch at a corner are met as shifts of whole planes, so that those of four tiles meet as those of two.

    Examples
    --------
    >>> faces = {(0, 0): {(1, 1): np.array([1, 2])}, (0, 1): {(1, 0): np.array([3, 4])}}
    >>> [(a.tolist(), b.tolist()) for a, b in touching(faces, ndim=2, connectivity=1)]
    [([1, 2], [3, 4])]
    >>> [(a.tolist(), b.tolist()) for a, b in touching(faces, ndim=2, connectivity=2)]
    [([2], [3]), ([1, 2], [3, 4]), ([1], [4])]
    """
    steps = steps_of(ndim, connectivity)
    grid = tuple(max(index[axis] for index in faces) + 1 for axis in range(ndim))
    for axis in range(ndim):
        shifts = [(*step[:axis], *step[axis + 1 :]) for step in steps if step[axis] == 1]
        for layer in range(grid[axis] - 1 if shifts else 0):
            before, after = plane(faces, grid, axis, layer, 1), plane(faces, grid, axis, layer + 1, 0)
            for shift in shifts:
                yield _meeting(before, after, shift)


def plane(
    faces: Mapping[tuple[int, ...], Mapping[Face, NDArray[Any]]],
    grid: tuple[int, ...],
    axis: int,
    layer: int,
    side: Literal[0, 1],
) -> NDArray[Any]:
    """Return one face of all tiles of a layer across ``axis``, put together; ``grid`` says how many tiles there are.

    Examples
    --------
    >>> faces = {(0, 0): {(0, 1): np.array([1, 2])}, (0, 1): {(0, 1): np.array([3])}}
    >>> plane(faces, (1, 2), axis=0, layer=0, side=1)
    array([1, 2, 3])
    """
    blocks = np.empty([count for other, count in enumerate(grid) if other != axis], object)
    for place in np.ndindex(blocks.shape):
        blocks[place] = faces[(*place[:axis], layer, *place[axis:])][axis, side]
    return np.asarray(np.block(blocks.tolist()))


def _meeting(before: NDArray[Any], after: NDArray[Any], shift: tuple[int, ...]) -> tuple[NDArray[Any], NDArray[Any]]:
    ahead = tuple(slice(max(0, -step), size - max(0, step)) for step, size in zip(shift, before.shape))
    behind = tuple(slice(max(0, step), size - max(0, -step)) for step, size in zip(shift, before.shape))
    return before[ahead].ravel(), after[behind].ravel()
