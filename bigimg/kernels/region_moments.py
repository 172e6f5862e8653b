"""Moments in physical units, freed of scale, and Hu's: elementwise, for the objects of a table."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

HIGHEST = 3
"""The highest power along each axis, as in scikit-image."""


def scaled(moments: Floats, ndim: int, spacing: Sequence[float] | Floats) -> Floats:
    """Return ``moments``, (K, 4**ndim, ...), with lengths in units of ``spacing``, as (K, 4, 4, ...)."""
    steps = [float(step) for step in spacing]
    every = product(range(HIGHEST + 1), repeat=ndim)
    scale = np.array([math.prod(step**power for step, power in zip(steps, powers)) for powers in every])
    with np.errstate(over="ignore", invalid="ignore"):
        full = moments * scale.reshape(-1, *(1,) * (moments.ndim - 2))
    return full.reshape(len(moments), *(HIGHEST + 1,) * ndim, *moments.shape[2:])


def normalized(moments: Floats, ndim: int, spacing: Sequence[float] | Floats) -> Floats:
    """Return central ``moments`` divided by powers of the mass: NaN below order 2, as in scikit-image."""
    origin: Any = (slice(None), *(0,) * ndim)
    mass = moments[origin]
    least = np.float64(min(spacing))  # one of NumPy's: its powers may be infinite
    found = np.full_like(moments, np.nan)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        root = np.sqrt(mass) if ndim == 2 else cube_root(mass)
        for powers in product(range(HIGHEST + 1), repeat=ndim):
            if (total := sum(powers)) >= 2:
                whole, parts = divmod(total + ndim, ndim)
                divisor = _power(mass, whole) * _power(root, parts)
                at: Any = (slice(None), *powers)
                found[at] = moments[at] / least**total / divisor
    return found


def cube_root(values: Floats) -> Floats:
    """Return the cube roots, NaN of negative numbers: a Newton step makes them the same on every machine.

    Examples
    --------
    >>> cube_root(np.array([27.0, -8.0]))
    array([ 3., nan])
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        root = np.fromiter((value ** (1 / 3) if value >= 0 else math.nan for value in values.ravel().tolist()), float)
        root = root.reshape(values.shape)
        better = root - (root * root * root - values) / (3 * root * root)
    return np.where(np.isfinite(better), better, root)


def hu(moments: Floats) -> Floats:
    """Return Hu's seven invariants, (K, 7, ...), of normalized moments, (K, 4, 4, ...)."""
    with np.errstate(invalid="ignore", over="ignore"):
        t0 = moments[:, 3, 0] + moments[:, 1, 2]
        t1 = moments[:, 2, 1] + moments[:, 0, 3]
        q0, q1 = t0 * t0, t1 * t1
        n4 = 4 * moments[:, 1, 1]
        total = moments[:, 2, 0] + moments[:, 0, 2]
        difference = moments[:, 2, 0] - moments[:, 0, 2]
        second = difference * difference + n4 * moments[:, 1, 1]
        sixth = difference * (q0 - q1) + n4 * t0 * t1
        fourth = q0 + q1
        t0, t1 = t0 * (q0 - 3 * q1), t1 * (3 * q0 - q1)
        r0 = moments[:, 3, 0] - 3 * moments[:, 1, 2]
        r1 = 3 * moments[:, 2, 1] - moments[:, 0, 3]
        third = r0 * r0 + r1 * r1
        fifth = r0 * t0 + r1 * t1
        seventh = r1 * t0 - r0 * t1
    return np.stack([total, second, third, fourth, fifth, sixth, seventh], axis=1)


def _power(values: Floats, exponent: int) -> Floats:
    """Return ``values**exponent`` by multiplication, which rounds alike wherever a number stands in an array."""
    result = np.ones_like(values)
    for _ in range(exponent):
        result = result * values
    return result
