"""From a folder of images to results, on a real cluster: what is left, and that nothing about the run shows in it."""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from skimage import measure

import bigimg
from bigimg.run.plan import plan
from bigimg.run.progress import finished_tasks

pytestmark = pytest.mark.cluster


@pytest.fixture(scope="module")
def results(images, tmp_path_factory) -> Path:
    """The folder, run by two workers of their own."""
    output = tmp_path_factory.mktemp("results") / "out"
    done = bigimg.run("nuclei", images, output, workers=2)
    assert (done.items, done.skipped, done.output) == (12, (), output)
    assert "12 images done" in done.summary()
    assert str(done.report) in done.summary()
    return output


def assert_same(output: Path, results: Path) -> None:
    """Every pixel of every label image, and every row of every table."""
    one, two = bigimg.open(output), bigimg.open(results)
    assert (list(one), one.label_names, one.table_names) == (list(two), two.label_names, two.table_names)
    for label in one.label_names:
        first, second = one.labels(label), two.labels(label)
        assert list(first) == list(second)
        for name in first:
            got, expected = first[name].values, second[name].values
            assert (got.dtype, got.shape, got.tobytes()) == (expected.dtype, expected.shape, expected.tobytes()), name
    for table in one.table_names:
        pd.testing.assert_frame_equal(one.read_table(table), two.read_table(table), check_exact=True)


def test_the_output_is_a_collection_of_references_labels_and_tables(images, results):
    found = bigimg.open(results)
    assert set(found) == {path.stem if path.parent == images else f"deep__{path.stem}" for path in images.rglob("*.*")}
    assert found.label_names == ("nuclei",)
    assert found.table_names == ("objects",)
    table = found.read_table("objects")
    assert {"item", "label", "area", "cluster", "anomaly_score"} <= set(table)
    for name, image in found.items():
        labels = found.labels("nuclei")[name].values
        assert labels.shape == image.shape[-2:]
        assert image.values.any() or name == "blank"
        rows = table[table["item"] == name]
        assert rows["label"].tolist() == list(range(1, int(labels.max()) + 1))
        # Each is one piece, and they are numbered as scikit-image numbers the pieces of the whole image.
        np.testing.assert_array_equal(labels, measure.label(labels), err_msg=name)
        np.testing.assert_array_equal(rows["area"], np.bincount(labels.ravel())[1:])
    assert table["cluster"].notna().all()
    assert np.isfinite(table["anomaly_score"]).all()


def test_the_record_says_what_was_done_to_what(images, results):
    record = json.loads((results / "run.json").read_text())
    assert record["workflow"] == "nuclei"
    assert {"bigimg", "dask", "numpy", "zarr"} <= set(record["versions"])
    assert record["steps"][1] == {
        "name": "smooth", "op": "filters.gaussian", "from": "stain", "parameters": record["steps"][1]["parameters"],
    }  # fmt: skip
    assert record["steps"][1]["parameters"]["sigma"] == 1.0
    assert len(record["items"]) == 12
    assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", item["digest"]) for item in record["items"])
    assert {Path(item["source"]).name for item in record["items"]} == {path.name for path in images.rglob("*.*")}
    assert record["skipped"] == []
    assert record["tables"] == {"objects": len(bigimg.open(results).read_table("objects"))}
    again = bigimg.Workflow.load(results / "workflow.yaml")
    assert again == bigimg.Workflow.load("nuclei")
    assert again.sha256 == record["workflow_sha256"]


def test_the_report_needs_nothing_beside_itself(results):
    page = (results / "report.html").read_text(encoding="utf-8")
    assert page.count("data:image/") >= 12
    fetched = re.findall(r"""(?:src|href|url)\s*[=(]\s*["']?([^"'\s>)]+)""", page)
    assert [link for link in fetched if not link.startswith(("data:", "#"))] == []
    assert "@import" not in page


@pytest.mark.parametrize("tile", [48, 128, 1000])
def test_the_tile_does_not_show_in_the_results(images, results, shared, tmp_path, tile):
    bigimg.run("nuclei", images, tmp_path / "out", tile=tile)
    assert_same(tmp_path / "out", results)


def test_the_number_of_workers_does_not_show_in_the_results(images, results, tmp_path):
    bigimg.run("nuclei", str(images), str(tmp_path / "out"), workers=1)
    assert_same(tmp_path / "out", results)


