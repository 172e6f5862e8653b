"""What a folder may hold beside images: left out by name with the reason, while the rest goes on."""

from __future__ import annotations

import os
import socket

import numpy as np
import pytest
from PIL import Image

from bigimg.errors import MissingInputError, ReadError
from bigimg.io import ingest, open_collection, open_sources

PIXELS = np.arange(37 * 53, dtype=np.uint16).reshape(37, 53)


@pytest.fixture
def folder(tmp_path):
    images = tmp_path / "images"
    images.mkdir()
    Image.fromarray(PIXELS).save(images / "good.png")
    return images


def left_out(folder):
    """Ingest the folder both ways; return the reason of the one that was left out."""
    with pytest.raises(ReadError):
        ingest(folder, folder.parent / "none.zarr")
    assert not (folder.parent / "none.zarr").exists()
    done = ingest(folder, folder.parent / "a.zarr", on_error="skip")
    collection = open_collection(folder.parent / "a.zarr")
    assert list(collection) == ["good"]
    np.testing.assert_array_equal(collection["good"].values, PIXELS)
    (skipped,) = done.skipped
    assert skipped.reason.isprintable()
    return skipped.reason


@pytest.mark.timeout(30)
def test_pipes_and_sockets_are_not_waited_for(folder, monkeypatch):
    os.mkfifo(folder / "pipe.png")
    assert "pipe.png is not a file but a pipe" in left_out(folder)
    with pytest.raises(ReadError, match="not a file"):
        open_sources(folder / "pipe.png")
    with pytest.raises(ReadError, match="not a file"):
        open_sources(folder / "*.png")
    monkeypatch.chdir(folder)
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind("socket.png")
        assert len(open_sources(folder, "skip")[1]) == 2


@pytest.mark.parametrize("target", ["self.png", "nowhere.png", "/dev/zero"])
def test_links_to_nothing(folder, target):
    (folder / "self.png").symlink_to(target)
    reason = left_out(folder)
    assert "self.png" in reason
    assert "link" in reason or "No such file" in reason
    assert len(open_sources(folder / "*.png", "skip")[1]) == 1


def test_a_link_to_itself_that_is_named(folder):
    (folder / "self.png").symlink_to("self.png")
    with pytest.raises(MissingInputError, match="link to nothing, or to itself"):
        ingest(folder / "self.png", folder.parent / "a.zarr")


def test_a_linked_folder_is_met_once(folder):
    (folder / "again").symlink_to(".")
    assert [source.name for source in open_sources(folder)[0]] == ["good"]


def test_a_name_that_is_not_utf8(folder):
    (folder / "good.png").rename(folder / "other.png")
    (folder / "other.png").rename(os.fsdecode(os.fsencode(folder) + b"/Zelle_\xe4.png"))
    Image.fromarray(PIXELS).save(folder / "good.png")
    assert "Zelle_\\xe4.png has a name that is not UTF-8" in left_out(folder)


def test_a_bad_file_whose_name_commands_a_terminal(folder):
    (folder / "\x1b[31m\n.png").write_bytes(b"<html>")
    assert r"\x1b[31m\n.png is not the PNG image" in left_out(folder)


def test_good_images_of_any_other_name(folder):
    names = ["²", "1²3", "a\nb", "a..b..", "n" * 251, "A", "a", "-rf", "zarr.json"]
    for name in names:
        Image.fromarray(PIXELS).save(folder / f"{name}.png")
    done = ingest(folder, folder.parent / "a.zarr")
    assert (done.items, done.skipped) == (10, ())
    for image in open_collection(folder.parent / "a.zarr").values():
        np.testing.assert_array_equal(image.values, PIXELS)


def test_a_name_longer_than_any_file_has():
    with pytest.raises(MissingInputError, match="cannot be the name of a file"):
        open_sources("n" * 300 + ".png")


def test_a_folder_that_cannot_be_looked_into(folder, monkeypatch):
    (folder / "closed").mkdir()
    scandir = os.scandir

    def refusing(path):
        if os.fspath(path).endswith("closed"):
            raise PermissionError(13, "Permission denied", os.fspath(path))
        return scandir(path)

    # Not by its permissions: who runs the tests in a container may do anything.
    monkeypatch.setattr(os, "scandir", refusing)
    assert "closed is a folder that cannot be looked into" in left_out(folder)


def test_bytes_behind_an_array_are_more_than_its_header_says(folder):
    np.save(folder / "two.npy", PIXELS)
    with (folder / "two.npy").open("ab") as file:
        np.save(file, PIXELS)
    assert "two.npy has 8100 bytes, and its header promises 4050" in left_out(folder)


@pytest.mark.parametrize("pack", [True, False])
def test_a_file_that_cannot_be_decoded_and_whose_name_commands_a_terminal(folder, pack):
    name = folder / "red\x1b[31m\nline.png"
    Image.fromarray(PIXELS).save(name)
    data = bytearray(name.read_bytes())
    at = data.index(b"IDAT") + 40
    data[at : at + 20] = bytes(20)
    name.write_bytes(data)

    with pytest.raises(ReadError) as error:
        ingest(folder, folder.parent / "none.zarr", pack=pack)
    assert str(error.value).isprintable()
    done = ingest(folder, folder.parent / "a.zarr", on_error="skip", pack=pack)
    (skipped,) = done.skipped
    assert r"red\x1b[31m\nline.png" in skipped.path
    assert r"red\x1b[31m\nline.png" in skipped.reason
    assert (skipped.path + skipped.reason).isprintable()
