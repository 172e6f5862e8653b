"""The parameters of a plain function: validated, described and written down from its own signature.

A function is written once; its keyword parameters, their types and their bounds (``Annotated[float, Gt(0)]``) give the
validation, the JSON schema, the page of documentation and the form of a workflow step.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import numpy as np
from annotated_types import Ge, Gt, Le
from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError, WithJsonSchema

from bigimg.errors import ParameterError, UnknownNameError

Dims = Literal["yx", "zyx"]
"""The axes an operation works along: the plane, or the volume where the caller names three."""


def _odd(value: int) -> int:
    if value % 2 == 0:
        raise ValueError("must be odd, so that the window has a centre")
    return value


PASSED = ("valid", "tile")
"""Parameters that the system passes to a function that names them: which pixels count, and which tile they are of."""

LARGEST_NUMBER = 1e100
"""Numbers beyond this, or below its inverse, leave float64 when they are squared."""


def _not_extreme(value: float) -> float:
    if abs(value) > LARGEST_NUMBER:
        raise ValueError(f"must be at most {LARGEST_NUMBER:g} in size")
    return value


def _not_tiny(value: float) -> float:
    if value < 1 / LARGEST_NUMBER:
        raise ValueError(f"must be greater than 0, and at least {1 / LARGEST_NUMBER:g}")
    return value


Moderate = Annotated[float, AfterValidator(_not_extreme)]
"""A number that may be multiplied without leaving float64."""

Scale = Annotated[float, Gt(0), AfterValidator(_not_tiny), AfterValidator(_not_extreme)]
"""A number above 0 that may be squared, and divided by, without leaving float64."""

Positive = Annotated[float, Gt(0)]
Count = Annotated[int, Ge(1)]
Odd = Annotated[int, Ge(1), AfterValidator(_odd), Field(json_schema_extra={"not": {"multipleOf": 2}})]
Connectivity = Annotated[int, Ge(1), Le(3)]

ImageInput = Annotated[Any, WithJsonSchema({"type": "string", "description": "the name of a step, or 'input'"})]
"""A further image that an operation takes: an array in Python, the name of a step in a workflow."""

TableInput = Annotated[Any, WithJsonSchema({"type": "string", "description": "the name of a step that gives a table"})]
"""A further table that an operation takes: a DataFrame in Python, the name of a step in a workflow."""


@dataclass(frozen=True)
class Parameter:
    """One keyword parameter of an operation."""

    name: str
    annotation: Any
    default: Any
    """``inspect.Parameter.empty`` where a value must be given."""

    @property
    def required(self) -> bool:
        """Whether a value must be given."""
        return self.default is inspect.Parameter.empty

    @property
    def is_image(self) -> bool:
        """Whether the value is a further image (a step's name in a workflow)."""
        return _marked(self.annotation, ImageInput)

    @property
    def is_table(self) -> bool:
        """Whether the value is a further table (a step's name in a workflow)."""
        return _marked(self.annotation, TableInput)

    @cached_property
    def adapter(self) -> TypeAdapter[Any]:
        """The pydantic validator of this parameter."""
        return TypeAdapter(self.annotation, config=_config(self.annotation))

    def schema(self) -> dict[str, Any]:
        """Return the JSON schema of this parameter."""
        schema = self.adapter.json_schema()
        if not self.required:
            schema["default"] = self.dump(self.default)
        return schema

    def dump(self, value: Any) -> Any:
        """Return ``value`` as plain data that a workflow file can hold."""
        return self.adapter.dump_python(value, mode="json")

    def validate(self, value: Any, owner: str) -> Any:
        """Return ``value`` in its declared type, or say what was wrong with it."""
        if is_deferred(value):
            return self._deferred(value, owner)
        if not self.is_image and getattr(value, "ndim", None) == 0 and value is not np.ma.masked:
            value = value.item()  # a number of NumPy, or the mean of an xarray.DataArray
        if value is np.ma.masked:
            raise ParameterError(f"{owner}: {self.name} must be a value (got a masked one)")
        try:
            known = self.adapter.validate_python(value)
        except ValidationError as error:
            first = error.errors()[0]
            where = "".join(f"[{part}]" for part in first["loc"] if isinstance(part, int))
            said = first["msg"].replace("Input should be", "must be").replace("Value error, ", "")
            joined = f"{self.name}{where} {said}" if said.startswith("must") else f"{self.name}{where}: {said}"
            raise ParameterError(f"{owner}: {joined}" + ("" if "(got" in said else f" (got {value!r})")) from None
        # What an operation passes on to a part of itself may be NaN: the mean of an image without a valid pixel.
        if self.annotation is not Any and not self.is_image and _has_nan(known):
            raise ParameterError(f"{owner}: {self.name} must be a number, not NaN (got {value!r})")
        return known

    def _deferred(self, value: Any, owner: str) -> Any:
        """Return a value that is not known yet, where it may be one number."""
        shape = getattr(value, "shape", ())
        if self.is_image or not isinstance(shape, tuple):
            return value
        if not _may_wait(self.annotation):
            raise ParameterError(
                f"{owner}: {self.name} must be known before the image is computed (got a lazy {type(value).__name__}); "
                "give its value, computed"
            )
        if shape:
            raise ParameterError(f"{owner}: {self.name} must be one number (got a lazy array of shape {shape})")
        return value


def _may_wait(annotation: Any) -> bool:
    if annotation is Any or annotation is float:
        return True
    marks = getattr(annotation, "__metadata__", ())
    if any(isinstance(mark, BeforeValidator) for mark in marks):
        return False  # what is looked at before anything else must be known
    parts = get_args(annotation) if get_origin(annotation) in {Annotated, Union, UnionType} else ()
    return any(_may_wait(part) for part in parts)


def _has_nan(value: Any) -> bool:
    if isinstance(value, np.ndarray):
        return value.dtype.kind == "f" and bool(np.isnan(value).any())
    if isinstance(value, (tuple, list)):
        return any(map(_has_nan, value))
    return isinstance(value, float) and value != value  # noqa: PLR0124


def _config(annotation: Any) -> ConfigDict | None:
    # A model brings its own configuration, and pydantic refuses a second one.
    return None if hasattr(annotation, "model_config") else ConfigDict(strict=True, arbitrary_types_allowed=True)


def _marked(annotation: Any, mark: Any) -> bool:
    """Whether ``mark`` is in an annotation."""
    marked = any(extra is mark.__metadata__[0] for extra in getattr(annotation, "__metadata__", ()))
    return marked or any(_marked(part, mark) for part in get_args(annotation))


class Parameters(Mapping[str, Parameter]):
    """The keyword parameters of ``function``, in the order of its signature.

    The first positional parameter, the image, is not one of them, nor are ``valid`` and ``tile``, which the system
    passes.

    Examples
    --------
    >>> def gaussian(image: Any, *, sigma: Annotated[float, Gt(0)]) -> Any: ...
    >>> parameters = Parameters(gaussian, "filters.gaussian")
    >>> parameters.bind((), {"sigma": 2})
    {'sigma': 2.0}
    >>> parameters.bind((), {"sigma": -1})
    Traceback (most recent call last):
    bigimg.errors.ParameterError: filters.gaussian: sigma must be greater than 0 (got -1)
    """

    def __init__(self, function: Callable[..., Any], owner: str) -> None:
        self.owner = owner
        self._function = function

    @cached_property
    def _parameters(self) -> dict[str, Parameter]:
        # Resolving annotations imports what they name, so it waits until somebody asks.
        hints = get_type_hints(self._function, include_extras=True)
        given = list(inspect.signature(self._function).parameters.values())[1:]
        return {p.name: Parameter(p.name, hints.get(p.name, Any), p.default) for p in given if p.name not in PASSED}

    def __getitem__(self, name: str) -> Parameter:
        return self._parameters[name]

    def __iter__(self) -> Any:
        return iter(self._parameters)

    def __len__(self) -> int:
        return len(self._parameters)

    def bind(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """Return every parameter with its value, validated; positional values in the order of the signature."""
        if len(args) > len(self):
            raise ParameterError(
                f"{self.owner} takes at most {len(self)} parameters beside the image (got {len(args)})"
            )
        given = dict(zip(self, args))
        for name, value in kwargs.items():
            if name not in self._parameters:
                raise ParameterError(str(UnknownNameError.of(f"parameter of {self.owner}", name, self)))
            if name in given:
                raise ParameterError(f"{self.owner}: {name} was given twice")
            given[name] = value
        bound = {}
        for name, parameter in self.items():
            if name in given:
                bound[name] = parameter.validate(given[name], self.owner)
            elif parameter.required:
                raise ParameterError(f"{self.owner} needs {name}")
            else:
                bound[name] = parameter.default
        return bound

    def schema(self) -> dict[str, Any]:
        """Return the JSON schema of the parameters as one object."""
        return {
            "type": "object",
            "properties": {name: parameter.schema() for name, parameter in self.items()},
            "required": [name for name, parameter in self.items() if parameter.required],
            "additionalProperties": False,
        }


def is_deferred(value: object) -> bool:
    """Whether ``value`` is not known yet: the result of a reduction that has not been computed."""
    # An xarray.DataArray in memory has the method too.
    return hasattr(value, "__dask_graph__") and not isinstance(value, type) and value.__dask_graph__() is not None
