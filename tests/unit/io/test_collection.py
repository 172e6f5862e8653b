import json
import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import skimage
import tifffile
from PIL import Image

from bigimg.errors import (
    BigimgError,
    CorruptChunkError,
    ImageError,
    MissingInputError,
    OutputError,
    OutputExistsError,
    ParameterError,
    ReadError,
    UnknownNameError,
)
from bigimg.io import Source, ingest, open_collection, open_inputs, open_sources

RNG = np.random.default_rng(0)
SKIMAGE = Path(skimage.__file__).parent / "data"
DATA = Path(__file__).parents[3] / ".." / "shared" / "data"


@pytest.fixture
def folder(tmp_path):
    images = tmp_path / "images"
    images.mkdir()
    for i in range(5):
        Image.fromarray(RNG.integers(0, 256, (40, 50), np.uint8)).save(images / f"small{i}.png")
    Image.fromarray(RNG.integers(0, 256, (700, 530, 3), np.uint8)).save(images / "colour.png")
    np.save(images / "holes.npy", np.where(RNG.random((30, 31)) > 0.5, np.nan, 1.5).astype("f4"))
    tifffile.imwrite(
        images / "stack.ome.tif",
        RNG.integers(0, 65536, (3, 2, 60, 70), np.uint16),
        photometric="minisblack",
        metadata={"axes": "TCYX", "PhysicalSizeX": 0.5, "PhysicalSizeY": 0.5, "Channel": {"Name": ["DAPI", "GFP"]}},
    )
    return images


@pytest.mark.parametrize("options", [{}, {"pack": True}, {"chunk": 64}, {"chunk": 64, "shard": 256}], ids=str)
def test_every_image_comes_back_as_it_was(folder, tmp_path, options):
    made = ingest(folder, tmp_path / "a.zarr", **options)
    assert (made.items, made.skipped) == (8, ())
    collection = open_collection(made.path)
    sources = {source.name: source for source in open_sources(folder)[0]}
    assert list(collection) == list(sources) == list(collection.table["id"])
    for name, image in collection.items():
        source = sources[name]
        assert (image.name, image.dims, image.shape, image.dtype) == (name, source.dims, source.shape, source.dtype)
        np.testing.assert_array_equal(image.values, source[...])
        stored = collection.sources[name]
        assert isinstance(stored, Source)
        assert stored.fingerprint() == source.fingerprint()
        assert len(pickle.dumps(stored)) < 1000
        np.testing.assert_array_equal(pickle.loads(pickle.dumps(stored))[..., 3:9, 5:], source[..., 3:9, 5:])


def test_what_the_file_says_is_kept(folder, tmp_path):
    ingest(folder, tmp_path / "a.zarr")
    collection = open_collection(tmp_path / "a.zarr")
    attrs = collection["stack"].attrs
    assert attrs["scale"] == {"y": 0.5, "x": 0.5}
    assert attrs["units"] == {"y": "micrometer", "x": "micrometer"}
    assert attrs["channel_names"] == ("DAPI", "GFP")
    assert collection["colour"].attrs["channel_names"] == ("red", "green", "blue")
    assert collection.sources["colour"].chunks == (3, 512, 512)
    row = collection.table.set_index("id").loc["stack"]
    assert row["source"] == str(folder / "stack.ome.tif")
    assert row["digest"].startswith("sha256:")
    assert row["dims"] == "tcyx"


def test_nothing_is_read_before_it_is_asked_for(folder, tmp_path):
    ingest(folder, tmp_path / "a.zarr")
    for path in (tmp_path / "a.zarr" / "images").rglob("c"):
        path.rename(path.with_name("hidden"))
    collection = open_collection(tmp_path / "a.zarr")
    image = collection["colour"].sum()
    assert "colour" in repr(collection)
    with pytest.raises(CorruptChunkError, match="image 'colour'"):
        image.compute()


def test_sources_are_made_lazy_by_the_caller(folder, tmp_path):
    ingest(folder, tmp_path / "a.zarr")
    asked = []

    def whole(source):
        asked.append(source.name)
        return source[...]

    collection = open_collection(tmp_path / "a.zarr", whole)
    assert asked == []
    assert isinstance(collection["small1"].data, np.ndarray)
    assert asked == ["small1"]


