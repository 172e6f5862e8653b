"""Local thresholds: which pixels are brighter than their neighbourhood.

The mean and the variance of a square (or cubic) window decide. One kernel does all of these rules for every dtype:

================================  ==============================================================================
pixels                            sums
================================  ==============================================================================
bool, integers of 8 and 16 bits   exact, in int64
floats, integers of 32 and more   float64, as :mod:`bigimg.kernels.local_trees` has them; found from sums on a grid
bits                              of integers, which decide all but the closest pixels
================================  ==============================================================================
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from bigimg.core.operation import Pixels, Valid
from bigimg.errors import ParameterError
from bigimg.kernels.local_rules import EXACT, MEAN, NIBLACK, PHANSALKAR, SAUVOLA, Grid, Rule
from bigimg.kernels.local_trees import fill_rows, fill_volume
from bigimg.kernels.planes import as_planes, as_valid_planes, read_only
from bigimg.kernels.window_moments import fill

Mask = NDArray[np.bool_]

_ALL_VALID = read_only(np.zeros((0, 0, 0), bool))

_SUMS_DIFFER = 2.0**-47
"""How far sums by different orders of addition may be apart, relative to the greatest: 60 roundings."""

_MOST_EXACT = 2**31
"""Squares of 16 bits of fewer pixels have a sum below 2**63."""

_LEAST, _GREATEST = 2.0**-300, 2.0**300
"""Between these the greatest pixel can be squared and scaled without leaving the range of float64."""


def local_mean_mask(pixels: Pixels, window_size: int, offset: float, ndim: int, valid: Valid | None = None) -> Mask:
    """Return where ``pixels`` are greater than the mean of the window about them, less ``offset``.

    Parameters
    ----------
    pixels
        (..., M, N) or (..., L, M, N), of any real dtype; the last ``ndim`` axes are spatial.
    window_size
        Width of the square or cube in pixels, odd.
    offset
        Subtracted from the mean, in grey values.
    valid
        Which pixels count; the mean is over these alone.

    Returns
    -------
    ndarray of bool, the shape of ``pixels``.

    Notes
    -----
    As ``pixels > skimage.filters.threshold_local(pixels, window_size, "mean", offset)`` for float64 pixels; the image
    is continued by reflection (d c b a | a b c d). Here the sums of integers are exact, while scikit-image's sliding
    sum rounds: pixels that equal the mean to the last digit may differ. For float32, scikit-image rounds the mean to
    float32; here it stays float64.

    Examples
    --------
    >>> local_mean_mask(np.array([[1, 1, 1], [1, 5, 1], [1, 1, 1]]), 3, 0, 2).astype(int)
    array([[0, 0, 0],
           [0, 1, 0],
           [0, 0, 0]])
    """
    return _mask(pixels, window_size, Rule(MEAN, offset=float(offset)), ndim, valid)


def niblack_mask(pixels: Pixels, window_size: int, k: float, ndim: int, valid: Valid | None = None) -> Mask:
    """Return where ``pixels`` are greater than Niblack's threshold, ``mean - k * std`` of the window.

    Parameters
    ----------
    pixels, window_size, valid
        As for `sauvola_mask`.
    k
        How many standard deviations the threshold lies below the mean.

    Returns
    -------
    ndarray of bool, the shape of ``pixels``.

    Notes
    -----
    As ``pixels > skimage.filters.threshold_niblack(pixels, window_size, k)``; see `sauvola_mask`.

    References
    ----------
    W. Niblack: An Introduction to Digital Image Processing, Prentice-Hall (1986).

    Examples
    --------
    >>> niblack_mask(np.array([[1, 1, 1], [1, 5, 1], [1, 1, 1]]), 3, -0.2, 2).astype(int)
    array([[0, 0, 0],
           [0, 1, 0],
           [0, 0, 0]])
    """
    return _mask(pixels, window_size, Rule(NIBLACK, k=float(k)), ndim, valid)


def sauvola_mask(pixels: Pixels, window_size: int, k: float, r: float, ndim: int, valid: Valid | None = None) -> Mask:
    """Return where ``pixels`` are greater than Sauvola's threshold, ``mean * (1 + k * (std / r - 1))`` of the window.

    Parameters
    ----------
    pixels
        (..., M, N) or (..., L, M, N), of any real dtype; the last ``ndim`` axes are spatial.
    window_size
        Width of the square or cube in pixels, odd.
    k
        How much the threshold falls where the contrast is low.
    r
        The largest standard deviation to expect: half of the range of grey values.
    valid
        Which pixels count; mean and standard deviation are over these alone.

    Returns
    -------
    ndarray of bool, the shape of ``pixels``.

    Notes
    -----
    As ``pixels > skimage.filters.threshold_sauvola(pixels, window_size, k, r)`` for integer and float64 pixels; the
    image is continued by reflection about its outermost pixels (d c b | a b c d). For float32, scikit-image rounds
    the mean of the squares to float32, which leaves little of a small variance of bright pixels; here all of it is
    float64, as if the image were.

    References
    ----------
    J. Sauvola, M. Pietikainen: Adaptive document image binarization, Pattern Recognition 33 (2000) 225-236.

    Examples
    --------
    >>> sauvola_mask(np.array([[1, 1, 1], [1, 5, 1], [1, 1, 1]]), 3, 0.2, 2.0, 2).astype(int)
    array([[0, 0, 0],
           [0, 1, 0],
           [0, 0, 0]])
    """
    return _mask(pixels, window_size, Rule(SAUVOLA, k=float(k), r=float(r)), ndim, valid)


def phansalkar_mask(
    pixels: Pixels,
    window_size: int,
    k: float,
    r: float,
    p: float,
    q: float,
    ndim: int,
    valid: Valid | None = None,
) -> Mask:
    """Return where ``pixels`` are greater than ``mean * (1 + p * exp(-q * mean) + k * (std / r - 1))`` of the window.

    Parameters
    ----------
    pixels, window_size, k, r, valid
        As for `sauvola_mask`.
    p, q
        By how much the threshold is raised in the dark, and how fast that fades with the mean; ``q`` in grey values.

    Returns
    -------
    ndarray of bool, the shape of ``pixels``.

    References
    ----------
    N. Phansalkar, S. More, A. Sabale, M. Joshi: Adaptive local thresholding for detection of nuclei in diversity
    stained cytology images, ICCSP (2011) 218-220.

    Examples
    --------
    >>> phansalkar_mask(np.array([[1, 1, 1], [1, 5, 1], [1, 1, 1]]), 3, 0.2, 2.0, 2.0, 1.0, 2).astype(int)
    array([[0, 0, 0],
           [0, 1, 0],
           [0, 0, 0]])
    """
    return _mask(pixels, window_size, Rule(PHANSALKAR, k=float(k), r=float(r), p=float(p), q=float(q)), ndim, valid)


def _mask(pixels: Pixels, size: int, rule: Rule, ndim: int, valid: Valid | None) -> Mask:
    if size < 1 or size % 2 == 0:
        raise ParameterError(f"window_size must be an odd number of pixels, at least 1 (got {size})")
    if not rule.r > 0:
        raise ParameterError(f"r must be greater than 0: half of the range of grey values (got {rule.r})")
    few = size**ndim < _MOST_EXACT
    planes = as_planes(pixels, ndim, "u1 u2 i2 f4 f8" if few else "f4 f8")
    valids = None if valid is None else as_valid_planes(valid, pixels, ndim)
    out = np.empty(planes.shape, bool)
    for index in range(len(planes) if planes.size else 0):
        _fill(out[index], planes[index], None if valids is None else valids[index], size, rule)
    return out.reshape(pixels.shape)


def _fill(out: Mask, pixels: Pixels, valid: Mask | None, size: int, rule: Rule) -> None:
    deep = pixels.ndim == 3
    least, greatest = _extrema(pixels, valid)
    grid = _grid(rule, size**pixels.ndim, least, greatest) if pixels.dtype.kind == "f" else EXACT
    if grid is None:
        rows = np.ones(pixels.shape[-2], bool)
    else:
        shape = pixels.shape if deep else (1, *pixels.shape)
        known = _ALL_VALID if valid is None else valid.reshape(shape)
        rows = fill(out.reshape(shape), pixels.reshape(shape), known, rule, grid, size, deep, int(least >= 0))
    if deep and rows.any():
        fill_volume(out, pixels, valid, rule, size)
    elif rows.any():
        fill_rows(out, pixels, valid, rule, size, rows.reshape(-1))


def _extrema(pixels: Pixels, valid: Mask | None) -> tuple[float, float]:
    """Return the least valid pixel, or 0, and the greatest magnitude, which integers need not know."""
    if pixels.dtype.kind != "f":
        return 0.0, 0.0
    known = pixels if valid is None else np.where(valid, pixels, pixels.dtype.type(0))
    most, depth = _reach(known.reshape(-1))
    return -depth, max(depth, most)


@njit(nogil=True, cache=True)
def _reach(pixels: Pixels) -> tuple[float, float]:
    """Return how far pixels lie above and below 0. Positive floats order as their bits do, which vectorises."""
    sign = np.int64(-(2**63))
    above = below = np.int64(0)
    for x in range(pixels.shape[0]):
        bits = np.float64(pixels[x]).view(np.int64)
        above = max(above, bits)
        below = max(below, bits ^ sign if bits < 0 else np.int64(0))
    return np.int64(above).view(np.float64), np.int64(below).view(np.float64)


def _grid(rule: Rule, count: int, least: float, greatest: float) -> Grid | None:
    """Return a grid on which ``count`` pixels up to ``greatest`` can be summed, or None if there is none that helps."""
    if not _LEAST < greatest < _GREATEST:
        return None
    exponent = math.frexp(greatest)[1]
    bits = min(50, 61 - math.ceil(math.log2(count)))
    unit, unit_of_squares = 2.0 ** (exponent - bits), 2.0 ** (2 * exponent - bits)
    # Half a unit for rounding, one more for those that mark what is not 0.
    off = 1.5 * unit + _SUMS_DIFFER * greatest
    off_of_squares = 2 * unit_of_squares + _SUMS_DIFFER * greatest**2
    close = _close(rule, least, greatest, off, off_of_squares)
    return Grid(unit, unit_of_squares, off, off_of_squares, close) if math.isfinite(close) else None


def _close(rule: Rule, least: float, greatest: float, off: float, off_of_squares: float) -> float:
    """Return how far the two sides of the comparison of squares may be off, for means that are off; see Grid."""
    if rule.method == MEAN:
        return 0.0
    constant, gain = (abs(rule.k), 0.0) if rule.method == NIBLACK else (0.0, abs(rule.k) / rule.r)
    fastest = 0.0 if least >= 0 and rule.q >= 0 else abs(rule.q) * greatest
    lift = abs(rule.p) * math.exp(fastest) if fastest < 700 else math.inf
    level = 1.0 + abs(rule.k) + lift
    above = 2 * (level + lift * abs(rule.q) * greatest) * off
    slope = constant + gain * greatest
    steeper = gain * off
    variance = off_of_squares + 2 * greatest * off + off * off
    left = 2 * (1 + level) * greatest * above + above * above
    right = slope * slope * variance + (2 * slope + steeper) * steeper * 2 * greatest**2
    return left + right
