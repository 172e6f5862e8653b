"""Sizes of pixels: one number for all axes, or one an axis."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from bigimg.core.lengths import PixelSize
from bigimg.core.parameters import Dims
from bigimg.errors import ParameterError

_LEAST, _MOST = 1e-100, 1e100
"""Squares of these, and sums of them, are far from the ends of float64."""


def as_spacing(given: object) -> float | tuple[float, ...] | PixelSize:
    """Return a spacing: a number above 0, one an axis, or the unit that the image's own pixels are measured in.

    Raises
    ------
    ValueError
        If it is none of these.
    """
    if isinstance(given, PixelSize):
        return given
    if isinstance(given, str):
        return PixelSize.parse(given)
    numbers: list[Any] = list(given) if isinstance(given, (list, tuple)) else [given]
    if not all(isinstance(number, (int, float)) and not isinstance(number, bool) for number in numbers):
        raise ValueError("must be a number, one an axis, or a unit such as 'um'")
    if not all(0 < number < float("inf") for number in numbers):
        raise ValueError("must be greater than 0 along each axis")
    if not all(_LEAST <= number <= _MOST for number in numbers):
        raise ValueError(f"must be from {_LEAST:g} to {_MOST:g} along each axis")
    return tuple(map(float, numbers)) if isinstance(given, (list, tuple)) else float(numbers[0])


_NUMBER = {"type": "number", "minimum": _LEAST, "maximum": _MOST}

Spacing = Annotated[
    Any,
    BeforeValidator(as_spacing),
    PlainSerializer(lambda value: str(value) if isinstance(value, PixelSize) else value),
    WithJsonSchema(
        {
            "description": "a number above 0; or one an axis; or a unit, `um`, for the image's own pixels",
            "anyOf": [_NUMBER, {"type": "array", "items": _NUMBER, "minItems": 2, "maxItems": 3}, {"type": "string"}],
        }
    ),
]
"""Distance of pixels along each axis: numbers, or that of the image's own pixels in a unit."""


def along_axes(spacing: float | Sequence[float], dims: Dims, what: str) -> tuple[float, ...]:
    """Return the spacing along each of the axes; ``what`` names operation and parameter.

    Raises
    ------
    ParameterError
        If there are as many numbers as there are not axes.

    Examples
    --------
    >>> along_axes(0.5, "yx", "demo: spacing")
    (0.5, 0.5)
    """
    numbers = (spacing,) * len(dims) if isinstance(spacing, float | int) else tuple(spacing)
    if len(numbers) != len(dims):
        raise ParameterError(f"{what} must be one number, or {len(dims)} for dims={dims!r} (got {spacing})")
    return tuple(float(number) for number in numbers)
