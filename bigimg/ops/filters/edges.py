"""Edge filters: differences of direct neighbours."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from annotated_types import Ge, Le

from bigimg.core.operation import Pixels, Valid
from bigimg.core.parameters import Dims
from bigimg.engine.faces import tilewise
from bigimg.errors import ParameterError
from bigimg.kernels import derivatives
from bigimg.kernels import laplace as kernel
from bigimg.kernels.planes import smoothed_dtype

Axis = Annotated[int, Ge(-3), Le(2)] | None
"""An axis of the plane or volume, or None for all."""


def _edge_dtype(dtype: np.dtype[Any], axis: int | None, dims: Dims) -> np.dtype[Any]:
    if axis is not None and not -len(dims) <= axis < len(dims):
        raise ParameterError(
            f"axis must be from {-len(dims)} to {len(dims) - 1} for dims={dims!r}, or None for all axes (got {axis})"
        )
    return smoothed_dtype(dtype)


def _float_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    return smoothed_dtype(dtype)


@tilewise(halo=1, dtype=_edge_dtype, scratch=1, grey_values=())
def sobel(image: Pixels, *, axis: Axis = None, dims: Dims = "yx", valid: Valid | None = None) -> Pixels:
    """Find edges by Sobel's filter: a difference along an axis, smoothed by 1, 2, 1 across it.

    Parameters
    ----------
    image : (..., M, N) array of booleans, integers or floats
        The grey values keep their range: they are not scaled to 0..1.
    axis : int, optional
        The axis to differentiate along, of the plane (0 are the rows, so that horizontal edges are found) or volume. By
        default the magnitude over all of them: the root of the mean of the squares.
    dims : {"yx", "zyx"}
        Filter each plane by itself, or the volume.

    Returns
    -------
    (..., M, N) array of float32 for float32 images, else of float64
        Pixels beyond the border of the image are reflected (``d c b a | a b c d``). A pixel that is not valid counts as
        the pixel in the middle of the filter: the edge of a mask makes no edge.

    Notes
    -----
    Equal to ``skimage.filters.sobel(image.astype(float), axis=axis)``: to the bit for booleans and integers, for floats
    up to rounding.

    References
    ----------
    I. Sobel and G. Feldman, A 3x3 isotropic gradient operator for image processing, Stanford Artificial Intelligence
    Project (1968).

    Examples
    --------
    >>> import numpy as np
    >>> sobel(np.array([[0, 0, 4, 4]], "uint8"), axis=1)
    array([[0., 4., 4., 0.]])
    """
    return derivatives.edges(image, derivatives.SOBEL, axis, len(dims), valid=valid)


@tilewise(halo=1, dtype=_edge_dtype, scratch=1, grey_values=())
def prewitt(image: Pixels, *, axis: Axis = None, dims: Dims = "yx", valid: Valid | None = None) -> Pixels:
    """Find edges by Prewitt's filter: a difference along an axis, averaged over 3 pixels across it.

    Parameters
    ----------
    image : (..., M, N) array of booleans, integers or floats
        The grey values keep their range: they are not scaled to 0..1.
    axis : int, optional
        The axis to differentiate along, of the plane (0 are the rows, so that horizontal edges are found) or volume. By
        default the magnitude over all of them: the root of the mean of the squares.
    dims : {"yx", "zyx"}
        Filter each plane by itself, or the volume.

    Returns
    -------
    (..., M, N) array of float32 for float32 images, else of float64
        Pixels beyond the border of the image are reflected (``d c b a | a b c d``). A pixel that is not valid counts as
        the pixel in the middle of the filter: the edge of a mask makes no edge.

    Notes
    -----
    Equal to ``skimage.filters.prewitt(image.astype(float), axis=axis)`` up to rounding. Neighbours are subtracted
    before they are averaged: where nothing changes the result is 0, and not what scikit-image's rounding leaves.

    References
    ----------
    J. M. S. Prewitt, Object enhancement and extraction, in Picture Processing and Psychopictorics (1970).

    Examples
    --------
    >>> import numpy as np
    >>> prewitt(np.array([[0, 0, 4, 4]], "uint8"), axis=1)
    array([[0., 4., 4., 0.]])
    """
    return derivatives.edges(image, derivatives.PREWITT, axis, len(dims), valid=valid)


@tilewise(halo=1, dtype=_float_dtype, scratch=1, grey_values=())
def laplace(image: Pixels, *, dims: Dims = "yx", valid: Valid | None = None) -> Pixels:
    """Find by how much each pixel exceeds its 4 direct neighbours (6 in a volume), added up.

    Parameters
    ----------
    image : (..., M, N) array of booleans, integers or floats
        The grey values keep their range: they are not scaled to 0..1.
    dims : {"yx", "zyx"}
        Filter each plane by itself, or the volume.

    Returns
    -------
    (..., M, N) array of float32 for float32 images, else of float64
        Pixels beyond the border of the image are reflected (``d c b a | a b c d``). A pixel that is not valid counts as
        the pixel in the middle of the filter: the edge of a mask makes no edge.

    Notes
    -----
    Equal to ``skimage.filters.laplace(image.astype(float), ksize=3)``: to the bit for booleans and integers, for floats
    up to rounding. ``scipy.ndimage.laplace`` has the opposite sign.

    Examples
    --------
    >>> import numpy as np
    >>> laplace(np.array([[0, 0, 4, 4]], "uint8"))
    array([[ 0., -4.,  4.,  0.]])
    """
    return kernel.laplace(image, len(dims), valid=valid)
