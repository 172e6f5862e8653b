"""Merging many states into one by a tree: no task takes more than a few of them, whatever the size of the image."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from math import prod
from typing import Any

import numpy as np
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


Index = tuple[int, ...]


def blocks_of(grid: Index) -> Iterator[dict[Index, list[Index]]]:
    """Yield the blocks of a grid of tiles, then the blocks of these, until one holds all: the parts of each, in order.

    A block has up to ``FAN_IN`` parts, as many along the long axes of the grid as keep it compact.

    Examples
    --------
    >>> next(blocks_of((2, 5)))
    {(0, 0): [(0, 0), (0, 1), (0, 2), (0, 3), (1, 0), (1, 1), (1, 2), (1, 3)], (0, 1): [(0, 4), (1, 4)]}
    >>> [len(blocks) for blocks in blocks_of((64, 64))]
    [512, 64, 8, 1]
    """
    for sides, following in _levels(grid):
        blocks: dict[Index, list[Index]] = {index: [] for index in np.ndindex(following)}
        for index in np.ndindex(grid):
            blocks[tuple([at // side for at, side in zip(index, sides)])].append(index)
        yield blocks
        grid = following


def block_tasks(grid: Index) -> int:
    """Return how many blocks there are on all levels, the last included.

    Examples
    --------
    >>> block_tasks((1, 1)), block_tasks((8, 8)), block_tasks((64, 64))
    (1, 9, 585)
    """
    return sum(prod(following) for _, following in _levels(grid))


def _levels(grid: Index) -> Iterator[tuple[Index, Index]]:
    """Yield how many parts along each axis make a block, and the grid of blocks, level by level."""
    while True:
        sides = [1] * len(grid)
        following = grid
        while 2 * prod(sides) <= FAN_IN and max(following) > 1:
            sides[following.index(max(following))] *= 2
            following = tuple(-(-size // side) for size, side in zip(grid, sides))
        yield tuple(sides), following
        grid = following
        if prod(grid) == 1:
            return


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
