"""Exact sums over the labels of one tile: which loops to run, and how many digits they need."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bigimg.errors import ImageError
from bigimg.kernels import region_loops
from bigimg.kernels.exact_sums import MAX_TERMS, NumberFormat, digits_for
from bigimg.kernels.label_runs import LabelRuns
from bigimg.kernels.region_contours import perimeters, windows
from bigimg.kernels.region_properties import Columns, Quantities, powers_of
from bigimg.kernels.region_weighted import weighted_moments
from bigimg.kernels.sort_keys import from_keys, sort_keys

# Below this a product estimated in float64 is surely below 2**63, whatever the rounding of the estimate.
_FITS = 2.0**62
# Dtypes for which no loop of their own is compiled.
_WIDENED = {"bool": "uint8", "int8": "int16", "float16": "float32"}
_NO_PIXELS = np.zeros((0, 1), dtype=np.uint32)


def checked_labels(labels: NDArray[Any], valid: NDArray[np.bool_] | None) -> NDArray[Any]:
    """Return ``labels`` where ``valid``, of a dtype the loops take; raise ImageError where they are no labels."""
    if labels.dtype.kind not in "ui" or labels.ndim not in {2, 3}:
        msg = f"labels must be integers of shape (M, N) or (P, M, N) (got {labels.dtype} of shape {labels.shape})"
        raise ImageError(msg)
    if labels.size >= MAX_TERMS:
        msg = f"cannot measure {labels.size} pixels at once (limit {MAX_TERMS}); cut the image into tiles and merge"
        raise ImageError(msg)
    if valid is not None and valid.shape != labels.shape:
        msg = f"valid must have the shape of labels, {labels.shape} (got {valid.shape})"
        raise ImageError(msg)
    if valid is not None:
        labels = np.where(valid, labels, np.zeros((), dtype=labels.dtype))
    dtype = np.int64 if labels.dtype.kind == "i" else np.uint32 if labels.dtype.itemsize <= 4 else np.uint64
    return np.ascontiguousarray(labels, dtype=dtype)


def label_runs(labels: NDArray[Any]) -> LabelRuns:
    """Return the runs of labels that :func:`checked_labels` has seen; raise ImageError where one is no label."""
    runs = LabelRuns.of(np.ascontiguousarray(labels).reshape(-1, labels.shape[-1]) if labels.size else _NO_PIXELS)
    if runs.label.size and runs.label[0] < 0:
        msg = f"labels must be 1 to 2**63 - 1, with 0 for background (got {runs.label[0]} as a 64-bit integer)"
        raise ImageError(msg)
    return runs


def checked_intensity(
    intensity: NDArray[Any], shape: tuple[int, ...], own: tuple[slice, ...] | None = None
) -> NDArray[Any]:
    """Return ``intensity``, in the box ``own``, as (channels, rows, columns) of a dtype the loops take.

    Raises
    ------
    ImageError
        If it cannot be.
    """
    leading = intensity.ndim - len(shape)
    if leading not in {0, 1} or intensity.shape[leading:] != shape:
        msg = f"intensity must have the shape of labels, {shape}, or that behind channels (got {intensity.shape})"
        raise ImageError(msg)
    if intensity.dtype.kind not in "buif" or intensity.dtype.itemsize > 8:
        msg = f"cannot measure intensities of {intensity.dtype}; expected booleans, integers or floats up to 64 bits"
        raise ImageError(msg)
    dtype = _WIDENED.get(intensity.dtype.name, intensity.dtype.name)
    if own is not None:
        inside: Any = (..., *own)
        intensity = intensity[inside]
        shape = intensity.shape[leading:]
    channels = intensity.shape[0] if leading else 1
    return np.ascontiguousarray(intensity, dtype=dtype).reshape(channels, prod(shape[:-1]), shape[-1])


def sum_tile(
    runs: LabelRuns, shape: tuple[int, ...], pixels: NDArray[Any] | None, quantities: Quantities
) -> tuple[Columns, int]:
    """Return what ``quantities`` needs of each label, and the unit of its sums of intensities.

    ``lower``, ``upper`` and ``moments`` are about the tile's first pixel, ``weighted`` about ``lower``; ``moments``,
    ``sum`` and ``square`` are digits of :mod:`bigimg.kernels.exact_sums` along a last axis.
    """
    area, lower, upper = _extents(runs, shape)
    axes = slice(3 - len(shape), None)
    sums: Columns = {"label": runs.label, "area": area, "lower": lower[:, axes], "upper": upper[:, axes]}
    if quantities.order:
        sums["moments"] = _moments(runs, shape, quantities)
    unit = 0
    if pixels is not None and (quantities.statistics or quantities.weighted):
        lowest, highest = _positions(runs, pixels)
        unit = NumberFormat.of(pixels.dtype).unit + lowest
        if "extremes" in quantities.statistics:
            sums |= _extremes(runs, pixels)
        if quantities.statistics & {"mean", "std"}:
            sums |= _intensities(runs, pixels, lowest, highest, squared="std" in quantities.statistics)
        if quantities.weighted:
            _check_width(shape, quantities.weighted)
            powers = powers_of(quantities.weighted, len(shape))
            reach = highest - lowest
            sums["weighted"], sums["narrow"] = weighted_moments(
                runs, shape, pixels, (lower, upper), lowest, reach, powers
            )
    return sums, unit


def outlines(runs: LabelRuns, seen: NDArray[Any], margin: int, quantities: Quantities) -> Columns:
    """Return the patterns ``quantities`` needs, of labels ``seen`` with ``margin`` pixels around those of the tile."""
    found: Columns = {}
    if "perimeter" in quantities.summaries:
        found["perimeter"] = perimeters(runs, seen, margin)
    if "windows" in quantities.summaries:
        found["windows"] = windows(runs, seen, margin)
    return found


def fit_int64(quantities: Quantities, sums: Columns) -> NDArray[np.bool_]:
    """Return for each label whether its central moments, and the difference its variance is made of, fit into int64."""
    area = sums["area"].astype(np.float64)
    largest = np.zeros_like(area)
    sides = (sums["upper"] - sums["lower"]).astype(np.float64)
    for power in quantities.powers:
        largest = np.maximum(largest, area * (sides ** np.array(power)).prod(axis=1))
    if "sum" in sums:
        largest = np.maximum(largest, _estimate(sums["sum"]).max(axis=1, initial=0))
    if "square" in sums:
        largest = np.maximum(largest, area * _estimate(sums["square"]).max(axis=1, initial=0))
    return (largest < _FITS) & sums.get("narrow", np.True_)


def _estimate(digits: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return an upper bound of the magnitude of sums; places that are beyond int64 anyway count less than they are."""
    return np.abs(digits).astype(np.float64) @ 2.0 ** (32 * np.minimum(np.arange(digits.shape[-1]), 8))


