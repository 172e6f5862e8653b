"""The hills of an image and the ground of each: what stands out from its surroundings by a fraction of its height.

A hill counts if every way from its top to a higher one leads down below that fraction. It is the same fraction for low
hills and high ones, so that nothing need be known of how high, or how wide, they are.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from bigimg.core.operation import Pixels, Valid
from bigimg.core.parameters import Dims
from bigimg.core.tile import Tile
from bigimg.engine.kinds import gather, opened
from bigimg.kernels.reconstruction import Keys
from bigimg.ops.measure.labels import label
from bigimg.ops.morphology.extrema import Plateaus, RegionalMaxima, Sent
from bigimg.ops.morphology.geodesic import Flow, Solved
from bigimg.ops.segmentation.flooding import Flooded, Watershed
from bigimg.ops.segmentation.flooding import Sent as SentObjects

LARGEST = 2**27
"""Pixels of the largest box that hills joined by pixels above 0 may fill: the default of ``watershed``."""


def grounds(height: Any, valley: float, connectivity: int, dims: Dims) -> Any:
    """Return the labels of the hills: every pixel above 0 lies on the ground of one.

    Parameters
    ----------
    height : (..., M, N) array of float64
        0 where there are no hills, and nowhere below.
    valley : float
        How low the way to a higher hill must lead for a hill to count, as a fraction of its height; above 0, below 1.
    connectivity : int
        Which pixels are neighbours.
    dims : {"yx", "zyx"}
        The axes that hills spread along.
    """
    ndim = len(dims)
    flat = gather(
        Flattened(ndim, connectivity, down=False, pixel=np.dtype(np.float64), valley=valley), height, ndim=ndim
    )
    markers = label(
        gather(Tops(ndim, connectivity, minima=False), flat, ndim=ndim), connectivity=connectivity, dims=dims
    )
    work = Grounds(ndim, connectivity, opened(markers, ndim).pixels.dtype, LARGEST)
    return gather(work, height, markers, ndim=ndim)


@dataclass(frozen=True)
class Flattened(Flow):
    """Cut hills down to a fraction of their height, and fill up to there what lies between those that do not count."""

    valley: float
    name: ClassVar[str] = "flattened"

    def dtype(self) -> np.dtype[Any]:
        """Return float64."""
        return self.pixel

    def pair(self, tile: Tile, images: tuple[Pixels, ...], valid: Valid | None) -> tuple[Keys, Keys]:  # noqa: ARG002
        """Return the keys of what is left of each pixel, and of the pixels."""
        (height,) = images
        # A product is rounded the same in every tile, as a difference of logarithms would not be.
        return self.keys(self.valley * height), self.keys(height)

    def result(self, values: Keys, mask: Keys, solved: Solved) -> Pixels:  # noqa: ARG002 - the values are the result
        """Return the flattened hills."""
        return self.numbers(np.ascontiguousarray(values))


@dataclass(frozen=True)
class Tops(RegionalMaxima):
    """Find the plateaus above 0 that no neighbour rises above, those without any that lies below among them.

    A hill that fills the image, or the hole in what is not valid, is as flat as that and still a hill.
    """

    name: ClassVar[str] = "tops"

    def split(self, tile: Tile, *images: Pixels, valid: Valid | None = None) -> tuple[Plateaus, Sent]:
        """Find the plateaus of the tile by itself."""
        above = images[0] > 0
        kept, sent = super().split(tile, *images, valid=above if valid is None else above & valid)
        all_of_them = np.ones_like(kept.falling)
        all_of_them[0] = False  # what is no plateau
        return replace(kept, falling=all_of_them), {
            index: replace(each, falling=np.ones_like(each.falling)) for index, each in sent.items()
        }


@dataclass(frozen=True)
class Grounds(Watershed):
    """Flood what lies above 0 from the tops down."""

    name: ClassVar[str] = "grounds"

    def split(self, tile: Tile, *images: Pixels, valid: Valid | None = None) -> tuple[Flooded, SentObjects]:
        """Flood what lies inside the tile."""
        height, tops = images
        return super().split(tile, -height, tops, height > 0, valid=valid)
