"""Outlines of objects as polygons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import numpy as np
import pandas as pd
from annotated_types import Len
from numpy.typing import NDArray

from bigimg.core.operation import Pixels, Valid
from bigimg.core.parameters import Moderate
from bigimg.core.reduction import Reduction
from bigimg.core.tile import Tile
from bigimg.core.well_known_binary import encode
from bigimg.engine.faces import composed
from bigimg.engine.kinds import opened, reduce, resolved
from bigimg.errors import ImageError, ParameterError
from bigimg.io.geo import place_of
from bigimg.kernels.outlines import Index, TileOutlines, assemble, trace
from bigimg.ops.spacing import Spacing, along_axes

OWNER = "measure.polygons"

Sent = dict[Index, TileOutlines]

Affine = tuple[float, float, float, float, float, float]


@dataclass(frozen=True)
class TraceOutlines(Reduction[Sent, pd.DataFrame]):
    """Trace the outlines of labelled objects; see :func:`polygons`."""

    width: int
    """Of the image."""
    transform: Affine
    crs: str | None
    name: ClassVar[str] = "outlines"

    @property
    def halo(self) -> int:
        """One pixel: whether an edge is there depends on the pixel beyond."""
        return 1

    def partial(self, tile: Tile, *images: Pixels, valid: Valid | None = None) -> Sent:
        """Trace the edges of the pixels of one tile."""
        margins = [(own.start - seen.start, seen.stop - own.stop) for own, seen in zip(tile.write, tile.read)]
        return {tile.index: trace(images[0], tile.origin, margins, self.width, valid)}

    def merge(self, first: Sent, second: Sent) -> Sent:
        """Return what both know."""
        return {**first, **second}

    def finish(self, state: Sent) -> pd.DataFrame:
        """Join the outlines, and return a row an object."""
        rings = assemble(state, self.width)
        a, b, c, d, e, f = self.transform
        row, column = rings.points[:, 0].astype(np.float64), rings.points[:, 1].astype(np.float64)
        points = np.stack([a * column + b * row + c, d * column + e * row + f], axis=1)
        ends = rings.ends
        if a * e - b * d < 0:
            points = points[_reversed(ends)]  # a map that mirrors turns rings the other way round
        geometry = encode(points, ends, rings.part, rings.label)
        table = pd.DataFrame({"label": np.unique(rings.label), "geometry": pd.Series(geometry, dtype=object)})
        if self.crs is not None:
            table.attrs["crs"] = self.crs
        return table


def _reversed(ends: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the indices of points whose rings run the other way, from the same first point."""
    first = np.repeat(ends[:-1], np.diff(ends))
    last = np.repeat(ends[1:], np.diff(ends))
    point = np.arange(ends[-1])
    return np.where(point == first, point, first + last - point)


@composed(takes="labels", gives="table")
def polygons(
    labels: Any,
    *,
    spacing: Spacing = 1.0,
    transform: Annotated[Sequence[Moderate], Len(6, 6)] | None = None,
    crs: str | None = None,
) -> Any:
    """Outline each object of a label image, along the edges of its pixels.

    Parameters
    ----------
    labels : (M, N) array of integers
        0 is the background. A label need not be connected, and may lie in any number of tiles.
    spacing : float, sequence of float, or unit
        Size of a pixel along y and x; one number for both. A unit such as ``"um"`` takes the sizes that the image
        itself says, so that coordinates are in it.
    transform : sequence of 6 float, optional
        The affine map ``a, b, c, d, e, f`` of a georeferenced image, as rasterio and STAC write it:
        ``x = a * column + b * row + c`` and ``y = d * column + e * row + f``. Instead of ``spacing``; without both,
        that of an image that knows its place on the Earth.
    crs : str, optional
        The coordinate reference system that ``transform`` leads to, such as ``"EPSG:32633"``, by default that of the
        image; it is kept in ``attrs["crs"]`` of the table.

    Returns
    -------
    pandas.DataFrame
        One row an object, sorted by ``label``; ``geometry`` is its Polygon, or its MultiPolygon where it has several
        parts, as well-known binary: for ``shapely.from_wkb`` or ``geopandas.GeoSeries.from_wkb``, and for
        :func:`bigimg.io.write_geojson` and :func:`bigimg.io.write_geoparquet`. Lazy where the labels are lazy.

    Notes
    -----
    Coordinates are x, then y. Without ``spacing`` and ``transform`` they count pixels: the first pixel of the image
    goes from 0 to 1 along x and y, and y points down. A polygon covers the pixels of the object and nothing else, so
    that its area is their number; those of neighbours meet without a gap, and none is cut where tiles are. They are
    valid in the sense of OGC's simple features: parts are connected across edges of pixels, and those that touch at a
    corner are parts of their own. Outlines have a positive area and holes a negative one (the right-hand rule of
    GeoJSON, wherever y points). Rings begin at the leftmost of their uppermost corners in the image, and parts
    and holes are sorted by these.

    Parts are those of ``rasterio.features.shapes(labels, connectivity=4)``, which gives them one by one and in no order
    of labels.

    References
    ----------
    OGC 06-103r4, "Simple feature access", part 1 (2011). RFC 7946, "The GeoJSON format" (2016).

    Examples
    --------
    >>> import numpy as np
    >>> table = polygons(np.array([[0, 4, 4], [0, 4, 9]]))
    >>> table["label"].tolist()
    [4, 9]
    >>> from bigimg.core.well_known_binary import decode
    >>> name, (rings,) = decode(table["geometry"][0])
    >>> name, rings[0].tolist()
    ('Polygon', [[1.0, 0.0], [3.0, 0.0], [3.0, 1.0], [2.0, 1.0], [2.0, 2.0], [1.0, 2.0], [1.0, 0.0]])
    """
    given = opened(labels)
    if given.pixels.dtype.kind not in "iu":
        raise ImageError(
            f"{OWNER}: labels must be integers (got {given.pixels.dtype}); number the objects first, with measure.label"
        )
    if given.pixels.ndim != 2:
        raise ImageError(f"{OWNER} outlines the labels of one plane (got shape {given.pixels.shape})")
    known, place = place_of(labels)
    if transform is None and spacing == 1.0 and place is not None:
        transform, crs = place, crs or known
    return reduce(TraceOutlines(given.pixels.shape[1], _affine(labels, spacing, transform, crs), crs), labels)


def _affine(labels: Any, spacing: Any, transform: Sequence[float] | None, crs: str | None) -> Affine:
    if transform is None:
        if crs is not None:
            raise ParameterError(f"{OWNER}: crs needs transform, the map from pixels to its coordinates (got {crs!r})")
        known = resolved({"spacing": spacing}, labels, 2, OWNER).get("spacing", spacing)
        y, x = along_axes(known, "yx", f"{OWNER}: spacing")
        return x, 0.0, 0.0, 0.0, y, 0.0
    if spacing != 1.0:
        raise ParameterError(f"{OWNER}: transform says the size of pixels; leave spacing out (got {spacing})")
    a, b, c, d, e, f = transform
    if a * e == b * d:
        raise ParameterError(f"{OWNER}: transform must map pixels to an area (got {tuple(transform)})")
    return a, b, c, d, e, f
