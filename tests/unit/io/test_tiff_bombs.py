"""Small TIFF files that declare more than they hold: refused by name, before memory is asked for."""

import re
import struct
import zlib

import numpy as np
import pytest
import tifffile

from bigimg.errors import ReadError
from bigimg.io import ingest, open_sources

DEFLATE, PLAIN = 8, 1


def made(width, height, data, compression=DEFLATE, tile=None, rows=None, stored=None):
    """Return a grey TIFF of one piece, with a header that says what it likes."""
    count = len(data) if stored is None else stored
    tags = [(256, width), (257, height), (258, 8), (259, compression), (262, 1), (277, 1)]
    tags += (
        [(322, tile), (323, tile), (324, 8), (325, count)] if tile else [(278, rows or height), (273, 8), (279, count)]
    )
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in sorted(tags))
    body = data + b"\0" * (len(data) % 2)
    return b"II*\0" + struct.pack("<I", 8 + len(body)) + body + struct.pack("<H", len(tags)) + entries + bytes(4)


SMALL = zlib.compress(bytes(1000))
BOMBS = {
    "one strip of 931 GiB": (made(10**6, 10**6, SMALL), "pieces of 931.3 GiB, each decoded whole"),
    "one tile of a terabyte": (made(1000, 1000, SMALL, tile=2**20), "pieces of 1024.0 GiB"),
    "a tile that Deflate cannot hold": (
        made(20_000, 20_000, SMALL, tile=20_000),
        "declares 400000000 bytes.* in a piece",
    ),
    "a strip that Deflate cannot hold": (made(20_000, 20_000, SMALL), "declares 400000000 bytes.* in a piece"),
    "nothing is stored": (made(40_000, 40_000, b"", stored=0), "stores none of these pixels"),
    "fewer bytes than pixels": (made(100, 100, bytes(1000), PLAIN), "declares 10000 bytes of pixels and has 1000"),
}


@pytest.mark.parametrize(("data", "reason"), BOMBS.values(), ids=BOMBS)
def test_a_header_that_lies_is_named(tmp_path, data, reason):
    (tmp_path / "bomb.tif").write_bytes(data)
    with pytest.raises(ReadError, match=rf"bomb\.tif.*{reason}"):
        open_sources(tmp_path)


def test_an_ingest_goes_on_without_bombs(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    for number, (data, _) in enumerate(BOMBS.values()):
        (folder / f"bomb{number}.tif").write_bytes(data)
    tifffile.imwrite(folder / "good.tif", np.arange(900, dtype="uint8").reshape(30, 30))

    done = ingest(folder, tmp_path / "out.zarr", on_error="skip")

    assert done.items == 1
    reasons = {item.name: item.reason for item in done.skipped}
    assert len(reasons) == len(BOMBS)
    assert all(re.search(reason, reasons[f"bomb{n}"]) for n, (_, reason) in enumerate(BOMBS.values()))


@pytest.mark.parametrize("compression", ["zlib", "lzw", "packbits", "zstd", "lzma"])
@pytest.mark.parametrize(
    "layout", [{"tile": (512, 1024)}, {"rowsperstrip": 700}, {}], ids=["tiles", "strips", "one piece"]
)
def test_images_of_one_value_are_no_bombs(tmp_path, compression, layout):
    tifffile.imwrite(tmp_path / "flat.tif", np.full((2000, 3000), 7, "uint8"), compression=compression, **layout)
    ((source,), _) = open_sources(tmp_path)
    assert (source[...] == 7).all()
    assert (tmp_path / "flat.tif").stat().st_size < 200_000


def test_the_last_strip_of_each_channel_may_be_short(tmp_path):
    pixels = np.zeros((3, 1025, 4000), "uint8")
    tifffile.imwrite(
        tmp_path / "a.tif", pixels, compression="zlib", rowsperstrip=1024, photometric="rgb", planarconfig=2
    )
    ((source,), _) = open_sources(tmp_path)
    assert source.shape == pixels.shape
    assert not source[...].any()
