"""Filters of whole objects and holes by their size and whether they touch the border."""

from __future__ import annotations

from typing import Annotated, Any

from annotated_types import Ge

from bigimg.core.parameters import Connectivity, Count, Dims
from bigimg.engine.faces import composed
from bigimg.errors import ParameterError
from bigimg.ops.object_filters import ByBorder, BySize, Largest
from bigimg.ops.objects import select_holes, select_objects


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
        Objects are judged whole, wherever tiles cut them. Pixels that are not valid are background.

    Notes
    -----
    Equal to ``skimage.morphology.remove_small_objects(mask, max_size=min_size - 1, connectivity=connectivity)``.

    Examples
    --------
    >>> import numpy as np
    >>> remove_small_objects(np.array([[1, 0, 1], [1, 0, 0]], bool), min_size=2).astype(int)
    array([[1, 0, 0],
           [1, 0, 0]])
    """
    return select_objects(mask, connectivity, dims, BySize(min_size))


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
        Objects are judged whole, wherever tiles cut them. Pixels that are not valid are background.

    Notes
    -----
    scikit-image and SciPy have no such function; the same as keeping the labels of ``skimage.measure.label`` whose
    counts of pixels are in the range.

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
    return select_objects(mask, connectivity, dims, BySize(min_size, max_size))


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
        The border of a tile is no border. Pixels that are not valid are as if outside of the image: an object beside
        one may go on there, and is removed. Pixels are neighbours across corners too, as in scikit-image.

    Notes
    -----
    Equal to ``skimage.segmentation.clear_border(mask)``.

    Examples
    --------
    >>> import numpy as np
    >>> clear_border(np.pad([[True]], 1) | np.eye(3, dtype=bool)).any()
    np.False_
    """
    return select_objects(mask, None, dims, ByBorder(touches=False), open_ends=True)


@composed(takes="mask", gives="mask")
def largest_objects(
    mask: Any, *, number: Count = 1, connectivity: Connectivity | None = None, dims: Dims = "yx"
) -> Any:
    """Keep the largest objects.

    Parameters
    ----------
    mask : (..., M, N) boolean array
    number : int
        How many objects stay; all of them where there are fewer.
    connectivity : int, optional
        See :func:`remove_small_objects`.
    dims : {"yx", "zyx"}
        Objects of each plane, or of the volume.

    Returns
    -------
    (..., M, N) boolean array
        Of objects of the same size those stay whose first pixel, row by row, comes first. Pixels that are not valid are
        background.

    Notes
    -----
    scikit-image and SciPy have no such function; the same as sorting ``skimage.measure.regionprops`` of the whole image
    by area.

    Examples
    --------
    >>> import numpy as np
    >>> largest_objects(np.array([[1, 0, 1], [0, 0, 1]], bool)).astype(int)
    array([[0, 0, 1],
           [0, 0, 1]])
    """
    return select_objects(mask, connectivity, dims, Largest(number))


@composed(takes="mask", gives="mask")
def remove_small_holes(mask: Any, *, max_size: Count = 64, connectivity: Connectivity = 1, dims: Dims = "yx") -> Any:
    """Fill the holes of up to ``max_size`` pixels.

    Parameters
    ----------
    mask : (..., M, N) boolean array
    max_size : int
        The largest number of pixels of a hole that is filled.
    connectivity : int
        Which pixels of the background are neighbours: 1 across edges (faces), 2 across corners too, 3 in volumes. With
        1 a hole ends where objects join across corners.
    dims : {"yx", "zyx"}
        Holes of each plane, or of the volume.

    Returns
    -------
    (..., M, N) boolean array
        Holes are judged whole, wherever tiles cut them. Pixels that are not valid are of no hole, as if they were
        outside of the image.

    Notes
    -----
    Equal to ``skimage.morphology.remove_small_holes``. As there a hole is any connected part of the background, also
    one at the border of the image; :func:`fill_holes` takes only what objects enclose.

    Examples
    --------
    >>> import numpy as np
    >>> remove_small_holes(np.array([[1, 1, 1, 0], [1, 0, 1, 0], [1, 1, 1, 0]], bool), max_size=1).astype(int)
    array([[1, 1, 1, 0],
           [1, 1, 1, 0],
           [1, 1, 1, 0]])
    """
    return select_holes(mask, connectivity, dims, BySize(max_size + 1), open_ends=False)


@composed(takes="mask", gives="mask")
def fill_holes(mask: Any, *, connectivity: Connectivity = 1, dims: Dims = "yx") -> Any:
    """Fill the holes in objects: the background from which no path leads to the border of the image.

    Parameters
    ----------
    mask : (..., M, N) boolean array
    connectivity : int
        How paths step through the background: 1 across edges (faces), 2 across corners too, 3 in volumes.
    dims : {"yx", "zyx"}
        Holes of each plane, or of the volume.

    Returns
    -------
    (..., M, N) boolean array
        A hole is filled wherever tiles cut it. Pixels that are not valid are as if outside of the image: a hole beside
        one may go on there, and stays open.

    Notes
    -----
    Equal to ``scipy.ndimage.binary_fill_holes`` with ``structure=generate_binary_structure(ndim, connectivity)``.

    Examples
    --------
    >>> import numpy as np
    >>> fill_holes(np.array([[1, 1, 1, 0], [1, 0, 1, 0], [1, 1, 1, 0]], bool)).astype(int)
    array([[1, 1, 1, 0],
           [1, 1, 1, 0],
           [1, 1, 1, 0]])
    """
    return select_holes(mask, connectivity, dims, ByBorder(touches=True), open_ends=True)
