"""Bad input: one clear sentence that names the item, an exit code that is not 0, and nothing that looks complete."""

import io
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image
from skimage import data

import bigimg
from bigimg import cli
from bigimg.errors import BigimgError, MissingInputError, ParameterError, ReadError, RunError
from bigimg.run.run import run

pytestmark = pytest.mark.cluster

COINS = data.coins()


def png(image: np.ndarray) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(image).save(stream, "png")
    return stream.getvalue()


def tiff(image: np.ndarray, **options: Any) -> bytes:
    stream = io.BytesIO()
    tifffile.imwrite(stream, image, **options)
    return stream.getvalue()


def npy(image: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.save(stream, image)
    return stream.getvalue()


def spoiled(found: bytes) -> bytes:
    """Overwrite the middle; the header and the end are whole."""
    middle = len(found) // 2
    return found[:middle] + bytes(60) + found[middle + 60 :]


def with_nan(dtype: str) -> np.ndarray:
    image = COINS[:50, :60].astype(dtype)
    image[20, 30] = np.nan
    return image


SPOILED = {
    "text.txt": (b"these are words, no pixels\n" * 9, "is not an image"),
    "text.png": (b"these are words, no pixels\n" * 9, "is not the PNG image its name promises"),
    "empty.png": (b"", "is empty"),
    "short.png": (png(COINS)[:20000], "cut short"),
    "short.tif": (tiff(COINS)[:20000], "cut short"),
    "zipped.tif": (tiff(COINS, compression="zlib")[:20000], "cut short"),
    "middle.png": (spoiled(png(COINS)), "image 'middle' cannot be decoded"),
    "middle.tif": (spoiled(tiff(COINS, compression="zlib")), "image 'middle' cannot be decoded"),
    "nan.npy": (npy(with_nan("float64")), "nan holds NaN in 1 pixel"),
    "nan.tif": (tiff(with_nan("float32")), "nan holds NaN in 1 pixel"),
    "zero.npy": (npy(np.zeros((0, 7))), "has no pixels"),
    "complex.npy": (npy(np.zeros((5, 7), complex)), "complex128"),
    "line.npy": (npy(np.zeros(7)), "line"),
    "object.npy": (npy(np.zeros((5, 7), "datetime64[s]")), "object"),
}


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def call(capsys) -> Callable[..., tuple[int, str]]:
    """Run the command line in this process; nobody sees a traceback."""

    def run(*args: object) -> tuple[int, str]:
        with pytest.raises(SystemExit) as left:
            cli.main(["--debug", *map(str, args)] if args[0] == "debug" else [str(arg) for arg in args])
        said = capsys.readouterr()
        assert "Traceback" not in said.out + said.err
        return int(left.value.code or 0), said.err

    return run


@pytest.mark.parametrize("name", SPOILED)
def test_one_bad_file_ends_a_run_that_says_fail(name, small, shared, tmp_path, call):
    content, words = SPOILED[name]
    (small / name).write_bytes(content)
    code, said = call("run", "nuclei", small, tmp_path / "out", "--on-error", "fail")
    assert code == 1
    assert said.startswith("error: ")
    assert said.count("\n") == 1
    assert words in said
    assert name.partition(".")[0] in said
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", SPOILED)
def test_one_bad_file_is_left_out_and_listed_where_the_workflow_says_skip(name, small, shared, tmp_path):
    content, words = SPOILED[name]
    (small / name).write_bytes(content)
    done = bigimg.run("nuclei", small, tmp_path / "out")
    assert done.items == 2
    (skipped,) = done.skipped
    assert words in skipped.reason
    assert Path(skipped.path) == small / name
    assert words in done.summary()
    record = json.loads((tmp_path / "out" / "run.json").read_text())
    assert [each["path"] for each in record["skipped"]] == [str(small / name)]
    assert len(record["items"]) == 2
    page = (tmp_path / "out" / "report.html").read_text()
    assert skipped.name in page
    assert names_in(tmp_path / "out" / "images") == ["good0", "good1", "zarr.json"]
    assert list(bigimg.open(tmp_path / "out")) == ["good0", "good1"]


@pytest.mark.parametrize("name", ["middle.png", "nan.npy", "text.png"])
def test_nothing_but_bad_images_is_an_error_even_under_skip(name, shared, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / name).write_bytes(SPOILED[name][0])
    with pytest.raises(BigimgError, match=SPOILED[name][1]):
        bigimg.run("nuclei", tmp_path / "in", tmp_path / "out", on_error="skip")
    assert names_in(tmp_path) == ["in"]


def test_one_bad_image_of_a_hundred(shared, tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    for number in range(99):
        Image.fromarray(COINS[number : number + 24, number : number + 30]).save(folder / f"a{number}.png")
    (folder / "bad.png").write_bytes(spoiled(png(COINS)))
    with pytest.raises(ReadError, match=r"image 'bad' cannot be decoded.*on_error: skip"):
        bigimg.run("nuclei", folder, tmp_path / "failed", on_error="fail")
    assert not (tmp_path / "failed").exists()
    done = bigimg.run("nuclei", folder, tmp_path / "out", on_error="skip")
    assert done.items == 99
    assert [each.name for each in done.skipped] == ["bad"]
    assert "bad" not in bigimg.open(tmp_path / "out")
    assert "cannot be decoded" in (tmp_path / "out" / "report.html").read_text()


@pytest.mark.parametrize("change", ["delete", "replace"])
@pytest.mark.parametrize("on_error", ["fail", "skip"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_an_image_that_changes_under_a_run(change, on_error, when, small, shared, tmp_path, monkeypatch):
    """Before its first task, and after its last."""
    module = sys.modules["bigimg.run.run"]
    real = module.execute

    def spoil() -> None:
        (small / "good1.png").unlink()
        if change == "replace":
            Image.fromarray(COINS[:99, :99]).save(small / "good1.png")

    def execute(*args: Any) -> Iterator[Any]:
        if when == "before":
            spoil()
        yield from real(*args)
        if when == "after":
            spoil()

    monkeypatch.setattr(module, "execute", execute)
    if on_error == "fail":
        with pytest.raises(
            (MissingInputError, ReadError), match=r"image 'good1' (is gone|has changed).*on_error: skip"
        ):
            run("nuclei", small, tmp_path / "out", on_error="fail")
        assert not (tmp_path / "out").exists()
    else:
        done = run("nuclei", small, tmp_path / "out", on_error="skip")
        assert [each.name for each in done.skipped] == ["good1"]
        assert list(bigimg.open(tmp_path / "out")) == ["good0"]
        assert set(bigimg.open(tmp_path / "out").read_table("objects")["item"]) == {"good0"}
        assert names_in(tmp_path / "out" / "images") == ["good0", "zarr.json"]


def test_skipped_images_are_listed_in_the_order_of_the_input(small, shared, tmp_path):
    for number in range(12):
        (small / f"bad{number}.png").write_bytes(SPOILED["middle.png"][0])
    done = run("nuclei", small, tmp_path / "out", on_error="skip")
    assert [each.name for each in done.skipped] == [f"bad{number}" for number in range(12)]


@pytest.mark.parametrize("verb", ["plan", "run"])
@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        (("nuclei", "{here}/nothing", "{here}/out"), 1, "there is no file or folder"),
        (("nuclei", "{here}/none/*.png", "{here}/out"), 1, "holds no file"),
        (("nuclei", "{here}/empty", "{here}/out"), 1, "holds no file"),
        (("nuclei", "{here}/in", "{here}/in"), 1, "in"),
        (("nuclei", "{here}/in", "{here}/file"), 1, "exists already"),
        (("nuclie", "{here}/in", "{here}/out"), 2, "did you mean 'nuclei'"),
        (("none.yaml", "{here}/in", "{here}/out"), 2, "none.yaml"),
        (("nuclei", "{here}/in", "{here}/out", "--cluster", "lokal"), 2, "did you mean 'local'"),
        (("nuclei", "{here}/in", "{here}/out", "--tile", "0"), 2, "tile"),
        (("nuclei", "{here}/in", "{here}/out", "--workers", "-1"), 2, "workers"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_starts(verb, args, code, words, small, tmp_path, call):
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("mine")
    before = names_in(tmp_path)
    got, said = call(verb, *(arg.format(here=tmp_path) for arg in args))
    assert got == code, said
    assert words in said
    assert names_in(tmp_path) == before
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name: w\nsteps:\n- op: filters.gausian\n  sigma: 1\n", "w.yaml:3:7: .*did you mean 'filters.gaussian'"),
        ("name: w\nsteps:\n- op: filters.gaussian\n  sigma: -1\n", "w.yaml:4:10: .*greater than 0"),
        ("name: w\nsteps:\n- op: filters.gaussian\n  sgima: 1\n", "w.yaml:4:3: .*did you mean 'sigma'"),
        ("name: w\nsteps:\n- op: filters.median\n  size: 4\n", "w.yaml:4:9: .*odd"),
        (
            "name: w\nsteps:\n- op: threshold.otsu\n- op: filters.gaussian\n  sigma: 1\n  from: otsi\n",
            "w.yaml:6:9: .*otsu",
        ),
        ("name: w\nsteps:\n- op: filters.gaussian\n  sigma: 1\n- op: measure.label\n", "takes a mask"),
        ("name: w\nsteps:\n- op: threshold.otsu\n- op: measure.regionprops_table\n", "takes labels"),
        ("name: w\nsteps:\n- op: learn.cluster\n", "takes a table"),
        ("name: w\nsteps: []\n", "at least one step"),
        ("name: w\nsteps:\n- op: morphology.opening\n  footprint: {disk: 1000000}\n", "at most"),
        ("a: &a [x, x]\nb: &b [*a, *a]\nname: w\n", "anchors and aliases"),
        ("name: w\nsteps: " + "[" * 100_000 + "\n", "nested deeper"),
        ("name: w\nsteps: !!python/object/apply:os.system [ls]\n", "tags"),
        ("", "empty"),
        ("\0", "w.yaml:1:1"),
        ("- a\n- b\n", "w.yaml:1:1"),
    ],
)
def test_a_workflow_that_cannot_be_is_refused_at_its_place(text, words, small, tmp_path, call):
    (tmp_path / "w.yaml").write_text(text)
    code, said = call("run", tmp_path / "w.yaml", small, tmp_path / "out")
    assert code == 2, said
    assert re.search(words, said), said
    assert names_in(tmp_path) == ["in", "w.yaml"]


@pytest.mark.parametrize(
    ("given", "words"),
    [({"tile": 0}, "tile"), ({"tile": -5}, "tile"), ({"workers": 0}, "workers"), ({"on_error": "ignore"}, "on_error")],
)
def test_parameters_are_checked_from_python_too(given, words, small, tmp_path):
    with pytest.raises(ParameterError, match=words):
        bigimg.run("nuclei", small, tmp_path / "out", **given)
    assert names_in(tmp_path) == ["in"]


def test_an_output_within_its_input_is_refused(small, tmp_path):
    with pytest.raises(RunError, match="lies within the input"):
        bigimg.run("nuclei", small, small / "out")
    with pytest.raises(RunError, match="lies within the input"):
        bigimg.run("nuclei", small, small / "deep" / ".." / "out")
    assert names_in(small) == ["good0.png", "good1.png"]


def test_an_output_below_a_file_is_refused(small, tmp_path, call):
    (tmp_path / "file").write_text("mine")
    code, said = call("run", "nuclei", small, tmp_path / "file" / "out")
    assert code == 1
    assert "cannot be written" in said
    assert names_in(tmp_path) == ["file", "in"]


ODD_BUT_GOOD = {
    "alpha.png": png(np.dstack([data.immunohistochemistry()[:50, :60], np.full((50, 60), 255, "uint8")])),
    "grey_alpha.png": png(np.dstack([COINS[:50, :60], np.full((50, 60), 255, "uint8")])),
    "deep.png": png(COINS[:80, :90].astype("uint16") * 257),
    "real.tif": tiff(COINS[:80, :90].astype("float32") / 255),
    "double.npy": npy(COINS[:80, :90] / 255),
    "mask.png": png(COINS[:80, :90] > 128),
    "mask.npy": npy(COINS[:80, :90] > 128),
    "signed.npy": npy(COINS[:80, :90].astype("int16") - 100),
    "long.npy": npy(COINS[:80, :90].astype("uint64") * 2**50),
    "big_endian.npy": npy(COINS[:80, :90].astype(">u2")),
    "fortran.npy": npy(np.asfortranarray(COINS[:80, :90])),
    "pixel.png": png(COINS[:1, :1]),
    "row.png": png(COINS[100:101]),
    "column.png": png(COINS[:, 100:101]),
    "black.png": png(np.zeros((30, 30), "uint8")),
    "white.png": png(np.full((30, 30), 255, "uint8")),
}


def test_images_of_every_kind_are_taken(shared, tmp_path):
    (tmp_path / "in").mkdir()
    for name, content in ODD_BUT_GOOD.items():
        (tmp_path / "in" / name).write_bytes(content)
    done = bigimg.run("nuclei", tmp_path / "in", tmp_path / "out", on_error="fail")
    assert done.items == len(ODD_BUT_GOOD)
    found = done.collection
    for name, labels in found.labels("nuclei").items():
        assert labels.shape == found[name].shape[-2:]
    done = bigimg.run("odd_ones_out", tmp_path / "in", tmp_path / "odd", on_error="fail")
    assert done.rows == {"images": len(ODD_BUT_GOOD)}


@pytest.mark.parametrize(
    "metadata", [{"imagej": True, "metadata": {"axes": "TYX"}}, {"ome": True, "metadata": {"axes": "ZYX"}}]
)
def test_a_stack_is_worked_on_plane_by_plane(metadata, shared, tmp_path):
    (tmp_path / "in").mkdir()
    stack = np.stack([COINS[:80, :90], COINS[20:100, :90], COINS[40:120, :90]])
    (tmp_path / "in" / "film.tif").write_bytes(tiff(stack, photometric="minisblack", **metadata))
    done = bigimg.run("nuclei", tmp_path / "in", tmp_path / "nuclei")
    axis = done.collection["film"].dims[0]
    table, labels = done.collection.read_table("objects"), done.collection.labels("nuclei")["film"].values
    assert table[axis].tolist() == [plane for plane in range(3) for _ in range(int(labels[plane].max()))]
    for plane in range(3):
        areas = table[table[axis] == plane]["area"]
        np.testing.assert_array_equal(areas, np.bincount(labels[plane].ravel())[1:])
    flow = bigimg.Workflow.parse("name: w\nsteps:\n- op: threshold.otsu\n- op: measure.label\n")
    done = bigimg.run(flow, tmp_path / "in", tmp_path / "out")
    labels = done.collection.labels("label")["film"]
    assert labels.dims == done.collection["film"].dims
    np.testing.assert_array_equal(labels.values, bigimg.measure.label(bigimg.threshold.otsu(stack)))


@pytest.mark.parametrize("name", ["text.png", "middle.png"])
def test_the_program_says_it_in_one_sentence(name, small, tmp_path):
    """One that is found before a cluster is started, and one in a task on a worker."""
    (small / name).write_bytes(SPOILED[name][0])
    args = [sys.executable, "-m", "bigimg", "run", "nuclei", small, tmp_path / "out", "--on-error", "fail"]
    done = subprocess.run(args, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert SPOILED[name][1] in done.stderr
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1, done.stderr
    assert names_in(tmp_path) == ["in"]


def test_a_plan_that_does_not_fit_is_shown_and_refused(small, tmp_path):
    args = ["plan", "nuclei", str(small), str(tmp_path / "out"), "--memory", "100 MiB"]
    done = subprocess.run([sys.executable, "-m", "bigimg", *args], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "DOES NOT FIT" in done.stdout
    assert done.stderr.startswith("error: tiles of ")
    assert names_in(tmp_path) == ["in"]
