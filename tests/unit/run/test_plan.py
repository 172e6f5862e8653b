"""The plan: numbers that agree with what runs, nothing made before, and a refusal that names what would fit."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from typing import Any

import dask
import numpy as np
import pytest
from dask.highlevelgraph import MaterializedLayer
from PIL import Image

from bigimg.errors import ImageError, OutputError, OutputExistsError, ParameterError, PlanError
from bigimg.io.inputs import Inputs
from bigimg.run import plan as planning
from bigimg.run.evaluate import evaluate, lazy_image
from bigimg.run.execute import Work, item_result
from bigimg.run.plan import Budget, Plan, budget, human, plan, plan_inputs
from bigimg.run.workflow import Workflow
from bigimg.testing import random_image

GIB = 2**30
UINT8 = np.dtype("uint8")
READ: list[int] = []
"""Bytes of each box that was read."""


@dataclass(frozen=True)
class Counting:
    """An image that counts what is read of it, or refuses to be read."""

    name: str
    shape: tuple[int, ...]
    dtype: Any = UINT8
    dims: tuple[str, ...] = ("y", "x")
    chunks: tuple[int, ...] = (64, 64)
    attrs: dict = field(default_factory=dict)
    readable: bool = False

    @property
    def ndim(self) -> int:
        return len(self.shape)

    def __getitem__(self, box):
        assert self.readable, "a plan reads no pixel"
        READ.append(prod(side.stop - side.start for side in box) * self.dtype.itemsize)
        return random_image(self.shape, self.dtype)[box]

    def __dask_tokenize__(self):
        return self.name, self.shape

    def fingerprint(self) -> str:
        return self.name


def inputs(*sources: Counting) -> Inputs:
    return Inputs({source.name: source for source in sources}, ())


NUCLEI = Workflow.load("nuclei")
BUDGET = Budget(workers=2, threads=1, memory=4 * GIB)


def steps(text: str) -> Workflow:
    return Workflow.parse("name: w\nsteps:\n" + text)


def layers(collections: list[Any]) -> list[Any]:
    return [layer for each in collections for layer in each.__dask_graph__().layers.values()]


@pytest.mark.parametrize("tile", [64, 100, 128, 500])
@pytest.mark.parametrize("dims", ["yx", "cyx"])
def test_the_plan_says_what_is_read_and_how_many_tasks_there_are(tile, dims, tmp_path):
    shape = (3, 150, 210) if dims == "cyx" else (150, 210)
    image = Counting("a", shape, dims=tuple(dims), chunks=(64,) * len(dims), readable=True)
    made = plan_inputs(NUCLEI, inputs(image), BUDGET, tile)
    assert made.tile == tile
    READ.clear()
    result = item_result(Work(NUCLEI, tmp_path / "building", tmp_path / "out", tile), "a", image)
    graph = dict(result.__dask_graph__())
    found = Counter(dask.utils.key_split(key) for key in graph)
    planned: Counter[str] = Counter()
    for stage in made.stages:
        planned[stage.name] += stage.tiles
    assert {name: found[name] for name in planned} == planned
    bookkeeping = {"item", "pyramid", "write.merge", "written", "value"}
    assert made.tasks == sum(count for name, count in found.items() if name not in bookkeeping)
    result.compute(scheduler="sync")
    assert sum(READ) == made.bytes_read


def test_a_chain_of_any_length_is_a_task_a_tile():
    flow = steps(
        "- {op: filters.gaussian, sigma: 2}\n- {op: threshold.sauvola, window_size: 51}\n"
        "- {op: morphology.opening, footprint: {disk: 3}}\n- {op: morphology.closing, footprint: {disk: 3}}\n"
        "- {op: morphology.remove_small_objects, min_size: 64}\n- {op: measure.label}\n"
    )
    made = plan_inputs(flow, inputs(Counting("a", (8192, 8192), np.dtype("uint16"), chunks=(512, 512))), BUDGET, 2048)
    assert made.tiles == 16
    assert sum(stage.tiles for stage in made.stages if stage.name != "write") <= 3 * made.tiles


def test_a_plan_is_printed_as_a_table():
    made = plan_inputs(NUCLEI, inputs(Counting("a", (300, 200)), Counting("b", (300, 200))), BUDGET)
    said = str(made)
    assert said.startswith("nuclei: 2 images, tiles of 2048 pixels, 2 workers\nstage")
    assert "gaussian(sigma=1.0" in said
    assert "4 GiB allowed" in said
    assert "DOES NOT FIT" not in said
    assert f"{made.tasks:,} tasks; reads {human(made.bytes_read)}" in said


def test_many_equal_images_are_planned_once(monkeypatch):
    calls = []
    monkeypatch.setattr(planning, "evaluate", lambda *args: calls.append(args) or evaluate(*args))
    many = [Counting(f"a{number}", (300, 200)) for number in range(10_000)]
    made = plan_inputs(NUCLEI, inputs(*many, Counting("other", (300, 201))), BUDGET, 128)
    assert len(calls) == 2
    one = plan_inputs(NUCLEI, inputs(many[0]), BUDGET, 128)
    other = plan_inputs(NUCLEI, inputs(Counting("other", (300, 201))), BUDGET, 128)
    assert made.tasks == 10_000 * one.tasks + other.tasks
    assert made.bytes_read == 10_000 * one.bytes_read + other.bytes_read
    assert made.bytes_written == 10_000 * one.bytes_written + other.bytes_written
    assert made.bytes_per_worker == max(one.bytes_per_worker, other.bytes_per_worker)


def test_no_task_is_made_for_150_000_tiles(monkeypatch):
    seen = []
    real = planning.stages
    monkeypatch.setattr(planning, "stages", lambda found: seen.extend(found) or real(found))
    made = plan_inputs(NUCLEI, inputs(Counting("huge", (200_000, 200_000), chunks=(512, 512))), BUDGET, 512)
    assert made.tiles == 391**2 > 150_000
    assert made.tasks > 5 * made.tiles
    small = [layer for layer in layers(seen) if isinstance(layer, MaterializedLayer)]
    tiled = [layer for layer in layers(seen) if not isinstance(layer, MaterializedLayer)]
    assert tiled
    assert not any(layer.is_materialized() for layer in tiled)
    assert sum(map(len, small)) < 100


def test_what_does_not_fit_is_refused_and_what_would_is_named():
    image = inputs(Counting("huge", (20_000, 20_000), np.dtype("uint16"), chunks=(512, 512)))
    tight = Budget(workers=1, threads=1, memory=3 * GIB // 4)
    made = plan_inputs(NUCLEI, image, tight, 8192)
    assert not made.fits
    assert made.fitting_tile in planning.TILES
    with pytest.raises(PlanError, match=f"tiles of 8192 pixels need .* give --tile {made.fitting_tile}"):
        made.check()
    assert "DOES NOT FIT" in str(made)
    smaller = plan_inputs(NUCLEI, image, tight, made.fitting_tile)
    assert smaller.fits
    smaller.check()
    larger = [size for size in planning.TILES if made.fitting_tile < size < 8192]
    assert not any(plan_inputs(NUCLEI, image, tight, size).fits for size in larger)
    assert plan_inputs(NUCLEI, image, tight).tile == made.fitting_tile, "unasked, the largest that fits is taken"


def test_where_nothing_fits_that_is_said():
    hopeless = Budget(workers=1, threads=4, memory=GIB // 4)
    made = plan_inputs(NUCLEI, inputs(Counting("a", (20_000, 20_000))), hopeless)
    assert made.tile == planning.TILES[-1]
    with pytest.raises(PlanError, match="no smaller tile fits either"):
        made.check()


def test_20_000_pixels_fit_two_gibibytes():
    for dtype, dims, shape in (("uint16", "yx", (20_000, 20_000)), ("uint8", "cyx", (3, 20_000, 20_000))):
        image = Counting("a", shape, np.dtype(dtype), tuple(dims), (512,) * len(dims))
        plan_inputs(NUCLEI, inputs(image), Budget(1, 1, 2 * GIB)).check()


def test_the_tile_of_the_workflow_and_of_the_caller():
    flow = Workflow.of("w", NUCLEI.steps, tile=256)
    image = inputs(Counting("a", (300, 200)))
    assert plan_inputs(flow, image, BUDGET).tile == 256
    assert plan_inputs(flow, image, BUDGET, 100).tile == 100
    with pytest.raises(ParameterError, match="tile must be at least 1"):
        plan_inputs(flow, image, BUDGET, 0)


def test_what_the_workflow_does_not_take_is_left_out_or_refused():
    good, stack = Counting("a", (300, 200)), Counting("film", (300, 200), np.dtype("complex64"))
    with pytest.raises(ImageError, match="film: step '"):
        plan_inputs(Workflow.of("w", NUCLEI.steps, on_error="fail"), inputs(good, stack), BUDGET)
    made = plan_inputs(NUCLEI, inputs(stack, good, stack), BUDGET)
    assert (made.items, made.skipped) == (1, 1)
    assert made.tasks == plan_inputs(NUCLEI, inputs(good), BUDGET).tasks
    with pytest.raises(ImageError, match="film"):
        plan_inputs(NUCLEI, inputs(stack), BUDGET)


def test_plan_of_a_folder(tmp_path):
    (tmp_path / "in").mkdir()
    Image.fromarray(np.zeros((40, 50), "uint8")).save(tmp_path / "in" / "a.png")
    made = plan("nuclei", tmp_path / "in", tmp_path / "out", workers=3, memory="2 GiB")
    assert isinstance(made, Plan)
    assert (made.items, made.workers, made.memory) == (1, 3, 2 * GIB)
    assert [path.name for path in tmp_path.iterdir()] == ["in"]
    with pytest.raises(OutputExistsError):
        plan("nuclei", tmp_path / "in", tmp_path / "in" / "a.png")
    with pytest.raises(PlanError):
        plan("nuclei", tmp_path / "in", tmp_path / "out", memory="100 MiB").check()


def test_the_budget():
    assert budget("local", 2, GIB) == Budget(2, 1, GIB)
    assert budget("local", None, None).workers >= 1
    for wrong in (0, -1):
        with pytest.raises(ParameterError, match="workers must be a whole number of at least 1"):
            budget("local", wrong, None)
    with pytest.raises(ParameterError, match="memory"):
        budget("local", 1, "much")


def test_human():
    assert [human(size) for size in (0, 1023, 1024, 5 * GIB, 2**50)] == [
        "0 B",
        "1023 B",
        "1 KiB",
        "5 GiB",
        "1.02e+03 TiB",
    ]


def test_a_lazy_image_has_tiles_of_the_plan():
    image = lazy_image(Counting("a", (300, 200)), 100)
    assert image.chunks == ((64, 64, 64, 64, 44), (64, 64, 64, 8))
    assert (image.name, image.dims) == ("a", ("y", "x"))


def test_paths_are_taken_as_text_too(tmp_path: Path):
    Image.fromarray(np.zeros((40, 50), "uint8")).save(tmp_path / "a.png")
    assert plan("nuclei", str(tmp_path / "a.png"), str(tmp_path / "out")).items == 1


def test_an_output_that_cannot_be_made_is_refused_before_the_run(tmp_path):
    np.save(tmp_path / "a.npy", np.zeros((20, 20), "uint8"))
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be written"):
        plan("nuclei", tmp_path / "a.npy", tmp_path / "file" / "out")
    assert not (tmp_path / "deep").exists()
    plan("nuclei", tmp_path / "a.npy", tmp_path / "deep" / "out")
    assert not (tmp_path / "deep").exists()


@pytest.mark.parametrize("workers", [0, -1, 1.5, "two"])
def test_workers_are_a_whole_number(tmp_path, workers):
    np.save(tmp_path / "a.npy", np.zeros((20, 20), "uint8"))
    with pytest.raises(ParameterError, match=r"workers must be .*at least 1"):
        plan("nuclei", tmp_path / "a.npy", tmp_path / "out", workers=workers)
