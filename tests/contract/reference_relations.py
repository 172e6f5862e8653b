"""References of relations between label images, and of labels numbered anew."""

from functools import partial

import numpy as np
import pandas as pd
from scipy.optimize import linear_sum_assignment
from skimage import metrics, morphology, segmentation
from sklearn.metrics import adjusted_rand_score, rand_score

from .case import Case

LABELS = ("uint8", "uint16", "int32", "int64", "uint64")


def blobs(shape, seed):
    """Labels in blocks of 4 pixels, a third of them background, numbers neither small nor in order."""
    rng = np.random.default_rng(seed)
    coarse = rng.choice([0, 0, 0, 3, 7, 40, 41, 96, 100, 127], size=[-(-size // 4) for size in shape])
    for axis in range(len(shape)):
        coarse = np.repeat(coarse, 4, axis)
    return coarse[tuple(map(slice, shape))]


def labels_of(shape, dtype):
    return blobs(shape, 1).astype(dtype)


PLANE, VOLUME = (41, 38), (9, 14, 11)
DRAWN = np.where(np.random.default_rng(5).random(PLANE) < 0.7, labels_of(PLANE, "int32"), blobs(PLANE, 2))
SOLID = np.where(np.random.default_rng(6).random(VOLUME) < 0.8, labels_of(VOLUME, "int32"), blobs(VOLUME, 2))


EXCHANGED = (
    "scikit-image 0.26 returns the adapted precision as recall and the recall as precision: of one segment for all "
    "pixels, against many, it says that the precision is 1"
)


def counts(labels, reference):
    table = metrics.contingency_table(reference, labels.astype("int64")).tocoo()
    found = pd.DataFrame({"label": table.col, "reference_label": table.row, "pixels": table.data.astype("int64")})
    return found.sort_values(["label", "reference_label"]).reset_index(drop=True)


def overlaps(labels, reference):
    rows = []
    for label in np.unique(labels[labels > 0]):
        for other in np.unique(reference[(labels == label) & (reference > 0)]):
            one, two = labels == label, reference == other
            both = np.sum(one & two)
            iou = both / np.sum(one | two)
            rows.append((label, other, both, one.sum(), two.sum(), iou, both / one.sum(), both / two.sum()))
    return np.array(rows, float)


def scores(labels, reference, thresholds):
    """Match as StarDist does: the whole matrix of overlaps, as many as can be, then the largest sum."""
    ours, theirs = np.unique(labels[labels > 0]), np.unique(reference[reference > 0])
    iou = np.zeros((len(ours), len(theirs)))
    for row, column in np.ndindex(iou.shape):
        one, other = labels == ours[row], reference == theirs[column]
        iou[row, column] = np.sum(one & other) / np.sum(one | other)
    rows = []
    for threshold in thresholds:
        enough = iou >= threshold
        chosen = linear_sum_assignment(-(enough * (1 + iou / (2 * min(iou.shape)))))
        right = int(enough[chosen].sum())
        wrong, missed = len(ours) - right, len(theirs) - right
        total = (iou * enough)[chosen].sum()
        precision, recall = right / (right + wrong), right / (right + missed)
        f1 = 2 * right / (2 * right + wrong + missed)
        quality = total / (right + (wrong + missed) / 2)
        average = right / (right + wrong + missed)
        mean = total / max(right, 1)
        rows.append((threshold, right, wrong, missed, precision, recall, f1, average, mean, quality))
    return np.array(rows)


def agreement(labels, reference, ignore_labels):
    counts = ~np.isin(reference, ignore_labels)
    flat = reference[counts], labels[counts]
    error, recall, precision = metrics.adapted_rand_error(reference, labels, ignore_labels=ignore_labels)
    split, merge = metrics.variation_of_information(reference, labels, ignore_labels=ignore_labels)
    return np.array(
        [[rand_score(*flat), adjusted_rand_score(*flat), error, precision, recall, split, merge, split + merge]]
    )


def parents(labels, reference):
    rows = []
    for label in np.unique(labels[labels > 0]):
        inside = reference[labels == label]
        votes = np.bincount(inside[inside > 0], minlength=1)
        parent = int(votes.argmax())
        rows.append((label, parent, votes[parent], votes[parent] / inside.size))
    return np.array(rows, float)


def children(labels, reference):
    found = parents(labels, reference)[:, 1]
    return np.array([(label, np.sum(found == label)) for label in np.unique(reference[reference > 0])])


def renumbered(labels, offset):
    return segmentation.relabel_sequential(labels, offset)[0]


def of_size(labels, min_size, max_size):
    """Remove what is too small as scikit-image does, then those that it would leave if they were too small."""
    labels = labels.astype("int64")
    kept = morphology.remove_small_objects(labels, max_size=min_size - 1)
    return kept - (0 if max_size is None else morphology.remove_small_objects(kept, max_size=max_size))


def cleared(labels):
    """Clear whole labels; scikit-image clears the connected pieces of a label one by one."""
    inside = labels[(slice(1, -1),) * labels.ndim]
    border = np.pad(np.zeros(inside.shape, bool), 1, constant_values=True)
    return np.where(np.isin(labels, labels[border]), 0, labels)


def joined(labels, other):
    return segmentation.join_segmentations(labels.astype("int64"), other)


def case(op, reference, name, *, volume=False, rtol=0.0, dtypes=LABELS, **params):
    drawn = SOLID if volume else DRAWN
    return Case(
        op,
        partial(reference, reference=drawn, **params),
        {name: drawn, **params},
        dtypes,
        rtol,
        image=partial(labels_of, VOLUME if volume else PLANE),
        wrong=EXCHANGED if op == "measure.rand_scores" else "",
    )


CASES = [
    *(case("measure.contingency_table", counts, "reference", volume=volume) for volume in (False, True)),
    *(case("measure.overlap_table", overlaps, "reference", volume=volume) for volume in (False, True)),
    *(case("measure.relate_objects", parents, "parents", volume=volume) for volume in (False, True)),
    *(case("measure.count_children", children, "parents", volume=volume) for volume in (False, True)),
    case("measure.matching_scores", scores, "reference", rtol=1e-12, thresholds=[0.05, 0.2, 0.3, 0.5, 0.7, 0.9]),
    case("measure.matching_scores", scores, "reference", rtol=1e-12, volume=True, thresholds=[0.1, 0.5, 0.8]),
    case("measure.rand_scores", agreement, "reference", rtol=1e-12, dtypes=("uint16", "int64"), ignore_labels=[]),
    case("measure.rand_scores", agreement, "reference", rtol=1e-12, dtypes=("uint16", "int64"), ignore_labels=[0]),
    *(
        Case(
            "segmentation.find_boundaries",
            partial(segmentation.find_boundaries, connectivity=connectivity, mode=mode),
            {"connectivity": connectivity, "mode": mode},
            ("uint8", "int32", "uint32"),
            volume=volume,
            image=partial(labels_of, VOLUME if volume else PLANE),
        )
        for mode in ("thick", "inner", "outer")
        for volume in (False, True)
        for connectivity in (1, 2, 3)[: 3 if volume else 2]
    ),
    Case("segmentation.find_boundaries", segmentation.find_boundaries, {}, ("bool",)),
    *(
        Case(
            "segmentation.relabel_sequential",
            partial(renumbered, offset=offset),
            {"offset": offset},
            LABELS,
            volume=volume,
            image=partial(labels_of, VOLUME if volume else PLANE),
        )
        for volume in (False, True)
        for offset in (1, 5)
    ),
    *(
        Case(
            "segmentation.filter_sizes",
            partial(of_size, **limits),
            limits,
            LABELS,
            volume=volume,
            image=partial(labels_of, VOLUME if volume else PLANE),
        )
        for volume in (False, True)
        for limits in ({"min_size": 60, "max_size": None}, {"min_size": 40, "max_size": 120})
    ),
    *(
        Case(
            "segmentation.clear_border",
            cleared,
            {},
            LABELS,
            volume=volume,
            image=partial(labels_of, VOLUME if volume else PLANE),
        )
        for volume in (False, True)
    ),
    *(
        Case(
            "segmentation.join_segmentations",
            partial(joined, other=other),
            {"other": other},
            LABELS,
            volume=volume,
            image=partial(labels_of, VOLUME if volume else PLANE),
        )
        for volume, other in ((False, DRAWN), (True, SOLID))
    ),
]