def test_packed_images_share_chunks(folder, tmp_path):
    ingest(folder, tmp_path / "a.zarr", pack=True)
    assert sorted(path.name for path in (tmp_path / "a.zarr" / "images").iterdir()) == [
        "colour",
        "holes",
        "stack",
        "zarr.json",
    ]
    files = [path for path in (tmp_path / "a.zarr" / "packed" / "0").rglob("*") if path.is_file()]
    assert len(files) == 2
    collection = open_collection(tmp_path / "a.zarr")
    assert collection.table["item"].dropna().tolist() == [0, 1, 2, 3, 4]
    assert "5 x uint8 (y, x)" in repr(collection)


def test_one_bad_image_fails_or_is_skipped(folder, tmp_path):
    bad = folder / "small2.png"
    whole = bad.read_bytes()
    # The end is there, the pixels are not: only decoding finds out.
    bad.write_bytes(whole[:200] + bytes(100) + whole[300:])
    for pack in (False, True):
        with pytest.raises(BigimgError, match=r"small2\.png"):
            ingest(folder, tmp_path / "a.zarr", pack=pack)
        assert not (tmp_path / "a.zarr").exists()
        dest = tmp_path / f"skip{pack}.zarr"
        made = ingest(folder, dest, on_error="skip", pack=pack)
        assert [each.name for each in made.skipped] == ["small2"]
        collection = open_collection(dest)
        assert "small2" not in collection
        assert len(collection) == 7
        assert collection.attrs["bigimg"]["skipped"][0]["name"] == "small2"
        assert not (dest / "images" / "small2").exists()
        np.testing.assert_array_equal(collection["small3"].values, np.asarray(Image.open(folder / "small3.png")))
        shutil.rmtree(dest)


def test_every_image_bad(tmp_path):
    images = tmp_path / "images"
    images.mkdir()
    Image.fromarray(RNG.integers(0, 256, (40, 50), np.uint8)).save(images / "a.png")
    whole = (images / "a.png").read_bytes()
    (images / "a.png").write_bytes(whole[:200] + bytes(100) + whole[300:])
    with pytest.raises(MissingInputError, match=r"no image in .* can be read; the first: .*a\.png"):
        ingest(images, tmp_path / "a.zarr", on_error="skip")
    assert [path.name for path in tmp_path.iterdir()] == ["images"]


def test_image_without_pixels_is_named(tmp_path):
    np.save(tmp_path / "none.npy", np.zeros((0, 5)))
    with pytest.raises(ImageError, match=r"none\.npy has no pixels"):
        ingest(tmp_path, tmp_path / "a.zarr")


def test_pickles_are_refused(tmp_path):
    np.save(tmp_path / "a.npy", np.array([[object()]]), allow_pickle=True)
    with pytest.raises(ImageError, match="could run code"):
        ingest(tmp_path, tmp_path / "a.zarr")


def test_outputs_that_cannot_be(folder, tmp_path):
    (tmp_path / "there").mkdir()
    with pytest.raises(OutputExistsError, match="there"):
        ingest(folder, tmp_path / "there")
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot be written"):
        ingest(folder, tmp_path / "file" / "a.zarr")
    with pytest.raises(OutputError, match="where its images are"):
        ingest(folder, folder)
    with pytest.raises(ParameterError, match="multiple"):
        ingest(folder, tmp_path / "a.zarr", chunk=100, shard=150)


def test_killed_ingest_does_not_open(folder, tmp_path):
    ingest(folder, tmp_path / "a.zarr")
    for missing in ("items.parquet", "zarr.json"):
        (tmp_path / "a.zarr" / missing).unlink()
        with pytest.raises(ReadError):
            open_collection(tmp_path / "a.zarr")


def test_progress_counts_images(folder, tmp_path):
    seen = []
    ingest(folder, tmp_path / "a.zarr", pack=True, progress=lambda done, count: seen.append((done, count)))
    assert seen[-1] == (8, 8)
    assert seen == sorted(seen)


def test_paths_that_are_no_collection(folder, tmp_path):
    with pytest.raises(MissingInputError, match="no collection"):
        open_collection(tmp_path / "nowhere")
    with pytest.raises(ReadError, match="bigimg ingest"):
        open_collection(folder)
    with pytest.raises(ReadError, match="bigimg ingest"):
        open_collection(folder / "small1.png")


