"""Workers that die, users who press Ctrl-C, two runs of one name, and who can reach the sockets."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psutil
import pytest
from PIL import Image
from skimage import data

import bigimg
from bigimg.errors import OutputExistsError, ReadError
from bigimg.run.profile import ClusterProfile
from bigimg.run.run import run as verb

pytestmark = pytest.mark.cluster


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Enough images for a run to have a middle."""
    folder = tmp_path_factory.mktemp("many") / "in"
    folder.mkdir()
    coins = data.coins()
    for number in range(12):
        Image.fromarray(coins[number : number + 180, 2 * number : 2 * number + 200]).save(folder / f"a{number}.png")
    return folder


@pytest.fixture
def in_the_middle(monkeypatch) -> Callable[[Callable[[], object]], None]:
    """Do something once, when the first image of the next run is done and others are not."""
    real = sys.modules["bigimg.run.run"].execute

    def arrange(action: Callable[[], object]) -> None:
        waiting = [action]

        def execute(*args: Any) -> Iterator[Any]:
            for result in real(*args):
                if waiting:
                    waiting.pop()()
                yield result

        monkeypatch.setattr("bigimg.run.run.execute", execute)

    return arrange


def assert_same(output: Path, expected: Path) -> None:
    one, two = bigimg.open(output), bigimg.open(expected)
    assert list(one) == list(two)
    for name, labels in one.labels("nuclei").items():
        np.testing.assert_array_equal(labels.values, two.labels("nuclei")[name].values)
    pd.testing.assert_frame_equal(one.read_table("objects"), two.read_table("objects"), check_exact=True)


@pytest.fixture(scope="module")
def expected(folder, client, tmp_path_factory) -> Path:
    """What a run that nothing happens to gives."""
    from contextlib import nullcontext

    output = tmp_path_factory.mktemp("expected") / "out"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ClusterProfile, "open", lambda self, workers=None: nullcontext(client))
        verb("nuclei", folder, output, tile=100)
    return output


def test_a_worker_that_is_killed_changes_nothing(folder, expected, shared, in_the_middle, tmp_path):
    killed: list[int] = []

    def kill() -> None:
        pids = shared.run(os.getpid)
        killed.append(next(iter(pids.values())))
        os.kill(killed[0], signal.SIGKILL)

    in_the_middle(kill)
    done = verb("nuclei", folder, tmp_path / "out", tile=100)
    assert killed
    assert (done.items, done.skipped) == (12, ())
    assert_same(tmp_path / "out", expected)
    shared.wait_for_workers(2, timeout=60)
    assert killed[0] not in shared.run(os.getpid).values()


def test_of_two_runs_of_one_name_one_wins_and_is_whole(folder, expected, shared, in_the_middle, tmp_path):
    winner = []
    in_the_middle(lambda: winner.append(verb("nuclei", folder, tmp_path / "out", tile=100)))
    with pytest.raises(OutputExistsError, match="exists already"):
        verb("nuclei", folder, tmp_path / "out", tile=64)
    assert winner[0].plan.tile == 100
    assert_same(tmp_path / "out", expected)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_nobody_else_reaches_the_sockets_of_a_run(folder, in_the_middle, tmp_path):
    listening: list[tuple[str, int]] = []

    def look() -> None:
        here = psutil.Process()
        for process in [here, *here.children(recursive=True)]:
            found = process.net_connections("inet")
            listening.extend(each.laddr for each in found if each.status == psutil.CONN_LISTEN)

    in_the_middle(look)
    verb("nuclei", f"{folder}/a?.png", tmp_path / "out", workers=2)
    # The scheduler and its dashboard, two nannies, two workers and their dashboards.
    assert len(listening) >= 6
    assert {address for address, _ in listening} <= {"127.0.0.1", "::1"}


def test_a_run_leaves_no_process_and_no_scratch(folder, in_the_middle, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "scratch"))
    (tmp_path / "scratch").mkdir()
    before = {child.pid for child in psutil.Process().children(recursive=True)}
    during: set[int] = set()
    in_the_middle(lambda: during.update(child.pid for child in psutil.Process().children(recursive=True)))
    verb("nuclei", f"{folder}/a?.png", tmp_path / "out", workers=1)
    workers = during - before
    assert workers
    running = {child.pid for child in psutil.Process().children(recursive=True)}
    assert not [pid for pid in workers & running if "spawn_main" in " ".join(psutil.Process(pid).cmdline())]
    assert not list((tmp_path / "scratch").glob("bigimg*"))


@pytest.fixture
def interruptible():
    """Let programs hear Ctrl-C, also where the tests run in the background and ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.skipif(not hasattr(os, "killpg"), reason="a terminal's Ctrl-C goes to a group of processes")
@pytest.mark.parametrize("line", ["dashboard", "nuclei"])
def test_ctrl_c_leaves_nothing(line, folder, tmp_path, interruptible):
    command = [sys.executable, "-m", "bigimg", "run", "nuclei", folder, tmp_path / "out", "--workers", "1"]
    program = subprocess.Popen(
        [*command, "--tile", "16"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    assert program.stdout is not None
    for said in program.stdout:
        if said.startswith(line):
            break
    family = psutil.Process(program.pid).children(recursive=True)
    os.killpg(program.pid, signal.SIGINT)
    _, complaint = program.communicate(timeout=120)
    assert program.returncode == 130, complaint
    assert complaint == "interrupted\n"
    assert not list(tmp_path.iterdir())
    assert not psutil.wait_procs(family, timeout=30)[1]


def test_an_error_in_a_run_leaves_nothing(folder, in_the_middle, tmp_path):
    def fail() -> None:
        raise ReadError("the disk is gone")

    in_the_middle(fail)
    with pytest.raises(ReadError, match="the disk is gone"):
        verb("nuclei", folder, tmp_path / "out", workers=1, tile=100)
    assert not list(tmp_path.iterdir())
