"""Regional maxima and minima, and those of a height, over the whole image however it is cut.

A plateau is a maximum if no neighbour is higher, which a tile knows of all plateaus but those on its faces. It sends
the values and the plateaus of its face pixels; what touches across faces is joined and judged as a whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from bigimg.core.operation import Pixels, Valid
from bigimg.core.parameters import Connectivity, Dims, Positive
from bigimg.core.reduction import Gather
from bigimg.core.tile import Tile
from bigimg.engine.faces import composed
from bigimg.engine.kinds import gather, opened
from bigimg.kernels.components import RunLabels, face, label_runs, paint_mask, union
from bigimg.kernels.extrema import bordered, falling, peaks
from bigimg.kernels.padded import Indices
from bigimg.kernels.reconstruction import Keys
from bigimg.kernels.tile_faces import Face, face_pixels, inner_faces, touching
from bigimg.ops.morphology.geodesic import Flow, Solved, steps_of


@dataclass(frozen=True, eq=False)
class Plateaus:
    """What a tile keeps: its plateaus that nothing in it rises above."""

    runs: RunLabels
    falling: NDArray[np.bool_]
    """Which of them have a lower neighbour in the tile."""
    shared: NDArray[np.int64]
    """Labels of those on the faces, sorted."""


@dataclass(frozen=True, eq=False)
class TilePlateaus:
    """What a tile sends."""

    shape: tuple[int, ...]
    inner: tuple[Face, ...]
    """The faces that other tiles follow."""
    values: Pixels
    """Of the face pixels."""
    plateau: NDArray[np.int64]
    """Number of the plateau that each face pixel is on, 0 for none, -1 for a pixel that does not count."""
    falling: NDArray[np.bool_]
    """Which of the plateaus on faces have a lower neighbour in the tile."""


Sent = dict[tuple[int, ...], TilePlateaus]


@dataclass(frozen=True)
class RegionalMaxima(Gather[Plateaus, Sent, Mapping[tuple[int, ...], NDArray[np.bool_]]]):
    """Find the plateaus that no neighbour rises above, or for minima that none lies below."""

    ndim: int
    connectivity: int
    minima: bool
    name: ClassVar[str] = "extrema"
    keeps: ClassVar[int] = 6  # the runs of a checkerboard, the worst there is

    def dtype(self) -> np.dtype[Any]:
        """Return bool."""
        return np.dtype(bool)

    def split(self, tile: Tile, *images: Pixels, valid: Valid | None = None) -> tuple[Plateaus, Sent]:
        """Find the plateaus of the tile by itself."""
        pixels = images[0].view(np.uint8) if images[0].dtype.kind == "b" else images[0]
        if pixels.dtype == np.float16:
            pixels = pixels.astype(np.float32)  # compiled code has no halves
        pixels = turned_over(pixels) if self.minima else pixels
        values, marks = bordered(pixels, valid)
        runs = label_runs(peaks(values, marks, tile.shape, self.connectivity), self.connectivity)
        lower = falling(runs, values, marks, self.connectivity)
        inner = inner_faces(tile)
        positions, faces = face_pixels(tile.shape, inner)
        labels = np.zeros(positions.size, np.int64)
        for (axis, side), own in faces.items():
            labels[own] = face(runs, axis, side)
        shared = np.unique(labels[labels > 0])
        plateau = np.where(labels > 0, np.searchsorted(shared, labels) + 1, 0)
        if valid is not None:
            plateau[~valid.ravel()[positions]] = -1
        sent = TilePlateaus(tile.shape, inner, pixels.ravel()[positions], plateau, lower[shared])
        return Plateaus(runs, lower, shared), {tile.index: sent}

    def solve(self, state: Sent) -> Mapping[tuple[int, ...], NDArray[np.bool_]]:
        """Join plateaus across faces; return which of those that tiles share are maxima."""
        counts = [sent.falling.size for sent in state.values()]
        before = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        values = np.concatenate([sent.values for sent in state.values()])
        plateau = np.concatenate(
            [
                np.where(sent.plateau > 0, sent.plateau + start, sent.plateau)
                for sent, start in zip(state.values(), before)
            ]
        )
        lower = np.concatenate([[False], *(sent.falling for sent in state.values())])
        higher = np.zeros(lower.size, bool)
        joined = [np.zeros((2, 0), np.int64)]
        for ends in touching(_numbered(state), self.ndim, self.connectivity):
            for one, other in (ends, ends[::-1]):
                pair = values[one], values[other], plateau[one], plateau[other]
                self._compare(*pair, higher, lower)
            one, other = ends
            same = (values[one] == values[other]) & (plateau[one] > 0) & (plateau[other] > 0)
            joined.append(np.stack([plateau[one][same], plateau[other][same]]))
        pairs = np.concatenate(joined, axis=1)
        root = union(lower.size - 1, pairs[0], pairs[1])
        np.logical_or.at(higher, root, higher)
        np.logical_or.at(lower, root, lower)
        keep = (lower & ~higher)[root[1:]]
        return dict(zip(state, np.split(keep, before[1:-1])))

    @staticmethod
    def _compare(
        value: Pixels,
        near: Pixels,
        plateau: NDArray[np.int64],
        other: NDArray[np.int64],
        higher: NDArray[np.bool_],
        lower: NDArray[np.bool_],
    ) -> None:
        """Note which plateaus have a higher or a lower neighbour across a face; one that is no peak is below some."""
        both = (plateau > 0) & (other >= 0)
        higher[plateau[both & ((near > value) | ((near == value) & (other == 0)))]] = True
        lower[plateau[both & (near < value)]] = True

    def finish(self, tile: Tile, kept: Plateaus, value: Mapping[tuple[int, ...], NDArray[np.bool_]]) -> Pixels:
        """Paint the plateaus that are maxima."""
        keep = kept.falling.copy()
        keep[kept.shared] = value[tile.index]
        return paint_mask(kept.runs, keep)


def _numbered(state: Sent) -> dict[tuple[int, ...], dict[Face, Indices]]:
    """Return the numbers of the face pixels among those of all tiles."""
    numbered, start = {}, 0
    for index, sent in state.items():
        faces = face_pixels(sent.shape, sent.inner)[1]
        numbered[index] = {face: start + own for face, own in faces.items()}
        start += sent.values.size
    return numbered


def turned_over(image: Pixels) -> Pixels:
    """Return the image in which what was high is low."""
    return -image if image.dtype.kind == "f" else ~image


@dataclass(frozen=True)
class HeightMaxima(Flow):
    """Find the maxima that stand a height above the saddles to anything higher; or, down, the minima."""

    h: float
    name: ClassVar[str] = "h_extrema"

    def dtype(self) -> np.dtype[Any]:
        """Return bool."""
        return np.dtype(bool)

    def pair(self, tile: Tile, images: tuple[Pixels, ...], valid: Valid | None) -> tuple[Keys, Keys]:  # noqa: ARG002
        """Return the keys of the image less the height, and of the image."""
        (image,) = images
        keys = self.keys(image)
        if self.pixel.kind != "f":
            # Keys of integers differ by as much as these do, and the lowest key is the lowest of the dtype.
            height = min(ceil(self.h), int(np.iinfo(keys.dtype).max))
            return np.where(keys < height, 0, keys - keys.dtype.type(height)).astype(keys.dtype), keys
        # scikit-image's allowance for rounding, so that the seed is h below the image however both are rounded.
        allowance = 2 * np.finfo(self.pixel).resolution * np.abs(image)
        with np.errstate(over="ignore"):
            seed = image + self.h + allowance if self.down else image - self.h - allowance
        return self.keys(seed), keys

    def result(self, values: Keys, mask: Keys, solved: Solved) -> Pixels:
        """Return where the image stands at least the height above its reconstruction."""
        if solved.extremes is None or self._higher_than(solved.extremes):
            return np.zeros(values.shape, bool)
        if self.pixel.kind != "f":
            return np.asarray(mask - values >= ceil(self.h))
        above, below = self.numbers(np.ascontiguousarray(mask)), self.numbers(np.ascontiguousarray(values))
        with np.errstate(over="ignore"):
            return np.asarray((below - above if self.down else above - below) >= self.h)

    def _higher_than(self, extremes: tuple[int, int]) -> bool:
        """Whether the height exceeds the range of the whole image."""
        if self.pixel.kind != "f":
            return self.h > extremes[1] - extremes[0]
        low, high = self.numbers(np.array(extremes, f"u{self.pixel.itemsize}"))
        with np.errstate(over="ignore"):
            return bool(self.h > np.abs(high - low))


@composed(takes="image", gives="mask")
def local_maxima(image: Any, *, connectivity: Connectivity | None = None, dims: Dims = "yx") -> Any:
    """Find the regional maxima: plateaus of equal pixels that no neighbour rises above.

    Parameters
    ----------
    image : (..., M, N) array
    connectivity : int, optional
        Which pixels are neighbours: 1 across edges (faces), 2 across corners too, 3 in volumes; by default the most, as
        in scikit-image.
    dims : {"yx", "zyx"}
        Maxima of each plane, or of the volume.

    Returns
    -------
    (..., M, N) boolean array
        Plateaus may touch the border of the image. Invalid pixels are neighbours of none and come out False. A constant
        image, or a constant part of it that invalid pixels cut off, has no maxima.

    Notes
    -----
    Equal to ``skimage.morphology.local_maxima(image, connectivity=connectivity)`` on the whole image. A tile sends the
    values and the plateaus of the pixels on its faces, at most 17 bytes each.

    Examples
    --------
    >>> import numpy as np
    >>> from bigimg import morphology
    >>> morphology.local_maxima(np.array([[1, 5, 5, 2, 2, 3]])).astype(int)
    array([[0, 1, 1, 0, 0, 1]])
    """
    return _regional(image, connectivity, dims, minima=False)


@composed(takes="image", gives="mask")
def local_minima(image: Any, *, connectivity: Connectivity | None = None, dims: Dims = "yx") -> Any:
    """Find the regional minima: plateaus of equal pixels that no neighbour lies below.

    Parameters
    ----------
    image : (..., M, N) array
    connectivity : int, optional
        See :func:`local_maxima`.
    dims : {"yx", "zyx"}
        Minima of each plane, or of the volume.

    Returns
    -------
    (..., M, N) boolean array
        See :func:`local_maxima`.

    Notes
    -----
    Equal to ``skimage.morphology.local_minima(image, connectivity=connectivity)`` on the whole image.

    Examples
    --------
    >>> import numpy as np
    >>> from bigimg import morphology
    >>> morphology.local_minima(np.array([[1, 5, 5, 2, 2, 3]])).astype(int)
    array([[1, 0, 0, 1, 1, 0]])
    """
    return _regional(image, connectivity, dims, minima=True)


def _regional(image: Any, connectivity: int | None, dims: Dims, *, minima: bool) -> Any:
    owner = "morphology.local_minima" if minima else "morphology.local_maxima"
    work = RegionalMaxima(len(dims), steps_of(connectivity, dims, owner), minima)
    return gather(work, image, ndim=len(dims))


@composed(takes="image", gives="mask")
def h_maxima(image: Any, *, h: Positive, connectivity: Connectivity | None = None, dims: Dims = "yx") -> Any:
    """Find the maxima of height ``h``: from them every way to a higher one leads down by at least ``h``.

    Parameters
    ----------
    image : (..., M, N) array
    h : float
        In the units of the image, above 0; a fraction is as good as the next integer for an image of integers.
    connectivity : int, optional
        Which pixels are neighbours: 1 across edges (faces), 2 across corners too, 3 in volumes; by default the most, as
        in scikit-image.
    dims : {"yx", "zyx"}
        Maxima of each plane, or of the volume.

    Returns
    -------
    (..., M, N) boolean array
        The highest of all are among them, unless ``h`` exceeds the range of the plane (or volume): then there are none.
        Invalid pixels do not connect what they lie between, and come out False.

    Notes
    -----
    Equal to ``skimage.morphology.h_maxima(image, h, footprint)`` for the footprint of the connectivity, which gives 0
    and 1 as uint8. Floating point images are compared with its allowance for rounding; in its range of signed integers
    scikit-image 0.26 overflows and then finds nothing, which is not followed. Found by :func:`reconstruction`, with
    what that says of memory.

    References
    ----------
    P. Soille, "Morphological Image Analysis", 2nd edition, chapter 6 (2003).

    Examples
    --------
    >>> import numpy as np
    >>> from bigimg import morphology
    >>> morphology.h_maxima(np.array([[0, 4, 3, 9, 5, 7, 0]]), h=2).astype(int)
    array([[0, 0, 0, 1, 0, 1, 0]])
    """
    return _of_height(image, h, connectivity, dims, minima=False)


@composed(takes="image", gives="mask")
def h_minima(image: Any, *, h: Positive, connectivity: Connectivity | None = None, dims: Dims = "yx") -> Any:
    """Find the minima of depth ``h``: from them every way to a lower one leads up by at least ``h``.

    Parameters
    ----------
    image : (..., M, N) array
    h : float
        See :func:`h_maxima`.
    connectivity : int, optional
        See :func:`h_maxima`.
    dims : {"yx", "zyx"}
        Minima of each plane, or of the volume.

    Returns
    -------
    (..., M, N) boolean array
        See :func:`h_maxima`.

    Notes
    -----
    Equal to ``skimage.morphology.h_minima(image, h, footprint)`` as :func:`h_maxima` is to its own.

    Examples
    --------
    >>> import numpy as np
    >>> from bigimg import morphology
    >>> morphology.h_minima(np.array([[9, 5, 6, 0, 4, 2, 9]]), h=2).astype(int)
    array([[0, 0, 0, 1, 0, 1, 0]])
    """
    return _of_height(image, h, connectivity, dims, minima=True)


def _of_height(image: Any, h: float, connectivity: int | None, dims: Dims, *, minima: bool) -> Any:
    ndim = len(dims)
    pixel = opened(image, ndim).pixels.dtype.newbyteorder("=")
    steps = steps_of(connectivity, dims, "morphology.h_minima" if minima else "morphology.h_maxima")
    return gather(HeightMaxima(ndim, steps, minima, pixel, h), image, ndim=ndim)
