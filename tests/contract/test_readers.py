"""What every reader must do, for every reader there is."""

import pickle
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image

from bigimg.errors import BigimgError
from bigimg.io.readers import READERS, find_reader
from bigimg.io.sources import FileSource
from bigimg.testing import check_reader

RNG = np.random.default_rng(0)
GREY = RNG.integers(0, 256, (37, 53), np.uint8)
COLOUR = RNG.integers(0, 256, (37, 53, 3), np.uint8)
PAGES = np.stack([GREY] * 3)
BANDS = RNG.integers(1, 4000, (5, 141, 203), np.uint16)
BLOCKS = {"blockxsize": 32, "blockysize": 16}
CLIP = RNG.integers(0, 256, (11, 36, 52, 3), np.uint8)


def _write_video(path: Path, codec: str, pixel_format: str, pictures: Any, **options: str) -> None:
    import av

    with av.open(path, "w") as container:
        stream: Any = container.add_stream(codec, rate=25, options=options)
        stream.height, stream.width = pictures.shape[1:3]
        stream.pix_fmt = pixel_format
        for number, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24" if picture.ndim == 3 else "gray")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def _write_scene(path: Path, driver: str, pixels: Any, **options: Any) -> None:
    import rasterio

    bands = pixels.reshape(-1, *pixels.shape[-2:])
    place = rasterio.Affine(30.0, 0.0, 717345.0, 0.0, -30.0, -2776995.0)
    with rasterio.open(
        path, "w", driver=driver, count=len(bands), height=bands.shape[1], width=bands.shape[2], dtype=bands.dtype,
        crs="EPSG:32621", transform=place, **options,
    ) as scene:  # fmt: skip
        scene.write(bands)


def _write_hdf5(path: Path, pixels: Any, **options: Any) -> None:
    import h5py

    with h5py.File(path, "w") as file:
        file.create_dataset("group/pixels", data=pixels, **options)


def _write_netcdf(path: Path, pixels: Any) -> None:
    import xarray as xr

    xr.Dataset({"heat": (("time", "y", "x"), pixels)}, {"time": [3, 4, 9]}).to_netcdf(path, engine="h5netcdf")


def _write_item(path: Path) -> None:
    from tests.unit.io.items import write_item

    # The bands of an item as its files have them: two in one, the rest one by one.
    files = {"blue": path.with_name("blue.tif"), "green": path.with_name("green.tif")}
    _write_scene(files["blue"], "GTiff", BANDS[:4], nodata=0, tiled=True, **BLOCKS)
    _write_scene(files["green"], "GTiff", BANDS[4], nodata=0)
    write_item(path, files)


