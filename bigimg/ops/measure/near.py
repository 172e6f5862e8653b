"""The neighbours of objects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from bigimg.core.operation import Pixels, Valid
from bigimg.core.parameters import Count, Dims
from bigimg.core.reduction import Reduction
from bigimg.core.tile import Tile
from bigimg.engine.faces import composed
from bigimg.engine.kinds import reduce
from bigimg.kernels import object_nearness as kernel
from bigimg.kernels.object_pixels import Columns, checked_labels
from bigimg.ops.measure.texture import numbered_pixels
from bigimg.ops.measure.whole_objects import check_images, together


@dataclass(frozen=True, eq=False)
class Near:
    """What is known of objects and their neighbours, sorted by label."""

    sums: Columns
    """``label``, ``area``, ``outline``, ``touching``, and ``place``: sums of coordinates, as Python integers."""
    pairs: Columns
    """``label`` and ``other``, each pair once."""


@dataclass(frozen=True)
class Neighbors(Reduction[Near, pd.DataFrame]):
    """Find which objects are near which; see :func:`object_neighbors`."""

    distance: int
    ndim: int
    name: ClassVar[str] = "neighbors"

    @property
    def halo(self) -> tuple[int, ...]:
        """Near is what lies so far beyond the tile."""
        return (self.distance,) * self.ndim

    def partial(self, tile: Tile, *images: Pixels, valid: Valid | None = None) -> Near:
        """Look around the outlines of the objects of one tile."""
        labels = checked_labels(images[0], valid)
        numbers, known = numbered_pixels(labels)
        origin = np.array((0, *(side.start for side in tile.read))[-3:])
        shape = np.array((1, *tile.image_shape)[-3:])
        crop = (slice(0, 1), *tile.crop)[-3:]
        volume = numbers.reshape((1, *labels.shape)[-3:])
        pairs, outline, touching = kernel.meetings(volume, crop, origin, shape, self.ndim, self.distance, len(known))
        own = numbers[tile.crop]
        area, place = coordinate_sums(own, len(known))
        exact = place.astype(object) + area[:, None].astype(object) * np.array(tile.origin, object)
        here = area > 0
        sums = {"label": known, "area": area, "outline": outline, "touching": touching, "place": exact}
        return Near(
            {name: column[here] for name, column in sums.items()}, {"label": known[pairs[0]], "other": known[pairs[1]]}
        )

    def merge(self, first: Near, second: Near) -> Near:
        """Add what both know."""
        sums = together([first.sums, second.sums])
        order = np.argsort(sums["label"], kind="stable")
        label, starts = np.unique(sums["label"][order], return_index=True)
        added = {
            name: np.add.reduceat(sums[name][order], starts, axis=0) if len(starts) else sums[name]
            for name in ("area", "outline", "touching", "place")
        }
        pairs = together([first.pairs, second.pairs])
        order = np.lexsort((pairs["other"], pairs["label"]))
        pairs = {name: column[order] for name, column in pairs.items()}
        new = np.ones(len(order), np.bool_)
        new[1:] = (pairs["label"][1:] != pairs["label"][:-1]) | (pairs["other"][1:] != pairs["other"][:-1])
        return Near({"label": label, **added}, {name: column[new] for name, column in pairs.items()})

    def finish(self, state: Near) -> pd.DataFrame:
        """Count neighbours, and find the closest."""
        sums, label = state.sums, state.sums["label"]
        # The quotient of Python integers is rounded once.
        centre = (sums["place"] / sums["area"].astype(object)[:, None]).astype(np.float64)
        count = np.bincount(np.searchsorted(label, state.pairs["label"]), minlength=len(label)).astype(np.int64)
        closest = kernel.closest(label, centre)
        return pd.DataFrame(
            {
                "label": label,
                "neighbors_count": count,
                "neighbors_percent_touching": sums["touching"] * 100 / sums["outline"],
                **{f"neighbors_{name}": column for name, column in closest.items()},
            }
        )


def coordinate_sums(numbers: Pixels, count: int) -> tuple[Pixels, Pixels]:
    """Return how many pixels each of ``count`` objects has in a tile, and the sums of their coordinates there."""
    inside = numbers >= 0
    which = numbers[inside]
    area = np.bincount(which, minlength=count)
    # Sums of a tile are integers below 2**53, which the floats of bincount hold.
    along = [np.bincount(which, weights=place, minlength=count).astype(np.int64) for place in np.nonzero(inside)]
    return area.astype(np.int64), np.stack(along, axis=1)


@composed(takes="labels", gives="table")
def object_neighbors(labels: Any, *, distance: Count = 5, dims: Dims = "yx") -> Any:
    """Find the neighbours of each object: how many are near, how much it touches them, and which are closest.

    Parameters
    ----------
    labels : (M, N) or (P, M, N) array of integers
        0 is the background. A label need not be connected, and may lie in any number of tiles.
    distance : int
        Objects are neighbours where pixels of them lie within so many pixels of each other. CellProfiler: 5 within a
        specified distance, 1 for adjacent.
    dims : {"yx", "zyx"}
        Whether the labels are of a plane or of a volume.

    Returns
    -------
    pandas.DataFrame
        One row an object, sorted by label:

        ==============================  ==========================================  ===================================
        column                          what it is                                  CellProfiler
        ==============================  ==========================================  ===================================
        ``neighbors_count``             number of neighbours                        Neighbors_NumberOfNeighbors
        ``neighbors_percent_touching``  percentage of the outline near a neighbour  Neighbors_PercentTouching
        ``neighbors_first_label``       object of the closest centre, 0 for none    Neighbors_FirstClosestObjectNumber
        ``neighbors_first_distance``    distance to it, of centres, in pixels       Neighbors_FirstClosestDistance
        ``neighbors_second_label``      object of the second closest centre         Neighbors_SecondClosestObjectNumber
        ``neighbors_second_distance``   distance to it                              Neighbors_SecondClosestDistance
        ``neighbors_angle``             angle between the ways to both, degrees     Neighbors_AngleBetweenNeighbors
        ==============================  ==========================================  ===================================

        Of objects equally far the one of the lower label is closer. Distances and angle are ``nan`` where there are not
        as many objects. Lazy, with ``.compute()``, where the labels are lazy.

    Notes
    -----
    As CellProfiler's MeasureObjectNeighbors of objects among themselves, where CellProfiler has 0 for ``nan``. The
    outline is the pixels that have another label or the background beside or diagonally to them, and those at the
    border of the image; those within ``distance + 0.5`` of another object touch it. Of volumes the ball and the outline
    are those of the plane with one axis more; CellProfiler's ball is half a pixel off, and its outline looks along two
    axes only. To expand objects until they are adjacent, as CellProfiler can, use first
    :func:`bigimg.segmentation.expand_labels`. Pixels that are not valid are background.

    Exact at any size: a tile reads ``distance`` pixels beyond its own; what travels is the sums of each object and the
    pairs of neighbours; the closest are found in the end among the centres of all.

    References
    ----------
    C. McQuin et al., CellProfiler 3.0: next-generation image processing for biology, PLOS Biology 16, 2018.

    Examples
    --------
    >>> import numpy as np
    >>> from bigimg import measure
    >>> measure.object_neighbors(np.array([[1, 1, 2, 0, 0, 3]]), distance=1).iloc[:, :4].T
                                   0      1    2
    label                        1.0    2.0  3.0
    neighbors_count              1.0    1.0  0.0
    neighbors_percent_touching  50.0  100.0  0.0
    neighbors_first_label        2.0    1.0  2.0
    """
    ndim = len(dims)
    check_images(labels, None, ndim)
    return reduce(Neighbors(distance, ndim), labels, ndim=ndim)
