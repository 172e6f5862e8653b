"""Merging many states into one by a tree: no task takes more than a few of them, whatever the size of the image."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from dask._task_spec import Task, TaskRef
from dask.base import tokenize
from dask.delayed import Delayed
from dask.highlevelgraph import HighLevelGraph

FAN_IN = 8
"""How many states one task merges: few enough for the memory of a worker, enough for a shallow tree."""


def merge_tasks(
    name: str, refs: Sequence[Any], merge: Callable[..., Any], fan_in: int = FAN_IN
) -> tuple[dict[Any, Task], list[Any]]:
    """Return the tasks of a tree over ``refs`` down to at most ``fan_in`` references, and these.

    ``merge`` takes any number of states, at least one.
    """
    tasks: dict[Any, Task] = {}
    level = 0
    current = list(refs)
    while len(current) > fan_in:
        following = []
        for number, start in enumerate(range(0, len(current), fan_in)):
            key = (name, level, number)
            tasks[key] = Task(key, merge, *current[start : start + fan_in])
            following.append(TaskRef(key))
        current, level = following, level + 1
    return tasks, current


def tree_tasks(leaves: int) -> int:
    """Return how many tasks merge ``leaves`` states, the last included.

    Examples
    --------
    >>> tree_tasks(1), tree_tasks(8), tree_tasks(65)
    (1, 1, 12)
    """
    total = 1
    while leaves > FAN_IN:
        leaves = -(-leaves // FAN_IN)
        total += leaves
    return total


def tree_reduce(
    parts: Sequence[Delayed], merge: Callable[[Any, Any], Any], finish: Callable[[Any], Any] | None = None
) -> Delayed:
    """Return the merge of all ``parts``, lazily.

    Parameters
    ----------
    parts
        At least one lazy state.
    merge
        Associative and commutative.
    finish
        Applied once, to the merge of all.

    Examples
    --------
    >>> from dask import delayed
    >>> import operator
    >>> tree_reduce([delayed(i) for i in range(100)], operator.add).compute(scheduler="sync")
    4950
    """
    token = tokenize([part.key for part in parts], merge, finish)
    fold = Fold(merge)
    tasks, last = merge_tasks(f"merge-{token}", [TaskRef(part.key) for part in parts], fold)
    name = f"finish-{token}"
    tasks[name] = Task(name, FoldAndFinish(fold, finish), *last)
    graph = HighLevelGraph.from_collections(name, tasks, dependencies=list(parts))
    return Delayed(name, graph)


def combine(name: str, function: Callable[..., Any], *values: Delayed) -> Delayed:
    """Return ``function(*values)``, lazily, in one task; the graphs of the values stay as they are.

    ``dask.delayed`` would make every task of these graphs at once.

    Examples
    --------
    >>> from dask import delayed
    >>> combine("total", max, delayed(1), delayed(5)).compute(scheduler="sync")
    5
    """
    key = f"{name}-{tokenize(function, [value.key for value in values])}"
    task = Task(key, function, *(TaskRef(value.key) for value in values))
    return Delayed(key, HighLevelGraph.from_collections(key, {key: task}, dependencies=list(values)))


class Fold:
    """A merge of two as a merge of many."""

    def __init__(self, merge: Callable[[Any, Any], Any]) -> None:
        self.merge = merge

    def __call__(self, *states: Any) -> Any:
        """Merge the states from the first to the last."""
        total = states[0]
        for state in states[1:]:
            total = self.merge(total, state)
        return total

    def __dask_tokenize__(self) -> object:
        return self.merge


class FoldAndFinish:
    """The root of the tree: the last merge, and what is made of it."""

    def __init__(self, fold: Fold, finish: Callable[[Any], Any] | None) -> None:
        self.fold = fold
        self.finish = finish

    def __call__(self, *states: Any) -> Any:
        """Merge the states and finish."""
        total = self.fold(*states)
        return total if self.finish is None else self.finish(total)
