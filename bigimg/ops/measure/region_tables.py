"""The table of measured objects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Annotated, Any, ClassVar

import numpy as np
import pandas as pd
import xarray as xr
from pydantic import AfterValidator, Field

from bigimg.core.operation import Pixels, Valid
from bigimg.core.parameters import Dims, ImageInput
from bigimg.core.reduction import Reduction
from bigimg.core.tile import Tile
from bigimg.engine.faces import composed
from bigimg.engine.kinds import PLANE, VOLUME, opened, reduce, resolved
from bigimg.errors import ImageError, suggestion
from bigimg.kernels import region_properties, regions
from bigimg.kernels.region_properties import OF_WHOLE_OBJECTS
from bigimg.kernels.regions import Regions
from bigimg.ops.measure.whole_objects import labels_on_faces, shared_labels
from bigimg.ops.spacing import Spacing, along_axes

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

Place = tuple[int, ...]
"""Index of a plane in a stack."""


def _known(name: str) -> str:
    if name in OF_WHOLE_OBJECTS:
        raise ValueError(
            f"must name columns; {name!r} is as large as the object itself: cut objects out with measure.crop_objects"
        )
    if name not in regions.PROPERTIES:
        raise ValueError(f"must name properties; unknown: {name!r}, {suggestion(name, regions.PROPERTIES)}")
    return name


Property = Annotated[str, AfterValidator(_known), Field(json_schema_extra={"enum": list(regions.PROPERTIES)})]


@dataclass(frozen=True)
class MeasureRegions(Reduction[Mapping[Place, Regions], pd.DataFrame]):
    """Measure labelled objects, those of each plane by themselves; see :func:`regionprops_table`."""

    properties: tuple[str, ...]
    ndim: int
    leading: tuple[str, ...]
    """Names of the axes before the plane or volume."""
    spacing: tuple[float, ...]
    shared: Any
    """The labels that lie in several tiles; None where those on the faces of a tile are known to be all."""
    name: ClassVar[str] = "measure"

    @property
    def halo(self) -> tuple[int, ...]:
        """Outlines are patterns of pixels around each pixel."""
        return (region_properties.reach(self.properties),) * self.ndim

    def partial(self, tile: Tile, *images: Pixels, valid: Valid | None = None) -> Mapping[Place, Regions]:
        """Measure the pixels of one tile, plane by plane."""
        labels, *intensities = images
        first = len(tile.write) - self.ndim
        plane = Tile(tile.index[first:], tile.write[first:], tile.read[first:], tile.image_shape[first:])
        counts = None if valid is None else np.broadcast_to(valid, labels.shape)
        found = {}
        for at in product(*(range(side.stop - side.start) for side in tile.write[:first])):
            own = labels[at]
            within = [image[(slice(None),) * (image.ndim - labels.ndim) + at] for image in intensities]
            found[tuple(side.start + step for side, step in zip(tile.write, at))] = regions.measure(
                own,
                plane.origin,
                within[0] if within else None,
                properties=self.properties,
                shared=self._shared(own[plane.crop], plane),
                valid=None if counts is None else counts[at],
                own=plane.crop,
                spacing=self.spacing,
            )
        return found

    def _shared(self, labels: Pixels, plane: Tile) -> Any:
        if plane.write == tuple(slice(0, size) for size in plane.image_shape):
            return np.zeros(0, np.int64)
        return labels_on_faces(labels, plane) if self.shared is None else self.shared

    def merge(self, first: Mapping[Place, Regions], second: Mapping[Place, Regions]) -> Mapping[Place, Regions]:
        """Join the parts of objects that lie in both."""
        both = {at: regions.merge(first[at], second[at]) for at in first.keys() & second.keys()}
        return {**first, **second, **both}

    def finish(self, state: Mapping[Place, Regions]) -> pd.DataFrame:
        """Return one row an object, sorted by plane and label."""
        tables = [(at, regions.table(state[at], self.properties)) for at in sorted(state)]
        columns = {name: np.concatenate([table[name] for _, table in tables]) for name in tables[0][1]}
        counts = [len(state[at]) for at, _ in tables]
        places = {
            name: np.repeat([at[axis] for at, _ in tables], counts).astype(np.int64)
            for axis, name in enumerate(self.leading)
        }
        return pd.DataFrame(places | columns)


@composed(takes="labels", gives="table")
def regionprops_table(
    labels: Any,
    intensity_image: ImageInput | None = None,
    *,
    properties: Sequence[Property] | None = None,
    spacing: Spacing = 1.0,
    dims: Dims = "yx",
) -> Any:
    """Measure each object of a label image.

    Parameters
    ----------
    labels : (..., M, N) or (..., P, M, N) array of integers
        0 is the background. A label need not be connected, and may lie in any number of tiles. Objects of each plane
        (volume) of a stack are measured by themselves.
    intensity_image : array of the shape of labels, or that behind channels, optional
        What intensities are measured in.
    properties : sequence of str, optional
        Names as in ``skimage.measure.regionprops_table``, all of those below; by default label, area, bbox, centroid,
        axes, eccentricity and orientation, and where an image is given mean, standard deviation, extremes and median.
    spacing : float, sequence of float, or unit
        Size of a pixel, or one along each axis: areas, lengths and moments are in this unit. A unit, ``um``, takes the
        sizes that the image itself says. ``bbox`` stays in pixels.
    dims : {"yx", "zyx"}
        Whether the objects are those of planes or of volumes.

    Returns
    -------
    pandas.DataFrame
        One row an object, sorted by label, with the columns of scikit-image: ``bbox-0``, ``centroid-1``, and
        ``intensity_mean-0`` where the image has channels. For a stack the first columns say which plane, by the names
        of its axes: ``t`` where it has one that nobody named, else ``axis-0``, ``axis-1``. Lazy, with ``.compute()``,
        where the labels or the image are lazy; :func:`bigimg.measure.write_partitions` writes a lazy table that is too
        large for one memory. Pixels that are not valid in one of the images do not count.

    Notes
    -----
    Equal to ``skimage.measure.regionprops_table(labels, intensity_image, properties, spacing=spacing)`` of the whole
    image, 0.26, for all properties that are columns of fixed size:

    - num_pixels, area, area_bbox, area_convex, area_filled, bbox, extent, solidity, equivalent_diameter_area,
      feret_diameter_max, euler_number; of planes perimeter and perimeter_crofton, for pixels as long as wide
    - centroid, centroid_local, moments, moments_central, moments_normalized, inertia_tensor, inertia_tensor_eigvals,
      axis_major_length, axis_minor_length; of planes moments_hu (in pixels), eccentricity, orientation
    - intensity_mean, intensity_std, intensity_min, intensity_max, intensity_median, centroid_weighted,
      centroid_weighted_local, moments_weighted, moments_weighted_central, moments_weighted_normalized; of planes
      moments_weighted_hu (in pixels)

    What scikit-image rounds on the way is not rounded here: sums are exact, so that moments which vanish are 0, and the
    table is the same to the bit however the image is cut. Float32 intensities are added as float64. Of flat objects in
    volumes scikit-image finds no hull (``area_convex`` 0 with a warning); here they have one. Objects inside one tile
    are finished there; only fragments are merged. Lazy labels that :func:`bigimg.measure.label` does not number in the
    same computation are read twice, first to find which lie in several tiles.

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
    names = tuple(SHAPE_PROPERTIES[: None if ndim == 2 else -2] if properties is None else properties)
    spacing = resolved({"spacing": spacing}, labels, ndim, WHAT).get("spacing", spacing)
    images = [labels]
    if intensity_image is not None:
        images.append(_channels_first(intensity_image, labels))
        _check_shapes(given.pixels.shape, opened(images[1], ndim).pixels.shape)
        if properties is None:
            names += tuple(name for name in regions.PROPERTIES if name.startswith("intensity_"))
    elif any(regions.PROPERTIES[name].of_intensity for name in names):
        raise ImageError("intensities are measured in an image: give intensity_image")
    steps = along_axes(spacing, dims, f"{WHAT}: spacing")
    for name in names:
        region_properties.known(name, ndim)
    region_properties.check_pixels(names, steps)
    leading = _leading(labels, given.pixels.ndim - ndim, ndim)
    shared = shared_labels(ndim, *images)
    return reduce(MeasureRegions(names, ndim, leading, steps, shared), *images, ndim=ndim)