def _extents(runs: LabelRuns, shape: tuple[int, ...]) -> tuple[NDArray[np.int64], ...]:
    """Return area and bounding box, of three axes always, of each label."""
    count = runs.label.size
    area = np.zeros(count, dtype=np.int64)
    lower = np.full((count, 3), np.iinfo(np.int64).max)
    upper = np.zeros((count, 3), dtype=np.int64)
    region_loops.extents(*runs.arrays, shape[-2], area, lower, upper)
    return area, lower, upper


def _check_width(shape: tuple[int, ...], order: int) -> None:
    far = [max(side - 1, 0) for side in shape]
    rows = prod(side**order for side in far[:-1]) if order == 3 else max(far[:-1]) ** order
    if rows >= 2**63 or shape[-1] ** (order + 1) >= 2**65:
        msg = f"a tile of shape {shape} is too wide for moments of order {order}; cut the image into smaller tiles"
        raise ImageError(msg)


def _moments(runs: LabelRuns, shape: tuple[int, ...], quantities: Quantities) -> NDArray[np.int64]:
    """Return the moments about the tile's first pixel, in one digit where that is enough for all."""
    _check_width(shape, quantities.order)
    far = [max(side - 1, 0) for side in shape]
    powers = np.zeros((len(quantities.powers), 3), dtype=np.int64)
    powers[:, 3 - len(shape) :] = quantities.powers
    largest = max(prod(side**power for side, power in zip(far, of)) for of in quantities.powers) * prod(shape)
    digits = np.zeros((runs.label.size, len(powers), 1 if largest < 2**63 else 4), dtype=np.int64)
    region_loops.moment_sums(*runs.arrays, shape[-2], powers, digits)
    return digits


def _positions(runs: LabelRuns, pixels: NDArray[Any]) -> tuple[int, int]:
    """Return the range of exponents that occur in floats; 0 and 0 for integers."""
    number = NumberFormat.of(pixels.dtype)
    if not number.mantissa_bits:
        return 0, 0
    at = (runs.row_start, runs.start, runs.stop)
    lowest, highest, bad = region_loops.position_range(*at, _bits(pixels), number.mantissa_bits)
    if bad:
        msg = f"{bad} labelled intensities are NaN or infinite; mark them as not valid, or leave them unlabelled"
        raise ImageError(msg)
    return lowest, highest


def _extremes(runs: LabelRuns, pixels: NDArray[Any]) -> Columns:
    keys = sort_keys(pixels)
    size = (runs.label.size, pixels.shape[0])
    lowest = np.full(size, np.iinfo(keys.dtype).max, dtype=keys.dtype)
    highest = np.zeros(size, dtype=keys.dtype)
    region_loops.extremes(*runs.arrays, keys, lowest, highest)
    return {"min": from_keys(lowest, pixels.dtype), "max": from_keys(highest, pixels.dtype)}


def _intensities(runs: LabelRuns, pixels: NDArray[Any], lowest: int, highest: int, *, squared: bool) -> Columns:
    """Return sums of values and, where ``squared``, of their squares."""
    number = NumberFormat.of(pixels.dtype)
    size = (runs.label.size, pixels.shape[0])
    if not number.mantissa_bits and pixels.dtype.itemsize <= 2:
        total, square = np.zeros((2, *size, 1), dtype=np.int64)
        region_loops.narrow_sums(*runs.arrays, pixels, total, square)
        return {"sum": total, "square": square} if squared else {"sum": total}
    reach = highest - lowest
    halves = 64 if pixels.dtype.itemsize == 8 else 0  # the upper half of a magnitude stands 32 bits up, its square 64
    total = np.zeros((*size, digits_for(reach)), dtype=np.int64)
    square = np.zeros((*size, digits_for(2 * reach + halves) if squared else 0), dtype=np.int64)
    bits = _bits(pixels)
    region_loops.wide_sums(*runs.arrays, bits, number.mantissa_bits, number.signed, lowest, total, square)
    return {"sum": total, "square": square} if squared else {"sum": total}


def _bits(pixels: NDArray[Any]) -> NDArray[Any]:
    return pixels.view(f"u{pixels.dtype.itemsize}")
