from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bigimg.errors import MissingInputError, ParameterError, ReadError
from bigimg.io import open_sources, scan
from bigimg.io.names import check_id, inside, item_ids

PIXELS = np.arange(12 * 9, dtype=np.uint8).reshape(12, 9)


def _image(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(PIXELS).save(path)
    return path


def test_folder_is_read_with_its_folders_in_natural_order(tmp_path):
    for name in ("cell10.png", "cell2.png", "day1/cell1.png", "cell1.png"):
        _image(tmp_path / name)
    assert [path.relative_to(tmp_path).as_posix() for path in scan(tmp_path)] == [
        "cell1.png",
        "cell2.png",
        "cell10.png",
        "day1/cell1.png",
    ]
    sources, skipped = open_sources(tmp_path)
    assert [source.name for source in sources] == ["cell1", "cell2", "cell10", "day1__cell1"]
    assert not skipped


def test_pattern_and_single_file(tmp_path, monkeypatch):
    for name in ("a.png", "b.bmp", "deep/c.png"):
        _image(tmp_path / name)
    assert [source.name for source in open_sources(tmp_path / "*.png")[0]] == ["a"]
    assert [source.name for source in open_sources(tmp_path / "**" / "*.png")[0]] == ["a", "deep__c"]
    assert [source.name for source in open_sources(tmp_path / "b.bmp")[0]] == ["b"]
    monkeypatch.chdir(tmp_path)
    assert [source.name for source in open_sources("*.png")[0]] == ["a"]


def test_what_file_managers_write_is_ignored(tmp_path):
    _image(tmp_path / "a.png")
    for name in (".DS_Store", "._a.png", "Thumbs.db", "desktop.ini", ".hidden/b.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"not an image")
    assert [path.name for path in scan(tmp_path)] == ["a.png"]


@pytest.mark.parametrize("name", ["README.txt", "broken.png", "measurements.csv"])
def test_text_among_images_is_an_error_that_names_it(tmp_path, name):
    _image(tmp_path / "a.png")
    (tmp_path / name).write_text("hello, I am a text")
    with pytest.raises(ReadError, match=name):
        open_sources(tmp_path)
    sources, skipped = open_sources(tmp_path, on_error="skip")
    assert [source.name for source in sources] == ["a"]
    assert [each.name for each in skipped] == [name.removesuffix(".png")]
    assert skipped[0].path == str(tmp_path / name)
    assert name in skipped[0].reason


def test_error_says_how_many_more_there_are(tmp_path):
    _image(tmp_path / "z.png")
    for i in range(3):
        (tmp_path / f"note{i}.txt").write_text("x")
    with pytest.raises(ReadError, match=r"note0\.txt.*2 more cannot be read either: note1\.txt, note2\.txt.*skip"):
        open_sources(tmp_path)


def test_nothing_to_read(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(MissingInputError, match="holds no file"):
        open_sources(tmp_path / "empty")
    with pytest.raises(MissingInputError, match="there is no file or folder"):
        open_sources(tmp_path / "nowhere")
    with pytest.raises(MissingInputError, match="holds no file"):
        open_sources(tmp_path / "*.png")
    (tmp_path / "empty" / "a.txt").write_text("x")
    with pytest.raises(MissingInputError, match=r"no image in .* left out"):
        open_sources(tmp_path / "empty", on_error="skip")
    with pytest.raises(ParameterError, match="on_error"):
        open_sources(tmp_path, on_error="ignore")


def test_empty_file_and_wrong_kind_of_content(tmp_path):
    (tmp_path / "a.png").touch()
    with pytest.raises(ReadError, match=r"a\.png is empty: it has 0 bytes"):
        open_sources(tmp_path)
    # A JPEG called .png is an image all the same.
    Image.fromarray(PIXELS).save(tmp_path / "a.jpg")
    (tmp_path / "a.jpg").rename(tmp_path / "a.png")
    assert open_sources(tmp_path)[0][0].shape == PIXELS.shape


def test_link_that_leaves_the_folder_is_refused(tmp_path):
    secret = _image(tmp_path / "elsewhere" / "secret.png")
    folder = tmp_path / "images"
    _image(folder / "a.png")
    (folder / "b.png").symlink_to(secret)
    with pytest.raises(ReadError, match=r"b\.png is a link that leaves"):
        open_sources(folder)
    (folder / "b.png").unlink()
    (folder / "linked").symlink_to(secret.parent)
    with pytest.raises(ReadError, match="linked is a link that leaves"):
        open_sources(folder)
    (folder / "linked").unlink()
    # A link within the folder is only another name; one that the user names is followed.
    (folder / "again.png").symlink_to(folder / "a.png")
    assert len(open_sources(folder)[0]) == 2
    (tmp_path / "named.png").symlink_to(secret)
    assert open_sources(tmp_path / "named.png")[0][0].shape == PIXELS.shape


def test_zarr_store_among_images_is_named(tmp_path):
    _image(tmp_path / "a.png")
    (tmp_path / "old.zarr").mkdir()
    (tmp_path / "old.zarr" / "zarr.json").write_text("{}")
    with pytest.raises(ReadError, match=r"old\.zarr is a Zarr store"):
        open_sources(tmp_path)


def test_two_files_of_one_id_are_distinguished(tmp_path):
    for name in ("a.png", "a.bmp", "A B.png", "a_b.png", "b/c.png", "b__c.png"):
        _image(tmp_path / name)
    names = [source.name for source in open_sources(tmp_path)[0]]
    assert len({name.casefold() for name in names}) == 6


@pytest.mark.parametrize(
    "path",
    ["../../etc/a.png", "..png", ".png", "ä/ö.png", "细.png", "zarr.json.png", 200 * "a" + ".png", "-rf.png", "a\nb"],
)  # fmt: skip
def test_nasty_names_become_safe_ids(path):
    (name,) = item_ids([path])
    assert check_id(name) == name


def test_ids_do_not_depend_on_the_order():
    paths = ["a.png", "a.tif", "b.png"]
    assert dict(zip(paths, item_ids(paths))) == dict(zip(paths[::-1], item_ids(paths[::-1])))


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a..b", "/etc", "a b", "zarr.json", "x" * 129])
def test_unsafe_ids_are_refused(name):
    with pytest.raises(ReadError):
        check_id(name)


def test_paths_in_a_store_stay_inside(tmp_path):
    root = tmp_path / "store"
    root.mkdir()
    (root / "link").symlink_to(tmp_path)
    assert inside(root, "images/a") == root / "images" / "a"
    for relative in ("../x", "images/../../x", "/etc/passwd", "link/x"):
        with pytest.raises(ReadError, match="outside"):
            inside(root, relative)
