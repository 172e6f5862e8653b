"""The properties of objects by scikit-image's names, and what has to be summed in every tile for them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from bigimg.errors import ParameterError, UnknownNameError
from bigimg.kernels.exact_sums import NumberFormat

Columns = dict[str, NDArray[Any]]
"""Arrays of one length: one entry for each object."""

Pixels = Literal["any", "square", "one"]


@dataclass(frozen=True)
class Property:
    """What a property of an object is, and what it is made from."""

    description: str
    order: int = 0
    """Highest order of the moments it needs; 3 means every power up to 3 along each axis, as in scikit-image."""
    statistic: str | None = None
    """What it needs of the intensities: mean, std, extremes or median."""
    plane_only: bool = False
    """Whether it is defined in two dimensions only."""
    weighted: int = 0
    """Highest order of the moments of the intensities it needs, as ``order``."""
    summary: str | None = None
    """What else it needs of the shape: corner, perimeter, windows, hull or filled."""
    pixels: Pixels = "any"
    """Sizes of pixels it is defined for: any, the same along both axes, or 1 only."""

    @property
    def of_intensity(self) -> bool:
        """Whether it is measured in a second image."""
        return self.statistic is not None or self.weighted > 0

    @property
    def reach(self) -> int:
        """How far beyond its tile a pixel must be seen."""
        return {"perimeter": 2, "windows": 1}.get(self.summary or "", 0)


PROPERTIES: dict[str, Property] = {
    "label": Property("The object's number in the label image."),
    "num_pixels": Property("Number of pixels."),
    "area": Property("Number of pixels, times the area or volume of one."),
    "area_bbox": Property("Area or volume of the bounding box."),
    "area_convex": Property("Area or volume of the pixels in the convex hull.", summary="hull"),
    "area_filled": Property("Area or volume with the holes filled, whatever lies in them.", summary="filled"),
    "bbox": Property("Bounding box in pixels: the first index along each axis, then the index behind the last."),
    "extent": Property("Area divided by the area of the bounding box."),
    "solidity": Property("Area divided by the area of the convex hull.", summary="hull"),
    "equivalent_diameter_area": Property("Diameter of the disk or ball of the same area or volume."),
    "feret_diameter_max": Property("Longest distance between points of the outline of the hull.", summary="hull"),
    "perimeter": Property(
        "Length of the line through the centres of the border pixels.",
        plane_only=True,
        summary="perimeter",
        pixels="square",
    ),
    "perimeter_crofton": Property(
        "Perimeter by the formula of Crofton in four directions.", plane_only=True, summary="windows", pixels="square"
    ),
    "euler_number": Property(
        "Number of connected pieces, less holes in planes, less tunnels plus cavities in volumes.", summary="windows"
    ),
    "centroid": Property("Mean position of the pixels.", order=1),
    "centroid_local": Property("Mean position of the pixels, from the corner of the bounding box.", order=1),
    "moments": Property("Moments about the corner of the bounding box, each power from 0 to 3.", 3, summary="corner"),
    "moments_central": Property("Central moments of the shape, each power from 0 to 3.", order=3),
    "moments_normalized": Property("Central moments freed of scale; NaN below the second.", order=3),
    "moments_hu": Property("Hu's seven moments, which no turn, shift or scale changes.", 3, None, True, pixels="one"),
    "inertia_tensor": Property("Inertia tensor of the shape, pixels of mass 1.", order=2),
    "inertia_tensor_eigvals": Property("Eigenvalues of the inertia tensor of the shape, largest first.", order=2),
    "axis_major_length": Property("Longest axis of the ellipse or ellipsoid of the same second moments.", order=2),
    "axis_minor_length": Property("Shortest axis of the ellipse or ellipsoid of the same second moments.", order=2),
    "eccentricity": Property("Eccentricity of that ellipse: 0 for a disk, below 1.", order=2, plane_only=True),
    "orientation": Property(
        "Angle of its longest axis to axis 0, -pi/2 to pi/2, anticlockwise.", order=2, plane_only=True
    ),
    "intensity_mean": Property("Mean intensity.", statistic="mean"),
    "intensity_std": Property("Standard deviation of the intensity, of the object as a whole population.", 0, "std"),
    "intensity_min": Property("Lowest intensity.", statistic="extremes"),
    "intensity_max": Property("Highest intensity.", statistic="extremes"),
    "intensity_median": Property("Median intensity; of an even number the mean of the middle two.", 0, "median"),
    "centroid_weighted": Property("Mean position, each pixel weighing its intensity.", weighted=1),
    "centroid_weighted_local": Property("The same from the corner of the bounding box.", weighted=1),
    "moments_weighted": Property("Moments of the intensity about the corner of the bounding box.", weighted=3),
    "moments_weighted_central": Property("Moments of the intensity about its centroid.", weighted=3),
    "moments_weighted_normalized": Property("Those freed of scale; NaN below the second.", weighted=3),
    "moments_weighted_hu": Property("Hu's seven moments of the intensity.", plane_only=True, weighted=3, pixels="one"),
}
"""The properties that can be measured, under scikit-image's names."""

OF_WHOLE_OBJECTS = ("coords", "coords_scaled", "image", "image_convex", "image_filled", "image_intensity", "slice")
"""Properties of scikit-image that are no columns: as large as the object itself."""


