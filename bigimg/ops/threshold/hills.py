"""A threshold for each hill of an image: a fraction of its own height."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, ClassVar

import numpy as np
from annotated_types import Ge, Gt, Lt
from numpy.typing import NDArray

from bigimg.core.operation import Pixels, Valid
from bigimg.core.parameters import Connectivity, Dims
from bigimg.core.reduction import Gather
from bigimg.core.tile import Tile
from bigimg.engine.faces import composed, tilewise
from bigimg.engine.kinds import gather
from bigimg.errors import ParameterError
from bigimg.kernels import thresholds as kernel
from bigimg.ops.segmentation.hills import grounds
from bigimg.ops.threshold.histograms import value_of

Index = tuple[int, ...]
Heights = tuple[NDArray[Any], NDArray[np.float64]]
"""Labels of a tile, sorted, and the greatest height on the ground of each."""


Floor = Annotated[float, Ge(0), Lt(1)]


@composed(takes="image", gives="value")
def peak_fraction_value(image: Any, *, floor: Floor = 0.5) -> Any:
    """Find the grey value that :func:`peak_fraction` takes for the floor: what does not exceed it is background.

    Parameters
    ----------
    image : array of any kind
        One value for all of it.
    floor : float
        How far the value stands above the background, as a fraction of the height of Otsu's value.

    Returns
    -------
    number
        Lazily where the image is lazy. The value of all pixels where these are equal; ``inf`` where none is valid.

    Examples
    --------
    >>> import numpy as np
    >>> peak_fraction_value(np.array([[10, 10, 10, 60, 110, 110]], "uint8"), floor=0.5)
    10.0
    """
    return value_of(partial(_floor, floor), image)


@composed(takes="image", gives="mask")
def peak_fraction(
    image: Any,
    *,
    fraction: Annotated[float, Gt(0), Lt(1)] = 0.3,
    valley: Annotated[float, Gt(0), Lt(1)] = 0.8,
    floor: Floor = 0.5,
    connectivity: Connectivity = 1,
    dims: Dims = "yx",
) -> Any:
    """Say which pixels reach a fraction of the height of the peak they belong to: bright objects and dim ones alike.

    One value for a whole image is too high for its dim objects, or takes in the glow around its bright ones. Here every
    peak has a value of its own. Smooth the image first, so that noise makes no peaks.

    Parameters
    ----------
    image : (..., M, N) array of integers or floats
        Bright objects on a darker background.
    fraction : float
        Of the height of a peak above the background, above 0 and below 1: 0.5 is the full width at half maximum. A
        smaller fraction gives larger objects.
    valley : float
        A peak counts if every way to a higher one leads below this fraction of its height; otherwise it belongs to the
        higher one. The nearer to 1, the more peaks.
    floor : float
        What is background everywhere: heights up to this fraction of the height of Otsu's value, at least 0 and below
        1. It keeps out the peaks of the background.
    connectivity : int
        Which pixels are neighbours: 1 across edges (faces), 2 across corners too, 3 in volumes.
    dims : {"yx", "zyx"}
        Peaks of each plane, or of the volume.

    Returns
    -------
    (..., M, N) boolean array
        Heights are above the background: the median of the pixels that Otsu's value of the whole image leaves dark.

    Raises
    ------
    ImageError
        If one object above the floor is larger than :func:`bigimg.segmentation.watershed` floods.

    Notes
    -----
    Made of operations that are exact however an image is cut. With ``height`` 0 where it does not exceed the floor, the
    markers of the peaks are the regional maxima of ``reconstruction(valley * height, height)``, their grounds
    ``watershed(-height, markers, height > 0)``, and the result ``height > fraction * highest``, of the highest pixel of
    each ground. Median and Otsu's value are taken from one histogram: of each grey value of integers, of 256 bins of
    floats.

    ``docs/quality.md`` says what it gives beside Otsu's value and local means on images of nuclei.

    Examples
    --------
    A bright object and a dim one: at Otsu's value, 77, the dim one would not be seen.

    >>> import numpy as np
    >>> image = np.array([[9, 10, 20, 50, 60, 50, 10, 9, 10, 9, 60, 150, 200, 150, 60, 9]])
    >>> peak_fraction(image, fraction=0.5).astype(int)
    array([[0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 1, 1, 1, 0, 0]])
    """
    ndim = len(dims)
    if connectivity > ndim:
        raise ParameterError(
            f"threshold.peak_fraction: connectivity must be at most {ndim} for dims={dims!r} (got {connectivity})"
        )
    height = _height(image, levels=value_of(_levels, image, empty=NOTHING), floor=floor)
    labels = grounds(height, valley, connectivity, dims)
    return gather(NearThePeak(fraction), height, labels, ndim=ndim)


NOTHING = (0.0, float("inf"))
"""The levels of an image without objects: no pixel exceeds them."""


def _levels(counts: NDArray[np.int64], centers: NDArray[Any]) -> tuple[float, float]:
    """Return the grey value of the background, and Otsu's value."""
    if np.count_nonzero(counts) < 2:
        return NOTHING
    value = float(kernel.otsu(counts, centers))
    dark = np.cumsum(counts[: int(np.searchsorted(centers, value, side="right"))])
    return float(centers[int(np.searchsorted(dark, dark[-1] / 2))]), value


