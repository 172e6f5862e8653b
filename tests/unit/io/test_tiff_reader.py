from pathlib import Path

import numpy as np
import pytest
import tifffile

from bigimg.errors import BigimgError, ImageError
from bigimg.io import open_sources
from bigimg.io.readers import tiff

RNG = np.random.default_rng(0)
DATA = Path(__file__).parents[3] / ".." / "shared" / "data"


def _one(path):
    ((source,), _) = open_sources(path)
    return source


def test_ome_metadata_are_kept(tmp_path):
    pixels = RNG.integers(0, 65536, (2, 3, 4, 32, 48), np.uint16)
    metadata = {
        "axes": "TCZYX",
        "PhysicalSizeX": 0.25,
        "PhysicalSizeXUnit": "µm",
        "PhysicalSizeY": 250,
        "PhysicalSizeYUnit": "nm",
        "PhysicalSizeZ": 1.5,
        "PhysicalSizeZUnit": "µm",
        "TimeIncrement": 30,
        "TimeIncrementUnit": "s",
        "Channel": {"Name": ["DAPI", "GFP", "RFP"]},
        "Name": "well A1",
        "AcquisitionDate": "2024-05-01T10:00:00",
    }
    tifffile.imwrite(tmp_path / "a.ome.tif", pixels, metadata=metadata, photometric="minisblack")
    source = _one(tmp_path / "a.ome.tif")
    assert source.name == "a"
    assert source.dims == ("t", "c", "z", "y", "x")
    assert source.attrs["scale"] == {"t": 30, "z": 1.5, "y": 250, "x": 0.25}
    assert source.attrs["units"] == {"t": "second", "z": "micrometer", "y": "nanometer", "x": "micrometer"}
    assert source.attrs["channel_names"] == ("DAPI", "GFP", "RFP")
    assert source.attrs["acquisition"] == {"time": "2024-05-01T10:00:00", "name": "well A1"}
    np.testing.assert_array_equal(source[...], pixels)


def test_axes_come_in_one_order(tmp_path):
    pixels = RNG.integers(0, 65536, (4, 3, 2, 32, 48), np.uint16)
    tifffile.imwrite(tmp_path / "a.ome.tif", pixels, metadata={"axes": "ZCTYX"}, photometric="minisblack")
    source = _one(tmp_path / "a.ome.tif")
    assert source.shape == (2, 3, 4, 32, 48)
    np.testing.assert_array_equal(source[...], pixels.transpose(2, 1, 0, 3, 4))
    np.testing.assert_array_equal(source[1, 2, 1:3, 5:9, 7:], pixels.transpose(2, 1, 0, 3, 4)[1, 2, 1:3, 5:9, 7:])


def test_imagej_hyperstack(tmp_path):
    pixels = RNG.integers(0, 65536, (3, 2, 16, 20), np.uint16)
    metadata = {"axes": "TCYX", "unit": "um", "finterval": 5}
    tifffile.imwrite(tmp_path / "a.tif", pixels, imagej=True, resolution=(4.0, 4.0), metadata=metadata)
    source = _one(tmp_path / "a.tif")
    assert source.dims == ("t", "c", "y", "x")
    assert source.attrs["scale"] == {"t": 5, "y": 0.25, "x": 0.25}
    np.testing.assert_array_equal(source[...], pixels)


@pytest.mark.parametrize("dtype", ["u1", "i1", "u2", "i2", "u4", "i4", "f4", "f8", "f2", ">u2", ">f4"])
@pytest.mark.parametrize("options", [{}, {"tile": (16, 32)}, {"rowsperstrip": 7, "compression": "zlib"}], ids=str)
def test_dtypes_and_layouts(tmp_path, dtype, options):
    pixels = (RNG.random((3, 45, 70)) * 100).astype(dtype)
    tifffile.imwrite(
        tmp_path / "a.tif", pixels, photometric="minisblack", byteorder=">" if dtype[0] == ">" else "<", **options
    )
    source = _one(tmp_path / "a.tif")
    assert source.dtype == pixels.dtype.newbyteorder("=")
    np.testing.assert_array_equal(source[...], pixels)
    np.testing.assert_array_equal(source[1:, 11:41, 13:69], pixels[1:, 11:41, 13:69])


@pytest.mark.parametrize("planarconfig", ["contig", "separate"])
@pytest.mark.parametrize("tile", [None, (16, 16)])
def test_samples_are_channels(tmp_path, planarconfig, tile):
    pixels = RNG.integers(0, 256, (40, 50, 3), np.uint8)
    stored = pixels if planarconfig == "contig" else np.moveaxis(pixels, -1, 0)
    tifffile.imwrite(tmp_path / "a.tif", stored, photometric="rgb", planarconfig=planarconfig, tile=tile)
    source = _one(tmp_path / "a.tif")
    assert source.attrs["channel_names"] == ("red", "green", "blue")
    np.testing.assert_array_equal(source[...], np.moveaxis(pixels, -1, 0))


