"""Objects through time: link those of successive frames, measure how they move, and compare with what is known."""

from bigimg.ops.track.linking import link
from bigimg.ops.track.motion import diffusion, mean_squared_displacement, motion, summary
from bigimg.ops.track.overlap import overlaps

__all__ = ["diffusion", "link", "mean_squared_displacement", "motion", "overlaps", "summary"]
