import numpy as np
import pandas as pd
import pytest
from PIL import Image

from bigimg.core.tile import TileGrid
from bigimg.errors import MissingInputError, ReadError
from bigimg.io import (
    build_pyramid,
    building,
    create_labels,
    create_results,
    image_path,
    ingest,
    open_collection,
    open_inputs,
    write_table,
)

RNG = np.random.default_rng(0)


@pytest.fixture
def folder(tmp_path):
    images = tmp_path / "data" / "images"
    images.mkdir(parents=True)
    for i in range(3):
        Image.fromarray(RNG.integers(0, 256, (600, 50), np.uint8)).save(images / f"image{i}.png")
    return images


def _run(inputs, dest):
    """Do what a run does: labels for each image, a table, published at the end."""
    sources = open_inputs(inputs).sources
    with building(dest) as root:
        create_results(root, dest, sources, {"workflow": "nuclei"})
        for name, source in sources.items():
            item = root / "images" / name
            link = image_path(source, dest, name, "nuclei")
            writer = create_labels(
                item, "nuclei", source.shape, np.dtype("u4"), source.dims, source.attrs, (128, 128), image=link
            )
            writer.check_aligned(TileGrid.regular(source.shape, (256, 256)).chunks)
            for tile in TileGrid.regular(source.shape, (256, 256)):
                writer.write(tile.write, (source[tile.write] > 100).astype("u4"))
            build_pyramid(item / "labels" / "nuclei", "labels")
        write_table(root / "tables" / "objects.parquet", pd.DataFrame({"label": [1, 2]}))
    return sources


@pytest.mark.parametrize("kind", ["folder", "collection", "packed"])
def test_output_of_a_run_is_a_collection(folder, tmp_path, kind):
    inputs = folder
    if kind != "folder":
        inputs = tmp_path / "data" / "a.zarr"
        ingest(folder, inputs, pack=kind == "packed", chunk=1024)
    sources = _run(inputs, tmp_path / "results")
    results = open_collection(tmp_path / "results")
    assert results.label_names == ("nuclei",)
    assert results.table_names == ("objects",)
    assert results.attrs["bigimg"]["workflow"] == "nuclei"
    assert results.read_table("objects")["label"].tolist() == [1, 2]
    labels = results.labels("nuclei")
    assert list(labels) == list(results) == list(sources)
    for name, source in sources.items():
        np.testing.assert_array_equal(results[name].values, source[...])
        np.testing.assert_array_equal(labels[name].values, source[...] > 100)
        assert results.sources[name].fingerprint() == source.fingerprint()
    # And may be the input of another.
    _run(tmp_path / "results", tmp_path / "again")
    np.testing.assert_array_equal(open_collection(tmp_path / "again")["image1"].values, sources["image1"][...])


def test_both_may_move_together(folder, tmp_path):
    expected = _run(folder, tmp_path / "data" / "results")["image1"][...]
    (tmp_path / "data").rename(tmp_path / "moved")
    np.testing.assert_array_equal(open_collection(tmp_path / "moved" / "results")["image1"].values, expected)


def test_results_may_move_alone(folder, tmp_path):
    expected = _run(folder, tmp_path / "results")["image1"][...]
    (tmp_path / "far" / "away").mkdir(parents=True)
    (tmp_path / "results").rename(tmp_path / "far" / "away" / "results")
    results = open_collection(tmp_path / "far" / "away" / "results")
    np.testing.assert_array_equal(results["image1"].values, expected)


def test_image_that_is_gone_or_another(folder, tmp_path):
    _run(folder, tmp_path / "results")
    results = open_collection(tmp_path / "results")
    Image.fromarray(np.zeros((600, 50), np.uint8)).save(folder / "image1.png")
    with pytest.raises(ReadError, match=r"item 'image1' .* has changed"):
        results["image1"]
    (folder / "image1.png").unlink()
    with pytest.raises(MissingInputError, match=r"item 'image1' .* is gone"):
        results["image1"]
    # Its labels and the other images are still there.
    assert results.labels("nuclei")["image1"].shape == (600, 50)
    assert results["image2"].shape == (600, 50)


def test_lost_label_chunk_is_named(folder, tmp_path):
    _run(folder, tmp_path / "results")
    (tmp_path / "results" / "images" / "image1" / "labels" / "nuclei" / "0" / "c" / "2" / "0").unlink()
    with pytest.raises(ReadError, match=r"image 'image1': chunk \(2, 0\)"):
        open_collection(tmp_path / "results").labels("nuclei")["image1"].compute()
