"""Numbering the objects of a mask."""

from __future__ import annotations

from typing import Any

from bigimg.core.parameters import Connectivity, Dims
from bigimg.engine.faces import composed
from bigimg.ops.objects import finished, objects_of


@composed(takes="mask", gives="labels")
def label(mask: Any, *, connectivity: Connectivity | None = None, dims: Dims = "yx") -> Any:
    """Give every object of a mask its number.

    Parameters
    ----------
    mask : (..., M, N) boolean array
    connectivity : int, optional
        Which pixels are neighbours: 1 across edges (faces), 2 across corners too, 3 in volumes; by default the most.
    dims : {"yx", "zyx"}
        Objects of each plane, numbered from 1 in each, or of the volume.

    Returns
    -------
    (..., M, N) array of uint32 (uint64 for images of more than 2**33 pixels)
        0 is the background, pixels that are not valid among it. Objects are numbered by their first pixel in raster
        order.

    Notes
    -----
    Equal, numbers included, to ``skimage.measure.label`` of the whole image. After
    :func:`bigimg.morphology.remove_small_objects` or another filter of objects with the same connectivity nothing is
    labelled twice.

    Examples
    --------
    >>> import numpy as np
    >>> label(np.array([[1, 0, 0], [0, 1, 0], [0, 0, 0], [1, 0, 0]], bool))
    array([[1, 0, 0],
           [0, 1, 0],
           [0, 0, 0],
           [2, 0, 0]], dtype=uint32)
    """
    return finished(mask, objects_of(mask, connectivity, dims, "labels"), dims)
