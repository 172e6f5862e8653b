"""Work in stages on many things at once: on threads of this process, or on the workers of a cluster.

A job gives its tasks stage by stage; those of one stage may be done in any order. Only a window of all tasks is handed
out at a time, so that neither this process nor a scheduler holds more for a larger archive.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from typing import Any

Task = Callable[[], Any]
Stages = Iterator[tuple[Sequence[Task], list[Any]]]
"""Lists of tasks, each with the list that takes their results, in the order of the tasks."""

WINDOW = 64
"""Tasks handed out at once."""


class _Job:
    def __init__(self, number: int, stages: Stages) -> None:
        self.number, self.stages = number, stages
        self.results: list[Any] = []
        self.found: dict[int, Any] = {}
        self.left = 0

    def tasks(self) -> list[tuple[_Job, int, Task]] | None:
        """Return the tasks of the next stage that has any, or None behind the last."""
        while True:
            self.results.extend(self.found[place] for place in sorted(self.found))
            try:
                tasks, self.results = next(self.stages)
            except StopIteration:
                return None
            self.found, self.left = {}, len(tasks)
            if tasks:
                return [(self, place, task) for place, task in enumerate(tasks)]


def carry_out(
    jobs: Iterable[Stages], pool: Executor, window: int = WINDOW
) -> Iterator[tuple[int, list[Any] | Exception]]:
    """Yield the number of each job as it is done, with the results of its last stage, or what was raised.

    A job that has failed is given up; the others go on. Tasks that are still running when the caller stops are waited
    for, those not begun are not.

    Examples
    --------
    >>> from concurrent.futures import ThreadPoolExecutor
    >>> from functools import partial
    >>> def stages(number):
    ...     squares: list[int] = []
    ...     yield [partial(pow, number, 2)] * 2, squares
    ...     total: list[int] = []
    ...     yield [partial(sum, squares)], total
    >>> with ThreadPoolExecutor(2) as pool:
    ...     sorted(carry_out(map(stages, (1, 2, 3)), pool))
    [(0, [2]), (1, [8]), (2, [18])]
    """
    work = _Work(iter(enumerate(jobs)), pool)
    try:
        while True:
            yield from work.fill(window)
            if not work.running:
                return
            yield from work.collect()
    finally:
        for future in work.running:
            future.cancel()
        wait(work.running)


class _Work:
    """Jobs that are coming, ready and running."""

    def __init__(self, coming: Iterator[tuple[int, Stages]], pool: Executor) -> None:
        self.coming, self.pool = coming, pool
        self.ready: deque[tuple[_Job, int, Task]] = deque()
        self.running: dict[Future[Any], tuple[_Job, int]] = {}
        self.failed: set[int] = set()

    def fill(self, window: int) -> Iterator[tuple[int, list[Any] | Exception]]:
        """Hand out tasks until ``window`` of them run."""
        while len(self.running) < window:
            if self.ready:
                job, place, task = self.ready.popleft()
                if job.number not in self.failed:
                    self.running[self.pool.submit(task)] = job, place
                continue
            number, stages = next(self.coming, (0, None))
            if stages is None:
                return
            yield from self.advance(_Job(number, stages))

    def collect(self) -> Iterator[tuple[int, list[Any] | Exception]]:
        """Wait for tasks, and take what they give."""
        for future in wait(self.running, return_when=FIRST_COMPLETED).done:
            job, place = self.running.pop(future)
            error = future.exception()
            if job.number in self.failed:
                continue
            if isinstance(error, Exception):
                self.failed.add(job.number)
                yield job.number, error
                continue
            job.found[place] = future.result()
            job.left -= 1
            if not job.left:
                yield from self.advance(job)

    def advance(self, job: _Job) -> Iterator[tuple[int, list[Any] | Exception]]:
        """Make the next stage of ``job`` ready, before what else is: what was begun is finished first."""
        try:
            tasks = job.tasks()
        except Exception as error:  # noqa: BLE001 - given to the caller, who knows what the job is
            self.failed.add(job.number)
            yield job.number, error
            return
        if tasks is None:
            yield job.number, job.results
        else:
            self.ready.extendleft(reversed(tasks))
