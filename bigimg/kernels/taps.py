"""Weighted sums of stretches of memory: the inner loop of every linear filter.

A filter is a list of *taps*: a weight, and how far away what it weighs begins. All pixels of a row take the first taps
together, then the next ones. Each pixel adds up its own in the order of the list and rounds after each operation, so
its bits depend on nothing but its neighbours; the processor still works on as many pixels as its registers hold.

Several taps are added in one go, because the sums then are loaded and stored less often; not more than here, because a
loop with more operands no longer vectorises.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

Weights = NDArray[Any]
Places = NDArray[np.int64]

GENERAL, EVEN, ODD = 0, 1, -1
"""What is known of weights: nothing; that they are the same on both sides of the middle; or the same with the sign
turned. Then the two sides are added or subtracted before they are weighed."""


@njit(nogil=True, cache=True)
def weigh(sums: Any, memory: Any, weights: Weights, places: Places, parity: int, fresh: bool) -> None:
    """Add up ``weights[k] * memory[places[k] + x]`` in ``sums[x]``, which may be a part of ``memory``.

    ``fresh`` begins at 0, else at what stands there.
    """
    taps = weights.shape[0]
    if parity == GENERAL:
        _weigh_all(sums, memory, weights, places, fresh)
        return
    middle = taps // 2
    if parity == EVEN:
        _one(sums, memory, fresh, weights[middle], places[middle])
        fresh = False
    tap = 1
    while tap + 1 <= middle:
        near, far = weights[middle + tap], weights[middle + tap + 1]
        a, b = places[middle - tap], places[middle + tap]
        c, d = places[middle - tap - 1], places[middle + tap + 1]
        if parity == EVEN:
            _two_even(sums, memory, near, a, b, far, c, d)
        else:
            _two_odd(sums, memory, fresh, near, a, b, far, c, d)
        fresh = False
        tap += 2
    if tap <= middle:
        near, a, b = weights[middle + tap], places[middle - tap], places[middle + tap]
        if parity == EVEN:
            _one_even(sums, memory, near, a, b)
        else:
            _one_odd(sums, memory, fresh, near, a, b)
        fresh = False
    if fresh:
        sums[:] = 0


@njit(nogil=True, cache=True)
def weigh_square(sums: Any, memory: Any, w: Weights, places: Places, fresh: bool) -> None:
    """Do the same as :func:`weigh` for nine taps that are three times three neighbours, in one go.

    Neighbours are no further operands to the compiler: it sees three.
    """
    count = sums.shape[0]
    a = memory[places[0] : places[0] + count + 2]
    b = memory[places[3] : places[3] + count + 2]
    c = memory[places[6] : places[6] + count + 2]
    s, t, u, v, m, n, p, q, r = w[0], w[1], w[2], w[3], w[4], w[5], w[6], w[7], w[8]
    if fresh:
        for x in range(count):
            top = s * a[x] + t * a[x + 1] + u * a[x + 2]
            sums[x] = top + v * b[x] + m * b[x + 1] + n * b[x + 2] + p * c[x] + q * c[x + 1] + r * c[x + 2]
    else:
        for x in range(count):
            top = sums[x] + s * a[x] + t * a[x + 1] + u * a[x + 2]
            sums[x] = top + v * b[x] + m * b[x + 1] + n * b[x + 2] + p * c[x] + q * c[x + 1] + r * c[x + 2]


@njit(nogil=True, cache=True)
def _weigh_all(sums: Any, memory: Any, w: Weights, at: Places, fresh: bool) -> None:
    taps = w.shape[0]
    if taps == 0 and fresh:
        sums[:] = 0
    tap = 0
    while tap + 8 <= taps:
        _eight(sums, memory, fresh, w[tap : tap + 8], at[tap : tap + 8])
        fresh = False
        tap += 8
    while tap + 4 <= taps:
        _four(
            sums, memory, fresh, w[tap], w[tap + 1], w[tap + 2], w[tap + 3], at[tap], at[tap + 1], at[tap + 2],
            at[tap + 3],
        )  # fmt: skip
        fresh = False
        tap += 4
    while tap < taps:
        _one(sums, memory, fresh, w[tap], at[tap])
        fresh = False
        tap += 1


@njit(nogil=True, cache=True)
def _one(sums: Any, memory: Any, fresh: bool, weight: float, at: int) -> None:
    count = sums.shape[0]
    values = memory[at : at + count]
    if fresh:
        for x in range(count):
            sums[x] = weight * values[x]
    else:
        for x in range(count):
            sums[x] += weight * values[x]


@njit(nogil=True, cache=True)
def _four(
    sums: Any, memory: Any, fresh: bool,
    u: float, v: float, w: float, t: float, a: int, b: int, c: int, d: int,
) -> None:  # fmt: skip
    count = sums.shape[0]
    one = memory[a : a + count]
    two = memory[b : b + count]
    three = memory[c : c + count]
    four = memory[d : d + count]
    if fresh:
        for x in range(count):
            sums[x] = u * one[x] + v * two[x] + w * three[x] + t * four[x]
    else:
        for x in range(count):
            sums[x] = sums[x] + u * one[x] + v * two[x] + w * three[x] + t * four[x]


@njit(nogil=True, cache=True)
def _one_even(sums: Any, memory: Any, weight: float, a: int, b: int) -> None:
    count = sums.shape[0]
    one = memory[a : a + count]
    two = memory[b : b + count]
    for x in range(count):
        sums[x] += weight * (two[x] + one[x])


@njit(nogil=True, cache=True)
def _one_odd(sums: Any, memory: Any, fresh: bool, weight: float, a: int, b: int) -> None:
    count = sums.shape[0]
    one = memory[a : a + count]
    two = memory[b : b + count]
    if fresh:
        for x in range(count):
            sums[x] = weight * (two[x] - one[x])
    else:
        for x in range(count):
            sums[x] += weight * (two[x] - one[x])


@njit(nogil=True, cache=True)
def _two_even(sums: Any, memory: Any, near: float, a: int, b: int, far: float, c: int, d: int) -> None:
    count = sums.shape[0]
    one = memory[a : a + count]
    two = memory[b : b + count]
    three = memory[c : c + count]
    four = memory[d : d + count]
    for x in range(count):
        sums[x] = sums[x] + near * (two[x] + one[x]) + far * (four[x] + three[x])


@njit(nogil=True, cache=True)
def _two_odd(sums: Any, memory: Any, fresh: bool, near: float, a: int, b: int, far: float, c: int, d: int) -> None:
    count = sums.shape[0]
    one = memory[a : a + count]
    two = memory[b : b + count]
    three = memory[c : c + count]
    four = memory[d : d + count]
    if fresh:
        for x in range(count):
            sums[x] = near * (two[x] - one[x]) + far * (four[x] - three[x])
    else:
        for x in range(count):
            sums[x] = sums[x] + near * (two[x] - one[x]) + far * (four[x] - three[x])


@njit(nogil=True, cache=True)
def _eight(sums: Any, memory: Any, fresh: bool, weights: Weights, places: Places) -> None:
    count = sums.shape[0]
    a, b, c, d = places[0], places[1], places[2], places[3]
    e, f, g, h = places[4], places[5], places[6], places[7]
    s, t, u, v = weights[0], weights[1], weights[2], weights[3]
    w, x, y, z = weights[4], weights[5], weights[6], weights[7]
    one = memory[a : a + count]
    two = memory[b : b + count]
    three = memory[c : c + count]
    four = memory[d : d + count]
    five = memory[e : e + count]
    six = memory[f : f + count]
    seven = memory[g : g + count]
    eight = memory[h : h + count]
    if fresh:
        for i in range(count):
            sums[i] = (
                s * one[i]
                + t * two[i]
                + u * three[i]
                + v * four[i]
                + w * five[i]
                + x * six[i]
                + y * seven[i]
                + z * eight[i]
            )
    else:
        for i in range(count):
            sums[i] = (
                sums[i]
                + s * one[i]
                + t * two[i]
                + u * three[i]
                + v * four[i]
                + w * five[i]
                + x * six[i]
                + y * seven[i]
                + z * eight[i]
            )
