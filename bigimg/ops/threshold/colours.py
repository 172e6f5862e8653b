"""Thresholds of colours: which pixels lie in a range of each channel."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Strict

from bigimg.core.operation import Pixels, Valid
from bigimg.engine.faces import composed, tilewise
from bigimg.errors import ParameterError
from bigimg.kernels import comparison
from bigimg.ops.color.spaces import rgb2hsv, rgb2lab

Colour = Annotated[tuple[float, float, float], Strict(False)]

_SPACES = {"hsv": rgb2hsv, "lab": rgb2lab}


@composed(takes="image", gives="mask")
def color_range(image: Any, *, low: Colour, high: Colour, space: Literal["rgb", "hsv", "lab"] = "rgb") -> Any:
    """Say which pixels have a colour within a range, its ends included.

    Parameters
    ----------
    image : (..., 3, M, N) array of any kind
        Red, green, blue: integers over the range of their dtype, or floats from 0 to 1.
    low, high : (float, float, float)
        The least and the greatest value of each channel of ``space``. Hue is a circle: a range from 0.9 to 0.1 is that
        of reds.
    space : {"rgb", "hsv", "lab"}
        What the values are of: ``"rgb"`` as stored; ``"hsv"`` in 0..1 each, as :func:`~bigimg.color.rgb2hsv`; ``"lab"``
        as :func:`~bigimg.color.rgb2lab`.

    Returns
    -------
    (..., M, N) boolean array

    Raises
    ------
    ParameterError
        If the range of a channel is empty.

    Notes
    -----
    Equal to comparing each channel of ``image``, ``skimage.color.rgb2hsv(image)`` or ``skimage.color.rgb2lab(image)``;
    of the last up to rounding.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.array([[[250, 20]], [[10, 20]], [[10, 20]]], "uint8")
    >>> color_range(image, low=(0.9, 0.5, 0.5), high=(0.1, 1, 1), space="hsv")
    array([[ True, False]])
    """
    for number, (least, most) in enumerate(zip(low, high)):
        if least > most and not (space == "hsv" and number == 0):
            raise ParameterError(
                f"threshold.color_range: low must not be above high in any channel (got {least:g} and {most:g} in "
                f"channel {number} of {space})"
            )
    converted = _SPACES[space](image) if space in _SPACES else image
    return _within(converted, low=low, high=high)


@tilewise(dtype="bool", gives="mask", drops_channels=True, scratch=4)
def _within(image: Pixels, *, low: Colour, high: Colour, valid: Valid | None = None) -> Pixels:  # noqa: ARG001
    """Say which pixels lie between ``low`` and ``high`` in every channel; around the end where ``low`` is above."""
    if image.shape[-3] != 3:
        raise ParameterError(f"threshold.color_range needs 3 channels (got {image.shape[-3]})")
    inside = None
    for number, (least, most) in enumerate(zip(low, high)):
        channel = image[..., number, :, :]
        if least > most:
            fits = comparison.between(channel, least, float("inf")) | comparison.between(channel, float("-inf"), most)
        else:
            fits = comparison.between(channel, least, most)
        inside = fits if inside is None else inside & fits
    assert inside is not None
    return inside
