"""Images turned, flipped, and mapped by any affine map."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import cos, radians, sin
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from annotated_types import Ge, Le
from numpy.typing import NDArray

from bigimg.core.operation import Pixels, Valid
from bigimg.core.parameters import Count, Dims
from bigimg.core.tile import Box
from bigimg.core.warp import Corners, Warp
from bigimg.engine.faces import composed
from bigimg.engine.reshaped import warp_image
from bigimg.errors import ParameterError
from bigimg.kernels import sampling
from bigimg.kernels.planes import smoothed_dtype
from bigimg.kernels.sampling import AffinePlaces
from bigimg.ops.transform.parameters import Matrix, Order, checked_shape, chosen_order, matrix_and_offset

Axis = Literal["z", "y", "x"]


@dataclass(frozen=True)
class Affine(Warp):
    """Values at the places of an affine map."""

    name: ClassVar[str] = "affine"
    scratch: ClassVar[int] = 16
    places: AffinePlaces
    output_shape: tuple[int, ...]
    fill: float

    @property
    def input_shape(self) -> tuple[int, ...]:  # type: ignore[override]
        """Shape of the image."""
        return self.places.shape

    def dtype(self, given: np.dtype[Any]) -> np.dtype[Any]:
        """Return the dtype of the image for the nearest pixel, else that of an average."""
        return given if self.places.order == 0 else smoothed_dtype(given)

    def reads(self, first: Corners, last: Corners) -> tuple[Corners, Corners]:
        """Return the boxes around the places."""
        return self.places.reads(first, last)

    def pixels(self, pixels: Pixels, valid: Valid | None, read: Box, box: Box) -> Pixels:  # noqa: ARG002 - they are 0
        """Return the values at the places."""
        return sampling.sample(pixels, self.places, read, box, self.fill)

    def valid(self, valid: Valid, read: Box, box: Box) -> Valid:
        """Return where all pixels around a place count."""
        return sampling.sample_valid(valid, self.places, read, box)

    def steps(self) -> NDArray[np.float64]:
        """Return the linear part of the map."""
        return np.array(self.places.matrix)


@dataclass(frozen=True)
class Turn(Warp):
    """Axes exchanged and reversed; no value changes."""

    name: ClassVar[str] = "turn"
    scratch: ClassVar[int] = 0
    input_shape: tuple[int, ...]
    order: tuple[int, ...]
    """Which axis of the image each axis of the result is."""
    reversed: tuple[bool, ...]
    """Which axes of the result run backwards."""

    @property
    def output_shape(self) -> tuple[int, ...]:  # type: ignore[override]
        """Shape of the result."""
        return tuple(self.input_shape[axis] for axis in self.order)

    def dtype(self, given: np.dtype[Any]) -> np.dtype[Any]:
        """Return the dtype of the image."""
        return given

    def reads(self, first: Corners, last: Corners) -> tuple[Corners, Corners]:
        """Return the same boxes in the image."""
        size = np.array(self.output_shape)
        low = np.where(self.reversed, size - last, first)
        high = np.where(self.reversed, size - first, last)
        back = np.argsort(self.order)
        return low[:, back], high[:, back]

    def pixels(self, pixels: Pixels, valid: Valid | None, read: Box, box: Box) -> Pixels:  # noqa: ARG002
        """Return the same pixels in their new order."""
        lead = pixels.ndim - self.ndim
        turned = pixels.transpose(*range(lead), *(lead + axis for axis in self.order))
        sides = tuple(slice(*self._part(axis, read, box)) for axis in range(self.ndim))
        part: Any = (..., *sides)
        return np.flip(turned[part], tuple(lead + axis for axis, back in enumerate(self.reversed) if back))

    def _part(self, axis: int, read: Box, box: Box) -> tuple[int, int]:
        """Return the part of what was read that makes ``box``, along an axis of the result."""
        side, given = box[axis], read[self.order[axis]]
        size = self.output_shape[axis]
        start, stop = (size - side.stop, size - side.start) if self.reversed[axis] else (side.start, side.stop)
        return start - given.start, stop - given.start

    def valid(self, valid: Valid, read: Box, box: Box) -> Valid:
        """Return the mask in its new order."""
        return self.pixels(valid, None, read, box)

    def steps(self) -> NDArray[np.float64]:
        """Return which axis each axis of the result runs along, and which way."""
        signs = np.where(self.reversed, -1.0, 1.0)
        return np.asarray(np.eye(self.ndim)[:, list(self.order)] * signs)

    def coordinate(self, axis: int, values: NDArray[Any]) -> NDArray[Any] | None:
        """Return the coordinates in their new order; None for axes that have changed places."""
        if self.order[axis] != axis:
            return None
        return values[::-1] if self.reversed[axis] else values


@composed(takes="image", gives="same")
def affine(
    image: Any,
    matrix: Matrix,
    *,
    output_shape: Sequence[Count] | None = None,
    order: Order = None,
    cval: float = 0.0,
    dims: Dims = "yx",
) -> Any:
    """Map an image by an affine map: shift, scale, turn and shear at once.

    Parameters
    ----------
    image : (..., M, N) array of booleans, integers or floats
    matrix : (2, 3) or (3, 3) array, with ``dims="zyx"`` (3, 4) or (4, 4)
        Where each pixel of the result comes from: ``matrix @ (row, column, 1)`` is its place in the image. The last row
        of a square matrix is ``(0, 0, 1)``.
    output_shape : sequence of int, optional
        Rows and columns of the result, with ``dims="zyx"`` planes, rows and columns; by default those of the image.
    order : {0, 1}, optional
        0 takes the nearest pixel, 1 interpolates linearly; by default 0 for booleans, else 1. Labels need 0.
    cval : float
        The value of all pixels outside the image.
    dims : {"yx", "zyx"}
        Map each plane by itself, or the volume.

    Returns
    -------
    array of the new shape
        Of the dtype of the image for order 0, else of float32 for float32 images, else of float64. A pixel is valid
        where all the pixels are that it lies between, and none of them is outside the image, if the image has a mask.
        Of an ``xarray.DataArray``, ``attrs["scale"]`` is that of the new pixels; coordinates along the mapped axes are
        dropped.

    Notes
    -----
    Equal to ``scipy.ndimage.affine_transform(image, matrix, output_shape=output_shape, order=order, cval=cval,
    mode="grid-constant")`` on an image of floats, and to ``dask_image.ndinterp.affine_transform`` with that mode, up to
    rounding; for order 0 up to places that lie halfway between two pixels, where rounding decides. Nothing is smoothed
    before: see :func:`resize` for images that become much smaller. Splines of higher order are not offered: they depend
    on every pixel of the image.

    Examples
    --------
    >>> import numpy as np
    >>> affine(np.array([[1, 2, 3], [4, 5, 6]]), [[1, 0, 0], [0, 1, 0.5]])
    array([[1.5, 2.5, 1.5],
           [4.5, 5.5, 3. ]])
    """

    def make(shape: tuple[int, ...], dtype: np.dtype[Any]) -> Affine:
        linear, offset = matrix_and_offset(matrix, len(shape), "transform.affine")
        new = shape if output_shape is None else checked_shape(output_shape, len(shape), "transform.affine")
        return _affine(linear, offset, shape, new, chosen_order(order, dtype, "transform.affine"), cval, dtype)

    return warp_image(make, image, len(dims))


def _affine(
    linear: NDArray[np.float64],
    offset: NDArray[np.float64],
    shape: tuple[int, ...],
    new: tuple[int, ...],
    order: int,
    cval: float,
    dtype: np.dtype[Any],
) -> Affine:
    if order == 0 and dtype.kind in "iu" and not (float(cval).is_integer() and _holds(dtype, cval)):
        raise ParameterError(f"cval must be a value that an image of {dtype} can hold, for order 0 (got {cval:g})")
    places = AffinePlaces(tuple(map(tuple, linear.tolist())), tuple(offset.tolist()), shape, order)
    return Affine(places, tuple(new), cval)


def _holds(dtype: np.dtype[Any], value: float) -> bool:
    info = np.iinfo(dtype)
    return bool(info.min <= value <= info.max)


@composed(takes="image", gives="same")
def rotate(
    image: Any,
    angle: Annotated[float, Ge(-36000), Le(36000)],
    *,
    resize: bool = False,
    order: Order = None,
    cval: float = 0.0,
) -> Any:
    """Turn an image about its centre.

    Parameters
    ----------
    image : (..., M, N) array of booleans, integers or floats
        Each plane is turned by itself.
    angle : float
        Degrees, counter-clockwise.
    resize : bool
        Make the result as large as the turned image; by default it has the shape of the image, without the corners.
    order : {0, 1}, optional
        0 takes the nearest pixel, 1 interpolates linearly; by default 0 for booleans, else 1. Labels need 0.
    cval : float
        The value of all pixels outside the image.

    Returns
    -------
    array of the shape of the image, or larger
        Of the dtype of the image for order 0, else of float32 for float32 images, else of float64. Masks and the
        attributes of an ``xarray.DataArray`` are treated as by :func:`affine`.

    Notes
    -----
    Equal to ``skimage.transform.rotate(image, angle, resize, order=order, cval=cval, preserve_range=True,
    clip=False)`` up to rounding. Of float32 images scikit-image rounds the places to float32 too; here they are
    float64. Quarter turns are exact; :func:`rot90` is quicker.

    Examples
    --------
    >>> import numpy as np
    >>> rotate(np.array([[1, 2], [3, 4]]), 90)
    array([[2., 4.],
           [1., 3.]])
    """
    way = radians(angle)
    quarters = angle / 90
    exact = {0: (1.0, 0.0), 1: (0.0, 1.0), 2: (-1.0, 0.0), 3: (0.0, -1.0)}
    c, s = exact[int(quarters) % 4] if quarters.is_integer() else (cos(way), sin(way))
    linear = np.array([[c, s], [-s, c]])

    def make(shape: tuple[int, ...], dtype: np.dtype[Any]) -> Affine:
        centre = (np.array(shape) - 1) / 2
        new = shape
        first = np.zeros(2)
        if resize:
            corners = np.array([[0, 0], [0, shape[1] - 1], [shape[0] - 1, shape[1] - 1], [shape[0] - 1, 0]])
            # The way back of a turn is its transpose.
            turned = (corners - centre) @ linear + centre
            first = turned.min(axis=0)
            rows, columns = np.around(turned.max(axis=0) - first + 1).astype(int).tolist()
            new = (rows, columns)
        offset = centre - linear @ centre + linear @ first
        return _affine(linear, offset, shape, new, chosen_order(order, dtype, "transform.rotate"), cval, dtype)

    return warp_image(make, image)


@composed(takes="image", gives="same")
def flip(image: Any, *, axis: Axis = "x") -> Any:
    """Mirror an image.

    Parameters
    ----------
    image : (..., M, N) array
    axis : {"z", "y", "x"}
        ``x`` exchanges left and right, ``y`` top and bottom, ``z`` the first and the last plane of a volume
        (..., L, M, N).

    Returns
    -------
    array of the shape and dtype of the image
        Masks and coordinates go along.

    Notes
    -----
    Equal to ``numpy.flip``.

    Examples
    --------
    >>> import numpy as np
    >>> flip(np.array([[1, 2, 3]]))
    array([[3, 2, 1]])
    """
    ndim = 3 if axis == "z" else 2
    back = tuple(name == axis for name in "zyx"[3 - ndim :])
    return warp_image(lambda shape, _: Turn(shape, tuple(range(ndim)), back), image, ndim)


@composed(takes="image", gives="same")
def rot90(image: Any, k: int = 1) -> Any:
    """Turn an image by quarters.

    Parameters
    ----------
    image : (..., M, N) array
        Each plane is turned by itself.
    k : int
        How many quarters, counter-clockwise; negative ones clockwise.

    Returns
    -------
    array of the dtype of the image
        Of an ``xarray.DataArray``, the dimension ``y`` still runs down and ``x`` to the right; coordinates along
        dimensions that have changed places are dropped, the sizes of a pixel change places.

    Notes
    -----
    Equal to ``numpy.rot90(image, k, axes=(-2, -1))``.

    Examples
    --------
    >>> import numpy as np
    >>> rot90(np.array([[1, 2, 3]]))
    array([[3],
           [2],
           [1]])
    """
    orders = {
        0: ((0, 1), (False, False)),
        1: ((1, 0), (True, False)),
        2: ((0, 1), (True, True)),
        3: ((1, 0), (False, True)),
    }
    order, back = orders[k % 4]
    return warp_image(lambda shape, _: Turn(shape, order, back), image)
