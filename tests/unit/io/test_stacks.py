"""Files that are planes of one image, by their names."""

import os
import pickle
from itertools import product

import numpy as np
import pytest
import tifffile

import bigimg
from bigimg.errors import BigimgError, ImageError, MissingInputError, ParameterError, ReadError
from bigimg.io.naming import Naming
from bigimg.io.stacks import open_stacks

PATTERN = "{plate}_{well}_s{field}_w{channel}_z{z}_t{t}.tif"
RNG = np.random.default_rng(5)
SHAPE = (2, 2, 3, 20, 30)  # t, c, z, y, x


def name(well="B03", field=1, channel=1, z=1, t=1):
    return f"P_{well}_s{field}_w{channel}_z{z:02d}_t{t}.tif"


def write_plane(path, pixels):
    tifffile.imwrite(path, pixels, photometric="minisblack")


@pytest.fixture
def plate(tmp_path):
    """Two wells of two fields, and their pixels by well and field."""
    folder = tmp_path / "plate"
    folder.mkdir()
    images = {}
    for well, field in product(("B03", "C11"), (1, 2)):
        pixels = RNG.integers(0, 4000, SHAPE, np.uint16)
        images[f"P_{well}_{field}"] = pixels
        for t, c, z in np.ndindex(*SHAPE[:3]):
            write_plane(folder / name(well, field, c + 1, z + 1, t + 1), pixels[t, c, z])
    (folder / "notes.xml").write_text("<x/>")
    return folder, images


def stacks(folder, on_error="fail", pattern=PATTERN):
    return open_stacks(folder, Naming.of(pattern), on_error)


def test_files_become_images(plate):
    folder, images = plate
    sources, skipped, notes = stacks(folder)
    assert [source.name for source in sources] == list(images)
    assert not skipped
    assert not notes
    for source in sources:
        assert source.dims == ("t", "c", "z", "y", "x")
        assert source.chunks[:3] == (1, 1, 1)
        np.testing.assert_array_equal(source[...], images[source.name])
        np.testing.assert_array_equal(source[1, :, 1:3, 4:9, ::7], images[source.name][1, :, 1:3, 4:9, ::7])
        assert source.attrs["channel_names"] == ("1", "2")
    assert sources[2].attrs["columns"] == {"plate": "P", "well": "C11", "row": "C", "column": 11, "field": 1}


def test_only_the_files_in_a_box_are_read(plate):
    folder, images = plate
    source = stacks(folder)[0][0]
    for path in folder.glob("P_B03_s1_w1_*"):
        path.unlink()
    np.testing.assert_array_equal(source[:, 1], images["P_B03_1"][:, 1])
    with pytest.raises(MissingInputError, match=r"P_B03_s1_w1_z01_t1\.tif"):
        source[0, 0]


def test_source_travels_and_knows_its_files(plate):
    folder, _ = plate
    source, other = stacks(folder)[0][:2]
    again = pickle.loads(pickle.dumps(source))
    assert again == source
    assert hash(again) == hash(source)
    assert again.fingerprint() == source.fingerprint() != other.fingerprint()
    assert source.identity() == again.identity() != other.identity()
    path = folder / name("B03", 1, 2, 3, 2)
    path.write_bytes(path.read_bytes() + b"\0")
    with pytest.raises(ReadError, match=r"P_B03_s1_w2_z03_t2\.tif"):
        source[...]


def test_axes_of_one_place_are_left_out(tmp_path):
    for well in ("A01", "A02"):
        write_plane(tmp_path / f"{well}_wDAPI_z1.tif", np.ones((5, 6), np.uint8))
    (first, _), _, _ = stacks(tmp_path, pattern="{well}_w{channel}_z{z}.tif")
    assert first.dims == ("y", "x")
    assert first.attrs["columns"]["channel"] == "DAPI"


def test_files_may_be_stacks_themselves(tmp_path):
    pixels = RNG.integers(0, 255, (2, 4, 9, 8), np.uint8)
    for channel, stack in zip(("DAPI", "GFP"), pixels):
        tifffile.imwrite(tmp_path / f"A1_{channel}.ome.tif", stack, metadata={"axes": "ZYX"})
    (source,), _, _ = stacks(tmp_path, pattern="{well}_{channel}.ome.tif")
    assert source.dims == ("c", "z", "y", "x")
    np.testing.assert_array_equal(source[...], pixels)
    tifffile.imwrite(tmp_path / "A1_z1.tif", pixels[0], metadata={"axes": "ZYX"}, imagej=True)
    tifffile.imwrite(tmp_path / "A1_z2.tif", pixels[1], metadata={"axes": "ZYX"}, imagej=True)
    with pytest.raises(ImageError, match="has an axis 'z' of its own"):
        stacks(tmp_path, pattern="{well}_z{z}.tif")


def break_missing(folder):
    (folder / name("C11", 1, 2, 2, 1)).unlink()


def break_shape(folder):
    write_plane(folder / name("C11", 1, 2, 2, 1), np.zeros((20, 31), np.uint16))


def break_dtype(folder):
    write_plane(folder / name("C11", 1, 2, 2, 1), np.zeros((20, 30), np.uint8))


