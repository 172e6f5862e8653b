"""The texture of objects: Haralick's features."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Any, ClassVar

import numpy as np
import pandas as pd
from annotated_types import Ge, Le
from numpy.typing import NDArray
from pydantic import AfterValidator

from bigimg.core.operation import Pixels, Valid
from bigimg.core.parameters import Count, Dims, ImageInput
from bigimg.core.reduction import Reduction
from bigimg.core.tile import Tile
from bigimg.engine.faces import composed
from bigimg.engine.kinds import opened, reduce
from bigimg.kernels import object_texture as kernel
from bigimg.kernels.label_runs import LabelRuns
from bigimg.kernels.object_pixels import Columns, ObjectPixels, checked_labels, checked_values, runs_of, whole_objects
from bigimg.ops.measure.whole_objects import check_images, labels_on_faces, numbered, shared_labels, together


def _ordered(given: tuple[float, float]) -> tuple[float, float]:
    if not -1e100 <= given[0] < given[1] <= 1e100:
        raise ValueError("must be two numbers, the lower first")
    return given


ValueRange = Annotated[tuple[float, float], AfterValidator(_ordered)]
Levels = Annotated[int, Ge(2), Le(kernel.MOST_LEVELS)]


@dataclass(frozen=True, eq=False)
class Counted:
    """Features of objects that lie in one tile, and of the others how often grey levels meet."""

    table: Columns
    counts: Columns
    """``label``, ``cell`` and ``count``."""
    tops: Columns
    """``label`` and the highest grey level by channel, ``top``, of the others."""


@dataclass(frozen=True)
class Haralick(Reduction[Counted, pd.DataFrame]):
    """Count pairs of grey levels within objects; see :func:`haralick`."""

    levels: int
    distance: int
    low: float
    high: float
    ndim: int
    channels: int | None
    shared: Any
    """The labels that lie in several tiles; None where those on the faces of a tile are known to be all."""
    name: ClassVar[str] = "texture"

    @property
    def halo(self) -> tuple[int, ...]:
        """The other pixel of a pair may lie so far beyond the tile."""
        return (self.distance,) * self.ndim

    @property
    def _steps(self) -> NDArray[np.int64]:
        return kernel.steps_of(self.ndim, self.distance)

    def partial(self, tile: Tile, *images: Pixels, valid: Valid | None = None) -> Counted:
        """Finish the objects that lie in this tile only, and count the pairs of the others."""
        labels = checked_labels(images[0], valid)
        own = labels[tile.crop]
        values = checked_values(images[1], labels.shape)
        volume = (1, *labels.shape)[-3:]
        grey = kernel.quantize(values, self.low, self.high, self.levels).reshape(-1, *volume)
        crop = (slice(0, 1), *tile.crop)[-3:]
        runs = runs_of(own, (0,) * self.ndim, own.shape, grey[(slice(None), *crop)].reshape(len(grey), -1))
        travels = np.isin(runs.label, labels_on_faces(own, tile) if self.shared is None else self.shared)
        alone, others = (self._seen(whole_objects(runs.where(which)), crop) for which in (~travels, travels))
        numbers = numbered_pixels(labels)[0].reshape(volume)
        features = kernel.features_of_objects(alone, numbers, grey, self._steps, self.levels)
        counts = kernel.count_pairs(others, numbers, grey, self._steps, self.levels)
        top = np.zeros((0, len(grey)), np.uint8)
        if len(others.label):
            top = np.maximum.reduceat(others.values, others.offset[:-1], axis=1).T
        return Counted({"label": alone.label, "features": features}, counts, {"label": others.label, "top": top})

    def _seen(self, pixels: ObjectPixels, crop: tuple[slice, ...]) -> ObjectPixels:
        """Return pixels with their places among all that the tile reads."""
        return replace(pixels, place=pixels.place + np.array([side.start for side in crop])[:, None])

    def merge(self, first: Counted, second: Counted) -> Counted:
        """Add the counts of both."""
        tops = together([first.tops, second.tops])
        order = np.argsort(tops["label"], kind="stable")
        label, starts = np.unique(tops["label"][order], return_index=True)
        top = np.maximum.reduceat(tops["top"][order], starts, axis=0) if len(starts) else tops["top"]
        return Counted(
            together([first.table, second.table]),
            kernel.added([first.counts, second.counts]),
            {"label": label, "top": top},
        )

    def finish(self, state: Counted) -> pd.DataFrame:
        """Return one row an object, sorted by label."""
        label, directions = state.tops["label"], len(self._steps)
        late = kernel.features_of_counts(label, state.tops["top"], state.counts, directions, self.levels)
        table = together([state.table, {"label": label, "features": late}])
        columns = {"label": table["label"]}
        for direction in range(directions):
            for number, name in enumerate(kernel.FEATURES):
                column = f"texture_{name}_{self.distance}_{direction:02d}_{self.levels}"
                columns[column] = table["features"][:, :, direction, number]
        return numbered(columns, self.channels)


def numbered_pixels(labels: Pixels) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Return which of the labels that occur each pixel has, -1 for none, and these labels, sorted."""
    runs = LabelRuns.of(labels.reshape(-1, labels.shape[-1]))
    numbers = np.full(labels.size, -1, np.int32)
    numbers[(labels != 0).ravel()] = np.repeat(runs.item.astype(np.int32), runs.stop - runs.start)
    return numbers.reshape(labels.shape), runs.label


