"""Images and labels in the formats of others, read back by the libraries that others use."""

import json
import warnings

import numpy as np
import pytest
import tifffile
import zarr
from PIL import Image

import bigimg
from bigimg.errors import ImageError, OutputExistsError, ParameterError, UnknownNameError
from bigimg.io import open_collection
from bigimg.io.exports.levels import levels_of
from bigimg.io.exports.ome_zarr import metadata_of_04
from bigimg.io.pyramid import halve

from .exported import make


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return make(tmp_path_factory.mktemp("export"))


@pytest.fixture
def collection(path):
    return open_collection(path)


def pyramid(pixels, kind, count):
    levels = [pixels]
    while len(levels) < count:
        levels.append(halve(levels[-1], kind))
    return levels


def test_the_example_has_what_is_tested(collection):
    assert list(collection) == ["mask", "series", "stack", "well_A1"]
    assert collection["stack"].dims == ("c", "z", "y", "x")
    assert collection["mask"].dtype == bool


@pytest.mark.parametrize("version", ["0.4", "0.5"])
@pytest.mark.parametrize("name", ["mask", "series", "stack", "well_A1"])
def test_ome_zarr_is_read_by_its_own_libraries(path, collection, tmp_path, version, name):
    done = bigimg.export(path, tmp_path / "out", format="ome-zarr", items=[name], ome_version=version)
    assert [each.name for each in done.iterdir()] == [f"{name}.ome.zarr"]
    image = done / f"{name}.ome.zarr"
    pixels, labels = collection[name].values, collection.labels("nuclei")[name].values
    if version == "0.5":
        from ome_zarr_models.v05 import Image as Model
        from ome_zarr_models.v05 import ImageLabel, Labels
    else:
        from ome_zarr_models.v04 import Image as Model
        from ome_zarr_models.v04 import ImageLabel, Labels
    group = zarr.open_group(str(image), mode="r")
    assert group.metadata.zarr_format == (3 if version == "0.5" else 2)
    model = Model.from_zarr(group)
    attributes = model.attributes.ome if version == "0.5" else model.attributes
    (multiscale,) = attributes.multiscales
    assert "".join(axis.name for axis in multiscale.axes) == "".join(collection[name].dims)
    assert attributes.omero is not None
    labelled = Labels.from_zarr(zarr.open_group(str(image / "labels"), mode="r"))
    assert (labelled.label_paths if version == "0.5" else labelled.attributes.labels) == ["nuclei"]
    label = ImageLabel.from_zarr(zarr.open_group(str(image / "labels" / "nuclei"), mode="r"))
    described = label.attributes.ome if version == "0.5" else label.attributes
    assert len(described.multiscales[0].datasets) == len(multiscale.datasets)
    for at, wanted, kind in ((image, pixels, "image"), (image / "labels" / "nuclei", labels, "labels")):
        for number, level in enumerate(pyramid(wanted, kind, len(multiscale.datasets))):
            np.testing.assert_array_equal(zarr.open_array(str(at / str(number)), mode="r")[:], level)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of deprecations within ome-zarr-py
        from ome_zarr.io import parse_url
        from ome_zarr.reader import Reader

        nodes = list(Reader(parse_url(str(image)))())
    np.testing.assert_array_equal(np.asarray(nodes[0].data[0]), pixels)
    assert len(nodes) == 3  # the image, the group of labels, the labels
    again = open_collection(image)
    (opened,) = again.values()
    assert opened.attrs.get("scale") == collection[name].attrs.get("scale")
    assert opened.attrs.get("channel_names", ()) in {("grey",), collection[name].attrs.get("channel_names", ())}
    np.testing.assert_array_equal(again.labels("nuclei")[next(iter(again))].values, labels)


def test_windows_of_display_come_from_the_collection(path, tmp_path):
    bigimg.export(path, tmp_path / "out", format="ome-zarr", items=["stack", "series"], ome_version="0.4")
    theirs = json.loads((path / "images/series/zarr.json").read_text())["attributes"]["ome"]["omero"]["channels"]
    assert channels_of(tmp_path / "out/series.ome.zarr") == theirs
    assert [channel["label"] for channel in channels_of(tmp_path / "out/stack.ome.zarr")] == ["dapi", "gfp"]


def channels_of(image):
    return json.loads((image / ".zattrs").read_text())["omero"]["channels"]


def test_every_part_of_04_has_its_version():
    new = {"version": "0.5", "multiscales": [{"name": "a"}], "omero": {}, "image-label": {"version": "0.5"}}
    assert metadata_of_04(new) == {
        "multiscales": [{"name": "a", "version": "0.4"}],
        "omero": {"version": "0.4"},
        "image-label": {"version": "0.4"},
    }


@pytest.mark.parametrize("name", ["mask", "series", "stack", "well_A1"])
def test_ome_tiff_is_read_by_tifffile(path, collection, tmp_path, name):
    done = bigimg.export(path, tmp_path / "out", format="ome-tiff", items=[name], labels="nuclei")
    pixels = collection[name].values
    wanted = pixels.astype("u1") if pixels.dtype == bool else pixels
    with tifffile.TiffFile(done / f"{name}.ome.tif") as file:
        (series,) = file.series
        assert file.is_ome
        assert not file.is_bigtiff
        assert series.levels[0].keyframe.is_tiled
        axes = "".join(dim.upper() for dim in collection[name].dims)
        axes = "YXS" if name == "well_A1" else axes
        assert series.axes == axes
        levels = pyramid(wanted, "image", len(series.levels))
        assert len(series.levels) == len(levels) == (3 if name == "stack" else 1)
        for level, found in zip(levels, series.levels):
            np.testing.assert_array_equal(
                np.moveaxis(found.asarray(), -1, 0) if "S" in axes else found.asarray(), level
            )
        if name == "stack":
            said = tifffile.xml2dict(file.ome_metadata)["OME"]["Image"]["Pixels"]
            assert (said["PhysicalSizeX"], said["PhysicalSizeY"], said["PhysicalSizeZ"]) == (0.25, 0.5, 2.0)
            assert said["PhysicalSizeXUnit"] == "µm"
            assert [channel["Name"] for channel in said["Channel"]] == ["dapi", "gfp"]
            assert series.keyframe.tags["XResolution"].value[0] / series.keyframe.tags["XResolution"].value[1] == 40000
    np.testing.assert_array_equal(
        tifffile.imread(done / "labels" / "nuclei" / f"{name}.ome.tif"), collection.labels("nuclei")[name].values
    )


