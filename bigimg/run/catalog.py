"""Every operation a workflow can name: those of ``ops`` and those of ``learn``, in one mapping."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Protocol

from bigimg.core.parameters import Parameters

Kind = Literal["image", "mask", "labels", "table", "value"]
"""What a step gives and takes: pixels, a boolean image, an image of object numbers, rows, or one value."""


class Entry(Protocol):
    """What the catalogue says of an operation."""

    @property
    def name(self) -> str:
        """The full name, such as ``filters.gaussian``."""

    @property
    def parameters(self) -> Parameters:
        """The keyword parameters with their types and bounds."""

    @property
    def summary(self) -> str:
        """The first line of the documentation."""

    @property
    def doc(self) -> str:
        """The documentation."""

    @property
    def kind(self) -> str:
        """How it is computed: ``tilewise``, ``reduction`` or ``composed``."""

    @property
    def takes(self) -> Kind:
        """What its first argument must be."""

    @property
    def gives(self) -> Kind | Literal["same"]:
        """What its result is; ``same``: what went in."""


Catalog = Mapping[str, Entry]
"""Operations by their full name."""


def operations() -> Catalog:
    """Return every operation, sorted by name; importing them waits until somebody asks."""
    from bigimg.learn import catalog as learned  # noqa: PLC0415 - `bigimg --help` must not wait for scikit-learn
    from bigimg.ops import catalog  # noqa: PLC0415

    found: dict[str, Any] = {**catalog.operations(), **learned.operations()}
    return dict(sorted(found.items()))
