"""From exact sums to the properties of objects, in two steps.

:func:`finish` turns the sums of an object into a row of float64: centroid, central moments, mean, standard deviation.
It starts from integers that do not depend on how the object was cut into tiles (its moments about the pixel nearest to
its centroid), rounds each of them once, and goes on with elementwise IEEE arithmetic only. So two ways of cutting give
the same bits. :func:`columns` turns rows into the columns of :func:`skimage.measure.regionprops_table`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bigimg.errors import ParameterError, UnknownNameError
from bigimg.kernels.exact_sums import NumberFormat, to_float

Columns = dict[str, NDArray[Any]]
"""Arrays of one length: one entry for each object."""
Floats = NDArray[np.float64]


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


PROPERTIES: dict[str, Property] = {
    "label": Property("The object's number in the label image."),
    "num_pixels": Property("Number of pixels."),
    "area": Property("Number of pixels, times the area or volume of one."),
    "area_bbox": Property("Area or volume of the bounding box."),
    "bbox": Property("Bounding box in pixels: the first index along each axis, then the index behind the last."),
    "extent": Property("Area divided by the area of the bounding box."),
    "equivalent_diameter_area": Property("Diameter of the disk or ball of the same area or volume."),
    "centroid": Property("Mean position of the pixels.", order=1),
    "moments_central": Property("Central moments of the shape, each power from 0 to 3.", order=3),
    "inertia_tensor_eigvals": Property("Eigenvalues of the inertia tensor of the shape, largest first.", order=2),
    "axis_major_length": Property("Longest axis of the ellipse or ellipsoid of the same second moments.", order=2),
    "axis_minor_length": Property("Shortest axis of the ellipse or ellipsoid of the same second moments.", order=2),
    "eccentricity": Property("Eccentricity of that ellipse: 0 for a disk, below 1.", order=2, plane_only=True),
    "orientation": Property("Angle of its longest axis to axis 0, -pi/2 to pi/2, anticlockwise.", 2, plane_only=True),
    "intensity_mean": Property("Mean intensity.", statistic="mean"),
    "intensity_std": Property("Standard deviation of the intensity, of the object as a whole population.", 0, "std"),
    "intensity_min": Property("Lowest intensity.", statistic="extremes"),
    "intensity_max": Property("Highest intensity.", statistic="extremes"),
    "intensity_median": Property("Median intensity; of an even number the mean of the middle two.", 0, "median"),
}
"""The properties that can be measured, under scikit-image's names."""


@dataclass(frozen=True)
class Quantities:
    """What has to be summed in every tile, for the properties that are wanted in the end."""

    ndim: int
    order: int
    """Highest order of the moments: 0 none, 1 and 2 up to that total order, 3 every power up to 3 along each axis."""
    statistics: frozenset[str]
    channels: int | None
    """Number of channels of the intensities; None where they have no channel axis, or are not looked at."""
    dtype: np.dtype[Any]
    """Dtype of the intensities as they are summed; uint8 where they are not looked at."""

    @classmethod
    def of(cls, properties: Iterable[str], ndim: int, pixels: NDArray[Any] | None, channels: int | None) -> Quantities:
        """Return what ``properties`` need; refuse unknown ones, and those that such images do not have."""
        needed = [_known(name, ndim) for name in properties]
        statistics = frozenset(item.statistic for item in needed if item.statistic is not None)
        if statistics and pixels is None:
            asked = [name for name in properties if PROPERTIES[name].statistic is not None]
            msg = f"{', '.join(asked)} need intensities (got none); pass the image the objects lie in"
            raise ParameterError(msg)
        order = max((item.order for item in needed), default=0)
        if pixels is None or not statistics:
            return cls(ndim, order, statistics, None, np.dtype(np.uint8))
        return cls(ndim, order, statistics, channels, pixels.dtype)

    @property
    def unit(self) -> int:
        """The power of two of which every intensity is a multiple."""
        return NumberFormat.of(self.dtype).unit

    @property
    def powers(self) -> list[tuple[int, ...]]:
        """The powers along each axis of the moments that are summed."""
        if self.order == 0:
            return []
        every = product(range(self.order + 1), repeat=self.ndim)
        return [power for power in every if self.order == 3 or sum(power) <= self.order]

    def check(self, properties: Iterable[str]) -> None:
        """Raise ParameterError where one of ``properties`` cannot be had from what was measured."""
        for name in properties:
            item = _known(name, self.ndim)
            if item.order > self.order or (item.statistic is not None and item.statistic not in self.statistics):
                msg = f"property {name!r} was not measured; name it among the properties when measuring"
                raise ParameterError(msg)


