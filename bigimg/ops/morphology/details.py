"""What erosion and dilation leave out: top-hats, gradients, and patterns in masks."""

from __future__ import annotations

from typing import Any

import numpy as np

from bigimg.core.footprint import Footprint, Mask
from bigimg.core.operation import Pixels, Valid
from bigimg.core.parameters import Dims
from bigimg.engine.faces import tilewise
from bigimg.errors import ParameterError
from bigimg.kernels import details
from bigimg.ops.morphology.basic import reach_of


def _once(footprint: Mask, dims: Dims) -> tuple[int, ...]:
    return reach_of(footprint, dims, 1)


def _twice(footprint: Mask, dims: Dims) -> tuple[int, ...]:
    return reach_of(footprint, dims, 2)


def _of_both(footprint: Mask, miss: Mask | None, dims: Dims) -> tuple[int, ...]:
    hit = reach_of(footprint, dims, 1)
    return hit if miss is None else tuple(map(max, hit, reach_of(miss, dims, 1)))


def gradient_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Return the dtype of a morphological gradient: unsigned where the image has signed integers."""
    return details.gradient_dtype(dtype)


@tilewise(halo=_twice, gives="same", scratch=16, grey_values=())
def white_tophat(image: Pixels, footprint: Footprint, *, dims: Dims = "yx", valid: Valid | None = None) -> Pixels:
    """Return the bright details that an opening removes.

    Parameters
    ----------
    image : (..., M, N) array of booleans, integers or floats
    footprint : array of 0 and 1
        Which neighbours take part; see :func:`erosion`.
    dims : {"yx", "zyx"}
        Work on each plane by itself, or on the volume with a 3-D footprint.

    Returns
    -------
    (..., M, N) array of the dtype of the image
        Pixels beyond the border of the image, and pixels that are not valid, take no part.

    Notes
    -----
    Equal to ``skimage.morphology.white_tophat(image, footprint, mode="ignore")``. Of signed integers, a difference that
    does not fit the dtype wraps around, as there.

    Examples
    --------
    >>> import numpy as np
    >>> from bigimg import morphology
    >>> morphology.white_tophat(np.array([[1, 1, 1], [1, 9, 1], [1, 1, 1]]), morphology.square(3))[1, 1]
    np.int64(8)
    """
    return details.white_tophat(image, footprint, len(dims), valid=valid)


@tilewise(halo=_twice, gives="same", scratch=16, grey_values=())
def black_tophat(image: Pixels, footprint: Footprint, *, dims: Dims = "yx", valid: Valid | None = None) -> Pixels:
    """Return the dark details that a closing fills.

    Parameters
    ----------
    image : (..., M, N) array of booleans, integers or floats
    footprint : array of 0 and 1
        Which neighbours take part; see :func:`erosion`.
    dims : {"yx", "zyx"}
        Work on each plane by itself, or on the volume with a 3-D footprint.

    Returns
    -------
    (..., M, N) array of the dtype of the image
        Pixels beyond the border of the image, and pixels that are not valid, take no part.

    Notes
    -----
    Equal to ``skimage.morphology.black_tophat(image, footprint, mode="ignore")``. Of signed integers, a difference that
    does not fit the dtype wraps around, as there.

    Examples
    --------
    >>> import numpy as np
    >>> from bigimg import morphology
    >>> morphology.black_tophat(np.array([[9, 9, 9], [9, 1, 9], [9, 9, 9]]), morphology.square(3))[1, 1]
    np.int64(8)
    """
    return details.black_tophat(image, footprint, len(dims), valid=valid)


@tilewise(halo=_once, dtype=gradient_dtype, gives="same", scratch=16, grey_values=())
def gradient(image: Pixels, footprint: Footprint, *, dims: Dims = "yx", valid: Valid | None = None) -> Pixels:
    """Return the range of the values within the footprint: edges are bright.

    Parameters
    ----------
    image : (..., M, N) array of booleans, integers or floats
    footprint : array of 0 and 1
        Which neighbours take part; see :func:`erosion`.
    dims : {"yx", "zyx"}
        Work on each plane by itself, or on the volume with a 3-D footprint.

    Returns
    -------
    (..., M, N) array of the dtype of the image, of the unsigned one of the same size for signed integers
        Pixels beyond the border of the image, and pixels that are not valid, take no part. Of a mask: where the
        footprint holds both values.

    Notes
    -----
    Equal to ``skimage.morphology.dilation(image, footprint, mode="ignore")`` less the ``erosion``, without overflow:
    -100 and 100 in ``int8`` are 200 apart. SciPy's ``morphological_gradient`` reflects the image at its border.

    References
    ----------
    J.-F. Rivest, P. Soille, S. Beucher, "Morphological gradients", Journal of Electronic Imaging 2 (1993).

    Examples
    --------
    >>> import numpy as np
    >>> from bigimg import morphology
    >>> morphology.gradient(np.array([[1, 1, 1, 7, 7]]), morphology.rectangle(1, 3))
    array([[0, 0, 6, 6, 0]], dtype=uint64)
    """
    return details.gradient(image, footprint, len(dims), valid)


@tilewise(halo=_of_both, takes="mask", gives="mask", accepts="b", scratch=6)
def hit_or_miss(
    mask: Pixels,
    footprint: Footprint,
    *,
    miss: Footprint | None = None,
    dims: Dims = "yx",
    valid: Valid | None = None,
) -> Pixels:
    """Find a pattern: where all pixels of one footprint are foreground and all of another background.

    Parameters
    ----------
    mask : (..., M, N) boolean array
    footprint : array of 0 and 1
        The pixels that must be foreground; see :func:`erosion`.
    miss : array of 0 and 1, optional
        The pixels that must be background; by default those of the rectangle that ``footprint`` leaves out.
    dims : {"yx", "zyx"}
        Work on each plane by itself, or on the volume with 3-D footprints.

    Returns
    -------
    (..., M, N) boolean array
        The centres of the patterns. What lies beyond the border of the image is background, and so are pixels that are
        not valid.

    Raises
    ------
    ParameterError
        If a pixel is in both footprints: no image has such a pattern.

    Notes
    -----
    Equal to ``scipy.ndimage.binary_hit_or_miss(mask, footprint, miss)`` where the sizes of the footprints are odd; of
    an even axis SciPy takes the element behind the middle as the centre, and this package the one before it.

    References
    ----------
    J. Serra, "Image Analysis and Mathematical Morphology" (1982), chapter II.

    Examples
    --------
    >>> import numpy as np
    >>> from bigimg import morphology
    >>> corner = np.array([[0, 0, 0], [0, 1, 1], [0, 1, 1]])
    >>> mask = np.array([[0, 0, 0, 0], [0, 1, 1, 1], [0, 1, 1, 1]], bool)
    >>> np.argwhere(morphology.hit_or_miss(mask, corner))
    array([[1, 1]])
    """
    if miss is None:
        rest = ~footprint
        miss = rest if rest.any() else None
    elif _overlap(footprint, miss):
        raise ParameterError(
            "morphology.hit_or_miss: footprint and miss share a pixel, which would have to be foreground and background"
        )
    return details.hit_or_miss(mask if valid is None else mask & valid, footprint, miss, len(dims))


def _overlap(footprint: Mask, other: Mask) -> bool:
    """Whether two footprints share a pixel when their centres lie on one another."""
    own, others = [], []
    for size, other_size in zip(footprint.shape, other.shape):
        ahead = (size - 1) // 2 - (other_size - 1) // 2
        own.append(slice(max(0, ahead), max(0, ahead + other_size)))
        others.append(slice(max(0, -ahead), max(0, size - ahead)))
    return bool((footprint[tuple(own)] & other[tuple(others)]).any())
