"""A Dask layer whose tasks are made when Dask asks for them: until then it can be planned, extended, and sent."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from typing import Any

from dask._task_spec import Task
from dask.highlevelgraph import Layer


class TaskLayer(Layer):
    """Base of the layers of the engine; a subclass says which tasks there are."""

    def __init__(self) -> None:
        super().__init__()
        self._tasks: dict[Any, Task] | None = None

    @abstractmethod
    def make_tasks(self) -> dict[Any, Task]:
        """Return every task by its key."""

    def source(self, array: Any) -> Any:  # noqa: ARG002 - the array of this layer, for those that have a source
        """Return the source of its tiles for tasks that make them for themselves; None where they cannot."""
        return None

    def _mapping(self) -> dict[Any, Task]:
        if self._tasks is None:
            self._tasks = self.make_tasks()
        return self._tasks

    def __getstate__(self) -> dict[str, Any]:
        # What it was made of is a few hundred bytes; 10^5 tasks are not.
        return {**self.__dict__, "_tasks": None}

    def __getitem__(self, key: Any) -> Task:
        return self._mapping()[key]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._mapping())

    def __len__(self) -> int:
        return len(self._mapping())

    def is_materialized(self) -> bool:
        """Whether the tasks have been made."""
        return self._tasks is not None
