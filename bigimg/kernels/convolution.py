"""Correlation with given weights, in the cheapest way that keeps the bits of a pixel the same in every tile.

Weights of two axes are applied tap by tap, or, where that is less work, as a sum of products of a filter down and one
along (most large kernels that are computed by a formula are the sum of one or two). The Fourier transform is not used:
the rounding of its result depends on the box it is taken of, and so on the tile.

Pixels beyond the border are reflected (``d c b a | a b c d``). A pixel that is not valid counts as the one in the
middle, so that the edge of a mask makes no edge: ``filter(image, 0 where invalid) + image * filter(1 where invalid)``.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numba import njit
from numpy.typing import NDArray

from bigimg.core.operation import Pixels, Valid
from bigimg.kernels.planes import as_planes, as_valid_planes, read_only, smoothed_dtype
from bigimg.kernels.separable import Terms, correlate_terms
from bigimg.kernels.taps import GENERAL, Places, Weights, weigh, weigh_square
from bigimg.kernels.windows import load, reflect

Mask = NDArray[np.bool_]

COMPILED = "u1 u2 f4 f8"

_CACHE = 100_000
"""Bytes of the rows that a kernel covers at once."""

_ROUNDING = 1e-15
"""Of the largest weight: what may be left of a kernel once its terms are taken away."""


def correlate(pixels: Pixels, weights: Weights, ndim: int, valid: Valid | None = None) -> Pixels:
    """Return for each pixel the weighted sum of those around it.

    Parameters
    ----------
    pixels
        (..., M, N) or (..., L, M, N), of any real dtype; the last ``ndim`` axes are spatial.
    weights
        ``ndim`` axes. The middle is at ``size // 2`` along each.
    valid
        Which pixels count.

    Returns
    -------
    ndarray of the shape of ``pixels``, of float32 for float32 and float16, else of float64.

    Notes
    -----
    As ``scipy.ndimage.correlate(pixels.astype(float), weights, mode="reflect")``; to the bit for float64 where the
    weights are applied tap by tap.

    Examples
    --------
    >>> correlate(np.array([[0, 0, 4, 4]], np.uint8), np.array([[-1, 0, 2]]), 2)
    array([[0., 8., 8., 4.]])
    """
    kernel = centred(np.asarray(weights, np.float64))
    planes = as_planes(pixels, ndim, COMPILED)
    out = np.empty(planes.shape, smoothed_dtype(pixels.dtype))
    if valid is None:
        _correlate(out, planes, kernel)
        return out.reshape(pixels.shape)
    valids = as_valid_planes(valid, pixels, ndim)
    add_middle(out, planes, valids, lambda target, source: _correlate(target, source, kernel))
    return out.reshape(pixels.shape)


def convolve(pixels: Pixels, weights: Weights, ndim: int, valid: Valid | None = None) -> Pixels:
    """Return the correlation with the weights turned round, as ``scipy.ndimage.convolve``; see :func:`correlate`.

    Examples
    --------
    >>> convolve(np.array([[0, 0, 4, 4]], np.uint8), np.array([[-1, 0, 2]]), 2)
    array([[ 0., -4., -4.,  4.]])
    """
    return correlate(pixels, np.flip(centred(np.asarray(weights, np.float64))), ndim, valid)


def centred(weights: Weights) -> Weights:
    """Return ``weights`` with zeros after them along even axes, so that the middle has as many on both sides.

    Examples
    --------
    >>> centred(np.array([[1, 2]])).tolist()
    [[1, 2, 0]]
    """
    return np.pad(weights, [(0, 1 - size % 2) for size in weights.shape])


def add_middle(out: Pixels, planes: Pixels, valids: Mask, linear: Callable[[Pixels, Pixels], None]) -> None:
    """Fill ``out`` by ``linear(out, pixels)`` as if each invalid pixel had the value of the one in the middle."""
    known = np.where(valids, planes, planes.dtype.type(0))
    linear(out, read_only(known))
    missing = np.empty_like(out)
    linear(missing, read_only((~valids).view(np.uint8)))
    missing *= known
    out += missing


def as_terms(kernel: Weights) -> Terms:
    """Return filters down and along whose products add up to ``kernel``; as many as its rank.

    Integers of rank 1 give integers: their sums stay exact. Others are taken apart by elimination with complete
    pivoting.

    Examples
    --------
    >>> [(down.tolist(), along.tolist()) for down, along in as_terms(np.array([[1.0, 2.0], [2.0, 4.0]]))]
    [([1.0, 2.0], [1.0, 2.0])]
    """
    whole = bool((kernel == np.rint(kernel)).all() and np.abs(kernel).max(initial=0) < 2**53)
    left = kernel.copy()
    smallest = _ROUNDING * np.abs(kernel).max(initial=0)
    terms: Terms = []
    while len(terms) < min(kernel.shape) and np.abs(left).max(initial=0) > smallest:
        row, column = np.unravel_index(np.abs(left).argmax(), left.shape)
        along = left[row].copy()
        if whole:
            along /= float(np.gcd.reduce(along.astype(np.int64)))
            down = left[:, column] / along[column]
        else:
            along /= left[row, column]
            down = left[:, column].copy()
        left -= np.outer(down, along)
        left[row], left[:, column] = 0, 0
        terms.append((down, along))
    return terms


def _correlate(out: Pixels, planes: Pixels, kernel: Weights) -> None:
    if not out.size:
        return
    slices = [_Plan(each) for each in (kernel if kernel.ndim == 3 else kernel[None])]
    stack = planes if planes.ndim == 4 else planes[:, None]
    for target, source in zip(out.reshape(stack.shape), stack):
        depth = len(source)
        for z in range(depth):
            add = False
            for dz, plan in enumerate(slices):
                if plan.taps or (not add and dz == len(slices) - 1):
                    plan.apply(target[z], source[reflect(z + dz - len(slices) // 2, depth, False)], add=add)
                    add = True


class _Plan:
    """How a kernel of two axes is applied."""

    def __init__(self, kernel: Weights) -> None:
        rows, columns = np.nonzero(kernel)
        self.taps = len(rows)
        self._shape = kernel.shape
        self._places = read_only(np.stack([rows, columns]).astype(np.int64))
        self._weights = kernel[rows, columns]
        whole = bool((kernel == np.rint(kernel)).all())
        terms = as_terms(kernel) if self.taps > sum(kernel.shape) else []
        cheaper = len(terms) * (sum(kernel.shape) + 2) < self.taps
        self._terms = terms if cheaper and (len(terms) == 1 or not whole) else []

    def apply(self, out: Pixels, pixels: Pixels, *, add: bool) -> None:
        if self._terms:
            correlate_terms(out, pixels, self._terms, add=add)
            return
        weights = read_only(self._weights.astype(out.dtype))
        strip = max(96, _CACHE // (self._shape[0] * out.dtype.itemsize)) // 16 * 16 + 8
        _correlate_taps(out, pixels, weights, self._places, self._shape[0], self._shape[1], strip, add)


@njit(nogil=True, cache=True)
def _correlate_taps(
    out: Pixels, pixels: Pixels, weights: Weights, taps: Places, tall: int, wide: int, strip: int, add: bool
) -> None:
    height, width = pixels.shape
    depth = min(tall, height)
    square = tall == 3 and wide == 3 and weights.shape[0] == 9
    places = np.empty(weights.shape[0], np.int64)
    for left in range(0, width, strip):
        count = min(strip, width - left)
        span = count + wide - 1
        memory = np.empty(depth * span, out.dtype)
        loaded = 0
        for y in range(height):
            while loaded < min(height, y + tall // 2 + 1):
                ring = loaded % depth * span
                load(memory[ring : ring + span], pixels[loaded], left - wide // 2, False)
                loaded += 1
            for tap in range(weights.shape[0]):
                row = reflect(y + taps[0, tap] - tall // 2, height, False) % depth
                places[tap] = row * span + taps[1, tap]
            target = out[y, left : left + count]
            if square:
                weigh_square(target, memory, weights, places, not add)
            else:
                weigh(target, memory, weights, places, GENERAL, not add)
