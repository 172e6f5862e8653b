"""Others read what is written here, and what others write is read here."""

import warnings

import numpy as np
import pytest
import zarr

from bigimg.core.tile import TileGrid
from bigimg.errors import ImageError, ReadError
from bigimg.io import build_pyramid, create_image, create_labels, open_collection

RNG = np.random.default_rng(0)
CASES = [
    ("yx", (700, 1100)),
    ("cyx", (3, 600, 50)),
    ("tczyx", (2, 2, 3, 40, 50)),
    ("tyx", (4, 30, 31)),
    ("zyx", (4, 30, 31)),
]


def _write(writer, pixels):
    for tile in TileGrid.regular(writer.shape, writer.chunks):
        writer.write(tile.write, pixels[tile.write])


@pytest.fixture(params=CASES, ids=lambda case: case[0])
def image(request, tmp_path):
    dims, shape = request.param
    pixels = RNG.integers(0, 65536, shape, np.uint16)
    attrs = {"scale": {"y": 0.5, "x": 0.25}, "units": {"y": "micrometer", "x": "micrometer"}, "nodata": 0}
    writer = create_image(tmp_path / "a", shape, pixels.dtype, tuple(dims), attrs, (1,) * (len(shape) - 2) + (256, 256))
    _write(writer, pixels)
    build_pyramid(tmp_path / "a", "image")
    labels = RNG.integers(0, 2**32, shape[-2:], np.uint32)
    _write(create_labels(tmp_path / "a", "nuclei", shape[-2:], labels.dtype, ("y", "x"), attrs, (256, 256)), labels)
    build_pyramid(tmp_path / "a" / "labels" / "nuclei", "labels")
    return tmp_path / "a", dims, pixels, labels


def test_valid_by_ome_zarr_models(image):
    from ome_zarr_models.v05 import Image, ImageLabel, Labels

    path, dims, pixels, _ = image
    model = Image.from_zarr(zarr.open_group(str(path), mode="r"))
    (multiscale,) = model.attributes.ome.multiscales
    assert "".join(axis.name for axis in multiscale.axes) == dims
    assert model.attributes.ome.omero is not None
    labels = Labels.from_zarr(zarr.open_group(str(path / "labels"), mode="r"))
    assert labels.label_paths == ["nuclei"]
    label = ImageLabel.from_zarr(zarr.open_group(str(path / "labels" / "nuclei"), mode="r"))
    # As many levels as the image, as the specification demands.
    assert len(label.attributes.ome.multiscales[0].datasets) == len(multiscale.datasets)
    assert zarr.open_array(str(path / "0"), mode="r").metadata.dimension_names == tuple(dims)
    assert pixels.ndim == len(dims)


def test_opened_by_ome_zarr_py(image):
    from ome_zarr.io import parse_url
    from ome_zarr.reader import Reader

    path, _, pixels, labels = image
    nodes = list(Reader(parse_url(str(path)))())
    np.testing.assert_array_equal(np.asarray(nodes[0].data[0]), pixels)
    (node,) = [node for node in nodes if str(node.zarr).endswith("labels/nuclei [zgroup]")]
    np.testing.assert_array_equal(np.asarray(node.data[0]), labels)


def test_opened_here_as_a_collection_of_one(image):
    path, dims, pixels, labels = image
    collection = open_collection(path)
    (opened,) = collection.values()
    assert opened.dims == tuple(dims)
    assert opened.attrs["scale"] == {"y": 0.5, "x": 0.25}
    np.testing.assert_array_equal(opened.values, pixels)
    np.testing.assert_array_equal(collection.labels("nuclei")["a"].values, labels)


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_image_written_by_ome_zarr_py(tmp_path, version):
    pixels = RNG.integers(0, 255, (3, 300, 400)).astype("u1")
    pixels[:, :128, :128] = 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of deprecations within ome-zarr-py
        from ome_zarr.format import format_from_version
        from ome_zarr.writer import write_image

        group = zarr.open_group(str(tmp_path / "theirs.ome.zarr"), mode="w", zarr_format=2 if version == "0.4" else 3)
        write_image(pixels, group, axes="cyx", fmt=format_from_version(version))
    collection = open_collection(tmp_path / "theirs.ome.zarr")
    assert list(collection) == ["theirs"]
    assert collection["theirs"].dims == ("c", "y", "x")
    np.testing.assert_array_equal(collection["theirs"].values, pixels)
    assert collection.sources["theirs"].fingerprint() == collection.sources["theirs"].fingerprint()


def test_other_stores_are_told_apart(tmp_path):
    group = zarr.create_group(str(tmp_path / "a.zarr"))
    with pytest.raises(ReadError, match="neither a collection nor an OME-Zarr image"):
        open_collection(tmp_path / "a.zarr")
    group.create_group("inner")
    with pytest.raises(ReadError, match=r"name one image in it: .*inner"):
        open_collection(tmp_path / "a.zarr")
    group.attrs["ome"] = {"multiscales": [{"axes": [{"name": "x"}, {"name": "y"}], "datasets": [{"path": "0"}]}]}
    with pytest.raises(ImageError, match="in this order"):
        open_collection(tmp_path / "a.zarr")
    group.attrs["ome"] = {
        "multiscales": [{"axes": [{"name": "y"}, {"name": "x"}], "datasets": [{"path": "../../etc"}]}]
    }
    with pytest.raises(ReadError, match="outside"):
        open_collection(tmp_path / "a.zarr")
    group.attrs["ome"] = {"multiscales": []}
    with pytest.raises(ReadError, match="not an OME-Zarr image"):
        open_collection(tmp_path / "a.zarr")
