"""Objects of a mask: connected pixels, found tile by tile and joined across the faces of tiles.

A tile keeps its pixels as labelled runs. Objects inside it are judged there; of those on its faces, and of how many
others begin in each of its lines, the blocks of a tree make the numbers (:mod:`bigimg.kernels.object_tree`). Filters
judge whole objects, and labels are ranks of first pixels, so that neither can tell how the image was cut. The holes of
a mask are the objects of its background.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

import dask.array as da
import numpy as np
from numpy.typing import NDArray

from bigimg.core.operation import Pixels, Valid
from bigimg.core.reduction import Gather
from bigimg.core.tile import Tile
from bigimg.engine.gather import finish_again, gather_arrays, gather_whole, gathered
from bigimg.engine.kinds import opened
from bigimg.errors import ImageError, ParameterError
from bigimg.kernels.components import Components, RunLabels, holds_any, label_runs, paint, paint_mask
from bigimg.kernels.neighbours import Steps, steps_of
from bigimg.kernels.object_blocks import Block, Box, Judge, Judged, Numbers, chosen, numbered, of_tile, ranked
from bigimg.kernels.object_tree import Joined, join, share
from bigimg.ops.object_filters import Filter, Largest


@dataclass(frozen=True, eq=False)
class LabelledTile:
    """What a tile keeps, and sends to its first block."""

    box: Box
    runs: RunLabels
    open_ended: NDArray[np.bool_] | None
    """Which labels go on where pixels are not valid, where that is as at the border."""
    seeded: NDArray[np.bool_] | None
    """Which labels hold a seed."""
    invalid: NDArray[np.uint8] | None
    """Bits of the pixels that are neither mask nor hole, where there are any to tell from the mask."""


@dataclass(frozen=True)
class Objects(Gather[LabelledTile, LabelledTile | Block, Numbers]):
    """Find the objects of a mask, keep those wanted, and give their mask or their labels."""

    ndim: int
    steps: Steps
    """Between pixels that are neighbours."""
    output: Literal["mask", "labels"]
    wide: bool
    """Whether labels need 64 bits."""
    filters: tuple[Filter, ...] = ()
    """What objects must pass, one after the other."""
    holes: bool = False
    """Whether the objects are those of the background; the mask is then what they leave."""
    open_ends: bool = False
    """Whether objects, or holes, go on where pixels are not valid, and beyond: as at the border of the image."""
    name: ClassVar[str] = "objects"
    keeps: ClassVar[int] = 6  # the runs of a checkerboard, the worst there is
    quick: ClassVar[bool] = True

    def split_key(self) -> object:
        """Tiles are labelled the same whatever is kept of them later."""
        return self.ndim, self.steps, self.holes, self.open_ends

    def dtype(self) -> np.dtype[Any]:
        """Return bool for a mask, and for labels the unsigned dtype that can number every object there could be."""
        if self.output == "mask":
            return np.dtype(bool)
        return np.dtype(np.uint64 if self.wide else np.uint32)

    def split(
        self, tile: Tile, *images: Pixels, valid: Valid | None = None
    ) -> tuple[LabelledTile, LabelledTile | Block]:
        """Label the tile by itself."""
        (pixels,) = images
        runs = label_runs(self.members(pixels, valid), self.steps)
        open_ended = holds_any(runs, ~valid) if self.open_ends and valid is not None else None
        seeds = self.seeds(pixels)
        seeded = None if seeds is None else holds_any(runs, seeds)
        invalid = None if valid is None or self.open_ends or not self.holes else np.packbits(~valid)
        box = Box(tile.origin, tile.shape, tile.image_shape)
        labelled = LabelledTile(box, runs, open_ended, seeded, invalid)
        return labelled, labelled

    def members(self, pixels: Pixels, valid: Valid | None) -> NDArray[np.bool_]:
        """Return the pixels that objects are made of."""
        members = ~pixels if self.holes else pixels
        if valid is None:
            return members
        return members | ~valid if self.open_ends else members & valid

    def seeds(self, pixels: Pixels) -> NDArray[np.bool_] | None:  # noqa: ARG002 - a mask has none
        """Return the pixels one of which an object must hold to be seeded."""
        return None

    def join(self, parts: Sequence[LabelledTile | Block]) -> tuple[Joined, Block]:
        """Join the objects of tiles or of blocks."""
        blocks = [part if isinstance(part, Block) else self._judged(part)[1] for part in parts]
        return join(blocks, self.steps, self.alone, self._shortlist)

    def alone(self, found: Components) -> NDArray[np.bool_]:
        """Return which objects pass the filters before the first that compares them with each other."""
        keep = np.ones(found.sizes.size, bool)
        for wanted in self.filters[: self._comparing()]:
            keep = wanted(found, keep)
        return keep

    def _comparing(self) -> int:
        """Return how many filters judge each object alone before one compares them with each other."""
        return next((at for at, each in enumerate(self.filters) if isinstance(each, Largest)), len(self.filters))

    def shortlisted(self, found: Components) -> NDArray[np.bool_]:
        """Return which of the objects that pass these can pass the next filter."""
        return self.filters[self._comparing()](found, np.ones(found.sizes.size, bool))

    @property
    def _shortlist(self) -> Judge | None:
        return self.shortlisted if self._comparing() < len(self.filters) else None

    def _judged(self, tile: LabelledTile) -> tuple[Judged, Block]:
        return of_tile(
            tile.box,
            tile.runs,
            self.alone,
            at_border=tile.open_ended,
            seeded=tile.seeded,
            shortlist=self._shortlist,
        )

    def solve(self, state: LabelledTile | Block) -> Numbers:
        """Return the numbers of the objects that stay."""
        assert isinstance(state, Block)
        if state.closed is None:
            return ranked(state)
        keep = np.ones(state.closed.sizes.size, bool)
        for wanted in self.filters[self._comparing() :]:
            keep = wanted(state.closed, keep)
        return chosen(state, keep)

    def share(self, joined: Joined, value: Numbers) -> Sequence[Numbers]:
        """Return the numbers that each part of a block needs."""
        return share(joined, value)

    def finish(self, tile: Tile, kept: LabelledTile, value: Numbers) -> Pixels:  # noqa: ARG002 - it was kept
        """Paint the runs of the tile."""
        numbers, _ = numbered(self._judged(kept)[0], value)
        if self.output == "labels":
            return paint(kept.runs, np.append(0, numbers).astype(self.dtype()))
        if not self.holes:
            return paint_mask(kept.runs, np.append(False, numbers > 0))
        mask = paint_mask(kept.runs, np.append(True, numbers == 0))
        if kept.invalid is not None:
            mask &= ~np.unpackbits(kept.invalid, count=mask.size).view(bool).reshape(mask.shape)
        return mask

    def goes_on(self, before: Objects) -> bool:
        """Return whether this work is ``before`` and further filters, or another output, of the same objects."""
        return (
            type(self) is type(before)
            and before.output == "mask"
            and self.split_key() == before.split_key()
            and self.filters[: len(before.filters)] == before.filters
        )


def select_objects(mask: Any, connectivity: int | None, dims: str, *wanted: Filter, open_ends: bool = False) -> Any:
    """Return the mask of the objects that pass; ``open_ends`` for what looks at the border."""
    # Without a mask nothing is open, and the tiles that an earlier filter has labelled serve this one.
    open_ends = open_ends and opened(mask, len(dims), tuple(dims)).valid is not None
    work = objects_of(mask, connectivity, dims, "mask", open_ends=open_ends)
    return finished(mask, replace(work, filters=work.filters + wanted), dims)


def select_holes(mask: Any, connectivity: int, dims: str, *wanted: Filter, open_ends: bool) -> Any:
    """Return the mask with all of its background filled but the holes that pass."""
    work = objects_of(mask, connectivity, dims, "mask", holes=True, open_ends=open_ends)
    return finished(mask, replace(work, filters=work.filters + wanted), dims)


def objects_of(
    mask: Any,
    connectivity: int | Steps | None,
    dims: str,
    output: Literal["mask", "labels"],
    *,
    holes: bool = False,
    open_ends: bool = False,
) -> Objects:
    """Return the work on the objects of ``mask``, with the filters that have made it of the same objects."""
    ndim = len(dims)
    given = opened(mask, ndim, tuple(dims))
    if given.pixels.dtype != bool:
        raise ImageError(
            f"objects are found in boolean masks (got {given.pixels.dtype}); compare first, as in image > 0"
        )
    if isinstance(connectivity, int) and connectivity > ndim:
        raise ParameterError(f"connectivity must be at most {ndim} for dims={dims!r} (got {connectivity})")
    steps = steps_of(ndim, ndim if connectivity is None else connectivity)
    before = _before(given.pixels)
    if (
        before is not None
        and before.output == "mask"
        and (before.ndim, before.steps) == (ndim, steps)
        and (before.holes, before.open_ends) == (holes, open_ends)
    ):
        return replace(before, output=output)
    return Objects(ndim, steps, output, needs_64_bits(given.pixels.shape, ndim, steps), (), holes, open_ends)


def needs_64_bits(shape: tuple[int, ...], ndim: int, steps: Steps) -> bool:
    """Return whether there can be more objects than 32 bits number.

    At most every second pixel is one where those across edges are neighbours, otherwise perhaps every one.
    """
    pixels = int(np.prod(shape[len(shape) - ndim :], dtype=object))
    return (-(-pixels // 2) if set(steps_of(ndim, 1)) <= set(steps) else pixels) >= 2**32


def finished(mask: Any, work: Objects, dims: str) -> Any:
    """Return ``work`` on ``mask``, from the tiles that an earlier filter has labelled where there was one."""
    given = opened(mask, work.ndim, tuple(dims))
    before = _before(given.pixels)
    if before is not None and work.goes_on(before):
        return given.close(finish_again(given.pixels, work))
    run = gather_arrays if given.lazy else gather_whole
    return given.close(run(work, [given.pixels], work.ndim, [given.valid]))


def _before(pixels: Any) -> Objects | None:
    before = gathered(pixels) if isinstance(pixels, da.Array) else None
    return before if isinstance(before, Objects) else None
