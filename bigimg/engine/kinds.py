"""The kinds of array an operation takes. What goes in comes out: NumPy, masked NumPy, Dask, xarray.

========================  =======================================  ==========================
kind                      is computed                              which pixels count
========================  =======================================  ==========================
``numpy.ndarray``         at once                                  all
``numpy.ma.MaskedArray``  at once                                  those not masked
``dask.array.Array``      when asked for                           all
``xarray.DataArray``      as the array it holds                    its coordinate ``valid``
========================  =======================================  ==========================

The plane is the last two axes, or the dimensions named ``y`` and ``x``; the volume is the last three, or ``z``, ``y``,
``x``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import dask.array as da
import numpy as np
import xarray as xr

from bigimg.core.finite import pointwise
from bigimg.core.lengths import Physical, pixel_spacing
from bigimg.core.operation import Chain, Operation
from bigimg.core.reduction import Gather, Reduction
from bigimg.core.tile import Chunks
from bigimg.engine.gather import gather_arrays, gather_whole
from bigimg.engine.joined import join_arrays
from bigimg.engine.lazy import apply, check_shape, checked, native
from bigimg.engine.reduce import reduce_arrays, reduce_whole
from bigimg.errors import ImageError

Image = TypeVar("Image", bound="np.ndarray[Any, Any] | da.Array | xr.DataArray")
"""An image of any kind."""

CHANNEL = "c"
PLANE = ("y", "x")
VOLUME = ("z", "y", "x")
MOST_BYTES = 8
"""How wide a pixel may be: no kernel is exact for the 80 bits of a long double."""


@dataclass(frozen=True)
class Opened:
    """An image of any kind as an array whose last axes are the plane or the volume."""

    pixels: Any
    """A NumPy or a Dask array."""
    valid: Any
    """The pixels that count, of the same kind, or None for all."""
    close: Callable[[Any], Any]
    """Gives pixels back as the kind of image that came in."""
    names: tuple[str, ...] = ()
    """What the axes of the pixels are called, where they have names."""

    @property
    def lazy(self) -> bool:
        """Whether nothing may be computed yet."""
        return isinstance(self.pixels, da.Array)


def opened(image: Any, ndim: int = 2, axes: Sequence[str] | None = None, *, drops_channels: bool = False) -> Opened:
    """Return ``image`` as pixels with the plane (or volume) last, and the way back.

    ``axes`` are the names of the last ``ndim`` axes where they are others than those of the plane or the volume.

    Raises
    ------
    ImageError
        If it is no array, has too few axes or an axis of no pixels, or a dtype that is no number.
    """
    if isinstance(image, xr.DataArray):
        return _opened_xarray(image, tuple(axes or (VOLUME if ndim == 3 else PLANE)), drops_channels=drops_channels)
    if isinstance(image, np.ma.MaskedArray):
        _check(image, ndim)
        mask = ~np.ma.getmaskarray(image)
        after = mask.all(axis=-3) if drops_channels else mask

        def masked(pixels: Any) -> Any:
            return np.ma.MaskedArray(pixels, mask=~after)

        return Opened(image.data, mask, masked)
    if isinstance(image, da.Array):
        _check(image, ndim)
        if isinstance(image._meta, np.ma.MaskedArray):  # noqa: SLF001 - Dask has no public name for it
            raise ImageError(
                "a Dask array of masked arrays: give an xarray.DataArray with a coordinate 'valid' instead"
            )
        return Opened(image, None, lambda pixels: pixels)
    if not isinstance(image, np.ndarray):
        raise ImageError(
            f"an image is a numpy.ndarray, a dask.array.Array or an xarray.DataArray (got {type(image).__name__}); "
            "convert it with numpy.asarray(image)"
        )
    # A numpy.matrix stays two-dimensional when it is indexed, and compiled loops know no subclasses.
    image = np.asarray(image)
    _check(image, ndim)
    return Opened(image, None, lambda pixels: pixels)


def _opened_xarray(image: xr.DataArray, wanted: tuple[str, ...], *, drops_channels: bool) -> Opened:
    ndim = len(wanted)
    names = tuple(map(str, image.dims))
    spatial = wanted if set(wanted) <= set(names) else names[len(names) - ndim :]
    missing = [name for name in wanted if name not in names]
    if ndim > 2 and "y" in names and missing:
        raise ImageError(
            f"dims={''.join(wanted)!r} needs an image with a dimension named {missing[0]} (got {', '.join(names)})"
        )
    lead = tuple(name for name in names if name not in spatial)
    if drops_channels:
        if CHANNEL not in lead:
            raise ImageError(f"this operation needs a dimension named {CHANNEL!r} (got {', '.join(names)})")
        lead = (*(name for name in lead if name != CHANNEL), CHANNEL)
    moved = image.transpose(*lead, *spatial)
    _check(moved, ndim)
    valid = image.coords.get("valid")
    mask = None
    if valid is not None:
        order = [name for name in (*lead, *spatial) if name in valid.dims]
        expanded = valid.transpose(*order)
        if tuple(order) not in {spatial, (*lead, *spatial)}:
            raise ImageError(
                f"the coordinate 'valid' needs the dimensions {', '.join(spatial)}, or all of the image's "
                f"(got {', '.join(map(str, valid.dims))})"
            )
        mask = expanded.data.astype(bool)
        if isinstance(moved.data, da.Array) and not isinstance(mask, da.Array):
            mask = da.from_array(mask, chunks=moved.data.chunks[len(moved.dims) - mask.ndim :])
        elif not isinstance(moved.data, da.Array):
            mask = np.broadcast_to(np.asarray(mask), moved.shape)
    frame = moved.isel({CHANNEL: 0}, drop=True) if drops_channels else moved
    if drops_channels and valid is not None and CHANNEL in valid.dims:
        frame = frame.assign_coords(valid=valid.all(CHANNEL))  # a pixel counts where it does in all channels
    back = [name for name in names if name != CHANNEL or not drops_channels]

    def close(pixels: Any) -> xr.DataArray:
        return frame.copy(data=pixels).transpose(*back)

    return Opened(moved.data, mask, close, tuple(map(str, moved.dims)))


def _check(image: Any, ndim: int) -> None:
    check_shape(image.shape)
    if image.ndim < ndim:
        raise ImageError(f"working along {ndim} axes needs an image of at least {ndim} axes (got shape {image.shape})")
    if image.dtype.kind not in "biuf":
        raise ImageError(f"the pixels of an image are booleans, integers or floating point numbers (got {image.dtype})")
    if image.dtype.itemsize > MOST_BYTES:
        raise ImageError(f"the pixels of an image have at most 64 bits (got {image.dtype}); convert it to float64")


def apply_to(operation: Operation, image: Image) -> Image:
    """Return ``operation`` on an image of any kind, as the same kind."""
    operation = operation.with_values(resolved(operation.params, image, operation.ndim, operation.spec.name))
    given = opened(image, operation.ndim, drops_channels=operation.spec.drops_channels)
    operation.dtype(given.pixels.dtype)  # refuses a dtype the operation does not take
    _ = operation.halo  # refuses a window that no tile could hold
    if given.lazy:
        return given.close(apply(operation, given.pixels, given.valid))
    if any(hasattr(value, "compute") for value in operation.deferred.values()):
        operation = operation.with_values({name: value.compute() for name, value in operation.deferred.items()})
    pixels = checked(native(given.pixels), given.valid, "image")
    return given.close(Chain((operation,))(pixels, given.valid))


def resolved(params: Mapping[str, Any], image: Any, ndim: int, owner: str) -> dict[str, Any]:
    """Return those of ``params`` that are physical lengths as pixels of ``image``.

    Raises
    ------
    ImageError
        If the image does not say how large its pixels are.
    """
    found = {}
    for name, value in params.items():
        if isinstance(value, Physical):
            attrs = image.attrs if isinstance(image, xr.DataArray) else {}
            found[name] = value.in_pixels(pixel_spacing(attrs, (VOLUME if ndim == 3 else PLANE), f"{owner}: {name}"))
    return found


def reduce(reduction: Reduction[Any, Any], image: Any, *others: Any, ndim: int = 2) -> Any:
    """Return the value of ``reduction`` over an image and others of its shape.

    At once for arrays in memory; a ``dask.delayed.Delayed`` if any of them is lazy. ``others`` may have more axes
    before the plane than the first image; they come to ``partial`` whole along these. A pixel counts where it counts in
    every image.
    """
    given = [opened(each, ndim) for each in (image, *others)]
    if not any(each.lazy for each in given):
        return reduce_whole(reduction, [each.pixels for each in given], [each.valid for each in given])
    return reduce_arrays(reduction, *_all_lazy(given))


def gather(work: Gather[Any, Any, Any], image: Image, *others: Any, ndim: int = 2) -> Image:
    """Return the pixels of ``work`` on an image of any kind and others of its shape, as the kind of the first.

    Each plane of a stack is gathered by itself. Lazily if any of them is lazy. A pixel counts where it counts in every
    image.
    """
    given = [opened(each, ndim) for each in (image, *others)]
    result: Any
    if not any(each.lazy for each in given):
        result = gather_whole(work, [each.pixels for each in given], ndim, [each.valid for each in given])
    else:
        arrays, valid = _all_lazy(given)
        result = gather_arrays(work, arrays, ndim, valid)
    return _valid_where(result, given)


def combine_images(function: Callable[..., Any], image: Image, *others: Any, dtype: Any = None, ndim: int = 2) -> Image:
    """Return ``function`` of the pixels at the same place in several images, as the kind of the first.

    Lazily if any of them is lazy: the chains of all run in one task a tile, and so does what follows.

    Parameters
    ----------
    function : callable
        ``(pixels, *pixels) -> pixels`` of the shape of the first; of a module, or a ``functools.partial`` of one, so
        that tasks can carry it. Each pixel must depend on those at its place alone.
    image, others : images of any kind
        The others have the shape of the first, or of its last axes, as a flat field that all frames share.
    dtype : dtype, optional
        Of the result; by default that of the first image.
    ndim : int
        How many of the last axes are spatial.

    Returns
    -------
    image of the kind of the first
        A pixel counts where it counts in every image.

    Raises
    ------
    ImageError
        If the shapes do not fit.
    """
    given = [opened(each, ndim) for each in (image, *others)]
    first = given[0].pixels
    for each in given:
        if each.pixels.shape != first.shape[first.ndim - each.pixels.ndim :]:
            raise ImageError(
                f"images that are used together need one shape, or the last axes of the first (got {first.shape} and "
                f"{each.pixels.shape})"
            )
    wanted = np.dtype(dtype or first.dtype)
    if any(each.lazy for each in given):
        arrays, masks = _all_lazy(given)
        result: Any = join_arrays(function, arrays, wanted, masks)
    else:
        pixels = [checked(native(each.pixels), each.valid, "image") for each in given]
        result = pointwise(function, *pixels, dtype=wanted)
    return _valid_where(result, given)


def _lazy(array: Any, chunks: Chunks) -> da.Array:
    """Return ``array`` as a lazy array whose last axes are cut as those of ``chunks``, where it is in memory."""
    if isinstance(array, da.Array):
        return array
    known = chunks[max(0, len(chunks) - array.ndim) :]
    return da.from_array(array, chunks=tuple((size,) for size in array.shape[: array.ndim - len(known)]) + known)


def _valid_where(pixels: Any, given: Sequence[Opened]) -> Any:
    """Return ``pixels`` as an image of the kind of the first, with the masks of all."""
    result = given[0].close(pixels)
    if all(each.valid is None for each in given[1:]):
        return result
    total = given[0].valid
    for each in given[1:]:
        if each.valid is not None:
            total = each.valid if total is None else total & each.valid
    if isinstance(result, xr.DataArray):
        return result.assign_coords(valid=(given[0].names[len(given[0].names) - total.ndim :], total))
    if isinstance(result, np.ndarray):
        return np.ma.MaskedArray(np.ma.getdata(result), mask=~np.broadcast_to(total, result.shape))
    raise ImageError("a Dask array cannot say which pixels are valid: give the first image as an xarray.DataArray too")


def _all_lazy(given: Sequence[Opened]) -> tuple[list[da.Array], list[da.Array | None]]:
    """Return the pixels and the masks of all, lazily, where at least one is lazy."""
    chunks = next(each.pixels.chunks for each in given if each.lazy)
    masks = [None if each.valid is None else _lazy(each.valid, chunks) for each in given]
    return [_lazy(each.pixels, chunks) for each in given], masks
