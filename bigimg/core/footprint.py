"""Footprints: which neighbours take part in a morphological operation. Always a boolean array, as in scikit-image.

The centre of a footprint is its middle element, and of an even axis the one before the middle: ``(size - 1) // 2``,
as in scikit-image (SciPy takes ``size // 2``). So ``square(2)`` looks at a pixel and at the next one along each axis.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import PlainSerializer, PlainValidator, WithJsonSchema

from bigimg.core.lengths import Length, Physical
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
    return np.asarray(_ball_of(np.square, radius, 2) <= radius**2)


def ball(radius: int) -> Mask:
    """Return the voxels at most ``radius`` from the centre, as ``skimage.morphology.ball``."""
    return np.asarray(_ball_of(np.square, radius, 3) <= radius**2)


def square(width: int) -> Mask:
    """Return a square of ``width`` x ``width`` pixels."""
    return np.ones(_fits((_at_least(width, 1, "width"),) * 2), bool)


def cube(width: int) -> Mask:
    """Return a cube of ``width`` x ``width`` x ``width`` voxels."""
    return np.ones(_fits((_at_least(width, 1, "width"),) * 3), bool)


def rectangle(*shape: int) -> Mask:
    """Return a rectangle of rows x columns, or a box of planes x rows x columns, as ``footprint_rectangle``.

    Examples
    --------
    >>> rectangle(2, 3).astype(int)
    array([[1, 1, 1],
           [1, 1, 1]])
    """
    if len(shape) not in (2, 3):
        raise ParameterError(f"rectangle needs rows and columns, or planes, rows and columns (got {shape})")
    return np.ones(_fits(tuple(_at_least(size, 1, "side of a rectangle") for size in shape)), bool)


def cross(radius: int) -> Mask:
    """Return a horizontal and a vertical line of ``2 * radius + 1`` pixels that cross in the centre."""
    mask = np.zeros(_fits((2 * _at_least(radius, 0, "radius") + 1,) * 2), bool)
    mask[radius, :] = mask[:, radius] = True
    return mask


def diamond(radius: int) -> Mask:
    """Return the pixels at most ``radius`` steps along the axes from the centre, as ``skimage.morphology.diamond``.

    Examples
    --------
    >>> diamond(2).astype(int)
    array([[0, 0, 1, 0, 0],
           [0, 1, 1, 1, 0],
           [1, 1, 1, 1, 1],
           [0, 1, 1, 1, 0],
           [0, 0, 1, 0, 0]])
    """
    return np.asarray(_ball_of(np.abs, radius, 2) <= radius)


def octahedron(radius: int) -> Mask:
    """Return the voxels at most ``radius`` steps along the axes from the centre: a diamond in space."""
    return np.asarray(_ball_of(np.abs, radius, 3) <= radius)


def octagon(m: int, n: int) -> Mask:
    """Return an octagon of straight sides ``m`` long and slanted ones ``n`` high, as ``skimage.morphology.octagon``.

    Examples
    --------
    >>> octagon(3, 1).astype(int)
    array([[0, 1, 1, 1, 0],
           [1, 1, 1, 1, 1],
           [1, 1, 1, 1, 1],
           [1, 1, 1, 1, 1],
           [0, 1, 1, 1, 0]])
    """
    side = _at_least(m, 0, "m") + 2 * _at_least(n, 0, "n")
    _fits((_at_least(side, 1, "m + 2 * n"),) * 2)
    from_edge = np.minimum(np.arange(side), np.arange(side)[::-1])
    # Without straight sides two slanted ones would meet between two pixels: scikit-image joins them by two.
    return np.asarray(from_edge[:, np.newaxis] + from_edge >= (n if m else n - 1))


def star(a: int) -> Mask:
    """Return a square of side ``2 * a + 1`` and a square on its corner over it, as ``skimage.morphology.star``.

    Examples
    --------
    >>> star(2).astype(int)
    array([[0, 0, 0, 1, 0, 0, 0],
           [0, 1, 1, 1, 1, 1, 0],
           [0, 1, 1, 1, 1, 1, 0],
           [1, 1, 1, 1, 1, 1, 1],
           [0, 1, 1, 1, 1, 1, 0],
           [0, 1, 1, 1, 1, 1, 0],
           [0, 0, 0, 1, 0, 0, 0]])
    """
    reach_of_points = _at_least(a, 1, "a") + a // 2
    distance = _ball_of(np.abs, reach_of_points, 2)
    offset = np.abs(np.arange(-reach_of_points, reach_of_points + 1))
    return np.asarray((distance <= reach_of_points) | (np.maximum(offset[:, np.newaxis], offset) <= a))


SHAPES: dict[str, Callable[..., Mask]] = {
    "ball": ball,
    "cross": cross,
    "cube": cube,
    "diamond": diamond,
    "disk": disk,
    "octagon": octagon,
    "octahedron": octahedron,
    "rectangle": rectangle,
    "square": square,
    "star": star,
}
"""The shapes a workflow can name: ``footprint: {disk: 3}``, ``footprint: {rectangle: [3, 5]}``."""

_ROUND = {"disk": 2, "ball": 3}
"""Shapes whose radius may be a length, and their axes."""

_NUMBERS = {"octagon": (2,), "rectangle": (2, 3)}
"""How many numbers a shape needs, where it is not one."""


@dataclass(frozen=True)
class RoundFootprint(Physical):
    """A disk or ball whose radius is a length: an ellipse of pixels where these are not square."""

    radius: Length
    ndim: int

    def in_pixels(self, spacing: Sequence[float]) -> Mask:
        """Return the pixels, of ``spacing`` metres along each axis, at most the radius from the centre.

        Examples
        --------
        >>> RoundFootprint(Length.parse("2 um"), 2).in_pixels((2e-6, 1e-6)).astype(int)
        array([[0, 0, 1, 0, 0],
               [1, 1, 1, 1, 1],
               [0, 0, 1, 0, 0]])
        """
        if len(spacing) != self.ndim:
            raise ParameterError(
                f"a footprint of {self.ndim} axes works along as many (got {len(spacing)}): a disk on planes, a ball "
                "on volumes with dims='zyx'"
            )
        radii = self.radius.in_pixels(spacing)
        _fits(tuple(2 * int(radius) + 1 for radius in radii))
        offsets = [np.arange(-int(radius), int(radius) + 1) / radius for radius in radii]
        squares = np.stack(np.meshgrid(*[offset**2 for offset in offsets], indexing="ij")).sum(axis=0)
        # The last digit of a radius on the rim must not decide.
        return np.asarray(squares <= 1 + 1e-9)

    def __str__(self) -> str:
        return f"{'disk' if self.ndim == 2 else 'ball'} of {self.radius}"


def as_parameter(given: object) -> Mask | RoundFootprint:
    """Return ``given`` as a footprint; the radius of a disk or a ball may be a length, ``{"disk": "2 um"}``.

    Raises
    ------
    ParameterError
        As :func:`as_footprint` does.
    """
    if isinstance(given, RoundFootprint):
        return given
    if isinstance(given, Mapping) and len(given) == 1:
        ((name, radius),) = given.items()
        if name in _ROUND and isinstance(radius, (str, Length)):
            return RoundFootprint(Length.parse(radius) if isinstance(radius, str) else radius, _ROUND[name])
    return as_footprint(given)


def as_footprint(given: object) -> Mask:
    """Return ``given`` as a footprint: an array, nested lists, or one named shape with its size or sizes.

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
        return _named_shape(given)
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


