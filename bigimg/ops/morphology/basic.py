"""Erosion, dilation and what is made of them, on masks and grey values."""

from __future__ import annotations

from bigimg.core.footprint import Footprint, Mask, reach
from bigimg.core.operation import Pixels, Valid
from bigimg.core.parameters import Count, Dims
from bigimg.engine.faces import tilewise
from bigimg.errors import ParameterError
from bigimg.kernels import morphology as kernel


def _repeated(footprint: Mask, dims: Dims, iterations: int) -> tuple[int, ...]:
    return reach_of(footprint, dims, iterations)


def _twice_repeated(footprint: Mask, dims: Dims, iterations: int) -> tuple[int, ...]:
    return reach_of(footprint, dims, 2 * iterations)


def reach_of(footprint: Mask, dims: Dims, steps: int) -> tuple[int, ...]:
    """Return how far ``steps`` elementary operations look along each axis, or say that the axes do not fit."""
    if footprint.ndim != len(dims):
        raise ParameterError(
            f"dims={dims!r} needs a footprint of {len(dims)} axes (got one of {footprint.ndim}); "
            "for a volume give dims='zyx' and a footprint such as ball(3)"
        )
    return tuple(steps * pixels for pixels in reach(footprint))


@tilewise(halo=_repeated, gives="same", scratch=8)
def erosion(
    image: Pixels,
    footprint: Footprint,
    *,
    iterations: Count = 1,
    dims: Dims = "yx",
    valid: Valid | None = None,
) -> Pixels:
    """Replace each pixel by the smallest within the footprint: bright objects shrink.

    Parameters
    ----------
    image : (..., M, N) array of booleans, integers or floats
    footprint : array of 0 and 1
        Which neighbours take part: a shape of this module, such as ``disk(radius)`` or ``rectangle(rows, columns)``,
        or any array. Its centre is the middle element, of an even axis the one before the middle. In a workflow:
        ``{disk: 3}``, ``{rectangle: [3, 5]}`` or rows of 0 and 1. It may be larger than the image. The radius of a
        disk or ball may be a length, ``{"disk": "2 um"}``, for an image that says how large its pixels are.
    iterations : int
        How many times to erode.
    dims : {"yx", "zyx"}
        Work on each plane by itself, or on the volume with a 3-D footprint.

    Returns
    -------
    (..., M, N) array of the dtype of the image
        Pixels beyond the border of the image, and pixels that are not valid, take no part.

    Notes
    -----
    Equal to ``skimage.morphology.erosion(image, footprint, mode="ignore")``, repeated. SciPy's ``binary_erosion`` takes
    what is beyond the border for background instead, unless ``border_value=1``. What it costs hardly grows with the
    footprint: a disk is worked through by its rows, and a mask 64 pixels at a time.

    Where no neighbour takes part, which needs a footprint without its centre, the largest value of the dtype comes out.

    Examples
    --------
    >>> import numpy as np
    >>> from bigimg import morphology
    >>> morphology.erosion(np.ones((3, 4), bool), morphology.square(3)).all()
    np.True_
    """
    return kernel.erode(image, footprint, len(dims), valid, iterations)


@tilewise(halo=_repeated, gives="same", scratch=8)
def dilation(
    image: Pixels,
    footprint: Footprint,
    *,
    iterations: Count = 1,
    dims: Dims = "yx",
    valid: Valid | None = None,
) -> Pixels:
    """Replace each pixel by the largest within the footprint: bright objects grow.

    Parameters
    ----------
    image : (..., M, N) array of booleans, integers or floats
    footprint : array of 0 and 1
        Which neighbours take part; see :func:`erosion`.
    iterations : int
        How many times to dilate.
    dims : {"yx", "zyx"}
        Work on each plane by itself, or on the volume with a 3-D footprint.

    Returns
    -------
    (..., M, N) array of the dtype of the image
        Pixels beyond the border of the image, and pixels that are not valid, take no part.

    Notes
    -----
    Equal to ``skimage.morphology.dilation(image, footprint, mode="ignore")``, repeated. Where no neighbour takes part
    the smallest value of the dtype comes out. SciPy mirrors the footprint.

    Examples
    --------
    >>> import numpy as np
    >>> from bigimg import morphology
    >>> morphology.dilation(np.eye(3, dtype=bool), morphology.cross(1)).astype(int)
    array([[1, 1, 0],
           [1, 1, 1],
           [0, 1, 1]])
    """
    return kernel.dilate(image, footprint, len(dims), valid, iterations)


@tilewise(halo=_twice_repeated, gives="same", scratch=8)
def opening(
    image: Pixels,
    footprint: Footprint,
    *,
    iterations: Count = 1,
    dims: Dims = "yx",
    valid: Valid | None = None,
) -> Pixels:
    """Erode, then dilate: bright details that do not hold the footprint vanish.

    Parameters
    ----------
    image : (..., M, N) array of booleans, integers or floats
    footprint : array of 0 and 1
        Which neighbours take part; see :func:`erosion`.
    iterations : int
        How many times to erode, and then as many times to dilate.
    dims : {"yx", "zyx"}
        Work on each plane by itself, or on the volume with a 3-D footprint.

    Returns
    -------
    (..., M, N) array of the dtype of the image
        Borders and masks as for :func:`erosion`.

    Notes
    -----
    Equal to ``skimage.morphology.opening(image, footprint, mode="ignore")``. Several iterations are those of
    ``scipy.ndimage.binary_opening``: to repeat the whole opening would change nothing.

    Examples
    --------
    >>> import numpy as np
    >>> from bigimg import morphology
    >>> morphology.opening(np.eye(3, dtype=bool), morphology.square(3)).any()
    np.False_
    """
    return kernel.opening(image, footprint, len(dims), valid, iterations)


@tilewise(halo=_twice_repeated, gives="same", scratch=8)
def closing(
    image: Pixels,
    footprint: Footprint,
    *,
    iterations: Count = 1,
    dims: Dims = "yx",
    valid: Valid | None = None,
) -> Pixels:
    """Dilate, then erode: dark details that do not hold the footprint vanish.

    Parameters
    ----------
    image : (..., M, N) array of booleans, integers or floats
    footprint : array of 0 and 1
        Which neighbours take part; see :func:`erosion`.
    iterations : int
        How many times to dilate, and then as many times to erode.
    dims : {"yx", "zyx"}
        Work on each plane by itself, or on the volume with a 3-D footprint.

    Returns
    -------
    (..., M, N) array of the dtype of the image
        Borders and masks as for :func:`erosion`.

    Notes
    -----
    Equal to ``skimage.morphology.closing(image, footprint, mode="ignore")``. Several iterations are those of
    ``scipy.ndimage.binary_closing``: to repeat the whole closing would change nothing.

    Examples
    --------
    >>> import numpy as np
    >>> from bigimg import morphology
    >>> morphology.closing(np.array([[5, 1, 5], [5, 5, 5]]), morphology.square(3))
    array([[5, 5, 5],
           [5, 5, 5]])
    """
    return kernel.closing(image, footprint, len(dims), valid, iterations)
