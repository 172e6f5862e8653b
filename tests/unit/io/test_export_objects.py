"""Objects, tables, scenes and videos in the formats of others, read back by the libraries that others use."""

import json

import geopandas
import numpy as np
import pandas as pd
import pytest
import shapely

import bigimg
from bigimg.errors import ImageError
from bigimg.io import open_collection

from .exported import make


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return make(tmp_path_factory.mktemp("export"))


@pytest.fixture
def collection(path):
    return open_collection(path)


def uncompressed(letters):
    """Run lengths as pycocotools unpacks them (rleFrString)."""
    counts, values = [], iter(ord(each) - 48 for each in letters)
    for first in values:
        value, shift, bits = first & 0x1F, 5, first
        while bits & 0x20:
            bits = next(values)
            value |= (bits & 0x1F) << shift
            shift += 5
        if bits & 0x10:
            value |= -1 << shift
        counts.append(value + (counts[-2] if len(counts) > 2 else 0))
    return counts


def test_coco_has_every_pixel_of_every_object(path, collection, tmp_path):
    bigimg.export(path, tmp_path / "cells.json", format="coco")
    found = json.loads((tmp_path / "cells.json").read_text())
    assert found["categories"] == [{"id": 1, "name": "nuclei"}]
    images = {each["id"]: each for each in found["images"]}
    assert [each["item"] for each in images.values()].count("series") == 5
    assert len({each["id"] for each in found["annotations"]}) == len(found["annotations"])
    painted = {}
    for each in found["annotations"]:
        image = images[each["image_id"]]
        assert each["segmentation"]["size"] == [image["height"], image["width"]]
        counts = uncompressed(each["segmentation"]["counts"])
        flat = np.repeat(np.arange(len(counts)) % 2 == 1, counts)
        flat = np.pad(flat, (0, image["height"] * image["width"] - flat.size))
        mask = flat.reshape(image["width"], image["height"]).T
        rows, columns = np.nonzero(mask)
        left, top = int(columns.min()), int(rows.min())
        size = [int(columns.max()) + 1 - left, int(rows.max()) + 1 - top]
        assert each["bbox"] == [left, top, *size]
        assert each["area"] == mask.sum()
        canvas = painted.setdefault((image["item"], image.get("t")), np.zeros(mask.shape, np.uint32))
        canvas[mask] = each["label"]
    for name, labels in collection.labels("nuclei").items():
        for number in range(5) if name == "series" else [None]:
            wanted = labels.values if number is None else labels.values[number]
            np.testing.assert_array_equal(painted.get((name, number), np.zeros_like(wanted)), wanted)


# GDAL says so of an object that is there at several times: ids of GeoJSON features are labels.
@pytest.mark.filterwarnings("ignore:Several features with id:RuntimeWarning")
@pytest.mark.parametrize("form", ["geojson", "geoparquet"])
def test_outlines_are_read_by_geopandas(path, collection, tmp_path, form):
    done = bigimg.export(path, tmp_path / "out", format=form, items=["stack", "series"])
    assert sorted(each.stem for each in done.iterdir()) == ["series", "stack"]
    read = geopandas.read_file if form == "geojson" else geopandas.read_parquet
    for file in done.iterdir():
        table = read(file)
        labels = collection.labels("nuclei")[file.stem].values
        assert table.geometry.is_valid.all()
        assert shapely.area(table.geometry.values).sum() == (labels != 0).sum()
        assert set(table["label"]) == set(np.unique(labels)) - {0}
    assert sorted(read(next(done.glob("series.*")))["t"].unique()) == [0, 1, 3, 4]


def test_tables_keep_every_value(path, collection, tmp_path):
    csv = bigimg.export(path, tmp_path / "csv", format="csv")
    assert sorted(each.name for each in csv.iterdir()) == ["images.csv", "objects.csv"]
    wanted = collection.read_table("objects")
    found = pd.read_csv(csv / "objects.csv", dtype={"label": "Int64", "area": str})
    assert found["label"].tolist()[:2] == [1, 2**60 + 1]
    np.testing.assert_array_equal(found["area"].astype(float), wanted["area"])
    assert found["name"].tolist()[:2] == ["a,b", 'say "ä"']
    assert json.loads(pd.read_csv(csv / "images.csv").set_index("id").loc["stack", "shape"]) == [2, 2, 600, 1100]
    parquet = bigimg.export(path, tmp_path / "parquet", format="parquet", items=["well_*"])
    assert pd.read_parquet(parquet / "objects.parquet")["item"].tolist() == ["well_A1", "well_A1"]
    assert pd.read_parquet(parquet / "images.parquet")["id"].tolist() == ["well_A1"]


def test_a_video_has_the_frames_at_their_times(path, collection, tmp_path):
    av = pytest.importorskip("av", reason="videos are an extra")
    bigimg.export(path, tmp_path / "series.mp4", format="mp4", items=["series"], labels="nuclei")
    with av.open(str(tmp_path / "series.mp4")) as file:
        frames = list(file.decode(video=0))
    assert [round(frame.time, 3) for frame in frames] == [0.0, 0.2, 0.4, 0.6, 0.8]
    assert (frames[0].height, frames[0].width) == (60, 82)
    with pytest.raises(ImageError, match="no axis of time"):
        bigimg.export(path, tmp_path / "stack.mp4", format="mp4", items=["stack"])
    assert [each.name for each in tmp_path.iterdir()] == ["series.mp4"]


@pytest.mark.parametrize("dtype", ["uint16", "float32"])
def test_a_cog_has_overviews_that_are_not_empty(tmp_path, dtype):
    rasterio = pytest.importorskip("rasterio", reason="scenes are an extra")
    pixels = np.random.default_rng(0).integers(100, 4000, (1100, 1300)).astype(dtype)
    (tmp_path / "in").mkdir()
    np.save(tmp_path / "in" / "a.npy", pixels)
    found = bigimg.ingest(tmp_path / "in", tmp_path / "a.zarr")
    bigimg.export(found, tmp_path / "a.tif", format="cog", items=[next(iter(found))])
    kept = found[next(iter(found))].values
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
        with rasterio.open(tmp_path / "a.tif") as file:
            assert file.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
            assert file.overviews(1) == [2, 4]
            assert file.block_shapes[0] == (512, 512)
            np.testing.assert_array_equal(file.read(), kept.reshape(file.count, *kept.shape[-2:]))
        for level in (0, 1):
            with rasterio.open(tmp_path / "a.tif", overview_level=level) as file:
                assert file.read().min() >= 100
