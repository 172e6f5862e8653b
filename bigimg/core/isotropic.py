"""Lengths that are the same along all axes: sides of square windows, radii of balls, widths of ridges.

As a :class:`~bigimg.core.lengths.Length` each may carry its unit. It becomes one number where it meets an image, whose
pixels must then be as long along each axis: neither a square window nor a ball can be stretched.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from math import floor
from typing import Annotated, Any

from annotated_types import Len
from pydantic import AfterValidator, BeforeValidator, PlainSerializer, WithJsonSchema

from bigimg.core.lengths import LARGEST_SIGMA, Length, Physical
from bigimg.errors import ImageError, ParameterError

_EQUAL = 1e-6
"""How much the sides of a pixel may differ, relatively: sizes in metadata are rounded."""


@dataclass(frozen=True)
class OneLength(Physical):
    """A length along all axes."""

    length: Length

    def in_pixels(self, spacing: Sequence[float]) -> Any:
        """Return the length in pixels of ``spacing`` metres, which must be one number.

        Raises
        ------
        ImageError
            If pixels are longer along one axis than along another.
        """
        if max(spacing) - min(spacing) > _EQUAL * max(spacing):
            sides = " x ".join(f"{size / 1e-6:.6g}" for size in spacing)
            raise ImageError(
                f"{self.length} along all axes needs pixels that are as long along each (got {sides} um); give pixels, "
                "or resample the image first, with transform.resize"
            )
        return self.rounded(self.length.in_pixels(spacing[-1:])[0])

    @abstractmethod
    def rounded(self, pixels: float) -> Any:
        """Return what is used of a number of pixels."""

    def __str__(self) -> str:
        return str(self.length)


@dataclass(frozen=True)
class WindowLength(OneLength):
    """The side of a window.

    Examples
    --------
    >>> WindowLength(Length.parse("2 um")).in_pixels((0.5e-6, 0.5e-6))
    5
    """

    def rounded(self, pixels: float) -> int:
        """Return the nearest odd number of pixels, so that the window has a centre."""
        return 2 * max(0, floor(pixels / 2)) + 1


@dataclass(frozen=True)
class RadiusLength(OneLength):
    """A radius, or the standard deviation of a Gaussian that is round."""

    most: float

    def rounded(self, pixels: float) -> float:
        """Return the number of pixels.

        Raises
        ------
        ParameterError
            If these are too many.
        """
        if pixels > self.most:
            raise ParameterError(f"{self.length} must be at most {self.most:g} pixels (got {pixels:g})")
        return pixels


@dataclass(frozen=True)
class Widths(Physical):
    """Radii of which at least one is a length."""

    each: tuple[float | RadiusLength, ...]

    def in_pixels(self, spacing: Sequence[float]) -> tuple[float, ...]:
        """Return all of them in pixels of ``spacing`` metres."""
        return tuple(one.in_pixels(spacing) if isinstance(one, RadiusLength) else one for one in self.each)

    def __str__(self) -> str:
        return str([str(one) if isinstance(one, RadiusLength) else one for one in self.each])


def as_window(given: object) -> int | WindowLength:
    """Return the side of a window: an odd number of pixels, or a length.

    Raises
    ------
    ValueError
        If it is neither.
    """
    if isinstance(given, WindowLength):
        return given
    if isinstance(given, (str, Length)):
        return WindowLength(Length.parse(given) if isinstance(given, str) else given)
    if isinstance(given, bool) or not isinstance(given, int):
        raise ValueError("must be an odd number of pixels, or a length such as '2 um'")  # noqa: TRY004
    if given < 1:
        raise ValueError("must be greater than or equal to 1")
    if given % 2 == 0:
        raise ValueError("must be odd, so that the window has a centre")
    return given


def as_radius(given: object, most: float) -> float | RadiusLength:
    """Return a radius: a number of pixels above 0, at most ``most``, or a length.

    Raises
    ------
    ValueError
        If it is neither.
    """
    if isinstance(given, RadiusLength):
        return given
    if isinstance(given, (str, Length)):
        return RadiusLength(Length.parse(given) if isinstance(given, str) else given, most)
    if isinstance(given, bool) or not isinstance(given, (int, float)):
        raise ValueError("must be a number of pixels, or a length such as '2 um'")  # noqa: TRY004
    if not given > 0:
        raise ValueError("must be greater than 0")
    if given > most:
        raise ValueError(f"must be less than or equal to {most:g}")
    return float(given)


def as_widths(given: Sequence[float | RadiusLength]) -> tuple[float, ...] | Widths:
    """Return radii as they are used: numbers, or with lengths among them."""
    numbers = tuple(one for one in given if isinstance(one, float))
    return numbers if len(numbers) == len(given) else Widths(tuple(given))


def _listed(given: object) -> object:
    return list(given.each) if isinstance(given, Widths) else given


def _plain(value: Any) -> Any:
    """Return a value as a workflow holds it."""
    if isinstance(value, Widths):
        return [_plain(one) for one in value.each]
    return str(value) if isinstance(value, OneLength) else value


def _schema(most: float) -> WithJsonSchema:
    pixels = {"type": "number", "exclusiveMinimum": 0, "maximum": most}
    said = f"pixels, above 0, at most {most:g}; or a length: `2 um`"
    return WithJsonSchema({"description": said, "anyOf": [pixels, {"type": "string"}]})


Radius = Annotated[Any, BeforeValidator(partial(as_radius, most=1000.0)), PlainSerializer(_plain), _schema(1000.0)]
"""The radius of a ball: a number of pixels, or a length."""

RoundSigma = Annotated[Any, BeforeValidator(partial(as_radius, most=300.0)), PlainSerializer(_plain), _schema(300.0)]
"""The standard deviation of a Gaussian that is the same along all axes: a number of pixels, or a length."""

Window = Annotated[
    Any,
    BeforeValidator(as_window),
    PlainSerializer(_plain),
    WithJsonSchema(
        {
            "description": "pixels, odd; or a length: `2 um`",
            "anyOf": [{"type": "integer", "minimum": 1, "not": {"multipleOf": 2}}, {"type": "string"}],
        }
    ),
]
"""The side of a square (cubic) window: an odd number of pixels, or a length, which becomes the nearest odd number."""

Sigmas = Annotated[
    Sequence[
        Annotated[
            Any,
            BeforeValidator(partial(as_radius, most=LARGEST_SIGMA)),
            PlainSerializer(_plain),
            _schema(LARGEST_SIGMA),
        ]
    ],
    Len(1, 64),
    BeforeValidator(_listed),
    AfterValidator(as_widths),
    PlainSerializer(_plain),
]
"""Standard deviations, one for each width: numbers of pixels, or lengths."""
