"""Objects through time: link those of successive frames, measure how they move, and compare with what is known."""

from bigimg.ops.track.layouts import (
    from_napari,
    read_ctc,
    read_mot,
    read_tracks,
    to_btrack,
    to_ctc,
    to_mot,
    to_napari,
    write_ctc,
    write_mot,
    write_tracks,
)
from bigimg.ops.track.linking import link
from bigimg.ops.track.movement import diffusion, mean_squared_displacement, motion, summary
from bigimg.ops.track.overlap import overlaps
from bigimg.ops.track.scoring import scores

__all__ = [
    "diffusion",
    "from_napari",
    "link",
    "mean_squared_displacement",
    "motion",
    "overlaps",
    "read_ctc",
    "read_mot",
    "read_tracks",
    "scores",
    "summary",
    "to_btrack",
    "to_ctc",
    "to_mot",
    "to_napari",
    "write_ctc",
    "write_mot",
    "write_tracks",
]
