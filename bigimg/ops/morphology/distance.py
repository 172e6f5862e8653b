"""Distances to the background, exact however far and through however many tiles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from bigimg.core.operation import Pixels, Valid
from bigimg.core.parameters import Dims
from bigimg.core.reduction import Gather
from bigimg.core.tile import Tile
from bigimg.engine.faces import composed
from bigimg.engine.gather import gather_arrays, gather_whole
from bigimg.engine.kinds import opened, resolved
from bigimg.errors import ImageError
from bigimg.kernels import distance as kernel
from bigimg.kernels.distance import FAR, Beside, Parabolas
from bigimg.ops.spacing import Spacing, along_axes

Index = tuple[int, ...]


@dataclass(frozen=True)
class StepsAlong(Gather[tuple[NDArray[np.uint8], Index], dict[Index, Any], dict[Index, Any]]):
    """Count the steps along the first axis to the nearest background: one number a line of a tile goes each way."""

    name: ClassVar[str] = "distance.steps"
    keeps: ClassVar[int] = 1  # a bit

    def dtype(self) -> np.dtype[Any]:
        """Return int32."""
        return np.dtype(np.int32)

    def split(
        self, tile: Tile, *images: Pixels, valid: Valid | None = None
    ) -> tuple[tuple[NDArray[np.uint8], Index], dict[Index, Any]]:
        """Keep the background, and send where it begins and ends along each line."""
        background = ~images[0] if valid is None else ~images[0] & valid
        sent = kernel.ends(background) if tile.shape[0] < tile.image_shape[0] else None
        return (np.packbits(background), background.shape), {tile.index: (tile.shape[0], sent)}

    def solve(self, state: dict[Index, Any]) -> dict[Index, Any]:
        """Return the steps from the ends of each tile to the nearest background beyond."""
        value: dict[Index, Any] = {}
        for indices in _lines_of_tiles(state, 0):
            sizes, sent = zip(*(state[index] for index in indices))
            if len(indices) > 1:
                value.update(zip(indices, kernel.across(sent, sizes)))
        return value

    def finish(self, tile: Tile, kept: tuple[NDArray[np.uint8], Index], value: dict[Index, Any]) -> Pixels:
        """Count the steps in the tile."""
        bits, shape = kept
        background = np.unpackbits(bits, count=int(np.prod(shape))).view(bool).reshape(shape)
        alone = np.full(shape[1:], FAR, np.int32)
        before, behind = value.get(tile.index, (alone, alone))
        return kernel.steps(background, before, behind)


NOWHERE = -1.0
"""The squared distance to a background that there is not, until the last axis knows better."""

Seen = tuple[Parabolas | None, Parabolas | None]


@dataclass(frozen=True)
class SquaresAlong(Gather[Pixels, dict[Index, tuple[int, Seen]], dict[Index, tuple[Beside, Beside]]]):
    """Add the squared distances along one more axis: what tiles send is what others can see of their parabolas."""

    axis: int
    unit: float
    """Length of a step of the pixels; 0 where they are squared distances."""
    step: float
    """Distance of pixels along the axis."""
    root: bool
    """Whether it is the last axis, and distances are wanted."""
    name: ClassVar[str] = "distance"
    keeps: ClassVar[int] = 8

    def split_key(self) -> object:
        """Leave out the root: what is kept and sent does not depend on it."""
        return self.axis, self.unit, self.step

    def dtype(self) -> np.dtype[Any]:
        """Return float64."""
        return np.dtype(np.float64)

    def split(
        self,
        tile: Tile,
        *images: Pixels,
        valid: Valid | None = None,  # noqa: ARG002 - the steps know it
    ) -> tuple[Pixels, dict[Index, tuple[int, Seen]]]:
        """Keep the pixels, and send the parabolas that can be the smallest in other tiles."""
        (pixels,) = images
        if self.unit == 0:
            pixels = np.where(pixels == NOWHERE, np.inf, pixels)
        side = tile.write[self.axis]
        room = side.start, tile.image_shape[self.axis] - side.stop
        seen = kernel.seen_beyond(pixels, self.axis, self.unit, self.step, room)
        return pixels, {tile.index: (tile.shape[self.axis], seen)}

    def solve(self, state: dict[Index, tuple[int, Seen]]) -> dict[Index, tuple[Beside, Beside]]:
        """Return for each tile the parabolas of others that can be the smallest in it."""
        value: dict[Index, tuple[Beside, Beside]] = {}
        for indices in _lines_of_tiles(state, self.axis):
            sizes, seen = zip(*(state[index] for index in indices))
            if len(indices) > 1:
                value.update(zip(indices, kernel.hand_on(seen, sizes, self.step)))
        return value

    def finish(self, tile: Tile, kept: Pixels, value: dict[Index, tuple[Beside, Beside]]) -> Pixels:
        """Write the smallest sums."""
        before, behind = value.get(tile.index, (None, None))
        origin = tile.origin[self.axis]
        found = kernel.finish_lines(kept, self.axis, self.unit, self.step, origin, before, behind, root=self.root)
        # Pixels are finite numbers, also between the axes.
        found[np.isinf(found)] = np.finfo(found.dtype).max if self.root else NOWHERE
        return found


def _lines_of_tiles(state: Mapping[Index, object], axis: int) -> list[list[Index]]:
    """Return the indices of the tiles that stand in lines along ``axis``."""
    lines: dict[Index, list[Index]] = {}
    for index in sorted(state):
        lines.setdefault(index[:axis] + index[axis + 1 :], []).append(index)
    return list(lines.values())


@composed(takes="mask", gives="image")
def distance_transform(mask: Any, *, sampling: Spacing = 1.0, dims: Dims = "yx") -> Any:
    """Measure the distance of each pixel of a mask to the nearest pixel of the background.

    Parameters
    ----------
    mask : (..., M, N) boolean array
    sampling : float, sequence of float, or unit
        Distance of pixels along each axis, in any unit; one number for all axes. A unit such as ``"um"`` takes the
        distances that the image itself says (``attrs["scale"]`` and ``attrs["units"]``), and measures in it.
    dims : {"yx", "zyx"}
        Distances in each plane, or in the volume.

    Returns
    -------
    (..., M, N) array of float64
        Euclidean distances between centres of pixels, in units of ``sampling``; 0 in the background. Exact at any
        distance and through any number of tiles. The largest float64 everywhere where an image has no background: it
        ends at its border, and nothing is known of what lies beyond. Pixels that are not valid are no background.

    Notes
    -----
    Equal to ``scipy.ndimage.distance_transform_edt(mask, sampling=sampling)``: to the bit where the squares of the
    numbers in ``sampling`` are exact, as of 1, 2 or 0.5. Of other sums that differ by rounding only, SciPy need not
    find the smallest, and can differ in the last digit. Where there is no background SciPy gives distances to a pixel
    before the first one.

    A first pass along y (in volumes z) and one along each further axis take two tasks a tile each. Between them a tile
    is kept in 4 bytes a pixel, in volumes 8.

    References
    ----------
    A. Meijster, J. B. T. M. Roerdink and W. H. Hesselink, A general algorithm for computing distance transforms in
    linear time (2000). P. F. Felzenszwalb and D. P. Huttenlocher, Distance transforms of sampled functions, Theory of
    Computing 8 (2012).

    Examples
    --------
    >>> import numpy as np
    >>> distance_transform(np.pad(np.ones((3, 3), bool), 1))
    array([[0., 0., 0., 0., 0.],
           [0., 1., 1., 1., 0.],
           [0., 1., 2., 1., 0.],
           [0., 1., 1., 1., 0.],
           [0., 0., 0., 0., 0.]])
    """
    ndim = len(dims)
    given = opened(mask, ndim)
    if given.pixels.dtype != bool:
        raise ImageError(
            f"distances are measured in boolean masks (got {given.pixels.dtype}); compare first, as in image > 0"
        )
    sampling = resolved({"sampling": sampling}, mask, ndim, "morphology.distance_transform").get("sampling", sampling)
    lengths = along_axes(sampling, dims, "morphology.distance_transform: sampling")
    run = gather_arrays if given.lazy else gather_whole
    result = run(StepsAlong(), [given.pixels], ndim, [given.valid])
    for axis in range(1, ndim):
        unit = lengths[0] if axis == 1 else 0.0
        work = SquaresAlong(axis, unit, lengths[axis], root=axis == ndim - 1)
        result = run(work, [result], ndim, [None])
    return given.close(result)
