"""The frames of a video beside its pixels: when each is shown, and whether it is a key frame, as a small table.

A copy of a video in a store has no time stamps of its own; ``frames.parquet`` in the group of the image keeps them.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bigimg.io import geo
from bigimg.io.readers import reader_named
from bigimg.io.sources import FileSource, Source
from bigimg.io.stored import StoredSource
from bigimg.io.tables import read_table, write_table

FRAMES = "frames.parquet"


def frames_of(source: Source) -> pd.DataFrame | None:
    """Return the table of the frames of ``source``, or None where it is no video.

    Returns
    -------
    pandas.DataFrame
        One row a frame: its number ``t``, its time stamp ``pts`` in units of the file, its ``time`` in seconds, and
        whether it is a ``keyframe``.
    """
    if isinstance(source, FileSource):
        find = getattr(reader_named(source.reader), "frames", None)
        found = find(Path(source.path)) if find is not None and "t" in source.dims else None
        if found is None:
            return None
        return pd.DataFrame(
            {"t": np.arange(len(found)), "pts": found.pts, "time": found.seconds, "keyframe": found.keyframe}
        )
    if isinstance(source, StoredSource) and source.item is None and "t" in source.dims:
        path = Path(source.path).parent / FRAMES
        return read_table(path) if path.is_file() else None
    return None


def write_frames(group: Path, source: Source) -> None:
    """Write the frames of ``source`` into the ``group`` of its image, where it is a video."""
    found = frames_of(source)
    if found is not None:
        write_table(group / FRAMES, found, {"kind": "frames"})


def coordinates(source: Source) -> Mapping[str, tuple[str, NDArray[Any], dict[str, Any]]]:
    """Return the coordinates of the image of ``source``, those that are known.

    The ``time`` of each frame of a video in seconds, or the moment of each scene of a series; where the place on the
    Earth is known, ``y`` and ``x`` of the centres of pixels.
    """
    known: dict[str, tuple[str, NDArray[Any], dict[str, Any]]] = {}
    found = frames_of(source)
    if found is not None:
        known["time"] = "t", found["time"].to_numpy(np.float64), {"units": "second"}
    elif source.attrs.get("times"):
        known["time"] = "t", np.array(source.attrs["times"], "datetime64[ns]"), {}
    transform = source.attrs.get("transform")
    if transform is not None and geo.is_upright(geo.affine(transform, source.name)):
        sizes = dict(zip(source.dims, source.shape))
        for dim, values in zip("yx", geo.centres(geo.affine(transform, source.name), sizes["y"], sizes["x"])):
            known[dim] = dim, values, geo.coordinate_attributes(dim, source.attrs.get("crs"))
    return known
