"""Walks and broken copies of them, and what py-motmetrics 1.4.0 says of these (squared distances, ``max_d2=9``)."""

import numpy as np
import pandas as pd


def walks(rng, count, frames):
    """Return objects that come, walk and go."""
    rows = []
    for number in range(1, count + 1):
        place = rng.random(2) * 15
        start = rng.integers(0, frames - 2)
        for t in range(start, rng.integers(start + 1, frames + 1)):
            place = place + rng.normal(0, 1, 2)
            rows.append((number, t, *place))
    return pd.DataFrame(rows, columns=["track_id", "t", "y", "x"])


def broken(seed):
    """Return what is true, and tracks that miss some of it, change their number, and see what is not there."""
    rng = np.random.default_rng(seed)
    count, frames = rng.integers(2, 9), rng.integers(5, 30)
    truth = walks(rng, count, frames)
    found = truth.copy()
    found[["y", "x"]] += rng.normal(0, 1.2, (len(found), 2))
    found = found[rng.random(len(found)) < 0.8].copy()
    switched = rng.random(len(found)) < 0.1
    found.loc[switched, "track_id"] += rng.integers(50, 80)
    ghosts = walks(rng, 2, frames)
    ghosts["track_id"] += 200
    return truth, pd.concat([found, ghosts]).drop_duplicates(["t", "track_id"])


NAMES = (
    "mota",
    "motp",
    "idf1",
    "idp",
    "idr",
    "precision",
    "recall",
    "num_objects",
    "num_predictions",
    "num_matches",
    "num_switches",
    "num_misses",
    "num_false_positives",
    "num_fragmentations",
    "num_unique_objects",
    "mostly_tracked",
    "partially_tracked",
    "mostly_lost",
)

SCORES = (
    (
        -0.040000000000000036,
        2.458955182273189,
        0.5245901639344263,
        0.4444444444444444,
        0.64,
        0.5555555555555556,
        0.8,
        25,
        36,
        15,
        5,
        5,
        16,
        3,
        7,
        4,
        3,
        0,
    ),
    (
        0.0357142857142857,
        2.64974849645739,
        0.5915492957746479,
        0.4883720930232558,
        0.75,
        0.5581395348837209,
        0.8571428571428571,
        28,
        43,
        20,
        4,
        4,
        19,
        2,
        5,
        4,
        1,
        0,
    ),
    (
        0.4782608695652174,
        2.3377725291179434,
        0.7111111111111111,
        0.7272727272727273,
        0.6956521739130435,
        0.7727272727272727,
        0.7391304347826086,
        23,
        22,
        16,
        1,
        6,
        5,
        1,
        7,
        3,
        4,
        0,
    ),
    (
        0.3076923076923077,
        1.6685117638090243,
        0.6666666666666666,
        0.6428571428571429,
        0.6923076923076923,
        0.6428571428571429,
        0.6923076923076923,
        13,
        14,
        9,
        0,
        4,
        5,
        0,
        7,
        5,
        2,
        0,
    ),
    (
        0.2065217391304348,
        2.1930982355122546,
        0.5894736842105263,
        0.5714285714285714,
        0.6086956521739131,
        0.6836734693877551,
        0.7282608695652174,
        92,
        98,
        50,
        17,
        25,
        31,
        17,
        7,
        3,
        4,
        0,
    ),
    (
        0.23728813559322037,
        2.659071841859454,
        0.624,
        0.5909090909090909,
        0.6610169491525424,
        0.6666666666666666,
        0.7457627118644068,
        59,
        66,
        36,
        8,
        15,
        22,
        10,
        6,
        3,
        3,
        0,
    ),
)
"""Of seeds 0 to 5."""
