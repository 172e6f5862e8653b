"""Labels grown into the background."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from annotated_types import Ge, Le

from bigimg.core.operation import Pixels, Valid
from bigimg.core.parameters import Dims
from bigimg.engine.faces import tilewise
from bigimg.kernels import distance_labels as kernel
from bigimg.ops.spacing import Spacing, along_axes

WHAT = "segmentation.expand_labels: spacing"


def _halo(distance: float, spacing: float | Sequence[float], dims: Dims) -> tuple[int, ...]:
    return tuple(kernel.reach(distance, step) for step in along_axes(spacing, dims, WHAT))


@tilewise(halo=_halo, takes="labels", gives="labels", accepts="iu", scratch=24)
def expand_labels(
    labels: Pixels,
    *,
    distance: Annotated[float, Ge(0), Le(10000)] = 1.0,
    spacing: Spacing = 1.0,
    dims: Dims = "yx",
    valid: Valid | None = None,  # noqa: ARG001 - pixels that are not valid have no label
) -> Pixels:
    """Grow each label by up to ``distance``, where no other label is nearer.

    Parameters
    ----------
    labels : (..., M, N) array of integers
        0 is the background.
    distance : float
        How far from its nearest labelled pixel a pixel of the background may be to get its label; between centres of
        pixels, in units of ``spacing``.
    spacing : float, sequence of float, or unit
        Distance of pixels along each axis; one number for all axes. A unit such as ``"um"`` takes the distances that
        the image itself says, and ``distance`` is in it.
    dims : {"yx", "zyx"}
        Grow in each plane, or in the volume.

    Returns
    -------
    (..., M, N) array of the same dtype
        Pixels that are not valid have no label and get none; labels grow across them.

    Notes
    -----
    Equal to ``skimage.segmentation.expand_labels(labels, distance, spacing)``. Of labels that are equally far a pixel
    gets the one at the smaller column, then row, then plane, as SciPy's feature transform finds it; scikit-image calls
    that undefined. Where ``spacing`` is not 1, and distances are the same but for rounding, the smaller of the rounded
    numbers counts here, and SciPy's choice can be another.

    References
    ----------
    CellProfiler, IdentifySecondaryObjects, method "Distance - N".

    Examples
    --------
    >>> import numpy as np
    >>> expand_labels(np.array([[0, 1, 0, 0], [2, 0, 0, 0], [0, 3, 0, 0]]), distance=1)
    array([[2, 1, 1, 0],
           [2, 2, 0, 0],
           [2, 3, 3, 0]])
    """
    return kernel.expand(labels, distance, along_axes(spacing, dims, WHAT))
