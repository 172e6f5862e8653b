"""Workflows: named steps of known operations and their parameters, as YAML and as a Python value, without loss."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, get_args

from bigimg import shipped
from bigimg.errors import WorkflowError, suggestion
from bigimg.run import catalog as catalogs
from bigimg.run import yaml
from bigimg.run.catalog import Catalog
from bigimg.run.steps import INPUT, RESERVED, Places, Step, default_keep, resolve
from bigimg.run.yaml import Node

OnError = Literal["fail", "skip"]
"""What a run does with an item that cannot be read or processed."""

KEYS = ("name", "description", "on_error", "tile", "nodata", "steps")
"""The keys of a workflow file."""


@dataclass(frozen=True)
class Workflow:
    """What is done to every image of a collection. Made by :meth:`load`, :meth:`parse` or :meth:`of`, which check it.

    Examples
    --------
    >>> from bigimg.run.steps import Step
    >>> workflow = Workflow.of("cells", [Step(op="threshold.otsu"), Step(op="measure.label")])
    >>> Workflow.parse(workflow.dump()) == workflow
    True
    """

    name: str
    steps: tuple[Step, ...]
    description: str = ""
    on_error: OnError = "fail"
    tile: int | None = None
    """Edge of a tile in pixels; None lets the plan choose. It changes no result."""
    nodata: float | None = None
    """The value of pixels that are none, in images that name no such value themselves."""

    @classmethod
    def load(cls, path_or_name: str | Path, catalog: Catalog | None = None) -> Workflow:
        """Read a workflow file, or the workflow of that name in ``./workflows`` or among the shipped ones.

        Raises
        ------
        WorkflowError
            If the file says something impossible: ``file:line:column``, what is wrong, and what would be right.
        UnknownNameError
            If there is no such file.
        """
        path = shipped.find("workflows", str(path_or_name))
        return _read(yaml.load(path), catalogs.operations() if catalog is None else catalog)

    @classmethod
    def parse(cls, text: str, source: str = "<string>", catalog: Catalog | None = None) -> Workflow:
        """Read a workflow from ``text``; ``source`` names it in errors. Raises as :meth:`load` does."""
        return _read(yaml.parse(text, source), catalogs.operations() if catalog is None else catalog)

    @classmethod
    def of(
        cls,
        name: str,
        steps: Iterable[Step],
        *,
        description: str = "",
        on_error: OnError = "fail",
        tile: int | None = None,
        nodata: float | None = None,
        catalog: Catalog | None = None,
    ) -> Workflow:
        """Return the workflow of these steps, filled in and checked as one from a file is."""
        steps = tuple(steps)
        found = catalogs.operations() if catalog is None else catalog
        for key, problem in _problems(name, description, on_error, tile, nodata):
            raise WorkflowError(f"{key} {problem}")
        if not steps:
            raise WorkflowError("steps must hold at least one step")
        return cls(name, resolve(steps, found, Places()), description, on_error, tile, nodata)

    def dump(self) -> str:
        """Return the workflow as YAML; what is the default is left out. :meth:`parse` gives back an equal workflow."""
        data: dict[str, Any] = {"name": self.name}
        if self.description:
            data["description"] = self.description
        if self.on_error != "fail":
            data["on_error"] = self.on_error
        if self.tile is not None:
            data["tile"] = self.tile
        if self.nodata is not None:
            data["nodata"] = self.nodata
        before = INPUT
        data["steps"] = []
        for index, step in enumerate(self.steps):
            data["steps"].append(_short(step, before, last=index == len(self.steps) - 1))
            before = step.name
        return yaml.dump(data)

    @cached_property
    def sha256(self) -> str:
        """The digest of what decides the results: the steps and ``on_error``, however they were written down."""
        steps = [
            {"op": step.op, "name": step.name, "from": step.source, "keep": step.keep, "params": dict(step.params)}
            for step in self.steps
        ]
        missing = {} if self.nodata is None else {"nodata": self.nodata}
        canonical = json.dumps(
            {"on_error": self.on_error, "steps": steps, **missing}, sort_keys=True, separators=(",", ":")
        )
        return hashlib.sha256(canonical.encode()).hexdigest()

    def __hash__(self) -> int:
        return hash(self.sha256)

    def __str__(self) -> str:
        return f"{self.name}: " + " -> ".join(step.name for step in self.steps)


def _short(step: Step, before: str, *, last: bool) -> dict[str, Any]:
    written: dict[str, Any] = {}
    if step.name != step.op.rpartition(".")[2]:
        written["name"] = step.name
    written["op"] = step.op
    if step.source != before:
        written["from"] = step.source
    written.update(step.params)
    if step.keep != default_keep(step.kind, last):
        written["keep"] = step.keep
    return written


def _read(node: Node, catalog: Catalog) -> Workflow:
    top = node.mapping("a workflow")
    for key in top:
        if key not in KEYS:
            raise node.keys[key].error(f"unknown key {key!r}; {suggestion(key, KEYS)}")
    for key in ("name", "steps"):
        if key not in top:
            raise node.position.error(f"a workflow needs {key!r}")
    values = {key: top[key].plain() for key in KEYS[:-1] if key in top}
    values = {"description": "", "on_error": "fail", "tile": None, "nodata": None, **values}
    for key, problem in _problems(**values):
        raise top[key].position.error(f"{key} {problem}")
    nodes = top["steps"].sequence("steps")
    if not nodes:
        raise top["steps"].position.error("steps must hold at least one step")
    steps = tuple(_draft(index, step) for index, step in enumerate(nodes))
    return Workflow(steps=resolve(steps, catalog, Places(nodes)), **values)


def _draft(index: int, node: Node) -> Step:
    label = f"steps[{index}]"
    values: Mapping[str, Node] = node.mapping(label)
    if "op" not in values:
        raise node.position.error(f"{label} needs op: the name of an operation, such as filters.gaussian")
    words = {key: values[key].text(f"{label}.{key}") for key in ("op", "name", "from") if key in values}
    for key, word in words.items():
        if not word:
            raise values[key].position.error(f"{label}.{key} is empty")
    keep = values["keep"].plain() if "keep" in values else None
    if "keep" in values and not isinstance(keep, bool):
        raise values["keep"].position.error(f"{label}.keep must be true or false (got {values['keep'].described})")
    params = {key: value.plain() for key, value in values.items() if key not in RESERVED}
    return Step(op=words["op"], name=words.get("name", ""), source=words.get("from", ""), params=params, keep=keep)


def _problems(
    name: object, description: object, on_error: object, tile: object, nodata: object
) -> Iterable[tuple[str, str]]:
    if not isinstance(name, str) or not name.strip():
        yield "name", f"must be text (got {name!r})"
    if not isinstance(description, str):
        yield "description", f"must be text (got {description!r})"
    if on_error not in get_args(OnError):
        yield "on_error", f"must be 'fail' or 'skip' (got {on_error!r})"
    if tile is not None and (not isinstance(tile, int) or isinstance(tile, bool) or tile < 1):
        yield "tile", f"must be a whole number of pixels, at least 1 (got {tile!r})"
    if nodata is not None and (not isinstance(nodata, int | float) or isinstance(nodata, bool)):
        yield "nodata", f"must be a number (got {nodata!r})"
