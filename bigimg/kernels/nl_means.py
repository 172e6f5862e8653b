"""Non-local means: averages over pixels of a search window whose surroundings look alike.

The difference of two patches is a sum of squares under a Gaussian, which is a product of one Gaussian an axis. So for
one shift between patches the squares of a whole block are taken once and summed axis by axis: a patch of 7 x 7 costs 14
steps, not 49. The patches at p and p + shift look as much alike as those at p + shift and p, so that half of the shifts
are enough. Each pixel still adds up its neighbours in one order, whatever block or tile it lies in.

A plane is worked on as a volume whose middle axis has one row, because the outermost axis of a patch has a part of its
own: a patch that is already too different before its last row (plane of a volume) weighs nothing.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from bigimg.core.operation import Pixels, Valid
from bigimg.kernels.planes import as_planes, as_valid_planes, read_only, smoothed_dtype
from bigimg.kernels.taps import EVEN, weigh

Mask = NDArray[np.bool_]

_ALL_VALID = read_only(np.ones((1, 1, 1), bool))
_BLOCK = (48, 1, 256), (12, 12, 96)
"""Pixels worked on at once, of planes and of volumes: their sums stay in the second-level cache over all shifts."""

_CUTOFF = 5.0
"""Patches more different than this before their last row weigh nothing, as in scikit-image."""
_SCALE, _OFFSET = 1512775.3951951856938, 1072632447
"""Of the exponential by N. Schraudolph (Neural Computation 11, 1999), as in scikit-image: the upper half of the bits of
a float64 is nearly linear in the logarithm."""
_FARTHEST = 700.0
"""Where that exponential leaves the range of float64."""


def nl_means(
    pixels: Pixels,
    patch_size: int,
    patch_distance: int,
    h: float,
    sigma: float,
    ndim: int,
    valid: Valid | None = None,
) -> Pixels:
    """Return the average over the pixels of a window, weighed by how much their patches look alike.

    Parameters
    ----------
    pixels
        (..., M, N) or (..., L, M, N), of any real dtype; the last ``ndim`` axes are spatial.
    patch_size
        Side of a patch in pixels; odd.
    patch_distance
        How far away along each axis patches are looked for.
    h
        How different patches may be, in grey values.
    sigma
        Standard deviation of the noise in grey values, by which patches differ in any case.
    valid
        Which pixels count. The others are not averaged, and patches are compared by the pixels valid in both.

    Returns
    -------
    ndarray of the shape of ``pixels`` and its range of grey values, of float32 for float32 and float16, else of
    float64. Patches are mirrored at the border (``d c b | a b c d``); the search window ends there.

    Notes
    -----
    As ``skimage.restoration.denoise_nl_means(pixels.astype(float), patch_size, patch_distance, h, fast_mode=False,
    sigma=sigma, preserve_range=True)``.

    Examples
    --------
    >>> nl_means(np.array([[0, 1, 0, 9, 8, 9]], np.uint8), 3, 2, 3.0, 0.0, 2).round(1)
    array([[0.4, 0.4, 0.2, 8.8, 8.6, 8.6]])
    """
    dtype = smoothed_dtype(pixels.dtype)
    planes = as_planes(pixels, ndim, "f4" if dtype == np.float32 else "f8").astype(dtype)
    valids = None if valid is None else as_valid_planes(valid, pixels, ndim)
    if valids is not None:
        planes[~valids] = 0
    out = np.empty(planes.shape, dtype)
    weights = _patch_weights(patch_size).astype(dtype)
    outer = read_only(weights / dtype.type(h * h))
    middle = read_only(weights if ndim == 3 else np.ones(1, dtype))
    reach = patch_size // 2
    across = (reach, reach if ndim == 3 else 0, reach)
    search = np.array([patch_distance, patch_distance if ndim == 3 else 0, patch_distance])
    block = np.array(_BLOCK[ndim - 2])
    for index in range(len(planes) if planes.size else 0):
        volume, target = planes[index], out[index]
        mask = _ALL_VALID if valids is None else valids[index]
        if ndim == 2:
            volume, target, mask = volume[:, None], target[:, None], mask.reshape(-1, 1, mask.shape[-1])
        margin = [(size, size) for size in across]
        wide = read_only(np.pad(volume, margin, mode="reflect"))
        known = mask if valids is None else np.pad(mask, margin, mode="reflect")
        noise = dtype.type(2 * sigma * sigma)
        _average(target, wide, read_only(known), valids is not None, outer, middle, read_only(weights), search, block,
                 noise)  # fmt: skip
    return out.reshape(pixels.shape)


def _patch_weights(patch_size: int) -> NDArray[np.float64]:
    """Return the Gaussian of a patch along one axis, with a sum of 1."""
    if patch_size == 1:
        return np.ones(1)
    offset = np.arange(-(patch_size // 2), patch_size // 2 + 1)
    weights = np.exp(-(offset**2) / (2 * ((patch_size - 1) / 4) ** 2))
    return np.asarray(weights / weights.sum())


@njit(nogil=True, cache=True)
def _average(
    out: Pixels,
    wide: Pixels,
    known: Mask,
    masked: bool,
    outer: Any,
    middle: Any,
    inner: Any,
    search: Any,
    block: Any,
    noise: float,
) -> None:
    """Average each block of a volume; ``wide`` has the reach of a patch more on each side."""
    depth, height, width = out.shape
    most = block + search
    sums = np.empty((2, block[0], block[1], block[2]), out.dtype)
    # For one shift: lines of squares, and of what is valid; their sums along the row, then across it, then outward.
    span = most[2] + inner.shape[0] - 1
    lines = np.empty((2, span), out.dtype)
    along = np.empty((2, most[1] + middle.shape[0] - 1, most[2]), out.dtype)
    ring = np.empty((2, outer.shape[0], most[1], most[2]), out.dtype)
    weights = np.empty(most[2], np.float64)
    for z in range(0, depth, block[0]):
        for y in range(0, height, block[1]):
            for x in range(0, width, block[2]):
                box = np.array(
                    [[z, min(z + block[0], depth)], [y, min(y + block[1], height)], [x, min(x + block[2], width)]]
                )
                sums[:] = 0
                for dz in range(search[0] + 1):
                    for dy in range(-search[1], search[1] + 1):
                        for dx in range(-search[2], search[2] + 1):
                            if dz > 0 or dy > 0 or (dy == 0 and dx >= 0):
                                shift = np.array([dz, dy, dx])
                                _add_shift(
                                    sums, wide, known, masked, outer, middle, inner, noise, out.shape, box, shift,
                                    lines, along, ring, weights,
                                )  # fmt: skip
                _divide(out, sums, box)


@njit(nogil=True, cache=True)
def _divide(out: Pixels, sums: Any, box: Any) -> None:
    zero = out.dtype.type(0)
    for z in range(box[0, 0], box[0, 1]):
        for y in range(box[1, 0], box[1, 1]):
            row = out[z, y]
            total, weight = sums[0, z - box[0, 0], y - box[1, 0]], sums[1, z - box[0, 0], y - box[1, 0]]
            for x in range(box[2, 0], box[2, 1]):
                at = x - box[2, 0]
                row[x] = total[at] / weight[at] if weight[at] > zero else zero


@njit(nogil=True, cache=True)
def _range(begin: int, end: int, shift: int, size: int) -> tuple[int, int]:
    """Return where p may lie so that p or p + shift is from begin to end, and both are in the image."""
    first = max(min(begin, begin - shift), 0, -shift)
    return first, max(min(max(end, end - shift), size, size - shift), first)


@njit(nogil=True, cache=True)
def _add_shift(
    sums: Any,
    wide: Pixels,
    known: Mask,
    masked: bool,
    outer: Any,
    middle: Any,
    inner: Any,
    noise: float,
    shape: Any,
    box: Any,
    shift: Any,
    lines: Any,
    along: Any,
    ring: Any,
    weights: Any,
) -> None:
    """Add to a block what pixels give one another that are a shift apart."""
    dz, dy, dx = shift
    z0, z1 = _range(box[0, 0], box[0, 1], dz, shape[0])
    y0, y1 = _range(box[1, 0], box[1, 1], dy, shape[1])
    x0, x1 = _range(box[2, 0], box[2, 1], dx, shape[2])
    if z0 >= z1 or y0 >= y1 or x0 >= x1:
        return
    reach_z, reach_y, reach_x = outer.shape[0] // 2, middle.shape[0] // 2, inner.shape[0] // 2
    count, span = x1 - x0, x1 - x0 + 2 * reach_x
    tall = y1 - y0 + 2 * reach_y
    layers = 2 if masked else 1
    places = np.arange(inner.shape[0])
    for z in range(z0, z1 + 2 * reach_z):
        slot = z % outer.shape[0]
        for y in range(tall):
            here = wide[z, y0 + y, x0 : x0 + span]
            there = wide[z + dz, y0 + y + dy, x0 + dx : x0 + dx + span]
            line = lines[0, :span]
            for x in range(span):
                apart = here[x] - there[x]
                line[x] = apart * apart - noise
            if masked:
                on, too = known[z, y0 + y, x0 : x0 + span], known[z + dz, y0 + y + dy, x0 + dx : x0 + dx + span]
                both = lines[1, :span]
                for x in range(span):
                    both[x] = on[x] & too[x]
                    line[x] = line[x] * both[x]
            for layer in range(layers):
                target = along[layer, y, :count] if reach_y else ring[layer, slot, y, :count]
                weigh(target, lines[layer], inner, places, EVEN, True)
        if reach_y:
            for y in range(y1 - y0):
                for layer in range(layers):
                    _add_rows(ring[layer, slot, y, :count], along[layer, y : y + middle.shape[0], :count], middle)
        own = z - 2 * reach_z
        if own < z0:
            continue
        for y in range(y1 - y0):
            _likeness(weights[:count], lines, ring[:, :, y, :count], own % outer.shape[0], outer, masked, noise > 0)
            if masked:
                on = known[own + reach_z, y0 + y + reach_y, x0 + reach_x :]
                too = known[own + reach_z + dz, y0 + y + reach_y + dy, x0 + reach_x + dx :]
                for x in range(count):
                    weights[x] = weights[x] if on[x] & too[x] else 0.0
            here = wide[own + reach_z, y0 + y + reach_y, reach_x : reach_x + shape[2]]
            there = wide[own + reach_z + dz, y0 + y + reach_y + dy, reach_x : reach_x + shape[2]]
            # p + shift gets p's grey value before p gets that of p + shift: the same order in each block and tile.
            if dz or dy or dx:
                _give(sums, box, own + dz, y0 + y + dy, x0 + dx, weights[:count], here[x0:x1])
            _give(sums, box, own, y0 + y, x0, weights[:count], there[x0 + dx : x1 + dx])


@njit(nogil=True, cache=True)
def _add_rows(out: Any, rows: Any, weights: Any) -> None:
    for tap in range(weights.shape[0]):
        row, weight = rows[tap], weights[tap]
        if tap == 0:
            for x in range(out.shape[0]):
                out[x] = weight * row[x]
        else:
            for x in range(out.shape[0]):
                out[x] += weight * row[x]


@njit(nogil=True, cache=True)
def _likeness(weights: Any, lines: Any, ring: Any, first: int, outer: Any, masked: bool, noisy: bool) -> None:
    """Fill ``weights`` with the exponential of minus the difference of patches, which begin at slot ``first``."""
    count, taps = weights.shape[0], outer.shape[0]
    zero = outer.dtype.type(0)
    total, most = lines[0, :count], lines[1, :count]
    shared = np.empty(count if masked else 0, outer.dtype)
    full = zero
    total[:] = zero
    most[:] = zero
    shared[:] = zero
    for tap in range(taps):
        slot = (first + tap) % taps
        row, weight = ring[0, slot], outer[tap]
        if tap == taps - 1 or noisy:
            for x in range(count):
                most[x] = max(most[x], total[x])
        for x in range(count):
            total[x] += weight * row[x]
        if masked:
            both = ring[1, slot]
            full += weight
            for x in range(count):
                shared[x] += weight * both[x]
    if masked:
        nearly = full * outer.dtype.type(1 - 1e-6)
        for x in range(count):
            scale = full / shared[x] if zero < shared[x] < nearly else outer.dtype.type(1)
            total[x] *= scale
            most[x] *= scale
    bits = weights.view(np.int64)
    for x in range(count):
        far = np.float64(max(total[x], zero))
        power = np.int64(np.int32(_SCALE * -min(far, _FARTHEST))) + _OFFSET
        bits[x] = power << 32 if most[x] <= _CUTOFF and far <= _FARTHEST else 0


@njit(nogil=True, cache=True)
def _give(sums: Any, box: Any, z: int, y: int, x: int, weights: Any, values: Any) -> None:
    """Add ``values`` and their weights to the pixels from ``x`` on, as far as they lie in the block."""
    if not (box[0, 0] <= z < box[0, 1] and box[1, 0] <= y < box[1, 1]):
        return
    first = max(x, box[2, 0])
    count = min(x + weights.shape[0], box[2, 1]) - first
    if count <= 0:
        return
    begin = first - box[2, 0]
    total = sums[0, z - box[0, 0], y - box[1, 0], begin : begin + count]
    weight = sums[1, z - box[0, 0], y - box[1, 0], begin : begin + count]
    given, likeness = values[first - x :], weights[first - x :]
    for i in range(count):
        share = total.dtype.type(likeness[i])
        total[i] += share * given[i]
        weight[i] += share
