"""Erosion, dilation and what is made of them, for every dtype, in 2-D and 3-D, with any footprint.

Results equal ``skimage.morphology`` 0.26 with ``mode="ignore"``: pixels outside the image take part in nothing. (With
disks, squares, crosses, balls and cubes scikit-image's default mode gives the same.) As there, the origin of a
footprint is its middle, and of an even axis the element before the middle; erosion and dilation look at the same
neighbours, and the second half of an opening or closing at the mirrored ones.

Three kernels do the work, and `_kernel` chooses; which one cannot be seen in the result.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from bigimg.core.footprint import reach_beyond
from bigimg.errors import ImageError, ParameterError
from bigimg.kernels import chords, packed
from bigimg.kernels._opencv import cv2
from bigimg.kernels.chords import Mask, Step
from bigimg.kernels.planes import as_valid_planes

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


def white_tophat(pixels: Pixels, footprint: Mask, ndim: int, valid: Mask | None = None) -> Pixels:
    """Return what an opening takes away, ``pixels - opening``, as ``skimage.morphology.white_tophat``.

    Parameters, shapes and errors are those of `erode`. Of booleans: ``pixels & ~opening``. Differences that do not fit
    into a signed integer dtype wrap around, as NumPy's do.

    Examples
    --------
    >>> white_tophat(np.array([[1, 9, 1, 8, 8, 8, 1]], np.uint8), np.ones((1, 3), bool), ndim=2)
    array([[0, 8, 0, 0, 0, 0, 0]], dtype=uint8)
    """
    return _difference(pixels, opening(pixels, footprint, ndim, valid))


def black_tophat(pixels: Pixels, footprint: Mask, ndim: int, valid: Mask | None = None) -> Pixels:
    """Return what a closing adds, ``closing - pixels``, as ``skimage.morphology.black_tophat``.

    Parameters, shapes and errors are those of `erode`. Of booleans: ``closing & ~pixels``. Differences that do not fit
    into a signed integer dtype wrap around, as NumPy's do.

    Examples
    --------
    >>> black_tophat(np.array([[9, 1, 9, 2, 2, 2, 9]], np.uint8), np.ones((1, 3), bool), ndim=2)
    array([[0, 8, 0, 0, 0, 0, 0]], dtype=uint8)
    """
    return _difference(closing(pixels, footprint, ndim, valid), pixels)


def gradient(pixels: Pixels, footprint: Mask, ndim: int, valid: Mask | None = None) -> Pixels:
    """Return the range of the neighbours of each pixel: dilation - erosion; of booleans, where they differ.

    Parameters, shapes and errors are those of `erode`. The range of signed integers comes as unsigned integers of as
    many bytes, which hold it. Where no neighbour takes part it is 0.

    Examples
    --------
    >>> gradient(np.array([[-100, 100, 100, 100]], np.int8), np.ones((1, 3), bool), ndim=2)
    array([[200, 200,   0,   0]], dtype=uint8)
    """
    low, high = erode(pixels, footprint, ndim, valid), dilate(pixels, footprint, ndim, valid)
    if pixels.dtype.kind == "b":
        return high & ~low
    if pixels.dtype.kind == "i":
        # Of a difference modulo 2^n the unsigned reading is right, whatever the signs were.
        whole = gradient_dtype(pixels.dtype)
        return np.subtract(high.view(whole), low.view(whole), out=np.zeros(pixels.shape, whole), where=high >= low)
    with np.errstate(over="ignore"):
        return np.subtract(high, low, out=np.zeros_like(high), where=high > low)


def gradient_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Return the dtype of a `gradient`: that of the image, and unsigned for signed integers."""
    return np.dtype(dtype.str.replace("i", "u")) if dtype.kind == "i" else dtype


