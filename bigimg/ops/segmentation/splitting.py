"""Touching objects split where a neck joins them.

The distance to the background is high in the middle of each object and low in the neck between two that touch: a map
of hills, one a part. A hill counts if the way to a higher one leads down to less than a given fraction of its height,
which is the same fraction for small objects and large ones. The parts are the basins of a watershed on the map upside
down.
"""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from annotated_types import Gt, Lt

from bigimg.core.lengths import Sigma
from bigimg.core.operation import Pixels, Valid
from bigimg.core.parameters import Connectivity, Dims
from bigimg.engine.faces import composed, tilewise
from bigimg.engine.kinds import combine_images, gather, opened, resolved
from bigimg.errors import ImageError, ParameterError
from bigimg.ops.filters.smoothing import gaussian
from bigimg.ops.morphology.distance import distance_transform
from bigimg.ops.segmentation.hills import grounds
from bigimg.ops.segmentation.scan_order import NumberInScanOrder
from bigimg.ops.spacing import Spacing


@composed(takes="mask", gives="labels")
def split_touching(
    mask: Any,
    *,
    neck: Annotated[float, Gt(0), Lt(1)] = 0.95,
    sigma: Sigma = 1.5,
    sampling: Spacing = 1.0,
    connectivity: Connectivity = 1,
    dims: Dims = "yx",
) -> Any:
    """Split the touching objects of a mask where a neck joins them, and number them all.

    Parameters
    ----------
    mask : (..., M, N) boolean array
    neck : float
        A cut is made where the neck between two parts is narrower than this fraction of the width of the narrower
        part; above 0 and below 1. The nearer to 1, the more cuts: 0.95 parts round objects such as nuclei that overlap
        a little, 0.7 cuts only where hardly any width is left.
    sigma : float, sequence of float, or length
        Standard deviation of the Gaussian that smooths the widths before they are compared, so that a rough outline
        makes no necks: in pixels, or a length such as ``"0.8 um"``. Parts about as small are not told apart.
    sampling : float, sequence of float, or unit
        Distance of pixels along each axis, for pixels or voxels that are not square: see
        :func:`bigimg.morphology.distance_transform`. Widths are compared with one another only, so that one number for
        all axes changes nothing.
    connectivity : int
        Which pixels are neighbours: 1 across edges (faces), 2 across corners too, 3 in volumes.
    dims : {"yx", "zyx"}
        Objects of each plane, numbered from 1 in each, or of the volume.

    Returns
    -------
    (..., M, N) array of uint32 (uint64 for images of more than 2**33 pixels)
        0 is the background, pixels that are not valid among it. Every pixel of the mask has a label, and the pixels of
        a label are connected. Labels are numbered by their first pixel in raster order.

    Raises
    ------
    ImageError
        If the mask is not boolean, or one object of it is larger than :func:`bigimg.segmentation.watershed` floods.

    Notes
    -----
    Made of operations that are exact however an image is cut, and so are the labels, for objects of any size: with
    ``depth = gaussian(distance_transform(mask), sigma)`` inside the mask and 0 elsewhere, the markers are the regional
    maxima of ``reconstruction(neck * depth, depth)``, and the labels ``watershed(-depth, markers, mask)``, numbered
    anew. As in all of these, what lies beyond the border of the image is unknown and not background.

    A fraction of the width is used, rather than a height or a distance between maxima, because it needs no guess at
    the size of the objects: docs/quality.md says what each gives on nuclei.

    References
    ----------
    P. Soille, "Morphological Image Analysis", 2nd edition, chapters 6 and 9 (2003).

    Examples
    --------
    Two discs that overlap are one object of the mask, and two nuclei:

    >>> import numpy as np
    >>> from bigimg import measure
    >>> rows, columns = np.ogrid[:21, :37]
    >>> discs = [(rows - 10) ** 2 + (columns - centre) ** 2 < 81 for centre in (10, 26)]
    >>> mask = discs[0] | discs[1]
    >>> int(measure.label(mask).max()), int(split_touching(mask).max())
    (1, 2)
    """
    ndim = len(dims)
    given = opened(mask, ndim)
    owner = "segmentation.split_touching"
    if given.pixels.dtype != bool:
        raise ImageError(f"{owner} takes boolean masks (got {given.pixels.dtype}); compare first, as in image > 0")
    if connectivity > ndim:
        raise ParameterError(f"{owner}: connectivity must be at most {ndim} for dims={dims!r} (got {connectivity})")
    sizes = {"sigma": sigma, "sampling": sampling}
    sizes |= resolved(sizes, mask, ndim, owner)
    distance = distance_transform(mask, sampling=sizes["sampling"], dims=dims)
    smooth = gaussian(_known(distance), sigma=sizes["sigma"], dims=dims)
    depth = combine_images(_inside, smooth, mask, ndim=ndim)
    parts = grounds(depth, neck, connectivity, dims)
    return gather(NumberInScanOrder(opened(parts, ndim).pixels.dtype), parts, ndim=ndim)


@tilewise(dtype="float64", accepts="f", scratch=0)
def _known(image: Pixels, *, valid: Valid | None = None) -> Pixels:  # noqa: ARG001 - pixels stand alone
    """Take any distance where an image without background has none."""
    return np.where(image == np.finfo(np.float64).max, 1.0, image)


def _inside(depth: Pixels, mask: Pixels) -> Pixels:
    return np.where(mask, depth, 0.0)
