"""Equalisation of the histograms of the regions of an image."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from math import prod
from typing import Annotated, Any, ClassVar

import numpy as np
from annotated_types import Ge, Le
from numpy.typing import NDArray
from pydantic import Strict

from bigimg.core.operation import Pixels, Valid
from bigimg.core.parameters import Dims
from bigimg.core.reduction import Reduction
from bigimg.core.tile import Box, Tile
from bigimg.engine.faces import composed, tilewise
from bigimg.engine.kinds import opened, reduce
from bigimg.errors import ParameterError
from bigimg.kernels import clahe as kernel
from bigimg.kernels import histogram, intensity
from bigimg.kernels.planes import smoothed_dtype

MOST_BYTES = 2**29
"""All histograms of an image may take this much memory."""

Width = Annotated[int, Ge(1), Le(10**6)]
"""Of a region in pixels; those of a volume of this width can be counted in 64 bits."""

Plane = tuple[int, ...]
"""Which plane (or volume) of a stack: its index along the leading axes."""

Ends = Mapping[Plane, tuple[Any, Any]]
"""The smallest and the largest valid grey value of each plane that has one."""


@composed(takes="image", gives="image")
def equalize_adapthist(
    image: Any,
    *,
    kernel_size: Width | Annotated[tuple[Width, ...], Strict(False)] | None = None,
    clip_limit: Annotated[float, Ge(0), Le(1)] = 0.01,
    nbins: Annotated[int, Ge(1), Le(2**16)] = 256,
    dims: Dims = "yx",
) -> Any:
    """Equalise the histogram around each pixel, with limited contrast (CLAHE, Zuiderveld 1994).

    Parameters
    ----------
    image : array of any kind
        Floats from -1 to 1; integers count as parts of the range of their dtype.
    kernel_size : int or sequence of int
        Height and width of the regions whose histograms are equalised; by default an eighth of the image. It may be
        larger than the image, which is then mirrored into it.
    clip_limit : float
        Part of the pixels of a region, from 0 to 1, that one bin may hold; less gives less contrast. 0 and 1 set no
        limit.
    nbins : int
        Bins of a histogram.
    dims : {"yx", "zyx"}
        Equalise each plane by itself, or the volume, with ``kernel_size`` for depth, height and width.

    Returns
    -------
    array of the same kind and shape, float32 for float32 images, else float64
        From 0 to 1. Regions are counted from the first pixel of the image, wherever it is cut. Pixels that are not
        valid are not counted; a region without any valid pixel leaves its share to its neighbours.

    Raises
    ------
    ImageError
        If floats leave -1..1.
    ParameterError
        If the regions are so many that their histograms take more than 512 MiB.

    Notes
    -----
    Equal to ``skimage.exposure.equalize_adapthist`` of each plane (volume), to the bit. Colours are not converted:
    each channel is a plane. As there, grey values first become 16 bits by ``skimage.util.img_as_uint``: of integers of
    32 bits the upper half, so that one which fills little of that range should be given to
    :func:`rescale_intensity` first.

    References
    ----------
    K. Zuiderveld, Contrast limited adaptive histogram equalization, Graphics Gems IV (1994).

    Examples
    --------
    >>> import numpy as np
    >>> faint = np.tile([[0.1, 0.1, 0.12, 0.12, 0.1, 0.9]], (6, 1))
    >>> equalize_adapthist(faint, kernel_size=3, clip_limit=1.0)[0].round(2)
    array([0.4, 0.4, 1. , 0.8, 0. , 1. ])
    """
    ndim = len(dims)
    shape = opened(image, ndim).pixels.shape
    spatial = shape[len(shape) - ndim :]
    if kernel_size is None:
        widths = tuple(max(size // 8, 1) for size in spatial)
    elif isinstance(kernel_size, int):
        widths = (kernel_size,) * ndim
    else:
        widths = kernel_size
    if len(widths) != ndim:
        raise ParameterError(
            f"exposure.equalize_adapthist: kernel_size needs {ndim} numbers for dims={dims!r} (got {kernel_size})"
        )
    axes = tuple(kernel.Regions(size, width) for size, width in zip(spatial, widths))
    needed = prod(shape[: len(shape) - ndim]) * prod(axis.count for axis in axes) * nbins * 8
    if needed > MOST_BYTES:
        raise ParameterError(
            f"exposure.equalize_adapthist: the histograms of regions of {widths} pixels take {needed:,} bytes, more "
            f"than {MOST_BYTES:,}; choose a larger kernel_size, or fewer bins than {nbins}"
        )
    ends = reduce(PlaneEnds(ndim), image, ndim=ndim)
    curves = reduce(RegionCurves(axes, clip_limit, nbins, ends), image, ndim=ndim)
    levels = _adapt(image, ends=ends, curves=curves, axes=axes, nbins=nbins, dims=dims)
    dtype = smoothed_dtype(opened(image, ndim).pixels.dtype)
    return _spread(levels, ends=reduce(PlaneEnds(ndim), levels, ndim=ndim), dtype=dtype.name, dims=dims)


@dataclass(frozen=True)
class PlaneEnds(Reduction[Ends, Ends]):
    """The smallest and the largest valid grey value of each plane or volume."""

    ndim: int
    name: ClassVar[str] = "extrema"

    def partial(self, tile: Tile, *images: Pixels, valid: Valid | None = None) -> Ends:
        """Return the extrema of the planes of one tile."""
        found = {}
        for plane, index in _planes(images[0], tile.write, self.ndim):
            ends = histogram.extrema(images[0][index], None if valid is None else valid[index])
            if ends is not None:
                found[plane] = ends
        return found

    def merge(self, first: Ends, second: Ends) -> Ends:
        """Return the extrema of both."""
        both = {**first, **second}
        for plane in first.keys() & second.keys():
            (low, high), (bottom, top) = first[plane], second[plane]
            both[plane] = min(low, bottom), max(high, top)
        return both

    def finish(self, state: Ends) -> Ends:
        """Return the extrema."""
        return state


Counts = Mapping[tuple[Plane, tuple[int, ...]], NDArray[np.int64]]
"""The histogram of each plane and region."""

Curves = Mapping[Plane, tuple[NDArray[np.uint16], NDArray[np.bool_]]]
"""The curves of all regions of a plane, and which of them have a valid pixel."""


@dataclass(frozen=True)
class RegionCurves(Reduction[Counts, Curves]):
    """The curves that equalise the regions of each plane or volume."""

    axes: tuple[kernel.Regions, ...]
    clip_limit: float
    nbins: int
    ends: Any
    name: ClassVar[str] = "regions"

    def partial(self, tile: Tile, *images: Pixels, valid: Valid | None = None) -> Counts:
        """Return what one tile adds to the histograms."""
        found: dict[tuple[Plane, tuple[int, ...]], NDArray[np.int64]] = {}
        origin = tile.origin[len(tile.origin) - len(self.axes) :]
        for plane, index in _planes(images[0], tile.write, len(self.axes)):
            if plane in self.ends:
                low, high = self.ends[plane]
                levels = kernel.gray_levels(images[0][index], low, high, self.nbins)
                mask = None if valid is None else valid[index]
                counts = kernel.count_regions(levels, self.axes, origin, self.nbins, mask)
                found |= {(plane, region): count for region, count in counts.items()}
        return found

    def merge(self, first: Counts, second: Counts) -> Counts:
        """Return the histograms of both."""
        both = {**first, **second}
        for region in first.keys() & second.keys():
            both[region] = first[region] + second[region]
        return both

    def finish(self, state: Counts) -> Curves:
        """Return the curves."""
        grid = tuple(axis.count for axis in self.axes)
        planes = {plane for plane, _ in state}
        curves = {plane: (np.zeros((*grid, self.nbins), np.uint16), np.zeros(grid, bool)) for plane in planes}
        for (plane, region), counts in state.items():
            levels, filled = curves[plane]
            levels[region], filled[region] = kernel.curve(counts, self.clip_limit), True
        return curves


@tilewise(dtype="uint16", scratch=6)
def _adapt(
    image: Pixels,
    *,
    ends: Any,
    curves: Any,
    axes: Any,
    nbins: int,
    dims: Dims,
    tile: Tile | None = None,
    valid: Valid | None = None,  # noqa: ARG001 - the curves know which pixels count
) -> Pixels:
    """Put each pixel between the curves around it."""
    assert tile is not None
    box = _box(tile, image)
    origin = [side.start for side in box[len(box) - len(dims) :]]
    result = np.zeros(image.shape, np.uint16)
    for plane, index in _planes(image, box, len(dims)):
        if plane in ends:
            low, high = ends[plane]
            found, filled = curves[plane]
            levels = kernel.gray_levels(image[index], low, high, nbins)
            result[index] = kernel.interpolate(levels, found, filled, axes, origin)
    return result


@tilewise(dtype=lambda _, dtype: np.dtype(dtype), scratch=8)
def _spread(
    image: Pixels,
    *,
    ends: Any,
    dtype: str,
    dims: Dims,
    tile: Tile | None = None,
    valid: Valid | None = None,  # noqa: ARG001
) -> Pixels:
    """Stretch each plane to 0..1."""
    assert tile is not None
    result = np.zeros(image.shape, dtype)
    for plane, index in _planes(image, _box(tile, image), len(dims)):
        if plane in ends:
            stretch = partial(_stretch, ends=ends[plane], dtype=dtype)
            result[index] = intensity.mapped(image[index], stretch, dtype)
    return result


def _stretch(levels: Pixels, ends: tuple[Any, Any], dtype: str) -> Pixels:
    return intensity.rescale(levels.astype(dtype), ends[0], ends[1], 0, 1, dtype)


def _box(tile: Tile, image: Pixels) -> Box:
    """Return where the pixels lie, without the axis of channels that the chain has dropped."""
    return tile.read if len(tile.read) == image.ndim else (*tile.read[:-3], *tile.read[-2:])


def _planes(image: Pixels, box: Box, ndim: int) -> Iterator[tuple[Plane, Plane]]:
    """Yield each plane (volume) of a tile: which of the image it is, and its index in the tile."""
    lead = image.ndim - ndim
    for index in np.ndindex(image.shape[:lead]):
        yield tuple(side.start + place for side, place in zip(box[:lead], index)), index
