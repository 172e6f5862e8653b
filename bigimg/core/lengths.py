"""Lengths in physical units: ``"0.8 um"`` becomes pixels once the image says how large its pixels are.

A parameter that is a length is resolved where the operation meets the image, along each axis by itself: voxels need
not be cubes.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from bigimg.errors import ImageError, ParameterError, UnknownNameError

METRES = {
    "angstrom": 1e-10,
    "nanometer": 1e-9,
    "micrometer": 1e-6,
    "millimeter": 1e-3,
    "centimeter": 1e-2,
    "meter": 1.0,
    "hectometer": 1e2,
    "kilometer": 1e3,
    "inch": 0.0254,
    "foot": 0.3048,
}
"""Units of length by the names of OME-Zarr."""

SYMBOLS = {
    "Å": "angstrom",
    "nm": "nanometer",
    "um": "micrometer",
    "µm": "micrometer",
    "μm": "micrometer",
    "mm": "millimeter",
    "cm": "centimeter",
    "m": "meter",
    "hm": "hectometer",
    "km": "kilometer",
    "in": "inch",
    "ft": "foot",
    "metre": "meter",
}
"""What people write for them."""

_LENGTH = re.compile(r"\s*(?P<value>[0-9.]+(?:[eE][-+]?[0-9]+)?)\s*(?P<unit>[^\W\d_]+)\s*")


class Physical(ABC):
    """A value that needs the size of pixels before it can be used."""

    @abstractmethod
    def in_pixels(self, spacing: Sequence[float]) -> Any:
        """Return the value for pixels of ``spacing`` metres along each of the axes the operation works along."""


@dataclass(frozen=True)
class Length(Physical):
    """A length with its unit.

    Examples
    --------
    >>> Length.parse("0.8 um")
    Length(value=0.8, unit='micrometer')
    >>> Length.parse("0.8 um").in_pixels((2e-6, 0.5e-6, 0.5e-6))
    (0.4, 1.6, 1.6)
    """

    value: float
    unit: str
    """A name of :data:`METRES`."""

    @classmethod
    def parse(cls, text: str) -> Length:
        """Read a number and a unit, by its name or symbol.

        Raises
        ------
        ParameterError
            If it is no length.
        """
        found = _LENGTH.fullmatch(text)
        unit = found and SYMBOLS.get(found["unit"], found["unit"])
        if not found or unit not in METRES:
            raise ParameterError(f"a length is a number and a unit such as um, nm or m (got {text!r})")
        try:
            value = float(found["value"])
        except ValueError:
            raise ParameterError(f"a length is a number and a unit such as um, nm or m (got {text!r})") from None
        if value <= 0:
            raise ParameterError(f"a length must be greater than 0 (got {text!r})")
        return cls(value, unit)

    def in_pixels(self, spacing: Sequence[float]) -> tuple[float, ...]:
        """Return the length along each axis in pixels of ``spacing`` metres."""
        # The rounding takes away what 1e-6 / 1e-6 leaves in the sixteenth digit, so that 2 um are 4 pixels of 0.5 um.
        return tuple(float(f"{self.value * METRES[self.unit] / size:.12g}") for size in spacing)

    def __str__(self) -> str:
        return f"{self.value:g} {_symbol(self.unit)}"


@dataclass(frozen=True)
class PixelSize(Physical):
    """The size of an image's own pixels in some unit: with it, distances come out in that unit.

    Examples
    --------
    >>> PixelSize.parse("um").in_pixels((2e-6, 0.5e-6, 0.5e-6))
    (2.0, 0.5, 0.5)
    """

    unit: str
    """A name of :data:`METRES`."""

    @classmethod
    def parse(cls, text: str) -> PixelSize:
        """Read a unit, by its name or symbol.

        Raises
        ------
        ParameterError
            If it is no unit of length.
        """
        unit = SYMBOLS.get(text.strip(), text.strip())
        if unit not in METRES:
            raise ParameterError(f"a unit of length is such as um, nm or m (got {text!r})")
        return cls(unit)

    def in_pixels(self, spacing: Sequence[float]) -> tuple[float, ...]:
        """Return the size of pixels of ``spacing`` metres in the unit."""
        return tuple(float(f"{size / METRES[self.unit]:.12g}") for size in spacing)

    def __str__(self) -> str:
        return _symbol(self.unit)


def _symbol(unit: str) -> str:
    return {name: symbol for symbol, name in reversed(SYMBOLS.items())}.get(unit, unit)


def pixel_spacing(attrs: Mapping[str, Any], dims: Sequence[str], what: str) -> tuple[float, ...]:
    """Return the size of a pixel along ``dims`` in metres, from an image's ``attrs["scale"]`` and ``attrs["units"]``.

    Raises
    ------
    ImageError
        If the image does not say it.
    """
    scale, units = attrs.get("scale", {}), attrs.get("units", {})
    missing = [dim for dim in dims if dim not in scale or dim not in units]
    if missing:
        raise ImageError(
            f"{what} is a length, and the image does not say how large its pixels are along {', '.join(missing)}; give "
            "pixels, or an xarray.DataArray with attrs such as "
            "{'scale': {'y': 0.5, 'x': 0.5}, 'units': {'y': 'micrometer', 'x': 'micrometer'}}"
        )
    sizes = []
    for dim in dims:
        unit = SYMBOLS.get(units[dim], units[dim])
        if unit not in METRES:
            raise ImageError(
                f"the unit of the image along {dim} is no length: {UnknownNameError.of('unit', unit, METRES)}"
            )
        sizes.append(float(scale[dim]) * METRES[unit])
    return tuple(sizes)


def per_axis(value: float | Sequence[float], ndim: int, name: str) -> tuple[float, ...]:
    """Return ``value`` for each of ``ndim`` axes.

    Raises
    ------
    ParameterError
        If it is a sequence of another length.
    """
    if isinstance(value, (int, float)):
        return (float(value),) * ndim
    if len(value) != ndim:
        raise ParameterError(f"{name} needs one number, or {ndim}: one an axis (got {len(value)})")
    return tuple(map(float, value))


LARGEST_SIGMA = 1000.0
"""Pixels; a slip of the pen must not ask for a halo of the whole image."""


def as_sigma(given: object) -> float | tuple[float, ...] | Length:
    """Return a standard deviation: a number of pixels above 0, numbers of at least 0 for each axis, or a length.

    Raises
    ------
    ValueError
        If it is none of these.
    """
    if isinstance(given, Length):
        return given
    if isinstance(given, str):
        return Length.parse(given)
    if isinstance(given, (list, tuple)):
        return tuple(_sigma(each, zero=True) for each in given)
    return _sigma(given, zero=False)


def _sigma(given: object, *, zero: bool) -> float:
    if isinstance(given, bool) or not isinstance(given, (int, float)):
        # A type error would not reach the caller as a sentence: pydantic turns value errors into one.
        raise ValueError("must be a number of pixels, one an axis, or a length such as '0.8 um'")  # noqa: TRY004
    if not (given > 0 or (zero and given == 0)):
        raise ValueError("must be at least 0 along each axis" if zero else "must be greater than 0")
    if given > LARGEST_SIGMA:
        raise ValueError(f"must be less than or equal to {LARGEST_SIGMA:g}")
    return float(given)


Sigma = Annotated[
    Any,
    BeforeValidator(as_sigma),
    PlainSerializer(lambda value: str(value) if isinstance(value, Length) else value),
    WithJsonSchema(
        {
            "description": f"pixels, above 0, at most {LARGEST_SIGMA:g}; or one an axis; or a length: `0.8 um`",
            "anyOf": [
                {"type": "number", "exclusiveMinimum": 0, "maximum": LARGEST_SIGMA},
                {"type": "array", "items": {"type": "number", "minimum": 0, "maximum": LARGEST_SIGMA}},
                {"type": "string"},
            ],
        }
    ),
]
"""A standard deviation: in pixels, in pixels along each axis, or a length."""
