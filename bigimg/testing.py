"""Prove that an operation cannot tell how an image was cut, and that a reader can be trusted. For bigimg's, and yours.

>>> import numpy as np
>>> from functools import partial
>>> import bigimg
>>> check_op(partial(bigimg.filters.median, size=3), random_image((20, 30), "uint8"))
"""

from __future__ import annotations

import gc
import pickle
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType, SimpleNamespace
from typing import Any

import dask
import dask.array as da
import numpy as np
import pandas as pd
import psutil
import xarray as xr
from numpy.typing import DTypeLike, NDArray

from bigimg.core.parameters import Parameter, Parameters, is_deferred
from bigimg.core.reduction import Reduction
from bigimg.core.tile import Chunks
from bigimg.engine.kinds import reduce
from bigimg.engine.lazy import from_store
from bigimg.errors import BigimgError, ImageError
from bigimg.io.readers import Reader
from bigimg.io.scan import read_headers
from bigimg.io.sources import DIMS, read_pixels

__all__ = [
    "check_op",
    "check_reader",
    "check_reduction",
    "example_parameters",
    "nothing_computes",
    "random_chunks",
    "random_image",
    "tilings",
]

Pixels = NDArray[Any]

DTYPES = ("bool", "uint8", "uint16", "int32", "float32")
SHAPES = ((20, 17), (1, 9), (3, 3))


