"""How far a run is: counted by the scheduler, stage by stage."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from threading import Event, Thread
from typing import Any

POLL_SECONDS = 0.5

Show = Callable[[Mapping[str, tuple[int, int]]], None]
"""Called now and then with the tiles done and the tiles in all, of each stage."""


def finished_tasks(dask_scheduler: Any = None) -> dict[str, tuple[int, float]]:
    """Return how many tasks of each name are done and their seconds; runs on the scheduler."""
    return {
        str(name): (int(prefix.state_counts["memory"]), float(prefix.all_durations.get("compute", 0.0)))
        for name, prefix in dask_scheduler.task_prefixes.items()
    }


@contextmanager
def watched(client: Any, totals: Mapping[str, int], show: Show | None) -> Iterator[None]:
    """Show the progress of what runs within the block, from a thread of its own."""
    if show is None:
        yield
        return
    over = Event()

    def report() -> None:
        done = client.run_on_scheduler(finished_tasks)
        show({name: (min(done.get(name, (0, 0.0))[0], total), total) for name, total in totals.items()})

    def poll() -> None:
        while not over.wait(POLL_SECONDS):
            try:
                report()
            except (OSError, RuntimeError, TimeoutError):
                return  # the cluster is gone; whoever waits for results says so

    thread = Thread(target=poll, daemon=True)
    thread.start()
    try:
        yield
        report()
    finally:
        over.set()
        thread.join()
