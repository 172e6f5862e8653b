"""Geometry: resized, turned and projected images."""

from bigimg.ops.transform.sizes import downscale_local_mean, pyramid_reduce, rescale, resize

__all__ = ["downscale_local_mean", "pyramid_reduce", "rescale", "resize"]
