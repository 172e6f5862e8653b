"""Objects: label them, measure them, relate them."""

from bigimg.ops.measure.areas import class_areas, polygon_areas
from bigimg.ops.measure.crops import crop_objects
from bigimg.ops.measure.edges import edge_intensities
from bigimg.ops.measure.labels import label
from bigimg.ops.measure.near import object_neighbors
from bigimg.ops.measure.outlines import polygons
from bigimg.ops.measure.overlaps import contingency_table, count_children, overlap_table, relate_objects
from bigimg.ops.measure.radial import radial_distribution
from bigimg.ops.measure.region_partitions import table_partitions, write_partitions
from bigimg.ops.measure.region_tables import regionprops_table
from bigimg.ops.measure.scores import matching_scores, rand_scores
from bigimg.ops.measure.shapes import object_shape
from bigimg.ops.measure.texture import haralick

__all__ = [
    "class_areas",
    "contingency_table",
    "count_children",
    "crop_objects",
    "edge_intensities",
    "haralick",
    "label",
    "matching_scores",
    "object_neighbors",
    "object_shape",
    "overlap_table",
    "polygon_areas",
    "polygons",
    "radial_distribution",
    "rand_scores",
    "regionprops_table",
    "relate_objects",
    "table_partitions",
    "write_partitions",
]