def test_unknown_names(folder, tmp_path):
    ingest(folder, tmp_path / "a.zarr")
    collection = open_collection(tmp_path / "a.zarr")
    with pytest.raises(UnknownNameError, match="did you mean 'small1'"):
        collection["smal1"]
    with pytest.raises(UnknownNameError):
        collection.labels("nuclei")
    with pytest.raises(UnknownNameError):
        collection.read_table("objects")
    assert collection.label_names == collection.table_names == ()
    assert "../../etc" not in collection


def test_hostile_table_does_not_leave_the_store(folder, tmp_path):
    from bigimg.io.items import ITEMS, read_items
    from bigimg.io.tables import write_table

    ingest(folder, tmp_path / "a.zarr")
    items = read_items(tmp_path / "a.zarr")
    for column, value in (("path", "../../etc"), ("path", "/etc"), ("id", "../small0"), ("shape", [10**12, 5])):
        rows = items.to_pylist()
        rows[-1][column] = value
        write_table(tmp_path / "a.zarr" / ITEMS, type(items).from_pylist(rows, schema=items.schema))
        collection = open_collection(tmp_path / "a.zarr")
        with pytest.raises(BigimgError):
            collection[rows[-1]["id"]].values  # noqa: B018
    write_table(tmp_path / "a.zarr" / ITEMS, pd.DataFrame({"id": ["a"]}))
    with pytest.raises(ReadError, match="not a table of items"):
        open_collection(tmp_path / "a.zarr")


def test_damaged_root(folder, tmp_path):
    ingest(folder, tmp_path / "a.zarr")
    root = tmp_path / "a.zarr" / "zarr.json"
    root.write_text(json.dumps({"attributes": {"bigimg": {"version": 99}}}))
    with pytest.raises(ReadError, match="version 99"):
        open_collection(tmp_path / "a.zarr")
    root.write_text("{")
    with pytest.raises(ReadError, match="damaged"):
        open_collection(tmp_path / "a.zarr")


def test_inputs_of_any_kind(folder, tmp_path):
    ingest(folder, tmp_path / "a.zarr")
    ways = (folder, folder / "*", tmp_path / "a.zarr")
    by_way = [open_inputs(way).sources for way in ways]
    for sources in by_way:
        assert list(sources) == list(by_way[0])
        assert [each.fingerprint() for each in sources.values()] == [each.fingerprint() for each in by_way[0].values()]
    assert list(open_inputs(folder / "small1.png").sources) == ["small1"]
    assert list(open_inputs(tmp_path / "a.zarr" / "images" / "colour").sources) == ["colour"]


def test_images_that_come_with_scikit_image(tmp_path):
    made = ingest(SKIMAGE, tmp_path / "a.zarr", on_error="skip", pack=True)
    assert "README.txt" in {each.name for each in made.skipped}
    collection = open_collection(made.path)
    np.testing.assert_array_equal(collection["coins"].values, np.asarray(Image.open(SKIMAGE / "coins.png")))
    np.testing.assert_array_equal(collection["lfw_subset"].values, np.load(SKIMAGE / "lfw_subset.npy"))


@pytest.mark.real_images
@pytest.mark.skipif(not DATA.is_dir(), reason="needs the folder of real images beside the checkout")
def test_real_scene_comes_back_as_it_was(tmp_path):
    path = next(DATA.glob("landsat/LC08_L1TP_224078*.TIF"))
    ingest(path, tmp_path / "a.zarr")
    (image,) = open_collection(tmp_path / "a.zarr").values()
    np.testing.assert_array_equal(image.values, np.moveaxis(tifffile.imread(path), -1, 0))


def test_a_store_of_our_own_is_opened_without_zarr(folder, tmp_path):
    ingest(folder, tmp_path / "a.zarr", pack=True)
    code = (
        "import sys; from bigimg.io import open_collection\n"
        "images = open_collection(sys.argv[1]); images['colour'].compute(); images['small1'].compute()\n"
        "sys.exit('zarr' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code, str(tmp_path / "a.zarr")], check=False).returncode == 0


def test_a_collection_is_a_mapping_as_python_means_it(tmp_path):
    np.save(tmp_path / "a.npy", np.zeros((20, 30), "uint8"))
    ingest(tmp_path / "a.npy", tmp_path / "c.zarr")
    collection = open_collection(tmp_path / "c.zarr")
    assert collection.get("zz") is None
    with pytest.raises(KeyError, match="unknown images 'zz'"):
        collection["zz"]
    same = collection
    assert same == collection
    assert collection != open_collection(tmp_path / "c.zarr")
    assert len({collection}) == 1
