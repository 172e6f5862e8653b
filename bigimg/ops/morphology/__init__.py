"""Mathematical morphology on masks and grey values, and filters of whole objects."""

from bigimg.core.footprint import ball, cross, cube, diamond, disk, octagon, octahedron, rectangle, square, star
from bigimg.ops.morphology.basic import black_tophat, closing, dilation, erosion, opening, white_tophat
from bigimg.ops.morphology.sizes import (
    clear_border,
    fill_holes,
    filter_sizes,
    largest_objects,
    remove_small_holes,
    remove_small_objects,
)

__all__ = [
    "ball",
    "black_tophat",
    "clear_border",
    "closing",
    "cross",
    "cube",
    "diamond",
    "dilation",
    "disk",
    "erosion",
    "fill_holes",
    "filter_sizes",
    "largest_objects",
    "octagon",
    "octahedron",
    "opening",
    "rectangle",
    "remove_small_holes",
    "remove_small_objects",
    "square",
    "star",
    "white_tophat",
]
