"""Images made larger or smaller."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from math import ceil
from typing import Annotated, Any, ClassVar

import numpy as np
from annotated_types import Gt
from numpy.typing import NDArray

from bigimg.core.finite import SHRINK, all_finite, mended
from bigimg.core.lengths import per_axis
from bigimg.core.operation import Pixels, Valid
from bigimg.core.parameters import Count, Dims, Positive
from bigimg.core.tile import Box
from bigimg.core.warp import Corners, Warp
from bigimg.engine.faces import composed
from bigimg.engine.reshaped import warp_image
from bigimg.errors import ParameterError
from bigimg.kernels import block_means, resampling
from bigimg.kernels.planes import smoothed_dtype
from bigimg.kernels.resampling import AxisResampling
from bigimg.ops.transform.parameters import Order, checked_shape, chosen_order


@dataclass(frozen=True)
class Resize(Warp):
    """Resampling along each axis by itself."""

    name: ClassVar[str] = "resize"
    scratch: ClassVar[int] = 16
    axes: tuple[AxisResampling, ...]

    @property
    def input_shape(self) -> tuple[int, ...]:  # type: ignore[override]
        """Shape of the image."""
        return tuple(axis.size for axis in self.axes)

    @property
    def output_shape(self) -> tuple[int, ...]:  # type: ignore[override]
        """Shape of the result."""
        return tuple(axis.new_size for axis in self.axes)

    def dtype(self, given: np.dtype[Any]) -> np.dtype[Any]:
        """Return the dtype of an average, or where pixels are only picked that of the image."""
        return given if all(axis.order == 0 and axis.radius == 0 for axis in self.axes) else smoothed_dtype(given)

    def reads(self, first: Corners, last: Corners) -> tuple[Corners, Corners]:
        """Return the pixels that take part, axis by axis."""
        sides = [axis.reads(first[:, k], last[:, k]) for k, axis in enumerate(self.axes)]
        return np.stack([low for low, _ in sides], axis=1), np.stack([high for _, high in sides], axis=1)

    def source_box(self, box: Box) -> Box | None:
        """Return the box of the image that ``box`` of the result is made of."""
        return tuple(_side(axis, side.start, side.stop) for axis, side in zip(self.axes, box))

    def pixels(self, pixels: Pixels, valid: Valid | None, read: Box, box: Box) -> Pixels:
        """Return the resampled pixels."""
        origin = tuple(side.start for side in read)
        result = resampling.resample(pixels, self.axes, origin, box, valid)
        if all_finite(result):
            return result
        # The weights of what is as large as a float can be, added, are a little more than 1.
        smaller = pixels.astype(np.float64) * SHRINK[0]
        return mended(result, resampling.resample(smaller, self.axes, origin, box, valid), SHRINK[0])

    def valid(self, valid: Valid, read: Box, box: Box) -> Valid:
        """Return where every pixel between which a value lies counts."""
        return resampling.resample_valid(valid, self.axes, tuple(side.start for side in read), box)

    def steps(self) -> NDArray[np.float64]:
        """Return the pixels of the image that one of the result stands for."""
        return np.diag([axis.size / axis.new_size for axis in self.axes])

    def coordinate(self, axis: int, values: NDArray[Any]) -> NDArray[Any] | None:
        """Return the coordinates of the new pixels' centres."""
        return _interpolated(values, self.axes[axis].new_size)


@lru_cache(maxsize=8192)
def _side(axis: AxisResampling, start: int, stop: int) -> slice:
    # 10^5 tiles share a few hundred sides.
    low, high = axis.reads(np.array([start]), np.array([stop]))
    return slice(int(low[0]), int(high[0]))