def test_an_ome_tiff_comes_back_as_the_image_it_was(path, collection, tmp_path):
    bigimg.export(path, tmp_path / "out", format="ome-tiff", items=["s*"])
    again = bigimg.ingest(tmp_path / "out", tmp_path / "again.zarr")
    assert list(again) == ["series", "stack"]
    for name in again:
        np.testing.assert_array_equal(again[name].values, collection[name].values)
        assert again[name].dims == collection[name].dims
        assert again[name].attrs["scale"] == collection[name].attrs["scale"]
        assert again[name].attrs["units"] == collection[name].attrs["units"]


def test_ome_tiff_has_no_integers_of_64_bits(tmp_path):
    (tmp_path / "in").mkdir()
    np.save(tmp_path / "in" / "a.npy", np.zeros((20, 30), np.int64))
    bigimg.ingest(tmp_path / "in", tmp_path / "a.zarr")
    with pytest.raises(ImageError, match="at most 32 bits; export ome-zarr"):
        bigimg.export(tmp_path / "a.zarr", tmp_path / "out", format="ome-tiff")
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a.zarr", "in"]


def test_previews_fit_a_screen_and_show_labels_as_outlines(path, collection, tmp_path):
    plain = bigimg.export(path, tmp_path / "plain", format="png")
    drawn = bigimg.export(path, tmp_path / "drawn", format="png", labels="nuclei")
    pictures = {each.stem: np.asarray(Image.open(each)) for each in plain.iterdir()}
    assert pictures["stack"].shape == (300, 550, 3)
    assert pictures["series"].shape == (60, 81)
    np.testing.assert_array_equal(pictures["well_A1"], np.moveaxis(collection["well_A1"].values, 0, -1))
    np.testing.assert_array_equal(pictures["mask"], collection["mask"].values * np.uint8(255))
    outlined = np.asarray(Image.open(drawn / "well_A1.png"))
    differs = (outlined != pictures["well_A1"]).any(-1)
    labels = collection.labels("nuclei")["well_A1"].values
    assert differs.any()
    assert not differs[labels == 0].any()
    assert not differs[7, 7], "the inside of an object stays as it is"


def test_levels_of_files_are_made_aside(path, collection, tmp_path):
    folder = path.parent / "in"
    referred = bigimg.ingest(folder, tmp_path / "referred.zarr", mode="reference")
    made = levels_of(referred.sources["stack"], "image", tmp_path / "scratch")
    stored = levels_of(collection.sources["stack"], "image", tmp_path / "nothing")
    assert not (tmp_path / "nothing").exists()
    assert len(made) == len(stored) == 3
    for mine, theirs in zip(made, stored):
        np.testing.assert_array_equal(mine[...], theirs[...])
    bigimg.export(referred, tmp_path / "out", format="ome-tiff", items=["stack", "mask"])
    assert [each.name for each in (tmp_path / "out").iterdir() if each.name.startswith(".")] == []
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "out" / "stack.ome.tif"), collection["stack"].values)


@pytest.mark.parametrize("form", ["png", "ome-zarr"])
def test_one_image_can_be_the_destination_itself(path, tmp_path, form):
    name = {"png": "a.png", "ome-zarr": "a.ome.zarr"}[form]
    bigimg.export(path, tmp_path / name, format=form, items=["stack"])
    assert [each.name for each in tmp_path.iterdir()] == [name]
    with pytest.raises(OutputExistsError, match="not touched"):
        bigimg.export(path, tmp_path / name, format=form, items=["stack"])
    with pytest.raises(ParameterError, match="one file, and there are 4 to write"):
        bigimg.export(path, tmp_path / f"all.{name}", format=form)
    assert [each.name for each in tmp_path.iterdir()] == [name]


def test_a_failure_leaves_nothing(path, tmp_path, monkeypatch):
    def fail(*_args, **_more):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Image.Image, "save", fail)
    with pytest.raises(OSError, match="No space left on device; is the disk full"):
        bigimg.export(path, tmp_path / "out", format="png")
    assert list(tmp_path.iterdir()) == []


def test_what_is_not_there_is_named(path, tmp_path):
    with pytest.raises(UnknownNameError, match="did you mean 'stack'"):
        bigimg.export(path, tmp_path / "out", format="png", items=["stak"])
    with pytest.raises(UnknownNameError, match="did you mean 'nuclei'"):
        bigimg.export(path, tmp_path / "out", format="png", labels="nucleus")
    with pytest.raises(UnknownNameError, match="did you mean 'ome-zarr'"):
        bigimg.export(path, tmp_path / "out", format="ome-zar")
    with pytest.raises(ParameterError, match=r"one of 0.4, 0.5 \(got '0.6'\)"):
        bigimg.export(path, tmp_path / "out", format="ome-zarr", ome_version="0.6")
    assert list(tmp_path.iterdir()) == []
