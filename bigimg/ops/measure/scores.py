"""How alike two segmentations are: objects that match, and pixels that are together in both."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Annotated, Any

import numpy as np
import pandas as pd
from annotated_types import Gt, Le, MinLen

from bigimg.core.parameters import ImageInput
from bigimg.engine.faces import composed
from bigimg.kernels.contingency import Pairs
from bigimg.kernels.matching import Overlaps, agreement, scores_of_matching
from bigimg.ops.measure.overlaps import overlapping

THRESHOLDS = (0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95)
"""Of the Data Science Bowl 2018, and of COCO."""

Threshold = Annotated[float, Gt(0), Le(1)]


@composed(takes="labels", gives="table")
def matching_scores(
    labels: Any,
    reference: ImageInput,
    *,
    thresholds: Annotated[Sequence[Threshold], MinLen(1)] = THRESHOLDS,
) -> Any:
    """Match the objects of two label images by their overlap, and score the first by the second.

    Parameters
    ----------
    labels : (..., M, N) array of integers
        The objects that were found; 0 is the background.
    reference : (..., M, N) array of integers
        The objects that are there, such as those drawn by hand.
    thresholds : sequence of float
        How large the intersection over union of two objects must be, at least, for them to match.

    Returns
    -------
    pandas.DataFrame
        One row for each threshold: ``threshold``, ``true_positives`` (objects that match), ``false_positives`` (that
        were found, but are not there), ``false_negatives`` (missed); ``precision``, ``recall``, ``f1``,
        ``average_precision``, that is TP / (TP + FP + FN), the ``mean_iou`` of the objects that match, and
        ``panoptic_quality``. Ratios are 0 where nothing matches. Lazy where an image is lazy.

    Notes
    -----
    Counts are those of ``stardist.matching.matching``, whose ``accuracy`` is the average precision of the Data Science
    Bowl 2018, and whose ``mean_matched_score`` is ``mean_iou``. Above 0.5 an object can match one other at most; below,
    as many are matched as can be, and of such matchings one with the largest sum of overlaps is taken.

    References
    ----------
    J. C. Caicedo et al., "Nucleus segmentation across imaging experiments: the 2018 Data Science Bowl", Nature Methods
    16 (2019). A. Kirillov et al., "Panoptic segmentation", CVPR (2019).

    Examples
    --------
    >>> import numpy as np
    >>> found, drawn = np.array([[1, 1, 1, 0, 2]]), np.array([[7, 7, 0, 0, 0]])
    >>> table = matching_scores(found, reference=drawn, thresholds=[0.5, 0.75])
    >>> table[["threshold", "precision", "recall", "mean_iou"]]
       threshold  precision  recall  mean_iou
    0       0.50        0.5     1.0  0.666667
    1       0.75        0.0     0.0  0.000000
    """
    return overlapping(labels, reference, "the reference", partial(_matching, thresholds=tuple(thresholds)))


def _matching(pairs: Pairs, thresholds: tuple[float, ...]) -> pd.DataFrame:
    found = Overlaps.of(pairs)
    return pd.DataFrame([scores_of_matching(found, threshold) for threshold in thresholds])


@composed(takes="labels", gives="table")
def rand_scores(labels: Any, reference: ImageInput, *, ignore_labels: Sequence[int] = ()) -> Any:
    """Score how alike two segmentations divide the pixels: Rand indices and variation of information.

    Parameters
    ----------
    labels : (..., M, N) array of integers
    reference : (..., M, N) array of integers
        Labels of the same pixels.
    ignore_labels : sequence of int
        Labels of the reference whose pixels do not count; ``(0,)`` leaves out its background, which is a segment like
        any other by default.

    Returns
    -------
    pandas.DataFrame
        One row: ``rand_index``, ``adjusted_rand_index``; ``adapted_rand_error``, ``adapted_rand_precision`` and
        ``adapted_rand_recall``; and in bits ``split_entropy`` (of the labels, where the segment of the reference is
        known), ``merge_entropy`` (the other way round) and their sum, the ``variation_of_information``. NaN where there
        is nothing to compare. Lazy where an image is lazy.

    Notes
    -----
    Equal, up to rounding, to ``sklearn.metrics.rand_score`` and ``adjusted_rand_score`` of the pixels, and to
    ``skimage.metrics.adapted_rand_error(reference, labels)`` and ``variation_of_information(reference, labels)`` with
    the same ``ignore_labels``, of which the first leaves 0 out by default; but scikit-image 0.26 exchanges adapted
    precision and recall. Precision is the share of the pairs of pixels together in ``labels`` that are together in the
    reference. Pairs are counted exactly, however many there are.

    References
    ----------
    L. Hubert and P. Arabie, "Comparing partitions", Journal of Classification 2 (1985). I. Arganda-Carreras et al.,
    "Crowdsourcing the creation of image segmentation algorithms for connectomics", Frontiers in Neuroanatomy 9 (2015).
    M. Meila, "Comparing clusterings", Journal of Multivariate Analysis 98 (2007).

    Examples
    --------
    >>> import numpy as np
    >>> scores = rand_scores(np.array([[1, 1, 2, 2]]), reference=np.array([[5, 5, 5, 6]]))
    >>> scores[["rand_index", "split_entropy", "merge_entropy"]].round(3)
       rand_index  split_entropy  merge_entropy
    0         0.5          0.689            0.5
    """
    return overlapping(labels, reference, "the reference", partial(_agreement, ignored=tuple(ignore_labels)))


def _agreement(pairs: Pairs, ignored: tuple[int, ...]) -> pd.DataFrame:
    counts = ~np.isin(pairs.second, ignored)
    return pd.DataFrame([agreement(Pairs(pairs.first[counts], pairs.second[counts], pairs.pixels[counts]))])