@dataclass(frozen=True)
class BlockMeans(Warp):
    """Means of blocks."""

    name: ClassVar[str] = "downscale_local_mean"
    scratch: ClassVar[int] = 8
    input_shape: tuple[int, ...]
    factors: tuple[int, ...]
    cval: float

    @property
    def output_shape(self) -> tuple[int, ...]:  # type: ignore[override]
        """Shape of the result."""
        return tuple(-(-size // factor) for size, factor in zip(self.input_shape, self.factors))

    def dtype(self, given: np.dtype[Any]) -> np.dtype[Any]:
        """Return the dtype of an average."""
        return smoothed_dtype(given)

    def reads(self, first: Corners, last: Corners) -> tuple[Corners, Corners]:
        """Return the pixels of the blocks."""
        factors = np.array(self.factors)
        return first * factors, np.minimum(last * factors, self.input_shape)

    def pixels(self, pixels: Pixels, valid: Valid | None, read: Box, box: Box) -> Pixels:  # noqa: ARG002 - whole blocks
        """Return the means."""
        shape = tuple(side.stop - side.start for side in box)
        return block_means.block_means(pixels, self.factors, shape, self.cval, valid)

    def valid(self, valid: Valid, read: Box, box: Box) -> Valid:  # noqa: ARG002
        """Return which blocks hold a pixel that counts."""
        return block_means.blocks_with_any(valid, self.factors, tuple(side.stop - side.start for side in box))

    def steps(self) -> NDArray[np.float64]:
        """Return the sides of a block."""
        return np.diag(np.array(self.factors, float))

    def coordinate(self, axis: int, values: NDArray[Any]) -> NDArray[Any] | None:
        """Return the coordinates of the blocks' centres."""
        size, factor = len(values), self.factors[axis]
        places = np.arange(self.output_shape[axis]) * factor + (factor - 1) / 2
        return _at(values, places) if size > 1 else _interpolated(values, 1)


def _interpolated(values: NDArray[Any], size: int) -> NDArray[Any] | None:
    """Return the coordinates of ``size`` pixels over the same extent."""
    if len(values) == 1:
        return values if size == 1 and values.dtype.kind in "iuf" else None
    return _at(values, (np.arange(size) + 0.5) * (len(values) / size) - 0.5)


def _at(values: NDArray[Any], places: NDArray[np.floating[Any]]) -> NDArray[Any] | None:
    """Return numbers at ``places`` between them, and beyond the ends as they go on there."""
    if values.dtype.kind not in "iuf":
        return None
    first = np.clip(np.floor(places).astype(int), 0, len(values) - 2)
    given = values.astype(float)
    return np.asarray(given[first] + (places - first) * (given[first + 1] - given[first]))


@composed(takes="image", gives="same")
def resize(
    image: Any,
    output_shape: Sequence[Count],
    *,
    order: Order = None,
    anti_aliasing: bool | None = None,
    dims: Dims = "yx",
) -> Any:
    """Resize an image to a shape.

    Parameters
    ----------
    image : (..., M, N) array of booleans, integers or floats
        The grey values keep their range: they are not scaled to 0..1.
    output_shape : sequence of int
        Rows and columns of the result; planes, rows and columns for ``dims="zyx"``. Axes before these stay.
    order : {0, 1}, optional
        0 takes the nearest pixel, 1 interpolates linearly; by default 0 for booleans, else 1. Labels need 0: a value
        between two labels is another label.
    anti_aliasing : bool, optional
        Smooth the image along each axis that becomes ``f`` times smaller by a Gaussian with a standard deviation of
        ``(f - 1) / 2`` pixels, before. By default where an axis becomes smaller, and not for booleans, nor for integers
        of which the nearest are taken.
    dims : {"yx", "zyx"}
        Resize each plane by itself, or the volume.

    Returns
    -------
    array of the new shape
        Of the dtype of the image where the nearest pixels are taken without smoothing; else of float32 for float32
        images, else of float64. Pixels beyond the border are mirrored (``d c b | a b c d``). Where some pixels are not
        valid, smoothing leaves them out, and a pixel of the result is valid where all the pixels are that it lies
        between. Of an ``xarray.DataArray``, coordinates that are numbers, and ``attrs["scale"]``, are those of the new
        pixels.

    Notes
    -----
    Equal to ``skimage.transform.resize(image, output_shape, preserve_range=True, clip=False)`` up to rounding, and to
    the bit where the nearest pixels are taken; to the bit the same however the image is cut. Smoothing and
    interpolation are one weighted sum, so pixels between those asked for are never smoothed. Splines of higher order
    are not offered: they depend on every pixel of the image.

    Examples
    --------
    >>> import numpy as np
    >>> resize(np.array([[0, 4], [4, 8]]), (2, 4))
    array([[1., 1., 3., 3.],
           [5., 5., 7., 7.]])
    """
    return warp_image(partial(_resize, output_shape, order, anti_aliasing, "transform.resize"), image, len(dims))


def _resize(
    output_shape: Any,
    order: int | None,
    anti_aliasing: bool | None,
    owner: str,
    shape: tuple[int, ...],
    dtype: np.dtype[Any],
) -> Resize:
    new = checked_shape(output_shape, len(shape), owner)
    chosen = chosen_order(order, dtype, owner)
    if anti_aliasing and dtype.kind == "b":
        raise ParameterError(f"{owner}: a mask cannot be smoothed, so anti_aliasing must be false for it (got true)")
    smooths = dtype.kind == "f" or (dtype.kind != "b" and chosen > 0) if anti_aliasing is None else anti_aliasing
    sigmas = [max(0.0, (size / other - 1) / 2) if smooths else 0.0 for size, other in zip(shape, new)]
    return Resize(tuple(AxisResampling(size, other, chosen, sigma) for size, other, sigma in zip(shape, new, sigmas)))


@composed(takes="image", gives="same")
def rescale(
    image: Any,
    scale: Positive | Sequence[Positive],
    *,
    order: Order = None,
    anti_aliasing: bool | None = None,
    dims: Dims = "yx",
) -> Any:
    """Resize an image by a factor.

    Parameters
    ----------
    image : (..., M, N) array of booleans, integers or floats
        The grey values keep their range.
    scale : float or sequence of float
        How many times larger the result is, along all axes or along each: rows and columns, with ``dims="zyx"`` planes,
        rows and columns. Sizes are rounded to whole pixels, half to even, and are at least 1.
    order : {0, 1}, optional
        As in :func:`resize`.
    anti_aliasing : bool, optional
        As in :func:`resize`.
    dims : {"yx", "zyx"}
        Rescale each plane by itself, or the volume.

    Returns
    -------
    array of the new shape
        As of :func:`resize`: dtype, border, and which pixels are valid.

    Notes
    -----
    Equal to ``skimage.transform.rescale(image, scale, preserve_range=True, clip=False)`` up to rounding.

    Examples
    --------
    >>> import numpy as np
    >>> rescale(np.arange(4.0).reshape(1, 4), (1, 0.5), anti_aliasing=False)
    array([[0.5, 2.5]])
    """

    def make(shape: tuple[int, ...], dtype: np.dtype[Any]) -> Resize:
        scales = per_axis(scale, len(shape), "transform.rescale: scale")
        new = [max(1, round(size * factor)) for size, factor in zip(shape, scales)]
        return _resize(new, order, anti_aliasing, "transform.rescale", shape, dtype)

    return warp_image(make, image, len(dims))


@composed(takes="image", gives="image")
def pyramid_reduce(
    image: Any,
    *,
    downscale: Annotated[float, Gt(1)] = 2.0,
    sigma: Positive | None = None,
    order: Order = None,
    dims: Dims = "yx",
) -> Any:
    """Smooth an image and make it smaller: one level of a Gaussian pyramid.

    Parameters
    ----------
    image : (..., M, N) array of booleans, integers or floats
        The grey values keep their range. Booleans count as 0 and 1.
    downscale : float
        How many times smaller the result is along each axis; sizes are rounded up.
    sigma : float, optional
        Standard deviation of the Gaussian in pixels; by default ``downscale / 3``.
    order : {0, 1}, optional
        Whether the nearest smoothed pixel is taken, or linear interpolation; by default linear.
    dims : {"yx", "zyx"}
        Reduce each plane by itself, or the volume.

    Returns
    -------
    array of the new shape, of float32 for float32 images, else of float64
        The Gaussian reflects pixels beyond the border (``d c b a | a b c d``). Pixels that are not valid are left out
        by it; a pixel of the result is valid where all the pixels are that it lies between.

    Notes
    -----
    Equal to ``skimage.transform.pyramid_reduce(image, downscale, sigma, preserve_range=True)`` up to rounding.

    References
    ----------
    P. J. Burt and E. H. Adelson, The Laplacian pyramid as a compact image code, IEEE Transactions on Communications 31
    (1983).

    Examples
    --------
    >>> import numpy as np
    >>> pyramid_reduce(np.full((4, 6), 5, "uint8")).round(6)
    array([[5., 5., 5.],
           [5., 5., 5.]])
    """
    spread = downscale / 3 if sigma is None else sigma

    def make(shape: tuple[int, ...], dtype: np.dtype[Any]) -> Resize:  # noqa: ARG001 - all become floats
        new = [ceil(size / downscale) for size in shape]
        one = 1 if order is None else order
        return Resize(tuple(AxisResampling(size, other, one, spread, True) for size, other in zip(shape, new)))

    return warp_image(make, image, len(dims))


@composed(takes="image", gives="image")
def downscale_local_mean(image: Any, factors: Count | Sequence[Count], *, cval: float = 0.0, dims: Dims = "yx") -> Any:
    """Make an image smaller by the means of blocks.

    Parameters
    ----------
    image : (..., M, N) array of booleans, integers or floats
    factors : int or sequence of int
        Sides of a block in pixels: the same along all axes, or rows and columns, with ``dims="zyx"`` planes, rows and
        columns.
    cval : float
        The value of the pixels beyond the border that the last blocks hold where a side is no multiple of its factor.
    dims : {"yx", "zyx"}
        Average within each plane, or within the volume.

    Returns
    -------
    array of float32 for float32 images, else of float64
        Sides are rounded up. Pixels that are not valid are left out of the means; a block without a valid pixel is not
        valid.

    Notes
    -----
    Equal to ``skimage.transform.downscale_local_mean(image, factors, cval)``; the sums of integers are exact.

    Examples
    --------
    >>> import numpy as np
    >>> downscale_local_mean(np.arange(15).reshape(3, 5), (2, 3))
    array([[3.5, 4. ],
           [5.5, 4.5]])
    """

    def make(shape: tuple[int, ...], dtype: np.dtype[Any]) -> BlockMeans:  # noqa: ARG001 - all become floats
        sides = (factors,) * len(shape) if isinstance(factors, int) else tuple(factors)
        if len(sides) != len(shape):
            raise ParameterError(
                f"transform.downscale_local_mean: factors needs one number, or {len(shape)}: one an axis (got {sides})"
            )
        return BlockMeans(shape, sides, cval)

    return warp_image(make, image, len(dims))
