"""From exact sums to finished rows: centroid, moments, mean, standard deviation of each object as float64.

:func:`finish` starts from integers that do not depend on how the object was cut into tiles (its moments about the pixel
nearest to its centroid), rounds each of them once, and goes on with elementwise IEEE arithmetic only. So two ways of
cutting give the same bits.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bigimg.kernels.exact_sums import to_float
from bigimg.kernels.region_properties import Columns, Quantities

Floats = NDArray[np.float64]
_LARGE = 2.0**900
_DOWN = 512
"""By how many powers of two larger sums are scaled down, so that neither they nor sums of them leave float64."""
_KEPT = ("label", "area", "lower", "upper", "perimeter", "windows", "filled", "min", "max")


def finish(quantities: Quantities, sums: Columns, origin: Sequence[int], unit: int) -> Columns:
    """Return the rows of the objects whose ``sums`` are complete.

    Parameters
    ----------
    quantities : Quantities
        What was summed.
    sums : dict of arrays of K entries
        ``label``, ``area``, ``lower`` and ``upper`` in image coordinates, ``moments`` and ``weighted`` about
        ``origin``, ``sum`` and ``square`` in multiples of ``2**unit`` and ``2**(2 * unit)``, ``min`` and ``max``, and
        counts. The sums are int64 where the moments about the centroid and ``area * square`` fit, else Python integers.
    origin : sequence of int
        Image coordinates about which the moments are.
    unit : int
        The unit of the intensities.
    """
    rows = {name: sums[name] for name in _KEPT if name in sums}
    corner = sums["lower"] - np.array(origin, dtype=np.int64)
    if quantities.order:
        moments, powers = sums["moments"], quantities.powers
        nearest, beyond, rows["moments"] = central(moments, powers, 0)
        rows["centroid"] = (nearest + np.array(origin, dtype=nearest.dtype)).astype(np.float64) + beyond
        rows["centroid_local"] = (nearest - corner).astype(np.float64) + beyond
        if "corner" in quantities.summaries:
            rows["corner"] = shift(moments, powers, -corner.astype(moments.dtype)).astype(np.float64)
    if quantities.weighted:
        rows |= _weighted(quantities, sums, unit)
    if "mean" in quantities.statistics:
        rows["mean"] = to_float(sums["sum"], unit) / sums["area"].astype(np.float64)[:, None]
    if "std" in quantities.statistics:
        rows["std"] = _standard_deviation(sums["area"], sums["sum"], sums["square"], unit)
    return rows


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


def central(
    moments: NDArray[Any], powers: list[tuple[int, ...]], unit: int
) -> tuple[NDArray[Any], NDArray[np.float64], NDArray[np.float64]]:
    """Return the pixel nearest to the centroid, how far beyond it the centroid lies, and the central moments.

    The mass, the moment of power 0, must not be 0.
    """
    first = first_powers(powers)
    mass = moments[:, :1]
    sign = np.where((mass < 0).astype(bool), -1, 1).astype(moments.dtype)
    nearest = (2 * sign * moments[:, first] + sign * mass) // (2 * sign * mass)
    exact = shift(moments, powers, -nearest)
    rounded = to_float(exact, unit)
    large = (np.abs(rounded) > _LARGE).any(axis=1)
    rounded[large] = to_float(exact[large], unit - _DOWN)
    beyond = rounded[:, first] / rounded[:, :1]
    about = shift(rounded, powers, -beyond)
    about[:, first] = 0.0
    with np.errstate(over="ignore"):
        about[large] = np.ldexp(about[large], _DOWN)
    return nearest, beyond, about


def _weighted(quantities: Quantities, sums: Columns, unit: int) -> Columns:
    """Return centroids, (K, ndim, channels), and moments, (K, powers, channels), weighted by intensity."""
    anchor = sums.get("anchor", np.zeros_like(sums["lower"]))
    parts: dict[str, list[NDArray[Any]]] = {}
    for channel in range(sums["weighted"].shape[1]):
        found = _weighted_channel(
            sums["weighted"][:, channel], quantities.weighted_powers, anchor, sums["lower"] - anchor, unit
        )
        for name, values in found.items():
            parts.setdefault(name, []).append(values)
    return {f"weighted_{name}": np.stack(values, axis=-1) for name, values in parts.items()}


def _weighted_channel(
    moments: NDArray[Any], powers: list[tuple[int, ...]], anchor: NDArray[Any], corner: NDArray[Any], unit: int
) -> dict[str, NDArray[Any]]:
    none = (moments[:, 0] == 0).astype(bool)
    local = to_float(shift(moments, powers, -corner.astype(moments.dtype)), unit)
    massive = moments.copy()
    massive[none, 0] = 1
    nearest, beyond, about = central(massive, powers, unit)
    centroid = (nearest + anchor.astype(nearest.dtype)).astype(np.float64) + beyond
    inside = (nearest - corner.astype(nearest.dtype)).astype(np.float64) + beyond
    # Without mass there is no centroid: x / 0 is NaN or infinite, as in scikit-image, and moments about it are NaN.
    with np.errstate(divide="ignore", invalid="ignore"):
        centroid[none] = inside[none] = local[none][:, first_powers(powers)] / 0.0
    about[none] = np.nan
    about[none, 0] = 0.0
    return {"centroid": centroid, "centroid_local": inside, "corner": local, "moments": about}


def first_powers(powers: list[tuple[int, ...]]) -> list[int]:
    """Return where the moments of order 1 stand, axis by axis."""
    ndim = len(powers[0])
    return [powers.index(tuple(int(k == axis) for k in range(ndim))) for axis in range(ndim)]


def _standard_deviation(area: NDArray[np.int64], total: NDArray[Any], square: NDArray[Any], unit: int) -> Floats:
    """Return the square root of the variance, the difference in it taken before anything is rounded."""
    count = area.astype(total.dtype)[:, None]
    return np.sqrt(to_float(count * square - total * total, 2 * unit)) / area.astype(np.float64)[:, None]
