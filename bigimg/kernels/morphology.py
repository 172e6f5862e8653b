"""Erosion, dilation, opening and closing for every dtype, in 2-D and 3-D, with any footprint.

Results equal ``skimage.morphology`` 0.26 with ``mode="ignore"``: pixels outside the image take part in nothing. (With
disks, squares, crosses, balls and cubes scikit-image's default mode gives the same.) As there, the origin of a
footprint is its middle, and of an even axis the element before the middle; erosion and dilation look at the same
neighbours, and the second half of an opening or closing at the mirrored ones.

Four kernels do the work, and the table `RULES` chooses; which one cannot be seen in the result.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import groupby
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bigimg.errors import ImageError, ParameterError
from bigimg.kernels import boxes, chords, opencv_steps, packed
from bigimg.kernels.planes import as_valid_planes
from bigimg.kernels.steps import Mask, Step, joined

Pixels = NDArray[Any]
Name = Literal["erosion", "dilation", "opening", "closing"]
_Kernel = Callable[[Pixels, Sequence[Step], Mask | None], Pixels]


def erode(pixels: Pixels, footprint: Mask, ndim: int, valid: Mask | None = None, iterations: int = 1) -> Pixels:
    """Return the least of the neighbours of each pixel, as ``skimage.morphology.erosion``.

    Parameters
    ----------
    pixels
        (..., M, N) or, with ``ndim=3``, (..., P, M, N); bool, or integers or floats of 1, 2, 4 or 8 bytes, without NaN.
    footprint
        Boolean array with ``ndim`` axes: which neighbours take part.
    ndim
        2 or 3: how many of the last axes are space.
    valid
        Boolean, as ``pixels``: where False a pixel takes no part, as if it were outside the image; what comes out there
        has no meaning.
    iterations
        How many times.

    Returns
    -------
    ndarray
        Shape and dtype of ``pixels``. Where no neighbour takes part: the largest value of the dtype.

    Raises
    ------
    ImageError
        If the dtype has no order (complex, object, ...), the image has too few axes, or ``valid`` does not fit it.
    ParameterError
        If the footprint is empty, or has another number of axes than ``ndim``.

    Examples
    --------
    >>> erode(np.array([[5, 3, 4, 9]], np.uint8), np.ones((1, 3), bool), ndim=2)
    array([[3, 3, 3, 4]], dtype=uint8)
    """
    return _apply(pixels, _steps_of("erosion", footprint, ndim, iterations), ndim, valid)


def dilate(pixels: Pixels, footprint: Mask, ndim: int, valid: Mask | None = None, iterations: int = 1) -> Pixels:
    """Return the greatest of the neighbours of each pixel, as ``skimage.morphology.dilation``.

    Parameters, shapes and errors are those of `erode`; where no neighbour takes part the smallest value of the dtype
    comes out.

    Examples
    --------
    >>> dilate(np.array([[5, 3, 4, 9]], np.uint8), np.ones((1, 3), bool), ndim=2)
    array([[5, 5, 9, 9]], dtype=uint8)
    """
    return _apply(pixels, _steps_of("dilation", footprint, ndim, iterations), ndim, valid)


def opening(pixels: Pixels, footprint: Mask, ndim: int, valid: Mask | None = None, iterations: int = 1) -> Pixels:
    """Return an erosion followed by the dilation with the mirrored footprint, as ``skimage.morphology.opening``.

    Parameters, shapes and errors are those of `erode`. A tile needs twice the reach of the footprint around it. Of
    several iterations come all erosions first: to open twice is to open once.

    Examples
    --------
    >>> opening(np.array([[1, 9, 1, 8, 8, 8, 1]], np.uint8), np.ones((1, 3), bool), ndim=2)
    array([[1, 1, 1, 8, 8, 8, 1]], dtype=uint8)
    """
    return _apply(pixels, _steps_of("opening", footprint, ndim, iterations), ndim, valid)


def closing(pixels: Pixels, footprint: Mask, ndim: int, valid: Mask | None = None, iterations: int = 1) -> Pixels:
    """Return a dilation followed by the erosion with the mirrored footprint, as ``skimage.morphology.closing``.

    Parameters, shapes and errors are those of `erode`. A tile needs twice the reach of the footprint around it. Of
    several iterations come all dilations first.

    Examples
    --------
    >>> closing(np.array([[9, 1, 9, 2, 2, 2, 9]], np.uint8), np.ones((1, 3), bool), ndim=2)
    array([[9, 9, 9, 2, 2, 2, 9]], dtype=uint8)
    """
    return _apply(pixels, _steps_of("closing", footprint, ndim, iterations), ndim, valid)


def sequence(pixels: Pixels, operations: Sequence[tuple[Name, Mask]], ndim: int, valid: Mask | None = None) -> Pixels:
    """Apply several operations one after the other; booleans stay packed in between.

    Parameters
    ----------
    pixels, ndim, valid
        As for `erode`.
    operations
        Names and footprints.

    Returns
    -------
    ndarray
        Shape and dtype of ``pixels``: what the operations give when called one by one.

    Examples
    --------
    >>> line = np.ones((1, 3), bool)
    >>> mask = np.array([[1, 0, 1, 1, 1, 0, 0]], bool)
    >>> sequence(mask, [("opening", line), ("closing", line)], ndim=2).astype(int)
    array([[0, 0, 1, 1, 1, 0, 0]])
    """
    steps = [step for name, footprint in operations for step in _steps_of(name, footprint, ndim)]
    return _apply(pixels, steps, ndim, valid)


def _apply(pixels: Pixels, steps: Sequence[Step], ndim: int, valid: Mask | None) -> Pixels:
    if pixels.dtype.kind not in "buif" or pixels.itemsize > 8 or pixels.ndim < ndim:
        raise ImageError(
            f"morphology needs an image of at least {ndim} axes, of booleans, integers or floats of at most 8 bytes "
            f"(got {pixels.ndim} axes of {pixels.dtype})"
        )
    masks = None if valid is None else as_valid_planes(valid, pixels, ndim)
    if not pixels.size or not steps:
        return pixels.copy()
    native = pixels.astype(pixels.dtype.newbyteorder("="), copy=False)
    # Two boxes are one larger box, unless a pixel in between takes no part.
    plan = _plan(native.dtype.char, joined(tuple(steps)) if masks is None else tuple(steps), masks is not None)
    planes = native.reshape(-1, *pixels.shape[-ndim:])
    done = [_run(plan, plane, None if masks is None else masks[i]) for i, plane in enumerate(planes)]
    whole = done[0] if len(done) == 1 else np.stack(done)
    return whole.reshape(pixels.shape).astype(pixels.dtype, copy=False)


def _run(plan: Sequence[tuple[str, tuple[Step, ...]]], pixels: Pixels, valid: Mask | None) -> Pixels:
    for kernel, steps in plan:
        pixels = _KERNELS[kernel](pixels, steps, valid)
    return pixels


def _steps_of(name: Name, footprint: Mask, ndim: int, iterations: int = 1) -> list[Step]:
    """Return the elementary operations: all of the first kind before those of the second."""
    return [step for step in _steps(name, *_hashable(footprint, ndim)) for _ in range(iterations)]


def _hashable(footprint: Mask, ndim: int) -> tuple[bytes, tuple[int, ...]]:
    """Return bytes and shape of a footprint."""
    mask = np.asarray(footprint, bool)
    if mask.ndim != ndim or not mask.any():
        raise ParameterError(
            f"a footprint for {ndim} axes of space needs {ndim} axes and at least one pixel "
            f"(got shape {mask.shape} with {mask.sum()} pixels)"
        )
    return mask.tobytes(), mask.shape


@lru_cache  # a run meets few footprints and many tiles; to plan a step takes as long as to do it to a small tile
def _steps(name: Name, mask: bytes, shape: tuple[int, ...]) -> tuple[Step, ...]:
    given = np.frombuffer(mask, bool).reshape(shape)
    # An origin in the middle needs odd axes; scikit-image pads even ones at their start.
    footprint = np.pad(given, [(1 - size % 2, 0) for size in shape])
    first = Step(name in {"dilation", "closing"}, footprint)
    if name in {"erosion", "dilation"}:
        return (first,)
    return first, Step(not first.dilates, np.flip(footprint))


class Rule(NamedTuple):
    """A line of the table that chooses a kernel."""

    kernel: str
    dtypes: str
    """Codes of `numpy.dtype.char`; empty for any."""
    box: bool = False
    """Only for rectangles and boxes."""
    most: int | None = None
    """Only in planes, without a mask, and up to so many comparisons a pixel by OpenCV: pixels, of a box rows and
    columns."""
    a_chord: int | None = None
    """The same for so many comparisons a chord of the footprint."""
    chords: int = 0
    """Only from so many chords on."""

    def fits(self, code: str, steps: Sequence[Step], *, masked: bool) -> bool:
        """Whether the kernel is the one for these steps on pixels of a dtype."""
        if (self.dtypes and code not in self.dtypes) or (self.box and not all(step.box for step in steps)):
            return False
        count = sum(len(step.chords) for step in steps)
        if self.most is None and self.a_chord is None:
            return count >= self.chords
        work = sum(_comparisons(step) for step in steps)
        # To blank the masked pixels before OpenCV sees them takes longer than the whole of the other kernels.
        return not masked and steps[0].footprint.ndim == 2 and work <= (self.most or 0) + (self.a_chord or 0) * count


RULES = (
    Rule("opencv", "?", most=12),
    Rule("packed", "?"),
    Rule("opencv", "BHhd", box=True, most=20),
    Rule("opencv", "f", box=True, most=30),
    Rule("boxes", "", box=True, chords=3),
    Rule("opencv", "BHhfd", a_chord=5),
    Rule("chords", ""),
)
"""Which kernel does what: the first line that fits. The result is the same whichever it is.

