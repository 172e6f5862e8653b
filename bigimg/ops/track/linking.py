"""From objects of single frames to tracks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import numpy as np
import pandas as pd
from annotated_types import Ge, Lt

from bigimg.core.parameters import Scale, TableInput
from bigimg.engine.faces import composed
from bigimg.errors import ParameterError
from bigimg.ops.track.choosing import Overlaps, Rules
from bigimg.ops.track.following import Linker
from bigimg.ops.track.movement import with_motion
from bigimg.ops.track.objects import (
    AXES,
    FRAME,
    LABEL,
    OTHER,
    PARENT,
    TIME,
    TRACK,
    per_item,
    read_objects,
    whole_numbers,
)

OWNER = "track.link"


@composed(takes="table", gives="table")
def link(
    table: Any,
    *,
    search_range: Scale | None = None,
    by: Literal["distance", "overlap"] = "distance",
    overlaps: TableInput | None = None,
    memory: Annotated[int, Ge(0)] = 0,
    motion: Literal["none", "velocity"] = "none",
    splits: bool = False,
    merges: bool = False,
    min_overlap: Annotated[float, Ge(0), Lt(1)] = 0.0,
    spacing: Scale | Sequence[Scale] | None = None,
    frame_interval: Scale | None = None,
) -> Any:
    """Link the objects of successive frames to tracks.

    Parameters
    ----------
    table : pandas.DataFrame
        One row an object: its frame ``t``, its ``label``, unlike those of other objects of the frame, and its position
        in ``y``, ``x`` (``z``) or ``centroid-0``, ``centroid-1``. A column ``time``, seconds or dates, gives speeds in
        seconds. With a column ``item`` each image is linked by itself.
    search_range : float, optional
        How far an object can move from one frame to the next, in the unit of the positions; needed to link by distance.
    by : {"distance", "overlap"}
        Go by the distance of positions, or by how objects overlap. By overlap what is left without a link is linked by
        distance, where there is a ``search_range``.
    overlaps : pandas.DataFrame, optional
        What :func:`bigimg.track.overlaps` found in the label images of the objects; needed to link by overlap.
    memory : int
        For how many frames an object may be away and still be the same when it comes back within ``search_range``.
        Frames without objects count.
    motion : {"none", "velocity"}
        Expect an object where it was, or where its last two positions lead to.
    splits : bool
        Whether an object may become two. Its track ends, and two begin with it as ``parent``.
    merges : bool
        Whether two objects may become one. Both tracks end, and one begins with ``parent`` and ``other_parent``.
    min_overlap : float
        By overlap: only objects whose intersection over union is more than this are linked.
    spacing : float or sequence of float, optional
        The size of a pixel, along each axis if it differs: positions, distances and speeds come out in its unit.
    frame_interval : float, optional
        Seconds from one frame to the next, for a table without a column ``time``: it gets one.

    Returns
    -------
    pandas.DataFrame
        One row an object, sorted by track and frame: ``track_id``, from 1 in the order tracks begin; ``t``; ``time``
        if it is known; ``y``, ``x`` (``z`` before); ``label``; ``parent``, the track it came from or 0, and
        ``other_parent`` with ``merges``; then what :func:`bigimg.track.motion` adds, and the other columns of the
        table. Lazy, with ``.compute()``, where a table is lazy.

    Raises
    ------
    ParameterError
        If a column is missing, a position is not finite, an object has two rows in a frame, or what is to be linked by
        is missing.

    Notes
    -----
    The links between two frames are those whose squared distances, with ``search_range`` squared for each track
    without a link, have the least sum: the choice of Crocker and Grier, as ``trackpy.link`` makes it, here by shortest
    augmenting paths, so that no group of near objects is too large. By overlap a link costs one minus the intersection
    over union. Second children are then given to tracks that have a link, and tracks that end to objects that have
    one, by the same rule; by overlap at least half of the smaller object must lie in the other.

    The tracks depend on the objects alone: not on the order of rows, nor how the images were cut.

    References
    ----------
    J. C. Crocker and D. G. Grier, Methods of digital video microscopy for colloidal studies, J. Colloid Interface Sci.
    179 (1996).

    Examples
    --------
    >>> import pandas as pd
    >>> cells = pd.DataFrame({"t": [0, 0, 1, 1], "label": [1, 2, 1, 2], "y": [0.0, 9.0, 8.0, 1.0], "x": 0.0})
    >>> link(cells, search_range=3.0)[["track_id", "t", "y", "x", "label", "parent", "speed"]]
       track_id  t    y    x  label  parent  speed
    0         1  0  0.0  0.0      1       0    NaN
    1         1  1  1.0  0.0      2       0    1.0
    2         2  0  9.0  0.0      2       0    NaN
    3         2  1  8.0  0.0      1       0    1.0
    """
    if by == "distance" and search_range is None:
        raise ParameterError(f"{OWNER} needs search_range, how far an object can move between frames")
    if by == "overlap" and overlaps is None:
        raise ParameterError(f"{OWNER} by overlap needs overlaps, the table that track.overlaps makes of the labels")
    if by == "overlap" and memory and search_range is None:
        raise ParameterError(f"{OWNER}: memory={memory} needs search_range too: overlaps are of successive frames only")
    rules = Rules(
        search_range=search_range,
        by=by,
        memory=memory,
        velocity=motion == "velocity",
        splits=splits,
        merges=merges,
        min_overlap=min_overlap,
    )
    return per_item(_Link(rules, spacing, frame_interval), table, [overlaps if by == "overlap" else None], owner=OWNER)


class _Link:
    """Links the objects of one image."""

    def __init__(self, rules: Rules, spacing: float | Sequence[float] | None, interval: float | None) -> None:
        self.rules, self.spacing, self.interval = rules, spacing, interval

    def __call__(self, table: pd.DataFrame, overlaps: pd.DataFrame | None) -> pd.DataFrame:
        """Return the table of tracks."""
        objects = read_objects(self._timed(table), OWNER, self.spacing)
        shared = None if overlaps is None else Overlaps.of(overlaps, OWNER)
        linked = Linker(self.rules).link(objects, shared)
        columns: dict[str, Any] = {TRACK: linked.track, FRAME: objects.t}
        if TIME in objects.table:
            columns[TIME] = objects.table[TIME].to_numpy()
        columns |= {name: objects.position[:, axis] for axis, name in enumerate(objects.axes)}
        columns |= {LABEL: objects.label, PARENT: linked.parent}
        if self.rules.merges:
            columns[OTHER] = linked.other
        tracks = pd.DataFrame(columns)
        order = np.lexsort((tracks[FRAME], tracks[TRACK]))
        tracks = with_motion(tracks.iloc[order].reset_index(drop=True), OWNER)
        kept = [name for name in objects.table if not _replaced(str(name), tracks)]
        others = objects.table[kept].iloc[order].reset_index(drop=True)
        return pd.concat([tracks, others], axis=1)

    def _timed(self, table: pd.DataFrame) -> pd.DataFrame:
        if self.interval is None or FRAME not in table:
            return table
        if TIME in table:
            raise ParameterError(
                f"{OWNER}: the table has a column 'time', so leave out frame_interval={self.interval:g}"
            )
        return table.assign(**{TIME: whole_numbers(table, FRAME, OWNER) * self.interval})

    def __dask_tokenize__(self) -> object:
        return self.rules, self.spacing, self.interval


def _replaced(name: str, tracks: pd.DataFrame) -> bool:
    """Whether a column of the objects has been read into one of the tracks."""
    return name in tracks or name in {*AXES, "centroid-0", "centroid-1", "centroid-2"}
