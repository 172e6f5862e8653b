"""Grey values: their range and their spread."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BeforeValidator, Strict

from bigimg.core.operation import Pixels, Valid
from bigimg.core.parameters import is_deferred
from bigimg.engine.faces import composed, tilewise
from bigimg.engine.kinds import opened, reduce
from bigimg.errors import ParameterError
from bigimg.kernels import intensity
from bigimg.kernels.planes import smoothed_dtype
from bigimg.ops.exposure.values import Percent, percentile_values
from bigimg.ops.statistics import Extrema, SumPowers, derive


def _listed(given: Any) -> Any:
    return tuple(given.tolist()) if isinstance(given, np.ndarray) and given.ndim else given


def _in_range(given: Any) -> Any:
    return _word_or_pair(given, "image", "dtype")


def _out_range(given: Any) -> Any:
    return _word_or_pair(given, "dtype")


def _word_or_pair(given: Any, *words: str) -> Any:
    """Return what is one of the words or two numbers; a union by itself would speak of the words alone."""
    ends = _listed(given)
    pair = isinstance(ends, (tuple, list)) and len(ends) == 2 and all(isinstance(end, (int, float)) for end in ends)
    if not pair and not (isinstance(given, str) and given in words):
        raise ValueError(f"must be {' or '.join(map(repr, words))}, or two numbers, (low, high)")
    return ends


Range = Annotated[tuple[float, float], Strict(False), BeforeValidator(_listed)]


@tilewise(dtype=lambda _, dtype: np.dtype(dtype), scratch=8)
def _rescale(
    image: Pixels,
    *,
    in_range: Any,
    out_range: Range | None,
    dtype: str,
    valid: Valid | None = None,  # noqa: ARG001 - a pixel stands alone
) -> Pixels:
    """Scale grey values from one range to another."""
    low, high = in_range if in_range is not None and not np.isnan(in_range).all() else (0.0, 1.0)
    bottom, top = out_range or _limits(image.dtype, signed=low < 0)
    return intensity.rescale(image, low, high, bottom, top, np.dtype(dtype))


@composed(takes="image", gives="image")
def rescale_intensity(
    image: Any,
    *,
    in_range: Annotated[Literal["image", "dtype"] | Range, BeforeValidator(_in_range)] = "image",
    out_range: Annotated[Literal["dtype"] | Range, BeforeValidator(_out_range)] = (0.0, 1.0),
) -> Any:
    """Stretch or shrink the grey values to a range.

    Parameters
    ----------
    image : array of any kind
    in_range : "image", "dtype" or (low, high)
        The grey values that become the ends of the output range; values outside are clipped. ``"image"`` takes the
        smallest and largest valid value of the whole image; ``"dtype"`` the range of the dtype, -1 to 1 for floats. A
        lazy pair, as of :func:`percentile_values`, is taken when it is known.
    out_range : "dtype" or (low, high)
        ``"dtype"`` keeps the dtype of the image and fills its range, from 0 where ``in_range`` has no negative value.
        Floats range from 0 (or -1) to 1.

    Returns
    -------
    array of the same kind and shape
        float32 for float32 images, else float64; or the dtype of the image for ``out_range="dtype"``, the fractions of
        integers cut off.

    Notes
    -----
    Equal to ``skimage.exposure.rescale_intensity``, which has ``out_range="dtype"`` by default. An image of one grey
    value becomes that value, clipped to the output range.

    Examples
    --------
    >>> import numpy as np
    >>> rescale_intensity(np.array([[10, 20, 30]], "uint8"))
    array([[0. , 0.5, 1. ]])
    """
    dtype = opened(image).pixels.dtype
    for name, ends in (("in_range", in_range), ("out_range", out_range)):
        if isinstance(ends, str) or is_deferred(ends):
            continue
        if ends[0] > ends[1]:
            raise ParameterError(f"exposure.rescale_intensity: {name} must rise (got {ends})")
        most = float(np.finfo(smoothed_dtype(dtype) if name == "out_range" else np.float64).max)
        if not max(map(abs, ends)) <= most:
            raise ParameterError(
                f"exposure.rescale_intensity: {name} must lie within +-{most:.3g} for an image of {dtype} (got {ends})"
            )
    source: Any = in_range
    if isinstance(in_range, str):
        source = derive(_floats, reduce(Extrema(), image)) if in_range == "image" else _limits(dtype, signed=True)
    if isinstance(out_range, str):
        return _rescale(image, in_range=source, out_range=None, dtype=dtype.name)
    return _rescale(image, in_range=source, out_range=out_range, dtype=smoothed_dtype(dtype).name)


@composed(takes="image", gives="image")
def normalize(
    image: Any,
    *,
    percentiles: Annotated[tuple[Percent, Percent], Strict(False)] = (0.0, 100.0),
    clip: bool = True,
) -> Any:
    """Bring the grey values of a whole image to 0..1, from its smallest to its largest or between two percentiles.

    Parameters
    ----------
    image : array of any kind
        One range for all of it.
    percentiles : (low, high)
        Percentiles, from 0 to 100, that become 0 and 1. ``(0, 100)`` are the smallest and the largest value.
    clip : bool
        Whether values beyond the percentiles become 0 and 1; else they lie outside 0..1.

    Returns
    -------
    array of the same kind and shape, float32 for float32 images, else float64
        0 where the two percentiles are equal, as in an image of one grey value. Pixels that are not valid take no part
        in the percentiles.

    Raises
    ------
    ParameterError
        If the percentiles do not rise.

    Notes
    -----
    ``(image - low) / (high - low)`` with the percentiles of ``numpy.percentile(image, percentiles)``, which are exact
    (see :func:`percentile_values`).

    Examples
    --------
    >>> import numpy as np
    >>> normalize(np.array([[10, 20, 30]], "uint8"))
    array([[0. , 0.5, 1. ]])
    >>> normalize(np.arange(5.0)[None], percentiles=(25, 75), clip=False)
    array([[-0.5,  0. ,  0.5,  1. ,  1.5]])
    """
    if percentiles[0] >= percentiles[1]:
        raise ParameterError(f"exposure.normalize: percentiles must rise (got {percentiles})")
    whole = percentiles == (0, 100)
    ends = derive(_floats, reduce(Extrema(), image) if whole else percentile_values(image, q=percentiles))
    return _normalize(image, ends=ends, clip=clip)


@tilewise(dtype=smoothed_dtype, scratch=8)
def _normalize(image: Pixels, *, ends: Any, clip: bool, valid: Valid | None = None) -> Pixels:  # noqa: ARG001
    """Scale grey values between two of them to 0..1."""
    dtype = smoothed_dtype(image.dtype)
    if ends is None or not ends[0] < ends[1]:
        return np.zeros(image.shape, dtype)
    return intensity.rescale(image, ends[0], ends[1], 0, 1, dtype, clip=clip, wide=True)


@composed(takes="image", gives="image")
def standardize(image: Any) -> Any:
    """Bring the grey values of a whole image to a mean of 0 and a standard deviation of 1.

    Parameters
    ----------
    image : array of any kind
        One mean and one deviation for all of it.

    Returns
    -------
    array of the same kind and shape, float32 for float32 images, else float64
        ``(image - mean) / std``; 0 for an image of one grey value. Pixels that are not valid take no part in the two.

    Notes
    -----
    The mean and the deviation (of the population: ``ddof=0``) are rounded once, from exact sums; see
    :func:`mean_value` and :func:`std_value`.

    Examples
    --------
    >>> import numpy as np
    >>> standardize(np.array([[1, 3]], "uint8"))
    array([[-1.,  1.]])
    """
    return _standardize(image, moments=reduce(SumPowers(), image))


@tilewise(dtype=smoothed_dtype, scratch=8)
def _standardize(image: Pixels, *, moments: Any, valid: Valid | None = None) -> Pixels:  # noqa: ARG001
    """Subtract the mean and divide by the standard deviation."""
    return intensity.standardize(image, moments.mean, moments.std, smoothed_dtype(image.dtype))


@tilewise(scratch=0)
def invert(image: Pixels, *, signed_float: bool = False, valid: Valid | None = None) -> Pixels:  # noqa: ARG001
    """Make bright dark and dark bright.

    Parameters
    ----------
    image : (..., M, N) array of booleans, integers or floats
    signed_float : bool
        Whether floats range from -1 to 1 instead of 0 to 1.

    Returns
    -------
    (..., M, N) array of the dtype of the image
        The largest value of an unsigned dtype less the image; -1 less the image for signed integers; 1 less the image
        for floats, or its negative; the opposite of booleans.

    Notes
    -----
    Equal to ``skimage.util.invert``.

    Examples
    --------
    >>> import numpy as np
    >>> invert(np.array([[0, 55, 255]], "uint8"))
    array([[255, 200,   0]], dtype=uint8)
    """
    return intensity.invert(image, signed_float=signed_float)


def _limits(dtype: np.dtype[Any], *, signed: bool) -> tuple[float, float]:
    if dtype.kind in "iu":
        info = np.iinfo(dtype)
        return float(info.min) if signed else 0.0, float(info.max)
    return -1.0 if signed and dtype.kind == "f" else 0.0, 1.0


def _floats(extrema: tuple[Any, Any] | None) -> tuple[float, float] | None:
    # Percentiles of no pixel are NaN.
    return None if extrema is None or np.isnan(extrema[0]) else (float(extrema[0]), float(extrema[1]))