def random_image(shape: Sequence[int], dtype: DTypeLike = "uint16", seed: int = 0) -> Pixels:
    """Return an image of blobs, edges, plateaus and noise over the whole range of its dtype.

    Floats lie in 0..1, integers of more than 16 bits within a hundred thousand of 0; booleans are half true.
    """
    rng = np.random.default_rng(seed)
    coarse = [max(1, -(-size // 5)) for size in shape[-2:]]
    blobs = np.kron(rng.random((*shape[:-2], *coarse)), np.ones((5, 5)))[..., : shape[-2], : shape[-1]]
    mixed = np.clip(0.8 * blobs + 0.2 * rng.random(shape), 0, 1)
    mixed[blobs > 0.9] = 1
    dtype = np.dtype(dtype)
    if dtype.kind == "b":
        return np.asarray(mixed > 0.5)
    if dtype.kind == "f":
        return mixed.astype(dtype)
    info = np.iinfo(dtype)
    low, high = max(int(info.min), -(10**5)), min(int(info.max), 10**5)
    return (np.floor(mixed * (high - low)) + low).astype(dtype)


def random_chunks(shape: Sequence[int], seed: int) -> Chunks:
    """Cut each axis at random places; tiles of one pixel are likely."""
    rng = np.random.default_rng(seed)
    chunks = []
    for size in shape:
        cuts = np.flatnonzero(rng.random(size - 1) < rng.choice([0.0, 0.1, 0.3])) + 1
        chunks.append(tuple(int(step) for step in np.diff([0, *cuts, size])))
    return tuple(chunks)


def tilings(shape: Sequence[int], seed: int = 0) -> Iterator[Chunks]:
    """Yield ways to cut an image: whole, halves, a thin last tile, rows, columns, pixels, and random ones."""
    lead, plane = tuple(shape[:-2]), tuple(shape[-2:])
    rows, columns = plane
    whole = tuple((size,) for size in lead)
    regular = [
        (rows, columns),
        (-(-rows // 2), columns),
        (max(1, rows - 1), max(1, columns - 2)),
        (1, columns),
        (rows, 1),
        (7, 5),
    ]
    if rows * columns <= 100:
        regular.append((1, 1))
    for tile in regular:
        yield da.core.normalize_chunks((*lead, *tile), (*lead, *plane))
    for number in range(3):
        yield whole + random_chunks(plane, seed + number)
    if lead:
        yield random_chunks(shape, seed)


def check_op(
    function: Callable[[Any], Any],
    image: Pixels | None = None,
    *,
    reference: Any = None,
    valid: NDArray[np.bool_] | None = None,
    chunkings: Sequence[Chunks] | None = None,
    dims: Sequence[str] | None = None,
    rtol: float = 0.0,
) -> None:
    """Check that ``function`` gives the same answer however the image is cut, and computes nothing before it is asked.

    Parameters
    ----------
    function : callable
        An operation with its parameters bound, as ``functools.partial(bigimg.filters.gaussian, sigma=2)``: an image of
        any kind in, the same kind (or a table, or a value) out.
    image : array, optional
        Small: it is cut into single rows and columns too. By default random images of several dtypes and shapes, with
        and without invalid pixels; those that the operation refuses by an ``ImageError`` are left out.
    reference : array, table or value, optional
        What the result must be equal to; by default only the result on the uncut image is compared.
    valid : boolean array, optional
        Which pixels count. The values of the others must then not matter either.
    chunkings : sequence of chunks, optional
        Ways to cut the image; by default those of :func:`tilings`.
    dims : sequence of str, optional
        Names of the axes; by default the last of ``t c z y x``, and ``c y x`` for three.
    rtol : float
        How far a floating point result may be from ``reference``; between tilings nothing is tolerated.

    Raises
    ------
    AssertionError
        Says which cutting gave another answer, or what was computed too early.
    """
    if image is None:
        _check_random(function)
        return
    whole = function(_array(image, valid))
    if reference is not None:
        _equal(_bare(whole, valid), reference, "the reference", rtol)
    if valid is not None:
        other = np.where(valid, image, np.flip(image))
        _equal(_bare(function(_array(other, valid)), valid), _bare(whole, valid), "other values of invalid pixels")
    for chunks in chunkings or list(tilings(image.shape)):
        for kind, pixels in _sources(image, chunks):
            with nothing_computes():
                result = function(_lazy(pixels, valid, dims))
            how = f"an image {kind} and cut into {_brief(chunks)}"
            _equal(_bare(_computed(result, whole), valid), _bare(whole, valid), how)


def _check_random(function: Callable[[Any], Any]) -> None:
    taken = 0
    for seed, (dtype, shape) in enumerate(product(DTYPES, SHAPES)):
        image = random_image(shape, dtype, seed)
        masks = (None, np.random.default_rng(seed).random(shape) < 0.8)
        for valid in masks:
            try:
                function(_array(image, valid))
            except ImageError:
                continue
            taken += 1
            check_op(function, image, valid=valid)
    assert taken, f"every random image was refused (dtypes {', '.join(DTYPES)}); give an image that the operation takes"


def check_reduction(
    reduction: Reduction[Any, Any], *images: Pixels, reference: Any = None, valid: NDArray[np.bool_] | None = None
) -> None:
    """Check that a reduction gives the same value however the images are cut and in any order of merging.

    Parameters
    ----------
    reduction
        With its parameters bound.
    images : arrays
        The first decides the tiles.
    reference : value, optional
        What the value must be equal to.
    valid : boolean array, optional
        Which pixels of the first image count.

    Raises
    ------
    AssertionError
        Says which cutting gave another value.
    """
    whole = reduce(reduction, _array(images[0], valid), *images[1:])
    if reference is not None:
        _equal(whole, reference, "the reference")
    for seed, chunks in enumerate(tilings(images[0].shape)):
        with nothing_computes():
            first, *others = (da.from_array(image, chunks=_fit(image, chunks)) for image in images)
            value = reduce(reduction, _lazy(first, valid), *others)
        _equal(value.compute(scheduler="sync"), whole, f"images cut into {_brief(chunks)}")
        _check_order(reduction, value, whole, seed)


def _check_order(reduction: Reduction[Any, Any], value: Any, whole: Any, seed: int) -> None:
    """Merge the states of all tiles one by one, in a random order."""
    keys = [key for key in dict(value.dask) if isinstance(key, tuple) and str(key[0]).startswith(f"{reduction.name}-")]
    states = list(dask.get(dict(value.dask), keys))
    np.random.default_rng(seed).shuffle(states)
    total = states[0]
    for state in states[1:]:
        total = reduction.merge(state, total)
    _equal(reduction.finish(total), whole, "states merged in another order")


def check_reader(reader: Reader, path: str | Path, pixels: Any = None) -> None:
    """Check that a reader keeps its word on the file at ``path``: what its headers say is what is read.

    Any box is that part of the whole; another process reads the same; headers travel to it; a file that is cut short or
    empty is refused by its name; no file is left open.

    Parameters
    ----------
    reader
        A module, or an object that can be pickled, with what :class:`bigimg.io.readers.header.Reader` names.
    path
        A small file that it reads.
    pixels : array or list of arrays, optional
        What is in the file, an array for each image, along the axes that the headers name.

    Raises
    ------
    AssertionError
        Says which promise is broken.

    Examples
    --------
    >>> import tempfile
    >>> from bigimg.io.readers import npy
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.save(f"{folder}/a.npy", np.eye(20))
    ...     check_reader(npy, f"{folder}/a.npy", pixels=np.eye(20))
    """
    path = Path(path)
    opened = _handles(path)
    with path.open("rb") as file:
        assert reader.matches(file.read(16)), f"{reader.NAME} does not know the first bytes of {path.name} as its own"
    headers = read_headers(reader, path)
    assert headers, f"{path.name} has no image; a file without one is an error"
    assert pickle.loads(pickle.dumps(headers)) == headers, "headers do not travel to another process"  # noqa: S301
    expected = [pixels] if isinstance(pixels, np.ndarray) else pixels
    wholes = []
    for number, header in enumerate(headers):
        whole = _check_image(reader, path, header)
        wholes.append(whole)
        if expected is not None:
            _equal(whole, np.asarray(expected[number]), f"image {number} of {path.name}")
    _check_elsewhere(reader, path, [header.part for header in headers], wholes)
    gc.collect()
    left = _handles(path) - opened
    assert left <= getattr(reader, "KEEPS_OPEN", 0), f"{path.name} is left open {left} times"
    _check_damage(reader, path, [file for header in headers for file in header.files])


def _check_image(reader: Reader, path: Path, header: Any) -> Pixels:
    shape, dims, chunks = header.shape, header.dims, header.chunks
    note = f"image {header.part} of {path.name}"
    assert dims == tuple(dim for dim in DIMS if dim in dims), f"{note}: axes {dims} are not in the order of {DIMS}"
    assert len(shape) == len(dims) == len(chunks), f"{note}: shape {shape}, axes {dims} and chunks {chunks} differ"
    assert all(1 <= chunk <= size for chunk, size in zip(chunks, shape)), f"{note}: chunks {chunks} of {shape}"
    whole = read_pixels(reader, path, header.part, tuple(slice(0, size) for size in shape), path.name)
    assert whole.shape == shape, f"{note} has shape {whole.shape}, its header says {shape}"
    assert whole.dtype == header.dtype, f"{note} is {whole.dtype}, its header says {header.dtype}"
    assert whole.dtype.isnative, f"{note} comes in a byte order that is not the machine's"
    assert whole.flags.writeable, f"{note} cannot be written into: what is read belongs to who reads it"
    kept = whole.copy()
    rng = np.random.default_rng(0)
    for _ in range(20):
        low = [int(rng.integers(0, size)) for size in shape]
        box = tuple(slice(start, int(rng.integers(start, size)) + 1) for start, size in zip(low, shape))
        part = read_pixels(reader, path, header.part, box, path.name)
        np.testing.assert_array_equal(part, kept[box], f"{note}: the box {box} is not that part of the whole")
        assert part.dtype == header.dtype, f"{note}: the box {box} is {part.dtype} instead of {header.dtype}"
        part[...] = 0
    return kept


_ELSEWHERE = """
import importlib, pickle, sys
from hashlib import sha256
sys.path[:], reader, path, parts = pickle.loads(sys.stdin.buffer.read())
reader = importlib.import_module(reader) if isinstance(reader, str) else pickle.loads(reader)
for header in reader.headers(path):
    if header.part in parts:
        pixels = reader.read(path, header.part, tuple(slice(0, size) for size in header.shape))
        print(sha256(pixels.tobytes()).hexdigest())
"""


def _check_elsewhere(reader: Reader, path: Path, parts: list[int], wholes: list[Pixels]) -> None:
    """Read the file in a process that knows nothing but its path."""
    who = reader.__name__ if isinstance(reader, ModuleType) else pickle.dumps(reader)
    asked = pickle.dumps((sys.path, who, path, parts))
    done = subprocess.run([sys.executable, "-c", _ELSEWHERE], input=asked, capture_output=True, check=False)  # noqa: S603
    assert not done.returncode, f"another process cannot read {path.name}: {done.stderr.decode()[-500:]}"
    wanted = [sha256(whole.tobytes()).hexdigest() for whole in wholes]
    assert done.stdout.decode().split() == wanted, f"another process reads other pixels of {path.name}"


def _check_damage(reader: Reader, path: Path, others: Sequence[str]) -> None:
    data = path.read_bytes()
    with TemporaryDirectory() as folder:
        for other in {*others} - {str(path)}:
            shutil.copy(other, Path(folder) / Path(other).name)
        cut = Path(folder) / path.name
        for part in (0.99, 0.9, 0.6, 0.3, 0.02, 0.0):
            cut.write_bytes(data[: int(len(data) * part)])
            with _refused(cut, f"with {part:.0%} of its bytes"):
                for header in read_headers(reader, cut):
                    read_pixels(reader, cut, header.part, tuple(slice(0, size) for size in header.shape), cut.name)


@contextmanager
def _refused(path: Path, how: str) -> Iterator[None]:
    try:
        yield
    except BigimgError as error:
        assert path.name in str(error), f"the error for {path.name} {how} does not name it: {error}"  # noqa: PT017
    else:
        raise AssertionError(f"{path.name} {how} is read as if it were whole")


def _handles(path: Path) -> int:
    """Return how often this process has the file open."""
    return sum(Path(each.path) == path.resolve() for each in psutil.Process().open_files())


@contextmanager
def nothing_computes() -> Iterator[None]:
    """Raise where a lazy array is computed within the block."""

    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("a lazy image was computed before it was asked for")

    with dask.config.set(scheduler=refuse):
        yield


def example_parameters(parameters: Parameters) -> dict[str, Any]:
    """Return a value for each parameter that needs one, found from its type and bounds."""
    either = {"size"} if {"size", "footprint"} <= set(parameters) else set()  # one of the two must be given
    wanted = [parameter for name, parameter in parameters.items() if parameter.required or name in either]
    return {parameter.name: _example(parameter) for parameter in wanted}


def _example(parameter: Parameter) -> Any:
    # A window of 1 would see nothing, and there are few channels.
    known = [value for name, value in (("size", 3), ("window_size", 3), ("indices", (2, 0))) if name == parameter.name]
    for value in (*known, 0.4, 1.5, 1, 3, 5, {"disk": 2}, [[0, 1, 0], [1, 1, 1]], [9, 7], (0.2, 0.3, 0.4), "yx", "c"):
        try:
            return parameter.validate(value, "example")
        except ValueError:
            continue
    raise AssertionError(f"no example is known for parameter {parameter.name}; give it a default or a known type")


class _Store:
    """Pixels behind ``[]``, as a file has them."""

    def __init__(self, pixels: Pixels) -> None:
        self._pixels, self.shape, self.dtype = pixels, pixels.shape, pixels.dtype

    def __getitem__(self, box: Any) -> Pixels:
        return self._pixels[box]

    def __dask_tokenize__(self) -> object:
        return self._pixels.tobytes(), self.shape, self.dtype.str


def _sources(image: Pixels, chunks: Chunks) -> Iterator[tuple[str, da.Array]]:
    yield "in memory", da.from_array(image, chunks=chunks)
    yield (
        "computed before",
        da.from_array(image, chunks=chunks).map_blocks(
            np.copy, dtype=image.dtype, meta=np.empty((0,) * image.ndim, image.dtype)
        ),
    )
    if all(len(set(sizes[:-1])) <= 1 and sizes[-1] <= sizes[0] for sizes in chunks):
        yield "read from a store", from_store(_Store(image), [sizes[0] for sizes in chunks])


def _array(image: Pixels, valid: NDArray[np.bool_] | None) -> Any:
    return image if valid is None else np.ma.MaskedArray(image, mask=~valid)


def _lazy(pixels: da.Array, valid: NDArray[np.bool_] | None, dims: Sequence[str] | None = None) -> xr.DataArray:
    dims = tuple(dims or (("c", "y", "x") if pixels.ndim == 3 else ("t", "c", "z", "y", "x")[-pixels.ndim :]))
    coords = {} if valid is None else {"valid": (dims[-valid.ndim :], valid)}
    return xr.DataArray(pixels, dims=dims, coords=coords)


def _fit(image: Pixels, chunks: Chunks) -> Chunks:
    more = image.ndim - len(chunks)
    return tuple((size,) for size in image.shape[:more]) + chunks


def _computed(result: Any, whole: Any) -> Any:
    if isinstance(result, xr.DataArray):
        assert result.chunks is not None, "a lazy image gave a result in memory"
        if isinstance(whole, np.ma.MaskedArray) and "valid" in result.coords:
            pixels, valid = dask.compute(result.data, result.coords["valid"].data, scheduler="sync")
            return np.ma.MaskedArray(pixels, mask=~np.broadcast_to(valid, pixels.shape))
        return result.data.compute(scheduler="sync")
    assert is_deferred(result), "a lazy image gave a result in memory"
    return result.compute(scheduler="sync")


def _bare(result: Any, valid: NDArray[np.bool_] | None) -> Any:
    if valid is None or not isinstance(result, np.ndarray) or result.ndim < 2:
        return result
    data = np.ma.getdata(result)
    known = valid if valid.ndim <= data.ndim else valid.all(axis=0)
    counts = ~np.ma.getmaskarray(result) if isinstance(result, np.ma.MaskedArray) else known
    if counts.shape != known.shape or (counts != known).any():
        # What counts has moved with the pixels, and must be as equal as they are.
        return SimpleNamespace(pixels=np.where(counts, data, np.zeros((), data.dtype)), valid=counts)
    return np.where(known, data, np.zeros((), data.dtype))


def _equal(got: Any, expected: Any, how: str, rtol: float = 0.0) -> None:
    note = f"another answer for {how}"
    if isinstance(expected, pd.DataFrame):
        pd.testing.assert_frame_equal(got, expected, check_exact=not rtol, rtol=rtol or 1e-5, obj=note)
    elif isinstance(expected, np.ndarray):
        assert got.dtype == expected.dtype or rtol, f"{note}: dtype {got.dtype} instead of {expected.dtype}"
        if rtol:
            np.testing.assert_allclose(
                got, expected, rtol=rtol, atol=rtol * max(1, float(np.abs(expected).max())), err_msg=note
            )
        else:
            np.testing.assert_array_equal(got, expected, err_msg=note)
    elif hasattr(expected, "__dict__"):
        for name, value in vars(expected).items():
            _equal(getattr(got, name), value, f"{how} ({name})", rtol)
    else:
        assert got == expected or (got != got and expected != expected), f"{note}: {got} instead of {expected}"  # noqa: PLR0124


def _brief(chunks: Chunks) -> str:
    return " x ".join(str(sizes if len(sizes) < 6 else f"{sizes[:4]}...{sizes[-1]}") for sizes in chunks)
