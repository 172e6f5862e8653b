"""How thick and how wide objects are."""

from __future__ import annotations

from functools import partial
from typing import Any

from bigimg.core.parameters import Dims
from bigimg.engine.faces import composed
from bigimg.kernels import object_shape as kernel
from bigimg.kernels.object_pixels import Columns, ObjectPixels
from bigimg.ops.measure.whole_objects import measure_whole


@composed(takes="labels", gives="table")
def object_shape(labels: Any, *, dims: Dims = "yx") -> Any:
    """Measure how thick and how wide each object is, and how far its outline is from a circle's.

    Parameters
    ----------
    labels : (M, N) or (P, M, N) array of integers
        0 is the background. A label need not be connected, and may lie in any number of tiles.
    dims : {"yx", "zyx"}
        Whether the labels are of a plane or of a volume; of a volume there are radii only.

    Returns
    -------
    pandas.DataFrame
        One row an object, sorted by label, lengths in pixels:

        ======================  ===================================================  ===========================
        column                  what it is                                           CellProfiler
        ======================  ===================================================  ===========================
        ``radius_max``          largest distance of a pixel to the nearest outside   AreaShape_MaximumRadius
        ``radius_mean``         mean of these distances                              AreaShape_MeanRadius
        ``radius_median``       median of these distances                            AreaShape_MedianRadius
        ``feret_centers_min``   least width between two parallel lines               AreaShape_MinFeretDiameter
        ``feret_centers_max``   largest distance of two pixels                       AreaShape_MaxFeretDiameter
        ``form_factor``         4 pi area / perimeter**2, 1 for a circle             AreaShape_FormFactor
        ``compactness``         perimeter**2 / (4 pi area)                           AreaShape_Compactness
        ======================  ===================================================  ===========================

        Lazy, with ``.compute()``, where the labels are lazy.

    Notes
    -----
    As CellProfiler's MeasureObjectSizeShape: distances are those of ``scipy.ndimage.distance_transform_edt`` of the
    object alone, where what is beyond the border of the image is outside too; widths are between the centres of pixels,
    and so smaller than scikit-image's ``feret_diameter_max``, which is around their corners; the perimeter is
    ``skimage.measure.perimeter``, 0 and the form factor infinite for a single pixel. CellProfiler has no radii of
    volumes; these are the same distances in three dimensions.

    Exact at any size: an object that lies in one tile is measured there, the pixels of others travel, 20 bytes a run of
    pixels, and need some 150 bytes a pixel of the largest for the time it is measured. Labels that
    :func:`bigimg.measure.label` does not number in the same computation are read twice, first to find which lie in
    several tiles.

    References
    ----------
    C. McQuin et al., CellProfiler 3.0: next-generation image processing for biology, PLOS Biology 16, 2018.

    Examples
    --------
    >>> import numpy as np
    >>> from bigimg import measure
    >>> measure.object_shape(np.pad(np.ones((5, 9), int), 1)).round(2).T
                          0
    label              1.00
    radius_max         3.00
    radius_mean        1.58
    radius_median      1.00
    feret_centers_min  4.00
    feret_centers_max  8.94
    form_factor        0.98
    compactness        1.02
    """
    return measure_whole(partial(_shape, volume=len(dims) == 3), labels, None, len(dims))


def _shape(pixels: ObjectPixels, *, volume: bool) -> Columns:
    return kernel.radii(pixels, volume=volume) | ({} if volume else kernel.outlines(pixels))
