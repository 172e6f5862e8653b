"""Filters of whole objects by their size and whether they touch the border."""

from __future__ import annotations

from typing import Annotated, Any

from annotated_types import Ge

from bigimg.core.parameters import Connectivity, Count, Dims
from bigimg.engine.faces import composed
from bigimg.errors import ParameterError
from bigimg.ops.objects import select_objects


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
