"""Watershed from markers: objects are flooded whole, wherever tiles cut them.

A tile floods the objects of the mask that lie inside it. Of those that reach a face which other tiles follow it sends
the pixels; what touches across faces is one object, which is flooded in one piece, and its labels go back to the tiles.
Floods of different objects never meet, so this is exact; without a mask the whole plane is one object.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import numpy as np
from annotated_types import Ge, Le
from numpy.typing import NDArray

from bigimg.core.operation import Pixels, Valid
from bigimg.core.parameters import Connectivity, Dims, ImageInput
from bigimg.core.reduction import Gather
from bigimg.core.tile import Tile
from bigimg.engine.faces import composed
from bigimg.engine.kinds import gather, opened
from bigimg.errors import ImageError, ParameterError
from bigimg.kernels.components import RunLabels, face, label_runs, paint, paint_mask, union
from bigimg.kernels.padded import Indices, strides
from bigimg.kernels.sort_keys import sort_keys
from bigimg.kernels.tile_faces import Face, inner_faces, touching
from bigimg.kernels.watershed import flood, flood_runs

CANVAS = 2**22
"""Pixels of the canvas on which small objects are flooded together."""


@dataclass(frozen=True, eq=False)
class Flooded:
    """What a tile keeps."""

    labels: NDArray[Any] | None
    """Of the objects inside it; None where there are none."""
    shared: NDArray[np.bool_] | None
    """The pixels of the objects that were sent."""


@dataclass(frozen=True, eq=False)
class Fragments:
    """What a tile sends: the pixels of objects that reach its faces, as runs in raster order."""

    image_shape: tuple[int, ...]
    row: Indices
    """Of each run, in the whole image with its leading axes flattened."""
    start: Indices
    """First column in the whole image."""
    length: Indices
    number: Indices
    """Number of the fragment each run is of, 1 to ``count``."""
    count: int
    keys: NDArray[Any]
    """The pixels of all runs."""
    marked: Indices
    """Which of the pixels have a marker."""
    markers: NDArray[Any]
    faces: Mapping[Face, NDArray[np.int64]]
    """Numbers of fragments on the faces, 0 for none."""


Sent = dict[tuple[int, ...], Fragments]


@dataclass(frozen=True)
class Watershed(Gather[Flooded, Sent, Mapping[tuple[int, ...], NDArray[Any]]]):
    """Flood the objects of a mask from the markers inside them."""

    ndim: int
    connectivity: int
    label: np.dtype[Any]
    """Of the markers."""
    max_object_pixels: int
    name: ClassVar[str] = "watershed"

    @property
    def keeps(self) -> int:
        """Bytes of the labels, and of which pixels were sent."""
        return self.label.itemsize + 1

    def dtype(self) -> np.dtype[Any]:
        """Return the dtype of the markers."""
        return self.label

    def split(self, tile: Tile, *images: Pixels, valid: Valid | None = None) -> tuple[Flooded, Sent]:
        """Flood what lies inside the tile."""
        image, markers, *masks = images
        mask = np.ones(tile.shape, bool) if not masks else masks[0].astype(bool)
        runs = label_runs(np.ascontiguousarray(mask if valid is None else mask & valid), self.connectivity)
        keys = image.view(np.uint8) if image.dtype.kind == "b" else sort_keys(image)
        faces = {each: face(runs, *each).astype(np.int64) for each in inner_faces(tile)}
        numbers = np.zeros(runs.count + 1, np.int64)
        shared = np.unique(np.concatenate([[0], *(line.ravel() for line in faces.values())])).astype(np.int64)[1:]
        numbers[shared] = np.arange(1, shared.size + 1)
        labels, cut = None, None
        if shared.size < runs.count:
            inside = np.zeros(runs.count + 1, np.int32)
            inside[1:][numbers[1:] == 0] = np.arange(1, runs.count - shared.size + 1)
            self._check_inside(tile, runs, inside)
            labels = flood(keys, markers, paint(runs, inside), runs.count - shared.size, self.connectivity)
        if shared.size:
            cut = paint_mask(runs, numbers > 0)
        return Flooded(labels, cut), {tile.index: _fragments(tile, runs, numbers, faces, keys, markers, cut)}

    def solve(self, state: Sent) -> Mapping[tuple[int, ...], NDArray[Any]]:
        """Join what touches across faces, flood each object whole, and return the labels of the pixels sent."""
        counts = [sent.count for sent in state.values()]
        before = dict(zip(state, np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)))
        sizes = [sent.keys.size for sent in state.values()]
        keys = np.concatenate([sent.keys for sent in state.values()])
        labels = np.zeros(keys.size, self.label)
        for sent, start in zip(state.values(), np.concatenate([[0], np.cumsum(sizes)])):
            labels[start + sent.marked] = sent.markers
        root = self._roots(state, before, sum(counts))
        self._flood(next(iter(state.values())).image_shape, self._runs(state, before, root), keys, labels)
        return dict(zip(state, np.split(labels, np.cumsum(sizes)[:-1])))

    def _roots(self, state: Sent, before: Mapping[tuple[int, ...], np.int64], total: int) -> Indices:
        numbered = {
            index: {each: np.where(line > 0, line + before[index], 0) for each, line in sent.faces.items()}
            for index, sent in state.items()
        }
        joined = [np.zeros((2, 0), np.int64)]
        for one, other in touching(numbered, self.ndim, self.connectivity):
            both = (one > 0) & (other > 0)
            joined.append(np.unique(np.stack([one[both], other[both]]), axis=1))
        pairs = np.concatenate(joined, axis=1)
        return union(total, pairs[0], pairs[1])

    @staticmethod
    def _runs(state: Sent, before: Mapping[tuple[int, ...], np.int64], root: Indices) -> Indices:
        """Return object, row, first column, length and first pixel of all runs, sorted by the first three."""
        owner = np.concatenate([root[before[index] + sent.number] for index, sent in state.items()])
        row, start, length = (
            np.concatenate([getattr(sent, name) for sent in state.values()]) for name in ("row", "start", "length")
        )
        source = np.cumsum(length) - length
        return np.stack([owner, row, start, length, source])[:, np.lexsort((start, row, owner))]

    def _flood(self, shape: tuple[int, ...], runs: Indices, keys: NDArray[Any], labels: NDArray[Any]) -> None:
        """Flood objects on canvases, many small ones one below the other."""
        owner, row, start, length, source = runs
        first = np.flatnonzero(np.diff(owner, prepend=-1))
        if not first.size:
            return
        lead = np.array(np.unravel_index(row, shape[:-1]), np.int64)
        low = np.array([np.minimum.reduceat(each, first) for each in (*lead, start)])
        high = np.array([np.maximum.reduceat(each, first) for each in (*lead + 1, start + length)])
        self._check(low, high)
        bounds = np.append(first, row.size)
        for chosen, canvas, offset in _canvases(low, high):
            places = np.concatenate([np.arange(bounds[each], bounds[each + 1]) for each in chosen])
            counts = bounds[chosen + 1] - bounds[chosen]
            steps = strides(canvas)
            corner = low[:, chosen].copy()
            corner[0] -= offset
            at = np.stack([*lead[:, places], start[places]]) - np.repeat(corner, counts, axis=1) + 1
            objects = np.concatenate([[0], np.cumsum(counts)])
            flood_runs(keys, labels, source[places], steps @ at, length[places], objects, canvas, self.connectivity)

    def _check_inside(self, tile: Tile, runs: RunLabels, inside: NDArray[np.int32]) -> None:
        """Refuse in a tile what would be refused if it were cut."""
        if np.prod(tile.shape) <= self.max_object_pixels:
            return
        owner = inside[runs.label]
        row = np.repeat(np.arange(runs.row_start.size - 1), np.diff(runs.row_start))
        lead = np.array(np.unravel_index(row, tile.shape[:-1]), np.int64)
        for number in range(1, int(owner.max()) + 1):
            own = owner == number
            low = [*lead[:, own].min(axis=1), runs.start[own].min()]
            high = [*lead[:, own].max(axis=1) + 1, runs.stop[own].max()]
            origin = np.array(tile.origin)
            self._check((origin + low)[:, None], (origin + high)[:, None])

    def _check(self, low: Indices, high: Indices) -> None:
        pixels = np.prod(high - low, axis=0, dtype=np.float64)
        largest = int(np.argmax(pixels))
        if pixels[largest] > self.max_object_pixels:
            box = ", ".join(f"{a}:{b}" for a, b in zip(low[:, largest], high[:, largest]))
            raise _too_large(
                f"an object of the mask fills the box [{box}]", int(pixels[largest]), self.max_object_pixels
            )

    def finish(self, tile: Tile, kept: Flooded, value: Mapping[tuple[int, ...], NDArray[Any]]) -> Pixels:
        """Paste the labels of what was sent."""
        labels = np.zeros(tile.shape, self.label) if kept.labels is None else kept.labels
        if kept.shared is not None:
            labels = labels.copy()
            labels[kept.shared] = value[tile.index]
        return labels


def _fragments(
    tile: Tile,
    runs: RunLabels,
    numbers: Indices,
    faces: Mapping[Face, NDArray[np.int64]],
    keys: NDArray[Any],
    markers: NDArray[Any],
    cut: NDArray[np.bool_] | None,
) -> Fragments:
    wanted = np.flatnonzero(numbers[runs.label])
    line = np.repeat(np.arange(runs.row_start.size - 1), np.diff(runs.row_start))[wanted]
    lead = np.unravel_index(line, tile.shape[:-1])
    row = np.ravel_multi_index(tuple(at + start for at, start in zip(lead, tile.origin)), tile.image_shape[:-1]).astype(
        np.int64
    )
    own_keys = keys[:0].ravel() if cut is None else keys[cut]
    own_markers = markers[:0].ravel() if cut is None else markers[cut]
    marked = np.flatnonzero(own_markers)
    return Fragments(
        tile.image_shape,
        row,
        runs.start[wanted].astype(np.int64) + tile.origin[-1],
        (runs.stop - runs.start)[wanted].astype(np.int64),
        numbers[runs.label[wanted]],
        int(np.count_nonzero(numbers)),
        own_keys,
        marked,
        own_markers[marked],
        {each: numbers[lines] for each, lines in faces.items()},
    )


def _canvases(low: Indices, high: Indices) -> Iterator[tuple[Indices, tuple[int, ...], Indices]]:
    """Yield objects that are flooded together, the shape of their canvas, and where each starts along its first axis.

    Examples
    --------
    >>> low, high = np.zeros((2, 2), int), np.array([[3, 2], [4, 4]])
    >>> [(objects.tolist(), shape, start.tolist()) for objects, shape, start in _canvases(low, high)]
    [([0, 1], (7, 4), [0, 4])]
    """
    sides = high - low
    chosen: list[int] = []
    shape = np.zeros(len(sides), np.int64)
    for each in np.lexsort(tuple(sides[1:])):
        grown = np.array([shape[0] + sides[0, each] + 1, *np.maximum(shape[1:], sides[1:, each])])
        if chosen and grown.prod() > CANVAS:
            yield _canvas(chosen, shape, sides)
            chosen, grown = [], sides[:, each] + [1, *[0] * (len(sides) - 1)]
        chosen.append(int(each))
        shape = grown
    yield _canvas(chosen, shape, sides)


def _canvas(chosen: list[int], shape: Indices, sides: Indices) -> tuple[Indices, tuple[int, ...], Indices]:
    heights = sides[0, chosen] + 1  # a row between two objects keeps them apart
    return np.array(chosen), tuple(map(int, shape)), np.cumsum(heights) - heights


def _too_large(what: str, pixels: int, limit: int) -> ImageError:
    return ImageError(
        f"segmentation.watershed: {what}, {pixels} pixels, which one task would have to flood (max_object_pixels is "
        f"{limit}); give a mask whose objects are smaller, or raise max_object_pixels if a worker has some 50 bytes of "
        "memory for each"
    )


@composed(takes="image", gives="labels")
def watershed(
    image: Any,
    *,
    markers: ImageInput,
    mask: ImageInput | None = None,
    connectivity: Connectivity = 1,
    max_object_pixels: Annotated[int, Ge(1), Le(2**31)] = 2**27,
    dims: Dims = "yx",
) -> Any:
    """Flood ``image`` from ``markers``: each pixel gets the label of the marker whose basin it lies in.

    Parameters
    ----------
    image : (..., M, N) array
        Low pixels are flooded first, as in a gradient, or in the negative of a distance.
    markers : integer image of the same shape
        The labels that the basins grow from; 0 is no marker. Markers outside the mask are left out.
    mask : image of the same shape, optional
        The pixels to label; all by default.
    connectivity : int
        Which pixels are neighbours: 1 across edges (faces), 2 across corners too, 3 in volumes.
    max_object_pixels : int
        The largest box that an object of the mask may fill, in pixels. One task floods it with some 50 bytes a pixel;
        without a mask the whole plane (or volume) is one object.
    dims : {"yx", "zyx"}
        Basins of each plane, or of the volume.

    Returns
    -------
    (..., M, N) array
        Labels, of the dtype of the markers: 0 outside the mask, in objects without a marker, and where a pixel of
        one of the images is not valid.

    Raises
    ------
    ImageError
        If the markers are no integers, an image has another shape, or an object is larger than ``max_object_pixels``;
        the last for a lazy image when it is computed, unless there is no mask.

    Notes
    -----
    Equal to ``skimage.segmentation.watershed(image, markers, connectivity, mask=mask)`` label for label on each object
    of the mask by itself, and so on the whole image without a mask. Only where marker pixels of one value tie can a
    call with several objects differ: scikit-image 0.26 breaks such ties by the layout of the heap that all objects
    share, so that one object can change the labels of another that it does not touch (in photographs, flooded from all
    maxima of the distance, about one pixel in a thousand). Integers of 64 bits are compared
    exactly, not as float64.

    Only the pixels of objects that tiles cut are sent, with some 40 bytes a run and the bytes of image and markers a
    pixel; what lies inside a tile is flooded there.

    References
    ----------
    P. J. Soille and M. M. Ansoult, "Automated basin delineation from digital elevation models using mathematical
    morphology", Signal Processing 20 (1990).

    Examples
    --------
    >>> import numpy as np
    >>> from bigimg import segmentation
    >>> markers = np.array([[1, 0, 0, 0, 0, 2]])
    >>> segmentation.watershed(np.array([[0, 3, 5, 4, 1, 0]]), markers=markers)
    array([[1, 1, 1, 2, 2, 2]])
    """
    ndim = len(dims)
    if connectivity > ndim:
        raise ParameterError(
            f"segmentation.watershed: connectivity must be at most {ndim} for dims={dims!r} (got {connectivity})"
        )
    others = [markers] if mask is None else [markers, mask]
    pixels, *further = (opened(each, ndim).pixels for each in (image, *others))
    for name, each in zip(("the markers need", "the mask needs"), further):
        if each.shape != pixels.shape:
            raise ImageError(
                f"segmentation.watershed: {name} the shape of the image (got {each.shape} for {pixels.shape})"
            )
    if further[0].dtype.kind not in "iu":
        raise ImageError(
            f"segmentation.watershed: markers are integers, 0 where there is none (got {further[0].dtype}); "
            "number them with bigimg.measure.label"
        )
    size = int(np.prod(pixels.shape[pixels.ndim - ndim :], dtype=object))
    if mask is None and size > max_object_pixels:
        raise _too_large(f"without a mask, the whole of {pixels.shape[pixels.ndim - ndim :]}", size, max_object_pixels)
    work = Watershed(ndim, connectivity, further[0].dtype.newbyteorder("="), max_object_pixels)
    return gather(work, image, *others, ndim=ndim)
