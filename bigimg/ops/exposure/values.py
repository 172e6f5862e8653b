"""Numbers that describe the grey values of a whole image, exactly."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Annotated, Any

from annotated_types import Ge, Le, MinLen

from bigimg.engine.faces import composed
from bigimg.engine.kinds import opened, reduce
from bigimg.kernels.moments import Moments
from bigimg.ops.quantiles import interpolated, percentiles
from bigimg.ops.statistics import SumPowers, derive

Percent = Annotated[float, Ge(0), Le(100)]


@composed(takes="image", gives="value")
def percentile_values(
    image: Any, *, q: Annotated[Sequence[Percent], MinLen(1)] = (0.0, 25.0, 50.0, 75.0, 100.0)
) -> Any:
    """Find the grey values below which given percentages of the pixels lie.

    Parameters
    ----------
    image : array of any kind
        One set of values for all of it.
    q : sequence of float
        Percentages from 0 to 100, in any order; 50 is the median.

    Returns
    -------
    array of float64, as many as ``q``
        Lazily where the image is lazy. NaN where no pixel is valid.

    Notes
    -----
    Equal to ``numpy.percentile(image, q)`` of the whole image, without holding or sorting it: the pixels are counted by
    16 bits of their order at a time, once for 16-bit images, twice for 32 bits, four times for 64 bits. NumPy itself
    is wrong for signed integers whose difference leaves their dtype: its median of -128 and 127 as int8 is 127.5.

    Examples
    --------
    >>> import numpy as np
    >>> percentile_values(np.arange(11.0)[None], q=(5, 50))
    array([0.5, 5. ])
    """
    return derive(partial(interpolated, q=tuple(q), dtype=opened(image).pixels.dtype), percentiles(image, q))


@composed(takes="image", gives="value")
def mean_value(image: Any) -> Any:
    """Find the mean grey value.

    Parameters
    ----------
    image : array of any kind
        One value for all of it.

    Returns
    -------
    float
        Lazily where the image is lazy. NaN where no pixel is valid.

    Notes
    -----
    The exact mean, rounded once: pixels are summed without rounding. ``numpy.mean`` is near it.

    Examples
    --------
    >>> import numpy as np
    >>> mean_value(np.array([[1, 2, 6]], "uint8"))
    3.0
    """
    return derive(_mean, reduce(SumPowers(), image))


@composed(takes="image", gives="value")
def std_value(image: Any) -> Any:
    """Find the standard deviation of the grey values.

    Parameters
    ----------
    image : array of any kind
        One value for all of it.

    Returns
    -------
    float
        Of the population (``ddof=0``). Lazily where the image is lazy. NaN where no pixel is valid.

    Notes
    -----
    The root of the exact variance: pixels and their squares are summed without rounding. ``numpy.std`` is near it.

    Examples
    --------
    >>> import numpy as np
    >>> std_value(np.array([[1, 3]], "uint8"))
    1.0
    """
    return derive(_std, reduce(SumPowers(), image))


def _mean(found: Moments) -> float:
    return found.mean


def _std(found: Moments) -> float:
    return found.std
