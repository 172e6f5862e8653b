"""The faces of an operation, made from one plain function.

``@tilewise`` for a function of pixels with a halo, ``@composed`` for a function that calls other operations,
reductions and
gathers. Both give a callable that takes any kind of image and returns the same kind, and that knows its parameters,
their bounds, its page of documentation and what it takes and gives: that is all a workflow step needs.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property, partial, update_wrapper
from typing import Any, Concatenate, Generic, Literal, ParamSpec, cast

import numpy as np

from bigimg.core.operation import Operation, Pixels, Tilewise
from bigimg.core.parameters import PASSED, Parameters
from bigimg.engine.kinds import Image, apply_to
from bigimg.errors import ImageError, ParameterError

P = ParamSpec("P")

What = Literal["image", "mask", "labels", "table", "value", "same"]
"""What an operation takes or gives, as a workflow sees it: a mask is a boolean image, labels are integers, and the
same is what went in."""


class OperationFunction(Generic[P]):
    """A documented operation on images of any kind.

    Attributes
    ----------
    name
        Room and name, as a workflow writes it: ``filters.gaussian``.
    kind
        ``tilewise`` or ``composed``.
    takes, gives
        What goes in and what comes out.
    """

    kind: Literal["tilewise", "composed"]

    def __init__(self, function: Callable[..., Any], takes: What, gives: What, room: str | None = None) -> None:
        update_wrapper(cast("Any", self), function)
        self.function = function
        self.takes, self.gives = takes, gives
        self.name = f"{room or _room(function)}.{function.__name__}"

    @cached_property
    def parameters(self) -> Parameters:
        """The parameters beside the image."""
        return Parameters(self.function, self.name)

    @property
    def doc(self) -> str:
        """The page of documentation."""
        return inspect.getdoc(self.function) or ""

    @property
    def summary(self) -> str:
        """The first line of the page."""
        return self.doc.partition("\n")[0]

    @property
    def __signature__(self) -> inspect.Signature:
        signature = inspect.signature(self.function)
        return signature.replace(parameters=[p for p in signature.parameters.values() if p.name not in PASSED])

    def __repr__(self) -> str:
        return f"<{self.kind} operation {self.name}{self.__signature__}>"

    def __reduce__(self) -> str:
        return self.function.__qualname__


class TilewiseFunction(OperationFunction[P]):
    """A tilewise operation; see :func:`tilewise`."""

    kind = "tilewise"

    def __init__(self, function: Callable[..., Any], spec: Tilewise, takes: What, gives: What) -> None:
        super().__init__(function, takes, gives)
        self.spec = spec

    def bind(self, *args: P.args, **kwargs: P.kwargs) -> Operation:
        """Return the operation with its parameters, validated."""
        return Operation(self.spec, self.parameters.bind(args, kwargs))

    def __call__(self, image: Image, *args: P.args, **kwargs: P.kwargs) -> Image:
        """Compute the operation on ``image``, or make it lazily where the image is lazy."""
        with _errors_of(self.name, self.function):
            return apply_to(self.bind(*args, **kwargs), image)


class ComposedFunction(OperationFunction[P]):
    """An operation made of others; see :func:`composed`."""

    kind = "composed"

    def __call__(self, image: Any, *args: P.args, **kwargs: P.kwargs) -> Any:
        """Validate the parameters and compute, or make it lazily where the image is lazy."""
        with _errors_of(self.name, self.function):
            return self.function(image, **self.parameters.bind(args, kwargs))


def tilewise(
    *,
    halo: Callable[..., int | tuple[int, ...]] | int = 0,
    dtype: Callable[..., Any] | str = "same",
    takes: What = "image",
    gives: What = "image",
    accepts: str = "biuf",
    scratch: int = 8,
    drops_channels: bool = False,
    grey_values: tuple[str, ...] | None = None,
    gives_grey: bool = True,
) -> Callable[[Callable[Concatenate[Pixels, P], Pixels]], TilewiseFunction[P]]:
    """Make an operation of a plain function of pixels.

    The function gets the pixels of a tile with its halo and returns as many; the system crops. A keyword parameter
    ``valid`` marks an operation that knows masks: it gets a boolean array of the shape of the pixels, or None. One
    named ``tile`` gets the :class:`~bigimg.core.tile.Tile`, whose ``read`` says where the pixels lie in the image.

    Parameters
    ----------
    halo
        How many pixels beyond a tile it must see: a number, or a function of those parameters that it names.
    dtype
        Dtype of the result: a name, ``"same"``, or a function of the image's dtype and those parameters that it names.
    takes, gives
        ``"image"``, ``"mask"`` or ``"labels"``.
    accepts
        The kinds of dtype it takes: ``b`` boolean, ``u`` ``i`` integers, ``f`` floating point.
    scratch
        Bytes of working memory for each pixel beside input and output, for the plan.
    drops_channels
        Whether the axis before the plane (``c``) is consumed.
    grey_values
        For an operation that gives twice the result, or the same, for twice the grey values: the names of the
        parameters that are grey values too. Where its sums leave float64, it is then computed on smaller ones.
    gives_grey
        Whether it gives twice the result then.

    Examples
    --------
    >>> import numpy as np
    >>> @tilewise(halo=lambda radius: radius)
    ... def brightest(image: Pixels, *, radius: int = 1) -> Pixels:
    ...     '''Return the brightest pixel within radius.'''
    ...     import scipy.ndimage
    ...     return scipy.ndimage.maximum_filter(image, 2 * radius + 1)
    >>> brightest(np.eye(5), radius=1)[0]
    array([1., 1., 1., 0., 0.])
    """
    find_halo = halo if callable(halo) else partial(_same, halo)
    if callable(dtype):
        find_dtype = dtype
    else:
        find_dtype = _unchanged if dtype == "same" else partial(_fixed, np.dtype(dtype))

    def decorate(function: Callable[Concatenate[Pixels, P], Pixels]) -> TilewiseFunction[P]:
        name = f"{_room(function)}.{function.__name__}"
        spec = Tilewise(
            function, name, find_halo, find_dtype, accepts, scratch, drops_channels, grey_values, gives_grey
        )
        return TilewiseFunction(function, spec, takes, gives)

    return decorate


@contextmanager
def _errors_of(name: str, function: Callable[..., Any]) -> Iterator[None]:
    """Let errors about images and parameters begin with the ``name`` of the operation that was called.

    Who calls an operation of this package does not know those that it is made of; who made one does.
    """
    try:
        yield
    except (ImageError, ParameterError) as error:
        said = str(error)
        first = re.match(r"[\w.]+", said)
        if first is None or first[0] != name:
            parts = r"^\w+\.\w+: |^\w+\._\w+ " if function.__module__.startswith("bigimg.ops.") else r"^\w+\._\w+:? "
            error.args = (f"{name}: {re.sub(parts, '', said)}",)
        raise


def _room(function: Callable[..., Any]) -> str:
    """Return the room an operation stands in: the package of operations it is of, or the module a user wrote it in."""
    inside = function.__module__.removeprefix("bigimg.ops.")
    return inside.partition(".")[0] if inside != function.__module__ else function.__module__.rpartition(".")[2]


def _same(halo: int) -> int:
    return halo


def _unchanged(given: np.dtype[Any]) -> np.dtype[Any]:
    return given


def _fixed(dtype: np.dtype[Any], given: np.dtype[Any]) -> np.dtype[Any]:  # noqa: ARG001 - whatever was given
    return dtype


def composed(
    *, takes: What, gives: What, room: str | None = None
) -> Callable[[Callable[Concatenate[Any, P], Any]], ComposedFunction[P]]:
    """Make an operation of a function that calls other operations on an image of any kind.

    Parameters
    ----------
    takes, gives
        What goes in and what comes out.
    room
        The first part of its name, by default the last part of its module's.

    Examples
    --------
    >>> import numpy as np
    >>> from bigimg.ops import filters, threshold
    >>> @composed(takes="image", gives="mask")
    ... def spots(image: Any, *, sigma: float = 1.0) -> Any:
    ...     '''Find bright spots.'''
    ...     return threshold.otsu(filters.gaussian(image, sigma=sigma))
    >>> spots(np.pad([[200.0]], 5), sigma=1.0).sum()
    np.int64(13)
    """

    def decorate(function: Callable[Concatenate[Any, P], Any]) -> ComposedFunction[P]:
        return ComposedFunction(function, takes, gives, room)

    return decorate
