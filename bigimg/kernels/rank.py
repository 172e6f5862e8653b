"""Order statistics of a window: median, percentile, minimum and maximum, exact for every dtype.

`_kernel` chooses what does the work by dtype, window and mask; which one it was cannot be seen in the result.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from bigimg.core.operation import Pixels, Valid
from bigimg.errors import ParameterError
from bigimg.kernels import morphology
from bigimg.kernels._opencv import cv2
from bigimg.kernels.planes import as_planes, as_valid_planes
from bigimg.kernels.rank_classes import LARGEST, count_windows
from bigimg.kernels.rank_keys import Mask, continued, count_under, keys_of, pixels_of, rank_of
from bigimg.kernels.rank_networks import SIZES
from bigimg.kernels.rank_select import select
from bigimg.kernels.rank_sorting import sort_windows

_ALL = "u1 i1 u2 i2 u4 i4 u8 i8 f4 f8"

_SORTED = {1: 21, 2: 19, 4: 15, 8: 9}
"""Up to which width sorting is the fastest, for pixels of so many bytes."""

_SORTED_VOLUME = 7

_WORK_OF_CLASSES = 5000
"""From how much work bit by bit (bits of a pixel, times pixels of the footprint, times bytes of a counter) classes are
faster."""

_Kernel = Callable[[Pixels, Mask, float, Mask | None], Pixels]


def median(pixels: Pixels, window: int | Mask, ndim: int, valid: Valid | None = None) -> Pixels:
    """Return the median of the window about each pixel.

    Parameters
    ----------
    pixels
        (..., M, N) or (..., L, M, N), of any real dtype; the last ``ndim`` axes are spatial. float16 is computed, and
        comes back, as float32.
    window
        Width of a square or cube in pixels, odd; or a boolean footprint with its origin at ``shape // 2``.
    valid
        Which pixels count; the median is then of the valid pixels of the window, and 0 for valid pixels that have none
        under their footprint.

    Returns
    -------
    ndarray of the shape and dtype of ``pixels``. Of an even number of pixels it is the upper of the two in the middle,
    so that it is always a value of the image.

    Notes
    -----
    As ``scipy.ndimage.median_filter(pixels, size, footprint, mode="reflect")``. Negative zeros count, and come out, as
    zeros.

    Examples
    --------
    >>> median(np.array([[1, 9, 2, 3, 4]], np.uint8), 3, 2)
    array([[1, 2, 3, 3, 4]], dtype=uint8)
    """
    return percentile(pixels, 50.0, window, ndim, valid)


def percentile(pixels: Pixels, percentile: float, window: int | Mask, ndim: int, valid: Valid | None = None) -> Pixels:
    """Return the value of the window about each pixel that ``percentile`` percent of its pixels come before.

    Parameters, border and mask are those of `median`; of ``n`` pixels that count it is the one of rank
    ``int(n * percentile / 100)``, at most ``n - 1``.

    Notes
    -----
    As ``scipy.ndimage.percentile_filter(pixels, percentile, size, footprint, mode="reflect")``.

    Examples
    --------
    >>> percentile(np.array([[1, 9, 2, 3, 4]], np.uint8), 100, 3, 2)
    array([[9, 9, 9, 4, 4]], dtype=uint8)
    """
    if not 0 <= percentile <= 100:
        raise ParameterError(f"percentile must be from 0 to 100 (got {percentile})")
    if percentile in {0, 100}:
        return (minimum if percentile == 0 else maximum)(pixels, window, ndim, valid)
    footprint = _footprint(window, ndim)
    planes = _without_negative_zeros(as_planes(pixels, ndim, _ALL))
    valids = None if valid is None else as_valid_planes(valid, pixels, ndim)
    kernel = _kernel(planes.dtype, footprint, percentile, masked=valids is not None)
    out = np.empty_like(planes)
    for index in range(len(planes) if planes.size else 0):
        out[index] = kernel(planes[index], footprint, percentile, None if valids is None else valids[index])
    return (out.view(bool) if pixels.dtype == bool else out).reshape(pixels.shape)


def minimum(pixels: Pixels, window: int | Mask, ndim: int, valid: Valid | None = None) -> Pixels:
    """Return the least pixel of the window about each pixel.

    Parameters, border and mask are those of `median`.

    Notes
    -----
    As ``scipy.ndimage.minimum_filter(pixels, size, footprint, mode="reflect")``.

    Examples
    --------
    >>> minimum(np.array([[1, 9, 2, 3, 4]], np.uint8), 3, 2)
    array([[1, 1, 2, 2, 3]], dtype=uint8)
    """
    return _extreme(pixels, window, ndim, valid, morphology.erode)


def maximum(pixels: Pixels, window: int | Mask, ndim: int, valid: Valid | None = None) -> Pixels:
    """Return the greatest pixel of the window about each pixel.

    Parameters, border and mask are those of `median`.

    Notes
    -----
    As ``scipy.ndimage.maximum_filter(pixels, size, footprint, mode="reflect")``.

    Examples
    --------
    >>> maximum(np.array([[1, 9, 2, 3, 4]], np.uint8), 3, 2)
    array([[9, 9, 9, 4, 4]], dtype=uint8)
    """
    return _extreme(pixels, window, ndim, valid, morphology.dilate)


def _kernel(dtype: np.dtype[Any], footprint: Mask, percentile: float, *, masked: bool) -> _Kernel:
    """Choose by measurement: nanoseconds for a pixel of 1024 x 1024, one thread of a machine with AVX-512.

    ============== ===== ===== ===== ===== ===== ===== ===== ==========================================================
    .              3     5     7     9     15    21    31
    ============== ===== ===== ===== ===== ===== ===== ===== ==========================================================
    OpenCV, uint8  0.1   0.8   28    29    30    30    25    no mask; uint16 and float32 only up to 5 (1 and 3 ns)
    sorting, uint8 1.2   2.6   5.7   8.4   23    49    .     no mask; time goes with the bytes of a pixel
    sorting, 16    1.5   3.9   7.8   12    34    65    .
    sorting, 32    3.5   7.9   15    24    65    130   .
    bits, uint16   7     16    29    40    96    190   394   any footprint; time goes with its pixels, and with the
                                                             square of the bytes of one
    classes, 16    .     .     .     65    70    75    80    squares; time hardly depends on the dtype
    ============== ===== ===== ===== ===== ===== ===== ===== ==========================================================
    """
    size, square = footprint.shape[-1], len(set(footprint.shape)) == 1 and bool(footprint.all())
    if square and not masked:
        code = dtype.str[1:]
        known = (size in {3, 5} and code in {"u1", "u2", "f4"}) or (code == "u1" and 15 < size < 256)
        if footprint.ndim == 2 and percentile == 50 and known:
            return _by_opencv
        largest = _SORTED[dtype.itemsize] if footprint.ndim == 2 else _SORTED_VOLUME
        if size in SIZES and size <= largest:
            return _by_sorting
    counter = 1 if footprint.size < 256 else 2
    work = 8 * dtype.itemsize * footprint.size * max(dtype.itemsize, counter)
    if square and footprint.ndim == 2 and size <= LARGEST and work > _WORK_OF_CLASSES:
        return _by_classes
    return _by_bits


def _by_opencv(plane: Pixels, footprint: Mask, _percentile: float, _valid: Mask | None) -> Pixels:
    size = len(footprint)
    half = size // 2
    # OpenCV would repeat the outermost pixel
    padded = cv2.copyMakeBorder(plane, half, half, half, half, cv2.BORDER_REFLECT)
    return np.asarray(cv2.medianBlur(padded, size)[half:-half, half:-half])


def _by_sorting(pixels: Pixels, footprint: Mask, percentile: float, _valid: Mask | None) -> Pixels:
    keys = continued(keys_of(pixels), _reach(footprint))
    size, layers = footprint.shape[-1], footprint.shape[0] if footprint.ndim == 3 else 1
    found = sort_windows(keys.reshape((1, *keys.shape)[-3:]), size, layers, rank_of(footprint.size, percentile))
    return pixels_of(found.reshape(pixels.shape), pixels.dtype)


def _by_classes(pixels: Pixels, footprint: Mask, percentile: float, valid: Mask | None) -> Pixels:
    reach = _reach(footprint)
    known = None if valid is None else continued(valid, reach)
    found, empty = count_windows(continued(keys_of(pixels), reach), len(footprint), percentile, known)
    return np.where(empty, pixels.dtype.type(0), pixels_of(found, pixels.dtype))


def _by_bits(pixels: Pixels, footprint: Mask, percentile: float, valid: Mask | None) -> Pixels:
    reach = _reach(footprint)
    keys = continued(keys_of(pixels), reach)
    if valid is None:
        found = select(keys, footprint, rank_of(int(footprint.sum()), percentile), None)
        return pixels_of(found, pixels.dtype)
    known = continued(valid, reach)
    count = count_under(known, footprint)
    found = select(keys, footprint, rank_of(count, percentile), known)
    return np.where(count > 0, pixels_of(found, pixels.dtype), pixels.dtype.type(0))


def _extreme(
    pixels: Pixels, window: int | Mask, ndim: int, valid: Valid | None, morph: Callable[..., Pixels]
) -> Pixels:
    footprint = _footprint(window, ndim)
    planes = _without_negative_zeros(as_planes(pixels, ndim, _ALL))
    planes = planes.view(bool) if pixels.dtype == bool else planes
    valids = None if valid is None else as_valid_planes(valid, pixels, ndim)
    if not planes.size:
        return planes.reshape(pixels.shape).copy()
    inside = (slice(None),) * planes.ndim
    if not _reflects_into_itself(footprint):
        reach = _reach(footprint)
        inside = (slice(None), *(slice(far, far + n) for far, n in zip(reach, planes.shape[1:])))
        planes = continued(planes, (0, *reach))
        valids = None if valids is None else continued(valids, (0, *reach))
    found = np.asarray(morph(planes, footprint, ndim, valids))[inside]
    if valids is not None and not footprint[_reach(footprint)]:
        found = np.where(morphology.dilate(valids, footprint, ndim)[inside], found, found.dtype.type(0))
    return found.reshape(pixels.shape)


def _reflects_into_itself(footprint: Mask) -> bool:
    """Whether what is reflected at a border lies under the footprint anyway: each line of it is a run about its middle.

    Minimum and maximum may then leave the outside of the image alone. So it is with squares, disks and crosses.
    """
    for axis, size in enumerate(footprint.shape):
        outwards = np.moveaxis(footprint, axis, 0)[size // 2 :]
        if (np.diff(outwards.astype(np.int8), axis=0) > 0).any() or (footprint != np.flip(footprint, axis)).any():
            return False
    return True


def _footprint(window: int | Mask, ndim: int) -> Mask:
    """Return the window as a footprint of odd size along each axis."""
    if isinstance(window, np.ndarray):
        if window.ndim != ndim or not window.any():
            raise ParameterError(
                f"a footprint for {ndim} axes of space needs {ndim} axes and at least one pixel "
                f"(got shape {window.shape} with {np.count_nonzero(window)} pixels)"
            )
        return np.pad(window.astype(bool), [(0, 1 - size % 2) for size in window.shape])
    if window < 1 or window % 2 == 0:
        raise ParameterError(f"size must be an odd number of pixels, at least 1 (got {window})")
    return np.ones((window,) * ndim, bool)


def _reach(footprint: Mask) -> tuple[int, ...]:
    return tuple(size // 2 for size in footprint.shape)


def _without_negative_zeros(planes: Pixels) -> Pixels:
    # one zero, not two of the same value and different bits
    return planes + planes.dtype.type(0) if planes.dtype.kind == "f" else planes
