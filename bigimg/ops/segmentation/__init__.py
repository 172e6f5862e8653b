"""Segmentation: images cut into labelled regions."""

from bigimg.ops.segmentation.expansion import expand_labels
from bigimg.ops.segmentation.flooding import watershed
from bigimg.ops.segmentation.splitting import split_touching

__all__ = [
    "expand_labels",
    "split_touching",
    "watershed",
]
