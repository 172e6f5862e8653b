"""The command line: verbs, exit codes, errors in one sentence; and that asking for help loads nothing heavy."""

import json
import logging
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import ClassVar

import pandas as pd
import pytest

import bigimg
from bigimg import cli
from bigimg.errors import OutputExistsError, ReadError
from bigimg.io.verify import Damage, Verified


@pytest.fixture(autouse=True)
def _level_of_asyncio_is_put_back():
    logger = logging.getLogger("asyncio")
    before = logger.level
    yield
    logger.setLevel(before)


def call(*args: object) -> int:
    with pytest.raises(SystemExit) as left:
        cli.main([str(arg) for arg in args])
    return int(left.value.code or 0)


@pytest.fixture
def replaced(monkeypatch):
    """Put a recording function in the place of one of the package's, and return what it was called with."""

    def replace(module: str, name: str, result):
        calls = []

        def stand_in(*args, **kwargs):
            calls.append((args, kwargs))
            if isinstance(result, BaseException):
                raise result
            return result

        monkeypatch.setitem(sys.modules, module, SimpleNamespace(**{name: stand_in}))
        return calls

    return replace


def test_help_lists_the_verbs(capsys):
    assert call("--help") == 0
    said = capsys.readouterr().out
    assert all(verb in said for verb in ("ingest", "info", "verify", "ops", "plan", "run", "report"))


def test_version(capsys):
    assert call("--version") == 0
    assert capsys.readouterr().out == f"bigimg {bigimg.__version__}\n"


