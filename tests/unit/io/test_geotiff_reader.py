"""The reader of scenes: what it takes, what it says of them, and how little it reads."""

import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import tifffile

from bigimg.errors import BigimgError, ImageError, MissingExtraError, ReadError
from bigimg.io.readers import find_reader, geotiff, tiff
from bigimg.io.scan import open_sources
from tests.unit.io.scenes import PLACE, write_scene

rasterio = pytest.importorskip("rasterio", reason="scenes are an extra")

RNG = np.random.default_rng(2)
SCENE = RNG.integers(1, 4000, (3, 256, 300), np.uint16)


def test_plain_tiff_is_left_to_its_own_reader(tmp_path):
    tifffile.imwrite(tmp_path / "plain.tif", SCENE[0])
    assert find_reader(tmp_path / "plain.tif") is tiff
    assert find_reader(write_scene(tmp_path / "scene.tif", SCENE)) is geotiff


def test_without_rasterio_a_scene_is_a_tiff(tmp_path, monkeypatch):
    path = write_scene(tmp_path / "scene.tif", SCENE, nodata=0)
    monkeypatch.setattr(geotiff, "find_spec", lambda _: None)
    assert find_reader(path) is tiff
    ((source,), _) = open_sources(path)
    np.testing.assert_array_equal(source[...].squeeze(), SCENE)
    monkeypatch.setitem(sys.modules, "rasterio", None)
    with pytest.raises(MissingExtraError, match=r'pip install "bigimg\[geo\]"'):
        geotiff.headers(path)


def test_scale_and_offset_and_names(tmp_path):
    path = write_scene(tmp_path / "scene.tif", SCENE, names=("B2", "B3", "B4"))
    with rasterio.open(path, "r+") as scene:
        scene.scales, scene.offsets = (2e-5,) * 3, (-0.1,) * 3
    (header,) = geotiff.headers(path)
    assert header.attrs["scale_offset"] == (2e-5, -0.1)
    assert header.attrs["channel_names"] == ("B2", "B3", "B4")
    with rasterio.open(path, "r+") as scene:
        scene.scales = (1.0, 2.0, 3.0)
    (header,) = geotiff.headers(path)
    assert header.attrs["scale_offset"] == ((1.0, -0.1), (2.0, -0.1), (3.0, -0.1))


def test_nodata_of_floats_and_of_integers(tmp_path):
    (header,) = geotiff.headers(write_scene(tmp_path / "a.tif", SCENE.astype("f4"), nodata=float("nan")))
    assert np.isnan(header.attrs["nodata"])
    (header,) = geotiff.headers(write_scene(tmp_path / "b.tif", SCENE.astype("i2"), nodata=-9999))
    assert header.attrs["nodata"] == -9999
    assert isinstance(header.attrs["nodata"], int)


def test_box_reads_its_blocks_only(tmp_path):
    big = RNG.integers(0, 60000, (1, 2048, 2048), np.uint16)
    path = write_scene(tmp_path / "big.tif", big, tiled=True, blockxsize=256, blockysize=256)
    ((source,), _) = open_sources(path)
    assert source.chunks == (256, 256)
    source[0:10, 0:10]
    # GDAL reads the file itself: what it has read is what the system says this process has.
    before = _bytes_read()
    np.testing.assert_array_equal(source[300:900, 512:1024], big[0, 300:900, 512:1024])
    assert _bytes_read() - before < 3 * 2 * 256 * 256 * 2 + 2**18


def _bytes_read() -> int:
    from pathlib import Path

    counts = Path("/proc/self/io")
    if not counts.exists():
        pytest.skip("this system does not say how much a process reads")
    return int(counts.read_text().split("rchar: ")[1].split()[0])


def test_many_threads_read_one_file(tmp_path):
    path = write_scene(tmp_path / "scene.tif", SCENE, tiled=True, blockxsize=64, blockysize=64, compress="deflate")
    ((source,), _) = open_sources(path)
    starts = [(row, column) for row in range(0, 200, 9) for column in range(0, 250, 11)]

    def check(start) -> bool:
        row, column = start
        return bool(
            (source[:, row : row + 50, column : column + 40] == SCENE[:, row : row + 50, column : column + 40]).all()
        )

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(check, starts))
    assert sum(map(len, geotiff._handles._free.values())) <= geotiff._MOST_OPEN


def test_file_that_is_replaced_is_read_anew(tmp_path):
    path = write_scene(tmp_path / "scene.tif", SCENE)
    ((first,), _) = open_sources(path)
    assert first[0, 0, 0] == SCENE[0, 0, 0]
    write_scene(tmp_path / "new.tif", SCENE[:, ::-1].copy(), compress="deflate").replace(path)
    with pytest.raises(ReadError, match="has changed"):
        first[...]
    ((second,), _) = open_sources(path)
    np.testing.assert_array_equal(second[...], SCENE[:, ::-1])


def test_mask_in_another_file_is_refused(tmp_path):
    path = write_scene(tmp_path / "scene.tif", SCENE)
    (tmp_path / "scene.tif.msk").write_bytes(b"II*\0")
    with pytest.raises(ImageError, match=r"scene\.tif\.msk"):
        geotiff.headers(path)


@pytest.mark.parametrize("text", ["<VRTDataset/>", '{"type": "VRT"}'])
def test_description_of_other_files_is_not_an_image(tmp_path, text):
    path = tmp_path / "scene.tif"
    path.write_text(text)
    with pytest.raises(ReadError, match="not the TIF image its name promises"):
        find_reader(path)


@pytest.mark.filterwarnings("ignore:Dataset has no geotransform:rasterio.errors.NotGeoreferencedWarning")
def test_cut_jpeg2000_is_refused(tmp_path):
    path = tmp_path / "scene.jp2"
    with rasterio.open(
        path, "w", driver="JP2OpenJPEG", count=1, height=256, width=300, dtype="uint16", quality="100", reversible="YES"
    ) as scene:
        scene.write(SCENE[:1])
    (header,) = geotiff.headers(path)
    assert header.shape == (256, 300)
    assert "transform" not in header.attrs
    np.testing.assert_array_equal(geotiff.read(path, 0, (slice(0, 256), slice(0, 300))), SCENE[0])
    data = path.read_bytes()
    for end in (13, 100, len(data) // 2, len(data) - 1):
        path.write_bytes(data[:end])
        with pytest.raises(BigimgError, match=r"scene\.jp2"):
            geotiff.headers(path)


def test_place_by_a_tie_point_is_read(tmp_path):
    (header,) = geotiff.headers(write_scene(tmp_path / "scene.tif", SCENE))
    assert header.attrs["transform"] == PLACE
    assert header.dims == ("c", "y", "x")
