"""How the intensity of objects is spread from centre to edge."""

from __future__ import annotations

from functools import partial
from typing import Any

from bigimg.core.parameters import Count, ImageInput, Scale
from bigimg.engine.faces import composed
from bigimg.kernels import object_radial
from bigimg.kernels.object_pixels import Columns, ObjectPixels
from bigimg.ops.measure.whole_objects import measure_whole


@composed(takes="labels", gives="table")
def radial_distribution(
    labels: Any, intensity_image: ImageInput, *, bins: Count = 4, maximum_radius: Scale | None = None
) -> Any:
    """Measure how the intensity of each object is spread over rings from its centre to its edge.

    The centre of an object is its pixel farthest from the edge, the first of these in the order of rows. How far a
    pixel is from there is the length of the shortest path within the object, by steps of 1 and the square root of 2;
    its ring is that length divided by itself and the distance to the edge.

    Parameters
    ----------
    labels : (M, N) array of integers
        0 is the background. A label may lie in any number of tiles. Of one that is not connected, by sides or corners,
        the part with the centre is measured.
    intensity_image : (M, N) or (C, M, N) array
        What is measured; channels stand before the plane.
    bins : int
        Number of rings. CellProfiler: 4.
    maximum_radius : float, optional
        Let rings have equal widths instead, and the last end this many pixels from the centre; what lies farther is one
        more ring, ``overflow``. CellProfiler calls that rings that are not scaled.

    Returns
    -------
    pandas.DataFrame
        One row an object, sorted by label. For ring ``k``, 1 at the centre, the columns, with ``-0``, ``-1`` ... behind
        them where the image has channels:

        ===================================  ======================================  =============================
        column                               what it is                              CellProfiler
        ===================================  ======================================  =============================
        ``radial_fraction_{k}of{bins}``      share of the object's intensity         RadialDistribution_FracAtD
        ``radial_mean_fraction_{k}of{bins}`` that by the ring's share of pixels      RadialDistribution_MeanFrac
        ``radial_cv_{k}of{bins}``            deviation by mean of 8 wedges' means    RadialDistribution_RadialCV
        ===================================  ======================================  =============================

        ``nan`` where the intensities of an object sum to 0. Lazy, with ``.compute()``, where the images are lazy.

    Notes
    -----
    As CellProfiler's MeasureObjectIntensityDistribution, with objects as their own centres, in two dimensions as there;
    where several pixels are farthest from the edge CellProfiler takes any of them. Beyond the border of the image
    nothing is an edge; an object that fills the image has its border for an edge. Pixels that are not valid are
    background.

    Exact at any size: an object that lies in one tile is measured there, the pixels of others travel. Their memory in
    the end is that of all pixels of objects that tiles cut: a run of pixels 20 bytes, a pixel those of its intensities,
    and some 150 bytes a pixel of the largest for the time it is measured. Labels that :func:`bigimg.measure.label` does
    not number in the same computation are read twice, first to find which lie in several tiles.

    References
    ----------
    C. McQuin et al., CellProfiler 3.0: next-generation image processing for biology, PLOS Biology 16, 2018.

    Examples
    --------
    >>> import numpy as np
    >>> from bigimg import measure
    >>> disk = np.hypot(*np.mgrid[-5:6, -5:6]) < 5
    >>> measure.radial_distribution(disk.astype(int), np.ones((11, 11)), bins=2).round(3).T
                                   0
    label                      1.000
    radial_fraction_1of2       0.304
    radial_fraction_2of2       0.696
    radial_mean_fraction_1of2  1.000
    radial_mean_fraction_2of2  1.000
    radial_cv_1of2             0.000
    radial_cv_2of2             0.000
    """
    return measure_whole(partial(_rings, bins=bins, maximum_radius=maximum_radius), labels, intensity_image, 2)


def _rings(pixels: ObjectPixels, *, bins: int, maximum_radius: float | None) -> Columns:
    found = object_radial.radial_distribution(pixels, bins, maximum_radius)
    columns = {"label": found["label"]}
    for name in ("fraction", "mean_fraction", "cv"):
        for ring in range(found[name].shape[2]):
            of = f"{ring + 1}of{bins}" if ring < bins else "overflow"
            columns[f"radial_{name}_{of}"] = found[name][:, :, ring]
    return columns