OpenCV compares once for each pixel of a footprint, and of a rectangle for each row and column; it cannot do 8-bit
signed and 32-bit integers, and cuts 64-bit ones to 32 bits without a word. `chords` compares once for each row of a
footprint, `boxes` a few times for any box, and `packed` joins 64 pixels at once.

Time of OpenCV over that of the kernel, 2048 x 2048, one thread of a machine with AVX-512:

=============== ======= ======= ======= ======= ======= ======== ========= ========= =========
.               disk 1  disk 3  disk 7  disk 15 disk 31 square 7 square 15 square 31 square 63
=============== ======= ======= ======= ======= ======= ======== ========= ========= =========
packed, boolean 0.5     1.4     5       19      53      0.8      1.4       2.4       4
uint8           0.6     1.0     2.2     5.8     12      0.8      1.2       2.2       2.6
uint16          0.6     0.9     2.2     5.8     13      0.9      1.3       2.1       4
float32         0.6     0.7     1.8     5.1     13      0.6      1.0       1.8       3.5
float64         0.7     1.0     3       10      25      0.8      1.8       3.7       8
=============== ======= ======= ======= ======= ======= ======== ========= ========= =========

The last four columns are of `boxes`, those before of `chords`. The disks have 5, 29, 149, 709 and 3001 pixels.
"""


def chosen(dtype: np.dtype[Any], step: Step, *, masked: bool = False) -> str:
    """Return the name of the kernel that `RULES` choose for one step."""
    return _choose(dtype.char, (step,), masked=masked)


@lru_cache
def _plan(code: str, steps: tuple[Step, ...], masked: bool) -> tuple[tuple[str, tuple[Step, ...]], ...]:
    """Return which kernel does which steps. Masks are packed once for all of them, so one kernel does them all."""
    if code == "?":
        return ((_choose(code, steps, masked=masked), steps),)
    groups = groupby(steps, lambda step: _choose(code, (step,), masked=masked))
    return tuple((kernel, tuple(group)) for kernel, group in groups)


def _choose(code: str, steps: tuple[Step, ...], *, masked: bool) -> str:
    return next(rule.kernel for rule in RULES if rule.fits(code, steps, masked=masked))


@lru_cache
def _comparisons(step: Step) -> int:
    """Return how many comparisons a pixel OpenCV makes: it knows that a rectangle is a row and a column."""
    if step.box is None:
        return int(step.footprint.sum())
    return sum(last - first + 1 for first, last in step.box)


_KERNELS: dict[str, _Kernel] = {
    "boxes": boxes.transform,
    "chords": chords.transform,
    "opencv": opencv_steps.transform,
    "packed": packed.transform,
}
