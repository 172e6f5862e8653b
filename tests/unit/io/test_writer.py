import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import zarr

from bigimg.core.tile import TileGrid
from bigimg.errors import AlignmentError, CorruptChunkError, ImageError, OutputError, OutputExistsError, ReadError
from bigimg.io import StoredSource, build_pyramid, create_array, create_image, create_labels
from bigimg.io.pyramid import halve, level_shapes

RNG = np.random.default_rng(0)


def _source(folder, pixels, dims=("y", "x")):
    return StoredSource("a", str(folder), pixels.shape, pixels.dtype, dims, (64, 64), {})


def _write(writer, pixels):
    for tile in TileGrid.regular(writer.shape, writer.chunks):
        writer.write(tile.write, pixels[tile.write])


@pytest.mark.parametrize("shards", [None, (128, 128)])
def test_every_chunk_is_written_even_of_zeros(tmp_path, shards):
    writer = create_array(tmp_path / "a", (200, 300), np.dtype("u2"), ("y", "x"), (64, 64), shards)
    _write(writer, np.zeros((200, 300), "u2"))
    files = [path for path in (tmp_path / "a").rglob("*") if path.is_file() and path.name != "zarr.json"]
    assert len(files) == (2 * 3 if shards else 4 * 5)
    assert (_source(tmp_path / "a", np.zeros((200, 300), "u2"))[...] == 0).all()


def test_misaligned_writes_are_refused(tmp_path):
    writer = create_array(tmp_path / "a", (200, 300), np.dtype("u2"), ("y", "x"), (64, 64))
    writer.check_aligned(((128, 72), (64, 192, 44)))
    writer.check_aligned(((200,), (300,)))
    for chunks in (((100, 100), (300,)), ((200,), (64, 64, 63, 109)), ((128, 64), (300,))):
        with pytest.raises(AlignmentError):
            writer.check_aligned(chunks)
    box = (slice(0, 64), slice(0, 64))
    for wrong in ((slice(1, 65), slice(0, 64)), (slice(0, 63), slice(0, 64)), (slice(192, 256), slice(0, 64))):
        with pytest.raises(AlignmentError):
            writer.write(wrong, np.zeros([side.stop - side.start for side in wrong], "u2"))
    with pytest.raises(AlignmentError, match="do not fill"):
        writer.write(box, np.zeros((64, 63), "u2"))
    with pytest.raises(ImageError, match="holds uint16"):
        writer.write(box, np.zeros((64, 64), "u4"))


def test_shards_are_the_unit_of_a_write(tmp_path):
    writer = create_array(tmp_path / "a", (200, 300), np.dtype("u2"), ("y", "x"), (64, 64), (128, 128))
    assert writer.chunks == (128, 128)
    with pytest.raises(AlignmentError, match="multiples of 128"):
        writer.check_aligned(((64, 136), (300,)))


def test_many_threads_write_one_array(tmp_path):
    pixels = RNG.integers(0, 65536, (640, 640), np.uint16)
    writer = create_array(tmp_path / "a", pixels.shape, pixels.dtype, ("y", "x"), (64, 64))
    with ThreadPoolExecutor(8) as pool:
        list(
            pool.map(
                lambda tile: writer.write(tile.write, pixels[tile.write]), TileGrid.regular(pixels.shape, (64, 64))
            )
        )
    np.testing.assert_array_equal(_source(tmp_path / "a", pixels)[...], pixels)


def test_disk_that_refuses_is_an_error_that_names_the_array(tmp_path, monkeypatch):
    writer = create_array(tmp_path / "a", (64, 64), np.dtype("u2"), ("y", "x"), (64, 64))

    def full(*_args, **_kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OutputError, match="No space left"):
        writer.write((slice(0, 64), slice(0, 64)), np.ones((64, 64), "u2"))
    assert not list((tmp_path / "a").rglob("*.partial"))