@pytest.mark.parametrize("pack", [False, True])
def test_a_collection_gives_what_its_folder_gives(images, results, shared, tmp_path, pack):
    bigimg.ingest(images, tmp_path / "in.zarr", pack=pack)
    bigimg.run("nuclei", tmp_path / "in.zarr", tmp_path / "out")
    assert_same(tmp_path / "out", results)
    found = bigimg.open(tmp_path / "out")
    assert all(str(found.item(name).reference).endswith("in.zarr") for name in found)


def test_a_collection_and_its_results_move_together(images, results, shared, tmp_path):
    (tmp_path / "here").mkdir()
    bigimg.ingest(images, tmp_path / "here" / "in.zarr")
    bigimg.run("nuclei", tmp_path / "here" / "in.zarr", tmp_path / "here" / "out")
    (tmp_path / "here").rename(tmp_path / "there")
    assert_same(tmp_path / "there" / "out", results)
    assert bigimg.open(tmp_path / "there" / "out")["coins0"].values.any()


def test_results_are_an_input(images, results, shared, tmp_path):
    bigimg.run("nuclei", results, tmp_path / "out")
    assert_same(tmp_path / "out", results)


def test_odd_ones_out(images, shared, tmp_path):
    for number, tile in enumerate((None, 64)):
        done = bigimg.run("odd_ones_out", f"{images}/**/*[0-9].png", tmp_path / f"out{number}", tile=tile)
        assert done.items == 8
        assert done.rows == {"images": 8}
    table = done.collection.read_table("images")
    assert table["item"].is_unique
    assert table["cluster"].notna().all()
    assert np.isfinite(table["anomaly_score"]).all()
    assert_same(tmp_path / "out0", tmp_path / "out1")
    page = (tmp_path / "out0" / "report.html").read_text(encoding="utf-8")
    assert page.count("data:image/") >= 8


def test_the_plan_counts_the_tasks_that_run(images, shared, tmp_path):
    planned = plan("nuclei", images, tmp_path / "out", tile=64)
    assert not list(tmp_path.iterdir()), "a plan writes nothing"
    before = shared.run_on_scheduler(finished_tasks)
    bigimg.run("nuclei", images, tmp_path / "out", tile=64)
    after = shared.run_on_scheduler(finished_tasks)
    ran = {name: count - before.get(name, (0, 0))[0] for name, (count, _) in after.items()}
    expected: dict[str, int] = {}
    for stage in planned.stages:
        expected[stage.name] = expected.get(stage.name, 0) + stage.tiles
    measured = {name: ran.get(name, 0) for name in expected}
    # Of a chunk thinner than the halo neighbours want all, and no frame.
    assert measured.pop("halo") <= expected.pop("halo")
    assert measured == expected


def test_values_are_kept_as_a_table(images, shared, tmp_path):
    flow = bigimg.Workflow.parse("name: w\nsteps:\n- op: color.to_gray\n- op: threshold.otsu_value\n")
    done = bigimg.run(flow, f"{images}/coins*.png", tmp_path / "out")
    table = done.collection.read_table("otsu_value")
    assert table["item"].tolist() == ["coins0", "coins1", "coins2", "coins3"]
    expected = [float(bigimg.threshold.otsu_value(image.values)) for image in done.collection.values()]
    assert table["value"].tolist() == expected


def test_kept_images_are_stored_as_images(images, shared, tmp_path):
    flow = bigimg.Workflow.parse(
        "name: w\nsteps:\n- {op: filters.gaussian, sigma: 1, keep: true}\n- {op: threshold.otsu, keep: true}\n"
    )
    bigimg.run(flow, f"{images}/coins*.png", tmp_path / "out", tile=50)
    found = bigimg.open(tmp_path / "out")
    for name, image in found.items():
        smooth = bigimg.open(tmp_path / "out" / "images" / name / "steps" / "gaussian")["gaussian"].values
        np.testing.assert_array_equal(smooth, bigimg.filters.gaussian(image.values, sigma=1))
        mask = bigimg.open(tmp_path / "out" / "images" / name / "steps" / "otsu")["otsu"].values
        np.testing.assert_array_equal(mask, bigimg.threshold.otsu(smooth))
