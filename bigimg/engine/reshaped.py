"""Images of any kind made into images of another shape, as the same kind.

What an ``xarray.DataArray`` knows of its pixels goes along: its coordinate ``valid`` is warped with it, the size of a
pixel in ``attrs["scale"]`` follows the steps between pixels, and coordinates along an axis are kept where the result
still has them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from bigimg.core.warp import Warp
from bigimg.engine.kinds import Image, opened
from bigimg.engine.warp import warp_arrays, warp_whole

PER_AXIS = ("scale", "units")
"""Attributes that hold a value for each dimension."""


def warp_image(make: Callable[[tuple[int, ...], np.dtype[Any]], Warp], image: Image, ndim: int = 2) -> Image:
    """Return a warp of an image of any kind, as the same kind; lazily where the image is lazy.

    Parameters
    ----------
    make : callable
        Gives the warp for the last ``ndim`` sizes of an image and its dtype.
    image : image of any kind
        Axes before the last ``ndim`` stay as they are.
    ndim : int
        Whether planes or volumes are warped.
    """
    given = opened(image, ndim)
    warp = make(tuple(given.pixels.shape[given.pixels.ndim - ndim :]), np.dtype(given.pixels.dtype))
    pixels, valid = (warp_arrays if given.lazy else warp_whole)(warp, given.pixels, given.valid)
    if isinstance(image, xr.DataArray):
        names = moved_names(image, ndim)
        spatial = names[len(names) - ndim :]
        coords = {name: _warped_coordinate(warp, image, spatial, name) for name in image.coords if name != "valid"}
        attrs = scaled_attrs(image.attrs, spatial, warp.steps())
        return as_dataarray(pixels, valid, names, image, coords, attrs)
    return as_masked(pixels, valid)


def moved_names(image: xr.DataArray, ndim: int) -> tuple[str, ...]:
    """Return the names of an image's axes in the order of its pixels as the engine opens them."""
    names = tuple(map(str, image.dims))
    wanted = ("z", "y", "x")[3 - ndim :]
    spatial = wanted if set(wanted) <= set(names) else names[len(names) - ndim :]
    return (*(name for name in names if name not in spatial), *spatial)


def as_masked(pixels: Any, valid: Any) -> Any:
    """Return ``pixels`` masked where they are not valid, if a mask is known."""
    return pixels if valid is None else np.ma.MaskedArray(pixels, mask=~np.broadcast_to(valid, pixels.shape))


def as_dataarray(
    pixels: Any,
    valid: Any,
    names: Sequence[str],
    image: xr.DataArray,
    coords: Mapping[Any, Any],
    attrs: Mapping[str, Any],
) -> Any:
    """Return ``pixels`` with the name of ``image``, their axes in its order, and those ``coords`` that are not None."""
    known = {name: value for name, value in coords.items() if value is not None}
    if valid is not None:
        known["valid"] = (tuple(names[len(names) - valid.ndim :]), valid)
    made = xr.DataArray(pixels, dims=tuple(names), coords=known, name=image.name, attrs=dict(attrs))
    return made.transpose(*(name for name in map(str, image.dims) if name in names))


def scaled_attrs(attrs: Mapping[str, Any], names: Sequence[str], steps: Any) -> dict[str, Any]:
    """Return ``attrs`` with the sizes of pixels that are ``steps`` apart along ``names``, as :meth:`Warp.steps`."""
    scale = attrs.get("scale")
    if not isinstance(scale, Mapping) or not all(name in scale for name in names):
        return dict(attrs)
    sizes = np.array([float(scale[name]) for name in names])
    # A step along a turned axis goes along several axes of the image at once: its length is that of the sum.
    lengths = np.hypot.reduce(np.asarray(steps) * sizes[:, None], axis=0)
    return {**attrs, "scale": {**scale, **{name: float(length) for name, length in zip(names, lengths)}}}


def _warped_coordinate(warp: Warp, image: xr.DataArray, spatial: Sequence[str], name: Any) -> Any:
    """Return a coordinate of the result: as it is along other axes, warped along its own axis, or None."""
    coordinate = image.coords[name]
    touched = [dim for dim in coordinate.dims if dim in spatial]
    if not touched:
        return coordinate
    if coordinate.dims != (name,):
        return None
    found = warp.coordinate(list(spatial).index(name), coordinate.values)
    return None if found is None else (name, found)
