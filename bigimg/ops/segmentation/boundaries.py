"""Pixels where labels meet."""

from __future__ import annotations

from typing import Literal

import numpy as np

from bigimg.core.operation import Pixels, Valid
from bigimg.core.parameters import Connectivity, Dims
from bigimg.engine.faces import tilewise
from bigimg.errors import ParameterError
from bigimg.kernels import label_edges as kernel


@tilewise(halo=1, dtype="bool", takes="labels", gives="mask", accepts="biu", scratch=2)
def find_boundaries(
    labels: Pixels,
    *,
    connectivity: Connectivity = 1,
    mode: Literal["thick", "inner", "outer"] = "thick",
    background: int = 0,
    dims: Dims = "yx",
    valid: Valid | None = None,
) -> Pixels:
    """Find the pixels where labels meet.

    Parameters
    ----------
    labels : (..., M, N) array of integers or booleans
    connectivity : int
        Which pixels are neighbours: 1 across edges (faces), 2 across corners too, 3 in volumes.
    mode : {"thick", "inner", "outer"}
        ``"thick"``: pixels that have a neighbour of another label. ``"inner"``: those of them that are not background.
        ``"outer"``: those that are background, and where two objects touch, those of both.
    background : int
        The label of the background.
    dims : {"yx", "zyx"}
        Boundaries in each plane, or in the volume.

    Returns
    -------
    (..., M, N) boolean array
        The border of the image is no boundary. Nor is there one between a valid pixel and one that is not.

    Notes
    -----
    Equal to ``skimage.segmentation.find_boundaries(labels, connectivity, mode, background)``. With ``mode="outer"``
    and a ``background`` other than 0 that takes background beside an object for another object; here it is none.
    The mode ``"subpixel"``, whose result has another shape, is not offered.

    Examples
    --------
    >>> import numpy as np
    >>> find_boundaries(np.array([[0, 0, 3, 3, 3, 4]]), mode="inner")
    array([[False, False,  True, False,  True,  True]])
    """
    ndim = len(dims)
    if connectivity > ndim:
        raise ParameterError(
            f"segmentation.find_boundaries: connectivity must be at most {ndim} for dims={dims!r} (got {connectivity})"
        )
    met = kernel.meeting(labels, connectivity, ndim, valid)
    if mode == "inner":
        met &= labels != background
    elif mode == "outer":
        empty = np.asarray(labels == background)
        counts = ~empty if valid is None else ~empty & valid
        met &= empty | kernel.meeting(labels, ndim, ndim, counts)
    return met
