"""NetCDF 4 and HDF5 files, by boxes: each variable of two or more axes that are numbers is an image.

What CF says of a variable becomes what is known of its image: ``scale_factor`` and ``add_offset``, which pixels are
missing, times, the place on the Earth. Pixels are as stored. CF has several ways to say that a pixel is missing
(``_FillValue``, ``missing_value``, ``valid_min``, ``valid_max``, ``valid_range``), and here there is one: a pixel that
any of them calls missing is read as the first of these values, ``nodata``.

A file of HDF5 without CF has its datasets by their paths, with axes as NumPy's ``.npy`` files have them. Pixels in
other files (external links, virtual datasets) are not read: the digest of an image would not know of them, and a file
from anywhere could name any file of this machine. Needs h5py (``pip install "bigimg[netcdf]"``).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bigimg.core.tile import Box, box_shape
from bigimg.errors import ImageError, MissingExtraError, ReadError
from bigimg.io.readers import cf
from bigimg.io.readers.header import ImageHeader

NAME = "hdf5"
SUFFIXES: tuple[str, ...] = (".h5", ".hdf5", ".nc", ".nc4")

_HDF5 = b"\x89HDF\r\n\x1a\n"
_CLASSIC = (b"CDF\x01", b"CDF\x02", b"CDF\x05")
_MOST_OBJECTS = 100_000
_STRIP_PIXELS = 2**20
"""Of a dataset without chunks that are read together."""
_AXES = "tczyx"


@dataclass(frozen=True)
class _Variable:
    """A dataset that is an image."""

    path: str
    order: tuple[int, ...]
    """Which of its axes is each axis of the image."""
    missing: cf.Missing
    header: ImageHeader


def matches(head: bytes) -> bool:
    """Whether the file starts as those of HDF5 or of the older NetCDF do."""
    return head.startswith((_HDF5, *_CLASSIC))


def headers(path: Path) -> list[ImageHeader]:
    """Return the variables of the file that are images."""
    return [variable.header for variable in _variables(path)]


def read(path: Path, part: int, box: Box) -> NDArray[Any]:
    """Return the pixels in ``box``; only the chunks it touches are decoded."""
    variable = _variables(path)[part]
    theirs: list[slice] = [slice(0)] * len(box)
    for side, axis in zip(box, variable.order):
        theirs[axis] = side
    with _opened(path) as file:
        stored = file[variable.path]
        shape = box_shape(tuple(theirs))
        pixels = np.empty(shape, stored.dtype) if 0 in shape else stored[tuple(theirs)]
    pixels = np.ascontiguousarray(np.transpose(pixels, variable.order))
    return variable.missing.marked(pixels)


def _variables(path: Path) -> tuple[_Variable, ...]:
    stat = path.stat()
    return _found(str(path), stat.st_size, stat.st_mtime_ns)


@lru_cache(maxsize=64)
def _found(path: str, size: int, mtime_ns: int) -> tuple[_Variable, ...]:  # noqa: ARG001 - they key the cache
    where = Path(path)
    with _opened(where) as file:
        datasets = dict(_datasets(file, where))
        beside = cf.beside(file, datasets)
        images = [(name, stored) for name, stored in datasets.items() if _is_image(name, stored, beside)]
        if not images:
            there = ", ".join(list(datasets)[:8]) or "nothing"
            raise ImageError(
                f"{path} has no image: an image is a dataset of numbers with at least two axes (it has {there})"
            )
        return tuple(_variable(where, file, name, stored, part) for part, (name, stored) in enumerate(images))


def _is_image(name: str, stored: Any, beside: set[str]) -> bool:
    if stored.dtype.kind not in "biuf" or stored.ndim < 2 or name in beside or stored.is_scale:
        return False
    return sum(letter not in ("t", "c", "z") for letter in cf.letters(stored)) >= 2


def _variable(where: Path, file: Any, name: str, stored: Any, part: int) -> _Variable:
    if stored.is_virtual or stored.external:
        raise ImageError(
            f"{where}: the dataset {name} has its pixels in other files, which are not read; copy it with h5repack"
        )
    axes = _axes(where, name, stored)
    dims = tuple(axis for axis in _AXES if axis in axes)
    order = tuple(axes.index(axis) for axis in dims)
    said = cf.attributes(stored)
    missing = cf.Missing.of(said, stored.dtype)
    attrs = {**cf.image_attributes(file, stored, axes, said), **missing.attributes()}
    shape = tuple(stored.shape[axis] for axis in order)
    if axes[-1] == "c" and cf.dim_names(stored)[-1] is None:
        attrs["channel_names"] = ("red", "green", "blue", "alpha")[: stored.shape[-1]]
    texts = {key: said[key] for key in ("long_name", "units") if isinstance(said.get(key), str)}
    attrs["variable"] = {"name": name, **texts}
    chunks = _strips(shape) if stored.chunks is None else tuple(stored.chunks[axis] for axis in order)
    unit = tuple(min(chunk, max(1, size)) for chunk, size in zip(chunks, shape))
    header = ImageHeader(shape, missing.dtype, dims, unit, attrs, part, name)
    return _Variable(name, order, missing, header.checked(where))


def _axes(where: Path, name: str, stored: Any) -> list[str]:
    """Return which of ``t, c, z, y, x`` each axis of a dataset is."""
    letters = list(cf.letters(stored))
    if all(known is None for known in cf.dim_names(stored)):
        colours = stored.ndim in (3, 4) and stored.shape[-1] in (3, 4)
        plain = {2: "yx", 3: "tyx", 4: "tzyx", 5: "tczyx"}.get(stored.ndim - colours)
        if plain is None:
            raise ImageError(
                f"{where}: the dataset {name} has {stored.ndim} axes without names; an image has 5 of them at most"
            )
        return list(plain) + ["c"] * colours
    for letter in "xy":
        if letter not in letters:
            letters[max(axis for axis, known in enumerate(letters) if known == "")] = letter
    free = iter([letter for letter in "czt" if letter not in letters])
    found = [letter or next(free, "") for letter in letters]
    if "" in found or len(set(found)) < len(found):
        names = ", ".join(str(known) for known in cf.dim_names(stored))
        raise ImageError(
            f"{where}: the axes ({names}) of the variable {name} are not time, channel, z, y, x, each once at "
            "most: choose a part with ncks -d"
        )
    return found


def _strips(shape: tuple[int, ...]) -> tuple[int, ...]:
    return (*(1,) * (len(shape) - 2), max(1, _STRIP_PIXELS // max(1, shape[-1])), shape[-1])


def _datasets(file: Any, where: Path) -> Iterator[tuple[str, Any]]:
    """Yield all datasets with their paths, in the order of the file; a group that is met again is left out.

    Raises
    ------
    ReadError
        If there is a link to another file, or there are too many objects.
    """
    import h5py  # noqa: PLC0415 - an extra

    waiting, met, count = [file], set(), 0
    while waiting:
        group = waiting.pop(0)
        for name in group:
            count += 1
            if count > _MOST_OBJECTS:
                raise ReadError(f"{where} has more than {_MOST_OBJECTS:,} objects; take out what you need with h5copy")
            path = f"{group.name.rstrip('/')}/{name}"
            if isinstance(group.get(name, getlink=True), h5py.ExternalLink):
                raise ReadError(f"{where}: {path} is a link to another file, and is not followed; use h5copy")
            found = group.get(name)
            if found is None:
                continue  # a link to what is not there
            place = h5py.h5o.get_info(found.id).addr
            if place in met:
                continue
            met.add(place)
            if isinstance(found, h5py.Group):
                waiting.append(found)
            elif isinstance(found, h5py.Dataset) and found.shape is not None:
                yield path, found


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    with path.open("rb") as start:
        is_classic = start.read(4) in _CLASSIC
    if is_classic:
        raise ReadError(
            f"{path} is a NetCDF file of the classic format; only NetCDF 4 is read: convert it with nccopy -k nc4, or "
            "by xarray's open_dataset and to_netcdf"
        )
    try:
        import h5py  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise MissingExtraError(f'{path} needs h5py: pip install "bigimg[netcdf]"') from error
    with h5py.File(path, "r", locking="best-effort") as file:
        yield file
