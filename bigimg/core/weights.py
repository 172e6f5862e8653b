"""Weights of a linear filter as a parameter: an array, or nested lists in a workflow."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

LARGEST = 2**20
"""Weights, at most: each pixel is multiplied by every one of them."""


def as_weights(given: object) -> NDArray[np.float64]:
    """Return ``given``, an array or nested lists of numbers, as float64 weights.

    Raises
    ------
    ValueError
        If it has not 2 or 3 axes, or holds anything but finite numbers.

    Examples
    --------
    >>> as_weights([[1, 0, -1]])
    array([[ 1.,  0., -1.]])
    """
    try:
        weights = np.asarray(given)
    except ValueError:
        raise ValueError("the rows of weights need one length") from None
    if weights.dtype.kind not in "biuf" or weights.ndim not in (2, 3):
        raise ValueError(f"weights are a 2-D or 3-D array of numbers (got {weights.ndim}-D {weights.dtype})")
    if not 0 < weights.size <= LARGEST:
        raise ValueError(f"there must be from 1 to {LARGEST:,} weights (got {weights.size:,})")
    if not np.isfinite(weights).all():
        raise ValueError("weights must be finite")
    return weights.astype(np.float64)


Weights = Annotated[
    Any,
    BeforeValidator(as_weights),
    PlainSerializer(lambda weights: np.asarray(weights).tolist()),
    WithJsonSchema({"type": "array", "description": "a 2-D or 3-D array of numbers", "items": {"type": "array"}}),
]
"""The weights of a filter as the parameter of an operation."""
