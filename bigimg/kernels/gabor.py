"""Gabor filters: a wave under a Gaussian, after which a pixel says how much of that wave is about it."""

from __future__ import annotations

from math import ceil, cos, log, pi, sin, sqrt
from typing import Literal

import numpy as np

from bigimg.core.operation import Pixels, Valid
from bigimg.kernels.convolution import convolve
from bigimg.kernels.taps import Weights

Part = Literal["real", "imaginary", "magnitude"]


def gabor(pixels: Pixels, real: Weights, imaginary: Weights, part: Part, valid: Valid | None = None) -> Pixels:
    """Return a part of the response of planes to a Gabor filter.

    Parameters
    ----------
    pixels
        (..., M, N), of any real dtype.
    real, imaginary
        The weights, by :func:`gabor_weights`.
    part
        Which part; the magnitude is the root of the sum of the squares of the two others.
    valid
        Which pixels count; see :mod:`bigimg.kernels.convolution` for what stands for the others.

    Returns
    -------
    ndarray of the shape of ``pixels``, of float32 for float32 and float16, else of float64.
    """
    if part == "real":
        return convolve(pixels, real, 2, valid)
    result = convolve(pixels, imaginary, 2, valid)
    if part == "magnitude":
        result *= result
        other = convolve(pixels, real, 2, valid)
        other *= other
        result += other
        np.sqrt(result, out=result)
    return result


def gabor_weights(
    frequency: float, theta: float, sigma_x: float, sigma_y: float, n_stds: float, offset: float
) -> tuple[Weights, Weights]:
    """Return the weights of the real and of the imaginary part, as ``skimage.filters.gabor_kernel``.

    Examples
    --------
    >>> real, imaginary = gabor_weights(0.25, 0.0, 1.0, 1.0, 1.0, 0.0)
    >>> real.round(2)
    array([[0.  , 0.1 , 0.  ],
           [0.  , 0.16, 0.  ],
           [0.  , 0.1 , 0.  ]])
    """
    rows, columns = gabor_radius(theta, sigma_x, sigma_y, n_stds)
    y = np.arange(-rows, rows + 1)[:, None]
    x = np.arange(-columns, columns + 1)
    along, across = x * cos(theta) + y * sin(theta), y * cos(theta) - x * sin(theta)
    bell = np.exp(-0.5 * (along**2 / sigma_x**2 + across**2 / sigma_y**2)) / (2 * pi * sigma_x * sigma_y)
    phase = 2 * pi * frequency * along + offset
    return bell * np.cos(phase), bell * np.sin(phase)


def gabor_radius(theta: float, sigma_x: float, sigma_y: float, n_stds: float) -> tuple[int, int]:
    """Return how far the weights reach along the rows and the columns axis.

    Examples
    --------
    >>> gabor_radius(0.0, 1.0, 2.0, 3.0)
    (6, 3)
    """
    c, s = abs(cos(theta)) * n_stds, abs(sin(theta)) * n_stds
    return ceil(max(sigma_y * c, sigma_x * s, 1)), ceil(max(sigma_x * c, sigma_y * s, 1))


def gabor_sigma(frequency: float, bandwidth: float) -> float:
    """Return the standard deviation that gives a filter of ``frequency`` a bandwidth in octaves.

    Examples
    --------
    >>> round(gabor_sigma(0.1, 1.0), 3)
    5.622
    """
    return sqrt(log(2) / 2) / pi * (2**bandwidth + 1) / (2**bandwidth - 1) / frequency