def _floor(floor: float, counts: NDArray[np.int64], centers: NDArray[Any]) -> float:
    background, value = _levels(counts, centers)
    if np.isfinite(value):
        return background + floor * (value - background)
    # All are equal: nothing exceeds the only value there is.
    return float(centers[np.flatnonzero(counts)[-1]]) if counts.any() else value


@tilewise(dtype="float64", scratch=9)
def _height(image: Pixels, *, levels: Any, floor: float, valid: Valid | None = None) -> Pixels:  # noqa: ARG001
    """Measure the height above the background, where it exceeds the floor."""
    background, value = levels
    height = image.astype(np.float64) - background
    return np.where(height > floor * (value - background), np.maximum(height, 0.0), 0.0)


@dataclass(frozen=True)
class NearThePeak(Gather[tuple[Pixels, Pixels, NDArray[Any]], Mapping[Index, Heights], Mapping[Index, Pixels]]):
    """Find the pixels that reach a fraction of the greatest height on their ground."""

    fraction: float
    name: ClassVar[str] = "peaks"
    keeps: ClassVar[int] = 16  # the height, and the labels

    def split_key(self) -> object:
        """Leave out the fraction: what is kept and sent does not depend on it."""
        return ()

    def dtype(self) -> np.dtype[Any]:
        """Return bool."""
        return np.dtype(bool)

    def split(
        self,
        tile: Tile,
        *images: Pixels,
        valid: Valid | None = None,  # noqa: ARG002 - no label where a pixel is not valid
    ) -> tuple[tuple[Pixels, Pixels, NDArray[Any]], Mapping[Index, Heights]]:
        """Find the greatest height on each ground of the tile."""
        height, labels = images
        flat = labels.ravel()
        # There are far fewer runs of one label than pixels.
        starts = np.flatnonzero(np.diff(flat, prepend=flat[:1] ^ flat.dtype.type(1)))
        found, which = np.unique(flat[starts], return_inverse=True)
        highest = np.zeros(found.size)
        np.maximum.at(highest, which, np.maximum.reduceat(height.ravel(), starts))
        return (height, labels, found), {tile.index: (found, highest)}

    def solve(self, state: Mapping[Index, Heights]) -> Mapping[Index, Pixels]:
        """Return the greatest heights in the whole image of the grounds in each tile."""
        own, which = np.unique(np.concatenate([labels for labels, _ in state.values()]), return_inverse=True)
        highest = np.zeros(own.size)
        np.maximum.at(highest, which, np.concatenate([heights for _, heights in state.values()]))
        sizes = [labels.size for labels, _ in state.values()]
        return dict(zip(state, np.split(highest[which], np.cumsum(sizes)[:-1])))

    def finish(self, tile: Tile, kept: tuple[Pixels, Pixels, NDArray[Any]], value: Mapping[Index, Pixels]) -> Pixels:
        """Compare with the fraction."""
        height, labels, found = kept
        wanted = self.fraction * value[tile.index]
        reached = labels > 0
        reached[reached] = height[reached] > wanted[np.searchsorted(found, labels[reached])]
        return reached
