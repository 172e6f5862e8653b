"""Ingest that is killed, gone on with, added to, handed to other processes, or leaves the pixels where they are."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
import pytest
import tifffile
from PIL import Image

from bigimg.errors import MissingInputError, OutputError, OutputExistsError, ParameterError, ReadError
from bigimg.io import ArrayWriter, FileSource, ingest, open_collection
from bigimg.io.ingest import JOURNAL
from bigimg.io.journal import Journal, read_journal

RNG = np.random.default_rng(3)


@pytest.fixture
def folder(tmp_path):
    """Images of one block and of many, alike and unlike."""
    images = tmp_path / "images"
    images.mkdir()
    for number in range(5):
        Image.fromarray(RNG.integers(0, 256, (40, 50), np.uint8)).save(images / f"small{number}.png")
    tifffile.imwrite(images / "large.tif", RNG.integers(0, 4000, (700, 300), np.uint16), tile=(64, 64))
    tifffile.imwrite(images / "deep.tif", RNG.normal(size=(5, 80, 90)).astype("f4"), photometric="minisblack")
    return images


def tree(root):
    """Every file of a collection but its journal, whose lines come in the order the work was done."""
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and path.name != JOURNAL
    }


@pytest.mark.parametrize("pack", [False, True])
@pytest.mark.parametrize("after", [1, 4, 9, 14])
def test_ingest_killed_anywhere_goes_on_to_the_same_bytes(folder, tmp_path, pack, after):
    ingest(folder, tmp_path / "whole.zarr", pack=pack, chunk=64)
    code = (
        "import os, signal, sys\n"
        "from bigimg.io import ArrayWriter, ingest\n"
        "left = [int(sys.argv[3])]; write = ArrayWriter.write\n"
        "def dying(self, box, pixels):\n"
        "    write(self, box, pixels); left[0] -= 1\n"
        "    if left[0] <= 0: os.kill(os.getpid(), signal.SIGKILL)\n"
        "ArrayWriter.write = dying\n"
        "ingest(sys.argv[1], sys.argv[2], pack=bool(int(sys.argv[4])), chunk=64)"
    )
    line = [sys.executable, "-c", code, str(folder), str(tmp_path / "a.zarr"), str(after), str(int(pack))]
    assert subprocess.run(line, check=False).returncode == -signal.SIGKILL
    assert not (tmp_path / "a.zarr").exists()
    (left,) = tmp_path.glob("a.zarr.building-*")
    with pytest.raises(ReadError):
        open_collection(left)
    assert ingest(folder, tmp_path / "a.zarr", pack=pack, chunk=64).items == 7
    assert not list(tmp_path.glob("a.zarr.building-*"))
    assert tree(tmp_path / "a.zarr") == tree(tmp_path / "whole.zarr")


def test_what_is_done_is_not_done_again(folder, tmp_path, monkeypatch):
    read = FileSource.__getitem__
    asked = []

    def failing(self, index):
        asked.append(self.name)
        if self.name == "small4" and stop:
            raise KeyboardInterrupt
        return read(self, index)

    monkeypatch.setattr(FileSource, "__getitem__", failing)
    stop = True
    with pytest.raises(KeyboardInterrupt):
        ingest(folder, tmp_path / "a.zarr", chunk=64)
    before = set(asked) - {"small4"}
    (left,) = tmp_path.glob("a.zarr.building-*")
    done = {record["done"] for record in read_journal(left / JOURNAL) if "done" in record}
    assert done <= before
    stop = False
    asked.clear()
    ingest(folder, tmp_path / "a.zarr", chunk=64)
    assert not done & set(asked)
    assert "small4" in asked


def test_chunks_that_a_failing_disk_has_changed_are_copied_again(folder, tmp_path, monkeypatch):
    ingest(folder, tmp_path / "whole.zarr", chunk=64)
    write = ArrayWriter.write

    def dying(self, box, pixels):
        write(self, box, pixels)
        if self.path.endswith("images/large/0"):
            raise KeyboardInterrupt

    monkeypatch.setattr(ArrayWriter, "write", dying)
    with pytest.raises(KeyboardInterrupt):
        ingest(folder / "large.tif", tmp_path / "a.zarr", chunk=64)
    monkeypatch.setattr(ArrayWriter, "write", write)
    (chunk, *_) = tmp_path.glob("a.zarr.building-*/images/large/0/c/*/*")
    raw = bytearray(chunk.read_bytes())
    raw[20] ^= 1
    chunk.write_bytes(raw)
    ingest(folder / "large.tif", tmp_path / "a.zarr", chunk=64)
    wanted = open_collection(tmp_path / "whole.zarr")["large"]
    np.testing.assert_array_equal(open_collection(tmp_path / "a.zarr")["large"].values, wanted.values)


def test_a_file_that_changed_between_is_copied_from_its_beginning(folder, tmp_path):
    stop = [True]

    def die(done, count):
        if stop and done >= 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ingest(folder, tmp_path / "a.zarr", chunk=64, progress=die)
    pixels = RNG.integers(0, 4000, (650, 300), np.uint16)
    tifffile.imwrite(folder / "large.tif", pixels, tile=(64, 64))
    stop.clear()
    ingest(folder, tmp_path / "a.zarr", chunk=64, progress=die)
    np.testing.assert_array_equal(open_collection(tmp_path / "a.zarr")["large"].values, pixels)


def test_two_at_once_do_not_meet(folder, tmp_path):
    def again(done, count):
        with pytest.raises(OutputError, match="another process"):
            ingest(folder, tmp_path / "a.zarr")

    assert ingest(folder, tmp_path / "a.zarr", progress=again).items == 7


def test_other_processes_write_the_same_bytes(folder, tmp_path):
    ingest(folder, tmp_path / "threads.zarr", chunk=64, pack=True)
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        ingest(folder, tmp_path / "processes.zarr", chunk=64, pack=True, pool=pool)
    assert tree(tmp_path / "threads.zarr") == tree(tmp_path / "processes.zarr")


@pytest.mark.parametrize("pack", [False, True])
def test_adding_reads_only_what_is_new(folder, tmp_path, pack, monkeypatch):
    made = ingest(folder, tmp_path / "a.zarr", pack=pack)
    assert (made.items, made.added) == (7, 7)
    with pytest.raises(OutputExistsError):
        ingest(folder, tmp_path / "a.zarr", pack=pack)
    new = RNG.integers(0, 256, (40, 50), np.uint8)
    for name in ("new1", "new2"):
        Image.fromarray(new).save(folder / f"{name}.png")
    (tmp_path / "elsewhere").mkdir()
    asked = []
    read = FileSource.__getitem__
    monkeypatch.setattr(FileSource, "__getitem__", lambda self, index: asked.append(self.name) or read(self, index))
    made = ingest(folder, tmp_path / "a.zarr", pack=pack, append=True)
    assert (made.items, made.added) == (9, 2)
    assert set(asked) == {"new1", "new2"}
    collection = open_collection(tmp_path / "a.zarr")
    for name in ("new1", "new2"):
        np.testing.assert_array_equal(collection[name].values, new)
    np.testing.assert_array_equal(collection["small3"].values, np.asarray(Image.open(folder / "small3.png")))
    # An image of the same name from another folder is another image.
    Image.fromarray(255 - new).save(tmp_path / "elsewhere" / "new1.png")
    ingest(tmp_path / "elsewhere", tmp_path / "a.zarr", append=True)
    (other,) = set(open_collection(tmp_path / "a.zarr")) - set(collection)
    assert other.startswith("new1-")
    assert ingest(folder, tmp_path / "a.zarr", append=True).added == 0


def test_adding_that_was_killed_leaves_the_collection_as_it_was(folder, tmp_path):
    ingest(folder, tmp_path / "a.zarr")
    Image.fromarray(RNG.integers(0, 256, (40, 50), np.uint8)).save(folder / "new.png")
    before = tree(tmp_path / "a.zarr")

    def die(done, count):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ingest(folder, tmp_path / "a.zarr", append=True, progress=die)
    after = tree(tmp_path / "a.zarr")
    assert {name: after[name] for name in before} == before
    assert len(open_collection(tmp_path / "a.zarr")) == 7
    assert ingest(folder, tmp_path / "a.zarr", append=True).items == 8


def test_a_file_that_changed_cannot_be_added_again(folder, tmp_path):
    ingest(folder, tmp_path / "a.zarr")
    Image.fromarray(RNG.integers(0, 256, (40, 50), np.uint8)).save(folder / "small1.png")
    with pytest.raises(ReadError, match=r"small1\.png is not the file"):
        ingest(folder, tmp_path / "a.zarr", append=True)
    made = ingest(folder, tmp_path / "a.zarr", append=True, on_error="skip")
    assert [each.name for each in made.skipped] == ["small1"]
    assert made.items == 7


def test_there_must_be_a_collection_to_add_to(folder, tmp_path):
    with pytest.raises(MissingInputError, match="no collection"):
        ingest(folder, tmp_path / "a.zarr", append=True)
    with pytest.raises(ReadError, match="not a collection"):
        ingest(folder, folder.parent, append=True)


def test_references_leave_the_pixels_where_they_are(folder, tmp_path):
    ingest(folder, tmp_path / "a.zarr", mode="reference")
    assert not list((tmp_path / "a.zarr").rglob("c"))
    pixels = tifffile.imread(folder / "large.tif")
    np.testing.assert_array_equal(open_collection(tmp_path / "a.zarr")["large"].values, pixels)
    # Both may move together; a file that has changed is refused.
    (tmp_path / "moved").mkdir()
    shutil.move(tmp_path / "a.zarr", tmp_path / "moved" / "a.zarr")
    shutil.move(folder, tmp_path / "moved" / "images")
    moved = open_collection(tmp_path / "moved" / "a.zarr")
    np.testing.assert_array_equal(moved["large"].values, pixels)
    tifffile.imwrite(tmp_path / "moved" / "images" / "large.tif", pixels + 1, tile=(64, 64))
    with pytest.raises(ReadError, match="has changed"):
        moved["large"].values  # noqa: B018 - reading is what fails
    with pytest.raises(ParameterError, match="mode"):
        ingest(tmp_path / "moved", tmp_path / "b.zarr", mode="move")


def test_windows_of_display_come_from_all_pixels(tmp_path):
    pixels = np.full((700, 700), 100, np.uint16)
    pixels[0, :600] = 5000  # of nearly half a million
    pixels[1, 0] = 60000
    tifffile.imwrite(tmp_path / "a.tif", pixels)
    ingest(tmp_path / "a.tif", tmp_path / "a.zarr", chunk=64)
    (channel,) = open_collection(tmp_path / "a.zarr").sources and _omero(tmp_path / "a.zarr" / "images" / "a")
    assert channel["window"] == {"min": 100.0, "max": 60000.0, "start": 100.0, "end": 5000.0}


def test_each_channel_has_its_own_window(tmp_path):
    pixels = np.stack([np.full((300, 200), 7, np.uint16), np.full((300, 200), 900, np.uint16)])
    pixels[:, 0, 0] = 0, 1000
    tifffile.imwrite(tmp_path / "a.ome.tif", pixels, metadata={"axes": "CYX"})
    ingest(tmp_path / "a.ome.tif", tmp_path / "a.zarr", chunk=64)
    windows = [channel["window"] for channel in _omero(tmp_path / "a.zarr" / "images" / "a")]
    assert windows == [
        {"min": 0.0, "max": 7.0, "start": 7.0, "end": 7.0},
        {"min": 900.0, "max": 1000.0, "start": 900.0, "end": 1000.0},
    ]


def _omero(group):
    from bigimg.io.documents import read_attributes

    return read_attributes(group)["ome"]["omero"]["channels"]


def test_journals_end_where_they_were_torn(tmp_path):
    path = tmp_path / "journal"
    with Journal(path) as journal:
        for number in range(3):
            journal.add({"number": number})
    whole = path.read_bytes()
    for cut in range(len(whole)):
        path.write_bytes(whole[:cut])
        numbers = [record["number"] for record in read_journal(path)]
        assert numbers == list(range(whole[:cut].count(b"\n")))
        with Journal(path) as journal:
            journal.add({"number": "new"})
        assert [record["number"] for record in read_journal(path)] == [*numbers, "new"]
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 1
    path.write_bytes(flipped)
    assert len(list(read_journal(path))) == 1
