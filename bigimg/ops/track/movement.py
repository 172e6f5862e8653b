"""How tracks move: speed and path of each, mean squared displacement, diffusion."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any, Literal

import numpy as np
import pandas as pd
from annotated_types import Ge

from bigimg.core.parameters import Count
from bigimg.engine.faces import composed
from bigimg.errors import ParameterError
from bigimg.ops.track.objects import (
    AXES,
    FRAME,
    OTHER,
    PARENT,
    TRACK,
    Floats,
    Numbers,
    Objects,
    per_item,
    read_objects,
)

MOTION = ("speed", "displacement", "path_length")
LAGS = 10
FITTED = 4


@composed(takes="table", gives="table")
def motion(table: Any) -> Any:
    """Measure how the objects of tracks move.

    Parameters
    ----------
    table : pandas.DataFrame
        Tracks: ``track_id``, ``t``, ``y``, ``x`` (``z``), and ``time`` in seconds or dates where it is known.

    Returns
    -------
    pandas.DataFrame
        The table sorted by track and frame, with three columns more: ``speed``, the distance from the object's
        position before over the time since then (by frames where there is no ``time``), missing where a track begins;
        ``displacement``, the distance from where the track began; ``path_length``, the way since then.

    Examples
    --------
    >>> import pandas as pd
    >>> track = pd.DataFrame({"track_id": 1, "t": [0, 1, 3], "y": [0.0, 3.0, 3.0], "x": [0.0, 4.0, 0.0]})
    >>> motion(track)[["t", "speed", "displacement", "path_length"]]
       t  speed  displacement  path_length
    0  0    NaN           0.0          0.0
    1  1    5.0           5.0          5.0
    2  3    2.0           3.0          9.0
    """
    return per_item(partial(with_motion, owner="track.motion"), table, owner="track.motion")


def with_motion(table: pd.DataFrame, owner: str) -> pd.DataFrame:
    """Return the tracks of one image with their motion."""
    tracks = read_tracks(table, owner)
    number = tracks.label
    first = _begins(number)
    step, since = np.zeros_like(tracks.position), np.ones(len(number))
    step[1:] = np.diff(tracks.position, axis=0)
    since[1:] = np.diff(tracks.time)
    length = np.where(first, 0.0, np.sqrt((step**2).sum(axis=1)))
    start = np.maximum.accumulate(np.where(first, np.arange(len(number)), 0))
    away = np.sqrt(((tracks.position - tracks.position[start]) ** 2).sum(axis=1))
    speed = np.where(first, np.nan, length / np.where(first, 1.0, since))
    # Added up track by track: a track does not depend on the others, to the last bit.
    way = pd.Series(length).groupby(number).cumsum().to_numpy()
    after = dict(zip(MOTION, (speed, away, way)))
    place = max((list(tracks.table).index(name) for name in _FIRST if name in tracks.table), default=-1) + 1
    kept = tracks.table.drop(columns=[name for name in MOTION if name in tracks.table])
    ahead = [name for name in list(tracks.table)[:place] if name in kept]
    return pd.concat([kept[ahead], pd.DataFrame(after), kept[[name for name in kept if name not in ahead]]], axis=1)


_FIRST = (TRACK, FRAME, "time", *AXES, "label", PARENT, OTHER)


@composed(takes="table", gives="table")
def summary(table: Any) -> Any:
    """Sum up each track in one row.

    Parameters
    ----------
    table : pandas.DataFrame
        Tracks, as of :func:`bigimg.track.link`.

    Returns
    -------
    pandas.DataFrame
        One row a track: ``track_id``; ``begin`` and ``end``, its first and last frame; ``objects``, in how many frames
        it was seen; ``duration`` in seconds, or frames where there is no ``time``; ``path_length``; ``displacement``
        from begin to end; ``straightness``, the displacement over the path, missing without one; ``speed_mean``, the
        path over the duration, and ``speed_max``; ``parent``, ``other_parent`` if there are merges, and ``children``,
        how many tracks came from it.

    Examples
    --------
    >>> import pandas as pd
    >>> track = pd.DataFrame({"track_id": 1, "t": [0, 1, 3], "y": [0.0, 3.0, 3.0], "x": [0.0, 4.0, 0.0]})
    >>> summary(track).T[0].to_dict()["straightness"]
    0.3333333333333333
    """
    return per_item(_summary, table, owner="track.summary")


def _summary(table: pd.DataFrame) -> pd.DataFrame:
    tracks = read_tracks(table, "track.summary")
    moved = with_motion(table, "track.summary")
    number = tracks.label
    first = np.flatnonzero(_begins(number))
    last = np.append(first[1:], len(number))[: len(first)] - 1
    ids = number[first]
    way, away = moved["path_length"].to_numpy()[last], moved["displacement"].to_numpy()[last]
    duration = tracks.time[last] - tracks.time[first]
    rows = pd.DataFrame(
        {
            TRACK: ids,
            "begin": tracks.t[first],
            "end": tracks.t[last],
            "objects": last - first + 1,
            "duration": duration,
            "path_length": way,
            "displacement": away,
            "straightness": _over(away, way),
            "speed_mean": _over(way, duration),
            "speed_max": moved.groupby(TRACK, sort=True)["speed"].max().to_numpy(dtype=np.float64),
        }
    )
    come = [name for name in (PARENT, OTHER) if name in tracks.table]
    children = np.zeros(len(ids), np.int64)
    for name in come:
        rows[name] = tracks.table[name].to_numpy().astype(np.int64)[first]
        children += _counts(rows[name].to_numpy(), ids)
    return rows.assign(children=children)


def _counts(parents: Numbers, ids: Numbers) -> Numbers:
    """Return how often each of the sorted ``ids`` is a parent."""
    known = np.sort(parents)
    return np.searchsorted(known, ids, "right") - np.searchsorted(known, ids, "left")


@composed(takes="table", gives="table")
def mean_squared_displacement(table: Any, *, max_lag: Count = LAGS, per: Literal["track", "ensemble"] = "track") -> Any:
    """Measure how far objects get in so many frames: the mean of the squared displacements.

    Parameters
    ----------
    table : pandas.DataFrame
        Tracks, as of :func:`bigimg.track.link`.
    max_lag : int
        The most frames between two positions.
    per : {"track", "ensemble"}
        Of each track by itself, or of all displacements together.

    Returns
    -------
    pandas.DataFrame
        One row a track and lag: ``track_id`` (not for the ensemble), ``lag`` in frames, ``lag_time``, the mean time
        that this was, in seconds where there is a ``time``; ``msd``, in squared units of the positions; ``count``, how
        many displacements there are. Lags without any have no row.

    Notes
    -----
    All pairs of positions of a track that are so many frames apart count, those that overlap too: equal to
    ``trackpy.imsd`` of each track. The ensemble is the mean of all displacements; ``trackpy.emsd`` weighs tracks by an
    estimate of how many of theirs are independent, and is the same where tracks are equally long and without gaps.
    Displacements over frames in which an object was not seen count for the frames they took.

    Examples
    --------
    >>> import pandas as pd
    >>> track = pd.DataFrame({"track_id": 1, "t": [0, 1, 2], "y": [0.0, 1.0, 2.0], "x": 0.0})
    >>> mean_squared_displacement(track)
       track_id  lag  lag_time  msd  count
    0         1    1       1.0  1.0      2
    1         1    2       2.0  4.0      1
    """
    owner = "track.mean_squared_displacement"
    return per_item(partial(_displacements, max_lag=max_lag, per=per, owner=owner), table, owner=owner)


def _displacements(table: pd.DataFrame, *, max_lag: int, per: str, owner: str) -> pd.DataFrame:
    tracks = read_tracks(table, owner)
    number, t = tracks.label, tracks.t
    ids = number[_begins(number)]
    which = np.searchsorted(ids, number)
    longest = int(np.ptp(t)) if len(t) else 0
    # One number an object that grows by one a frame, and by more than any lag from track to track.
    place = which * (longest + max_lag + 1) + t - (t.min() if len(t) else 0)
    parts = []
    for lag in range(1, min(max_lag, longest) + 1):
        at = np.searchsorted(place, place + lag)
        start = np.flatnonzero(at < len(place))
        start = start[place[at[start]] == place[start] + lag]
        stop = at[start]
        squared = ((tracks.position[stop] - tracks.position[start]) ** 2).sum(axis=1)
        owner_of = which[start] if per == "track" else np.zeros(len(start), np.int64)
        group = pd.DataFrame({"which": owner_of, "time": tracks.time[stop] - tracks.time[start], "msd": squared})
        found = group.groupby("which").agg(lag_time=("time", "mean"), msd=("msd", "mean"), count=("msd", "size"))
        found.insert(0, "lag", np.full(len(found), lag, np.int64))
        parts.append(found.reset_index())
    empty = pd.DataFrame({name: np.zeros(0, dtype) for name, dtype in _MSD.items()})
    rows = pd.concat([part for part in parts if len(part)] or [empty], ignore_index=True)
    rows = rows.astype(_MSD).sort_values(["which", "lag"], ignore_index=True)
    rows.insert(0, TRACK, ids[rows.pop("which").to_numpy()])
    return rows if per == "track" else rows.drop(columns=TRACK)


_MSD = {"which": np.int64, "lag": np.int64, "lag_time": np.float64, "msd": np.float64, "count": np.int64}


@composed(takes="table", gives="table")
def diffusion(
    table: Any, *, max_lag: Annotated[int, Ge(2)] = FITTED, per: Literal["track", "ensemble"] = "track"
) -> Any:
    """Find the diffusion coefficient of tracks from their mean squared displacement.

    Parameters
    ----------
    table : pandas.DataFrame
        Tracks, as of :func:`bigimg.track.link`.
    max_lag : int
        Lags of up to so many frames are fitted; few are best, as long ones hardly add to what short ones say.
    per : {"track", "ensemble"}
        Of each track by itself, or one of all.

    Returns
    -------
    pandas.DataFrame
        One row a track (or one row): ``track_id`` (not for the ensemble); ``diffusion_coefficient``, in squared units
        of the positions a second, or a frame where there is no ``time``; ``localization_error``, the standard
        deviation of positions along an axis that the fit leaves, 0 where it leaves none; ``count``, the displacements
        that were fitted. Missing for tracks with fewer than two lags.

    Notes
    -----
    The mean squared displacement of a diffusing particle is ``2 d D lag_time + 2 d error**2`` in ``d`` dimensions; the
    straight line is fitted by least squares, each lag weighted by how many displacements it has.

    References
    ----------
    X. Michalet, Mean square displacement analysis of single-particle trajectories with localization error, Phys. Rev. E
    82 (2010).

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> steps = np.random.default_rng(0).normal(0, 1, (20000, 2))
    >>> walk = pd.DataFrame({"track_id": 1, "t": range(20000)} | dict(zip("yx", steps.cumsum(axis=0).T)))
    >>> float(diffusion(walk)["diffusion_coefficient"].round(1).item())
    0.5
    """
    return per_item(partial(_diffusion, max_lag=max_lag, per=per), table, owner="track.diffusion")


def _diffusion(table: pd.DataFrame, *, max_lag: int, per: str) -> pd.DataFrame:
    tracks = read_tracks(table, "track.diffusion")
    dimensions = tracks.position.shape[1]
    rows = _displacements(table, max_lag=max_lag, per=per, owner="track.diffusion")
    ids = np.unique(tracks.label) if per == "track" else np.zeros(1, np.int64)
    which = np.searchsorted(ids, rows[TRACK].to_numpy()) if per == "track" else np.zeros(len(rows), np.int64)
    weight = rows["count"].to_numpy(dtype=np.float64)
    lag, msd = rows["lag_time"].to_numpy(), rows["msd"].to_numpy()

    def total(values: Floats) -> Floats:
        return np.bincount(which, values, minlength=len(ids)).astype(np.float64)

    count = total(weight)
    mean_lag, mean_msd = _over(total(weight * lag), count), _over(total(weight * msd), count)
    apart = lag - mean_lag[which]
    slope = _over(total(weight * apart * (msd - mean_msd[which])), total(weight * apart**2))
    slope[np.bincount(which, minlength=len(ids)) < 2] = np.nan
    rest = mean_msd - slope * mean_lag
    found = pd.DataFrame(
        {
            TRACK: ids,
            "diffusion_coefficient": slope / (2 * dimensions),
            "localization_error": np.sqrt(np.maximum(rest, 0) / (2 * dimensions)),
            "count": count.astype(np.int64),
        }
    )
    return found if per == "track" else found.drop(columns=TRACK)


def read_tracks(table: pd.DataFrame, owner: str) -> Objects:
    """Return the rows of tracks sorted by track and frame; their ``label`` is the number of the track.

    Raises
    ------
    ParameterError
        As :func:`bigimg.ops.track.objects.read_objects` does, and if there is no column ``track_id``.
    """
    if TRACK not in table:
        raise ParameterError(
            f"{owner} takes a table of tracks, with a column 'track_id' (got {', '.join(map(str, table))}); link the "
            "objects first, with track.link"
        )
    objects = read_objects(table, owner, key=TRACK)
    order = np.lexsort((objects.t, objects.label))
    rows = objects.table.iloc[order].reset_index(drop=True)
    return Objects(rows, objects.t[order], objects.time[order], objects.label[order], objects.position[order])


def _begins(number: Numbers) -> Any:
    first = np.ones(len(number), np.bool_)
    first[1:] = number[1:] != number[:-1]
    return first


def _over(value: Floats, by: Floats) -> Floats:
    """Return the quotient, NaN where it is by 0."""
    return np.divide(value, by, out=np.full(len(by), np.nan), where=by > 0)
