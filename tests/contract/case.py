"""What an operation must be equal to: one case of the table of references."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

INTEGERS = ("uint8", "uint16", "int16", "int32")
FLOATS = ("float32", "float64")
NUMBERS = (*INTEGERS, *FLOATS)


@dataclass(frozen=True)
class Case:
    """An operation with parameters, and what gives the same on a whole image in memory.

    A room of operations has a file ``reference_*.py`` beside this one with a list ``CASES``; every operation of the
    catalogue needs a case.
    """

    op: str
    """The full name of the operation."""
    reference: Callable[[Any], Any]
    """Takes the whole image, as the operation does, and returns what must come out."""
    params: Mapping[str, Any] = field(default_factory=dict)
    dtypes: tuple[str, ...] = ("bool", *NUMBERS)
    rtol: float = 0.0
    """How far floating point results may be off, of the largest value; 0 for equal to the bit."""
    volume: bool = False
    """Whether the image is a volume; the operation then gets ``dims="zyx"``."""
    channels: int = 0
    """How many channels the image has, before the plane; 0 for none."""
    image: Callable[[np.dtype[Any]], np.ndarray[Any, Any]] | None = None
    """Makes the image where a random one does not do."""
    wrong: str = ""
    """Where the reference itself is wrong and what proves it; such a case compares with a twin that is right."""

    def compare(self, got: Any, wanted: Any) -> None:
        """Raise where a result is another than that of the reference."""
        if isinstance(wanted, np.ndarray) and wanted.dtype.kind == "f":
            atol = self.rtol * max(1.0, float(np.abs(wanted).max(initial=0)))
            np.testing.assert_allclose(got, wanted, rtol=self.rtol, atol=atol)
        elif self.rtol:
            np.testing.assert_allclose(got, wanted, rtol=self.rtol)
        else:
            np.testing.assert_array_equal(got, wanted)

    def __str__(self) -> str:
        given = ", ".join(f"{name}={_short(value)}" for name, value in self.params.items())
        return f"{self.op}({given})" + (" of a volume" if self.volume else "")


def _short(value: Any) -> str:
    return "x".join(map(str, value.shape)) if isinstance(value, np.ndarray) else str(value)
