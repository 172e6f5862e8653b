"""Segmentation: images cut into labelled regions."""

from bigimg.ops.segmentation.expansion import expand_labels
from bigimg.ops.segmentation.flooding import watershed

__all__ = [
    "expand_labels",
    "watershed",
]
