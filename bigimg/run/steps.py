"""The steps of a workflow, and every check that can be made before an image is seen.

A step is written with as little as possible; :func:`resolve` fills in what was left out - its name, where its image
comes from, whether its result is kept - and refuses what cannot work, pointing at the place in the file.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from bigimg.core.parameters import Parameter
from bigimg.errors import BigimgError, ParameterError, UnknownNameError, WorkflowError, suggestion
from bigimg.run.catalog import Catalog, Entry, Kind
from bigimg.run.yaml import Node

INPUT = "input"
"""What a step calls the image itself."""

RESERVED = ("op", "name", "from", "keep")
"""The keys of a step that are not parameters of its operation."""

ARTICLE = {"image": "an image", "mask": "a mask", "labels": "labels", "table": "a table", "value": "a value"}

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")
_ACCEPTS: Mapping[str, tuple[str, ...]] = {"image": ("image", "mask", "labels")}
_KEPT: tuple[Kind, ...] = ("labels", "table")


@dataclass(frozen=True, kw_only=True)
class Step:
    """One operation with its parameters. In a step of a ``Workflow`` every field is filled in."""

    op: str
    """The full name of the operation: ``filters.gaussian``."""

    name: str = ""
    """What other steps and the output call the result; left out: the last part of ``op``."""

    source: str = ""
    """``from`` in a file: the step whose result goes in, or ``input``; left out: the step before."""

    params: Mapping[str, Any] = field(default_factory=dict)
    """Plain values, as a file holds them, sequences as tuples; for a parameter that is an image the name of a step."""

    keep: bool | None = None
    """Whether the result is in the output; left out: labels, tables and the last step are."""

    kind: Kind | Literal[""] = ""
    """What the result is; left out: what the operation says."""


@dataclass(frozen=True)
class Places:
    """Where the steps stand in their file, if they come from one."""

    nodes: tuple[Node, ...] = ()

    def error(self, message: str, index: int, key: str = "", *, value: bool = True) -> WorkflowError:
        """Return an error that points at a step, or at a ``key`` of it, or at that key's ``value``."""
        if not self.nodes:
            return WorkflowError(message)
        node = self.nodes[index]
        if key in node.keys:
            return (node.value[key].position if value else node.keys[key]).error(message)
        return node.position.error(message)


def default_keep(kind: str, last: bool) -> bool:
    """Return whether the result of a step that says nothing is in the output."""
    return last or kind in _KEPT


def image_parameters(step: Step, entry: Entry) -> dict[str, str]:
    """Return the parameters of ``step`` that are images, and the names of the steps they come from."""
    return {name: value for name, value in step.params.items() if entry.parameters[name].is_image and value is not None}


def table_parameters(step: Step, entry: Entry) -> dict[str, str]:
    """Return the parameters of ``step`` that are further tables, and the names of the steps they come from."""
    return {name: value for name, value in step.params.items() if entry.parameters[name].is_table and value is not None}


def resolve(steps: Sequence[Step], catalog: Catalog, places: Places) -> tuple[Step, ...]:
    """Return ``steps`` with everything filled in and checked.

    Raises
    ------
    WorkflowError
        If a step cannot work; says which, where and why.
    """
    done: dict[str, Step] = {}
    for index, step in enumerate(steps):
        checked = _Check(index, step, catalog, places, done).step(last=index == len(steps) - 1)
        done[checked.name] = checked
    if done and not any(step.keep for step in done.values()):
        raise places.error("no step is kept, so the output would be empty; remove a keep: false", len(steps) - 1)
    return tuple(done.values())