def finish(quantities: Quantities, sums: Columns, origin: Sequence[int], unit: int) -> Columns:
    """Return the rows of the objects whose ``sums`` are complete.

    Parameters
    ----------
    quantities : Quantities
        What was summed.
    sums : dict of arrays of K entries
        ``label``, ``area``, ``lower`` and ``upper`` in image coordinates, ``moments`` about ``origin``, ``sum`` and
        ``square`` in multiples of ``2**unit`` and ``2**(2 * unit)``, ``min`` and ``max``. The sums are int64 where the
        moments about the centroid and ``area * square`` fit, else Python integers.
    origin : sequence of int
        Image coordinates about which the moments are.
    unit : int
        The unit of the intensities.
    """
    rows = {name: sums[name] for name in ("label", "area", "lower", "upper")}
    if quantities.order:
        rows |= _central(sums["area"], sums["moments"], quantities.powers, origin)
    if "mean" in quantities.statistics:
        rows["mean"] = to_float(sums["sum"], unit) / sums["area"].astype(np.float64)[:, None]
    if "std" in quantities.statistics:
        rows["std"] = _standard_deviation(sums["area"], sums["sum"], sums["square"], unit)
    if "extremes" in quantities.statistics:
        rows |= {name: sums[name] for name in ("min", "max")}
    return rows


def columns(quantities: Quantities, rows: Columns, properties: Sequence[str], spacing: Sequence[float]) -> Columns:
    """Return the columns of ``properties``, named and typed as by :func:`skimage.measure.regionprops_table`."""
    table: Columns = {}
    shape = _Shape(quantities, rows, np.asarray(spacing, dtype=np.float64))
    for name in properties:
        if PROPERTIES[name].statistic is not None:
            values = rows[name.removeprefix("intensity_")]
            table |= {name: values[:, 0]} if quantities.channels is None else _numbered(name, values)
            continue
        values = getattr(shape, name)()
        table |= {name: values} if values.ndim == 1 else _numbered(name, values)
    return table


def shift(moments: NDArray[Any], powers: Sequence[tuple[int, ...]], delta: NDArray[Any]) -> NDArray[Any]:
    """Return ``moments``, (K, powers), of the same pixels moved by ``delta``, (K, ndim), by the binomial theorem.

    Exact for Python integers. For int64 exact wherever the result fits: a carry lost on the way is lost modulo 2**64.

    Examples
    --------
    >>> shift(np.array([[2, 3, 5]]), [(0,), (1,), (2,)], np.array([[10]]))  # pixels 1 and 2, moved to 11 and 12
    array([[  2,  23, 265]])
    """
    place = {power: i for i, power in enumerate(powers)}
    for axis in range(delta.shape[1]):
        step = [np.ones_like(delta[:, axis])]
        for _ in range(3):
            step.append(step[-1] * delta[:, axis])
        moved = np.empty_like(moments)
        for power, i in place.items():
            total = moments[:, i]
            for lower in range(power[axis]):
                source = moments[:, place[(*power[:axis], lower, *power[axis + 1 :])]]
                total = total + math.comb(power[axis], lower) * step[power[axis] - lower] * source
            moved[:, i] = total
        moments = moved
    return moments


def _known(name: str, ndim: int) -> Property:
    if name not in PROPERTIES:
        raise UnknownNameError.of("property", name, PROPERTIES)
    if ndim != 2 and PROPERTIES[name].plane_only:
        msg = f"property {name!r} is defined in two dimensions only (got labels of {ndim}); leave it out"
        raise ParameterError(msg)
    return PROPERTIES[name]


def _central(
    area: NDArray[np.int64], moments: NDArray[Any], powers: list[tuple[int, ...]], origin: Sequence[int]
) -> Columns:
    """Return centroid and central moments, from exact moments about ``origin``."""
    first = [powers.index(tuple(np.eye(len(origin), dtype=int)[axis].tolist())) for axis in range(len(origin))]
    count = area.astype(moments.dtype)[:, None]
    nearest = (2 * moments[:, first] + count) // (2 * count)
    exact = shift(moments, powers, -nearest)
    rounded = exact.astype(np.float64)
    beyond = rounded[:, first] / area.astype(np.float64)[:, None]
    central = shift(rounded, powers, -beyond)
    central[:, first] = 0.0
    pixel = (nearest + np.array(origin, dtype=nearest.dtype)).astype(np.float64)
    return {"centroid": pixel + beyond, "moments": central}


def _standard_deviation(area: NDArray[np.int64], total: NDArray[Any], square: NDArray[Any], unit: int) -> Floats:
    """Return the square root of the variance, the difference in it taken before anything is rounded."""
    count = area.astype(total.dtype)[:, None]
    return np.sqrt(to_float(count * square - total * total, 2 * unit)) / area.astype(np.float64)[:, None]


