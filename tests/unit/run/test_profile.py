"""Cluster profiles: what a file may say, and that the cluster it opens is private and leaves nothing behind."""

import os
import signal
from pathlib import Path

import dask
import distributed  # its defaults become part of dask's configuration on import
import psutil
import pytest

from bigimg.errors import ParameterError, RunError, UnknownNameError, WorkflowError
from bigimg.run.profile import ClusterProfile, memory_bytes


def test_the_shipped_profile_is_read():
    profile = ClusterProfile.load("local")
    assert profile == ClusterProfile(kind="local", workers="auto", threads_per_worker=1, memory_limit="auto")
    with pytest.raises(UnknownNameError, match="did you mean 'local'"):
        ClusterProfile.load("locl")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("workers: 2\n", "c.yaml:1:1: a cluster profile needs 'kind'"),
        ("- kind\n", "c.yaml:1:1: a cluster profile must be a mapping"),
        ("kind: slurm\nqueue: x\n", "c.yaml:1:7: kind 'slurm' is not in this version; it has 'local' only"),
        ("kind: loca\n", "c.yaml:1:7: kind must be 'local' (got 'loca')"),
        ("kind: local\nworker: 2\n", "c.yaml:2:1: unknown key 'worker'; did you mean 'workers'?"),
        ("kind: local\nworkers: 0\n", "c.yaml:2:10: workers must be greater than or equal to 1 or 'auto' (got 0)"),
        (
            "kind: local\nthreads_per_worker: two\n",
            "c.yaml:2:21: threads_per_worker must be a valid integer (got 'two')",
        ),
        ("kind: local\nmemory_limit: lots\n", "c.yaml:2:15: memory_limit must be a size such as '2 GiB' (got 'lots')"),
        ("kind: local\nmemory_limit: -1\n", "c.yaml:2:15: memory_limit must be a size such as '2 GiB' (got -1)"),
        ("kind: local\nworkers: &w 2\n", "c.yaml:2:10: anchors"),
    ],
)
def test_what_cannot_work_is_refused_with_its_place(text, message):
    with pytest.raises(WorkflowError) as caught:
        ClusterProfile.parse(text, "c.yaml")
    assert message in str(caught.value)


def test_memory_is_written_with_units():
    assert memory_bytes("500 MB") == 500_000_000
    assert memory_bytes("1.5GiB") == 3 << 29
    assert memory_bytes(1 << 30) == 1 << 30
    for wrong in ("", "much", "0 GiB", "-1 GiB", "5", "5 B", "1e9 GB", 4, True):
        with pytest.raises(ParameterError, match="memory must be"):
            memory_bytes(wrong)


def test_wrong_arguments_are_refused_before_anything_starts(tmp_path: Path):
    with pytest.raises(ParameterError, match="at least 1"), ClusterProfile(kind="local").open(0):
        pass
    nowhere = ClusterProfile(kind="local", scratch=str(tmp_path / "absent"))
    with pytest.raises(RunError, match="no scratch folder"), nowhere.open(1):
        pass


@pytest.mark.cluster
def test_the_cluster_is_private_and_leaves_nothing_behind(tmp_path: Path):
    before = dict(dask.config.config)
    profile = ClusterProfile(kind="local", workers=4, memory_limit=1 << 30, scratch=str(tmp_path))
    with profile.open(workers=2) as client:
        assert isinstance(client, distributed.Client)
        assert client.submit(sum, [1, 2, 3]).result() == 6
        workers = client.scheduler_info(n_workers=-1)["workers"].values()
        assert [(worker["nthreads"], worker["memory_limit"]) for worker in workers] == [(1, 1 << 30)] * 2
        (folder,) = tmp_path.iterdir()
        assert folder.stat().st_mode & 0o077 == 0
        assert all(Path(worker["local_directory"]).is_relative_to(folder) for worker in workers)
        assert client.dashboard_link.startswith("http://127.0.0.1:")
        assert listening_addresses() == {"127.0.0.1"}
        pids = set(client.run(os.getpid).values())
        for pid in pids:
            os.kill(pid, signal.SIGINT)  # as Ctrl-C in a terminal does; the caller decides, not the workers
        assert client.submit(sum, [4, 5]).result() == 9
        assert set(client.run(os.getpid).values()) == pids
    assert not list(tmp_path.iterdir())
    assert not any(psutil.pid_exists(pid) for pid in pids)
    assert dask.config.config == before


def listening_addresses() -> set[str]:
    me = psutil.Process()
    found = set()
    for process in [me, *me.children(recursive=True)]:
        sockets = process.net_connections("inet")
        found |= {socket.laddr.ip for socket in sockets if socket.status == psutil.CONN_LISTEN}
    return found