def _named_shape(given: Mapping[Any, Any]) -> Mask:
    if len(given) != 1:
        raise ParameterError(f"a footprint names one shape and its size, such as {{disk: 3}} (got {dict(given)})")
    ((name, size),) = given.items()
    if name not in SHAPES:
        raise UnknownNameError.of("footprint", str(name), SHAPES)
    sizes = list(size) if isinstance(size, (list, tuple)) else [size]
    counts = _NUMBERS.get(name, (1,))
    if len(sizes) not in counts or not all(isinstance(one, int) and not isinstance(one, bool) for one in sizes):
        needs = "a whole number" if counts == (1,) else f"a list of {' or '.join(map(str, counts))} whole numbers"
        raise ParameterError(f"footprint {name} needs {needs} of pixels (got {size!r})")
    return SHAPES[name](*sizes)


def dump_footprint(mask: Mask | RoundFootprint) -> Any:
    """Return the shortest text for ``mask``: the shape and size where it is a named one, else nested lists."""
    if isinstance(mask, RoundFootprint):
        return {"disk" if mask.ndim == 2 else "ball": str(mask.radius)}
    for name, sizes in _guesses(mask):
        candidate = SHAPES[name](*sizes)
        if candidate.shape == mask.shape and (candidate == mask).all():
            return {name: list(sizes) if name in _NUMBERS else sizes[0]}
    return mask.astype(int).tolist()


