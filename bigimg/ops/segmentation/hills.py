"""The hills of an image and the ground of each: what stands out from its surroundings by a fraction of its height.

A hill counts if every way from its top to a higher one leads down below that fraction. It is the same fraction for low
hills and high ones, so that nothing need be known of how high, or how wide, they are.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from bigimg.core.operation import Pixels, Valid
from bigimg.core.parameters import Dims
from bigimg.core.tile import Tile
from bigimg.engine.faces import tilewise
from bigimg.engine.kinds import combine_images, gather
from bigimg.ops.measure.labels import label
from bigimg.ops.morphology.extrema import Plateaus, RegionalMaxima, Sent
from bigimg.ops.morphology.geodesic import reconstruction
from bigimg.ops.segmentation.flooding import watershed


def grounds(height: Any, mask: Any, valley: float, connectivity: int, dims: Dims) -> Any:
    """Return the labels of the hills in ``mask``: every pixel of it lies on the ground of one.

    Parameters
    ----------
    height : (..., M, N) array of float64
        Above 0 in the mask, and 0 elsewhere.
    mask : boolean image of the same shape and kind
    valley : float
        How low the way to a higher hill must lead for a hill to count, as a fraction of its height; above 0, below 1.
    connectivity : int
        Which pixels are neighbours.
    dims : {"yx", "zyx"}
        The axes that hills spread along.
    """
    ndim = len(dims)
    cut = reconstruction(times(height, factor=valley), mask=height, connectivity=connectivity, dims=dims)
    tops = gather(Tops(ndim, connectivity, minima=False), cut, ndim=ndim)
    inside = combine_images(np.logical_and, tops, mask, dtype=bool, ndim=ndim)
    markers = label(inside, connectivity=connectivity, dims=dims)
    return watershed(times(height, factor=-1.0), markers=markers, mask=mask, connectivity=connectivity, dims=dims)


@dataclass(frozen=True)
class Tops(RegionalMaxima):
    """Find the plateaus that no neighbour rises above, those without any neighbour that lies below among them.

    A hill that fills the image, or the hole in what is not valid, is as flat as that and still a hill.
    """

    def split(self, tile: Tile, *images: Pixels, valid: Valid | None = None) -> tuple[Plateaus, Sent]:
        """Find the plateaus of the tile by itself."""
        kept, sent = super().split(tile, *images, valid=valid)
        all_of_them = np.ones_like(kept.falling)
        all_of_them[0] = False  # what is no plateau
        return replace(kept, falling=all_of_them), {
            index: replace(each, falling=np.ones_like(each.falling)) for index, each in sent.items()
        }


@tilewise(dtype="float64", accepts="f", scratch=0)
def times(image: Pixels, *, factor: float, valid: Valid | None = None) -> Pixels:  # noqa: ARG001 - pixels stand alone
    """Multiply: exactly rounded, and so the same in every tile, as a logarithm would not be."""
    return image * factor
