"""Objects: label them, measure them."""

from bigimg.ops.measure.labels import label
from bigimg.ops.measure.region_tables import regionprops_table

__all__ = ["label", "regionprops_table"]
