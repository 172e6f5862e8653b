"""Sizes of pixels: one number for all axes, or one an axis."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import AfterValidator, WithJsonSchema

from bigimg.core.parameters import Dims
from bigimg.errors import ParameterError


def _positive(value: float | Sequence[float]) -> float | Sequence[float]:
    numbers = [value] if isinstance(value, float | int) else value
    if not all(0 < number < float("inf") for number in numbers):
        raise ValueError("must be greater than 0 along each axis")
    return value


_NUMBER = {"type": "number", "exclusiveMinimum": 0}

Spacing = Annotated[
    float | Sequence[float],
    AfterValidator(_positive),
    WithJsonSchema({"anyOf": [_NUMBER, {"type": "array", "items": _NUMBER, "minItems": 2, "maxItems": 3}]}),
]
"""Distance of pixels along each axis."""


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
