"""Numbering the objects of a mask."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import PlainSerializer, PlainValidator, WithJsonSchema

from bigimg.core.footprint import as_footprint, dump_footprint
from bigimg.core.parameters import Connectivity
from bigimg.engine.faces import composed
from bigimg.errors import ParameterError
from bigimg.kernels.neighbours import Steps, steps_in
from bigimg.ops.objects import finished, objects_of

FrameDims = Literal["yx", "zyx", "tyx", "tzyx"]
"""The axes objects hang together along: of each plane, of the volume, and either through time."""


def _as_structure(given: object) -> NDArray[np.bool_]:
    if isinstance(given, Mapping):
        return as_footprint(given)
    try:
        structure = np.asarray(given)
    except ValueError:
        raise ValueError("the rows of a structure need one length") from None
    if structure.dtype.kind not in "biuf" or not np.isin(structure, (0, 1)).all():
        raise ValueError(f"a structure is an array of 0 and 1 (got {structure.ndim}-D {structure.dtype})")
    return structure.astype(bool)


def _dump_structure(structure: NDArray[np.bool_]) -> Any:
    return dump_footprint(structure) if structure.ndim <= 3 else structure.astype(int).tolist()


Structure = Annotated[
    NDArray[np.bool_],
    PlainValidator(_as_structure),
    PlainSerializer(_dump_structure),
    WithJsonSchema(
        {
            "description": "3 elements along each axis, 0 and 1; or a named shape of that size, `{cross: 1}`",
            "anyOf": [{"type": "object", "minProperties": 1, "maxProperties": 1}, {"type": "array"}],
        }
    ),
]
"""Which pixels around a pixel are its neighbours."""


@composed(takes="mask", gives="labels")
def label(
    mask: Any,
    *,
    connectivity: Connectivity | None = None,
    structure: Structure | None = None,
    dims: FrameDims = "yx",
) -> Any:
    """Give every object of a mask its number.

    Parameters
    ----------
    mask : (..., M, N) boolean array
    connectivity : int, optional
        Which pixels are neighbours: 1 across edges (faces), 2 across corners too, 3 in volumes; by default the most.
    structure : array of 3 x 3 (3 x 3 x 3 ...) of 0 and 1, optional
        Which pixels around a pixel are its neighbours, in the place of ``connectivity``; any of them, as diagonals
        alone. Two pixels are neighbours if one is in the structure of the other, so that one half of it is enough.
    dims : {"yx", "zyx", "tyx", "tzyx"}
        Objects of each plane, numbered from 1 in each, or of the volume. With ``t`` an object goes on from a frame to
        the next where its pixels are neighbours.

    Returns
    -------
    (..., M, N) array of uint32 (uint64 for images that may have 2**32 objects)
        0 is the background, pixels that are not valid among it. Objects are numbered by their first pixel in raster
        order.

    Raises
    ------
    ParameterError
        If the structure has not 3 elements along each axis, or both it and a connectivity are given.

    Notes
    -----
    Equal, numbers included, to ``skimage.measure.label`` of the whole image, and with a ``structure`` to
    ``scipy.ndimage.label``, which takes symmetric ones only. After :func:`bigimg.morphology.remove_small_objects` or
    another filter of objects with the same neighbours nothing is labelled twice.

    Tiles send the objects on their faces, and in how many lines others begin; blocks of tiles join them, and what is
    sent grows with the border of a block.

    Examples
    --------
    >>> import numpy as np
    >>> mask = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 0], [1, 0, 0]], bool)
    >>> label(mask)
    array([[1, 0, 0],
           [0, 1, 0],
           [0, 0, 0],
           [2, 0, 0]], dtype=uint32)

    Along rows only:

    >>> label(mask, structure=[[0, 0, 0], [1, 1, 1], [0, 0, 0]]).max()
    np.uint32(3)
    """
    return finished(mask, objects_of(mask, _neighbours(connectivity, structure, dims), dims, "labels"), dims)


def _neighbours(connectivity: int | None, structure: Any, dims: str) -> int | Steps | None:
    if structure is None:
        return connectivity
    if connectivity is not None:
        raise ParameterError(
            f"measure.label: connectivity or structure says which pixels are neighbours, not both (got {connectivity} "
            "and a structure)"
        )
    if structure.shape != (3,) * len(dims):
        raise ParameterError(
            f"measure.label: structure must have 3 elements along each of {len(dims)} axes for dims={dims!r} (got "
            f"shape {structure.shape})"
        )
    return steps_in(structure)