def test_jpeg_and_bilevel(tmp_path):
    pixels = RNG.integers(0, 256, (48, 64, 3), np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", pixels, photometric="rgb", compression="jpeg", tile=(16, 16))
    np.testing.assert_array_equal(
        np.moveaxis(_one(tmp_path / "a.tif")[...], 0, -1), tifffile.imread(tmp_path / "a.tif")
    )
    mask = RNG.random((48, 64)) > 0.5
    tifffile.imwrite(tmp_path / "a.tif", mask)
    source = _one(tmp_path / "a.tif")
    assert source.dtype == bool
    np.testing.assert_array_equal(source[5:40, 3:], mask[5:40, 3:])


def test_a_crop_decodes_only_the_tiles_it_touches(tmp_path, monkeypatch):
    pixels = RNG.integers(0, 65536, (512, 512), np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", pixels, tile=(64, 64), compression="zlib")
    source = _one(tmp_path / "a.tif")
    assert source.chunks == (64, 64)
    touched = []
    segment = tiff._segment
    monkeypatch.setattr(tiff, "_segment", lambda *args: touched.append(args[3]) or segment(*args))
    np.testing.assert_array_equal(source[60:70, 100:120], pixels[60:70, 100:120])
    assert touched == [1, 9]


def test_unnamed_pages_are_times_and_several_series_are_several_images(tmp_path):
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        for size in (20, 20, 31):
            file.write(np.full((size, size), size, "u1"), metadata=None, contiguous=False)
    sources, _ = open_sources(tmp_path)
    assert [(source.name, source.dims, source.shape) for source in sources] == [
        ("a.0", ("t", "y", "x"), (2, 20, 20)),
        ("a.1", ("y", "x"), (31, 31)),
    ]
    assert (sources[1][...] == 31).all()
    assert sources[0].fingerprint() != sources[1].fingerprint()


def test_pyramid_levels_are_not_images(tmp_path):
    pixels = RNG.integers(0, 256, (256, 256), np.uint8)
    with tifffile.TiffWriter(tmp_path / "a.ome.tif") as file:
        file.write(pixels, subifds=1, tile=(64, 64))
        file.write(pixels[::2, ::2], subfiletype=1, tile=(64, 64))
    assert _one(tmp_path / "a.ome.tif").shape == (256, 256)


def _interleaved(path):
    # Pages and their pixels by turns: cut in the middle, the file is a valid one of fewer pages to most readers.
    with tifffile.TiffWriter(path) as file:
        for page in range(6):
            file.write(np.full((64, 64), page, "u2"), metadata=None, contiguous=False)


def _compressed(path):
    tifffile.imwrite(path, RNG.integers(0, 65536, (256, 256), np.uint16), tile=(64, 64), compression="zlib")


def _big(path):
    tifffile.imwrite(path, RNG.integers(0, 65536, (4, 128, 128), np.uint16), bigtiff=True, photometric="minisblack")


@pytest.mark.parametrize("write", [_interleaved, _compressed, _big])
def test_file_cut_anywhere_is_an_error_before_a_run(tmp_path, write):
    path = tmp_path / "a.tif"
    write(path)
    whole = path.read_bytes()
    for at in {4, 8, 100, *range(16, len(whole), len(whole) // 37)}:
        path.write_bytes(whole[:at])
        with pytest.raises(BigimgError, match=r"a\.tif"):
            open_sources(tmp_path)


def test_damaged_tile_is_named(tmp_path):
    path = tmp_path / "a.tif"
    _compressed(path)
    source = _one(path)
    data = bytearray(path.read_bytes())
    with tifffile.TiffFile(path) as file:
        at = file.pages[0].dataoffsets[5]
    data[at : at + 40] = b"\xff" * 40
    path.write_bytes(data)
    source = _one(path)
    source[:64, :64]
    with pytest.raises(BigimgError, match=r"image 'a' cannot be decoded.*a\.tif"):
        source[...]


def test_pages_in_a_circle(tmp_path):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, np.zeros((8, 8), "u1"))
    data = bytearray(path.read_bytes())
    start = int.from_bytes(data[4:8], "little")
    link = start + 2 + 12 * int.from_bytes(data[start : start + 2], "little")
    data[link : link + 4] = start.to_bytes(4, "little")
    path.write_bytes(data)
    with pytest.raises(BigimgError, match="circle"):
        open_sources(tmp_path)


def test_complex_numbers_and_too_many_axes(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((8, 8), "c8"))
    with pytest.raises(ImageError, match=r"a\.tif has pixels of type complex64"):
        open_sources(tmp_path)
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((2, 2, 2, 2, 2, 8, 8), "u1"), photometric="minisblack")
    with pytest.raises(ImageError, match="more than t, c, z, y, x can name"):
        open_sources(tmp_path)


@pytest.mark.real_images
@pytest.mark.skipif(not DATA.is_dir(), reason="needs the folder of real images beside the checkout")
def test_real_files_read_as_tifffile_reads_them():
    for path in sorted([*DATA.glob("landsat/*.TIF"), *DATA.glob("landsat/*.tif"), *DATA.glob("cells_timelapse/*.tif")]):
        source = _one(path)
        expected = tifffile.imread(path)
        expected = np.moveaxis(expected, -1, 0) if "c" in source.dims else expected
        np.testing.assert_array_equal(source[...], expected)
