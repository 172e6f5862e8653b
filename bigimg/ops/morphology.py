"""Mathematical morphology on masks and grey values, and filters of objects by size and border."""

from __future__ import annotations

from typing import Annotated, Any

from annotated_types import Ge

from bigimg.core.footprint import Footprint, Mask, ball, cross, cube, disk, reach, square
from bigimg.core.operation import Pixels, Valid
from bigimg.core.parameters import Connectivity, Count, Dims
from bigimg.engine.faces import composed, tilewise
from bigimg.errors import ParameterError
from bigimg.kernels import morphology as kernel
from bigimg.ops.objects import select_objects

__all__ = [
    "ball",
    "black_tophat",
    "clear_border",
    "closing",
    "cross",
    "cube",
    "dilation",
    "disk",
    "erosion",
    "filter_sizes",
    "opening",
    "remove_small_objects",
    "square",
    "white_tophat",
]


def _once(footprint: Mask, dims: Dims) -> tuple[int, ...]:
    return _reach(footprint, dims, 1)


def _twice(footprint: Mask, dims: Dims) -> tuple[int, ...]:
    return _reach(footprint, dims, 2)


def _reach(footprint: Mask, dims: Dims, steps: int) -> tuple[int, ...]:
    if footprint.ndim != len(dims):
        raise ParameterError(
            f"dims={dims!r} needs a footprint of {len(dims)} axes (got one of {footprint.ndim}); "
            "for a volume give dims='zyx' and a footprint such as ball(3)"
        )
    return tuple(steps * pixels for pixels in reach(footprint))


@tilewise(halo=_once, gives="same", scratch=2)
def erosion(image: Pixels, footprint: Footprint, *, dims: Dims = "yx", valid: Valid | None = None) -> Pixels:
    """Replace each pixel by the smallest within the footprint: bright objects shrink.

    Parameters
    ----------
    image : (..., M, N) array of booleans, integers or floats
    footprint : array of 0 and 1
        Which neighbours take part: ``disk(radius)``, ``cross(radius)``, ``square(width)``, or any array; its centre is
        at ``(size - 1) // 2`` along each axis.
    dims : {"yx", "zyx"}
        Work on each plane by itself, or on the volume with a 3-D footprint.

    Returns
    -------
    (..., M, N) array of the dtype of the image
        Pixels beyond the border of the image, and pixels that are not valid, take no part.

    Notes
    -----
    Equal to ``skimage.morphology.erosion(image, footprint, mode="ignore")``.

    Examples
    --------
    >>> import numpy as np
    >>> erosion(np.ones((3, 4), bool), square(3)).all()
    np.True_
    """
    return kernel.erode(image, footprint, len(dims), valid=valid)


@tilewise(halo=_once, gives="same", scratch=2)
def dilation(image: Pixels, footprint: Footprint, *, dims: Dims = "yx", valid: Valid | None = None) -> Pixels:
    """Replace each pixel by the largest within the footprint: bright objects grow.

    Parameters
    ----------
    image : (..., M, N) array of booleans, integers or floats
    footprint : array of 0 and 1
        Which neighbours take part; see :func:`erosion`.
    dims : {"yx", "zyx"}
        Work on each plane by itself, or on the volume with a 3-D footprint.

    Returns
    -------
    (..., M, N) array of the dtype of the image
        Pixels beyond the border of the image, and pixels that are not valid, take no part.

    Notes
    -----
    Equal to ``skimage.morphology.dilation(image, footprint, mode="ignore")``.

    Examples
    --------
    >>> import numpy as np
    >>> dilation(np.eye(3, dtype=bool), cross(1)).astype(int)
    array([[1, 1, 0],
           [1, 1, 1],
           [0, 1, 1]])
    """
    return kernel.dilate(image, footprint, len(dims), valid=valid)


@tilewise(halo=_twice, gives="same", scratch=4)
def opening(image: Pixels, footprint: Footprint, *, dims: Dims = "yx", valid: Valid | None = None) -> Pixels:
    """Erode, then dilate: bright details that do not hold the footprint vanish.

    Parameters
    ----------
    image : (..., M, N) array of booleans, integers or floats
    footprint : array of 0 and 1
        Which neighbours take part; see :func:`erosion`.
    dims : {"yx", "zyx"}
        Work on each plane by itself, or on the volume with a 3-D footprint.

    Returns
    -------
    (..., M, N) array of the dtype of the image

    Notes
    -----
    Equal to ``skimage.morphology.opening(image, footprint, mode="ignore")``.

    Examples
    --------
    >>> import numpy as np
    >>> opening(np.eye(3, dtype=bool), square(3)).any()
    np.False_
    """
    return kernel.opening(image, footprint, len(dims), valid=valid)


@tilewise(halo=_twice, gives="same", scratch=4)
def closing(image: Pixels, footprint: Footprint, *, dims: Dims = "yx", valid: Valid | None = None) -> Pixels:
    """Dilate, then erode: dark details that do not hold the footprint vanish.

    Parameters
    ----------
    image : (..., M, N) array of booleans, integers or floats
    footprint : array of 0 and 1
        Which neighbours take part; see :func:`erosion`.
    dims : {"yx", "zyx"}
        Work on each plane by itself, or on the volume with a 3-D footprint.

    Returns
    -------
    (..., M, N) array of the dtype of the image

    Notes
    -----
    Equal to ``skimage.morphology.closing(image, footprint, mode="ignore")``.

    Examples
    --------
    >>> import numpy as np
    >>> closing(np.array([[5, 1, 5], [5, 5, 5]]), square(3))
    array([[5, 5, 5],
           [5, 5, 5]])
    """
    return kernel.closing(image, footprint, len(dims), valid=valid)


