"""Plates in OME-Zarr: read, ingested, exported, and read back by the trade's own libraries."""

import json
import shutil

import numpy as np
import pytest
import tifffile
import zarr

import bigimg
from bigimg.errors import ParameterError, ReadError

RNG = np.random.default_rng(9)
WELLS = ("B03", "B10", "AA02")


@pytest.fixture
def collection(tmp_path):
    folder = tmp_path / "files"
    folder.mkdir()
    for well in WELLS:
        for field in (1, 2):
            for channel in ("DAPI", "GFP"):
                pixels = RNG.integers(0, 4000, (30, 40), np.uint16)
                tifffile.imwrite(folder / f"P1_{well}_s{field}_{channel}_taxol.tif", pixels)
    return bigimg.ingest(folder, tmp_path / "cells.zarr", pattern="{plate}_{well}_s{field}_{channel}_{drug}.tif")


@pytest.fixture(params=["0.4", "0.5"])
def plate(request, collection, tmp_path):
    path = tmp_path / "plate.ome.zarr"
    bigimg.export(collection, path, format="ome-zarr-plate", ome_version=request.param)
    return path, request.param


def by_place(images):
    return {
        (images.item(name).attrs["columns"]["well"], images.item(name).attrs["columns"]["field"]): name
        for name in images
    }


def same_images(first, second):
    theirs = by_place(second)
    assert by_place(first).keys() == theirs.keys()
    for place, name in by_place(first).items():
        np.testing.assert_array_equal(first[name].values, second[theirs[place]].values)
        assert first[name].attrs["columns"] == second[theirs[place]].attrs["columns"]
        assert first[name].attrs["channel_names"] == second[theirs[place]].attrs["channel_names"]


def test_plate_is_valid_and_complete(plate, collection):
    models = pytest.importorskip("ome_zarr_models")
    path, version = plate
    found = models.open_ome_zarr(zarr.open_group(str(path), mode="r"))
    assert type(found).__name__ == "HCS"
    assert found.ome_zarr_version == version
    said = found.ome_attributes.plate if version == "0.5" else found.attributes.plate
    assert [row.name for row in said.rows] == ["B", "AA"]
    assert [column.name for column in said.columns] == ["2", "3", "10"]
    assert {well.path: (well.rowIndex, well.columnIndex) for well in said.wells} == {
        "B/3": (0, 1), "B/10": (0, 2), "AA/2": (1, 0),
    }  # fmt: skip
    assert said.field_count == 2
    wells = list(found.well_groups)
    assert len(wells) == 3
    pixels = zarr.open_array(str(path / "AA/2/2/0"), mode="r")[...]
    np.testing.assert_array_equal(pixels, collection["P1_AA02_2_taxol"].values)


def test_ome_zarr_opens_the_plate(plate):
    reader = pytest.importorskip("ome_zarr.reader")
    from ome_zarr.io import parse_url

    nodes = list(reader.Reader(parse_url(str(plate[0])))())
    assert [type(spec).__name__ for spec in nodes[0].specs] == ["Plate"]


def test_plate_reads_back(plate, collection):
    found = bigimg.open(plate[0])
    assert found.columns == ("plate", "well", "row", "column", "field", "drug")
    same_images(collection, found)
    assert "plate P1: 3 wells (AA02 to B10), images a well 2" in found.overview()


def test_plate_is_ingested(plate, collection, tmp_path):
    made = bigimg.ingest(plate[0], tmp_path / "again.zarr")
    same_images(collection, made)
    assert bigimg.verify(made.path).is_whole
    with pytest.raises(ParameterError, match="leave out append"):
        bigimg.ingest(plate[0], made.path, append=True)


def test_plate_written_by_ome_zarr(tmp_path):
    writer = pytest.importorskip("ome_zarr.writer")
    from ome_zarr.format import FormatV04

    root = zarr.open_group(str(tmp_path / "theirs.zarr"), mode="w", zarr_format=2)
    writer.write_plate_metadata(root, ["A", "B"], ["1", "2"], ["A/2", "B/1"], fmt=FormatV04(), acquisitions=[{"id": 4}])
    pixels = {}
    for well in ("A/2", "B/1"):
        row, column = well.split("/")
        group = root.require_group(row).require_group(column)
        writer.write_well_metadata(group, [{"path": "f0", "acquisition": 4}], fmt=FormatV04())
        pixels[well] = RNG.integers(0, 255, (2, 16, 16), np.uint8)
        writer.write_image(pixels[well], group.require_group("f0"), axes="cyx", fmt=FormatV04(), scaler=None)
    found = bigimg.open(tmp_path / "theirs.zarr")
    assert list(found) == ["A02_f0", "B01_f0"]
    np.testing.assert_array_equal(found["B01_f0"].values, pixels["B/1"])
    assert found["B01_f0"].attrs["columns"] == {
        "plate": "theirs", "well": "B01", "row": "B", "column": 1, "field": "f0", "acquisition": 4,
    }  # fmt: skip


def test_what_a_plate_lacks_is_named(plate):
    path, _ = plate
    shutil.rmtree(path / "B/10/1")
    with pytest.raises(ReadError, match=r"well B/10 lacks its field 1"):
        bigimg.open(path)
    shutil.rmtree(path / "B")
    with pytest.raises(ReadError, match=r"lacks its well B/3"):
        bigimg.open(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"path": "../../x"}, "has the row 'B'"),
        ({"rowIndex": 5}, "IndexError"),
        ({"rowIndex": -1}, "indices"),
        ({"columnIndex": "x"}, "ValueError"),
    ],
)
def test_plate_that_says_what_cannot_be(plate, change, message):
    path, version = plate
    file = path / ("zarr.json" if version == "0.5" else ".zattrs")
    document = json.loads(file.read_text())
    said = document["attributes"]["ome"]["plate"] if version == "0.5" else document["plate"]
    next(well for well in said["wells"] if well["path"] == "B/3").update(change)
    file.write_text(json.dumps(document))
    with pytest.raises(ReadError, match=message):
        bigimg.open(path)


def test_field_outside_of_the_plate_is_refused(plate):
    path, version = plate
    file = path / "B/3" / ("zarr.json" if version == "0.5" else ".zattrs")
    file.write_text(file.read_text().replace('"path": "1"', '"path": "../../../files"'))
    with pytest.raises(ReadError, match="points outside"):
        bigimg.open(path)


def test_images_without_wells_are_no_plate(tmp_path):
    folder = tmp_path / "files"
    folder.mkdir()
    tifffile.imwrite(folder / "a.tif", np.zeros((20, 20), np.uint8))
    made = bigimg.ingest(folder, tmp_path / "cells.zarr")
    with pytest.raises(ParameterError, match="'a' does not say which well"):
        bigimg.export(made, tmp_path / "plate.zarr", format="ome-zarr-plate")


def test_several_plates_are_several_folders(tmp_path):
    folder = tmp_path / "files"
    folder.mkdir()
    for plate in ("P1", "P2"):
        tifffile.imwrite(folder / f"{plate}_A01.tif", np.full((20, 20), 7, np.uint8))
    made = bigimg.ingest(folder, tmp_path / "cells.zarr", pattern="{plate}_{well}.tif")
    bigimg.export(made, tmp_path / "out", format="ome-zarr-plate")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["P1.ome.zarr", "P2.ome.zarr"]
    assert list(bigimg.open(tmp_path / "out/P2.ome.zarr")) == ["A01_0"]
    with pytest.raises(ParameterError, match="is one file, and there are 2"):
        bigimg.export(made, tmp_path / "one.zarr", format="ome-zarr-plate")
