"""Geometry: resized, turned and projected images."""

from bigimg.ops.transform.projections import project, temporal_median
from bigimg.ops.transform.sizes import downscale_local_mean, pyramid_reduce, rescale, resize
from bigimg.ops.transform.turns import affine, flip, rot90, rotate

__all__ = [
    "affine",
    "downscale_local_mean",
    "flip",
    "project",
    "pyramid_reduce",
    "rescale",
    "resize",
    "rot90",
    "rotate",
    "temporal_median",
]
