"""One cluster for all tests that only need workers, and a folder of small images."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image
from skimage import data

from bigimg.run.profile import ClusterProfile


@pytest.fixture(scope="session")
def client() -> Iterator[Any]:
    """Two worker processes of the cluster that users get."""
    with ClusterProfile.load("local").open(2) as client:
        yield client


@pytest.fixture
def shared(client, monkeypatch) -> Any:
    """Let runs use the one cluster in the place of one of their own."""

    @contextmanager
    def lend(self: ClusterProfile, workers: int | None = None) -> Iterator[Any]:
        yield client

    monkeypatch.setattr(ClusterProfile, "open", lend)
    return client


def discs(size: tuple[int, int], seed: int) -> np.ndarray:
    """Bright discs on a dark, noisy ground."""
    rng = np.random.default_rng(seed)
    rows, columns = np.ogrid[: size[0], : size[1]]
    image = rng.normal(20, 3, size)
    for _ in range(8):
        y, x, radius = rng.uniform(0, size[0]), rng.uniform(0, size[1]), rng.uniform(4, 9)
        image[(rows - y) ** 2 + (columns - x) ** 2 < radius**2] += rng.uniform(80, 150)
    return image.clip(0, 255).astype("uint8")


@pytest.fixture(scope="session")
def images(tmp_path_factory) -> Path:
    """A dozen images of several kinds and sizes; one is blank."""
    folder = tmp_path_factory.mktemp("images") / "in"
    (folder / "deep").mkdir(parents=True)
    coins = data.coins()
    for number in range(4):
        Image.fromarray(coins[number * 40 : number * 40 + 120, number * 60 : number * 60 + 150]).save(
            folder / f"coins{number}.png"
        )
        Image.fromarray(discs((90 + number, 100), number)).save(folder / "deep" / f"discs{number}.png")
    Image.fromarray(data.immunohistochemistry()[200:330, 100:260]).save(folder / "tissue.png")
    tifffile.imwrite(folder / "wide.tif", discs((70, 130), 9).astype("uint16") * 200)
    np.save(folder / "real.npy", discs((64, 64), 10).astype("float32") / 255)
    Image.fromarray(np.zeros((50, 40), "uint8")).save(folder / "blank.png")
    return folder


@pytest.fixture
def small(tmp_path) -> Path:
    """Two small images in a folder that a test may spoil."""
    folder = tmp_path / "in"
    folder.mkdir()
    for number in range(2):
        Image.fromarray(discs((60, 50), number)).save(folder / f"good{number}.png")
    return folder


def left_in(folder: Path) -> list[str]:
    """Return the names in a folder."""
    return sorted(path.name for path in folder.iterdir())