@dataclass(frozen=True)
class Quantities:
    """What has to be summed in every tile, for the properties that are wanted in the end."""

    ndim: int
    order: int
    """Highest order of the moments: 0 none, 1 and 2 up to that total order, 3 every power up to 3 along each axis."""
    statistics: frozenset[str]
    summaries: frozenset[str]
    weighted: int
    """Highest order of the moments of intensity: 0, 1 or 3."""
    channels: int | None
    """Number of channels of the intensities; None where they have no channel axis, or are not looked at."""
    dtype: np.dtype[Any]
    """Dtype of the intensities as they are summed; uint8 where they are not looked at."""
    spacing: tuple[float, ...]
    """Size of a pixel along each axis, in the unit lengths are wanted in."""

    @classmethod
    def of(
        cls,
        properties: Iterable[str],
        ndim: int,
        pixels: NDArray[Any] | None = None,
        channels: int | None = None,
        spacing: Sequence[float] | None = None,
    ) -> Quantities:
        """Return what ``properties`` need; refuse unknown ones, and those that such images do not have."""
        names = list(properties)
        steps = checked_spacing(spacing, ndim)
        needed = [known(name, ndim) for name in names]
        check_pixels(names, steps)
        asked = [name for name in names if PROPERTIES[name].of_intensity]
        if asked and pixels is None:
            msg = f"{', '.join(asked)} need intensities (got none); pass the image the objects lie in"
            raise ParameterError(msg)
        return cls(
            ndim,
            max((item.order for item in needed), default=0),
            frozenset(item.statistic for item in needed if item.statistic is not None),
            frozenset(item.summary for item in needed if item.summary is not None),
            max((item.weighted for item in needed), default=0),
            channels if asked else None,
            np.dtype(np.uint8) if pixels is None or not asked else pixels.dtype,
            steps,
        )

    @property
    def unit(self) -> int:
        """The power of two of which every intensity is a multiple."""
        return NumberFormat.of(self.dtype).unit

    @property
    def powers(self) -> list[tuple[int, ...]]:
        """The powers along each axis of the moments that are summed."""
        return powers_of(self.order, self.ndim)

    @property
    def weighted_powers(self) -> list[tuple[int, ...]]:
        """The powers along each axis of the moments of intensity that are summed."""
        return powers_of(self.weighted, self.ndim)

    def check(self, properties: Iterable[str]) -> None:
        """Raise ParameterError where one of ``properties`` cannot be had from what was measured."""
        for name in properties:
            item = known(name, self.ndim)
            missing = (
                item.order > self.order
                or item.weighted > self.weighted
                or (item.statistic is not None and item.statistic not in self.statistics)
                or (item.summary is not None and item.summary not in self.summaries)
            )
            if missing:
                msg = f"property {name!r} was not measured; name it among the properties when measuring"
                raise ParameterError(msg)


def reach(properties: Iterable[str]) -> int:
    """Return how many pixels beyond its tile have to be seen for ``properties``."""
    return max((PROPERTIES[name].reach for name in properties if name in PROPERTIES), default=0)


def powers_of(order: int, ndim: int) -> list[tuple[int, ...]]:
    """Return the powers along each axis of the moments up to ``order``: of order 3 every power up to 3 on each axis.

    Examples
    --------
    >>> powers_of(1, 2)
    [(0, 0), (0, 1), (1, 0)]
    """
    if order == 0:
        return []
    every = product(range(order + 1), repeat=ndim)
    return [power for power in every if order == 3 or sum(power) <= order]


def known(name: str, ndim: int) -> Property:
    """Return the property, or say why images of ``ndim`` axes do not have it."""
    if name in OF_WHOLE_OBJECTS:
        msg = (
            f"property {name!r} is as large as the object itself and no column of a table; cut the objects out with "
            "measure.crop_objects"
        )
        raise ParameterError(msg)
    if name not in PROPERTIES:
        raise UnknownNameError.of("property", name, PROPERTIES)
    if ndim != 2 and PROPERTIES[name].plane_only:
        msg = f"property {name!r} is defined in two dimensions only (got labels of {ndim}); leave it out"
        raise ParameterError(msg)
    return PROPERTIES[name]


def checked_spacing(spacing: Sequence[float] | None, ndim: int) -> tuple[float, ...]:
    """Return the size of a pixel along each axis, 1 where none is given."""
    steps = (1.0,) * ndim if spacing is None else tuple(float(step) for step in spacing)
    if len(steps) != ndim or not all(0 < step < np.inf for step in steps):
        msg = f"spacing must be {ndim} positive numbers, one for each axis (got {steps})"
        raise ParameterError(msg)
    return steps


def check_pixels(properties: Iterable[str], spacing: Sequence[float]) -> None:
    """Raise ParameterError where one of ``properties`` is not defined for such pixels, as in scikit-image."""
    for name in properties:
        wanted = PROPERTIES[name].pixels
        if wanted == "square" and len(set(spacing)) > 1:
            msg = f"property {name!r} needs pixels as long as wide (got spacing {tuple(spacing)}); leave it out"
            raise ParameterError(msg)
        if wanted == "one" and any(step != 1 for step in spacing):
            msg = f"property {name!r} is measured in pixels (got spacing {tuple(spacing)}); leave out one of them"
            raise ParameterError(msg)
