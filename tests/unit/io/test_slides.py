"""Slides with their pyramids, and how little of a large file a crop reads."""

import io
import struct
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from bigimg.errors import ImageError, ReadError
from bigimg.io import ingest, open_collection, open_sources
from bigimg.io.readers import tiff
from bigimg.testing import check_reader

RNG = np.random.default_rng(0)
# Smooth, as a slide is, so that JPEG keeps it.
ROWS, COLUMNS = np.mgrid[:512, :768]
COLOUR = np.stack(
    [128 + 100 * np.sin(ROWS / 40), 128 + 100 * np.cos(COLUMNS / 50), 128 + 60 * np.sin((ROWS + COLUMNS) / 90)], -1
).astype(np.uint8)


def _one(path):
    ((source,), _) = open_sources(path)
    return source


def _write_svs(path, bigtiff=False, compression="jpeg", pixels=COLOUR, tile=(128, 128)):
    side = {"photometric": "rgb", "metadata": None, "compression": "jpeg"}
    options = {"photometric": "rgb", "metadata": None, "compression": compression, "tile": tile}
    with tifffile.TiffWriter(path, bigtiff=bigtiff) as file:
        about = "Aperio Image Library v1\r\n768x512|AppMag = 20|Date = 01/02/20|MPP = 0.4990|Left = 31.5"
        file.write(pixels, description=about, subfiletype=0, **options)
        file.write(pixels[::8, ::8], description="Aperio thumbnail", subfiletype=0, **side)
        file.write(pixels[::4, ::4], description="Aperio level", subfiletype=0, **options)
        file.write(pixels[:40, :50], description="Aperio\r\nlabel 50x40", subfiletype=1, **side)
        file.write(pixels[:60, :50], description="Aperio\r\nmacro 50x60", subfiletype=9, **side)


@pytest.mark.parametrize("bigtiff", [False, True])
@pytest.mark.parametrize("compression", ["jpeg", "APERIO_JP2000_RGB", "lzw"])
def test_an_svs_slide_is_its_largest_level(tmp_path, bigtiff, compression):
    _write_svs(tmp_path / "slide.svs", bigtiff, compression)
    source = _one(tmp_path)
    assert source.name == "slide"
    assert source.shape == (3, 512, 768)
    assert source.chunks == (3, 128, 128)
    assert source.attrs["scale"] == {"y": 0.499, "x": 0.499}
    assert source.attrs["units"] == {"y": "micrometer", "x": "micrometer"}
    whole = np.moveaxis(tifffile.imread(tmp_path / "slide.svs", series=0, level=0), -1, 0)
    np.testing.assert_array_equal(source[...], whole)
    assert np.abs(whole.astype(int) - np.moveaxis(COLOUR, -1, 0)).mean() < 3
    if compression == "jpeg":
        check_reader(tiff, tmp_path / "slide.svs", whole)


def test_colours_that_would_be_wrong_are_refused(tmp_path):
    _write_svs(tmp_path / "slide.svs", compression="APERIO_JP2000_YCBC")
    with pytest.raises(ImageError, match="YCbCr"):
        open_sources(tmp_path)


def _restarting_jpeg(pixels, blocks):
    """Return a JPEG with a restart marker after every ``blocks`` of 8 x 8 pixels, and where each run of them starts."""
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "jpeg", quality=95, subsampling=0, restart_marker_blocks=blocks)
    data = out.getvalue()
    at = data.index(b"\xff\xda")
    starts = [at + 2 + struct.unpack(">H", data[at + 2 : at + 4])[0]]
    starts += [n + 2 for n in range(starts[0], len(data) - 1) if data[n] == 0xFF and 0xD0 <= data[n + 1] <= 0xD7]
    return data, starts


def _write_ndpi(path, pictures):
    """Write pages as Hamamatsu's scanners do: little-endian classic TIFF with 64-bit links, a JPEG of runs a page.

    After the entries of a page come 8 bytes that link to the next one, and the upper halves of their values.
    """
    out = bytearray(struct.pack("<2sHQ", b"II", 42, 0))
    link = 4
    for pixels, blocks, magnification in pictures:
        data, starts = _restarting_jpeg(pixels, blocks)
        offset = len(out)
        out += data
        places = {}
        for name, raw in (
            ("starts", struct.pack(f"<{len(starts)}I", *starts)),
            ("bits", struct.pack("<3H", 8, 8, 8)),
            ("make", b"Hamamatsu\0"),
            ("across", struct.pack("<2I", 40000, 1)),
            ("down", struct.pack("<2I", 20000, 1)),
        ):
            places[name] = len(out)
            out += raw
        height, width = pixels.shape[:2]
        entries = [
            (256, 4, 1, width), (257, 4, 1, height), (258, 3, 3, places["bits"]), (259, 3, 1, 7), (262, 3, 1, 6),
            (271, 2, 10, places["make"]), (273, 4, 1, offset), (277, 3, 1, 3), (278, 4, 1, height),
            (279, 4, 1, len(data)), (282, 5, 1, places["across"]), (283, 5, 1, places["down"]), (296, 3, 1, 3),
            (65420, 4, 1, 1), (65421, 11, 1, struct.unpack("<I", struct.pack("<f", magnification))[0]),
            (65426, 4, len(starts), places["starts"]),
        ]  # fmt: skip
        out[link : link + 8] = struct.pack("<Q", len(out))
        out += struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHII", *entry) for entry in entries)
        link = len(out)
        out += bytes(8 + 4 * len(entries))
    path.write_bytes(out)