WHAT = "measure.regionprops_table"


def _leading(labels: Any, count: int, ndim: int) -> tuple[str, ...]:
    """Return the names of the axes before the plane or volume."""
    if isinstance(labels, xr.DataArray):
        names = [str(name) for name in labels.dims]
        spatial = VOLUME if ndim == 3 else PLANE
        return (
            tuple(name for name in names if name not in spatial) if set(spatial) <= set(names) else tuple(names[:count])
        )
    return ("t",) if count == 1 else tuple(f"axis-{axis}" for axis in range(count))


def _channels_first(intensity: Any, labels: Any) -> Any:
    """Return an image whose named axes that labels do not have stand first."""
    if not (isinstance(intensity, xr.DataArray) and isinstance(labels, xr.DataArray)):
        return intensity
    rest = [name for name in labels.dims if name in intensity.dims]
    return intensity.transpose(*(name for name in intensity.dims if name not in labels.dims), *rest)


def _check_shapes(labels: tuple[int, ...], intensity: tuple[int, ...]) -> None:
    behind = len(intensity) - len(labels)
    if behind not in {0, 1} or intensity[behind:] != labels:
        raise ImageError(
            f"intensities have the shape of labels, {labels}, or that behind channels (got {intensity}); measure each "
            "image with labels of its own"
        )
