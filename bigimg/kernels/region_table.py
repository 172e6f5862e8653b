"""Rows of finished objects as the columns of :func:`skimage.measure.regionprops_table`.

A row holds counts, centroid and moments in pixels, as :mod:`bigimg.kernels.region_rows` makes them; here they get
their names, dtypes and units.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bigimg.kernels.region_contours import crofton_length, euler_numbers, perimeter_length
from bigimg.kernels.region_moments import hu, normalized, scaled
from bigimg.kernels.region_properties import PROPERTIES, Columns, Quantities

Floats = NDArray[np.float64]


def columns(quantities: Quantities, rows: Columns, properties: Sequence[str]) -> Columns:
    """Return the columns of ``properties``, named and typed as by :func:`skimage.measure.regionprops_table`."""
    table: Columns = {}
    shape = _Shape(quantities, rows, np.asarray(quantities.spacing, dtype=np.float64))
    intensity = _Intensity(quantities, rows, np.asarray(quantities.spacing, dtype=np.float64))
    for name in properties:
        item = PROPERTIES[name]
        if item.of_intensity:
            values = rows[name.removeprefix("intensity_")] if item.statistic else getattr(intensity, name)()
            values = values[..., 0] if quantities.channels is None else values
        else:
            values = getattr(shape, name)()
        table |= {name: values} if values.ndim == 1 else _numbered(name, values)
    return table


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

    def area_convex(self) -> Floats:
        return self.rows["convex"] * np.prod(self.spacing)

    def area_filled(self) -> Floats:
        return self.rows["filled"] * np.prod(self.spacing)

    def solidity(self) -> Floats:
        return self.area() / self.area_convex()

    def feret_diameter_max(self) -> Floats:
        return self.rows["feret"]

    def perimeter(self) -> Floats:
        return perimeter_length(self.rows["perimeter"]) * self.spacing[0]

    def perimeter_crofton(self) -> Floats:
        return crofton_length(self.rows["windows"]) * self.spacing[0]

    def euler_number(self) -> NDArray[np.int64]:
        return euler_numbers(self.rows["windows"])

    def centroid(self) -> Floats:
        return self.rows["centroid"] * self.spacing

    def centroid_local(self) -> Floats:
        return self.rows["centroid_local"] * self.spacing

    def moments(self) -> Floats:
        return scaled(self.rows["corner"], self.quantities.ndim, self.spacing)

    def moments_central(self) -> Floats:
        return scaled(self.rows["moments"], self.quantities.ndim, self.spacing)

    def moments_normalized(self) -> Floats:
        return normalized(self.moments_central(), self.quantities.ndim, self.spacing)

    def moments_hu(self) -> Floats:
        return hu(self.moments_normalized())

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


@dataclass(frozen=True)
class _Intensity:
    """The properties of moments of intensity: a method each, channels along the last axis."""

    quantities: Quantities
    rows: Columns
    spacing: Floats

    def centroid_weighted(self) -> Floats:
        return self.rows["weighted_centroid"] * self.spacing[:, None]

    def centroid_weighted_local(self) -> Floats:
        return self.rows["weighted_centroid_local"] * self.spacing[:, None]

    def moments_weighted(self) -> Floats:
        return scaled(self.rows["weighted_corner"], self.quantities.ndim, self.spacing)

    def moments_weighted_central(self) -> Floats:
        return scaled(self.rows["weighted_moments"], self.quantities.ndim, self.spacing)

    def moments_weighted_normalized(self) -> Floats:
        return normalized(self.moments_weighted_central(), self.quantities.ndim, self.spacing)

    def moments_weighted_hu(self) -> Floats:
        return hu(self.moments_weighted_normalized())
