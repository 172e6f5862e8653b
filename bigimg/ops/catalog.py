"""All operations, found by looking: an operation is in the catalog because it exists."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import walk_packages
from types import ModuleType

from bigimg import ops
from bigimg.engine.faces import OperationFunction


@cache
def operations() -> dict[str, OperationFunction[...]]:
    """Return every operation of the package by its name, ``room.name``, sorted."""
    found: dict[str, OperationFunction[...]] = {}
    for module in walk_packages(ops.__path__, f"{ops.__name__}."):
        found |= operations_in(import_module(module.name))
    return dict(sorted(found.items()))


def operations_in(module: ModuleType) -> dict[str, OperationFunction[...]]:
    """Return the operations defined in ``module`` by their name."""
    return {
        value.name: value
        for value in vars(module).values()
        if isinstance(value, OperationFunction) and value.function.__module__ == module.__name__
        if not value.function.__name__.startswith("_")
    }