@dataclass(frozen=True)
class _Check:
    index: int
    given: Step
    catalog: Catalog
    places: Places
    done: dict[str, Step]
    """The steps before this one, by name and in order."""

    @property
    def label(self) -> str:
        return f"steps[{self.index}]"

    def fail(self, message: str, key: str = "", *, value: bool = True) -> WorkflowError:
        return self.places.error(message, self.index, key, value=value)

    def step(self, last: bool) -> Step:
        entry = self.entry()
        name = self.name(entry)
        source = self.given.source or next(reversed(self.done), INPUT)
        self.check_source(source, entry.takes, "from", f"{self.label} ({entry.name})")
        params = self.params(entry)
        kind: Kind = self.kind_of(source) if entry.gives == "same" else entry.gives
        if self.given.keep is not None and not isinstance(self.given.keep, bool):
            raise self.fail(f"{self.label}.keep must be true or false (got {self.given.keep!r})", "keep")
        keep = default_keep(kind, last) if self.given.keep is None else self.given.keep
        return replace(self.given, name=name, source=source, params=params, keep=keep, kind=kind)

    def entry(self) -> Entry:
        entry = self.catalog.get(self.given.op)
        if entry is None:
            message = str(UnknownNameError.of("operation", self.given.op, self.catalog))
            raise self.fail(f"{self.label}.op: {message}", "op")
        return entry

    def name(self, entry: Entry) -> str:
        name = self.given.name or entry.name.rpartition(".")[2]
        if not _NAME.fullmatch(name) or name == INPUT:
            why = "that is the image itself" if name == INPUT else "up to 64 letters, digits, - and _, a letter first"
            raise self.fail(f"{self.label} cannot be named {name!r}: {why}", "name")
        if name in self.done:
            first = list(self.done).index(name)
            raise self.fail(f"{self.label} and steps[{first}] are both named {name!r}; give one of them a name", "name")
        return name

    def check_source(self, source: str, takes: str, key: str, taker: str) -> None:
        if self.is_input(source):
            if takes in {"table", "value"}:
                raise self.fail(f"{taker} takes {ARTICLE[takes]}, but the input is images; {self.givers(takes)}", key)
            return  # images, masks or labels: their dtype says which, once they are seen
        if source not in self.done:
            raise self.fail(f"{self.label}.{key}: {self.unknown_step(source)}", key)
        found = self.done[source]
        if found.kind not in _ACCEPTS.get(takes, (takes,)):
            gives = f"{source!r} ({found.op}) gives {ARTICLE[str(found.kind)]}"
            raise self.fail(f"{taker} takes {ARTICLE[takes]}, but {gives}; {self.givers(takes)}", key)

    def kind_of(self, source: str) -> Kind:
        return "image" if source == INPUT else self.done[source].kind or "image"

    def is_input(self, source: str) -> bool:
        """Whether what ``source`` gives is of the kind of the input, which is not known yet."""
        if source not in self.done:
            return source == INPUT
        step = self.done[source]
        return self.catalog[step.op].gives == "same" and self.is_input(step.source)

    def unknown_step(self, name: str) -> str:
        return f"no earlier step is named {name!r}; {suggestion(name, [INPUT, *self.done])}"

    def givers(self, kind: str) -> str:
        names = sorted(name for name, entry in self.catalog.items() if entry.gives == kind)
        shown = ", ".join(names[:4]) + (", ..." if len(names) > 4 else "")
        return f"{shown} {'give' if len(names) > 1 else 'gives'} {ARTICLE[kind]}" if names else "nothing gives that"

    def params(self, entry: Entry) -> dict[str, Any]:
        params = {}
        for name, value in self.given.params.items():
            if name not in entry.parameters:
                unknown = UnknownNameError.of(f"parameter of {entry.name}", name, entry.parameters)
                raise self.fail(f"{self.label}: {unknown}", name, value=False)
            params[name] = self.value(entry, entry.parameters[name], value)
        missing = [name for name, parameter in entry.parameters.items() if parameter.required and name not in params]
        if missing:
            raise self.fail(f"{self.label} ({entry.name}) needs {', '.join(missing)}", "op")
        return params

    def value(self, entry: Entry, parameter: Parameter, value: Any) -> Any:
        label = f"{self.label}.{parameter.name}"
        if parameter.is_image or parameter.is_table:
            if value is None and not parameter.required:
                return None
            if not isinstance(value, str):
                other = f", or {INPUT!r}" if parameter.is_image else " that gives a table"
                raise self.fail(f"{label} must be the name of a step{other} (got {value!r})", parameter.name)
            kind = "image" if parameter.is_image else "table"
            self.check_source(value, kind, parameter.name, f"{label} of {entry.name}")
            return value
        try:
            plain = frozen(parameter.dump(parameter.validate(value, self.label)))
        except ParameterError as error:
            said = str(error).removeprefix(f"{self.label}: {parameter.name}")
            raise self.fail(f"{label}{said}" if said != str(error) else f"{label}: {said}", parameter.name) from None
        except BigimgError as error:
            raise self.fail(f"{label}: {error}", parameter.name) from None
        if _has_nan(plain):
            raise self.fail(f"{label} must be a number (got nan)", parameter.name)
        return plain


def frozen(value: Any) -> Any:
    """Return plain data with tuples for lists, so that what was read equals what was made in Python."""
    if isinstance(value, Mapping):
        return {name: frozen(item) for name, item in value.items()}
    return tuple(frozen(item) for item in value) if isinstance(value, list | tuple) else value


def _has_nan(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(map(_has_nan, value.values()))
    return any(map(_has_nan, value)) if isinstance(value, tuple) else isinstance(value, float) and math.isnan(value)
