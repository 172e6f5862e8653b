"""Pixels beside a pixel of another label."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray


def meeting(
    labels: NDArray[Any], connectivity: int, ndim: int, counts: NDArray[np.bool_] | None = None
) -> NDArray[np.bool_]:
    """Return the pixels that have a neighbour of another label.

    Parameters
    ----------
    labels : (..., M, N) or (..., P, M, N) array
    connectivity : int
        Neighbours differ by 1 along at most so many of the last ``ndim`` axes.
    counts : bool array, optional
        Pixels that take part; the others have no neighbours, and are none.

    Examples
    --------
    >>> meeting(np.array([[1, 1, 2, 2]]), 1, 2)
    array([[False,  True,  True, False]])
    """
    found = np.zeros(labels.shape, np.bool_)
    for step in product((-1, 0, 1), repeat=ndim):
        if step <= (0,) * ndim or sum(map(abs, step)) > connectivity:
            continue  # the steps the other way, or too far
        here = (..., *(slice(max(0, -one), -one if one > 0 else None) for one in step))
        there = (..., *(slice(max(0, one), one if one < 0 else None) for one in step))
        differs = labels[here] != labels[there]
        if counts is not None:
            differs &= counts[here] & counts[there]
        found[here] |= differs
        found[there] |= differs
    return found
