"""Ridges: lines that are darker or brighter than what lies on both sides of them, at several widths.

Each width has its matrix of second derivatives (:func:`bigimg.kernels.gaussian_derivatives.hessian`); of the answers of
all widths the largest remains.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from bigimg.core.finite import all_finite
from bigimg.core.operation import Pixels, Valid
from bigimg.kernels import eigenvalues
from bigimg.kernels.gaussian_derivatives import hessian
from bigimg.kernels.planes import read_only


def frangi(
    pixels: Pixels,
    sigmas: Sequence[float],
    alpha: float,
    beta: float,
    gamma: float,
    black_ridges: bool,
    ndim: int,
    valid: Valid | None = None,
) -> Pixels:
    """Return Frangi's vesselness: 0 to 1.

    Notes
    -----
    As ``skimage.filters.frangi(pixels, sigmas, alpha=alpha, beta=beta, gamma=gamma, black_ridges=black_ridges)``.

    Examples
    --------
    >>> frangi(np.eye(5), [1.0], 0.5, 0.5, 0.1, False, 2).round(1).diagonal()
    array([0.5, 0.8, 1. , 0.8, 0.5])
    """
    sign = 1.0 if black_ridges else -1.0
    return _largest(
        pixels,
        sigmas,
        ndim,
        valid,
        lambda out, elements, _: eigenvalues.add_frangi(out, elements, sign, alpha, beta, gamma),
    )


def sato(pixels: Pixels, sigmas: Sequence[float], black_ridges: bool, ndim: int, valid: Valid | None = None) -> Pixels:
    """Return Sato's tubeness, in grey values.

    Notes
    -----
    As ``skimage.filters.sato(pixels, sigmas, black_ridges)``.

    Examples
    --------
    >>> sato(np.eye(5), [1.0], False, 2).round(1).diagonal()
    array([0.2, 0.3, 0.3, 0.3, 0.2])
    """
    sign = 1.0 if black_ridges else -1.0
    return _largest(
        pixels,
        sigmas,
        ndim,
        valid,
        lambda out, elements, index: eigenvalues.add_sato(out, elements, sign, float(sigmas[index])),
    )


def meijering(
    pixels: Pixels,
    sigmas: Sequence[float],
    alpha: float,
    largest: Sequence[float],
    black_ridges: bool,
    ndim: int,
    valid: Valid | None = None,
) -> Pixels:
    """Return Meijering's neuriteness, divided by the ``largest`` of each of the sigmas.

    Notes
    -----
    As ``skimage.filters.meijering(pixels, sigmas, alpha, black_ridges)``, which finds the largest by itself.

    Examples
    --------
    >>> meijering(np.eye(5), [1.0], 1 / 3, [0.3], False, 2).round(1).diagonal()
    array([0.5, 0.8, 0.9, 0.8, 0.5])
    """
    sign = 1.0 if black_ridges else -1.0
    return _largest(
        pixels,
        sigmas,
        ndim,
        valid,
        lambda out, elements, index: eigenvalues.add_meijering(out, elements, sign, alpha, float(largest[index])),
    )


def hessian_norm(pixels: Pixels, sigma: float, ndim: int, valid: Valid | None = None) -> Pixels:
    """Return the root of the sum of the squares of the second derivatives, mixed ones twice.

    Examples
    --------
    >>> hessian_norm(np.eye(5), 1.0, 2).round(1).diagonal()
    array([0.2, 0.3, 0.3, 0.3, 0.2])
    """
    return _largest(pixels, [sigma], ndim, valid, lambda out, elements, _: eigenvalues.norms(out, elements))


def _largest(
    pixels: Pixels,
    sigmas: Sequence[float],
    ndim: int,
    valid: Valid | None,
    raise_to: Callable[[Pixels, Pixels, int], None],
) -> Pixels:
    """Return 0 raised to the measure of each of the sigmas."""
    out, lost = None, None
    for index, elements in enumerate(_hessians(pixels, sigmas, ndim, valid)):
        if out is None:
            out = np.zeros(elements.shape[1], elements.dtype)
        raise_to(out, elements, index)
        if not all_finite(elements):
            beyond = ~np.isfinite(elements).all(axis=0)
            lost = beyond if lost is None else lost | beyond
    assert out is not None, "at least one sigma"
    if lost is not None:
        out[lost] = np.nan  # comparisons have taken it for nothing
    return out.reshape(pixels.shape)


def _hessians(pixels: Pixels, sigmas: Sequence[float], ndim: int, valid: Valid | None) -> Iterator[Pixels]:
    for sigma in sigmas:
        elements = hessian(pixels, sigma, ndim, valid)
        yield read_only(elements.reshape(len(elements), -1))
