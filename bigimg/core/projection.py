"""Work that takes an axis away: what the planes along it have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np

from bigimg.core.operation import Pixels, Valid

State = TypeVar("State")


class Projection(ABC, Generic[State]):
    """A value for each pixel of a plane from those behind one another; subclasses are frozen dataclasses.

    ``merge`` must be associative and commutative, and its result independent of the order, as that of a reduction.
    Planes come as (K, N): K of them, with their pixels in one row.
    """

    name: ClassVar[str]
    """One word for the dashboard."""
    at_once: ClassVar[bool] = False
    """Whether all planes must come at once; ``merge`` is then not asked for."""

    @abstractmethod
    def dtype(self, given: np.dtype[Any]) -> np.dtype[Any]:
        """Return the dtype of the result for an image of dtype ``given``, or refuse that."""

    @abstractmethod
    def state_bytes(self, given: np.dtype[Any], planes: int) -> int:
        """Return the bytes of the state of so many planes, for each of their pixels."""

    @abstractmethod
    def partial(self, planes: Pixels, valid: Valid | None, first: int) -> State:
        """Return the state of planes of which the first is number ``first``."""

    @abstractmethod
    def merge(self, first: State, second: State) -> State:
        """Return the state of both."""

    @abstractmethod
    def finish(self, state: State) -> Pixels:
        """Return the values (N,); 0 where no pixel was valid."""
