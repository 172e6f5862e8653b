"""Mathematical morphology on masks and grey values, and filters of whole objects."""

from bigimg.core.footprint import ball, cross, cube, diamond, disk, octagon, octahedron, rectangle, square, star
from bigimg.ops.morphology.basic import closing, dilation, erosion, opening
from bigimg.ops.morphology.details import black_tophat, gradient, hit_or_miss, white_tophat
from bigimg.ops.morphology.distance import distance_transform
from bigimg.ops.morphology.extrema import h_maxima, h_minima, local_maxima, local_minima
from bigimg.ops.morphology.geodesic import reconstruction
from bigimg.ops.morphology.sizes import (
    clear_border,
    fill_holes,
    filter_sizes,
    largest_objects,
    remove_small_holes,
    remove_small_objects,
)
from bigimg.ops.morphology.skeleton import skeletonize, thin

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
    "distance_transform",
    "erosion",
    "fill_holes",
    "filter_sizes",
    "gradient",
    "h_maxima",
    "h_minima",
    "hit_or_miss",
    "largest_objects",
    "local_maxima",
    "local_minima",
    "octagon",
    "octahedron",
    "opening",
    "reconstruction",
    "rectangle",
    "remove_small_holes",
    "remove_small_objects",
    "skeletonize",
    "square",
    "star",
    "thin",
    "white_tophat",
]
