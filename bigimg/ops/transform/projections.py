"""Images with an axis taken away: projections of volumes, backgrounds of videos."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, Literal

import dask.array as da
import numpy as np
import xarray as xr

from bigimg.core.operation import Pixels, Valid
from bigimg.core.parameters import Count
from bigimg.core.projection import Projection
from bigimg.engine.faces import composed
from bigimg.engine.kinds import opened
from bigimg.engine.project import project_array, project_checked, project_whole
from bigimg.engine.reshaped import PER_AXIS, as_dataarray, as_masked, moved_names
from bigimg.errors import ImageError, ParameterError
from bigimg.kernels import dyadic, projecting
from bigimg.kernels.planes import smoothed_dtype

AxisName = Literal["t", "c", "z", "y", "x"]
Method = Literal["max", "min", "mean", "std", "median"]


@dataclass(frozen=True)
class Extreme(Projection[tuple[Pixels, Valid | None]]):
    """The largest or smallest value."""

    name: ClassVar[str] = "extreme"
    largest: bool

    def dtype(self, given: np.dtype[Any]) -> np.dtype[Any]:
        """Return the dtype of the image."""
        return given

    def state_bytes(self, given: np.dtype[Any], planes: int) -> int:  # noqa: ARG002
        """Return the bytes of a value, and of whether there is one."""
        return given.itemsize + 1

    def partial(self, planes: Pixels, valid: Valid | None, first: int) -> tuple[Pixels, Valid | None]:  # noqa: ARG002
        """Return the extreme of the planes, and where there is one."""
        if valid is None:
            return self._pick(planes, axis=0), None
        nothing = np.array(_limit(planes.dtype, lowest=self.largest), planes.dtype)
        return self._pick(np.where(valid, planes, nothing), axis=0), np.asarray(valid.any(axis=0))

    def merge(
        self, first: tuple[Pixels, Valid | None], second: tuple[Pixels, Valid | None]
    ) -> tuple[Pixels, Valid | None]:
        """Return the extreme of both."""
        value = self._pick(np.stack([first[0], second[0]]), axis=0)
        return value, None if first[1] is None or second[1] is None else first[1] | second[1]

    def finish(self, state: tuple[Pixels, Valid | None]) -> Pixels:
        """Return the extreme, and 0 where there is none."""
        value, there = state
        if value.dtype.kind == "f":
            # Which of two zeros is the larger, one with a sign or one without, would depend on who came first.
            value = value + value.dtype.type(0)
        return value if there is None else np.where(there, value, np.zeros((), value.dtype))

    @property
    def _pick(self) -> Callable[..., Pixels]:
        return np.max if self.largest else np.min


def _limit(dtype: np.dtype[Any], *, lowest: bool) -> Any:
    if dtype.kind == "b":
        return not lowest
    if dtype.kind == "f":
        return -np.inf if lowest else np.inf
    return np.iinfo(dtype).min if lowest else np.iinfo(dtype).max


Totals = tuple[np.dtype[Any], Any, Any]
"""The dtype of the image, its sums or the nodes of their tree, and how many values there are."""


@dataclass(frozen=True)
class Mean(Projection[Totals]):
    """The mean: sums of integers are exact, those of floats are added in one fixed order."""

    name: ClassVar[str] = "mean"

    def dtype(self, given: np.dtype[Any]) -> np.dtype[Any]:
        """Return the dtype of an average; integers of 64 bits are refused."""
        _refuse_long(given, self.name)
        return smoothed_dtype(given)

    def state_bytes(self, given: np.dtype[Any], planes: int) -> int:
        """Return the bytes of the sums and the count."""
        return 8 * (_most_nodes(planes) if given.kind == "f" else 1) + 8

    def partial(self, planes: Pixels, valid: Valid | None, first: int) -> Totals:
        """Return the sums of the planes; pixels that are not valid are 0."""
        count = len(planes) if valid is None else valid.sum(axis=0)
        sums = (
            dyadic.sums_of(_native(planes), first)
            if planes.dtype.kind == "f"
            else projecting.integer_sums(planes, False)
        )
        return planes.dtype, sums, count

    def merge(self, first: Totals, second: Totals) -> Totals:
        """Return the sums of both."""
        join = dyadic.join_sums if first[0].kind == "f" else np.add
        return first[0], join(first[1], second[1]), first[2] + second[2]

    def finish(self, state: Totals) -> Pixels:
        """Return the mean."""
        dtype, sums, count = state
        total = dyadic.total_sum(sums) if dtype.kind == "f" else sums[0]
        return (total / np.maximum(count, 1)).astype(smoothed_dtype(dtype), copy=False)


@dataclass(frozen=True)
class Deviation(Projection[Totals]):
    """The standard deviation."""

    name: ClassVar[str] = "std"

    def dtype(self, given: np.dtype[Any]) -> np.dtype[Any]:
        """Return the dtype of an average; integers of 64 bits are refused."""
        _refuse_long(given, self.name)
        return smoothed_dtype(given)

    def state_bytes(self, given: np.dtype[Any], planes: int) -> int:
        """Return the bytes of the sums, or of the nodes of their tree."""
        return 24 if _is_short(given) else 24 * _most_nodes(planes)

    def partial(self, planes: Pixels, valid: Valid | None, first: int) -> Totals:
        """Return the sums of values and squares; or the moments of planes whose squares no integer holds."""
        if not _is_short(planes.dtype):
            return planes.dtype, dyadic.moments_of(_native(planes), valid, first), None
        count = len(planes) if valid is None else valid.sum(axis=0)
        return planes.dtype, projecting.integer_sums(planes, True), count

    def merge(self, first: Totals, second: Totals) -> Totals:
        """Return the sums of both."""
        if not _is_short(first[0]):
            return first[0], dyadic.join_moments(first[1], second[1]), None
        return first[0], first[1] + second[1], first[2] + second[2]

    def finish(self, state: Totals) -> Pixels:
        """Return the standard deviation."""
        dtype, sums, count = state
        if _is_short(dtype):
            found = projecting.deviation(np.asarray(count), *sums)
        else:
            moments = dyadic.total_moments(sums)
            found = np.sqrt(moments[2] / np.maximum(moments[0], 1))
        return found.astype(smoothed_dtype(dtype), copy=False)


@dataclass(frozen=True)
class Median(Projection[tuple[Pixels, Valid | None]]):
    """The middle value; all planes must come at once."""

    name: ClassVar[str] = "median"
    at_once: ClassVar[bool] = True

    def dtype(self, given: np.dtype[Any]) -> np.dtype[Any]:
        """Return the dtype of an average, as the middle may lie between two values."""
        return smoothed_dtype(given)

    def state_bytes(self, given: np.dtype[Any], planes: int) -> int:
        """Return the bytes of all planes."""
        return planes * given.itemsize

    def partial(self, planes: Pixels, valid: Valid | None, first: int) -> tuple[Pixels, Valid | None]:  # noqa: ARG002
        """Return the planes as they are."""
        return planes, valid

    def merge(
        self,
        first: tuple[Pixels, Valid | None],  # noqa: ARG002
        second: tuple[Pixels, Valid | None],  # noqa: ARG002
    ) -> tuple[Pixels, Valid | None]:
        """Not asked for."""
        raise AssertionError("a median needs all planes at once")

    def finish(self, state: tuple[Pixels, Valid | None]) -> Pixels:
        """Return the middle value."""
        return projecting.middle(*state)


WORK: Mapping[str, Projection[Any]] = {
    "max": Extreme(largest=True),
    "min": Extreme(largest=False),
    "mean": Mean(),
    "std": Deviation(),
    "median": Median(),
}


def _is_short(dtype: np.dtype[Any]) -> bool:
    return dtype.kind != "f" and dtype.itemsize <= 2


def _native(planes: Pixels) -> Pixels:
    """Return planes that compiled loops know; there is no half precision in them."""
    return planes.astype(np.float32) if planes.dtype == np.float16 else planes


def _most_nodes(planes: int) -> int:
    return 2 * max(1, planes.bit_length() - 1)


def _refuse_long(dtype: np.dtype[Any], method: str) -> None:
    if dtype.kind in "iu" and dtype.itemsize > 4:
        raise ImageError(
            f"transform.project: the {method} of integers of 64 bits is not exact in any number that this package "
            f"gives (got {dtype}); convert the image to int32 or float64 first"
        )


@composed(takes="image", gives="image")
def project(image: Any, axis: AxisName, *, method: Method = "max") -> Any:
    """Project an image along an axis: the largest, smallest, mean or middle value of what lies behind one another.

    Parameters
    ----------
    image : array of at least three axes, of booleans, integers or floats
    axis : {"t", "c", "z", "y", "x"}
        The axis to take away: the dimension of that name. Of arrays without names ``x`` is the last axis, ``y`` the one
        before, ``z`` and ``c`` the one before the plane (of five axes, ``c`` is the one before ``z``), and ``t`` the
        first.
    method : {"max", "min", "mean", "std", "median"}
        ``std`` is the standard deviation of the values there are, as ``numpy.std``.

    Returns
    -------
    array without the axis
        Of the dtype of the image for ``max`` and ``min``; else of float32 for float32 images, else of float64. Pixels
        that are not valid take no part; where none is valid, neither is the result.

    Notes
    -----
    Equal to ``numpy.max(image, axis)`` and so on, and the same to the bit however the image is cut. Sums of integers
    are exact; floats are added in float64 in the order of one fixed binary tree. A long axis is projected tile by tile:
    no task holds all of it, except for ``median``, which needs all values of a pixel at once.

    References
    ----------
    T. F. Chan, G. H. Golub and R. J. LeVeque, Updating formulae and a pairwise algorithm for computing sample
    variances, Technical Report STAN-CS-79-773, Stanford University (1979).

    Examples
    --------
    >>> import numpy as np
    >>> project(np.array([[[1, 2]], [[5, 0]]]), "z")
    array([[5, 2]])
    >>> project(np.array([[[1, 2]], [[5, 0]]], "uint8"), "z", method="mean")
    array([[3., 1.]])
    """
    return _project(WORK[method], image, axis, "transform.project", None)


@composed(takes="image", gives="image")
def temporal_median(image: Any, *, frames: Count = 25) -> Any:
    """Find the background of a video: the median of frames spread over time.

    Parameters
    ----------
    image : array with an axis of time, of booleans, integers or floats
        The dimension named ``t``; of arrays without names the first of at least three axes.
    frames : int
        How many frames take part, at most: evenly spaced, the first and the last among them.

    Returns
    -------
    array without the axis of time, of float32 for float32 images, else of float64
        The exact median of these frames. Pixels that are not valid take no part; where none is valid, neither is the
        result.

    Notes
    -----
    Equal to ``numpy.median(image[chosen], axis=0)`` with ``chosen = unique(round(linspace(0, T - 1, frames)))``. What
    moves must cover a pixel in fewer than half of the frames. Only the chosen frames are read.

    Examples
    --------
    >>> import numpy as np
    >>> video = np.full((9, 1, 4), 7)
    >>> video[[1, 4, 6], 0, [0, 1, 2]] = 200
    >>> temporal_median(video, frames=5)
    array([[7., 7., 7., 7.]])
    """
    return _project(WORK["median"], image, "t", "transform.temporal_median", partial(_spread, frames))


def _spread(frames: int, size: int) -> list[int]:
    """Return the numbers of at most so many of ``size`` frames, evenly spaced."""
    return [int(each) for each in np.unique(np.round(np.linspace(0, size - 1, min(frames, size))))]


def _project(
    work: Projection[Any], image: Any, axis: str, owner: str, choose: Callable[[int], Sequence[int]] | None
) -> Any:
    given = opened(image)
    names = moved_names(image, 2) if isinstance(image, xr.DataArray) else _default_names(given.pixels.ndim)
    if given.pixels.ndim < 3:
        raise ImageError(f"{owner} takes an axis away, and needs an image of at least 3 (got {given.pixels.shape})")
    place = _position(names, axis, owner, named=isinstance(image, xr.DataArray))
    work.dtype(given.pixels.dtype)  # refuses a dtype it does not take
    planes = None if choose is None else choose(given.pixels.shape[place])
    if given.lazy:
        pixels: Any = project_array(work, given.pixels, place, given.valid, planes)
    else:
        chosen = given.pixels if planes is None else np.take(given.pixels, planes, axis=place)
        counts = given.valid if planes is None or given.valid is None else np.take(_all(given), planes, axis=place)
        pixels = project_checked(work, chosen, place, counts)
    valid = None if given.valid is None else _mask(given, place, planes)
    if not isinstance(image, xr.DataArray):
        return as_masked(pixels, valid)
    left = tuple(name for name in names if name != axis)
    coords = {name: each for name, each in image.coords.items() if axis not in each.dims and name != "valid"}
    return as_dataarray(pixels, valid, left, image, coords, _without_axis(image.attrs, axis))


def _mask(given: Any, place: int, planes: Sequence[int] | None) -> Any:
    """Return where any pixel along the axis counts."""
    mask = given.valid
    own = place - (given.pixels.ndim - mask.ndim)
    if own < 0:
        return mask
    if mask.ndim < given.pixels.ndim:
        mask, own = _all(given), place
    if isinstance(mask, da.Array):
        return project_array(WORK["max"], mask, own, None, planes)
    return project_whole(WORK["max"], mask if planes is None else np.take(mask, planes, axis=own), own, None)


def _all(given: Any) -> Any:
    """Return the mask with all axes of the image."""
    if isinstance(given.valid, da.Array):
        return da.broadcast_to(given.valid, given.pixels.shape, chunks=given.pixels.chunks)
    return np.broadcast_to(given.valid, given.pixels.shape)


def _default_names(ndim: int) -> tuple[str, ...]:
    """Return what the axes of an array without names are called, from the first; several names may do for one."""
    between = [""] * max(0, ndim - 5)
    return {
        2: ("y", "x"),
        3: ("tzc", "y", "x"),
        4: ("t", "zc", "y", "x"),
    }.get(ndim, ("t", *between, "c", "z", "y", "x"))


def _position(names: Sequence[str], axis: str, owner: str, *, named: bool) -> int:
    found = [place for place, name in enumerate(names) if (name == axis if named else axis in name)]
    if not found:
        raise ParameterError(f"{owner}: the image has no dimension named {axis} (got {', '.join(names)})")
    return found[0]


def _without_axis(attrs: Mapping[str, Any], axis: str) -> dict[str, Any]:
    """Return the attributes of an image without those of ``axis``."""
    kept = dict(attrs)
    for key in PER_AXIS:
        if isinstance(kept.get(key), Mapping):
            kept[key] = {name: value for name, value in kept[key].items() if name != axis}
    if axis == "c":
        kept.pop("channel_names", None)
    return kept
