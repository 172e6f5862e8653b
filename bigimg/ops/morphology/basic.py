"""Erosion, dilation and what is made of them, on masks and grey values."""

from __future__ import annotations

from bigimg.core.footprint import Footprint, Mask, reach
from bigimg.core.operation import Pixels, Valid
from bigimg.core.parameters import Dims
from bigimg.engine.faces import tilewise
from bigimg.errors import ParameterError
from bigimg.kernels import morphology as kernel


def _once(footprint: Mask, dims: Dims) -> tuple[int, ...]:
    return _reach(footprint, dims, 1)


def _twice(footprint: Mask, dims: Dims) -> tuple[int, ...]:
    return _reach(footprint, dims, 2)


def _reach(footprint: Mask, dims: Dims, steps: int) -> tuple[int, ...]:
    if footprint.ndim != len(dims):
        raise ParameterError(
            f"dims={dims!r} needs a footprint of {len(dims)} axes (got one of {footprint.ndim}); "
            "for a volume give dims='zyx' and a footprint such as ball(3)"
        )
    return tuple(steps * pixels for pixels in reach(footprint))


@tilewise(halo=_once, gives="same", scratch=2)
def erosion(image: Pixels, footprint: Footprint, *, dims: Dims = "yx", valid: Valid | None = None) -> Pixels:
    """Replace each pixel by the smallest within the footprint: bright objects shrink.

    Parameters
    ----------
    image : (..., M, N) array of booleans, integers or floats
    footprint : array of 0 and 1
        Which neighbours take part: ``disk(radius)``, ``cross(radius)``, ``square(width)``, or any array; its centre is
        at ``(size - 1) // 2`` along each axis.
    dims : {"yx", "zyx"}
        Work on each plane by itself, or on the volume with a 3-D footprint.

    Returns
    -------
    (..., M, N) array of the dtype of the image
        Pixels beyond the border of the image, and pixels that are not valid, take no part.

    Notes
    -----
    Equal to ``skimage.morphology.erosion(image, footprint, mode="ignore")``.

    Examples
    --------
    >>> import numpy as np
    >>> from bigimg import morphology
    >>> morphology.erosion(np.ones((3, 4), bool), morphology.square(3)).all()
    np.True_
    """
    return kernel.erode(image, footprint, len(dims), valid=valid)


@tilewise(halo=_once, gives="same", scratch=2)
def dilation(image: Pixels, footprint: Footprint, *, dims: Dims = "yx", valid: Valid | None = None) -> Pixels:
    """Replace each pixel by the largest within the footprint: bright objects grow.

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
    Equal to ``skimage.morphology.dilation(image, footprint, mode="ignore")``.

    Examples
    --------
    >>> import numpy as np
    >>> from bigimg import morphology
    >>> morphology.dilation(np.eye(3, dtype=bool), morphology.cross(1)).astype(int)
    array([[1, 1, 0],
           [1, 1, 1],
           [0, 1, 1]])
    """
    return kernel.dilate(image, footprint, len(dims), valid=valid)


@tilewise(halo=_twice, gives="same", scratch=4)
def opening(image: Pixels, footprint: Footprint, *, dims: Dims = "yx", valid: Valid | None = None) -> Pixels:
    """Erode, then dilate: bright details that do not hold the footprint vanish.

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

    Notes
    -----
    Equal to ``skimage.morphology.opening(image, footprint, mode="ignore")``.

    Examples
    --------
    >>> import numpy as np
    >>> from bigimg import morphology
    >>> morphology.opening(np.eye(3, dtype=bool), morphology.square(3)).any()
    np.False_
    """
    return kernel.opening(image, footprint, len(dims), valid=valid)


@tilewise(halo=_twice, gives="same", scratch=4)
def closing(image: Pixels, footprint: Footprint, *, dims: Dims = "yx", valid: Valid | None = None) -> Pixels:
    """Dilate, then erode: dark details that do not hold the footprint vanish.

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

    Notes
    -----
    Equal to ``skimage.morphology.closing(image, footprint, mode="ignore")``.

    Examples
    --------
    >>> import numpy as np
    >>> from bigimg import morphology
    >>> morphology.closing(np.array([[5, 1, 5], [5, 5, 5]]), morphology.square(3))
    array([[5, 5, 5],
           [5, 5, 5]])
    """
    return kernel.closing(image, footprint, len(dims), valid=valid)


@tilewise(halo=_twice, gives="same", scratch=6)
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

    Notes
    -----
    Equal to ``skimage.morphology.white_tophat(image, footprint, mode="ignore")``.

    Examples
    --------
    >>> import numpy as np
    >>> from bigimg import morphology
    >>> morphology.white_tophat(np.array([[1, 1, 1], [1, 9, 1], [1, 1, 1]]), morphology.square(3))[1, 1]
    np.int64(8)
    """
    return kernel.white_tophat(image, footprint, len(dims), valid=valid)


@tilewise(halo=_twice, gives="same", scratch=6)
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

    Notes
    -----
    Equal to ``skimage.morphology.black_tophat(image, footprint, mode="ignore")``.

    Examples
    --------
    >>> import numpy as np
    >>> from bigimg import morphology
    >>> morphology.black_tophat(np.array([[9, 9, 9], [9, 1, 9], [9, 9, 9]]), morphology.square(3))[1, 1]
    np.int64(8)
    """
    return kernel.black_tophat(image, footprint, len(dims), valid=valid)