def _numbered(name: str, values: NDArray[Any]) -> Columns:
    return {"-".join((name, *map(str, at))): values[(slice(None), *at)] for at in np.ndindex(values.shape[1:])}


def _by_element(function: Any, *values: Floats) -> Floats:
    """Apply a function of the C library: NumPy's own may round differently in a vector and in what is left over."""
    return np.fromiter(map(function, *(column.tolist() for column in values)), np.float64, len(values[0]))


@dataclass(frozen=True)
class _Shape:
    """The properties of shape: a method each, named as the property; lengths in units of ``spacing``."""

    quantities: Quantities
    rows: Columns
    spacing: Floats

    def label(self) -> NDArray[np.int64]:
        return self.rows["label"]

    def num_pixels(self) -> NDArray[np.int64]:
        return self.rows["area"]

    def area(self) -> Floats:
        return self.rows["area"] * np.prod(self.spacing)

    def area_bbox(self) -> Floats:
        sides = self.rows["upper"] - self.rows["lower"]
        return sides.prod(axis=1) * np.prod(self.spacing)

    def bbox(self) -> NDArray[np.int64]:
        return np.concatenate([self.rows["lower"], self.rows["upper"]], axis=1)

    def extent(self) -> Floats:
        return self.area() / self.area_bbox()

    def equivalent_diameter_area(self) -> Floats:
        ndim = self.quantities.ndim
        return _by_element(lambda area: (2 * ndim * area / math.pi) ** (1 / ndim), self.area())

    def centroid(self) -> Floats:
        return self.rows["centroid"] * self.spacing

    def moments_central(self) -> Floats:
        scale = [math.prod(s**p for s, p in zip(self.spacing.tolist(), power)) for power in self.quantities.powers]
        central = self.rows["moments"] * np.array(scale)
        return central.reshape(-1, *(self.quantities.order + 1,) * self.quantities.ndim)

    def inertia_tensor(self) -> Floats:
        """Return the tensors, (K, ndim, ndim), of pixels of mass 1: second moments about the axes."""
        ndim = self.quantities.ndim
        tensor = np.empty((len(self.rows["label"]), ndim, ndim))
        mass = self.rows["area"].astype(np.float64)
        along = [self._second(axis, axis) / mass for axis in range(ndim)]
        for i, j in product(range(ndim), repeat=2):
            if i == j:
                others = [along[axis] for axis in range(ndim) if axis != i]
                tensor[:, i, i] = others[0] if ndim == 2 else others[0] + others[1]
            else:
                tensor[:, i, j] = -self._second(min(i, j), max(i, j)) / mass
        return tensor

    def _second(self, i: int, j: int) -> Floats:
        power = tuple((axis == i) + (axis == j) for axis in range(self.quantities.ndim))
        moment: Floats = self.rows["moments"][:, self.quantities.powers.index(power)]
        return moment * (self.spacing[i] * self.spacing[j])

    def inertia_tensor_eigvals(self) -> Floats:
        tensor = self.inertia_tensor()
        if self.quantities.ndim == 3:
            return np.maximum(np.linalg.eigvalsh(tensor)[:, ::-1], 0.0)
        middle = (tensor[:, 0, 0] + tensor[:, 1, 1]) / 2
        half = (tensor[:, 0, 0] - tensor[:, 1, 1]) / 2
        radius = np.sqrt(half * half + tensor[:, 0, 1] * tensor[:, 0, 1])
        return np.stack([middle + radius, np.maximum(middle - radius, 0.0)], axis=1)

    def axis_major_length(self) -> Floats:
        return self._axis_length(longest=True)

    def axis_minor_length(self) -> Floats:
        return self._axis_length(longest=False)

    def _axis_length(self, *, longest: bool) -> Floats:
        values = self.inertia_tensor_eigvals()
        if self.quantities.ndim == 2:
            return 4 * np.sqrt(values[:, 0 if longest else 1])
        sign = 1.0 if longest else -1.0
        squared = 10 * (sign * (values[:, 0] - values[:, 2]) + values[:, 1])
        return np.sqrt(np.maximum(squared, 0.0))

    def eccentricity(self) -> Floats:
        large, small = self.inertia_tensor_eigvals().T
        ratio = np.divide(small, large, out=np.ones_like(large), where=large > 0)
        return np.sqrt(1 - ratio)

    def orientation(self) -> Floats:
        tensor = self.inertia_tensor()
        a, b, c = tensor[:, 0, 0], tensor[:, 0, 1], tensor[:, 1, 1]
        angle = 0.5 * _by_element(math.atan2, -2 * b, c - a)
        return np.where(a == c, np.where(b < 0, math.pi / 4, -math.pi / 4), angle)
