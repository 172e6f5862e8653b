"""Tilewise work whose tiles lie elsewhere in the image than what they are made of: resizing, turning, flipping.

A tile of the result asks for a box of the image, and gets it with the chain of operations before it; every value is
computed from the coordinates of its pixel in the whole image, so that no cutting shows.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from bigimg.core.operation import Pixels, Valid
from bigimg.core.tile import Box

Corners = NDArray[np.int64]
"""(boxes, axes): the first, or one past the last, pixel of each box along each axis."""


class Warp(ABC):
    """How an image becomes one of another shape; subclasses are frozen dataclasses of their parameters.

    All axes named here are the last ``ndim`` of the image; those before them stay as they are.
    """

    name: ClassVar[str]
    """One word for the dashboard."""
    scratch: ClassVar[int]
    """Bytes of working memory for each pixel read, beside input and output, at most."""
    input_shape: tuple[int, ...]
    output_shape: tuple[int, ...]
    fill: float = 0
    """The value of pixels that are made of none of the image."""

    @property
    def ndim(self) -> int:
        """How many of the last axes it works along."""
        return len(self.output_shape)

    @abstractmethod
    def dtype(self, given: np.dtype[Any]) -> np.dtype[Any]:
        """Return the dtype of the result for an image of dtype ``given``."""

    @abstractmethod
    def reads(self, first: Corners, last: Corners) -> tuple[Corners, Corners]:
        """Return the boxes of the image that boxes of the result are made of.

        They lie within the image; one that is empty along any axis says that nothing of the image takes part.
        """

    @abstractmethod
    def pixels(self, pixels: Pixels, valid: Valid | None, read: Box, box: Box) -> Pixels:
        """Return ``box`` of the result from ``pixels``, the box ``read`` of the image, which may be larger.

        Pixels that are not valid are 0.
        """

    @abstractmethod
    def valid(self, valid: Valid, read: Box, box: Box) -> Valid:
        """Return which pixels of ``box`` of the result count, from those that do in the box ``read`` of the image."""

    @abstractmethod
    def steps(self) -> NDArray[np.float64]:
        """Return how far one step along each axis of the result (column) goes along each of the image's (row)."""

    def coordinate(self, axis: int, values: NDArray[Any]) -> NDArray[Any] | None:  # noqa: ARG002 - most have none
        """Return the coordinates along ``axis`` of the result, from those of the image; None where there are none."""
        return None

    def source_box(self, box: Box) -> Box | None:
        """Return the box of the image that ``box`` of the result is made of; None where nothing of it takes part."""
        ends = np.array([[(side.start, side.stop) for side in box]], np.int64)
        first, last = self.reads(ends[..., 0], ends[..., 1])
        if (first >= last).any():
            return None
        return tuple(slice(start, stop) for start, stop in zip(first[0].tolist(), last[0].tolist()))

    def __str__(self) -> str:
        return f"{self.name}({' x '.join(map(str, self.input_shape))} to {' x '.join(map(str, self.output_shape))})"