def test_an_ndpi_slide_is_its_largest_level_and_its_tiles_are_runs_of_a_jpeg(tmp_path):
    _write_ndpi(
        tmp_path / "slide.ndpi", [(COLOUR, 32, 20.0), (COLOUR[::2, ::2], 16, 10.0), (COLOUR[:64, :48], 6, -1.0)]
    )
    source = _one(tmp_path)
    assert source.shape == (3, 512, 768)
    assert source.chunks == (3, 256, 256)  # tiles have 8 rows: they are read together
    assert source.attrs["scale"] == {"y": 0.5, "x": 0.25}
    assert source.attrs["units"] == {"y": "micrometer", "x": "micrometer"}
    # The JPEG is one picture: its parts are those of the whole.
    data, _ = _restarting_jpeg(COLOUR, 32)
    whole = np.moveaxis(np.asarray(Image.open(io.BytesIO(data)).convert("RGB")), -1, 0)
    assert np.abs(source[...].astype(int) - whole).max() <= 1  # another JPEG library
    np.testing.assert_array_equal(
        source[...], np.moveaxis(tifffile.imread(tmp_path / "slide.ndpi", series=0, level=0), -1, 0)
    )
    check_reader(tiff, tmp_path / "slide.ndpi")


def test_a_slide_is_ingested_without_its_label(tmp_path):
    _write_svs(tmp_path / "slide.svs", compression="lzw")
    made = ingest(tmp_path / "slide.svs", tmp_path / "made.zarr")
    assert made.items == 1
    image = open_collection(tmp_path / "made.zarr")["slide"]
    np.testing.assert_array_equal(image.values, np.moveaxis(COLOUR, -1, 0))
    assert image.attrs["scale"] == {"y": 0.499, "x": 0.499}


def test_a_slide_cut_short_is_refused(tmp_path):
    _write_svs(tmp_path / "slide.svs")
    data = (tmp_path / "slide.svs").read_bytes()
    (tmp_path / "slide.svs").write_bytes(data[: len(data) - 100])
    with pytest.raises(ReadError, match=r"slide\.svs is cut short"):
        open_sources(tmp_path)


COUNTED = Path("/proc/self/io")


def _bytes_read():
    """Return how many bytes this process has asked the system for, from files and anything else."""
    return int(COUNTED.read_text().split("rchar:")[1].split()[0])


@pytest.mark.skipif(not COUNTED.exists(), reason="the system does not count the bytes that a process reads")
@pytest.mark.parametrize("kind", ["tif", "svs"])
def test_a_crop_reads_its_tiles_and_no_other(tmp_path, kind):
    # Noise, so that every tile has about as many bytes as pixels.
    pixels = RNG.integers(0, 256, (4096, 4096), np.uint8)
    path = tmp_path / f"large.{kind}"
    if kind == "tif":
        tifffile.imwrite(path, pixels, tile=(256, 256), compression="zlib", photometric="minisblack")
    else:
        _write_svs(path, compression="zlib", pixels=np.stack([pixels[:2048, :2048]] * 3, -1), tile=(256, 256))
    source = _one(path)
    tiff._cached_layout.cache_clear()  # as in a new process, where the places of tiles are read first
    tiff.tiff_set._cached_told.cache_clear()
    with tifffile.TiffFile(path) as file:
        tiles = sorted(file.pages[0].databytecounts)
    box = (*((slice(None),) if kind == "svs" else ()), slice(300, 1324), slice(500, 1524))
    before = _bytes_read()
    crop = source[box]
    read = _bytes_read() - before
    assert crop.shape[-2:] == (1024, 1024)
    np.testing.assert_array_equal(crop if kind == "tif" else crop[0], pixels[300:1324, 500:1524])
    touched = 5 * 5  # rows 300 to 1323 and columns 500 to 1523 of tiles of 256
    assert sum(tiles[:touched]) <= read <= sum(tiles[-touched:]) + 150_000
    assert read < path.stat().st_size / 2
