"""Grey reconstruction: what flows from a seed under a mask, over the whole image however it is cut.

Each tile is reconstructed by itself. It sends the values on the faces that it shares, and a tree that says how well
these pixels are connected inside (:mod:`bigimg.kernels.merge_tree`). That is enough to solve the values on all faces at
once; each tile is then finished from its own. Two tasks a tile, however far a value flows.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from bigimg.core.operation import Pixels, Valid
from bigimg.core.parameters import Connectivity, Dims, ImageInput
from bigimg.core.reduction import Gather
from bigimg.core.tile import Tile
from bigimg.engine.faces import composed
from bigimg.engine.kinds import gather, opened
from bigimg.errors import ImageError, ParameterError
from bigimg.kernels.merge_tree import Edges, border_tree, spread
from bigimg.kernels.padded import Indices, offsets, padded, places, unpadded
from bigimg.kernels.reconstruction import Keys, raise_from, reconstruct
from bigimg.kernels.sort_keys import numbers, sort_keys
from bigimg.kernels.tile_faces import Face, face_pixels, inner_faces, touching


@dataclass(frozen=True, eq=False)
class Local:
    """What a tile keeps: itself reconstructed, as keys with a border."""

    values: Keys
    mask: Keys
    faces: Indices
    """Places of the face pixels."""
    valid: Valid | None


@dataclass(frozen=True, eq=False)
class TileBorder:
    """What a tile sends: at most a few numbers a face pixel."""

    shape: tuple[int, ...]
    inner: tuple[Face, ...]
    """The faces that other tiles follow."""
    values: Keys
    mask: Keys
    """Of each face pixel."""
    tree: Edges
    extremes: tuple[int, int] | None
    """The lowest and the highest key of the mask, of the pixels that count."""


Sent = dict[tuple[int, ...], TileBorder]


@dataclass(frozen=True, eq=False)
class Solved:
    """What every tile needs to know."""

    faces: Mapping[tuple[int, ...], Keys]
    """The values of the face pixels of each tile."""
    extremes: tuple[int, int] | None


@dataclass(frozen=True)
class Flow(Gather[Local, Sent, Solved]):
    """Let a seed flow under a mask; both and the result are for those who derive from it to say."""

    ndim: int
    connectivity: int
    down: bool
    """Whether low values flow, over a mask, as in erosion."""
    pixel: np.dtype[Any]
    """Of seed and mask."""
    name: ClassVar[str] = "reconstruction"

    @property
    def keeps(self) -> int:
        """Bytes of the values and the mask, and of which pixels count."""
        return 2 * self.pixel.itemsize + 1

    @abstractmethod
    def pair(self, tile: Tile, images: tuple[Pixels, ...], valid: Valid | None) -> tuple[Keys, Keys]:
        """Return the keys of seed and mask."""

    @abstractmethod
    def result(self, values: Keys, mask: Keys, solved: Solved) -> Pixels:
        """Return the pixels of a reconstructed tile."""

    def split_key(self) -> object:
        """Tiles flow the same whatever is made of them later."""
        return self

    def keys(self, pixels: Pixels) -> Keys:
        """Return ``pixels`` as unsigned integers, of which the higher flow."""
        pixels = pixels.astype(self.pixel, copy=False)
        if self.pixel.kind == "b":
            return (~pixels if self.down else pixels).view(np.uint8)
        return ~sort_keys(pixels) if self.down else sort_keys(pixels)

    def numbers(self, keys: Keys) -> Pixels:
        """Return the pixels behind ``keys``."""
        if self.pixel.kind == "b":
            return np.asarray(keys == (0 if self.down else 1))
        return numbers(~keys if self.down else keys, self.pixel)

    def split(self, tile: Tile, *images: Pixels, valid: Valid | None = None) -> tuple[Local, Sent]:
        """Reconstruct the tile by itself."""
        seed, mask = self.pair(tile, images, valid)
        counted = mask if valid is None else mask[valid]
        extremes = (int(counted.min()), int(counted.max())) if counted.size else None
        if valid is not None:  # nothing flows through the lowest of all masks
            seed, mask = np.where(valid, seed, 0).astype(seed.dtype), np.where(valid, mask, 0).astype(mask.dtype)
        values, limit = padded(seed), padded(mask)
        reconstruct(values, limit, tile.shape, self.connectivity)
        inner = inner_faces(tile)
        positions, _ = face_pixels(tile.shape, inner)
        faces = places(positions, tile.shape)
        tree = border_tree(values, limit, offsets(tile.shape, self.connectivity), faces)
        sent = TileBorder(tile.shape, inner, values[faces], limit[faces], tree, extremes)
        return Local(values, limit, faces, valid), {tile.index: sent}

    def solve(self, state: Sent) -> Solved:
        """Let values flow between the face pixels of all tiles."""
        counts = [border.values.size for border in state.values()]
        begin = dict(zip(state, np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)))
        values = np.concatenate([border.values for border in state.values()])
        mask = np.concatenate([border.mask for border in state.values()])
        known = [border.extremes for border in state.values() if border.extremes is not None]
        extremes = (min(low for low, _ in known), max(high for _, high in known)) if known else None
        edges = _all_edges(state, begin, values, mask, self.connectivity)
        raised = spread(values, edges)
        parts = np.split(raised, np.cumsum(counts)[:-1])
        return Solved(dict(zip(state, parts)), extremes)

    def part(self, value: Solved, tiles: Sequence[tuple[int, ...]]) -> Solved:
        """Return the values of some tiles, and the extremes, which all need."""
        return Solved({index: value.faces[index] for index in tiles}, value.extremes)

    def finish(self, tile: Tile, kept: Local, value: Solved) -> Pixels:
        """Let what came over the faces flow on inside."""
        solved = value.faces[tile.index]
        values = kept.values
        raised = solved > values[kept.faces]
        if raised.any():
            values = values.copy()
            values[kept.faces] = solved
            raise_from(values, kept.mask, tile.shape, self.connectivity, kept.faces[raised])
        pixels = self.result(unpadded(values, tile.shape), unpadded(kept.mask, tile.shape), value)
        return pixels if kept.valid is None else np.where(kept.valid, pixels, np.zeros((), pixels.dtype))


def _all_edges(
    state: Sent, begin: Mapping[tuple[int, ...], np.int64], values: Keys, mask: Keys, connectivity: int
) -> Edges:
    """Return the edges inside tiles and across their faces, between face pixels of all tiles."""
    numbered: dict[tuple[int, ...], dict[Face, NDArray[np.int64]]] = {
        index: {face: begin[index] + own for face, own in face_pixels(border.shape, border.inner)[1].items()}
        for index, border in state.items()
    }
    first = [begin[index] + border.tree.first for index, border in state.items()]
    second = [begin[index] + border.tree.second for index, border in state.items()]
    level = [border.tree.level for border in state.values()]
    for before, after in touching(numbered, len(next(iter(state))), connectivity):
        limit = np.minimum(mask[before], mask[after])
        useful = (values[before] < limit) | (values[after] < limit)
        first.append(before[useful])
        second.append(after[useful])
        level.append(limit[useful])
    return Edges(np.concatenate(first), np.concatenate(second), np.concatenate(level))


@dataclass(frozen=True)
class Reconstruction(Flow):
    """Grey reconstruction of a seed image under a mask image."""

    def dtype(self) -> np.dtype[Any]:
        """Return the dtype of seed and mask."""
        return self.pixel

    def pair(self, tile: Tile, images: tuple[Pixels, ...], valid: Valid | None) -> tuple[Keys, Keys]:
        """Return the keys of both images; refuse a seed beyond its mask."""
        seed, mask = (self.keys(image) for image in images)
        beyond = seed > mask if valid is None else (seed > mask) & valid
        if beyond.any():
            place = np.unravel_index(int(np.argmax(beyond)), beyond.shape)
            where = tuple(int(at + start) for at, start in zip(place, tile.origin))
            method, side, bound = ("erosion", "below", "maximum") if self.down else ("dilation", "above", "minimum")
            raise ImageError(
                f"morphology.reconstruction by {method}: the seed is {side} the mask in {int(beyond.sum())} pixels of "
                f"a tile, the first at {where} (seed {images[0][place]}, mask {images[1][place]}); "
                f"give numpy.{bound}(seed, mask) as the seed"
            )
        return seed, mask

    def result(self, values: Keys, mask: Keys, solved: Solved) -> Pixels:  # noqa: ARG002 - the values are the result
        """Return the values that have flown."""
        return self.numbers(np.ascontiguousarray(values))


@composed(takes="image", gives="image")
def reconstruction(
    image: Any,
    *,
    mask: ImageInput,
    method: Literal["dilation", "erosion"] = "dilation",
    connectivity: Connectivity | None = None,
    dims: Dims = "yx",
) -> Any:
    """Reconstruct the seed ``image`` under ``mask``: high values spread as far as the mask lets them.

    Parameters
    ----------
    image : (..., M, N) array
        The seed: the values that spread. Nowhere above the mask (below it for erosion).
    mask : image of the same shape
        The highest (lowest) value that a pixel may take.
    method : {"dilation", "erosion"}
        Whether high values spread under the mask, or low ones over it.
    connectivity : int, optional
        Which pixels are neighbours: 1 across edges (faces), 2 across corners too, 3 in volumes; by default the most, as
        in scikit-image.
    dims : {"yx", "zyx"}
        Values spread within each plane, or within the volume.

    Returns
    -------
    (..., M, N) array
        Of the dtype of both images, or the one that both convert to without loss. Nothing spreads through pixels
        that are not valid in one of the images; these come out as 0, and not valid.

    Raises
    ------
    ImageError
        If the seed lies above (below) the mask in a pixel that counts, which is named; for a lazy image when it is
        computed. Or if the images have different shapes, or no common dtype.

    Notes
    -----
    Equal to ``skimage.morphology.reconstruction(image, mask, method, footprint)`` for the footprint of the
    connectivity, on the whole image, whatever the tiles; scikit-image returns integers as float64.

    A tile keeps seed and mask until all are solved: twice the bytes of the image a pixel. For each pixel on
    its faces it sends at most 19 (uint8) to 40 (float64) bytes, and the one task that solves holds those of all tiles.

    References
    ----------
    L. Vincent, "Morphological grayscale reconstruction in image analysis", IEEE Trans. Image Process. 2 (1993).

    Examples
    --------
    The domes of an image: what stands 2 or more above its surroundings is cut down to 2 below its top.

    >>> import numpy as np
    >>> from bigimg import morphology
    >>> image = np.array([[1, 4, 2, 9, 9, 3]])
    >>> image - morphology.reconstruction(image - 2, mask=image)
    array([[0, 2, 0, 2, 2, 0]])

    Holes are filled by erosion from the border of the image.

    >>> seed = np.full((4, 5), 9)
    >>> basin = np.array([[1, 7, 7, 7, 1], [1, 7, 0, 7, 1], [1, 7, 2, 5, 1], [1, 7, 7, 7, 1]])
    >>> seed[[0, -1]], seed[:, [0, -1]] = basin[[0, -1]], basin[:, [0, -1]]
    >>> morphology.reconstruction(seed, mask=basin, method="erosion", connectivity=1)
    array([[1, 7, 7, 7, 1],
           [1, 7, 5, 7, 1],
           [1, 7, 5, 5, 1],
           [1, 7, 7, 7, 1]])
    """
    ndim = len(dims)
    seeds, masks = opened(image, ndim).pixels, opened(mask, ndim).pixels
    if seeds.shape != masks.shape:
        raise ImageError(
            f"morphology.reconstruction: seed and mask need one shape (got {seeds.shape} and {masks.shape})"
        )
    work = Reconstruction(
        ndim,
        steps_of(connectivity, dims, "morphology.reconstruction"),
        method == "erosion",
        _common(seeds.dtype, masks.dtype),
    )
    return gather(work, image, mask, ndim=ndim)


def steps_of(connectivity: int | None, dims: Dims, owner: str) -> int:
    """Return the connectivity along ``dims``, by default the most."""
    if connectivity is not None and connectivity > len(dims):
        raise ParameterError(
            f"{owner}: connectivity must be at most {len(dims)} for dims={dims!r} (got {connectivity})"
        )
    return connectivity or len(dims)


def _common(seed: np.dtype[Any], mask: np.dtype[Any]) -> np.dtype[Any]:
    """Return the dtype that holds every value of both."""
    seed, mask = seed.newbyteorder("="), mask.newbyteorder("=")
    common = np.result_type(seed, mask)
    if common.kind == "f" and any(each.kind in "iu" and each.itemsize >= common.itemsize for each in (seed, mask)):
        raise ImageError(
            f"morphology.reconstruction: seed and mask are {seed} and {mask}, which no dtype holds without loss; "
            "convert one to the dtype of the other"
        )
    return common
