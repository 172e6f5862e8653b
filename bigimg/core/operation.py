"""Tilewise operations as values: one plain function, its halo, its parameters; chains of them, whose halos add."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bigimg.core.finite import LARGE, SHRINK, all_finite, beside, mended, saturated
from bigimg.core.parameters import Parameters, is_deferred
from bigimg.core.tile import Tile, whole
from bigimg.errors import BigimgError, ImageError, ParameterError

Pixels = NDArray[Any]
"""The pixels of a tile; the last two axes are rows and columns, the one before them may be planes or channels."""

LARGEST_HALO = 1 << 17
"""How far an operation may look: tiles with more around them fit no memory, and windows as large take for ever."""

Valid = NDArray[np.bool_]
"""Which pixels count; it has the shape of the tile, or of its last axes."""


@dataclass(frozen=True, eq=False)
class Tilewise:
    """What is known of an operation before it has parameters.

    Parameters
    ----------
    function
        ``(pixels, *, valid=None, ...) -> pixels``. Without a ``valid`` parameter the operation refuses masked images.
    halo
        How many pixels beyond its tile the operation must see, from those of its parameters that it names: one number
        for all axes, or one an axis.
    dtype
        The dtype of the result, from the dtype of the image and those of the parameters that it names.
    accepts
        Kinds of dtype, as in ``numpy.dtype.kind``: ``b`` boolean, ``i`` ``u`` integers, ``f`` floating point.
    scratch
        Bytes of working memory for each pixel read, beside the input and the output; the plan counts them.
    drops_channels
        Whether the axis before the plane is consumed, as by the conversion of colours to grey.
    grey_values
        For an operation that gives twice the result, or the same, for twice the grey values: the parameters that are
        grey values too and must be twice as large for that. None for any other operation.
    gives_grey
        Whether it gives twice the result then.
    """

    function: Callable[..., Pixels]
    name: str
    halo: Callable[..., int | tuple[int, ...]]
    dtype: Callable[..., Any]
    accepts: str = "biuf"
    scratch: int = 8
    drops_channels: bool = False
    grey_values: tuple[str, ...] | None = None
    gives_grey: bool = True

    @cached_property
    def parameters(self) -> Parameters:
        """The parameters of the function."""
        return Parameters(self.function, self.name)

    @cached_property
    def takes_mask(self) -> bool:
        """Whether the function knows how to leave invalid pixels out."""
        return "valid" in _arguments(self.function)

    @cached_property
    def takes_tile(self) -> bool:
        """Whether the function asks where in the image its pixels lie."""
        return "tile" in _arguments(self.function)

    def __reduce__(self) -> Any:
        # An operation of an importable module travels by its name; one from a notebook travels whole.
        module, path = self.function.__module__, self.function.__qualname__
        found: Any = sys.modules.get(module)
        for part in path.split("."):
            found = getattr(found, part, None)
        if module != "__main__" and getattr(found, "spec", None) is self:
            return _find_spec, (module, path)
        return Tilewise, tuple(getattr(self, item.name) for item in fields(self))


def _arguments(function: Callable[..., Any]) -> tuple[str, ...]:
    code = function.__code__
    return code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]


def _find_spec(module: str, path: str) -> Tilewise:
    from importlib import import_module  # noqa: PLC0415 - only a worker that unpickles needs it

    found: Any = import_module(module)
    for part in path.split("."):
        found = getattr(found, part)
    return found.spec


@dataclass(frozen=True, eq=False)
class Operation:
    """A tilewise operation with bound parameters.

    Examples
    --------
    >>> def add(image: Pixels, *, amount: int) -> Pixels:
    ...     return image + amount
    >>> spec = Tilewise(add, "demo.add", halo=lambda: 0, dtype=lambda dtype: dtype)
    >>> print(Operation(spec, {"amount": 2}))
    add(amount=2)
    """

    spec: Tilewise
    params: Mapping[str, Any] = field(default_factory=dict)

    @property
    def ndim(self) -> int:
        """How many of the last axes the operation works along."""
        return len(self.params.get("dims", "yx"))

    @property
    def halo(self) -> tuple[int, ...]:
        """The halo along each of the axes the operation works along.

        Raises
        ------
        ParameterError
            If the parameters make a window that no tile could hold.
        """
        try:
            found = _called(self.spec.halo, self.params)
            halo = (found,) * self.ndim if isinstance(found, int) else tuple(found)
        except BigimgError:
            raise
        except (ArithmeticError, ValueError):  # an infinite number of pixels, or the cosine of infinity
            raise ParameterError(f"{self.spec.name}: no window can be made of {self._named()}; choose others") from None
        if max(halo) > LARGEST_HALO:
            raise ParameterError(
                f"{self.spec.name} would see {max(halo):,} pixels around each pixel, of at most {LARGEST_HALO:,} "
                f"(got {self._named()}); choose a smaller window, or shrink the image first"
            )
        return halo

    def _named(self) -> str:
        names = inspect.signature(self.spec.halo).parameters
        return ", ".join(f"{name}={_short(self.params[name])}" for name in names)

    @property
    def deferred(self) -> dict[str, Any]:
        """The parameters that are not known yet."""
        return {name: value for name, value in self.params.items() if is_deferred(value)}

    def with_values(self, values: Mapping[str, Any]) -> Operation:
        """Return the operation with ``values`` in the place of deferred parameters."""
        return Operation(self.spec, {**self.params, **values})

    def dtype(self, dtype: np.dtype[Any]) -> np.dtype[Any]:
        """Return the dtype of the result for an image of ``dtype``.

        Raises
        ------
        ImageError
            If the operation does not take images of this dtype.
        """
        if dtype.kind not in self.spec.accepts:
            words = {"b": "boolean", "i": "signed integer", "u": "unsigned integer", "f": "floating point"}
            wanted = ", ".join(words[kind] for kind in self.spec.accepts)
            raise ImageError(f"{self.spec.name} takes {wanted} images (got {dtype})")
        return np.dtype(_called(self.spec.dtype, self.params, dtype))

    def __call__(self, pixels: Pixels, valid: Valid | None = None, tile: Tile | None = None) -> Pixels:
        """Compute the operation on ``pixels``, the box ``tile.read`` of an image, without those that are not valid.

        Finite grey values give finite results: what would be more than the largest number of its dtype is that.

        Raises
        ------
        ImageError
            If a result is no number.
        """
        result = self._run(self.params, pixels, valid, tile)
        if result.dtype == bool and self.spec.grey_values is not None and pixels.dtype == np.float64:
            return self._compared(result, pixels, valid, tile)
        if all_finite(result):
            return result
        result = self._mended(result, pixels, valid, tile)
        lost = int(np.isnan(result).sum())
        if lost:
            raise ImageError(
                f"{self.spec.name}: {lost} pixels of a tile leave {result.dtype} on the way, for the grey values are "
                f"as large as {float(np.abs(pixels).max()):.3g}; divide the image by a number first, or mask them"
            )
        return result

    def _run(self, given: Mapping[str, Any], pixels: Pixels, valid: Valid | None, tile: Tile | None) -> Pixels:
        params = dict(given)
        if self.spec.takes_tile:
            params["tile"] = tile or whole(pixels.shape)
        if valid is not None and not self.spec.takes_mask:
            raise ImageError(f"{self.spec.name} does not take images with a validity mask")
        # What leaves the range of floats on the way is found in the result.
        with np.errstate(over="ignore", invalid="ignore"):
            if valid is None:
                return self.spec.function(pixels, **params)
            valid = np.broadcast_to(valid, pixels.shape)
            result = self.spec.function(pixels, valid=valid, **params)
        if self.spec.drops_channels:
            valid = np.asarray(valid.all(axis=-3))
        return np.where(valid, result, np.zeros((), result.dtype))

    def _mended(self, result: Pixels, pixels: Pixels, valid: Valid | None, tile: Tile | None) -> Pixels:
        """Return ``result`` with what is not finite computed in float64, or of smaller grey values."""
        wide = pixels.astype(np.float64)
        if pixels.dtype.kind == "f" and pixels.dtype.itemsize <= 4:
            return mended(result, self._run(self.params, wide, valid, tile))
        if self.spec.grey_values is not None:
            for factor in SHRINK:
                if all_finite(result):
                    break
                found = self._run_smaller(wide, factor, valid, tile)
                result = mended(result, found, factor if self.spec.gives_grey else 1.0)
        return saturated(result)

    def _compared(self, result: Valid, pixels: Pixels, valid: Valid | None, tile: Tile | None) -> Valid:
        """Return a mask, which does not show where its sums left float64, from smaller numbers near the largest."""
        most = max(-float(pixels.min()), float(pixels.max())) if pixels.size else 0.0
        if most <= LARGE:
            return result
        near = beside(np.abs(pixels) > LARGE, self.halo)
        return np.where(near, self._run_smaller(pixels, SHRINK[0], valid, tile), result)

    def _run_smaller(self, pixels: Pixels, factor: float, valid: Valid | None, tile: Tile | None) -> Pixels:
        grey = {name: self.params[name] for name in self.spec.grey_values or ()}
        smaller = {name: value if value is None else _times(value, factor) for name, value in grey.items()}
        return self._run({**self.params, **smaller}, pixels * factor, valid, tile)

    def __str__(self) -> str:
        shown = {name: "..." if is_deferred(value) else value for name, value in self.params.items()}
        inside = ", ".join(f"{name}={_short(value)}" for name, value in shown.items())
        return f"{self.spec.name.rpartition('.')[2].lstrip('_')}({inside})"

    def __dask_tokenize__(self) -> object:
        return self.spec.name, self.spec.function, sorted(self.params.items())


def _times(value: Any, factor: float) -> Any:
    return tuple(each * factor for each in value) if isinstance(value, tuple) else value * factor


def _called(function: Callable[..., Any], params: Mapping[str, Any], *leading: Any) -> Any:
    """Call ``function`` with those of the parameters that it names."""
    names = list(inspect.signature(function).parameters)[len(leading) :]
    return function(*leading, **{name: params[name] for name in names})


def _short(value: object) -> str:
    if isinstance(value, np.ndarray):
        return "x".join(map(str, value.shape))
    return str(value)


@dataclass(frozen=True, eq=False)
class Chain:
    """Operations one after the other: their halos add, and a tile runs them all in memory."""

    operations: tuple[Operation, ...] = ()

    def then(self, operation: Operation) -> Chain:
        """Return the chain with one more operation at its end."""
        return Chain((*self.operations, operation))

    @property
    def ndim(self) -> int:
        """How many of the last axes the chain works along."""
        return max((operation.ndim for operation in self.operations), default=2)

    @property
    def halo(self) -> tuple[int, ...]:
        """The summed halo along the axes the chain works along."""
        total = [0] * self.ndim
        for operation in self.operations:
            for back, pixels in enumerate(reversed(operation.halo), start=1):
                total[-back] += pixels
        return tuple(total)

    @property
    def drops_channels(self) -> bool:
        """Whether the channel axis of the source is gone at the end."""
        return any(operation.spec.drops_channels for operation in self.operations)

    def dtype(self, dtype: np.dtype[Any]) -> np.dtype[Any]:
        """Return the dtype at the end of the chain for a source of ``dtype``."""
        for operation in self.operations:
            dtype = operation.dtype(dtype)
        return dtype

    def scratch(self, dtype: np.dtype[Any]) -> int:
        """Return the most bytes a pixel needs at any point of the chain, input and output of that point counted."""
        most = dtype.itemsize
        for operation in self.operations:
            after = operation.dtype(dtype)
            most = max(most, dtype.itemsize + operation.spec.scratch + after.itemsize)
            dtype = after
        return most

    @property
    def takes_tile(self) -> bool:
        """Whether an operation asks where in the image its pixels lie."""
        return any(operation.spec.takes_tile for operation in self.operations)

    def __call__(self, pixels: Pixels, valid: Valid | None = None, tile: Tile | None = None) -> Pixels:
        """Run every operation on ``pixels``, the box ``tile.read`` of an image."""
        for operation in self.operations:
            pixels = operation(pixels, valid, tile)
            if valid is not None and operation.spec.drops_channels and valid.ndim > pixels.ndim:
                valid = np.asarray(valid.all(axis=-3))
        return pixels

    def __str__(self) -> str:
        return " -> ".join(map(str, self.operations)) or "read"

    def __dask_tokenize__(self) -> object:
        return self.operations
