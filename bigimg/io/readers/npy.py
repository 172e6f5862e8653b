"""NumPy's ``.npy`` files, read through a memory map; pickled objects are refused.

A ``.npy`` file does not name its axes. They are taken to be ``(y, x)``, ``(t, y, x)`` or ``(t, z, y, x)``; a last axis
of 3 or 4 in an array of 3 or 4 axes holds colours, as in scikit-image: ``(y, x, c)`` or ``(t, y, x, c)``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy_format
from numpy.typing import NDArray

from bigimg.core.tile import Box
from bigimg.errors import ImageError, ReadError
from bigimg.io.readers.header import ImageHeader

NAME = "npy"
SUFFIXES: tuple[str, ...] = (".npy",)

_DIMS = {2: "yx", 3: "tyx", 4: "tzyx"}


def matches(head: bytes) -> bool:
    """Whether the file starts as NumPy's do."""
    return head.startswith(npy_format.MAGIC_PREFIX)


def headers(path: Path) -> list[ImageHeader]:
    """Return the one array in the file."""
    stored = _open(path)
    has_colour, dims = _axes(stored.shape, path)
    shape = _colour_first(stored.shape) if has_colour else stored.shape
    colours = {"channel_names": ("red", "green", "blue", "alpha")[: shape[dims.index("c")]]} if has_colour else {}
    chunks = tuple(1 if name in "tz" else size for name, size in zip(dims, shape))
    return [ImageHeader(shape, stored.dtype.newbyteorder("="), tuple(dims), chunks, colours).checked(path)]


def read(path: Path, part: int, box: Box) -> NDArray[Any]:  # noqa: ARG001 - a file holds one array
    """Return the pixels in ``box``; only they are read."""
    stored = _open(path)
    if _axes(stored.shape, path)[0]:
        stored = np.moveaxis(stored, -1, -3)
    return np.array(stored[box], dtype=stored.dtype.newbyteorder("="), order="C")


def _open(path: Path) -> NDArray[Any]:
    try:
        with path.open("rb") as file:
            version = npy_format.read_magic(file)
            header = npy_format.read_array_header_1_0 if version == (1, 0) else npy_format.read_array_header_2_0
            shape, fortran_order, dtype = header(file)
            offset, there = file.tell(), path.stat().st_size
    except (ValueError, OSError) as error:
        raise ReadError(f"{path} has a damaged NumPy header: {error}") from error
    if dtype.hasobject:
        raise ImageError(f"{path} holds pickled Python objects, which could run code when read; save numbers instead")
    needed = offset + int(np.prod(shape, dtype=object)) * dtype.itemsize
    if there < needed:
        raise ReadError(f"{path} is cut short: it has {there} bytes, its header promises {needed}; copy it again")
    if there > needed:
        raise ReadError(
            f"{path} has {there} bytes, and its header promises {needed}: its header is damaged, or more arrays follow "
            "the first; save each array to a file of its own"
        )
    if 0 in shape:
        return np.empty(shape, dtype)
    return np.memmap(path, dtype, "r", offset, shape, "F" if fortran_order else "C")


def _axes(shape: tuple[int, ...], path: Path) -> tuple[bool, str]:
    has_colour = len(shape) in (3, 4) and shape[-1] in (3, 4)
    plain = len(shape) - has_colour
    if plain not in _DIMS:
        raise ImageError(
            f"{path} has shape {shape}; an array without names of axes needs 2 to 4 of them, of which the last "
            "may be 3 or 4 colours: save it as OME-TIFF, which names them"
        )
    dims = _DIMS[plain]
    return has_colour, dims[:-2] + "c" + dims[-2:] if has_colour else dims


def _colour_first(shape: tuple[int, ...]) -> tuple[int, ...]:
    return (*shape[:-3], shape[-1], *shape[-3:-1])
