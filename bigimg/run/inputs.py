"""Opening and making collections, with the engine's lazy layer in them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Literal

from bigimg.engine.lazy import from_store
from bigimg.errors import ParameterError
from bigimg.io.collection import Collection, open_collection
from bigimg.io.ingest import ingest as ingest_files
from bigimg.io.verify import Verified
from bigimg.io.verify import verify as verify_files
from bigimg.run.profile import ClusterProfile

TILE = 1024
"""Edge of a tile of an opened image in pixels; where the store has larger chunks, those."""


def open(path: str | Path, *, tile: int = TILE) -> Collection:  # noqa: A001 - the word users know
    """Open a collection: a mapping of lazy images, with a table of them.

    Parameters
    ----------
    path
        Of a collection, or of an OME-Zarr image or plate (0.4 or 0.5).
    tile
        Edge of the tiles of its images in pixels, which changes no result. An image that is cut anew later, by its own
        ``chunk``, costs tasks for the cutting; one that is opened so costs none.

    Returns
    -------
    Collection
        ``collection["id"]`` is an ``xarray.DataArray`` with dimensions among ``t c z y x``; operations on it are lazy,
        and a chain of them reads each tile once. ``collection.table`` has one row an image.

    Raises
    ------
    MissingInputError, ReadError
        If there is nothing, or something else.

    Examples
    --------
    >>> cells = bigimg.open("cells.zarr")  # doctest: +SKIP
    >>> labels = bigimg.measure.label(bigimg.threshold.otsu(cells["a1"]))  # doctest: +SKIP
    >>> labels.compute()  # doctest: +SKIP
    """
    if tile < 1:
        raise ParameterError(f"tile must be at least 1 pixel (got {tile})")
    return open_collection(path, partial(lazy_array, tile=tile))


def ingest(
    source: str | Path,
    dest: str | Path,
    *,
    on_error: Literal["fail", "skip"] = "fail",
    pack: bool = False,
    mode: Literal["copy", "reference"] = "copy",
    append: bool = False,
    nodata: float | None = None,
    mosaic: Literal["first", "last", "newest", "median"] | None = None,
    series: Literal["day"] | None = None,
    pattern: str | None = None,
    cluster: str | Path | None = None,
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Collection:
    """Make a collection of the images in a folder, of a pattern such as ``scans/*.tif``, or of one file; or add to one.

    Parameters
    ----------
    source
        PNG, JPEG, TIFF, OME-TIFF, NumPy, video and more; folders are searched to the bottom. Or a collection, an
        OME-Zarr image or an OME-Zarr plate.
    dest
        Path of the collection; must not exist, but for ``append``. It gets its name when it is complete. An ingest that
        was killed is gone on with by the same call.
    on_error
        ``"fail"``: the first bad image ends the ingest. ``"skip"``: it is left out, and listed in the collection.
    pack
        Put small images of equal shape, dtype and axes together into one array: thousands of files become a few.
    mode
        ``"copy"`` the pixels, in checksummed chunks with pyramids; or make a ``"reference"`` to each file, which stays
        where it is and is read there. A file that changes is an error then, never other pixels.
    append
        Add to the collection ``dest`` what is not in it.
    nodata
        The value of pixels that are none, in the place of what files say: such as 0, for the collar of a scene.
    mosaic
        Make one image of all scenes, which lie on one grid: what one of them lacks another may have. Where several have
        a pixel, it is that of the ``"first"`` or the ``"last"`` of them by name, of the ``"newest"`` by time, or the
        ``"median"``, of an even number the upper of the middle two. Channel by channel, as rasterio does.
    series
        Make one image of all scenes with an axis of time, one moment a ``"day"`` in universal time. With ``mosaic`` the
        scenes of a day may be of several places.
    pattern
        How files are named, as ``{plate}_{well}_s{field}_w{channel}.tif``. Files that differ only in ``channel``, ``z``
        and ``t`` become one image; what other words say becomes columns of the table. Or the name of a known naming:
        ``imagexpress``, ``operetta``, ``cellvoyager``, ``micromanager``, ``bbbc013``, ``bbbc021``.
    cluster, workers
        Name or file of a cluster profile, whose workers see ``source`` and ``dest``, and how many workers; by default
        threads of this process.
    progress
        Called with the number of images done and of all images.

    Returns
    -------
    Collection
        OME-Zarr 0.5 with pyramids and checksums.

    Raises
    ------
    MissingInputError, ReadError, ImageError, OutputExistsError, OutputError
        What is wrong, with the name of the file.

    Examples
    --------
    >>> cells = bigimg.ingest("my_images/", "cells.zarr", on_error="skip")  # doctest: +SKIP
    """
    work = partial(
        ingest_files,
        source,
        dest,
        on_error=on_error,
        pack=pack,
        mode=mode,
        append=append,
        nodata=nodata,
        mosaic=mosaic,
        series=series,
        pattern=pattern,
        progress=progress,
    )
    if cluster is None:
        return open(work().path)
    with ClusterProfile.load(cluster).open(workers) as client, client.get_executor(pure=False, retries=2) as pool:
        return open(work(pool=pool).path)


def verify(path: str | Path, *, repair: bool = False) -> Verified:
    """Read every chunk of a collection, and compare each image with its row in the table.

    Parameters
    ----------
    path
        Of the collection, or of the output of a run.
    repair
        Whether to write damaged chunks again: of images from the files they were copied from, where those have not
        changed, and of smaller levels from the level before.

    Returns
    -------
    Verified
        ``damages`` with the item, the file, the reason and whether it was ``repaired``; ``is_whole``.

    Raises
    ------
    MissingInputError, ReadError
        If there is no collection.

    Examples
    --------
    >>> bigimg.verify("cells.zarr", repair=True).is_whole  # doctest: +SKIP
    True
    """
    return verify_files(path, repair=repair)


def lazy_array(source: Any, tile: int) -> Any:
    """Return a source as a lazy array of tiles of whole chunks."""
    return from_store(source, tile_shape(source, tile))


def tile_shape(source: Any, edge: int) -> tuple[int, ...]:
    """Return the shape of tiles of about ``edge`` rows and columns, of whole chunks where those are smaller.

    Colours stay together; other axes are cut into single planes. Of a video, whose frames are decoded in runs and
    whole, a tile is as many whole frames as have no more pixels than a square of that edge.
    """
    shape = []
    sizes = dict(zip(source.dims, source.shape))
    runs = dict(zip(source.dims, source.chunks)).get("t", 1)
    frames = edge * edge // (sizes["y"] * sizes["x"]) if runs > 1 else 0
    for name, size, chunk in zip(source.dims, source.shape, source.chunks):
        if name == "t" and frames:
            shape.append(min(runs, frames))
        elif name in ("y", "x") and frames:
            shape.append(size)
        elif name in ("y", "x"):
            unit = min(chunk, edge)
            shape.append(min(size, edge // unit * unit))
        else:
            shape.append(size if name == "c" and size <= 4 else 1)
    return tuple(shape)
