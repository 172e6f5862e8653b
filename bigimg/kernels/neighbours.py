"""Which pixels are neighbours: the steps from a pixel to those it is joined with."""

from __future__ import annotations

from itertools import product

import numpy as np
from numpy.typing import NDArray

Steps = tuple[tuple[int, ...], ...]
"""Steps of -1, 0 or 1 along each axis, sorted; with each one the step back."""


def steps_of(ndim: int, connectivity: int | Steps) -> Steps:
    """Return the steps that change at most ``connectivity`` axes; steps are returned as they are.

    Examples
    --------
    >>> steps_of(2, 1)
    ((-1, 0), (0, -1), (0, 1), (1, 0))
    """
    if not isinstance(connectivity, int):
        return connectivity
    return tuple(step for step in product((-1, 0, 1), repeat=ndim) if 0 < sum(map(abs, step)) <= connectivity)


def steps_in(structure: NDArray[np.bool_]) -> Steps:
    """Return the steps between pixels one of which lies in the ``structure`` around the other, which has 3 an axis.

    Examples
    --------
    >>> steps_in(np.array([[1, 0, 0], [0, 1, 0], [0, 0, 0]], bool))
    ((-1, -1), (1, 1))
    """
    both = structure | np.flip(structure)
    return tuple(tuple(int(at) - 1 for at in place) for place in np.argwhere(both) if (place != 1).any())
