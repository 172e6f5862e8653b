"""How objects of successive frames overlap: what linking by overlap goes by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from bigimg.core.operation import Pixels, Valid
from bigimg.core.reduction import Reduction
from bigimg.core.tile import Tile
from bigimg.engine.faces import composed
from bigimg.engine.kinds import opened, reduce
from bigimg.errors import ImageError
from bigimg.kernels.contingency import count_pairs

TIME = "t"
COLUMNS = ("t", "label", "label_next", "pixels", "area", "area_next", "iou")

Counts = NDArray[np.int64]
"""Rows of frame, label, label of the next frame, and pixels, sorted; 0 is the background, which is counted too."""


@dataclass(frozen=True)
class CountOverlaps(Reduction[Counts, pd.DataFrame]):
    """Count the pixels that objects of successive frames share; see :func:`overlaps`."""

    ndim: int
    """Of the stack, time among them."""
    name: ClassVar[str] = "overlaps"

    @property
    def halo(self) -> tuple[int, ...]:
        """One frame more."""
        return (1,) + (0,) * (self.ndim - 1)

    def partial(self, tile: Tile, *images: Pixels, valid: Valid | None = None) -> Counts:  # noqa: ARG002 - zeros there
        """Count between each frame of the tile and the next one, which may be of the next tile."""
        frames, own = images[0], tile.crop[0]
        found = [np.zeros((0, 4), np.int64)]
        for at in range(own.start, min(own.stop, len(frames) - 1)):
            pairs = count_pairs(frames[at], frames[at + 1])
            t = np.full(len(pairs), tile.read[0].start + at)
            rows = np.stack([t, pairs.first, pairs.second, pairs.pixels], axis=1)
            found.append(rows[(pairs.first > 0) | (pairs.second > 0)])
        return np.concatenate(found)

    def merge(self, first: Counts, second: Counts) -> Counts:
        """Add the counts of the same pairs."""
        rows = np.concatenate([first, second])
        rows = rows[np.lexsort(rows.T[2::-1])]
        new = np.ones(len(rows), np.bool_)
        new[1:] = (rows[1:, :3] != rows[:-1, :3]).any(axis=1)
        starts = np.flatnonzero(new)
        kept = rows[starts]
        if starts.size:
            kept[:, 3] = np.add.reduceat(rows[:, 3], starts)
        return kept

    def finish(self, state: Counts) -> pd.DataFrame:
        """Return one row a pair of objects."""
        frame = pd.DataFrame(state, columns=["t", "label", "label_next", "pixels"])
        frame["area"] = frame.groupby(["t", "label"])["pixels"].transform("sum")
        frame["area_next"] = frame.groupby(["t", "label_next"])["pixels"].transform("sum")
        frame = frame[(frame["label"] > 0) & (frame["label_next"] > 0)].reset_index(drop=True)
        return frame.assign(iou=frame["pixels"] / (frame["area"] + frame["area_next"] - frame["pixels"]))


@composed(takes="labels", gives="table")
def overlaps(labels: Any) -> Any:
    """Count the pixels that each object of a frame shares with each object of the next one.

    Parameters
    ----------
    labels : (T, M, N) or (T, P, M, N) array of integers
        A label image of each frame, 0 is the background; numbers of different frames have nothing to do with each
        other. Time is the first axis, or the dimension named ``t``.

    Returns
    -------
    pandas.DataFrame
        One row a pair of objects that overlap, sorted: the frame ``t`` of the first, its ``label``, the other's
        ``label_next``, the ``pixels`` both have, how many each has, ``area`` and ``area_next``, and ``iou``, the pixels
        over those of either. Lazy, with ``.compute()``, where the labels are lazy.

    Notes
    -----
    A count of pixels, and so the same however the stack is cut, in time too. Pixels that are not valid are background.

    Examples
    --------
    >>> import numpy as np
    >>> stack = np.array([[[1, 1, 0, 2]], [[0, 5, 5, 0]]])
    >>> overlaps(stack)
       t  label  label_next  pixels  area  area_next       iou
    0  0      1           5       1     2          2  0.333333
    """
    if isinstance(labels, xr.DataArray):
        if TIME not in labels.dims:
            raise ImageError(f"objects are followed along a dimension named t (got {', '.join(map(str, labels.dims))})")
        labels = labels.transpose(TIME, ...)
    volume = isinstance(labels, xr.DataArray) and "z" in labels.dims
    pixels = opened(labels, 3 if volume else 2).pixels
    if pixels.dtype.kind not in "iu":
        raise ImageError(
            f"labels are integers (got {pixels.dtype}); number the objects of each frame first, with measure.label"
        )
    if pixels.ndim not in {3, 4}:
        raise ImageError(f"a stack of labels has the axes t, y, x, or t, z, y, x (got shape {tuple(pixels.shape)})")
    return reduce(CountOverlaps(pixels.ndim), labels, ndim=3 if volume else 2)
