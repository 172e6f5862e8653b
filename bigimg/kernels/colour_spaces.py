"""Colour spaces, pixel by pixel: HSV, CIE L*a*b*, stains (HED), CMYK, and back to RGB.

Every function takes (..., C, M, N) pixels and gives (..., D, M, N) of float32 for float32 pixels, else of float64. All
is computed in float64 and rounded once, so that float32 results are nearer to the truth than those of a chain of
float32.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from bigimg.core.operation import Pixels
from bigimg.errors import ImageError
from bigimg.kernels.planes import smoothed_dtype
from bigimg.kernels.stain import HED_FROM_RGB, RGB_FROM_HED

Table = NDArray[np.float64]

XYZ_FROM_RGB = np.array(
    [[0.412453, 0.357580, 0.180423], [0.212671, 0.715160, 0.072169], [0.019334, 0.119193, 0.950227]]
)
"""Linear sRGB to CIE XYZ, with the figures of scikit-image."""
RGB_FROM_XYZ = np.linalg.inv(XYZ_FROM_RGB)
WHITE = np.array([0.95047, 1.0, 1.08883])
"""The D65 white of the observer of 2 degrees."""

_LARGEST_TABLE = 2
"""Bytes of an integer for which a table of all values is smaller than the work it saves."""
_FARTHEST = (-1.0, 2.0)
_BLOCK = 2**13
"""Pixels converted at once: what is between the steps stays in the cache."""
_DARKEST = 1e-6
"""What no light counts as, so that its logarithm is finite."""


def rgb2hsv(pixels: Pixels) -> Pixels:
    """Return hue, saturation and value, each in 0..1."""
    _check_range(pixels)
    return _each(_hsv, pixels, 3)


def hsv2rgb(pixels: Pixels) -> Pixels:
    """Return red, green and blue in 0..1 of hue, saturation and value."""
    return _each(_from_hsv, pixels, 3)


def rgb2lab(pixels: Pixels) -> Pixels:
    """Return L* in 0..100, a* and b* of sRGB under D65."""
    _check_range(pixels)
    return _each(_lab, pixels, 3, _linear)


def lab2rgb(pixels: Pixels) -> Pixels:
    """Return sRGB in 0..1 of L*, a* and b*; colours out of its gamut are clipped. Integers are the numbers they are."""
    return _each(_from_lab, pixels.astype(smoothed_dtype(pixels.dtype)), 3)


def rgb2hed(pixels: Pixels) -> Pixels:
    """Return how much haematoxylin, eosin and DAB each pixel holds; 0 where there is none."""
    _check_range(pixels)
    return _each(_hed, pixels, 3, _absorption)


def hed2rgb(pixels: Pixels) -> Pixels:
    """Return red, green and blue in 0..1 of the three stains."""
    return _each(_from_hed, pixels, 3)


def rgb2cmyk(pixels: Pixels) -> Pixels:
    """Return cyan, magenta, yellow and black in 0..1; all of the grey is in the black."""
    _check_range(pixels)
    return _each(_cmyk, pixels, 4)


def cmyk2rgb(pixels: Pixels) -> Pixels:
    """Return red, green and blue in 0..1 of cyan, magenta, yellow and black."""
    return _each(_from_cmyk, pixels, 3, given=4)


def rgba2rgb(pixels: Pixels, background: tuple[float, float, float]) -> Pixels:
    """Return red, green and blue in 0..1 of colours with an alpha, blended onto ``background``."""
    values = _units(pixels)
    shape = (*pixels.shape[:-3], 1, *pixels.shape[-2:])
    alpha = values[..., 3, :, :].reshape(shape)
    behind = np.array(background).reshape(3, 1, 1)
    return np.clip((1 - alpha) * behind + alpha * values[..., :3, :, :], 0, 1).astype(smoothed_dtype(pixels.dtype))


def _each(
    function: Any, pixels: Pixels, gives: int, table: Callable[[Table], Table] | None = None, given: int = 3
) -> Pixels:
    """Call a compiled ``function`` of rows of channels on every image of a stack.

    ``table`` is what is done to each value first: once a value where the dtype has few of them, else once a pixel.
    """
    count = pixels.shape[-3]
    if count != given:
        raise ImageError(f"needs {given} channels, on the axis before the plane (got {count} in shape {pixels.shape})")
    stack = np.ascontiguousarray(pixels).reshape(-1, count, pixels.shape[-2] * pixels.shape[-1])
    out = np.empty((len(stack), gives, stack.shape[2]), smoothed_dtype(pixels.dtype))
    lookup = None
    if pixels.dtype.kind == "u" and pixels.dtype.itemsize <= _LARGEST_TABLE:
        every = _units(np.arange(np.iinfo(pixels.dtype).max + 1, dtype=pixels.dtype))
        lookup = every if table is None else table(every)
    for plane, target in zip(stack, out):
        for start in range(0, plane.shape[1], _BLOCK):
            part = plane[:, start : start + _BLOCK]
            if lookup is not None:
                values = lookup.take(part)
            else:
                values = _units(part) if table is None else table(_units(part))
            function(target[:, start : start + _BLOCK], values)
    return out.reshape((*pixels.shape[:-3], gives, *pixels.shape[-2:]))


def _check_range(pixels: Pixels) -> None:
    """Refuse floats that were clearly not meant as 0..1; a little beyond, as from a filter, is converted as it is."""
    if pixels.dtype.kind == "f" and pixels.size and (pixels.max() > _FARTHEST[1] or pixels.min() < _FARTHEST[0]):
        raise ImageError(
            f"colours of floating point lie in 0..1 (got {pixels.min():g} to {pixels.max():g}); divide by the white of "
            "the image first, as exposure.rescale_intensity(image, in_range=(0, 255)) does"
        )


def _units(pixels: Pixels) -> Table:
    """Return integers over the range of their dtype as 0..1, and floats as they are."""
    if pixels.dtype.kind in "iu":
        # Multiplied, as scikit-image does: the division differs in the last bit.
        return np.asarray(pixels * (1.0 / np.iinfo(pixels.dtype).max))
    return pixels.astype(np.float64)


def _linear(values: Table) -> Table:
    """Return the light of sRGB values."""
    curved: Table = np.maximum(values, 0.0)
    curved += 0.055
    curved /= 1.055
    np.power(curved, 2.4, out=curved)
    return np.where(values > 0.04045, curved, values / 12.92)


def _absorption(values: Table) -> Table:
    """Return how much light is missing, as a part of all but the darkest."""
    light: Table = np.maximum(values, _DARKEST)
    np.log(light, out=light)
    light /= np.log(_DARKEST)
    return light


@njit(nogil=True, cache=True, error_model="numpy")
def _hsv(out: Pixels, pixels: Table) -> None:
    for x in range(out.shape[1]):
        red, green, blue = pixels[0, x], pixels[1, x], pixels[2, x]
        most, least = max(red, green, blue), min(red, green, blue)
        delta = most - least
        coloured = delta > 0
        # What is chosen, not branched for, is computed for several pixels at once.
        turn = 4.0 if blue == most else (2.0 if green == most else 0.0)
        part = red - green if blue == most else (blue - red if green == most else green - blue)
        hue = (turn + part / (delta if coloured else 1.0)) / 6
        out[0, x] = hue - np.floor(hue) if coloured else 0.0
        out[1, x] = delta / most if coloured and most != 0 else 0.0  # signed integers lie below 0 too
        out[2, x] = most


@njit(nogil=True, cache=True, error_model="numpy")
def _from_hsv(out: Pixels, pixels: Table) -> None:
    for x in range(out.shape[1]):
        hue, saturation, value = (
            pixels[0, x],
            pixels[1, x],
            pixels[2, x],
        )
        sixth = np.floor(hue * 6)
        rest = hue * 6 - sixth
        p, q, t = value * (1 - saturation), value * (1 - rest * saturation), value * (1 - (1 - rest) * saturation)
        # What is beyond the whole numbers of a float has no sector, and no integer.
        sector = int(sixth) % 6 if abs(sixth) < 2.0**53 else 0
        if sector == 0:
            red, green, blue = value, t, p
        elif sector == 1:
            red, green, blue = q, value, p
        elif sector == 2:
            red, green, blue = p, value, t
        elif sector == 3:
            red, green, blue = p, q, value
        elif sector == 4:
            red, green, blue = t, p, value
        else:
            red, green, blue = value, p, q
        out[0, x], out[1, x], out[2, x] = red, green, blue


@njit(nogil=True, cache=True, inline="always", error_model="numpy")
def _lightness(light: float) -> float:
    """Return the cube root of CIE's lightness, with its straight start, for light up to 5 times white.

    Without a branch or a call, so that the compiler does several pixels at once: the cube root is the fourth root times
    its cube root, a parabola gives the latter to some per cent, and each step of Halley's method cubes the error.
    """
    fourth = np.sqrt(np.sqrt(max(light, 0.008)))
    root = fourth * (0.455326 + fourth * (0.800152 - 0.255929 * fourth))
    for _ in range(3):
        cube = root * root * root
        root = root * (cube + 2 * light) / (2 * cube + light)
    return root if light > 0.008856 else 7.787 * light + 16 / 116


@njit(nogil=True, cache=True, error_model="numpy")
def _lab(out: Pixels, pixels: Table) -> None:
    m, white = XYZ_FROM_RGB, WHITE
    roots = np.empty((3, out.shape[1]))
    for k in range(3):
        red, green, blue = m[k, 0] / white[k], m[k, 1] / white[k], m[k, 2] / white[k]
        for x in range(out.shape[1]):
            roots[k, x] = _lightness(red * pixels[0, x] + green * pixels[1, x] + blue * pixels[2, x])
    for x in range(out.shape[1]):
        out[0, x] = 116 * roots[1, x] - 16
        out[1, x] = 500 * (roots[0, x] - roots[1, x])
        out[2, x] = 200 * (roots[1, x] - roots[2, x])


@njit(nogil=True, cache=True, inline="always", error_model="numpy")
def _light(root: float) -> float:
    return root * root * root if root > 0.2068966 else (root - 16 / 116) / 7.787


@njit(nogil=True, cache=True, error_model="numpy")
def _from_lab(out: Pixels, pixels: Table) -> None:
    m, white = RGB_FROM_XYZ, WHITE
    for x in range(out.shape[1]):
        lightness, a, b = pixels[0, x], pixels[1, x], pixels[2, x]
        fy = (lightness + 16) / 116
        fx, fz = a / 500 + fy, max(fy - b / 200, 0.0)
        cx, cy, cz = _light(fx) * white[0], _light(fy) * white[1], _light(fz) * white[2]
        for k in range(3):
            light = m[k, 0] * cx + m[k, 1] * cy + m[k, 2] * cz
            value = 1.055 * light ** (1 / 2.4) - 0.055 if light > 0.0031308 else 12.92 * light
            out[k, x] = min(max(value, 0.0), 1.0)


@njit(nogil=True, cache=True, error_model="numpy")
def _hed(out: Pixels, pixels: Table) -> None:
    m = HED_FROM_RGB
    for x in range(out.shape[1]):
        red, green, blue = pixels[0, x], pixels[1, x], pixels[2, x]
        for k in range(3):
            out[k, x] = max(m[0, k] * red + m[1, k] * green + m[2, k] * blue, 0.0)


def _from_hed(out: Pixels, pixels: Table) -> None:
    light = np.empty(pixels.shape)
    _unmix(light, pixels, RGB_FROM_HED * np.log(_DARKEST))
    np.clip(np.exp(light), 0, 1, out=out)


@njit(nogil=True, cache=True, error_model="numpy")
def _unmix(out: Table, pixels: Table, weights: Table) -> None:
    for k in range(3):
        first, second, third = weights[0, k], weights[1, k], weights[2, k]
        for x in range(out.shape[1]):
            out[k, x] = first * pixels[0, x] + second * pixels[1, x] + third * pixels[2, x]


@njit(nogil=True, cache=True, error_model="numpy")
def _cmyk(out: Pixels, pixels: Table) -> None:
    for x in range(out.shape[1]):
        red, green, blue = pixels[0, x], pixels[1, x], pixels[2, x]
        most = max(red, green, blue)
        out[3, x] = 1 - most
        if most > 0:
            out[0, x], out[1, x], out[2, x] = (most - red) / most, (most - green) / most, (most - blue) / most
        else:
            out[0, x] = out[1, x] = out[2, x] = 0.0


@njit(nogil=True, cache=True, error_model="numpy")
def _from_cmyk(out: Pixels, pixels: Table) -> None:
    for x in range(out.shape[1]):
        light = 1 - pixels[3, x]
        for k in range(3):
            out[k, x] = (1 - pixels[k, x]) * light