# For each reader: files it must read, how they are made, and the pixels in them along the axes named.
SAMPLES: dict[str, dict[str, Any]] = {
    "raster": {
        "grey.png": (lambda path: Image.fromarray(GREY).save(path), GREY),
        "deep.png": (lambda path: Image.fromarray(GREY.astype("u2") * 257).save(path), GREY.astype("u2") * 257),
        "colour.png": (lambda path: Image.fromarray(COLOUR).save(path), np.moveaxis(COLOUR, -1, 0)),
        "grey.bmp": (lambda path: Image.fromarray(GREY).save(path), GREY),
        "lossless.webp": (lambda path: Image.fromarray(COLOUR).save(path, lossless=True), np.moveaxis(COLOUR, -1, 0)),
        "grey.jpg": (lambda path: Image.fromarray(GREY).save(path), None),
    },
    "tiff": {
        "grey.tif": (lambda path: tifffile.imwrite(path, GREY), GREY),
        "tiled.tif": (
            lambda path: tifffile.imwrite(path, COLOUR, tile=(16, 16), compression="zlib", photometric="rgb"),
            np.moveaxis(COLOUR, -1, 0),
        ),
        "pages.tiff": (lambda path: tifffile.imwrite(path, PAGES, photometric="minisblack"), PAGES),
        "strips.tif": (
            lambda path: tifffile.imwrite(path, GREY, rowsperstrip=5, compression="lzw", predictor=True),
            GREY,
        ),
    },
    "geotiff": {
        "scene.tif": (lambda path: _write_scene(path, "GTiff", BANDS, nodata=0, tiled=True, **BLOCKS), BANDS),
        "strips.tif": (lambda path: _write_scene(path, "GTiff", GREY, compress="lzw", blockysize=5), GREY),
        "pixels.tif": (
            lambda path: _write_scene(path, "GTiff", BANDS, interleave="pixel", compress="zstd", tiled=True, **BLOCKS),
            BANDS,
        ),
        "big.tif": (lambda path: _write_scene(path, "GTiff", BANDS.astype("f4"), bigtiff="YES"), BANDS.astype("f4")),
        "cog.tif": (
            lambda path: _write_scene(path, "COG", BANDS, compress="deflate", blocksize=128, overview_count=1),
            BANDS,
        ),
        "lossless.jp2": (
            lambda path: _write_scene(path, "JP2OpenJPEG", BANDS, reversible="YES", quality="100", blockxsize=64),
            BANDS,
        ),
    },
    "hdf5": {
        "chunks.h5": (lambda path: _write_hdf5(path, BANDS, chunks=(2, 50, 64), compression="gzip"), BANDS),
        "whole.hdf5": (lambda path: _write_hdf5(path, GREY.astype(">i4")), GREY.astype("i4")),
        "cf.nc": (lambda path: _write_netcdf(path, PAGES), PAGES),
    },
    "stac": {"scene.json": (_write_item, BANDS)},
    "npy": {
        "grey.npy": (lambda path: np.save(path, GREY), GREY),
        "colour.npy": (lambda path: np.save(path, COLOUR), np.moveaxis(COLOUR, -1, 0)),
        "fortran.npy": (lambda path: np.save(path, np.asfortranarray(GREY.astype(">f4"))), GREY.astype("f4")),
    },
    "video": {
        "lossless.mkv": (lambda path: _write_video(path, "ffv1", "bgr0", CLIP), np.moveaxis(CLIP, -1, 1)),
        "grey.mkv": (lambda path: _write_video(path, "ffv1", "gray", CLIP[..., 0]), CLIP[..., 0]),
        "lossless.avi": (lambda path: _write_video(path, "ffv1", "bgr0", CLIP), np.moveaxis(CLIP, -1, 1)),
        "lossy.mp4": (lambda path: _write_video(path, "mpeg4", "yuv420p", CLIP, g="4", bf="2"), None),
        "lossy.mov": (lambda path: _write_video(path, "mpeg4", "yuv420p", CLIP, g="4"), None),
        "lossy.webm": (lambda path: _write_video(path, "libvpx", "yuv420p", CLIP, g="4"), None),
        "animated.gif": (lambda path: _write_video(path, "gif", "rgb8", CLIP), None),
    },
}  # fmt: skip
CASES = [(reader, name) for reader in READERS for name in SAMPLES[reader.NAME]]


@pytest.fixture(params=CASES, ids=lambda case: f"{case[0].NAME}-{case[1]}")
def sample(request, tmp_path):
    reader, name = request.param
    if reader.NAME == "video":
        pytest.importorskip("av", reason="videos are an extra")
    if reader.NAME == "hdf5":
        pytest.importorskip("h5py", reason="an extra")
    if reader.NAME in ("geotiff", "stac"):
        pytest.importorskip("rasterio", reason="scenes are an extra")
    make, pixels = SAMPLES[reader.NAME][name]
    path = tmp_path / name
    make(path)
    return reader, path, pixels


def _source(path: Path) -> FileSource:
    reader = find_reader(path)
    (header,) = reader.headers(path)
    return FileSource.of(path, path.stem, reader.NAME, header)


def test_first_bytes_find_the_reader_whatever_the_name(sample, tmp_path):
    reader, path, _ = sample
    assert find_reader(path) is reader
    other = path.rename(tmp_path / "no_suffix")
    assert find_reader(other) is reader


def test_reader_keeps_its_word(sample):
    reader, path, pixels = sample
    check_reader(reader, path, pixels)


def test_steps_and_single_rows(sample):
    _, path, _ = sample
    source = _source(path)
    whole = source[...]
    np.testing.assert_array_equal(source[..., ::2, 1::3], whole[..., ::2, 1::3])
    np.testing.assert_array_equal(source[..., 3, :], whole[..., 3, :])


def test_source_travels(sample):
    _, path, _ = sample
    source = _source(path)
    packed = pickle.dumps(source)
    assert len(packed) < 1000
    again = pickle.loads(packed)
    assert again == source
    assert hash(again) == hash(source)
    np.testing.assert_array_equal(again[...], source[...])
    assert again.fingerprint() == source.fingerprint()
    assert source.fingerprint().startswith("sha256:")


def test_file_that_changes_under_a_run_is_an_error(sample):
    _, path, _ = sample
    source = _source(path)
    path.write_bytes(path.read_bytes() + b"\0")
    with pytest.raises(BigimgError, match="has changed"):
        source[...]
    path.unlink()
    with pytest.raises(FileNotFoundError, match=path.name):
        source[...]
