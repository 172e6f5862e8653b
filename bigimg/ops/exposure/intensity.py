"""Grey values: their range."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Strict

from bigimg.core.operation import Pixels, Valid
from bigimg.engine.faces import composed, tilewise
from bigimg.engine.kinds import opened, reduce
from bigimg.errors import ParameterError
from bigimg.kernels import intensity
from bigimg.kernels.planes import smoothed_dtype
from bigimg.ops.statistics import Extrema, derive

Range = Annotated[tuple[float, float], Strict(False)]


@tilewise(dtype=lambda _, dtype: np.dtype(dtype), scratch=8)
def _rescale(
    image: Pixels,
    *,
    in_range: Any,
    out_range: Range,
    dtype: str,
    valid: Valid | None = None,  # noqa: ARG001
) -> Pixels:
    """Scale grey values from one range to another."""
    low, high = in_range or (0.0, 1.0)
    return intensity.rescale(image, low, high, *out_range, np.dtype(dtype))


@composed(takes="image", gives="image")
def rescale_intensity(
    image: Any,
    *,
    in_range: Literal["image", "dtype"] | Range = "image",
    out_range: Literal["dtype"] | Range = (0.0, 1.0),
) -> Any:
    """Stretch or shrink the grey values to a range.

    Parameters
    ----------
    image : array of any kind
    in_range : "image", "dtype" or (low, high)
        The grey values that become the ends of the output range; values outside are clipped. ``"image"`` takes the
        smallest and largest valid value of the whole image.
    out_range : "dtype" or (low, high)
        ``"dtype"`` keeps the dtype of the image and fills its range.

    Returns
    -------
    array of the same kind and shape
        float32 for float32 images, else float64; or the dtype of the image for ``out_range="dtype"``.

    Notes
    -----
    As ``skimage.exposure.rescale_intensity``; an image of one grey value becomes the low end.

    Examples
    --------
    >>> import numpy as np
    >>> rescale_intensity(np.array([[10, 20, 30]], "uint8"))
    array([[0. , 0.5, 1. ]])
    """
    dtype = opened(image).pixels.dtype
    for name, ends in (("in_range", in_range), ("out_range", out_range)):
        if not isinstance(ends, str) and ends[0] > ends[1]:
            raise ParameterError(f"exposure.rescale_intensity: {name} must rise (got {ends})")
    limits = _limits(dtype)
    source = (
        derive(_floats, reduce(Extrema(), image))
        if in_range == "image"
        else limits
        if in_range == "dtype"
        else in_range
    )
    if out_range == "dtype":
        return _rescale(image, in_range=source, out_range=limits, dtype=dtype.name)
    return _rescale(image, in_range=source, out_range=out_range, dtype=smoothed_dtype(dtype).name)


def _limits(dtype: np.dtype[Any]) -> Range:
    if dtype.kind in "iu":
        info = np.iinfo(dtype)
        return float(info.min), float(info.max)
    return 0.0, 1.0


def _floats(extrema: tuple[Any, Any] | None) -> Range | None:
    return None if extrema is None else (float(extrema[0]), float(extrema[1]))
