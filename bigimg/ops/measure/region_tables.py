"""The table of measured objects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import dask.array as da
import numpy as np
import pandas as pd
from pydantic import AfterValidator, Field

from bigimg.core.operation import Pixels, Valid
from bigimg.core.parameters import Dims, ImageInput
from bigimg.core.reduction import Reduction
from bigimg.core.tile import Tile
from bigimg.engine.faces import composed
from bigimg.engine.gather import gathered
from bigimg.engine.kinds import opened, reduce
from bigimg.errors import ImageError, suggestion
from bigimg.kernels import regions
from bigimg.kernels.regions import Regions
from bigimg.ops.objects import Objects

SHAPE_PROPERTIES = (
    "label",
    "area",
    "bbox",
    "centroid",
    "axis_major_length",
    "axis_minor_length",
    "eccentricity",
    "orientation",
)


def _known(name: str) -> str:
    if name not in regions.PROPERTIES:
        raise ValueError(f"must name properties; unknown: {name!r}, {suggestion(name, regions.PROPERTIES)}")
    return name


Property = Annotated[str, AfterValidator(_known), Field(json_schema_extra={"enum": list(regions.PROPERTIES)})]


@dataclass(frozen=True)
class MeasureRegions(Reduction[Regions, pd.DataFrame]):
    """Measure labelled objects; see :func:`regionprops_table`."""

    properties: tuple[str, ...]
    connected: bool
    """Whether an object that touches no face of its tile is known to lie in that tile only."""
    name: ClassVar[str] = "measure"

    def partial(self, tile: Tile, *images: Pixels, valid: Valid | None = None) -> Regions:
        """Measure the pixels of one tile."""
        labels = images[0]
        shared = _on_faces(labels, tile) if self.connected else None
        intensity = images[1] if len(images) > 1 else None
        return regions.measure(labels, tile.origin, intensity, properties=self.properties, shared=shared, valid=valid)

    def merge(self, first: Regions, second: Regions) -> Regions:
        """Join the parts of objects that lie in both."""
        return regions.merge(first, second)

    def finish(self, state: Regions) -> pd.DataFrame:
        """Return one row an object, sorted by label."""
        return pd.DataFrame(regions.table(state, self.properties))


@composed(takes="labels", gives="table")
def regionprops_table(
    labels: Any,
    intensity_image: ImageInput | None = None,
    *,
    properties: Sequence[Property] | None = None,
    dims: Dims = "yx",
) -> Any:
    """Measure each object of a label image.

    Parameters
    ----------
    labels : (M, N) or (P, M, N) array of integers
        0 is the background. A label need not be connected, and may lie in any number of tiles.
    intensity_image : (M, N) or (C, M, N) array, optional
        What intensities are measured in; channels stand before the plane.
    properties : sequence of str, optional
        Names as in ``skimage.measure.regionprops_table``: label, area, bbox, centroid, moments_central,
        axis_major_length, axis_minor_length, eccentricity, orientation, intensity_mean, intensity_std, intensity_min,
        intensity_max, intensity_median and more; by default all of shape, and the intensities where an image is given.
    dims : {"yx", "zyx"}
        Whether the labels are of a plane or of a volume.

    Returns
    -------
    pandas.DataFrame
        One row an object, sorted by label, with the columns of scikit-image: ``bbox-0``, ``centroid-1``, and
        ``intensity_mean-0`` where the image has channels. Lengths in pixels. Lazy, with ``.compute()``, where the
        labels or the image are lazy.

    Notes
    -----
    Equal to ``skimage.measure.regionprops_table`` of the whole image. Sums are exact, so that the table is the same to
    the bit however the image is cut. Objects inside one tile are finished there; only fragments are merged.

    Examples
    --------
    >>> import numpy as np
    >>> regionprops_table(np.array([[1, 1, 0], [0, 0, 2]]), properties=["label", "area", "centroid"])
       label  area  centroid-0  centroid-1
    0      1   2.0         0.0         0.5
    1      2   1.0         1.0         2.0
    """
    ndim = len(dims)
    given = opened(labels, ndim)
    if given.pixels.dtype.kind not in "iu":
        raise ImageError(
            f"labels are integers (got {given.pixels.dtype}); number the objects first, with measure.label"
        )
    if given.pixels.ndim != ndim:
        raise ImageError(f"dims={dims!r} measures labels of {ndim} axes (got shape {given.pixels.shape})")
    names = tuple(properties or SHAPE_PROPERTIES[: None if ndim == 2 else -2])
    images = [labels]
    if intensity_image is not None:
        images.append(intensity_image)
        if properties is None:
            names += tuple(name for name in regions.PROPERTIES if name.startswith("intensity_"))
    elif any(name.startswith("intensity_") for name in names):
        raise ImageError("intensities are measured in an image: give intensity_image")
    before = gathered(given.pixels) if isinstance(given.pixels, da.Array) else None
    connected = (isinstance(before, Objects) and before.output == "labels") or not given.lazy
    return reduce(MeasureRegions(names, connected), *images, ndim=ndim)


def _on_faces(labels: Pixels, tile: Tile) -> Any:
    """Return the labels on faces beyond which the image goes on: only these objects can go on there too."""
    lines = [
        np.take(labels, -side, axis=axis).ravel()
        for axis in range(labels.ndim)
        for side in (0, 1)
        if not tile.at_border(axis)[side]
    ]
    return np.unique(np.concatenate(lines)) if lines else np.zeros(0, labels.dtype)
