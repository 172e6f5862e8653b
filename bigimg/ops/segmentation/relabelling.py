"""Labels numbered anew: one after the other, or by what two segmentations say together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from bigimg.core.operation import Pixels, Valid
from bigimg.core.parameters import Count, Dims, ImageInput
from bigimg.core.reduction import Gather
from bigimg.core.tile import Tile
from bigimg.engine.faces import composed
from bigimg.engine.kinds import gather, opened
from bigimg.errors import ImageError
from bigimg.kernels.contingency import Pairs, number_pairs

Places = NDArray[np.int64]


@dataclass(frozen=True)
class PerLabel(Gather[NDArray[np.int32], Pairs, NDArray[Any]]):
    """Give each label, or pair of labels, a number; a tile sends those it has and gets their numbers alone."""

    result: np.dtype[Any]
    keeps: ClassVar[int] = 4
    quick: ClassVar[bool] = True

    def split_key(self) -> object:
        """Return nothing of its own: what occurs in a tile does not depend on the numbers."""
        return "labels"

    def dtype(self) -> np.dtype[Any]:
        """Return the dtype asked for."""
        return self.result

    def split(self, tile: Tile, *images: Pixels, valid: Valid | None = None) -> tuple[NDArray[np.int32], Pairs]:  # noqa: ARG002
        """Find what occurs in the tile, and which of it each pixel has."""
        pairs, item = number_pairs(images[0], images[1] if len(images) > 1 else None, valid)
        return item, pairs

    def join(self, parts: Sequence[Pairs]) -> tuple[list[Places], Pairs]:
        """Return where in what occurs in a block that of each part is, and what occurs."""
        every = [np.concatenate([getattr(part, name) for part in parts]) for name in ("first", "second", "pixels")]
        found = Pairs.of(*every)
        order = np.lexsort((every[1], every[0]))
        new = np.ones(len(order), np.int64)
        new[1:] = (np.diff(every[0][order]) != 0) | (np.diff(every[1][order]) != 0)
        place = np.empty(len(order), np.int64)
        place[order] = np.cumsum(new) - 1
        return np.split(place, np.cumsum([len(part) for part in parts])[:-1]), found

    def share(self, joined: list[Places], value: NDArray[Any]) -> list[NDArray[Any]]:
        """Return the numbers of what each part has."""
        return [value[place] for place in joined]

    def finish(self, tile: Tile, kept: NDArray[np.int32], value: NDArray[Any]) -> Pixels:  # noqa: ARG002
        """Look the numbers up."""
        return np.asarray(value[kept])


@dataclass(frozen=True)
class Numbering(PerLabel):
    """Number the labels, or pairs of labels, that occur."""

    offset: int
    """The first number."""
    name: ClassVar[str] = "numbering"

    def solve(self, state: Pairs) -> NDArray[Any]:
        """Return the number of each pair: they are sorted already.

        Raises
        ------
        ImageError
            If the dtype does not hold the largest number.
        """
        objects = (state.first != 0) | (state.second != 0)
        count = int(np.count_nonzero(objects))
        if count and self.offset + count - 1 > np.iinfo(self.result).max:
            raise ImageError(
                f"{count} labels from {self.offset} on are more than {self.result} holds; convert the labels to a "
                "wider dtype first"
            )
        number = np.zeros(len(state), self.result)
        number[objects] = np.arange(self.offset, self.offset + count)
        return number


def integers(image: Any, name: str, ndim: int) -> Any:
    """Return the pixels of labels.

    Raises
    ------
    ImageError
        If they are not integers.
    """
    pixels = opened(image, ndim).pixels
    if pixels.dtype.kind not in "iu":
        raise ImageError(f"{name} must be integers (got {pixels.dtype}); number the objects first, with measure.label")
    return pixels


@composed(takes="labels", gives="labels")
def relabel_sequential(labels: Any, *, offset: Count = 1, dims: Dims = "yx") -> Any:
    """Give labels new numbers, one after the other, in the order they have.

    Parameters
    ----------
    labels : (..., M, N) array of integers
        0 is the background, and stays 0.
    offset : int
        The first number.
    dims : {"yx", "zyx"}
        Number the labels of each plane, or of the volume.

    Returns
    -------
    (..., M, N) array of the same dtype
        0 where pixels are not valid; labels of such pixels only have no number.

    Raises
    ------
    ImageError
        If the labels are negative, or the dtype does not hold the numbers; when it is computed.

    Notes
    -----
    Equal to the first result of ``skimage.segmentation.relabel_sequential(labels, offset)``, but for the dtype, which
    scikit-image widens where numbers ask for it.

    Examples
    --------
    >>> import numpy as np
    >>> relabel_sequential(np.array([[0, 9, 9], [700, 3, 0]]))
    array([[0, 2, 2],
           [3, 1, 0]])
    """
    pixels = integers(labels, "labels", len(dims))
    return gather(Numbering(pixels.dtype.newbyteorder("="), offset), labels, ndim=len(dims))


@composed(takes="labels", gives="labels")
def join_segmentations(labels: Any, other: ImageInput, *, dims: Dims = "yx") -> Any:
    """Join two segmentations: pixels have one label where they have one in both.

    Parameters
    ----------
    labels : (..., M, N) array of integers
        0 is the background.
    other : (..., M, N) array of integers
        Another segmentation of the same pixels.
    dims : {"yx", "zyx"}
        Number the labels of each plane, or of the volume.

    Returns
    -------
    (..., M, N) array of uint32 (uint64 for images of more than 2**32 pixels)
        0 where both are 0, and where pixels are not valid. The others are numbered in the order of ``labels``, then
        ``other``.

    Notes
    -----
    Equal, numbers included, to ``skimage.segmentation.join_segmentations(labels, other)``.

    Examples
    --------
    >>> import numpy as np
    >>> join_segmentations(np.array([[0, 0, 2, 2]]), np.array([[0, 5, 5, 9]]))
    array([[0, 1, 2, 3]], dtype=uint32)
    """
    ndim = len(dims)
    shape = integers(labels, "labels", ndim).shape
    if integers(other, "the other labels", ndim).shape != shape:
        raise ImageError(f"segmentations that are joined need one shape (got {shape} and {other.shape})")
    wide = int(np.prod(shape[len(shape) - ndim :], dtype=object)) >= 2**32
    return gather(Numbering(np.dtype(np.uint64 if wide else np.uint32), 1), labels, other, ndim=ndim)
