"""Where a workflow runs: a description in ``cluster/``, opened as a Dask client that only this machine can reach."""

from __future__ import annotations

import logging
import multiprocessing
import re
import signal
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from multiprocessing import resource_tracker
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from annotated_types import Ge
from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from bigimg import shipped
from bigimg.errors import ParameterError, RunError, WorkflowError, suggestion
from bigimg.run import yaml
from bigimg.run.yaml import Node

if TYPE_CHECKING:
    from distributed import Client

OTHER_KINDS = ("ssh", "slurm", "kubernetes")
"""Kinds of cluster that this version does not open."""

LOOPBACK = "127.0.0.1"
"""Whoever reaches the scheduler can run code as the user, and the dashboard has no password."""


_GUARD = "in a script, put what runs under: if __name__ == '__main__':"
_SIZE = re.compile(r"(\d+(?:\.\d+)?) *([KkMGT])(i?)B")
_POWERS = {"K": 1, "M": 2, "G": 3, "T": 4}


def memory_bytes(text: str | int) -> int:
    """Return an amount of memory in bytes.

    Raises
    ------
    ParameterError
        If it is not a number with a unit, or less than a mebibyte.

    Examples
    --------
    >>> memory_bytes("2 GiB")
    2147483648
    """
    if isinstance(text, int):
        size = text
    else:
        found = _SIZE.fullmatch(text.strip())
        size = round(float(found[1]) * (1024 if found[3] else 1000) ** _POWERS[found[2].upper()]) if found else 0
    if size < 1 << 20:
        raise ParameterError(f"memory must be a size such as '2 GiB' (got {text!r})")
    return size


def _auto_or_bytes(value: Any) -> Any:
    return memory_bytes(value) if isinstance(value, str | int) and value != "auto" else value


_KEPT = 256 * 2**20
WORKER_ENVIRONMENT = {
    f"distributed.nanny.pre-spawn-environ.MALLOC_{name}_THRESHOLD_": _KEPT for name in ("MMAP", "TRIM")
}
"""Workers keep the memory of a tile for the next one, up to so many bytes.

By default the C library of Linux maps every array of a tile anew, and Dask has it give back what is freed: the kernel
then clears the same pages for every step of every tile, which took longer than the work on them.
"""

Auto = Literal["auto"]
Positive = Annotated[int, Ge(1)]


