"""Footprints: which neighbours take part in a morphological operation. Always a boolean array, as in scikit-image."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from bigimg.errors import ParameterError, UnknownNameError

Mask = NDArray[np.bool_]

LARGEST = 2**24
"""Pixels of a footprint: a slip of the pen in a workflow must not fill the memory before anything runs."""


def disk(radius: int) -> Mask:
    """Return the pixels at most ``radius`` from the centre, as ``skimage.morphology.disk``.

    Examples
    --------
    >>> disk(1).astype(int)
    array([[0, 1, 0],
           [1, 1, 1],
           [0, 1, 0]])
    """
    return _sphere(radius, 2)


def ball(radius: int) -> Mask:
    """Return the voxels at most ``radius`` from the centre, as ``skimage.morphology.ball``."""
    return _sphere(radius, 3)


def square(width: int) -> Mask:
    """Return a square of ``width`` x ``width`` pixels."""
    return np.ones(_shape(_at_least(width, 1, "width"), 2), bool)


def cube(width: int) -> Mask:
    """Return a cube of ``width`` x ``width`` x ``width`` voxels."""
    return np.ones(_shape(_at_least(width, 1, "width"), 3), bool)


def cross(radius: int) -> Mask:
    """Return a horizontal and a vertical line of ``2 * radius + 1`` pixels that cross in the centre."""
    mask = np.zeros(_shape(2 * _at_least(radius, 0, "radius") + 1, 2), bool)
    mask[radius, :] = mask[:, radius] = True
    return mask


SHAPES = {"ball": ball, "cross": cross, "cube": cube, "disk": disk, "square": square}
"""The shapes a workflow can name: ``footprint: {disk: 3}``."""


def as_footprint(given: object) -> Mask:
    """Return ``given`` as a footprint: an array, nested lists, or one named shape with its size.

    Raises
    ------
    ParameterError
        If it is empty, or not an array of zeros and ones.

    Examples
    --------
    >>> as_footprint({"cross": 1}).sum()
    np.int64(5)
    """
    if isinstance(given, Mapping):
        if len(given) != 1:
            raise ParameterError(f"a footprint names one shape and its size, such as {{disk: 3}} (got {dict(given)})")
        ((name, size),) = given.items()
        if name not in SHAPES:
            raise UnknownNameError.of("footprint", str(name), SHAPES)
        if not isinstance(size, int) or isinstance(size, bool):
            raise ParameterError(f"footprint {name} needs a whole number of pixels (got {size!r})")
        return SHAPES[name](size)
    try:
        mask = np.asarray(given)
    except ValueError:
        raise ParameterError("the rows of a footprint need one length") from None
    if mask.dtype.kind not in "biuf" or mask.ndim not in (2, 3) or not np.isin(mask, (0, 1)).all():
        raise ParameterError(
            f"a footprint is a 2-D or 3-D array of 0 and 1, or a shape such as disk(3) (got {mask.ndim}-D {mask.dtype})"
        )
    mask = mask.astype(bool)
    if not mask.any():
        raise ParameterError("a footprint needs at least one pixel")
    return mask


def dump_footprint(mask: Mask) -> Any:
    """Return the shortest text for ``mask``: the shape and size where it is a named one, else nested lists."""
    for name, shape in SHAPES.items():
        size = max(mask.shape) if name in {"square", "cube"} else max(mask.shape) // 2
        candidate = shape(size)
        if candidate.shape == mask.shape and (candidate == mask).all():
            return {name: size}
    return mask.astype(int).tolist()


Footprint = Annotated[
    Mask,
    BeforeValidator(as_footprint),
    PlainSerializer(dump_footprint),
    WithJsonSchema(
        {
            "description": "a named shape and its size in pixels, or a 2-D or 3-D array of 0 and 1",
            "anyOf": [
                {
                    "type": "object",
                    "properties": {name: {"type": "integer", "minimum": 0} for name in SHAPES},
                    "additionalProperties": False,
                    "minProperties": 1,
                    "maxProperties": 1,
                },
                {"type": "array"},
            ],
        }
    ),
]
"""A footprint as the parameter of an operation."""


def reach(mask: Mask) -> tuple[int, ...]:
    """Return how far from its centre, ``(size - 1) // 2``, the footprint reaches along each axis."""
    return tuple(size // 2 for size in mask.shape)


def _sphere(radius: int, ndim: int) -> Mask:
    _shape(2 * _at_least(radius, 0, "radius") + 1, ndim)
    offset = np.arange(-radius, radius + 1)
    squares = np.stack(np.meshgrid(*[offset**2] * ndim, indexing="ij")).sum(axis=0)
    return np.asarray(squares <= radius**2)


def _shape(side: int, ndim: int) -> tuple[int, ...]:
    if side**ndim > LARGEST:
        raise ParameterError(f"a footprint has at most {LARGEST:,} pixels (got {' x '.join([f'{side:,}'] * ndim)})")
    return (side,) * ndim


def _at_least(value: int, least: int, name: str) -> int:
    if value < least:
        raise ParameterError(f"{name} must be at least {least} (got {value})")
    return value
