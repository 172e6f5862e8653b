"""Segmentation: images cut into labelled regions."""

from bigimg.ops.segmentation.boundaries import find_boundaries
from bigimg.ops.segmentation.expansion import expand_labels
from bigimg.ops.segmentation.flooding import watershed
from bigimg.ops.segmentation.relabelling import join_segmentations, relabel_sequential
from bigimg.ops.segmentation.selection import clear_border, filter_sizes
from bigimg.ops.segmentation.splitting import split_touching

__all__ = [
    "clear_border",
    "expand_labels",
    "filter_sizes",
    "find_boundaries",
    "join_segmentations",
    "relabel_sequential",
    "split_touching",
    "watershed",
]
