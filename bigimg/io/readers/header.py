"""What a reader knows of an image before it decodes a pixel, and what a reader is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from bigimg.core.tile import Box
from bigimg.errors import ImageError, ReadError

LARGEST_AXIS = 2**31
"""Pixels along one axis that are still believed; a longer one is a damaged or hostile header."""


@dataclass(frozen=True)
class ImageHeader:
    """One image in a file."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    dims: tuple[str, ...]
    """Those of ``t, c, z, y, x`` that exist, in this order."""
    chunks: tuple[int, ...]
    """The natural unit to read."""
    attrs: Mapping[str, Any] = field(default_factory=dict)
    """``scale`` and ``units`` an axis, ``channel_names``, ``nodata``, ``acquisition``; those that are known."""
    part: int = 0
    """Which image of the file."""
    part_name: str = ""
    """Its name in the file, where it has one."""
    files: tuple[str, ...] = ()
    """Absolute paths of the other files that it is made of, where it is one image of several files."""

    def checked(self, path: Path) -> ImageHeader:
        """Return the header, or say what makes it impossible.

        Raises
        ------
        ImageError
            If an axis has no pixels, or the pixels are not real numbers.
        ReadError
            If the header declares more than can be.
        """
        if self.dtype.kind not in "biuf" or self.dtype.itemsize > 8:
            raise ImageError(
                f"{path} has pixels of type {self.dtype}; images here are boolean, integer or floating-point numbers "
                "of at most 64 bits: convert it"
            )
        if not all(self.shape):
            raise ImageError(f"{path} has no pixels: its shape is {self.shape}")
        if max(self.shape) > LARGEST_AXIS:
            raise ReadError(f"{path} declares an impossible shape, {self.shape}: its header is damaged")
        return self


class Reader(Protocol):
    """What a module of ``bigimg.io.readers`` offers; :func:`bigimg.testing.check_reader` proves it.

    A file that is damaged is an error: a :class:`~bigimg.errors.BigimgError` that names the file, or any other
    ``Exception`` of the library that decodes it, which the caller turns into one. What is read is never less than asked
    for. No file stays open after a call; a reader that keeps some, to go on from there, says how many: ``KEEPS_OPEN``.
    """

    NAME: str
    """Name of the reader."""
    SUFFIXES: tuple[str, ...]
    """Suffixes of file names that promise such a file, in lower case."""

    def matches(self, head: bytes) -> bool:
        """Whether a file that starts with ``head`` is of this kind."""
        ...

    def headers(self, path: Path) -> list[ImageHeader]:
        """Return the images in the file, having checked cheaply that the file is whole."""
        ...

    def read(self, path: Path, part: int, box: Box) -> NDArray[Any]:
        """Return the pixels in ``box``, in the order of the header's axes and the byte order of the machine."""
        ...
