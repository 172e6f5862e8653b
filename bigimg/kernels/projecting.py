"""What the planes of a stack have in common, pixel by pixel: sums, deviations, and the middle value."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from bigimg.core.operation import Pixels, Valid
from bigimg.kernels.planes import read_only, smoothed_dtype

_STRIP_BYTES = 2**17
"""What is sorted at once: it stays in a second-level cache."""


def integer_sums(planes: Pixels, squares: bool) -> NDArray[np.int64]:
    """Return the sum over ``planes`` (K, N), and that of the squares where ``squares``: (1, N) or (2, N), exact.

    Integers of at most 32 bits; of at most 16 for squares.
    """
    given = planes.view(np.uint8) if planes.dtype.kind == "b" else planes
    out = np.zeros((1 + squares, planes.shape[1]), np.int64)
    (_add_with_squares if squares else _add)(out, read_only(given))
    return out


def deviation(count: NDArray[np.int64], total: NDArray[np.int64], squares: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the standard deviation of integers from how many they are, their sum and that of their squares.

    Examples
    --------
    >>> deviation(np.array([4]), np.array([8]), np.array([24]))
    array([1.41421356])
    """
    many = np.maximum(count, 1)
    # About the integer next to the mean the squares are small, and still exact.
    middle = (2 * total + many) // (2 * many)
    rest = total - many * middle
    about = squares - middle * (total + rest)
    variance = (about - rest.astype(float) * rest / many) / many
    return np.sqrt(np.maximum(variance, 0))


def middle(planes: Pixels, valid: Valid | None) -> Pixels:
    """Return the median over ``planes`` (K, N), of those pixels that are valid; 0 where none is.

    Examples
    --------
    >>> middle(np.array([[1, 5], [2, 5], [9, 6], [4, 7]], "u1"), None)
    array([3. , 5.5])
    """
    dtype = planes.dtype
    if dtype.kind == "b":
        planes = planes.view(np.uint8)
    elif dtype == np.float16:
        planes = planes.astype(np.float32)
    strip = max(64, _STRIP_BYTES // (planes.itemsize * max(1, len(planes))))
    out = np.empty(planes.shape[1], smoothed_dtype(dtype))
    highest = np.inf if planes.dtype.kind == "f" else np.iinfo(planes.dtype).max
    pairs = _network(len(planes))
    for left in range(0, planes.shape[1], strip):
        part = np.array(planes[:, left : left + strip], order="C")
        if valid is None:
            _sort(part, pairs)
            low, high = part[(len(part) - 1) // 2], part[len(part) // 2]
        else:
            counts = valid[:, left : left + strip]
            # What does not count goes to the end.
            part[~counts] = highest
            _sort(part, pairs)
            many = counts.sum(axis=0)
            across = np.arange(part.shape[1])
            low, high = part[np.maximum(many - 1, 0) // 2, across], part[many // 2 * (many > 0), across]
            low, high = np.where(many > 0, low, 0), np.where(many > 0, high, 0)
        out[left : left + strip] = low.astype(float) / 2 + high.astype(float) / 2
    return out


def _network(size: int) -> NDArray[np.int64]:
    """Return which rows to compare and exchange, one pair after the other, to sort ``size`` rows.

    References
    ----------
    K. E. Batcher, Sorting networks and their applications (1968); as D. E. Knuth, The Art of Computer Programming 3,
    algorithm 5.2.2M.

    Examples
    --------
    >>> _network(3).tolist()
    [[0, 2], [0, 1], [1, 2]]
    """
    pairs = []
    largest = 1 << max(0, (size - 1).bit_length() - 1)
    step = largest
    while step:
        reach, rest, distance = largest, 0, step
        while True:
            pairs += [(i, i + distance) for i in range(size - distance) if i & step == rest]
            if reach == step:
                break
            distance, reach, rest = reach - step, reach // 2, step
        step //= 2
    return np.array(pairs, np.int64).reshape(-1, 2)


@njit(nogil=True, cache=True)
def _sort(rows: Pixels, pairs: NDArray[np.int64]) -> None:
    for number in range(pairs.shape[0]):
        low, high = rows[pairs[number, 0]], rows[pairs[number, 1]]
        for x in range(rows.shape[1]):
            a, b = low[x], high[x]
            low[x] = min(a, b)
            high[x] = max(a, b)


@njit(nogil=True, cache=True)
def _add(out: NDArray[np.int64], planes: Pixels) -> None:
    for left in range(0, planes.shape[1], 4096):
        right = min(planes.shape[1], left + 4096)
        sums = out[0, left:right]
        for k in range(planes.shape[0]):
            plane = planes[k, left:right]
            for x in range(right - left):
                sums[x] += np.int64(plane[x])


@njit(nogil=True, cache=True)
def _add_with_squares(out: NDArray[np.int64], planes: Pixels) -> None:
    for left in range(0, planes.shape[1], 2048):
        right = min(planes.shape[1], left + 2048)
        sums, squares = out[0, left:right], out[1, left:right]
        for k in range(planes.shape[0]):
            plane = planes[k, left:right]
            for x in range(right - left):
                value = np.int64(plane[x])
                sums[x] += value
                squares[x] += value * value
