"""How good tracks are where the paths are known: real objects, cut out and moved, found and linked again."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from skimage import data, io, measure, transform

import bigimg
from bigimg import track

DATA = Path(__file__).parents[3] / ".." / "shared" / "data" / "nuclei"
FRAMES, COUNT, EDGE = 40, 24, 420
UNSEEN = 0.03
"""Share of the frames in which an object is not seen."""


def coins():
    """Return coins, cut out, half their size."""
    image = data.coins()[:300].astype(float)
    mask = bigimg.morphology.remove_small_objects(bigimg.filters.gaussian(image, sigma=2.0) > 110, min_size=400)
    return [
        transform.resize(np.where(region.image, image[region.slice], 0), np.array(region.image.shape) // 2)
        for region in measure.regionprops(measure.label(mask))
        if region.area > 700 and region.solidity > 0.9 and region.bbox[0] > 0 and region.bbox[3] < image.shape[1]
    ]


def nuclei():
    """Return nuclei, cut out by their masks."""
    found = []
    index = pd.read_csv(DATA / "index.csv")
    for name in index[index.kind == "fluo"].id[:12]:
        (path,) = DATA.glob(f"images/{name}.*")
        (mask,) = DATA.glob(f"labels/{name}.*")
        image = io.imread(path).astype(float)
        image = image[..., :3].max(axis=-1) if image.ndim == 3 else image
        for region in measure.regionprops(io.imread(mask)):
            if 150 < region.area < 700 and region.solidity > 0.9:
                crop = np.where(region.image, image[region.slice], 0)
                found.append(crop * 200 / crop.max())
    return found[:: max(1, len(found) // COUNT)]


def movie(crops, seed):
    """Return frames in which objects move, turn back before one another and the border, and are not always seen."""
    rng = np.random.default_rng(seed)
    side = max(max(crop.shape) for crop in crops)
    cells = np.stack(np.meshgrid(np.arange(6), np.arange(6), indexing="ij"), axis=-1).reshape(-1, 2)
    place = (cells[rng.permutation(36)[:COUNT]] + 0.5) * EDGE / 6
    velocity = rng.normal(0, 2.0, (COUNT, 2))
    frames, rows = rng.normal(20, 4, (FRAMES, EDGE, EDGE)), []
    for t in range(FRAMES):
        for number in range(COUNT):
            crop = crops[number % len(crops)]
            start = np.round(place[number]).astype(int) - np.array(crop.shape) // 2
            rows.append((number + 1, t, *(start + (np.array(crop.shape) - 1) / 2)))
            if rng.random() >= UNSEEN:
                view = frames[t, start[0] : start[0] + crop.shape[0], start[1] : start[1] + crop.shape[1]]
                np.maximum(view, crop, out=view)
        velocity += rng.normal(0, 0.3, velocity.shape)
        for number in range(COUNT):
            to = place[number] + velocity[number]
            near = np.linalg.norm(np.delete(place, number, axis=0) - to, axis=1).min()
            if near < 1.15 * side or (to < side).any() or (to > EDGE - side).any():
                velocity[number] *= -1
            else:
                place[number] = to
    return frames.clip(0, 255).astype("uint8"), pd.DataFrame(rows, columns=["track_id", "t", "y", "x"])


def objects_of(frames):
    """Return the objects above the ground."""
    parts = []
    for t, frame in enumerate(frames):
        mask = bigimg.filters.gaussian(frame, sigma=1.0) > 60
        labels = bigimg.measure.label(bigimg.morphology.remove_small_objects(mask, min_size=50))
        table = bigimg.measure.regionprops_table(labels, properties=["label", "area", "centroid"])
        parts.append(table.assign(t=t))
    return pd.concat(parts, ignore_index=True)


@pytest.mark.parametrize("seed", [0, 1])
def test_coins_are_followed(seed):
    frames, truth = movie(coins(), seed)
    found = track.link(objects_of(frames), search_range=15.0, memory=5, motion="velocity")
    scores = track.scores(truth, found, max_distance=10.0)
    assert scores["idf1"] >= 0.95
    assert scores["mota"] >= 0.95


@pytest.mark.real_images
@pytest.mark.skipif(not DATA.exists(), reason="needs ../shared/data/nuclei")
def test_nuclei_are_followed():
    frames, truth = movie(nuclei(), 0)
    found = track.link(objects_of(frames), search_range=15.0, memory=5, motion="velocity")
    assert track.scores(truth, found, max_distance=10.0)["idf1"] >= 0.95