def test_help_loads_nothing_heavy():
    heavy = (
        "numpy",
        "pandas",
        "dask",
        "distributed",
        "zarr",
        "xarray",
        "skimage",
        "sklearn",
        "numba",
        "cv2",
        "pydantic",
    )
    code = f"import sys; import bigimg.cli; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_the_module_is_the_command():
    done = subprocess.run([sys.executable, "-m", "bigimg", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"bigimg {bigimg.__version__}\n"


@pytest.mark.parametrize(
    "args",
    [
        ("nothing",),
        ("run", "nuclei"),
        ("run", "a", "b", "c", "--workers", "0"),
        ("ingest", "a", "b", "--on-error", "x"),
    ],
)
def test_wrong_usage_is_2(args, capsys):
    assert call(*args) == 2
    assert capsys.readouterr().err


def test_run_passes_everything_on(replaced, capsys):
    done = SimpleNamespace(summary=lambda: "3 images, 40 objects\nreport: out/report.html")
    calls = replaced("bigimg.run.run", "run", done)
    assert call("run", "nuclei", "in", "out", "--workers", 2, "--on-error", "skip", "--tile", 512) == 0
    ((args, kwargs),) = calls
    assert args == ("nuclei", "in", Path("out"))
    shown = {name: kwargs.pop(name) for name in ("announce", "progress")}
    assert kwargs == {"cluster": "local", "workers": 2, "on_error": "skip", "tile": 512, "nodata": None}
    shown["announce"]("dashboard: there")
    assert shown["progress"] is None, "nothing moves where the output is no terminal"
    assert capsys.readouterr().out == "3 images, 40 objects\nreport: out/report.html\ndashboard: there\n"


def test_plan_prints_before_it_refuses(replaced, capsys):
    class Plan:
        def __str__(self):
            return "1 stage"

        def check(self):
            raise MemoryError("does not fit")

    calls = replaced("bigimg.run.plan", "plan", Plan())
    assert call("plan", "nuclei", "in", "out", "--memory", "2GiB") == 1
    assert calls[0][1] == {"cluster": "local", "workers": None, "memory": "2GiB", "tile": None, "nodata": None}
    captured = capsys.readouterr()
    assert captured.out == "1 stage\n"
    assert "does not fit" in captured.err


def test_ingest_says_how_many(replaced, capsys):
    class Collection(dict):
        attrs: ClassVar = {"bigimg": {"skipped": [{"name": "c.png", "reason": "cut short"}]}}

    calls = replaced("bigimg.run.inputs", "ingest", Collection(a=1, b=2))
    assert call("ingest", "in", "out.zarr", "--pack", "--on-error", "skip") == 0
    options = {"on_error": "skip", "pack": True, "mode": "copy", "append": False, "nodata": None}
    options |= {"mosaic": None, "series": None, "pattern": None, "cluster": None, "workers": None}
    assert calls == [(("in", Path("out.zarr")), options)]
    assert capsys.readouterr().out == "skipped c.png: cut short\n2 images in out.zarr, 1 skipped\n"


def test_info_shows_the_table(replaced, capsys):
    class Collection(dict):
        table = pd.DataFrame({"id": [f"[bold]{number}" for number in range(60)]}).assign(
            shape="5x6", dtype="uint8", dims="yx", source="a.png", path="images/a", well="B03"
        )
        columns = ("well",)
        attrs: ClassVar = {"bigimg": {"skipped": [{"name": "c.png", "reason": "cut short"}]}}

        def overview(self):
            return ["labels: cells, nuclei"]

    replaced("bigimg.run.inputs", "open", Collection.fromkeys(range(60)))
    assert call("info", "a.zarr") == 0
    said = capsys.readouterr().out
    assert said.startswith("a.zarr: 60 images\nlabels: cells, nuclei\n")
    assert "[bold]49" in said
    assert "B03" in said
    assert "images/a" not in said
    assert "... and 10 more" in said
    assert said.endswith("skipped c.png: cut short\n")


@pytest.mark.parametrize(("repaired", "code"), [(True, 0), (False, 1)])
def test_verify_fails_while_there_is_damage(replaced, capsys, repaired, code):
    damage = Damage("cells", "a.zarr/images/cells/0/c/0/0", "the file is missing", repaired)
    calls = replaced("bigimg.run.inputs", "verify", Verified(Path("a.zarr"), 3, 12, (damage,)))
    assert call("verify", "a.zarr", "--repair") == code
    assert calls == [((Path("a.zarr"),), {"repair": True})]
    word = "repaired" if repaired else "damaged"
    assert capsys.readouterr().out == (
        f"{word}: cells: a.zarr/images/cells/0/c/0/0: the file is missing\n"
        f"a.zarr: 3 images, 12 chunks, 1 damaged, {0 if repaired else 1} left\n"
    )


def test_what_is_known_more_of_an_error_is_said(replaced, capsys):
    error = ReadError("cells.tif: truncated")
    error.add_note("7 images are copied")
    replaced("bigimg.run.inputs", "ingest", error)
    assert call("ingest", "in", "out") == 1
    assert capsys.readouterr().err == "error: cells.tif: truncated\n7 images are copied\n"


@pytest.mark.parametrize("error", [ReadError("cells.tif: truncated"), OutputExistsError("out: is there already")])
def test_an_error_is_one_sentence(replaced, capsys, error):
    replaced("bigimg.run.inputs", "ingest", error)
    assert call("ingest", "in", "out") == 1
    assert capsys.readouterr().err == f"error: {error}\n"


def test_a_bug_is_one_sentence_too_and_debug_shows_the_rest(replaced, capsys):
    replaced("bigimg.run.inputs", "ingest", ZeroDivisionError("by zero"))
    assert call("ingest", "in", "out") == 1
    said = capsys.readouterr().err
    assert said.startswith("error: ZeroDivisionError: by zero (bigimg --debug")
    assert "Traceback" not in said
    assert call("--debug", "ingest", "in", "out") == 1
    assert "Traceback" in capsys.readouterr().err


def test_an_interrupt_is_130(replaced, capsys):
    replaced("bigimg.run.inputs", "ingest", KeyboardInterrupt())
    assert call("ingest", "in", "out") == 130
    assert capsys.readouterr().err == "interrupted\n"


def test_ops_lists_describes_and_suggests(capsys):
    assert call("ops") == 0
    assert "filters.gaussian" in capsys.readouterr().out
    assert call("ops", "filters.gaussian") == 0
    said = capsys.readouterr().out
    assert said.startswith(
        "filters.gaussian: image -> image\nwindow; halo 2 at sigma=0.4; reads the image once, 1 task"
    )
    assert "sigma" in said
    assert call("ops", "threshold") == 0
    said = capsys.readouterr().out
    assert "threshold.sauvola(window_size=15, k=0.2, r=None, dims=yx) image -> mask" in said
    assert "filters" not in said
    assert call("ops", "filters.gausian") == 2
    assert "did you mean 'filters.gaussian'?" in capsys.readouterr().err


def test_ops_as_json_has_the_bounds(capsys):
    assert call("ops", "filters.gaussian", "--json") == 0
    described = json.loads(capsys.readouterr().out)
    assert described["cost"]["kind"] == "window"
    assert described["parameters"]["properties"]["sigma"]["anyOf"][0]["exclusiveMinimum"] == 0
    assert call("ops", "--json") == 0
    assert {"measure.label", "learn.cluster"} <= {entry["name"] for entry in json.loads(capsys.readouterr().out)}


def test_report_says_where_it_is(tmp_path: Path, capsys):
    assert call("report", tmp_path) == 1
    assert "holds no report.html" in capsys.readouterr().err
    (tmp_path / "report.html").touch()
    assert call("report", tmp_path) == 0
    assert capsys.readouterr().out == f"{tmp_path / 'report.html'}\n"


def test_a_workflow_that_cannot_be_is_2(tmp_path: Path, capsys):
    (tmp_path / "w.yaml").write_text("name: w\nsteps:\n- op: filters.gaussian\n  sigma: -1\n")
    assert call("run", tmp_path / "w.yaml", tmp_path, tmp_path / "out") == 2
    assert "w.yaml:4:10: steps[0].sigma must be greater than 0 (got -1)" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    assert call("run", "nuclie", tmp_path, tmp_path / "out") == 2
    assert "did you mean 'nuclei'?" in capsys.readouterr().err
