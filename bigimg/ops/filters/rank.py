"""Rank filters: an order statistic of the neighbourhood."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Ge, Le

from bigimg.core.footprint import Footprint, Mask, reach
from bigimg.core.isotropic import Window
from bigimg.core.operation import Pixels, Valid
from bigimg.core.parameters import Dims
from bigimg.engine.faces import tilewise
from bigimg.errors import ParameterError
from bigimg.kernels import rank


def _halo(size: int | None, footprint: Mask | None, dims: Dims) -> tuple[int, ...]:
    window = _window(size, footprint, dims)
    return (window // 2,) * len(dims) if isinstance(window, int) else reach(window)


def _window(size: int | None, footprint: Mask | None, dims: Dims) -> int | Mask:
    if footprint is None and size is not None:
        return size
    if footprint is None or size is not None:
        given = "neither" if size is None else f"size={size} and a footprint"
        raise ParameterError(
            f"a rank filter needs either size, such as size=3, or footprint, such as disk(2) (got {given})"
        )
    if footprint.ndim != len(dims):
        raise ParameterError(
            f"dims={dims!r} needs a footprint of {len(dims)} axes (got one of {footprint.ndim}); "
            "for a volume give dims='zyx' and a footprint such as ball(3)"
        )
    return footprint


@tilewise(halo=_halo, scratch=32)
def median(
    image: Pixels,
    *,
    size: Window | None = None,
    footprint: Footprint | None = None,
    dims: Dims = "yx",
    valid: Valid | None = None,
) -> Pixels:
    """Replace each pixel by the median of its neighbourhood.

    Parameters
    ----------
    image : (..., M, N) array of booleans, integers or floats
    size : int or length, optional
        Side of the square (cubic) neighbourhood: an odd number of pixels, or a length such as ``"9 um"``. Give either
        this or a footprint.
    footprint : array of 0 and 1, optional
        Which neighbours take part: ``disk(radius)``, ``ball(radius)``, or any array; its centre is at ``size // 2``
        along each axis.
    dims : {"yx", "zyx"}
        Filter each plane by itself, or the volume.

    Returns
    -------
    (..., M, N) array of the dtype of the image
        Pixels beyond the border of the image are reflected (``d c b a | a b c d``). Pixels that are not valid take no
        part. Of an even number of values the upper of the middle two is taken, so that it is always one of them; where
        there are none the result is 0.

    Notes
    -----
    Equal to ``scipy.ndimage.median_filter(image, size, footprint, mode="reflect")``.

    Examples
    --------
    >>> import numpy as np
    >>> from bigimg import filters
    >>> filters.median(np.array([[1, 1, 1], [1, 9, 1], [1, 1, 1]]), size=3)[1, 1]
    np.int64(1)
    """
    return rank.median(image, _window(size, footprint, dims), len(dims), valid=valid)


@tilewise(halo=_halo, scratch=32)
def percentile(
    image: Pixels,
    *,
    percentile: Annotated[float, Ge(0), Le(100)],
    size: Window | None = None,
    footprint: Footprint | None = None,
    dims: Dims = "yx",
    valid: Valid | None = None,
) -> Pixels:
    """Replace each pixel by a percentile of its neighbourhood.

    Parameters
    ----------
    image : (..., M, N) array of booleans, integers or floats
    percentile : float
        From 0, the minimum, to 100, the maximum; 50 is the median.
    size : int or length, optional
        Side of the square (cubic) neighbourhood: an odd number of pixels, or a length such as ``"9 um"``. Give either
        this or a footprint.
    footprint : array of 0 and 1, optional
        Which neighbours take part; see :func:`median`.
    dims : {"yx", "zyx"}
        Filter each plane by itself, or the volume.

    Returns
    -------
    (..., M, N) array of the dtype of the image
        Of ``n`` neighbours in ascending order, number ``int(n * percentile / 100)``, counted from 0; the last at 100.
        Pixels beyond the border of the image are reflected (``d c b a | a b c d``). Pixels that are not valid take no
        part; where there are no others the result is 0.

    Notes
    -----
    Equal to ``scipy.ndimage.percentile_filter(image, percentile, size, footprint, mode="reflect")``.

    Examples
    --------
    >>> import numpy as np
    >>> from bigimg import filters
    >>> filters.percentile(np.arange(9).reshape(3, 3), percentile=25, size=3)[1, 1]
    np.int64(2)
    """
    return rank.percentile(image, percentile, _window(size, footprint, dims), len(dims), valid=valid)


@tilewise(halo=_halo, scratch=4)
def minimum(
    image: Pixels,
    *,
    size: Window | None = None,
    footprint: Footprint | None = None,
    dims: Dims = "yx",
    valid: Valid | None = None,
) -> Pixels:
    """Replace each pixel by the smallest of its neighbourhood.

    Parameters
    ----------
    image : (..., M, N) array of booleans, integers or floats
    size : int or length, optional
        Side of the square (cubic) neighbourhood: an odd number of pixels, or a length such as ``"9 um"``. Give either
        this or a footprint.
    footprint : array of 0 and 1, optional
        Which neighbours take part; see :func:`median`.
    dims : {"yx", "zyx"}
        Filter each plane by itself, or the volume.

    Returns
    -------
    (..., M, N) array of the dtype of the image
        Pixels beyond the border of the image are reflected (``d c b a | a b c d``). Pixels that are not valid take no
        part; where there are no others the result is 0.

    Notes
    -----
    Equal to ``scipy.ndimage.minimum_filter(image, size, footprint, mode="reflect")``. With a square, a disk or another
    footprint whose lines are runs about their middle it is an erosion; with others it differs from one at the border.

    Examples
    --------
    >>> import numpy as np
    >>> from bigimg import filters
    >>> filters.minimum(np.array([[5, 3, 4, 9]]), size=3)
    array([[3, 3, 3, 4]])
    """
    return rank.minimum(image, _window(size, footprint, dims), len(dims), valid=valid)


@tilewise(halo=_halo, scratch=4)
def maximum(
    image: Pixels,
    *,
    size: Window | None = None,
    footprint: Footprint | None = None,
    dims: Dims = "yx",
    valid: Valid | None = None,
) -> Pixels:
    """Replace each pixel by the largest of its neighbourhood.

    Parameters
    ----------
    image : (..., M, N) array of booleans, integers or floats
    size : int or length, optional
        Side of the square (cubic) neighbourhood: an odd number of pixels, or a length such as ``"9 um"``. Give either
        this or a footprint.
    footprint : array of 0 and 1, optional
        Which neighbours take part; see :func:`median`.
    dims : {"yx", "zyx"}
        Filter each plane by itself, or the volume.

    Returns
    -------
    (..., M, N) array of the dtype of the image
        Pixels beyond the border of the image are reflected (``d c b a | a b c d``). Pixels that are not valid take no
        part; where there are no others the result is 0.

    Notes
    -----
    Equal to ``scipy.ndimage.maximum_filter(image, size, footprint, mode="reflect")``. With a square, a disk or another
    footprint whose lines are runs about their middle it is a dilation; with others it differs from one at the border.

    Examples
    --------
    >>> import numpy as np
    >>> from bigimg import filters
    >>> filters.maximum(np.array([[5, 3, 4, 9]]), size=3)
    array([[5, 5, 9, 9]])
    """
    return rank.maximum(image, _window(size, footprint, dims), len(dims), valid=valid)