class ClusterProfile(BaseModel):
    """A description of where to run.

    Examples
    --------
    >>> ClusterProfile.parse("{kind: local, memory_limit: 2 GiB}").memory_limit
    2147483648
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    kind: Literal["local"]
    """``local``: worker processes on this machine."""

    workers: Positive | Auto = "auto"
    """How many worker processes; ``auto``: one a core."""

    threads_per_worker: Positive = 1
    """How many tasks a worker runs at once."""

    memory_limit: Annotated[Positive | Auto, BeforeValidator(_auto_or_bytes)] = "auto"
    """Bytes a worker may use, written as ``2 GiB``; ``auto``: an equal share of the machine's memory."""

    scratch: str = ""
    """A folder for what does not fit into memory; left out: the system's temporary folder."""

    @classmethod
    def load(cls, path_or_name: str | Path) -> ClusterProfile:
        """Read a profile file, or the profile of that name in ``./cluster`` or among the shipped ones.

        Raises
        ------
        WorkflowError
            If the file says something impossible: ``file:line:column``, what is wrong, and what would be right.
        UnknownNameError
            If there is no such file.
        """
        return cls._of(yaml.load(shipped.find("cluster", str(path_or_name))))

    @classmethod
    def parse(cls, text: str, source: str = "<string>") -> ClusterProfile:
        """Read a profile from ``text``; ``source`` names it in errors. Raises as :meth:`load` does."""
        return cls._of(yaml.parse(text, source))

    @classmethod
    def _of(cls, node: Node) -> ClusterProfile:
        values = node.mapping("a cluster profile")
        if "kind" not in values:
            raise node.position.error("a cluster profile needs 'kind', such as kind: local")
        kind = values["kind"]
        if kind.value in OTHER_KINDS:
            raise kind.position.error(f"kind {kind.value!r} is not in this version; it has 'local' only")
        try:
            return cls.model_validate(node.plain())
        except ValidationError as error:
            raise _placed(error, node, values, list(cls.model_fields)) from None

    @contextmanager
    def open(self, workers: int | None = None) -> Iterator[Client]:
        """Start the workers and give a client; end them and remove their files when the block ends.

        Scheduler, workers and dashboard listen on loopback only; ``client.dashboard_link`` is the dashboard's address.

        Parameters
        ----------
        workers
            How many worker processes, in the place of what the profile says.

        Raises
        ------
        RunError
            If the workers do not start.
        """
        if workers is not None and workers < 1:
            raise ParameterError(f"workers must be at least 1 (got {workers})")
        if getattr(multiprocessing.current_process(), "_inheriting", False):
            # A worker imports the user's script to find its functions, and the script opens a cluster again.
            raise RunError(f"a worker process is only importing this script; {_GUARD}")
        with _scratch_folder(self.scratch) as scratch, self._cluster(workers, scratch) as cluster:
            from distributed import Client  # noqa: PLC0415

            with Client(cluster) as client:
                yield client

    @contextmanager
    def _cluster(self, workers: int | None, scratch: str) -> Iterator[Any]:
        import dask  # noqa: PLC0415 - slow to import
        from dask.system import CPU_COUNT  # noqa: PLC0415 - the cores this process may use, not those of the machine
        from distributed import LocalCluster  # noqa: PLC0415 - slow to import

        count = workers or (CPU_COUNT if self.workers == "auto" else self.workers)
        limit = {} if self.memory_limit == "auto" else {"memory_limit": self.memory_limit}
        try:
            with _workers_deaf_to_interrupts(), dask.config.set(WORKER_ENVIRONMENT):
                cluster = LocalCluster(
                    n_workers=count,
                    threads_per_worker=self.threads_per_worker,
                    processes=True,
                    host=LOOPBACK,
                    dashboard_address=f"{LOOPBACK}:0",
                    local_directory=scratch,
                    silence_logs=logging.CRITICAL,
                    **limit,
                )
        except (OSError, RuntimeError, TimeoutError) as error:
            hint = f" ({_GUARD})" if hasattr(sys.modules["__main__"], "__file__") else ""
            raise RunError(f"the {count} workers of the local cluster did not start: {error}{hint}") from error
        with cluster:
            yield cluster


@contextmanager
def _workers_deaf_to_interrupts() -> Iterator[None]:
    """Start processes that Ctrl-C in a terminal, which goes to all of them, does not reach: the caller ends them.

    A thread has the signal mask of the thread that started it, and so has a process; workers that are started again
    later come from the same thread.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    resource_tracker.ensure_running()  # when it starts, it lets interrupts through to the first worker
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _scratch_folder(parent: str) -> Iterator[str]:
    try:
        folder = tempfile.TemporaryDirectory(prefix="bigimg-", dir=parent or None, ignore_cleanup_errors=True)
    except OSError as error:
        raise RunError(
            f"no scratch folder can be made in {parent or tempfile.gettempdir()}: {error.strerror}"
        ) from error
    with folder as path:
        yield path


def _placed(error: ValidationError, node: Node, values: Mapping[str, Node], known: list[str]) -> WorkflowError:
    first = error.errors()[0]
    key = str(first["loc"][0])
    if first["type"] == "extra_forbidden":
        return node.keys[key].error(f"unknown key {key!r}; {suggestion(key, known)}")
    problems = [str(item["msg"]) for item in error.errors() if str(item["loc"][0]) == key]
    said = " or ".join(dict.fromkeys(problems)).replace("Input should be", "must be").replace("or must be", "or")
    said = said.replace("Value error, memory must be", "must be")
    got = "" if "(got" in said else f" (got {values[key].described})"
    return values[key].position.error(f"{key} {said}{got}")
