"""Charts of the report, as the coordinates an inline SVG draws."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

WIDTH, HEIGHT = 460.0, 170.0
_MOST_BINS = 230


@dataclass(frozen=True)
class HistogramChart:
    """A histogram on a logarithmic scale, so that few bright pixels show beside many dark ones."""

    path: str
    """The area, in a drawing of ``WIDTH`` x ``HEIGHT``."""

    ticks: tuple[tuple[float, str], ...]
    """Where the marks of the horizontal axis stand, and what they say."""

    threshold: float | None
    """Where the threshold stands, if it is in the drawing."""

    threshold_text: str

    @property
    def label_anchor(self) -> str:
        """Which end of the threshold's label stands at its line, so that it stays inside."""
        return "end" if self.threshold is not None and self.threshold > WIDTH * 0.6 else "start"

    @classmethod
    def of(cls, counts: NDArray[Any], edges: NDArray[Any], threshold: float | None) -> HistogramChart:
        """Return the chart of ``counts`` between ``edges``; empty ends are cut off, many bins are merged."""
        counts, edges = _merged(*_trimmed(np.asarray(counts), np.asarray(edges, float)))
        low, high = float(edges[0]), float(edges[-1])
        span = high - low or 1.0
        heights = np.log1p(counts.astype(float))
        heights = HEIGHT * (1 - heights / (heights.max() or 1.0))
        across = (edges - low) / span * WIDTH
        steps = [f"V{top:.1f}H{right:.1f}" for top, right in zip(heights, across[1:])]
        at = None if threshold is None else (threshold - low) / span * WIDTH
        return cls(
            path=f"M0 {HEIGHT:.0f}{''.join(steps)}V{HEIGHT:.0f}Z",
            ticks=tuple(((value - low) / span * WIDTH, number(value)) for value in ticks(low, high)),
            threshold=at if at is not None and 0 <= at <= WIDTH else None,
            threshold_text="" if threshold is None else number(threshold),
        )


def ticks(low: float, high: float, most: int = 7) -> list[float]:
    """Return at most ``most`` round numbers between ``low`` and ``high``.

    Examples
    --------
    >>> ticks(0, 255)
    [0.0, 50.0, 100.0, 150.0, 200.0, 250.0]
    """
    if not high > low:
        return [low]
    rough = (high - low) / (most - 1)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough)
    first = math.ceil(low / step)
    return [index * step for index in range(first, math.floor(high / step) + 1)]


def number(value: float) -> str:
    """Return a number with four digits that count.

    Examples
    --------
    >>> number(1234567), number(0.123456), number(12.0), number(1e-7)
    ('1,234,567', '0.1235', '12', '1e-07')
    """
    if not math.isfinite(value):
        return str(value)
    if float(value).is_integer() and abs(value) < 1e15:
        return f"{int(value):,}"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.4g}"


def _trimmed(counts: NDArray[Any], edges: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    used = np.flatnonzero(counts)
    if used.size == 0:
        return counts, edges
    return counts[used[0] : used[-1] + 1], edges[used[0] : used[-1] + 2]


def _merged(counts: NDArray[Any], edges: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    size = -(-counts.size // _MOST_BINS)
    starts = np.arange(0, counts.size, size)
    return np.add.reduceat(counts, starts), np.append(edges[starts], edges[-1])
