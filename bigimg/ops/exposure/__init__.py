"""Grey values: their range and their histogram."""

from bigimg.ops.exposure.intensity import rescale_intensity

__all__ = [
    "rescale_intensity",
]