@composed(takes="labels", gives="table")
def haralick(
    labels: Any,
    intensity_image: ImageInput,
    *,
    levels: Levels = 256,
    distance: Count = 3,
    value_range: ValueRange | None = None,
    dims: Dims = "yx",
) -> Any:
    """Measure the texture of each object by Haralick's features.

    Pairs of pixels of an object, ``distance`` apart along each axis of a direction, are counted by their grey levels.

    Parameters
    ----------
    labels : (M, N) or (P, M, N) array of integers
        0 is the background. A label need not be connected, and may lie in any number of tiles.
    intensity_image : array of the shape of labels, or that behind channels
        What is measured.
    levels : int, 2 to 256
        Number of grey levels. CellProfiler: 256.
    distance : int
        How far apart the pixels of a pair are. CellProfiler calls it scale: 3.
    value_range : (float, float), optional
        What becomes the lowest and the highest grey level; values beyond become these. By default 0 to 1 for floating
        point and boolean images, and 0 to the largest number of the dtype for integers: 255 for 8 bits. It is a fixed
        range, never that of the values in the image or in an object, so that equal values have equal levels everywhere.
    dims : {"yx", "zyx"}
        Whether the labels are of a plane, with 4 directions, or of a volume, with 13.

    Returns
    -------
    pandas.DataFrame
        One row an object, sorted by label. For each direction ``dd`` a column
        ``texture_{feature}_{distance}_{dd}_{levels}``, with ``-0``, ``-1`` ... behind it where the image has channels:

        ==============================  ===============================
        feature                         CellProfiler
        ==============================  ===============================
        ``angular_second_moment``       Texture_AngularSecondMoment
        ``contrast``                    Texture_Contrast
        ``correlation``                 Texture_Correlation
        ``variance``                    Texture_Variance
        ``inverse_difference_moment``   Texture_InverseDifferenceMoment
        ``sum_average``                 Texture_SumAverage
        ``sum_variance``                Texture_SumVariance
        ``sum_entropy``                 Texture_SumEntropy
        ``entropy``                     Texture_Entropy
        ``difference_variance``         Texture_DifferenceVariance
        ``difference_entropy``          Texture_DifferenceEntropy
        ``info_measure_1``              Texture_InfoMeas1
        ``info_measure_2``              Texture_InfoMeas2
        ==============================  ===============================

        Directions of a plane: ``00`` (0, 1), ``01`` (1, 1), ``02`` (1, 0), ``03`` (1, -1), as (row, column); of a
        volume in the order of ``mahotas.features.haralick``. Lazy, with ``.compute()``, where the images are lazy.

    Notes
    -----
    As CellProfiler's MeasureTexture, which is ``mahotas.features.haralick`` with ``ignore_zeros=True`` of each object
    by itself, up to rounding: pairs are counted in both orders, and the grey level 0 takes no part. Where an object has
    no pair in a direction its features there are ``nan``; CellProfiler has 0 then, and in all other directions too.
    Values are rounded to 8 bits first, and these cut off to ``levels``, as CellProfiler does.

    Exact at any size: counts of objects that tiles cut are added, at most 24 bytes for each pair of grey levels that
    occurs in an object, a direction and a channel. A tile reads ``distance`` pixels beyond its own. Labels that
    :func:`bigimg.measure.label` does not number in the same computation are read twice, first to find which lie in
    several tiles.

    References
    ----------
    R. M. Haralick, K. Shanmugam and I. Dinstein, Textural features for image classification, IEEE Transactions on
    Systems, Man and Cybernetics 3, 1973.

    Examples
    --------
    >>> import numpy as np
    >>> from bigimg import measure
    >>> stripes = np.tile(np.array([50, 200], np.uint8), (6, 3))
    >>> table = measure.haralick(np.ones((6, 6), int), stripes, distance=1, levels=8)
    >>> table[["texture_contrast_1_00_8", "texture_contrast_1_02_8"]]
       texture_contrast_1_00_8  texture_contrast_1_02_8
    0                     16.0                      0.0
    """
    ndim = len(dims)
    channels = check_images(labels, intensity_image, ndim)
    low, high = value_range or range_of(opened(intensity_image, ndim).pixels.dtype)
    shared = shared_labels(ndim, labels, intensity_image)
    return reduce(Haralick(levels, distance, low, high, ndim, channels, shared), labels, intensity_image, ndim=ndim)


def range_of(dtype: np.dtype[Any]) -> tuple[float, float]:
    """Return the range of grey values of a dtype: black to white."""
    return 0.0, float(np.iinfo(dtype).max) if dtype.kind in "iu" else 1.0