def _guesses(mask: Mask) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Yield the named shapes that ``mask`` may be, each with the size it would have, the plainest first."""
    side = max(mask.shape)
    half = side // 2
    flat = mask.ndim == 2
    if len(set(mask.shape)) == 1:
        yield ("square" if flat else "cube"), (side,)
        if side % 2:
            for name in ("disk", "cross", "diamond") if flat else ("ball", "octahedron"):
                yield name, (half,)
        straight = int(mask[0].sum()) if flat else 0
        if straight and (side - straight) % 2 == 0:
            yield "octagon", (straight, (side - straight) // 2)
        if flat and side > 1:
            yield "star", (-(-2 * half // 3),)
    yield "rectangle", mask.shape


def _schema_of(name: str) -> dict[str, Any]:
    counts = _NUMBERS.get(name)
    if name in _ROUND:
        return {"type": ["integer", "string"], "minimum": 0}
    if counts is None:
        return {"type": "integer", "minimum": 0}
    return {"type": "array", "items": {"type": "integer"}, "minItems": min(counts), "maxItems": max(counts)}


Footprint = Annotated[
    Mask,
    PlainValidator(as_parameter),
    PlainSerializer(dump_footprint),
    WithJsonSchema(
        {
            "description": "a named shape and its size or sizes in pixels, or a length for a disk or ball, "
            "`{disk: 2 um}`; or a 2-D or 3-D array of 0 and 1",
            "anyOf": [
                {
                    "type": "object",
                    "properties": {name: _schema_of(name) for name in SHAPES},
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


def reach_beyond(mask: Mask) -> tuple[tuple[int, int], ...]:
    """Return how far from its centre the pixels of ``mask`` lie: before and behind, along each axis.

    Examples
    --------
    >>> reach_beyond(np.ones((1, 4), bool))
    ((0, 0), (1, 2))
    """
    spans = []
    for axis, size in enumerate(mask.shape):
        taken = np.flatnonzero(mask.any(axis=tuple(other for other in range(mask.ndim) if other != axis)))
        centre = (size - 1) // 2
        spans.append((int(max(0, centre - taken[0])), int(max(0, taken[-1] - centre))))
    return tuple(spans)


def _ball_of(norm: Callable[[Any], Any], radius: int, ndim: int) -> Any:
    """Return the distance of each pixel of a square or cube from its centre: ``norm`` of the offsets, summed."""
    _fits((2 * _at_least(radius, 0, "radius") + 1,) * ndim)
    offset = norm(np.arange(-radius, radius + 1))
    return sum(np.meshgrid(*[offset] * ndim, indexing="ij", sparse=True))


def _fits(shape: tuple[int, ...]) -> tuple[int, ...]:
    if prod(shape) > LARGEST:
        raise ParameterError(
            f"a footprint has at most {LARGEST:,} pixels (got {' x '.join(f'{size:,}' for size in shape)})"
        )
    return shape


def _at_least(value: int, least: int, name: str) -> int:
    if value < least:
        raise ParameterError(f"{name} must be at least {least} (got {value})")
    return value