@pytest.mark.parametrize("shards", [None, (128, 128)])
def test_one_flipped_bit_anywhere_is_found(tmp_path, shards):
    pixels = RNG.integers(0, 65536, (200, 300), np.uint16)
    writer = create_array(tmp_path / "a", pixels.shape, pixels.dtype, ("y", "x"), (64, 64), shards)
    _write(writer, pixels)
    source = _source(tmp_path / "a", pixels)
    files = sorted(path for path in (tmp_path / "a" / "c").rglob("*") if path.is_file())
    for path in files:
        whole = path.read_bytes()
        for at in RNG.integers(0, len(whole), 3):
            path.write_bytes(whole[:at] + bytes([whole[at] ^ (1 << int(RNG.integers(8)))]) + whole[at + 1 :])
            with pytest.raises(CorruptChunkError, match=rf"image 'a': chunk .* file {path}"):
                source[...]
        path.write_bytes(whole)
    np.testing.assert_array_equal(source[...], pixels)


@pytest.mark.parametrize("shards", [None, (128, 128)])
@pytest.mark.parametrize("damage", ["deleted", "emptied", "cut", "longer", "other"])
def test_lost_and_torn_chunks_are_found(tmp_path, shards, damage):
    pixels = RNG.integers(0, 65536, (200, 300), np.uint16)
    writer = create_array(tmp_path / "a", pixels.shape, pixels.dtype, ("y", "x"), (64, 64), shards)
    _write(writer, pixels)
    source = _source(tmp_path / "a", pixels)
    path = tmp_path / "a" / "c" / "1" / "2"
    whole = path.read_bytes()
    if damage == "deleted":
        path.unlink()
    elif damage == "emptied":
        path.write_bytes(b"")
    elif damage == "cut":
        path.write_bytes(whole[: len(whole) // 2])
    elif damage == "longer":
        path.write_bytes(whole + b"xxxx")
    else:
        path.unlink()
        path.mkdir()
    with pytest.raises(CorruptChunkError, match=r"chunk \(1, 2\)"):
        source[...]
    # What does not touch the chunk is still there.
    np.testing.assert_array_equal(source[:60, :60], pixels[:60, :60])


def test_store_that_somebody_else_left_incomplete_gives_its_fill_value(tmp_path):
    array = zarr.create_array(str(tmp_path / "a"), shape=(100, 100), chunks=(50, 50), dtype="u1", fill_value=7)
    array[:50, :50] = 1
    source = StoredSource(
        "a", str(tmp_path / "a"), (100, 100), np.dtype("u1"), ("y", "x"), (50, 50), {}, complete=False
    )
    assert source[...].sum() == 2500 + 7 * 7500
    with pytest.raises(CorruptChunkError, match="missing"):
        StoredSource("a", str(tmp_path / "a"), (100, 100), np.dtype("u1"), ("y", "x"), (50, 50), {})[...]


def test_links_out_of_a_store_are_refused(tmp_path):
    pixels = np.ones((100, 100), "u1")
    for name in ("a", "secret"):
        _write(create_array(tmp_path / name, (100, 100), pixels.dtype, ("y", "x"), (64, 64)), pixels)
    chunk = tmp_path / "a" / "c" / "0" / "1"
    chunk.unlink()
    chunk.symlink_to(tmp_path / "secret" / "c" / "0" / "1")
    with pytest.raises(ReadError, match="is a link"):
        _source(tmp_path / "a", pixels)[...]


def test_declared_bombs_are_refused(tmp_path):
    zarr.create_array(str(tmp_path / "a"), shape=(10**9, 10**9), chunks=(10**5, 10**5), dtype="u1")
    source = StoredSource("a", str(tmp_path / "a"), (10**9, 10**9), np.dtype("u1"), ("y", "x"), (10**5, 10**5), {})
    with pytest.raises(ReadError, match="2 GiB"):
        source[:1, :1]


@pytest.mark.parametrize("dtype", ["?", "u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f2", "f4", "f8"])
@pytest.mark.parametrize("shape", [(1, 1), (7, 1), (513, 700), (3, 65, 64), (2, 3, 4, 5, 6)])
def test_round_trip(tmp_path, dtype, shape):
    pixels = (RNG.random(shape) * 100 - (50 if np.dtype(dtype).kind in "if" else 0)).astype(dtype)
    if np.dtype(dtype).kind == "f":
        pixels.flat[0] = np.nan
    dims = ("t", "c", "z", "y", "x")[-len(shape) :] if len(shape) != 3 else ("c", "y", "x")
    writer = create_array(tmp_path / "a", shape, pixels.dtype, dims, (1,) * (len(shape) - 2) + (64, 64))
    _write(writer, pixels)
    read = _source(tmp_path / "a", pixels, dims)[...]
    assert read.dtype == pixels.dtype
    np.testing.assert_array_equal(read, pixels)
    np.testing.assert_array_equal(zarr.open_array(str(tmp_path / "a"), mode="r")[...], pixels)


def test_label_dtypes_and_names(tmp_path):
    with pytest.raises(ImageError, match="unsigned"):
        create_labels(tmp_path, "nuclei", (10, 10), np.dtype("i4"), ("y", "x"), {}, (10, 10))
    with pytest.raises(ReadError):
        create_labels(tmp_path, "../nuclei", (10, 10), np.dtype("u4"), ("y", "x"), {}, (10, 10))
    create_labels(tmp_path, "nuclei", (10, 10), np.dtype("u4"), ("y", "x"), {}, (10, 10))
    with pytest.raises(OutputExistsError):
        create_labels(tmp_path, "nuclei", (10, 10), np.dtype("u4"), ("y", "x"), {}, (10, 10))
    with pytest.raises(ImageError, match="in this order"):
        create_image(tmp_path / "b", (10, 10), np.dtype("u1"), ("x", "y"), {}, (10, 10))


def test_pyramid_is_made_of_the_level_before(tmp_path):
    pixels = RNG.integers(0, 65536, (2, 1301, 777), np.uint16)
    attrs = {"scale": {"y": 0.5, "x": 0.5}, "units": {"y": "micrometer", "x": "micrometer"}}
    writer = create_image(tmp_path / "a", pixels.shape, pixels.dtype, ("c", "y", "x"), attrs, (1, 128, 128))
    _write(writer, pixels)
    shapes = level_shapes(pixels.shape, ("c", "y", "x"))
    assert shapes == [(2, 1301, 777), (2, 651, 389), (2, 326, 195)]
    for _ in range(2):  # a second time after an interruption gives the same
        assert build_pyramid(tmp_path / "a", "image") == 3
        expected = pixels
        for level, shape in enumerate(shapes):
            stored = zarr.open_array(str(tmp_path / "a" / str(level)), mode="r")[...]
            assert stored.shape == shape
            np.testing.assert_array_equal(stored, expected)
            expected = halve(expected, "image")


def test_pyramid_of_an_incomplete_level_is_refused(tmp_path):
    writer = create_labels(tmp_path, "nuclei", (600, 600), np.dtype("u4"), ("y", "x"), {}, (300, 300))
    writer.write((slice(0, 300), slice(0, 600)), np.zeros((300, 600), "u4"))
    with pytest.raises(CorruptChunkError, match="missing"):
        build_pyramid(tmp_path / "labels" / "nuclei", "labels")


def test_means_of_floats_leave_nan_out():
    pixels = np.array([[1, np.nan, np.nan, np.nan], [3, 5, np.nan, np.nan]], "f4")
    np.testing.assert_array_equal(halve(pixels, "image"), np.array([[3, np.nan]], "f4"))
    largest = np.finfo("f4").max
    np.testing.assert_allclose(halve(np.full((2, 2), largest, "f4"), "image"), [[largest]], rtol=1e-6)


def test_ties_of_labels():
    cases = {
        (0, 0, 5, 5): 5,
        (5, 5, 6, 6): 5,
        (0, 5, 6, 7): 5,
        (0, 0, 0, 5): 0,
        (0, 0, 5, 6): 0,
        (9, 9, 0, 1): 9,
        (3, 4, 5, 6): 3,
    }
    for four, expected in cases.items():
        for order in np.array(np.meshgrid(*[range(4)] * 4)).reshape(4, -1).T:
            if len(set(order)) == 4:
                assert halve(np.array(four, "u8")[order].reshape(2, 2), "labels") == expected