def hit_or_miss(pixels: Mask, hit: Mask, miss: Mask | None, ndim: int) -> Mask:
    """Return where all pixels of ``hit`` are True and all of ``miss`` False, as ``scipy.ndimage.binary_hit_or_miss``.

    Parameters
    ----------
    pixels
        Boolean, (..., M, N) or, with ``ndim=3``, (..., P, M, N); what lies outside is False.
    hit, miss
        Footprints; without ``miss`` no pixel has to be False.
    ndim
        2 or 3: how many of the last axes are space.

    Examples
    --------
    >>> hit_or_miss(np.array([[1, 1, 0, 1]], bool), np.array([[1]], bool), np.array([[0, 0, 1]], bool), ndim=2)
    array([[False,  True, False,  True]])
    """
    found = erode(pixels, hit, ndim)
    # Erosion leaves out what lies outside the image, as if it were True: there nothing can be hit.
    for axis, (before, behind) in zip(range(-ndim, 0), reach_beyond(np.asarray(hit, bool))):
        along = np.moveaxis(found, axis, 0)
        along[:before] = False
        along[max(0, len(along) - behind) :] = False
    return found if miss is None else found & erode(~pixels, miss, ndim)


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
    kernel = _kernel(native.dtype, steps, masked=masks is not None)
    planes = native.reshape(-1, *pixels.shape[-ndim:])
    done = [kernel(plane, steps, None if masks is None else masks[i]) for i, plane in enumerate(planes)]
    whole = done[0] if len(done) == 1 else np.stack(done)
    return whole.reshape(pixels.shape).astype(pixels.dtype, copy=False)


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


def _difference(upper: Pixels, lower: Pixels) -> Pixels:
    if upper.dtype.kind == "b":
        return upper & ~lower
    # inf - inf is NaN in scikit-image too; at invalid pixels nobody looks.
    with np.errstate(invalid="ignore", over="ignore"):
        return (upper - lower).astype(upper.dtype, copy=False)


_OPENCV_DTYPES = frozenset("?BHhfd")
"""What cv2.erode can do, booleans as numbers. Others it rejects, but 64-bit integers it silently cuts to 32 bits."""


def _kernel(dtype: np.dtype[Any], steps: Sequence[Step], *, masked: bool) -> _Kernel:
    """Choose by measurement: OpenCV compares once for each pixel of a footprint, the other kernels once for each chord.

    Time of OpenCV over that of the other kernel, 2048 x 2048, one thread of a machine with AVX-512:

    =============== ======= ======= ======= ======= ======= ========= =============================================
    .               disk 1  disk 2  disk 3  disk 7  disk 31 square 31
    =============== ======= ======= ======= ======= ======= ========= =============================================
    packed, boolean 0.5     1.0     1.7     6       50      2.3       packing costs as much as 12 pixels of a
                                                                      footprint, 64 pixels at once nearly nothing
    chords, uint8   0.3     0.5     0.8     1.8     11      0.6       a chord costs as much as 5 pixels
    chords, float32 0.6     0.6     0.7     1.9     13      0.8
    =============== ======= ======= ======= ======= ======= ========= =============================================
    """
    own = packed.transform if dtype.kind == "b" else chords.transform
    # To blank the masked pixels before OpenCV sees them takes longer than the whole of the other kernels.
    if masked or dtype.char not in _OPENCV_DTYPES or steps[0].footprint.ndim == 3:
        return own
    work = sum(_opencv_work(step) for step in steps)
    return _opencv if work <= (8 if dtype.kind == "b" else 5 * sum(len(step.chords) for step in steps)) else own


@lru_cache
def _opencv_work(step: Step) -> int:
    """Return how many comparisons a pixel OpenCV makes: it knows that a rectangle is a row and a column."""
    footprint = step.footprint
    inner = footprint[np.ix_(footprint.any(axis=1), footprint.any(axis=0))]
    return sum(inner.shape) if inner.all() else int(inner.sum())


def _opencv(pixels: Pixels, steps: Sequence[Step], _valid: Mask | None) -> Pixels:
    """Apply the steps to (rows, columns) with OpenCV; its own default border is the largest float, not infinity."""
    numbers: Any = pixels.view(np.uint8) if pixels.dtype.kind == "b" else pixels
    for step in steps:
        operation = cv2.dilate if step.dilates else cv2.erode
        outside = (_neutral(pixels.dtype, step.dilates),) * 4
        kernel = step.footprint.view(np.uint8)
        numbers = operation(numbers, kernel, borderType=cv2.BORDER_CONSTANT, borderValue=outside)
    if pixels.dtype.kind == "f":
        # Which of -0.0 and 0.0 OpenCV returns depends on where the tile was cut; the sum of -0.0 and 0.0 is 0.0.
        numbers += 0.0
    return numbers.view(pixels.dtype)


def _neutral(dtype: np.dtype[Any], dilates: bool) -> float:
    """Return the value that changes no maximum, or no minimum."""
    if dtype.kind == "f":
        return -np.inf if dilates else np.inf
    if dtype.kind == "b":
        return 0 if dilates else 1
    limits = np.iinfo(dtype)
    return limits.min if dilates else limits.max
