"""Pyramids: each level halves rows and columns of the level before, as it is stored, until a plane fits a screen.

Sizes are rounded up, so no row or column is lost; the last pixel of an odd side stands for the fewer pixels there are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Kind = Literal["image", "labels"]

SCREEN = 512
"""Rows and columns that need no smaller level."""


def level_shapes(shape: Sequence[int], dims: Sequence[str]) -> list[tuple[int, ...]]:
    """Return the shape of every level, the image itself first.

    Examples
    --------
    >>> level_shapes((3, 1025, 700), "cyx")
    [(3, 1025, 700), (3, 513, 350), (3, 257, 175)]
    """
    shapes = [tuple(shape)]
    while max(size for size, dim in zip(shapes[-1], dims) if dim in "yx") > SCREEN:
        shapes.append(tuple((size + 1) // 2 if dim in "yx" else size for size, dim in zip(shapes[-1], dims)))
    return shapes


def halve(pixels: NDArray[Any], kind: Kind) -> NDArray[Any]:
    """Return half the rows and columns of ``pixels`` (..., M, N): (..., (M + 1) // 2, (N + 1) // 2), of the same dtype.

    ``image``: the mean of 2 x 2 pixels. Integers are exact and round half to even, in every dtype without overflow;
    booleans are true where 3 of 4 are; of floating-point numbers those that are not NaN take part.

    ``labels``: the label most of the 2 x 2 pixels have; of labels that have equally many the smallest that is not the
    background, so that thin objects last longer. A label is never made up.

    Examples
    --------
    >>> halve(np.array([[1, 2], [2, 1]], "u1"), "image"), halve(np.array([[0, 5], [0, 7]], "u4"), "labels")
    (array([[2]], dtype=uint8), array([[0]], dtype=uint32))
    """
    odd = [(0, 0)] * (pixels.ndim - 2) + [(0, size % 2) for size in pixels.shape[-2:]]
    if any(after for _, after in odd):
        # A pixel that is there twice leaves both the mean and the majority as they are.
        pixels = np.pad(pixels, odd, mode="edge")
    four = (pixels[..., ::2, ::2], pixels[..., ::2, 1::2], pixels[..., 1::2, ::2], pixels[..., 1::2, 1::2])
    if kind == "labels":
        return _mode(*four)
    if pixels.dtype.kind == "f":
        return _mean_of_floats(*four)
    if pixels.dtype.kind == "b":
        return _mean_of_integers(*(part.astype(np.uint8) for part in four)).astype(bool)
    return _mean_of_integers(*four)


def _mean_of_integers(a: NDArray[Any], b: NDArray[Any], c: NDArray[Any], d: NDArray[Any]) -> NDArray[Any]:
    # Quarters and what is left are added apart: neither can leave the dtype.
    left = (a & 3) + (b & 3) + (c & 3) + (d & 3)
    mean = (a >> 2) + (b >> 2) + (c >> 2) + (d >> 2) + (left >> 2)
    left &= 3
    up = (left == 3) | ((left == 2) & (mean & 1 == 1))
    return mean + up.astype(mean.dtype)


def _mean_of_floats(*four: NDArray[Any]) -> NDArray[Any]:
    stack = np.stack(four).astype(np.promote_types(four[0].dtype, np.float32), copy=False)
    there = ~np.isnan(stack)
    count = there.sum(axis=0)
    weight = np.where(count, 1 / np.maximum(count, 1), np.nan).astype(stack.dtype)
    # Weights before sums: four of the largest numbers have a mean, too.
    with np.errstate(invalid="ignore", over="ignore"):
        mean = np.where(there, stack, 0) * weight
        return ((mean[0] + mean[1]) + (mean[2] + mean[3])).astype(four[0].dtype)


def _mode(a: NDArray[Any], b: NDArray[Any], c: NDArray[Any], d: NDArray[Any]) -> NDArray[Any]:
    low1, high1, low2, high2 = np.minimum(a, b), np.maximum(a, b), np.minimum(c, d), np.maximum(c, d)
    first, last = np.minimum(low1, low2), np.maximum(high1, high2)
    inner1, inner2 = np.maximum(low1, low2), np.minimum(high1, high2)
    second, third = np.minimum(inner1, inner2), np.maximum(inner1, inner2)
    two_pairs = (first == second) & (third == last)
    lowest = np.where(first != 0, first, second)
    alone = np.where(third == last, third, lowest)
    pair = np.where((first == second) & ~(two_pairs & (first == 0)), first, alone)
    return np.where(second == third, second, pair)
