"""Carrying out a workflow on one image, without a cluster: what is stored, and what becomes of a bad one."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import bigimg
from bigimg.errors import ImageError, ReadError
from bigimg.io.inputs import open_inputs
from bigimg.io.scan import Skipped
from bigimg.run.execute import Work, _failed, batches, item_result
from bigimg.run.run import _stacked, _sweep_skipped
from bigimg.run.workflow import Workflow
from bigimg.testing import random_image

NUCLEI = Workflow.load("nuclei")


@pytest.fixture
def sources(tmp_path):
    (tmp_path / "in").mkdir()
    for number, name in enumerate("abc"):
        Image.fromarray(random_image((130 + number, 100), "uint8", number)).save(tmp_path / "in" / f"{name}.png")
    return open_inputs(tmp_path / "in").sources


def work(tmp_path: Path, flow: Workflow = NUCLEI, tile: int = 64) -> Work:
    return Work(flow, tmp_path / "out.building", tmp_path / "out", tile)


def stored(folder: Path) -> np.ndarray:
    return bigimg.open(folder)[folder.name].values


@pytest.mark.parametrize("tile", [1000, 64, 37])
def test_labels_are_stored_as_they_are_computed(tmp_path, sources, tile):
    here = work(tmp_path, tile=tile)
    result = item_result(here, "a", sources["a"]).compute(scheduler="sync")
    labels = stored(here.folder / "images" / "a" / "labels" / "nuclei")
    assert result.pixels == labels.size
    assert len(result.tables["measured"]) == labels.max()
    histogram, value = result.thresholds["threshold"]
    assert histogram.counts.sum() == labels.size
    assert np.isfinite(value)


def test_a_task_may_run_twice(tmp_path, sources):
    here = work(tmp_path)
    result = item_result(here, "a", sources["a"])
    result.compute(scheduler="sync")
    first = stored(here.folder / "images" / "a" / "labels" / "nuclei")
    result.compute(scheduler="sync")
    np.testing.assert_array_equal(stored(here.folder / "images" / "a" / "labels" / "nuclei"), first)


def test_masks_are_stored_as_zeros_and_ones(tmp_path, sources):
    flow = Workflow.parse("name: w\nsteps:\n- {op: threshold.fixed, value: 100}\n")
    here = work(tmp_path, flow)
    item_result(here, "b", sources["b"]).compute(scheduler="sync")
    mask = stored(here.folder / "images" / "b" / "steps" / "fixed")
    assert mask.dtype == np.uint8
    np.testing.assert_array_equal(mask, sources["b"][:, :] > 100)


def test_batches_are_bounded_and_hold_every_image(sources):
    together = list(batches(sources, 64))
    assert [list(batch) for batch in together] == [["a", "b", "c"]]
    assert [list(batch) for batch in batches(sources, 64, most=12)] == [["a", "b"], ["c"]]
    assert [list(batch) for batch in batches(sources, 8, most=1)] == [["a"], ["b"], ["c"]], "one image at least"
    assert list(batches({}, 64)) == []


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("image 'a' is gone", "image 'a' is gone"),
        ("a holds NaN in 3 pixels", "a holds NaN in 3 pixels"),
        ("a: step 'label': no", "a: step 'label': no"),
        ("a channel is missing", "a channel is missing"),  # it may be the name
        ("channels are missing", "image 'a': channels are missing"),
    ],
)
def test_every_error_names_its_image(tmp_path, sources, said, shown):
    skipped = _failed(work(tmp_path), "a", sources["a"], ImageError(said))
    assert skipped == Skipped("a", str(tmp_path / "in" / "a.png"), shown)
    failing = Workflow.of("w", NUCLEI.steps, on_error="fail")
    with pytest.raises(ReadError, match="on_error: skip"):
        _failed(work(tmp_path, failing), "a", sources["a"], ReadError(said))


def test_nothing_is_left_of_what_is_skipped(tmp_path, sources):
    here = work(tmp_path)
    for name in "ab":
        item_result(here, name, sources[name]).compute(scheduler="sync")
    _failed(here, "a", sources["a"], ImageError("bad"))
    assert [path.name for path in (here.folder / "images").iterdir()] == ["b"]
    late = here.folder / "images" / "a" / "labels" / "nuclei" / "0" / "c" / "0" / "0"
    late.parent.mkdir(parents=True)
    late.touch()
    _sweep_skipped(here.folder, ("b",))
    assert [path.name for path in (here.folder / "images").iterdir()] == ["b"]


def test_tables_of_all_images_are_one(tmp_path, sources):
    here = work(tmp_path)
    tables = {
        name: item_result(here, name, sources[name]).compute(scheduler="sync").tables["measured"] for name in "ab"
    }
    table = _stacked(tables)
    assert next(iter(table)) == "item"
    assert len(table) == sum(map(len, tables.values()))
    assert table.index.tolist() == list(range(len(table)))
    empty = tables["a"].iloc[:0]
    assert len(_stacked({"a": empty, "b": tables["b"]})) == len(tables["b"])
    assert list(_stacked({"a": empty, "b": empty})) == ["item", *empty]
    assert dict(_stacked({"a": 1.5, "b": 2.5})).keys() == {"item", "value"}
