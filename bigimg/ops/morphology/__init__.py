"""Mathematical morphology on masks and grey values, and filters of whole objects."""

from bigimg.core.footprint import ball, cross, cube, disk, square
from bigimg.ops.morphology.basic import black_tophat, closing, dilation, erosion, opening, white_tophat
from bigimg.ops.morphology.sizes import clear_border, filter_sizes, remove_small_objects

__all__ = [
    "ball",
    "black_tophat",
    "clear_border",
    "closing",
    "cross",
    "cube",
    "dilation",
    "disk",
    "erosion",
    "filter_sizes",
    "opening",
    "remove_small_objects",
    "square",
    "white_tophat",
]
