"""What is said of images that are about to be worked on."""

import numpy as np
import pytest
import tifffile

import bigimg
from bigimg.io import notes
from bigimg.io.readers import geotiff
from bigimg.io.scan import open_sources
from tests.unit.io.scenes import write_scene


def test_place_that_nothing_reads_is_told_of(tmp_path, monkeypatch):
    pytest.importorskip("rasterio", reason="scenes are an extra")
    pixels = np.arange(200, dtype=np.uint8).reshape(10, 20)
    (tmp_path / "scenes").mkdir()
    write_scene(tmp_path / "scenes" / "field.tif", pixels)
    tifffile.imwrite(tmp_path / "scenes" / "cell.tif", pixels)
    assert notes.place_notes(open_sources(tmp_path / "scenes")[0]) == ()
    monkeypatch.setattr(geotiff, "find_spec", lambda _: None)
    collection = bigimg.ingest(tmp_path / "scenes", tmp_path / "scenes.zarr")
    (said,) = collection.attrs["bigimg"]["notes"]
    assert said.startswith("field: ")
    assert 'pip install "bigimg[geo]"' in said
    assert any('pip install "bigimg[geo]"' in note for note in bigimg.plan("nuclei", tmp_path / "scenes", "out").notes)
