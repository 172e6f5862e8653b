"""Labelled objects that stay or go by what they are as a whole: their size, and whether the image shows all of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import numpy as np
from annotated_types import Ge
from numpy.typing import NDArray

from bigimg.core.operation import Pixels, Valid
from bigimg.core.parameters import Count, Dims
from bigimg.core.tile import Tile
from bigimg.engine.faces import composed
from bigimg.engine.kinds import gather, opened
from bigimg.errors import ParameterError
from bigimg.kernels.contingency import Pairs
from bigimg.ops.morphology import erosion
from bigimg.ops.segmentation.relabelling import PerLabel, integers


@dataclass(frozen=True)
class OfSize(PerLabel):
    """Keep the labels of ``smallest`` to ``largest`` pixels."""

    smallest: int
    largest: int | None
    name: ClassVar[str] = "sizes"

    def solve(self, state: Pairs) -> NDArray[Any]:
        """Return the labels, 0 instead of those that go."""
        stays = state.pixels >= self.smallest
        if self.largest is not None:
            stays &= state.pixels <= self.largest
        return np.where(stays, state.first, 0).astype(self.result)


@dataclass(frozen=True)
class Inside(PerLabel):
    """Keep the labels that do not touch the border: each is counted beside it and away from it."""

    name: ClassVar[str] = "inside"

    def split_key(self) -> object:
        """Return what other work does not do: it looks where in the image a label is."""
        return "labels beside the border"

    def split(self, tile: Tile, *images: Pixels, valid: Valid | None = None) -> tuple[NDArray[np.int32], Pairs]:
        """Find the labels of the tile, and which of them are beside the border or, in a second image, an open end."""
        beside = np.zeros(tile.shape, np.uint8) if len(images) == 1 else (~images[1]).astype(np.uint8)
        for axis in range(beside.ndim):
            for touches, end in zip(tile.at_border(axis), (slice(0, 1), slice(-1, None))):
                if touches:
                    beside[(slice(None),) * axis + (end,)] = 1
        return super().split(tile, images[0], beside, valid=valid)

    def solve(self, state: Pairs) -> NDArray[Any]:
        """Return the labels, 0 instead of those that touch the border."""
        touch = state.first[state.second > 0]
        return np.where(np.isin(state.first, touch), 0, state.first).astype(self.result)


@composed(takes="labels", gives="labels")
def filter_sizes(
    labels: Any, *, min_size: Annotated[int, Ge(0)] = 0, max_size: Count | None = None, dims: Dims = "yx"
) -> Any:
    """Keep the labels of ``min_size`` to ``max_size`` pixels, both included.

    Parameters
    ----------
    labels : (..., M, N) array of integers
        0 is the background, and stays 0.
    min_size, max_size : int
        Numbers of pixels; no upper limit by default.
    dims : {"yx", "zyx"}
        Count the pixels of a label in each plane, or in the volume.

    Returns
    -------
    (..., M, N) array of the same dtype
        The others are 0, those that stay keep their numbers: see :func:`relabel_sequential`. Labels are counted whole,
        wherever tiles cut them; all pixels of one label are one object, beside one another or not. Pixels that are not
        valid are not counted, and 0.

    Raises
    ------
    ParameterError
        If ``max_size`` is less than ``min_size``.
    ImageError
        If the labels are not integers, or negative; the latter when it is computed.

    See Also
    --------
    bigimg.morphology.filter_sizes : The same of the connected objects of a mask.

    Notes
    -----
    With ``min_size`` alone equal to ``skimage.morphology.remove_small_objects(labels, max_size=min_size - 1)``.

    Examples
    --------
    >>> import numpy as np
    >>> filter_sizes(np.array([[7, 7, 2, 9, 9, 9]]), min_size=2, max_size=2)
    array([[7, 7, 0, 0, 0, 0]])
    """
    if max_size is not None and max_size < min_size:
        raise ParameterError(
            f"segmentation.filter_sizes: max_size must be at least min_size (got {max_size} < {min_size})"
        )
    pixels = integers(labels, "labels", len(dims))
    return gather(OfSize(pixels.dtype.newbyteorder("="), min_size, max_size), labels, ndim=len(dims))


@composed(takes="labels", gives="labels")
def clear_border(labels: Any, *, dims: Dims = "yx") -> Any:
    """Remove the labels that touch the border of the image, whose objects may go on outside.

    Parameters
    ----------
    labels : (..., M, N) array of integers
        0 is the background, and stays 0.
    dims : {"yx", "zyx"}
        The border of each plane, or of the volume.

    Returns
    -------
    (..., M, N) array of the same dtype
        Labels that stay keep their numbers: see :func:`relabel_sequential`. The border of a tile is no border. Pixels
        that are not valid are as if outside of the image: a label beside one, across corners too, is removed.

    Raises
    ------
    ImageError
        If the labels are not integers, or negative; the latter when it is computed.

    See Also
    --------
    bigimg.morphology.clear_border : The same of the connected objects of a mask.

    Notes
    -----
    Equal to ``skimage.segmentation.clear_border(labels)`` of connected objects. Of a label in several pieces that
    removes the pieces at the border; here a label is one object, and goes or stays whole.

    Examples
    --------
    >>> import numpy as np
    >>> clear_border(np.array([[0, 0, 0, 0], [0, 5, 0, 8], [0, 0, 0, 8]]))
    array([[0, 0, 0, 0],
           [0, 5, 0, 0],
           [0, 0, 0, 0]])
    """
    ndim = len(dims)
    work = Inside(integers(labels, "labels", ndim).dtype.newbyteorder("="))
    valid = opened(labels, ndim).valid
    if valid is None:
        return gather(work, labels, ndim=ndim)
    return gather(work, labels, erosion(valid, np.ones((3,) * ndim, bool), dims=dims), ndim=ndim)
