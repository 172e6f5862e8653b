"""Masks made thin: skeletons."""

from __future__ import annotations

from collections.abc import Callable

from bigimg.core.operation import Pixels, Valid
from bigimg.core.parameters import Count
from bigimg.core.tile import Tile
from bigimg.engine.faces import tilewise
from bigimg.errors import ImageError
from bigimg.kernels import skeleton as kernel


def _two_an_iteration(max_iterations: int) -> int:
    return 2 * max_iterations


def _two_an_iteration_done(max_num_iter: int | None, max_iterations: int) -> int:
    return 2 * (max_iterations if max_num_iter is None else max_num_iter)


@tilewise(halo=_two_an_iteration, takes="mask", gives="mask", accepts="b", scratch=4)
def skeletonize(
    mask: Pixels, *, max_iterations: Count = 32, valid: Valid | None = None, tile: Tile | None = None
) -> Pixels:
    """Thin objects to lines of one pixel in their middle, of the same connectivity.

    Parameters
    ----------
    mask : (..., M, N) boolean array
    max_iterations : int
        How many times a layer of pixels may be peeled off: about half the thickness of the thickest object, in pixels,
        and a few more. A tile reads two pixels an iteration beyond its own.

    Returns
    -------
    (..., M, N) boolean array
        What lies beyond the border of the image is background, and so are pixels that are not valid.

    Raises
    ------
    ImageError
        If an object is too thick: if the last of ``max_iterations`` iterations still took a pixel away.

    Notes
    -----
    Equal to ``skimage.morphology.skeletonize(mask, method="zhang")`` of the whole image, however it is cut. The method
    repeats one rule for all pixels at once until nothing changes, and the rule looks one pixel far, twice an iteration.
    So after ``max_iterations`` iterations a pixel depends on what lies at most ``2 * max_iterations`` away, and that is
    what its tile sees. If no tile loses one of its own pixels in the last iteration, the image as a whole did not
    change in it, nor would it ever again. If one does, the error says so: there is no result that depends on the tiles.

    For planes only: the three-dimensional thinning of scikit-image (``method="lee"``) visits the pixels one by one and
    takes each away in the light of those before it, so that a cut, which changes the order, changes the skeleton.

    References
    ----------
    T. Y. Zhang and C. Y. Suen, "A fast parallel algorithm for thinning digital patterns", Communications of the ACM 27
    (1984); with scikit-image's own rules for pixels of two and three neighbours.

    Examples
    --------
    >>> import numpy as np
    >>> from bigimg import morphology
    >>> morphology.skeletonize(np.ones((3, 7), bool)).astype(int)
    array([[0, 0, 0, 0, 0, 1, 0],
           [1, 1, 1, 1, 1, 0, 0],
           [0, 0, 0, 0, 0, 0, 0]])
    """
    return _finished("skeletonize", kernel.skeletonize, mask, max_iterations, valid, tile)


@tilewise(halo=_two_an_iteration_done, takes="mask", gives="mask", accepts="b", scratch=4)
def thin(
    mask: Pixels,
    *,
    max_num_iter: Count | None = None,
    max_iterations: Count = 32,
    valid: Valid | None = None,
    tile: Tile | None = None,
) -> Pixels:
    """Peel objects a given number of times, or until they are lines.

    Parameters
    ----------
    mask : (..., M, N) boolean array
    max_num_iter : int, optional
        Stop after so many iterations. By default go on until nothing changes.
    max_iterations : int
        Where ``max_num_iter`` is not given: how many iterations that may take; see :func:`skeletonize`.

    Returns
    -------
    (..., M, N) boolean array
        What lies beyond the border of the image is background, and so are pixels that are not valid.

    Raises
    ------
    ImageError
        If ``max_num_iter`` is not given and the last of ``max_iterations`` iterations still took a pixel away.

    Notes
    -----
    Equal to ``skimage.morphology.thin(mask, max_num_iter)`` of the whole image, however it is cut, for the reason given
    for :func:`skeletonize`. Its lines have more and longer branches than those of :func:`skeletonize`.

    References
    ----------
    Z. Guo and R. W. Hall, "Parallel thinning with two-subiteration algorithms", Communications of the ACM 32 (1989);
    L. Lam, S.-W. Lee and C. Y. Suen, "Thinning methodologies: a comprehensive survey", IEEE TPAMI 14 (1992).

    Examples
    --------
    >>> import numpy as np
    >>> from bigimg import morphology
    >>> morphology.thin(np.ones((4, 6), bool), max_num_iter=1).astype(int)
    array([[0, 0, 0, 0, 0, 0],
           [0, 1, 1, 1, 1, 0],
           [0, 1, 1, 1, 1, 0],
           [0, 0, 0, 0, 0, 0]])
    """
    if max_num_iter is not None:
        return kernel.thin(mask if valid is None else mask & valid, max_num_iter)[0]
    return _finished("thin", kernel.thin, mask, max_iterations, valid, tile)


def _finished(
    name: str,
    thinned: Callable[[Pixels, int], tuple[Pixels, Pixels]],
    mask: Pixels,
    max_iterations: int,
    valid: Valid | None,
    tile: Tile | None,
) -> Pixels:
    """Return the lines of ``mask``, or say that the tile has pixels of its own that are not lines yet."""
    lines, late = thinned(mask if valid is None else mask & valid, max_iterations)
    rows, columns = (slice(None), slice(None)) if tile is None else tile.crop[-2:]
    if late[..., rows, columns].any():
        raise ImageError(
            f"morphology.{name}: an object is thicker than max_iterations={max_iterations} iterations can thin; it "
            f"takes about half the thickness of the thickest object, in pixels: set max_iterations to that and 2 more "
            f"(at least {2 * max_iterations} here is worth a try; a tile then reads {4 * max_iterations} pixels beyond "
            "its own), or remove what is not meant to be thinned first"
        )
    return lines
