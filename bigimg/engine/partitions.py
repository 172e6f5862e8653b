"""Reductions whose value comes in partitions, so that no task ever holds all of it.

::

    tiles     partial ──fold──┐  neighbours, as long as there are more states than partitions
                              state     state     state     state
    takes                     ├─┐       ├─┐       ├─┐       ├─┐     a bucket of partitions each
    merges                    a b       a b       a b       a b     states of one bucket that lie far apart
                               ... again, until a bucket is one partition ...
    finish                    0         1         2         3

A direct shuffle would have as many edges as tiles times partitions: 10^6 for 4,096 tiles in 256. Here every state gives
to ``FAN_IN`` buckets and every merge takes ``FAN_IN`` pieces, level by level, so that there are a few tasks a tile.
Objects are numbered in raster order, so neighbours hold the same partitions: pieces that are merged come from far
apart, and are together about as large as one state.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import add
from typing import Any

from dask._task_spec import Task, TaskRef
from dask.base import tokenize
from dask.delayed import Delayed
from dask.highlevelgraph import HighLevelGraph

from bigimg.core.reduction import Partitioned, with_values
from bigimg.engine.lazy import LazyImage, deferred_ref, distinct
from bigimg.engine.reduce import ReduceLayer
from bigimg.engine.tree import FAN_IN, Fold, merge_tasks


def partitions_of(work: Partitioned[Any, Any], images: Sequence[LazyImage]) -> list[Delayed]:
    """Return the partitions of the value of ``work``, lazily; ``images`` are those of its layer."""
    layer = PartitionLayer(work, tuple(images))
    parents = [parent for image in images for parent in image.parents] + list(layer.waits.values())
    graph = HighLevelGraph.from_collections(layer.value_key, layer, dependencies=distinct(parents))
    return [Delayed(key, graph, layer=layer.value_key) for key in layer.keys_of_partitions]


def store_partitions(parts: Sequence[Delayed], write: Callable[[int, Any], int]) -> Delayed:
    """Return the lazy sum of ``write(number, partition)``, each in a task of its own."""
    token = tokenize([part.key for part in parts], write)
    tasks: dict[Any, Task] = {}
    refs = [
        _added(tasks, (f"write-{token}", number), write, number, TaskRef(part.key)) for number, part in enumerate(parts)
    ]
    merges, last = merge_tasks(f"write.merge-{token}", refs, Fold(add))
    name = f"written-{token}"
    tasks |= {**merges, name: Task(name, Fold(add), *last)}
    return Delayed(name, HighLevelGraph.from_collections(name, tasks, dependencies=[parts[0]]))


class PartitionLayer(ReduceLayer):
    """The tasks of a reduction in partitions: one a tile, a few for each state that is shared out, one a partition."""

    def __init__(self, work: Partitioned[Any, Any], images: tuple[LazyImage, ...]) -> None:
        super().__init__(work, images)
        self.work: Partitioned[Any, Any] = self.bare
        self.value_key = f"{work.name}.partition-{self.token}"

    @property
    def keys_of_partitions(self) -> list[Any]:
        """The key of each partition, in order."""
        return [(self.value_key, number) for number in range(self.work.partitions)]

    def get_output_keys(self) -> set[Any]:
        """Return the keys of the partitions."""
        return set(self.keys_of_partitions)

    def make_tasks(self) -> dict[Any, Task]:
        """Return the partial of each tile, what shares the states out, and the task of each partition."""
        tasks = self.partial_tasks()
        states: list[Any] = [TaskRef(key) for key in tasks]
        fold, level = Fold(self.work.merge), 0
        while len(states) // FAN_IN >= self.work.partitions:
            name = f"{self.work.name}.merge-{self.token}"
            states = [
                _added(tasks, (name, level, number), fold, *states[start : start + FAN_IN])
                for number, start in enumerate(range(0, len(states), FAN_IN))
            ]
            level += 1
        known = self._known_to_all(tasks, states)
        for number, parts in self._shared_out(tasks, states, range(self.work.partitions)).items():
            merges, last = merge_tasks(f"{self.work.name}.join-{self.token}-{number}", parts, fold)
            tasks |= merges
            mine = [] if known is None else [self._taken(tasks, known, range(number, number + 1), "known", take_known)]
            key = (self.value_key, number)
            tasks[key] = Task(key, finish_partition, self.work, fold, number, *mine, *last)
        return tasks

    def _known_to_all(self, tasks: dict[Any, Task], states: list[Any]) -> TaskRef | None:
        if not self.work.asks_all:
            return None
        name = f"{self.work.name}.all-{self.token}"
        sent = [_added(tasks, (name, "sent", at), self.work.send, state) for at, state in enumerate(states)]
        fold = Fold(self.work.meet)
        merges, last = merge_tasks(f"{name}.merge", sent, fold)
        tasks |= merges
        return _added(tasks, (name, "solved"), solve_all, self.work, fold, *last)

    def _shared_out(self, tasks: dict[Any, Task], states: list[Any], numbers: range) -> dict[int, list[Any]]:
        """Return the states that make each of the partitions ``numbers``."""
        if len(numbers) == 1:
            return {numbers.start: states}
        width = -(-len(numbers) // FAN_IN)
        buckets = [numbers[start : start + width] for start in range(0, len(numbers), width)]
        found: dict[int, list[Any]] = {}
        for bucket in buckets:
            pieces = [self._taken(tasks, state, bucket, at, take_pieces) for at, state in enumerate(states)]
            apart = -(-len(pieces) // len(buckets))
            name = f"{self.work.name}.gathered-{self.token}"
            merged = [
                _added(tasks, (name, bucket.start, bucket.stop, at), Fold(self.work.merge), *pieces[at::apart])
                for at in range(apart)
            ]
            found |= self._shared_out(tasks, merged, bucket)
        return found

    def _taken(self, tasks: dict[Any, Task], state: Any, bucket: range, at: Any, take: Any) -> TaskRef:
        key = (f"{self.work.name}.taken-{self.token}", bucket.start, bucket.stop, at)
        names, values = tuple(self.waits), [deferred_ref(value) for value in self.waits.values()]
        return _added(tasks, key, take, self.work, names, bucket, state, *values)


def _added(tasks: dict[Any, Task], key: Any, function: Any, *values: Any) -> TaskRef:
    tasks[key] = Task(key, function, *values)
    return TaskRef(key)


def take_pieces(work: Partitioned[Any, Any], waits: tuple[str, ...], numbers: range, state: Any, *values: Any) -> Any:
    """Return what of a state belongs to some partitions."""
    return with_values(work, dict(zip(waits, values))).take(state, numbers)


def take_known(work: Partitioned[Any, Any], waits: tuple[str, ...], numbers: range, known: Any, *values: Any) -> Any:
    """Return what one partition needs to know of all."""
    return with_values(work, dict(zip(waits, values))).take_known(known, numbers)


def solve_all(work: Partitioned[Any, Any], fold: Fold, *sent: Any) -> Any:
    """Return what all states together say."""
    return work.solve(fold(*sent))


def finish_partition(work: Partitioned[Any, Any], fold: Fold, number: int, *values: Any) -> Any:
    """Return one partition."""
    known, states = (values[0], values[1:]) if work.asks_all else (None, values)
    return work.finish_partition(fold(*states), number, known)
