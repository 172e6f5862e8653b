"""Eigenvalues of the symmetric matrix at each pixel, and what says of them that the pixel lies on a ridge.

All in float64, pixel by pixel, whatever the dtype of the matrices.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

Elements = NDArray[Any]
"""(3, n) or (6, n): the upper triangles of n matrices of 2 x 2 or 3 x 3, by rows."""

_SWEEPS = 12
_CONVERGED = 1e-12
"""Beside the diagonal, of what is on it: the eigenvalues are then off by at most this, and mostly by its square."""

_SMALLEST = 1e-10
"""What eigenvalues of the wrong sign count as in Frangi's measure, as in scikit-image."""


@njit(nogil=True, cache=True)
def add_frangi(out: NDArray[Any], elements: Elements, sign: float, alpha: float, beta: float, gamma: float) -> None:
    """Raise ``out`` to Frangi's vesselness where that is larger."""
    planar = elements.shape[0] == 3
    for pixel in range(out.shape[0]):
        first, second, third = _eigenvalues(elements, pixel, sign)
        norm = first * first + second * second + third * third
        if planar:
            small, large = (second, first) if abs(second) <= abs(first) else (first, second)
            blob = abs(small) / max(large, _SMALLEST)
            value = np.exp(-blob * blob / (2 * beta * beta))
        else:
            small, middle, large = _by_size(first, second, third)
            middle, large = max(middle, _SMALLEST), max(large, _SMALLEST)
            plate = middle / large
            blob = abs(small) / np.sqrt(middle * large)
            value = (1 - np.exp(-plate * plate / (2 * alpha * alpha))) * np.exp(-blob * blob / (2 * beta * beta))
        if value > 0:
            value *= 1 - np.exp(-norm / (2 * gamma * gamma))
        out[pixel] = max(out[pixel], out.dtype.type(value))


@njit(nogil=True, cache=True)
def add_sato(out: NDArray[Any], elements: Elements, sign: float, sigma: float) -> None:
    """Raise ``out`` to Sato's tubeness where that is larger."""
    planar = elements.shape[0] == 3
    for pixel in range(out.shape[0]):
        first, second, _ = _eigenvalues(elements, pixel, sign)
        value = max(first, 0.0) if planar else np.sqrt(max(first, 0.0) * max(second, 0.0))
        out[pixel] = max(out[pixel], out.dtype.type(sigma * sigma * value))


@njit(nogil=True, cache=True)
def add_meijering(out: NDArray[Any], elements: Elements, sign: float, alpha: float, largest: float) -> None:
    """Raise ``out`` to Meijering's neuriteness, divided by the ``largest`` of the image, where that is larger."""
    planar = elements.shape[0] == 3
    for pixel in range(out.shape[0]):
        first, second, third = _eigenvalues(elements, pixel, sign)
        if planar:
            one, two, three = first + alpha * second, second + alpha * first, 0.0
        else:
            one = first + alpha * (second + third)
            two = second + alpha * (first + third)
            three = third + alpha * (first + second)
        value = one if abs(one) >= abs(two) else two
        value = value if abs(value) >= abs(three) else three
        out[pixel] = max(out[pixel], out.dtype.type(max(value, 0.0) / largest))


@njit(nogil=True, cache=True)
def norms(out: NDArray[Any], elements: Elements) -> None:
    """Fill ``out`` with the root of the sum of the squares of the eigenvalues, which need not be known for it."""
    for pixel in range(out.shape[0]):
        a, b, c = elements[0, pixel], elements[1, pixel], elements[2, pixel]
        if elements.shape[0] == 3:
            out[pixel] = np.sqrt(a * a + 2 * b * b + c * c)
        else:
            d, e, f = elements[3, pixel], elements[4, pixel], elements[5, pixel]
            out[pixel] = np.sqrt(a * a + d * d + f * f + 2 * (b * b + c * c + e * e))


@njit(nogil=True, cache=True)
def _by_size(a: float, b: float, c: float) -> tuple[float, float, float]:
    """Return the three by their absolute value."""
    if abs(b) < abs(a):
        a, b = b, a
    if abs(c) < abs(b):
        b, c = c, b
    if abs(b) < abs(a):
        a, b = b, a
    return a, b, c


@njit(nogil=True, cache=True)
def _eigenvalues(elements: Elements, pixel: int, sign: float) -> tuple[float, float, float]:
    """Return the eigenvalues of the matrix of one pixel times ``sign``, from the largest; of 2 x 2 the third is 0."""
    a, b, c = sign * elements[0, pixel], sign * elements[1, pixel], sign * elements[2, pixel]
    if elements.shape[0] == 3:
        middle = (a + c) / 2
        apart = np.sqrt(b * b + ((a - c) / 2) ** 2)
        return middle + apart, middle - apart, 0.0
    d, e, f = sign * elements[3, pixel], sign * elements[4, pixel], sign * elements[5, pixel]
    # Rotations, each of which makes one element beside the diagonal zero (Jacobi): exact to the last digits, also of
    # eigenvalues that lie close together, where the closed formula loses half of its digits.
    for _ in range(_SWEEPS):
        if abs(b) + abs(c) + abs(e) <= _CONVERGED * (abs(a) + abs(d) + abs(f)):
            break
        a, d, b, c, e = _rotated(a, d, b, c, e)
        a, f, c, b, e = _rotated(a, f, c, b, e)
        d, f, e, b, c = _rotated(d, f, e, b, c)
    if a < d:
        a, d = d, a
    if d < f:
        d, f = f, d
    if a < d:
        a, d = d, a
    return a, d, f


@njit(nogil=True, cache=True)
def _rotated(p: float, q: float, between: float, beside_p: float, beside_q: float) -> tuple[Any, ...]:
    """Return diagonal, 0, and what is beside it, after the rotation that takes ``between`` away."""
    if between == 0:
        return p, q, 0.0, beside_p, beside_q
    ratio = (q - p) / (2 * between)
    tangent = (1.0 if ratio >= 0 else -1.0) / (abs(ratio) + np.sqrt(ratio * ratio + 1))
    cosine = 1 / np.sqrt(tangent * tangent + 1)
    sine = tangent * cosine
    turned = cosine * beside_p - sine * beside_q
    return p - tangent * between, q + tangent * between, 0.0, turned, sine * beside_p + cosine * beside_q
