"""Damage that is found wherever it is, and repaired where the file is still there."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile
from PIL import Image

from bigimg.io import create_labels, ingest, open_collection
from bigimg.io.levels import build_pyramid
from bigimg.io.verify import verify

RNG = np.random.default_rng(5)


@pytest.fixture
def made(tmp_path):
    images = tmp_path / "images"
    images.mkdir()
    for number in range(4):
        Image.fromarray(RNG.integers(0, 256, (40, 50), np.uint8)).save(images / f"small{number}.png")
    tifffile.imwrite(images / "large.tif", RNG.integers(0, 4000, (1100, 300), np.uint16), tile=(64, 64))
    ingest(images, tmp_path / "a.zarr", chunk=64, pack=True)
    root = tmp_path / "a.zarr"
    labels = create_labels(root / "images" / "large", "cells", (1100, 300), np.dtype("u4"), "yx", {}, (64, 64))
    labels.write((slice(0, 1100), slice(0, 300)), RNG.integers(0, 9, (1100, 300)).astype("u4"))
    build_pyramid(root / "images" / "large" / "labels" / "cells", "labels")
    return root


def chunks(root):
    return sorted(path for path in root.rglob("c/**/*") if path.is_file())


def test_a_whole_collection_is_whole(made):
    found = verify(made)
    assert found.damages == ()
    assert found.is_whole
    assert (found.items, found.chunks) == (5, len(chunks(made)))


@pytest.mark.parametrize("how", ["flip", "cut", "empty", "missing"])
def test_every_chunk_that_is_damaged_is_found_and_repaired(made, how):
    whole = {path: path.read_bytes() for path in chunks(made)}
    for number, path in enumerate(whole):
        if number % 3:
            continue
        raw = bytearray(whole[path])
        raw[len(raw) // 2] ^= 4
        path.unlink()
        if how != "missing":
            path.write_bytes({"flip": bytes(raw), "cut": bytes(raw[:-9]), "empty": b""}[how])
    hurt = {str(path) for number, path in enumerate(whole) if not number % 3}
    found = verify(made)
    assert {damage.path for damage in found.damages} == hurt
    assert not found.is_whole
    found = verify(made, repair=True)
    assert {damage.path for damage in found.damages} == hurt
    lost = {damage.path for damage in found.damages if not damage.repaired}
    # The largest level of labels comes from nothing else; what lies over a lost chunk in the smaller ones waits for it.
    assert all("labels" in path for path in lost)
    assert all("run the workflow again" in damage.reason for damage in found.damages if "cells/0/" in damage.path)
    for path, raw in whole.items():
        assert str(path) in lost or path.read_bytes() == raw


def test_a_file_that_is_another_one_repairs_nothing(made):
    tifffile.imwrite(made.parent / "images" / "large.tif", np.zeros((1100, 300), np.uint16), tile=(64, 64))
    (chunk, *_) = (made / "images" / "large" / "0").rglob("c/*/*")
    chunk.unlink()
    (damage,) = verify(made, repair=True).damages
    assert not damage.repaired
    assert "not the file it was copied from" in damage.reason
    (made.parent / "images" / "large.tif").unlink()
    (damage,) = verify(made, repair=True).damages
    assert "gone" in damage.reason


def test_images_tables_and_references_are_looked_at(made, tmp_path):
    (made / "images" / "half").mkdir()
    (made / "tables").mkdir()
    (made / "tables" / "objects.parquet").write_bytes(b"PAR1 but no more")
    assert {damage.item for damage in verify(made).damages} == {"half", "objects"}
    ingest(tmp_path / "images", tmp_path / "b.zarr", mode="reference")
    assert verify(tmp_path / "b.zarr").is_whole
    (tmp_path / "images" / "small1.png").unlink()
    (damage,) = verify(tmp_path / "b.zarr").damages
    assert damage.item == "small1"
    assert "gone" in damage.reason
    assert len(open_collection(tmp_path / "b.zarr")) == 5


@pytest.fixture
def scene(tmp_path):
    """A scene with a mask in its file, of four chunks."""
    rasterio = pytest.importorskip("rasterio", reason="scenes are an extra")
    (tmp_path / "scenes").mkdir()
    place = {"crs": "EPSG:32633", "transform": rasterio.Affine(30, 0, 500_000, 0, -30, 6_000_000)}
    with rasterio.open(tmp_path / "scenes/a.tif", "w", width=100, height=90, count=1, dtype="uint16", **place) as file:
        file.write(RNG.integers(0, 4000, (1, 90, 100), np.uint16))
        file.write_mask(RNG.random((90, 100)) > 0.5)
    return ingest(tmp_path / "scenes", tmp_path / "scenes.zarr", chunk=64).path


@pytest.mark.parametrize("missing", [True, False])
def test_which_pixels_count_is_looked_at_and_repaired(scene, missing):
    counted = verify(scene)
    assert counted.is_whole
    assert counted.chunks == len(chunks(scene))
    (chunk,) = (scene / "images/a/valid").rglob("c/1/0")
    whole = chunk.read_bytes()
    chunk.unlink()
    if not missing:
        chunk.write_bytes(whole[:-3])

    (damage,) = verify(scene).damages
    assert (damage.item, damage.path) == ("a", str(chunk))
    (damage,) = verify(scene, repair=True).damages
    assert damage.repaired
    assert chunk.read_bytes() == whole
    assert verify(scene).is_whole


def test_coordinates_are_looked_at(scene):
    (chunk,) = (scene / "images/a/x").rglob("c/0")
    chunk.write_bytes(chunk.read_bytes()[:-1])
    (damage,) = verify(scene, repair=True).damages
    assert (damage.path, damage.repaired) == (str(chunk), False)
    assert "ingest it again" in damage.reason
