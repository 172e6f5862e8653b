"""References of tracking: dense assignment frame by frame, and what pandas makes of one track after the other."""

import numpy as np
import pandas as pd
from scipy.optimize import linear_sum_assignment

from .case import Case

RANGE = 4.0


def stack(dtype):
    """Return labels of four frames that overlap in many ways."""
    rng = np.random.default_rng(5)
    return np.kron(rng.integers(0, 5, (4, 6, 5)), np.ones((1, 3, 4), int)).astype(dtype)


def counted(labels):
    rows = []
    for t in range(len(labels) - 1):
        first, second = labels[t].astype(int), labels[t + 1].astype(int)
        for one in np.unique(first[first > 0]):
            for other in np.unique(second[(first == one) & (second > 0)]):
                both = ((first == one) & (second == other)).sum()
                either = ((first == one) | (second == other)).sum()
                rows.append((t, one, other, both, (first == one).sum(), (second == other).sum(), both / either))
    return np.array(rows)


def points(_):
    """Return objects that walk about, come and go."""
    rng = np.random.default_rng(2)
    walks = rng.random((40, 1, 2)) * 40 + rng.normal(0, 1, (40, 12, 2)).cumsum(axis=1)
    here = rng.random((40, 12)) < 0.9
    number, t = np.nonzero(here)
    return pd.DataFrame({"t": t, "label": number + 1, "y": walks[number, t, 0], "x": walks[number, t, 1]})


def linked(table):
    """Return number, frame and label of each object, linked by one dense assignment a pair of frames."""
    tracks = {}
    count = 0
    before = table[table.t == -1]
    for t in sorted(table.t.unique()):
        now = table[table.t == t]
        cost = ((before[["y", "x"]].to_numpy()[:, None] - now[["y", "x"]].to_numpy()[None]) ** 2).sum(axis=-1)
        cost[cost > RANGE**2] = 1e9
        nobody = np.full((len(before), len(before)), 1e9)
        np.fill_diagonal(nobody, RANGE**2)
        goes = dict(zip(*linear_sum_assignment(np.hstack([cost, nobody]))))
        come = {target: source for source, target in goes.items()}
        for at, label in enumerate(now.label):
            if at in come:
                tracks[t, label] = tracks[t - 1, before.label.iloc[come[at]]]
            else:
                count += 1
                tracks[t, label] = count
        before = now
    rows = sorted((track, t, label) for (t, label), track in tracks.items())
    return np.array(rows, float)


def link_table(table):
    """Return the columns of ``track.link``."""
    rows = pd.DataFrame(linked(table), columns=["track_id", "t", "label"]).merge(table, on=["t", "label"])
    rows = rows[["track_id", "t", "y", "x", "label"]].assign(parent=0)
    return moved(rows)


def moved(rows):
    parts = []
    for _, part in rows.sort_values(["track_id", "t"]).groupby("track_id"):
        place = part[["y", "x"]].to_numpy()
        step = np.linalg.norm(np.diff(place, axis=0), axis=1)
        speed = np.append(np.nan, step / np.diff(part.t))
        away = np.linalg.norm(place - place[0], axis=1)
        parts.append(part.assign(speed=speed, displacement=away, path_length=np.append(0, step.cumsum())))
    return pd.concat(parts, ignore_index=True)


def tracks(_):
    return link_table(points(None))


def summed(table):
    rows = []
    for number, part in moved(table.drop(columns=["speed", "displacement", "path_length"])).groupby("track_id"):
        way, away = part.path_length.iloc[-1], part.displacement.iloc[-1]
        lasts = part.t.max() - part.t.min()
        over = way / lasts if lasts else np.nan
        straight = away / way if way else np.nan
        rows.append((number, part.t.min(), part.t.max(), len(part), lasts, way, away, straight, over, part.speed.max()))
    return np.array([(*row, 0, 0) for row in rows])


def displaced(table, lags=10):
    rows = []
    for number, part in table.groupby("track_id"):
        place = part.set_index("t")[["y", "x"]]
        for lag in range(1, lags + 1):
            starts = [t for t in place.index if t + lag in place.index]
            if starts:
                away = place.loc[[t + lag for t in starts]].to_numpy() - place.loc[starts].to_numpy()
                rows.append((number, lag, lag, (away**2).sum(axis=1).mean(), len(starts)))
    return np.array(rows)


def diffusing(table):
    rows = []
    all_lags = displaced(table, 4)
    for number in table.track_id.unique():
        own = all_lags[all_lags[:, 0] == number]
        slope = np.nan
        rest = np.nan
        if len(own) > 1:
            slope, rest = np.polyfit(own[:, 2], own[:, 3], 1, w=np.sqrt(own[:, 4]))
        rows.append((number, slope / 4, np.sqrt(np.maximum(rest, 0) / 4), own[:, 4].sum()))
    return np.array(rows)


TABLE = ("float64",)

CASES = [
    Case("track.overlaps", counted, {}, ("uint8", "uint16", "int32", "int64"), image=stack),
    Case("track.link", link_table, {"search_range": RANGE}, TABLE, 1e-12, image=points),
    Case("track.motion", moved, {}, TABLE, 1e-12, image=tracks),
    Case("track.summary", summed, {}, TABLE, 1e-12, image=tracks),
    Case("track.mean_squared_displacement", displaced, {}, TABLE, 1e-12, image=tracks),
    Case("track.diffusion", diffusing, {}, TABLE, 1e-9, image=tracks),
]
