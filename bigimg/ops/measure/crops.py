"""Objects cut out of their image: what is as large as the object itself, and no column of a table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from bigimg.core.parameters import Dims, is_deferred
from bigimg.core.tile import Box
from bigimg.engine.kinds import opened
from bigimg.errors import ImageError, ParameterError


@dataclass(frozen=True, eq=False)
class ObjectCrop:
    """One object of an image, with scikit-image's names for its parts."""

    label: int
    slice: Box
    """Its bounding box, and in a stack the plane before it."""
    image: Any
    """Which pixels of the box are its own: a boolean NumPy array, or a Dask array where the labels are lazy."""
    image_intensity: Any
    """The pixels of the intensity image in the box, 0 where they are not its own; None without such an image."""

    @property
    def coords(self) -> np.ndarray[Any, np.dtype[np.int64]]:
        """Return the indices of its pixels, (pixels, ndim); computes a lazy crop."""
        corner = [side.start for side in self.slice[-self.image.ndim :]]
        return np.argwhere(np.asarray(self.image)) + np.array(corner)


def crop_objects(
    labels: Any, table: pd.DataFrame, intensity_image: Any = None, *, dims: Dims = "yx"
) -> Iterator[ObjectCrop]:
    """Cut objects out of their label image, one after the other, and out of an image of the same shape.

    Parameters
    ----------
    labels : (..., M, N) or (..., P, M, N) array of integers
        NumPy, Dask or xarray. Of lazy ones only the tiles are computed in which a crop lies, once it is asked for.
    table : pandas.DataFrame
        Which objects: rows of :func:`bigimg.measure.regionprops_table` with ``label`` and ``bbox`` in pixels, and of a
        stack the columns that say which plane. Choose among them as in ``table[table["area"] > 100]``.
    intensity_image : array of the shape of labels, or that behind channels, optional
        What to cut out as well.
    dims : {"yx", "zyx"}
        As the table was measured.

    Yields
    ------
    ObjectCrop
        ``label``, ``slice``, ``image``, ``image_intensity`` and ``coords``, as the properties of the same name of
        ``skimage.measure.regionprops``, channels first. Crops of lazy images are Dask arrays.

    Raises
    ------
    ParameterError
        If the table lacks columns, or is not computed yet.
    ImageError
        If the images do not fit.

    Examples
    --------
    >>> import numpy as np
    >>> from bigimg import measure
    >>> labels = np.array([[0, 3, 3, 0], [0, 0, 3, 8]])
    >>> table = measure.regionprops_table(labels, properties=["label", "bbox", "area"])
    >>> [crop.image.tolist() for crop in measure.crop_objects(labels, table[table["area"] > 1])]
    [[[True, True], [False, True]]]
    """
    if is_deferred(table):
        raise ParameterError("measure.crop_objects: table must be known (got a lazy one); give table.compute()")
    ndim = len(dims)
    given = opened(labels, ndim)
    lead = given.pixels.ndim - ndim
    bounds = [f"bbox-{number}" for number in range(2 * ndim)]
    missing = [name for name in ("label", *bounds) if name not in table.columns]
    if missing:
        raise ParameterError(
            f"measure.crop_objects: table needs {', '.join(missing)} (got {', '.join(map(str, table.columns))}); "
            "measure label and bbox"
        )
    pixels = None if intensity_image is None else opened(intensity_image, ndim).pixels
    if pixels is not None and pixels.shape[pixels.ndim - given.pixels.ndim :] != given.pixels.shape:
        raise ImageError(
            f"measure.crop_objects: intensities have the shape of labels, {given.pixels.shape}, or that behind "
            f"channels (got {pixels.shape})"
        )
    places = table[list(table.columns[:lead])].to_numpy()
    return _crops(given.pixels, given.valid, pixels, places, table["label"].to_numpy(), table[bounds].to_numpy())


def _crops(labels: Any, valid: Any, pixels: Any, places: Any, numbers: Any, bounds: Any) -> Iterator[ObjectCrop]:
    ndim = bounds.shape[1] // 2
    for place, number, bound in zip(places.tolist(), numbers.tolist(), bounds.tolist()):
        box = tuple(slice(*ends) for ends in zip(bound[:ndim], bound[ndim:]))
        at = (*place, *box)
        own = labels[at] == number
        if valid is not None:
            own &= valid[at[len(at) - valid.ndim :]]
        inside = None if pixels is None else pixels[(..., *at)] * own
        yield ObjectCrop(number, (*(slice(index, index + 1) for index in place), *box), own, inside)
