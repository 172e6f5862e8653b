"""Tables of tracks as other programs have them: napari, btrack, Cell Tracking Challenge, MOTChallenge."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bigimg.errors import MissingInputError, OutputError, ParameterError, ReadError
from bigimg.io.tables import read_table, write_table
from bigimg.ops.track.movement import read_tracks as read_linked
from bigimg.ops.track.objects import AXES, FRAME, OTHER, PARENT, TRACK, Numbers, Objects

CTC = ("L", "B", "E", "P")
MOT = ("frame", "id", "bb_left", "bb_top", "bb_width", "bb_height", "conf", "x", "y", "z")
BOX = ("bbox-0", "bbox-1", "bbox-2", "bbox-3")
GENERATION = "generation"


class NapariTracks(NamedTuple):
    """What ``napari.layers.Tracks`` takes."""

    data: NDArray[np.float64]
    """(N, 4) or (N, 5): track, frame, (z), y, x; sorted by track and frame."""
    graph: dict[int, list[int]]
    """The parents of each track that has any."""
    properties: dict[str, NDArray[Any]]
    """The other columns of numbers."""


def to_napari(tracks: pd.DataFrame) -> NapariTracks:
    """Return tracks for napari: ``viewer.add_tracks(data, graph=graph, properties=properties)``.

    Parameters
    ----------
    tracks : pandas.DataFrame
        ``track_id``, ``t``, ``y``, ``x`` (``z``), and ``parent`` (``other_parent``) where there are any.

    Examples
    --------
    >>> tracks = pd.DataFrame({"track_id": [1, 2, 3], "t": [0, 1, 1], "y": 0.0, "x": 1.0, "parent": [0, 1, 1]})
    >>> data, graph, properties = to_napari(tracks)
    >>> data[1], graph
    (array([2., 1., 0., 1.]), {2: [1], 3: [1]})
    """
    known = read_linked(tracks, "track.to_napari")
    data = np.column_stack([known.label, known.t, known.position]).astype(np.float64)
    begins = _begin_rows(known)
    graph: dict[int, list[int]] = {}
    for name in (PARENT, OTHER):
        if name in known.table:
            parents = known.table[name].to_numpy().astype(np.int64)[begins]
            for track, parent in zip(known.label[begins].tolist(), parents.tolist()):
                if parent:
                    graph.setdefault(track, []).append(parent)
    used = {TRACK, FRAME, *AXES, PARENT, OTHER}
    others = [str(name) for name in known.table if name not in used and known.table[name].dtype.kind in "biuf"]
    return NapariTracks(data, graph, {name: known.table[name].to_numpy() for name in others})


def from_napari(data: NDArray[Any], graph: dict[int, Any] | None = None) -> pd.DataFrame:
    """Return the table of the tracks of a napari layer.

    Parameters
    ----------
    data : (N, 4) or (N, 5) array
        Track, frame, (z), y, x.
    graph : dict, optional
        The parent, or a list of one or two parents, of each track that has any.

    Examples
    --------
    >>> from_napari([[1, 0, 2.5, 3.5]])
       track_id  t    y    x  parent
    0         1  0  2.5  3.5       0
    """
    rows = np.asarray(data, np.float64)
    if rows.ndim != 2 or rows.shape[1] not in {4, 5}:
        raise ParameterError(f"tracks of napari have 4 or 5 columns: track, t, (z), y, x (got shape {rows.shape})")
    names = AXES[5 - rows.shape[1] :]
    table = pd.DataFrame(rows, columns=[TRACK, FRAME, *names]).astype({TRACK: np.int64, FRAME: np.int64})
    come = {int(track): np.atleast_1d(parents).tolist() for track, parents in (graph or {}).items()}
    most = max(map(len, come.values()), default=0)
    if most > 2:
        raise ParameterError(f"a track has at most two parents (got {most})")
    for at, name in enumerate((PARENT, OTHER)[: max(1, most)]):
        known = {track: int(parents[at]) for track, parents in come.items() if len(parents) > at}
        table[name] = table[TRACK].map(known).fillna(0).astype(np.int64)
    return table


def to_ctc(tracks: pd.DataFrame) -> pd.DataFrame:
    """Return the lineage of tracks as the Cell Tracking Challenge and btrack have it.

    Parameters
    ----------
    tracks : pandas.DataFrame
        ``track_id``, ``t``, positions, and ``parent`` where there are any.

    Returns
    -------
    pandas.DataFrame
        One row a track: ``L`` its number, ``B`` and ``E`` its first and last frame, ``P`` its parent, 0 for none. A
        second parent has no place there.

    Examples
    --------
    >>> to_ctc(pd.DataFrame({"track_id": [1, 1, 2], "t": [0, 1, 2], "y": 0.0, "x": 0.0, "parent": [0, 0, 1]}))
       L  B  E  P
    0  1  0  1  0
    1  2  2  2  1
    """
    known = read_linked(tracks, "track.to_ctc")
    begins = _begin_rows(known)
    ends = np.append(begins[1:], len(known.label))[: len(begins)] - 1
    parent = known.table[PARENT].to_numpy()[begins] if PARENT in known.table else np.zeros(len(begins))
    columns = (known.label[begins], known.t[begins], known.t[ends], parent.astype(np.int64))
    return pd.DataFrame(dict(zip(CTC, columns)))


def write_ctc(tracks: pd.DataFrame, path: str | Path) -> None:
    """Write ``man_track.txt`` (or ``res_track.txt``): a line for each track, ``L B E P``; see :func:`to_ctc`."""
    _write(path, to_ctc(tracks).to_csv(sep=" ", header=False, index=False, lineterminator="\n"))


def read_ctc(path: str | Path) -> pd.DataFrame:
    """Read ``man_track.txt``: the columns L, B, E, P of :func:`to_ctc`.

    Raises
    ------
    MissingInputError, ReadError
        If there is none, or its lines are not four whole numbers.
    """
    table = _read(path, r"\s+", CTC)
    if table.shape[1] != len(CTC) or not all(table[name].dtype.kind == "i" for name in CTC):
        raise ReadError(f"{path} is no lineage: a line is four whole numbers, label, begin, end and parent")
    return table


def to_btrack(tracks: pd.DataFrame) -> pd.DataFrame:
    """Return tracks with the columns of btrack.

    These are ``ID``, ``t``, ``x``, ``y``, ``z``, ``parent``, ``root`` and ``generation``. A track without a parent is
    its own, and its own root, of generation 0.

    Examples
    --------
    >>> tracks = pd.DataFrame({"track_id": [1, 2, 3], "t": [0, 1, 2], "y": 0.0, "x": 1.0, "parent": [0, 1, 2]})
    >>> to_btrack(tracks)[["ID", "parent", "root", "generation"]].to_numpy().tolist()
    [[1, 1, 1, 0], [2, 1, 1, 1], [3, 2, 1, 2]]
    """
    known = read_linked(tracks, "track.to_btrack")
    lineage = to_ctc(tracks)
    number, come = lineage["L"].to_numpy(), lineage["P"].to_numpy()
    root, generation = dict(zip(number.tolist(), number.tolist())), dict.fromkeys(number.tolist(), 0)
    for track, parent in sorted(zip(number.tolist(), come.tolist()), key=lambda pair: _begin(lineage, pair[0])):
        if parent in root and parent != track:
            root[track], generation[track] = root[parent], generation[parent] + 1
    parents = dict(zip(number.tolist(), np.where(come > 0, come, number).tolist()))
    ids = known.label.tolist()
    places = dict(zip("zyx"[3 - known.position.shape[1] :], known.position.T))
    z = places.get("z", np.zeros(len(ids)))
    return pd.DataFrame(
        {
            "ID": known.label,
            "t": known.t,
            "x": places["x"],
            "y": places["y"],
            "z": z,
            PARENT: np.array([parents[track] for track in ids], np.int64),
            "root": np.array([root[track] for track in ids], np.int64),
            GENERATION: np.array([generation[track] for track in ids], np.int64),
        }
    )


def _begin(lineage: pd.DataFrame, track: int) -> int:
    return int(lineage["B"].to_numpy()[np.searchsorted(lineage["L"].to_numpy(), track)])


def to_mot(tracks: pd.DataFrame) -> pd.DataFrame:
    """Return tracks as the MOTChallenge has them, one row an object, sorted by frame.

    Parameters
    ----------
    tracks : pandas.DataFrame
        ``track_id``, ``t``, and the boxes ``bbox-0`` to ``bbox-3`` of :func:`bigimg.measure.regionprops_table`.

    Returns
    -------
    pandas.DataFrame
        ``frame`` and pixels count from 1: ``frame``, ``id``, ``bb_left``, ``bb_top``, ``bb_width``, ``bb_height``,
        ``conf``, the column of that name or 1, and ``x``, ``y``, ``z``, -1.

    Examples
    --------
    >>> box = {"bbox-0": 4, "bbox-1": 9, "bbox-2": 6, "bbox-3": 12}
    >>> to_mot(pd.DataFrame({"track_id": [1], "t": [0], "y": [5.0], "x": [10.0]} | box)).to_numpy().tolist()
    [[1.0, 1.0, 10.0, 5.0, 3.0, 2.0, 1.0, -1.0, -1.0, -1.0]]
    """
    missing = [name for name in BOX if name not in tracks]
    if missing:
        raise ParameterError(
            f"the MOTChallenge has boxes, and there is no column {missing[0]!r}; measure bbox before linking"
        )
    known = read_linked(tracks, "track.to_mot")
    order = np.lexsort((known.label, known.t))
    top, left, bottom, right = (known.table[name].to_numpy()[order] for name in BOX)
    conf = known.table["conf"].to_numpy()[order] if "conf" in known.table else np.ones(len(order))
    none = np.full(len(order), -1)
    columns = (known.t[order] + 1, known.label[order], left + 1, top + 1, right - left, bottom - top, conf)
    return pd.DataFrame(dict(zip(MOT, (*columns, none, none, none))))


def write_mot(tracks: pd.DataFrame, path: str | Path) -> None:
    """Write a file of the MOTChallenge, values between commas; see :func:`to_mot`."""
    _write(path, to_mot(tracks).to_csv(header=False, index=False, lineterminator="\n"))


def read_mot(path: str | Path) -> pd.DataFrame:
    """Read a file of the MOTChallenge: detections, results, or what is true.

    Returns
    -------
    pandas.DataFrame
        ``track_id`` (-1 for detections), ``t`` and pixels from 0, ``y``, ``x``, the middle of the box, ``bbox-0`` to
        ``bbox-3``, and ``conf``.

    Raises
    ------
    MissingInputError, ReadError
        If there is none, or its lines are not six numbers or more.
    """
    table = _read(path, ",", MOT)
    if table.shape[1] < 6 or not all(table[name].dtype.kind in "if" for name in table):
        raise ReadError(f"{path} is no file of the MOTChallenge: a line is frame,id,left,top,width,height,...")
    top, left = table["bb_top"] - 1.0, table["bb_left"] - 1.0
    bottom, right = top + table["bb_height"], left + table["bb_width"]
    columns = {TRACK: table["id"].astype(np.int64), FRAME: table["frame"].astype(np.int64) - 1}
    columns |= {"y": (top + bottom - 1) / 2, "x": (left + right - 1) / 2}
    columns |= dict(zip(BOX, (top, left, bottom, right)))
    return pd.DataFrame({**columns, "conf": table.get("conf", 1.0)})


def write_tracks(tracks: pd.DataFrame, path: str | Path) -> None:
    """Write a table of tracks as it is, to CSV or Parquet by the ending of ``path``."""
    ending = Path(path).suffix.lower()
    if ending == ".parquet":
        write_table(path, tracks)
    elif ending == ".csv":
        _write(path, tracks.to_csv(index=False, lineterminator="\n"))
    else:
        raise ParameterError(f"a table of tracks is written to a .csv or .parquet file (got {path})")


def read_tracks(path: str | Path) -> pd.DataFrame:
    """Read a table of tracks from CSV or Parquet."""
    ending = Path(path).suffix.lower()
    if ending not in {".csv", ".parquet"}:
        raise ParameterError(f"a table of tracks is read from a .csv or .parquet file (got {path})")
    return read_table(path) if ending == ".parquet" else _read(path, ",", None)


def _begin_rows(known: Objects) -> Numbers:
    first = np.ones(len(known.label), np.bool_)
    first[1:] = known.label[1:] != known.label[:-1]
    return np.flatnonzero(first)


def _write(path: str | Path, text: str) -> None:
    try:
        Path(path).write_text(text, encoding="utf-8")
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror or error}") from error


def _read(path: str | Path, separator: str, names: tuple[str, ...] | None) -> pd.DataFrame:
    if not Path(path).is_file():
        raise MissingInputError(f"there is no file {path}")
    try:
        if names is None:
            return pd.read_csv(path, sep=separator)
        table = pd.read_csv(path, sep=separator, header=None)
    except pd.errors.EmptyDataError:
        return pd.DataFrame({name: np.zeros(0, np.int64) for name in names or ()})
    except (ValueError, OSError) as error:
        raise ReadError(f"{path} cannot be read as a table: {error}") from error
    return table.iloc[:, : len(names)].set_axis(list(names)[: table.shape[1]], axis=1)