@tilewise(halo=_twice, gives="same", scratch=6)
def white_tophat(image: Pixels, footprint: Footprint, *, dims: Dims = "yx", valid: Valid | None = None) -> Pixels:
    """Return the bright details that an opening removes.

    Parameters
    ----------
    image : (..., M, N) array of booleans, integers or floats
    footprint : array of 0 and 1
        Which neighbours take part; see :func:`erosion`.
    dims : {"yx", "zyx"}
        Work on each plane by itself, or on the volume with a 3-D footprint.

    Returns
    -------
    (..., M, N) array of the dtype of the image

    Notes
    -----
    Equal to ``skimage.morphology.white_tophat(image, footprint, mode="ignore")``.

    Examples
    --------
    >>> import numpy as np
    >>> white_tophat(np.array([[1, 1, 1], [1, 9, 1], [1, 1, 1]]), square(3))[1, 1]
    np.int64(8)
    """
    return kernel.white_tophat(image, footprint, len(dims), valid=valid)


@tilewise(halo=_twice, gives="same", scratch=6)
def black_tophat(image: Pixels, footprint: Footprint, *, dims: Dims = "yx", valid: Valid | None = None) -> Pixels:
    """Return the dark details that a closing fills.

    Parameters
    ----------
    image : (..., M, N) array of booleans, integers or floats
    footprint : array of 0 and 1
        Which neighbours take part; see :func:`erosion`.
    dims : {"yx", "zyx"}
        Work on each plane by itself, or on the volume with a 3-D footprint.

    Returns
    -------
    (..., M, N) array of the dtype of the image

    Notes
    -----
    Equal to ``skimage.morphology.black_tophat(image, footprint, mode="ignore")``.

    Examples
    --------
    >>> import numpy as np
    >>> black_tophat(np.array([[9, 9, 9], [9, 1, 9], [9, 9, 9]]), square(3))[1, 1]
    np.int64(8)
    """
    return kernel.black_tophat(image, footprint, len(dims), valid=valid)


@composed(takes="mask", gives="mask")
def remove_small_objects(
    mask: Any, *, min_size: Count, connectivity: Connectivity | None = None, dims: Dims = "yx"
) -> Any:
    """Remove the objects of fewer than ``min_size`` pixels.

    Parameters
    ----------
    mask : (..., M, N) boolean array
    min_size : int
        The smallest number of pixels an object may have and stay.
    connectivity : int, optional
        Which pixels are neighbours: 1 across edges (faces), 2 across corners too, 3 in volumes; by default the most, as
        :func:`bigimg.measure.label` does (scikit-image takes 1 here).
    dims : {"yx", "zyx"}
        Objects of each plane, or of the volume.

    Returns
    -------
    (..., M, N) boolean array
        Objects are judged whole, wherever tiles cut them.

    Examples
    --------
    >>> import numpy as np
    >>> remove_small_objects(np.array([[1, 0, 1], [1, 0, 0]], bool), min_size=2).astype(int)
    array([[1, 0, 0],
           [1, 0, 0]])
    """
    return select_objects(mask, connectivity, dims, min_size=min_size)


@composed(takes="mask", gives="mask")
def filter_sizes(
    mask: Any,
    *,
    min_size: Annotated[int, Ge(0)] = 0,
    max_size: Count | None = None,
    connectivity: Connectivity | None = None,
    dims: Dims = "yx",
) -> Any:
    """Keep the objects of ``min_size`` to ``max_size`` pixels, both included.

    Parameters
    ----------
    mask : (..., M, N) boolean array
    min_size, max_size : int
        Numbers of pixels; no upper limit by default.
    connectivity : int, optional
        See :func:`remove_small_objects`.
    dims : {"yx", "zyx"}
        Objects of each plane, or of the volume.

    Returns
    -------
    (..., M, N) boolean array
        Objects are judged whole, wherever tiles cut them.

    Examples
    --------
    >>> import numpy as np
    >>> filter_sizes(np.array([[1, 0, 1], [1, 0, 0]], bool), max_size=1).astype(int)
    array([[0, 0, 1],
           [0, 0, 0]])
    """
    if max_size is not None and max_size < min_size:
        raise ParameterError(
            f"morphology.filter_sizes: max_size must be at least min_size (got {max_size} < {min_size})"
        )
    return select_objects(mask, connectivity, dims, min_size=min_size, max_size=max_size)


@composed(takes="mask", gives="mask")
def clear_border(mask: Any, *, dims: Dims = "yx") -> Any:
    """Remove the objects that touch the border of the image.

    Parameters
    ----------
    mask : (..., M, N) boolean array
    dims : {"yx", "zyx"}
        Objects of each plane, or of the volume.

    Returns
    -------
    (..., M, N) boolean array
        The border of a tile is no border. Pixels are neighbours across corners too, as in scikit-image.

    Notes
    -----
    Equal to ``skimage.segmentation.clear_border``.

    Examples
    --------
    >>> import numpy as np
    >>> clear_border(np.pad([[True]], 1) | np.eye(3, dtype=bool)).any()
    np.False_
    """
    return select_objects(mask, None, dims, clear_border=True)
