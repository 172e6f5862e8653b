"""Intensities on the inner boundary of objects."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from bigimg.core.operation import Pixels
from bigimg.core.parameters import Dims, ImageInput
from bigimg.core.tile import Tile
from bigimg.engine.faces import composed
from bigimg.engine.kinds import reduce
from bigimg.kernels import object_edges
from bigimg.kernels.object_pixels import ObjectRuns, joined, runs_of
from bigimg.ops.measure.whole_objects import WholeObjects, check_images, distinct, shared_labels


@dataclass(frozen=True)
class EdgeIntensities(WholeObjects):
    """Measure the pixels on the inner boundary of objects; see :func:`edge_intensities`."""

    ndim: int
    name: ClassVar[str] = "edges"

    @property
    def halo(self) -> tuple[int, ...]:
        """A pixel is on the boundary by what lies beside it."""
        return (1,) * self.ndim

    def runs(self, tile: Tile, labels: Pixels, values: Pixels) -> ObjectRuns:
        """Return the pixels on boundaries, and each label that has none here with no pixel."""
        own = labels[tile.crop]
        edges = np.where(object_edges.inner_boundaries(labels)[tile.crop], own, np.zeros((), own.dtype))
        cropped = values.reshape(-1, *labels.shape)[(slice(None), *tile.crop)].reshape(len(values), -1)
        runs = runs_of(edges, tile.origin, tile.image_shape, cropped)
        inside = np.setdiff1d(distinct(own), runs.label)
        nothing = np.zeros_like(inside)
        without = replace(runs, label=inside, first=nothing, size=nothing.astype(np.int32), values=runs.values[:, :0])
        return joined([runs, without])


@composed(takes="labels", gives="table")
def edge_intensities(labels: Any, intensity_image: ImageInput, *, dims: Dims = "yx") -> Any:
    """Measure the intensities on the inner boundary of each object.

    The inner boundary of an object are its pixels beside which, along an axis, lies a pixel that is not of it.

    Parameters
    ----------
    labels : (M, N) or (P, M, N) array of integers
        0 is the background. A label need not be connected, and may lie in any number of tiles.
    intensity_image : array of the shape of labels, or that behind channels
        What is measured.
    dims : {"yx", "zyx"}
        Whether the labels are of a plane or of a volume.

    Returns
    -------
    pandas.DataFrame
        One row an object, sorted by label, with the columns below; those of intensities end in ``-0``, ``-1`` ... where
        the image has channels.

        =========================  ============================================  =================================
        column                     what it is                                    CellProfiler
        =========================  ============================================  =================================
        ``num_pixels_edge``        number of pixels on the boundary              (none)
        ``intensity_sum_edge``     sum                                           Intensity_IntegratedIntensityEdge
        ``intensity_mean_edge``    mean                                          Intensity_MeanIntensityEdge
        ``intensity_std_edge``     standard deviation, of a whole population     Intensity_StdIntensityEdge
        ``intensity_min_edge``     lowest                                        Intensity_MinIntensityEdge
        ``intensity_max_edge``     highest                                       Intensity_MaxIntensityEdge
        =========================  ============================================  =================================

        An object without boundary, that is, one that fills the image, has a sum of 0 and ``nan`` for the others. Lazy,
        with ``.compute()``, where the images are lazy.

    Notes
    -----
    As CellProfiler's MeasureObjectIntensity, up to rounding; its boundaries are those of
    ``skimage.segmentation.find_boundaries`` with ``mode="inner"``. Beyond the border of the image nothing lies, and so
    it makes no boundary. Pixels that are not valid are background.

    Exact at any size: of an object that tiles cut, the boundary pixels travel and are added in the order of rows.
    Integers of 64 bits are measured as float64. Labels that :func:`bigimg.measure.label` does not number in the same
    computation are read twice, first to find which lie in several tiles.

    References
    ----------
    C. McQuin et al., CellProfiler 3.0: next-generation image processing for biology, PLOS Biology 16, 2018.

    Examples
    --------
    >>> import numpy as np
    >>> from bigimg import measure
    >>> labels = np.pad(np.full((3, 3), 7), 1)
    >>> measure.edge_intensities(labels, np.arange(25).reshape(5, 5)).T
                                0
    label                 7.00000
    num_pixels_edge       8.00000
    intensity_sum_edge   96.00000
    intensity_mean_edge  12.00000
    intensity_std_edge    4.41588
    intensity_min_edge    6.00000
    intensity_max_edge   18.00000
    """
    ndim = len(dims)
    channels = check_images(labels, intensity_image, ndim)
    shared = shared_labels(ndim, labels, intensity_image)
    work = EdgeIntensities(object_edges.edge_intensities, channels, shared, ndim)
    return reduce(work, labels, intensity_image, ndim=ndim)
