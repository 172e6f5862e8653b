"""Sums of products of filters along rows and columns: what most large filters can be written as.

A *term* is a filter along the rows followed by one down the columns; the result is the sum over the terms. A strip of
columns is worked on from top to bottom, so that what is between the two directions stays in the cache::

    row of the image -> line, reflected at its ends -> each term's filter along the row -> its ring of rows
                                                    -> each term's filter down the ring, added up -> result

Pixels beyond the border are reflected (``d c b a | a b c d``).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from bigimg.core.operation import Pixels
from bigimg.kernels.planes import read_only
from bigimg.kernels.taps import EVEN, GENERAL, ODD, Weights, weigh
from bigimg.kernels.windows import load, reflect

Terms = list[tuple[Weights, Weights]]
"""Weights down and along, by terms."""
Parities = NDArray[np.int64]

_CACHE = 400_000
"""Bytes of rows kept between the two directions, of a second-level cache of 512 kB or more."""

_NARROWEST = 96
"""Columns of a strip, at least: each row of a strip has a beginning and an end that cost the same for any width."""


def correlate_terms(out: Pixels, pixels: Pixels, terms: Terms, *, add: bool = False) -> None:
    """Filter each plane of a stack by a sum of terms.

    Parameters
    ----------
    out
        (..., M, N) of float32 or float64, contiguous: the result, and the precision of everything between.
    pixels
        (..., M, N), contiguous and read-only, of a dtype that kernels are compiled for.
    terms
        Weights down the columns and along the rows, each of an odd number, in the order of the pixels they weigh.
    add
        Whether the result is added to what ``out`` holds.
    """
    if not out.size:
        return
    downs = _stacked([down for down, _ in terms], out.dtype)
    alongs = _stacked([along for _, along in terms], out.dtype)
    rows = len(terms) * downs.shape[1]
    strip = max(_NARROWEST, _CACHE // (rows * out.dtype.itemsize))
    # A power of two would make all rows of a ring compete for the same lines of the first-level cache.
    strip = min(strip, pixels.shape[-1]) // 16 * 16 + 8
    source = pixels.reshape(-1, *pixels.shape[-2:])
    _correlate_terms(out.reshape(source.shape), source, downs, alongs, _parities(downs), _parities(alongs), strip, add)


def correlate_axis(pixels: Pixels, weights: Weights, axis: int, dtype: np.dtype[Any]) -> Pixels:
    """Return a volume or plane filtered along one axis, in ``dtype``."""
    out = np.empty(pixels.shape, dtype)
    alone = np.ones(1)
    last = pixels.ndim - 1
    if axis == last:
        correlate_terms(out.reshape(-1, out.shape[-1]), pixels.reshape(-1, out.shape[-1]), [(alone, weights)])
    elif axis == 0:
        correlate_terms(out.reshape(len(out), -1), pixels.reshape(len(out), -1), [(weights, alone)])
    else:
        correlate_terms(out, pixels, [(weights, alone)])
    return read_only(out)


def _stacked(weights: list[Weights], dtype: np.dtype[Any]) -> Weights:
    """Return weights of several odd lengths as rows of one array, their middles below one another."""
    longest = max(map(len, weights))
    rows = np.zeros((len(weights), longest), dtype)
    for row, each in zip(rows, weights):
        first = (longest - len(each)) // 2
        row[first : first + len(each)] = each
    return read_only(rows)


def _parities(weights: Weights) -> Parities:
    """Return what can be known of the weights in each row."""
    middle = weights.shape[1] // 2
    found = np.full(len(weights), GENERAL, np.int64)
    for row, each in enumerate(weights):
        if (each == each[::-1]).all():
            found[row] = EVEN
        elif (each == -each[::-1]).all() and each[middle] == 0:
            found[row] = ODD
    return read_only(found)


@njit(nogil=True, cache=True)
def _correlate_terms(
    out: Pixels,
    pixels: Pixels,
    downs: Weights,
    alongs: Weights,
    down_parities: Parities,
    along_parities: Parities,
    strip: int,
    add: bool,
) -> None:
    planes, height, width = pixels.shape
    terms, tall = downs.shape
    wide = alongs.shape[1]
    depth = min(tall, height)
    places = np.empty(max(tall, wide), np.int64)
    for job in range(planes * -(-width // strip)):
        plane, left = job // -(-width // strip), job % -(-width // strip) * strip
        count = min(strip, width - left)
        line = terms * depth * count
        span = count + wide - 1
        memory = np.empty(line + span, out.dtype)
        loaded = 0
        for y in range(height):
            while loaded < min(height, y + tall // 2 + 1):
                load(memory[line:], pixels[plane, loaded], left - wide // 2, False)
                for tap in range(wide):
                    places[tap] = line + tap
                for term in range(terms):
                    ring = (term * depth + loaded % depth) * count
                    weigh(memory[ring : ring + count], memory, alongs[term], places[:wide], along_parities[term], True)
                loaded += 1
            target = out[plane, y, left : left + count]
            for term in range(terms):
                for tap in range(tall):
                    row = reflect(y + tap - tall // 2, height, False) % depth
                    places[tap] = (term * depth + row) * count
                weigh(target, memory, downs[term], places[:tall], down_parities[term], term == 0 and not add)