def break_file(folder):
    path = folder / name("C11", 1, 2, 2, 1)
    os.truncate(path, path.stat().st_size // 2)


def break_duplicate(folder):
    write_plane(folder / "P_c11_s1_w2_z2_t1.tif", np.zeros((20, 30), np.uint16))


def break_pages(folder):
    write_plane(folder / name("C11", 1, 2, 2, 1), np.zeros((2, 20, 30), np.uint16))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (break_missing, r"lacks .*P_C11_s1_w2_z02_t1\.tif \(t 1, channel 2, z 02\), which other images have"),
        (break_shape, r"P_C11_s1_w2_z02_t1\.tif are planes of one image, and have not the same shape: \(20, 30\)"),
        (break_dtype, r"P_C11_s1_w2_z02_t1\.tif are .* have not the same type of pixels: uint16 and uint8"),
        (break_file, r"P_C11_s1_w2_z02_t1\.tif is"),
        (break_duplicate, r"two files of one place: .*P_C11_s1_w2_z02_t1\.tif and .*P_c11_s1_w2_z2_t1\.tif"),
        (break_pages, r"P_C11_s1_w2_z02_t1\.tif are planes of one image, and have not the same axes"),
    ],
)
def test_what_does_not_fit_is_named_or_left_out(plate, damage, message):
    folder, images = plate
    damage(folder)
    with pytest.raises(BigimgError, match=message):
        stacks(folder)
    sources, skipped, _ = stacks(folder, "skip")
    assert [source.name for source in sources] == [each for each in images if each != "P_C11_1"]
    assert [(each.name, "C11" in each.path.upper()) for each in skipped] == [("P_C11_1", True)]
    np.testing.assert_array_equal(sources[-1][...], images["P_C11_2"])


def test_a_number_that_no_image_has_is_missing(plate):
    folder, _ = plate
    for path in folder.glob("*_z02_*"):
        path.unlink()
    with pytest.raises(MissingInputError, match=r"no file has z 2, and there are 1 and 3: .*P_B03_s1_w1_z02_t1\.tif"):
        stacks(folder)


def test_numbers_may_be_the_same_number_apart(tmp_path):
    for minute in (0, 15, 30):
        write_plane(tmp_path / f"A1_{minute}min.tif", np.full((4, 4), minute, np.uint8))
    (source,), _, _ = stacks(tmp_path, pattern="{well}_{t}min.tif")
    assert source[:, 0, 0].tolist() == [0, 15, 30]


def test_no_file_of_that_name(plate):
    with pytest.raises(MissingInputError, match=r"no file in .* is named as 'operetta' says; the first of 49"):
        stacks(plate[0], pattern="operetta")


def test_image_named_otherwise_is_noted(plate):
    folder, _ = plate
    write_plane(folder / "P_B03_thumb.tif", np.zeros((4, 4), np.uint8))
    assert stacks(folder)[2] == [f"1 image is not named as {PATTERN!r} says, and left out: P_B03_thumb.tif"]


def test_ingest_by_a_pattern(plate, tmp_path):
    folder, images = plate
    made = bigimg.ingest(folder, tmp_path / "a.zarr", pattern=PATTERN)
    assert list(made) == list(images)
    for each, pixels in images.items():
        np.testing.assert_array_equal(made[each].values, pixels)
    table = made.table.set_index("id")
    assert made.columns == ("plate", "well", "row", "column", "field")
    assert table.loc["P_C11_2", list(made.columns)].tolist() == ["P", "C11", "C", 11, 2]
    assert table["column"].dtype == "Int64"
    assert table.loc["P_C11_2", "source"] == str(folder / name("C11", 2))
    assert "plate P: 2 wells (B03 to C11), images a well 2" in made.overview()
    (tmp_path / "a.zarr/images/P_B03_1/0/c/1/0/2/0/0").write_bytes(b"damaged")
    assert not bigimg.verify(tmp_path / "a.zarr").is_whole
    assert bigimg.verify(tmp_path / "a.zarr", repair=True).is_whole
    np.testing.assert_array_equal(bigimg.open(tmp_path / "a.zarr")["P_B03_1"].values, images["P_B03_1"])


def test_more_wells_are_added(plate, tmp_path):
    folder, images = plate
    later = {path: path.rename(tmp_path / path.name) for path in folder.glob("P_C11_*")}
    bigimg.ingest(folder, tmp_path / "a.zarr", pattern=PATTERN)
    for path, aside in later.items():
        aside.rename(path)
    made = bigimg.ingest(folder, tmp_path / "a.zarr", pattern=PATTERN, append=True)
    assert list(made) == list(images)
    np.testing.assert_array_equal(made["P_C11_2"].values, images["P_C11_2"])


def test_what_a_pattern_cannot_go_with(plate, tmp_path):
    folder, _ = plate
    with pytest.raises(ParameterError, match="reference"):
        bigimg.ingest(folder, tmp_path / "a.zarr", pattern=PATTERN, mode="reference")
    with pytest.raises(ParameterError, match="mosaic"):
        bigimg.ingest(folder, tmp_path / "a.zarr", pattern=PATTERN, mosaic="first")
    made = bigimg.ingest(folder, tmp_path / "a.zarr", pattern=PATTERN)
    with pytest.raises(ParameterError, match="leave out the pattern"):
        bigimg.ingest(made.path, tmp_path / "b.zarr", pattern=PATTERN)
